/*
 * work_fixture: a service as small as possible on real servers. Schema `credit` with the role
 * mamis_credit, from the first migration, plus two tables for effects. Senders are the schema
 * `gateway`.
 */
#pragma once
#include "lib/pg_server.h"
#include "unit/bus/bus_fixture.h"
#include "work/work.h"

enum { KEPT_BATCHES_MAX = 8 };

/* What the handlers of the test's event types do; see work_fixture.c. */
struct service {
    struct work *work;
    const char *out_topic; /* where "t.emit.v1" sends */
    unsigned calls;        /* of any handler */
    unsigned largest;      /* batch */
    unsigned fail_times;   /* "t.retry.v1": so often ERR_DB_DOWN first */
    unsigned committed;    /* messages told to the route's hook */
    unsigned died;         /* calls of the dead hook */
    char died_of[64];
    bool die_hook_breaks;                      /* its statement is refused */
    struct work_batch *kept[KEPT_BATCHES_MAX]; /* "t.slow.v1": not yet answered */
    size_t kept_count;
    const char *trace_seen;
    char trace[FLOW_TRACE_BYTES];
};

struct fixture {
    struct loop *loop;
    struct db_pool *db; /* as mamis_credit */
    struct db_pool *gateway_db;
    struct bus *bus;
    struct work *sender; /* as the gateway */
    struct work *work;   /* NULL until worker_start() */
    struct service service;
    const char *topic;
    const char *key; /* of what is sent */
    size_t queued;   /* how many records a test waits for */
    char group[64];
    struct arena *arena;
};

extern struct pg_server pg;

/* For the group: PostgreSQL with the tables; the broker comes at first use. */
int servers_setup(void **state);
int servers_teardown(void **state);
/* For a test: tables emptied, a topic of one partition. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* The service subscribes to the fixture's topic (again, after worker_stop()). */
void worker_start(struct fixture *fx);
void worker_stop(struct fixture *fx);
struct work *worker_open(struct fixture *fx, struct db_pool *db, struct bus *bus,
                         struct service *service);
struct db_pool *open_db(struct loop *loop, const char *role, unsigned connections);
void close_db(struct loop *loop, struct db_pool *db);
void close_work(struct loop *loop, struct work *work);

/* Commit and publish an event {"n": n} of a type. Gives its id. */
struct uuid send_event(struct fixture *fx, const char *type, int64_t n);
/* The same, without publishing: as if the process had died in between. */
struct uuid send_unpublished(struct fixture *fx, const char *type, int64_t n);
/* Put the bytes on the topic, whatever they are. */
void send_raw(struct fixture *fx, const char *topic, const char *value);
/* Run a batch as the sender. */
enum err run_work(struct fixture *fx, struct work *work, struct db_batch *batch);
/* Turn the loop until the statement gives the number; fails after WAIT_MS. */
void until_i64(struct fixture *fx, const char *sql, int64_t wanted);
/* The same at once. */
int64_t number(const char *sql);
void exec(const char *sql);
/* Answer the handlers that were kept waiting. */
void answer_kept(struct service *service, enum err err);
/* Turn the loop until so many handlers are kept waiting. */
void until_kept(struct fixture *fx, size_t count);
/* Publish every event of the sender again, by its sweep; returns when all are marked. */
void send_again(struct fixture *fx);
/* Turn the loop until nothing is in hand or on its way. */
void until_idle(struct fixture *fx, struct work *work);
extern const struct work_route service_routes[];
extern const size_t service_route_count;
