/*
 * Errors and codes: names lead back, texts are filled in, and the order of row reasons stands.
 */
#include <string.h>

#include "gen/codes.h"
#include "lib/test.h"

static void rendered(const char *text, const struct code_param *params, size_t count,
                     const char *wanted)
{
    struct buf out = {0};

    code_render(&out, text, params, count);
    assert_true(str_eq_c(buf_str(&out), wanted));
    buf_free(&out);
}

static void placeholders_are_filled_in(void **state)
{
    const struct code_param params[] = {
        {"column", STR("氏名")}, {"value", STR("{column}")}, {"empty", STR_NONE}};

    (void)state;
    rendered("{column}「{value}」", params, 3, "氏名「{column}」");
    rendered("a {empty} {missing} b", params, 3, "a - - b");
    rendered("no end {column", params, 3, "no end {column");
    rendered("none", NULL, 0, "none");
}

static void long_values_are_cut_after_a_character(void **state)
{
    char value[1000];
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < 333; i++)
        memcpy(value + i * 3, "研", 3);
    const struct code_param params[] = {{"value", {value, 999}}};

    code_render(&out, "{value}", params, 1);
    assert_true(out.len < 300);
    assert_int_equal(out.len % 3, 0);
    assert_memory_equal(out.data + out.len - 3, "…", 3);
    buf_free(&out);
}

static void names_lead_back(void **state)
{
    (void)state;
    for (int i = 1; i < CODE_COUNT; i++) {
        const enum code found = code_of_name(str_of(code_name((enum code)i)));

        assert_int_not_equal(found, CODE_NONE);
        assert_string_equal(code_name(found), code_name((enum code)i));
        assert_true(code_text(found, false)->title[0] != '\0');
        assert_true(code_text(found, true)->detail[0] != '\0');
    }
    assert_int_equal(code_of_name(STR("no_such_code")), CODE_NONE);
    assert_int_equal(code_of_name(STR("")), CODE_NONE);
    assert_int_equal(code_of_name(STR("no_my_page")), CODE_NO_MY_PAGE);
    assert_string_equal(code_name(CODE_NO_MY_PAGE_STRICT), "no_my_page");
    assert_string_equal(code_name(CODE_UNITS_DIFFER_SEVERAL), "units_differ");
}

/* As listed in the description of the attendance file: unmatched ones first, then rejected ones. */
static void reasons_stand_in_their_order(void **state)
{
    static const char *const order[] = {
        "doctor_unknown",    "kana_mismatch",         "numbers_disagree",
        "doctor_closed",     "field_count",           "bad_encoding",
        "number_missing",    "register_no_format",    "mamis_no_format",
        "seminar_mismatch",  "session_missing",       "session_unknown",
        "kind_unknown",      "kind_not_offered",      "kind_twice_in_programme",
        "units_format",      "units_differ",          "attended_format",
        "time_format",       "time_incomplete",       "time_order",
        "late_arrival",      "early_leave",           "held_before_cutover",
        "session_not_ended", "conflicts_with_posted", "leader_excluded",
        "visit_full",
    };
    enum code last = CODE_NONE;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        const enum code code = code_of_name(str_of(order[i]));

        assert_true(code > last);
        assert_int_equal(code_group(code), i < 4 ? CODE_GROUP_UNMATCHED : CODE_GROUP_REJECTED);
        last = code;
    }
    assert_true(CODE_NO_MY_PAGE_STRICT > last);
}

static void every_error_can_be_told(void **state)
{
    (void)state;
    for (int i = 1; i < ERR_COUNT; i++) {
        const enum code code = code_of_err((enum err)i);

        assert_true(err_name((enum err)i)[0] != '\0');
        assert_int_not_equal(code, CODE_NONE);
        if (err_status((enum err)i) != 499)
            assert_true(code_status(code) >= 400 && code_status(code) <= 599);
    }
    assert_int_equal(code_of_err(ERR_DB_DOWN), CODE_SERVICE_UNAVAILABLE);
    assert_int_equal(code_of_err(ERR_DB_UNKNOWN), CODE_OUTCOME_UNKNOWN);
    assert_int_equal(code_of_err(ERR_HEAD_TOO_LARGE), CODE_HEAD_TOO_LARGE);
    assert_int_equal(code_of_err(ERR_DB_REFUSED), CODE_INTERNAL);
    assert_int_equal(err_class(ERR_DB_DOWN), ERR_CLASS_RETRY);
    assert_string_equal(err_name(ERR_DB_DOWN), "db_down");
    assert_int_equal(err_status(ERR_TOO_MANY), 429);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_are_filled_in),
        cmocka_unit_test(long_values_are_cut_after_a_character),
        cmocka_unit_test(names_lead_back),
        cmocka_unit_test(reasons_stand_in_their_order),
        cmocka_unit_test(every_error_can_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
