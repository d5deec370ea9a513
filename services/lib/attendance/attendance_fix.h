/*
 * attendance_fix: a row of the kept file with some of its cells written anew. The file itself stays
 * as it came; the mended row is judged like any other.
 */
#pragma once
#include "attendance/attendance_rows.h"

struct attendance_fix {
    struct str cells[COLUMN_COUNT]; /* data NULL: as in the file; empty: cleared */
};

/* False when there is no column of this English name. */
bool attendance_fix_set(struct attendance_fix *fix, struct str english, struct str value);
/* The row's cells could not be told apart: only what the fix gives is known of them. */
static inline bool attendance_fix_is_whole(const struct attendance_row *row)
{
    return row->field_count || row->bad_encoding;
}
bool attendance_fix_is_empty(const struct attendance_fix *fix);

/*
 * A row whose cells could not be told apart (field_count, bad_encoding) is written wholly anew:
 * what the fix does not give is empty. Memory: the row borrows the fix.
 */
void attendance_fix_apply(const struct attendance_fix *fix, struct attendance_row *row);
