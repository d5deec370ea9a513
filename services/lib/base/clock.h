/*
 * clock: the one place that time comes from. Business time is UTC microseconds since 1970 plus the
 * offset of MAMIS_NOW; deadlines use the monotonic clock. Calendar days are Japan's (no DST).
 */
#pragma once
#include "base/str.h"

enum {
    CLOCK_DAY_S = 86400,
    CLOCK_JAPAN_S = 9 * 3600,
    /* "2025-04-07T09:00:00.000000+09:00" and the NUL */
    CLOCK_TEXT_BYTES = 48,
};

#define CLOCK_SECOND_US INT64_C(1000000)

/* Set once at start, before the loop; 0 without MAMIS_NOW. Unit: microseconds. */
void clock_set_offset(int64_t offset_us);
/* Business time now, microseconds UTC since 1970. */
int64_t clock_now_us(void);
/* Monotonic milliseconds and microseconds, for deadlines and durations only. */
uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);

/* A calendar day as days since 1970-01-01 in Japan. */
typedef int32_t day_t;
#define DAY_NONE INT32_MIN

day_t day_of_us(int64_t time_us);
/* Midnight in Japan at which the day begins. */
int64_t day_start_us(day_t day);
/* DAY_NONE for a date that does not exist. */
day_t day_from_ymd(int year, int month, int mday);
void day_to_ymd(day_t day, int *ret_year, int *ret_month, int *ret_mday);
/* "YYYY-MM-DD" exactly; DAY_NONE otherwise. */
day_t day_parse(struct str text);
/* `out` holds 11 bytes. */
void day_format(day_t day, char *out);
/* 0 Sunday .. 6 Saturday */
int day_weekday(day_t day);
/* Same day of the month `months` later, or the last day of that month. */
day_t day_add_months(day_t day, int months);

/* RFC 3339 with +09:00, whole seconds unless there are microseconds. `out`: CLOCK_TEXT_BYTES. */
void time_format(int64_t time_us, char *out);
/* RFC 3339 with any offset (required). False when it is no such time. */
bool time_parse(struct str text, int64_t *ret_us);
