/*
 * work_fixture: what the tests of lib/work share.
 */
#include "unit/work/work_fixture.h"

#include "work/work_private.h"

enum { STEPS_MAX_MS = WAIT_MS, NUMBER_EVERY_MS = 10 };

struct pg_server pg;

int64_t number(const char *sql)
{
    return pg_server_i64(&pg, sql);
}

void exec(const char *sql)
{
    pg_server_exec(&pg, sql);
}

int servers_setup(void **state)
{
    (void)state;
    pg_server_start(&pg);
    exec("CREATE SCHEMA mamis");
    pg_server_file(&pg, TEST_SOURCE_DIR "/deploy/migrations/0001_foundation.sql");
    exec("CREATE TABLE credit.effect (effect_id bigint GENERATED ALWAYS AS IDENTITY, n bigint NOT "
         "NULL"
         " CHECK (n >= 0), event_id uuid, worker text DEFAULT '');"
         "CREATE TABLE credit.once (n bigint PRIMARY KEY);"
         "GRANT ALL ON ALL TABLES IN SCHEMA credit TO mamis_credit;"
         "GRANT ALL ON ALL SEQUENCES IN SCHEMA credit TO mamis_credit");
    return 0;
}

int servers_teardown(void **state)
{
    (void)state;
    pg_server_stop(&pg);
    return 0;
}

/* ---- the service ---- */

static const struct db_stmt add_effect = {
    "add_effect", "INSERT INTO credit.effect (n, event_id) VALUES ($1, $2)"};
static const struct db_stmt add_dead = {"add_dead", "INSERT INTO credit.effect (n) VALUES ($1)"};
static const struct db_stmt add_once = {"add_once", "INSERT INTO credit.once (n) VALUES ($1)"};
static const struct db_stmt refused = {
    "refused", "INSERT INTO credit.effect (n) VALUES (-abs($1::bigint) - 1)"};

static int64_t n_of(const struct work_message *message)
{
    return json_integer_value(json_object_get(message->data, "n"));
}

static void note_call(struct service *service, const struct work_batch *batch)
{
    service->calls++;
    if (batch->count > service->largest)
        service->largest = (unsigned)batch->count;
    snprintf(service->trace, sizeof(service->trace), "%s", batch->messages[0].trace);
}

static void add_all(struct work_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct db_query *query = db_add(batch->effect, &add_effect);

        db_i64(query, n_of(&batch->messages[i]));
        db_uuid(query, batch->messages[i].id);
    }
}

/* A row for each message. */
static void handle_add(void *arg, struct work_batch *batch)
{
    note_call(arg, batch);
    add_all(batch);
    flow_resume(batch->flow, ERR_OK);
}

/* A row, but for negative numbers, which are refused as bad input. */
static void handle_picky(void *arg, struct work_batch *batch)
{
    note_call(arg, batch);
    for (size_t i = 0; i < batch->count; i++) {
        if (n_of(&batch->messages[i]) < 0) {
            flow_fail(batch->flow, ERR_SCHEMA, "n is negative");
            return;
        }
    }
    add_all(batch);
    flow_resume(batch->flow, ERR_OK);
}

static void handle_state(void *arg, struct work_batch *batch)
{
    note_call(arg, batch);
    add_all(batch); /* has to go with the refusal */
    flow_fail(batch->flow, ERR_STATE_CONFLICT, "renewed already");
}

static void handle_retry(void *arg, struct work_batch *batch)
{
    struct service *service = arg;

    note_call(service, batch);
    add_all(batch);
    if (service->fail_times > 0) {
        service->fail_times--;
        flow_fail(batch->flow, ERR_DB_DOWN, "not now");
        return;
    }
    flow_resume(batch->flow, ERR_OK);
}

static void handle_emit(void *arg, struct work_batch *batch)
{
    struct service *service = arg;

    note_call(service, batch);
    add_all(batch);
    for (size_t i = 0; i < batch->count; i++) {
        const struct work_event event = {.type = "t.out.v1",
                                         .topic = service->out_topic,
                                         .key = STR("k"),
                                         .subject = STR("s"),
                                         .data =
                                             json_pack("{s:I}", "n", n_of(&batch->messages[i]))};

        (void)work_emit(batch->work, batch->effect, &event, batch->messages[i].trace);
    }
    flow_resume(batch->flow, ERR_OK);
}

/* A row that may be there once only: the second one conflicts for ever. */
static void handle_once(void *arg, struct work_batch *batch)
{
    note_call(arg, batch);
    db_i64(db_add(batch->effect, &add_once), n_of(&batch->messages[0]));
    flow_resume(batch->flow, ERR_OK);
}

static void handle_slow(void *arg, struct work_batch *batch)
{
    struct service *service = arg;

    note_call(service, batch);
    must(service->kept_count < KEPT_BATCHES_MAX);
    service->kept[service->kept_count++] = batch;
}

