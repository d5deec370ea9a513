/*
 * credit_signup: sign-ups to seminars, as the commands of people and the merges of doctors change
 * them. Every change is a message of the seminar, which has one writer: who comes first is the
 * order of messages, and counting places needs no lock.
 */
#pragma once
#include "credit/credit_command.h"
#include "credit/signup_rules.h"
#include "gen/events.h"

/* SQL: the doctor $2 is asked for; a merged one's commands count for the one who is kept. */
#define SIGNUP_KEPT "coalesce((SELECT m.kept_id FROM credit.merge m WHERE m.closed_id = $2), $2)"

/* Statements of one read, and where their answers lie. */
struct signup_query {
    struct db_query *seminar; /* with the doctor's own sign-up */
    struct db_query *line;    /* who waits, first come first */
};

struct signup {
    struct str seminar_no, title;
    int64_t doctor_id; /* the one who is kept, for a merged one; 0: nobody is on record */
    int64_t version;   /* of the doctor's sign-up; 0: there is none */
    int64_t line_no;   /* the highest of the seminar */
    int64_t before;    /* how many wait longer than the doctor, who waits; else 0 */
    struct signup_facts facts;
};

/* Append the statements that read the seminar's sign-ups, and that of `doctor_id`. */
void signup_query_add(struct signup_query *query, struct db_batch *batch, struct str seminar_no,
                      int64_t doctor_id);
/* After a good run; false: there is no such seminar. Texts are borrowed from the query. */
bool signup_take(const struct signup_query *query, struct str seminar_no,
                 struct signup *ret_signup);
/* Those who wait, but `except`, get `count` places, first come first; each is told. */
void signup_promote(struct command *command, const struct signup_query *query,
                    const struct signup *signup, int64_t except, int64_t count);

/* credit_signup_choice.c: */
/* What somebody asked for as it stands after a look at the seminar. Texts: arena and event. */
struct signup_choices {
    enum code refusal;          /* CODE_NONE: all of it can be chosen */
    struct str value, expected; /* for its text */
    struct str stored;          /* JSON for credit.signup; data NULL: nothing is chosen */
};
/* Ask for the seminar's sessions, and what `doctor_id` chose and got of them. */
struct db_query *signup_sessions_add(struct db_batch *batch, struct str seminar_no,
                                     int64_t doctor_id);
/* Errors: ERR_SCHEMA when a session's offers cannot be read; the note says which. */
CHECKED enum err signup_choices_take(const struct db_query *rows,
                                     const struct event_seminar_signup *event, struct arena *arena,
                                     struct signup_choices *ret_choices, struct err_note *note);
/* Of a refusal, for command_refuse(); new reference. */
json_t *signup_choices_params(const struct signup_choices *choices);

/* credit_signup_move.c: */
/* Ask for sign-ups of a doctor who is merged, or of those who were a short while ago. */
struct db_query *signup_ask_merged(struct db_batch *batch, int64_t closed_id);
struct db_query *signup_ask_left(struct db_batch *batch, int64_t since_us);
/* A signup.move for each of them. */
void signup_emit_moves(struct credit *credit, struct db_batch *effect,
                       const struct db_query *signups, const char *trace);
