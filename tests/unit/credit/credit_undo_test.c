/* Undo of a whole upload: what stands is taken back in slices, and nothing more of it posts. */
#include <stdlib.h>
#include <string.h>

#include "credit_check.h"

#define ACTOR "0190a000-0000-7000-8000-0000000000b1"
#define REASON "別の研修会の出席簿でした。"
#define STANDS                                                                                     \
    " credit.ledger l WHERE l.revision %% 2 = 0 AND NOT EXISTS (SELECT FROM credit.ledger n"       \
    " WHERE n.doctor_id = l.doctor_id AND n.session_id = l.session_id"                             \
    "  AND n.programme = l.programme AND n.revision = l.revision + 1)"

static int operations;

/* Behind the messages that wait. */
static void send_undo(const struct sent *upload)
{
    inject(EVENT_UPLOAD_UNDO,
           "{\"operation_id\":\"0190a000-0000-7000-8000-%012d\",\"actor_id\":\"" ACTOR "\","
           "\"role\":\"office_l2\",\"office_code\":\"13\",\"reason\":\"" REASON "\","
           "\"upload_id\":\"%s\"}",
           ++operations, upload->id);
}

static void undo(const struct sent *upload)
{
    send_undo(upload);
    drain();
}

static int64_t standing(void)
{
    return count("SELECT count(*) FROM" STANDS);
}

static int64_t sum(void)
{
    return count("SELECT coalesce(sum(half_units), 0) FROM credit.ledger");
}

/* Rows of the course 33, `rows` of them: more than one chunk when they are many. */
static struct str many(size_t rows)
{
    const struct str whole = sample("33-course-5000.csv");
    size_t at = 0;

    for (size_t line = 0; line <= rows && at < whole.len; at++)
        line += whole.data[at] == '\n';
    return (struct str){whole.data, at};
}

/* Corrections that others heard of, in slices that are numbered; gives their entries. */
static size_t check_corrections(void)
{
    size_t entries = 0;
    int64_t slices = 0;
    bool last = false;

    for (size_t i = 0; i < heard(EVENT_CREDITS_POSTED); i++) {
        const json_t *event = heard_data(EVENT_CREDITS_POSTED, i);
        const json_t *about = json_object_get(event, "correction");
        size_t count = json_array_size(json_object_get(event, "doctor_ids"));

        if (!json_is_object(about))
            continue;
        assert_false(last);
        assert_string_equal(bench_text(about, "cause"), "undo");
        assert_string_equal(bench_text(about, "reason"), REASON);
        assert_int_equal(bench_number(about, "slice_no"), slices++);
        assert_in_range(count, 0, 1000);
        last = json_is_true(json_object_get(about, "last"));
        entries += count;
    }
    assert_true(last);
    return entries;
}

static void all_is_taken_back_and_can_be_posted_again(void **state)
{
    struct str file = sample("01-clean-utf8.csv");
    struct sent first = post_file("S2026-0001", file), again;
    const int64_t entries = standing(), units = sum();

    (void)state;
    undo(&first);
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(bench_text(bench.answer, "upload_id"), first.id);
    assert_int_equal(standing(), 0);
    assert_int_equal(sum(), 0);
    assert_string_equal(upload_text(&first, "status"), "undone");
    assert_counts(&first, (const int64_t[]){60, 0, 0, 0, 0, 0});
    assert_int_equal(check_corrections(), entries);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE revision = 1"
                           " AND reason = '" REASON "' AND actor = '" ACTOR "'"
                           " AND actor_role = 'office_l2' AND actor_code = '13'"),
                     entries);
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE action = 'upload_undo'"
                           " AND subject = '%s'",
                           first.id),
                     1);
    assert_books(&first);
    again = post_file("S2026-0001", file);
    assert_counts(&again, (const int64_t[]){60, 0, 0, 0, 0, 0});
    assert_int_equal(sum(), units);
    /* Once more changes nothing, and what stands now belongs to another upload. */
    undo(&first);
    assert_string_equal(bench_text(bench.answer, "upload_id"), first.id);
    assert_int_equal(standing(), entries);
    undo(&again);
    assert_int_equal(standing(), 0);
    assert_int_equal(count("SELECT max(revision) FROM credit.ledger"), 3);
    assert_books(&again);
}

