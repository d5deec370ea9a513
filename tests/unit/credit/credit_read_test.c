/* Reading an upload: refusals, pointers of chunks, several steps, repeats, crashes, orphans. */
#include <string.h>

#include "attendance/attendance_scan.h"
#include "credit_fixture.h"

/* Bytes of a reading step. */
enum { STEP_BYTES = 4 * 1024 * 1024 };

static void handle_next(void)
{
    enum err err = handle_at(0);

    if (err != ERR_OK)
        fail_msg("%s: %s", err_name(err), bench.note.text);
}

/* `rows` rows of 100 bytes and more, some with quoted breaks. */
static struct str large_file(size_t rows, const char *end)
{
    struct buf file = {0};

    buf_add_c(&file, "医籍登録番号,備考,氏名カナ\r\n");
    for (size_t i = 0; i < rows; i++)
        buf_printf(&file,
                   "%zu,%s%zu 日本語の長い備考をここに入れて行を長くする、もっと長くする%s,\r\n",
                   100000 + i, i % 7 == 0 ? "\"折り\r\n返し " : "", i, i % 7 == 0 ? "\"" : "");
    buf_add_c(&file, end);
    return built(&file);
}

static void a_small_file_takes_one_step(void **state)
{
    struct sent upload = send_file("S2026-0001", sample("01-clean-utf8.csv"));

    (void)state;
    handle_next();
    assert_string_equal(upload_text(&upload, "status"), "posting");
    assert_string_equal(upload_text(&upload, "encoding"), "utf-8");
    assert_string_equal(upload_text(&upload, "delimiter"), ",");
    assert_int_equal(upload_number(&upload, "rows_total"), 60);
    assert_int_equal(count("SELECT chunks_total FROM credit.upload"), 1);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_chunk WHERE chunk_no = 0"
                           " AND first_row = 1 AND first_line = 2 AND row_count = 60"
                           " AND posted_row IS NULL"),
                     1);
    assert_int_equal(waiting(), 1);
    assert_string_equal(waiting_type(0), EVENT_UPLOAD_CHUNK);
    assert_int_equal(count("SELECT count(*) FROM credit.outbox WHERE key = 'S2026-0001'"), 1);
}

static void a_header_alone_is_done_at_once(void **state)
{
    struct sent upload = send_file("S2026-0001", sample("23-header-only.csv"));

    (void)state;
    handle_next();
    assert_int_equal(waiting(), 0);
    assert_string_equal(upload_text(&upload, "status"), "done");
    assert_string_not_equal(upload_text(&upload, "done_at"), "");
    assert_int_equal(heard(EVENT_UPLOAD_DONE), 1);
    assert_int_equal(bench_number(heard_data(EVENT_UPLOAD_DONE, 0), "chunks_total"), 0);
    assert_string_equal(bench_text(heard_data(EVENT_UPLOAD_DONE, 0), "status"), "done");
    assert_books(&upload);
}

static void refusals_say_why_in_both_languages(void **state)
{
    static const struct {
        const char *file, *code;
        int line;
    } cases[] = {
        {"21-spreadsheet.csv", "not_text", 1},          {"22-empty.csv", "file_empty", 0},
        {"24-unclosed-quote.csv", "unclosed_quote", 5}, {"25-huge-line.csv", "line_too_long", 3},
        {"30-no-header.csv", "header_missing", 1},      {"32-column-twice.csv", "column_twice", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sent upload = send_file("S2026-0001", sample(cases[i].file));
        const json_t *problem;
        const json_t *event;

        handle_next();
        assert_int_equal(waiting(), 0);
        assert_string_equal(upload_text(&upload, "status"), "refused");
        problem =
            ask("SELECT problem FROM credit.upload WHERE upload_no = %lld", (long long)upload.no);
        assert_string_equal(bench_text(problem, "code"), cases[i].code);
        assert_int_equal(bench_number(problem, "line"), cases[i].line);
        for (size_t at = 0; at < 6; at++) {
            static const char *const words[] = {"title",    "detail",    "cure",
                                                "title_en", "detail_en", "cure_en"};

            assert_string_not_equal(bench_text(problem, words[at]), "");
            assert_null(strchr(bench_text(problem, words[at]), '{'));
        }
        event = heard_data(EVENT_UPLOAD_DONE, i);
        assert_string_equal(bench_text(event, "status"), "refused");
        assert_string_equal(bench_text(json_object_get(event, "problem"), "code"), cases[i].code);
        assert_int_equal(bench_number(json_object_get(event, "problem"), "line"), cases[i].line);
    }
    assert_int_equal(count("SELECT count(*) FROM credit.upload_chunk"), 0);
}

static void a_cancelled_seminar_comes_before_all_else(void **state)
{
    struct sent upload = send_file("S2026-0001", sample("22-empty.csv"));

    (void)state;
    sql("UPDATE credit.seminar SET status = 'cancelled' WHERE seminar_no = 'S2026-0001'");
    handle_next();
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE upload_no = %lld"
                           " AND status = 'refused' AND problem ->> 'code' = 'seminar_cancelled'"
                           " AND problem ->> 'status' = '409' AND problem -> 'line' IS NULL",
                           (long long)upload.no),
                     1);
}

