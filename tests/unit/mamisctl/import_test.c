/* Reading and checking files for import: what is wrong is found, in which line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mamisctl/import.h"

struct fixture {
    struct import_file file;
    struct err_note note;
};

static struct fixture *fixture_new(const struct import_kind *kind)
{
    struct fixture *fx = heap_zero(sizeof(*fx));

    fx->file.arena = arena_new();
    fx->file.columns = kind->columns;
    fx->file.column_count = kind->column_count;
    return fx;
}

static void fixture_free(struct fixture *fx)
{
    arena_free(fx->file.arena);
    free(fx);
}

static struct fixture *read_text(const struct import_kind *kind, const char *text)
{
    struct fixture *fx = fixture_new(kind);

    assert_int_equal(import_read(&fx->file, str_of(text), &fx->note), ERR_OK);
    kind->check(&fx->file);
    return fx;
}

/* How often a text stands in the problems noted. */
static size_t count_noted(const struct fixture *fx, const char *words)
{
    size_t found = 0;

    for (size_t i = 0; i < fx->file.problem_count; i++)
        found += strstr(fx->file.problems[i].words, words) != NULL;
    return found;
}

#define ORGANISERS_HEADER "organiser_code,name,kind,l1_code,l2_code\n"

static void good_lines_have_no_problems(void **state)
{
    struct fixture *fx = read_text(&import_kind_organisers,
                                   "\xEF\xBB\xBF" ORGANISERS_HEADER "P13, 東京都 ,l2,,13\r\n"
                                   "\r\n,,,,\r\n\"X1\",\"a, b\",other,,\r\n");

    (void)state;
    assert_int_equal(fx->file.row_count, 2);
    assert_int_equal(fx->file.problem_count, 0);
    assert_true(str_eq_c(IMPORT_FIELD(&fx->file.rows[0], 1), "東京都"));
    assert_int_equal(fx->file.rows[1].line, 5);
    assert_true(str_eq_c(IMPORT_FIELD(&fx->file.rows[1], 1), "a, b"));
    fixture_free(fx);
}

static void columns_may_stand_in_any_order(void **state)
{
    struct fixture *fx = read_text(&import_kind_organisers,
                                   "l2_code,kind,name,l1_code,organiser_code\n13,l2,x,,P13\n");

    (void)state;
    assert_int_equal(fx->file.problem_count, 0);
    assert_true(str_eq_c(IMPORT_FIELD(&fx->file.rows[0], 0), "P13"));
    fixture_free(fx);
}

static void a_file_that_cannot_be_read_is_refused_whole(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "empty"},
        {"\n , \n", "empty"},
        {"organiser_code,name,kind,l1_code\n", "lacks the column l2_code"},
        {"organiser_code,name,kind,l1_code,l2_code,nmae\n", "unknown column \"nmae\""},
        {"organiser_code,name,name,kind,l1_code,l2_code\n", "name twice"},
        {ORGANISERS_HEADER "P1,\"x,l2,,01\nP2,y,l2,,02\n", "line 2: a quote opens"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *fx = fixture_new(&import_kind_organisers);

        assert_int_equal(import_read(&fx->file, str_of(cases[i].text), &fx->note), ERR_SCHEMA);
        assert_non_null(strstr(fx->note.text, cases[i].words));
        fixture_free(fx);
    }
}

static void every_problem_names_line_column_value_and_cure(void **state)
{
    struct fixture *fx = read_text(&import_kind_organisers, ORGANISERS_HEADER
                                   "P13,x,l2,,13\nP 13,,l9,,48\nP13,y,l1,,\nP14,z,l2,,14,more\n"
                                   "P15,\xFF,other,,\n");

    (void)state;
    assert_int_equal(count_noted(fx, "line 3, column organiser_code, value \"P 13\""), 1);
    assert_int_equal(count_noted(fx, "line 3, column name, value \"\""), 1);
    assert_int_equal(count_noted(fx, "line 3, column kind, value \"l9\""), 1);
    assert_int_equal(count_noted(fx, "line 3, column l2_code, value \"48\""), 1);
    assert_int_equal(
        count_noted(fx, "line 4, column organiser_code, value \"P13\": stands in line 2"), 1);
    assert_int_equal(count_noted(fx, "line 4, column l1_code"), 1);
    assert_int_equal(count_noted(fx, "line 5, column -"), 1);
    assert_int_equal(count_noted(fx, "line 6, column -, value \"P15,\xFF,other,,\": not UTF-8"), 1);
    assert_int_equal(count_noted(fx, "Cure: "), fx->file.problem_count);
    assert_false(fx->file.rows[0].bad);
    assert_int_equal(fx->file.bad_rows, 4);
    fixture_free(fx);
}

#define MEMBERS_HEADER                                                                             \
    "mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,sex,birth_on,"   \
    "email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,sp_from,sp_to\n"

