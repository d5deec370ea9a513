/*
 * db_fixture: what the tests of lib/db share.
 */
#include "db_fixture.h"

#include <stdlib.h>

const struct db_stmt stmt_insert_thing = {"insert", "INSERT INTO thing (id, name) VALUES ($1, $2)"};

static struct pg_server server;

int server_setup(void **state)
{
    (void)state;
    pg_server_start(&server);
    return 0;
}

int server_teardown(void **state)
{
    (void)state;
    pg_server_stop(&server);
    return 0;
}

void fixture_open(struct fixture *fx, const char *dsn, unsigned connections, unsigned waiting_max)
{
    const struct db_options options = {.dsn = dsn,
                                       .application = "db_test",
                                       .connections = connections,
                                       .waiting_max = waiting_max,
                                       .statement_timeout_ms = 15000};

    if (fx->pool != NULL)
        fixture_close(fx);
    fx->pool = db_open(fx->loop, &options);
}

static void on_closed(void *arg)
{
    ((struct fixture *)arg)->closed = true;
}

void fixture_close(struct fixture *fx)
{
    fx->closed = false;
    db_close(fx->pool, on_closed, fx);
    fx->pool = NULL;
    assert_true(loop_run_until(fx->loop, &fx->closed, WAIT_MS));
}

int fixture_setup(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    if (fx == NULL)
        return -1;
    fx->server = &server;
    fx->loop = loop_new();
    fx->arena = arena_new();
    fixture_open(fx, server.dsn, 2, 16);
    *state = fx;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fx = *state;

    fixture_close(fx);
    arena_free(fx->arena);
    loop_free(fx->loop);
    free(fx);
    return 0;
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    flow_wait(flow, FLOW_END);
    db_run(job->pool, job->batch, job->deadline_ms, flow);
}

static void job_done(struct flow *flow)
{
    FLOW_OF(flow, struct job, flow)->done = true;
}

static void job_release(void *object)
{
    flow_fini(&((struct job *)object)->flow);
}

struct job *job_start(struct fixture *fx, struct db_batch *batch, uint64_t deadline_ms)
{
    struct job *job = arena_new_of(fx->arena, struct job);

    job->fx = fx;
    job->pool = fx->pool;
    job->batch = batch;
    job->deadline_ms = deadline_ms;
    flow_init(&job->flow, fx->loop, job_run, job_done, NULL);
    arena_defer(fx->arena, job_release, job);
    flow_start(&job->flow, 0);
    return job;
}

enum err job_end(struct job *job)
{
    assert_true(loop_run_until(job->fx->loop, &job->done, WAIT_MS));
    return job->flow.err;
}

enum err run(struct fixture *fx, struct db_batch *batch)
{
    struct job *job = job_start(fx, batch, WAIT_MS);
    enum err err = job_end(job);

    if (err != ERR_OK)
        print_message("    %s: %s\n", err_name(err), job->flow.note.text);
    return err;
}

void turn_until_i64(struct fixture *fx, const char *sql, int64_t wanted)
{
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    bool never = false;

    while (pg_server_i64(fx->server, sql) != wanted) {
        assert_true(clock_mono_ms() < end_ms);
        loop_run_until(fx->loop, &never, 2);
    }
}

void turn_until_up(struct fixture *fx, bool up)
{
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    bool never = false;

    while (db_up(fx->pool) != up) {
        assert_true(clock_mono_ms() < end_ms);
        loop_run_until(fx->loop, &never, 2);
    }
}

int thing_setup(void **state)
{
    int failed = fixture_setup(state);

    if (failed == 0) {
        struct fixture *fx = *state;

        pg_server_exec(fx->server, "SET client_min_messages = warning;"
                                   "DROP TABLE IF EXISTS thing;"
                                   "CREATE TABLE thing (id int8 PRIMARY KEY, name text NOT NULL,"
                                   " parent int8 REFERENCES thing DEFERRABLE INITIALLY DEFERRED,"
                                   " CONSTRAINT thing_id_small CHECK (id < 1000000))");
    }
    return failed;
}

void add_thing(struct db_batch *batch, int64_t id, const char *name)
{
    struct db_query *query = db_add(batch, &stmt_insert_thing);

    db_i64(query, id);
    db_text_c(query, name);
}

void add_sleep(struct db_batch *batch, int64_t ms)
{
    static const struct db_stmt stmt = {"sleep", "SELECT pg_sleep($1::int8 / 1000.0)"};

    db_i64(db_add(batch, &stmt), ms);
}

int64_t things(struct fixture *fx)
{
    return pg_server_i64(fx->server, "SELECT count(*) FROM thing");
}
