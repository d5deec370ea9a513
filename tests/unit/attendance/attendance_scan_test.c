/* Reading a file: refusals and their order, encodings, delimiters, chunks; in slices of every size.
 */
#include "attendance/attendance_scan.h"

#include <stdlib.h>
#include <string.h>

#include "attendance/attendance_header.h"
#include "lib/test.h"

enum { CHUNKS_MAX = 64 };

struct found {
    enum attendance_scan_status status;
    struct attendance_chunk chunks[CHUNKS_MAX];
    size_t chunk_count;
};

static void keep_chunk(void *arg, const struct attendance_chunk *chunk)
{
    struct found *found = arg;

    assert_in_range(found->chunk_count, 0, CHUNKS_MAX - 1);
    assert_int_equal(chunk->chunk_no, found->chunk_count);
    found->chunks[found->chunk_count++] = *chunk;
}

static void scan_slices(struct attendance_scan *scan, struct found *found, struct str file,
                        const struct attendance_scan_options *options, size_t slice)
{
    memset(found, 0, sizeof(*found));
    attendance_scan_init(scan, options);
    for (size_t at = 0; at < file.len && found->status == SCAN_MORE; at += slice) {
        const size_t left = file.len - at;

        found->status = attendance_scan_feed(
            scan, (struct str){file.data + at, left < slice ? left : slice}, keep_chunk, found);
    }
    if (found->status == SCAN_MORE)
        found->status = attendance_scan_end(scan, keep_chunk, found);
}

static const struct attendance_scan_options usual = {ATTENDANCE_CHUNK_ROWS_MAX,
                                                     ATTENDANCE_CHUNK_BYTES_MAX, false};

struct scan_case {
    struct str file;
    enum code code;
    uint32_t line;
    uint32_t rows;
    char delimiter;
    enum encoding encoding;
};

#define GOOD(text, rows, delimiter, encoding)                                                      \
    {                                                                                              \
        STR(text), CODE_NONE, 0, rows, delimiter, encoding                                         \
    }
#define BAD(text, code, line)                                                                      \
    {                                                                                              \
        STR(text), code, line, 0, '\0', ENCODING_UNKNOWN                                           \
    }

static void check(const struct scan_case *one, size_t number,
                  const struct attendance_scan_options *options)
{
    struct attendance_scan *scan = heap_zero(sizeof(*scan));
    struct found found;

    for (size_t slice = 1; slice <= one->file.len + 1; slice++) {
        scan_slices(scan, &found, one->file, options, slice);
        if (found.status != (one->code == CODE_NONE ? SCAN_DONE : SCAN_REFUSED) ||
            scan->refusal.code != one->code || scan->refusal.line != one->line ||
            scan->rows_total != one->rows || scan->delimiter != one->delimiter ||
            scan->encoding != one->encoding)
            fail_msg("case %zu, slice %zu: %s line %u, %u rows, delimiter %d, %s", number, slice,
                     code_name(scan->refusal.code), scan->refusal.line, scan->rows_total,
                     scan->delimiter, encoding_name(scan->encoding));
    }
    free(scan);
}

static void check_all(const struct scan_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&cases[i], i, &usual);
}

