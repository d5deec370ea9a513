/* work_envelope: what is refused before and after parsing, and the way there and back. */
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "work/work_private.h"

#define ID "0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e01"
#define HEAD "{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"/x\",\"type\":\"t.v1\""
#define TIME ",\"time\":\"2025-04-07T09:00:00+09:00\""

struct result {
    struct work_message message;
    char trace[WORK_TRACE_BYTES];
    json_t *root;
    struct err_note note;
};

static enum err decode(const char *text, size_t len, struct result *ret)
{
    memset(ret, 0, sizeof(*ret));
    return work_envelope_decode((struct str){text, len}, &ret->message, ret->trace, &ret->root,
                                &ret->note);
}

static void good_ones_are_read(void **state)
{
    struct result got;
    const char text[] =
        HEAD TIME ",\"subject\":\"s\",\"datacontenttype\":\"application/json\",\"other\":[1],"
                  "\"traceparent\":\"00-0123456789abcdef0123456789ABCDEF-0123456789abcdef-01\","
                  "\"data\":{\"n\":7}}";

    (void)state;
    assert_int_equal(decode(text, strlen(text), &got), ERR_OK);
    assert_string_equal(got.message.type, "t.v1");
    assert_true(str_eq(got.message.subject, STR("s")));
    assert_string_equal(got.message.trace, "0123456789abcdef0123456789abcdef");
    assert_int_equal(json_integer_value(json_object_get(got.message.data, "n")), 7);
    assert_int_equal(got.message.time_us, INT64_C(1743984000000000));
    json_decref(got.root);
}

static void bad_ones_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum err err;
    } cases[] = {
        {"", ERR_JSON},
        {"{", ERR_JSON},
        {"null", ERR_JSON},
        {"[]", ERR_SCHEMA},
        {"{}", ERR_SCHEMA},
        {HEAD TIME ",\"data\":{}} x", ERR_JSON},
        {HEAD TIME ",\"data\":{\"a\":1,\"a\":2}}", ERR_JSON},
        {HEAD TIME ",\"data\":[]}", ERR_SCHEMA},
        {HEAD TIME "}", ERR_SCHEMA},
        {HEAD ",\"time\":\"yesterday\",\"data\":{}}", ERR_SCHEMA},
        {HEAD ",\"data\":{}}", ERR_SCHEMA},
        {HEAD TIME ",\"subject\":1,\"data\":{}}", ERR_SCHEMA},
        {HEAD TIME ",\"subject\":\"a\\u0000b\",\"data\":{}}", ERR_JSON},
        {"{\"specversion\":\"2.0\",\"data\":{}}", ERR_VERSION_UNKNOWN},
        {"{\"specversion\":1,\"data\":{}}", ERR_SCHEMA},
        {"{\"specversion\":\"1.0\",\"id\":\"7\",\"data\":{}}", ERR_SCHEMA},
        {HEAD TIME ",\"data\":{\"\xff\":1}}", ERR_JSON},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct result got;
        enum err err = decode(cases[i].text, strlen(cases[i].text), &got);

        if (err != cases[i].err)
            print_error("%s: %s (%s)\n", cases[i].text, err_name(err), got.note.text);
        assert_int_equal(err, cases[i].err);
        assert_null(got.root);
        assert_true(got.note.text[0] != '\0');
    }
}

static void nesting_and_tokens_are_measured_first(void **state)
{
    struct buf text = {0};

    (void)state;
    for (int i = 0; i < WORK_JSON_DEPTH_MAX; i++)
        buf_add_c(&text, "[");
    assert_int_equal(work_json_scan(buf_str(&text), NULL), ERR_OK);
    buf_add_c(&text, "{");
    assert_int_equal(work_json_scan(buf_str(&text), NULL), ERR_JSON);
    buf_clear(&text);
    for (int i = 0; i < 100000; i++)
        buf_add_c(&text, "[");
    assert_int_equal(work_json_scan(buf_str(&text), NULL), ERR_JSON);
    buf_clear(&text);
    buf_add_c(&text, "[\"[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[\"");
    assert_int_equal(work_json_scan(buf_str(&text), NULL), ERR_OK);
    for (int i = 0; i < WORK_JSON_TOKENS_MAX; i++)
        buf_add_c(&text, ",1");
    assert_int_equal(work_json_scan(buf_str(&text), NULL), ERR_JSON);
    buf_clear(&text);
    buf_add_c(&text, "\"ends in a backslash\\");
    assert_int_equal(work_json_scan(buf_str(&text), NULL), ERR_OK);
    buf_free(&text);
}

static void too_large_is_refused(void **state)
{
    char *text = heap_zero(WORK_EVENT_BYTES_MAX + 2);
    struct result got;

    (void)state;
    memset(text, ' ', WORK_EVENT_BYTES_MAX + 1);
    assert_int_equal(decode(text, WORK_EVENT_BYTES_MAX + 1, &got), ERR_SCHEMA);
    assert_int_equal(decode(text, WORK_EVENT_BYTES_MAX, &got), ERR_JSON);
    free(text);
}

static void there_and_back(void **state)
{
    struct arena *arena = arena_new();
    char source[] = "/mamis/credit";
    struct work work = {.source = source};
    const char *traces[] = {"0123456789abcdef0123456789abcdef", NULL, "", "short"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
        struct uuid id = uuid_new();
        struct work_event event = {.type = "t.v1",
                                   .topic = "t",
                                   .subject = STR("研修"),
                                   .data = json_pack("{s:s}", "name", "髙﨑 𠮷")};
        struct str body = work_envelope_encode(arena, &work, id, &event, traces[i]);
        struct result got;

        assert_int_equal(decode(body.data, body.len, &got), ERR_OK);
        assert_true(uuid_eq(got.message.id, id));
        assert_true(str_eq(got.message.subject, STR("研修")));
        assert_int_equal(strlen(got.message.trace), 32);
        if (i == 0)
            assert_string_equal(got.message.trace, traces[0]);
        assert_string_equal(json_string_value(json_object_get(got.message.data, "name")),
                            "髙﨑 𠮷");
        json_decref(got.root);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_read),
        cmocka_unit_test(bad_ones_are_refused),
        cmocka_unit_test(nesting_and_tokens_are_measured_first),
        cmocka_unit_test(too_large_is_refused),
        cmocka_unit_test(there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
