/* First login's commands against a real database: rows, events, answers, repeats, races. */
#include <stdio.h>
#include <string.h>

#include "domain/numbers.h"
#include "domain/terms.h"
#include "registration/registration.h"
#include "registration_fixture.h"

#define ACCOUNT "0190a000-0000-7000-8000-000000000001"
#define OTHER "0190a000-0000-7000-8000-000000000002"
#define LINK "0190a000-0000-7000-8000-000000000006"
#define OPERATION "0190a000-0000-7000-8000-0000000000ff"

/* A doctor with a postcard, as an import leaves him. */
static int fill(void **state)
{
    (void)state;
    bench_clock("2025-04-07T09:00:00+09:00");
    bench_sql(
        &bench,
        "TRUNCATE registration.account_history, registration.name_history,"
        " registration.certification, registration.daily,"
        " registration.account, registration.doctor RESTART IDENTITY CASCADE;"
        "INSERT INTO registration.doctor (register_no, name, name_kana, sex, birth_on, my_page,"
        " l2_code) VALUES ('460190', '濱田　正樹', 'ハマダ　マサキ', 'M', '1975-12-18',"
        " 'temp_issued', '40');"
        "INSERT INTO registration.account (account_id, role, doctor_id, name, state, step)"
        " VALUES ('" ACCOUNT "', 'doctor', 1, '濱田　正樹', 'temp_issued', 'terms')");
    return 0;
}

static void send_text(const char *type, const char *field, const char *value)
{
    assert_int_equal(bench_handle(&bench, registration_step_handle, &registration, type,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" ACCOUNT
                                  "\", \"%s\": \"%s\"}",
                                  field, value),
                     ERR_OK);
    assert_true(bench.answered);
}

/* `more`: further members of the profile, with the comma before them. */
static void send_profile_at(const char *name, const char *birth_on, const char *workplace,
                            const char *more)
{
    assert_int_equal(
        bench_handle(&bench, registration_step_handle, &registration, EVENT_ACCOUNT_SET_PROFILE,
                     "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" ACCOUNT
                     "\", \"profile\": {\"name\": \"%s\", \"name_kana\": \"ハマダ　マサキ\","
                     " \"former_name\": \"\", \"former_name_kana\": \"\", \"sex\": \"M\","
                     " \"birth_on\": \"%s\", \"workplace_name\": \"%s\","
                     " \"workplace_postcode\": \"812-0001\", \"workplace_address\": \"福岡\","
                     " \"phone\": \"092-000-0000\"%s}}",
                     name, birth_on, workplace, more),
        ERR_OK);
    assert_true(bench.answered);
}

static void send_profile(const char *name, const char *birth_on)
{
    send_profile_at(name, birth_on, "見本診療所", "");
}

/* `more`: further members, with the comma before them. */
static void send_desk(const char *action, const char *more)
{
    assert_int_equal(bench_handle(&bench, registration_step_handle, &registration,
                                  EVENT_ACCOUNT_DESK,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" ACCOUNT
                                  "\", \"actor_id\": \"" OTHER "\", \"actor_role\":"
                                  " \"call_centre\", \"action\": \"%s\","
                                  " \"reason\": \"本人に確認\"%s}",
                                  action, more),
                     ERR_OK);
    assert_true(bench.answered);
}

static void send_time_out(void)
{
    assert_int_equal(bench_handle(&bench, registration_step_handle, &registration,
                                  EVENT_ACCOUNT_TIME_OUT, "{\"account_id\": \"" ACCOUNT "\"}"),
                     ERR_OK);
}

static void assert_next(const char *step)
{
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(bench_text(bench.answer, "next"), step);
}

static void assert_count(const char *sql, int64_t wanted)
{
    assert_int_equal(bench_i64(&bench, sql), wanted);
}

