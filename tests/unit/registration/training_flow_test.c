/* The end of training against a real database: reminders, their end, what the doctor is shown. */
#include "registration/procedure.h"
#include "registration_fixture.h"

#define OPERATION "0190a000-0000-7000-8000-0000000000ff"
#define ACCOUNT "0190a000-0000-7000-8000-000000000001"
#define CLERK "0190a000-0000-7000-8000-000000000002"
#define PROCEDURE "0190a000-0000-7000-8000-00000000000a"

/*
 * All in the last year of training in February 2027 but 4 (a year to go), 5 (no trainee), 6 (gone)
 * and 7 (nothing is known). Doctor 2's end was said, the others' is reckoned.
 */
static int fill(void **state)
{
    (void)state;
    bench_clock("2027-02-01T08:00:00+09:00");
    bench_sql(&bench,
              "TRUNCATE registration.training_notice, registration.training_waiver,"
              " registration.procedure_history, registration.procedure, registration.digest,"
              " registration.membership, registration.account_history,"
              " registration.name_history, registration.account, registration.doctor"
              " RESTART IDENTITY CASCADE;"
              "INSERT INTO registration.doctor (register_no, name, name_kana, birth_on, my_page,"
              " l1_code, l2_code, l3_category, licensed_on, training_ends_on, changed_at)"
              " SELECT 460190 + n, '研修　医', 'ケンシュウ　イ', '1998-12-18',"
              "  CASE n WHEN 6 THEN 'closed' ELSE 'active' END, '13001', '13', category,"
              "  licensed_on, said, '2026-04-01' FROM (VALUES (1, 'A2C', date '2025-03-20', NULL),"
              "  (2, 'C', '2020-04-01', date '2027-03-31'), (3, 'C', '2024-07-01', NULL),"
              "  (4, 'C', '2026-04-02', NULL), (5, 'B', '2025-03-20', NULL),"
              "  (6, 'C', '2025-03-20', NULL), (7, 'C', NULL, NULL))"
              "  AS d (n, category, licensed_on, said) ORDER BY n;"
              "INSERT INTO registration.account (account_id, role, doctor_id, name, state)"
              " VALUES ('" ACCOUNT "', 'doctor', 1, '研修　医', 'active')");
    return 0;
}

static bool clock_closed;

static void closed(void *arg)
{
    (void)arg;
    clock_closed = true;
}

/* At least one whole round of the clock. */
static void run_clock(const char *time)
{
    struct procedure_clock *clock;
    bool never = false;

    bench_clock(time);
    bench_forget(&bench);
    clock = procedure_clock_open(&registration, bench.loop);
    (void)loop_run_until(bench.loop, &never, 2500);
    clock_closed = false;
    procedure_clock_close(clock, closed, NULL);
    assert_true(loop_run_until(bench.loop, &clock_closed, BENCH_WAIT_MS));
}

static void dismiss(const char *who, const char *rest)
{
    assert_int_equal(bench_handle(&bench, training_dismiss_handle, &registration,
                                  EVENT_TRAINING_DISMISS,
                                  "{\"operation_id\": \"" OPERATION "\", %s,"
                                  " \"reason\": \"研修を休んでいます。\"%s}",
                                  who, rest),
                     ERR_OK);
    assert_true(bench.answered);
}

#define DOCTOR "\"account_id\": \"" ACCOUNT "\", \"role\": \"doctor\", \"doctor_id\": 1"
#define L1(code)                                                                                   \
    "\"account_id\": \"" CLERK "\", \"role\": \"office_l1\", \"actor_l1\": \"" code "\","          \
    " \"register_no\": \"460192\", \"birth_on\": \"1998-12-18\""