/* ---- several steps ---- */

static void keep_chunk(void *arg, const struct attendance_chunk *chunk)
{
    buf_add(arg, chunk, sizeof(*chunk));
}

/* What the table holds is what one look at the whole file finds. */
static void assert_pointers(const struct sent *upload, struct str file)
{
    const struct attendance_scan_options options = {.chunk_rows_max = ATTENDANCE_CHUNK_ROWS_MAX,
                                                    .chunk_bytes_max = ATTENDANCE_CHUNK_BYTES_MAX};
    struct attendance_scan *scan = arena_new_of(arena, struct attendance_scan);
    struct buf chunks = {0};
    json_t *kept = ask("SELECT json_agg(json_build_array(chunk_no, first_row, first_line,"
                       " row_count, byte_offset, byte_length) ORDER BY chunk_no)"
                       " FROM credit.upload_chunk WHERE upload_no = %lld",
                       (long long)upload->no);

    attendance_scan_init(scan, &options);
    assert_int_equal(attendance_scan_feed(scan, file, keep_chunk, &chunks), SCAN_MORE);
    assert_int_equal(attendance_scan_end(scan, keep_chunk, &chunks), SCAN_DONE);
    assert_int_equal(json_array_size(kept), chunks.len / sizeof(struct attendance_chunk));
    for (size_t i = 0; i < json_array_size(kept); i++) {
        struct attendance_chunk chunk;
        json_t *row = json_array_get(kept, i);

        memcpy(&chunk, chunks.data + i * sizeof(chunk), sizeof(chunk));
        assert_int_equal(json_integer_value(json_array_get(row, 0)), chunk.chunk_no);
        assert_int_equal(json_integer_value(json_array_get(row, 1)), chunk.first_row);
        assert_int_equal(json_integer_value(json_array_get(row, 2)), chunk.first_line);
        assert_int_equal(json_integer_value(json_array_get(row, 3)), chunk.rows);
        assert_int_equal(json_integer_value(json_array_get(row, 4)), chunk.offset);
        assert_int_equal(json_integer_value(json_array_get(row, 5)), chunk.length);
    }
    buf_free(&chunks);
}

static void a_large_file_takes_several_steps(void **state)
{
    struct str file = large_file(90000, "");
    struct sent upload = send_file("S2026-0001", file);
    const size_t steps = (file.len + STEP_BYTES - 1) / STEP_BYTES;

    (void)state;
    assert_true(steps >= 3);
    for (size_t step = 1; step < steps; step++) {
        handle_next();
        assert_string_equal(upload_text(&upload, "status"), "reading");
        assert_int_equal(waiting(), 1);
        assert_int_equal(bench_number(waiting_data(0), "step"), step);
        assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE scan_state IS NULL"), 0);
    }
    handle_next();
    assert_string_equal(upload_text(&upload, "status"), "posting");
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE scan_state IS NULL"), 1);
    assert_int_equal(upload_number(&upload, "rows_total"), 90000);
    assert_pointers(&upload, file);
    assert_int_equal(waiting(), 2);
    for (int64_t i = 0; i < 2; i++)
        assert_int_equal(bench_number(waiting_data((size_t)i), "chunk_no"), i);
}

