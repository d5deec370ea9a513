/*
 * gateway_bench: the gateway's routes over HTTP on a PostgreSQL of its own, whose nth call fails
 * when a test wants it. The broker and Redis are away: nothing here needs them.
 */
#pragma once
#include "gateway/gateway_call.h"
#include "lib/pg_server.h"
#include "unit/http/fixture.h"

extern struct pg_server bench_server;
extern struct gateway bench_gateway;
extern struct fixture bench_fixture;

/* For the group. */
int gateway_bench_open(void **state);
int gateway_bench_close(void **state);

/* The database's `at`th call from now on fails, in one of the ways: error, time-out, lost answer
 * after the commit. 0: none. */
void gateway_bench_fail(unsigned at, int way);
/* It has failed. */
bool gateway_bench_failed(void);
/* There were so many calls, those of timers too, which may be the ones that failed. */
bool gateway_bench_reached(void);

/* Sends the bytes and so many 'x' after them; gives the answer's status. */
unsigned gateway_bench_send(struct str head, size_t repeat_bytes);

/*
 * Lets `run` go with a failure at call 1, 2, ... in each way until there is none to fail; it gives
 * whether there was one. How far it came is printed; below tests/data/gateway_faults.json is a
 * failure.
 */
void gateway_bench_walk(const char *name, bool (*run)(const void *what, unsigned at, int way),
                        const void *what);
