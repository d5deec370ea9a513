/* gateway_export_words: data about a person as words. What has no word is shown as it is. */
#include <stdio.h>

#include "gateway/gateway_export.h"

enum { DEPTH_MAX = 8, FIELD_VALUE_MAX = 64 };

static const struct word {
    const char *name, *ja, *en;
} words[] = {
#define WORD(name, ja, en) {name, ja, en},
#include "gateway/gateway_export_words.def"
#undef WORD
};

const char *export_word(struct str name, bool english)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq_c(name, words[i].name))
            return english ? words[i].en : words[i].ja;
    }
    return NULL;
}

void export_html_text(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case '&':
            buf_add_c(out, "&amp;");
            break;
        case '<':
            buf_add_c(out, "&lt;");
            break;
        case '>':
            buf_add_c(out, "&gt;");
            break;
        case '"':
            buf_add_c(out, "&quot;");
            break;
        default:
            buf_add_char(out, text.data[i]);
        }
    }
}

/* Half units are shown as units. */
static void put_number(struct buf *out, struct str name, json_int_t number)
{
    struct str tail = STR("half_units");
    bool units = name.len >= tail.len &&
                 str_eq((struct str){name.data + name.len - tail.len, tail.len}, tail);

    if (units)
        buf_printf(out, "%lld%s", (long long)number / 2, number % 2 != 0 ? ".5" : "");
    else
        buf_printf(out, "%lld", (long long)number);
}

/* "stage:done" is another word than "done". */
static const char *value_word(struct str name, struct str value, bool english)
{
    char key[FIELD_VALUE_MAX];
    const char *word = NULL;

    if (name.len + value.len + sizeof(":") <= sizeof(key)) {
        (void)snprintf(key, sizeof(key), "%.*s:%.*s", STR_ARG(name), STR_ARG(value));
        word = export_word(str_of(key), english);
    }
    return word != NULL ? word : export_word(value, english);
}

static void put_text(struct buf *out, struct str name, const json_t *value, bool english)
{
    struct str text = {json_string_value(value), json_string_length(value)};
    const char *word = value_word(name, text, english);

    export_html_text(out, word != NULL ? str_of(word) : text);
}

static void put_value(struct buf *out, struct str name, const json_t *value, bool english,
                      int depth);

static void put_object(struct buf *out, const json_t *value, bool english, int depth)
{
    const char *name;
    json_t *member;

    buf_add_c(out, "<dl>");
    json_object_foreach((json_t *)value, name, member)
    {
        const char *word = export_word(str_of(name), english);

        buf_add_c(out, "<dt>");
        export_html_text(out, str_of(word != NULL ? word : name));
        buf_add_c(out, "</dt><dd>");
        put_value(out, str_of(name), member, english, depth + 1);
        buf_add_c(out, "</dd>");
    }
    buf_add_c(out, "</dl>");
}

static void put_list(struct buf *out, struct str name, const json_t *value, bool english, int depth)
{
    json_t *item;
    size_t i;

    buf_add_c(out, "<ol>");
    json_array_foreach(value, i, item)
    {
        buf_add_c(out, "<li>");
        put_value(out, name, item, english, depth + 1);
        buf_add_c(out, "</li>");
    }
    buf_add_c(out, "</ol>");
}

static void put_value(struct buf *out, struct str name, const json_t *value, bool english,
                      int depth)
{
    must(depth <= DEPTH_MAX); /* our own views are flatter */
    if (json_is_object(value))
        put_object(out, value, english, depth);
    else if (json_is_array(value))
        put_list(out, name, value, english, depth);
    else if (json_is_string(value))
        put_text(out, name, value, english);
    else if (json_is_integer(value))
        put_number(out, name, json_integer_value(value));
    else if (json_is_boolean(value))
        buf_add_c(out, export_word(json_is_true(value) ? STR("yes") : STR("no"), english));
}

void export_html(struct buf *out, const json_t *value, bool english)
{
    put_value(out, STR(""), value, english, 0);
}
