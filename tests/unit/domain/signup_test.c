/* What somebody without a postcard enters (R-ACC-14). */
#include "domain/signup.h"
#include "lib/test.h"

static void every_field_is_checked(void **state)
{
    static const struct {
        const char *name, *kana, *register_no, *birth_on, *licensed_on;
        enum code code;
        const char *pointer;
    } cases[] = {
        {"見本　花子", "ミホン　ハナコ", "460190", "1980-05-01", "2006-04-20", CODE_NONE, NULL},
        {"O'Neill Anne", "オニール・アン", "０１２３", "1980-05-01", "2026-11-30", CODE_NONE, NULL},
        {"　 ", "ミホン", "460190", "1980-05-01", "2006-04-20", CODE_FIELD_TOO_SHORT, "/name"},
        {"見本", "　", "460190", "1980-05-01", "2006-04-20", CODE_FIELD_TOO_SHORT, "/name_kana"},
        {"見本", "みほん", "460190", "1980-05-01", "2006-04-20", CODE_NAME_KANA_FORMAT,
         "/name_kana"},
        {"見本", "ミホン", "1.23E+05", "1980-05-01", "2006-04-20", CODE_REGISTER_NO_FORMAT,
         "/register_no"},
        {"見本", "ミホン", "0", "1980-05-01", "2006-04-20", CODE_REGISTER_NO_FORMAT,
         "/register_no"},
        {"見本", "ミホン", "460190", "2026-12-01", "2026-11-30", CODE_DATE_NOT_REAL, "/birth_on"},
        {"見本", "ミホン", "460190", "1980-02-30", "2006-04-20", CODE_DATE_NOT_REAL, "/birth_on"},
        {"見本", "ミホン", "460190", "1980-05-01", "2026-12-01", CODE_DATE_NOT_REAL,
         "/licensed_on"},
        {"見本", "ミホン", "460190", "1980-05-01", "1998-04-30", CODE_DATE_NOT_REAL,
         "/licensed_on"},
        {"見本", "ミホン", "460190", "1980-05-01", "1998-05-01", CODE_NONE, NULL},
    };
    day_t today = day_parse(STR("2026-11-30"));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct signup entered = {.name = str_of(cases[i].name),
                                       .name_kana = str_of(cases[i].kana),
                                       .register_no = str_of(cases[i].register_no),
                                       .birth_on = day_parse(str_of(cases[i].birth_on)),
                                       .licensed_on = day_parse(str_of(cases[i].licensed_on))};
        const char *pointer = NULL;

        assert_int_equal(signup_check(&entered, today, &pointer), cases[i].code);
        if (cases[i].pointer != NULL)
            assert_string_equal(pointer, cases[i].pointer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
