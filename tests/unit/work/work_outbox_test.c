/* work: events on their way out, against real servers. */
#include "unit/work/work_fixture.h"
#include "work/work_private.h"

#define SENT "SELECT count(*) FROM gateway.outbox WHERE sent_at IS NOT NULL"

static void committed_events_are_published_and_marked(void **state)
{
    struct fixture *fx = *state;
    struct work_stats stats;

    for (int64_t n = 0; n < 20; n++)
        send_event(fx, "t.add.v1", n);
    until_i64(fx, SENT, 20);
    until_idle(fx, fx->sender); /* the answer to the mark */
    work_stats(fx->sender, &stats);
    assert_int_equal(stats.emitted, 20);
    assert_int_equal(stats.swept, 0);
    worker_start(fx);
    until_i64(fx, "SELECT count(DISTINCT n) FROM credit.effect", 20);
}

static void what_is_not_committed_is_not_published(void **state)
{
    struct fixture *fx = *state;
    static const struct db_stmt wrong = {"wrong", "SELECT 1 / $1::bigint"};
    struct db_batch *batch = db_batch_new(fx->arena);
    const struct work_event event = {.type = "t.add.v1",
                                     .topic = fx->topic,
                                     .key = STR("k"),
                                     .data = json_pack("{s:i}", "n", 1)};

    (void)work_emit(fx->sender, batch, &event, NULL);
    db_i64(db_add(batch, &wrong), 0);
    assert_int_equal(run_work(fx, fx->sender, batch), ERR_DB_REFUSED);
    (void)work_emit(fx->sender, db_batch_new(fx->arena), /* and this one is never run */
                    &(struct work_event){.type = "t.add.v1",
                                         .topic = fx->topic,
                                         .key = STR("k"),
                                         .data = json_pack("{s:i}", "n", 2)},
                    NULL);
    send_event(fx, "t.add.v1", 3);
    worker_start(fx);
    until_i64(fx,
              "SELECT n FROM credit.effect UNION ALL SELECT -1 WHERE NOT EXISTS"
              " (SELECT FROM credit.effect)",
              3);
    assert_int_equal(number("SELECT count(*) FROM gateway.outbox"), 1);
}

static enum err hide_commit(void *arg, uint64_t batch_number, bool after_commit)
{
    (void)arg;
    (void)batch_number;
    return after_commit ? ERR_DB_UNKNOWN : ERR_OK;
}

/* The answer to COMMIT was lost: nobody publishes, the sweep finds it. */
static void an_unknown_commit_is_swept(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    const struct work_event event = {.type = "t.add.v1",
                                     .topic = fx->topic,
                                     .key = STR("k"),
                                     .data = json_pack("{s:i}", "n", 1)};
    struct work_stats stats;

    (void)work_emit(fx->sender, batch, &event, NULL);
    db_set_fault(fx->gateway_db, hide_commit, NULL);
    assert_int_equal(run_work(fx, fx->sender, batch), ERR_DB_UNKNOWN);
    db_set_fault(fx->gateway_db, NULL, NULL);
    assert_int_equal(number("SELECT count(*) FROM gateway.outbox"), 1);
    until_i64(fx, SENT, 1);
    work_stats(fx->sender, &stats);
    assert_int_equal(stats.swept, 1);
}

static void rows_of_the_dead_are_swept_by_any_instance(void **state)
{
    struct fixture *fx = *state;
    const struct work_options options = {.service = "gateway", .source = "/mamis/gateway"};
    struct work *other;
    uint64_t before_ms = clock_mono_ms();

    for (int64_t n = 0; n < 30; n++)
        send_unpublished(fx, "t.add.v1", n);
    worker_start(fx);
    other = work_open(fx->loop, fx->gateway_db, fx->bus, &options);
    until_i64(fx, "SELECT count(*) FROM credit.effect", 30);
    assert_in_range(clock_mono_ms() - before_ms, 4500, 20000);
    until_i64(fx, SENT, 30);
    assert_int_equal(number(SENT " AND sent_at < created_at + interval '5 seconds'"), 0);
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), 30);
    close_work(fx->loop, other);
}

static bool is_swept(void *arg)
{
    const struct work *work = arg;

    return !work->sweep.running;
}

/* PostgreSQL keeps the plan of a statement that has run a few times; here, one for no rows. */
static void sweep_nothing_often(struct fixture *fx)
{
    exec("ANALYZE gateway.outbox");
    for (int i = 0; i < 8; i++) {
        work_sweep_tick(fx->sender);
        assert_true(wait_for(fx->loop, is_swept, fx->sender, WAIT_MS));
    }
}

static void a_long_backlog_is_swept_without_waiting(void **state)
{
    struct fixture *fx = *state;
    uint64_t before_ms;

    sweep_nothing_often(fx);
    send_event(fx, "t.add.v1", 0); /* shows what an envelope looks like */
    exec("INSERT INTO gateway.outbox (event_id, type, topic, key, body, next_try_at)"
         " SELECT id, type, topic, key, replace(body, event_id::text, id::text),"
         " clock_timestamp() - interval '1 second'"
         " FROM gateway.outbox, (SELECT gen_random_uuid() AS id FROM generate_series(1, 6000)) AS "
         "g");
    before_ms = clock_mono_ms();
    until_i64(fx, SENT, 6001);
    assert_true(clock_mono_ms() - before_ms < 10000); /* 500 a second would take 12 s */
}

