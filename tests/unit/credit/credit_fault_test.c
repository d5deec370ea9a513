/*
 * The way of an upload from its first message to its last event, and of whatever changes it later,
 * with lib/work as it is, a real PostgreSQL and a bus in memory: the nth call of each kind fails,
 * for every n, in every way it can. However it fails, what is in the tables and on the topics in
 * the end is what an undisturbed run leaves there. How far n came is printed; below
 * tests/data/credit_faults.json it is a failure, so that a way that is not walked any more is
 * noticed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "credit/credit_directory.h"
#include "gen/events.h"
#include "gen/topics.h"
#include "lib/bus_fake.h"
#include "lib/pg_server.h"
#include "lib/test.h"
#include "unit/credit/credit_fault_cases.h"
#include "work/work_private.h"

#define NOW "2026-11-22T12:00:00+09:00"
#define FIGURES TEST_SOURCE_DIR "/tests/data/credit_faults.json"

enum { WAIT_MS = 60000, LOOK_MS = 2, SWEEP_MS = 50, LANES = 3, ROW_BYTES = 60000, WAYS_MAX = 3 };

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
    struct loop *loop;
    struct db_pool *db;
    struct bus *bus;
    struct credit credit;
    struct fault fault;
    bool fired; /* the fault of the last run */
    char upload_id[UUID_TEXT_BYTES];
    struct pg_server server; /* its own database */
};

static struct pg_server server;
/* How far n came; written by the lanes' processes. */
static unsigned (*reached)[CASES][KIND_COUNT][WAYS_MAX];

/* ---- the servers ---- */

static void make_files(void)
{
    char sql[512];

    pg_server_exec(&server, "CREATE TABLE credit.fault_file (name text, bytes bytea)");
    for (size_t i = 0; i < CASES; i++) {
        snprintf(
            sql, sizeof(sql),
            "INSERT INTO credit.fault_file SELECT '%s', convert_to('医籍登録番号,備考' ||"
            " E'\\r\\n' || string_agg(CASE n %% 9 WHEN 8 THEN 999999 ELSE 460001 + n %% 7 END ||"
            " ',' || repeat('x', %d), E'\\r\\n' ORDER BY n) || E'\\r\\n' || '%s', 'UTF8')"
            " FROM generate_series(1, %d) AS n",
            cases[i].name, ROW_BYTES, cases[i].end, cases[i].rows);
        pg_server_exec(&server, sql);
    }
}

