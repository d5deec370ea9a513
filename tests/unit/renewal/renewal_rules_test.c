/* Tables of cases for what counts towards a renewal: fixtures 1-3 and 8, edge cases 11-15 and 32.
 */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "renewal/renewal_ruleset.h"

enum { CREDITS_MAX = 8, LINES_MAX = 4 };

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

static struct period period(const char *from, const char *to)
{
    return (struct period){.from = day(from), .to = day(to)};
}

struct case_credit {
    const char *kind, *held_on;
    int units;
    bool web;
    int counted; /* units wanted */
    enum not_counted reason;
};

struct case_line {
    const char *kind;
    int declared, verified; /* units; verified -1: not yet */
    const char *last_on;
};

struct rules_case {
    const char *name;
    const char *from, *to;
    struct case_credit credits[CREDITS_MAX];
    struct case_line handbook[LINES_MAX];
    int counted; /* units */
    bool eligible, depends;
    int missing;              /* of the total, units */
    const char *missing_kind; /* a kind that falls short, NULL: none does */
};

static const struct rules_case op_cases[] = {
    {"fixture 1: handbook 15 and MAMIS 5",
     "2020-08-01",
     "2025-07-31",
     {{"OPL-S", "2025-04-12", 3, false, 3, COUNTED}, {"OPL-R", "2025-04-19", 2, false, 2, COUNTED}},
     {{"OPL-R", 2, -1, "2024-10-01"},
      {"OPL-J", 1, -1, "2023-06-03"},
      {"OPL-S", 12, -1, "2025-03-31"}},
     20,
     true,
     true,
     0,
     NULL},
    {"fixture 1 after the handbook was seen",
     "2020-08-01",
     "2025-07-31",
     {{"OPL-S", "2025-04-12", 3, false, 3, COUNTED}, {"OPL-R", "2025-04-19", 2, false, 2, COUNTED}},
     {{"OPL-R", 2, 2, "2024-10-01"},
      {"OPL-J", 1, 1, "2023-06-03"},
      {"OPL-S", 12, 12, "2025-03-31"}},
     20,
     true,
     false,
     0,
     NULL},
    {"fixture 2: no practical training anywhere, 40 units",
     "2020-08-01",
     "2025-07-31",
     {{"OPL-S", "2025-04-12", 30, false, 30, COUNTED},
      {"OPL-R", "2025-04-19", 10, false, 10, COUNTED}},
     {{NULL, 0, 0, NULL}},
     40,
     false,
     false,
     0,
     "OPL-J"},
    {"fixture 3: 21 nominal, web counts 5, so 19",
     "2022-01-01",
     "2026-12-31",
     {{"OPL-R", "2025-05-01", 3, true, 3, COUNTED},
      {"OPL-S", "2025-05-02", 4, true, 2, NOT_COUNTED_WEB_CAP},
      {"OPL-J", "2025-05-03", 1, false, 1, COUNTED},
      {"OPL-S", "2025-05-04", 13, false, 13, COUNTED}},
     {{NULL, 0, 0, NULL}},
     19,
     false,
     false,
     1,
     NULL},
    {"edge 32: six web units, five count",
     "2022-01-01",
     "2026-12-31",
     {{"OPL-S", "2025-05-01", 2, true, 2, COUNTED},
      {"OPL-S", "2025-05-02", 2, true, 2, COUNTED},
      {"OPL-S", "2025-05-03", 2, true, 1, NOT_COUNTED_WEB_CAP}},
     {{NULL, 0, 0, NULL}},
     5,
     false,
     false,
     15,
     "OPL-R"},
    {"the cap leaves room for a kind's minimum",
     "2022-01-01",
     "2026-12-31",
     {{"OPL-S", "2025-05-01", 5, true, 4, NOT_COUNTED_WEB_CAP},
      {"OPL-R", "2025-06-01", 1, true, 1, COUNTED},
      {"OPL-J", "2025-05-03", 1, false, 1, COUNTED},
      {"OPL-S", "2025-05-04", 14, false, 14, COUNTED}},
     {{NULL, 0, 0, NULL}},
     20,
     true,
     false,
     0,
     NULL},
    {"both minimums by web, the rest of the cap by day",
     "2022-01-01",
     "2026-12-31",
     {{"OPL-R", "2025-05-01", 6, true, 4, NOT_COUNTED_WEB_CAP},
      {"OPL-S", "2025-06-01", 3, true, 1, NOT_COUNTED_WEB_CAP},
      {"OPL-J", "2025-05-03", 15, false, 15, COUNTED}},
     {{NULL, 0, 0, NULL}},
     20,
     true,
     false,
     0,
     NULL},
    {"practical training never counts on the web",
     "2022-01-01",
     "2026-12-31",
     {{"OPL-J", "2025-05-01", 2, true, 0, NOT_COUNTED_KIND}},
     {{NULL, 0, 0, NULL}},
     0,
     false,
     false,
     20,
     "OPL-J"},
    {"edges 13, 14: first and last day count, the days around do not",
     "2025-04-10",
     "2030-04-09",
     {{"OPL-S", "2025-04-09", 1, false, 0, NOT_COUNTED_BEFORE_PERIOD},
      {"OPL-S", "2025-04-10", 1, false, 1, COUNTED},
      {"OPL-S", "2030-04-09", 1, false, 1, COUNTED},
      {"OPL-S", "2030-04-10", 1, false, 0, NOT_COUNTED_AFTER_PERIOD}},
     {{NULL, 0, 0, NULL}},
     2,
     false,
     false,
     18,
     "OPL-R"},
    {"edge 11: a period need not end with a month",
     "2020-05-31",
     "2025-05-30",
     {{"OPL-S", "2025-05-30", 1, false, 1, COUNTED},
      {"OPL-S", "2025-05-31", 1, false, 0, NOT_COUNTED_AFTER_PERIOD}},
     {{NULL, 0, 0, NULL}},
     1,
     false,
     false,
     19,
     "OPL-R"},
    {"basic kinds do not count for a renewal",
     "2022-01-01",
     "2026-12-31",
     {{"OPB-K", "2025-05-01", 20, false, 0, NOT_COUNTED_KIND}},
     {{NULL, 0, 0, NULL}},
     0,
     false,
     false,
     20,
     "OPL-R"},
    {"edge 48: five declared, four verified",
     "2020-08-01",
     "2025-07-31",
     {{"OPL-S", "2025-04-12", 12, false, 12, COUNTED},
      {"OPL-R", "2025-04-13", 2, false, 2, COUNTED},
      {"OPL-J", "2025-04-14", 1, false, 1, COUNTED}},
     {{"OPL-S", 5, 4, "2025-03-01"}},
     19,
     false,
     false,
     1,
     NULL},
    {"a handbook line before the period counts nothing",
     "2024-01-01",
     "2028-12-31",
     {{"OPL-S", "2025-04-12", 1, false, 1, COUNTED}},
     {{"OPL-R", 2, -1, "2023-12-31"}},
     1,
     false,
     false,
     19,
     "OPL-R"},
};

