/*
 * Rows that wait: they post when their doctors' My Page is complete, or are given up; both are
 * counted, and what nobody asked for is kept with its rule.
 */
#include <string.h>

#include "credit_check.h"

static const char header[] = "医籍登録番号,セッション番号,単位種別\n";

/* One line that the system left. */
static void assert_audit(const char *action, const char *subject, const char *detail)
{
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE actor IS NULL"
                           " AND action = '%s' AND subject = '%s' AND detail ="
                           " '%s'::jsonb || '{\"role\": \"system\", \"code\": \"\"}'",
                           action, subject, detail),
                     1);
}

static void set_my_page(long long register_no, const char *my_page)
{
    const struct event_doctor_state event = {
        .doctor_id =
            count("SELECT doctor_id FROM credit.doctor WHERE register_no = %lld", register_no),
        .version =
            count("SELECT version + 1 FROM credit.doctor WHERE register_no = %lld", register_no),
        .register_no = text("%lld", register_no),
        .mamis_no = STR(""),
        .name = STR("医師"),
        .name_kana = STR("イシ"),
        .former_name = STR(""),
        .former_name_kana = STR(""),
        .my_page = str_of(my_page),
        .email = STR(""),
        .l1_code = STR(""),
        .l2_code = STR(""),
        .l3_category = STR(""),
    };
    json_t *data = event_doctor_state_encode(&event);

    assert_int_equal(
        bench_handle_all(&bench, credit_doctor_handle, &credit, EVENT_DOCTOR_STATE, &data, 1),
        ERR_OK);
    json_decref(data);
    take_events();
}

static void waiting_rows_post_when_my_page_is_complete(void **state)
{
    const long long doctor = number_of("none", 0);
    struct str file = text("%s%lld,1,OPL-S\n%lld,1,OPL-S\n", header, doctor, doctor);
    struct sent first = post_file("S2026-0001", file);
    struct sent second = post_file("S2026-0001", file);
    struct sent other = post_file("S2026-0002", text("医籍登録番号\n%lld\n", doctor));
    struct sent dry = send_dry_run("S2026-0001", file);
    const struct credit before = credit;

    (void)state;
    drain();
    assert_counts(&other, (const int64_t[]){0, 0, 1, 0, 0, 0});
    set_my_page(doctor, "temp_issued");
    assert_int_equal(waiting(), 0);
    bench.committed = credit_tally_committed;
    set_my_page(doctor, "link_pending");
    assert_int_equal(waiting(), 3); /* not the dry run's */
    repeat(0);
    drain();
    assert_counts(&first, (const int64_t[]){1, 1, 0, 0, 0, 0});
    assert_counts(&second, (const int64_t[]){0, 2, 0, 0, 0, 0});
    assert_counts(&other, (const int64_t[]){1, 0, 0, 0, 0, 0});
    assert_counts(&dry, (const int64_t[]){0, 1, 1, 0, 0, 0});
    assert_reasons(&first);
    assert_reasons(&second);
    assert_reasons(&other);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 2);
    bench.committed = NULL;
    assert_int_equal(
        credit.figures.outcomes[OUTCOME_POSTED] - before.figures.outcomes[OUTCOME_POSTED], 2);
    assert_int_equal(credit.figures.entries - before.figures.entries, 2);
    assert_audit("row_judge", text("%s/1", first.id).data,
                 "{\"rule\": \"R-ACC-10\", \"from\": \"waiting\", \"to\": \"posted\"}");
    set_my_page(doctor, "none");
}

/* The tenth place of a visit is the waiting row's own. */
static void a_waiting_row_keeps_its_place(void **state)
{
    const long long doctor = number_of("none", 1);
    struct buf file = {0};
    struct sent upload;

    (void)state;
    buf_add_c(&file, "医籍登録番号\n");
    for (int i = 0; i < 9; i++)
        buf_printf(&file, "%lld\n", number_of("active", 10 + i));
    buf_printf(&file, "%lld\n%lld\n", doctor, number_of("active", 30));
    upload = post_file("S2026-0007", built(&file));
    assert_counts(&upload, (const int64_t[]){9, 0, 1, 0, 0, 1});
    set_my_page(doctor, "active");
    drain();
    assert_counts(&upload, (const int64_t[]){10, 0, 0, 0, 0, 1});
    fix(&upload, 11, "", "");
    assert_row(&upload, 11, "rejected", "visit_full");
    set_my_page(doctor, "none");
}

