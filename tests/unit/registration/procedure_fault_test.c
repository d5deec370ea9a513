/* Procedures of membership while the nth call of each kind fails. */
#include "lib/test.h"
#include "unit/registration/registration_fault.h"

#define PROCEDURE "0190a000-0000-7000-8000-00000000000a"
#define FILED_AS(more, stage)                                                                      \
    {                                                                                              \
        COMPLETE, EVENT_PROCEDURE_SUBMIT,                                                          \
            FIRST OF_ACCOUNT ",\"procedure_id\":\"" PROCEDURE                                      \
                             "\",\"role\":\"doctor\",\"doctor_id\":1," more,                       \
            IS_AT(stage) ANSWERED("done")                                                          \
    }
#define FILED                                                                                      \
    FILED_AS("\"kind\":\"admission\",\"depth\":3,\"l1_code\":\"40016\",\"category_l3\":\"B\","     \
             "\"effective_on\":\"2025-04-07\"",                                                    \
             "l1_review")
#define IS_AT(stage) ONE("procedure", "stage = '" stage "'")
#define MOVED(by, action)                                                                          \
    SECOND "\"procedure_id\":\"" PROCEDURE "\"," by ",\"action\":\"" action "\""
#define BY_OFFICE(role) "\"account_id\":\"" CLERK "\",\"role\":\"" role "\""
#define L1 BY_OFFICE("office_l1") ",\"actor_l1\":\"40016\""
#define L2 BY_OFFICE("office_l2") ",\"actor_l2\":\"40\""
#define DOCTOR OF_ACCOUNT ",\"role\":\"doctor\",\"doctor_id\":1"
#define PLAIN "{\"procedure_id\":\"" PROCEDURE "\",\"version\":1,\"seen\":true,\"plain\":true}"
#define WHY ",\"reason\":\"why\""
/* As if it had come so far. */
#define CAME_TO(stage, desk)                                                                       \
    "UPDATE registration.procedure SET stage = '" stage "', desk = '" desk "'"

static const struct fault_case cases[] = {
    {"procedure_filed", FILED, {.type = NULL}},
    {"procedure_approved",
     FILED,
     {NULL, EVENT_PROCEDURE_ACT, MOVED(L1, "approve"), IS_AT("l2_review") BOTH_ANSWERED}},
    /* Twice, so that the second one is left for a message of its own. */
    {"procedures_approved",
     FILED,
     {NULL, EVENT_PROCEDURE_APPROVE, SECOND L1 ",\"items\":[" PLAIN "," PLAIN "]",
      IS_AT("l2_review") " AND version = 2" BOTH_ANSWERED}},
    {"procedure_returned",
     FILED,
     {NULL, EVENT_PROCEDURE_ACT, MOVED(L1, "return") WHY, IS_AT("returned") BOTH_ANSWERED}},
    {"procedure_resubmitted",
     FILED,
     {CAME_TO("returned", "") ", back_to = 'l1_review'", EVENT_PROCEDURE_ACT,
      MOVED(DOCTOR, "resubmit") ",\"category_l3\":\"A1\"",
      IS_AT("l1_review") " AND asked ->> 'category_l3' = 'A1'" BOTH_ANSWERED}},
    {"procedure_rejected",
     FILED,
     {NULL, EVENT_PROCEDURE_ACT, MOVED(L1, "reject") WHY, IS_AT("rejected") BOTH_ANSWERED}},
    {"procedure_withdrawn",
     FILED,
     {NULL, EVENT_PROCEDURE_ACT, MOVED(DOCTOR, "cancel"), IS_AT("cancelled") BOTH_ANSWERED}},
    {"procedure_needs_board",
     FILED,
     {NULL, EVENT_PROCEDURE_ACT, MOVED(L1, "need_board"), IS_AT("l1_wait_board") BOTH_ANSWERED}},
    {"procedure_needs_fee",
     FILED,
     {NULL, EVENT_PROCEDURE_ACT, MOVED(L1, "need_fee"), IS_AT("l1_wait_fee") BOTH_ANSWERED}},
    {"procedure_met",
     FILED,
     {CAME_TO("l1_wait_fee", "l1:40016"), EVENT_PROCEDURE_ACT, MOVED(L1, "met"),
      IS_AT("l1_review") BOTH_ANSWERED}},
    /* A part was given before: one membership of three begins. */
    {"procedure_partial",
     FILED,
     {CAME_TO("l2_review", "l2:40") ", granted = 1", EVENT_PROCEDURE_ACT, MOVED(L2, "reject") WHY,
      IS_AT("partial") " AND (SELECT count(*) FROM registration.membership) = 1" BOTH_ANSWERED}},
    /* Memberships begin in three layers, the doctor's codes change. */
    {"procedure_effective",
     FILED,
     {CAME_TO("l3_review", "l3"), EVENT_PROCEDURE_ACT, MOVED(BY_OFFICE("office_l3"), "approve"),
      IS_AT("effective") " AND (SELECT count(*) FROM registration.membership) = 3" BOTH_ANSWERED}},
};

int main(void)
{
    return registration_fault_main(cases, ARRAY_LEN(cases));
}
