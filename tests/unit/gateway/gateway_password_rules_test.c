/* Which passwords people may choose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/gateway_password.h"

static const struct str own[] = {
    {"1265082273", 10}, {"522523", 6}, {"齊藤　海斗", 15}, {"d522523@example.jp", 18}, {NULL, 0}};

static const struct {
    const char *password;
    enum code code;
} rows[] = {
    {"correct horse battery", CODE_NONE},
    {"kazamidori to neko", CODE_NONE},
    {"Tr0ub4dor&3 plus", CODE_NONE},
    {"あさひのあたるへやでねむるねこ", CODE_NONE},
    {"🐈🐕🐎🦆🐓🐖🐑🦌🐇🐁🐿🦔🦇", CODE_NONE},
    {"short", CODE_PASSWORD_TOO_SHORT},
    {"twelve chars", CODE_PASSWORD_TOO_SHORT},
    {"あいうえおかきくけこさし", CODE_PASSWORD_TOO_SHORT},
    {"aaaaaaaaaaaaaaa", CODE_PASSWORD_COMMON},
    {"abcabcabcabcabc", CODE_PASSWORD_COMMON},
    {"1234567890123", CODE_PASSWORD_COMMON},
    {"abcdefghijklmn", CODE_PASSWORD_COMMON},
    {"zyxwvutsrqponm!", CODE_PASSWORD_COMMON},
    {"Password123456!", CODE_PASSWORD_COMMON},
    {"passwordpassword", CODE_PASSWORD_COMMON},
    {"MAMIS-2025-2026", CODE_PASSWORD_COMMON},
    {"correct-horse-battery-staple", CODE_PASSWORD_COMMON},
    {"1qaz2wsx3edc4rfv", CODE_PASSWORD_COMMON},
    {"1265082273abc", CODE_PASSWORD_COMMON},
    {"d522523@example.jp", CODE_PASSWORD_COMMON},
    {"齊藤　海斗 のパスワードは長い長い", CODE_NONE},
};

static void rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum code code = password_rules(str_of(rows[i].password), own, ARRAY_LEN(own));

        if (code != rows[i].code)
            fail_msg("%s: %s", rows[i].password, code_name(code));
    }
}

static void too_long(void **state)
{
    char password[600];

    (void)state;
    for (size_t i = 0; i < sizeof(password); i++)
        password[i] = (char)('a' + (i * 7 + i / 11) % 26);
    assert_int_equal(password_rules((struct str){password, 600}, NULL, 0), CODE_PASSWORD_TOO_LONG);
    assert_int_equal(password_rules((struct str){password, 200}, NULL, 0), CODE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
