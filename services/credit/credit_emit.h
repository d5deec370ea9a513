/*
 * credit_emit: the messages and events that an upload sends on its way. A dry run sends only the
 * messages that keep it going: nobody else is told of it.
 */
#pragma once
#include "attendance/attendance_scan.h"
#include "credit/credit_upload.h"
#include "gen/events.h"

/* Where events of one message go. */
struct emit {
    struct credit *credit;
    struct db_batch *effect;
    const struct upload *upload;
    const char *trace;
};

/* Entries that a chunk puts into the ledger, as parallel arrays; `place` in the seminar's list. */
struct emit_entries {
    size_t count;
    const int64_t *doctor_ids;
    const uint32_t *places;
    const struct str *kinds;
    const int16_t *half_units;
    const int16_t *revisions;
};

/* Counter-entries to what an upload posted; one correction may come in several slices. */
struct emit_correction {
    struct uuid id;
    const char *cause; /* as in the event's schema */
    struct str reason;
    int64_t slice_no;
    bool last;
};

/* The next step of reading. */
void emit_read(const struct emit *emit, int64_t step);
/* Post this chunk. */
void emit_chunk(const struct emit *emit, const struct attendance_chunk *chunk);
/*
 * credits.posted of one chunk; names only the sessions that entries have. `after_end`: of one of
 * its rows, that posts after the upload's end.
 */
void emit_posted(const struct emit *emit, uint32_t chunk_no, bool after_end,
                 const struct emit_entries *entries, struct arena *arena);
/* credits.posted of a correction. */
void emit_corrected(const struct emit *emit, const struct emit_correction *correction,
                    const struct emit_entries *entries, struct arena *arena);
/* Judge a row again. */
void emit_row(struct credit *credit, struct db_batch *effect, struct str seminar_no,
              struct uuid upload_id, int64_t row_no, const char *trace);
/* Give up the rows of an upload that have waited for too long. */
void emit_expire(struct credit *credit, struct db_batch *effect, struct str seminar_no,
                 struct uuid upload_id, const char *trace);
/* rows.expired: these were given up. */
void emit_expired(const struct emit *emit, const struct event_rows_expired_row *rows, size_t count);
/* upload.done: the upload's end with its counts. */
void emit_done(const struct emit *emit, const struct event_upload_done_reason *reasons,
               size_t reason_count);
/* upload.done: it was refused. */
void emit_refused(const struct emit *emit, const struct attendance_refusal *refusal);
