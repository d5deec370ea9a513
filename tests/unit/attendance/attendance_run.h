/*
 * attendance_run: a whole upload in memory, as the credit worker does it with a database: scan in
 * slices, then chunk by chunk match, judge and remember what stands.
 */
#pragma once
#include "attendance/attendance_scan.h"
#include "attendance_samples.h"

struct run_options {
    struct str seminar_no;
    size_t slice_bytes;       /* 0: all at once */
    uint32_t chunk_rows_max;  /* 0: the usual */
    uint32_t chunk_bytes_max; /* 0: the usual */
    bool keep_state;          /* save and load the scan between slices */
    bool reject_no_my_page;
    int64_t received_us;
};

struct run_chunk {
    struct attendance_chunk chunk;
    struct attendance_rows rows;
    struct attendance_verdicts verdicts;
    struct run_chunk *next;
};

struct run {
    struct arena *arena;
    const struct samples *samples;
    const struct attendance_seminar *seminar;
    struct str file;
    struct attendance_scan *scan;
    enum attendance_scan_status status;
    struct attendance_header header;
    struct run_chunk *first;
    struct run_chunk *last;
    struct attendance_fact *facts; /* what this and earlier runs of the same store left */
    size_t fact_count;
    size_t fact_room;
};

/* One upload of `file`; the run keeps its own arena. */
struct run *run_upload(const struct samples *samples, struct str file,
                       const struct run_options *options);
/* Another one after it: what stands stays, rows of the former are those of another upload. */
struct run *run_again(const struct run *before, struct str file, const struct run_options *options);
void run_free(struct run *run);

/* Row `row_no` and its verdict. */
const struct attendance_verdict *run_verdict(const struct run *run, uint32_t row_no,
                                             const struct attendance_row **ret_row,
                                             const struct run_chunk **ret_chunk);
