/* import: reading a file into rows, and showing what is wrong with them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mamisctl/import.h"
#include "text/utf8.h"

enum { VALUE_SHOWN_BYTES = 80, ROWS_FIRST = 1024 };

/* Values may hold anything: control characters are shown as '?', long ones are cut. */
static const char *shown(struct arena *arena, struct str value)
{
    size_t len = value.len;
    char *text;

    if (len > VALUE_SHOWN_BYTES) {
        len = VALUE_SHOWN_BYTES;
        while (len > 0 && ((unsigned char)value.data[len] & 0xC0) == 0x80)
            len--;
    }
    text = arena_printf(arena, "%.*s%s", (int)len, len > 0 ? value.data : "",
                        len < value.len ? "..." : "");
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    }
    return text;
}

static void note_problem(struct import_file *file, struct import_row *row, const char *column,
                         struct str value, const char *what, const char *cure)
{
    size_t at = file->problem_count++;

    if (!row->bad)
        file->bad_rows++;
    row->bad = true;
    if (at >= IMPORT_PROBLEMS_SHOWN_MAX)
        return;
    if (file->problems == NULL)
        file->problems = arena_array(file->arena, struct import_problem, IMPORT_PROBLEMS_SHOWN_MAX);
    file->problems[at] = (struct import_problem){
        .line = row->line,
        .order = (uint32_t)at,
        .words = arena_printf(file->arena, "line %u, column %s, value \"%s\": %s. Cure: %s",
                              row->line, column, shown(file->arena, value), what, cure),
    };
}

void import_problem(struct import_file *file, struct import_row *row, size_t column,
                    const char *what, const char *cure)
{
    note_problem(file, row, file->columns[column].name, row->fields[column], what, cure);
}

void import_line_problem(struct import_file *file, struct import_row *row, const char *what,
                         const char *cure)
{
    note_problem(file, row, "-", row->raw, what, cure);
}

