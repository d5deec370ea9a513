/* registration_fixture: the handlers of registration on a handler bench, for a group of tests. */
#pragma once
#include "gen/events.h"
#include "lib/handler_bench.h"
#include "registration/registration.h"

extern struct bench bench;
extern struct registration registration;

/* For the group: PostgreSQL with all migrations; the clock is each test's to set. */
int open_bench(void **state);
int close_bench(void **state);

/* The one number that a statement gives. */
int64_t count(const char *sql);
