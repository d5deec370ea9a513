/* Applications from submission to the new period, against a real database (4.4; edges 45-50, 56,
 * 64). */
#include "renewal_fixture.h"

/* ---- submission ---- */

static void a_submission_freezes_its_credits(void **state)
{
    const json_t *told;

    (void)state;
    declare_fixture();
    submit();
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(bench_text(bench.answer, "application_id"), APPLICATION);
    told = bench_event(&bench, EVENT_APPLICATION_STATE);
    assert_string_equal(bench_text(told, "status"), "submitted");
    assert_string_equal(bench_text(told, "cycle"), "OP-2025-05");
    assert_true(json_is_true(json_object_get(told, "declared")));
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE status = 'submitted'"
                           " AND handbook = 'awaited' AND fee = 'awaited' AND fee_yen = 10000"
                           " AND depends_on_declared AND l2_code = '13' AND number = '0000001'"
                           " AND submitted_at < '2025-04-20T10:00:00+09:00'"),
                     1);
    /* Edge 45: later credits are not in it until the doctor sends it again. */
    credit(1, 13, "OPL-S", 1, "2025-04-20", "venue", 0);
    assert_int_equal(count("SELECT count(*) FROM renewal.application_credit"), 2);
    act("doctor", "", "resubmit", "");
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(count("SELECT count(*) FROM renewal.application_credit"), 3);
    assert_int_equal(bench_emitted(&bench, EVENT_APPLICATION_STATE), 0);
}

static void the_same_submission_again_is_there_already(void **state)
{
    (void)state;
    declare_fixture();
    submit();
    submit();
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(bench.event_count, 0);
    assert_int_equal(count("SELECT count(*) FROM renewal.application"), 1);
}

static void one_application_a_programme(void **state)
{
    (void)state;
    declare_fixture();
    submit();
    submit_as(SECOND);
    assert_string_equal(bench.answer_code, "application_open");
    assert_string_equal(bench_text(json_object_get(bench.answer, "params"), "application_id"),
                        APPLICATION);
    act("doctor", "", "withdraw", "");
    submit_as(SECOND); /* edge 59 */
    assert_string_equal(bench.answer_code, "");
}

