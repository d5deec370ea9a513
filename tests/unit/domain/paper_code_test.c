/* paper_code: what is printed is read again however it is typed, and mistakes are found. */
#include "domain/paper_code.h"

#include <string.h>

#include "lib/test.h"

static const uint8_t sample[PAPER_CODE_RANDOM_BYTES] = {7,  19, 3,  20, 9, 22, 29, 24,
                                                        26, 2,  28, 11, 0, 16, 5};
static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static bool reads(const char *typed, char out[PAPER_CODE_BYTES])
{
    struct arena *arena = arena_new();
    bool good = paper_code_read(arena, str_of(typed), out);

    arena_free(arena);
    return good;
}

static void what_is_made_is_read(void **state)
{
    char code[PAPER_CODE_BYTES], again[PAPER_CODE_BYTES];

    (void)state;
    for (unsigned turn = 0; turn < 500; turn++) {
        uint8_t random[PAPER_CODE_RANDOM_BYTES];

        for (size_t i = 0; i < sizeof(random); i++)
            random[i] = (uint8_t)(turn * 37 + i * (turn + 11));
        paper_code_make(random, code);
        assert_int_equal(strlen(code), PAPER_CODE_BYTES - 1);
        assert_true(reads(code, again));
        assert_string_equal(again, code);
    }
}

/* The code typed in another way: small letters, full width, O for 0 and I for 1, other groups. */
static void retyped(const char *code, unsigned way, char out[100])
{
    size_t len = 0;

    for (; *code != '\0'; code++) {
        char c = *code;

        if (c == '-' && way != 0)
            continue;
        if (way == 1 && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (way == 2)
            c = c == '0' ? 'O' : c == '1' ? 'l' : c;
        if (way == 3 && c > ' ') { /* U+FF01 on stand for '!' on */
            const unsigned point = 0xFF01U + (unsigned)(c - '!');

            out[len++] = (char)(0xE0 | (point >> 12));
            out[len++] = (char)(0x80 | ((point >> 6) & 0x3F));
            c = (char)(0x80 | (point & 0x3F));
        }
        out[len++] = c;
        if (way == 4)
            out[len++] = ' ';
    }
    out[len] = '\0';
}

static void spelling_does_not_matter(void **state)
{
    char code[PAPER_CODE_BYTES], again[PAPER_CODE_BYTES], typed[100];

    (void)state;
    paper_code_make(sample, code);
    for (unsigned way = 0; way < 5; way++) {
        retyped(code, way, typed);
        assert_true(reads(typed, again));
        assert_string_equal(again, code);
    }
}

static void every_wrong_character_is_found(void **state)
{
    char code[PAPER_CODE_BYTES], typed[PAPER_CODE_BYTES], out[PAPER_CODE_BYTES];
    unsigned tried = 0;

    (void)state;
    paper_code_make(sample, code);
    for (size_t i = 0; i < PAPER_CODE_BYTES - 1; i++) {
        for (const char *letter = letters; code[i] != '-' && *letter != '\0'; letter++) {
            memcpy(typed, code, sizeof(typed));
            typed[i] = *letter;
            assert_int_equal(reads(typed, out), *letter == code[i]);
            tried++;
        }
    }
    assert_int_equal(tried, PAPER_CODE_CHARS * 32);
}

static void exchanged_characters_are_found(void **state)
{
    char code[PAPER_CODE_BYTES], typed[PAPER_CODE_BYTES], out[PAPER_CODE_BYTES];

    (void)state;
    paper_code_make(sample, code);
    for (size_t i = 0; i < PAPER_CODE_BYTES - 1; i++) {
        for (size_t k = 0; k < i; k++) {
            if (code[i] == '-' || code[k] == '-' || code[i] == code[k])
                continue;
            memcpy(typed, code, sizeof(typed));
            typed[i] = code[k];
            typed[k] = code[i];
            assert_false(reads(typed, out));
        }
    }
}

static void what_is_no_code_is_refused(void **state)
{
    static const char *const none[] = {"",
                                       "-",
                                       "7K3M",
                                       "7K3M-9QXR-T2WB-0H5C-7K3M",
                                       "7K3M-9QXR-T2WB-0H5U",
                                       "7K3M-9QXR-T2WB-0H5*",
                                       "あいうえおかきくけこさしすせそた",
                                       "\xff\xff"};
    char out[PAPER_CODE_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_false(reads(none[i], out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_read),
        cmocka_unit_test(spelling_does_not_matter),
        cmocka_unit_test(every_wrong_character_is_found),
        cmocka_unit_test(exchanged_characters_are_found),
        cmocka_unit_test(what_is_no_code_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
