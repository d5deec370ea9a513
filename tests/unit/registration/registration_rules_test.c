/* The states of an account as a table, first login step by step, wrong order, repeats, and what may
 * change later (R-ACC-03, 16..19). */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "registration/registration_rules.h"

static struct person at(enum account_step step)
{
    return (struct person){
        .role = STR("doctor"),
        .state = step == STEP_DONE ? STR("active") : STR("temp_issued"),
        .account_name = STR("見本　花子"),
        .email = STR(""),
        .pending_email = STR(""),
        .terms_version = STR(""),
        .step = step,
        .doctor_id = 7,
        .my_page = STR("temp_issued"),
        .mamis_no = STR("6423876638"),
        .doctor_email = STR(""),
        .profile = {.name = STR("見本　花子"),
                    .name_kana = STR("ミホン　ハナコ"),
                    .sex = STR("F"),
                    .birth_on = 1000},
        .terms_in_force = STR("2025-04-01"),
        .today = 20000,
    };
}

static struct profile entry(void)
{
    return (struct profile){.name = STR("見本　花子"),
                            .name_kana = STR("ミホン　ハナコ"),
                            .sex = STR("F"),
                            .birth_on = 1000,
                            .workplace_name = STR("見本診療所")};
}

static void steps_have_names(void **state)
{
    enum account_step step;

    (void)state;
    for (int i = STEP_TERMS; i <= STEP_DONE; i++) {
        assert_true(account_step_parse(str_of(account_step_name((enum account_step)i)), &step));
        assert_int_equal(step, i);
    }
    assert_false(account_step_parse(STR("second_factor"), &step));
}

