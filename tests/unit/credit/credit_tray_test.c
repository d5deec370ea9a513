/*
 * The tray: rows that did not post are mended one by one, rows that wait post when their doctors'
 * My Page is complete or are given up, and a dry run is posted.
 */
#include <string.h>

#include "credit_check.h"

#define OPERATION "0190a000-0000-7000-8000-0000000000a1"
#define ACTOR "0190a000-0000-7000-8000-0000000000b1"
#define WHO                                                                                        \
    "\"operation_id\":\"" OPERATION "\",\"actor_id\":\"" ACTOR "\",\"role\":\"organiser\","        \
    "\"office_code\":\"P13\""

static const char header[] = "医籍登録番号,セッション番号,単位種別\n";

static long long number_of(const char *my_page, int place)
{
    return (long long)count("SELECT register_no FROM credit.doctor WHERE my_page = '%s'"
                            " ORDER BY doctor_id OFFSET %d LIMIT 1",
                            my_page, place);
}

/* The pattern with '@' replaced by the number. */
static struct str numbered(const char *pattern, int64_t number)
{
    const char *at = strchr(pattern, '@');

    return at == NULL ? str_of(pattern)
                      : text("%.*s%lld%s", (int)(at - pattern), pattern, (long long)number, at + 1);
}

/* Write over cells of a row: lists of names and of values, as JSON. */
static void fix(const struct sent *upload, int row_no, const char *columns, const char *values)
{
    inject(EVENT_ROW_FIX,
           "{" WHO ",\"upload_id\":\"%s\",\"row_no\":%d,\"columns\":[%s],\"values\":[%s]}",
           upload->id, row_no, columns, values);
    assert_int_equal(handle_at(waiting() - 1), ERR_OK);
}

static void assert_row(const struct sent *upload, int row_no, const char *outcome,
                       const char *reason)
{
    if (count("SELECT count(*) FROM portal.upload_row WHERE upload_id = '%s' AND row_no = %d"
              " AND outcome = '%s' AND coalesce(reason, '') = '%s'",
              upload->id, row_no, outcome, reason) != 1)
        fail_msg("row %d is not %s %s", row_no, outcome, reason);
}

/* Each chunk's reasons are those of its rows. */
static void assert_reasons(const struct sent *upload)
{
    assert_int_equal(
        count("SELECT count(*) FROM credit.upload_chunk c WHERE upload_no = %lld AND"
              " (SELECT array_agg(o::text ORDER BY o::text) FROM jsonb_array_elements(c.reasons)"
              "  AS o) IS DISTINCT FROM (SELECT array_agg(o ORDER BY o) FROM"
              "   (SELECT jsonb_build_array(outcome, reason, count(*))::text AS o"
              "    FROM credit.upload_row r WHERE r.upload_no = c.upload_no"
              "    GROUP BY outcome, reason) AS a)",
              (long long)upload->no),
        0);
    assert_books(upload);
}

/* ---- mending ---- */

static const struct mistake {
    const char *row; /* @: a register number that is good */
    const char *reason, *outcome;
    const char *columns, *values;
} mistakes[] = {
    {"9999999,1,,,,,", "doctor_unknown", "unmatched", "\"register_no\"", "\"@\""},
    {"@,1,,マチガイ　カナ,,,", "kana_mismatch", "unmatched", "\"name_kana\"", "\"\""},
    {",1,,,,,", "number_missing", "rejected", "\"register_no\"", "\"@\""},
    {"12-3,1,,,,,", "register_no_format", "rejected", "\"register_no\"", "\"　@ \""},
    {"@,7,,,,,", "session_unknown", "rejected", "\"session_no\"", "\"1\""},
    {"@,1,XX,,,,", "kind_unknown", "rejected", "\"kind\"", "\"OPL-S\""},
    {"@,1,SPR,,,,", "kind_not_offered", "rejected", "\"kind\"", "\"\""},
    {"@,1,OPL-S/OPB-K,,,,", "kind_twice_in_programme", "rejected", "\"kind\"", "\"OPB-K\""},
    {"@,1,OPL-S,,3,,", "units_differ", "rejected", "\"units\"", "\"2\""},
    {"@,1,OPL-S,,2単位,,", "units_format", "rejected", "\"units\"", "\"2\""},
    {"@,1,,,,x,15:00", "time_format", "rejected", "\"entered_at\"", "\"12:50\""},
    {"@,1,,,,12:50,", "time_incomplete", "rejected", "\"left_at\"", "\"15:00\""},
    {"@,1,,,,13:20,15:00", "late_arrival", "rejected", "\"entered_at\",\"left_at\"",
     "\"12:59\",\"15:01\""},
    {"@,1,,,,12:50,14:00", "early_leave", "rejected", "\"left_at\"", "\"15:00\""},
    {"@,1,,,,12:50,15:00,x", "field_count", "rejected", "\"register_no\",\"session_no\"",
     "\"@\",\"1\""},
};