static void two_submissions_at_once_make_one(void **state)
{
    (void)state;
    declare_fixture();
    bench.meanwhile =
        "INSERT INTO renewal.application (application_id, doctor_id, account_id, programme, status,"
        " l2_code, rule_set, cycle, submitted_at, handbook, fee, fee_yen, number, valid_from,"
        " valid_to, needed_half_units, counted_half_units, eligible, depends_on_declared, lines,"
        " missing, changed_at) VALUES ('" SECOND "', 1, '" DOCTOR_ACCOUNT "', 'OP', 'submitted',"
        " '13', 'op-renewal-2025', 'OP-2025-05', now(), 'awaited', 'awaited', 10000, '0000001',"
        " '2020-08-01', '2025-07-31', 40, 40, true, true, '[]', '[]', now())";
    assert_int_equal(
        bench_handle(&bench, renewal_submit_handle, &renewal, EVENT_APPLICATION_SUBMIT,
                     "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" DOCTOR_ACCOUNT
                     "\", \"role\": \"doctor\", \"doctor_id\": 1,"
                     " \"application_id\": \"" APPLICATION "\", \"programme\": \"OP\"}"),
        ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    assert_int_equal(count("SELECT count(*) FROM renewal.application"), 1);
    submit();
    assert_string_equal(bench.answer_code, "application_open");
}

static void submissions_that_cannot_be(void **state)
{
    const json_t *missing;

    (void)state;
    submit();
    assert_string_equal(bench.answer_code, "requirement_not_met");
    missing = json_object_get(bench.answer, "missing");
    assert_int_equal(json_array_size(missing), 2);
    assert_string_equal(bench_text(json_array_get(missing, 0), "kind"), "OPL-J");
    assert_int_equal(bench_number(json_array_get(missing, 0), "half_units"), 2);
    assert_true(json_is_null(json_object_get(json_array_get(missing, 1), "kind")));
    assert_int_equal(bench_number(json_array_get(missing, 1), "half_units"), 30);
    declare_fixture();
    bench_clock("2025-03-30T09:00:00+09:00");
    submit();
    assert_string_equal(bench.answer_code, "window_not_open");
    assert_string_equal(bench_text(json_object_get(bench.answer, "params"), "value"), "2025-03-31");
    bench_clock("2028-04-01T00:00:00+09:00");
    submit();
    assert_string_equal(bench.answer_code, "window_closed");
    bench_clock("2025-04-20T09:00:00+09:00");
    doctor(1, 2, "active", "");
    submit();
    assert_string_equal(bench.answer_code, "office_missing");
    doctor(1, 3, "link_pending", "13");
    submit();
    assert_string_equal(bench.answer_code, "certificate_missing");
    assert_int_equal(count("SELECT count(*) FROM renewal.application"), 0);
}

static void late_submissions_go_to_the_next_cycle(void **state)
{
    (void)state;
    declare_fixture();
    bench_clock("2025-04-30T23:59:59+09:00"); /* edge 9 */
    submit();
    assert_string_equal(bench_text(bench_event(&bench, EVENT_APPLICATION_STATE), "cycle"),
                        "OP-2025-05");
    act("doctor", "", "withdraw", "");
    bench_clock("2025-05-02T00:00:00+09:00"); /* edge 8 */
    submit_as(SECOND);
    assert_string_equal(bench_text(bench_event(&bench, EVENT_APPLICATION_STATE), "cycle"),
                        "OP-2025-07");
}

/* ---- review ---- */

static void from_submission_to_the_new_period(void **state)
{
    const json_t *told;

    (void)state;
    declare_fixture();
    submit();
    l2("forward", "");
    assert_string_equal(bench.answer_code, "handbook_missing"); /* edge 50 */
    l2("verify_handbook", whole_handbook);
    assert_string_equal(status_event(), "l2_review");
    assert_int_equal(count("SELECT count(*) FROM renewal.handbook WHERE verified_at IS NOT NULL"),
                     3);
    l2("forward", "");
    assert_string_equal(bench.answer_code, "fee_missing"); /* edge 56 */
    l2("set_fee", ", \"fee\": \"paid\"");
    assert_int_equal(bench_emitted(&bench, EVENT_APPLICATION_STATE), 0);
    l2("forward", "");
    assert_string_equal(status_event(), "l3_queued");
    act("office_l3", "", "approve", "");
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(status_event(), "approved");
    told = bench_event(&bench, EVENT_CERTIFICATE_STATE);
    assert_string_equal(bench_text(told, "number"), "0000001");
    assert_string_equal(bench_text(told, "first_from"), "2020-08-01");
    assert_string_equal(bench_text(told, "valid_from"), "2025-08-01");
    assert_string_equal(bench_text(told, "valid_to"), "2030-07-31");
    assert_int_equal(bench_number(told, "version"), 2);
    assert_int_equal(count("SELECT count(*) FROM renewal.certificate_period"), 2);
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE status = 'approved'"
                           " AND new_from = '2025-08-01' AND new_to = '2030-07-31'"),
                     1);
    /* Edge 64: once more is a conflict, and there is still one certificate. */
    act("office_l3", "", "approve", "");
    assert_string_equal(bench.answer_code, "state_conflict");
    assert_int_equal(count("SELECT version FROM renewal.certificate"), 2);
    assert_int_equal(count("SELECT count(*) FROM renewal.application_history"), 5);
    assert_int_equal(count("SELECT count(DISTINCT version) FROM renewal.application_history"
                           " WHERE action IN ('submit', 'verify_handbook', 'set_fee', 'forward',"
                           " 'approve')"),
                     5);
}

static void others_cannot_touch_it(void **state)
{
    static const struct {
        const char *role, *l2_code, *action, *code;
    } cases[] = {
        {"office_l2", "14", "forward", "not_found"},
        {"office_l2", "", "forward", "not_found"},
        {"office_l3", "", "forward", "forbidden"},
        {"office_l2", "13", "approve", "forbidden"},
        {"organiser", "13", "forward", "forbidden"},
        {"call_centre", "", "approve", "forbidden"},
        {"doctor", "", "approve", "forbidden"},
        {"office_l3", "", "approve", "application_state"},
    };

    (void)state;
    declare_fixture();
    submit();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        act(cases[i].role, cases[i].l2_code, cases[i].action, "");
        assert_string_equal(bench.answer_code, cases[i].code);
        assert_int_equal(bench.event_count, 0);
    }
    assert_int_equal(count("SELECT version FROM renewal.application"), 1);
}

static void a_wrong_doctor_id_finds_nothing(void **state)
{
    (void)state;
    declare_fixture();
    submit();
    assert_int_equal(bench_handle(&bench, renewal_review_handle, &renewal, EVENT_APPLICATION_REVIEW,
                                  "{\"operation_id\": \"" OPERATION
                                  "\", \"account_id\": \"" DOCTOR_ACCOUNT
                                  "\", \"role\": \"doctor\", \"doctor_id\": 2,"
                                  " \"application_id\": \"" APPLICATION "\","
                                  " \"action\": \"withdraw\"}"),
                     ERR_OK);
    assert_string_equal(bench.answer_code, "not_found");
}

