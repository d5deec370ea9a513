/* Rows of a chunk: cells, the two problems of shape, and the original columns again. */
#include "attendance/attendance_rows.h"

#include "attendance/attendance_match.h"
#include "attendance/attendance_result.h"
#include "lib/test.h"

struct fixture {
    struct arena *arena;
    struct attendance_header header;
    struct attendance_rows rows;
};

static void read(struct fixture *fixture, struct str head, struct str bytes, enum encoding encoding)
{
    const struct attendance_chunk chunk = {.first_row = 11, .first_line = 21};

    fixture->arena = arena_new();
    attendance_header_read(fixture->arena, head, encoding, ',', &fixture->header);
    attendance_rows_read(fixture->arena, &fixture->header, &chunk, bytes, &fixture->rows);
}

static void cell_is(const struct fixture *fixture, size_t row, enum column column, const char *want)
{
    const struct str cell = fixture->rows.list[row].cells[column];

    if (!str_eq_c(cell, want))
        fail_msg("row %zu, %s: \"%.*s\" want \"%s\"", row, column_english(column), STR_ARG(cell),
                 want);
}

static void numbering_skips_blank_rows(void **state)
{
    struct fixture fixture;

    (void)state;
    read(&fixture, STR("register_no,name"), STR("1,\"a\r\nb\"\r\n\r\n,\xE3\x80\x80\r\n2,b\r,\n3,c"),
         ENCODING_UTF8);
    assert_int_equal(fixture.rows.count, 3);
    assert_int_equal(fixture.rows.list[0].row_no, 11);
    assert_int_equal(fixture.rows.list[0].line_no, 21);
    assert_int_equal(fixture.rows.list[1].row_no, 12);
    assert_int_equal(fixture.rows.list[1].line_no, 25);
    assert_int_equal(fixture.rows.list[2].row_no, 13);
    assert_int_equal(fixture.rows.list[2].line_no, 27);
    cell_is(&fixture, 0, COLUMN_NAME, "a\r\nb");
    assert_true(str_eq_c(fixture.rows.list[1].raw, "2,b"));
    arena_free(fixture.arena);
}

static void cells_are_trimmed_and_unescaped(void **state)
{
    struct fixture fixture;

    (void)state;
    read(&fixture, STR("register_no,name,kind"),
         STR(" 1 ,\"\xC2\xA0 x \",\"a\"\"b\"\n'430370,'=1+1,'-\n''=x,'@y,' z\n'+81,'\ta,'\n"),
         ENCODING_UTF8);
    cell_is(&fixture, 0, COLUMN_REGISTER_NO, "1");
    cell_is(&fixture, 0, COLUMN_NAME, "x");
    cell_is(&fixture, 0, COLUMN_KIND, "a\"b");
    cell_is(&fixture, 1, COLUMN_REGISTER_NO, "'430370");
    cell_is(&fixture, 1, COLUMN_NAME, "=1+1");
    cell_is(&fixture, 1, COLUMN_KIND, "-");
    cell_is(&fixture, 2, COLUMN_REGISTER_NO, "''=x");
    cell_is(&fixture, 2, COLUMN_NAME, "@y");
    cell_is(&fixture, 2, COLUMN_KIND, "' z");
    cell_is(&fixture, 3, COLUMN_REGISTER_NO, "+81");
    cell_is(&fixture, 3, COLUMN_NAME, "a");
    cell_is(&fixture, 3, COLUMN_KIND, "'");
    assert_null(fixture.rows.list[0].cells[COLUMN_MAMIS_NO].data);
    assert_non_null(fixture.rows.list[3].cells[COLUMN_KIND].data);
    arena_free(fixture.arena);
}

static void number_of_fields(void **state)
{
    static const struct {
        struct str row;
        uint32_t fields;
        bool problem;
    } cases[] = {
        {STR("1,2,3"), 3, false},
        {STR("1,2,"), 3, false},
        {STR("1,2"), 2, true},
        {STR("1"), 1, true},
        {STR("1,2,3,"), 3, false},
        {STR("1,2,3,, \t,\"\",\" \",\xE3\x80\x80,\xC2\xA0"), 3, false},
        {STR("1,2,3,4"), 4, true},
        {STR("1,2,3,,,x,,"), 6, true},
        {STR("1,2,3,\"\"\"\""), 4, true},
        {STR("\"1,2,3\""), 1, true},
    };
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        read(&fixture, STR("register_no,name,x"), cases[i].row, ENCODING_UTF8);
        assert_int_equal(fixture.rows.count, 1);
        assert_int_equal(fixture.rows.list[0].fields, cases[i].fields);
        assert_int_equal(fixture.rows.list[0].field_count, cases[i].problem);
        arena_free(fixture.arena);
    }
}

static void broken_bytes_are_the_rows_own(void **state)
{
    struct fixture fixture;

    (void)state;
    read(&fixture, STR("register_no,x"), STR("1,\xE6\xB0\x8F\n2,\x8E\x81\n3,\xE6\xB0\n4,a\n"),
         ENCODING_UTF8);
    assert_false(fixture.rows.list[0].bad_encoding);
    assert_true(fixture.rows.list[1].bad_encoding);
    assert_true(fixture.rows.list[2].bad_encoding);
    assert_false(fixture.rows.list[3].bad_encoding);
    arena_free(fixture.arena);
    read(&fixture, STR("register_no,name"), STR("1,\x8E\x81\n2,\xA0\n3,\x81\n\x80,4\n5,\xB1\n"),
         ENCODING_CP932);
    assert_false(fixture.rows.list[0].bad_encoding);
    assert_true(fixture.rows.list[1].bad_encoding);
    assert_true(fixture.rows.list[2].bad_encoding);
    assert_true(fixture.rows.list[3].bad_encoding);
    assert_false(fixture.rows.list[4].bad_encoding);
    cell_is(&fixture, 0, COLUMN_NAME, "氏");
    cell_is(&fixture, 4, COLUMN_NAME, "ｱ");
    arena_free(fixture.arena);
}

