/*
 * credit_record: what a judged chunk leaves behind, all in the one transaction of its message.
 */
#pragma once
#include "credit/credit_match.h"

struct record {
    struct credit *credit;
    struct db_batch *effect;
    struct arena *arena;
    const char *trace;
    struct upload *upload;
    const struct attendance_chunk *chunk;
    const struct attendance_chunk *after_next; /* chunk k + 2, NULL when there is none */
    const struct attendance_chunk *next; /* chunk k + 1, when it came early and has to come again */
    const struct attendance_header *header;
    const struct attendance_rows *rows;
    const struct match *match;
    const struct attendance_verdicts *verdicts;
    const struct db_query *reasons; /* of the chunks before, for the last one */
};

/* Append everything: entries, outcomes, the chunk's arrays, counts, events, the next chunk. */
void record_chunk(struct record *record);
/* Append the read of (outcome, reason, rows) of an upload so far. */
struct db_query *record_reasons_add(struct db_batch *batch, struct uuid upload_id);