static struct sent send_mistakes(void)
{
    struct buf file = {0};

    buf_add_c(&file, "医籍登録番号,セッション番号,単位種別,氏名カナ,単位数,入室時刻,退室時刻\n");
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        buf_add_str(&file, numbered(mistakes[i].row, number_of("active", (int)i)));
        buf_add_char(&file, '\n');
    }
    return post_file("S2026-0001", built(&file));
}

static void every_sort_of_mistake_is_mended(void **state)
{
    const struct sent upload = send_mistakes();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        const struct mistake *mistake = &mistakes[i];
        const int row_no = (int)i + 1;
        const int64_t version = upload_number(&upload, "rows_total");

        assert_row(&upload, row_no, mistake->outcome, mistake->reason);
        fix(&upload, row_no, mistake->columns,
            numbered(mistake->values, number_of("active", (int)i)).data);
        assert_string_equal(bench.answer_code, "");
        assert_string_equal(bench_text(bench.answer, "row"), text("%s/%d", upload.id, row_no).data);
        assert_row(&upload, row_no, "posted", "");
        assert_int_equal(upload_number(&upload, "rows_total"), version);
        assert_reasons(&upload);
    }
    assert_counts(&upload, (const int64_t[]){ARRAY_LEN(mistakes), 0, 0, 0, 0, 0});
    assert_int_equal(heard(EVENT_CREDITS_POSTED), 1 + ARRAY_LEN(mistakes));
    assert_int_equal(heard(EVENT_UPLOAD_DONE), 1);
    assert_int_equal(count("SELECT count(*) FROM portal.upload_row WHERE upload_id = '%s'"
                           " AND (fixed ->> 'at')::timestamptz - '" NOW "'"
                           "  BETWEEN interval '0 minutes' AND interval '5 minutes'",
                           upload.id),
                     ARRAY_LEN(mistakes));
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE action = 'row_fix'"
                           " AND actor = '" ACTOR "' AND subject = '%s/1'"
                           " AND detail -> 'cells' ? 'register_no'",
                           upload.id),
                     1);
}

static void half_a_fix_stays_and_the_next_goes_on(void **state)
{
    const long long good = (long long)samples->doctors[0].register_no;
    struct sent upload = post_file("S2026-0001", text("%s9999999,8,OPL-S\n", header));

    (void)state;
    assert_row(&upload, 1, "unmatched", "doctor_unknown");
    fix(&upload, 1, "\"register_no\"", text("\"%lld\"", good).data);
    assert_row(&upload, 1, "rejected", "session_unknown");
    assert_reasons(&upload);
    fix(&upload, 1, "", ""); /* judged again, nothing else */
    assert_row(&upload, 1, "rejected", "session_unknown");
    fix(&upload, 1, "\"session_no\"", "\"1\"");
    assert_row(&upload, 1, "posted", "");
    assert_reasons(&upload);
    assert_int_equal(count("SELECT count(*) FROM credit.row_fix WHERE cells ="
                           " '{\"register_no\": \"%lld\", \"session_no\": \"1\"}'",
                           good),
                     1);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE kind = 'OPL-S'"), 1);
}