static void first_login_ends_with_my_page(void **state)
{
    (void)state;
    send_text(EVENT_ACCOUNT_AGREE_TERMS, "terms_version", "2025-04-01");
    assert_next("email");
    assert_int_equal(bench_emitted(&bench, EVENT_ACCOUNT_STATE), 1);
    assert_string_equal(bench.events[0].key, ACCOUNT);
    assert_string_equal(bench.events[0].topic, TOPIC_ACCOUNT_EVENTS);
    send_text(EVENT_ACCOUNT_SET_EMAIL, "email", "d460190@example.jp");
    assert_next("email_confirm");
    assert_int_equal(bench_emitted(&bench, EVENT_DOCTOR_STATE), 0);
    send_text(EVENT_ACCOUNT_CONFIRM_EMAIL, "email", "d460190@example.jp");
    assert_next("profile");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "email"),
                        "d460190@example.jp");
    send_profile("濱田　正樹", "1975-12-18");
    assert_next("password");
    assert_int_equal(strlen(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "mamis_no")), 10);
    send_text(EVENT_ACCOUNT_COMPLETE, "ignored", "");
    assert_next("");
    assert_int_equal(bench_emitted(&bench, EVENT_MY_PAGE_CREATED), 1);
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "my_page"), "active");
    assert_count(
        "SELECT count(*) FROM registration.doctor WHERE my_page = 'active'"
        " AND mamis_no IS NOT NULL AND email = 'd460190@example.jp' AND version = 4"
        " AND my_page_at BETWEEN '2025-04-07T09:00:00+09:00' AND '2025-04-07T10:00:00+09:00'"
        " AND workplace_name = '見本診療所'",
        1);
    assert_count("SELECT count(*) FROM registration.account WHERE state = 'active' AND step = ''"
                 " AND version = 6 AND terms_version = '2025-04-01' AND email_confirmed",
                 1);
    assert_count("SELECT count(*) FROM registration.account_history", 5);
}

/* Edge 62: the prefecture of the residence looks after a non-member without a workplace. */
static void who_has_no_workplace_is_looked_after_where_he_lives(void **state)
{
    static const char flagged[] = "SELECT count(*) FROM registration.doctor AS d"
                                  " WHERE registration.by_residence(d)";

    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET state = 'active', step = ''");
    send_profile_at("濱田　正樹", "1975-12-18", "",
                    ", \"residence_prefecture\": \"13\","
                    " \"residence_municipality\": \"文京区\"");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "l2_code"), "13");
    assert_count("SELECT count(*) FROM registration.doctor WHERE l2_code = '13'"
                 " AND (residence_prefecture, residence_municipality) = ('13', '文京区')",
                 1);
    assert_count(flagged, 1);
    send_profile("濱田　正樹", "1975-12-18");
    assert_count("SELECT count(*) FROM registration.doctor WHERE l2_code = '13'"
                 " AND (residence_prefecture, residence_municipality) = ('', '')",
                 1);
    assert_count(flagged, 0);
}

static void a_repeated_step_answers_and_changes_nothing(void **state)
{
    (void)state;
    send_text(EVENT_ACCOUNT_AGREE_TERMS, "terms_version", "2025-04-01");
    send_text(EVENT_ACCOUNT_AGREE_TERMS, "terms_version", "2025-04-01");
    assert_next("email");
    assert_int_equal(bench.event_count, 0);
    assert_count("SELECT version FROM registration.account", 2);
}

/* The newest by date, then by version; the gateway shows the same. */
static void the_terms_in_force_are_agreed_to(void **state)
{
    static const char shown[] = "SELECT count(*) FROM " TERMS_IN_FORCE(
        "portal.terms",
        "portal.day('2025-04-07T09:00:00+09:00')") " AS terms WHERE version = 'new-2'";

    (void)state;
    bench_sql(&bench, "INSERT INTO registration.terms (version, in_force_on, text) VALUES"
                      " ('new-2', '2025-04-07', ''), ('new-1', '2025-04-07', ''),"
                      " ('tomorrow', '2025-04-08', '')");
    send_text(EVENT_ACCOUNT_AGREE_TERMS, "terms_version", "new-1");
    assert_string_equal(bench.answer_code, "terms_version");
    send_text(EVENT_ACCOUNT_AGREE_TERMS, "terms_version", "tomorrow");
    assert_string_equal(bench.answer_code, "terms_version");
    send_text(EVENT_ACCOUNT_AGREE_TERMS, "terms_version", "new-2");
    assert_next("email");
    assert_count(shown, 1);
    bench_sql(&bench, "DELETE FROM registration.terms WHERE in_force_on > '2025-04-01'");
}

static void a_step_out_of_order_is_refused(void **state)
{
    (void)state;
    send_profile("濱田　正樹", "1975-12-18");
    assert_string_equal(bench.answer_code, "step_order");
    assert_string_equal(bench_text(json_object_get(bench.answer, "params"), "next"), "terms");
    assert_int_equal(bench.event_count, 0);
    assert_count("SELECT version FROM registration.account", 1);
}

