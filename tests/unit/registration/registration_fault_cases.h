/* registration_fault_cases: commands that registration_fault_test walks, named in
 * registration_faults.json. */
#pragma once
#include "gen/events.h"
#include "lib/fault_walk.h"

#define ACCOUNT "0190a000-0000-7000-8000-000000000001"
#define OF_ACCOUNT                                                                                 \
    "\"operation_id\":\"0190a000-0000-7000-8000-0000000000ff\",\"account_id\":\"" ACCOUNT "\""
#define DESK(action)                                                                               \
    OF_ACCOUNT ",\"actor_id\":\"0190a000-0000-7000-8000-000000000002\",\"actor_role\":"            \
               "\"office_l3\",\"action\":\"" action "\",\"reason\":\"why\""
#define PROFILE(birth_on)                                                                            \
    OF_ACCOUNT ",\"profile\":{\"name\":\"見本　正樹\",\"name_kana\":\"ミホン　マサキ\"," \
               "\"former_name\":\"濱田　正樹\",\"former_name_kana\":\"ハマダ　マサキ\"," \
               "\"sex\":\"M\",\"birth_on\":\"" birth_on "\",\"workplace_name\":\"見本診療所\"," \
               "\"workplace_postcode\":\"812-0001\",\"workplace_address\":\"福岡\","               \
               "\"phone\":\"092-000-0000\"}"

/* The account as it stands when the command comes, and what has to be there afterwards. */
#define AT(step) "UPDATE registration.account SET step = '" step "'"
#define ACCOUNT_IS(condition)                                                                      \
    "SELECT count(*) FROM registration.account JOIN registration.doctor AS d USING (doctor_id)"    \
    " WHERE " condition
#define ANSWERED(status)                                                                           \
    " AND (SELECT count(*) FROM registration.operation WHERE status = '" status "') = 1"

/* Procedures of membership; the doctor's My Page is complete. */
#define PROCEDURE "0190a000-0000-7000-8000-00000000000a"
#define FILED                                                                                      \
    {                                                                                              \
        "UPDATE registration.account SET state = 'active', step = '';"                             \
        "UPDATE registration.doctor SET my_page = 'active', mamis_no = '6423876638'",              \
            EVENT_PROCEDURE_SUBMIT,                                                                \
            OF_ACCOUNT ",\"procedure_id\":\"" PROCEDURE "\",\"role\":\"doctor\","                  \
                       "\"doctor_id\":1,\"kind\":\"admission\",\"depth\":3,"                       \
                       "\"l1_code\":\"40016\",\"category_l3\":\"B\","                              \
                       "\"effective_on\":\"2025-04-07\"",                                          \
            STAGE("l1_review")                                                                     \
    }
#define STAGE(name) "SELECT count(*) FROM registration.procedure WHERE stage = '" name "'"
#define ACT(role, office, action)                                                                  \
    "\"operation_id\":\"0190a000-0000-7000-8000-0000000000fe\",\"procedure_id\":\"" PROCEDURE      \
    "\",\"account_id\":\"0190a000-0000-7000-8000-000000000002\",\"role\":\"" role "\"" office      \
    ",\"action\":\"" action "\""

static const struct fault_case cases[] = {
    {"agree_terms",
     {NULL, EVENT_ACCOUNT_AGREE_TERMS, OF_ACCOUNT ",\"terms_version\":\"2025-04-01\"",
      ACCOUNT_IS("step = 'email'") ANSWERED("done")},
     {.type = NULL}},
    {"decline_terms",
     {NULL, EVENT_ACCOUNT_DECLINE_TERMS, OF_ACCOUNT, ACCOUNT_IS("step = 'terms'") ANSWERED("done")},
     {.type = NULL}},
    {"set_email",
     {AT("email"), EVENT_ACCOUNT_SET_EMAIL, OF_ACCOUNT ",\"email\":\"d1@example.jp\"",
      ACCOUNT_IS("step = 'email_confirm'") ANSWERED("done")},
     {.type = NULL}},
    /* The calls of the second command fail, after a first one that went well. */
    {"confirm_email",
     {AT("email"), EVENT_ACCOUNT_SET_EMAIL, OF_ACCOUNT ",\"email\":\"d1@example.jp\"",
      ACCOUNT_IS("step = 'email_confirm'") ANSWERED("done")},
     {NULL, EVENT_ACCOUNT_CONFIRM_EMAIL,
      "\"operation_id\":\"0190a000-0000-7000-8000-0000000000fe\",\"account_id\":\"" ACCOUNT
      "\",\"email\":\"d1@example.jp\"",
      ACCOUNT_IS("step = 'profile' AND d.email = 'd1@example.jp'")}},
    /* Issues a number, keeps the old name, tells of doctor and account. */
    {"set_profile",
     {AT("profile"), EVENT_ACCOUNT_SET_PROFILE, PROFILE("1975-12-18"),
      ACCOUNT_IS("step = 'password' AND mamis_no IS NOT NULL"
                 " AND (SELECT count(*) FROM registration.name_history) = 1") ANSWERED("done")},
     {.type = NULL}},
    /* A refusal that is counted, once. */
    {"wrong_birth_date",
     {AT("profile"), EVENT_ACCOUNT_SET_PROFILE, PROFILE("1975-12-19"),
      ACCOUNT_IS("birth_tries = 1") ANSWERED("failed")},
     {.type = NULL}},
    {"complete",
     {AT("password"), EVENT_ACCOUNT_COMPLETE, OF_ACCOUNT,
      ACCOUNT_IS("step = '' AND d.my_page IN ('active', 'link_pending')") ANSWERED("done")},
     {.type = NULL}},
    {"reissued",
     {AT("profile"), EVENT_ACCOUNT_DESK, DESK("reissue"),
      ACCOUNT_IS("step = 'terms'") ANSWERED("done")},
     {.type = NULL}},
    {"procedure_filed", FILED, {.type = NULL}},
    {"procedure_approved",
     FILED,
     {NULL, EVENT_PROCEDURE_ACT, ACT("office_l1", ",\"actor_l1\":\"40016\"", "approve"),
      STAGE("l2_review")}},
    /* Memberships begin in three layers, the doctor's codes change. */
    {"procedure_effective",
     FILED,
     {"UPDATE registration.procedure SET stage = 'l3_review'", EVENT_PROCEDURE_ACT,
      ACT("office_l3", "", "approve"),
      STAGE("effective") " AND (SELECT count(*) FROM registration.membership) = 3"}},
};