static void a_short_handbook_is_returned_and_mended(void **state)
{
    const json_t *told;

    (void)state;
    declare_fixture();
    submit();
    l2("set_fee", ", \"fee\": \"waived\"");
    /* Edge 48: the handbook shows one unit less. */
    l2("verify_handbook", ", \"lines\": [{\"kind\": \"OPL-R\", \"half_units\": 4},"
                          " {\"kind\": \"OPL-J\", \"half_units\": 2},"
                          " {\"kind\": \"OPL-S\", \"half_units\": 22}]");
    assert_int_equal(count("SELECT counted_half_units FROM renewal.application WHERE NOT eligible"),
                     38);
    l2("forward", "");
    assert_string_equal(bench.answer_code, "requirement_not_met");
    l2("forward", ", \"reason\": \"特別な事情\"");
    assert_string_equal(bench.answer_code, "requirement_not_met");
    l2("return", ", \"reason\": \"1単位足りません\", \"until\": \"2025-04-20\"");
    assert_string_equal(bench.answer_code, "return_until_past");
    l2("return", ", \"reason\": \"1単位足りません\", \"until\": \"2025-05-20\"");
    told = bench_event(&bench, EVENT_APPLICATION_STATE);
    assert_string_equal(bench_text(told, "status"), "returned");
    assert_string_equal(bench_text(told, "reason"), "1単位足りません");
    assert_string_equal(bench_text(told, "return_until"), "2025-05-20");
    /* Edge 46: nothing is approved silently; the doctor has to send it again, with a new credit. */
    act("doctor", "", "resubmit", "");
    assert_string_equal(bench.answer_code, "requirement_not_met");
    credit(1, 13, "OPL-S", 1, "2025-04-20", "venue", 0);
    bench_clock("2025-05-10T09:00:00+09:00");
    act("doctor", "", "resubmit", "");
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(status_event(), "l2_review");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_APPLICATION_STATE), "cycle"),
                        "OP-2025-07"); /* L2's deadline is over */
    l2("forward", "");
    assert_string_equal(bench.answer_code, "");
}

static void declaring_waits_while_an_office_looks(void **state)
{
    (void)state;
    declare_fixture();
    submit();
    declare("[]");
    assert_string_equal(bench.answer_code, "application_open");
    l2("return", ", \"reason\": \"確認\", \"until\": \"2025-05-20\"");
    declare("[]");
    assert_string_equal(bench.answer_code, "");
}

static void verified_lines_have_to_be_declared_ones(void **state)
{
    (void)state;
    declare_fixture();
    submit();
    l2("verify_handbook", ", \"lines\": [{\"kind\": \"OPB-K\", \"half_units\": 2}]");
    assert_string_equal(bench.answer_code, "handbook_kind");
    l2("verify_handbook", ", \"lines\": [{\"kind\": \"OPL-S\", \"half_units\": 3}]");
    assert_string_equal(bench.answer_code, "handbook_half_units");
    assert_int_equal(count("SELECT version FROM renewal.application"), 1);
}

static void a_cancelled_credit_stops_at_l3(void **state)
{
    (void)state;
    forwarded();
    credit(1, 12, "OPL-R", -2, "2025-04-19", "venue", 1); /* edge 47 */
    act("office_l3", "", "approve", "");
    assert_string_equal(bench.answer_code, "requirement_not_met");
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE status = 'l3_queued'"),
                     1);
    assert_int_equal(count("SELECT version FROM renewal.certificate"), 1);
    act("office_l3", "", "reject", ", \"reason\": \"単位の取り消し\"");
    assert_string_equal(status_event(), "rejected_l3");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_APPLICATION_STATE), "reason"),
                        "単位の取り消し");
}

static void late_forwarding_moves_the_cycle(void **state)
{
    (void)state;
    declare_fixture();
    submit();
    l2("verify_handbook", whole_handbook);
    l2("set_fee", ", \"fee\": \"paid\"");
    bench_clock("2025-05-02T09:00:00+09:00");
    l2("forward", "");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_APPLICATION_STATE), "cycle"),
                        "OP-2025-07");
}

