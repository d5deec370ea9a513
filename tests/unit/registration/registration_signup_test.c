/* Sign-ups against a real database: review, acceptance, refusal, and what speaks against it. */
#include <stdio.h>
#include <string.h>

#include "registration/procedure.h"
#include "registration/registration.h"
#include "registration_fixture.h"

#define SIGNUP "0190a000-0000-7000-8000-000000000001"
#define OTHER "0190a000-0000-7000-8000-000000000002"
#define LINK "0190a000-0000-7000-8000-000000000006"
#define LEFT "SELECT count(*) FROM registration.signup"
#define OPERATION "0190a000-0000-7000-8000-0000000000ff"

static int empty(void **state)
{
    (void)state;
    bench_clock("2026-11-30T09:00:00+09:00");
    bench_sql(&bench, "TRUNCATE registration.signup, registration.account_history,"
                      " registration.name_history, registration.account, registration.doctor"
                      " RESTART IDENTITY CASCADE");
    return 0;
}

static void submit(const char *name_kana)
{
    assert_int_equal(
        bench_handle(&bench, registration_signup_handle, &registration, EVENT_SIGNUP_SUBMIT,
                     "{\"operation_id\": \"" OPERATION "\", \"signup_id\": \"" SIGNUP
                     "\", \"name\": \"見本　花子\", \"name_kana\": \"%s\", \"sex\": \"F\","
                     " \"birth_on\": \"1980-05-01\", \"register_no\": \"460190\","
                     " \"licensed_on\": \"2006-04-20\", \"email\": \"hanako@example.jp\"}",
                     name_kana),
        ERR_OK);
    assert_true(bench.answered);
}

static void decide(const char *decision)
{
    assert_int_equal(
        bench_handle(&bench, registration_signup_decide_handle, &registration, EVENT_SIGNUP_DECIDE,
                     "{\"operation_id\": \"" OPERATION "\", \"signup_id\": \"" SIGNUP
                     "\", \"actor_id\": \"" OTHER "\", \"actor_role\": \"call_centre\","
                     " \"decision\": \"%s\", \"reason\": \"医師免許証を確認した\","
                     " \"link_id\": \"" LINK "\","
                     " \"link_expires_at\": \"2026-12-14T09:00:00+09:00\"}",
                     decision),
        ERR_OK);
    assert_true(bench.answered);
}

static void assert_count(const char *sql, int64_t wanted)
{
    assert_int_equal(bench_i64(&bench, sql), wanted);
}

static void an_accepted_one_begins_first_login(void **state)
{
    (void)state;
    submit("ミホン　ハナコ");
    assert_string_equal(bench_text(bench.answer, "status"), "review");
    submit("ミホン　ハナコ");
    assert_count("SELECT count(*) FROM registration.signup WHERE status = 'review'", 1);
    assert_count("SELECT count(*) FROM registration.account", 0);
    decide("accept");
    assert_string_equal(bench_text(bench.answer, "status"), "accepted");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_LINK_ISSUED), "purpose"),
                        "first_login");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_LINK_ISSUED), "link_id"), LINK);
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "my_page"),
                        "temp_issued");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_ACCOUNT_STATE), "account_id"), SIGNUP);
    assert_count("SELECT count(*) FROM registration.account a JOIN registration.doctor d"
                 " USING (doctor_id) WHERE a.account_id = '" SIGNUP "' AND a.step = 'terms'"
                 " AND a.email = 'hanako@example.jp' AND a.email_confirmed AND a.version = 1"
                 " AND d.register_no = '460190' AND d.birth_on = '1980-05-01'"
                 " AND d.licensed_on = '2006-04-20' AND d.mamis_no IS NULL AND d.version = 1",
                 1);
    assert_count("SELECT count(*) FROM registration.account_history"
                 " WHERE action = 'signup_accepted' AND detail ->> 'role' = 'call_centre'",
                 1);
    /* Once more changes nothing; the other way is too late. */
    decide("accept");
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(bench.event_count, 0);
    decide("refuse");
    assert_string_equal(bench.answer_code, "state_conflict");
}

static void a_refused_one_is_told_why(void **state)
{
    (void)state;
    submit("ミホン　ハナコ");
    decide("refuse");
    assert_int_equal(bench_emitted(&bench, EVENT_SIGNUP_REFUSED), 1);
    assert_int_equal(bench_emitted(&bench, EVENT_LINK_ISSUED), 0);
    assert_string_equal(bench_text(bench_event(&bench, EVENT_SIGNUP_REFUSED), "reason"),
                        "医師免許証を確認した");
    assert_count("SELECT count(*) FROM registration.account", 0);
    decide("accept");
    assert_string_equal(bench.answer_code, "state_conflict");
}

