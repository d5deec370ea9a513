/* First login and what the desks do on accounts, while the nth call of each kind fails. */
#include "lib/test.h"
#include "unit/registration/registration_fault.h"

#define PROFILE(birth_on)                                                                                   \
    FIRST OF_ACCOUNT                                                                                        \
        ",\"profile\":{\"name\":\"見本　正樹\",\"name_kana\":\"ミホン　マサキ\","               \
        "\"former_name\":\"濱田　正樹\",\"former_name_kana\":\"ハマダ　マサキ\",\"sex\":\"M\"," \
        "\"birth_on\":\"" birth_on "\",\"workplace_name\":\"見本診療所\","                             \
        "\"workplace_postcode\":\"812-0001\",\"workplace_address\":\"福岡\","                             \
        "\"phone\":\"092-000-0000\"}"
#define DESK_AND(action, more)                                                                     \
    FIRST OF_ACCOUNT ",\"actor_id\":\"" CLERK                                                      \
                     "\",\"actor_role\":\"office_l3\",\"action\":\"" action                        \
                     "\",\"reason\":\"why\"" more
#define DESK(action) DESK_AND(action, "")
#define MAILED(purpose)                                                                            \
    ",\"link_id\":\"" LINK "\",\"link_purpose\":\"" purpose                                        \
    "\",\"link_email\":\"d1@example.jp\",\"link_expires_at\":\"" UNTIL "\""

/* The account as it stands when the command comes. */
#define AT(step) "UPDATE registration.account SET step = '" step "'"
#define WAITING AT("email_confirm") ", pending_email = 'd1@example.jp', step_at = '2025-03-01'"

static const struct fault_case cases[] = {
    {"agree_terms",
     {NULL, EVENT_ACCOUNT_AGREE_TERMS, FIRST OF_ACCOUNT ",\"terms_version\":\"2025-04-01\"",
      ACCOUNT_IS("step = 'email'") ANSWERED("done")},
     {.type = NULL}},
    {"decline_terms",
     {NULL, EVENT_ACCOUNT_DECLINE_TERMS, FIRST OF_ACCOUNT,
      ACCOUNT_IS("step = 'terms'") ANSWERED("done")},
     {.type = NULL}},
    {"set_email",
     {AT("email"), EVENT_ACCOUNT_SET_EMAIL, FIRST OF_ACCOUNT ",\"email\":\"d1@example.jp\"",
      ACCOUNT_IS("step = 'email_confirm'") ANSWERED("done")},
     {.type = NULL}},
    /* The calls of the second command fail, after a first one that went well. */
    {"confirm_email",
     {AT("email"), EVENT_ACCOUNT_SET_EMAIL, FIRST OF_ACCOUNT ",\"email\":\"d1@example.jp\"",
      ACCOUNT_IS("step = 'email_confirm'") ANSWERED("done")},
     {NULL, EVENT_ACCOUNT_CONFIRM_EMAIL, SECOND OF_ACCOUNT ",\"email\":\"d1@example.jp\"",
      ACCOUNT_IS("step = 'profile' AND d.email = 'd1@example.jp'") BOTH_ANSWERED}},
    /* Nobody confirmed it; nobody waits for an answer. */
    {"timed_out",
     {WAITING, EVENT_ACCOUNT_TIME_OUT, OF_ACCOUNT, ACCOUNT_IS("step = 'terms'")},
     {.type = NULL}},
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
     {AT("password"), EVENT_ACCOUNT_COMPLETE, FIRST OF_ACCOUNT,
      ACCOUNT_IS("step = '' AND d.my_page IN ('active', 'link_pending')") ANSWERED("done")},
     {.type = NULL}},
    {"reissued",
     {AT("profile"), EVENT_ACCOUNT_DESK, DESK("reissue"),
      ACCOUNT_IS("step = 'terms'") ANSWERED("done")},
     {.type = NULL}},
    {"unlocked",
     {NULL, EVENT_ACCOUNT_DESK, DESK("unlock"),
      ONE("account_history", "action = 'unlock'") ANSWERED("done")},
     {.type = NULL}},
    {"restored",
     {COMPLETE "; UPDATE registration.account SET state = 'suspended'", EVENT_ACCOUNT_DESK,
      DESK("restore"), ACCOUNT_IS("state = 'active'") ANSWERED("done")},
     {.type = NULL}},
    {"resent",
     {WAITING, EVENT_ACCOUNT_DESK, DESK_AND("resend", MAILED("email_confirm")),
      ONE("account_history", "action = 'resend'") ANSWERED("done")},
     {.type = NULL}},
    {"address_shared",
     {WAITING, EVENT_ACCOUNT_DESK, DESK_AND("share_email", MAILED("email_confirm")),
      ONE("account_history", "action = 'share_email'") ANSWERED("done")},
     {.type = NULL}},
    {"linked",
     {COMPLETE "; UPDATE registration.doctor SET my_page = 'link_pending'", EVENT_ACCOUNT_DESK,
      DESK("link"), ACCOUNT_IS("my_page = 'active'") ANSWERED("done")},
     {.type = NULL}},
    {"certification_known",
     {NULL, EVENT_CERTIFICATE_STATE,
      "\"doctor_id\":1,\"version\":3,\"programme\":\"OP\",\"number\":\"0000001\","
      "\"first_from\":\"2020-08-01\",\"valid_from\":\"2020-08-01\",\"valid_to\":\"2025-07-31\"",
      ONE("certification", "version = 3")},
     {.type = NULL}},
};

int main(void)
{
    return registration_fault_main(cases, ARRAY_LEN(cases));
}
