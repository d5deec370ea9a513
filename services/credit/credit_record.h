/*
 * credit_record: what a judged chunk leaves behind, all in the one transaction of its message.
 */
#pragma once
#include "credit/credit_emit.h"
#include "credit/credit_match.h"

/* Columns of credit.upload_row, filled a slice at a time. */
struct record_columns {
    size_t count;
    int32_t *row_no, *line_no;
    int64_t *same_as, *doctor, *session;
    struct str *outcome, *reason, *problems, *register_no, *name_kana, *credits, *suggestion;
};

struct record {
    struct emit emit;
    struct upload *upload; /* the same as emit.upload; its counts go on */
    struct arena *arena;
    const struct attendance_chunk *chunk;
    const struct attendance_chunk *next;       /* k + 1, when it came early and has to come again */
    const struct attendance_chunk *after_next; /* k + 2, NULL when there is none */
    const struct attendance_header *header;
    const struct attendance_rows *rows;
    struct match *match;
    const struct attendance_verdicts *verdicts;
    bool after_end;                 /* a row that posts after the upload's end */
    int64_t waiting_since_us;       /* of rows that wait from now on; INT64_MIN: none does */
    const struct db_query *reasons; /* of the chunks before; NULL unless this is the last one */
    /* Private. */
    struct record_entries {
        size_t count;
        int64_t *doctor, *session_id;
        uint32_t *place;
        int32_t *row_no;
        day_t *held_on;
        int16_t *half_units, *revision;
        struct str *programme, *kind;
    } entries;
    struct event_upload_done_reason *reason_list;
    size_t reason_count;
    struct record_columns columns;
    size_t rows_done;
};

/* In three steps, each a turn of the loop. First: counts, entries, the chunk's arrays, notes. */
void record_entries(struct record *record);
/* Second: the rows that did not post, some at a time; true when that was all. */
bool record_rows(struct record *record);
/* Third: events, the next chunk's message, the upload's end. */
void record_events(struct record *record);

/* Their parts, for a single row: what posts goes into the ledger; others hear of it. */
void record_ledger(struct record *record);
void record_posted(struct record *record);

/* What is told of rows beside their problems, whatever became of them. */
void record_notes(const struct record *record);

/* The reasons of these chunks' rows are counted anew, after some of them changed. */
void record_reasons_again(struct db_batch *effect, int64_t upload_no, const int32_t *chunks,
                          size_t count);

/* Append the read of (outcome, reason, rows) of an upload so far. */
struct db_query *record_reasons_add(struct db_batch *batch, struct uuid upload_id);

/* The doctor a verdict is about; NULL: none was found. */
const struct attendance_doctor *record_doctor(const struct record *record,
                                              const struct attendance_verdict *verdict);
/* Id of the session a verdict is about, which is known. */
int64_t record_session_id(const struct record *record, const struct attendance_verdict *verdict);
