/* gateway_bench: see the header. */
#include "unit/gateway/gateway_bench.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define FIGURES TEST_SOURCE_DIR "/tests/data/gateway_faults.json"

enum {
    WAIT_MS = 60000,
    WAYS = 3,
    CLOSE_MS = 1000,
    HASH_KIB = 8192,
    HELD_BYTES_MAX = 8 * 1024 * 1024,
};

struct pg_server bench_server;
struct gateway bench_gateway;
struct fixture bench_fixture;

static struct fault {
    unsigned at;
    int way;
    uint64_t from;
    bool fired;
} fault;

/* ---- open and close ---- */

static void open_clients(struct gateway *gateway, const char *dsn)
{
    const struct db_options db = {.dsn = dsn,
                                  .application = "gateway_bench",
                                  .connections = 3,
                                  .waiting_max = 64,
                                  .statement_timeout_ms = 15000};
    const struct bus_options bus = {.bootstrap = "127.0.0.1:1", .client_id = "test"};
    const struct cache_options cache = {.host = "127.0.0.1",
                                        .port = 1,
                                        .connect_timeout_ms = 500,
                                        .command_timeout_ms = 250,
                                        .pending_max = 16};
    const struct work_options work = {.service = "gateway", .source = "/mamis/gateway"};

    gateway->db = db_open(gateway->loop, &db);
    gateway->cache = cache_open(gateway->loop, &cache);
    gateway->bus = bus_open(gateway->loop, &bus);
    gateway->work = work_open(gateway->loop, gateway->db, gateway->bus, &work);
}

static void open_parts(struct gateway *gateway)
{
    struct err_note note = {0};
    const struct http_options http = {.address = "127.0.0.1",
                                      .connections_max = 10,
                                      .idle_timeout_ms = WAIT_MS,
                                      .held_bytes_max = HELD_BYTES_MAX};

    randombytes_buf(&gateway->pepper, sizeof(gateway->pepper));
    randombytes_buf(&gateway->link_key, sizeof(gateway->link_key));
    randombytes_buf(&gateway->factor_key, sizeof(gateway->factor_key));
    must(retention_load(TEST_SOURCE_DIR "/deploy/rules/retention.json", &gateway->retention,
                        &note) == ERR_OK);
    gateway->hashes = pool_new(gateway->loop, 1, 10, 0);
    gateway->papers = pool_new(gateway->loop, 1, 10, 0);
    gateway->queue = queue_open(gateway);
    gateway->sweep = sweep_open(gateway);
    gateway->places = places_open(gateway);
    gateway->replies = replies_open(gateway);
    must(http_open(gateway->loop, &http, call_routes(), ROUTE_COUNT, gateway, &gateway->http,
                   &note) == ERR_OK);
    http_set_refusal(gateway->http, call_refuse);
}

int gateway_bench_open(void **state)
{
    static char dsn[320];

    (void)state;
    log_init("test", LOG_LEVEL_ERROR);
    assert_true(sodium_init() >= 0);
    pg_server_start_migrated(&bench_server);
    snprintf(dsn, sizeof(dsn), "host=%s user=mamis_gateway dbname=postgres", bench_server.data);
    gateway_settings = (struct gateway_settings){.uploads_open_max = 30,
                                                 .upload_bytes_max = 1024 * 1024,
                                                 .redis_prefix = "mamis:",
                                                 .hash_passes = 1,
                                                 .hash_memory_kib = HASH_KIB,
                                                 .hash_waiting_max = 10,
                                                 .hash_threads = 1,
                                                 .reauthentication_s = 900,
                                                 .session_idle_doctor_s = 900,
                                                 .session_idle_staff_s = 900,
                                                 .session_most_doctor_s = 3600,
                                                 .session_most_staff_s = 3600,
                                                 .email_link_s = 3600,
                                                 .delegate_link_s = 3600,
                                                 .invite_link_s = 3600,
                                                 .reply_wait_ms = 10};
    bench_fixture.loop = loop_new();
    bench_gateway = (struct gateway){
        .loop = bench_fixture.loop, .settings = &gateway_settings, .cookie = "mamis_session"};
    open_clients(&bench_gateway, dsn);
    open_parts(&bench_gateway);
    bench_fixture.server = bench_gateway.http;
    return 0;
}

