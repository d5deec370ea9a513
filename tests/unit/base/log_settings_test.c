/* settings: order of sources, limits, unknown keys. log: a line is valid JSON whatever it carries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/settings.h"
#include "lib/test.h"

struct values {
    uint32_t test_count;
    const char *test_name, *test_word;
    bool test_flag;
};

static const struct setting table[] = {
    {"test_count", SETTING_U32, offsetof(struct values, test_count), "5", 1, 10, "n", 0, "Count"},
    {"test_name", SETTING_TEXT, offsetof(struct values, test_name), "", 1, 8, "text",
     SETTING_REQUIRED, "Name"},
    {"test_word", SETTING_TEXT, offsetof(struct values, test_word), "well", 1, 8, "text", 0,
     "Word"},
    {"test_flag", SETTING_BOOL, offsetof(struct values, test_flag), "false", 0, 0, "-", 0, "Flag"},
};

static enum err load(const char *content, struct values *out, struct err_note *note)
{
    const struct settings_table tables[] = {{table, ARRAY_LEN(table), out}};
    char path[] = "/tmp/mamis-settings-XXXXXX";
    int fd = mkstemp(path);
    enum err err;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    err = settings_load(tables, 1, path, note);
    unlink(path);
    return err;
}

/* A process keeps its texts to the end; a test gives them back. */
static void unload(struct values *values)
{
    free((char *)(uintptr_t)values->test_name);
    free((char *)(uintptr_t)values->test_word);
}

static void file_overrides_default_and_environment_overrides_file(void **state)
{
    struct values values;
    struct err_note note;

    (void)state;
    assert_int_equal(load("# c\n\ntest_name = ab\ntest_flag=yes\n", &values, &note), ERR_OK);
    assert_int_equal(values.test_count, 5);
    assert_string_equal(values.test_name, "ab");
    assert_true(values.test_flag);
    unload(&values);
    setenv("MAMIS_TEST_COUNT", "7", 1);
    assert_int_equal(load("test_name = ab\ntest_count = 6\n", &values, &note), ERR_OK);
    unsetenv("MAMIS_TEST_COUNT");
    assert_int_equal(values.test_count, 7);
    unload(&values);
}

static void bad_settings_name_their_place(void **state)
{
    static const struct {
        const char *content;
        const char *says;
    } cases[] = {
        {"test_name = a\ntest_count = 11\n", "line 2"},
        {"test_name = a\nother = 1\n", "other"},
        {"test_name = 123456789\n", "test_name"},
        {"test_name = a\ntest_word =\n", "test_word wants 1 to 8"},
        {"test_name a\n", "name = value"},
        {"test_name = a\ntest_flag = maybe\n", "true or false"},
        {"test_count = 2\n", "missing"},
        {"test_name = a\ntest_count = 1x\n", "whole number"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct values values;
        struct err_note note = {.text = ""};

        assert_int_equal(load(cases[i].content, &values, &note), ERR_SETTINGS);
        assert_non_null(strstr(note.text, cases[i].says));
        unload(&values);
    }
}

static void a_log_line_escapes_what_it_carries(void **state)
{
    int ends[2];
    int before = dup(STDERR_FILENO);
    char line[8192];
    ssize_t got;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_init("test", LOG_LEVEL_INFO);
    log_set_trace("abc");
    LOG_DEBUG("hidden");
    LOG_INFO("shown", F_STR("text", "a\"b\\c\nd\x01"), F_I64("n", -5), F_BOOL("yes", true));
    log_set_trace(NULL);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    got = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    assert_true(got > 0);
    line[got] = '\0';
    assert_null(strstr(line, "hidden"));
    assert_non_null(
        strstr(line, "\"text\":\"a\\\"b\\\\c\\u000ad\\u0001\",\"n\":-5,\"yes\":true}\n"));
    assert_non_null(strstr(line, "\"trace\":\"abc\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_overrides_default_and_environment_overrides_file),
        cmocka_unit_test(bad_settings_name_their_place),
        cmocka_unit_test(a_log_line_escapes_what_it_carries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
