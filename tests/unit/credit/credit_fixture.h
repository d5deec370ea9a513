/*
 * credit_fixture: the doctors and seminars of tests/data in a real database, uploads as the gateway
 * accepts them, and the messages that they keep going by. Business time is 2026-11-22 12:00.
 */
#pragma once
#include "credit/credit.h"
#include "gen/events.h"
#include "lib/handler_bench.h"
#include "unit/attendance/attendance_samples.h"

extern struct bench bench;
extern struct credit credit;
extern struct samples *samples;
extern struct arena *arena; /* of the present test */

#define NOW "2026-11-22T12:00:00+09:00"
#define FOLDER "tests/data/attendance"

/* For the group; for each test: no upload, no credit, no message. */
int open_bench(void **state);
int close_bench(void **state);
int clean(void **state);

/* ---- uploads ---- */

struct sent {
    char id[UUID_TEXT_BYTES];
    int64_t no;
};

/* Parts of 256 KiB, then the upload's row, by the gateway's role; and its first message. */
struct sent send_file(const char *seminar_no, struct str file);
struct sent send_dry_run(const char *seminar_no, struct str file);
/* `send_file()` and all of its messages. */
struct sent post_file(const char *seminar_no, struct str file);
struct str sample(const char *name);
/* A copy of what was built, which is released. */
struct str built(struct buf *buf);
/* A text of the test's arena, printf-like. */
struct str text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- messages on their way, oldest first ---- */

size_t waiting(void);
const char *waiting_type(size_t at);
json_t *waiting_data(size_t at);
/*
 * Handle one. When it worked it is taken out and what it sent is put behind the others; otherwise
 * it stays, to come again.
 */
enum err handle_at(size_t at);
/* Put a copy of one behind the others: it comes twice. */
void repeat(size_t at);
/* Put one of our own behind the others, as JSON. */
void inject(const char *type, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a handler that was called directly sent goes the ways of all messages. */
void take_events(void);
/* Handle everything in order; all of it has to work. */
void drain(void);
/* Everything that was ever sent comes again: what the outbox holds, in its order. */
void resend(void);

/* A failure of the database that is injected: see db_set_fault(). */
struct fault {
    uint64_t at; /* batches from now on */
    bool after;  /* after the commit, which is then not known */
};
void fail_at(struct fault fault);

/* ---- what others heard, oldest first; each could be decoded ---- */

size_t heard(const char *type);
/* The `at`th of its type. */
json_t *heard_data(const char *type, size_t at);

/* ---- looking ---- */

/* The one number of a statement, printf-like; as superuser, who sees all that auditors do. */
int64_t count(const char *statement, ...) __attribute__((format(printf, 1, 2)));
void sql(const char *statements, ...) __attribute__((format(printf, 1, 2)));
/* The one JSON value of a statement; freed with the test. NULL for SQL NULL. */
json_t *ask(const char *statement, ...) __attribute__((format(printf, 1, 2)));
/* The same as the gateway does for a person. */
json_t *ask_as(const char *scope, const char *statement, ...) __attribute__((format(printf, 2, 3)));
/* One member of the upload's object, as its organiser sees it. */
const char *upload_text(const struct sent *upload, const char *name);
int64_t upload_number(const struct sent *upload, const char *name);
/* Each outcome: posted, already_posted, waiting, unmatched, absent, rejected. */
void assert_counts(const struct sent *upload, const int64_t wanted[OUTCOME_COUNT]);
/*
 * Counts equal rows, rows are all there and in order, every posted row has its entries and every
 * entry its row, and revisions alternate.
 */
void assert_books(const struct sent *upload);