/* When the row that others stand behind becomes another doctor's, the next of them takes over. */
static void those_behind_come_forward(void **state)
{
    const long long doctor = number_of("none", 2);
    const long long other = (long long)samples->doctors[0].register_no;
    struct str file = text("%s%lld,1,\n%lld,1,\n%lld,1,\n", header, doctor, doctor, doctor);
    struct sent first = post_file("S2026-0001", file);
    struct sent second = post_file("S2026-0001", file);

    (void)state;
    fix(&first, 1, "\"register_no\"", text("\"%lld\"", other).data);
    assert_row(&first, 1, "posted", "");
    drain();
    assert_row(&first, 2, "waiting", "no_my_page");
    assert_int_equal(count("SELECT same_as_row FROM credit.upload_row WHERE upload_no = %lld"
                           " AND row_no = 3",
                           (long long)first.no),
                     2);
    assert_row(&second, 1, "waiting", "no_my_page");
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE credits IS NOT NULL"), 1);
    assert_reasons(&first);
    assert_reasons(&second);
}

static void assert_until(const struct sent *upload, int row_no, const char *wanted)
{
    assert_int_equal(count("SELECT count(*) FROM portal.upload_row WHERE upload_id = '%s'"
                           " AND row_no = %d AND date_trunc('minute', waits_until) = '%s'",
                           upload->id, row_no, wanted),
                     1);
}

static void waiting_ends_after_its_days(void **state)
{
    const long long doctor = number_of("none", 3);
    const long long complete = number_of("none", 4);
    struct sent upload = post_file(
        "S2026-0001", text("%s%lld,1,\n%lld,1,\n%lld,1,\n", header, doctor, doctor, complete));
    const struct credit before = credit;
    const json_t *row;

    (void)state;
    assert_counts(&upload, (const int64_t[]){0, 1, 2, 0, 0, 0});
    bench.committed = credit_tally_committed;
    assert_until(&upload, 1, "2027-02-20T12:00+09:00");
    bench_clock("2027-02-20T11:59:59+09:00");
    inject(EVENT_UPLOAD_EXPIRE, "{\"upload_id\": \"%s\"}", upload.id);
    drain();
    assert_counts(&upload, (const int64_t[]){0, 1, 2, 0, 0, 0});
    bench_clock("2027-02-20T12:00:01+09:00");
    sql("UPDATE credit.doctor SET my_page = 'active' WHERE register_no = %lld", complete);
    inject(EVENT_UPLOAD_EXPIRE, "{\"upload_id\": \"%s\"}", upload.id);
    repeat(0);
    drain();
    assert_counts(&upload, (const int64_t[]){0, 0, 1, 0, 0, 2});
    assert_row(&upload, 1, "rejected", "no_my_page");
    assert_row(&upload, 2, "rejected", "no_my_page");
    assert_reasons(&upload);
    bench.committed = NULL;
    assert_int_equal(
        credit.figures.outcomes[OUTCOME_REJECTED] - before.figures.outcomes[OUTCOME_REJECTED], 2);
    assert_audit("rows_expire", upload.id,
                 "{\"rule\": \"R-ACC-10\", \"waiting_days\": 90, \"from\": \"waiting\","
                 " \"to\": \"rejected\", \"rows\": [1, 2]}");
    assert_int_equal(heard(EVENT_ROWS_EXPIRED), 1);
    row = json_array_get(json_object_get(heard_data(EVENT_ROWS_EXPIRED, 0), "rows"), 0);
    assert_int_equal(bench_number(row, "row_no"), 1);
    assert_true(strlen(bench_text(row, "name_kana")) > 0);
    assert_string_equal(bench_text(row, "session_no"), "1");
    /* Mended afterwards, when My Page is there after all. */
    sql("UPDATE credit.doctor SET my_page = 'active' WHERE register_no = %lld", doctor);
    fix(&upload, 1, "", "");
    assert_row(&upload, 1, "posted", "");
    sql("UPDATE credit.doctor SET my_page = 'none' WHERE register_no IN (%lld, %lld)", doctor,
        complete);
}

