/* Batches: all or nothing, order, bounds, deadlines, prepared statements, closing. */
#include "db_fixture.h"

#include <stdlib.h>
#include <string.h>

static const struct db_stmt stmt_count = {"count", "SELECT count(*) FROM thing"};
static const struct db_stmt stmt_bad = {"bad", "SELECT nothing FROM nowhere"};
static const struct db_stmt stmt_pid = {"pid", "SELECT pg_backend_pid()"};

static void a_batch_is_one_transaction(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_query *count;

    add_thing(batch, 1, "one");
    add_thing(batch, 2, "two");
    count = db_add(batch, &stmt_count);
    assert_int_equal(db_batch_count(batch), 3);
    assert_ptr_equal(db_batch_arena(batch), fx->arena);
    assert_null(*db_batch_tag(batch));
    *db_batch_tag(batch) = fx;
    assert_ptr_equal(*db_batch_tag(batch), fx);
    assert_int_equal(run(fx, batch), ERR_OK);
    assert_int_equal(db_get_i64(count, 0, 0), 2);
    assert_int_equal(things(fx), 2);
    assert_string_equal(db_batch_error_detail(batch), "");
    assert_int_equal(pg_server_i64(fx->server, "SELECT count(DISTINCT xmin::text) FROM thing"), 1);
}

static void an_empty_batch_ends_well(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(run(fx, db_batch_new(fx->arena)), ERR_OK);
}

static void turn_until_connections(struct fixture *fx, unsigned wanted)
{
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    struct db_stats stats = {0};
    bool never = false;

    while (stats.connections_up < wanted && clock_mono_ms() < end_ms) {
        (void)loop_run_until(fx->loop, &never, 2);
        db_stats(fx->pool, &stats);
    }
    assert_int_equal(stats.connections_up, wanted);
}

/* Both connections are there: what is given up from now on was sent. */
static void connect_both(struct fixture *fx)
{
    struct job *jobs[2];

    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        struct db_batch *batch = db_batch_read(fx->arena);

        add_sleep(batch, 100);
        jobs[i] = job_start(fx, batch, WAIT_MS);
    }
    turn_until_connections(fx, 2);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        assert_int_equal(job_end(jobs[i]), ERR_OK);
}

static void late_batches_are_given_up(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *read = db_batch_read(fx->arena);
    struct db_batch *write = db_batch_new(fx->arena);
    struct db_batch *after = db_batch_new(fx->arena);
    struct job *reading;
    struct job *writing;
    uint64_t from_ms;

    connect_both(fx);
    add_sleep(read, 1500);
    add_thing(write, 1, "x");
    add_sleep(write, 1500);
    from_ms = clock_mono_ms();
    reading = job_start(fx, read, 200);
    writing = job_start(fx, write, 250);
    assert_int_equal(job_end(reading), ERR_TIMEOUT);
    assert_int_equal(job_end(writing), ERR_DB_UNKNOWN); /* COMMIT was sent with it */
    assert_in_range(clock_mono_ms() - from_ms, 249, 4000);
    add_thing(after, 2, "x");
    assert_int_equal(run(fx, after), ERR_OK); /* on a new connection */
    /* The server does not know that nobody listens. */
    turn_until_i64(fx, "SELECT count(*) FROM thing WHERE id = 1", 1);
}

/* Two run, sixteen wait, the next is refused; those who wait too long go away in time. */
static void the_queue_is_bounded(void **state)
{
    struct fixture *fx = *state;
    struct job *jobs[20];
    struct db_stats stats;

    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        struct db_batch *batch = db_batch_read(fx->arena);

        add_sleep(batch, i < 2 ? 2000 : 0);
        /* The connections are made meanwhile, so the first two wait as well. */
        jobs[i] = job_start(fx, batch, i % 2 == 0 ? WAIT_MS : 500);
        if (i == 1)
            jobs[i]->deadline_ms = WAIT_MS;
        if (i == 1)
            turn_until_i64(fx, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
                           2);
    }
    assert_int_equal(job_end(jobs[18]), ERR_BUSY);
    assert_int_equal(job_end(jobs[19]), ERR_BUSY);
    db_stats(fx->pool, &stats);
    assert_int_equal(stats.waiting, 16);
    assert_int_equal(stats.busy, 2);
    assert_int_equal(stats.connections_up, 2);
    for (size_t i = 0; i < 18; i++)
        assert_int_equal(job_end(jobs[i]), i % 2 == 0 || i == 1 ? ERR_OK : ERR_TIMEOUT);
    db_stats(fx->pool, &stats);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.batches, 20);
    assert_int_equal(stats.errors, 10);
    assert_int_equal(stats.connections, 2);
    assert_true(stats.wait.count >= 10 && stats.wait.count < stats.batches);
    assert_in_range(stats.wait.sum_us, 8 * 300 * 1000, INT64_C(8) * WAIT_MS * 1000);
}

