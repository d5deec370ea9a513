/*
 * Chunks that ask for nothing, since the ledger's key tells what they repeat: when that is so, and
 * that every row comes to the same as if it had been asked.
 */
#include "credit/credit_match.h"
#include "credit_check.h"

#define SEMINAR "S2026-0002" /* one session, one kind */
enum {
    ROW_BYTES = 200, /* by a remark: the samples have fewer doctors than a chunk takes short rows */
    CHUNK_ROWS = ATTENDANCE_CHUNK_BYTES_MAX / ROW_BYTES,
    NEW_ROWS = 100, /* of a chunk that repeats the others of an earlier one */
};

static bool may_post(const struct attendance_doctor *doctor)
{
    return doctor->my_page == MY_PAGE_ACTIVE;
}

static void add_row(struct buf *file, int64_t register_no)
{
    const size_t end = file->len + ROW_BYTES - 1;

    buf_printf(file, "%lld,1,", (long long)register_no);
    while (file->len < end)
        buf_add_char(file, '-');
    buf_add_char(file, '\n');
}

/* Rows `from` to below `to` of doctors who have their My Page, for the first session. */
static void add_rows(struct buf *file, size_t from, size_t to)
{
    size_t at = 0;

    for (size_t i = 0; i < samples->doctor_count; i++) {
        const struct attendance_doctor *doctor = &samples->doctors[i];

        if (!may_post(doctor))
            continue;
        if (at >= from && at < to)
            add_row(file, doctor->register_no);
        at++;
    }
    assert_true(at >= to);
}

static void begin(struct buf *file)
{
    buf_add_c(file, "医籍登録番号,回,備考\n");
}

static struct run *run_seminar(struct str file)
{
    struct run_options options = {.seminar_no = STR(SEMINAR), .received_us = clock_now_us()};

    return run_upload(samples, file, &options);
}

/* The second chunk repeats rows of the first: refused by the key, judged again by asking. */
static void rows_of_an_earlier_chunk(void **state)
{
    struct buf text = {0};
    struct str file;
    struct sent upload;
    struct run *run;

    (void)state;
    begin(&text);
    add_rows(&text, 0, CHUNK_ROWS);
    add_rows(&text, NEW_ROWS, CHUNK_ROWS + NEW_ROWS);
    add_rows(&text, 0, CHUNK_ROWS);
    file = built(&text);
    run = run_seminar(file);
    upload = send_file(SEMINAR, file);
    assert_int_equal(handle_at(0), ERR_OK); /* reading */
    assert_int_equal(handle_at(0), ERR_OK);
    assert_int_equal(handle_at(0), ERR_DB_CONFLICT);
    assert_int_equal(handle_at(0), ERR_OK);
    assert_int_equal(upload_number(&upload, "rows_total"), 3 * CHUNK_ROWS);
    drain(); /* from now on the upload has repeats: every chunk asks */
    check_against(&upload, run);
    check_events(&upload);
    assert_books(&upload);
    run_free(run);
}

/* What was taken back meanwhile is posted again, with the next revision. */
static void a_credit_that_was_taken_back_meanwhile(void **state)
{
    struct buf text = {0};
    struct sent upload;

    (void)state;
    begin(&text);
    add_rows(&text, 0, CHUNK_ROWS);
    add_rows(&text, 0, 1);
    upload = send_file(SEMINAR, built(&text));
    assert_int_equal(handle_at(0), ERR_OK);
    assert_int_equal(handle_at(0), ERR_OK);
    sql("INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
        " half_units, revision, programme, kind, reason, actor_role)"
        " SELECT doctor_id, session_id, upload_no, posted_at, row_no, held_on, -half_units, 1,"
        " programme, kind, '取り消し', 'organiser' FROM credit.ledger WHERE row_no = 1");
    assert_int_equal(handle_at(0), ERR_DB_CONFLICT);
    drain();
    assert_int_equal(count("SELECT revision FROM credit.ledger WHERE row_no = %d", CHUNK_ROWS + 1),
                     2);
    assert_int_equal(upload_number(&upload, "rows_total"), CHUNK_ROWS + 1);
}

