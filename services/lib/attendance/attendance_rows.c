/* attendance_rows: cells of the known columns, and the two problems that end a row's judging. */
#include "attendance/attendance_rows.h"

#include <string.h>

#include "text/csv.h"
#include "text/fold.h"

/* Room made at first; rows beyond it make more. */
enum { ROWS_AT_ONCE = ATTENDANCE_CHUNK_ROWS_MAX };

struct reader {
    struct arena *arena;
    const struct attendance_header *header;
    unsigned blank; /* the bit of a blank row in this encoding */
};

static struct str cell_of(const struct reader *reader, const struct csv_field *field)
{
    const struct str text = csv_field_text(reader->arena, field);

    return text_trim(
        attendance_unescape(encoding_decode(reader->arena, reader->header->encoding, text)));
}

static bool field_is_blank(const struct reader *reader, const struct csv_field *field)
{
    if (field->text.len == 0)
        return true;
    /* What no byte of a blank has needs no decoding. */
    if (!field->with_quotes && (uint8_t)field->text.data[0] > ' ' &&
        (uint8_t)field->text.data[0] < 0x80)
        return false;
    return cell_of(reader, field).len == 0;
}

static void read_fields(const struct reader *reader, struct attendance_row *row)
{
    const struct attendance_header *header = reader->header;
    struct csv_fields fields = csv_fields_of(row->raw, header->delimiter);
    struct csv_field field;
    size_t at = 0;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (header->field_of[i] >= 0)
            row->cells[i] = STR("");
    }
    for (; csv_fields_next(&fields, &field); at++) {
        const int16_t column = at < ATTENDANCE_COLUMNS_MAX ? header->column_of[at] : -1;

        if (column >= 0 && !row->bad_encoding)
            row->cells[column] = cell_of(reader, &field);
        /* Surplus fields count only when one of them holds something. */
        if (at < header->count || !field_is_blank(reader, &field))
            row->fields = (uint32_t)at + 1;
    }
    row->field_count = row->fields != header->count;
}

static void add_row(struct attendance_rows *rows, size_t *room, struct arena *arena,
                    const struct attendance_row *row)
{
    if (rows->count == *room) {
        struct attendance_row *larger = arena_array(arena, struct attendance_row, *room * 2);

        memcpy(larger, rows->list, sizeof(*larger) * rows->count);
        rows->list = larger;
        *room *= 2;
    }
    rows->list[rows->count++] = *row;
}

/* The next row, the last one without a line end included. */
static bool next_row(struct csv_scan *csv, struct str *slice, struct csv_row *ret_row)
{
    enum csv_event event;

    do {
        event = csv_scan_next(csv, slice, ret_row);
    } while (event == CSV_NUL);
    return event == CSV_ROW || csv_scan_end(csv, ret_row) == CSV_ROW;
}

void attendance_rows_read(struct arena *arena, const struct attendance_header *header,
                          const struct attendance_chunk *chunk, struct str bytes,
                          struct attendance_rows *ret_rows)
{
    const bool cp932 = header->encoding == ENCODING_CP932;
    const struct reader reader = {arena, header, cp932 ? CSV_BLANK_CP932 : CSV_BLANK_UTF8};
    size_t room = chunk->rows > 0 && chunk->rows < ROWS_AT_ONCE ? chunk->rows : ROWS_AT_ONCE;
    struct str slice = bytes;
    struct csv_scan csv;
    struct csv_row found;

    *ret_rows = (struct attendance_rows){arena_array(arena, struct attendance_row, room), 0};
    csv_scan_init(&csv, header->delimiter, 0, chunk->first_line);
    while (next_row(&csv, &slice, &found)) {
        struct attendance_row row = {
            .row_no = chunk->first_row + (uint32_t)ret_rows->count,
            .line_no = found.line,
            .raw = {bytes.data + found.offset, found.length},
        };

        if ((found.blank & reader.blank) != 0)
            continue;
        row.bad_encoding = !encoding_valid(header->encoding, row.raw);
        read_fields(&reader, &row);
        add_row(ret_rows, &room, arena, &row);
    }
}
