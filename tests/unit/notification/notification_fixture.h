/*
 * notification_fixture: the handlers and the queue on a handler bench, with a scripted smart host.
 * It is 2026-11-22. Doctor 1 is 濱田　正樹 with an address, doctor 2 has none; ORGANISER is an
 * account of P13, STAFF one of the prefectural office 13.
 */
#pragma once
#include "gen/events.h"
#include "lib/handler_bench.h"
#include "lib/smtp_server.h"
#include "notification/notification.h"

#define UPLOAD "0195f2f0-0000-7000-8000-0000000000f1"
#define DOCTOR_ACCOUNT "0195f2f0-0000-7000-8000-000000000001"
#define ORGANISER "0195f2f0-0000-7000-8000-000000000011"
#define STAFF "0195f2f0-0000-7000-8000-000000000021"
#define APPLICATION "0195f2f0-0000-7000-8000-0000000000a1"
#define LINK "0195f2f0-0000-7000-8000-0000000000b1"
#define DOCTOR_ADDRESS "d460190@example.jp"

extern struct bench bench;
extern struct smtp_server smtp;
extern struct notification notification;

/* For the group: PostgreSQL, smart host, settings, templates. For each test: rows as above. */
int open_bench(void **state);
int close_bench(void **state);
int fill(void **state);

int64_t count(const char *sql);
/* One text value; static storage, "" for none. */
const char *value(const char *sql);
void sql(const char *statement);

/* ---- events; each asserts that it was handled ---- */

void doctor(int id, int version, const char *name, const char *email);
/* `code`: organiser's or prefecture's, as the role wants it. */
void account(const char *id, int version, const char *role, const char *state, const char *email,
             const char *code);
void link_issued(const char *id, const char *purpose);
/* Entries of doctor 1 and 2 at one session: kind and half units of doctor 1's. */
void posted(int chunk_no, const char *kind, int half_units, int revision);
/* The same at another session than 5. */
void posted_at(int session_id, int chunk_no, const char *kind, int half_units, int revision);
/* A correction: counter-entry of doctor 1; `cause`: cancel or undo. */
void taken_back(int session_id, const char *kind, int revision, const char *cause, bool last);
/* A chunk of these doctors (text of a JSON array), 4 half units of OPL-S each. */
/* A row of the chunk that posted after the upload's end, for one doctor. */
void posted_after_end(int chunk_no, const char *doctor_ids);
void posted_for(int chunk_no, const char *doctor_ids, int entries);
/* `account`: JSON, with quotes or null. */
void upload_done(int chunks_total, const char *account_json, int rejected);
void application(int version, const char *status, bool declared);

/* ---- the queue ---- */

void queue_open(void);
void queue_close(void);
/*
 * The same in a process of its own, which a test kills. `fault`: of its database, may be NULL.
 * Gives its id.
 */
pid_t queue_fork(db_fault_fn fault, void *arg);
/* Every sender but the one of this process has not been seen for a minute. */
void senders_are_dead(void);
/* Run the loop until SQL gives `wanted`; fails the test after 20 s. */
void wait_for(const char *sql, int64_t wanted);
/* The same until so many connections of the smart host stay silent. */
void wait_silent(size_t connections);
/* Let a queue make the mails of complete uploads; it sends nothing, for the smart host is silent.
 */
void make_mails(void);
/* Insert `mails` ready mails M02 to m1@example.jp, m2@... */
void fill_mails(int mails);

/* Subject and body of the mail of this kind, as it would be sent. Memory: `arena`. */
struct mail_message rendered(struct arena *arena, const char *kind);