static const struct rules_case sp_cases[] = {
    {"fixture 5: four posted and one old certificate",
     "2021-01-01",
     "2025-12-31",
     {{"SPR", "2025-05-01", 4, false, 4, COUNTED}},
     {{"SPR", 1, -1, "2025-03-30"}},
     5,
     true,
     true,
     0,
     NULL},
    {"web counts without a cap",
     "2021-01-01",
     "2025-12-31",
     {{"SPR", "2025-05-01", 4, true, 4, COUNTED}, {"SPR", "2025-05-02", 4, true, 4, COUNTED}},
     {{NULL, 0, 0, NULL}},
     8,
     true,
     false,
     0,
     NULL},
    {"course subjects do not count for a renewal",
     "2021-01-01",
     "2025-12-31",
     {{"SPZ-01", "2025-05-01", 5, false, 0, NOT_COUNTED_KIND}},
     {{NULL, 0, 0, NULL}},
     0,
     false,
     false,
     5,
     NULL},
};

static size_t fill_credits(const struct rules_case *test, struct rules_credit *out)
{
    size_t count = 0;

    for (; count < CREDITS_MAX && test->credits[count].kind != NULL; count++) {
        const struct case_credit *from = &test->credits[count];

        out[count] = (struct rules_credit){
            .session_id = (int64_t)count,
            .half_units = 2 * from->units,
            .held_on = day(from->held_on),
            .web = from->web,
        };
        (void)snprintf(out[count].kind, sizeof(out[count].kind), "%s", from->kind);
    }
    return count;
}