static void turn_until_waiting(struct fixture *fx, unsigned waiting, unsigned busy)
{
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    struct db_stats stats = {0};
    bool never = false;

    while ((stats.waiting != waiting || stats.busy != busy) && clock_mono_ms() < end_ms) {
        (void)loop_run_until(fx->loop, &never, 2);
        db_stats(fx->pool, &stats);
    }
    assert_int_equal(stats.waiting, waiting);
    assert_int_equal(stats.busy, busy);
}

static struct job *start_patient(struct fixture *fx, int sleep_ms)
{
    struct db_batch *batch = db_batch_read(fx->arena);

    add_sleep(batch, sleep_ms);
    db_batch_patient(batch);
    return job_start(fx, batch, WAIT_MS);
}

static struct job *start_ordinary(struct fixture *fx, int sleep_ms)
{
    struct db_batch *batch = db_batch_read(fx->arena);

    add_sleep(batch, sleep_ms);
    return job_start(fx, batch, WAIT_MS);
}

/* Of two connections a patient batch takes one at most, and the others not both of them. */
static void patient_batches_leave_a_connection_and_are_left_one(void **state)
{
    struct fixture *fx = *state;
    struct job *patient[3];
    struct job *ordinary[3];
    struct db_stats stats;

    connect_both(fx);
    for (size_t i = 0; i < ARRAY_LEN(patient); i++)
        patient[i] = start_patient(fx, i == 0 ? 1500 : 0);
    turn_until_waiting(fx, 2, 1);
    for (size_t i = 0; i < ARRAY_LEN(ordinary); i++)
        ordinary[i] = start_ordinary(fx, 0);
    for (size_t i = 0; i < ARRAY_LEN(ordinary); i++)
        assert_int_equal(job_end(ordinary[i]), ERR_OK);
    db_stats(fx->pool, &stats);
    assert_int_equal(stats.waiting, 2); /* still behind the first of theirs */
    for (size_t i = 0; i < ARRAY_LEN(patient); i++)
        assert_int_equal(job_end(patient[i]), ERR_OK);

    ordinary[0] = start_ordinary(fx, 200);
    ordinary[1] = start_ordinary(fx, 3000);
    ordinary[2] = start_ordinary(fx, 0);
    turn_until_waiting(fx, 1, 2);
    patient[0] = start_patient(fx, 0);
    assert_int_equal(job_end(patient[0]), ERR_OK);
    db_stats(fx->pool, &stats);
    assert_true(stats.busy > 0); /* it did not wait for all of them */
    for (size_t i = 0; i < ARRAY_LEN(ordinary); i++)
        assert_int_equal(job_end(ordinary[i]), ERR_OK);
}

static void batches_run_in_arrival_order(void **state)
{
    struct fixture *fx = *state;
    struct job *jobs[100];

    fixture_open(fx, fx->server->dsn, 1, 100);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        struct db_batch *batch = db_batch_new(fx->arena);

        add_thing(batch, (int64_t)i, "x");
        jobs[i] = job_start(fx, batch, WAIT_MS);
    }
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        assert_int_equal(job_end(jobs[i]), ERR_OK);
    assert_int_equal(pg_server_i64(fx->server,
                                   "SELECT count(*) FROM (SELECT id, row_number() OVER (ORDER BY"
                                   " xmin::text::int8) - 1 AS n FROM thing) t WHERE id <> n"),
                     0);
}

static void a_thousand_at_once(void **state)
{
    enum { JOBS = 1000 };
    struct fixture *fx = *state;
    struct job **jobs = arena_array(fx->arena, struct job *, JOBS);
    struct db_stats stats;

    fixture_open(fx, fx->server->dsn, 4, JOBS);
    for (int i = 0; i < JOBS; i++) {
        struct db_batch *batch = db_batch_new(fx->arena);

        add_thing(batch, i, "x");
        if (i % 5 == 0) /* every fifth fails and leaves nothing */
            add_thing(batch, i, "again");
        jobs[i] = job_start(fx, batch, WAIT_MS);
    }
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(job_end(jobs[i]), i % 5 == 0 ? ERR_DB_CONFLICT : ERR_OK);
    assert_int_equal(things(fx), JOBS - JOBS / 5);
    turn_until_connections(fx, 4); /* made one after the other, perhaps too late to help */
    db_stats(fx->pool, &stats);
    assert_int_equal(stats.errors, JOBS / 5);
}

