/* attendance_cells: presence, units, times and kinds. */
#include "attendance/attendance_cells.h"

#include <stdlib.h>
#include <string.h>

#include "text/fold.h"

static const struct {
    const char *text;
    enum attended attended;
} attended_texts[] = {
    {"出席", ATTENDED_YES}, {"○", ATTENDED_YES},   {"〇", ATTENDED_YES},  {"1", ATTENDED_YES},
    {"出", ATTENDED_YES},   {"yes", ATTENDED_YES}, {"欠席", ATTENDED_NO}, {"×", ATTENDED_NO},
    {"0", ATTENDED_NO},     {"欠", ATTENDED_NO},   {"no", ATTENDED_NO},
};

enum attended attended_parse(struct arena *arena, struct str cell)
{
    cell = fold_width(arena, cell);
    for (size_t i = 0; i < ARRAY_LEN(attended_texts); i++) {
        if (str_eq_nocase(cell, str_of(attended_texts[i].text)))
            return attended_texts[i].attended;
    }
    return ATTENDED_UNKNOWN;
}

bool name_is_lost(struct str cell)
{
    return cell.len > 0 && memchr(cell.data, '?', cell.len) != NULL;
}

/* Digits at the beginning, `least` to `most` of them, leave the text; -1 when there are others. */
static int take_number(struct str *text, size_t least, size_t most)
{
    int number = 0;
    size_t digits = 0;

    while (digits < text->len && text->data[digits] >= '0' && text->data[digits] <= '9') {
        if (digits == most)
            return -1;
        number = number * 10 + (text->data[digits] - '0');
        digits++;
    }
    if (digits < least)
        return -1;
    text->data += digits;
    text->len -= digits;
    return number;
}

static bool take_char(struct str *text, char c)
{
    if (text->len == 0 || text->data[0] != c)
        return false;
    text->data++;
    text->len--;
    return true;
}

int32_t units_parse(struct arena *arena, struct str cell)
{
    enum { UNITS_MAX = INT16_MAX / 2 };
    struct str text = fold_width(arena, cell);
    int32_t units = 0;
    size_t digits = 0;

    for (; digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9'; digits++) {
        units = units * 10 + (text.data[digits] - '0');
        if (units > UNITS_MAX) /* far beyond any session's */
            units = UNITS_MAX;
    }
    text.data += digits;
    text.len -= digits;
    if (digits == 0)
        return -1;
    if (text.len == 0 || str_eq_c(text, ".0"))
        return units * 2;
    return str_eq_c(text, ".5") ? units * 2 + 1 : -1;
}

char *units_format(struct arena *arena, int32_t half_units)
{
    return arena_printf(arena, half_units % 2 == 0 ? "%d" : "%d.5", half_units / 2);
}

/* "2025-04-12 " or "2025/4/12 " leaves the text; DAY_NONE when it is no such day. */
static day_t take_day(struct str *text)
{
    const int year = take_number(text, 4, 4);
    const char separator = text->len > 0 ? text->data[0] : '\0';
    int month;
    int mday;

    if (year < 0 || (separator != '-' && separator != '/'))
        return DAY_NONE;
    (void)take_char(text, separator);
    month = take_number(text, 1, 2);
    if (month < 0 || !take_char(text, separator))
        return DAY_NONE;
    mday = take_number(text, 1, 2);
    if (mday < 0 || !take_char(text, ' '))
        return DAY_NONE;
    return day_from_ymd(year, month, mday);
}

bool cell_time_parse(struct arena *arena, struct str cell, struct cell_time *ret_time)
{
    struct str text = fold_width(arena, cell);
    const bool has_day = text.len > 4 && (text.data[4] == '-' || text.data[4] == '/');
    const day_t day = has_day ? take_day(&text) : DAY_NONE;
    int hour;
    int minute;
    int second = 0;

    if (has_day && day == DAY_NONE)
        return false;
    hour = take_number(&text, 1, 2);
    if (hour < 0 || hour > 23 || !take_char(&text, ':'))
        return false;
    minute = take_number(&text, 2, 2);
    if (minute < 0 || minute > 59)
        return false;
    if (!has_day && take_char(&text, ':')) {
        second = take_number(&text, 2, 2);
        if (second < 0 || second > 59)
            return false;
    }
    if (text.len > 0)
        return false;
    *ret_time = (struct cell_time){day, hour * 3600 + minute * 60 + second};
    return true;
}

int64_t cell_time_us(const struct cell_time *time, int64_t starts_us, int64_t ends_us,
                     int64_t near_us)
{
    const int64_t second_us = time->second * CLOCK_SECOND_US;
    const day_t first = day_of_us(starts_us);
    const day_t last = day_of_us(ends_us);
    int64_t best = day_start_us(first) + second_us;

    if (time->day != DAY_NONE)
        return day_start_us(time->day) + second_us;
    if (first == last)
        return best;
    best -= CLOCK_DAY_S * CLOCK_SECOND_US;
    for (day_t day = first; day <= last + 1; day++) {
        const int64_t moment = day_start_us(day) + second_us;

        if (llabs(moment - near_us) < llabs(best - near_us))
            best = moment;
    }
    return best;
}

static void add_kind(struct cell_kinds *kinds, enum kind kind)
{
    if (kind == KIND_NONE) {
        kinds->unknown = true;
        return;
    }
    for (size_t i = 0; i < kinds->count; i++) {
        if (kind_programme((enum kind)kinds->list[i]) == kind_programme(kind))
            kinds->twice = true;
    }
    if (kinds->count < CELL_KINDS_MAX)
        kinds->list[kinds->count++] = (uint8_t)kind;
}

void cell_kinds_parse(struct arena *arena, struct str cell, struct cell_kinds *ret_kinds)
{
    struct str text = fold_width(arena, cell);
    struct str part;

    *ret_kinds = (struct cell_kinds){.count = 0};
    while (str_cut(&text, '/', &part))
        add_kind(ret_kinds, kind_of_text(part));
}