static size_t fill_handbook(const struct rules_case *test, struct rules_handbook *out)
{
    size_t count = 0;

    for (; count < LINES_MAX && test->handbook[count].kind != NULL; count++) {
        const struct case_line *from = &test->handbook[count];

        out[count] = (struct rules_handbook){
            .declared_half_units = 2 * from->declared,
            .verified_half_units = from->verified < 0 ? -1 : 2 * from->verified,
            .last_on = day(from->last_on),
        };
        (void)snprintf(out[count].kind, sizeof(out[count].kind), "%s", from->kind);
    }
    return count;
}

static void check_case(const char *programme, const struct rules_case *test)
{
    struct rules_credit credits[CREDITS_MAX];
    struct rules_handbook handbook[LINES_MAX];
    size_t credit_count = fill_credits(test, credits);
    size_t line_count = fill_handbook(test, handbook);
    struct period span = period(test->from, test->to);
    const struct rule_set *rules =
        rules_for(book.sets, book.set_count, str_of(programme), span.from);
    struct standing standing;
    bool kind_short = false;

    print_message("%s\n", test->name);
    assert_non_null(rules);
    rules_standing(rules, span, credits, credit_count, handbook, line_count, &standing);
    assert_int_equal(standing.counted_half_units, 2 * test->counted);
    assert_int_equal(standing.eligible, test->eligible);
    assert_int_equal(standing.depends_on_declared, test->depends);
    assert_int_equal(standing.missing_half_units, 2 * test->missing);
    for (size_t i = 0; i < credit_count; i++) {
        assert_int_equal(credits[i].counted_half_units, 2 * test->credits[i].counted);
        assert_int_equal(credits[i].reason, test->credits[i].reason);
    }
    for (size_t i = 0; i < rules->kind_count; i++) {
        if (standing.lines[i].missing_half_units > 0)
            kind_short = true;
        if (test->missing_kind != NULL && strcmp(rules->kinds[i].code, test->missing_kind) == 0)
            assert_true(standing.lines[i].missing_half_units > 0);
    }
    assert_int_equal(kind_short, test->missing_kind != NULL);
}

static void credits_count_as_the_rules_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(op_cases); i++)
        check_case("OP", &op_cases[i]);
    for (size_t i = 0; i < ARRAY_LEN(sp_cases); i++)
        check_case("SP", &sp_cases[i]);
}