/* Connections beyond the first are made when somebody waits for them. */
static void connections_come_with_need(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_read(fx->arena);
    struct db_stats stats;

    assert_false(db_up(fx->pool));
    turn_until_up(fx, true);
    add_sleep(batch, 0);
    assert_int_equal(run(fx, batch), ERR_OK);
    db_stats(fx->pool, &stats);
    assert_int_equal(stats.connections_up, 1);
    assert_int_equal(stats.busy, 0);
}

static void statements_are_prepared_once(void **state)
{
    static const struct db_stmt stmt_prepared = {
        "prepared", "SELECT count(*) FROM pg_prepared_statements WHERE statement = $1"};
    struct fixture *fx = *state;
    int32_t pid = 0;

    fixture_open(fx, fx->server->dsn, 1, 16);
    for (int i = 0; i < 10; i++) {
        struct db_batch *batch = db_batch_new(fx->arena);
        struct db_query *count = db_add(batch, &stmt_prepared);
        struct db_query *session = db_add(batch, &stmt_pid);

        db_text_c(count, stmt_insert_thing.sql);
        add_thing(batch, i, i % 2 == 0 ? "x" : "y");
        if (i > 0 && i % 3 == 0) { /* an error leaves what is prepared as it is */
            db_add(batch, &stmt_bad);
            assert_int_equal(job_end(job_start(fx, batch, WAIT_MS)), ERR_DB_REFUSED);
            continue;
        }
        assert_int_equal(run(fx, batch), ERR_OK);
        assert_int_equal(db_get_i64(count, 0, 0), 1);
        if (i > 0)
            assert_int_equal(db_get_i32(session, 0, 0), pid);
        pid = db_get_i32(session, 0, 0);
    }
}

/* Options of the connection string stay, beside our own. */
static void sessions_are_set_up(void **state)
{
    static const struct db_stmt stmt = {
        "set_up", "SELECT current_setting('work_mem'), current_setting('statement_timeout'),"
                  " current_setting('TimeZone'), current_setting('application_name'),"
                  " current_setting('client_encoding')"};
    const char *const expected[] = {"5MB", "15s", "Asia/Tokyo", "db_test", "UTF8"};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_read(fx->arena);
    struct db_query *query = db_add(batch, &stmt);

    fixture_open(fx, arena_printf(fx->arena, "%s options='-c work_mem=5MB'", fx->server->dsn), 1,
                 16);
    assert_int_equal(run(fx, batch), ERR_OK);
    for (int i = 0; i < (int)ARRAY_LEN(expected); i++)
        assert_true(str_eq_c(db_get_text(query, 0, i), expected[i]));
}

/* A batch whose time is over when a connection comes free is not sent any more. */
static void a_late_turn_is_not_taken(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *first = db_batch_read(fx->arena);
    struct db_batch *second = db_batch_new(fx->arena);
    bool never = false;
    struct job *jobs[2];

    fixture_open(fx, fx->server->dsn, 1, 16);
    turn_until_up(fx, true);
    add_sleep(first, 50);
    add_thing(second, 1, "x");
    jobs[0] = job_start(fx, first, 100);
    jobs[1] = job_start(fx, second, 100);
    assert_false(loop_run_until(fx->loop, &never, 5));
    for (uint64_t end_ms = clock_mono_ms() + 150; clock_mono_ms() < end_ms;)
        assert_int_equal(things(fx), 0); /* the loop stands still */
    assert_int_equal(job_end(jobs[0]), ERR_OK);
    assert_int_equal(job_end(jobs[1]), ERR_TIMEOUT);
    assert_int_equal(things(fx), 0);
}

static void closing_ends_what_waits(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batches[3];
    struct job *jobs[3];
    struct job *late;

    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        batches[i] = i == 0 ? db_batch_read(fx->arena) : db_batch_new(fx->arena);
        add_sleep(batches[i], 10000);
        jobs[i] = job_start(fx, batches[i], WAIT_MS);
    }
    turn_until_i64(fx, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'", 2);
    late = job_start(fx, db_batch_new(fx->arena), WAIT_MS); /* runs after db_close() */
    fixture_close(fx);
    assert_int_equal(job_end(late), ERR_STOPPING);
    assert_int_equal(job_end(jobs[0]), ERR_STOPPING);
    assert_int_equal(job_end(jobs[1]), ERR_DB_UNKNOWN);
    assert_int_equal(job_end(jobs[2]), ERR_STOPPING);
    fixture_open(fx, fx->server->dsn, 1, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_is_one_transaction, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_empty_batch_ends_well, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(late_batches_are_given_up, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_queue_is_bounded, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(patient_batches_leave_a_connection_and_are_left_one,
                                        thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(batches_run_in_arrival_order, thing_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_thousand_at_once, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(connections_come_with_need, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(statements_are_prepared_once, thing_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(sessions_are_set_up, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_late_turn_is_not_taken, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(closing_ends_what_waits, thing_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, server_setup, server_teardown);
}