static void what_stands_or_is_not_there_cannot_be_mended(void **state)
{
    const long long good = (long long)samples->doctors[0].register_no;
    struct sent upload =
        post_file("S2026-0001", text("%s%lld,1,OPL-S\n%lld,1,OPL-S\n", header, good, good));
    struct sent dry = send_dry_run("S2026-0001", text("%s9999999,1,\n", header));
    const int64_t rows = count("SELECT count(*) FROM credit.ledger");

    (void)state;
    drain();
    fix(&upload, 1, "\"kind\"", "\"OPB-K\"");
    assert_string_equal(bench.answer_code, "row_stands");
    fix(&upload, 2, "\"kind\"", "\"OPB-K\"");
    assert_string_equal(bench.answer_code, "row_stands");
    fix(&upload, 3, "\"kind\"", "\"OPB-K\"");
    assert_string_equal(bench.answer_code, "not_found");
    fix(&dry, 1, "\"kind\"", "\"OPB-K\"");
    assert_string_equal(bench.answer_code, "upload_dry_run");
    sql("UPDATE credit.upload SET status = 'undone' WHERE upload_id = '%s'", upload.id);
    fix(&upload, 1, "\"kind\"", "\"OPB-K\"");
    assert_string_equal(bench.answer_code, "upload_state");
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), rows);
    assert_int_equal(count("SELECT count(*) FROM credit.row_fix"), 0);
}

/* Whatever fails on the way, the message comes again and the row posts once. */
static void any_failure_is_repeated(void **state)
{
    for (uint64_t place = 1; place <= 6; place++) {
        const long long good = number_of("active", (int)place);
        struct sent upload = post_file("S2026-0001", text("%s9999999,1,OPL-S\n", header));
        bool failed;

        fail_at((struct fault){place, false});
        inject(EVENT_ROW_FIX,
               "{" WHO ",\"upload_id\":\"%s\",\"row_no\":1,\"columns\":[\"register_no\"],"
               "\"values\":[\"%lld\"]}",
               upload.id, good);
        failed = handle_at(0) != ERR_OK;
        assert_true(failed || place == 6); /* five batches: that many can fail */
        if (failed)
            assert_row(&upload, 1, "unmatched", "doctor_unknown");
        drain();
        assert_row(&upload, 1, "posted", "");
        assert_reasons(&upload);
        clean(state);
    }
}

/* The corrected file is sent instead: the old row stays, and mending it then finds it posted. */
static void a_corrected_file_leaves_the_old_row(void **state)
{
    const long long good = (long long)samples->doctors[0].register_no;
    struct sent first = post_file("S2026-0001", text("%s9999999,1,OPL-S\n", header));

    (void)state;
    (void)post_file("S2026-0001", text("%s%lld,1,OPL-S\n", header, good));
    assert_row(&first, 1, "unmatched", "doctor_unknown");
    fix(&first, 1, "\"register_no\"", text("\"%lld\"", good).data);
    assert_row(&first, 1, "already_posted", "earlier_upload");
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 1);
    assert_reasons(&first);
}

/* ---- suggestions ---- */

static void a_near_number_is_told_not_taken(void **state)
{
    const struct attendance_doctor *doctor = &samples->doctors[0];
    const long long number = (long long)doctor->register_no;
    struct sent upload;

    (void)state;
    /* Nobody else may have this name and a number as near. */
    upload =
        post_file("S2026-0001", text("医籍登録番号,セッション番号,氏名カナ\n"
                                     "%lld,1,%.*s\n%lld,1,ホカノ　ナマエ\n%lld,1,\n",
                                     number + 5 - 2 * (number % 10 >= 5 ? 5 : 0),
                                     STR_ARG(doctor->kana), number + 1000000, number + 2000000));
    assert_int_equal(
        count("SELECT count(*) FROM portal.upload_row WHERE upload_id = '%s'"
              " AND row_no = 1 AND outcome = 'unmatched'"
              " AND suggestion = '{\"register_no\": \"%lld\", \"name_kana\": \"%.*s\"}'",
              upload.id, number, STR_ARG(doctor->kana)),
        1);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE suggestion IS NOT NULL"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
    fix(&upload, 1, "\"register_no\"", text("\"%lld\"", number).data);
    assert_row(&upload, 1, "posted", "");
}

/* ---- waiting ---- */

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

    (void)state;
    drain();
    assert_counts(&other, (const int64_t[]){0, 0, 1, 0, 0, 0});
    set_my_page(doctor, "temp_issued");
    assert_int_equal(waiting(), 0);
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

