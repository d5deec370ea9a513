/*
 * Posting chunks: the sample files, a large file in steps and chunks against the pure part,
 * messages out of order, twice and after crashes, pointers that are none.
 */
#include <dirent.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>

#include "credit_check.h"

enum { FILES_EXPECTED = 33, LARGE_ROWS = 30000 };

static void every_sample_file(void **state)
{
    DIR *folder = opendir(TEST_SOURCE_DIR "/" FOLDER "/expected");
    int files = 0;

    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        json_t *wanted;
        struct sent upload;

        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        clean(state);
        wanted = json_load_file(text(TEST_SOURCE_DIR "/" FOLDER "/expected/%s", entry->d_name).data,
                                0, NULL);
        assert_non_null(wanted);
        bench_clock(bench_text(wanted, "now"));
        upload = post_file(bench_text(wanted, "seminar_no"), sample(bench_text(wanted, "file")));
        check_sample(&upload, wanted);
        if (strcmp(bench_text(wanted, "status"), "done") == 0) {
            assert_books(&upload);
            check_events(&upload);
        }
        json_decref(wanted);
        files++;
    }
    closedir(folder);
    assert_int_equal(files, FILES_EXPECTED);
}

/* ---- a large file ---- */

/*
 * Rows of the ten sessions' course: 20,000 different ones, then repeats, and every so often
 * something that is wrong. Long enough for several steps.
 */
static struct str course(size_t rows)
{
    struct buf file = {0};

    buf_add_c(&file, "備考,医籍登録番号,回,種別,出欠\r\n");
    for (size_t i = 0; i < rows; i++) {
        const struct attendance_doctor *doctor = &samples->doctors[i % 2000];
        long long number = i % 97 == 96 ? 9999999 : (long long)doctor->register_no;

        buf_printf(&file, "\"%zu　ここに長い備考を書く。改行も\r\nあれば、カンマ,もある。%s\",", i,
                   "これで一行が百五十バイトほどになり、全体では四メガバイトを超える。");
        buf_printf(&file, "%lld,%zu,%s,%s\r\n", number, i / 2000 % 10 + (i % 101 == 100 ? 90 : 1),
                   i % 89 == 88 ? "OPL-S" : "", i % 83 == 82 ? "欠席" : "");
    }
    return built(&file);
}

static struct str to_cp932(struct str utf8)
{
    iconv_t conversion = iconv_open("CP932", "UTF-8");
    char *out = arena_alloc(arena, utf8.len);
    char *in_at = (char *)(uintptr_t)utf8.data;
    char *out_at = out;
    size_t in_left = utf8.len;
    size_t out_left = utf8.len;

    assert_true(conversion != (iconv_t)-1);
    assert_int_equal(iconv(conversion, &in_at, &in_left, &out_at, &out_left), 0);
    (void)iconv_close(conversion);
    return (struct str){out, utf8.len - out_left};
}

static struct run *run_course(struct str file)
{
    struct run_options options = {.seminar_no = STR("S2026-0004")};

    options.received_us = clock_now_us();
    return run_upload(samples, file, &options);
}

static void a_large_file_in_either_encoding(void **state)
{
    for (int cp932 = 0; cp932 <= 1; cp932++) {
        struct str file = course(LARGE_ROWS);
        struct run *run;
        struct sent upload;

        if (cp932)
            file = to_cp932(file);
        assert_true(file.len > 4 * 1024 * 1024);
        run = run_course(file);
        upload = post_file("S2026-0004", file);
        assert_string_equal(upload_text(&upload, "encoding"), cp932 ? "cp932" : "utf-8");
        assert_int_equal(upload_number(&upload, "rows_total"), LARGE_ROWS);
        check_against(&upload, run);
        check_events(&upload);
        assert_books(&upload);
        run_free(run);
        clean(state);
    }
}

static void no_more_than_two_chunks_are_on_their_way(void **state)
{
    struct sent upload = send_file("S2026-0004", course(12000));
    int64_t chunks = 0;

    (void)state;
    assert_int_equal(handle_at(0), ERR_OK);
    while (waiting() > 0) {
        assert_true(waiting() <= 2);
        assert_int_equal(bench_number(waiting_data(0), "chunk_no"), chunks++);
        assert_int_equal(handle_at(0), ERR_OK);
    }
    assert_int_equal(count("SELECT chunks_total FROM credit.upload"), chunks);
    assert_string_equal(upload_text(&upload, "status"), "done");
}