static void an_issued_number_stays(void **state)
{
    int64_t number;

    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET step = 'profile'");
    send_profile("濱田　正樹", "1975-12-18");
    number = bench_i64(&bench, "SELECT mamis_no::bigint FROM registration.doctor");
    assert_true(number > 0);
    send_profile("濱田　正樹", "1975-12-18");
    assert_int_equal(bench.event_count, 0);
    assert_int_equal(bench_i64(&bench, "SELECT mamis_no::bigint FROM registration.doctor"), number);
}

static void wrong_birth_dates_suspend(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET step = 'profile'");
    for (int i = 0; i < BIRTH_TRIES_MAX; i++) {
        send_profile("濱田　正樹", "1975-12-19");
        assert_string_equal(bench.answer_code, "birth_on_mismatch");
        assert_string_equal(
            bench_text(json_array_get(json_object_get(bench.answer, "errors"), 0), "pointer"),
            "/birth_on");
    }
    assert_string_equal(bench_text(bench_event(&bench, EVENT_ACCOUNT_STATE), "state"), "suspended");
    send_profile("濱田　正樹", "1975-12-18");
    assert_string_equal(bench.answer_code, "account_suspended");
    assert_count("SELECT count(*) FROM registration.account WHERE state = 'suspended'", 1);
}

static void a_shared_address_warns(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET step = 'email';"
                      "INSERT INTO registration.doctor (register_no, name, name_kana, my_page)"
                      " VALUES ('460191', '見本', 'ミホン', 'active');"
                      "INSERT INTO registration.account (account_id, role, doctor_id, email,"
                      "  email_confirmed, state)"
                      " VALUES ('" OTHER "', 'doctor', 2, 'Clinic@Example.jp', true, 'active')");
    send_text(EVENT_ACCOUNT_SET_EMAIL, "email", "clinic@example.jp");
    assert_next("email_confirm");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(bench.answer, "warnings"), 0)),
        "email_in_use");
    send_text(EVENT_ACCOUNT_CONFIRM_EMAIL, "email", "clinic@example.jp");
    assert_string_equal(bench.answer_code, "email_in_use");
    /* The call centre lets them share it; the link that goes out is the one it made. */
    send_desk("share_email", ", \"link_id\": \"" LINK "\", \"link_purpose\": \"email_confirm\","
                             " \"link_email\": \"clinic@example.jp\","
                             " \"link_expires_at\": \"2025-04-08T09:00:00+09:00\"");
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_LINK_ISSUED), "link_id"), LINK);
    send_text(EVENT_ACCOUNT_CONFIRM_EMAIL, "email", "clinic@example.jp");
    assert_next("profile");
    assert_count("SELECT count(*) FROM registration.account_history WHERE action = 'share_email'"
                 " AND detail = '{\"actor\": \"" OTHER "\", \"role\": \"call_centre\","
                 " \"reason\": \"本人に確認\"}'",
                 1);
}

/* It was free when it was looked up, and is not any more at the commit. */
static void an_address_that_another_takes_meanwhile(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET step = 'email';"
                      "INSERT INTO registration.doctor (register_no, name, name_kana, my_page)"
                      " VALUES ('460191', '見本', 'ミホン', 'active');"
                      "INSERT INTO registration.account (account_id, role, doctor_id, state)"
                      " VALUES ('" OTHER "', 'doctor', 2, 'active')");
    send_text(EVENT_ACCOUNT_SET_EMAIL, "email", "clinic@example.jp");
    bench.meanwhile = "UPDATE registration.account SET email = 'Clinic@Example.jp',"
                      " email_confirmed = true WHERE account_id = '" OTHER "'";
    assert_int_equal(bench_handle(&bench, registration_step_handle, &registration,
                                  EVENT_ACCOUNT_CONFIRM_EMAIL,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" ACCOUNT
                                  "\", \"email\": \"clinic@example.jp\"}"),
                     ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    send_text(EVENT_ACCOUNT_CONFIRM_EMAIL, "email", "clinic@example.jp");
    assert_string_equal(bench.answer_code, "email_in_use");
}

