/* fault_walk: see the header. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gen/topics.h"
#include "lib/bus_fake.h"
#include "lib/fault_walk.h"
#include "lib/test.h"
#include "work/work_private.h"

enum {
    WAIT_MS = 60000,
    LOOK_MS = 2,
    SWEEP_MS = 50,
    LANES = 3,
    WAYS_MAX = 3,
    CASES_MAX = 64,
    SQL_BYTES = 1000
};

/* What fails. The first is asked for by db_set_fault(), the others by the bus. */
enum kind { KIND_DATABASE, KIND_PRODUCE, KIND_CONSUME, KIND_COMMIT, KIND_COUNT };

static const char *const kind_names[KIND_COUNT] = {"database", "produce", "consume", "commit"};
/* A commit to Kafka that fails is not heard of: there is one way only. */
static const int kind_ways[KIND_COUNT] = {3, 3, 3, 1};

struct fault {
    enum kind kind;
    int way;     /* 0 error, 1 time-out, 2 lost answer */
    unsigned at; /* 0: none */
    bool fired;
    uint64_t from; /* batches of the pool before */
};

struct lane {
    const struct fault_walk *walk;
    const struct fault_case *now; /* for the words of a failure */
    struct loop *loop;
    struct db_pool *db;
    struct bus *bus;
    struct work *work;
    void *state;
    struct fault fault;
    bool fired;              /* the fault of the last run */
    struct pg_server server; /* its own database */
};

/* How far n came, by case, kind and way; written by the lanes' processes. */
typedef unsigned reached_t[CASES_MAX][KIND_COUNT][WAYS_MAX];
static reached_t *reached;

/* ---- a lane ---- */

static void lane_open(struct lane *lane, const struct fault_walk *walk,
                      const struct pg_server *server, int number)
{
    char dsn[320];
    const struct db_options options = {.dsn = dsn,
                                       .application = "fault_walk",
                                       .connections = 3,
                                       .waiting_max = 256,
                                       .statement_timeout_ms = 15000};
    int64_t now;

    must(time_parse(str_of(walk->now), &now));
    clock_set_offset(now - clock_now_us());
    *lane = (struct lane){.walk = walk, .server = *server};
    snprintf(lane->server.dsn, sizeof(lane->server.dsn), "host=%s user=postgres dbname=lane%d",
             server->data, number);
    snprintf(dsn, sizeof(dsn), "host=%s user=mamis_%s dbname=lane%d", server->data, walk->service,
             number);
    lane->loop = loop_new();
    lane->db = db_open(lane->loop, &options);
    lane->state = walk->open(lane->loop, lane->db);
}

static void set_true(void *arg)
{
    *(bool *)arg = true;
}

static void lane_close(struct lane *lane)
{
    bool closed = false;

    db_close(lane->db, set_true, &closed);
    must(loop_run_until(lane->loop, &closed, WAIT_MS));
    lane->walk->close(lane->state);
    loop_free(lane->loop);
}

/* In a lane's process, where nobody counts failed tests. */
static _Noreturn void give_up(const struct lane *lane, const char *why)
{
    fprintf(stderr, "%s, %s call %u, way %d: %s\n", lane->now->name, kind_names[lane->fault.kind],
            lane->fault.at, lane->fault.way, why);
    _exit(1);
}

/* SQL with the service's schema in the place of each $. */
static const char *in_schema(const struct lane *lane, const char *text, char sql[SQL_BYTES])
{
    const char *service = lane->walk->service;
    size_t len = 0;

    for (; *text != '\0'; text++) {
        must(len + strlen(service) + 1 < SQL_BYTES);
        if (*text == '$')
            len += (size_t)snprintf(sql + len, SQL_BYTES - len, "%s", service);
        else
            sql[len++] = *text;
    }
    sql[len] = '\0';
    return sql;
}

/* ---- one run ---- */

static enum err fail_database(void *arg, uint64_t number, bool after_commit)
{
    static const enum err errs[] = {ERR_DB_DOWN, ERR_TIMEOUT, ERR_DB_UNKNOWN};
    struct fault *fault = arg;

    if (fault->fired || number != fault->from + fault->at || after_commit != (fault->way == 2))
        return ERR_OK;
    fault->fired = true;
    return errs[fault->way];
}