/* Who has lost his My Page meanwhile would wait, had he not been posted before: that is asked. */
static void a_row_that_would_wait(void **state)
{
    struct buf text = {0};
    struct sent upload;

    (void)state;
    begin(&text);
    add_rows(&text, 0, CHUNK_ROWS);
    add_rows(&text, 0, 1);
    upload = send_file(SEMINAR, built(&text));
    assert_int_equal(handle_at(0), ERR_OK);
    assert_int_equal(handle_at(0), ERR_OK);
    sql("UPDATE credit.doctor SET my_page = 'none' WHERE doctor_id ="
        " (SELECT doctor_id FROM credit.ledger WHERE row_no = 1)");
    assert_int_equal(handle_at(0), ERR_OK);
    assert_row(&upload, CHUNK_ROWS + 1, "already_posted", "same_upload");
    sql("UPDATE credit.doctor SET my_page = 'active' WHERE doctor_id ="
        " (SELECT doctor_id FROM credit.ledger WHERE row_no = 1)");
}

/* Another file for the same seminar asks at once: nothing is refused. */
static void the_same_file_again(void **state)
{
    struct buf text = {0};
    struct str file;
    struct sent upload;

    (void)state;
    begin(&text);
    add_rows(&text, 0, 60);
    file = built(&text);
    (void)post_file(SEMINAR, file);
    upload = post_file(SEMINAR, file);
    assert_row(&upload, 60, "already_posted", "earlier_upload");
    assert_int_equal(upload_number(&upload, "rows_total"), 60);
}

/* ---- parts of the ledger ---- */

static void look_at_ledger(uint32_t part_mib)
{
    bool never = false;

    credit_settings.ledger_part_mib = part_mib;
    credit_ledger_look(&credit);
    credit_ledger_look(&credit); /* while one is running */
    for (int i = 0; i < 1000 && credit.ledger_looking; i++)
        (void)loop_run_until(bench.loop, &never, 5);
    assert_false(credit.ledger_looking);
}

static void announce(const char *seminar_no)
{
    sql("INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
        " SELECT '%s', title, organiser_code FROM credit.seminar WHERE seminar_no = '" SEMINAR "'",
        seminar_no);
    sql("INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
        " delivery, grace_minutes, offers) SELECT '%s', session_no, title, starts_at, ends_at,"
        " held_on, delivery, grace_minutes, offers FROM credit.session"
        " WHERE seminar_no = '" SEMINAR "'",
        seminar_no);
}

static int64_t entries_of(const char *part, const char *seminar_no)
{
    return count("SELECT count(*) FROM credit.ledger AS l JOIN credit.session USING (session_id)"
                 " WHERE seminar_no = '%s' AND l.tableoid = 'credit.%s'::regclass",
                 seminar_no, part);
}

/* ... by the planner, all parts together. */
static int64_t columns_looked_at(void)
{
    return count("SELECT count(*) FROM pg_stats WHERE schemaname = 'credit'"
                 " AND tablename = 'ledger' AND inherited");
}

