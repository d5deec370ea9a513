/* attendance_header: which field is which column. */
#include "attendance/attendance_header.h"

#include "text/csv.h"
#include "text/fold.h"

const struct str attendance_result_names[ATTENDANCE_RESULT_COLUMNS] = {
    {"結果", 6}, {"理由", 6}, {"説明", 6}, {"直し方", 9}};

struct str attendance_unescape(struct str cell)
{
    char next;

    if (cell.len < 2 || cell.data[0] != '\'')
        return cell;
    next = cell.data[1];
    if (next != '=' && next != '+' && next != '-' && next != '@' && (uint8_t)next >= ' ' &&
        next != 0x7F)
        return cell;
    return (struct str){cell.data + 1, cell.len - 1};
}

static size_t count_fields(struct str raw, char delimiter)
{
    struct csv_fields fields = csv_fields_of(raw, delimiter);
    struct csv_field field;
    size_t count = 0;

    while (csv_fields_next(&fields, &field))
        count++;
    return count;
}

/* What the field `at` is called, and what that makes it. */
static void read_name(struct arena *arena, struct attendance_header *header, size_t at)
{
    const struct str name = header->names[at];
    const enum column column =
        name.len == 0 ? COLUMN_COUNT : column_of_name(fold_header(arena, name));

    if (column == COLUMN_COUNT) {
        if (name.len > 0)
            header->ignored[header->ignored_count++] = name;
        return;
    }
    if (header->field_of[column] >= 0) {
        if (header->twice == COLUMN_COUNT)
            header->twice = column;
        return;
    }
    header->known++;
    header->field_of[column] = (int32_t)at;
    if (at < ATTENDANCE_COLUMNS_MAX)
        header->column_of[at] = (int16_t)column;
}

void attendance_header_read(struct arena *arena, struct str raw, enum encoding encoding,
                            char delimiter, struct attendance_header *ret_header)
{
    const size_t count = count_fields(raw, delimiter);
    struct csv_fields fields = csv_fields_of(raw, delimiter);
    struct csv_field field;

    *ret_header = (struct attendance_header){
        .encoding = encoding,
        .delimiter = delimiter,
        .raw = raw,
        .count = count,
        .names = arena_array(arena, struct str, count),
        .twice = COLUMN_COUNT,
        .ignored = arena_array(arena, struct str, count),
    };
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        ret_header->field_of[i] = -1;
    for (size_t i = 0; i < ATTENDANCE_COLUMNS_MAX; i++)
        ret_header->column_of[i] = -1;
    for (size_t i = 0; csv_fields_next(&fields, &field); i++) {
        const struct str text = csv_field_text(arena, &field);

        ret_header->names[i] =
            text_trim(attendance_unescape(encoding_decode(arena, encoding, text)));
        read_name(arena, ret_header, i);
    }
}

static bool ends_with_result(const struct attendance_header *header, size_t count)
{
    if (count < ATTENDANCE_RESULT_COLUMNS)
        return false;
    for (size_t i = 0; i < ATTENDANCE_RESULT_COLUMNS; i++) {
        if (!str_eq(header->names[count - ATTENDANCE_RESULT_COLUMNS + i],
                    attendance_result_names[i]))
            return false;
    }
    return true;
}

/* How many columns are the file's own. */
static size_t own_columns(const struct attendance_header *header)
{
    size_t count = header->count;

    while (ends_with_result(header, count))
        count -= ATTENDANCE_RESULT_COLUMNS;
    return count;
}

enum code attendance_header_check(const struct attendance_header *header, bool several_sessions,
                                  enum column *ret_column)
{
    const bool number =
        header->field_of[COLUMN_REGISTER_NO] >= 0 || header->field_of[COLUMN_MAMIS_NO] >= 0;

    *ret_column = COLUMN_COUNT;
    if (!number && header->known < 2)
        return CODE_HEADER_MISSING;
    if (!number) {
        *ret_column = COLUMN_REGISTER_NO;
        return CODE_COLUMN_MISSING;
    }
    if (several_sessions && header->field_of[COLUMN_SESSION_NO] < 0) {
        *ret_column = COLUMN_SESSION_NO;
        return CODE_COLUMN_MISSING;
    }
    *ret_column = header->twice;
    if (header->twice != COLUMN_COUNT)
        return CODE_COLUMN_TWICE;
    return own_columns(header) > ATTENDANCE_COLUMNS_MAX ? CODE_TOO_MANY_COLUMNS : CODE_NONE;
}

struct str attendance_header_name(const struct attendance_header *header, enum column column)
{
    must(column < COLUMN_COUNT);
    if (header->field_of[column] < 0)
        return str_of(column_name(column));
    return header->names[header->field_of[column]];
}
