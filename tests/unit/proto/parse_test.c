/*
 * JSON text: what is refused before anything is built, and under which name.
 */
#include <string.h>

#include "lib/test.h"
#include "shape/shape.h"

static enum code parse(struct str text, size_t tokens_max, char *ret_words, size_t bytes)
{
    struct arena *arena = arena_new();
    struct body_problem problem = {0};
    json_t *json = NULL;
    const enum err err = shape_parse(arena, text, tokens_max, &json, &problem);

    assert_int_equal(err, problem.code == CODE_NONE ? ERR_OK : ERR_JSON);
    assert_true((json != NULL) == (err == ERR_OK));
    if (ret_words != NULL) {
        struct buf words = {0};

        code_render(&words, code_text(problem.code, true)->detail, problem.params,
                    problem.params_count);
        (void)snprintf(ret_words, bytes, "%.*s", STR_ARG(buf_str(&words)));
        buf_free(&words);
    }
    arena_free(arena);
    return problem.code;
}

static void each_fault_has_its_name(void **state)
{
    static const struct {
        const char *text;
        enum code code;
    } cases[] = {
        {"{}", CODE_NONE},
        {"[1, \"a\", null, true]", CODE_NONE},
        {"", CODE_JSON_SYNTAX},
        {"{", CODE_JSON_SYNTAX},
        {"{} x", CODE_JSON_SYNTAX},
        {"{\"a\":1,}", CODE_JSON_SYNTAX},
        {"{\"a\":01}", CODE_JSON_SYNTAX},
        {"{'a':1}", CODE_JSON_SYNTAX},
        {"{\"a\":9223372036854775808}", CODE_JSON_SYNTAX},
        {"{\"a\":1,\"a\":1}", CODE_JSON_DUPLICATE_KEY},
        {"{\"a\":\"\xff\"}", CODE_JSON_NOT_UTF8},
        {"{\"a\":\"\xed\xa0\x80\"}", CODE_JSON_NOT_UTF8},
        {"{\"a\":\"\\u0000\"}", CODE_FIELD_CONTROL_CHAR},
        {"{\"\\u0000\":1}", CODE_FIELD_CONTROL_CHAR},
        {"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", CODE_NONE},
        {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", CODE_JSON_TOO_DEEP},
        {"[\"[[[[[[[[[[[[[[[[[[[[\"]", CODE_NONE},
        {"[\"\\\"[[[[[[[[[[[[[[[[[[[[\"]", CODE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (parse(str_of(cases[i].text), SHAPE_TOKENS_MAX, NULL, 0) != cases[i].code)
            fail_msg("%s", cases[i].text);
    }
}

static void a_syntax_error_names_its_place(void **state)
{
    char words[200];

    (void)state;
    assert_int_equal(parse(STR("{\n \"a\": tru\n}"), SHAPE_TOKENS_MAX, words, sizeof(words)),
                     CODE_JSON_SYNTAX);
    assert_non_null(strstr(words, "line 2"));
}

static void tokens_are_counted_first(void **state)
{
    struct buf text = {0};

    (void)state;
    buf_add_char(&text, '[');
    for (size_t i = 0; i < 5000; i++)
        buf_add_c(&text, "{},");
    buf_add_c(&text, "{}]");
    assert_int_equal(parse(buf_str(&text), SHAPE_TOKENS_MAX, NULL, 0), CODE_NONE);
    assert_int_equal(parse(buf_str(&text), 5000, NULL, 0), CODE_BODY_TOO_LARGE);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_name),
        cmocka_unit_test(a_syntax_error_names_its_place),
        cmocka_unit_test(tokens_are_counted_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
