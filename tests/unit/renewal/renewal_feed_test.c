/* Events and standing, handbook declarations, against a real database (edges 47, 49, R-OPR-06). */
#include "renewal_fixture.h"

/* ---- events and standing ---- */

/* The first entry of doctor 1 in a session, told again. */
static void credits_state(int session_id, const char *kind, int half_units)
{
    assert_int_equal(
        bench_handle(&bench, renewal_credits_state_handle, &renewal, EVENT_CREDITS_STATE,
                     "{\"seminar_no\": \"S2025-0%d\", \"seminar_title\": \"産業医研修会\","
                     " \"session_id\": %d, \"session_no\": \"1\", \"title\": \"演習\","
                     " \"held_on\": \"2025-04-12\", \"delivery\": \"venue\", \"credits\":"
                     " [{\"doctor_id\": 1, \"programme\": \"OP\", \"revision\": 0,"
                     " \"kind\": \"%s\", \"half_units\": %d}]}",
                     session_id, session_id, kind, half_units),
        ERR_OK);
}

static void credits_are_copied_once_and_marked(void **state)
{
    (void)state;
    assert_int_equal(count("SELECT count(*) FROM renewal.credit"), 2);
    credit(1, 11, "OPL-S", 3, "2025-04-12", "venue", 0);
    assert_int_equal(count("SELECT count(*) FROM renewal.credit"), 2);
    assert_int_equal(count("SELECT count(*) FROM renewal.credit WHERE programme = 'CME'"), 0);
    assert_int_equal(count("SELECT mark FROM renewal.dirty WHERE doctor_id = 1"), 3);
    assert_int_equal(count("SELECT count(*) FROM renewal.session WHERE seminar_no = 'S2025-011'"),
                     1);
}

static void credits_told_again_mend_the_copy(void **state)
{
    (void)state;
    credit(2, 11, "OPL-S", 3, "2025-04-12", "venue", 0); /* not named below, stays */
    bench_sql(&bench, "DELETE FROM renewal.credit WHERE doctor_id = 1 AND session_id = 12;"
                      "UPDATE renewal.credit SET kind = 'OPB-K', half_units = 60"
                      " WHERE doctor_id = 1 AND session_id = 11; DELETE FROM renewal.session");
    for (int i = 0; i < 2; i++) {
        credits_state(11, "OPL-S", 6);
        credits_state(12, "OPL-R", 4);
    }
    assert_int_equal(count("SELECT count(*) FROM renewal.credit"), 3);
    assert_int_equal(count("SELECT count(*) FROM renewal.credit WHERE doctor_id = 1"
                           " AND (session_id, kind, half_units)"
                           " IN ((11, 'OPL-S', 6), (12, 'OPL-R', 4))"),
                     2);
    assert_int_equal(count("SELECT count(*) FROM renewal.session WHERE title = '演習'"
                           " AND seminar_no = 'S2025-0' || session_id AND delivery = 'venue'"
                           " AND held_on = '2025-04-12' AND seminar_title = '産業医研修会'"),
                     2);
    assert_int_equal(count("SELECT mark FROM renewal.dirty WHERE doctor_id = 1"), 6);
    assert_int_equal(count("SELECT mark FROM renewal.dirty WHERE doctor_id = 2"), 1);
}

static void older_doctors_do_not_come_back(void **state)
{
    (void)state;
    doctor(1, 3, "closed", "13");
    doctor(1, 2, "active", "14");
    assert_int_equal(count("SELECT count(*) FROM renewal.doctor"
                           " WHERE version = 3 AND my_page = 'closed' AND l2_code = '13'"),
                     1);
}

static void wait_for(const char *sql, int64_t wanted)
{
    bool never = false;

    for (int i = 0; i < 1000 && count(sql) != wanted; i++)
        (void)loop_run_until(bench.loop, &never, 10);
    assert_int_equal(count(sql), wanted);
}

static void closed(void *arg)
{
    *(bool *)arg = true;
}

static void dirty_doctors_are_computed_soon(void **state)
{
    bool gone = false;

    (void)state;
    for (int id = 2; id <= 150; id++)
        certificate_event(id);
    certificate_event(1);
    bench_sql(&bench, "INSERT INTO renewal.certificate (doctor_id, programme, number, first_from,"
                      " valid_from, valid_to) SELECT n, 'OP', 'N' || n, '2022-01-01', '2022-01-01',"
                      " '2026-12-31' FROM generate_series(2, 150) AS n");
    renewal.recompute = recompute_open(&renewal);
    wait_for("SELECT count(*) FROM renewal.standing", 150);
    wait_for("SELECT count(*) FROM renewal.dirty WHERE mark > done", 0);
    assert_int_equal(count("SELECT counted_half_units FROM renewal.standing WHERE doctor_id = 1"),
                     10);
    assert_int_equal(count("SELECT counted_half_units FROM renewal.standing WHERE doctor_id = 2"),
                     0);
    /* A counter-entry takes it away again. */
    credit(1, 11, "OPL-S", -3, "2025-04-12", "venue", 1);
    recompute_kick(renewal.recompute);
    wait_for("SELECT counted_half_units FROM renewal.standing WHERE doctor_id = 1", 4);
    credit(1, 11, "OPL-S", 3, "2025-04-12", "venue", 2);
    recompute_kick(renewal.recompute);
    wait_for("SELECT counted_half_units FROM renewal.standing WHERE doctor_id = 1", 10);
    assert_int_equal(count("SELECT count(*) FROM renewal.standing WHERE doctor_id = 1"
                           " AND jsonb_array_length(entries) = 2 AND rule_set = 'op-renewal-2025'"
                           " AND opens_on = '2025-03-31' AND NOT eligible"),
                     1);
    recompute_close(renewal.recompute, closed, &gone);
    assert_true(loop_run_until(bench.loop, &gone, BENCH_WAIT_MS));
}

