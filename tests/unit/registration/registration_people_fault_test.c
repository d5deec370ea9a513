/* Sign-ups, staff, delegates, corrections and maintenance while the nth call of each kind fails. */
#include "lib/test.h"
#include "unit/registration/registration_fault.h"

#define SIGNUP "0190a000-0000-7000-8000-000000000011"
#define STAFF "0190a000-0000-7000-8000-000000000012"
#define PERSON "0190a000-0000-8000-8000-000000000013"
#define DELEGATION "0190a000-0000-7000-8000-000000000014"
#define CORRECTION "0190a000-0000-7000-8000-000000000015"
#define WINDOW "0190a000-0000-7000-8000-000000000016"
#define REISSUE "0190a000-0000-7000-8000-000000000017"
#define CALLS "0190a000-0000-7000-8000-000000000018"

#define BY_CLERK(role) "\"actor_id\":\"" CLERK "\",\"actor_role\":\"" role "\","
#define MAILED ",\"link_id\":\"" LINK "\",\"link_expires_at\":\"" UNTIL "\""

#define APPLIED                                                                                        \
    {                                                                                                  \
        NULL, EVENT_SIGNUP_SUBMIT,                                                                     \
            FIRST "\"signup_id\":\"" SIGNUP "\",\"name\":\"見本　花子\","                         \
                  "\"name_kana\":\"ミホン　ハナコ\",\"sex\":\"F\",\"birth_on\":\"1980-05-01\"," \
                  "\"register_no\":\"460191\",\"licensed_on\":\"2006-04-20\","                         \
                  "\"email\":\"hanako@example.jp\"",                                                   \
            ONE("signup", "status = 'review'") ANSWERED("done")                                        \
    }
#define DECIDED(decision, more)                                                                    \
    SECOND "\"signup_id\":\"" SIGNUP "\"," BY_CLERK("call_centre") "\"decision\":\"" decision      \
                                                                   "\",\"reason\":\"why\"" more

#define INVITED                                                                                    \
    {                                                                                              \
        NULL, EVENT_STAFF_CREATE,                                                                  \
            FIRST "\"account_id\":\"" STAFF "\"," BY_CLERK(                                        \
                "office_l2") "\"actor_code\":\"40\",\"name\":\"担当　一郎\","                 \
                             "\"email\":\"staff@example.jp\",\"role\":\"office_l2\","              \
                             "\"code\":\"40\",\"administrator\":false,\"unused_days\":180,"        \
                             "\"login_id\":\"staff-1\"" MAILED,                                    \
            ONE("staff", "login_id = 'staff-1'") ANSWERED("done")                                  \
    }
#define CHANGED(actor, action, more)                                                               \
    SECOND "\"account_id\":\"" STAFF "\"," actor "\"action\":\"" action "\",\"reason\":"           \
           "\"why\"" more
#define STAFF_IS(state, condition)                                                                 \
    ONE("staff JOIN registration.account USING (account_id)",                                      \
        "state = '" state "' AND " condition)                                                      \
    BOTH_ANSWERED

#define NAMED                                                                                      \
    {                                                                                              \
        COMPLETE, EVENT_DELEGATE_INVITE,                                                           \
            FIRST OF_ACCOUNT ",\"delegation_id\":\"" DELEGATION "\",\"delegate_id\":\"" PERSON     \
                             "\",\"name\":\"受付　一郎\",\"email\":\"reception@example.jp\"",      \
            ONE("delegation", "state = 'invited'") ANSWERED("done")                                \
    }
#define DELEGATE(account)                                                                          \
    SECOND "\"account_id\":\"" account "\",\"delegation_id\":\"" DELEGATION "\""

#define ASKED                                                                                      \
    {                                                                                              \
        COMPLETE                                                                                   \
        "; INSERT INTO registration.account (account_id, role, name, state, step, l2_code)"        \
        " VALUES ('" CLERK "', 'office_l2', '担当', 'active', '', '40')",                          \
            EVENT_CORRECTION_ASK,                                                                  \
            FIRST OF_ACCOUNT ",\"correction_id\":\"" CORRECTION                                    \
                             "\",\"field\":\"licensed_on\",\"text\":\"1日違っています。\"",        \
            ONE("correction", "state = 'open'") ANSWERED("done")                                   \
    }
#define CORRECTED(outcome)                                                                         \
    SECOND "\"account_id\":\"" CLERK "\",\"role\":\"office_l2\",\"l2_code\":\"40\","               \
           "\"correction_id\":\"" CORRECTION "\",\"outcome\":\"" outcome                           \
           "\",\"answer\":\"確かめました。\""

#define LOST                                                                                       \
    {                                                                                              \
        "INSERT INTO registration.account (account_id, role, name, state, step, l2_code) VALUES"   \
        " ('" CLERK "', 'office_l2', '担当', 'active', '', '40'),"                               \
        " ('" CALLS "', 'call_centre', '担当', 'active', '', '')",                                 \
            EVENT_REISSUE_ASK,                                                                     \
            FIRST "\"account_id\":\"" CLERK "\",\"reissue_id\":\"" REISSUE                         \
                  "\",\"l2_code\":\"40\",\"register_no\":\"460190\","                              \
                  "\"birth_on\":\"1975-12-18\",\"reason\":\"紛失した。\"",                         \
            ONE("reissue", "state = 'open'") ANSWERED("done")                                      \
    }

