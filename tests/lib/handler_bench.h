/*
 * handler_bench: runs a service's message handlers against a real PostgreSQL with all migrations,
 * without Kafka. It stands in for lib/work: it hands over one message, commits the effect, and
 * keeps what was emitted and answered for the test to look at.
 */
#pragma once
#include "lib/test.h"

#include "lib/pg_server.h"
#include "work/work.h"

enum { BENCH_EVENTS_MAX = 64, BENCH_WAIT_MS = 60000 };

struct bench_event {
    char type[64];
    char topic[64];
    char key[64];
    json_t *data;
};

struct bench {
    struct pg_server server;
    struct loop *loop;
    struct db_pool *db;
    struct work *work; /* the stand-in */
    struct bench_event events[BENCH_EVENTS_MAX];
    size_t event_count;
    /* The last answer to a command. */
    bool answered;
    enum err answer_err;
    char answer_code[64]; /* "" when it was done */
    json_t *answer;       /* result or problem detail; NULL: none */
    struct err_note note; /* of the last handling */
    bool conflicted;      /* its commit was refused: the next handling knows, as with lib/work */
    /* What somebody else does between the handler's reads and its commit; NULL: nothing. */
    const char *meanwhile;
    /* Keeps what is emitted with the effect: (id, type, topic, key, data as text); NULL: no row. */
    const struct db_stmt *outbox;
    /* As in the service's route; NULL: none. */
    void (*committed)(void *service, const struct work_batch *batch);
};

/* Start the server, apply deploy/migrations, connect as `role`. Aborts on failure. */
void bench_open(struct bench *bench, const char *role);
void bench_close(struct bench *bench);
/* Business time from now on: "2025-04-07T09:00:00+09:00". */
void bench_clock(const char *time);
/*
 * Handle one message of this type whose data is `json` (printf-like), and commit the effect.
 * Forgets earlier events and answers. Returns the handler's or the commit's error.
 */
enum err bench_handle(struct bench *bench, work_handler_fn handler, void *service, const char *type,
                      const char *json, ...) __attribute__((format(printf, 5, 6)));
/* The same for a batch of messages, whose data is borrowed. */
enum err bench_handle_all(struct bench *bench, work_handler_fn handler, void *service,
                          const char *type, json_t *const *data, size_t count);
/* Forget earlier events and answers; what runs without a message begins so. */
void bench_forget(struct bench *bench);
/* Give one message up, as after its third death: what its waiting command is answered. */
void bench_give_up(struct bench *bench,
                   void (*dead)(void *service, struct work_batch *batch, const char *reason),
                   void *service, const char *json);
/* How many events of a type the last message emitted; the first one's data. */
size_t bench_emitted(const struct bench *bench, const char *type);
json_t *bench_event(const struct bench *bench, const char *type);
/* Text of a field of an object; "" when it is no text. */
const char *bench_text(const json_t *object, const char *name);
int64_t bench_number(const json_t *object, const char *name);
/* Run SQL as superuser. */
void bench_sql(struct bench *bench, const char *sql);
int64_t bench_i64(struct bench *bench, const char *sql);