static void good_files(void **state)
{
    static const struct scan_case cases[] = {
        GOOD("register_no\n1\n2\n", 2, ',', ENCODING_UTF8),
        GOOD("register_no", 0, ',', ENCODING_UTF8),
        GOOD("register_no\r\n", 0, ',', ENCODING_UTF8),
        GOOD("register_no\r1\r2", 2, ',', ENCODING_UTF8),
        GOOD("register_no,kind\r\n\r\n1,\r\n,\r\n \t,\" \"\r\n2,\r\n", 2, ',', ENCODING_UTF8),
        GOOD("\xEF\xBB\xBFregister_no\n1\n", 1, ',', ENCODING_UTF8),
        GOOD("\xEF\xBB\xBF\"register_no\",\"kind\"\n1,\n", 1, ',', ENCODING_UTF8),
        /* A byte order mark decides, whatever comes. */
        GOOD("\xEF\xBB\xBFregister_no,name\n1,\x8E\x81\n", 1, ',', ENCODING_UTF8),
        GOOD("医籍登録番号,氏名\n1,\x8E\x81\n", 1, ',', ENCODING_UTF8),
        GOOD("register_no,name\n1,\x8E\x81\n2,氏\n", 2, ',', ENCODING_CP932),
        GOOD("register_no,name\n1,氏\n2,\x8E\x81\n", 2, ',', ENCODING_UTF8),
        GOOD("\x88\xE3\x90\xD0\x94\xD4\x8D\x86\n1\n", 1, ',', ENCODING_CP932),
        GOOD("register_no;kind\n1;\n", 1, ';', ENCODING_UTF8),
        GOOD("register_no\tkind\n1\t\n\t\n", 1, '\t', ENCODING_UTF8),
        GOOD("kind, register_no ,x;name\n1,2,3\n", 1, ',', ENCODING_UTF8),
        GOOD("a;b;c;d,register_no\n1\n", 1, ',', ENCODING_UTF8),
        GOOD("\"a;b\",\"c;d\",register_no\n1\n", 1, ',', ENCODING_UTF8),
        /* Rows of nothing before the header. */
        GOOD("\n\r\n ,;\t\n\"\",\" \"\r\nregister_no\n1\n", 1, ',', ENCODING_UTF8),
        GOOD("\r\r\n\rregister_no\r\n1", 1, ',', ENCODING_UTF8),
        GOOD("\xE3\x80\x80,\xC2\xA0\nregister_no\n1\n\xE3\x80\x80\n", 1, ',', ENCODING_UTF8),
        GOOD("\x81\x40;\nregister_no\n1\n\x81\x40\n", 1, ',', ENCODING_CP932),
        /* A blank of the other encoding is a row. */
        GOOD("register_no,name\n1,氏\n\x81\x40\n", 2, ',', ENCODING_UTF8),
        GOOD("register_no,name\n1,\x8E\x81\n\xC2\xA0\n", 2, ',', ENCODING_CP932),
        /* Line breaks in the header, spelling, unknown columns. */
        GOOD("\"医籍\n登録番号\",x\n1,\n", 1, ',', ENCODING_UTF8),
        GOOD("ＲＥＧＩＳＴＥＲ＿ＮＯ,ｶﾅ氏名\n1,\n", 1, ',', ENCODING_UTF8),
        GOOD("name,kind,会員番号\n1\n", 1, ',', ENCODING_UTF8),
        GOOD("register_no,x,x,,\n1\n", 1, ',', ENCODING_UTF8),
        GOOD("register_no,\"a\"\"b\" c\n1,a\"b\n", 1, ',', ENCODING_UTF8),
        GOOD("register_no\n\"1\n2\"\n3\"\n", 2, ',', ENCODING_UTF8),
        /* Signatures count where they belong only. */
        GOOD("register_no\n1,'PK\x03\x04\n", 1, ',', ENCODING_UTF8),
        GOOD("\xEF\xBB\xBFxftypmif1,register_no\n1,1\n", 1, ',', ENCODING_UTF8),
    };

    (void)state;
    check_all(cases, ARRAY_LEN(cases));
}

