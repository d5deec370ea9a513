/*
 * attendance_header: the header row of an attendance file.
 */
#pragma once
#include "attendance/attendance.h"

/* What result.csv adds behind the file's own columns: 結果, 理由, 説明, 直し方. */
enum { ATTENDANCE_RESULT_COLUMNS = 4 };
extern const struct str attendance_result_names[ATTENDANCE_RESULT_COLUMNS];

struct attendance_header {
    enum encoding encoding; /* of the file */
    char delimiter;
    struct str raw;                 /* the row as it stands, without its line end; borrowed */
    size_t count;                   /* fields of the header, which is what rows are measured by */
    struct str *names;              /* as written, without quotes, trimmed; UTF-8 */
    int32_t field_of[COLUMN_COUNT]; /* -1: the file has no such column */
    int16_t column_of[ATTENDANCE_COLUMNS_MAX]; /* of a field; -1: ignored */
    size_t known;                              /* different known columns */
    enum column twice;   /* the first column that stands twice, else COLUMN_COUNT */
    struct str *ignored; /* names of unknown columns that have one */
    size_t ignored_count;
};

/*
 * Read a header row. It always succeeds: ask attendance_header_check() whether it serves.
 * Memory: `*ret_header` borrows `raw`, the rest lives in the arena.
 */
void attendance_header_read(struct arena *arena, struct str raw, enum encoding encoding,
                            char delimiter, struct attendance_header *ret_header);

/*
 * CODE_NONE, or why the file cannot be read by it, in the order of the refusals:
 * CODE_HEADER_MISSING, CODE_COLUMN_MISSING, CODE_COLUMN_TWICE (both name a column),
 * CODE_TOO_MANY_COLUMNS. Columns that result.csv added do not count, however often it was sent
 * again.
 */
enum code attendance_header_check(const struct attendance_header *header, bool several_sessions,
                                  enum column *ret_column);

/* The column's name as the file writes it, else its Japanese name. */
struct str attendance_header_name(const struct attendance_header *header, enum column column);

/*
 * A cell as people meant it: a leading ' before = + - @ or a control character is dropped, for that
 * is how result.csv and spreadsheets keep such values from becoming formulas.
 */
struct str attendance_unescape(struct str cell);