static void plan(struct lane *lane, struct fault fault)
{
    static const enum bus_fake_call calls[KIND_COUNT] = {[KIND_PRODUCE] = BUS_FAKE_PRODUCE,
                                                         [KIND_CONSUME] = BUS_FAKE_CONSUME,
                                                         [KIND_COMMIT] = BUS_FAKE_COMMIT};
    struct db_stats stats;

    db_stats(lane->db, &stats);
    lane->fault = fault;
    lane->fault.from = stats.batches;
    if (fault.at > 0 && fault.kind == KIND_DATABASE)
        db_set_fault(lane->db, fail_database, &lane->fault);
    else if (fault.at > 0)
        bus_fake_fail(lane->bus, calls[fault.kind], fault.at, (enum bus_fake_way)fault.way);
}

static bool has_failed(const struct lane *lane)
{
    return lane->fault.kind == KIND_DATABASE ? lane->fault.fired : bus_fake_failed(lane->bus);
}

static void send_message(struct lane *lane, const struct fault_message *message)
{
    char event[UUID_TEXT_BYTES];
    struct buf text = {0};

    if (message->before != NULL)
        pg_server_exec(&lane->server, message->before);
    uuid_format(uuid_new(), event);
    buf_printf(&text,
               "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/mamis/gateway\",\"type\":"
               "\"%s\",\"time\":\"%s\",\"datacontenttype\":\"application/json\",\"data\":{%s}}",
               event, message->type, lane->walk->now, message->data);
    bus_fake_append(lane->bus, lane->walk->topic, str_of(lane->walk->key), buf_str(&text));
    buf_free(&text);
}

/* All messages passed, all events sent and marked. */
static bool has_ended(struct lane *lane, const struct fault_message *message)
{
    static const char passed[] = "SELECT coalesce(sum(next), 0)::bigint FROM $.work_offset"
                                 " WHERE NOT EXISTS (SELECT FROM $.outbox WHERE sent_at IS NULL)";
    char sql[SQL_BYTES];

    if (!work_idle(lane->work) || bus_unacked(lane->bus) > 0)
        return false;
    return pg_server_i64(&lane->server, in_schema(lane, passed, sql)) ==
               (int64_t)bus_fake_count(lane->bus, lane->walk->topic) &&
           pg_server_i64(&lane->server, message->ended) == 1;
}

static void run_to_end(struct lane *lane, const struct fault_message *message)
{
    static const char due[] =
        "UPDATE $.outbox SET next_try_at = clock_timestamp() WHERE sent_at IS NULL";
    uint64_t begun_ms = clock_mono_ms();
    uint64_t sweep_ms = begun_ms + SWEEP_MS;
    bool never = false;
    char sql[SQL_BYTES];

    while (!has_ended(lane, message)) {
        if (clock_mono_ms() - begun_ms > WAIT_MS)
            give_up(lane, "it does not end");
        if (clock_mono_ms() >= sweep_ms && has_failed(lane)) {
            /* The sweep's five seconds are over. */
            pg_server_exec(&lane->server, in_schema(lane, due, sql));
            work_sweep_tick(lane->work);
            sweep_ms = clock_mono_ms() + SWEEP_MS;
        }
        (void)loop_run_until(lane->loop, &never, LOOK_MS);
    }
}

/* All lines that count, of each table and of the walk's own SQL. */
static void add_lines(const struct fault_walk *walk, struct buf *sql)
{
    if (walk->table_count > 0)
        buf_printf(sql,
                   "SELECT concat_ws('|', 'event', type, key, CASE topic WHEN '" TOPIC_REPLIES "'"
                   " THEN body::jsonb -> 'data' -> 'status' ELSE body::jsonb -> 'data' END)"
                   " FROM %s.outbox UNION ALL SELECT concat_ws('|', 'operation', status)"
                   " FROM %s.operation",
                   walk->service, walk->service);
    for (size_t i = 0; i < walk->table_count; i++)
        buf_printf(sql, " UNION ALL SELECT concat_ws('|', '%s', to_jsonb(t)) FROM %s.%s AS t",
                   walk->tables[i], walk->service, walk->tables[i]);
    if (walk->lines != NULL)
        buf_printf(sql, "%s%s", walk->table_count > 0 ? " UNION ALL " : "", walk->lines);
}