#define PLAN_OF(known, until)                                                                      \
    "\"actor\":\"" CLERK "\",\"window_id\":\"" WINDOW "\",\"known\":" known                        \
    ",\"starts_at\":\"2025-04-08T01:00:00+09:00\",\"ends_at\":\"" until                            \
    "\",\"note\":\"保守\",\"note_en\":\"\""
#define PLANNED                                                                                    \
    {                                                                                              \
        NULL, EVENT_MAINTENANCE_PLAN, FIRST PLAN_OF("false", "2025-04-08T03:00:00+09:00"),         \
            ONE("maintenance", "version = 1") ANSWERED("done")                                     \
    }

static const struct fault_case cases[] = {
    {"signup_applied", APPLIED, {.type = NULL}},
    /* Makes a doctor and an account whose link is mailed. */
    {"signup_accepted",
     APPLIED,
     {NULL, EVENT_SIGNUP_DECIDE, DECIDED("accept", MAILED),
      ONE("account", "account_id = '" SIGNUP "'") BOTH_ANSWERED}},
    {"signup_refused",
     APPLIED,
     {NULL, EVENT_SIGNUP_DECIDE, DECIDED("refuse", ""),
      ONE("signup", "status = 'refused'") BOTH_ANSWERED}},
    {"staff_created", INVITED, {.type = NULL}},
    {"staff_invited",
     INVITED,
     {NULL, EVENT_STAFF_CHANGE, CHANGED(BY_CLERK("office_l2"), "invite", MAILED),
      STAFF_IS("active", "true")}},
    {"staff_suspended",
     INVITED,
     {NULL, EVENT_STAFF_CHANGE, CHANGED(BY_CLERK("office_l2"), "suspend", ""),
      STAFF_IS("suspended", "NOT expired")}},
    {"staff_restored",
     INVITED,
     {"UPDATE registration.account SET state = 'suspended', email_confirmed = true"
      " WHERE account_id = '" STAFF "'",
      EVENT_STAFF_CHANGE, CHANGED(BY_CLERK("office_l2"), "restore", ""),
      STAFF_IS("active", "NOT expired")}},
    {"staff_ended",
     INVITED,
     {NULL, EVENT_STAFF_CHANGE, CHANGED(BY_CLERK("office_l2"), "end", ""),
      STAFF_IS("closed", "true")}},
    /* The clock's own word. */
    {"staff_expired",
     INVITED,
     {"UPDATE registration.account SET email_confirmed = true WHERE account_id = '" STAFF "'",
      EVENT_STAFF_CHANGE, CHANGED("\"actor_role\":\"\",", "expire", ""),
      STAFF_IS("suspended", "expired")}},
    {"delegate_invited", NAMED, {.type = NULL}},
    {"delegate_accepted",
     NAMED,
     {NULL, EVENT_DELEGATE_ACCEPT, DELEGATE(PERSON),
      ONE("account", "role = 'delegate'") BOTH_ANSWERED}},
    {"delegate_revoked",
     NAMED,
     {NULL, EVENT_DELEGATE_REVOKE, DELEGATE(ACCOUNT),
      ONE("delegation", "state = 'revoked'") BOTH_ANSWERED}},
    {"correction_asked", ASKED, {.type = NULL}},
    {"correction_done",
     ASKED,
     {NULL, EVENT_CORRECTION_ANSWER, CORRECTED("done\",\"licensed_on\":\"2001-04-21"),
      ONE("correction", "state = 'done'") BOTH_ANSWERED}},
    {"correction_refused",
     ASKED,
     {NULL, EVENT_CORRECTION_ANSWER, CORRECTED("refused"),
      ONE("correction", "state = 'refused'") BOTH_ANSWERED}},
    {"reissue_asked", LOST, {.type = NULL}},
    {"reissue_refused",
     LOST,
     {NULL, EVENT_REISSUE_REFUSE,
      SECOND "\"account_id\":\"" CALLS "\",\"role\":\"call_centre\",\"reissue_id\":\"" REISSUE
             "\",\"reason\":\"連絡がとれない。\"",
      ONE("reissue", "state = 'refused'") BOTH_ANSWERED}},
    /* The desk's new postcard answers it. */
    {"reissue_done",
     LOST,
     {NULL, EVENT_ACCOUNT_DESK,
      SECOND OF_ACCOUNT ",\"actor_id\":\"" CALLS "\",\"actor_role\":\"call_centre\","
                        "\"action\":\"reissue\",\"reason\":\"why\"",
      ONE("reissue", "state = 'done'") BOTH_ANSWERED}},
    {"maintenance_planned", PLANNED, {.type = NULL}},
    {"maintenance_changed",
     PLANNED,
     {NULL, EVENT_MAINTENANCE_PLAN, SECOND PLAN_OF("true", "2025-04-08T04:00:00+09:00"),
      ONE("maintenance", "version = 2") BOTH_ANSWERED}},
    {"maintenance_ended",
     PLANNED,
     {NULL, EVENT_MAINTENANCE_END, SECOND "\"actor\":\"" CLERK "\",\"window_id\":\"" WINDOW "\"",
      ONE("maintenance", "called_off") BOTH_ANSWERED}},
};

int main(void)
{
    return registration_fault_main(cases, ARRAY_LEN(cases));
}