static void refused_files(void **state)
{
    static const struct scan_case cases[] = {
        BAD("", CODE_FILE_EMPTY, 0),
        BAD("\xEF\xBB\xBF", CODE_FILE_EMPTY, 0),
        BAD("\xEF\xBB\xBF \r\n,;\t\n\xE3\x80\x80", CODE_FILE_EMPTY, 0),
        BAD("\x81\x40\n\n", CODE_FILE_EMPTY, 0),
        BAD("\"\"\n,\"\"", CODE_FILE_EMPTY, 0),
        BAD("PK\x03\x04rest", CODE_NOT_TEXT, 1),
        BAD("%PDF-1.7\n", CODE_NOT_TEXT, 1),
        BAD("{\\rtf1 }", CODE_NOT_TEXT, 1),
        BAD("\x1F\x8B\x08", CODE_NOT_TEXT, 1),
        BAD("\xFF\xFE"
            "a\0",
            CODE_NOT_TEXT, 1),
        BAD("\xFE\xFF\0a", CODE_NOT_TEXT, 1),
        BAD("a\0,\0", CODE_NOT_TEXT_NUL, 1),
        BAD("\0", CODE_NOT_TEXT_NUL, 1),
        BAD("\r\nregister_no\r\n1\n\"2\r\n\0\"\n", CODE_NOT_TEXT_NUL, 5),
        BAD("\n\r\n\rregister\0_no\n", CODE_NOT_TEXT_NUL, 4),
        BAD("no,header,here\n1\n\0\n", CODE_NOT_TEXT_NUL, 3),
        BAD("register_no,\xFF\n1\n", CODE_NOT_TEXT_ENCODING, 1),
        BAD("\n\nregister_no,\xE3\x81\xFF\n1\n", CODE_NOT_TEXT_ENCODING, 3),
        BAD("register_no,\xFF\n1\0\n", CODE_NOT_TEXT_ENCODING, 1), /* the first of the two */
        BAD("1,2,3\n", CODE_HEADER_MISSING, 1),
        BAD("\n\r\n\"x\n\",y\nregister_no\n", CODE_HEADER_MISSING, 3),
        BAD("name\n", CODE_HEADER_MISSING, 1),
        BAD("name,名前\n", CODE_HEADER_MISSING, 1), /* one known column, twice */
        BAD("name,kind\n", CODE_COLUMN_MISSING, 1),
        BAD("name,kind,kind\n", CODE_COLUMN_MISSING, 1),
        BAD("register_no,医籍番号\n", CODE_COLUMN_TWICE, 1),
        BAD("\nregister_no,name,名 前\n\"", CODE_COLUMN_TWICE, 2),
        BAD("register_no\n1\n2\n\"3\n4\n", CODE_UNCLOSED_QUOTE, 4),
        BAD("register_no,name\n1,\"\"\"\n2,\n", CODE_UNCLOSED_QUOTE, 2),
        BAD("register_no,\"name\n1,x\n", CODE_UNCLOSED_QUOTE, 1),
        BAD("\nmamis_no;register_no;\"x\n1;x\n", CODE_UNCLOSED_QUOTE, 2),
    };

    (void)state;
    check_all(cases, ARRAY_LEN(cases));
}

static void several_sessions_need_their_column(void **state)
{
    const struct attendance_scan_options several = {10, 1000, true};
    static const struct scan_case cases[] = {
        BAD("register_no\n1\n", CODE_COLUMN_MISSING, 1),
        BAD("name,kind\n1\n", CODE_COLUMN_MISSING, 1),
        BAD("register_no,register_no\n1\n", CODE_COLUMN_MISSING, 1),
        GOOD("register_no,回\n1,1\n", 1, ',', ENCODING_UTF8),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&cases[i], i, &several);
}

/* A file with a row of `bytes` on line 3, then `tail`. */
static struct str long_file(struct buf *file, const char *head, size_t bytes, const char *tail)
{
    buf_clear(file);
    buf_add_c(file, head);
    while (bytes-- > 0)
        buf_add_char(file, 'x');
    buf_add_c(file, tail);
    return buf_str(file);
}