static void set_true(void *arg)
{
    *(bool *)arg = true;
}

/* Closes one part and waits for it. */
#define CLOSE(call)                                                                                \
    do {                                                                                           \
        bool closed = false;                                                                       \
                                                                                                   \
        call;                                                                                      \
        run_until(&bench_fixture, &closed);                                                        \
    } while (0)

int gateway_bench_close(void **state)
{
    struct gateway *gateway = &bench_gateway;

    (void)state;
    CLOSE(http_close(gateway->http, CLOSE_MS, set_true, &closed));
    CLOSE(replies_close(gateway->replies, set_true, &closed));
    CLOSE(places_close(gateway->places, set_true, &closed));
    CLOSE(sweep_close(gateway->sweep, set_true, &closed));
    CLOSE(queue_close(gateway->queue, set_true, &closed));
    pool_free(gateway->hashes);
    pool_free(gateway->papers);
    retention_free(gateway->retention);
    CLOSE(work_close(gateway->work, set_true, &closed));
    CLOSE(db_close(gateway->db, set_true, &closed));
    CLOSE(cache_close(gateway->cache, set_true, &closed));
    CLOSE(bus_close(gateway->bus, set_true, &closed));
    loop_free(gateway->loop);
    pg_server_stop(&bench_server);
    return 0;
}

/* ---- faults ---- */

static enum err fail_call(void *arg, uint64_t number, bool after_commit)
{
    static const enum err errs[WAYS] = {ERR_DB_DOWN, ERR_TIMEOUT, ERR_DB_UNKNOWN};

    (void)arg;
    if (fault.at == 0 || fault.fired || number != fault.from + fault.at ||
        after_commit != (fault.way == 2))
        return ERR_OK;
    fault.fired = true;
    return errs[fault.way];
}

void gateway_bench_fail(unsigned at, int way)
{
    struct db_stats stats;

    db_stats(bench_gateway.db, &stats);
    fault = (struct fault){.at = at, .way = way, .from = stats.batches};
    db_set_fault(bench_gateway.db, fail_call, NULL);
}

bool gateway_bench_failed(void)
{
    return fault.fired;
}

bool gateway_bench_reached(void)
{
    struct db_stats stats;

    db_stats(bench_gateway.db, &stats);
    return fault.at > 0 && stats.batches - fault.from >= fault.at;
}

unsigned gateway_bench_send(struct str head, size_t repeat_bytes)
{
    struct talk talk = {.send = head, .repeat_bytes = repeat_bytes};
    unsigned status;

    talk_run(&bench_fixture, &talk);
    status = status_of(&talk.got);
    buf_free(&talk.got);
    return status;
}

void gateway_bench_walk(const char *name, bool (*run)(const void *what, unsigned at, int way),
                        const void *what)
{
    json_t *figures = json_load_file(FIGURES, 0, NULL);
    json_int_t before =
        json_integer_value(json_object_get(json_object_get(figures, name), "database"));
    unsigned least = UINT32_MAX;

    json_decref(figures);
    assert_false(run(what, 0, 0));
    for (int way = 0; way < WAYS; way++) {
        unsigned n = 1;

        while (run(what, n, way))
            n++;
        least = n - 1 < least ? n - 1 : least;
    }
    db_set_fault(bench_gateway.db, NULL, NULL);
    print_message("%s: the 1st to %uth database call failed in %d ways (before: %d)\n", name, least,
                  WAYS, (int)before);
    assert_true(before > 0 && least >= before);
}