/* Rows that differ from a good one in one cell each: what must be noted. */
static void each_cell_of_a_doctor_is_checked(void **state)
{
    static const struct {
        const char *row;
        const char *column;
    } cases[] = {
        {"6423876638,1.23E+05,,n,k,,,M,,,,,,active,,,,,,", "register_no"},
        {"6423876638,\"123,456\",,n,k,,,M,,,,,,active,,,,,,", "register_no"},
        {"6423876638,0,,n,k,,,M,,,,,,active,,,,,,", "register_no"},
        {"6423876638,12345678,,n,k,,,M,,,,,,active,,,,,,", "register_no"},
        {"6423876637,1,,n,k,,,M,,,,,,active,,,,,,", "mamis_no"},
        {",1,2001-02-29,n,k,,,M,,,,,,active,,,,,,", "licensed_on"},
        {",1,,,k,,,M,,,,,,active,,,,,,", "name"},
        {",1,,n,,,,M,,,,,,active,,,,,,", "name_kana"},
        {",1,,n,k,,,m,,,,,,active,,,,,,", "sex"},
        {",1,,n,k,,,M,1.1.1970,,,,,active,,,,,,", "birth_on"},
        {",1,,n,k,,,M,,a@b@c,,,,active,,,,,,", "email"},
        {",1,,n,k,,,M,,,1 3,,,active,,,,,,", "l1_code"},
        {",1,,n,k,,,M,,,,00,,active,,,,,,", "l2_code"},
        {",1,,n,k,,,M,,,,13,A2,active,,,,,,", "l3_category"},
        {",1,,n,k,,,M,,,,13,A1,,,,,,,", "my_page"},
        {",1,,n,k,,,M,,,,13,A1,none,1,,2026-01-01,,,", "op_from"},
        {",1,,n,k,,,M,,,,13,A1,none,,,,1,2026-01-02,2026-01-01", "sp_to"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *fx = fixture_new(&import_kind_members);
        struct buf text = {0};
        char place[64];

        buf_printf(&text, "%s%s\n", MEMBERS_HEADER, cases[i].row);
        assert_int_equal(import_read(&fx->file, buf_str(&text), &fx->note), ERR_OK);
        import_kind_members.check(&fx->file);
        (void)snprintf(place, sizeof(place), "line 2, column %s,", cases[i].column);
        assert_int_equal(fx->file.problem_count, 1);
        assert_int_equal(count_noted(fx, place), 1);
        buf_free(&text);
        fixture_free(fx);
    }
}

#define SEMINARS_HEADER                                                                            \
    "seminar_no,title,organiser_code,session_no,session_title,starts_at,ends_at,delivery,"         \
    "grace_minutes,capacity,offers,leader_register_no\n"

static void seminars_keep_to_the_rules(void **state)
{
    struct fixture *fx =
        read_text(&import_kind_seminars, SEMINARS_HEADER
                  "A,t,P13,1,s,2026-01-01 10:00,2026-01-01 12:00,venue,0,,OPL-S:2,\n"
                  "A,t,P13,2,s,2025-03-31 23:00,2025-04-01 01:00,venue,0,,OPL-S:2,\n"
                  "A,other,P13,3,s,2026-01-01 10:00,2026-01-01 12:00,web,0,,OPB-K:2,\n"
                  "B,t,P13,1,s,2026-01-01 10:00,2026-01-01 12:00,visit,0,,OPL-J:4,x\n"
                  "A,t,P13,1,s,2026-01-01 10:00,2026-01-01 12:00,venue,0,0,OPL-S:1.5,\n");

    (void)state;
    assert_int_equal(count_noted(fx, "line 3, column ends_at"), 1);
    assert_int_equal(count_noted(fx, "line 4, column title"), 1);
    assert_int_equal(count_noted(fx, "line 4, column offers"), 1);
    assert_int_equal(count_noted(fx, "line 5, column offers"), 1);
    assert_int_equal(count_noted(fx, "line 5, column leader_register_no"), 1);
    assert_int_equal(count_noted(fx, "line 6, column seminar_no, value \"A\": stands in line 2"),
                     1);
    assert_int_equal(count_noted(fx, "line 6, column session_no"), 1);
    assert_int_equal(count_noted(fx, "line 6, column capacity"), 1);
    assert_int_equal(count_noted(fx, "line 6, column offers"), 1);
    assert_int_equal(fx->file.problem_count, 9);
    assert_false(fx->file.rows[0].bad);
    fixture_free(fx);
}

static void slices_hold_good_rows_in_order(void **state)
{
    struct fixture *fx = fixture_new(&import_kind_organisers);
    struct import_row *rows[IMPORT_SLICE_ROWS];
    struct buf text = {0};
    size_t cursor = 0;
    size_t total = 0;
    size_t count;

    (void)state;
    buf_add_c(&text, ORGANISERS_HEADER);
    for (int i = 0; i < 2 * IMPORT_SLICE_ROWS + 10; i++)
        buf_printf(&text, "X%d,%s,other,,\n", i, i % 7 == 0 ? "" : "n");
    assert_int_equal(import_read(&fx->file, buf_str(&text), &fx->note), ERR_OK);
    import_kind_organisers.check(&fx->file);
    fx->file.part_end = fx->file.row_count;
    while ((count = import_slice(&fx->file, &cursor, IMPORT_SAME, rows)) > 0) {
        assert_true(count <= IMPORT_SLICE_ROWS);
        for (size_t i = 0; i < count; i++)
            assert_false(rows[i]->bad);
        total += count;
    }
    assert_int_equal(total, fx->file.row_count - fx->file.bad_rows);
    assert_int_equal(fx->file.bad_rows, (2 * IMPORT_SLICE_ROWS + 10 + 6) / 7);
    buf_free(&text);
    fixture_free(fx);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines_have_no_problems),
        cmocka_unit_test(columns_may_stand_in_any_order),
        cmocka_unit_test(a_file_that_cannot_be_read_is_refused_whole),
        cmocka_unit_test(every_problem_names_line_column_value_and_cure),
        cmocka_unit_test(each_cell_of_a_doctor_is_checked),
        cmocka_unit_test(seminars_keep_to_the_rules),
        cmocka_unit_test(slices_hold_good_rows_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
