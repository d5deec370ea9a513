/* attendance: names of columns and outcomes. */
#include "attendance/attendance.h"

enum { COLUMN_NAMES = 4 };

static const char *const column_names[COLUMN_COUNT][COLUMN_NAMES] = {
#define COLUMN(id, name, alias, other, english) [COLUMN_##id] = {name, alias, other, english},
#include "attendance/attendance_columns.def"
#undef COLUMN
};

static const enum code outcome_codes[OUTCOME_COUNT] = {
    [OUTCOME_POSTED] = CODE_POSTED,   [OUTCOME_ALREADY_POSTED] = CODE_ALREADY_POSTED,
    [OUTCOME_WAITING] = CODE_WAITING, [OUTCOME_UNMATCHED] = CODE_UNMATCHED,
    [OUTCOME_ABSENT] = CODE_ABSENT,   [OUTCOME_REJECTED] = CODE_REJECTED,
};

const char *column_english(enum column column)
{
    must(column < COLUMN_COUNT);
    return column_names[column][COLUMN_NAMES - 1];
}

const char *column_name(enum column column)
{
    must(column < COLUMN_COUNT);
    return column_names[column][0];
}

enum column column_of_name(struct str folded)
{
    for (enum column column = 0; column < COLUMN_COUNT; column++) {
        for (int i = 0; i < COLUMN_NAMES; i++) {
            if (column_names[column][i] != NULL &&
                str_eq_nocase(folded, str_of(column_names[column][i])))
                return column;
        }
    }
    return COLUMN_COUNT;
}

const char *outcome_name(enum outcome outcome)
{
    must(outcome < OUTCOME_COUNT);
    return code_name(outcome_codes[outcome]);
}

bool outcome_of_name(struct str name, enum outcome *ret_outcome)
{
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        if (str_eq_c(name, outcome_name(outcome))) {
            *ret_outcome = outcome;
            return true;
        }
    }
    return false;
}