static void long_lines(void **state)
{
    enum { MOST = ATTENDANCE_LINE_BYTES_MAX };
    static const struct {
        const char *head;
        size_t bytes;
        const char *tail;
        enum code code;
        uint32_t line;
    } cases[] = {
        {"register_no\n1\n", MOST, "\r\n2\n", CODE_NONE, 0},
        {"register_no\n1\n", MOST + 1, "\n2\n", CODE_LINE_TOO_LONG, 3},
        {"register_no\n1\n", MOST, "", CODE_NONE, 0},
        {"register_no\n1\n", MOST + 1, "", CODE_LINE_TOO_LONG, 3},
        /* A row with quoted breaks, and a long line in one. */
        {"register_no\n1\n\"a\n", MOST - 4, "\"\n", CODE_NONE, 0},
        {"register_no\n1\n\"a\n", MOST - 3, "\"\n", CODE_LINE_TOO_LONG, 3},
        {"register_no\n1\n\"a\n", MOST, "\"\n", CODE_LINE_TOO_LONG, 4},
        /* Graver ones first. */
        {"register_no\n1\n", MOST + 1, "\n\"2", CODE_UNCLOSED_QUOTE, 4},
        {"register_no\n\"1\n", MOST + 1, "\n2", CODE_UNCLOSED_QUOTE, 2},
        {"name,kind\n1\n", MOST + 1, "\n", CODE_COLUMN_MISSING, 1},
        /* The header itself. */
        {"register_no,", MOST - 12, "\n1\n", CODE_NONE, 0},
        {"register_no,", MOST - 11, "\n1\n", CODE_LINE_TOO_LONG, 1},
        {"\nregister_no,", 3 * MOST, "\n1\n\"2", CODE_LINE_TOO_LONG, 2},
        {"register_no,\"", 3 * MOST, "\"\n1\n", CODE_LINE_TOO_LONG, 1},
        {"register_no,\"\n", 3 * MOST, "\n1\n", CODE_UNCLOSED_QUOTE, 1},
        {"\n", 3 * MOST, "", CODE_LINE_TOO_LONG, 2},
    };
    struct attendance_scan *scan = heap_zero(sizeof(*scan));
    struct buf file = {0};
    struct found found;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str bytes = long_file(&file, cases[i].head, cases[i].bytes, cases[i].tail);

        for (size_t slice = 4093; slice < bytes.len * 4; slice *= 3) {
            scan_slices(scan, &found, bytes, &usual, slice);
            if (scan->refusal.code != cases[i].code || scan->refusal.line != cases[i].line)
                fail_msg("case %zu, slice %zu: %s line %u", i, slice, code_name(scan->refusal.code),
                         scan->refusal.line);
        }
    }
    buf_free(&file);
    free(scan);
}

static void only_blanks_however_many(void **state)
{
    struct attendance_scan *scan = heap_zero(sizeof(*scan));
    struct buf file = {0};
    struct found found;

    (void)state;
    for (size_t i = 0; i < 200000; i++)
        buf_add_char(&file, i % 1000 == 999 ? '\n' : ' ');
    scan_slices(scan, &found, buf_str(&file), &usual, 5000);
    assert_int_equal(scan->refusal.code, CODE_FILE_EMPTY);
    buf_clear(&file);
    for (size_t i = 0; i < 200000; i++)
        buf_add_char(&file, ' ');
    scan_slices(scan, &found, buf_str(&file), &usual, 5000);
    assert_int_equal(scan->refusal.code, CODE_FILE_EMPTY);
    buf_free(&file);
    free(scan);
}

static void too_many_columns(void **state)
{
    struct attendance_scan *scan = heap_zero(sizeof(*scan));
    struct found found;

    (void)state;
    for (int columns = 63; columns <= 66; columns++) {
        struct attendance_params params;
        struct buf file = {0};

        buf_add_c(&file, "register_no");
        for (int i = 1; i < columns; i++)
            buf_printf(&file, ",c%d", i);
        buf_add_c(&file, "\n1\n");
        scan_slices(scan, &found, buf_str(&file), &usual, 100);
        assert_int_equal(scan->refusal.code, columns > 64 ? CODE_TOO_MANY_COLUMNS : CODE_NONE);
        if (columns == 66) {
            attendance_refusal_params(&scan->refusal, false, &params);
            assert_int_equal(params.count, 3);
            assert_true(str_eq_c(params.list[1].value, "66"));
        }
        buf_add_c(&file, "\"");
        scan_slices(scan, &found, buf_str(&file), &usual, 100);
        assert_int_equal(scan->refusal.code, CODE_UNCLOSED_QUOTE);
        buf_free(&file);
    }
    free(scan);
}

