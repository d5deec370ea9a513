/*
 * credit_record: what a judged chunk leaves behind, all in the one transaction of its message.
 */
#pragma once
#include "credit/credit_emit.h"
#include "credit/credit_match.h"

struct record {
    struct emit emit;
    struct upload *upload; /* the same as emit.upload; its counts go on */
    struct arena *arena;
    const struct attendance_chunk *chunk;
    const struct attendance_chunk *next;       /* k + 1, when it came early and has to come again */
    const struct attendance_chunk *after_next; /* k + 2, NULL when there is none */
    const struct attendance_rows *rows;
    struct match *match;
    const struct attendance_verdicts *verdicts;
    const struct db_query *reasons; /* of the chunks before; NULL unless this is the last one */
};

/* Append everything: counts, entries, outcomes, the chunk's arrays, events, the next chunk. */
void record_chunk(struct record *record);
/* Append the read of (outcome, reason, rows) of an upload so far. */
struct db_query *record_reasons_add(struct db_batch *batch, struct uuid upload_id);

/* credit_record_rows: the rows that did not post. */
void record_rows(const struct record *record);

/* The doctor a verdict is about; NULL: none was found. */
const struct attendance_doctor *record_doctor(const struct record *record,
                                              const struct attendance_verdict *verdict);
/* Id of the session a verdict is about, which is known. */
int64_t record_session_id(const struct record *record, const struct attendance_verdict *verdict);