/* ---- on random files: posting and undoing leaves what was there before ---- */

enum { ROUNDS = 12, ROUND_ROWS_MAX = 40, ROUND_DOCTORS = 15 };

/* Few doctors, so that they come again, in this file and in earlier ones. */
static struct str some_file(unsigned *random)
{
    static const char *const kinds[] = {"", "", "OPB-K", "OPL-S", "CME-007", "OPL-S/CME-007", "ZZ"};
    const unsigned rows = 1 + (unsigned)rand_r(random) % ROUND_ROWS_MAX;
    struct buf file = {0};

    buf_add_c(&file, "医籍登録番号,回,種別\n");
    for (unsigned i = 0; i < rows; i++) {
        const size_t which = (size_t)rand_r(random) % ROUND_DOCTORS;
        const size_t doctor = which * (samples->doctor_count / ROUND_DOCTORS);

        buf_printf(&file, "%lld,1,%s\n", (long long)samples->doctors[doctor].register_no,
                   kinds[(size_t)rand_r(random) % ARRAY_LEN(kinds)]);
    }
    return built(&file);
}

/* Credits that stand, of all uploads or of one, and who waits for one. */
static json_t *books(int64_t upload_no)
{
    return ask("SELECT json_build_array((SELECT json_agg(json_build_array(l.doctor_id,"
               "  l.session_id, l.programme, l.kind, l.half_units) ORDER BY l.doctor_id,"
               "  l.session_id, l.programme) FROM" STANDS " AND %lld IN (0, l.upload_no)),"
               " (SELECT json_agg(json_build_array(r.doctor_id, r.session_id, r.credits)"
               "  ORDER BY r.doctor_id, r.session_id) FROM credit.upload_row r"
               "  WHERE r.outcome = 'waiting' AND r.credits IS NOT NULL"
               "   AND %lld IN (0, r.upload_no)))",
               (long long)upload_no, (long long)upload_no);
}

static void post_and_undo_is_as_before(void **state)
{
    const char *given = getenv("MAMIS_SEED");
    unsigned random = given == NULL ? (unsigned)clock_mono_us() : (unsigned)atol(given);

    (void)state;
    print_message("MAMIS_SEED=%u\n", random);
    for (int round = 0; round < ROUNDS; round++) {
        const struct str file = some_file(&random);
        json_t *before = books(0);
        struct sent first = post_file("S2026-0001", file), again;
        json_t *posted = books(first.no);

        undo(&first);
        assert_true(json_equal(books(0), before));
        again = post_file("S2026-0001", file);
        assert_true(json_equal(books(again.no), posted));
        assert_books(&first);
        assert_books(&again);
    }
    assert_int_not_equal(standing(), 0);
    assert_int_not_equal(count("SELECT count(*) FROM credit.upload_row WHERE credits IS NOT NULL"),
                         0);
}

static void what_was_cancelled_before_is_left_alone(void **state)
{
    struct sent upload = post_file("S2026-0001", sample("01-clean-utf8.csv")), second;
    const int64_t entries = standing();

    (void)state;
    sql("INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
        " half_units, revision, programme, kind, reason, actor, actor_role)"
        " SELECT doctor_id, session_id, upload_no, posted_at, row_no, held_on, -half_units, 1,"
        "  programme, kind, 'test', '" ACTOR "', 'organiser' FROM credit.ledger WHERE row_no <= 10"
        "  AND programme = 'OP'");
    second = post_file("S2026-0001", sample("01-clean-utf8.csv"));
    assert_counts(&second, (const int64_t[]){10, 50, 0, 0, 0, 0});
    undo(&upload);
    assert_int_equal(standing(), 10);
    assert_int_equal(check_corrections(), entries - 10);
    assert_int_equal(
        count("SELECT count(*) FROM" STANDS " AND l.upload_no = %lld", (long long)second.no), 10);
    assert_books(&upload);
}

