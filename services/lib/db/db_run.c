/*
 * db_run: one batch on one connection, in one pipeline with one synchronisation at its end:
 *
 *   prepare (statements new to this connection), BEGIN, statements, COMMIT, sync
 *
 * Each part has exactly one answer and a NULL behind it; the sync has an answer alone. After an
 * error the answers of what follows say "aborted", up to the sync.
 */
#include <string.h>

#include "db/db_private.h"

enum { CLEAN_MS = 5000 };

static const struct db_stmt stmt_begin = {"begin", "BEGIN"};
static const struct db_stmt stmt_commit = {"commit", "COMMIT"};

/* All parameters and results are binary. */
static const int formats[DB_PARAMS_MAX] = {[0 ... DB_PARAMS_MAX - 1] = 1};
enum { BINARY = 1 };

/* When the loop itself was late, as after a stop of the process, the answer may be here already. */
static void batch_timeout(void *arg)
{
    struct db_conn *conn = arg;
    uint64_t number = conn->batch->number;

    db_conn_ready(conn, EVFD_READ);
    if (conn->state == CONN_BUSY && conn->batch->number == number)
        db_conn_lost(conn, ERR_TIMEOUT, "deadline passed");
}

static void clean_timeout(void *arg)
{
    db_conn_lost(arg, ERR_DB_DOWN, "no answer to ROLLBACK");
}

static void set_timer(struct db_conn *conn, void (*fire)(void *arg), uint64_t delay_ms)
{
    conn->timer.fire = fire;
    timer_start(&conn->timer, delay_ms, 0);
}

static bool send_prepare(struct db_conn *conn, const struct db_variant *variant)
{
    if (db_prepared(conn, variant))
        return true;
    if (conn->preparing_count == conn->preparing_room) {
        conn->preparing_room = conn->preparing_room * 2 + 16;
        conn->preparing =
            heap_realloc(conn->preparing, conn->preparing_room * sizeof(*conn->preparing));
    }
    conn->preparing[conn->preparing_count++] = variant;
    db_prepared_set(conn, variant, true); /* taken back when the answer is another */
    return PQsendPrepare(conn->pg, variant->name, variant->stmt->sql, variant->param_count,
                         variant->types) == 1;
}

static bool send_query(struct db_conn *conn, const struct db_query *query)
{
    return PQsendQueryPrepared(conn->pg, query->variant->name, query->param_count, query->values,
                               query->lengths, formats, BINARY) == 1;
}

static bool send_plain(struct db_conn *conn, const struct db_variant *variant)
{
    return PQsendQueryPrepared(conn->pg, variant->name, 0, NULL, NULL, NULL, BINARY) == 1;
}

/* A statement of our own without parameters. */
static const struct db_variant *plain(struct db_conn *conn, const struct db_stmt *stmt)
{
    const struct db_query query = {.stmt = stmt};

    return db_variant_of(conn->pool, &query);
}

static bool send_all(struct db_conn *conn, struct db_batch *batch)
{
    const struct db_variant *begin = plain(conn, &stmt_begin);
    const struct db_variant *commit = plain(conn, &stmt_commit);

    if (batch->transaction && (!send_prepare(conn, begin) || !send_prepare(conn, commit)))
        return false;
    for (struct db_query *query = batch->head; query != NULL; query = query->next) {
        query->variant = db_variant_of(conn->pool, query);
        if (!send_prepare(conn, query->variant))
            return false;
    }
    if (batch->transaction && !send_plain(conn, begin))
        return false;
    for (struct db_query *query = batch->head; query != NULL; query = query->next) {
        if (!send_query(conn, query))
            return false;
    }
    conn->commit_sent = batch->transaction;
    if (batch->transaction && !send_plain(conn, commit))
        return false;
    return PQpipelineSync(conn->pg) == 1;
}

void db_run_start(struct db_conn *conn, struct db_batch *batch)
{
    uint64_t now_ms = clock_mono_ms();

    must(conn->state == CONN_IDLE);
    conn->state = CONN_BUSY;
    conn->batch = batch;
    conn->preparing_count = 0;
    conn->prepared_next = 0;
    conn->query = batch->head;
    conn->null_next = false;
    conn->commit_sent = false;
    conn->committed = false;
    conn->err = ERR_OK;
    set_timer(conn, batch_timeout, batch->deadline_ms > now_ms ? batch->deadline_ms - now_ms : 0);
    if (!send_all(conn, batch)) {
        db_conn_lost(conn, ERR_DB_DOWN, PQerrorMessage(conn->pg));
        return;
    }
    conn->phase = conn->preparing_count > 0 ? PHASE_PREPARE
                  : batch->transaction      ? PHASE_BEGIN
                                            : PHASE_QUERY;
    db_conn_flush(conn);
}

/* A failed batch left its transaction open: it is without effect, but has to be left. */
static void clean_up(struct db_conn *conn)
{
    conn->state = CONN_CLEANING;
    conn->phase = PHASE_COMMIT; /* one answer, then the sync */
    conn->null_next = false;
    conn->commit_sent = false;
    conn->err = ERR_OK;
    set_timer(conn, clean_timeout, CLEAN_MS);
    if (PQsendQueryParams(conn->pg, "ROLLBACK", 0, NULL, NULL, NULL, NULL, BINARY) != 1 ||
        PQpipelineSync(conn->pg) != 1) {
        db_conn_lost(conn, ERR_DB_DOWN, PQerrorMessage(conn->pg));
        return;
    }
    db_conn_flush(conn);
}

