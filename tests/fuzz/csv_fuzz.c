/*
 * The CSV reader: in pieces of any size it finds the same rows as in one; their fields, written
 * again, are read as the same texts. The first byte says delimiter and size of the pieces.
 */
#include <string.h>

#include "fuzz.h"
#include "text/csv.h"

enum { ROWS_MAX = 4096, FILE_BYTES_MAX = 64 * 1024 };

struct rows {
    struct csv_row list[ROWS_MAX];
    size_t count;
    size_t nuls;
    bool unclosed;
};

static void take(struct rows *rows, enum csv_event event, const struct csv_row *row)
{
    if (event == CSV_NUL)
        rows->nuls++;
    else if (event == CSV_UNCLOSED)
        rows->unclosed = true;
    else if (event == CSV_ROW && rows->count < ROWS_MAX)
        rows->list[rows->count++] = *row;
}

static void scan_all(struct str file, char delimiter, size_t step, struct rows *rows)
{
    struct csv_scan scan;
    struct csv_row row;

    rows->count = rows->nuls = 0;
    rows->unclosed = false;
    csv_scan_init(&scan, delimiter, 0, 1);
    for (size_t at = 0; at < file.len; at += step) {
        struct str slice = {file.data + at, file.len - at < step ? file.len - at : step};
        enum csv_event event;

        while ((event = csv_scan_next(&scan, &slice, &row)) != CSV_MORE)
            take(rows, event, &row);
        must(slice.len == 0);
    }
    take(rows, csv_scan_end(&scan, &row), &row);
}

static bool same_row(const struct csv_row *left, const struct csv_row *right)
{
    return left->offset == right->offset && left->length == right->length &&
           left->line == right->line && left->blank == right->blank &&
           left->line_bytes == right->line_bytes && left->longest_line == right->longest_line;
}

/* The texts of a row, written with commas, are those that are read again. */
static void check_fields(struct arena *arena, struct str row, char delimiter)
{
    struct csv_fields fields = csv_fields_of(row, delimiter);
    struct csv_fields again;
    struct csv_field field;
    struct buf out = {0};
    size_t count = 0;

    while (csv_fields_next(&fields, &field)) {
        if (count++ > 0)
            buf_add_char(&out, ',');
        csv_put(&out, csv_field_text(arena, &field));
    }
    fields = csv_fields_of(row, delimiter);
    again = csv_fields_of(buf_str(&out), ',');
    while (count-- > 0) {
        struct str text;

        must(csv_fields_next(&fields, &field));
        text = csv_field_text(arena, &field);
        must(csv_fields_next(&again, &field));
        must(str_eq(text, csv_field_text(arena, &field)));
    }
    must(!csv_fields_next(&again, &field));
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {',', '\t', ';', CSV_ANY};
    static struct rows whole;
    static struct rows pieces;
    struct str file = {(const char *)data + 1, size - 1};
    struct arena *arena;
    char delimiter;

    if (size < 2 || size > FILE_BYTES_MAX)
        return 0;
    delimiter = delimiters[data[0] % sizeof(delimiters)];
    scan_all(file, delimiter, file.len, &whole);
    scan_all(file, delimiter, (size_t)data[0] / sizeof(delimiters) % 16 + 1, &pieces);
    must(whole.count == pieces.count && whole.nuls == pieces.nuls);
    must(whole.unclosed == pieces.unclosed);
    arena = arena_new();
    for (size_t i = 0; i < whole.count; i++) {
        const struct csv_row *row = &whole.list[i];

        must(same_row(row, &pieces.list[i]));
        must(row->offset + row->length <= file.len);
        if (delimiter != CSV_ANY)
            check_fields(arena, (struct str){file.data + row->offset, row->length}, delimiter);
    }
    arena_free(arena);
    return 0;
}
