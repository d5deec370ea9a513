/*
 * credit_row: one row of an upload is judged again, by its kept bytes with what was written over
 * them: because it was mended, because its doctor's My Page is complete, because the row that it
 * repeated stands no longer. Reading and judging first, by a flow of its own; then recording.
 */
#pragma once
#include "attendance/attendance_fix.h"
#include "credit/credit_judge.h"
#include "credit/credit_record.h"

/* Whether a row can be judged again. */
enum row_state {
    ROW_FINE,
    ROW_NONE,         /* the upload has no such row */
    ROW_STANDS,       /* posted, or repeats what is posted */
    ROW_NOT_YET,      /* the upload is not done */
    ROW_ONLY_TRIED,   /* the upload is a dry run */
    ROW_CANCELLED,    /* the seminar was */
    ROW_UPLOAD_UNDONE /* or refused */
};

struct row {
    struct flow flow;
    struct flow *waiting; /* resumed at the end */
    struct credit *credit;
    struct uuid upload_id;
    uint32_t row_no;
    bool mended;               /* by a person: `fix` is kept, only rows of the tray may be */
    struct attendance_fix fix; /* borrowed texts: written now, over what was written before */
    json_t *cells;             /* all that is written over the row; of the flow's arena */

    enum row_state state;
    struct upload_query query;
    struct db_query *found, *bytes, *repeats, *doctors;
    struct upload upload;
    struct attendance_chunk chunk;
    struct judge judge;
    struct record record;
};

/*
 * Fill credit, upload_id, row_no, mended and fix; then start. `waiting` resumes when
 * row->state and, where that is ROW_FINE, the verdict are known.
 * Memory: `row` and what was read live until row_fini().
 */
void row_judge(struct row *row, const char *trace, struct flow *waiting);
void row_fini(struct row *row);
/*
 * What became of it, all in `effect`: ledger, row, counts, reasons, events. State ROW_FINE only.
 * `tally` (of the batch's arena) gets what the figures count.
 */
void row_record(struct row *row, struct db_batch *effect, struct credit_tally *tally);
/* What it was before. State ROW_FINE only. */
enum outcome row_outcome_before(const struct row *row);
static inline const struct attendance_verdict *row_verdict(const struct row *row)
{
    return &row->judge.verdicts.list[0];
}
