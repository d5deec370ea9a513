/* attendance_result: original columns again, safe to open in a spreadsheet. */
#include "attendance/attendance_result.h"

#include "text/csv.h"

static const struct str result_names[ATTENDANCE_RESULT_COLUMNS] = {
    {"結果", 6}, {"理由", 6}, {"説明", 6}, {"直し方", 9}};

static void put_line(struct buf *out, struct arena *arena, const struct attendance_header *header,
                     struct str raw, const struct str result[ATTENDANCE_RESULT_COLUMNS])
{
    struct csv_fields fields = csv_fields_of(raw, header->delimiter);
    struct csv_field field;

    for (size_t i = 0; i < header->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        if (csv_fields_next(&fields, &field))
            csv_put_safe(out, attendance_unescape(encoding_decode(arena, header->encoding,
                                                                  csv_field_text(arena, &field))));
    }
    for (size_t i = 0; i < ATTENDANCE_RESULT_COLUMNS; i++) {
        buf_add_char(out, ',');
        csv_put_safe(out, result[i]);
    }
    buf_add_c(out, "\r\n");
}

void attendance_result_head(struct buf *out, struct arena *arena,
                            const struct attendance_header *header)
{
    buf_add_c(out, "\xEF\xBB\xBF");
    put_line(out, arena, header, header->raw, result_names);
}

void attendance_result_line(struct buf *out, struct arena *arena,
                            const struct attendance_header *header, struct str raw,
                            const struct str result[ATTENDANCE_RESULT_COLUMNS])
{
    put_line(out, arena, header, raw, result);
}