static void a_large_one_goes_in_slices(void **state)
{
    struct sent upload = post_file("S2026-0004", many(5000));
    const int64_t entries = standing();
    size_t slices = 1;

    (void)state;
    assert_in_range(entries, 3000, INT32_MAX);
    send_undo(&upload);
    assert_int_equal(handle_at(0), ERR_OK);
    assert_false(bench.answered);
    assert_string_equal(upload_text(&upload, "status"), "done");
    assert_true(json_is_null(json_object_get(
        ask("SELECT json->'undo' FROM portal.upload WHERE upload_id = '%s'", upload.id),
        "done_at")));
    for (; waiting() > 0; slices++) {
        assert_int_equal(waiting(), 1);
        repeat(0); /* it comes twice, and the second finds nothing to do */
        assert_int_equal(handle_at(0), ERR_OK);
        if (waiting() == 2) {
            assert_int_equal(handle_at(0), ERR_OK);
            continue;
        }
        assert_true(bench.answered);
        assert_int_equal(handle_at(0), ERR_OK);
    }
    assert_in_range(slices, entries / 1000, entries / 1000 + 6);
    assert_int_equal(check_corrections(), entries);
    assert_int_equal(count("SELECT entries FROM credit.undo WHERE slice_no = %zu", slices),
                     entries);
    assert_int_equal(standing(), 0);
    assert_string_equal(upload_text(&upload, "status"), "undone");
    assert_books(&upload);
}

static void nothing_posts_once_it_was_accepted(void **state)
{
    struct sent upload = send_file("S2026-0004", many(5000)), again;
    size_t chunks = 0;

    (void)state;
    assert_int_equal(handle_at(0), ERR_OK); /* read */
    assert_int_equal(handle_at(0), ERR_OK); /* the first chunk */
    assert_in_range(standing(), 1, 12000);
    chunks = waiting();
    assert_in_range(chunks, 1, 3);
    send_undo(&upload);
    assert_int_equal(handle_at(chunks), ERR_OK); /* before the chunks that wait */
    drain();
    assert_string_equal(upload_text(&upload, "status"), "undone");
    assert_int_equal(standing(), 0);
    assert_int_equal(upload_number(&upload, "rows_total"), 5000);
    assert_int_equal(heard(EVENT_UPLOAD_DONE), 0);
    check_corrections();
    again = post_file("S2026-0004", many(5000));
    assert_string_equal(upload_text(&again, "status"), "done");
    assert_books(&again);
}

static void an_upload_not_read_yet_ends_at_once(void **state)
{
    struct sent upload = send_file("S2026-0001", sample("01-clean-utf8.csv"));

    (void)state;
    send_undo(&upload);
    assert_int_equal(handle_at(1), ERR_OK);
    assert_true(bench.answered);
    drain();
    assert_string_equal(upload_text(&upload, "status"), "undone");
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
    assert_int_equal(check_corrections(), 0);
    assert_string_not_equal(upload_text(&upload, "done_at"), "");
}

static void refused_and_tried_ones_have_nothing_to_undo(void **state)
{
    struct sent upload = post_file("S2026-0001", sample("24-unclosed-quote.csv"));

    (void)state;
    undo(&upload);
    assert_string_equal(bench.answer_code, "upload_state");
    upload = send_dry_run("S2026-0001", sample("01-clean-utf8.csv"));
    drain();
    undo(&upload);
    assert_string_equal(bench.answer_code, "upload_state");
    assert_int_equal(count("SELECT count(*) FROM credit.undo"), 0);
}

