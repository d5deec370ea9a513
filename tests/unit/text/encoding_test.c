/* Detection by the first line that is not ASCII, and CP932 against the C library's own. */
#include "text/encoding.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"

static enum encoding detect_in_slices(struct str text, size_t slice)
{
    struct encoding_detect detect = {0};

    for (size_t at = 0; at < text.len; at += slice) {
        const size_t left = text.len - at;

        encoding_detect_feed(&detect, (struct str){text.data + at, left < slice ? left : slice});
    }
    return encoding_detect_end(&detect);
}

static void the_first_line_above_ascii_decides(void **state)
{
    static const struct {
        struct str text;
        enum encoding want;
    } cases[] = {
        {STR(""), ENCODING_UTF8},
        {STR("register_no\n1\n"), ENCODING_UTF8},
        {STR("氏名\n\x8E\x81\x96\xBC\n"), ENCODING_UTF8},
        {STR("\x8E\x81\x96\xBC\n氏名\n"), ENCODING_CP932},
        {STR("a\nb\n\x8E\x81\n氏\n"), ENCODING_CP932},
        {STR("a\rb\r氏\r\x8E\x81"), ENCODING_UTF8},
        {STR("氏\x8E\r\n"), ENCODING_CP932},
        {STR("氏"), ENCODING_UTF8},
        {STR("\xE6\xB0"), ENCODING_CP932}, /* a character cut short by the end */
        {STR("\xE6\xB0\n\x8F"), ENCODING_CP932},
        {STR("a,\xB1\xB2\n"), ENCODING_CP932}, /* half-width kana */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t slice = 1; slice < 12; slice++)
            assert_int_equal(detect_in_slices(cases[i].text, slice), cases[i].want);
    }
}

/* What iconv makes of it; -1 when it refuses. */
static int by_iconv(iconv_t cd, const char *bytes, size_t len, char *out)
{
    char in[2];
    char *from = in;
    char *to = out;
    size_t left = len;
    size_t room = 16;

    memcpy(in, bytes, len);
    (void)iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &from, &left, &to, &room) == (size_t)-1)
        return -1;
    return 16 - (int)room;
}

static void cp932_is_that_of_the_c_library(void **state)
{
    iconv_t cd = iconv_open("UTF-8", "CP932");
    struct arena *arena = arena_new();

    (void)state;
    assert_true(cd != (iconv_t)-1);
    for (unsigned lead = 0; lead <= 0xFF; lead++) {
        for (unsigned trail = 0; trail <= 0x100; trail++) {
            const char bytes[2] = {(char)lead, (char)trail};
            const struct str text = {bytes, trail == 0x100 ? 1 : 2};
            char want[16];
            const int len = by_iconv(cd, bytes, text.len, want);

            assert_int_equal(encoding_valid(ENCODING_CP932, text), len >= 0);
            if (len < 0)
                continue;
            const struct str got = encoding_decode(arena, ENCODING_CP932, text);

            assert_int_equal(got.len, len);
            assert_memory_equal(got.data, want, got.len);
        }
    }
    arena_free(arena);
    iconv_close(cd);
}

static void edges_of_cp932(void **state)
{
    static const struct {
        struct str bytes;
        const char *want; /* NULL: borrowed as it is */
        bool valid;
    } cases[] = {
        {STR("ABC\\~"), NULL, true},          {STR("\x80"), "\uFFFD", false},
        {STR("\xA0"), "\uFFFD", false},       {STR("\xFD\xFE\xFF"), "\uFFFD\uFFFD\uFFFD", false},
        {STR("\xF0\x40"), "\uE000", true},                                  /* user-defined */
        {STR("\xF9\xFC"), "\uE757", true},    {STR("\x87\x40"), "①", true}, /* NEC */
        {STR("\xFA\xFC"), "\u6D6F", true},                                  /* IBM */
        {STR("\xFB\xFC"), "髙", true},        {STR("\x81\x60\x81\x7C"), "～－", true},
        {STR("\xB1\xDF"), "ｱﾟ", true},        {STR("a\x81"), "a\uFFFD", false},
        {STR("\x81,x"), "\uFFFD,x", false}, /* the separator stays */
        {STR("\x82\xFFx"), "\uFFFDx", false}, {STR("\x80\x81\x41"), "\uFFFD、", false},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str got = encoding_decode(arena, ENCODING_CP932, cases[i].bytes);

        assert_int_equal(encoding_valid(ENCODING_CP932, cases[i].bytes), cases[i].valid);
        if (cases[i].want == NULL)
            assert_ptr_equal(got.data, cases[i].bytes.data);
        else
            assert_true(str_eq_c(got, cases[i].want));
    }
    arena_free(arena);
}

static void broken_utf8_is_shown(void **state)
{
    struct arena *arena = arena_new();
    const struct str bytes = STR("佐\x8E\x81藤");

    (void)state;
    assert_false(encoding_valid(ENCODING_UTF8, bytes));
    assert_true(str_eq_c(encoding_decode(arena, ENCODING_UTF8, bytes), "佐\uFFFD\uFFFD藤"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_above_ascii_decides),
        cmocka_unit_test(cp932_is_that_of_the_c_library),
        cmocka_unit_test(edges_of_cp932),
        cmocka_unit_test(broken_utf8_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
