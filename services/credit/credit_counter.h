/*
 * credit_counter: counter-entries. What an entry of the ledger posted is taken back by another with
 * the next revision and negative half units; it belongs to the same upload and row.
 */
#pragma once
#include "credit/credit_emit.h"

/* Entries that stand and are to be cancelled, as parallel arrays. */
struct counter {
    size_t count;
    int64_t *doctor, *session_id;
    uint32_t *place; /* of the session, in the seminar's list */
    int32_t *row_no;
    day_t *held_on;
    int16_t *half_units, *revision; /* of the entry; the counter-entry's follow from them */
    struct str *programme, *kind;
};

/* What a statement with these columns selects has to be in the seminar's sessions. */
#define COUNTER_COLUMNS                                                                            \
    "l.doctor_id, l.session_id, l.programme, l.revision, l.row_no, l.held_on, l.half_units, "      \
    "l.kind"
CHECKED enum err counter_take(struct counter *counter, const struct upload *upload,
                              const struct db_query *rows, struct arena *arena,
                              struct err_note *note);
/* Room for `most` entries; count is 0. */
void counter_init(struct counter *counter, struct arena *arena, size_t most);
struct command_actor;
/*
 * Into the ledger as they are, units and revisions too: several of one upload have to come at once.
 * With who wanted it and why, and an event for those who follow.
 */
void counter_write(const struct emit *emit, const struct counter *entries,
                   const struct command_actor *actor, const struct emit_correction *correction,
                   struct arena *arena);
/* The same of the counter-entries to these. */
void counter_add(const struct emit *emit, const struct counter *counter,
                 const struct command_actor *actor, const struct emit_correction *correction,
                 struct arena *arena);
