/* import: checks of single values, and slices of rows. */
#include <stdlib.h>
#include <string.h>

#include "mamisctl/import.h"
#include "text/utf8.h"

bool import_need(struct import_file *file, struct import_row *row, size_t column)
{
    if (IMPORT_FIELD(row, column).len > 0)
        return true;
    import_problem(file, row, column, "is empty", "fill it in");
    return false;
}

bool import_day(struct import_file *file, struct import_row *row, size_t column, day_t *ret_day)
{
    struct str text = IMPORT_FIELD(row, column);
    day_t day;

    *ret_day = DAY_NONE;
    if (text.len == 0)
        return true;
    day = day_parse(text);
    if (day == DAY_NONE) {
        import_problem(file, row, column, "no such day", "write it as YYYY-MM-DD");
        return false;
    }
    *ret_day = day;
    return true;
}

/* Two digits at `at`, or -1. */
static int two_digits(struct str text, size_t at)
{
    char tens = text.data[at];
    char ones = text.data[at + 1];

    if (tens < '0' || tens > '9' || ones < '0' || ones > '9')
        return -1;
    return (tens - '0') * 10 + (ones - '0');
}

bool import_minute(struct import_file *file, struct import_row *row, size_t column, int64_t *ret_us)
{
    struct str text = IMPORT_FIELD(row, column);
    day_t day = DAY_NONE;
    int hour = -1;
    int minute = -1;

    if (text.len == 16 && text.data[10] == ' ' && text.data[13] == ':') {
        day = day_parse((struct str){text.data, 10});
        hour = two_digits(text, 11);
        minute = two_digits(text, 14);
    }
    if (day == DAY_NONE || hour < 0 || hour > 23 || minute < 0 || minute > 59) {
        import_problem(file, row, column, "no such time", "write it as YYYY-MM-DD HH:MM");
        return false;
    }
    *ret_us = day_start_us(day) + (hour * INT64_C(3600) + minute * INT64_C(60)) * CLOCK_SECOND_US;
    return true;
}

bool import_number(struct import_file *file, struct import_row *row, size_t column, int64_t least,
                   int64_t most, int64_t *ret_number)
{
    int64_t number;

    if (!str_to_i64(IMPORT_FIELD(row, column), &number) || number < least || number > most) {
        import_problem(file, row, column, "no number that is possible here",
                       arena_printf(file->arena, "write a whole number from %lld to %lld",
                                    (long long)least, (long long)most));
        return false;
    }
    *ret_number = number;
    return true;
}

bool import_word(struct import_file *file, struct import_row *row, size_t column,
                 const char *const *list)
{
    struct buf words = {0};

    for (const char *const *word = list; *word != NULL; word++) {
        if (str_eq_c(IMPORT_FIELD(row, column), *word))
            return true;
    }
    for (const char *const *word = list; *word != NULL; word++)
        buf_printf(&words, "%s%s", words.len > 0 ? ", " : "", **word != '\0' ? *word : "(empty)");
    import_problem(file, row, column, "not one of the words that are possible here",
                   arena_printf(file->arena, "write one of: %.*s", STR_ARG(buf_str(&words))));
    buf_free(&words);
    return false;
}

bool import_l2_code(struct import_file *file, struct import_row *row, size_t column)
{
    struct str text = IMPORT_FIELD(row, column);
    int number = text.len == 2 ? two_digits(text, 0) : -1;

    if (text.len == 0 || (number >= 1 && number <= 47))
        return true;
    import_problem(file, row, column, "no prefecture", "write 01 to 47, with the leading zero");
    return false;
}

bool import_code(struct import_file *file, struct import_row *row, size_t column)
{
    struct str text = IMPORT_FIELD(row, column);

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    c == '-' || c == '_';

        if (!fine) {
            import_problem(file, row, column, "holds a character that codes do not have",
                           "use letters, digits, - and _");
            return false;
        }
    }
    return true;
}

struct valued {
    struct import_row *row;
    struct str value;
};

static int compare_valued(const void *left_arg, const void *right_arg)
{
    const struct valued *left = left_arg;
    const struct valued *right = right_arg;
    size_t shared = left->value.len < right->value.len ? left->value.len : right->value.len;
    int order = memcmp(left->value.data, right->value.data, shared);

    if (order != 0)
        return order;
    if (left->value.len != right->value.len)
        return left->value.len < right->value.len ? -1 : 1;
    return left->row->line < right->row->line ? -1 : left->row->line > right->row->line;
}

void import_unique(struct import_file *file, size_t column,
                   struct str (*value)(const struct import_row *row), const char *cure)
{
    struct valued *list = arena_array(file->arena, struct valued, file->row_count + 1);
    size_t count = 0;
    uint32_t first_line = 0;

    for (size_t i = 0; i < file->row_count; i++) {
        struct import_row *row = &file->rows[i];

        if (value(row).len > 0)
            list[count++] = (struct valued){row, value(row)};
    }
    qsort(list, count, sizeof(list[0]), compare_valued);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !str_eq(list[i - 1].value, list[i].value))
            first_line = list[i].row->line;
        else
            import_problem(file, list[i].row, column,
                           arena_printf(file->arena, "stands in line %u already", first_line),
                           cure);
    }
}

size_t import_slice_all(struct import_file *file, size_t *cursor,
                        struct import_row *out[IMPORT_SLICE_ROWS])
{
    size_t count = 0;

    while (*cursor < file->row_count && count < IMPORT_SLICE_ROWS)
        out[count++] = &file->rows[(*cursor)++];
    return count;
}

size_t import_slice(struct import_file *file, size_t *cursor, enum import_change least,
                    struct import_row *out[IMPORT_SLICE_ROWS])
{
    size_t count = 0;

    if (*cursor < file->part_first)
        *cursor = file->part_first;
    while (*cursor < file->part_end && count < IMPORT_SLICE_ROWS) {
        struct import_row *row = &file->rows[(*cursor)++];

        if (!row->bad && row->change >= least)
            out[count++] = row;
    }
    return count;
}

void import_texts(struct db_query *query, struct import_row *const *rows, size_t count,
                  struct str (*value)(const struct import_row *row))
{
    struct str texts[IMPORT_SLICE_ROWS];

    must(count <= IMPORT_SLICE_ROWS);
    for (size_t i = 0; i < count; i++) {
        texts[i] = value(rows[i]);
        if (texts[i].len == 0 || utf8_valid_len(texts[i]) < texts[i].len ||
            memchr(texts[i].data, '\0', texts[i].len) != NULL)
            texts[i] = STR("");
    }
    db_text_array(query, texts, count);
}
