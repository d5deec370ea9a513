/* renewal_fault_cases: commands that renewal_fault_test walks, named in renewal_faults.json. */
#pragma once
#include "gen/events.h"
#include "lib/fault_walk.h"

#define APPLICATION "0190a000-0000-7000-8000-0000000000aa"
#define BY(role)                                                                                   \
    "\"operation_id\":\"0190a000-0000-7000-8000-0000000000ff\",\"account_id\":"                    \
    "\"0190a000-0000-7000-8000-000000000001\",\"role\":\"" role "\",\"doctor_id\":1"
#define SUBMITTED BY("doctor") ",\"application_id\":\"" APPLICATION "\",\"programme\":\"OP\""
#define REVIEWED(role, action)                                                                     \
    "\"operation_id\":\"0190a000-0000-7000-8000-0000000000fe\",\"account_id\":"                    \
    "\"0190a000-0000-7000-8000-000000000002\",\"role\":\"" role "\",\"doctor_id\":1,"              \
    "\"l2_code\":\"13\",\"application_id\":\"" APPLICATION "\",\"action\":\"" action "\""

/* The application's state, and so many commands answered. */
#define IS(status) "SELECT count(*) FROM renewal.application WHERE status = '" status "'"
#define SUBMIT                                                                                     \
    {                                                                                              \
        NULL, EVENT_APPLICATION_SUBMIT, SUBMITTED, IS("submitted")                                 \
    }
/* As if L2 had checked it, and as if it had passed it on. */
#define SEEN(status)                                                                               \
    "UPDATE renewal.application SET status = '" status "', handbook = 'received', fee = 'paid'"
#define FORWARDED SEEN("l3_queued")
#define L2(action, more, ended)                                                                    \
    {                                                                                              \
        NULL, EVENT_APPLICATION_REVIEW, REVIEWED("office_l2", action) more, ended                  \
    }

/* Doctor 1 is merged into 3, who has nothing. */
#define MERGED                                                                                     \
    "\"merge_id\":\"0190a000-0000-7000-8000-0000000000c1\",\"kept_id\":3,\"closed_id\":1,"         \
    "\"actor_id\":\"0190a000-0000-7000-8000-000000000002\",\"actor_role\":\"office_l3\","          \
    "\"reason\":\"why\",\"name\":\"A\",\"kept_email\":\"\",\"closed_email\":\"\","                 \
    "\"names_kana\":[\"ア\"]"

static const struct fault_case cases[] = {
    {"declared",
     {"DELETE FROM renewal.handbook", EVENT_HANDBOOK_DECLARE,
      BY("doctor") ",\"programme\":\"OP\",\"lines\":[{\"kind\":\"OPL-S\",\"half_units\":24,"
                   "\"last_on\":\"2025-03-31\"}]",
      "SELECT count(*) FROM renewal.handbook"},
     {.type = NULL}},
    {"submitted", SUBMIT, {.type = NULL}},
    /* No application yet: a refusal, answered once. */
    {"refused",
     {NULL, EVENT_APPLICATION_REVIEW, REVIEWED("office_l2", "forward"),
      "SELECT count(*) FROM renewal.operation WHERE status = 'failed'"},
     {.type = NULL}},
    {"returned", SUBMIT,
     L2("return", ",\"reason\":\"why\",\"until\":\"2025-05-01\"", IS("returned"))},
    /* With today's credits, which the snapshot takes over. */
    {"resubmitted",
     SUBMIT,
     {"UPDATE renewal.application SET status = 'returned', return_reason = 'why',"
      " return_until = '2025-05-01'",
      EVENT_APPLICATION_REVIEW, REVIEWED("doctor", "resubmit"), IS("l2_review")}},
    {"handbook_verified", SUBMIT,
     L2("verify_handbook",
        ",\"lines\":[{\"kind\":\"OPL-R\",\"half_units\":8},{\"kind\":\"OPL-J\","
        "\"half_units\":2},{\"kind\":\"OPL-S\",\"half_units\":30}]",
        IS("l2_review") " AND handbook = 'received'")},
    {"fee_paid", SUBMIT, L2("set_fee", ",\"fee\":\"paid\"", IS("l2_review") " AND fee = 'paid'")},
    {"forwarded",
     SUBMIT,
     {SEEN("l2_review"), EVENT_APPLICATION_REVIEW, REVIEWED("office_l2", "forward"),
      IS("l3_queued")}},
    {"rejected_nationally",
     SUBMIT,
     {FORWARDED, EVENT_APPLICATION_REVIEW, REVIEWED("office_l3", "reject") ",\"reason\":\"why\"",
      IS("rejected_l3")}},
    /* Nothing is left of what stood there. */
    {"undeclared",
     {NULL, EVENT_HANDBOOK_DECLARE, BY("doctor") ",\"programme\":\"OP\",\"lines\":[]",
      "SELECT (count(*) = 0)::int FROM renewal.handbook"},
     {.type = NULL}},
    /* What cannot be declared is refused, line by line. */
    {"declared_wrongly",
     {NULL, EVENT_HANDBOOK_DECLARE,
      BY("doctor") ",\"programme\":\"OP\",\"lines\":[{\"kind\":\"OPL-X\",\"half_units\":24}]",
      "SELECT count(*) FROM renewal.operation WHERE status = 'failed'"},
     {.type = NULL}},
    {"rejected", SUBMIT, L2("reject", ",\"reason\":\"why\"", IS("rejected_l2"))},
    {"withdrawn",
     SUBMIT,
     {NULL, EVENT_APPLICATION_REVIEW, REVIEWED("doctor", "withdraw"), IS("withdrawn")}},
    /* Ends a period and begins the next. */
    {"approved",
     SUBMIT,
     {FORWARDED, EVENT_APPLICATION_REVIEW, REVIEWED("office_l3", "approve"),
      IS("approved") " AND (SELECT count(*) FROM renewal.certificate"
                     " WHERE valid_to = '2030-07-31') = 1"}},
    /* Certificate, declarations and the open application go along. */
    {"merged",
     SUBMIT,
     {NULL, EVENT_DOCTOR_MERGED, MERGED,
      IS("submitted") " AND (SELECT sum(doctor_id) FROM renewal.application) = 3"
                      " AND (SELECT count(*) FROM renewal.certificate WHERE doctor_id = 3) = 1"}},
};
