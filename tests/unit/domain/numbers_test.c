/* Register numbers and MAMIS numbers, as people and spreadsheets write them. */
#include "domain/numbers.h"

#include "lib/test.h"

static void register_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"123456", 123456},
        {"012345", 12345},
        {"０１２３４５", 12345},
        {"１2３", 123},
        {" 7\u3000", 7},
        {"\u00A07\t", 7},
        {"9999999", 9999999},
        {"00000000000000000001", 1},
        {"10000000", NUMBER_NONE},
        {"00010000000", NUMBER_NONE},
        {"99999999999999999999999999", NUMBER_NONE},
        {"", NUMBER_NONE},
        {"  ", NUMBER_NONE},
        {"0", NUMBER_NONE},
        {"0000000", NUMBER_NONE},
        {"123,456", NUMBER_NONE},
        {"1.23E+05", NUMBER_NONE},
        {"395454.0", NUMBER_NONE},
        {"'430370", NUMBER_NONE},
        {"=\"531621\"", NUMBER_NONE},
        {"#N/A", NUMBER_NONE},
        {"-1", NUMBER_NONE},
        {"+1", NUMBER_NONE},
        {"12 34", NUMBER_NONE},
        {"①", NUMBER_NONE},
        {"１２３号", NUMBER_NONE},
        {"٣", NUMBER_NONE},
        {"一", NUMBER_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (register_no_parse(str_of(cases[i].text)) != cases[i].want)
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void mamis_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"6423876638", INT64_C(6423876638)},
        {"７１９７２８２７９０", INT64_C(7197282790)},
        {" 8176649306 ", INT64_C(8176649306)},
        {"6423876637", NUMBER_NONE},
        {"642387663", NUMBER_NONE},
        {"64238766380", NUMBER_NONE},
        {"06423876638", NUMBER_NONE},
        {"6423-876638", NUMBER_NONE},
        {"6.42E+09", NUMBER_NONE},
        {"", NUMBER_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (mamis_no_parse(str_of(cases[i].text)) != cases[i].want)
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void one_wrong_digit_is_found(void **state)
{
    char text[MAMIS_NO_BYTES];

    (void)state;
    for (int64_t first = 0; first < 1000000000; first += 12345679) {
        const int64_t number = mamis_no_make(first);

        mamis_no_format(number, text);
        assert_int_equal(mamis_no_parse(str_of(text)), number);
        for (int place = 0; place < MAMIS_NO_DIGITS; place++) {
            const char digit = text[place];

            for (char other = '0'; other <= '9'; other++) {
                text[place] = other;
                assert_int_equal(mamis_no_parse(str_of(text)) != NUMBER_NONE, other == digit);
            }
            text[place] = digit;
        }
    }
}

static void formats(void **state)
{
    char register_no[REGISTER_NO_BYTES];
    char mamis_no[MAMIS_NO_BYTES];

    (void)state;
    register_no_format(12345, register_no);
    assert_string_equal(register_no, "12345");
    register_no_format(9999999, register_no);
    assert_string_equal(register_no, "9999999");
    mamis_no_format(12, mamis_no);
    assert_string_equal(mamis_no, "0000000012");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(register_numbers),
        cmocka_unit_test(mamis_numbers),
        cmocka_unit_test(one_wrong_digit_is_found),
        cmocka_unit_test(formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
