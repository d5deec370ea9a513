/* Merges of two records while the nth call of each kind fails. */
#include "lib/test.h"
#include "unit/registration/registration_fault.h"

#define MERGE "0190a000-0000-7000-8000-000000000021"
#define OTHER_CLERK "0190a000-0000-7000-8000-000000000022"

/* Doctor 2 has no account; doctor 1 is to be closed. */
#define OFFICERS                                                                                   \
    COMPLETE                                                                                       \
    "; INSERT INTO registration.doctor (register_no, mamis_no, name, name_kana, my_page)"          \
    " VALUES ('460191', '7197282790', '山田　正樹', 'ヤマダ　マサキ', 'none');"        \
    "INSERT INTO registration.account (account_id, role, name, state) VALUES"                      \
    " ('" CLERK "', 'office_l3', '甲', 'active'),"                                                \
    " ('" OTHER_CLERK "', 'office_l3', '乙', 'active')"
#define PROPOSED                                                                                   \
    {                                                                                              \
        OFFICERS, EVENT_MERGE_PROPOSE,                                                             \
            FIRST BY(CLERK) "\"keep_register_no\":\"460191\",\"close_register_no\":\"460190\"",    \
            ONE("merge", "state = 'open'") ANSWERED("done")                                        \
    }
#define BY(actor)                                                                                  \
    "\"merge_id\":\"" MERGE "\",\"actor_id\":\"" actor "\",\"actor_role\":\"office_l3\","          \
    "\"reason\":\"why\","
#define DECIDED(actor, decision) SECOND BY(actor) "\"decision\":\"" decision "\""

static const struct fault_case cases[] = {
    {"merge_proposed", PROPOSED, {.type = NULL}},
    /* Closes the one with its account, moves what he had, and tells of both. */
    {"merge_confirmed",
     PROPOSED,
     {NULL, EVENT_MERGE_DECIDE, DECIDED(OTHER_CLERK, "confirm"),
      ONE("doctor", "merged_into = 2 AND my_page = 'closed'") BOTH_ANSWERED}},
    {"merge_declined",
     PROPOSED,
     {NULL, EVENT_MERGE_DECIDE, DECIDED(OTHER_CLERK, "decline"),
      ONE("merge", "state = 'declined'") BOTH_ANSWERED}},
    {"merge_withdrawn",
     PROPOSED,
     {NULL, EVENT_MERGE_DECIDE, DECIDED(CLERK, "withdraw"),
      ONE("merge", "state = 'withdrawn'") BOTH_ANSWERED}},
    /* The former number is left as a closed record. */
    {"number_changed",
     {OFFICERS, EVENT_DOCTOR_RENUMBER,
      FIRST BY(CLERK) "\"mamis_no\":\"7197282790\",\"register_no\":\"512345\"",
      ONE("merge", "new_no = '512345'") ANSWERED("done")},
     {NULL, EVENT_MERGE_DECIDE, DECIDED(OTHER_CLERK, "confirm"),
      ONE("doctor", "register_no = '460191' AND merged_into = 2") BOTH_ANSWERED}},
};

int main(void)
{
    return registration_fault_main(cases, ARRAY_LEN(cases));
}
