/*
 * credit_read: the reading step's own header; credit_read.c and credit_read_record.c include it.
 */
#pragma once
#include "attendance/attendance_scan.h"
#include "credit/credit_emit.h"

enum { READ_FIRST_CHUNKS = 2 }; /* on their way at once; posting chunk k sends k + 2 */

struct read {
    struct flow flow;
    struct work_batch *batch;
    struct event_upload_read event;
    struct upload_query query;
    struct upload upload;
    struct emit emit;
    struct attendance_scan *scan;
    enum attendance_scan_status status;
    struct db_query *bytes;
    struct db_query *pointers; /* of the first chunks, where an earlier step found them */
    int64_t at;                /* next byte to ask for */
    int64_t asked;             /* length of `bytes` */
    int64_t step_end;          /* where this step ends */
    size_t piece;              /* of `bytes`, to scan next */
    struct buf chunks;         /* struct attendance_chunk, found in this step */
};

/* In front of the scan's own state: which step comes next, so that none is taken twice. */
struct read_place {
    int64_t step;
};

/* What a step leaves behind, each with the messages and events that go with it. */
void read_record_step(struct read *read);
/* From the beginning again, with step 0. */
void read_record_anew(struct read *read);
void read_record_refused(struct read *read, const struct attendance_refusal *refusal);
/* The end of the file; `header` is its header row. */
void read_record_end(struct read *read, struct str header);
