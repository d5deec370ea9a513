/*
 * db: the pool. Batches wait in two queues; every connection that is idle takes the oldest that may
 * run.
 */
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#include "db/db_private.h"

#define DEADLOCK_DETECTED "40P01" /* SQLSTATE */

static struct db_batch *queue_pop(struct db_queue *queue)
{
    struct db_batch *batch = queue->head;

    if (batch != NULL) {
        queue->head = batch->waiting_next;
        if (queue->head == NULL)
            queue->tail = NULL;
        batch->waiting_next = NULL;
        queue->count--;
    }
    return batch;
}

static void queue_push(struct db_queue *queue, struct db_batch *batch)
{
    batch->waiting_next = NULL;
    if (queue->tail != NULL)
        queue->tail->waiting_next = batch;
    else
        queue->head = batch;
    queue->tail = batch;
    queue->count++;
}

static unsigned waiting(const struct db_pool *pool)
{
    return pool->waiting[false].count + pool->waiting[true].count;
}

unsigned db_patient_max(const struct db_pool *pool)
{
    return pool->connections > 1 ? pool->connections - 1 : 1;
}

static bool has_place(const struct db_pool *pool, bool patient)
{
    return !patient || pool->patient_busy < db_patient_max(pool);
}

/* The oldest that may run now: others before patient ones, of which one may always run. */
static struct db_batch *pop_waiting(struct db_pool *pool)
{
    struct db_queue *ordinary = &pool->waiting[false];
    struct db_queue *patient = &pool->waiting[true];

    if (pool->patient_busy == 0 && pool->connections > 1 && patient->count > 0)
        return queue_pop(patient);
    if (ordinary->count > 0 || !has_place(pool, true))
        return queue_pop(ordinary);
    return queue_pop(patient);
}

static void fail_waiting(struct db_pool *pool, enum err err, const struct err_note *note)
{
    for (size_t i = 0; i < ARRAY_LEN(pool->waiting); i++) {
        struct db_batch *batch;

        while ((batch = queue_pop(&pool->waiting[i])) != NULL)
            db_batch_end(pool, batch, err, note);
    }
}

void db_batch_end(struct db_pool *pool, struct db_batch *batch, enum err err,
                  const struct err_note *note)
{
    struct flow *flow = batch->flow;

    batch->flow = NULL;
    if (batch->counted)
        pool->patient_busy--;
    batch->counted = false;
    pool->batches++;
    if (err == ERR_OK) {
        flow_resume(flow, ERR_OK);
        return;
    }
    pool->errors++;
    pool->deadlocks += strcmp(batch->detail, DEADLOCK_DETECTED) == 0;
    flow_fail(flow, err, "%s", note->text);
}

void db_pool_down(struct db_pool *pool)
{
    fail_waiting(pool, ERR_DB_DOWN, &pool->last_error);
}