static int64_t digest(struct lane *lane)
{
    struct buf sql = {0};
    int64_t number;

    buf_add_c(&sql, "SELECT ('x' || left(md5(string_agg(line, E'\\n' ORDER BY line)), 15))::bit(60)"
                    "::bigint FROM (SELECT regexp_replace(regexp_replace(line,"
                    " '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
                    "|\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d[0-9.:+]*"
                    "|\"chain_rows_no\": \\d+', '', 'g'),");
    buf_printf(&sql, " '%s', '', 'g') AS line FROM (",
               lane->walk->masked == NULL ? "^$" : lane->walk->masked);
    add_lines(lane->walk, &sql);
    buf_add_c(&sql, ") AS l (line)) AS lines");
    number = pg_server_i64(&lane->server, buf_str(&sql).data);
    buf_free(&sql);
    return number;
}

/* Each event of the outbox lies on its topic, once or several times. */
static void check_topics(struct lane *lane)
{
    const struct fault_walk *walk = lane->walk;
    struct buf sql = {0};

    buf_printf(&sql, "SELECT count(*) FROM %s.outbox WHERE event_id::text <> ALL (ARRAY['-'",
               walk->service);
    for (size_t i = 0; i < walk->emitted_count; i++) {
        for (size_t at = 0; at < bus_fake_count(lane->bus, walk->emitted[i]); at++) {
            struct str value = bus_fake_value(lane->bus, walk->emitted[i], at);
            json_t *event = json_loadb(value.data, value.len, 0, NULL);

            must(event != NULL);
            buf_printf(&sql, ",'%s'", json_string_value(json_object_get(event, "id")));
            json_decref(event);
        }
    }
    buf_add_c(&sql, "])");
    if (pg_server_i64(&lane->server, buf_str(&sql).data) != 0)
        give_up(lane, "an event is not on its topic");
    buf_free(&sql);
}

static void clean(struct lane *lane)
{
    static const char work[] =
        "DELETE FROM $.outbox; DELETE FROM $.inbox; DELETE FROM $.work_offset;"
        "DELETE FROM $.dead_letter; DELETE FROM $.operation";
    char sql[SQL_BYTES];

    pg_server_exec(&lane->server, in_schema(lane, work, sql));
    pg_server_exec(&lane->server, lane->walk->clean);
}

/* Gives the digest of what is left. */
static int64_t run_case(struct lane *lane, const struct fault_case *sent, struct fault fault)
{
    const struct fault_walk *walk = lane->walk;
    const bool twice = sent->then.type != NULL;
    const struct bus_options bus_options = {.bootstrap = "", .client_id = "test"};
    const struct work_options options = {.service = walk->service, .source = "/mamis/test"};
    bool closed = false;
    char sql[SQL_BYTES];
    int64_t left;

    lane->now = sent;
    clean(lane);
    lane->bus = bus_open(lane->loop, &bus_options);
    send_message(lane, &sent->first);
    plan(lane, twice ? (struct fault){.kind = fault.kind} : fault);
    lane->work = work_open(lane->loop, lane->db, lane->bus, &options);
    walk->use(lane->state, lane->work);
    work_subscribe(lane->work, &walk->topic, 1, walk->routes, walk->route_count, lane->state);
    run_to_end(lane, &sent->first);
    if (twice) {
        plan(lane, fault);
        send_message(lane, &sent->then);
        run_to_end(lane, &sent->then);
    }
    check_topics(lane);
    left = digest(lane);
    if (pg_server_i64(&lane->server, in_schema(lane, "SELECT count(*) FROM $.dead_letter", sql)))
        give_up(lane, "a message was buried");
    work_close(lane->work, set_true, &closed);
    must(loop_run_until(lane->loop, &closed, WAIT_MS));
    db_set_fault(lane->db, NULL, NULL);
    closed = false;
    lane->fired = has_failed(lane);
    bus_close(lane->bus, set_true, &closed);
    must(loop_run_until(lane->loop, &closed, WAIT_MS));
    return left;
}

