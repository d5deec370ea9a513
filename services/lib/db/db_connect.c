/*
 * db_connect: making connections. One attempt at a time in a pool, so that a server that comes back
 * is not stormed; after a failure the next waits longer, with jitter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_private.h"

enum {
    CONNECT_MS = 5000,      /* limit of one attempt */
    LOST_DELAY_MS_MAX = 20, /* before the first attempt after a loss */
    BACKOFF_MS_LEAST = 50,
    BACKOFF_MS_MOST = 2000,
};

/*
 * Options of our own for the server, after those of the connection string. A frozen client must not
 * hold locks for ever; compiling queries costs more than it saves on short ones.
 */
char *db_connect_options(const struct db_options *options)
{
    PQconninfoOption *given = PQconninfoParse(options->dsn, NULL);
    struct buf text = {NULL, 0, 0};

    for (PQconninfoOption *one = given; one != NULL && one->keyword != NULL; one++) {
        if (strcmp(one->keyword, "options") == 0 && one->val != NULL)
            buf_add_c(&text, one->val);
    }
    PQconninfoFree(given); /* a bad string fails when it is used */
    buf_printf(&text,
               " -c statement_timeout=%u -c idle_in_transaction_session_timeout=10000 -c jit=off"
               " -c timezone=Asia/Tokyo",
               (unsigned)options->statement_timeout_ms);
    buf_add_char(&text, '\0');
    return text.data;
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static void connect_timeout(void *arg)
{
    db_connect_failed(arg, "no answer while connecting");
}

/* libpq may change its socket in each step, even to another one with the same number. */
static void watch_socket(struct db_conn *conn, int events)
{
    conn->evfd = evfd_open(conn->pool->loop, PQsocket(conn->pg), db_conn_ready, conn);
    evfd_watch(conn->evfd, events);
}

static void connect_begin(struct db_conn *conn)
{
    struct db_pool *pool = conn->pool;
    /* Before the string: what it may change. After it: what it may not. */
    const char *const names[] = {"gssencmode",       "client_encoding", "dbname",
                                 "application_name", "options",         NULL};
    const char *const values[] = {"disable",         "UTF8",           pool->dsn,
                                  pool->application, pool->pg_options, NULL};

    conn->state = CONN_CONNECTING;
    pool->connecting = conn;
    conn->pg = PQconnectStartParams(names, values, 1);
    must(conn->pg != NULL);
    if (PQstatus(conn->pg) == CONNECTION_BAD) {
        db_connect_failed(conn, NULL);
        return;
    }
    PQsetNoticeReceiver(conn->pg, ignore_notice, NULL);
    conn->timer.fire = connect_timeout;
    timer_start(&conn->timer, CONNECT_MS, 0);
    watch_socket(conn, EVFD_WRITE);
}

static void connect_done(struct db_conn *conn)
{
    struct db_pool *pool = conn->pool;

    timer_stop(&conn->timer);
    must(PQsetnonblocking(conn->pg, 1) == 0);
    must(PQenterPipelineMode(conn->pg) == 1);
    watch_socket(conn, EVFD_READ);
    conn->state = CONN_IDLE;
    pool->connecting = NULL;
    pool->failures = 0;
    pool->up++;
    db_pool_idle(pool);
    db_connect_more(pool);
}

void db_connect_poll(struct db_conn *conn)
{
    PostgresPollingStatusType status;

    evfd_close(conn->evfd);
    conn->evfd = NULL;
    status = PQconnectPoll(conn->pg);
    if (status == PGRES_POLLING_OK)
        connect_done(conn);
    else if (status == PGRES_POLLING_READING)
        watch_socket(conn, EVFD_READ);
    else if (status == PGRES_POLLING_WRITING)
        watch_socket(conn, EVFD_WRITE);
    else
        db_connect_failed(conn, NULL);
}

void db_connect_failed(struct db_conn *conn, const char *why)
{
    struct db_pool *pool = conn->pool;

    if (why == NULL)
        why = PQerrorMessage(conn->pg);
    err_say(&pool->last_error, ERR_DB_DOWN, "cannot connect: %.*s", (int)strcspn(why, "\n"), why);
    db_conn_drop(conn);
    pool->connecting = NULL;
    pool->failures++;
    if (pool->closing)
        return;
    if (pool->up == 0)
        db_pool_down(pool);
    db_connect_more(pool);
}

static uint64_t delay_ms(const struct db_pool *pool)
{
    uint64_t most = LOST_DELAY_MS_MAX;
    uint64_t least = 0;
    uint32_t random;

    if (pool->failures > 0) {
        most = BACKOFF_MS_LEAST;
        for (unsigned i = 1; i < pool->failures && most < BACKOFF_MS_MOST; i++)
            most *= 2;
        if (most > BACKOFF_MS_MOST)
            most = BACKOFF_MS_MOST;
        least = most / 2;
    }
    random_bytes(&random, sizeof(random));
    return least + random % (most - least + 1);
}

static struct db_conn *find_missing(struct db_pool *pool)
{
    for (unsigned i = 0; i < pool->wanted; i++) {
        if (pool->conns[i].state == CONN_NONE)
            return &pool->conns[i];
    }
    return NULL;
}

void db_connect_timer(void *arg)
{
    struct db_pool *pool = arg;
    struct db_conn *missing = find_missing(pool);

    pool->reconnect_armed = false;
    if (missing != NULL && pool->connecting == NULL)
        connect_begin(missing);
}

void db_connect_more(struct db_pool *pool)
{
    if (pool->closing || pool->connecting != NULL || pool->reconnect_armed ||
        find_missing(pool) == NULL)
        return;
    pool->reconnect_armed = true;
    /* The first one and further ones of a pool that works need not wait. */
    timer_start(&pool->reconnect, pool->failures == 0 && !pool->lost ? 0 : delay_ms(pool), 0);
    pool->lost = false;
}