static void next_period_follows_the_old_one(void **state)
{
    /* Fixture 8, edge 12, R-OPR-09; and a period that ends in the middle of a month. */
    static const struct {
        const char *from, *to, *next_from, *next_to;
    } cases[] = {
        {"2019-03-01", "2024-02-29", "2024-03-01", "2029-02-28"},
        {"2019-02-28", "2024-02-28", "2024-02-29", "2029-02-28"},
        {"2024-02-29", "2029-02-28", "2029-03-01", "2034-02-28"},
        {"2020-08-01", "2025-07-31", "2025-08-01", "2030-07-31"},
        {"2020-05-31", "2025-05-30", "2025-05-31", "2030-05-30"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct period old = period(cases[i].from, cases[i].to);
        const struct rule_set *rules = rules_for(book.sets, book.set_count, STR("OP"), old.from);
        struct period next = rules_next_period(rules, old);

        assert_int_equal(next.from, day(cases[i].next_from));
        assert_int_equal(next.to, day(cases[i].next_to));
    }
}

static void window_opens_four_months_before(void **state)
{
    /* Edge 15; the measure of R-OPR-17 keeps OP open, SP closes with the period. */
    static const struct {
        const char *programme, *from, *to, *opens, *closes;
    } cases[] = {
        {"OP", "2021-07-01", "2026-06-30", "2026-02-28", "2028-03-31"},
        {"OP", "2021-11-01", "2026-10-31", "2026-06-30", "2028-03-31"},
        {"OP", "2015-02-01", "2020-01-31", "2019-09-30", "2020-07-31"},
        {"OP", "2023-02-01", "2028-01-31", "2027-09-30", "2028-07-31"},
        {"SP", "2021-07-01", "2026-06-30", "2026-02-28", "2026-06-30"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct period span = period(cases[i].from, cases[i].to);
        const struct rule_set *rules =
            rules_for(book.sets, book.set_count, str_of(cases[i].programme), span.from);
        struct period window = rules_window(rules, span);

        assert_int_equal(window.from, day(cases[i].opens));
        assert_int_equal(window.to, day(cases[i].closes));
    }
}

static void handbook_lines_are_checked(void **state)
{
    static const struct {
        const char *kind, *last_on;
        int half_units;
        enum handbook_fault fault;
    } cases[] = {
        {"OPL-S", "2025-03-31", 10, HANDBOOK_FINE},
        {"OPL-S", "2025-04-02", 10, HANDBOOK_DATE}, /* edge 49 */
        {"OPL-S", "2020-08-01", 10, HANDBOOK_FINE},
        {"OPL-S", "2020-07-31", 10, HANDBOOK_DATE},
        {"OPL-S", "2025-03-31", 3, HANDBOOK_HALF_UNITS},
        {"OPL-S", "2025-03-31", -2, HANDBOOK_HALF_UNITS},
        {"OPB-K", "2025-03-31", 2, HANDBOOK_KIND}, /* edge 51: the wrong handbook */
    };
    struct period span = period("2020-08-01", "2025-07-31");
    const struct rule_set *rules = rules_for(book.sets, book.set_count, STR("OP"), span.from);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rules_handbook line = {.declared_half_units = cases[i].half_units,
                                      .verified_half_units = -1,
                                      .last_on = day(cases[i].last_on)};

        (void)snprintf(line.kind, sizeof(line.kind), "%s", cases[i].kind);
        assert_int_equal(rules_handbook_check(rules, span, &line), cases[i].fault);
    }
}

static void newest_rule_set_of_the_period_counts(void **state)
{
    /* Edge 99: periods that began before a new rule keep the old one. */
    struct rule_set sets[2];

    (void)state;
    sets[0] = *rules_for(book.sets, book.set_count, STR("OP"), day("2020-08-01"));
    sets[1] = sets[0];
    sets[1].periods_from = day("2027-04-01");
    assert_ptr_equal(rules_for(sets, 2, STR("OP"), day("2027-03-31")), &sets[0]);
    assert_ptr_equal(rules_for(sets, 2, STR("OP"), day("2027-04-01")), &sets[1]);
    assert_null(rules_for(sets, 2, STR("OP"), day("1999-12-31")));
    assert_null(rules_for(sets, 2, STR("XX"), day("2027-04-01")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credits_count_as_the_rules_say),
        cmocka_unit_test(next_period_follows_the_old_one),
        cmocka_unit_test(window_opens_four_months_before),
        cmocka_unit_test(handbook_lines_are_checked),
        cmocka_unit_test(newest_rule_set_of_the_period_counts),
    };

    return cmocka_run_group_tests(tests, load, NULL);
}
