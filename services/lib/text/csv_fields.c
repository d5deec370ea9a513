/* csv_fields: the fields of one row, and fields of rows to come. */
#include <string.h>

#include "text/csv.h"

struct csv_fields csv_fields_of(struct str row, char delimiter)
{
    return (struct csv_fields){row, delimiter, true};
}

/* Length of a quoted field with its quotes and what follows them; sets what `field` says of it. */
static size_t quoted_len(struct str rest, char delimiter, struct csv_field *field)
{
    size_t at = 1;

    field->quoted = true;
    field->with_quotes = false;
    for (;;) {
        const char *quote = at < rest.len ? memchr(rest.data + at, '"', rest.len - at) : NULL;

        if (quote == NULL) { /* never closed: a row that a scan does not give */
            field->text = (struct str){rest.data + 1, rest.len - 1};
            field->with_quotes = false;
            return rest.len;
        }
        at = (size_t)(quote - rest.data) + 1;
        if (at == rest.len || rest.data[at] != '"')
            break;
        field->with_quotes = true;
        at++;
    }
    const char *end = at < rest.len ? memchr(rest.data + at, delimiter, rest.len - at) : NULL;
    const size_t len = end == NULL ? rest.len : (size_t)(end - rest.data);

    if (len > at)
        field->with_quotes = true;
    field->text =
        field->with_quotes ? (struct str){rest.data, len} : (struct str){rest.data + 1, at - 2};
    return len;
}

bool csv_fields_next(struct csv_fields *fields, struct csv_field *ret_field)
{
    struct str *rest = &fields->rest;
    size_t len = 0;

    if (!fields->more)
        return false;
    if (rest->len > 0 && rest->data[0] == '"') {
        len = quoted_len(*rest, fields->delimiter, ret_field);
    } else {
        while (len < rest->len && rest->data[len] != fields->delimiter)
            len++;
        *ret_field = (struct csv_field){{rest->data, len}, false, false};
    }
    fields->more = len < rest->len;
    if (fields->more)
        len++;
    rest->data += len;
    rest->len -= len;
    return true;
}

struct str csv_field_text(struct arena *arena, const struct csv_field *field)
{
    const struct str text = field->text;
    size_t used = 0;
    bool quoted = true;
    char *out;

    if (!field->with_quotes)
        return text;
    out = arena_alloc(arena, text.len);
    for (size_t at = 1; at < text.len; at++) {
        if (quoted && text.data[at] == '"') {
            if (at + 1 < text.len && text.data[at + 1] == '"')
                at++;
            else
                quoted = false;
            if (!quoted)
                continue;
        }
        out[used++] = text.data[at];
    }
    return (struct str){out, used};
}

void csv_put(struct buf *out, struct str text)
{
    bool quote = false;

    for (size_t i = 0; i < text.len && !quote; i++)
        quote = text.data[i] == ',' || text.data[i] == '"' || text.data[i] == '\n' ||
                text.data[i] == '\r';
    if (!quote) {
        buf_add_str(out, text);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, text.data[i]);
    }
    buf_add_char(out, '"');
}

void csv_put_safe(struct buf *out, struct str text)
{
    const uint8_t first = text.len > 0 ? (uint8_t)text.data[0] : 'x';
    struct buf escaped = {0};

    if (first != '=' && first != '+' && first != '-' && first != '@' && first >= ' ' &&
        first != 0x7F) {
        csv_put(out, text);
        return;
    }
    buf_add_char(&escaped, '\'');
    buf_add_str(&escaped, text);
    csv_put(out, buf_str(&escaped));
    buf_free(&escaped);
}
