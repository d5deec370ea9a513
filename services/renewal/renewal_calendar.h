/*
 * renewal_calendar: business days, review cycles and their nested deadlines (R-APP-05..08).
 * A deadline day belongs to the cycle through 23:59:59 in Japan. No I/O, no clock.
 */
#pragma once
#include "domain/calendar.h"

enum {
    CALENDAR_HOLIDAYS_MAX = 512,
    CYCLES_EXCEPTIONS_MAX = 512,
    CYCLE_NAME_BYTES = 16, /* "OP-2025-05" */
    OFFICE_CODE_BYTES = 4,
};

struct calendar {
    size_t holiday_count;
    day_t holidays[CALENDAR_HOLIDAYS_MAX]; /* ascending */
    day_t holidays_to; /* last day that the list covers; weekends and the closure go on */
};

struct cycle_exception {
    char cycle[CYCLE_NAME_BYTES];
    char l2_code[OFFICE_CODE_BYTES]; /* "" for every office */
    day_t l2;
};

/* The cycles of one programme. */
struct cycle_rules {
    char programme[4];
    unsigned months;      /* bit m set: there is a cycle named after month m (1..12) */
    int l3_month_shift;   /* L3's deadline lies so many months after the cycle's month, */
    int l3_day;           /* on this day of it or the next business day */
    int l2_months_before; /* L2's: the last business day of the month so many before the cycle's */
    int l1_days_before;   /* L1's: so many days before L2's */
    size_t exception_count;
    struct cycle_exception exceptions[CYCLES_EXCEPTIONS_MAX];
};

struct cycle {
    char name[CYCLE_NAME_BYTES];
    day_t l1, l2, l3; /* last days; l1 <= l2 <= l3 */
};

/* The list as lib/domain wants it. */
struct holidays calendar_holidays(const struct calendar *calendar);

/* The cycle named after that month. False when there is none. `l2_code` may be "". */
bool cycle_of_month(const struct calendar *calendar, const struct cycle_rules *rules,
                    const char *l2_code, int year, int month, struct cycle *ret_cycle);
/* The first cycle whose L2 deadline is not before `day`: where an application goes. */
void cycle_for_submission(const struct calendar *calendar, const struct cycle_rules *rules,
                          const char *l2_code, day_t day, struct cycle *ret_cycle);
/*
 * The cycle in which an application of cycle `name` that is forwarded on `day` is decided: the
 * same while L3's deadline is not over, else the first that can still be reached.
 */
void cycle_for_forward(const struct calendar *calendar, const struct cycle_rules *rules,
                       const char *l2_code, const char *name, day_t day, struct cycle *ret_cycle);
