/* Strict UTF-8: what is valid, and what broken sequences become. */
#include "text/utf8.h"

#include "lib/test.h"

static void validity(void **state)
{
    static const struct {
        const char *text;
        int valid_len; /* -1: all of it */
    } cases[] = {
        {"", -1},
        {"plain ascii, longer than a word", -1},
        {"日本語と𠮷と\xC3\xA9", -1},
        {"\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF", -1},
        {"ab\xC0\x80", 2},       /* long form of NUL */
        {"\xE0\x9F\xBF", 0},     /* long form */
        {"\xED\xA0\x80", 0},     /* surrogate */
        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xF0\x8F\xBF\xBF", 0}, /* long form */
        {"12345678\xE3\x81", 8}, /* cut short */
        {"\xE3\x81\xE3\x81\x82", 0},
        {"\x80", 0},
        {"\xFE", 0},
        {"\xE3\x81\x82\xFF", 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str text = str_of(cases[i].text);
        const size_t want = cases[i].valid_len < 0 ? text.len : (size_t)cases[i].valid_len;

        assert_int_equal(utf8_valid_len(text), want);
    }
}

static void every_character_there_and_back(void **state)
{
    (void)state;
    for (uint32_t point = 1; point <= 0x10FFFF; point++) {
        char bytes[UTF8_BYTES_MAX];
        size_t at = 0;

        if (point >= 0xD800 && point <= 0xDFFF)
            continue;
        const struct str text = {bytes, utf8_put(bytes, point)};

        assert_int_equal(utf8_valid_len(text), text.len);
        assert_int_equal(utf8_next(text, &at), point);
        assert_int_equal(at, text.len);
    }
}

static void broken_sequences_are_replaced_once(void **state)
{
    const struct str text = STR("a\xE3\x81z\xFF\xF0\x90\x80");
    static const uint32_t want[] = {'a', UTF8_REPLACEMENT, 'z', UTF8_REPLACEMENT, UTF8_REPLACEMENT};
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(utf8_next(text, &at), want[i]);
    assert_int_equal(at, text.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validity),
        cmocka_unit_test(every_character_there_and_back),
        cmocka_unit_test(broken_sequences_are_replaced_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