static void an_old_computation_never_replaces_a_newer(void **state)
{
    (void)state;
    declare_fixture();
    assert_int_equal(count("SELECT mark FROM renewal.standing"), 3);
    bench_sql(&bench, "UPDATE renewal.standing SET mark = 99");
    declare("[]");
    assert_int_equal(count("SELECT counted_half_units FROM renewal.standing"), 40);
}

/* ---- handbook ---- */

static void declared_lines_count_at_once(void **state)
{
    (void)state;
    declare_fixture();
    assert_string_equal(bench_text(bench.answer, "programme"), "OP");
    assert_int_equal(count("SELECT count(*) FROM renewal.standing WHERE eligible"
                           " AND depends_on_declared AND counted_half_units = 40"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.credit"), 2); /* never merged, R-OPR-06 */
    declare("[{\"kind\": \"OPL-J\", \"half_units\": 2, \"last_on\": \"2023-06-03\"}]");
    assert_int_equal(count("SELECT count(*) FROM renewal.handbook"), 1);
    assert_int_equal(count("SELECT counted_half_units FROM renewal.standing"), 12);
}

static void bad_lines_are_refused_by_name(void **state)
{
    static const struct {
        const char *lines, *code, *pointer;
    } cases[] = {
        {"[{\"kind\": \"OPL-S\", \"half_units\": 2, \"last_on\": \"2025-04-02\"}]", "handbook_date",
         "/lines/0/last_on"}, /* edge 49 */
        {"[{\"kind\": \"OPL-S\", \"half_units\": 2, \"last_on\": \"2020-07-31\"}]", "handbook_date",
         "/lines/0/last_on"},
        {"[{\"kind\": \"OPL-S\", \"half_units\": 3, \"last_on\": \"2025-03-01\"}]",
         "handbook_half_units", "/lines/0/half_units"},
        {"[{\"kind\": \"OPB-K\", \"half_units\": 2, \"last_on\": \"2025-03-01\"}]", "handbook_kind",
         "/lines/0/kind"},
        {"[{\"kind\": \"OPL-S\", \"half_units\": 2}, {\"kind\": \"OPL-S\", \"half_units\": 2}]",
         "field_duplicate", "/lines/1/kind"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        declare(cases[i].lines);
        assert_string_equal(bench.answer_code, cases[i].code);
        assert_string_equal(
            bench_text(json_array_get(json_object_get(bench.answer, "errors"), 0), "pointer"),
            cases[i].pointer);
        assert_int_equal(count("SELECT count(*) FROM renewal.handbook"), 0);
    }
}

static void what_the_office_saw_stays_while_the_line_does(void **state)
{
    (void)state;
    declare_fixture();
    bench_sql(&bench, "UPDATE renewal.handbook SET verified_half_units = declared_half_units,"
                      " verified_at = '2025-04-20T09:00:00+09:00'");
    declare("[{\"kind\": \"OPL-R\", \"half_units\": 4, \"last_on\": \"2024-10-01\"},"
            " {\"kind\": \"OPL-S\", \"half_units\": 26, \"last_on\": \"2025-03-31\"}]");
    assert_int_equal(count("SELECT count(*) FROM renewal.handbook WHERE verified_at IS NOT NULL"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.handbook WHERE kind = 'OPL-S'"
                           " AND verified_half_units IS NULL"),
                     1);
}

static void nothing_to_renew_nothing_to_declare(void **state)
{
    (void)state;
    doctor(1, 2, "link_pending", "13");
    declare("[]");
    assert_string_equal(bench.answer_code, "certificate_missing");
    bench_sql(&bench, "DELETE FROM renewal.certificate");
    doctor(1, 3, "active", "13");
    declare("[]");
    assert_string_equal(bench.answer_code, "certificate_missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(credits_are_copied_once_and_marked, fill),
        cmocka_unit_test_setup(credits_told_again_mend_the_copy, fill),
        cmocka_unit_test_setup(older_doctors_do_not_come_back, fill),
        cmocka_unit_test_setup(dirty_doctors_are_computed_soon, fill),
        cmocka_unit_test_setup(an_old_computation_never_replaces_a_newer, fill),
        cmocka_unit_test_setup(declared_lines_count_at_once, fill),
        cmocka_unit_test_setup(bad_lines_are_refused_by_name, fill),
        cmocka_unit_test_setup(what_the_office_saw_stays_while_the_line_does, fill),
        cmocka_unit_test_setup(nothing_to_renew_nothing_to_declare, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