static void waiting_ends_after_its_days(void **state)
{
    const long long doctor = number_of("none", 3);
    const long long complete = number_of("none", 4);
    struct sent upload = post_file(
        "S2026-0001", text("%s%lld,1,\n%lld,1,\n%lld,1,\n", header, doctor, doctor, complete));
    const json_t *row;

    (void)state;
    assert_counts(&upload, (const int64_t[]){0, 1, 2, 0, 0, 0});
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

/* What the events did not do is found by looking; but each once while it is under way. */
static void what_was_missed_is_found(void **state)
{
    const long long doctor = number_of("none", 6);
    const long long late = number_of("none", 7);
    struct sent upload =
        post_file("S2026-0001", text("%s%lld,1,\n%lld,1,\n", header, doctor, late));
    bool never = false;

    (void)state;
    sql("UPDATE credit.doctor SET my_page = 'active' WHERE register_no = %lld;"
        "UPDATE credit.upload_row SET waiting_since = waiting_since - interval '91 days'",
        doctor);
    credit_release_sweep(&credit);
    credit_release_sweep(&credit);
    for (int i = 0; i < 1000 && credit.release_running; i++)
        (void)loop_run_until(bench.loop, &never, 5);
    assert_false(credit.release_running);
    take_events();
    assert_int_equal(waiting(), 2);
    drain();
    assert_counts(&upload, (const int64_t[]){1, 0, 0, 0, 0, 1});
    sql("UPDATE credit.doctor SET my_page = 'none' WHERE register_no = %lld", doctor);
}

/* ---- dry runs ---- */

static void post_dry_run(const struct sent *upload)
{
    inject(EVENT_UPLOAD_POST, "{" WHO ",\"upload_id\":\"%s\"}", upload->id);
    assert_int_equal(handle_at(waiting() - 1), ERR_OK);
}

static void a_dry_run_is_posted(void **state)
{
    struct sent dry = send_dry_run("S2026-0001", sample("13-same-doctor-twice.csv"));
    struct sent real = dry;
    bool never = false;

    (void)state;
    post_dry_run(&dry); /* it is not judged yet */
    assert_string_equal(bench.answer_code, "upload_not_done");
    drain();
    assert_counts(&dry, (const int64_t[]){14, 5, 0, 1, 1, 1});
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
    post_dry_run(&dry);
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(upload_text(&dry, "status"), "received");
    post_dry_run(&dry); /* the button was pressed twice */
    assert_string_equal(bench.answer_code, "upload_not_dry_run");
    drain();
    real.no = count("SELECT upload_no FROM credit.upload WHERE upload_id = '%s'", dry.id);
    assert_counts(&real, (const int64_t[]){14, 5, 0, 1, 1, 1});
    assert_reasons(&real);
    check_events(&real);
    credit_orphans_sweep(&credit);
    for (int i = 0; i < 1000 && credit.orphans_running; i++)
        (void)loop_run_until(bench.loop, &never, 5);
    assert_false(credit.orphans_running);
    assert_int_equal(
        count("SELECT count(*) FROM credit.upload_row WHERE upload_no = %lld", (long long)dry.no),
        0);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_past"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_sort_of_mistake_is_mended, clean),
        cmocka_unit_test_setup(half_a_fix_stays_and_the_next_goes_on, clean),
        cmocka_unit_test_setup(what_stands_or_is_not_there_cannot_be_mended, clean),
        cmocka_unit_test_setup(any_failure_is_repeated, clean),
        cmocka_unit_test_setup(a_corrected_file_leaves_the_old_row, clean),
        cmocka_unit_test_setup(a_near_number_is_told_not_taken, clean),
        cmocka_unit_test_setup(waiting_rows_post_when_my_page_is_complete, clean),
        cmocka_unit_test_setup(a_waiting_row_keeps_its_place, clean),
        cmocka_unit_test_setup(those_behind_come_forward, clean),
        cmocka_unit_test_setup(waiting_ends_after_its_days, clean),
        cmocka_unit_test_setup(the_next_upload_waits_on, clean),
        cmocka_unit_test_setup(a_dead_letter_is_not_sent_again_and_again, clean),
        cmocka_unit_test_setup(what_was_missed_is_found, clean),
        cmocka_unit_test_setup(a_dry_run_is_posted, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