static int open_servers(void **state)
{
    char sql[100];

    (void)state;
    log_init("test", LOG_LEVEL_ERROR);
    pg_server_start(&server);
    pg_server_migrate(&server);
    pg_server_exec(
        &server,
        "INSERT INTO credit.organiser (organiser_code, name, kind) VALUES ('P13', 'P', 'other');"
        "INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
        " VALUES ('S1', 'Seminar', 'P13');"
        "INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
        " delivery, grace_minutes, offers) VALUES ('S1', '1', 'One', '2026-11-15T10:00:00+09:00',"
        " '2026-11-15T12:00:00+09:00', '2026-11-15', 'venue', 10, 'OPL-S:4;CME-015:2');"
        "INSERT INTO credit.doctor (doctor_id, version, register_no, name_kana, kana_folded,"
        " my_page) SELECT n, 1, 460000 + n, 'ア', 'ア', 'active' FROM generate_series(1, 8) AS n");
    make_files();
    for (int lane = 0; lane < LANES; lane++) {
        snprintf(sql, sizeof(sql), "CREATE DATABASE lane%d TEMPLATE postgres", lane);
        pg_server_exec(&server, sql);
    }
    pg_server_disconnect();
    reached =
        mmap(NULL, sizeof(*reached), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(reached != MAP_FAILED);
    return 0;
}

static int close_servers(void **state)
{
    (void)state;
    munmap(reached, sizeof(*reached));
    pg_server_stop(&server);
    return 0;
}

/* A copy of the database for each process, so that several can work at once. */
static void lane_open(struct lane *lane, int number)
{
    char dsn[320];
    const struct db_options options = {.dsn = dsn,
                                       .application = "credit_fault",
                                       .connections = 3,
                                       .waiting_max = 256,
                                       .statement_timeout_ms = 15000};

    *lane = (struct lane){.server = server};
    snprintf(lane->server.dsn, sizeof(lane->server.dsn), "host=%s user=postgres dbname=lane%d",
             server.data, number);
    snprintf(dsn, sizeof(dsn), "host=%s user=mamis_credit dbname=lane%d", server.data, number);
    lane->loop = loop_new();
    lane->db = db_open(lane->loop, &options);
    lane->credit = (struct credit){
        .loop = lane->loop, .db = lane->db, .directory = directory_new(), .directory_filled = true};
    credit_settings.no_my_page = "wait";
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
    loop_free(lane->loop);
    directory_free(lane->credit.directory);
}

/* In a lane's process, where nobody counts failed tests. */
static _Noreturn void give_up(const struct lane *lane, const char *why)
{
    fprintf(stderr, "%s call %u, way %d: %s\n", kind_names[lane->fault.kind], lane->fault.at,
            lane->fault.way, why);
    _exit(1);
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

/* A message about the lane's upload. `data`: the other members. */
static void send_message(struct lane *lane, const char *type, const char *data)
{
    char event[UUID_TEXT_BYTES];
    char text[1000];

    uuid_format(uuid_new(), event);
    snprintf(text, sizeof(text),
             "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/mamis/gateway\",\"type\":"
             "\"%s\",\"time\":\"" NOW "\",\"datacontenttype\":"
             "\"application/json\",\"data\":{%s,\"upload_id\":\"%s\"}}",
             event, type, data, lane->upload_id);
    bus_fake_append(lane->bus, TOPIC_CREDIT_WORK, STR("S1"), str_of(text));
}

/* As the gateway accepts it; and the message that it sends. */
static void send_case(struct lane *lane, const struct upload_case *sent)
{
    const char *id = lane->upload_id;
    char text[1000];

    uuid_format(uuid_new(), lane->upload_id);
    snprintf(
        text, sizeof(text),
        "INSERT INTO credit.upload_part (upload_id, part_no, bytes, created_at)"
        " SELECT '%s', n, substr(bytes, 1 + n * 262144, 262144), '" NOW "'"
        " FROM credit.fault_file, generate_series(0, (length(bytes) - 1) / 262144) AS n"
        " WHERE name = '%s';"
        "INSERT INTO credit.upload (upload_id, seminar_no, organiser_code, file_name, sha256,"
        " bytes, received_at, dry_run) SELECT '%s', 'S1', 'P13', 'f.csv', '\\x00', length(bytes),"
        " '" NOW "', %s FROM credit.fault_file WHERE name = '%s'",
        id, sent->name, id, sent->dry_run ? "true" : "false", sent->name);
    pg_server_exec(&lane->server, text);
    send_message(lane, EVENT_UPLOAD_READ, "\"step\":0");
}

/* All messages passed, all events sent and marked. */
static bool has_ended(struct lane *lane, const char *status)
{
    char sql[300];

    if (!work_idle(lane->credit.work) || bus_unacked(lane->bus) > 0)
        return false;
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM credit.upload WHERE status = '%s'"
             " AND NOT EXISTS (SELECT FROM credit.outbox WHERE sent_at IS NULL)"
             " AND (SELECT next FROM credit.work_offset) = %zu",
             status, bus_fake_count(lane->bus, TOPIC_CREDIT_WORK));
    return pg_server_i64(&lane->server, sql) == 1;
}

static void run_to_end(struct lane *lane, const char *status, int entries)
{
    uint64_t begun_ms = clock_mono_ms();
    uint64_t sweep_ms = begun_ms + SWEEP_MS;
    bool never = false;

    while (!has_ended(lane, status)) {
        if (clock_mono_ms() - begun_ms > WAIT_MS)
            give_up(lane, "it does not end");
        if (clock_mono_ms() >= sweep_ms && has_failed(lane)) {
            /* The sweep's five seconds are over. */
            pg_server_exec(&lane->server, "UPDATE credit.outbox SET next_try_at ="
                                          " clock_timestamp() WHERE sent_at IS NULL");
            work_sweep_tick(lane->credit.work);
            sweep_ms = clock_mono_ms() + SWEEP_MS;
        }
        (void)loop_run_until(lane->loop, &never, LOOK_MS);
    }
    if (pg_server_i64(&lane->server, "SELECT count(*) FROM credit.ledger") != entries)
        give_up(lane, "the ledger is not right");
}

/* Everything that counts, without ids and times. */
static int64_t digest(struct lane *lane)
{
    return pg_server_i64(
        &lane->server,
        "SELECT ('x' || left(md5(string_agg(line, E'\\n' ORDER BY line)), 15))::bit(60)::bigint"
        " FROM (SELECT concat_ws('|', 'ledger', doctor_id, session_id, programme, revision, kind,"
        "  half_units, row_no, held_on) AS line FROM credit.ledger"
        " UNION ALL SELECT concat_ws('|', 'row', row_no, line_no, outcome, reason, problems,"
        "  register_no, same_as_row, doctor_id, session_id, credits) FROM credit.upload_row"
        " UNION ALL SELECT concat_ws('|', 'chunk', chunk_no, first_row, row_count, posted_row,"
        "  posted_doctor, posted_session, reasons) FROM credit.upload_chunk"
        " UNION ALL SELECT concat_ws('|', 'upload', status, rows_total, chunks_total, posted,"
        "  already_posted, waiting, unmatched, absent, rejected, problem) FROM credit.upload"
        " UNION ALL SELECT concat_ws('|', 'event', type, key, CASE topic WHEN '" TOPIC_REPLIES "'"
        "  THEN body::jsonb -> 'data' -> 'status' ELSE (body::jsonb -> 'data')"
        "  - 'upload_id' - 'upload_no' END) FROM credit.outbox"
        "  WHERE topic <> '" TOPIC_CREDIT_WORK "'"
        " UNION ALL SELECT concat_ws('|', 'operation', status) FROM credit.operation"
        " UNION ALL SELECT concat_ws('|', 'undo', slice_no, next_chunk, entries) FROM credit.undo"
        " UNION ALL SELECT concat_ws('|', 'fix', row_no, cells) FROM credit.row_fix"
        /* A chunk whose message came before its turn is sent again. */
        " UNION ALL (SELECT DISTINCT concat_ws('|', 'work', type, key, (body::jsonb -> 'data')"
        "  - 'upload_id') FROM credit.outbox WHERE topic = '" TOPIC_CREDIT_WORK "')) AS lines");
}

/* Each event of the outbox lies on its topic, once or several times. */
static void check_topics(struct lane *lane)
{
    static const char *const topics[] = {TOPIC_CREDIT_WORK, TOPIC_CREDIT_EVENTS, TOPIC_REPLIES};
    struct buf sql = {0};

    buf_add_c(&sql, "SELECT count(*) FROM credit.outbox WHERE event_id::text <> ALL (ARRAY['-'");
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        for (size_t at = 0; at < bus_fake_count(lane->bus, topics[i]); at++) {
            struct str value = bus_fake_value(lane->bus, topics[i], at);
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

/* Gives the digest of what is left. */
static int64_t run_case(struct lane *lane, const struct upload_case *sent, struct fault fault)
{
    static const char *const topic = TOPIC_CREDIT_WORK;
    const struct bus_options bus_options = {.bootstrap = "", .client_id = "test"};
    const struct work_options options = {.service = "credit", .source = "/mamis/credit"};
    bool closed = false;
    int64_t left;

    pg_server_exec(&lane->server,
                   "DELETE FROM credit.upload; DELETE FROM credit.upload_part;"
                   "DELETE FROM credit.upload_chunk; DELETE FROM credit.upload_row;"
                   "DELETE FROM credit.ledger; DELETE FROM credit.outbox; DELETE FROM credit.inbox;"
                   "DELETE FROM credit.work_offset; DELETE FROM credit.dead_letter;"
                   "DELETE FROM credit.operation; DELETE FROM credit.undo;"
                   "DELETE FROM credit.row_fix; " SOMEBODY);
    if (sent->later.before != NULL)
        pg_server_exec(&lane->server, sent->later.before);
    lane->bus = bus_open(lane->loop, &bus_options);
    send_case(lane, sent);
    plan(lane, sent->later.type == NULL ? fault : (struct fault){.kind = fault.kind});
    lane->credit.work = work_open(lane->loop, lane->db, lane->bus, &options);
    work_subscribe(lane->credit.work, &topic, 1, credit_routes, credit_route_count, &lane->credit);
    run_to_end(lane, sent->status, sent->entries);
    if (sent->later.type != NULL) {
        if (sent->later.after != NULL)
            pg_server_exec(&lane->server, sent->later.after);
        plan(lane, fault);
        send_message(lane, sent->later.type, sent->later.data);
        run_to_end(lane, sent->later.status, sent->later.entries);
    }
    check_topics(lane);
    left = digest(lane);
    if (pg_server_i64(&lane->server, "SELECT count(*) FROM credit.dead_letter") != 0)
        give_up(lane, "a message was buried");
    work_close(lane->credit.work, set_true, &closed);
    must(loop_run_until(lane->loop, &closed, WAIT_MS));
    db_set_fault(lane->db, NULL, NULL);
    closed = false;
    lane->fired = has_failed(lane);
    bus_close(lane->bus, set_true, &closed);
    must(loop_run_until(lane->loop, &closed, WAIT_MS));
    return left;
}

/* ---- every n ---- */

static void walk(struct lane *lane, size_t at, enum kind kind, int way)
{
    int64_t wanted = run_case(lane, &cases[at], (struct fault){.kind = kind});
    unsigned n = 0;

    do {
        n++;
        lane->fired = false;
        if (run_case(lane, &cases[at], (struct fault){.kind = kind, .way = way, .at = n}) != wanted)
            give_up(lane, "it leaves something else");
    } while (lane->fired);
    (*reached)[at][kind][way] = n - 1;
}

/* The ways are dealt out to the lanes. */
static _Noreturn void lane_main(int number)
{
    struct lane lane;
    int dealt = 0;

    lane_open(&lane, number);
    for (size_t at = 0; at < CASES; at++)
        for (int kind = 0; kind < KIND_COUNT; kind++)
            for (int way = 0; way < kind_ways[kind]; way++)
                if (dealt++ % LANES == number)
                    walk(&lane, at, (enum kind)kind, way);
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

static void check_figures(void)
{
    json_t *figures = json_load_file(FIGURES, 0, NULL);
    bool good = true;

    assert_non_null(figures);
    for (size_t at = 0; at < CASES; at++) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            json_int_t wanted = json_integer_value(
                json_object_get(json_object_get(figures, cases[at].name), kind_names[kind]));

            print_message("%s: the 1st to %uth %s call failed in %d ways (before: %d)\n",
                          cases[at].name, least(at, kind), kind_names[kind], kind_ways[kind],
                          (int)wanted);
            good = good && least(at, kind) >= wanted && wanted > 0;
        }
    }
    json_decref(figures);
    assert_true(good);
}

static void any_call_may_fail(void **state)
{
    pid_t pids[LANES];
    int failed = 0;

    (void)state;
    for (int lane = 0; lane < LANES; lane++) {
        pids[lane] = fork();
        assert_true(pids[lane] >= 0);
        if (pids[lane] == 0)
            lane_main(lane);
    }
    for (int lane = 0; lane < LANES; lane++) {
        int status = -1;

        (void)waitpid(pids[lane], &status, 0);
        failed += status != 0;
    }
    assert_int_equal(failed, 0);
    check_figures();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_may_fail),
    };

    return cmocka_run_group_tests(tests, open_servers, close_servers);
}