static void first_login_goes_step_by_step(void **state)
{
    struct person person = at(STEP_TERMS);
    struct profile entered = entry();
    struct verdict verdict;

    (void)state;
    rules_agree_terms(&person, STR("2025-04-01"), &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    assert_int_equal(person.step, STEP_EMAIL);
    rules_set_email(&person, STR("a@example.jp"), &verdict);
    assert_int_equal(person.step, STEP_EMAIL_CONFIRM);
    assert_false(person.email_confirmed);
    rules_confirm_email(&person, STR("a@example.jp"), &verdict);
    assert_int_equal(person.step, STEP_PROFILE);
    assert_true(person.email_confirmed && verdict.doctor_changed);
    rules_set_profile(&person, &entered, &verdict);
    assert_int_equal(person.step, STEP_PASSWORD);
    assert_true(verdict.doctor_changed);
    assert_false(verdict.name_changed);
    assert_true(str_eq_c(person.my_page, "temp_issued"));
    rules_complete(&person, &verdict);
    assert_int_equal(person.step, STEP_DONE);
    assert_true(verdict.my_page_created);
    assert_true(str_eq_c(person.my_page, "active") && str_eq_c(person.state, "active"));
}

static int leads_of(enum account_event event)
{
    enum account_place to;
    int leads = 0;

    for (int from = 0; from < PLACE_COUNT; from++)
        leads += account_next((enum account_place)from, event, &to);
    return leads;
}

static int arrows_in(const char *text)
{
    int arrows = 0;

    for (; *text != '\0'; text++)
        arrows += *text == '>';
    return arrows;
}

/* Domain 4.1: where each event leads from each place; what is not named is refused. */
static void every_transition_is_as_the_domain_says(void **state)
{
    static const struct {
        enum account_event event;
        const char *leads; /* "FROM>TO FROM>TO" */
    } wanted[] = {
        {ACCOUNT_ISSUE, "NONE>TEMP_ISSUED"},
        {ACCOUNT_SIGN_UP, "NONE>SIGNUP_REVIEW"},
        {ACCOUNT_ACCEPT_SIGN_UP, "SIGNUP_REVIEW>TEMP_ISSUED"},
        {ACCOUNT_REFUSE_SIGN_UP, "SIGNUP_REVIEW>CLOSED"},
        {ACCOUNT_SIGN_IN, "TEMP_ISSUED>TERMS_PENDING TERMS_PENDING>TERMS_PENDING"
                          " EMAIL_PENDING>EMAIL_PENDING PROFILE_PENDING>PROFILE_PENDING"},
        {ACCOUNT_LOCK, "TEMP_ISSUED>TEMP_LOCKED TEMP_LOCKED>TEMP_LOCKED TERMS_PENDING>TEMP_LOCKED"
                       " EMAIL_PENDING>TEMP_LOCKED PROFILE_PENDING>TEMP_LOCKED"},
        {ACCOUNT_REISSUE,
         "TEMP_ISSUED>TEMP_ISSUED TEMP_LOCKED>TEMP_ISSUED TERMS_PENDING>TEMP_ISSUED"
         " EMAIL_PENDING>TEMP_ISSUED PROFILE_PENDING>TEMP_ISSUED"},
        {ACCOUNT_AGREE, "TERMS_PENDING>EMAIL_PENDING EMAIL_PENDING>EMAIL_PENDING"
                        " PROFILE_PENDING>PROFILE_PENDING ACTIVE_LINK_PENDING>ACTIVE_LINK_PENDING"
                        " ACTIVE>ACTIVE"},
        {ACCOUNT_DECLINE, "TEMP_ISSUED>TEMP_ISSUED TERMS_PENDING>TEMP_ISSUED"},
        {ACCOUNT_SET_EMAIL, "EMAIL_PENDING>EMAIL_PENDING PROFILE_PENDING>PROFILE_PENDING"
                            " ACTIVE_LINK_PENDING>ACTIVE_LINK_PENDING ACTIVE>ACTIVE"},
        {ACCOUNT_CONFIRM_EMAIL, "EMAIL_PENDING>PROFILE_PENDING PROFILE_PENDING>PROFILE_PENDING"
                                " ACTIVE_LINK_PENDING>ACTIVE_LINK_PENDING ACTIVE>ACTIVE"},
        {ACCOUNT_TIME_OUT, "EMAIL_PENDING>TERMS_PENDING TERMS_PENDING>TERMS_PENDING"},
        {ACCOUNT_SET_PROFILE, "PROFILE_PENDING>PROFILE_PENDING"
                              " ACTIVE_LINK_PENDING>ACTIVE_LINK_PENDING ACTIVE>ACTIVE"},
        {ACCOUNT_COMPLETE, "PROFILE_PENDING>ACTIVE ACTIVE_LINK_PENDING>ACTIVE_LINK_PENDING"
                           " ACTIVE>ACTIVE"},
        {ACCOUNT_COMPLETE_LATER, "PROFILE_PENDING>ACTIVE_LINK_PENDING"
                                 " ACTIVE_LINK_PENDING>ACTIVE_LINK_PENDING ACTIVE>ACTIVE"},
        {ACCOUNT_LINK, "ACTIVE_LINK_PENDING>ACTIVE ACTIVE>ACTIVE"},
        {ACCOUNT_SUSPEND, "TEMP_ISSUED>TEMP_LOCKED TEMP_LOCKED>TEMP_LOCKED"
                          " TERMS_PENDING>TEMP_LOCKED EMAIL_PENDING>TEMP_LOCKED"
                          " PROFILE_PENDING>TEMP_LOCKED ACTIVE_LINK_PENDING>SUSPENDED"
                          " ACTIVE>SUSPENDED SUSPENDED>SUSPENDED"},
        {ACCOUNT_RESTORE, "SUSPENDED>ACTIVE"},
        {ACCOUNT_CLOSE, "SIGNUP_REVIEW>CLOSED TEMP_ISSUED>CLOSED TEMP_LOCKED>CLOSED"
                        " TERMS_PENDING>CLOSED EMAIL_PENDING>CLOSED PROFILE_PENDING>CLOSED"
                        " ACTIVE_LINK_PENDING>CLOSED ACTIVE>CLOSED SUSPENDED>CLOSED CLOSED>CLOSED"},
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(wanted), ACCOUNT_EVENT_COUNT);
    for (size_t event = 0; event < ARRAY_LEN(wanted); event++) {
        struct buf leads = {0};

        assert_int_equal(wanted[event].event, event);
        for (int from = 0; from < PLACE_COUNT; from++) {
            enum account_place to;
            char lead[80];

            if (!account_next((enum account_place)from, wanted[event].event, &to))
                continue;
            (void)snprintf(lead, sizeof(lead), " %s>%s ",
                           account_place_name((enum account_place)from), account_place_name(to));
            buf_clear(&leads);
            buf_printf(&leads, " %s ", wanted[event].leads);
            buf_add_char(&leads, '\0');
            if (strstr(leads.data, lead) == NULL)
                fail_msg("%s is not to lead anywhere but %s", lead, wanted[event].leads);
        }
        buf_free(&leads);
        assert_int_equal(leads_of(wanted[event].event), arrows_in(wanted[event].leads));
    }
}

enum command { AGREE, SET_EMAIL, CONFIRM, PROFILE, COMPLETE, COMMANDS };

static void run(enum command command, struct person *person, struct verdict *verdict)
{
    struct profile entered = entry();

    switch (command) {
    case AGREE:
        rules_agree_terms(person, STR("2025-04-01"), verdict);
        return;
    case SET_EMAIL:
        rules_set_email(person, STR("a@example.jp"), verdict);
        return;
    case CONFIRM:
        rules_confirm_email(person, STR("a@example.jp"), verdict);
        return;
    case PROFILE:
        rules_set_profile(person, &entered, verdict);
        return;
    case COMPLETE:
        rules_complete(person, verdict);
        return;
    case COMMANDS:
        break;
    }
    fail();
}

static void every_command_at_every_step(void **state)
{
    /* The code of each refusal; CODE_NONE where the command is taken or harmless. */
    static const enum code wanted[COMMANDS][STEP_DONE + 1] = {
        [AGREE] = {CODE_NONE, CODE_NONE, CODE_NONE, CODE_NONE, CODE_NONE, CODE_NONE},
        [SET_EMAIL] = {CODE_STEP_ORDER, CODE_NONE, CODE_NONE, CODE_NONE, CODE_NONE, CODE_NONE},
        [CONFIRM] = {CODE_LINK_INVALID, CODE_LINK_INVALID, CODE_LINK_INVALID, CODE_LINK_INVALID,
                     CODE_LINK_INVALID, CODE_LINK_INVALID},
        [PROFILE] = {CODE_STEP_ORDER, CODE_STEP_ORDER, CODE_STEP_ORDER, CODE_NONE, CODE_NONE,
                     CODE_NONE},
        [COMPLETE] = {CODE_STEP_ORDER, CODE_STEP_ORDER, CODE_STEP_ORDER, CODE_STEP_ORDER, CODE_NONE,
                      CODE_NONE},
    };

    (void)state;
    for (int command = 0; command < COMMANDS; command++) {
        for (int step = STEP_TERMS; step <= STEP_DONE; step++) {
            struct person person = at((enum account_step)step);
            struct verdict verdict;

            run((enum command)command, &person, &verdict);
            assert_int_equal(verdict.refusal, wanted[command][step]);
            assert_true(person.step >= (enum account_step)step);
            if (verdict.refusal != CODE_NONE)
                assert_int_equal(person.step, step);
        }
    }
}

static void repeating_a_command_changes_nothing(void **state)
{
    struct person person = at(STEP_TERMS);

    (void)state;
    for (int command = 0; command < COMMANDS; command++) {
        enum account_step step;
        struct verdict verdict;

        run((enum command)command, &person, &verdict);
        assert_int_equal(verdict.refusal, CODE_NONE);
        step = person.step;
        run((enum command)command, &person, &verdict);
        assert_int_equal(verdict.refusal, CODE_NONE);
        assert_false(verdict.account_changed || verdict.doctor_changed || verdict.my_page_created);
        assert_int_equal(person.step, step);
    }
}

static void terms_must_be_those_in_force(void **state)
{
    struct person person = at(STEP_TERMS);
    struct verdict verdict;

    (void)state;
    rules_agree_terms(&person, STR("2024-10-01"), &verdict);
    assert_int_equal(verdict.refusal, CODE_TERMS_VERSION);
    assert_int_equal(person.step, STEP_TERMS);
}

static void another_address_replaces_the_pending_one(void **state)
{
    struct person person = at(STEP_EMAIL);
    struct verdict verdict;

    (void)state;
    rules_set_email(&person, STR("typo@example.jp"), &verdict);
    rules_set_email(&person, STR("right@example.jp"), &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    rules_confirm_email(&person, STR("typo@example.jp"), &verdict);
    assert_int_equal(verdict.refusal, CODE_LINK_INVALID);
    assert_int_equal(person.step, STEP_EMAIL_CONFIRM);
    rules_confirm_email(&person, STR("right@example.jp"), &verdict);
    assert_int_equal(person.step, STEP_PROFILE);
}

static void changing_the_address_later_keeps_the_old_one_until_confirmed(void **state)
{
    struct person person = at(STEP_DONE);
    struct verdict verdict;

    (void)state;
    person.email = STR("old@example.jp");
    person.email_confirmed = true;
    rules_set_email(&person, STR("new@example.jp"), &verdict);
    assert_true(str_eq_c(person.email, "old@example.jp") && person.email_confirmed);
    rules_confirm_email(&person, STR("new@example.jp"), &verdict);
    assert_true(str_eq_c(person.email, "new@example.jp"));
    assert_int_equal(person.step, STEP_DONE);
}

static void an_address_is_shared_only_where_it_was_allowed(void **state)
{
    struct person person = at(STEP_EMAIL_CONFIRM);
    struct verdict verdict;

    (void)state;
    person.pending_email = STR("clinic@example.jp");
    person.email_shared = true;
    rules_confirm_email(&person, STR("clinic@example.jp"), &verdict);
    assert_int_equal(verdict.refusal, CODE_EMAIL_IN_USE);
    assert_int_equal(person.step, STEP_EMAIL_CONFIRM);
    rules_desk(&person, DESK_SHARE_EMAIL, STR("email_confirm"), STR("other@example.jp"), &verdict);
    assert_int_equal(verdict.refusal, CODE_STATE_CONFLICT);
    rules_desk(&person, DESK_SHARE_EMAIL, STR("email_confirm"), STR("clinic@example.jp"), &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    assert_true(verdict.mail_link && str_eq_c(person.shared_email, "clinic@example.jp"));
    person.shared_allowed = true;
    rules_confirm_email(&person, STR("clinic@example.jp"), &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    assert_int_equal(person.step, STEP_PROFILE);
}

static void a_link_is_waited_for_a_day(void **state)
{
    static const struct {
        enum account_step step;
        int64_t waited_us;
        enum account_step becomes;
    } cases[] = {
        {STEP_EMAIL, EMAIL_WAIT_US - 1, STEP_EMAIL},
        {STEP_EMAIL, EMAIL_WAIT_US, STEP_TERMS},
        {STEP_EMAIL_CONFIRM, EMAIL_WAIT_US - 1, STEP_EMAIL_CONFIRM},
        {STEP_EMAIL_CONFIRM, EMAIL_WAIT_US, STEP_TERMS},
        {STEP_TERMS, EMAIL_WAIT_US, STEP_TERMS},
        {STEP_PROFILE, EMAIL_WAIT_US, STEP_PROFILE},
        {STEP_PASSWORD, EMAIL_WAIT_US, STEP_PASSWORD},
        {STEP_DONE, EMAIL_WAIT_US, STEP_DONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct person person = at(cases[i].step);
        struct verdict verdict;

        person.pending_email = STR("a@example.jp");
        person.now_us = cases[i].waited_us;
        rules_time_out(&person, &verdict);
        assert_int_equal(person.step, cases[i].becomes);
        assert_int_equal(verdict.account_changed, cases[i].becomes != cases[i].step);
        assert_int_equal(person.pending_email.len == 0, cases[i].becomes != cases[i].step);
    }
}

/* Sent again long after: the new mail is waited for as long as the first one. */
static void a_mail_sent_again_is_waited_for_again(void **state)
{
    struct person person = at(STEP_EMAIL_CONFIRM);
    struct verdict verdict;

    (void)state;
    person.pending_email = STR("a@example.jp");
    person.now_us = EMAIL_WAIT_US - 1;
    rules_set_email(&person, STR("a@example.jp"), &verdict);
    assert_true(verdict.account_changed);
    person.now_us = EMAIL_WAIT_US;
    rules_time_out(&person, &verdict);
    assert_int_equal(person.step, STEP_EMAIL_CONFIRM);
}

static void no_agreement_leaves_things_as_they_are(void **state)
{
    (void)state;
    for (int step = STEP_TERMS; step <= STEP_DONE; step++) {
        struct person person = at((enum account_step)step);
        struct verdict verdict;

        rules_decline_terms(&person, &verdict);
        assert_int_equal(verdict.refusal, step == STEP_TERMS ? CODE_NONE : CODE_STEP_ORDER);
        assert_int_equal(person.step, step);
    }
}

/* R-ACC-08, 09: the day, and whether there is anything to link. */
static void certification_data_is_linked_later(void **state)
{
    static const struct {
        const char *today;
        bool has;
        const char *my_page;
    } cases[] = {
        {"2025-03-29", true, "active"},       {"2025-04-06", true, "active"},
        {"2025-04-07", true, "link_pending"}, {"2025-04-07", false, "active"},
        {"2026-11-30", true, "link_pending"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct person person = at(STEP_PASSWORD);
        struct verdict verdict;

        person.today = day_parse(str_of(cases[i].today));
        person.has_certification = cases[i].has;
        rules_complete(&person, &verdict);
        assert_true(verdict.my_page_created && str_eq_c(person.my_page, cases[i].my_page));
        assert_true(str_eq_c(person.state, "active"));
        rules_desk(&person, DESK_LINK, STR(""), STR(""), &verdict);
        assert_int_equal(verdict.refusal, CODE_NONE);
        assert_true(str_eq_c(person.my_page, "active"));
        assert_int_equal(verdict.linked, strcmp(cases[i].my_page, "link_pending") == 0);
    }
}

/* What the office and the call centre may do at each place. */
static void every_desk_action_at_every_place(void **state)
{
    static const struct place {
        const char *state, *my_page;
        enum account_step step;
        const char *allowed; /* actions; a link as "resend:purpose"; blanks around each */
    } places[] = {
        {"temp_issued", "temp_issued", STEP_TERMS, " unlock reissue resend:first_login "},
        {"temp_issued", "temp_issued", STEP_EMAIL, " unlock reissue "},
        {"temp_issued", "temp_issued", STEP_EMAIL_CONFIRM,
         " unlock reissue resend:email_confirm share_email "},
        {"temp_issued", "temp_issued", STEP_PROFILE, " unlock reissue resend:first_login "},
        {"temp_issued", "temp_issued", STEP_PASSWORD, " unlock reissue resend:first_login "},
        {"suspended", "temp_issued", STEP_PROFILE, " unlock reissue "},
        {"active", "active", STEP_DONE, " unlock link resend:password_reset "},
        {"active", "link_pending", STEP_DONE, " unlock link resend:password_reset "},
        {"suspended", "active", STEP_DONE, " unlock restore "},
        {"closed", "closed", STEP_DONE, "  "},
    };
    static const char *const purposes[] = {"", "email_confirm", "first_login", "password_reset"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        for (int action = 0; action < DESK_ACTION_COUNT; action++) {
            for (size_t k = 0; k < ARRAY_LEN(purposes); k++) {
                struct person person = at(places[i].step);
                struct verdict verdict;
                char name[40];

                person.state = str_of(places[i].state);
                person.my_page = str_of(places[i].my_page);
                if (places[i].step == STEP_EMAIL_CONFIRM)
                    person.pending_email = STR("a@example.jp");
                else if (places[i].step != STEP_EMAIL)
                    person.email = STR("a@example.jp");
                person.email_confirmed = person.email.len > 0;
                (void)snprintf(
                    name, sizeof(name), " %s%s%s ", desk_action_name((enum desk_action)action),
                    action == DESK_RESEND ? ":" : "", action == DESK_RESEND ? purposes[k] : "");
                rules_desk(&person, (enum desk_action)action, str_of(purposes[k]),
                           STR("a@example.jp"), &verdict);
                if ((verdict.refusal == CODE_NONE) != (strstr(places[i].allowed, name) != NULL))
                    fail_msg("%s at place %zu", name, i);
                if (verdict.refusal != CODE_NONE)
                    assert_int_equal(verdict.refusal, CODE_STATE_CONFLICT);
            }
        }
    }
}

static void a_reissue_forgets_what_was_entered(void **state)
{
    struct person person = at(STEP_PROFILE);
    struct verdict verdict;

    (void)state;
    person.state = STR("suspended");
    person.email = STR("thief@example.jp");
    person.email_confirmed = true;
    person.birth_tries = BIRTH_TRIES_MAX;
    rules_desk(&person, DESK_REISSUE, STR(""), STR(""), &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    assert_int_equal(person.step, STEP_TERMS);
    assert_true(str_eq_c(person.state, "temp_issued") && person.email.len == 0);
    assert_false(person.email_confirmed);
    assert_int_equal(person.birth_tries, 0);
}

static void a_replaced_address_is_told(void **state)
{
    struct person person = at(STEP_DONE);
    struct verdict verdict;

    (void)state;
    person.email = STR("old@example.jp");
    person.email_confirmed = true;
    person.pending_email = STR("new@example.jp");
    rules_confirm_email(&person, STR("new@example.jp"), &verdict);
    assert_true(str_eq_c(verdict.old_email, "old@example.jp"));
    rules_confirm_email(&person, STR("new@example.jp"), &verdict);
    assert_int_equal(verdict.old_email.len, 0);
}

/* Who came by a sign-up has confirmed an address already. */
static void a_confirmed_address_is_not_asked_again(void **state)
{
    struct person person = at(STEP_TERMS);
    struct verdict verdict;

    (void)state;
    person.email = STR("a@example.jp");
    person.email_confirmed = true;
    rules_agree_terms(&person, STR("2025-04-01"), &verdict);
    assert_int_equal(person.step, STEP_PROFILE);
}

static void a_shared_address_is_a_warning(void **state)
{
    struct person person = at(STEP_EMAIL);
    struct verdict verdict;

    (void)state;
    person.email_shared = true;
    rules_set_email(&person, STR("clinic@example.jp"), &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    assert_true(verdict.shared_warning);
    assert_int_equal(person.step, STEP_EMAIL_CONFIRM);
}

static void wrong_birth_dates_end_the_postcard(void **state)
{
    struct person person = at(STEP_PROFILE);
    struct profile entered = entry();
    struct verdict verdict;

    (void)state;
    entered.birth_on = 1001;
    for (int i = 1; i <= BIRTH_TRIES_MAX; i++) {
        rules_set_profile(&person, &entered, &verdict);
        assert_int_equal(verdict.refusal, CODE_BIRTH_ON_MISMATCH);
        assert_string_equal(verdict.pointer, "/birth_on");
        assert_true(verdict.account_changed);
        assert_int_equal(person.birth_tries, i);
    }
    entered.birth_on = 1000;
    rules_set_profile(&person, &entered, &verdict);
    assert_int_equal(verdict.refusal, CODE_ACCOUNT_SUSPENDED);
    assert_int_equal(person.step, STEP_PROFILE);
}

static void unknown_birth_date_is_taken_over(void **state)
{
    struct person person = at(STEP_PROFILE);
    struct profile entered = entry();
    struct verdict verdict;

    (void)state;
    person.profile.birth_on = DAY_NONE;
    rules_set_profile(&person, &entered, &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    assert_int_equal(person.profile.birth_on, 1000);
}

static void profiles_are_checked(void **state)
{
    static const struct {
        const char *name, *kana, *former_kana;
        day_t birth_on;
        enum code refusal;
        const char *pointer;
    } cases[] = {
        {"見本　花子", "ミホン　ハナコ", "", 1000, CODE_NONE, NULL},
        {"𠮷田　花子", "ヨシダ　ハナコ", "タナカ　ハナコ", 1000, CODE_NONE, NULL},
        {"O'Neill Mary Anne", "オニール・メアリー アン", "", 1000, CODE_NONE, NULL},
        {"　", "ミホン", "", 1000, CODE_FIELD_TOO_SHORT, "/name"},
        {"見本", "　 ", "", 1000, CODE_FIELD_TOO_SHORT, "/name_kana"},
        {"見本", "みほん", "", 1000, CODE_NAME_KANA_FORMAT, "/name_kana"},
        {"見本", "ﾐﾎﾝ", "", 1000, CODE_NAME_KANA_FORMAT, "/name_kana"},
        {"見本", "ミホン", "田中", 1000, CODE_NAME_KANA_FORMAT, "/former_name_kana"},
        {"見本", "ミホン", "", DAY_NONE, CODE_DATE_NOT_REAL, "/birth_on"},
        {"見本", "ミホン", "", 20001, CODE_DATE_NOT_REAL, "/birth_on"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct person person = at(STEP_PROFILE);
        struct profile entered = entry();
        struct verdict verdict;

        entered.name = str_of(cases[i].name);
        entered.name_kana = str_of(cases[i].kana);
        entered.former_name_kana = str_of(cases[i].former_kana);
        entered.birth_on = cases[i].birth_on;
        rules_set_profile(&person, &entered, &verdict);
        assert_int_equal(verdict.refusal, cases[i].refusal);
        if (cases[i].pointer != NULL)
            assert_string_equal(verdict.pointer, cases[i].pointer);
    }
}

/* Edge 62: who is no member and has no workplace is looked after where he lives. */
static void a_residence_counts_where_there_is_no_workplace(void **state)
{
    static const struct {
        bool member;
        const char *workplace, *prefecture, *municipality;
        enum code refusal;
        const char *kept;     /* prefecture; of a refusal the field */
        const char *handling; /* before: 40 */
    } cases[] = {
        {false, "", "13", "文京区", CODE_NONE, "13", "13"},
        {false, "　", "13", "文京区", CODE_NONE, "13", "13"},
        {false, "", "", "", CODE_NONE, "", "40"},
        {false, "見本診療所", "13", "文京区", CODE_NONE, "", "40"},
        {false, "見本診療所", "13", "", CODE_NONE, "", "40"},
        {true, "", "13", "文京区", CODE_NONE, "13", "40"},
        {false, "", "13", "", CODE_FIELD_TOO_SHORT, "/residence_municipality", "40"},
        {false, "", "", "文京区", CODE_FIELD_TOO_SHORT, "/residence_prefecture", "40"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct person person = at(STEP_DONE);
        struct profile entered = entry();
        struct verdict verdict;

        person.member = cases[i].member;
        person.handling_l2 = STR("40");
        entered.workplace_name = str_of(cases[i].workplace);
        entered.residence_prefecture = str_of(cases[i].prefecture);
        entered.residence_municipality = str_of(cases[i].municipality);
        rules_set_profile(&person, &entered, &verdict);
        assert_int_equal(verdict.refusal, cases[i].refusal);
        if (cases[i].refusal != CODE_NONE)
            assert_string_equal(verdict.pointer, cases[i].kept);
        else
            assert_true(str_eq_c(person.profile.residence_prefecture, cases[i].kept));
        assert_true(str_eq_c(person.handling_l2, cases[i].handling));
    }
}

static void a_changed_name_is_told(void **state)
{
    struct person person = at(STEP_DONE);
    struct profile entered = entry();
    struct verdict verdict;

    (void)state;
    entered.name = STR("田中　花子");
    entered.former_name = STR("見本　花子");
    rules_set_profile(&person, &entered, &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    assert_true(verdict.name_changed && verdict.account_changed && verdict.doctor_changed);
    assert_true(str_eq_c(person.account_name, "田中　花子"));
}

static void closed_and_suspended_accounts_change_nothing(void **state)
{
    static const char *const states[] = {"suspended", "closed"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        for (int command = 0; command < COMMANDS; command++) {
            struct person person = at(STEP_DONE);
            struct verdict verdict;

            person.state = str_of(states[i]);
            run((enum command)command, &person, &verdict);
            assert_int_equal(verdict.refusal, CODE_ACCOUNT_SUSPENDED);
            assert_false(verdict.account_changed || verdict.doctor_changed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_have_names),
        cmocka_unit_test(every_transition_is_as_the_domain_says),
        cmocka_unit_test(first_login_goes_step_by_step),
        cmocka_unit_test(every_command_at_every_step),
        cmocka_unit_test(repeating_a_command_changes_nothing),
        cmocka_unit_test(terms_must_be_those_in_force),
        cmocka_unit_test(another_address_replaces_the_pending_one),
        cmocka_unit_test(changing_the_address_later_keeps_the_old_one_until_confirmed),
        cmocka_unit_test(a_shared_address_is_a_warning),
        cmocka_unit_test(an_address_is_shared_only_where_it_was_allowed),
        cmocka_unit_test(a_link_is_waited_for_a_day),
        cmocka_unit_test(a_mail_sent_again_is_waited_for_again),
        cmocka_unit_test(no_agreement_leaves_things_as_they_are),
        cmocka_unit_test(certification_data_is_linked_later),
        cmocka_unit_test(every_desk_action_at_every_place),
        cmocka_unit_test(a_reissue_forgets_what_was_entered),
        cmocka_unit_test(a_replaced_address_is_told),
        cmocka_unit_test(a_confirmed_address_is_not_asked_again),
        cmocka_unit_test(wrong_birth_dates_end_the_postcard),
        cmocka_unit_test(unknown_birth_date_is_taken_over),
        cmocka_unit_test(profiles_are_checked),
        cmocka_unit_test(a_residence_counts_where_there_is_no_workplace),
        cmocka_unit_test(a_changed_name_is_told),
        cmocka_unit_test(closed_and_suspended_accounts_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
