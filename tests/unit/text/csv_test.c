/* Rows and fields: tables of small files, read in slices of every size. */
#include "text/csv.h"

#include <stdlib.h>
#include <string.h>

#include "lib/test.h"

/* What a file holds, as text: each row "line:blank:field|field", NULs "nul line", and the end. */
static void describe(struct buf *out, const char *data, const struct csv_row *row, char delimiter)
{
    struct arena *arena = arena_new();
    struct csv_fields fields =
        csv_fields_of((struct str){data + row->offset, row->length}, delimiter);
    struct csv_field field;

    buf_printf(out, "%u:%u:", row->line, row->blank);
    for (bool first = true; csv_fields_next(&fields, &field); first = false) {
        if (!first)
            buf_add_char(out, '|');
        buf_add_str(out, csv_field_text(arena, &field));
    }
    buf_add_char(out, '/');
    arena_free(arena);
}

static void read_in_slices(struct buf *out, struct str text, char delimiter, size_t slice_len)
{
    struct csv_scan scan;
    struct csv_row row;
    enum csv_event event;

    csv_scan_init(&scan, delimiter, 0, 1);
    for (size_t at = 0; at < text.len; at += slice_len) {
        const size_t left = text.len - at;
        struct str slice = {text.data + at, left < slice_len ? left : slice_len};

        while ((event = csv_scan_next(&scan, &slice, &row)) != CSV_MORE) {
            if (event == CSV_NUL)
                buf_printf(out, "nul %u/", row.line);
            else
                describe(out, text.data, &row, delimiter);
        }
    }
    event = csv_scan_end(&scan, &row);
    if (event == CSV_ROW)
        describe(out, text.data, &row, delimiter);
    if (event == CSV_UNCLOSED)
        buf_printf(out, "unclosed %u/", scan.quote_line);
    assert_int_equal(scan.offset, text.len);
}

static void rows_and_fields(void **state)
{
    static const struct {
        struct str text;
        char delimiter;
        const char *want;
    } cases[] = {
        {STR(""), ',', ""},
        {STR("a,b"), ',', "1:0:a|b/"},
        {STR("a,b\n"), ',', "1:0:a|b/"},
        {STR("a\r\nb\rc\nd"), ',', "1:0:a/2:0:b/3:0:c/4:0:d/"},
        {STR("\n\r\n\ra"), ',', "1:3:/2:3:/3:3:/4:0:a/"},
        {STR("a\n\rb"), ',', "1:0:a/2:3:/3:0:b/"},
        {STR("a;b;\"c;d\""), ';', "1:0:a|b|c;d/"},
        {STR("a\tb\t\n"), '\t', "1:0:a|b|/"},
        {STR("\"a\nb\",c\nd"), ',', "1:0:a\nb|c/3:0:d/"},
        {STR("\"a\r\nb\rc\",d\ne"), ',', "1:0:a\r\nb\rc|d/4:0:e/"},
        {STR("\"a\"\"b\",\"\"\"\"\n"), ',', "1:0:a\"b|\"/"},
        {STR("a\"b\",c\"\n"), ',', "1:0:a\"b\"|c\"/"},
        {STR("\"a\"b\"c,d\n"), ',', "1:0:ab\"c|d/"},
        {STR("\"a\" ,\"b\"\"c\"d,e"), ',', "1:0:a |b\"cd|e/"},
        {STR(" \"a\n\",b"), ',', "1:0: \"a/unclosed 2/"},
        {STR("x\n\"a,b\nc"), ',', "1:0:x/unclosed 2/"},
        {STR("x,\"a\n\n\"\"b\nc"), ',', "unclosed 1/"},
        {STR("\"\""), ',', "1:3:/"},
        {STR("\"\"\n,\"\",\" \"\n\" , \"\n\"\"\"\"\n"), ',', "1:3:/2:3:||\x20/3:0: , /4:0:\"/"},
        {STR(",, ,\t,\n"), ',', "1:3:|| |\t|/"},
        {STR(";,\t\n;,x\n"), CSV_ANY, "1:3:;,\t/2:0:;,x/"},
        {STR("a\0b\n\0"), ',', "nul 1/1:0:a\0"},
        {STR("a,b,\n"), ',', "1:0:a|b|/"},
        /* Blanks of several bytes: U+3000 and U+00A0 in UTF-8, U+3000 in CP932. */
        {STR("\xE3\x80\x80,\xC2\xA0\n"), ',', "1:1:\xE3\x80\x80|\xC2\xA0/"},
        {STR("\x81\x40,\"\x81\x40\"\n"), ',', "1:2:\x81\x40|\x81\x40/"},
        {STR("\xE3\x80,\n\x81"), ',', "1:0:\xE3\x80|/2:0:\x81/"},
        {STR("\xC2\xA0x\n"), ',', "1:0:\xC2\xA0x/"},
        /* The second byte of a CP932 character may be a backslash or a bar, never a separator. */
        {STR("\x95\x5C,\x8E\x7C\n"), ',', "1:0:\x95\x5C|\x8E\x7C/"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t slice = 1; slice <= cases[i].text.len + 1; slice++) {
            struct buf got = {0};

            read_in_slices(&got, cases[i].text, cases[i].delimiter, slice);
            buf_add_char(&got, '\0');
            if (strcmp(got.data, cases[i].want) != 0)
                fail_msg("case %zu, slice %zu: got %s want %s", i, slice, got.data, cases[i].want);
            buf_free(&got);
        }
    }
}