/* Newest first, and every other one twice: what comes too early is sent again in its turn. */
static void out_of_order_and_twice(void **state)
{
    struct str file = course(12000);
    struct sent upload = send_file("S2026-0004", file);
    struct run *run = run_course(file);
    unsigned early = 0;

    (void)state;
    assert_int_equal(handle_at(0), ERR_OK);
    for (unsigned turn = 0; waiting() > 0; turn++) {
        size_t newest = waiting() - 1;

        early += bench_number(waiting_data(newest), "chunk_no") >
                 count("SELECT next_chunk FROM credit.upload");
        if (turn % 2 == 0)
            repeat(newest);
        assert_int_equal(handle_at(newest), ERR_OK);
    }
    assert_true(early > 3);
    assert_string_equal(upload_text(&upload, "status"), "done");
    check_against(&upload, run);
    check_events(&upload);
    assert_books(&upload);
    run_free(run);
}

static void a_message_that_comes_late_changes_nothing(void **state)
{
    struct sent upload = post_file("S2026-0004", course(5000));
    int64_t version = count("SELECT version FROM credit.upload");
    int64_t events = count("SELECT count(*) FROM credit.outbox");

    (void)state;
    resend();
    assert_true(waiting() >= 2);
    drain();
    assert_int_equal(count("SELECT version FROM credit.upload"), version);
    assert_int_equal(count("SELECT count(*) FROM credit.outbox"), events);
    assert_books(&upload);
}

/* Fails at each batch that is sent, before its effect and after it. */
static void any_failure_is_repeated(void **state)
{
    for (int after = 0; after <= 1; after++) {
        for (uint64_t place = 1; place <= 16; place++) {
            struct str file = course(2500);
            struct sent upload = send_file("S2026-0004", file);
            struct run *run = run_course(file);

            fail_at((struct fault){place, after != 0});
            while (waiting() > 0) {
                if (handle_at(0) == ERR_OK)
                    continue;
                assert_int_equal(handle_at(0), ERR_OK);
                resend();
            }
            check_against(&upload, run);
            check_events(&upload);
            assert_books(&upload);
            run_free(run);
            clean(state);
        }
    }
}

/* ---- somebody else ---- */

/* The transaction of a chunk that is no more in its turn leaves nothing. */
static void a_chunk_posted_by_another_worker(void **state)
{
    struct sent upload = send_file("S2026-0001", sample("01-clean-utf8.csv"));
    int64_t events;

    (void)state;
    assert_int_equal(handle_at(0), ERR_OK);
    events = count("SELECT count(*) FROM credit.outbox");
    bench.meanwhile = "UPDATE credit.upload SET next_chunk = 1";
    assert_int_equal(handle_at(0), ERR_DB_CONFLICT);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
    assert_int_equal(count("SELECT count(*) FROM credit.outbox"), events);
    bench.meanwhile = NULL;
    assert_int_equal(handle_at(0), ERR_OK); /* nothing to do any more */
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
    assert_int_equal(upload_number(&upload, "rows_total"), 60);
}

