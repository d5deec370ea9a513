/*
 * db_fixture: a server for the program, a loop and a pool for each test.
 */
#pragma once
#include "lib/test.h"

#include "db/db.h"
#include "lib/pg_server.h"

enum { WAIT_MS = 60000 };

struct fixture {
    struct pg_server *server;
    struct loop *loop;
    struct db_pool *pool;
    struct arena *arena; /* of the test's batches */
    bool closed;
};

/* For the group: start and stop the server. */
int server_setup(void **state);
int server_teardown(void **state);
/* For a test: `*state` becomes its fixture; the pool has 2 connections, 16 may wait. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Another pool in place of the fixture's. */
void fixture_open(struct fixture *fx, const char *dsn, unsigned connections, unsigned waiting_max);
void fixture_close(struct fixture *fx);

/* A batch that runs while the test does other things; in the test's arena. */
struct job {
    struct flow flow;
    struct fixture *fx;
    struct db_pool *pool;
    struct db_batch *batch;
    uint64_t deadline_ms;
    bool done;
};

struct job *job_start(struct fixture *fx, struct db_batch *batch, uint64_t deadline_ms);
/* Wait for the end and give its error. */
enum err job_end(struct job *job);
/* job_start() and job_end() with a long deadline. */
enum err run(struct fixture *fx, struct db_batch *batch);
/* A setup that also makes an empty table: thing (id int8 PRIMARY KEY, name text NOT NULL, ...). */
int thing_setup(void **state);
extern const struct db_stmt stmt_insert_thing;
/* Append the insert of a row; `name` NULL is refused by the table. */
void add_thing(struct db_batch *batch, int64_t id, const char *name);
/* Append a statement that takes so long. */
void add_sleep(struct db_batch *batch, int64_t ms);
/* Rows in the table, as others see it. */
int64_t things(struct fixture *fx);
/* Turn the loop until the server gives this number for the statement. */
void turn_until_i64(struct fixture *fx, const char *sql, int64_t wanted);
/* Turn the loop until the pool is or is not connected. */
void turn_until_up(struct fixture *fx, bool up);