/* Its own columns do not keep result.csv from being sent again, as often as one likes. */
static void columns_of_the_result_do_not_count(void **state)
{
    static const struct {
        int columns;
        const char *behind;
        enum code code;
    } cases[] = {
        {64, ",結果,理由,説明,直し方", CODE_NONE},
        {64, ",結果,理由,説明,直し方,結果,理由,説明,直し方", CODE_NONE},
        {65, ",結果,理由,説明,直し方", CODE_TOO_MANY_COLUMNS},
        {64, ",結果,理由,説明", CODE_TOO_MANY_COLUMNS},
        {64, ",結果,理由,説明,直し方,x", CODE_TOO_MANY_COLUMNS},
    };
    struct attendance_scan *scan = heap_zero(sizeof(*scan));
    struct found found;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf file = {0};

        for (int column = 1; column < cases[i].columns; column++)
            buf_printf(&file, "c%d,", column);
        buf_printf(&file, "register_no%s\n", cases[i].behind);
        scan_slices(scan, &found, buf_str(&file), &usual, 100);
        if (scan->refusal.code != cases[i].code)
            fail_msg("case %zu: %s", i, code_name(scan->refusal.code));
        buf_free(&file);
    }
    free(scan);
}

static void what_it_is_instead(void **state)
{
    static const struct {
        struct str file;
        enum not_text want;
        const char *name;
    } cases[] = {
        {STR("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types]."
             "xml"),
         NOT_TEXT_XLSX, "an Excel workbook (.xlsx)"},
        {STR("PK\x03\x04 and another archive"), NOT_TEXT_ZIP, "a ZIP archive"},
        {STR("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), NOT_TEXT_XLS, "an old Excel workbook (.xls)"},
        {STR("\x89PNG\r\n\x1A\n"), NOT_TEXT_IMAGE, "an image"},
        {STR("\xFF\xD8\xFF\xE0"), NOT_TEXT_IMAGE, "an image"},
        {STR("\xFF\xFE\0\0x\0\0\0"), NOT_TEXT_UTF32, "UTF-32 text"},
        {STR("\xFF\xFEx\0"), NOT_TEXT_UTF16, "UTF-16 (\"Unicode text\")"},
    };
    struct attendance_scan *scan = heap_zero(sizeof(*scan));
    struct attendance_params params;
    struct found found;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scan_slices(scan, &found, cases[i].file, &usual, 3);
        assert_int_equal(scan->refusal.code, CODE_NOT_TEXT);
        assert_int_equal(scan->refusal.not_text, cases[i].want);
        attendance_refusal_params(&scan->refusal, true, &params);
        assert_true(str_eq_c(params.list[1].value, cases[i].name));
    }
    free(scan);
}

static void chunks_hold_all_rows(void **state)
{
    const struct attendance_scan_options options = {3, 40, false};
    static const struct str file =
        STR("register_no,name\r\n1,a\r\n\r\n\r\n2,b\r\n3,\"c\r\nc\"\r\n4,d\r\n"
            ",\r\n5,eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\r\n6,f");
    static const struct attendance_chunk want[] = {
        {.chunk_no = 0, .first_row = 1, .first_line = 2, .rows = 3, .offset = 18, .length = 22},
        {.chunk_no = 1, .first_row = 4, .first_line = 8, .rows = 1, .offset = 42, .length = 3},
        {.chunk_no = 2, .first_row = 5, .first_line = 10, .rows = 1, .offset = 50, .length = 45},
        {.chunk_no = 3, .first_row = 6, .first_line = 11, .rows = 1, .offset = 97, .length = 3},
    };
    struct attendance_scan *scan = heap_zero(sizeof(*scan));
    struct found found;

    (void)state;
    for (size_t slice = 1; slice < file.len; slice++) {
        scan_slices(scan, &found, file, &options, slice);
        assert_int_equal(found.status, SCAN_DONE);
        assert_int_equal(scan->rows_total, 6);
        assert_int_equal(scan->chunks_total, ARRAY_LEN(want));
        assert_int_equal(found.chunk_count, ARRAY_LEN(want));
        for (size_t i = 0; i < ARRAY_LEN(want); i++)
            assert_memory_equal(&found.chunks[i], &want[i], sizeof(want[i]));
        assert_int_equal(scan->header_line, 1);
        assert_int_equal(scan->header_len, 16);
    }
    free(scan);
}

static void a_state_of_another_build_is_refused(void **state)
{
    struct attendance_scan *scan = heap_zero(sizeof(*scan));
    struct attendance_scan *loaded = heap_zero(sizeof(*loaded));
    struct found found = {0};
    struct str saved;
    char *copy;

    (void)state;
    attendance_scan_init(scan, &usual);
    (void)attendance_scan_feed(scan, STR("register_no,na"), keep_chunk, &found);
    saved = attendance_scan_save(scan);
    assert_true(attendance_scan_load(loaded, saved));
    assert_false(attendance_scan_load(loaded, (struct str){saved.data, saved.len - 1}));
    assert_false(attendance_scan_load(loaded, (struct str){saved.data, 10}));
    copy = heap_alloc(saved.len);
    memcpy(copy, saved.data, saved.len);
    copy[0] ^= 1;
    assert_false(attendance_scan_load(loaded, (struct str){copy, saved.len}));
    free(copy);
    free(loaded);
    free(scan);
}

static void header_columns(void **state)
{
    struct arena *arena = arena_new();
    struct attendance_header header;

    (void)state;
    attendance_header_read(arena, STR("所属, \"フリ ガナ\" ,,回,'=x,医籍番号 ,\" 備考\n\""),
                           ENCODING_UTF8, ',', &header);
    assert_int_equal(header.count, 7);
    assert_int_equal(header.field_of[COLUMN_SESSION_NO], 3);
    assert_int_equal(header.field_of[COLUMN_REGISTER_NO], 5);
    assert_int_equal(header.field_of[COLUMN_MAMIS_NO], -1);
    assert_int_equal(header.column_of[3], COLUMN_SESSION_NO);
    assert_int_equal(header.column_of[0], -1);
    assert_int_equal(header.known, 2);
    assert_int_equal(header.ignored_count, 4);
    assert_true(str_eq_c(header.ignored[0], "所属"));
    assert_true(str_eq_c(header.ignored[1], "\"フリ ガナ\"")); /* the quote does not open it */
    assert_true(str_eq_c(header.ignored[2], "=x"));
    assert_true(str_eq_c(header.ignored[3], "備考\n"));
    assert_true(str_eq_c(attendance_header_name(&header, COLUMN_REGISTER_NO), "医籍番号"));
    assert_true(str_eq_c(attendance_header_name(&header, COLUMN_UNITS), "単位数"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files),
        cmocka_unit_test(refused_files),
        cmocka_unit_test(several_sessions_need_their_column),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(only_blanks_however_many),
        cmocka_unit_test(too_many_columns),
        cmocka_unit_test(columns_of_the_result_do_not_count),
        cmocka_unit_test(what_it_is_instead),
        cmocka_unit_test(chunks_hold_all_rows),
        cmocka_unit_test(a_state_of_another_build_is_refused),
        cmocka_unit_test(header_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