static void an_event_on_its_way_is_not_sent_twice(void **state)
{
    struct fixture *fx = *state;
    struct bus_options options = {.bootstrap = "127.0.0.1:1", .client_id = "test"};
    const struct work_options work_options = {.service = "gateway", .source = "/mamis/gateway"};
    struct bus *away = bus_open(fx->loop, &options);
    struct work *work = work_open(fx->loop, fx->gateway_db, away, &work_options);
    struct db_batch *batch = db_batch_new(fx->arena);
    const struct work_event event = {.type = "t.add.v1",
                                     .topic = fx->topic,
                                     .key = STR("k"),
                                     .data = json_pack("{s:i}", "n", 1)};

    (void)work_emit(work, batch, &event, NULL);
    assert_int_equal(run_work(fx, work, batch), ERR_OK); /* Kafka away refuses nobody */
    assert_int_equal(bus_unacked(away), 1);
    exec("UPDATE gateway.outbox SET next_try_at = clock_timestamp()");
    until_i64(fx, "SELECT count(*) FROM gateway.outbox WHERE next_try_at > clock_timestamp()", 1);
    run_for(fx->loop, 200); /* claimed by a sweep, and then */
    assert_int_equal(bus_unacked(away) + bus_unacked(fx->bus), 1);
    assert_false(work_idle(work));
    close_work(fx->loop, work);
    close_bus(fx->loop, away); /* acknowledgements after the end of their work */
}

static void what_kafka_never_takes_is_parked(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    char *large = heap_zero(WORK_EVENT_BYTES_MAX + 1);
    struct work_event event = {.type = "t.add.v1", .topic = fx->topic, .key = STR("k")};
    struct work_stats stats;

    memset(large, 'x', WORK_EVENT_BYTES_MAX);
    event.data = json_pack("{s:s}", "large", large);
    free(large);
    (void)work_emit(fx->sender, batch, &event, NULL);
    assert_int_equal(run_work(fx, fx->sender, batch), ERR_OK);
    until_i64(fx, "SELECT count(*) FROM gateway.outbox WHERE parked = 'bus_too_large'", 1);
    send_event(fx, "t.add.v1", 1); /* others go on */
    until_i64(fx, SENT, 1);
    work_stats(fx->sender, &stats);
    assert_int_equal(stats.parked, 1);
}

static void old_rows_are_cleaned_in_slices(void **state)
{
    struct fixture *fx = *state;

    exec(
        "INSERT INTO gateway.outbox (event_id, type, topic, key, body, created_at, sent_at, parked)"
        " SELECT gen_random_uuid(), 't', 't', '', '', clock_timestamp() - age,"
        " CASE WHEN kind = 0 THEN clock_timestamp() END, CASE WHEN kind = 1 THEN 'x' END"
        " FROM generate_series(0, 1) AS kind,"
        " (SELECT interval '36 days' AS age FROM generate_series(1, 1500)"
        "  UNION ALL SELECT interval '34 days' FROM generate_series(1, 10)) AS ages");
    exec("INSERT INTO gateway.inbox (event_id, topic, applied_at)"
         " SELECT gen_random_uuid(), 't', clock_timestamp() - age FROM"
         " (SELECT interval '71 days' AS age FROM generate_series(1, 1500)"
         "  UNION ALL SELECT interval '69 days' FROM generate_series(1, 10)) AS ages");
    fx->sender->clean_in_s = 1;
    until_i64(fx, "SELECT count(*) FROM gateway.outbox WHERE parked IS NULL", 10);
    until_i64(fx, "SELECT count(*) FROM gateway.inbox", 10);
    assert_int_equal(number("SELECT count(*) FROM gateway.outbox WHERE parked IS NOT NULL"), 1510);
}

/* More than the bus takes at once: the rest waits in memory or for the sweep; none is lost. */
static void a_full_bus_is_waited_for(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct work_stats stats;

    for (int64_t n = 0; n < 26000; n++) {
        const struct work_event event = {.type = "t.none.v1",
                                         .topic = fx->topic,
                                         .key = STR("k"),
                                         .data = json_pack("{s:I}", "n", n)};

        (void)work_emit(fx->sender, batch, &event, NULL);
    }
    assert_int_equal(run_work(fx, fx->sender, batch), ERR_OK);
    assert_true(fx->sender->outbox.waiting <= WORK_WAITING_MAX);
    until_i64(fx, SENT, 26000);
    work_stats(fx->sender, &stats);
    assert_int_equal(stats.emitted, 26000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(committed_events_are_published_and_marked),
        CASE(what_is_not_committed_is_not_published),
        CASE(an_unknown_commit_is_swept),
        CASE(rows_of_the_dead_are_swept_by_any_instance),
        CASE(a_long_backlog_is_swept_without_waiting),
        CASE(an_event_on_its_way_is_not_sent_twice),
        CASE(what_kafka_never_takes_is_parked),
        CASE(old_rows_are_cleaned_in_slices),
        CASE(a_full_bus_is_waited_for),
    };

    return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