/* A file that ends where a step ends needs no further step. */
static void a_file_of_just_one_step(void **state)
{
    struct str file = large_file(40000, "");
    struct sent upload;

    (void)state;
    file.len = STEP_BYTES;
    while (file.data[file.len - 1] != '\n') /* a row's end, then blanks up to the step's */
        file.len--;
    memset((char *)(uintptr_t)file.data + file.len, ' ', STEP_BYTES - file.len);
    file.len = STEP_BYTES;
    upload = send_file("S2026-0001", file);
    handle_next();
    assert_string_equal(upload_text(&upload, "status"), "posting");
    assert_pointers(&upload, file);
}

static void a_step_that_comes_again_changes_nothing(void **state)
{
    struct str file = large_file(90000, "");
    struct sent upload = send_file("S2026-0001", file);

    (void)state;
    repeat(0); /* step 0 a second time: handled while the next one waits */
    handle_next();
    repeat(1); /* step 1 too */
    handle_next();
    assert_int_equal(waiting(), 2);
    while (waiting() > 0 && strcmp(waiting_type(0), EVENT_UPLOAD_READ) == 0)
        handle_next();
    assert_string_equal(upload_text(&upload, "status"), "posting");
    assert_pointers(&upload, file);
    assert_int_equal(waiting(), 2);
    inject(EVENT_UPLOAD_READ, "{\"upload_id\": \"%s\", \"step\": 0}", upload.id);
    assert_int_equal(handle_at(2), ERR_OK);
    assert_int_equal(waiting(), 2);
    assert_string_equal(upload_text(&upload, "status"), "posting");
}

static void refused_after_several_steps(void **state)
{
    struct sent upload = send_file("S2026-0001", large_file(90000, "1,\"offen,\r\n"));

    (void)state;
    drain();
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE upload_no = %lld"
                           " AND status = 'refused' AND problem ->> 'code' = 'unclosed_quote'",
                           (long long)upload.no),
                     1);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_chunk"), 0);
    assert_int_equal(heard(EVENT_UPLOAD_DONE), 1);
}

static void another_builds_state_is_read_anew(void **state)
{
    struct str file = large_file(90000, "");
    struct sent upload = send_file("S2026-0001", file);

    (void)state;
    handle_next();
    sql("UPDATE credit.upload SET scan_state = set_byte(scan_state, 8, 255)");
    handle_next();
    assert_string_equal(upload_text(&upload, "status"), "received");
    assert_int_equal(count("SELECT count(*) FROM credit.upload_chunk"), 0);
    assert_int_equal(bench_number(waiting_data(0), "step"), 0);
    while (strcmp(waiting_type(0), EVENT_UPLOAD_READ) == 0)
        handle_next();
    assert_string_equal(upload_text(&upload, "status"), "posting");
    assert_pointers(&upload, file);
}

/* ---- failures ---- */

/* Fails at every statement it sends, before its effect and after it: the end is the same. */
static void any_failure_is_repeated(void **state)
{
    for (int after = 0; after <= 1; after++) {
        for (uint64_t place = 1; place <= 14; place++) {
            struct str file = large_file(45000, ""); /* goes with each round */
            struct sent upload = send_file("S2026-0001", file);

            fail_at((struct fault){place, after != 0});
            while (waiting() > 0 && strcmp(waiting_type(0), EVENT_UPLOAD_READ) == 0) {
                if (handle_at(0) == ERR_OK)
                    continue;
                /* It comes again, whether or not it had its effect; and so does all it sent. */
                assert_int_equal(handle_at(0), ERR_OK);
                resend();
            }
            db_set_fault(bench.db, NULL, NULL);
            assert_string_equal(upload_text(&upload, "status"), "posting");
            if (place % 7 == 0)
                assert_pointers(&upload, file);
            clean(state);
        }
    }
}

static void die(void *service, struct work_batch *batch)
{
    credit_upload_dead(service, batch, "schema");
    flow_resume(batch->flow, ERR_OK);
}

/* A part is gone: the message is buried, its upload says so; when it is retried the file is read.
 */