/* ---- every n ---- */

static void walk_way(struct lane *lane, size_t at, enum kind kind, int way)
{
    const struct fault_case *sent = &lane->walk->cases[at];
    int64_t wanted = run_case(lane, sent, (struct fault){.kind = kind});
    unsigned n = 0;

    do {
        n++;
        lane->fired = false;
        if (run_case(lane, sent, (struct fault){.kind = kind, .way = way, .at = n}) != wanted)
            give_up(lane, "it leaves something else");
    } while (lane->fired);
    (*reached)[at][kind][way] = n - 1;
}

/* The ways are dealt out to the lanes. */
static _Noreturn void lane_main(const struct fault_walk *walk, const struct pg_server *server,
                                int number)
{
    struct lane lane;
    int dealt = 0;

    lane_open(&lane, walk, server, number);
    for (size_t at = 0; at < walk->case_count; at++)
        for (int kind = 0; kind < KIND_COUNT; kind++)
            for (int way = 0; way < kind_ways[kind]; way++)
                if (dealt++ % LANES == number)
                    walk_way(&lane, at, (enum kind)kind, way);
    lane_close(&lane);
    exit(0);
}

static unsigned least(size_t at, int kind)
{
    unsigned n = (*reached)[at][kind][0];

    for (int way = 1; way < kind_ways[kind]; way++)
        if ((*reached)[at][kind][way] < n)
            n = (*reached)[at][kind][way];
    return n;
}

static void check_figures(const struct fault_walk *walk)
{
    char path[300];
    json_t *figures;
    bool good = true;

    snprintf(path, sizeof(path), TEST_SOURCE_DIR "/tests/data/%s_faults.json", walk->service);
    figures = json_load_file(path, 0, NULL);
    assert_non_null(figures);
    for (size_t at = 0; at < walk->case_count; at++) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            const json_t *kept =
                json_object_get(json_object_get(figures, walk->cases[at].name), kind_names[kind]);
            json_int_t wanted = json_integer_value(kept);

            print_message("%s: the 1st to %uth %s call failed in %d ways (before: %d)\n",
                          walk->cases[at].name, least(at, kind), kind_names[kind], kind_ways[kind],
                          (int)wanted);
            good = good && json_is_integer(kept) && least(at, kind) >= wanted;
        }
    }
    json_decref(figures);
    assert_true(good);
}

static void walk_all(const struct fault_walk *walk, struct pg_server *server)
{
    pid_t pids[LANES];
    char sql[100];
    int failed = 0;

    assert_in_range(walk->case_count, 1, CASES_MAX);
    for (int lane = 0; lane < LANES; lane++) {
        snprintf(sql, sizeof(sql), "CREATE DATABASE lane%d TEMPLATE postgres", lane);
        pg_server_exec(server, sql);
    }
    pg_server_disconnect();
    reached =
        mmap(NULL, sizeof(*reached), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(reached != MAP_FAILED);
    for (int lane = 0; lane < LANES; lane++) {
        pids[lane] = fork();
        assert_true(pids[lane] >= 0);
        if (pids[lane] == 0)
            lane_main(walk, server, lane);
    }
    for (int lane = 0; lane < LANES; lane++) {
        int status = -1;

        (void)waitpid(pids[lane], &status, 0);
        failed += status != 0;
    }
    assert_int_equal(failed, 0);
    check_figures(walk);
    munmap(reached, sizeof(*reached));
}

/* ---- the program ---- */

static const struct fault_walk *the_walk;
static struct pg_server the_server;

static int open_server(void **state)
{
    (void)state;
    log_init("test", LOG_LEVEL_ERROR);
    pg_server_start_migrated(&the_server);
    if (the_walk->fill != NULL)
        the_walk->fill(&the_server);
    return 0;
}

static int close_server(void **state)
{
    (void)state;
    pg_server_stop(&the_server);
    return 0;
}

static void any_call_may_fail(void **state)
{
    (void)state;
    walk_all(the_walk, &the_server);
}

int fault_walk_main(const struct fault_walk *walk)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_may_fail),
    };

    the_walk = walk;
    return cmocka_run_group_tests(tests, open_server, close_server);
}