static void two_offices_at_once_do_it_once(void **state)
{
    (void)state;
    forwarded();
    bench.meanwhile = "UPDATE renewal.application SET version = version + 1, status = 'approved'";
    assert_int_equal(
        bench_handle(&bench, renewal_review_handle, &renewal, EVENT_APPLICATION_REVIEW,
                     "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" OFFICE_ACCOUNT
                     "\", \"role\": \"office_l3\", \"doctor_id\": 1,"
                     " \"application_id\": \"" APPLICATION "\", \"action\": \"approve\"}"),
        ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    assert_int_equal(count("SELECT version FROM renewal.certificate"), 1);
    act("office_l3", "", "approve", "");
    assert_string_equal(bench.answer_code, "state_conflict");
}

static void an_imported_new_period_is_not_renewed_again(void **state)
{
    (void)state;
    forwarded();
    bench_sql(&bench, "UPDATE renewal.certificate SET valid_from = '2025-08-01',"
                      " valid_to = '2030-07-31', version = 2");
    act("office_l3", "", "approve", "");
    assert_string_equal(bench.answer_code, "state_conflict");
    assert_int_equal(count("SELECT version FROM renewal.certificate"), 2);
}

static void damaged_messages_are_input_errors(void **state)
{
    (void)state;
    assert_int_equal(
        bench_handle(&bench, renewal_review_handle, &renewal, EVENT_APPLICATION_REVIEW, "{}"),
        ERR_SCHEMA);
    assert_int_equal(
        bench_handle(&bench, renewal_submit_handle, &renewal, EVENT_APPLICATION_SUBMIT, "{}"),
        ERR_SCHEMA);
    assert_int_equal(
        bench_handle(&bench, renewal_handbook_handle, &renewal, EVENT_HANDBOOK_DECLARE, "{}"),
        ERR_SCHEMA);
    assert_int_equal(
        bench_handle(&bench, renewal_credits_handle, &renewal, EVENT_CREDITS_POSTED, "{}"),
        ERR_SCHEMA);
    assert_int_equal(
        bench_handle(&bench, renewal_doctor_handle, &renewal, EVENT_DOCTOR_STATE, "{}"),
        ERR_SCHEMA);
}

/* Edge 60. */
static void a_move_hands_the_application_over(void **state)
{
    const json_t *told;

    (void)state;
    declare_fixture();
    submit();
    l2("set_fee", ", \"fee\": \"paid\"");
    doctor(1, 20, "active", "14");
    told = bench_event(&bench, EVENT_APPLICATION_STATE);
    assert_string_equal(bench_text(told, "l2_code"), "14");
    assert_string_equal(bench_text(told, "handed_from"), "13");
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE l2_code = '14'"
                           " AND version = 3 AND fee = 'paid'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.application_history"
                           " WHERE action = 'hand_over' AND version = 3 AND detail ="
                           "  '{\"from\": \"13\", \"to\": \"14\", \"fee\": \"paid\"}'"),
                     1);
    l2("return", ", \"reason\": \"x\"");
    assert_string_equal(bench.answer_code, "not_found");
    /* What is no news, and who leaves all associations (edge 61), change nothing. */
    doctor(1, 19, "active", "13");
    assert_int_equal(bench.event_count, 0);
    doctor(1, 21, "active", "");
    assert_int_equal(bench.event_count, 0);
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE l2_code = '14'"), 1);
}

static void what_was_forwarded_finishes_where_it_was(void **state)
{
    (void)state;
    forwarded();
    doctor(1, 20, "active", "14");
    assert_int_equal(bench.event_count, 0);
    act("office_l3", "", "approve", "");
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE l2_code = '13'"
                           " AND status = 'approved'"),
                     1);
}

static void a_command_given_up_is_answered(void **state)
{
    (void)state;
    bench_give_up(&bench, renewal_dead, &renewal, "{\"operation_id\": \"" OPERATION "\"}");
    assert_string_equal(bench.answer_code, "internal");
    bench_give_up(&bench, renewal_dead, &renewal, "{\"operation_id\": 7}");
    assert_false(bench.answered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_submission_freezes_its_credits, fill),
        cmocka_unit_test_setup(the_same_submission_again_is_there_already, fill),
        cmocka_unit_test_setup(one_application_a_programme, fill),
        cmocka_unit_test_setup(two_submissions_at_once_make_one, fill),
        cmocka_unit_test_setup(submissions_that_cannot_be, fill),
        cmocka_unit_test_setup(late_submissions_go_to_the_next_cycle, fill),
        cmocka_unit_test_setup(from_submission_to_the_new_period, fill),
        cmocka_unit_test_setup(others_cannot_touch_it, fill),
        cmocka_unit_test_setup(a_wrong_doctor_id_finds_nothing, fill),
        cmocka_unit_test_setup(a_short_handbook_is_returned_and_mended, fill),
        cmocka_unit_test_setup(declaring_waits_while_an_office_looks, fill),
        cmocka_unit_test_setup(verified_lines_have_to_be_declared_ones, fill),
        cmocka_unit_test_setup(a_cancelled_credit_stops_at_l3, fill),
        cmocka_unit_test_setup(late_forwarding_moves_the_cycle, fill),
        cmocka_unit_test_setup(two_offices_at_once_do_it_once, fill),
        cmocka_unit_test_setup(an_imported_new_period_is_not_renewed_again, fill),
        cmocka_unit_test_setup(a_move_hands_the_application_over, fill),
        cmocka_unit_test_setup(what_was_forwarded_finishes_where_it_was, fill),
        cmocka_unit_test_setup(damaged_messages_are_input_errors, fill),
        cmocka_unit_test_setup(a_command_given_up_is_answered, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
