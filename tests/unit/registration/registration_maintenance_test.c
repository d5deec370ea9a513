/* The calendar of maintenance: what may be planned, changed and ended, as a table. */
#include "lib/test.h"

#include "registration/registration_maintenance_rules.h"

#define HOUR (INT64_C(3600) * CLOCK_SECOND_US)
#define DAY (24 * HOUR)

enum { NOW = 1000 };
#define AT(hours) ((NOW + (hours)) * HOUR)

static const struct uuid mine = {{1}}, others_id = {{2}};

static struct maintenance window(struct uuid id, int64_t version, int64_t from, int64_t to)
{
    return (struct maintenance){.window_id = id,
                                .version = version,
                                .starts_us = from,
                                .ends_us = to,
                                .note = STR("a"),
                                .note_en = STR("")};
}

static void what_may_be_planned(void **state)
{
    static const struct {
        const char *what;
        int64_t known_from, known_to; /* 0: new */
        int64_t from, to;
        bool called_off, changed;
        enum code refusal;
    } cases[] = {
        {"new", 0, 0, AT(1), AT(2), false, true, CODE_NONE},
        {"from now", 0, 0, AT(0), AT(2), false, true, CODE_NONE},
        {"this minute", 0, 0, AT(0) - 60 * CLOCK_SECOND_US, AT(2), false, true, CODE_NONE},
        {"an hour ago", 0, 0, AT(-1), AT(2), false, false, CODE_MAINTENANCE_PAST},
        {"backwards", 0, 0, AT(3), AT(2), false, false, CODE_MAINTENANCE_LENGTH},
        {"no time at all", 0, 0, AT(3), AT(3), false, false, CODE_MAINTENANCE_LENGTH},
        {"31 days", 0, 0, AT(51), AT(51) + 31 * DAY, false, true, CODE_NONE},
        {"more", 0, 0, AT(51), AT(51) + 31 * DAY + CLOCK_SECOND_US, false, false,
         CODE_MAINTENANCE_LENGTH},
        {"moved", AT(1), AT(2), AT(3), AT(4), false, true, CODE_NONE},
        {"the same again", AT(1), AT(2), AT(1), AT(2), false, false, CODE_NONE},
        {"longer while it runs", AT(-1), AT(2), AT(-1), AT(5), false, true, CODE_NONE},
        {"shorter while it runs", AT(-1), AT(2), AT(-1), AT(1), false, true, CODE_NONE},
        {"begins later while it runs", AT(-1), AT(2), AT(1), AT(5), false, false,
         CODE_MAINTENANCE_PAST},
        {"ended before now", AT(-2), AT(2), AT(-2), AT(-1), false, false, CODE_MAINTENANCE_PAST},
        {"over", AT(-2), AT(-1), AT(1), AT(2), false, false, CODE_MAINTENANCE_PAST},
        {"called off", AT(1), AT(2), AT(3), AT(4), true, false, CODE_MAINTENANCE_PAST},
        {"into another", 0, 0, AT(9), AT(11), false, false, CODE_MAINTENANCE_OVERLAP},
        {"around another", 0, 0, AT(9), AT(30), false, false, CODE_MAINTENANCE_OVERLAP},
        {"up to another", 0, 0, AT(9), AT(10), false, true, CODE_NONE},
        {"behind another", 0, 0, AT(20), AT(21), false, true, CODE_NONE},
        {"where one was called off", 0, 0, AT(40), AT(41), false, true, CODE_NONE},
    };
    struct maintenance others[] = {window(others_id, 1, AT(10), AT(20)),
                                   window(others_id, 1, AT(40), AT(50)),
                                   window(mine, 1, AT(1), AT(2))};

    (void)state;
    others[1].called_off = true;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct maintenance known =
            window(mine, cases[i].known_to != 0, cases[i].known_from, cases[i].known_to);
        struct maintenance wanted = window(mine, 0, cases[i].from, cases[i].to);
        struct maintenance_verdict verdict;

        known.called_off = cases[i].called_off;
        maintenance_rules_plan(&known, &wanted, others, ARRAY_LEN(others), AT(0), &verdict);
        if (verdict.refusal != cases[i].refusal || verdict.changed != cases[i].changed)
            fail_msg("%s: %s", cases[i].what,
                     verdict.refusal == CODE_NONE ? "taken" : code_name(verdict.refusal));
        assert_true((verdict.refusal != CODE_NONE) == (verdict.pointer != NULL));
        if (verdict.changed)
            assert_true(known.starts_us == cases[i].from && known.ends_us == cases[i].to);
    }
}

static void words_alone_change_it_too(void **state)
{
    struct maintenance known = window(mine, 1, AT(1), AT(2));
    struct maintenance wanted = window(mine, 0, AT(1), AT(2));
    struct maintenance_verdict verdict;

    (void)state;
    wanted.note = STR("b");
    maintenance_rules_plan(&known, &wanted, NULL, 0, AT(0), &verdict);
    assert_true(verdict.changed && str_eq_c(known.note, "b"));
}

static void what_may_be_ended(void **state)
{
    static const struct {
        int64_t from, to;
        bool called_off, changed, called_off_then;
        int64_t to_then;
    } cases[] = {
        {AT(1), AT(2), false, true, true, AT(2)},      /* called off */
        {AT(1), AT(2), true, false, true, AT(2)},      /* once more */
        {AT(-1), AT(2), false, true, false, AT(0)},    /* ended now */
        {AT(-2), AT(-1), false, false, false, AT(-1)}, /* over */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct maintenance known = window(mine, 1, cases[i].from, cases[i].to);
        struct maintenance_verdict verdict;

        known.called_off = cases[i].called_off;
        maintenance_rules_end(&known, AT(0), &verdict);
        assert_int_equal(verdict.refusal, CODE_NONE);
        assert_int_equal(verdict.changed, cases[i].changed);
        assert_int_equal(known.called_off, cases[i].called_off_then);
        assert_true(known.ends_us == cases[i].to_then);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_planned),
        cmocka_unit_test(words_alone_change_it_too),
        cmocka_unit_test(what_may_be_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
