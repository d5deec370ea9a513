/* What single cells say: presence, units, times, kinds. */
#include "attendance/attendance_cells.h"

#include "lib/test.h"

static void presence(void **state)
{
    static const struct {
        const char *cell;
        enum attended want;
    } cases[] = {
        {"○", ATTENDED_YES},         {"〇", ATTENDED_YES},       {"1", ATTENDED_YES},
        {"１", ATTENDED_YES},        {"出", ATTENDED_YES},       {"出席", ATTENDED_YES},
        {"yes", ATTENDED_YES},       {"YES", ATTENDED_YES},      {"ｙｅｓ", ATTENDED_YES},
        {"×", ATTENDED_NO},          {"0", ATTENDED_NO},         {"０", ATTENDED_NO},
        {"欠", ATTENDED_NO},         {"欠席", ATTENDED_NO},      {"No", ATTENDED_NO},
        {"△", ATTENDED_UNKNOWN},     {"遅刻", ATTENDED_UNKNOWN}, {"①", ATTENDED_UNKNOWN},
        {"01", ATTENDED_UNKNOWN},    {"y", ATTENDED_UNKNOWN},    {"x", ATTENDED_UNKNOWN},
        {"出 席", ATTENDED_UNKNOWN},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (attended_parse(arena, str_of(cases[i].cell)) != cases[i].want)
            fail_msg("\"%s\"", cases[i].cell);
    }
    arena_free(arena);
}

static void units(void **state)
{
    static const struct {
        const char *cell;
        int32_t want;
    } cases[] = {
        {"1", 2},     {"2.0", 4},    {"1.5", 3},
        {"0.5", 1},   {"０.5", 1},   {"１．５", 3},
        {"02", 4},    {"0", 0},      {"99999999999999", 32766},
        {"1.25", -1}, {"2単位", -1}, {"1,5", -1},
        {".5", -1},   {"2.", -1},    {"1.50", -1},
        {"x", -1},    {"-1", -1},    {"1 .5", -1},
        {"①", -1},    {"1.5.5", -1}, {"二", -1},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (units_parse(arena, str_of(cases[i].cell)) != cases[i].want)
            fail_msg("\"%s\"", cases[i].cell);
    }
    assert_string_equal(units_format(arena, 3), "1.5");
    assert_string_equal(units_format(arena, 4), "2");
    arena_free(arena);
}

static void times(void **state)
{
    static const struct {
        const char *cell;
        const char *day; /* NULL: none, "": no time at all */
        int32_t second;
    } cases[] = {
        {"13:05", NULL, 47100},
        {"9:05", NULL, 32700},
        {"09:05:07", NULL, 32707},
        {"00:00", NULL, 0},
        {"23:59:59", NULL, 86399},
        {"１３：０５", NULL, 47100},
        {"2025-04-12 13:05", "2025-04-12", 47100},
        {"2025/04/12 13:05", "2025-04-12", 47100},
        {"2025/4/1 9:00", "2025-04-01", 32400},
        {"2024-2-29 9:00", "2024-02-29", 32400},
        {"2025-02-29 9:00", "", 0},
        {"2025-13-01 9:00", "", 0},
        {"2025-04/12 13:05", "", 0},
        {"2025-04-12", "", 0},
        {"2025/4/1", "", 0},
        {"2025-04-12T13:05", "", 0},
        {"2025-04-12  13:05", "", 0},
        {"2025-04-12 13:05:00", "", 0},
        {"25-04-12 13:05", "", 0},
        {"24:00", "", 0},
        {"25:00", "", 0},
        {"13:60", "", 0},
        {"13:5", "", 0},
        {"13:05:60", "", 0},
        {"13:05:1", "", 0},
        {"013:05", "", 0},
        {"13", "", 0},
        {"1305", "", 0},
        {"13.05", "", 0},
        {"13時05分", "", 0},
        {"午後1時", "", 0},
        {"1:05 PM", "", 0},
        {"45748", "", 0},
        {"0.5417", "", 0},
        {"R7.4.1 13:00", "", 0},
        {"-1:00", "", 0},
        {"13:05:00:00", "", 0},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const bool good = cases[i].day == NULL || cases[i].day[0] != '\0';
        struct cell_time time;

        if (cell_time_parse(arena, str_of(cases[i].cell), &time) != good)
            fail_msg("\"%s\"", cases[i].cell);
        if (!good)
            continue;
        assert_int_equal(time.second, cases[i].second);
        assert_int_equal(time.day,
                         cases[i].day == NULL ? DAY_NONE : day_parse(str_of(cases[i].day)));
    }
    arena_free(arena);
}

