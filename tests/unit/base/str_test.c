/* str, uuid: views, numbers, buffers, hexadecimal, identifiers. */
#include <string.h>

#include "base/arena.h"
#include "base/uuid.h"
#include "lib/test.h"

static void numbers_are_whole_or_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "1.0",
                                      "1e5",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "0x1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "١"};
    int64_t value;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_to_i64(str_of(bad[i]), &value));
    assert_true(str_to_i64(STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_true(str_to_i64(STR("007"), &value));
    assert_int_equal(value, 7);
}

static void cutting_gives_each_piece_once(void **state)
{
    struct str rest = STR("a,,b,");
    struct str piece;
    static const char *const wanted[] = {"a", "", "b", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_true(str_cut(&rest, ',', &piece));
        assert_true(str_eq_c(piece, wanted[i]));
    }
    assert_false(str_cut(&rest, ',', &piece));
}

static void buffers_grow_and_keep_a_nul(void **state)
{
    struct buf buf = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%d,", i);
    assert_int_equal(strlen(buf.data), buf.len);
    assert_memory_equal(buf.data, "0,1,2,", 6);
    buf_clear(&buf);
    buf_add(&buf, NULL, 0);
    assert_int_equal(buf.len, 0);
    buf_free(&buf);
}

static void hexadecimal_goes_there_and_back(void **state)
{
    uint8_t bytes[4];
    char text[9];

    (void)state;
    assert_true(hex_decode(STR("00fFa5Ff"), bytes, 4));
    hex_encode(bytes, 4, text);
    assert_string_equal(text, "00ffa5ff");
    assert_false(hex_decode(STR("00ffa5f"), bytes, 4));
    assert_false(hex_decode(STR("00ffa5fg"), bytes, 4));
}

static void base64url_has_no_padding(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    assert_true(str_eq_c(base64url_encode(arena, (const uint8_t *)"\xff\xfe\xfd", 3), "__79"));
    assert_true(str_eq_c(base64url_encode(arena, (const uint8_t *)"ab", 2), "YWI"));
    assert_true(str_eq_c(base64url_encode(arena, (const uint8_t *)"a", 1), "YQ"));
    assert_int_equal(base64url_encode(arena, (const uint8_t *)"", 0).len, 0);
    arena_free(arena);
}

static void identifiers_are_version_7_and_different(void **state)
{
    struct uuid one = uuid_new();
    struct uuid two = uuid_new();
    struct uuid read;
    char text[UUID_TEXT_BYTES];

    (void)state;
    assert_false(uuid_eq(one, two));
    uuid_format(one, text);
    assert_int_equal(strlen(text), 36);
    assert_int_equal(text[14], '7');
    assert_true(uuid_parse(str_of(text), &read));
    assert_true(uuid_eq(one, read));
    text[8] = '0';
    assert_false(uuid_parse(str_of(text), &read));
    assert_false(uuid_parse(STR("0198"), &read));
}

/* Events are swept and replayed by their ids, in the order in which they were made. */
static void identifiers_ascend(void **state)
{
    struct uuid last = uuid_new();

    (void)state;
    for (int i = 0; i < 20000; i++) { /* more than twelve bits count in one millisecond */
        struct uuid next = uuid_new();

        assert_true(memcmp(last.bytes, next.bytes, 8) < 0);
        last = next;
    }
}

static void secrets_compare_by_content(void **state)
{
    (void)state;
    assert_true(str_eq_secret(STR("secret"), STR("secret")));
    assert_false(str_eq_secret(STR("secret"), STR("secreT")));
    assert_false(str_eq_secret(STR("secret"), STR("secret2")));
    assert_true(str_eq_nocase(STR("Content-Type"), STR("content-TYPE")));
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_eq_c(str_trim(STR(" \t a b \r\n")), "a b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_whole_or_refused),
        cmocka_unit_test(cutting_gives_each_piece_once),
        cmocka_unit_test(buffers_grow_and_keep_a_nul),
        cmocka_unit_test(hexadecimal_goes_there_and_back),
        cmocka_unit_test(base64url_has_no_padding),
        cmocka_unit_test(identifiers_are_version_7_and_different),
        cmocka_unit_test(identifiers_ascend),
        cmocka_unit_test(secrets_compare_by_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