/* A part is made, then begun by the sessions announced after that; both go on being one ledger. */
static void a_part_that_is_large_enough(void **state)
{
    static const char *const seminars[] = {SEMINAR, "S2026-9001", "S2026-9002"};
    struct buf text = {0};
    struct str file;

    (void)state;
    begin(&text);
    add_rows(&text, 0, 60);
    file = built(&text);
    (void)post_file(SEMINAR, file);
    look_at_ledger(512);
    assert_int_equal(credit.figures.ledger_parts, 1);
    assert_int_equal(columns_looked_at(), 0);
    sql("ANALYZE credit.ledger_0");
    look_at_ledger(512);
    assert_true(columns_looked_at() > 0);
    look_at_ledger(0);
    assert_int_equal(credit.figures.ledger_parts, 2);
    announce(seminars[1]);
    look_at_ledger(512);
    look_at_ledger(512);
    assert_int_equal(credit.figures.ledger_parts, 2);
    /* The planner does not know that it is empty: it would keep reading the whole of it. */
    assert_int_equal(count("SELECT reltuples::int FROM pg_class"
                           " WHERE oid = 'credit.ledger_1'::regclass"),
                     -1);
    announce(seminars[2]);
    for (size_t i = 0; i < ARRAY_LEN(seminars); i++) {
        struct sent upload = post_file(seminars[i], file);

        assert_int_equal(entries_of("ledger_0", seminars[i]), i < 2 ? 60 : 0);
        assert_int_equal(entries_of("ledger_1", seminars[i]), i < 2 ? 0 : 60);
        assert_books(&upload);
        upload = post_file(seminars[i], file);
        assert_row(&upload, 60, "already_posted", "earlier_upload");
    }
    assert_int_equal(count("SELECT count(DISTINCT session_id) FROM credit.ledger GROUP BY doctor_id"
                           " LIMIT 1"),
                     3);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 3 * 60);
    assert_int_equal(
        count("SELECT count(*) FROM pg_class AS c, pg_roles AS r"
              " WHERE c.relkind = 'r' AND c.oid::regclass::text LIKE 'credit.ledger\\_%%'"
              " AND r.rolname LIKE 'mamis\\_%%' AND r.rolname <> 'mamis_owner'"
              " AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"),
        0);
}

/* ---- when the key tells ---- */

static void session_init(struct attendance_session *session, const char *offers,
                         enum delivery delivery)
{
    *session = (struct attendance_session){.delivery = delivery};
    assert_int_equal(offers_parse(str_of(offers), delivery, &session->offers), OFFERS_FINE);
}

static void when_the_key_tells(void **state)
{
    static const struct {
        const char *offers;
        enum delivery delivery;
        bool kind_named, only, dry_run, waits, repeats, tells;
    } cases[] = {
        {"CME-007:2", DELIVERY_VENUE, true, true, false, false, false, true},
        {"CME-007:2", DELIVERY_WEB, false, true, false, false, false, true},
        {"OPL-S:2;CME-007:2", DELIVERY_VENUE, false, true, false, false, false, true},
        /* One row may name the one programme, another row the other. */
        {"OPL-S:2;CME-007:2", DELIVERY_VENUE, true, true, false, false, false, false},
        /* The certificate decides, and may have changed between two rows. */
        {"OPB-K:2|OPL-S:2", DELIVERY_VENUE, false, true, false, false, false, false},
        {"OPL-J:2", DELIVERY_VISIT, false, true, false, false, false, false},
        {"CME-007:2", DELIVERY_VENUE, false, false, false, false, false, false},
        {"CME-007:2", DELIVERY_VENUE, false, true, true, false, false, false},
        {"CME-007:2", DELIVERY_VENUE, false, true, false, true, false, false},
        {"CME-007:2", DELIVERY_VENUE, false, true, false, false, true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct attendance_session sessions[2];
        struct upload upload = {
            .only = cases[i].only,
            .dry_run = cases[i].dry_run,
            .seminar = {.sessions = sessions, .count = ARRAY_LEN(sessions)},
        };
        struct attendance_header header = {.count = 2};

        upload.counts[OUTCOME_WAITING] = cases[i].waits;
        upload.counts[OUTCOME_ALREADY_POSTED] = cases[i].repeats;
        session_init(&sessions[0], "CME-001:1", DELIVERY_VENUE);
        session_init(&sessions[1], cases[i].offers, cases[i].delivery);
        header.field_of[COLUMN_KIND] = cases[i].kind_named ? 1 : -1;
        if (match_key_tells(&header, &upload) != cases[i].tells)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rows_of_an_earlier_chunk, clean),
        cmocka_unit_test_setup(a_credit_that_was_taken_back_meanwhile, clean),
        cmocka_unit_test_setup(a_row_that_would_wait, clean),
        cmocka_unit_test_setup(the_same_file_again, clean),
        cmocka_unit_test_setup(when_the_key_tells, clean),
        cmocka_unit_test_setup(a_part_that_is_large_enough, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
