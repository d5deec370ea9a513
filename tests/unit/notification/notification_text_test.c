/* notification_text: templates are complete and nothing put into them can break out. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "notification/notification.h"

#define TEMPLATES TEST_SOURCE_DIR "/services/notification/mail"

static struct notification_text *text;

static const char *const kinds[] = {"M01", "M01-staff", "M02",        "M04", "M22",
                                    "M23", "M28",       "M33",        "M34", "M28-office",
                                    "M42", "M43",       "M34-office", "M50", "M51",
                                    "M52", "M53",       "M53-office", "M54", "M54-number"};

static int load(void **state)
{
    struct err_note note;

    (void)state;
    assert_int_equal(notification_text_load(TEMPLATES, &text, &note), ERR_OK);
    return 0;
}

static int release(void **state)
{
    (void)state;
    notification_text_free(text);
    return 0;
}

static void render(struct arena *arena, const char *kind, json_t *data, const char **ret_subject,
                   const char **ret_body)
{
    assert_int_equal(notification_text_render(text, arena, kind, data, ret_subject, ret_body),
                     ERR_OK);
}

static void every_template_renders_without_data(void **state)
{
    struct arena *arena = arena_new();
    json_t *none = json_object();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const char *subject;
        const char *body;

        render(arena, kinds[i], none, &subject, &body);
        assert_true(strlen(subject) > 0 && strlen(body) > 0);
        assert_null(strpbrk(subject, "{}\r\n"));
        assert_null(strpbrk(body, "{}\r"));
        assert_non_null(strstr(body, "このメールは送信専用です"));
    }
    json_decref(none);
    arena_free(arena);
}

static void line_breaks_in_values_stay_out_of_the_subject(void **state)
{
    struct arena *arena = arena_new();
    json_t *data = json_pack("{s:s}", "seminar_title", "産業医\r\nBcc: x@example.jp\n研修\t会\x7f");
    const char *subject;
    const char *body;

    (void)state;
    render(arena, "M23", data, &subject, &body);
    assert_string_equal(subject, "単位が登録されました（産業医 Bcc: x@example.jp 研修 会 ）");
    assert_null(strpbrk(body, "\r\t\x7f"));
    assert_non_null(strstr(body, "研修会: 産業医\nBcc: x@example.jp\n研修 会 （"));
    json_decref(data);
    arena_free(arena);
}

/* Braces in a title, or half a placeholder, are text like any other. */
static void values_are_not_interpreted(void **state)
{
    struct arena *arena = arena_new();
    json_t *data = json_pack("{s:s,s:s}", "seminar_title", "{name} {", "name", "secret");
    const char *subject;
    const char *body;

    (void)state;
    render(arena, "M23", data, &subject, &body);
    assert_string_equal(subject, "単位が登録されました（{name} {）");
    json_decref(data);
    arena_free(arena);
}

static void names_become_one_line(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(notification_text_line(arena, "濱田\r\n正樹\n"), "濱田 正樹 ");
    assert_string_equal(notification_text_line(arena, ""), "");
    arena_free(arena);
}

static void an_unknown_kind_is_told(void **state)
{
    struct arena *arena = arena_new();
    const char *subject;
    const char *body;

    (void)state;
    assert_int_equal(notification_text_render(text, arena, "M99", NULL, &subject, &body),
                     ERR_INTERNAL);
    arena_free(arena);
}

static void a_missing_template_is_named(void **state)
{
    struct notification_text *none;
    struct err_note note;

    (void)state;
    assert_int_equal(notification_text_load("/tmp/nowhere", &none, &note), ERR_SETTINGS);
    assert_non_null(strstr(note.text, "/tmp/nowhere/M01.txt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_template_renders_without_data),
        cmocka_unit_test(line_breaks_in_values_stay_out_of_the_subject),
        cmocka_unit_test(values_are_not_interpreted),
        cmocka_unit_test(names_become_one_line),
        cmocka_unit_test(an_unknown_kind_is_told),
        cmocka_unit_test(a_missing_template_is_named),
    };

    return cmocka_run_group_tests(tests, load, release);
}
