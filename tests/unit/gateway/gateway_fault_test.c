/*
 * Taking a file in, with a real PostgreSQL: the nth call of the database fails, for every n, in
 * every way it can: error, time-out, lost answer after the commit. However it fails, whoever sends
 * the file again with its key until it is accepted has one upload in the end, with all its bytes
 * and one message; and gives its place back. How far n came is printed; below
 * tests/data/gateway_faults.json it is a failure. The broker is away: acceptance does not need it.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gateway/gateway_call.h"
#include "lib/pg_server.h"
#include "unit/http/fixture.h"

#define FIGURES TEST_SOURCE_DIR "/tests/data/gateway_faults.json"
#define BODY_BYTES "600000" /* two parts and a rest */

enum { WAIT_MS = 60000, WAYS = 3, TRIES_MAX = 3, CLOSE_MS = 1000 };

struct fault {
    unsigned at; /* 0: none */
    int way;     /* 0 error, 1 time-out, 2 lost answer */
    uint64_t from;
    bool fired;
};

static struct pg_server server;
static struct gateway gateway;
static struct fixture fx;
static struct fault fault;
static char token[TOKEN_TEXT_BYTES];

static void add_token(void)
{
    uint8_t digest[SECRET_DIGEST_BYTES];
    char hex[2 * SECRET_DIGEST_BYTES + 1];
    char sql[400];

    token_new(token);
    token_digest(str_of(token), digest);
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    snprintf(sql, sizeof(sql),
             "INSERT INTO gateway.token (token_id, token_sha256, organiser_code, scope, created_at)"
             " VALUES (gen_random_uuid(), '\\x%s', 'P13', '{attendance:write}', '2025-01-01')",
             hex);
    pg_server_exec(&server, sql);
}