static void numbers_to_look_up(void **state)
{
    struct attendance_numbers numbers;
    struct fixture fixture;

    (void)state;
    read(&fixture, STR("register_no,mamis_no"),
         STR("12,\n012,\n34,6423876638\n56,1\nx,6423876638\n,7197282790\n,6423876638\n78\n"),
         ENCODING_UTF8);
    attendance_numbers_read(fixture.arena, &fixture.rows, &numbers);
    assert_int_equal(numbers.register_count, 2);
    assert_int_equal(numbers.register_nos[0], 12);
    assert_int_equal(numbers.register_nos[1], 34);
    assert_int_equal(numbers.mamis_count, 2);
    assert_int_equal(numbers.mamis_nos[0], INT64_C(6423876638));
    assert_int_equal(numbers.mamis_nos[1], INT64_C(7197282790));
    assert_int_equal(numbers.register_no[0], 12);
    assert_int_equal(numbers.mamis_no[0], NUMBER_EMPTY);
    assert_int_equal(numbers.mamis_no[3], NUMBER_NONE);
    assert_int_equal(numbers.register_no[4], NUMBER_NONE);
    assert_int_equal(numbers.register_no[7], NUMBER_EMPTY); /* not so many fields */
    arena_free(fixture.arena);
}

static void result_lines(void **state)
{
    struct attendance_result line = {.columns = {STR("要修正"), STR("=x"), STR("a,b"), STR("")}};
    struct fixture fixture;
    struct buf out = {0};

    (void)state;
    read(&fixture, STR("register_no,\" x\""),
         STR("1,\x8E\x81\n'=1+1,\"a\"\"b\nc\"\n2\n3,+,extra\n-,\xA0\n'430370,\"x,y\"\n"),
         ENCODING_CP932);
    attendance_result_head(&out, fixture.arena, &fixture.header, 0);
    for (size_t i = 0; i < fixture.rows.count; i++) {
        line.row = &fixture.rows.list[i];
        attendance_result_line(&out, fixture.arena, &fixture.header, 0, &line);
    }
    assert_true(str_eq_c(buf_str(&out), "\xEF\xBB\xBFregister_no, x,結果,理由,説明,直し方\r\n"
                                        "1,氏,要修正,'=x,\"a,b\",\r\n"
                                        "'=1+1,\"a\"\"b\nc\",要修正,'=x,\"a,b\",\r\n"
                                        "2,,要修正,'=x,\"a,b\",\r\n"
                                        "3,'+,要修正,'=x,\"a,b\",\r\n"
                                        "'-,\uFFFD,要修正,'=x,\"a,b\",\r\n"
                                        "'430370,\"x,y\",要修正,'=x,\"a,b\",\r\n"));
    buf_free(&out);
    arena_free(fixture.arena);
}

/* Mended cells stand in their columns; a row of wrong fields is wholly what was written. */
static void mended_result_lines(void **state)
{
    struct attendance_fix fix = {0};
    const struct attendance_result columns = {.fix = &fix,
                                              .columns = {STR("計上"), STR(""), STR(""), STR("")}};
    struct fixture fixture;
    struct buf out = {0};
    uint32_t more;

    (void)state;
    read(&fixture, STR("備考,回,register_no,kind"), STR("a,1,9999999,XX\nb,2\nc,3,4,OPL-S\n"),
         ENCODING_UTF8);
    assert_true(attendance_fix_set(&fix, STR("register_no"), STR("430370")));
    assert_true(attendance_fix_set(&fix, STR("kind"), STR("")));
    assert_true(attendance_fix_set(&fix, STR("units"), STR("2")));   /* no column for it */
    assert_true(attendance_fix_set(&fix, STR("attended"), STR(""))); /* nor a need of one */
    assert_true(attendance_fix_set(&fix, STR("session_no"), STR("=1")));
    more = attendance_result_more(&fixture.header, &fix);
    attendance_result_head(&out, fixture.arena, &fixture.header, more);
    for (size_t i = 0; i < fixture.rows.count; i++) {
        struct attendance_result line = columns;

        line.row = &fixture.rows.list[i];
        line.fix = i < 2 ? &fix : NULL;
        attendance_result_line(&out, fixture.arena, &fixture.header, more, &line);
    }
    assert_true(str_eq_c(buf_str(&out),
                         "\xEF\xBB\xBF備考,回,register_no,kind,単位数,結果,理由,説明,直し方\r\n"
                         "a,'=1,430370,,2,計上,,,\r\n"
                         ",'=1,430370,,2,計上,,,\r\n"
                         "c,3,4,OPL-S,,計上,,,\r\n"));
    buf_free(&out);
    arena_free(fixture.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbering_skips_blank_rows),
        cmocka_unit_test(cells_are_trimmed_and_unescaped),
        cmocka_unit_test(number_of_fields),
        cmocka_unit_test(broken_bytes_are_the_rows_own),
        cmocka_unit_test(numbers_to_look_up),
        cmocka_unit_test(result_lines),
        cmocka_unit_test(mended_result_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
