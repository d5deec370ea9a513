/* Names of files as they are shown: never a path, never a control character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/gateway_multipart.h"

static const struct {
    const char *disposition;
    const char *name;
} rows[] = {
    {"attachment; filename=a.csv", "a.csv"},
    {"attachment; filename=\"a b.csv\"", "a b.csv"},
    {"attachment; filename*=UTF-8''%E5%87%BA%E5%B8%AD.csv", "出席.csv"},
    {"attachment; filename=\"x.csv\"; filename*=utf-8'ja'%E5%87%BA.csv", "出.csv"},
    {"form-data; name=\"file\"; filename=\"出席.csv\"", "出席.csv"},
    {"attachment; filename=\"a\\\"b.csv\"", "a\"b.csv"},
    {"attachment; filename=\"../../etc/passwd\"", "passwd"},
    {"attachment; filename=\"C:\\Users\\x\\名簿.csv\"", "名簿.csv"},
    {"attachment; filename*=UTF-8''a%00.png", "a.png"},
    {"attachment; filename*=UTF-8''a%0d%0aSet-Cookie.csv", "aSet-Cookie.csv"},
    {"attachment; filename*=UTF-8''%E2%80%AEvsc.exe", "vsc.exe"},
    {"attachment; filename*=UTF-8''%ff.csv", "\xef\xbf\xbd.csv"},
    {"attachment; filename*=EUC-JP''x; filename=y.csv", "y.csv"},
    {"attachment; filename=one.csv; filename=two.csv", "one.csv"},
    {"attachment; filename=\"..\"", "none"},
    {"attachment; filename=\"\"", "none"},
    {"attachment; filename*=UTF-8''", "none"},
    {"attachment", "none"},
    {"attachment; filename=\"open", "open"},
    {"", "none"},
};

static void names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new();
        struct str name = disposition_file_name(arena, str_of(rows[i].disposition), "none");

        if (!str_eq_c(name, rows[i].name))
            fail_msg("%s: %.*s", rows[i].disposition, STR_ARG(name));
        arena_free(arena);
    }
}

static void long_names_are_cut(void **state)
{
    struct arena *arena = arena_new();
    struct buf header = {0};

    (void)state;
    buf_add_c(&header, "attachment; filename=\"");
    for (int i = 0; i < 4000; i++)
        buf_add_c(&header, "長");
    buf_add_c(&header, "\"");
    assert_int_equal(disposition_file_name(arena, buf_str(&header), "none").len, 600);
    assert_string_equal(disposition_file_name(arena, STR_NONE, "none").data, "none");
    buf_free(&header);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(long_names_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