static void open_gateway(void)
{
    static char dsn[320];
    const struct db_options db = {.dsn = dsn,
                                  .application = "gateway_fault",
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
    const struct http_options http = {
        .address = "127.0.0.1", .connections_max = 10, .idle_timeout_ms = WAIT_MS};
    struct err_note note = {0};

    snprintf(dsn, sizeof(dsn), "host=%s user=mamis_gateway dbname=postgres", server.data);
    gateway_settings = (struct gateway_settings){
        .uploads_open_max = 30, .upload_bytes_max = 1024 * 1024, .redis_prefix = "mamis:"};
    fx.loop = loop_new();
    gateway =
        (struct gateway){.loop = fx.loop, .settings = &gateway_settings, .cookie = "mamis_session"};
    gateway.db = db_open(fx.loop, &db);
    gateway.cache = cache_open(fx.loop, &cache);
    gateway.bus = bus_open(fx.loop, &bus);
    gateway.work = work_open(fx.loop, gateway.db, gateway.bus, &work);
    gateway.places = places_open(&gateway);
    assert_int_equal(
        http_open(fx.loop, &http, call_routes(), ROUTE_COUNT, &gateway, &gateway.http, &note),
        ERR_OK);
    http_set_refusal(gateway.http, call_refuse);
    fx.server = gateway.http;
}

static int open_all(void **state)
{
    (void)state;
    log_init("test", LOG_LEVEL_ERROR);
    assert_true(sodium_init() >= 0);
    pg_server_start(&server);
    pg_server_migrate(&server);
    pg_server_exec(
        &server,
        "INSERT INTO credit.organiser (organiser_code, name, kind) VALUES ('P13', 'P', 'other');"
        "INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
        " VALUES ('S1', 'Seminar', 'P13')");
    add_token();
    open_gateway();
    return 0;
}

static void set_true(void *arg)
{
    *(bool *)arg = true;
}

static int close_all(void **state)
{
    bool closed[6] = {false};

    (void)state;
    http_close(gateway.http, CLOSE_MS, set_true, &closed[0]);
    run_until(&fx, &closed[0]);
    places_close(gateway.places, set_true, &closed[1]);
    run_until(&fx, &closed[1]);
    work_close(gateway.work, set_true, &closed[2]);
    run_until(&fx, &closed[2]);
    db_close(gateway.db, set_true, &closed[3]);
    run_until(&fx, &closed[3]);
    cache_close(gateway.cache, set_true, &closed[4]);
    run_until(&fx, &closed[4]);
    bus_close(gateway.bus, set_true, &closed[5]);
    run_until(&fx, &closed[5]);
    loop_free(fx.loop);
    pg_server_stop(&server);
    return 0;
}

/* ---- one file ---- */

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

static unsigned send_file(void)
{
    struct buf head = {0};
    struct talk talk = {.repeat_bytes = strtoul(BODY_BYTES, NULL, 10)};
    unsigned status;

    buf_printf(&head,
               "POST /api/v1/seminars/S1/attendance HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
               "Authorization: Bearer %s\r\nContent-Type: text/csv\r\nIdempotency-Key: key-1\r\n"
               "Content-Length: " BODY_BYTES "\r\n\r\n",
               token);
    talk.send = buf_str(&head);
    talk_run(&fx, &talk);
    status = status_of(&talk.got);
    buf_free(&talk.got);
    buf_free(&head);
    return status;
}

static bool no_place_taken(void)
{
    return pg_server_i64(&server, "SELECT count(*) FROM gateway.upload_place") == 0;
}

static void check_tables(void)
{
    bool never = false;
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;

    assert_int_equal(pg_server_i64(&server, "SELECT count(*) FROM credit.upload"), 1);
    assert_int_equal(
        pg_server_i64(&server,
                      "SELECT count(*) FROM credit.upload AS u JOIN gateway.idempotency AS i"
                      " ON i.accepted_id = u.upload_id WHERE u.bytes = " BODY_BYTES
                      " AND u.sha256 = sha256(convert_to(repeat('x', " BODY_BYTES "), 'UTF8'))"
                      " AND (SELECT string_agg(p.bytes, '' ORDER BY p.part_no)"
                      "  FROM credit.upload_part AS p WHERE p.upload_id = u.upload_id)"
                      " = convert_to(repeat('x', " BODY_BYTES "), 'UTF8')"),
        1);
    assert_int_equal(
        pg_server_i64(&server, "SELECT count(*) FROM gateway.outbox AS o, credit.upload AS u"
                               " WHERE o.type = 'upload.read.v1' AND o.key = 'S1'"
                               " AND o.body::jsonb -> 'data' ->> 'upload_id' = u.upload_id::text"),
        1);
    assert_int_equal(pg_server_i64(&server, "SELECT count(*) FROM gateway.outbox"), 1);
    while (!no_place_taken()) {
        assert_true(clock_mono_ms() < end_ms);
        (void)loop_run_until(fx.loop, &never, 10);
    }
}

/* Sent until it is accepted; gives whether the nth call was there to fail. */
static bool run(unsigned at, int way)
{
    struct db_stats stats;
    unsigned status = 0;

    pg_server_exec(&server, "DELETE FROM credit.upload; DELETE FROM credit.upload_part;"
                            "DELETE FROM gateway.outbox; DELETE FROM gateway.idempotency");
    db_stats(gateway.db, &stats);
    fault = (struct fault){.at = at, .way = way, .from = stats.batches};
    for (int tries = 0; status != 202; tries++) {
        assert_in_range(tries, 0, TRIES_MAX - 1);
        status = send_file();
        assert_true(status == 202 || (status == 503 && fault.fired));
    }
    check_tables();
    return fault.fired;
}

/* ---- every n ---- */

static void any_call_may_fail(void **state)
{
    json_t *figures = json_load_file(FIGURES, 0, NULL);
    json_int_t before =
        json_integer_value(json_object_get(json_object_get(figures, "upload"), "database"));
    unsigned least = UINT32_MAX;

    (void)state;
    json_decref(figures);
    db_set_fault(gateway.db, fail_call, NULL);
    assert_false(run(0, 0));
    for (int way = 0; way < WAYS; way++) {
        unsigned n = 1;

        while (run(n, way))
            n++;
        least = n - 1 < least ? n - 1 : least;
    }
    db_set_fault(gateway.db, NULL, NULL);
    print_message("upload: the 1st to %uth database call failed in %d ways (before: %d)\n", least,
                  WAYS, (int)before);
    assert_true(before > 0 && least >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_may_fail),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