static void a_message_that_cannot_be_handled(void **state)
{
    struct sent upload = send_file("S2026-0001", large_file(30000, ""));
    json_t *message = waiting_data(0);

    (void)state;
    sql("CREATE TABLE credit.gone AS SELECT * FROM credit.upload_part WHERE part_no = 2;"
        "DELETE FROM credit.upload_part WHERE part_no = 2");
    assert_int_equal(handle_at(0), ERR_SCHEMA);
    assert_int_equal(bench_handle_all(&bench, die, &credit, EVENT_UPLOAD_READ, &message, 1),
                     ERR_OK);
    assert_string_equal(upload_text(&upload, "status"), "received");
    assert_int_equal(
        count("SELECT count(*) FROM credit.upload WHERE problem ->> 'code' = 'internal'"
              " AND problem ->> 'title_en' <> ''"),
        1);
    sql("INSERT INTO credit.upload_part SELECT * FROM credit.gone; DROP TABLE credit.gone");
    assert_int_equal(handle_at(0), ERR_OK);
    assert_string_equal(upload_text(&upload, "status"), "posting");
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE problem IS NULL"), 1);
}

static void strange_messages_are_refused(void **state)
{
    static const char *const cases[] = {
        "{\"upload_id\": \"0190a000-0000-7000-8000-000000000001\", \"step\": 0}",
        "{\"upload_id\": \"0190a000\", \"step\": 0}",
        "{\"upload_id\": \"0190a000-0000-7000-8000-000000000001\", \"step\": -1}",
        "{\"step\": 0}",
        "{}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *message;

        inject(EVENT_UPLOAD_READ, "%s", cases[i]);
        message = waiting_data(i);
        assert_int_equal(handle_at(i), ERR_SCHEMA);
        assert_int_equal(bench_handle_all(&bench, die, &credit, EVENT_UPLOAD_READ, &message, 1),
                         ERR_OK);
    }
    assert_int_equal(
        bench_handle_all(&bench, die, &credit, EVENT_UPLOAD_READ, (json_t *[]){NULL}, 1), ERR_OK);
}

/* ---- parts without an upload ---- */

static void wait_for_sweep(void)
{
    bool never = false;

    for (int i = 0; i < 1000 && credit.orphans_running; i++)
        (void)loop_run_until(bench.loop, &never, 5);
    assert_false(credit.orphans_running);
}

static void orphans_go_after_an_hour(void **state)
{
    static const char insert[] =
        "INSERT INTO credit.upload_part SELECT gen_random_uuid(), n, 'x',"
        " timestamptz '" NOW "' - interval '%s' FROM generate_series(0, %d) AS n";

    (void)state;
    (void)post_file("S2026-0001", sample("01-clean-utf8.csv"));
    sql("UPDATE credit.upload_part SET created_at = created_at - interval '3 hours'");
    sql(insert, "61 minutes", 249);
    sql(insert, "59 minutes", 4);
    sql(insert, "40 days", 0);
    credit_orphans_sweep(&credit);
    credit_orphans_sweep(&credit); /* while one is running */
    wait_for_sweep();
    assert_int_equal(count("SELECT count(*) FROM credit.upload_part"), 1 + 5);
    /* Afterwards it looks back for a day only. */
    sql(insert, "61 minutes", 0);
    sql(insert, "26 hours", 0);
    credit_orphans_sweep(&credit);
    wait_for_sweep();
    assert_int_equal(count("SELECT count(*) FROM credit.upload_part"), 1 + 5 + 1);
    assert_true(credit.orphans_swept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_small_file_takes_one_step, clean),
        cmocka_unit_test_setup(a_header_alone_is_done_at_once, clean),
        cmocka_unit_test_setup(refusals_say_why_in_both_languages, clean),
        cmocka_unit_test_setup(a_cancelled_seminar_comes_before_all_else, clean),
        cmocka_unit_test_setup(a_large_file_takes_several_steps, clean),
        cmocka_unit_test_setup(a_file_of_just_one_step, clean),
        cmocka_unit_test_setup(a_step_that_comes_again_changes_nothing, clean),
        cmocka_unit_test_setup(refused_after_several_steps, clean),
        cmocka_unit_test_setup(another_builds_state_is_read_anew, clean),
        cmocka_unit_test_setup(any_failure_is_repeated, clean),
        cmocka_unit_test_setup(a_message_that_cannot_be_handled, clean),
        cmocka_unit_test_setup(strange_messages_are_refused, clean),
        cmocka_unit_test_setup(orphans_go_after_an_hour, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
