/* First login step by step, wrong order, repeats, and what may change later (R-ACC-03, 16..19). */
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
        cmocka_unit_test(first_login_goes_step_by_step),
        cmocka_unit_test(every_command_at_every_step),
        cmocka_unit_test(repeating_a_command_changes_nothing),
        cmocka_unit_test(terms_must_be_those_in_force),
        cmocka_unit_test(another_address_replaces_the_pending_one),
        cmocka_unit_test(changing_the_address_later_keeps_the_old_one_until_confirmed),
        cmocka_unit_test(a_shared_address_is_a_warning),
        cmocka_unit_test(wrong_birth_dates_end_the_postcard),
        cmocka_unit_test(unknown_birth_date_is_taken_over),
        cmocka_unit_test(profiles_are_checked),
        cmocka_unit_test(a_changed_name_is_told),
        cmocka_unit_test(closed_and_suspended_accounts_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
