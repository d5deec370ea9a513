/* Problems: language, texts, what workers add. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/gateway_call.h"

static void languages(void **state)
{
    static const struct {
        const char *header;
        bool english;
    } rows[] = {
        {"ja", false},
        {"en", true},
        {"en-US,en;q=0.9", true},
        {"ja,en;q=0.9", false},
        {"en;q=0.9, ja;q=0.8", true},
        {"en;q=0.8, ja;q=0.9", false},
        {"en;q=0.85, ja;q=0.8", true},
        {"EN-gb", true},
        {"fr, de", false},
        {"en;q=0", false},
        {"*", false},
        {"", false},
        {",,,;;q=", false},
        {"english", false},
    };

    (void)state;
    assert_false(accept_english(STR_NONE));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (accept_english(str_of(rows[i].header)) != rows[i].english)
            fail_msg("%s", rows[i].header);
}

static const char *text(json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static void what_workers_say_is_kept(void **state)
{
    struct arena *arena = arena_new();
    json_t *told =
        json_loads("{\"code\":\"step_order\",\"params\":{\"next\":\"email\",\"field\":\"x\"},"
                   "\"next\":\"email\",\"status\":999,\"errors\":[{\"pointer\":\"/x\","
                   "\"code\":\"field_missing\"},{\"pointer\":\"/y\",\"code\":\"other\","
                   "\"detail\":\"kept\"}]}",
                   0, NULL);
    json_t *problem, *errors;

    (void)state;
    assert_int_equal(problem_code(told), CODE_STEP_ORDER);
    problem = problem_object(arena, problem_code(told), true, "abc", told);
    errors = json_object_get(problem, "errors");
    assert_string_equal(text(problem, "type"), "urn:mamis:problem:step_order");
    assert_string_equal(text(problem, "request_id"), "abc");
    assert_string_equal(text(problem, "next"), "email");
    assert_int_equal(json_integer_value(json_object_get(problem, "status")),
                     code_status(CODE_STEP_ORDER));
    assert_null(json_object_get(problem, "params"));
    assert_non_null(strstr(text(json_array_get(errors, 0), "detail"), "x"));
    assert_string_equal(text(json_array_get(errors, 1), "detail"), "kept");
    json_decref(problem);
    json_decref(told);
    arena_free(arena);
}

static void nothing_told_is_internal(void **state)
{
    json_t *unknown = json_loads("{\"code\":\"no_such_code\"}", 0, NULL);

    (void)state;
    assert_int_equal(problem_code(NULL), CODE_INTERNAL);
    assert_int_equal(problem_code(unknown), CODE_INTERNAL);
    json_decref(unknown);
}

/* Whatever a problem is told without, its text says nothing that is not known. */
static void nothing_is_said_of_what_is_missing(void **state)
{
    static const char *const never[] = {"「-」", "\"-\"", "{", "-秒", "- seconds"};
    struct arena *arena = arena_new();

    (void)state;
    for (int code = CODE_NONE + 1; code < CODE_COUNT; code++) {
        for (int english = 0; english < 2; english++) {
            json_t *problem = problem_object(arena, (enum code)code, english == 1, NULL, NULL);
            const char *cure = text(problem, "cure");

            assert_true(strlen(text(problem, "detail")) > 0);
            assert_true(cure == NULL || strlen(cure) > 0);
            for (size_t i = 0; i < ARRAY_LEN(never); i++) {
                assert_null(strstr(text(problem, "detail"), never[i]));
                assert_null(cure == NULL ? NULL : strstr(cure, never[i]));
            }
            json_decref(problem);
        }
    }
    arena_free(arena);
}

static void what_is_given_is_said(void **state)
{
    static const struct {
        enum code code;
        bool english;
        const char *params, *detail, *cure;
    } rows[] = {
        {CODE_SEMINAR_UNKNOWN, false, "{\"value\":\"S1\"}", "研修会「S1」は見つかりません。",
         "研修会番号を確かめてください。ほかの主催者の研修会には送れません。"},
        {CODE_SEMINAR_UNKNOWN, false, "{\"value\":\"\"}", "研修会が見つかりません",
         "研修会番号を確かめてください。ほかの主催者の研修会には送れません。"},
        {CODE_TOO_MANY_REQUESTS, true, "{\"seconds\":\"7\"}",
         "There were too many requests in a short time.", "Wait about 7 seconds and try again."},
        {CODE_TOO_MANY_COLUMNS, false, "{\"limit\":\"64\"}",
         "64個までにしてください。何も計上していません。", "不要な列を削って送ってください。"},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *told = json_pack("{s:o}", "params", json_loads(rows[i].params, 0, NULL));
        json_t *problem = problem_object(arena, rows[i].code, rows[i].english, NULL, told);

        assert_string_equal(text(problem, "detail"), rows[i].detail);
        assert_string_equal(text(problem, "cure"), rows[i].cure);
        json_decref(problem);
        json_decref(told);
    }
    arena_free(arena);
}

static void one_language_stays(void **state)
{
    static const char both[] =
        "{\"problem\":{\"title\":\"a\",\"title_en\":\"b\",\"code\":\"x\"},"
        "\"items\":[{\"problems\":[{\"detail\":\"c\",\"detail_en\":\"d\",\"cure\":\"e\"}]}]}";
    json_t *ja = json_loads(both, 0, NULL), *en = json_loads(both, 0, NULL);
    char *ja_text, *en_text;

    (void)state;
    problem_pick_language(ja, false);
    problem_pick_language(en, true);
    ja_text = json_dumps(ja, JSON_COMPACT | JSON_SORT_KEYS);
    en_text = json_dumps(en, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(ja_text, "{\"items\":[{\"problems\":[{\"cure\":\"e\",\"detail\":\"c\"}]}],"
                                 "\"problem\":{\"code\":\"x\",\"title\":\"a\"}}");
    assert_string_equal(en_text, "{\"items\":[{\"problems\":[{\"cure\":\"e\",\"detail\":\"d\"}]}],"
                                 "\"problem\":{\"code\":\"x\",\"title\":\"b\"}}");
    free(ja_text);
    free(en_text);
    json_decref(ja);
    json_decref(en);
}

static void kinds_have_two_names(void **state)
{
    static const char kept[] = "{\"lines\":[{\"kind\":\"OPL-R\",\"kind_name\":\"ja\"},"
                               "{\"kind\":null,\"kind_name\":null},{\"kind\":\"SPR\"},"
                               "{\"kind\":\"none\",\"kind_name\":\"ja\"}]}";
    json_t *ja = json_loads(kept, 0, NULL), *en = json_loads(kept, 0, NULL);
    json_t *whole = json_deep_copy(ja), *lines = json_object_get(en, "lines");

    (void)state;
    problem_pick_language(ja, false);
    problem_pick_language(en, true);
    assert_true(json_equal(ja, whole));
    assert_string_equal(text(json_array_get(lines, 0), "kind_name"), "lifelong, renewal");
    assert_true(json_is_null(json_object_get(json_array_get(lines, 1), "kind_name")));
    assert_null(json_object_get(json_array_get(lines, 2), "kind_name"));
    assert_string_equal(text(json_array_get(lines, 3), "kind_name"), "ja");
    json_decref(ja);
    json_decref(en);
    json_decref(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages),
        cmocka_unit_test(what_workers_say_is_kept),
        cmocka_unit_test(nothing_told_is_internal),
        cmocka_unit_test(nothing_is_said_of_what_is_missing),
        cmocka_unit_test(what_is_given_is_said),
        cmocka_unit_test(one_language_stays),
        cmocka_unit_test(kinds_have_two_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
