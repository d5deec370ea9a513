/* Business days, review cycles and their nested deadlines (R-APP-05..08, edges 8-10). */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "renewal/renewal_ruleset.h"

static struct rule_book book;

static int load(void **state)
{
    struct err_note note = {.text = ""};

    (void)state;
    if (rule_book_load(&book, TEST_SOURCE_DIR "/deploy/rules", &note) == ERR_OK)
        return 0;
    fprintf(stderr, "%s\n", note.text);
    return -1;
}

static day_t day(const char *text)
{
    day_t found = day_parse(str_of(text));

    assert_int_not_equal(found, DAY_NONE);
    return found;
}

static void business_days(void **state)
{
    static const struct {
        const char *day;
        bool open;
    } cases[] = {
        {"2025-05-01", true},  {"2025-11-01", false}, {"2025-11-03", false}, {"2025-11-04", true},
        {"2025-12-28", false}, {"2025-12-26", true},  {"2025-12-29", false}, {"2026-01-02", false},
        {"2026-01-03", false}, {"2026-01-05", true},  {"2025-02-24", false}, {"2026-09-22", false},
    };

    const struct holidays holidays = calendar_holidays(&book.calendar);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(is_business_day(day(cases[i].day), &holidays), cases[i].open);
}

static void deadlines_of_fiscal_2025(void **state)
{
    static const struct {
        int year, month;
        const char *l2_code, *l2, *l3;
    } cases[] = {
        {2025, 5, "13", "2025-04-30", "2025-05-01"},  {2025, 5, "41", "2025-04-17", "2025-05-01"},
        {2025, 7, "41", "2025-05-30", "2025-07-01"},  {2025, 9, "41", "2025-07-31", "2025-09-01"},
        {2025, 11, "41", "2025-09-30", "2025-11-04"}, {2026, 1, "41", "2025-11-28", "2026-01-05"},
        {2026, 3, "41", "2026-01-30", "2026-03-02"},  {2026, 5, "14", "2026-03-31", "2026-05-01"},
    };
    const struct cycle_rules *rules = rule_book_cycles(&book, "OP");
    struct cycle cycle;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(cycle_of_month(&book.calendar, rules, cases[i].l2_code, cases[i].year,
                                   cases[i].month, &cycle));
        assert_int_equal(cycle.l2, day(cases[i].l2));
        assert_int_equal(cycle.l3, day(cases[i].l3));
        assert_true(cycle.l1 < cycle.l2);
    }
    assert_false(cycle_of_month(&book.calendar, rules, "", 2025, 6, &cycle));
}

static void deadlines_nest_in_every_cycle(void **state)
{
    static const char *const programmes[] = {"OP", "SP"};
    const struct holidays holidays = calendar_holidays(&book.calendar);
    struct cycle cycle;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(programmes); i++) {
        const struct cycle_rules *rules = rule_book_cycles(&book, programmes[i]);
        unsigned found = 0;

        for (int month = 0; month < 12 * 12; month++) {
            if (!cycle_of_month(&book.calendar, rules, "13", 2024 + month / 12, month % 12 + 1,
                                &cycle))
                continue;
            found++;
            assert_true(cycle.l1 <= cycle.l2 && cycle.l2 <= cycle.l3);
            assert_true(is_business_day(cycle.l3, &holidays));
        }
        assert_int_equal(found, i == 0 ? 72 : 36);
    }
}

static void submission_goes_to_the_next_open_cycle(void **state)
{
    static const struct {
        const char *programme, *l2_code, *day, *cycle;
    } cases[] = {
        {"OP", "13", "2025-04-07", "OP-2025-05"}, {"OP", "13", "2025-04-30", "OP-2025-05"},
        {"OP", "13", "2025-05-01", "OP-2025-07"}, {"OP", "13", "2025-05-02", "OP-2025-07"},
        {"OP", "41", "2025-04-17", "OP-2025-05"}, {"OP", "41", "2025-04-18", "OP-2025-07"},
        {"OP", "13", "2025-11-28", "OP-2026-01"}, {"OP", "13", "2025-11-29", "OP-2026-03"},
        {"OP", "13", "2026-11-22", "OP-2027-01"}, {"SP", "13", "2025-04-01", "SP-2025-07"},
        {"SP", "13", "2025-03-31", "SP-2025-03"}, {"SP", "13", "2025-12-01", "SP-2026-03"},
    };
    struct cycle cycle;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cycle_for_submission(&book.calendar, rule_book_cycles(&book, cases[i].programme),
                             cases[i].l2_code, day(cases[i].day), &cycle);
        assert_string_equal(cycle.name, cases[i].cycle);
    }
}

static void late_forwarding_moves_to_a_later_cycle(void **state)
{
    static const struct {
        const char *cycle, *day, *wanted;
    } cases[] = {
        {"OP-2025-05", "2025-05-01", "OP-2025-05"}, {"OP-2025-05", "2025-05-02", "OP-2025-07"},
        {"OP-2025-05", "2025-09-02", "OP-2025-11"}, {"OP-2025-11", "2025-08-15", "OP-2025-11"},
        {"damaged", "2025-08-15", "OP-2025-09"},
    };
    struct cycle cycle;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cycle_for_forward(&book.calendar, rule_book_cycles(&book, "OP"), "13", cases[i].cycle,
                          day(cases[i].day), &cycle);
        assert_string_equal(cycle.name, cases[i].wanted);
    }
}

static void damaged_rule_files_are_named(void **state)
{
    struct err_note note = {.text = ""};
    static struct rule_book broken;

    (void)state;
    assert_int_equal(rule_book_load(&broken, TEST_SOURCE_DIR "/nowhere", &note), ERR_SETTINGS);
    assert_non_null(strstr(note.text, "nowhere"));
    assert_int_equal(
        rule_book_load(&broken, TEST_SOURCE_DIR "/tests/data/rules/field_missing", &note),
        ERR_SETTINGS);
    assert_non_null(strstr(note.text, "needed_half_units"));
    assert_int_equal(
        rule_book_load(&broken, TEST_SOURCE_DIR "/tests/data/rules/field_unknown", &note),
        ERR_SETTINGS);
    assert_non_null(strstr(note.text, "op-renewal-1.json"));
    assert_int_equal(rule_book_load(&broken, TEST_SOURCE_DIR "/tests/data/rules/no_cycles", &note),
                     ERR_SETTINGS);
    assert_non_null(strstr(note.text, "OP"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(business_days),
        cmocka_unit_test(deadlines_of_fiscal_2025),
        cmocka_unit_test(deadlines_nest_in_every_cycle),
        cmocka_unit_test(submission_goes_to_the_next_open_cycle),
        cmocka_unit_test(late_forwarding_moves_to_a_later_cycle),
        cmocka_unit_test(damaged_rule_files_are_named),
    };

    return cmocka_run_group_tests(tests, load, NULL);
}