/* R-ACC-09: whoever has certification data waits for it, sees it when it is linked, and is told. */
static void certification_data_is_linked(void **state)
{
    (void)state;
    assert_int_equal(bench_handle(&bench, registration_certificate_handle, &registration,
                                  EVENT_CERTIFICATE_STATE,
                                  "{\"doctor_id\": 1, \"version\": 2, \"programme\": \"SP\","
                                  " \"number\": \"25\", \"first_from\": \"2022-04-15\","
                                  " \"valid_from\": \"2022-04-15\","
                                  " \"valid_to\": \"2027-04-14\"}"),
                     ERR_OK);
    bench_sql(&bench, "UPDATE registration.account SET step = 'password'");
    send_text(EVENT_ACCOUNT_COMPLETE, "ignored", "");
    assert_next("");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "my_page"),
                        "link_pending");
    assert_count("SELECT registration.link_due(my_page_at) - date '2025-05-07'"
                 " FROM registration.doctor",
                 0);
    send_desk("link", "");
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "my_page"), "active");
    assert_int_equal(bench_emitted(&bench, EVENT_CERTIFICATION_LINKED), 1);
    send_desk("link", "");
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(bench.event_count, 0);
    assert_count("SELECT count(*) FROM registration.account_history WHERE action = 'link'", 1);
}

static void a_link_that_nobody_used_is_given_up(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET step = 'email_confirm',"
                      " pending_email = 'a@example.jp',"
                      " step_at = '2025-04-06T09:00:01+09:00'::timestamptz + interval '1 hour'");
    send_time_out();
    assert_count("SELECT version FROM registration.account WHERE step = 'email_confirm'", 1);
    bench_sql(&bench, "UPDATE registration.account SET step_at = '2025-04-06T09:00:00+09:00'");
    send_time_out();
    assert_count(
        "SELECT count(*) FROM registration.account WHERE step = 'terms' AND step_at IS NULL"
        " AND pending_email = '' AND version = 2",
        1);
    assert_string_equal(bench_text(bench_event(&bench, EVENT_ACCOUNT_STATE), "step"), "terms");
    assert_false(bench.answered);
}

static void round_over(void *arg)
{
    *(bool *)arg = true;
}

static void run_upkeep(void)
{
    struct upkeep *upkeep = upkeep_open(&registration);
    bool over = false, closed = false;

    bench_forget(&bench);
    upkeep_run(upkeep, round_over, &over);
    assert_true(loop_run_until(bench.loop, &over, BENCH_WAIT_MS));
    upkeep_close(upkeep, round_over, &closed);
    assert_true(loop_run_until(bench.loop, &closed, BENCH_WAIT_MS));
}

static void upkeep_finds_what_waits_too_long(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET step = 'email',"
                      " step_at = '2025-04-06T08:00:00+09:00'");
    run_upkeep();
    assert_int_equal(bench_emitted(&bench, EVENT_ACCOUNT_TIME_OUT), 1);
    assert_string_equal(bench.events[0].key, ACCOUNT);
    bench_sql(&bench, "UPDATE registration.account SET step = '', state = 'active', step_at = NULL;"
                      "UPDATE registration.doctor SET my_page = 'link_pending',"
                      " my_page_at = '2025-03-06T12:00:00+09:00'");
    run_upkeep();
    assert_int_equal(bench_emitted(&bench, EVENT_LINKS_LATE), 1);
    assert_string_equal(bench_text(bench_event(&bench, EVENT_LINKS_LATE), "oldest_due_on"),
                        "2025-04-06");
    /* Once a day. */
    run_upkeep();
    assert_int_equal(bench.event_count, 0);
    bench_clock("2025-04-08T09:00:00+09:00");
    run_upkeep();
    assert_int_equal(bench_emitted(&bench, EVENT_LINKS_LATE), 1);
    bench_clock("2025-04-07T09:00:00+09:00");
}

static void a_replaced_address_is_told(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET step = '', state = 'active',"
                      " email = 'old@example.jp', email_confirmed = true,"
                      " pending_email = 'new@example.jp'");
    send_text(EVENT_ACCOUNT_CONFIRM_EMAIL, "email", "new@example.jp");
    assert_next("");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_EMAIL_CHANGED), "old_email"),
                        "old@example.jp");
}

static void former_names_are_kept(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.account SET step = '', state = 'active';"
                      "UPDATE registration.doctor SET my_page = 'active', mamis_no = '6423876638'");
    send_profile("見本　正樹", "1975-12-18");
    assert_next("");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "name"), "見本　正樹");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_ACCOUNT_STATE), "name"), "見本　正樹");
    assert_count("SELECT count(*) FROM registration.name_history WHERE name = '濱田　正樹'"
                 " AND version = 1",
                 1);
}