/* The ledger's key is the backstop; judged again, the row is told apart. */
static void an_entry_that_appears_meanwhile(void **state)
{
    struct sent upload = send_file("S2026-0001", sample("01-clean-utf8.csv"));

    (void)state;
    assert_int_equal(handle_at(0), ERR_OK);
    bench.meanwhile =
        "INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
        " half_units, revision, programme, kind)"
        " SELECT d.doctor_id, s.session_id, 0, s.ends_at, 1, s.held_on, 4, 0, 'CME', 'CME-007'"
        " FROM credit.doctor d, credit.session s WHERE s.seminar_no = 'S2026-0001' LIMIT 1000";
    assert_int_equal(handle_at(0), ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    drain();
    assert_int_equal(
        count("SELECT count(*) FROM credit.ledger WHERE upload_no = %lld", (long long)upload.no),
        60 * 3 - count("SELECT count(*) FROM credit.ledger l JOIN credit.ledger m"
                       " USING (doctor_id, session_id) WHERE l.upload_no = 0"
                       " AND m.upload_no <> 0 AND m.programme = 'OP'"));
    assert_books(&upload);
}

/* ---- pointers that are none ---- */

static void die(void *service, struct work_batch *batch)
{
    credit_upload_dead(service, batch, "schema");
    flow_resume(batch->flow, ERR_OK);
}

/* A repeated message in another partition is handled at the same moment as the chunk before. */
static void a_chunk_that_comes_early_meanwhile(void **state)
{
    struct sent upload = send_file("S2026-0004", course(5000));

    (void)state;
    assert_int_equal(handle_at(0), ERR_OK);
    assert_int_equal(waiting(), 2);
    bench.meanwhile = "UPDATE credit.upload SET early_chunk = 1";
    assert_int_equal(handle_at(0), ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    assert_int_equal(handle_at(0), ERR_OK);
    assert_int_equal(waiting(), 3);
    assert_int_equal(bench_number(waiting_data(0), "chunk_no"), 1);
    assert_int_equal(bench_number(waiting_data(1), "chunk_no"), 1);
    assert_int_equal(bench_number(waiting_data(2), "chunk_no"), 2);
    bench.meanwhile = "UPDATE credit.upload SET next_chunk = 2";
    assert_int_equal(handle_at(2), ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    sql("UPDATE credit.upload SET next_chunk = 1");
    drain();
    assert_string_equal(upload_text(&upload, "status"), "done");
    assert_books(&upload);
}

static void pointers_have_to_be_those_of_reading(void **state)
{
    static const char *const changes[] = {
        "\"offset\": 1",     "\"length\": 0",        "\"length\": 1048576", "\"first_row\": 2",
        "\"first_line\": 9", "\"chunk_no\": 100000", "\"length\": -1",      "\"offset\": 99999999",
    };
    struct sent upload = send_file("S2026-0001", sample("01-clean-utf8.csv"));

    (void)state;
    assert_int_equal(handle_at(0), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        json_t *message = json_copy(waiting_data(0));
        json_t *change = json_loads(text("{%s}", changes[i]).data, 0, NULL);
        bool early = strstr(changes[i], "chunk_no") != NULL;
        enum err err;

        assert_int_equal(json_object_update(message, change), 0);
        err =
            bench_handle_all(&bench, credit_post_handle, &credit, EVENT_UPLOAD_CHUNK, &message, 1);
        assert_int_equal(err, early ? ERR_OK : ERR_SCHEMA);
        json_decref(message);
        json_decref(change);
    }
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE early_chunk IS NULL"), 1);
    drain();
    assert_int_equal(upload_number(&upload, "rows_total"), 60);
    assert_books(&upload);
}

/* A buried chunk holds up its upload, which says so; retried, the upload goes on by itself. */
static void a_buried_chunk_is_retried(void **state)
{
    struct sent upload = send_file("S2026-0004", course(7000));
    json_t *chunk;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(handle_at(0), ERR_OK);
    chunk = json_incref(waiting_data(0));
    assert_int_equal(bench_handle_all(&bench, die, &credit, EVENT_UPLOAD_CHUNK, &chunk, 1), ERR_OK);
    assert_int_equal(handle_at(1), ERR_OK); /* the one behind it comes in vain */
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE status = 'posting'"
                           " AND problem ->> 'code' = 'internal' AND early_chunk = next_chunk + 1"),
                     1);
    assert_int_equal(waiting(), 1);
    drain();
    assert_string_equal(upload_text(&upload, "status"), "done");
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE problem IS NULL"), 1);
    assert_books(&upload);
    check_events(&upload);
    /* After the end a death says nothing any more. */
    assert_int_equal(bench_handle_all(&bench, die, &credit, EVENT_UPLOAD_CHUNK, &chunk, 1), ERR_OK);
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE problem IS NULL"), 1);
    json_decref(chunk);
}

/* ---- figures ---- */

static void figures_count_what_was_committed(void **state)
{
    struct credit before = credit;

    (void)state;
    bench.committed = credit_post_committed;
    (void)post_file("S2026-0001", sample("11-many-errors.csv"));
    assert_int_equal(
        credit.figures.outcomes[OUTCOME_POSTED] - before.figures.outcomes[OUTCOME_POSTED], 11);
    assert_int_equal(
        credit.figures.outcomes[OUTCOME_REJECTED] - before.figures.outcomes[OUTCOME_REJECTED], 19);
    assert_int_equal(credit.figures.entries - before.figures.entries,
                     count("SELECT count(*) FROM credit.ledger"));
    assert_int_equal(credit.figures.chunk.count - before.figures.chunk.count, 1);
    assert_int_equal(credit.figures.visible.count - before.figures.visible.count, 1);
    resend();
    drain();
    assert_int_equal(credit.figures.chunk.count - before.figures.chunk.count, 1);
    (void)send_dry_run("S2026-0001", sample("11-many-errors.csv"));
    drain();
    assert_int_equal(credit.figures.visible.count - before.figures.visible.count, 1);
    assert_int_equal(
        credit.figures.outcomes[OUTCOME_REJECTED] - before.figures.outcomes[OUTCOME_REJECTED], 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_sample_file, clean),
        cmocka_unit_test_setup(a_large_file_in_either_encoding, clean),
        cmocka_unit_test_setup(no_more_than_two_chunks_are_on_their_way, clean),
        cmocka_unit_test_setup(out_of_order_and_twice, clean),
        cmocka_unit_test_setup(a_message_that_comes_late_changes_nothing, clean),
        cmocka_unit_test_setup(any_failure_is_repeated, clean),
        cmocka_unit_test_setup(a_chunk_posted_by_another_worker, clean),
        cmocka_unit_test_setup(an_entry_that_appears_meanwhile, clean),
        cmocka_unit_test_setup(a_chunk_that_comes_early_meanwhile, clean),
        cmocka_unit_test_setup(pointers_have_to_be_those_of_reading, clean),
        cmocka_unit_test_setup(a_buried_chunk_is_retried, clean),
        cmocka_unit_test_setup(figures_count_what_was_committed, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