static int64_t us(const char *text)
{
    int64_t time_us;

    assert_true(time_parse(str_of(text), &time_us));
    return time_us;
}

static void the_nearest_day(void **state)
{
    static const struct {
        const char *starts;
        const char *ends;
        const char *cell;
        bool leaving;
        const char *want;
    } cases[] = {
        {"2026-11-14T13:00:00+09:00", "2026-11-14T15:00:00+09:00", "12:50", false,
         "2026-11-14T12:50:00+09:00"},
        {"2026-11-14T00:10:00+09:00", "2026-11-14T02:00:00+09:00", "23:55", false,
         "2026-11-14T23:55:00+09:00"}, /* does not pass midnight: its day counts */
        {"2026-11-14T22:30:00+09:00", "2026-11-15T00:30:00+09:00", "22:20", false,
         "2026-11-14T22:20:00+09:00"},
        {"2026-11-14T22:30:00+09:00", "2026-11-15T00:30:00+09:00", "00:05", false,
         "2026-11-15T00:05:00+09:00"},
        {"2026-11-14T22:30:00+09:00", "2026-11-15T00:30:00+09:00", "00:30", true,
         "2026-11-15T00:30:00+09:00"},
        {"2026-11-14T22:30:00+09:00", "2026-11-15T00:30:00+09:00", "23:50", true,
         "2026-11-14T23:50:00+09:00"},
        {"2026-11-14T22:30:00+09:00", "2026-11-15T00:00:00+09:00", "00:00", true,
         "2026-11-15T00:00:00+09:00"},
        {"2026-11-14T00:05:00+09:00", "2026-11-15T00:05:00+09:00", "23:50", false,
         "2026-11-13T23:50:00+09:00"},
        {"2026-11-14T22:30:00+09:00", "2026-11-15T00:30:00+09:00", "2026-11-13 22:20", false,
         "2026-11-13T22:20:00+09:00"},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int64_t starts = us(cases[i].starts);
        const int64_t ends = us(cases[i].ends);
        struct cell_time time;

        assert_true(cell_time_parse(arena, str_of(cases[i].cell), &time));
        if (cell_time_us(&time, starts, ends, cases[i].leaving ? ends : starts) !=
            us(cases[i].want))
            fail_msg("case %zu", i);
    }
    arena_free(arena);
}

static void kinds(void **state)
{
    static const struct {
        const char *cell;
        uint8_t count;
        bool unknown;
        bool twice;
    } cases[] = {
        {"OPL-S", 1, false, false},
        {"OPL-S/CME-007/CSL-A1", 3, false, false},
        {"生涯・専門／共通講習 医療安全", 2, false, false},
        {"OPL-S/", 1, true, false},
        {"/", 0, true, false},
        {"OPL-S//CME-007", 2, true, false},
        {"OPL-S/OPB-K", 2, false, true},
        {"SPZ-01/SPR", 2, false, true},
        {"OPB-Z1/OPB-Z1", 2, false, true},
        {"OPL-S,CME-007", 0, true, false},
        {"応用研修/OPL-S", 1, true, false},
        {"KKJ/KHJ", 2, false, false},
        {"OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/OPL-S/"
         "OPL-S/OPL-S/OPL-S/x",
         16, true, true},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cell_kinds got;

        cell_kinds_parse(arena, str_of(cases[i].cell), &got);
        if (got.count != cases[i].count || got.unknown != cases[i].unknown ||
            got.twice != cases[i].twice)
            fail_msg("\"%s\"", cases[i].cell);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presence),        cmocka_unit_test(units), cmocka_unit_test(times),
        cmocka_unit_test(the_nearest_day), cmocka_unit_test(kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