static void an_unknown_account_is_told_so(void **state)
{
    (void)state;
    bench_sql(&bench, "DELETE FROM registration.account");
    send_text(EVENT_ACCOUNT_COMPLETE, "ignored", "");
    assert_string_equal(bench.answer_code, "not_found");
}

static void a_damaged_command_is_an_input_error(void **state)
{
    (void)state;
    assert_int_equal(bench_handle(&bench, registration_step_handle, &registration,
                                  EVENT_ACCOUNT_SET_EMAIL, "{\"operation_id\": \"no\"}"),
                     ERR_SCHEMA);
    assert_false(bench.answered);
}

/* An import was quicker between reading and writing: the command comes again, nothing stays. */
static void a_stale_version_leaves_nothing(void **state)
{
    static const char *const meanwhile[] = {
        "UPDATE registration.account SET version = version + 1",
        "UPDATE registration.doctor SET version = version + 1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(meanwhile); i++) {
        bench_sql(&bench, "UPDATE registration.account SET step = 'password'");
        bench.meanwhile = meanwhile[i];
        assert_int_equal(
            bench_handle(&bench, registration_step_handle, &registration, EVENT_ACCOUNT_COMPLETE,
                         "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" ACCOUNT "\"}"),
            ERR_DB_CONFLICT);
        bench.meanwhile = NULL;
        assert_count("SELECT count(*) FROM registration.account WHERE state = 'active'", 0);
        assert_count("SELECT count(*) FROM registration.doctor WHERE my_page = 'active'", 0);
        assert_count("SELECT count(*) FROM registration.account_history", 0);
    }
}

static void issued_numbers_are_well_formed_and_new(void **state)
{
    struct str digits;
    char text[16];

    (void)state;
    for (int i = 0; i < 50; i++) {
        int64_t number = bench_i64(&bench, "SELECT registration.new_mamis_no()::bigint");

        (void)snprintf(text, sizeof(text), "%010lld", (long long)number);
        digits = str_of(text);
        assert_int_equal(mamis_no_parse(digits), number);
    }
    /* Those that an import brought along are stepped over. */
    bench_sql(&bench, "UPDATE registration.doctor SET mamis_no ="
                      " (SELECT registration.new_mamis_no());"
                      "SELECT setval('registration.mamis_no_seq', 1, false)");
    assert_count("SELECT count(DISTINCT n) FROM (SELECT registration.new_mamis_no() AS n"
                 " FROM generate_series(1, 500) UNION ALL SELECT mamis_no FROM registration.doctor)"
                 " AS all_numbers",
                 501);
}

static void a_command_given_up_is_answered(void **state)
{
    (void)state;
    bench_give_up(&bench, registration_step_dead, &registration,
                  "{\"operation_id\": \"" OPERATION "\"}");
    assert_string_equal(bench.answer_code, "internal");
    bench_give_up(&bench, registration_step_dead, &registration, "{\"operation_id\": 7}");
    assert_false(bench.answered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_login_ends_with_my_page, fill),
        cmocka_unit_test_setup(who_has_no_workplace_is_looked_after_where_he_lives, fill),
        cmocka_unit_test_setup(a_repeated_step_answers_and_changes_nothing, fill),
        cmocka_unit_test_setup(the_terms_in_force_are_agreed_to, fill),
        cmocka_unit_test_setup(a_step_out_of_order_is_refused, fill),
        cmocka_unit_test_setup(an_issued_number_stays, fill),
        cmocka_unit_test_setup(wrong_birth_dates_suspend, fill),
        cmocka_unit_test_setup(a_shared_address_warns, fill),
        cmocka_unit_test_setup(an_address_that_another_takes_meanwhile, fill),
        cmocka_unit_test_setup(certification_data_is_linked, fill),
        cmocka_unit_test_setup(a_link_that_nobody_used_is_given_up, fill),
        cmocka_unit_test_setup(upkeep_finds_what_waits_too_long, fill),
        cmocka_unit_test_setup(a_replaced_address_is_told, fill),
        cmocka_unit_test_setup(former_names_are_kept, fill),
        cmocka_unit_test_setup(an_unknown_account_is_told_so, fill),
        cmocka_unit_test_setup(a_damaged_command_is_an_input_error, fill),
        cmocka_unit_test_setup(a_stale_version_leaves_nothing, fill),
        cmocka_unit_test_setup(issued_numbers_are_well_formed_and_new, fill),
        cmocka_unit_test_setup(a_command_given_up_is_answered, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