static void session_next(struct db_conn *conn)
{
    if (PQstatus(conn->pg) == CONNECTION_BAD) {
        db_conn_lost(conn, ERR_DB_DOWN, PQerrorMessage(conn->pg));
        return;
    }
    if (PQtransactionStatus(conn->pg) != PQTRANS_IDLE) {
        if (conn->state == CONN_CLEANING)
            db_conn_lost(conn, ERR_DB_DOWN, "ROLLBACK did not help");
        else
            clean_up(conn);
        return;
    }
    timer_stop(&conn->timer);
    if (conn->stale) {
        db_conn_lost(conn, ERR_DB_DOWN, "prepared statements are stale");
        return;
    }
    conn->state = CONN_IDLE;
    db_pool_idle(conn->pool);
}

/* The sync was answered: all is known. */
static void batch_done(struct db_conn *conn)
{
    struct db_pool *pool = conn->pool;
    struct db_batch *batch = conn->batch;
    enum err err = conn->err;
    struct err_note note = conn->note;

    if (batch != NULL) {
        conn->batch = NULL;
        if (err == ERR_OK && batch->transaction && !conn->committed)
            err = err_say(&note, ERR_DB_REFUSED, "COMMIT had no effect");
        if (err == ERR_OK && pool->fault != NULL) {
            err = pool->fault(pool->fault_arg, batch->number, true);
            err_say(&note, err, "fault after batch %llu", (unsigned long long)batch->number);
        }
        db_batch_end(pool, batch, err, &note);
    }
    session_next(conn);
}

static const char *phase_name(const struct db_conn *conn)
{
    switch (conn->phase) {
    case PHASE_PREPARE:
        return conn->preparing[conn->prepared_next]->stmt->name;
    case PHASE_BEGIN:
        return "BEGIN";
    case PHASE_QUERY:
        return conn->query->stmt->name;
    case PHASE_COMMIT:
        return conn->state == CONN_CLEANING ? "ROLLBACK" : "COMMIT";
    case PHASE_SYNC:
        return "sync";
    }
    must(false);
}

static void phase_next(struct db_conn *conn)
{
    struct db_batch *batch = conn->batch;

    switch (conn->phase) {
    case PHASE_PREPARE:
        if (++conn->prepared_next == conn->preparing_count)
            conn->phase = batch->transaction ? PHASE_BEGIN : PHASE_QUERY;
        return;
    case PHASE_BEGIN:
        conn->phase = PHASE_QUERY;
        return;
    case PHASE_QUERY:
        conn->query = conn->query->next;
        if (conn->query == NULL)
            conn->phase = batch->transaction ? PHASE_COMMIT : PHASE_SYNC;
        return;
    case PHASE_COMMIT:
        conn->phase = PHASE_SYNC;
        return;
    case PHASE_SYNC:
        break;
    }
    must(false);
}

static void release_result(void *object)
{
    PQclear(object);
}

/* An answer that says it worked. */
static void take_good(struct db_conn *conn, PGresult *result)
{
    if (conn->phase == PHASE_QUERY) {
        conn->query->result = result;
        arena_defer(conn->batch->arena, release_result, result);
        return;
    }
    if (conn->phase == PHASE_COMMIT && conn->state == CONN_BUSY)
        conn->committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
}

/* The server refused it, or (without words) was not asked because of an earlier error. */
static void take_bad(struct db_conn *conn, PGresult *result, bool aborted)
{
    if (conn->phase == PHASE_PREPARE)
        db_prepared_set(conn, conn->preparing[conn->prepared_next], false);
    if (!aborted) {
        if (db_error_is_stale(result))
            conn->stale = true;
        if (conn->err == ERR_OK && conn->batch != NULL)
            conn->err =
                db_error_read(conn, result, phase_name(conn), &conn->note, conn->batch->detail);
    }
    PQclear(result);
}

/* False when the connection is lost with it. */
static bool take(struct db_conn *conn, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_PIPELINE_SYNC && conn->phase == PHASE_SYNC) {
        PQclear(result);
        batch_done(conn);
        return false;
    }
    if (conn->phase != PHASE_SYNC) {
        conn->null_next = true;
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            take_good(conn, result);
            return true;
        }
        if (status == PGRES_PIPELINE_ABORTED ||
            (status == PGRES_FATAL_ERROR && PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL)) {
            take_bad(conn, result, status == PGRES_PIPELINE_ABORTED);
            return true;
        }
    }
    /* Without a SQLSTATE it is libpq that speaks: the connection is gone. Anything else we never
     * asked for, such as COPY. */
    PQclear(result);
    db_conn_lost(conn, ERR_DB_DOWN,
                 status == PGRES_FATAL_ERROR ? PQerrorMessage(conn->pg) : "unexpected answer");
    return false;
}

void db_run_results(struct db_conn *conn)
{
    while (!PQisBusy(conn->pg)) {
        PGresult *result = PQgetResult(conn->pg);

        if (result != NULL) {
            if (conn->null_next) {
                PQclear(result);
                db_conn_lost(conn, ERR_DB_DOWN, "two answers to one statement");
                return;
            }
            if (!take(conn, result))
                return;
        } else if (conn->null_next) {
            conn->null_next = false;
            phase_next(conn);
        } else {
            db_conn_lost(conn, ERR_DB_DOWN, "an answer is missing");
            return;
        }
    }
}
