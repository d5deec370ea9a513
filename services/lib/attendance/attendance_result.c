/* attendance_result: original columns again, safe to open in a spreadsheet. */
#include "attendance/attendance_result.h"

#include "text/csv.h"

_Static_assert(COLUMN_COUNT <= 32, "columns are bits of 32");

static void put_end(struct buf *out, const struct str columns[ATTENDANCE_RESULT_COLUMNS])
{
    for (size_t i = 0; i < ATTENDANCE_RESULT_COLUMNS; i++) {
        buf_add_char(out, ',');
        csv_put_safe(out, columns[i]);
    }
    buf_add_c(out, "\r\n");
}

/* What was written over field `at`; no data: nothing was. */
static struct str mended(const struct attendance_header *header,
                         const struct attendance_result *result, size_t at)
{
    const int16_t column = header->column_of[at];

    if (result->fix == NULL)
        return STR_NONE;
    if (column >= 0 && result->fix->cells[column].data != NULL)
        return result->fix->cells[column];
    return attendance_fix_is_whole(result->row) && !attendance_fix_is_empty(result->fix) ? STR("")
                                                                                         : STR_NONE;
}

static void put_field(struct buf *out, struct arena *arena, const struct attendance_header *header,
                      const struct csv_field *field)
{
    csv_put_safe(out, attendance_unescape(
                          encoding_decode(arena, header->encoding, csv_field_text(arena, field))));
}

uint32_t attendance_result_more(const struct attendance_header *header,
                                const struct attendance_fix *fix)
{
    uint32_t more = 0;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (header->field_of[i] < 0 && fix->cells[i].len > 0)
            more |= UINT32_C(1) << i;
    }
    return more;
}

/* One cell for each of these columns: its name, or the cell of a row. */
static void put_more(struct buf *out, uint32_t more, const struct str *cells)
{
    for (; more != 0; more &= more - 1) {
        const enum column column = (enum column)__builtin_ctz(more);

        buf_add_char(out, ',');
        csv_put_safe(out, cells == NULL ? str_of(column_name(column)) : cells[column]);
    }
}

void attendance_result_head(struct buf *out, struct arena *arena,
                            const struct attendance_header *header, uint32_t more)
{
    struct csv_fields fields = csv_fields_of(header->raw, header->delimiter);
    struct csv_field field;

    buf_add_c(out, "\xEF\xBB\xBF");
    for (size_t i = 0; i < header->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        if (csv_fields_next(&fields, &field))
            put_field(out, arena, header, &field);
    }
    put_more(out, more, NULL);
    put_end(out, attendance_result_names);
}

void attendance_result_line(struct buf *out, struct arena *arena,
                            const struct attendance_header *header, uint32_t more,
                            const struct attendance_result *result)
{
    static const struct attendance_fix none = {0};
    struct csv_fields fields = csv_fields_of(result->row->raw, header->delimiter);
    struct csv_field field;

    for (size_t i = 0; i < header->count; i++) {
        const struct str cell = mended(header, result, i);
        const bool some = csv_fields_next(&fields, &field);

        if (i > 0)
            buf_add_char(out, ',');
        if (cell.data != NULL)
            csv_put_safe(out, cell);
        else if (some)
            put_field(out, arena, header, &field);
    }
    put_more(out, more, (result->fix == NULL ? &none : result->fix)->cells);
    put_end(out, result->columns);
}
