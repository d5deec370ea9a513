/* calendar: fiscal years, business days, periods. */
#include "domain/calendar.h"

#include <stdlib.h>

int fiscal_year(day_t day)
{
    int year;
    int month;
    int mday;

    day_to_ymd(day, &year, &month, &mday);
    return month >= 4 ? year : year - 1;
}

day_t fiscal_year_first(int year)
{
    return day_from_ymd(year, 4, 1);
}

day_t fiscal_year_last(int year)
{
    return day_from_ymd(year + 1, 3, 31);
}

static int compare_days(const void *left, const void *right)
{
    const day_t a = *(const day_t *)left;
    const day_t b = *(const day_t *)right;

    return (a > b) - (a < b);
}

bool is_business_day(day_t day, const struct holidays *holidays)
{
    const int weekday = day_weekday(day);
    int year;
    int month;
    int mday;

    day_to_ymd(day, &year, &month, &mday);
    if (weekday == 0 || weekday == 6)
        return false;
    if ((month == 12 && mday >= 29) || (month == 1 && mday <= 3))
        return false;
    return holidays->count == 0 ||
           bsearch(&day, holidays->days, holidays->count, sizeof(day_t), compare_days) == NULL;
}

day_t business_day_from(day_t day, const struct holidays *holidays)
{
    while (!is_business_day(day, holidays))
        day++;
    return day;
}

day_t business_day_until(day_t day, const struct holidays *holidays)
{
    while (!is_business_day(day, holidays))
        day--;
    return day;
}

day_t business_month_end(int year, int month, const struct holidays *holidays)
{
    return business_day_until(day_add_months(day_from_ymd(year, month, 1), 1) - 1, holidays);
}

day_t day_add_years(day_t day, int years)
{
    return day_add_months(day, years * 12);
}

day_t period_last(day_t first, int years)
{
    const day_t same = day_add_years(first, years);
    int mday_first;
    int mday_same;
    int year;
    int month;

    day_to_ymd(first, &year, &month, &mday_first);
    day_to_ymd(same, &year, &month, &mday_same);
    /* No such day in that year: its place is behind the month's last day. */
    return mday_same == mday_first ? same - 1 : same;
}
