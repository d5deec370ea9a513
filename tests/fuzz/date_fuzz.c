/*
 * Days and times, of the interface and of cells in an attendance file: what is read is a real one,
 * and written and read again it is the same.
 */
#include "attendance/attendance_cells.h"
#include "fuzz.h"

static void check_day(struct str text)
{
    char out[11];
    day_t day = day_parse(text);

    if (day == DAY_NONE)
        return;
    day_format(day, out);
    must(str_eq_c(text, out) && day_parse(str_of(out)) == day);
    must(day_of_us(day_start_us(day)) == day);
}

static void check_time(struct str text)
{
    char out[CLOCK_TEXT_BYTES];
    int64_t us, again;

    if (!time_parse(text, &us))
        return;
    time_format(us, out);
    must(time_parse(str_of(out), &again) && again == us);
}

static void check_cell(struct str text)
{
    struct arena *arena = arena_new();
    struct cell_time time;

    if (text.len > 0 && cell_time_parse(arena, text, &time)) {
        must(time.second >= 0 && time.second < 24 * 3600);
        must(time.day == DAY_NONE || day_weekday(time.day) <= 6);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};

    check_day(text);
    check_time(text);
    check_cell(text);
    return 0;
}
