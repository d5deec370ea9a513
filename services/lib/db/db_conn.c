/*
 * db_conn: one connection: its bytes, its deadline, its loss.
 */
#include <string.h>

#include "db/db_private.h"

void db_conn_init(struct db_conn *conn, struct db_pool *pool)
{
    conn->pool = pool;
    conn->state = CONN_NONE;
    timer_open(&conn->timer, pool->loop, NULL, conn);
}

void db_conn_drop(struct db_conn *conn)
{
    timer_stop(&conn->timer);
    evfd_close(conn->evfd); /* before libpq closes the socket */
    conn->evfd = NULL;
    PQfinish(conn->pg);
    conn->pg = NULL;
    conn->state = CONN_NONE;
    conn->stale = false;
    if (conn->prepared_count > 0)
        memset(conn->prepared, 0, conn->prepared_count * sizeof(*conn->prepared));
}

/* How the batch in hand ends when nothing more will be heard of it. */
static enum err outcome(const struct db_conn *conn, enum err err)
{
    if (conn->err != ERR_OK)
        return conn->err; /* the server said what is wrong: no effect */
    if (conn->committed)
        return ERR_OK;
    if (conn->commit_sent)
        return ERR_DB_UNKNOWN;
    return err;
}

void db_conn_lost(struct db_conn *conn, enum err err, const char *why)
{
    struct db_pool *pool = conn->pool;
    struct db_batch *batch = conn->batch;
    struct err_note note = conn->note;

    if (conn->state == CONN_CONNECTING) {
        db_connect_failed(conn, why);
        return;
    }
    err = outcome(conn, err);
    if (conn->err == ERR_OK)
        err_say(&note, err, "connection lost: %.*s", (int)strcspn(why, "\n"), why);
    db_conn_drop(conn);
    conn->batch = NULL;
    pool->up--;
    pool->lost = true;
    err_say(&pool->last_error, ERR_DB_DOWN, "connection lost");
    if (batch != NULL)
        db_batch_end(pool, batch, err, &note);
    db_connect_more(pool);
}

void db_conn_flush(struct db_conn *conn)
{
    /* 1: the socket is full. The server may wait for us to read, so watch for both. */
    int left = PQflush(conn->pg);

    if (left < 0)
        db_conn_lost(conn, ERR_DB_DOWN, PQerrorMessage(conn->pg));
    else
        evfd_watch(conn->evfd, left > 0 ? EVFD_READ | EVFD_WRITE : EVFD_READ);
}

void db_conn_ready(void *arg, int events)
{
    struct db_conn *conn = arg;
    bool alive;

    (void)events; /* reading and writing find out by themselves */
    if (conn->state == CONN_CONNECTING) {
        db_connect_poll(conn);
        return;
    }
    alive = PQconsumeInput(conn->pg) == 1;
    /* The answers that came before a loss still count. */
    if (conn->state != CONN_IDLE)
        db_run_results(conn);
    if (conn->state == CONN_NONE || conn->state == CONN_CONNECTING)
        return;
    PQisBusy(conn->pg); /* lets libpq take what an idle session hears */
    if (!alive || PQstatus(conn->pg) == CONNECTION_BAD)
        db_conn_lost(conn, ERR_DB_DOWN, PQerrorMessage(conn->pg));
    else
        db_conn_flush(conn);
}