static void handle_bug(void *arg, struct work_batch *batch)
{
    note_call(arg, batch);
    flow_fail(batch->flow, ERR_INTERNAL, "a rule was broken");
}

static void on_committed(void *arg, const struct work_batch *batch)
{
    struct service *service = arg;

    service->committed += (unsigned)batch->count;
}

static void on_dead(void *arg, struct work_batch *batch, const char *reason)
{
    struct service *service = arg;

    service->died++;
    snprintf(service->died_of, sizeof(service->died_of), "%s", reason);
    if (service->die_hook_breaks) {
        db_i64(db_add(batch->effect, &refused), 1);
        return;
    }
    db_i64(db_add(batch->effect, &add_dead), 1000000);
}

static bool always(const struct work_message *message)
{
    (void)message;
    return true;
}

static bool at_no_time(const struct work_message *message)
{
    (void)message;
    return false;
}

const struct work_route service_routes[] = {
    {.type = "t.add.v1", .handle = handle_add, .batch_max = 50, .committed = on_committed},
    {.type = "t.picky.v1", .handle = handle_picky, .batch_max = 50, .dead = on_dead},
    {.type = "t.state.v1", .handle = handle_state, .batch_max = 50},
    {.type = "t.retry.v1", .handle = handle_retry, .batch_max = 50},
    {.type = "t.emit.v1", .handle = handle_emit, .batch_max = 50, .committed = on_committed},
    {.type = "t.once.v1", .handle = handle_once, .batch_max = 1, .dead = on_dead},
    {.type = "t.slow.v1", .handle = handle_slow, .batch_max = 1, .dead = on_dead},
    {.type = "t.long.v1", .handle = handle_slow, .batch_max = 1, .urgent = at_no_time},
    {.type = "t.quick.v1",
     .handle = handle_picky,
     .batch_max = 50,
     .urgent = always,
     .committed = on_committed,
     .dead = on_dead},
    {.type = "t.quick_emit.v1", .handle = handle_emit, .batch_max = 1, .urgent = always},
    {.type = "t.bug.v1", .handle = handle_bug, .batch_max = 1, .dead = on_dead},
};
const size_t service_route_count = ARRAY_LEN(service_routes);

void answer_kept(struct service *service, enum err err)
{
    for (size_t i = 0; i < service->kept_count; i++) {
        struct work_batch *batch = service->kept[i];

        add_all(batch);
        flow_resume(batch->flow, err);
    }
    service->kept_count = 0;
}

struct kept_wait {
    const struct service *service;
    size_t count;
};

static bool kept_are(void *arg)
{
    const struct kept_wait *wait = arg;

    return wait->service->kept_count == wait->count;
}

void until_kept(struct fixture *fx, size_t count)
{
    struct kept_wait wait = {&fx->service, count};

    assert_true(wait_for(fx->loop, kept_are, &wait, STEPS_MAX_MS));
}

/* ---- opening and closing ---- */

struct db_pool *open_db(struct loop *loop, const char *role, unsigned connections)
{
    char dsn[320];
    struct db_options options = {.dsn = dsn,
                                 .application = "work_test",
                                 .connections = connections,
                                 .waiting_max = 256,
                                 .statement_timeout_ms = 15000};

    snprintf(dsn, sizeof(dsn), "%s user=%s", pg.dsn, role);
    return db_open(loop, &options);
}

void close_db(struct loop *loop, struct db_pool *db)
{
    bool closed = false;

    db_close(db, set_true, &closed);
    assert_true(loop_run_until(loop, &closed, STEPS_MAX_MS));
}

void close_work(struct loop *loop, struct work *work)
{
    bool closed = false;

    work_close(work, set_true, &closed);
    assert_true(loop_run_until(loop, &closed, STEPS_MAX_MS));
}

struct work *worker_open(struct fixture *fx, struct db_pool *db, struct bus *bus,
                         struct service *service)
{
    const struct work_options options = {
        .service = "credit", .source = "/mamis/credit", .group = fx->group};
    struct work *work = work_open(fx->loop, db, bus, &options);

    service->work = work;
    work_subscribe(work, &fx->topic, 1, service_routes, service_route_count, service);
    return work;
}

void worker_start(struct fixture *fx)
{
    fx->work = worker_open(fx, fx->db, fx->bus, &fx->service);
}

void worker_stop(struct fixture *fx)
{
    close_work(fx->loop, fx->work);
    fx->work = NULL;
}

