/*
 * attendance_cells: what single cells say. Each takes a trimmed cell that is not empty.
 * Width does not matter in any of them; nothing else is forgiven.
 */
#pragma once
#include "attendance/attendance.h"
#include "base/clock.h"
#include "domain/kinds.h"

enum attended { ATTENDED_YES, ATTENDED_NO, ATTENDED_UNKNOWN };

enum attended attended_parse(struct arena *arena, struct str cell);

/* A name in which CP932, which has no letter for some, left a ? behind. Also of an empty cell. */
bool name_is_lost(struct str cell);

/* Half units, at most INT16_MAX; -1 when it is no number of units. */
int32_t units_parse(struct arena *arena, struct str cell);

/* "2", "1.5" */
char *units_format(struct arena *arena, int32_t half_units);

struct cell_time {
    day_t day;      /* DAY_NONE: the cell names no day */
    int32_t second; /* of the day */
};

bool cell_time_parse(struct arena *arena, struct str cell, struct cell_time *ret_time);

/*
 * The moment a cell means. Without a day it is the session's; where the session passes midnight,
 * the one that comes nearest to `near_us`, its start or its end. Of two equally near ones the
 * earlier.
 */
int64_t cell_time_us(const struct cell_time *time, int64_t starts_us, int64_t ends_us,
                     int64_t near_us);

enum { CELL_KINDS_MAX = 16 };

/* Kinds named in a cell, joined with '/'. */
struct cell_kinds {
    uint8_t list[CELL_KINDS_MAX]; /* enum kind; beyond these some programme has two anyway */
    uint8_t count;
    bool unknown; /* a part is no kind, or empty, or stands for several */
    bool twice;   /* two of one programme */
};

void cell_kinds_parse(struct arena *arena, struct str cell, struct cell_kinds *ret_kinds);
