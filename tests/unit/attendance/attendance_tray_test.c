/* Cells written over a row, and numbers close by that have its name. */
#include "attendance/attendance_fix.h"
#include "attendance/attendance_suggest.h"
#include "attendance_cases.h"
#include "lib/test.h"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* ---- writing over ---- */

static void named_cells_take_the_place_of_the_file(void **state)
{
    struct attendance_row row = {.row_no = 3};
    struct attendance_fix fix = {0};

    (void)state;
    row.cells[COLUMN_REGISTER_NO] = STR("12");
    row.cells[COLUMN_NAME_KANA] = STR("カナ");
    assert_true(attendance_fix_is_empty(&fix));
    attendance_fix_apply(&fix, &row);
    assert_true(str_eq_c(row.cells[COLUMN_REGISTER_NO], "12"));
    assert_true(attendance_fix_set(&fix, STR("register_no"), STR("　34 ")));
    assert_true(attendance_fix_set(&fix, STR("name_kana"), STR(" ")));
    assert_false(attendance_fix_set(&fix, STR("registerno"), STR("1")));
    attendance_fix_apply(&fix, &row);
    assert_true(str_eq_c(row.cells[COLUMN_REGISTER_NO], "34"));
    assert_int_equal(row.cells[COLUMN_NAME_KANA].len, 0);
    assert_non_null(row.cells[COLUMN_NAME_KANA].data); /* the column is there, and empty */
    assert_null(row.cells[COLUMN_KIND].data);
}

static void a_row_that_could_not_be_read_is_written_anew(void **state)
{
    struct attendance_row row = {.field_count = true};
    struct attendance_fix fix = {0};

    (void)state;
    row.cells[COLUMN_REGISTER_NO] = STR("in the wrong place");
    attendance_fix_apply(&fix, &row);
    assert_true(row.field_count); /* nothing was written */
    assert_true(attendance_fix_set(&fix, STR("kind"), STR("OPL-S")));
    attendance_fix_apply(&fix, &row);
    assert_false(row.field_count);
    assert_int_equal(row.cells[COLUMN_REGISTER_NO].len, 0);
    assert_true(str_eq_c(row.cells[COLUMN_KIND], "OPL-S"));
}

/* ---- suggestions ---- */

static struct attendance_doctor somebody(int64_t doctor_id, int64_t register_no, const char *kana)
{
    return (struct attendance_doctor){.doctor_id = doctor_id,
                                      .register_no = register_no,
                                      .kana = str_of(kana),
                                      .my_page = MY_PAGE_ACTIVE};
}

/* What row 1 of the file is told; 0: nothing. */
static int64_t told(const char *rows, const struct attendance_doctor *doctors, size_t count)
{
    const struct attendance_chunk chunk = {.first_row = 1, .first_line = 2};
    struct attendance_session session;
    const struct attendance_seminar seminar = {STR("S"), &session, 1};
    struct attendance_header header;
    struct attendance_rows read;
    struct attendance_numbers numbers;
    struct attendance_verdicts verdicts;
    int64_t *near;
    struct attendance_case judged = {
        .header = &header, .rows = &read, .numbers = &numbers, .seminar = &seminar};

    set_session(&session, "1", "2025-10-10T13:00:00+09:00", "2025-10-10T15:00:00+09:00", "OPL-S:2");
    attendance_header_read(arena, STR("register_no,name_kana"), ENCODING_UTF8, ',', &header);
    attendance_rows_read(arena, &header, &chunk, str_of(rows), &read);
    attendance_numbers_read(arena, &read, &numbers);
    judged.places = attendance_places(arena, &read, &seminar);
    attendance_judge(arena, &judged, &verdicts);
    if (attendance_suggest_numbers(arena, &judged, &verdicts, &near) == 0)
        return 0;
    attendance_suggest(arena, &judged, doctors, count, &verdicts);
    return verdicts.list[0].suggestion;
}

static void one_digit_and_the_same_name(void **state)
{
    struct attendance_doctor doctors[] = {somebody(1, 123456, "サトウケンイチ"),
                                          somebody(2, 123457, "スズキイチロウ")};

    (void)state;
    assert_int_equal(told("123455,ｻﾄｳ ｹﾝｲﾁ\n", doctors, 2), 123456);
    assert_int_equal(told("923456,さとう　けんいち\n", doctors, 2), 123456);
    assert_int_equal(told("123455,サトウケンジ\n", doctors, 2), 0);
    assert_int_equal(told("123455,\n", doctors, 2), 0);
    assert_int_equal(told("123465,サトウケンイチ\n", doctors, 2), 0); /* two digits */
    assert_int_equal(told("12345,サトウケンイチ\n", doctors, 2), 0);  /* one is missing */
    assert_int_equal(told("1x3456,サトウケンイチ\n", doctors, 2), 0);
    doctors[0].former_kana = STR("タナカケンイチ");
    assert_int_equal(told("123455,タナカ　ケンイチ\n", doctors, 2), 123456);
    doctors[0].my_page = MY_PAGE_CLOSED;
    assert_int_equal(told("123455,サトウケンイチ\n", doctors, 2), 0);
}

/* Nobody is picked out of two (R-TXT-06). */
static void two_of_the_name_are_not_told(void **state)
{
    const struct attendance_doctor doctors[] = {somebody(1, 123456, "サトウケンイチ"),
                                                somebody(2, 123457, "サトウケンイチ")};

    (void)state;
    assert_int_equal(told("123455,サトウケンイチ\n", doctors, 2), 0);
    assert_int_equal(told("123455,サトウケンイチ\n", doctors, 1), 123456);
}

static void only_so_many_rows_are_looked_up(void **state)
{
    struct buf rows = {0};
    const struct attendance_chunk chunk = {.first_row = 1, .first_line = 2};
    struct attendance_session session;
    const struct attendance_seminar seminar = {STR("S"), &session, 1};
    struct attendance_header header;
    struct attendance_rows read;
    struct attendance_numbers numbers;
    struct attendance_verdicts verdicts;
    int64_t *near;
    struct attendance_case judged = {
        .header = &header, .rows = &read, .numbers = &numbers, .seminar = &seminar};

    (void)state;
    set_session(&session, "1", "2025-10-10T13:00:00+09:00", "2025-10-10T15:00:00+09:00", "OPL-S:2");
    for (int i = 0; i < SUGGEST_ROWS_MAX + 200; i++)
        buf_printf(&rows, "%d,サトウ\n", 1000000 + i * 1117);
    attendance_header_read(arena, STR("register_no,name_kana"), ENCODING_UTF8, ',', &header);
    attendance_rows_read(arena, &header, &chunk, buf_str(&rows), &read);
    attendance_numbers_read(arena, &read, &numbers);
    judged.places = attendance_places(arena, &read, &seminar);
    attendance_judge(arena, &judged, &verdicts);
    assert_int_equal(verdicts.outcomes[OUTCOME_UNMATCHED], SUGGEST_ROWS_MAX + 200);
    assert_in_range(attendance_suggest_numbers(arena, &judged, &verdicts, &near),
                    SUGGEST_ROWS_MAX * 30, SUGGEST_NUMBERS_MAX);
    buf_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(named_cells_take_the_place_of_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_that_could_not_be_read_is_written_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_digit_and_the_same_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_of_the_name_are_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_so_many_rows_are_looked_up, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
