/* attendance_fix: cells that were written anew, over those of the file. */
#include "attendance/attendance_fix.h"

#include "text/fold.h"

bool attendance_fix_set(struct attendance_fix *fix, struct str english, struct str value)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (!str_eq_c(english, column_english((enum column)i)))
            continue;
        fix->cells[i] = text_trim(value);
        if (fix->cells[i].len == 0)
            fix->cells[i] = STR("");
        return true;
    }
    return false;
}

bool attendance_fix_is_empty(const struct attendance_fix *fix)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (fix->cells[i].data != NULL)
            return false;
    }
    return true;
}

void attendance_fix_apply(const struct attendance_fix *fix, struct attendance_row *row)
{
    if (attendance_fix_is_empty(fix))
        return;
    if (attendance_fix_is_whole(row)) {
        row->field_count = false;
        row->bad_encoding = false;
        for (size_t i = 0; i < COLUMN_COUNT; i++)
            row->cells[i] = STR("");
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (fix->cells[i].data != NULL)
            row->cells[i] = fix->cells[i];
    }
}