static int compare_problems(const void *left_arg, const void *right_arg)
{
    const struct import_problem *left = left_arg;
    const struct import_problem *right = right_arg;

    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

void import_show_problems(struct import_file *file)
{
    size_t kept = file->problem_count < IMPORT_PROBLEMS_SHOWN_MAX ? file->problem_count
                                                                  : IMPORT_PROBLEMS_SHOWN_MAX;

    if (kept > 0)
        qsort(file->problems, kept, sizeof(file->problems[0]), compare_problems);
    for (size_t i = 0; i < kept; i++)
        (void)fprintf(stderr, "%s\n", file->problems[i].words);
    if (file->problem_count > kept)
        tool_say("and %zu problems more", file->problem_count - kept);
    file->problem_count = 0;
}

/* Which column of the table each column of the file is. */
struct layout {
    size_t table[IMPORT_COLUMNS_MAX];
    size_t count;
};

static enum err find_column(struct import_file *file, struct str name, struct layout *layout,
                            struct err_note *note)
{
    for (size_t i = 0; i < file->column_count; i++) {
        if (!str_eq_c(name, file->columns[i].name))
            continue;
        for (size_t k = 0; k < layout->count; k++) {
            if (layout->table[k] == i)
                return err_say(note, ERR_SCHEMA, "the header names %.*s twice", STR_ARG(name));
        }
        layout->table[layout->count++] = i;
        return ERR_OK;
    }
    return err_say(note, ERR_SCHEMA, "the header names an unknown column \"%.*s\"",
                   name.len > 60 ? 60 : (int)name.len, name.data);
}

static enum err read_header(struct import_file *file, struct str line, struct layout *layout,
                            struct err_note *note)
{
    struct csv_fields fields = csv_fields_of(line, ',');
    struct csv_field field;

    while (csv_fields_next(&fields, &field)) {
        enum err err;

        if (layout->count == IMPORT_COLUMNS_MAX)
            return err_say(note, ERR_SCHEMA, "the header has too many columns");
        err = find_column(file, str_trim(csv_field_text(file->arena, &field)), layout, note);
        if (err != ERR_OK)
            return err;
    }
    for (size_t i = 0; i < file->column_count; i++) {
        bool found = !file->columns[i].needed;

        for (size_t k = 0; k < layout->count; k++)
            found = found || layout->table[k] == i;
        if (!found)
            return err_say(note, ERR_SCHEMA, "the header lacks the column %s",
                           file->columns[i].name);
    }
    return ERR_OK;
}

static void read_fields(struct import_file *file, const struct layout *layout,
                        struct import_row *row)
{
    struct csv_fields fields = csv_fields_of(row->raw, ',');
    struct csv_field field;
    size_t count = 0;

    row->fields = arena_array(file->arena, struct str, file->column_count);
    while (csv_fields_next(&fields, &field)) {
        if (count < layout->count) {
            size_t column = layout->table[count];
            struct str text = str_trim(csv_field_text(file->arena, &field));

            row->fields[column] = text;
            if (text.len > file->columns[column].bytes_max)
                import_problem(file, row, column, "too long", "shorten it");
        }
        count++;
    }
    if (count != layout->count)
        import_line_problem(file, row, "not as many fields as the header",
                            "give every column of the header a field; quote fields with commas");
    if (utf8_valid_len(row->raw) < row->raw.len)
        import_line_problem(file, row, "not UTF-8", "save the file as UTF-8");
    if (memchr(row->raw.data, '\0', row->raw.len) != NULL)
        import_line_problem(file, row, "holds a NUL", "save the file as text");
}

static struct import_row *add_row(struct import_file *file, size_t *room)
{
    if (file->row_count == *room) {
        size_t bigger = *room == 0 ? ROWS_FIRST : *room * 2;
        struct import_row *rows = arena_array(file->arena, struct import_row, bigger);

        if (file->row_count > 0)
            memcpy(rows, file->rows, file->row_count * sizeof(rows[0]));
        file->rows = rows;
        *room = bigger;
    }
    return &file->rows[file->row_count++];
}

static struct str without_bom(struct str bytes)
{
    if (str_starts(bytes, STR("\xEF\xBB\xBF"))) {
        bytes.data += 3;
        bytes.len -= 3;
    }
    return bytes;
}

static enum err take_row(struct import_file *file, struct str bytes, const struct csv_row *found,
                         struct layout *layout, size_t *room, struct err_note *note)
{
    struct str raw = {bytes.data + found->offset, (size_t)found->length};
    struct import_row *row;

    if (found->blank & CSV_BLANK_UTF8)
        return ERR_OK;
    if (file->header.data == NULL) {
        file->header = raw;
        return read_header(file, raw, layout, note);
    }
    row = add_row(file, room);
    row->line = found->line;
    row->raw = raw;
    read_fields(file, layout, row);
    return ERR_OK;
}

enum err import_read(struct import_file *file, struct str bytes, struct err_note *note)
{
    struct csv_scan scan;
    struct csv_row found;
    struct layout layout = {.count = 0};
    enum csv_event event;
    struct str slice;
    size_t room = 0;
    enum err err = ERR_OK;

    bytes = without_bom(bytes);
    slice = bytes;
    csv_scan_init(&scan, ',', 0, 1);
    while ((event = csv_scan_next(&scan, &slice, &found)) != CSV_MORE) {
        if (event == CSV_ROW)
            TRY(take_row(file, bytes, &found, &layout, &room, note));
    }
    event = csv_scan_end(&scan, &found);
    if (event == CSV_UNCLOSED)
        return err_say(note, ERR_SCHEMA, "line %u: a quote opens here and never closes",
                       scan.quote_line);
    if (event == CSV_ROW)
        TRY(take_row(file, bytes, &found, &layout, &room, note));
    if (file->header.data == NULL)
        return err_say(note, ERR_SCHEMA, "the file is empty");
cleanup:
    return err;
}
