/* Fiscal years, business days of FY2025's cycles, periods of certificates. */
#include "domain/calendar.h"

#include "lib/test.h"

static day_t day(const char *text)
{
    const day_t parsed = day_parse(str_of(text));

    assert_int_not_equal(parsed, DAY_NONE);
    return parsed;
}

static void fiscal_years(void **state)
{
    (void)state;
    assert_int_equal(fiscal_year(day("2026-03-31")), 2025);
    assert_int_equal(fiscal_year(day("2026-04-01")), 2026);
    assert_int_equal(fiscal_year(day("2026-12-31")), 2026);
    assert_int_equal(fiscal_year_first(2025), day("2025-04-01"));
    assert_int_equal(fiscal_year_last(2025), day("2026-03-31"));
}

static void business_days(void **state)
{
    const day_t days[] = {day("2025-05-03"), day("2025-05-05"), day("2025-05-06"),
                          day("2025-11-03"), day("2025-11-24")};
    const struct holidays holidays = {days, ARRAY_LEN(days)};
    static const struct {
        const char *first;
        const char *want;
    } from[] = {
        {"2025-05-01", "2025-05-01"}, {"2025-07-01", "2025-07-01"}, {"2025-11-01", "2025-11-04"},
        {"2026-01-01", "2026-01-05"}, {"2026-03-01", "2026-03-02"}, {"2025-12-29", "2026-01-05"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(from); i++)
        assert_int_equal(business_day_from(day(from[i].first), &holidays), day(from[i].want));
    assert_int_equal(business_month_end(2025, 5, &holidays), day("2025-05-30"));
    assert_int_equal(business_month_end(2025, 11, &holidays), day("2025-11-28"));
    assert_int_equal(business_month_end(2025, 12, &holidays), day("2025-12-26"));
    assert_int_equal(business_month_end(2026, 1, &holidays), day("2026-01-30"));
    assert_int_equal(business_day_until(day("2025-05-06"), &holidays), day("2025-05-02"));
    assert_false(is_business_day(day("2025-05-05"), &holidays));
    assert_true(is_business_day(day("2025-05-07"), &holidays));
    assert_true(is_business_day(day("2025-12-26"), &(struct holidays){NULL, 0}));
}

static void periods(void **state)
{
    static const struct {
        const char *first;
        int years;
        const char *want;
    } cases[] = {
        {"2020-08-01", 5, "2025-07-31"}, {"2024-02-29", 5, "2029-02-28"},
        {"2024-02-29", 4, "2028-02-28"}, {"2029-03-01", 5, "2034-02-28"},
        {"2023-03-01", 5, "2028-02-29"}, {"2025-01-01", 5, "2029-12-31"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(period_last(day(cases[i].first), cases[i].years), day(cases[i].want));
    assert_int_equal(day_add_years(day("2024-02-29"), 1), day("2025-02-28"));
    assert_int_equal(day_add_years(day("2025-04-01"), -2), day("2023-04-01"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fiscal_years),
        cmocka_unit_test(business_days),
        cmocka_unit_test(periods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
