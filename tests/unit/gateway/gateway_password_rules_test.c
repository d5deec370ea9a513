/* Which passwords people may choose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        enum code code = password_rules(str_of(rows[i].password), STR_NONE, own, ARRAY_LEN(own));

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
    assert_int_equal(password_rules((struct str){password, 600}, STR_NONE, NULL, 0),
                     CODE_PASSWORD_TOO_LONG);
    assert_int_equal(password_rules((struct str){password, 200}, STR_NONE, NULL, 0), CODE_NONE);
}

/* ---- passwords that leaked ---- */

/* `count` lines in order, every third one with a tail of its own: lengths differ. */
static void some_list(struct buf *out, int count)
{
    buf_clear(out);
    for (int i = 0; i < count; i++)
        buf_printf(out, "leaked-%06d%s\n", i * 2, i % 3 == 0 ? " とても長い" : "");
}

static void listed_ones_are_found(void **state)
{
    struct err_note note = {0};
    struct buf list = {0};
    char password[64];

    (void)state;
    for (int count = 0; count < 20; count++) { /* also where the halves are odd */
        some_list(&list, count);
        for (int i = -1; i <= count * 2; i++) {
            bool there = i >= 0 && i < count * 2 && i % 2 == 0;

            (void)snprintf(password, sizeof(password), "leaked-%06d%s", i,
                           i >= 0 && i / 2 % 3 == 0 ? " とても長い" : "");
            assert_int_equal(password_listed(buf_str(&list), str_of(password)), there);
        }
    }
    some_list(&list, PASSWORD_LIST_MIN);
    assert_int_equal(password_list_check(buf_str(&list), &note), ERR_OK);
    assert_int_equal(password_rules(STR("Leaked-005998"), buf_str(&list), NULL, 0),
                     CODE_PASSWORD_COMMON);
    assert_int_equal(password_rules(STR("leaked-005998 x"), buf_str(&list), NULL, 0), CODE_NONE);
    assert_int_equal(password_rules(STR("leaked-005999"), buf_str(&list), NULL, 0), CODE_NONE);
    buf_free(&list);
}

static void a_bad_list_names_its_line(void **state)
{
    static const struct {
        const char *line; /* the third one */
        const char *said;
    } cases[] = {
        {"leaked-000003\n", "line 3: not behind"},
        {"leaked-000002\n", "line 3: not behind"},
        {"leaked-12345\n", "line 3: shorter"},
        {"\n", "line 3: shorter"},
        {"leaked-Capital\n", "line 3: a capital"},
        {"leaked-000004\r\n", "line 3: a control"},
        {"leaked-000004\xFF\n", "line 3: not UTF-8"},
        {"leaked-000004\n", "3 passwords, at least 3000"},
        {"leaked-000004", "no end"},
    };
    struct err_note note = {0};
    struct buf list = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&list);
        buf_printf(&list, "leaked-000000\nleaked-000003\n%s", cases[i].line);
        assert_int_equal(password_list_check(buf_str(&list), &note), ERR_SETTINGS);
        if (strstr(note.text, cases[i].said) == NULL)
            fail_msg("%s: %s", cases[i].line, note.text);
    }
    assert_int_equal(password_list_check(STR_NONE, &note), ERR_SETTINGS);
    buf_clear(&list);
    buf_add_c(&list, "leaked-000000\n");
    for (int i = 0; i <= PASSWORD_BYTES_MAX; i++)
        buf_add_char(&list, 'm');
    buf_add_char(&list, '\n');
    assert_int_equal(password_list_check(buf_str(&list), &note), ERR_SETTINGS);
    assert_non_null(strstr(note.text, "line 2: too long"));
    buf_free(&list);
}

static void a_list_is_read_whole_or_refused(void **state)
{
    char path[] = "/tmp/mamis-passwords-XXXXXX";
    struct err_note note = {0};
    struct buf list = {0}, read = {0};
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    some_list(&list, 2 * PASSWORD_LIST_MIN);
    assert_int_equal(write(fd, list.data, list.len), list.len);
    assert_int_equal(password_list_load(path, &read, &note), ERR_OK);
    assert_true(str_eq(buf_str(&read), buf_str(&list)));
    buf_free(&read);
    assert_int_equal(ftruncate(fd, (off_t)list.len - 1), 0);
    assert_int_equal(password_list_load(path, &read, &note), ERR_SETTINGS);
    assert_non_null(strstr(note.text, "cut off"));
    assert_int_equal(ftruncate(fd, (off_t)PASSWORD_LIST_BYTES_MAX + 1), 0);
    assert_int_equal(password_list_load(path, &read, &note), ERR_SETTINGS);
    assert_non_null(strstr(note.text, "larger than"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(password_list_load(path, &read, &note), ERR_SETTINGS);
    assert_non_null(strstr(note.text, path));
    assert_non_null(strstr(note.text, "scripts/passwords.py"));
    assert_int_equal(password_list_load("/tmp", &read, &note), ERR_SETTINGS);
    assert_int_equal(close(fd), 0);
    buf_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(too_long),
        cmocka_unit_test(listed_ones_are_found),
        cmocka_unit_test(a_bad_list_names_its_line),
        cmocka_unit_test(a_list_is_read_whole_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