static void the_end_is_reckoned(void **state)
{
    static const struct {
        const char *licensed_on, *ends_on;
    } cases[] = {
        {"2025-03-20", "2027-03-31"}, {"2025-04-20", "2027-03-31"}, {"2025-05-31", "2027-03-31"},
        {"2025-06-01", "2028-03-31"}, {"2025-12-31", "2028-03-31"}, {"2026-01-15", "2028-03-31"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf sql = {0};

        buf_printf(&sql, "SELECT count(*) WHERE registration.training_end(NULL, '%s') = '%s'",
                   cases[i].licensed_on, cases[i].ends_on);
        buf_add_char(&sql, '\0');
        print_message("%s\n", cases[i].licensed_on);
        assert_int_equal(count(buf_str(&sql).data), 1);
        buf_free(&sql);
    }
    assert_int_equal(
        count("SELECT count(*) WHERE registration.training_end('2029-09-30', '2025-03-20')"
              " = '2029-09-30'"),
        1);
}

#define NOTICES(number)                                                                            \
    "SELECT coalesce(sum(doctor_id), 0)::int8 FROM registration.training_notice"                   \
    " WHERE ends_on = '2027-03-31' AND notice = " #number

static void each_is_reminded_in_february_and_in_march(void **state)
{
    (void)state;
    run_clock("2027-02-01T06:59:50+09:00");
    assert_int_equal(count(NOTICES(1)), 0);
    run_clock("2027-02-01T07:00:00+09:00");
    assert_int_equal(bench_emitted(&bench, EVENT_TRAINING_ENDS), 3);
    assert_int_equal(count(NOTICES(1)), 1 + 2 + 3);
    run_clock("2027-02-20T07:00:00+09:00");
    assert_int_equal(bench_emitted(&bench, EVENT_TRAINING_ENDS), 0);
    run_clock("2027-03-01T07:00:00+09:00");
    assert_int_equal(bench_emitted(&bench, EVENT_TRAINING_ENDS), 3);
    assert_int_equal(count(NOTICES(2)), 1 + 2 + 3);
    run_clock("2027-04-01T07:00:00+09:00");
    assert_int_equal(bench_emitted(&bench, EVENT_TRAINING_ENDS), 0);
}

static void who_has_filed_is_not_reminded(void **state)
{
    const json_t *told;

    (void)state;
    assert_int_equal(
        bench_handle(&bench, procedure_file_handle, &registration, EVENT_PROCEDURE_SUBMIT,
                     "{\"operation_id\": \"" OPERATION "\", \"procedure_id\": \"" PROCEDURE
                     "\", " DOCTOR ", \"kind\": \"change\", \"category_l3\": \"A2B\","
                     " \"effective_on\": \"2027-04-01\"}"),
        ERR_OK);
    run_clock("2027-02-01T07:00:00+09:00");
    assert_int_equal(count(NOTICES(1)), 2 + 3);
    told = bench_event(&bench, EVENT_TRAINING_ENDS);
    assert_int_equal(bench_number(told, "doctor_id"), 2);
    assert_string_equal(bench_text(told, "category"), "C");
    assert_string_equal(bench_text(told, "category_after"), "B");
}

static void an_interrupted_training_is_not_reminded_of(void **state)
{
    (void)state;
    dismiss(DOCTOR, "");
    assert_string_equal(bench.answer_code, "");
    dismiss(L1("13001"), ", \"training_ends_on\": \"2028-03-31\"");
    assert_string_equal(bench.answer_code, "");
    run_clock("2027-02-01T07:00:00+09:00");
    assert_int_equal(count(NOTICES(1)), 3);
    /* The category stays as it is; who said so and why is kept. */
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 1"
                           " AND l3_category = 'A2C' AND training_ends_on IS NULL"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.training_waiver"
                           " WHERE ends_on = '2027-03-31' AND reason = '研修を休んでいます。'"
                           " AND (doctor_id, actor_role) IN ((1, 'doctor'), (2, 'office_l1'))"),
                     2);
    /* With a new end the reminders come again before that. */
    run_clock("2028-02-01T07:00:00+09:00");
    assert_int_equal(count("SELECT count(*) FROM registration.training_notice"
                           " WHERE doctor_id = 2 AND ends_on = '2028-03-31'"),
                     1);
}

static void who_may_not_say_so(void **state)
{
    (void)state;
    dismiss(L1("13002"), "");
    assert_string_equal(bench.answer_code, "doctor_not_found");
    dismiss(DOCTOR, ", \"training_ends_on\": \"2027-01-31\"");
    assert_string_equal(bench.answer_code, "training_ends_on");
    bench_sql(&bench, "UPDATE registration.membership SET category = 'B' WHERE layer = 3");
    dismiss(DOCTOR, "");
    assert_string_equal(bench.answer_code, "no_trainee");
    assert_int_equal(count("SELECT count(*) FROM registration.training_waiver"), 0);
}

/* What GET /me/training answers. */
static int64_t shown(const char *where)
{
    struct buf sql = {0};
    int64_t found;

    buf_printf(
        &sql,
        "BEGIN; SET LOCAL ROLE mamis_gateway; SET LOCAL app.scope = 'doctor:1';"
        " SELECT count(*) FROM (SELECT portal.my_training('2027-02-01T08:00:00+09:00')::jsonb"
        " AS t) AS s WHERE t @> '%s'",
        where);
    buf_add_char(&sql, '\0');
    bench_sql(&bench, "SET ROLE mamis_gateway; SET app.scope = 'doctor:1'");
    found = count(buf_str(&sql).data);
    bench_sql(&bench, "RESET ROLE; RESET app.scope");
    buf_free(&sql);
    return found;
}

static void the_doctor_sees_what_follows(void **state)
{
    (void)state;
    assert_int_equal(shown("{\"category\": \"A2C\", \"category_after\": \"A2B\","
                           " \"ends_on\": \"2027-03-31\", \"ends_known\": false,"
                           " \"effective_on\": \"2027-04-01\", \"offered\": true,"
                           " \"dismissed_at\": null}"),
                     1);
    dismiss(DOCTOR, "");
    assert_int_equal(shown("{\"dismissed_reason\": \"研修を休んでいます。\"}"), 1);
    dismiss(DOCTOR, ", \"training_ends_on\": \"2029-09-30\"");
    assert_int_equal(shown("{\"ends_known\": true, \"effective_on\": \"2030-04-01\","
                           " \"offered\": false, \"dismissed_at\": null}"),
                     1);
    bench_sql(&bench, "UPDATE registration.doctor SET l3_category = 'B'");
    assert_int_equal(shown("{\"category\": null, \"ends_on\": null, \"effective_on\": null,"
                           " \"offered\": false, \"ends_known\": false}"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_reckoned),
        cmocka_unit_test_setup(each_is_reminded_in_february_and_in_march, fill),
        cmocka_unit_test_setup(who_has_filed_is_not_reminded, fill),
        cmocka_unit_test_setup(an_interrupted_training_is_not_reminded_of, fill),
        cmocka_unit_test_setup(who_may_not_say_so, fill),
        cmocka_unit_test_setup(the_doctor_sees_what_follows, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
