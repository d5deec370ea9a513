/*
 * attendance_scan: the reading step. Takes a file in slices of any size, finds its encoding, header
 * and refusals, and says where its chunks lie.
 *
 * The state holds no pointers: it may be kept between slices, in another process too (same build).
 */
#pragma once
#include "attendance/attendance.h"
#include "text/csv.h"

/* What a file that is no text seems to be. */
enum not_text {
    NOT_TEXT_NONE,
    NOT_TEXT_XLSX,
    NOT_TEXT_XLS,
    NOT_TEXT_ODS,
    NOT_TEXT_ZIP,
    NOT_TEXT_PDF,
    NOT_TEXT_GZIP,
    NOT_TEXT_RTF,
    NOT_TEXT_IMAGE,
    NOT_TEXT_UTF16,
    NOT_TEXT_UTF32,
};

/* Why the file as a whole is refused. */
struct attendance_refusal {
    enum code code;   /* CODE_NONE: it is not */
    uint32_t line;    /* 0: no line */
    uint32_t columns; /* CODE_TOO_MANY_COLUMNS: how many */
    uint8_t column;   /* enum column of CODE_COLUMN_MISSING and CODE_COLUMN_TWICE */
    uint8_t not_text; /* enum not_text of CODE_NOT_TEXT */
};

enum { ATTENDANCE_PARAMS_MAX = 4, ATTENDANCE_PARAM_BYTES = 96 };

/* A refusal's values for code_render(), in one of the two languages. */
struct attendance_params {
    struct code_param list[ATTENDANCE_PARAMS_MAX];
    size_t count;
    char line[ATTENDANCE_PARAM_BYTES];
    char value[ATTENDANCE_PARAM_BYTES];
    char limit[ATTENDANCE_PARAM_BYTES];
};

void attendance_refusal_params(const struct attendance_refusal *refusal, bool english,
                               struct attendance_params *ret_params);

struct attendance_scan_options {
    uint32_t chunk_rows_max;  /* ATTENDANCE_CHUNK_ROWS_MAX */
    uint32_t chunk_bytes_max; /* ATTENDANCE_CHUNK_BYTES_MAX; at least one row, whatever it has */
    bool several_sessions;    /* of the seminar: then a session column is needed */
};

enum { ATTENDANCE_HEAD_BYTES = ATTENDANCE_LINE_BYTES_MAX + 2, ATTENDANCE_SNIFF_BYTES = 64 };

struct attendance_scan {
    uint32_t layout; /* of this struct, so that another build's state is not taken for ours */
    struct attendance_scan_options options;
    uint8_t phase;
    bool header_unreadable; /* it never ends or is too long; `csv` is still behind it or in it */
    bool header_open;       /* ... and its row has not ended yet */
    bool only_blanks;       /* so far, of an unreadable beginning */
    struct encoding_detect detect;
    struct csv_scan csv;
    struct attendance_refusal refusal; /* the gravest so far; it counts at the end */
    struct attendance_chunk chunk;     /* the open one; none while it has no rows */

    /* Results, complete with SCAN_DONE; nothing of them when refused. */
    enum encoding encoding;
    char delimiter;
    uint32_t header_line;
    uint64_t header_offset; /* of the header row in the file, without its line end */
    uint32_t header_len;
    uint32_t rows_total;
    uint32_t chunks_total;

    /* The beginning of the file until its header is complete. Last: only what is used is kept. */
    uint64_t head_offset;
    uint32_t head_line;
    uint32_t head_len;
    char head[ATTENDANCE_HEAD_BYTES];
};

enum attendance_scan_status {
    SCAN_MORE,    /* go on with the next slice */
    SCAN_DONE,    /* read to the end, not refused */
    SCAN_REFUSED, /* see `refusal`; chunks told before are void */
};

/* Told in order, each once; borrowed for the call. */
typedef void (*attendance_chunk_fn)(void *arg, const struct attendance_chunk *chunk);

void attendance_scan_init(struct attendance_scan *scan,
                          const struct attendance_scan_options *options);
/* SCAN_MORE or SCAN_REFUSED; nothing more need be fed after a refusal. */
enum attendance_scan_status attendance_scan_feed(struct attendance_scan *scan, struct str slice,
                                                 attendance_chunk_fn chunk, void *arg);
/* After the last slice: SCAN_DONE or SCAN_REFUSED. */
enum attendance_scan_status attendance_scan_end(struct attendance_scan *scan,
                                                attendance_chunk_fn chunk, void *arg);

/* The bytes to keep; borrowed from `scan`. */
struct str attendance_scan_save(const struct attendance_scan *scan);
/* False when the bytes are no state of this build: read the file again from its beginning. */
bool attendance_scan_load(struct attendance_scan *scan, struct str saved);
