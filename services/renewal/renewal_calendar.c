/* renewal_calendar: business days and review cycles. */
#include "renewal/renewal_calendar.h"

#include <stdio.h>
#include <string.h>

enum { MONTHS_AHEAD_MAX = 36 };

struct holidays calendar_holidays(const struct calendar *calendar)
{
    return (struct holidays){.days = calendar->holidays, .count = calendar->holiday_count};
}

/* An office's own day beats the one for all, which beats the rule. */
static day_t l2_exception(const struct cycle_rules *rules, const char *name, const char *l2_code)
{
    day_t found = DAY_NONE;

    for (size_t i = 0; i < rules->exception_count; i++) {
        const struct cycle_exception *exception = &rules->exceptions[i];

        if (strcmp(exception->cycle, name) != 0)
            continue;
        if (exception->l2_code[0] == '\0') {
            if (found == DAY_NONE)
                found = exception->l2;
        } else if (strcmp(exception->l2_code, l2_code) == 0) {
            return exception->l2;
        }
    }
    return found;
}

static day_t earlier(day_t left, day_t right)
{
    return left < right ? left : right;
}

bool cycle_of_month(const struct calendar *calendar, const struct cycle_rules *rules,
                    const char *l2_code, int year, int month, struct cycle *ret_cycle)
{
    const struct holidays holidays = calendar_holidays(calendar);
    day_t first = day_from_ymd(year, month, 1);
    struct cycle cycle;

    if (month < 1 || month > 12 || (rules->months & (1u << month)) == 0)
        return false;
    (void)snprintf(cycle.name, sizeof(cycle.name), "%.3s-%04d-%02d", rules->programme, year % 10000,
                   month);
    cycle.l3 = business_day_from(day_add_months(first, rules->l3_month_shift) + rules->l3_day - 1,
                                 &holidays);
    cycle.l2 = l2_exception(rules, cycle.name, l2_code);
    if (cycle.l2 == DAY_NONE)
        cycle.l2 =
            business_day_until(day_add_months(first, 1 - rules->l2_months_before) - 1, &holidays);
    cycle.l2 = earlier(cycle.l2, cycle.l3);
    cycle.l1 = cycle.l2 - rules->l1_days_before;
    *ret_cycle = cycle;
    return true;
}

/* The first cycle whose L2 (or L3) deadline is not before `day`. */
static void first_open(const struct calendar *calendar, const struct cycle_rules *rules,
                       const char *l2_code, day_t day, bool by_l3, struct cycle *ret_cycle)
{
    int year, month, mday;

    /* A deadline may lie in the month after the cycle's name. */
    day_to_ymd(day_add_months(day, -2), &year, &month, &mday);
    for (int i = 0; i < MONTHS_AHEAD_MAX; i++) {
        if (cycle_of_month(calendar, rules, l2_code, year, month, ret_cycle) &&
            (by_l3 ? ret_cycle->l3 : ret_cycle->l2) >= day)
            return;
        if (++month > 12) {
            month = 1;
            year++;
        }
    }
    must(false); /* the loader has seen that there is at least one month */
}

void cycle_for_submission(const struct calendar *calendar, const struct cycle_rules *rules,
                          const char *l2_code, day_t day, struct cycle *ret_cycle)
{
    first_open(calendar, rules, l2_code, day, false, ret_cycle);
}

void cycle_for_forward(const struct calendar *calendar, const struct cycle_rules *rules,
                       const char *l2_code, const char *name, day_t day, struct cycle *ret_cycle)
{
    int year, month;

    if (strlen(name) > 4 &&
        sscanf(strchr(name, '-') != NULL ? strchr(name, '-') + 1 : "", "%d-%d", &year, &month) ==
            2 &&
        cycle_of_month(calendar, rules, l2_code, year, month, ret_cycle) && ret_cycle->l3 >= day)
        return;
    first_open(calendar, rules, l2_code, day, true, ret_cycle);
}