/* The row of a later upload that only waited because of this one waits for itself now. */
static void the_next_upload_waits_on(void **state)
{
    const long long doctor = number_of("none", 8);
    struct str file = text("%s%lld,1,\n", header, doctor);
    struct sent first = post_file("S2026-0001", file);
    struct sent second;

    (void)state;
    bench_clock("2027-02-01T12:00:00+09:00");
    second = post_file("S2026-0001", file);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE upload_no = %lld"
                           " AND credits IS NULL",
                           (long long)second.no),
                     1);
    bench_clock("2027-02-21T12:00:00+09:00");
    inject(EVENT_UPLOAD_EXPIRE, "{\"upload_id\": \"%s\"}", first.id);
    inject(EVENT_UPLOAD_EXPIRE, "{\"upload_id\": \"%s\"}", second.id);
    drain();
    assert_counts(&first, (const int64_t[]){0, 0, 0, 0, 0, 1});
    assert_counts(&second, (const int64_t[]){0, 0, 1, 0, 0, 0});
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE upload_no = %lld"
                           " AND credits IS NOT NULL"
                           " AND waiting_since < '2027-02-01T12:05:00+09:00'",
                           (long long)second.no),
                     1);
    assert_reasons(&second);
    assert_until(&second, 1, "2027-05-02T12:00+09:00");
    /* Of an upload that is undone no row waits for anything. */
    sql("UPDATE credit.upload SET undo_at = now() WHERE upload_no = %lld", (long long)second.no);
    assert_int_equal(count("SELECT (SELECT count(*) FROM portal.upload_row WHERE upload_id = '%s'"
                           "   AND waits_until IS NOT NULL)"
                           " + (SELECT count(*) FROM portal.upload_waiting WHERE upload_id = '%s')",
                           second.id, second.id),
                     0);
}

static void give_up(void *service, struct work_batch *batch)
{
    credit_waiting_dead(service, batch, "schema");
    flow_resume(batch->flow, ERR_OK);
}

/* What cannot be handled is not looked for every half minute. */
static void a_dead_letter_is_not_sent_again_and_again(void **state)
{
    const long long doctor = number_of("none", 5);
    struct sent upload = post_file("S2026-0001", text("%s%lld,1,\n", header, doctor));

    (void)state;
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row"
                           " WHERE waiting_since IS NOT NULL"),
                     1);
    assert_int_equal(bench_handle(&bench, give_up, &credit, EVENT_ROW_JUDGE,
                                  "{\"upload_id\": \"%s\", \"row_no\": 1}", upload.id),
                     ERR_OK);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE outcome = 'waiting'"
                           " AND waiting_since IS NULL"),
                     1);
}

static void sweep(void)
{
    bool never = false;

    credit_release_sweep(&credit);
    credit_release_sweep(&credit);
    for (int i = 0; i < 1000 && credit.release_running; i++)
        (void)loop_run_until(bench.loop, &never, 5);
    assert_false(credit.release_running);
    take_events();
}

/* Nothing posts for a cancelled seminar, so its rows end although their doctor is complete. */
static void waiting_ends_when_the_seminar_was_cancelled(void **state)
{
    const long long doctor = number_of("none", 3);
    struct sent upload = post_file("S2026-0001", text("%s%lld,1,\n", header, doctor));

    (void)state;
    sql("UPDATE credit.seminar SET status = 'cancelled' WHERE seminar_no = 'S2026-0001'");
    sql("UPDATE credit.doctor SET my_page = 'active' WHERE register_no = %lld", doctor);
    bench_clock("2027-02-20T12:00:01+09:00");
    sweep();
    drain();
    assert_counts(&upload, (const int64_t[]){0, 0, 0, 0, 0, 1});
    assert_int_equal(heard(EVENT_ROWS_EXPIRED), 1);
    sweep();
    assert_int_equal(waiting(), 0);
    sql("UPDATE credit.doctor SET my_page = 'none' WHERE register_no = %lld", doctor);
}

