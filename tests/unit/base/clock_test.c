/* clock: days in Japan, months, RFC 3339. */

#include "base/clock.h"
#include "lib/test.h"

static void days_go_there_and_back(void **state)
{
    (void)state;
    for (day_t day = -200000; day < 200000; day += 37) {
        int year;
        int month;
        int mday;

        day_to_ymd(day, &year, &month, &mday);
        assert_int_equal(day_from_ymd(year, month, mday), day);
    }
    assert_int_equal(day_from_ymd(1970, 1, 1), 0);
    assert_int_equal(day_from_ymd(2025, 4, 1), 20179);
}

static void days_that_do_not_exist_are_none(void **state)
{
    static const char *const bad[] = {"2025-02-29", "2025-13-01", "2025-00-10",
                                      "2025-01-32", "2025-1-01",  "25-01-01",
                                      "2025/01/01", "",           "2025-01-0x"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(day_parse(str_of(bad[i])), DAY_NONE);
    assert_int_equal(day_parse(STR("2024-02-29")), day_from_ymd(2024, 2, 29));
}

static void months_end_where_the_month_ends(void **state)
{
    static const struct {
        const char *from;
        int months;
        const char *to;
    } cases[] = {
        {"2026-06-30", -4, "2026-02-28"}, {"2026-10-31", -4, "2026-06-30"},
        {"2024-02-29", 60, "2029-02-28"}, {"2024-02-29", 48, "2028-02-29"},
        {"2025-12-15", 1, "2026-01-15"},  {"2025-01-15", -1, "2024-12-15"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(day_add_months(day_parse(str_of(cases[i].from)), cases[i].months),
                         day_parse(str_of(cases[i].to)));
}

static void a_day_begins_at_midnight_in_japan(void **state)
{
    int64_t start;

    (void)state;
    assert_true(time_parse(STR("2025-04-01T00:00:00+09:00"), &start));
    assert_int_equal(day_start_us(day_from_ymd(2025, 4, 1)), start);
    assert_int_equal(day_of_us(start), day_from_ymd(2025, 4, 1));
    assert_int_equal(day_of_us(start - 1), day_from_ymd(2025, 3, 31));
    assert_int_equal(day_weekday(day_from_ymd(2025, 4, 1)), 2);
}

static void times_are_read_with_any_offset(void **state)
{
    int64_t utc;
    int64_t japan;
    char text[CLOCK_TEXT_BYTES];

    (void)state;
    assert_true(time_parse(STR("2025-04-06T15:00:00.25Z"), &utc));
    assert_true(time_parse(STR("2025-04-07T00:00:00.250000+09:00"), &japan));
    assert_int_equal(utc, japan);
    time_format(utc, text);
    assert_string_equal(text, "2025-04-07T00:00:00.250000+09:00");
    time_format(utc - 250000, text);
    assert_string_equal(text, "2025-04-07T00:00:00+09:00");
}

static void times_without_an_offset_are_refused(void **state)
{
    static const char *const bad[] = {"2025-04-06T15:00:00",       "2025-04-06 15:00:00+09:00",
                                      "2025-04-06T24:00:00Z",      "2025-04-06T15:60:00Z",
                                      "2025-04-06T15:00:00+25:00", "2025-04-06T15:00:00.Z",
                                      "2025-02-30T15:00:00Z",      "2025-04-06T15:00:00+0900"};
    int64_t time;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(time_parse(str_of(bad[i]), &time));
}

/* A day later in Japan the year has five digits, a day before it there is none. */
static void times_that_cannot_be_written_are_refused(void **state)
{
    char text[CLOCK_TEXT_BYTES];
    int64_t time;

    (void)state;
    assert_false(time_parse(STR("9999-12-31T23:59:30Z"), &time));
    assert_false(time_parse(STR("0001-01-01T00:00:00+23:59"), &time));
    assert_true(time_parse(STR("9999-12-31T23:59:59+09:00"), &time));
    time_format(time, text);
    assert_string_equal(text, "9999-12-31T23:59:59+09:00");
    assert_true(time_parse(STR("0001-01-01T00:00:00+09:00"), &time));
    time_format(time, text);
    assert_string_equal(text, "0001-01-01T00:00:00+09:00");
}

static void the_offset_moves_business_time_only(void **state)
{
    int64_t before = clock_now_us();
    uint64_t mono = clock_mono_ms();

    (void)state;
    clock_set_offset(86400 * CLOCK_SECOND_US);
    assert_true(clock_now_us() >= before + 86400 * CLOCK_SECOND_US);
    assert_true(clock_mono_ms() - mono < 60000);
    clock_set_offset(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_go_there_and_back),
        cmocka_unit_test(days_that_do_not_exist_are_none),
        cmocka_unit_test(months_end_where_the_month_ends),
        cmocka_unit_test(a_day_begins_at_midnight_in_japan),
        cmocka_unit_test(times_are_read_with_any_offset),
        cmocka_unit_test(times_without_an_offset_are_refused),
        cmocka_unit_test(times_that_cannot_be_written_are_refused),
        cmocka_unit_test(the_offset_moves_business_time_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
