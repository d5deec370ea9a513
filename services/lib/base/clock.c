/* clock: business time, monotonic time, and days in Japan. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t offset_us;

void clock_set_offset(int64_t us)
{
    offset_us = us;
}

static int64_t read_us(clockid_t id)
{
    struct timespec now;

    must(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return read_us(CLOCK_REALTIME) + offset_us;
}

uint64_t clock_mono_us(void)
{
    return (uint64_t)read_us(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

/* Division that rounds down, also below zero. */
static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

day_t day_of_us(int64_t time_us)
{
    return (day_t)floor_div(time_us + CLOCK_JAPAN_S * CLOCK_SECOND_US,
                            CLOCK_DAY_S * CLOCK_SECOND_US);
}

int64_t day_start_us(day_t day)
{
    return ((int64_t)day * CLOCK_DAY_S - CLOCK_JAPAN_S) * CLOCK_SECOND_US;
}

static day_t days_of_civil(int64_t year, int month, int mday)
{
    int64_t shifted = month <= 2 ? year - 1 : year; /* years that begin in March */
    int64_t era = floor_div(shifted, 400);
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + mday - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (day_t)(era * 146097 + day_of_era - 719468);
}

void day_to_ymd(day_t day, int *ret_year, int *ret_month, int *ret_mday)
{
    int64_t shifted = (int64_t)day + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t doe = shifted - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *ret_mday = (int)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = (int)(yoe + era * 400 + (*ret_month <= 2));
}

day_t day_from_ymd(int year, int month, int mday)
{
    day_t day;
    int y;
    int m;
    int d;

    if (year < 1 || year > 9999 || month < 1 || month > 12 || mday < 1 || mday > 31)
        return DAY_NONE;
    day = days_of_civil(year, month, mday);
    day_to_ymd(day, &y, &m, &d);
    return d == mday ? day : DAY_NONE;
}

/* Exactly `count` digits at `text`; -1 when they are not. */
static int digits(const char *text, int count)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

day_t day_parse(struct str text)
{
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-')
        return DAY_NONE;
    return day_from_ymd(digits(text.data, 4), digits(text.data + 5, 2), digits(text.data + 8, 2));
}

void day_format(day_t day, char *out)
{
    int year;
    int month;
    int mday;

    day_to_ymd(day, &year, &month, &mday);
    must(year >= 0 && year <= 9999);
    (void)snprintf(out, 11, "%04u-%02u-%02u", (unsigned)year % 10000u, (unsigned)month % 100u,
                   (unsigned)mday % 100u);
}

int day_weekday(day_t day)
{
    int64_t shifted = ((int64_t)day + 4) % 7; /* 1970-01-01 was a Thursday */

    return (int)(shifted < 0 ? shifted + 7 : shifted);
}

day_t day_add_months(day_t day, int months)
{
    int year;
    int month;
    int mday;
    int count;
    day_t result;

    day_to_ymd(day, &year, &month, &mday);
    count = year * 12 + month - 1 + months;
    do {
        result = day_from_ymd(count / 12, count % 12 + 1, mday--);
    } while (result == DAY_NONE && mday > 27);
    return result;
}

void time_format(int64_t time_us, char *out)
{
    day_t day = day_of_us(time_us);
    int64_t rest_us = time_us - day_start_us(day);
    unsigned second = (unsigned)(rest_us / CLOCK_SECOND_US) % CLOCK_DAY_S;
    unsigned micro = (unsigned)(rest_us % CLOCK_SECOND_US);
    char text[11];

    day_format(day, text);
    if (micro == 0)
        (void)snprintf(out, CLOCK_TEXT_BYTES, "%sT%02u:%02u:%02u+09:00", text, second / 3600,
                       second / 60 % 60, second % 60);
    else
        (void)snprintf(out, CLOCK_TEXT_BYTES, "%sT%02u:%02u:%02u.%06u+09:00", text, second / 3600,
                       second / 60 % 60, second % 60, micro);
}

/* "Z" or "+hh:mm"; seconds east of UTC. */
static bool zone_parse(struct str text, int *ret_seconds)
{
    int hours;
    int minutes;

    if (text.len == 1 && (text.data[0] == 'Z' || text.data[0] == 'z')) {
        *ret_seconds = 0;
        return true;
    }
    if (text.len != 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':')
        return false;
    hours = digits(text.data + 1, 2);
    minutes = digits(text.data + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_seconds = (hours * 60 + minutes) * 60 * (text.data[0] == '-' ? -1 : 1);
    return true;
}

/* Whether time_format() can write it: its day in Japan has a year of four digits. */
static bool has_text(int64_t time_us)
{
    day_t day = day_of_us(time_us);

    return day >= day_from_ymd(1, 1, 1) && day <= day_from_ymd(9999, 12, 31);
}

bool time_parse(struct str text, int64_t *ret_us)
{
    int64_t time_us;
    day_t day;
    int hour;
    int minute;
    int second;
    int zone_s;
    int64_t micro = 0;
    size_t at = 19;

    if (text.len < 20 || (text.data[10] != 'T' && text.data[10] != 't') || text.data[13] != ':' ||
        text.data[16] != ':')
        return false;
    day = day_parse((struct str){text.data, 10});
    hour = digits(text.data + 11, 2);
    minute = digits(text.data + 14, 2);
    second = digits(text.data + 17, 2);
    if (day == DAY_NONE || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 59)
        return false;
    if (text.data[at] == '.') {
        int64_t unit = CLOCK_SECOND_US / 10;

        for (at++; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
            micro += (text.data[at] - '0') * unit;
            unit /= 10;
        }
        if (text.data[at - 1] == '.')
            return false;
    }
    if (!zone_parse((struct str){text.data + at, text.len - at}, &zone_s))
        return false;
    time_us = ((int64_t)day * CLOCK_DAY_S + hour * 3600 + minute * 60 + second - zone_s) *
                  CLOCK_SECOND_US +
              micro;
    if (!has_text(time_us))
        return false;
    *ret_us = time_us;
    return true;
}
