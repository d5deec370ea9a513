/*
 * From structs to JSON.
 */
#include <stdlib.h>

#include "shape/shape_private.h"

static json_t *encode_list(const struct shape_field *field, const char *out);

static json_t *text_of(struct str text)
{
    json_t *json = json_stringn(text.data == NULL ? "" : text.data, text.len);

    must(json != NULL); /* what comes in is checked to be UTF-8 */
    return json;
}

/* NULL when there is no value. */
static json_t *encode_value(const struct shape_field *field, const char *out, const char *value)
{
    char text[CLOCK_TEXT_BYTES];

    if ((field->flags & SHAPE_HAS) != 0 && !*(const bool *)(const void *)(out + field->beside))
        return NULL;
    switch (field->type) {
    case SHAPE_TEXT: {
        const struct str view = *(const struct str *)(const void *)value;

        if (view.data == NULL &&
            (field->flags & (SHAPE_REQUIRED | SHAPE_NULLABLE)) != SHAPE_REQUIRED)
            return NULL;
        return text_of(view);
    }
    case SHAPE_UUID:
        uuid_format(*(const struct uuid *)(const void *)value, text);
        return json_string(text);
    case SHAPE_DAY:
        if (*(const day_t *)(const void *)value == DAY_NONE)
            return NULL;
        day_format(*(const day_t *)(const void *)value, text);
        return json_string(text);
    case SHAPE_TIME:
        if (*(const int64_t *)(const void *)value == INT64_MIN)
            return NULL;
        time_format(*(const int64_t *)(const void *)value, text);
        return json_string(text);
    case SHAPE_INT:
        return json_integer(*(const int64_t *)(const void *)value);
    case SHAPE_BOOL:
        return json_boolean(*(const bool *)(const void *)value);
    case SHAPE_OBJECT:
        if ((field->flags & SHAPE_POINTER) != 0)
            value = *(const char *const *)(const void *)value;
        return value == NULL ? NULL : shape_encode(field->object, value);
    case SHAPE_LIST:
        return encode_list(field, out);
    case SHAPE_JSON:
        return json_incref(*(json_t *const *)(const void *)value);
    }
    must(false);
    return NULL;
}

static json_t *encode_list(const struct shape_field *field, const char *out)
{
    const char *items = *(const char *const *)(const void *)(out + field->offset);
    const size_t count = *(const size_t *)(const void *)(out + field->beside);
    json_t *list;

    if (count == 0 && (field->flags & SHAPE_REQUIRED) == 0)
        return NULL;
    list = json_array();
    must(list != NULL);
    for (size_t i = 0; i < count; i++) {
        const char *item = items + i * field->item_bytes;
        json_t *made = encode_value(field->item, item, item);

        must(json_array_append_new(list, made == NULL ? json_null() : made) == 0);
    }
    return list;
}

json_t *shape_encode(const struct shape *shape, const void *value)
{
    json_t *json = json_object();

    must(json != NULL);
    for (size_t i = 0; i < shape->count; i++) {
        const struct shape_field *field = &shape->fields[i];
        json_t *member = encode_value(field, value, (const char *)value + field->offset);

        if (member == NULL && (field->flags & SHAPE_REQUIRED) != 0) {
            must((field->flags & SHAPE_NULLABLE) != 0); /* a required value was forgotten */
            member = json_null();
        }
        if (member != NULL)
            must(json_object_set_new(json, field->name, member) == 0);
    }
    return json;
}

struct str shape_print(struct arena *arena, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    struct str copy;

    must(text != NULL);
    copy = arena_str(arena, str_of(text));
    free(text);
    json_decref(json);
    return copy;
}