int fixture_setup(void **state)
{
    struct fixture *fx = heap_zero(sizeof(*fx));
    const struct work_options options = {.service = "gateway", .source = "/mamis/gateway"};

    exec("TRUNCATE credit.outbox, credit.inbox, credit.work_offset, credit.dead_letter,"
         " credit.operation, gateway.outbox, credit.effect, credit.once, mamis.pause");
    fx->topic = kafka_topic(1);
    fx->key = "k";
    snprintf(fx->group, sizeof(fx->group), "g-%s", fx->topic);
    fx->arena = arena_new();
    fx->loop = loop_new();
    fx->db = open_db(fx->loop, "mamis_credit", 3);
    fx->gateway_db = open_db(fx->loop, "mamis_gateway", 2);
    fx->bus = open_bus(fx->loop);
    fx->sender = work_open(fx->loop, fx->gateway_db, fx->bus, &options);
    *state = fx;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fx = *state;

    if (fx->work != NULL)
        close_work(fx->loop, fx->work);
    close_work(fx->loop, fx->sender);
    close_bus(fx->loop, fx->bus);
    close_db(fx->loop, fx->db);
    close_db(fx->loop, fx->gateway_db);
    loop_free(fx->loop);
    arena_free(fx->arena);
    free(fx);
    return 0;
}

/* ---- sending ---- */

struct runner {
    struct flow flow;
    struct work *work;
    struct db_pool *db;
    struct db_batch *batch;
    bool done;
};

static void runner_run(struct flow *flow)
{
    struct runner *runner = FLOW_OF(flow, struct runner, flow);

    flow_wait(flow, FLOW_END);
    if (runner->work != NULL)
        work_run(runner->work, runner->batch, STEPS_MAX_MS, flow);
    else
        db_run(runner->db, runner->batch, STEPS_MAX_MS, flow);
}

static void runner_done(struct flow *flow)
{
    FLOW_OF(flow, struct runner, flow)->done = true;
}

static enum err run_with(struct fixture *fx, struct work *work, struct db_pool *db,
                         struct db_batch *batch)
{
    struct runner runner = {.work = work, .db = db, .batch = batch};
    enum err err;

    flow_init(&runner.flow, fx->loop, runner_run, runner_done, NULL);
    flow_start(&runner.flow, 0);
    assert_true(loop_run_until(fx->loop, &runner.done, STEPS_MAX_MS));
    err = runner.flow.err;
    flow_fini(&runner.flow);
    return err;
}

enum err run_work(struct fixture *fx, struct work *work, struct db_batch *batch)
{
    return run_with(fx, work, NULL, batch);
}

static struct uuid emit_n(struct fixture *fx, struct db_batch *batch, const char *type, int64_t n)
{
    const struct work_event event = {
        .type = type,
        .topic = fx->topic,
        .key = str_of(fx->key),
        .data = json_pack("{s:I}", "n", n),
    };

    return work_emit(fx->sender, batch, &event, NULL);
}

struct uuid send_event(struct fixture *fx, const char *type, int64_t n)
{
    struct db_batch *batch = db_batch_new(fx->arena);
    struct uuid id = emit_n(fx, batch, type, n);

    assert_int_equal(run_with(fx, fx->sender, NULL, batch), ERR_OK);
    return id;
}

struct uuid send_unpublished(struct fixture *fx, const char *type, int64_t n)
{
    struct db_batch *batch = db_batch_new(fx->arena);
    struct uuid id = emit_n(fx, batch, type, n);

    assert_int_equal(run_with(fx, NULL, fx->gateway_db, batch), ERR_OK);
    return id;
}

void send_raw(struct fixture *fx, const char *topic, const char *value)
{
    assert_int_equal(bus_produce(fx->bus, topic, STR("k"), str_of(value), NULL, NULL), ERR_OK);
    assert_true(wait_for(fx->loop, bus_is_quiet, fx->bus, STEPS_MAX_MS));
}

struct number_wait {
    const char *sql;
    int64_t wanted, found;
    uint64_t next_ms; /* each question stops the loop: not too often */
};

static bool number_is(void *arg)
{
    struct number_wait *wait = arg;

    if (clock_mono_ms() < wait->next_ms)
        return false;
    wait->found = number(wait->sql);
    wait->next_ms = clock_mono_ms() + NUMBER_EVERY_MS;
    return wait->found == wait->wanted;
}

void until_i64(struct fixture *fx, const char *sql, int64_t wanted)
{
    struct number_wait wait = {.sql = sql, .wanted = wanted};

    if (!wait_for(fx->loop, number_is, &wait, STEPS_MAX_MS))
        print_error("%s: %ld\n", sql, (long)wait.found);
    assert_int_equal(wait.found, wanted);
}

static bool is_idle(void *arg)
{
    return work_idle(arg);
}

void until_idle(struct fixture *fx, struct work *work)
{
    assert_true(wait_for(fx->loop, is_idle, work, STEPS_MAX_MS));
}

void send_again(struct fixture *fx)
{
    exec("UPDATE gateway.outbox SET sent_at = NULL, next_try_at = clock_timestamp()");
    work_sweep_tick(fx->sender); /* not only when the second is over */
    until_i64(fx, "SELECT count(*) FROM gateway.outbox WHERE sent_at IS NULL", 0);
}
