/*
 * attendance: the pure part of posting an attendance file, shared by the files attendance_*.
 *
 * The way of the bytes (formats.md section 1):
 *   attendance_scan    the whole file in slices of any size: encoding, header, refusals, and where
 *                      its chunks lie; nothing posts before the last byte was seen
 *   attendance_header  the header row: which field is which column
 *   attendance_rows    the bytes of one chunk as rows of cells
 *   attendance_judge   one verdict for each row, from the rows and what the database knows
 *   attendance_result  the original columns again, for result.csv
 * No I/O, no clock and no database here: all that is judged by comes in as arguments.
 */
#pragma once
#include "base/arena.h"
#include "gen/codes.h"
#include "text/encoding.h"

enum {
    ATTENDANCE_COLUMNS_MAX = 64,
    ATTENDANCE_LINE_BYTES_MAX = 65536, /* of a line or a row, without its end */
    ATTENDANCE_CHUNK_ROWS_MAX = 2560,
    ATTENDANCE_CHUNK_BYTES_MAX = 256 * 1024,
    ATTENDANCE_VISIT_PLACES = 10, /* R-SEM-11 */
};

/*
 * Above 32 KiB, about 350 rows, a file, or what is left of one, is long: short ones overtake it,
 * and in queues for a connection it gives way.
 */
static inline bool attendance_is_long(int64_t bytes)
{
    return bytes > 32 * 1024;
}

/* The columns that mean something; all others are kept and ignored. */
enum column {
#define COLUMN(id, name, alias, other, english) COLUMN_##id,
#include "attendance/attendance_columns.def"
#undef COLUMN
    COLUMN_COUNT,
};

/* "register_no" */
const char *column_english(enum column column);
/* "医籍登録番号" */
const char *column_name(enum column column);
/* By any of its names, folded with fold_header(); COLUMN_COUNT when it means nothing. */
enum column column_of_name(struct str folded);

/* What became of a row: every row ends in exactly one. */
enum outcome {
    OUTCOME_POSTED,
    OUTCOME_ALREADY_POSTED,
    OUTCOME_WAITING,
    OUTCOME_UNMATCHED,
    OUTCOME_ABSENT,
    OUTCOME_REJECTED,
    OUTCOME_COUNT,
};

/* "already_posted" */
const char *outcome_name(enum outcome outcome);
bool outcome_of_name(struct str name, enum outcome *ret_outcome);

/* Where a run of rows lies in the file. */
struct attendance_chunk {
    uint32_t chunk_no;   /* from 0 */
    uint32_t first_row;  /* row_no, from 1 */
    uint32_t first_line; /* physical line, from 1 */
    uint32_t rows;
    uint64_t offset; /* of its first row's first byte in the file */
    uint32_t length; /* to the end of its last row, without that row's line end */
};
