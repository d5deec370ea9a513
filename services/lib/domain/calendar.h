/*
 * calendar: the rules of days that the associations go by. No clock: days are arguments, and the
 * national holidays are data of the caller.
 */
#pragma once
#include "base/clock.h"

/* National and substitute holidays, ascending. The New Year closure need not stand in it. */
struct holidays {
    const day_t *days;
    size_t count;
};

/* The fiscal year (1 April to 31 March) of a day, named by the year in which it begins. */
int fiscal_year(day_t day);
/* 1 April of that year. */
day_t fiscal_year_first(int year);
day_t fiscal_year_last(int year);

/* No Saturday, Sunday, holiday or day of the New Year closure (29 December to 3 January). */
bool is_business_day(day_t day, const struct holidays *holidays);
/* The day itself when it is a business day, else the next (or the last) one. */
day_t business_day_from(day_t day, const struct holidays *holidays);
day_t business_day_until(day_t day, const struct holidays *holidays);
/* Last business day of that month. */
day_t business_month_end(int year, int month, const struct holidays *holidays);

/*
 * Last day of a period of `years` years that begins on `first` (R-CRT-04): the day before the
 * anniversary; a period that began on 29 February ends on 28 February where that day is missing.
 */
day_t period_last(day_t first, int years);
/* Same day `years` later; 28 February where 29 February is missing. */
day_t day_add_years(day_t day, int years);