static void rows_that_wait_end_and_leave_it_to_others(void **state)
{
    const long long doctor =
        (long long)count("SELECT register_no FROM credit.doctor WHERE my_page = 'none'"
                         " ORDER BY doctor_id LIMIT 1");
    struct str file = text("医籍登録番号,セッション番号,単位種別\n%lld,1,OPL-S\n", doctor);
    struct sent first = post_file("S2026-0001", file);
    struct sent second = post_file("S2026-0001", file);
    struct sent third = post_file("S2026-0001", file);

    (void)state;
    undo(&first);
    assert_counts(&first, (const int64_t[]){0, 0, 1, 0, 0, 0});
    assert_int_equal(count("SELECT upload_no FROM credit.upload_row WHERE credits IS NOT NULL"),
                     second.no);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row"
                           " WHERE credits = '[[\"OPL-S\", 4]]'"),
                     1);
    undo(&second);
    assert_int_equal(count("SELECT upload_no FROM credit.upload_row WHERE credits IS NOT NULL"),
                     third.no);
    undo(&third);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE credits IS NOT NULL"), 0);
    assert_books(&first);
}

/* Everything in order; what fails is handled once more. */
static void go_through(void)
{
    while (waiting() > 0) {
        if (handle_at(0) != ERR_OK)
            assert_int_equal(handle_at(0), ERR_OK);
    }
}

/* Wherever the connection is lost, before a commit or after it. */
static void failures_at_each_batch(void **state)
{
    for (int after = 0; after < 2; after++) {
        for (uint64_t place = 1; place <= 8; place++) {
            struct sent upload = post_file("S2026-0004", many(1500));
            const int64_t entries = standing();

            send_undo(&upload);
            fail_at((struct fault){place, after != 0});
            go_through();
            resend();
            go_through();
            assert_int_equal(standing(), 0);
            assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 2 * entries);
            assert_string_equal(upload_text(&upload, "status"), "undone");
            assert_books(&upload);
            clean(state);
        }
    }
}

static void bury(void *service, struct work_batch *batch)
{
    credit_undo_dead(service, batch, "internal");
    flow_resume(batch->flow, ERR_OK);
}

static void a_slice_that_died_is_told(void **state)
{
    struct sent upload = post_file("S2026-0004", many(1500));

    (void)state;
    send_undo(&upload);
    assert_int_equal(handle_at(0), ERR_OK);
    assert_string_equal(waiting_type(0), EVENT_UPLOAD_UNDO_SLICE);
    assert_int_equal(bench_handle(&bench, bury, &credit, EVENT_UPLOAD_UNDO_SLICE,
                                  "{\"upload_id\":\"%s\",\"slice_no\":1}", upload.id),
                     ERR_OK);
    assert_int_equal(
        count("SELECT count(*) FROM credit.upload WHERE problem ->> 'code' = 'internal'"
              " AND status = 'done'"),
        1);
    drain();
    assert_string_equal(upload_text(&upload, "status"), "undone");
    assert_int_equal(count("SELECT count(*) FROM credit.upload WHERE problem IS NULL"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_is_taken_back_and_can_be_posted_again, clean),
        cmocka_unit_test_setup(post_and_undo_is_as_before, clean),
        cmocka_unit_test_setup(what_was_cancelled_before_is_left_alone, clean),
        cmocka_unit_test_setup(a_large_one_goes_in_slices, clean),
        cmocka_unit_test_setup(nothing_posts_once_it_was_accepted, clean),
        cmocka_unit_test_setup(an_upload_not_read_yet_ends_at_once, clean),
        cmocka_unit_test_setup(refused_and_tried_ones_have_nothing_to_undo, clean),
        cmocka_unit_test_setup(rows_that_wait_end_and_leave_it_to_others, clean),
        cmocka_unit_test_setup(failures_at_each_batch, clean),
        cmocka_unit_test_setup(a_slice_that_died_is_told, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
