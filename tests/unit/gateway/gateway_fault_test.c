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

#include "unit/gateway/gateway_bench.h"

#define BODY_BYTES "600000" /* two parts and a rest */

enum { WAIT_MS = 60000, TRIES_MAX = 3 };

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
    pg_server_exec(&bench_server, sql);
}

static int open_all(void **state)
{
    (void)gateway_bench_open(state);
    pg_server_exec(
        &bench_server,
        "INSERT INTO credit.organiser (organiser_code, name, kind) VALUES ('P13', 'P', 'other');"
        "INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
        " VALUES ('S1', 'Seminar', 'P13')");
    add_token();
    return 0;
}

/* ---- one file ---- */

static unsigned send_file(void)
{
    struct buf head = {0};
    unsigned status;

    buf_printf(&head,
               "POST /api/v1/seminars/S1/attendance HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
               "Authorization: Bearer %s\r\nContent-Type: text/csv\r\nIdempotency-Key: key-1\r\n"
               "Content-Length: " BODY_BYTES "\r\n\r\n",
               token);
    status = gateway_bench_send(buf_str(&head), strtoul(BODY_BYTES, NULL, 10));
    buf_free(&head);
    return status;
}

static bool no_place_taken(void)
{
    return pg_server_i64(&bench_server, "SELECT count(*) FROM gateway.upload_place") == 0;
}

static void check_tables(void)
{
    bool never = false;
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;

    assert_int_equal(pg_server_i64(&bench_server, "SELECT count(*) FROM credit.upload"), 1);
    assert_int_equal(
        pg_server_i64(&bench_server,
                      "SELECT count(*) FROM credit.upload AS u JOIN gateway.idempotency AS i"
                      " ON i.accepted_id = u.upload_id WHERE u.bytes = " BODY_BYTES
                      " AND u.sha256 = sha256(convert_to(repeat('x', " BODY_BYTES "), 'UTF8'))"
                      " AND (SELECT string_agg(p.bytes, '' ORDER BY p.part_no)"
                      "  FROM credit.upload_part AS p WHERE p.upload_id = u.upload_id)"
                      " = convert_to(repeat('x', " BODY_BYTES "), 'UTF8')"),
        1);
    assert_int_equal(
        pg_server_i64(&bench_server,
                      "SELECT count(*) FROM gateway.outbox AS o, credit.upload AS u"
                      " WHERE o.type = 'upload.read.v1' AND o.key = 'S1'"
                      " AND o.body::jsonb -> 'data' ->> 'upload_id' = u.upload_id::text"),
        1);
    assert_int_equal(pg_server_i64(&bench_server, "SELECT count(*) FROM gateway.outbox"), 1);
    while (!no_place_taken()) {
        assert_true(clock_mono_ms() < end_ms);
        (void)loop_run_until(bench_fixture.loop, &never, 10);
    }
}

/* Sent until it is accepted; gives whether the nth call was there to fail. */
static bool run(const void *what, unsigned at, int way)
{
    unsigned status = 0;

    (void)what;
    pg_server_exec(&bench_server, "DELETE FROM credit.upload; DELETE FROM credit.upload_part;"
                                  "DELETE FROM gateway.outbox; DELETE FROM gateway.idempotency");
    gateway_bench_fail(at, way);
    for (int tries = 0; status != 202; tries++) {
        assert_in_range(tries, 0, TRIES_MAX - 1);
        status = send_file();
        assert_true(status == 202 || (status == 503 && gateway_bench_failed()));
    }
    check_tables();
    return gateway_bench_reached();
}

static void any_call_may_fail(void **state)
{
    (void)state;
    gateway_bench_walk("upload", run, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_may_fail),
    };

    return cmocka_run_group_tests(tests, open_all, gateway_bench_close);
}