/* Nobody gets a second account for the same register number. */
static void a_known_number_is_not_taken_twice(void **state)
{
    (void)state;
    submit("ミホン　ハナコ");
    bench_sql(&bench, "INSERT INTO registration.doctor (register_no, name, name_kana, birth_on,"
                      " my_page, l2_code) VALUES ('460190', '見本', 'ミホン', '1980-05-01', 'none',"
                      " '40');"
                      "INSERT INTO registration.account (account_id, role, doctor_id, state)"
                      " VALUES ('" OTHER "', 'doctor', 1, 'active')");
    decide("accept");
    assert_string_equal(bench.answer_code, "register_no_known");
    /* Without an account the doctor on record gets one, if the birth date agrees. */
    bench_sql(&bench, "DELETE FROM registration.account;"
                      "UPDATE registration.doctor SET birth_on = '1980-05-02'");
    decide("accept");
    assert_string_equal(bench.answer_code, "register_no_known");
    /* Who died or was merged away does not come back. */
    bench_sql(&bench, "UPDATE registration.doctor SET birth_on = '1980-05-01', my_page = 'closed'");
    decide("accept");
    assert_string_equal(bench.answer_code, "register_no_known");
    bench_sql(&bench, "UPDATE registration.doctor SET birth_on = NULL, version = 7,"
                      " my_page = 'none'");
    decide("accept");
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(bench_number(bench_event(&bench, EVENT_DOCTOR_STATE), "version"), 8);
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "l2_code"), "40");
    assert_count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 1 AND version = 8"
                 " AND my_page = 'temp_issued' AND l2_code = '40'",
                 1);
    /* Rows with the name that was on record still match. */
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "former_name_kana"),
                        "ミホン");
    assert_count("SELECT count(*) FROM registration.name_history JOIN registration.doctor AS d"
                 " USING (doctor_id) WHERE name_history.version = 7 AND name_history.name = '見本'"
                 " AND name_history.name_kana = 'ミホン' AND d.former_name = '見本'"
                 " AND d.former_name_kana = 'ミホン' AND d.name_kana = 'ミホン　ハナコ'",
                 1);
}

/* A former name that is on record stays; a reading that is the same is no former one. */
static void a_former_name_on_record_stays(void **state)
{
    static const struct {
        const char *name, *kana, *former, *wanted_former;
        int64_t kept;
    } cases[] = {
        {"見本", "ミホン", "キュウセイ", "キュウセイ", 1},
        {"美本　花子", "ミホン　ハナコ", "", "", 1},
        {"見本　花子", "ミホン　ハナコ", "", "", 0},
    };
    char sql[512];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)empty(state);
        submit("ミホン　ハナコ");
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO registration.doctor (register_no, name, name_kana,"
                       " former_name, former_name_kana, my_page)"
                       " VALUES ('460190', '%s', '%s', '%s', '%s', 'none')",
                       cases[i].name, cases[i].kana, cases[i].former, cases[i].former);
        bench_sql(&bench, sql);
        decide("accept");
        assert_string_equal(bench.answer_code, "");
        assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "former_name_kana"),
                            cases[i].wanted_former);
        assert_count("SELECT count(*) FROM registration.name_history", cases[i].kept);
    }
}

static void what_cannot_be_is_refused_here_too(void **state)
{
    (void)state;
    submit("みほん");
    assert_string_equal(bench.answer_code, "name_kana_format");
    assert_count("SELECT count(*) FROM registration.signup", 0);
    decide("accept");
    assert_string_equal(bench.answer_code, "not_found");
}