/* Fires when the first of those who wait is too late. */
static void arm_expiry(struct db_pool *pool, uint64_t deadline_ms)
{
    uint64_t now_ms = clock_mono_ms();

    if (pool->expiry_ms != 0 && pool->expiry_ms <= deadline_ms)
        return;
    pool->expiry_ms = deadline_ms;
    timer_start(&pool->expiry, deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
}

static void expire_queue(struct db_pool *pool, struct db_queue *queue, uint64_t now_ms,
                         const struct err_note *note)
{
    struct db_batch *batch = queue->head;

    *queue = (struct db_queue){.head = NULL};
    while (batch != NULL) {
        struct db_batch *next = batch->waiting_next;

        if (batch->deadline_ms <= now_ms) {
            db_batch_end(pool, batch, ERR_TIMEOUT, note);
        } else {
            queue_push(queue, batch);
            arm_expiry(pool, batch->deadline_ms);
        }
        batch = next;
    }
}

static void expire_waiting(void *arg)
{
    struct db_pool *pool = arg;
    struct err_note note;

    err_say(&note, ERR_TIMEOUT, "no connection was free in time, %u batches wait", waiting(pool));
    pool->expiry_ms = 0;
    for (size_t i = 0; i < ARRAY_LEN(pool->waiting); i++)
        expire_queue(pool, &pool->waiting[i], clock_mono_ms(), &note);
}

struct db_pool *db_open(struct loop *loop, const struct db_options *options)
{
    struct db_pool *pool = heap_zero(sizeof(*pool));

    must(options->connections > 0 && options->waiting_max > 0);
    pool->loop = loop;
    pool->dsn = heap_strdup(options->dsn);
    pool->application = heap_strdup(options->application != NULL ? options->application : "mamis");
    pool->pg_options = db_connect_options(options);
    pool->arena = arena_new();
    pool->connections = options->connections;
    pool->waiting_max = options->waiting_max;
    pool->conns = heap_zero(sizeof(*pool->conns) * options->connections);
    for (unsigned i = 0; i < options->connections; i++)
        db_conn_init(&pool->conns[i], pool);
    timer_open(&pool->reconnect, loop, db_connect_timer, pool);
    timer_open(&pool->expiry, loop, expire_waiting, pool);
    pool->timers_open = options->connections + 2;
    pool->wanted = 1;
    db_connect_more(pool);
    return pool;
}

struct arena *db_arena(struct db_pool *pool)
{
    return pool->arena;
}

static struct db_conn *find_idle(struct db_pool *pool)
{
    for (unsigned i = 0; i < pool->wanted; i++) {
        if (pool->conns[i].state == CONN_IDLE)
            return &pool->conns[i];
    }
    return NULL;
}

static void send_batch(struct db_pool *pool, struct db_conn *conn, struct db_batch *batch)
{
    struct err_note note;
    enum err err = ERR_OK;

    if (batch->deadline_ms <= clock_mono_ms()) {
        err_say(&note, ERR_TIMEOUT, "a connection was free too late");
        db_batch_end(pool, batch, ERR_TIMEOUT, &note);
        return;
    }
    metric_observe_us(&pool->wait, clock_mono_us() - batch->queued_us);
    if (pool->fault != NULL)
        err = pool->fault(pool->fault_arg, batch->number, false);
    if (err != ERR_OK) {
        err_say(&note, err, "fault before batch %llu", (unsigned long long)batch->number);
        db_batch_end(pool, batch, err, &note);
        return;
    }
    batch->counted = batch->patient;
    if (batch->counted)
        pool->patient_busy++;
    db_run_start(conn, batch);
}

void db_pool_idle(struct db_pool *pool)
{
    struct db_conn *conn;
    struct db_batch *batch;

    while ((conn = find_idle(pool)) != NULL && (batch = pop_waiting(pool)) != NULL)
        send_batch(pool, conn, batch);
}

static bool is_down(const struct db_pool *pool)
{
    return pool->up == 0 && pool->failures > 0 && pool->connecting == NULL;
}

static void wait_for_connection(struct db_pool *pool, struct db_batch *batch)
{
    struct db_queue *queue = &pool->waiting[batch->patient];
    struct err_note note;

    if (is_down(pool)) {
        db_batch_end(pool, batch, ERR_DB_DOWN, &pool->last_error);
        return;
    }
    if (queue->count >= pool->waiting_max) {
        err_say(&note, ERR_BUSY, "%u batches wait already", queue->count);
        db_batch_end(pool, batch, ERR_BUSY, &note);
        return;
    }
    queue_push(queue, batch);
    arm_expiry(pool, batch->deadline_ms);
    if (pool->wanted < pool->connections)
        pool->wanted++;
    db_connect_more(pool);
}

void db_run(struct db_pool *pool, struct db_batch *batch, uint64_t deadline_ms, struct flow *flow)
{
    struct db_conn *conn;

    must(batch->flow == NULL && flow->waiting);
    batch->flow = flow;
    batch->number = ++pool->batches_begun;
    batch->deadline_ms = clock_mono_ms() + deadline_ms;
    batch->queued_us = clock_mono_us();
    batch->detail[0] = '\0';
    for (struct db_query *query = batch->head; query != NULL; query = query->next)
        query->result = NULL;
    if (pool->closing) {
        struct err_note note = {"database is closed"};

        db_batch_end(pool, batch, ERR_STOPPING, &note);
        return;
    }
    if (batch->count == 0) {
        db_batch_end(pool, batch, ERR_OK, NULL);
        return;
    }
    conn = pool->waiting[batch->patient].count == 0 && has_place(pool, batch->patient)
               ? find_idle(pool)
               : NULL;
    if (conn != NULL)
        send_batch(pool, conn, batch);
    else
        wait_for_connection(pool, batch);
}

bool db_up(const struct db_pool *pool)
{
    return pool->up > 0;
}

void db_stats(const struct db_pool *pool, struct db_stats *ret_stats)
{
    *ret_stats = (struct db_stats){.connections = pool->connections,
                                   .connections_up = pool->up,
                                   .waiting = waiting(pool),
                                   .batches = pool->batches,
                                   .errors = pool->errors,
                                   .deadlocks = pool->deadlocks,
                                   .wait = pool->wait};
    for (unsigned i = 0; i < pool->connections; i++) {
        enum conn_state state = pool->conns[i].state;

        ret_stats->busy += state == CONN_BUSY || state == CONN_CLEANING;
    }
}

void db_set_fault(struct db_pool *pool, db_fault_fn fault, void *arg)
{
    pool->fault = fault;
    pool->fault_arg = arg;
}

static void free_pool(struct db_pool *pool)
{
    for (unsigned i = 0; i < pool->connections; i++) {
        free(pool->conns[i].prepared);
        free(pool->conns[i].preparing);
    }
    db_variants_free(pool);
    free(pool->conns);
    free(pool->dsn);
    free(pool->application);
    free(pool->pg_options);
    arena_free(pool->arena);
    free(pool);
}

static void timer_closed(struct db_pool *pool)
{
    void (*closed)(void *arg) = pool->closed;
    void *arg = pool->closed_arg;

    if (--pool->timers_open > 0)
        return;
    free_pool(pool);
    if (closed != NULL)
        closed(arg);
}

static void pool_timer_closed(void *arg)
{
    timer_closed(arg);
}

static void conn_timer_closed(void *arg)
{
    timer_closed(((struct db_conn *)arg)->pool);
}

void db_close(struct db_pool *pool, void (*closed)(void *arg), void *arg)
{
    struct err_note note = {"database is closed"};

    must(!pool->closing);
    pool->closing = true;
    pool->closed = closed;
    pool->closed_arg = arg;
    fail_waiting(pool, ERR_STOPPING, &note);
    for (unsigned i = 0; i < pool->connections; i++) {
        struct db_conn *conn = &pool->conns[i];

        if (conn->state != CONN_NONE)
            db_conn_lost(conn, ERR_STOPPING, note.text);
        timer_close(&conn->timer, conn_timer_closed);
    }
    timer_close(&pool->reconnect, pool_timer_closed);
    timer_close(&pool->expiry, pool_timer_closed);
}
