/*
 * renewal_fixture: fixture 1 of domain.md on a handler bench. Doctor 1 of prefecture 13 holds OP
 * 0000001, valid 2020-08-01 to 2025-07-31, with 5 credits of April 2025; it is 2025-04-20.
 */
#pragma once
#include <stdio.h>
#include <string.h>

#include "gen/events.h"
#include "lib/handler_bench.h"
#include "renewal/renewal.h"

#define OPERATION "0190a000-0000-7000-8000-0000000000ff"
#define DOCTOR_ACCOUNT "0190a000-0000-7000-8000-000000000001"
#define OFFICE_ACCOUNT "0190a000-0000-7000-8000-000000000002"
#define APPLICATION "0190a000-0000-7000-8000-0000000000aa"
#define SECOND "0190a000-0000-7000-8000-0000000000ab"

extern struct bench bench;
extern struct renewal renewal;

/* For the group; for each test. */
int open_bench(void **state);
int close_bench(void **state);
int fill(void **state);

/* The one number that SQL gives. */
int64_t count(const char *sql);

/* Events. */
void doctor(int id, int version, const char *my_page, const char *l2_code);
void certificate_event(int id);
/* One credit of one session, in whole units; a negative one with an odd revision cancels. */
void credit(int doctor_id, int session_id, const char *kind, int units, const char *held_on,
            const char *delivery, int revision);

/* Commands; each asserts that it was answered. */
void declare(const char *lines);
/* The 15 units of the fixture's handbook. */
void declare_fixture(void);
void submit_as(const char *application_id);
void submit(void);
/* `more` are further fields, beginning with a comma. */
void act(const char *role, const char *l2_code, const char *action, const char *more);
void l2(const char *action, const char *more);
/* verify_handbook: everything is as declared. */
extern const char whole_handbook[];
/* Declared, submitted, checked, forwarded to L3. */
void forwarded(void);
/* Status in the last application.state event. */
const char *status_event(void);