/* Two people decide at once: the second one reads again. */
static void a_decision_meanwhile_leaves_nothing(void **state)
{
    (void)state;
    submit("ミホン　ハナコ");
    bench.meanwhile = "UPDATE registration.signup SET status = 'refused'";
    assert_int_equal(bench_handle(&bench, registration_signup_decide_handle, &registration,
                                  EVENT_SIGNUP_DECIDE,
                                  "{\"operation_id\": \"" OPERATION "\", \"signup_id\": \"" SIGNUP
                                  "\", \"actor_id\": \"" OTHER "\", \"actor_role\": \"office_l3\","
                                  " \"decision\": \"accept\", \"reason\": \"確認した\"}"),
                     ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    assert_count("SELECT count(*) FROM registration.account", 0);
    assert_count("SELECT count(*) FROM registration.doctor", 0);
}

static void every_decision_as_a_table(void **state)
{
    static const struct {
        const char *status;
        bool known, has_account, closed, differs, accept;
        enum code code;
        bool again;
    } cases[] = {
        {"review", false, false, false, false, true, CODE_NONE, false},
        {"review", false, false, false, false, false, CODE_NONE, false},
        {"review", true, false, false, false, true, CODE_NONE, false},
        {"review", true, true, false, false, true, CODE_REGISTER_NO_KNOWN, false},
        {"review", true, false, false, true, true, CODE_REGISTER_NO_KNOWN, false},
        {"review", true, false, true, false, true, CODE_REGISTER_NO_KNOWN, false},
        {"review", true, false, true, false, false, CODE_NONE, false},
        {"review", true, true, false, true, false, CODE_NONE, false},
        {"accepted", true, true, false, false, true, CODE_NONE, true},
        {"accepted", true, true, false, false, false, CODE_STATE_CONFLICT, false},
        {"refused", false, false, false, false, false, CODE_NONE, true},
        {"refused", false, false, false, false, true, CODE_STATE_CONFLICT, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct signup_facts facts = {.status = str_of(cases[i].status),
                                           .known = cases[i].known,
                                           .has_account = cases[i].has_account,
                                           .closed = cases[i].closed,
                                           .birth_on_differs = cases[i].differs};
        bool again;

        assert_int_equal(rules_decide_signup(&facts, cases[i].accept, &again), cases[i].code);
        assert_int_equal(again, cases[i].again);
    }
}

static void closed(void *arg)
{
    *(bool *)arg = true;
}

static void run_clock_until_left(int64_t wanted)
{
    struct procedure_clock *clock = procedure_clock_open(&registration, bench.loop);
    bool never = false, ended = false;

    for (int i = 0; i < 100 && bench_i64(&bench, LEFT) != wanted; i++)
        (void)loop_run_until(bench.loop, &never, 100);
    procedure_clock_close(clock, closed, &ended);
    assert_true(loop_run_until(bench.loop, &ended, BENCH_WAIT_MS));
    assert_count(LEFT, wanted);
}

/* Not before its day, nor before the copy of its licence. */
static void a_refused_sign_up_ends(void **state)
{
    (void)state;
    bench_sql(
        &bench,
        "INSERT INTO registration.signup (signup_id, status, name, name_kana, sex, birth_on,"
        " register_no, licensed_on, email, submitted_at, decided_at)"
        " SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, status, '見本', 'ミホン',"
        "  'F', '1980-05-01', '460190', '2006-04-20', 'hanako@example.jp', at, at"
        " FROM (VALUES (1, 'refused', timestamptz '2026-11-29T09:00:00+09:00'),"
        "  (2, 'refused', '2026-11-30T09:00:00+09:00'),"
        "  (3, 'refused', '2026-11-29T09:00:00+09:00'),"
        "  (4, 'accepted', '2026-11-29T09:00:00+09:00')) AS one (n, status, at);"
        "INSERT INTO gateway.document VALUES ('00000000-0000-7000-8000-000000000003',"
        " 'image/png', sha256(''), '', '2026-11-29T09:00:00+09:00')");
    bench_clock("2027-02-27T09:00:01+09:00");
    run_clock_until_left(3);
    assert_count("SELECT count(*) FROM registration.signup"
                 " WHERE signup_id = '00000000-0000-7000-8000-000000000001'",
                 0);
    bench_sql(&bench, "DELETE FROM gateway.document");
    run_clock_until_left(2);
    assert_count("SELECT count(*) FROM registration.signup WHERE status = 'accepted'", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_decision_as_a_table),
        cmocka_unit_test_setup(an_accepted_one_begins_first_login, empty),
        cmocka_unit_test_setup(a_refused_one_is_told_why, empty),
        cmocka_unit_test_setup(a_known_number_is_not_taken_twice, empty),
        cmocka_unit_test_setup(a_former_name_on_record_stays, empty),
        cmocka_unit_test_setup(what_cannot_be_is_refused_here_too, empty),
        cmocka_unit_test_setup(a_decision_meanwhile_leaves_nothing, empty),
        cmocka_unit_test_setup(a_refused_sign_up_ends, empty),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
