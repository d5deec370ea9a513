/* The tray: rows that did not post are mended one by one, and a dry run is posted. */
#include <string.h>

#include "credit_check.h"

static const char header[] = "医籍登録番号,セッション番号,単位種別\n";

/* The pattern with '@' replaced by the number. */
static struct str numbered(const char *pattern, int64_t number)
{
    const char *at = strchr(pattern, '@');

    return at == NULL ? str_of(pattern)
                      : text("%.*s%lld%s", (int)(at - pattern), pattern, (long long)number, at + 1);
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
    assert_int_equal(count("SELECT count(*) FROM credit.outbox WHERE type = 'credits.posted.v1'"
                           " AND body::json ->> 'upload_id' = '%s'"
                           " AND (body::json ->> 'after_end')::boolean",
                           upload.id),
                     ARRAY_LEN(mistakes));
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

/* A row counts once in each outcome that it comes to, with what it puts into the ledger. */
static void what_is_mended_is_counted(void **state)
{
    const long long good = (long long)samples->doctors[0].register_no;
    const struct credit before = credit;
    struct sent upload = post_file("S2026-0001", text("%s9999999,8,OPL-S\n", header));
    const uint64_t *now = credit.figures.outcomes;
    const uint64_t *then = before.figures.outcomes;

    (void)state;
    bench.committed = credit_tally_committed;
    fix(&upload, 1, "\"register_no\"", text("\"%lld\"", good).data);
    fix(&upload, 1, "", "");
    fix(&upload, 1, "\"session_no\"", "\"1\"");
    fix(&upload, 1, "\"session_no\"", "\"1\""); /* refused: it stands */
    bench.committed = NULL;
    assert_int_equal(now[OUTCOME_REJECTED] - then[OUTCOME_REJECTED], 1);
    assert_int_equal(now[OUTCOME_POSTED] - then[OUTCOME_POSTED], 1);
    assert_int_equal(credit.figures.entries - before.figures.entries, 1);
}

static void what_stands_or_is_not_there_cannot_be_mended(void **state)
{
    const long long good = (long long)samples->doctors[0].register_no;
    struct sent upload =
        post_file("S2026-0001", text("%s%lld,1,OPL-S\n%lld,1,OPL-S\n", header, good, good));
    struct sent dry = send_dry_run("S2026-0001", text("%s9999999,1,\n", header));
    const int64_t rows = count("SELECT count(*) FROM credit.ledger");

    (void)state;
    fix(&dry, 1, "\"kind\"", "\"OPB-K\"");
    assert_string_equal(bench.answer_code, "upload_not_done");
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
/* No credits any more, neither by mending nor because a doctor's page is complete. */
static void rows_of_a_cancelled_seminar_do_not_post(void **state)
{
    const long long waits = number_of("none", 0);
    struct sent upload = post_file("S2026-0001", text("%s%lld,1,\n9999999,1,\n", header, waits));

    (void)state;
    sql("UPDATE credit.seminar SET status = 'cancelled' WHERE seminar_no = 'S2026-0001'");
    sql("UPDATE credit.doctor SET my_page = 'active' WHERE register_no = %lld", waits);
    fix(&upload, 2, "\"register_no\"", text("\"%lld\"", number_of("active", 0)).data);
    assert_string_equal(bench.answer_code, "seminar_cancelled");
    inject(EVENT_ROW_JUDGE, "{\"upload_id\": \"%s\", \"row_no\": 1}", upload.id);
    drain();
    sql("UPDATE credit.doctor SET my_page = 'none' WHERE register_no = %lld", waits);
    sql("UPDATE credit.seminar SET status = 'published' WHERE seminar_no = 'S2026-0001'");
    assert_row(&upload, 1, "waiting", "no_my_page");
    assert_row(&upload, 2, "unmatched", "doctor_unknown");
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
}

static void any_failure_is_repeated(void **state)
{
    for (uint64_t place = 1; place <= 5; place++) {
        const long long good = number_of("active", (int)place);
        struct sent upload = post_file("S2026-0001", text("%s9999999,1,OPL-S\n", header));
        bool failed;

        fail_at((struct fault){place, false});
        inject(EVENT_ROW_FIX,
               "{" WHO ",\"upload_id\":\"%s\",\"row_no\":1,\"columns\":[\"register_no\"],"
               "\"values\":[\"%lld\"]}",
               upload.id, good);
        failed = handle_at(0) != ERR_OK;
        assert_true(failed || place == 5); /* four batches: that many can fail */
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

/* ---- dry runs ---- */

static void sweep_orphans(void)
{
    bool never = false;

    credit_orphans_sweep(&credit);
    for (int i = 0; i < 1000 && credit.orphans_running; i++)
        (void)loop_run_until(bench.loop, &never, 5);
    assert_false(credit.orphans_running);
}

static void post_dry_run(const struct sent *upload)
{
    inject(EVENT_UPLOAD_POST, "{" WHO ",\"upload_id\":\"%s\"}", upload->id);
    assert_int_equal(handle_at(waiting() - 1), ERR_OK);
}

static void a_dry_run_is_posted(void **state)
{
    struct sent dry = send_dry_run("S2026-0001", sample("13-same-doctor-twice.csv"));
    struct sent real = dry;

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
    sweep_orphans();
    assert_int_equal(
        count("SELECT count(*) FROM credit.upload_row WHERE upload_no = %lld", (long long)dry.no),
        0);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_past"), 0);
}

/* ---- notes ---- */

/* "row value row value", of rows with a note. */
static void assert_notes(const struct sent *upload, const char *wanted)
{
    assert_int_equal(count("SELECT (coalesce(string_agg(concat_ws(' ', row_no,"
                           "  notes -> 0 ->> 'value'), ' ' ORDER BY row_no), '') = '%s')::int"
                           " FROM portal.upload_row WHERE upload_id = '%s'"
                           "  AND notes <> '[]' AND notes @? '$[*] ? (@.code == \"lost_character\""
                           "   && @.column == \"氏名\" && @.detail like_regex \"失われた文字\""
                           "   && @.cure_en like_regex \"UTF-8\")'",
                           wanted, upload->id),
                     1);
}

/* It is told whatever becomes of the row, as it is now; and is no problem of it. */
static void a_lost_character_is_noted(void **state)
{
    const long long good = number_of("active", 0);
    const struct str file =
        text("医籍登録番号,氏名,出欠\n%lld,山?太郎,\n%lld,高橋一,\n9999999,?野,\n%lld,?,×\n%lld,"
             "山?太郎,\n",
             good, number_of("active", 1), number_of("active", 2), good);
    struct sent upload = send_dry_run("S2026-0014", file);

    (void)state;
    drain();
    assert_counts(&upload, (const int64_t[]){2, 1, 0, 1, 1, 0});
    assert_notes(&upload, "1 山?太郎 3 ?野 5 山?太郎");
    post_dry_run(&upload);
    drain();
    upload.no = count("SELECT upload_no FROM credit.upload WHERE upload_id = '%s'", upload.id);
    sweep_orphans();
    assert_int_equal(count("SELECT count(*) FROM credit.row_note"), 3);
    assert_notes(&upload, "1 山?太郎 3 ?野 5 山?太郎");
    fix(&upload, 3, "\"name\"", "\"?見\"");
    assert_notes(&upload, "1 山?太郎 3 ?見 5 山?太郎");
    fix(&upload, 3, "\"register_no\"", text("\"%lld\"", number_of("active", 3)).data);
    assert_row(&upload, 3, "posted", "");
    assert_notes(&upload, "1 山?太郎 3 ?見 5 山?太郎");
}

/* Mended with the name whole, the row has nothing more to tell. */
static void a_whole_name_takes_the_note_away(void **state)
{
    struct sent upload = post_file("S2026-0014", text("医籍登録番号,氏名\n9999999,?野\n"));

    (void)state;
    assert_notes(&upload, "1 ?野");
    fix(&upload, 1, "\"name\"", "\"髙野\"");
    assert_notes(&upload, "");
    assert_int_equal(count("SELECT count(*) FROM credit.row_note"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_sort_of_mistake_is_mended, clean),
        cmocka_unit_test_setup(half_a_fix_stays_and_the_next_goes_on, clean),
        cmocka_unit_test_setup(what_is_mended_is_counted, clean),
        cmocka_unit_test_setup(what_stands_or_is_not_there_cannot_be_mended, clean),
        cmocka_unit_test_setup(rows_of_a_cancelled_seminar_do_not_post, clean),
        cmocka_unit_test_setup(any_failure_is_repeated, clean),
        cmocka_unit_test_setup(a_corrected_file_leaves_the_old_row, clean),
        cmocka_unit_test_setup(a_near_number_is_told_not_taken, clean),
        cmocka_unit_test_setup(a_dry_run_is_posted, clean),
        cmocka_unit_test_setup(a_lost_character_is_noted, clean),
        cmocka_unit_test_setup(a_whole_name_takes_the_note_away, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