/* What is told is what is done, whatever the setting was when the row began to wait. */
static void the_setting_says_until_when(void **state)
{
    const struct str file =
        text("%s%lld,1,\n%lld,1,\n", header, number_of("none", 9), number_of("none", 10));
    struct sent dry = send_dry_run("S2026-0001", file);
    struct sent upload = post_file("S2026-0001", file);

    (void)state;
    assert_int_equal(count("SELECT count(waits_until) FROM portal.upload_row"
                           " WHERE upload_id = '%s' AND outcome = 'waiting'",
                           dry.id),
                     0);
    bench_clock("2026-12-01T12:00:00+09:00");
    fix(&upload, 1, "\"kind\"", "\"OPL-S\"");
    assert_until(&upload, 1, "2027-03-01T12:00+09:00");
    credit.waiting_told = false;
    credit_settings.waiting_days = 10;
    sweep();
    assert_until(&upload, 1, "2026-12-11T12:00+09:00");
    assert_until(&upload, 2, "2026-12-02T12:00+09:00");
    assert_int_equal(count("SELECT count(*) FROM portal.upload_waiting WHERE upload_id = '%s'"
                           " AND date_trunc('minute', waits_until) = '2026-12-02T12:00+09:00'",
                           upload.id),
                     1);
    bench_clock("2026-12-02T12:01:00+09:00");
    sweep();
    assert_int_equal(waiting(), 1);
    drain();
    assert_counts(&upload, (const int64_t[]){0, 0, 1, 0, 0, 1});
    assert_row(&upload, 2, "rejected", "no_my_page");
    assert_audit("rows_expire", upload.id,
                 "{\"rule\": \"R-ACC-10\", \"waiting_days\": 10, \"from\": \"waiting\","
                 " \"to\": \"rejected\", \"rows\": [2]}");
    assert_int_equal(count("SELECT count(waits_until) FROM portal.upload_row"
                           " WHERE upload_id = '%s' AND outcome = 'rejected'",
                           upload.id),
                     0);
    credit.waiting_told = false;
    credit_settings.waiting_days = 90;
    sweep();
}

/* What the events did not do is found by looking; but each once while it is under way. */
static void what_was_missed_is_found(void **state)
{
    const long long doctor = number_of("none", 6);
    const long long late = number_of("none", 7);
    struct sent upload =
        post_file("S2026-0001", text("%s%lld,1,\n%lld,1,\n", header, doctor, late));

    (void)state;
    sql("UPDATE credit.doctor SET my_page = 'active' WHERE register_no = %lld;"
        "UPDATE credit.upload_row SET waiting_since = waiting_since - interval '91 days'",
        doctor);
    sweep();
    assert_int_equal(waiting(), 2);
    drain();
    assert_counts(&upload, (const int64_t[]){1, 0, 0, 0, 0, 1});
    sql("UPDATE credit.doctor SET my_page = 'none' WHERE register_no = %lld", doctor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waiting_rows_post_when_my_page_is_complete, clean),
        cmocka_unit_test_setup(a_waiting_row_keeps_its_place, clean),
        cmocka_unit_test_setup(those_behind_come_forward, clean),
        cmocka_unit_test_setup(waiting_ends_after_its_days, clean),
        cmocka_unit_test_setup(the_next_upload_waits_on, clean),
        cmocka_unit_test_setup(a_dead_letter_is_not_sent_again_and_again, clean),
        cmocka_unit_test_setup(waiting_ends_when_the_seminar_was_cancelled, clean),
        cmocka_unit_test_setup(the_setting_says_until_when, clean),
        cmocka_unit_test_setup(what_was_missed_is_found, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