static void long_lines_are_measured(void **state)
{
    static const struct str text = STR("ab\n\"123\r\n12345\n1\",x\nlast");
    struct csv_scan scan;
    struct csv_row row;
    struct str slice = text;

    (void)state;
    csv_scan_init(&scan, ',', 0, 1);
    assert_int_equal(csv_scan_next(&scan, &slice, &row), CSV_ROW);
    assert_int_equal(row.line_bytes, 2);
    assert_int_equal(csv_scan_next(&scan, &slice, &row), CSV_ROW);
    assert_int_equal(row.length, 16);
    assert_int_equal(row.line_bytes, 5);
    assert_int_equal(row.longest_line, 3);
    assert_int_equal(row.line, 2);
    assert_int_equal(csv_scan_next(&scan, &slice, &row), CSV_MORE);
    assert_int_equal(csv_scan_end(&scan, &row), CSV_ROW);
    assert_int_equal(row.line_bytes, 4);
    assert_int_equal(row.line, 5);
}

static void a_scan_can_begin_anywhere(void **state)
{
    static const struct str text = STR("head\nfirst\r\nsecond\r\n\r\nthird");
    struct csv_scan scan;
    struct csv_row row;
    struct str slice = {text.data + 12, text.len - 12};

    (void)state;
    csv_scan_init(&scan, ',', 12, 3);
    assert_int_equal(csv_scan_next(&scan, &slice, &row), CSV_ROW);
    assert_int_equal(row.offset, 12);
    assert_int_equal(row.line, 3);
    assert_int_equal(csv_scan_next(&scan, &slice, &row), CSV_ROW);
    assert_int_equal(row.blank, CSV_BLANK_UTF8 | CSV_BLANK_CP932);
    assert_int_equal(csv_scan_next(&scan, &slice, &row), CSV_MORE);
    assert_int_equal(csv_scan_end(&scan, &row), CSV_ROW);
    assert_int_equal(row.offset, 22);
    assert_int_equal(row.line, 5);
}

/* Random bytes of a small alphabet: any slicing finds the same rows. */
static void slices_change_nothing(void **state)
{
    static const char alphabet[] = "a,\"\r\n \x81\x40\xE3\x80";
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct buf text = {0};
        struct buf whole = {0};
        struct buf parts = {0};
        const size_t len = 1 + (size_t)(rand_r(&seed) % 60);

        for (size_t i = 0; i < len; i++)
            buf_add_char(&text, alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)]);
        read_in_slices(&whole, buf_str(&text), ',', len);
        read_in_slices(&parts, buf_str(&text), ',', 1 + (size_t)(rand_r(&seed) % 9));
        assert_true(str_eq(buf_str(&whole), buf_str(&parts)));
        buf_free(&text);
        buf_free(&whole);
        buf_free(&parts);
    }
}

static void fields_are_written_as_read(void **state)
{
    struct buf out = {0};

    (void)state;
    csv_put(&out, STR("plain"));
    buf_add_char(&out, ',');
    csv_put(&out, STR("a,b"));
    buf_add_char(&out, ',');
    csv_put(&out, STR("say \"x\"\n"));
    buf_add_char(&out, ',');
    csv_put(&out, STR(""));
    assert_true(str_eq_c(buf_str(&out), "plain,\"a,b\",\"say \"\"x\"\"\n\","));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_fields),
        cmocka_unit_test(long_lines_are_measured),
        cmocka_unit_test(a_scan_can_begin_anywhere),
        cmocka_unit_test(slices_change_nothing),
        cmocka_unit_test(fields_are_written_as_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
