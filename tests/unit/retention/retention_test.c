/* retention: the file that ships is good; each thing that is wrong is named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/test.h"
#include "retention/retention.h"

#define SHIPPED TEST_SOURCE_DIR "/deploy/rules/retention.json"
#define RULE(more) "{\"rules\": [{\"table\": \"a.b\", \"what\": \"w\", \"why\": \"y\", " more "}]}"

static enum err load_text(const char *text, struct retention **ret_rules, struct err_note *note)
{
    char path[] = "/tmp/mamis-retention-XXXXXX";
    int file = mkstemp(path);
    size_t len = strlen(text);
    enum err err;

    assert_true(file >= 0);
    assert_int_equal(write(file, text, len), (ssize_t)len);
    (void)close(file);
    err = retention_load(path, ret_rules, note);
    (void)unlink(path);
    return err;
}

static void the_file_that_ships(void **state)
{
    struct retention *rules;
    struct err_note note;
    uint32_t days;

    (void)state;
    assert_int_equal(retention_load(SHIPPED, &rules, &note), ERR_OK);
    assert_true(retention_count(rules) > 10);
    for (size_t i = 0; i < retention_count(rules); i++) {
        const struct retention_rule *rule = retention_at(rules, i);

        assert_int_equal(rule->since == NULL, rule->days == RETENTION_FOR_EVER);
        assert_int_equal(rule->by == NULL, rule->days == RETENTION_FOR_EVER);
        assert_true(strlen(rule->what) > 5 && strlen(rule->why) > 5);
    }
    assert_int_equal(retention_days(rules, "gateway.command", &days, &note), ERR_OK);
    assert_int_equal(days, 35);
    assert_int_equal(retention_days(rules, "credit.*", &days, &note), ERR_SETTINGS);
    assert_int_equal(retention_days(rules, "gateway.nothing", &days, &note), ERR_SETTINGS);
    retention_free(rules);
}

static void good_rules(void **state)
{
    struct retention *rules;
    struct err_note note;
    uint32_t days;

    (void)state;
    assert_int_equal(load_text(RULE("\"days\": null"), &rules, &note), ERR_OK);
    assert_int_equal(retention_at(rules, 0)->days, RETENTION_FOR_EVER);
    retention_free(rules);
    assert_int_equal(load_text(RULE("\"since\": \"c\", \"days\": 7, \"clock\": \"server\","
                                    " \"by\": \"x\""),
                               &rules, &note),
                     ERR_OK);
    assert_true(retention_at(rules, 0)->server_clock);
    assert_int_equal(retention_days(rules, "a.b", &days, &note), ERR_OK);
    assert_int_equal(days, 7);
    retention_free(rules);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{", ""},
        {"{}", "rules"},
        {"{\"rules\": [{}]}", "table"},
        {"{\"rules\": [{\"table\": \"a.b; DROP\", \"what\": \"w\", \"why\": \"y\"}]}", "table"},
        {"{\"rules\": [{\"table\": \"nodot\", \"what\": \"w\", \"why\": \"y\"}]}", "table"},
        {"{\"rules\": [{\"table\": \"a.b\", \"why\": \"y\"}]}", "a.b"},
        {RULE("\"days\": 0"), "a.b: days"},
        {RULE("\"days\": \"7\""), "a.b: days"},
        {RULE("\"days\": 36501"), "a.b: days"},
        {RULE("\"days\": null, \"by\": \"x\""), "a.b: days"},
        {RULE("\"days\": 7"), "a.b: since"},
        {RULE("\"days\": 7, \"since\": \"c d\", \"by\": \"x\""), "a.b: since"},
        {RULE("\"days\": 7, \"since\": \"c\", \"by\": \"x\""), "a.b: clock"},
        {"{\"rules\": [{\"table\": \"a.b\", \"days\": null, \"what\": \"w\", \"why\": \"y\"},"
         " {\"table\": \"a.b\", \"days\": null, \"what\": \"w\", \"why\": \"y\"}]}",
         "a.b stands twice"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retention *rules = NULL;
        struct err_note note = {0};

        assert_int_equal(load_text(cases[i].text, &rules, &note), ERR_SETTINGS);
        assert_null(rules);
        assert_non_null(strstr(note.text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_that_ships),
        cmocka_unit_test(good_rules),
        cmocka_unit_test(what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
