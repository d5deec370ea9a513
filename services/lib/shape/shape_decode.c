/*
 * From JSON to structs. Problems are collected, with the JSON pointer of each place.
 */
#include <string.h>

#include "shape/shape_private.h"

/* The way from the document's root to a value. */
struct place {
    const struct place *above;
    const char *name; /* NULL: `index` of a list */
    size_t index;
};

struct decoder {
    struct arena *arena;
    struct body_problem *problems;
    size_t max;
    size_t count;
    bool copy; /* texts into the arena */
};

static const char *pointer_of(struct arena *arena, const struct place *place)
{
    struct buf text = {0};
    const struct place *places[SHAPE_DEPTH_MAX + 2];
    size_t depth = 0;

    for (; place->above != NULL && depth < ARRAY_LEN(places); place = place->above)
        places[depth++] = place;
    while (depth > 0) {
        const struct place *at = places[--depth];

        buf_add_char(&text, '/');
        if (at->name == NULL) {
            buf_printf(&text, "%zu", at->index);
            continue;
        }
        for (const char *c = at->name; *c != '\0'; c++) {
            if (*c == '~' || *c == '/')
                buf_add_c(&text, *c == '~' ? "~0" : "~1");
            else
                buf_add_char(&text, *c);
        }
    }
    struct str view = buf_str(&text);

    if (view.len > SHAPE_POINTER_BYTES_MAX) { /* only an unknown field is so long */
        view.len = SHAPE_POINTER_BYTES_MAX;
        while (view.len > 0 && ((unsigned char)view.data[view.len] & 0xC0) == 0x80)
            view.len--;
    }
    const char *copy = arena_str(arena, view).data;

    buf_free(&text);
    return copy == NULL ? "" : copy;
}

static void complain(struct decoder *decoder, const struct place *place, enum code code,
                     const struct shape_field *field)
{
    if (decoder->count++ >= decoder->max)
        return;
    struct body_problem *problem = &decoder->problems[decoder->count - 1];

    *problem = (struct body_problem){.code = code, .pointer = pointer_of(decoder->arena, place)};
    shape_param(decoder->arena, problem, "field",
                problem->pointer[0] == '/' ? problem->pointer + 1 : "body");
    if (field != NULL)
        shape_explain(decoder->arena, field, code, problem);
}

static void decode_object(struct decoder *decoder, const struct shape *shape, json_t *json,
                          char *out, const struct place *place);

static void set_absent(const struct shape_field *field, char *value)
{
    /* Everything else is zero already. */
    if (field->type == SHAPE_DAY)
        *(day_t *)(void *)value = DAY_NONE;
    else if (field->type == SHAPE_TIME)
        *(int64_t *)(void *)value = INT64_MIN;
}

static enum code decode_text(struct decoder *decoder, const struct shape_field *field, json_t *json,
                             char *value)
{
    const struct str text = {json_string_value(json), json_string_length(json)};
    enum code code = CODE_NONE;

    switch (field->type) {
    case SHAPE_TEXT:
        code = shape_check_text(field, text);
        if (code == CODE_NONE)
            *(struct str *)(void *)value =
                decoder->copy
                    ? (struct str){arena_copy(decoder->arena, text.data, text.len + 1), text.len}
                    : text;
        break;
    case SHAPE_UUID:
        code = uuid_parse(text, (struct uuid *)(void *)value) ? CODE_NONE : CODE_FIELD_FORMAT;
        break;
    case SHAPE_DAY:
        *(day_t *)(void *)value = day_parse(text);
        code = *(day_t *)(void *)value == DAY_NONE ? CODE_FIELD_FORMAT : CODE_NONE;
        break;
    case SHAPE_TIME:
        code = time_parse(text, (int64_t *)(void *)value) ? CODE_NONE : CODE_FIELD_FORMAT;
        break;
    case SHAPE_INT:
    case SHAPE_BOOL:
    case SHAPE_OBJECT:
    case SHAPE_LIST:
    case SHAPE_JSON:
        must(false);
    }
    return code;
}

static enum code decode_int(const struct shape_field *field, json_t *json, char *value)
{
    const int64_t number = json_integer_value(json);

    if (number < field->least || number > field->most)
        return CODE_FIELD_RANGE;
    *(int64_t *)(void *)value = number;
    return CODE_NONE;
}

/* An object of texts under free names. */
static void check_members(struct decoder *decoder, const struct shape_field *field, json_t *json,
                          const struct place *place)
{
    const char *name;
    json_t *member;

    json_object_foreach(json, name, member)
    {
        const struct place at = {place, name, 0};

        if (!json_is_string(member)) {
            complain(decoder, &at, CODE_FIELD_TYPE, field->item);
            continue;
        }
        const enum code code = shape_check_text(
            field->item, (struct str){json_string_value(member), json_string_length(member)});

        if (code != CODE_NONE)
            complain(decoder, &at, code, field->item);
    }
}

static enum code decode_json(struct decoder *decoder, const struct shape_field *field, json_t *json,
                             char *value, const struct place *place)
{
    if ((int64_t)json_object_size(json) > field->most)
        return CODE_FIELD_TOO_LONG;
    if (field->item != NULL)
        check_members(decoder, field, json, place);
    *(json_t **)(void *)value = json;
    return CODE_NONE;
}

static bool has_type(const struct shape_field *field, const json_t *json)
{
    switch (field->type) {
    case SHAPE_TEXT:
    case SHAPE_UUID:
    case SHAPE_DAY:
    case SHAPE_TIME:
        return json_is_string(json);
    case SHAPE_INT:
        return json_is_integer(json);
    case SHAPE_BOOL:
        return json_is_boolean(json);
    case SHAPE_OBJECT:
    case SHAPE_JSON:
        return json_is_object(json);
    case SHAPE_LIST:
        return json_is_array(json);
    }
    must(false);
    return false;
}

static enum code decode_list(struct decoder *decoder, const struct shape_field *field, json_t *json,
                             char *out, const struct place *place);

/* `value` is where the value belongs, `beside` where its count or bool is (NULL in lists). */
static void decode_value(struct decoder *decoder, const struct shape_field *field, json_t *json,
                         char *out, char *value, const struct place *place)
{
    enum code code = CODE_NONE;

    if (!has_type(field, json)) {
        complain(decoder, place, CODE_FIELD_TYPE, field);
        return;
    }
    switch (field->type) {
    case SHAPE_TEXT:
    case SHAPE_UUID:
    case SHAPE_DAY:
    case SHAPE_TIME:
        code = decode_text(decoder, field, json, value);
        break;
    case SHAPE_INT:
        code = decode_int(field, json, value);
        break;
    case SHAPE_BOOL:
        *(bool *)(void *)value = json_is_true(json);
        break;
    case SHAPE_OBJECT:
        if ((field->flags & SHAPE_POINTER) != 0) {
            char *made = arena_alloc(decoder->arena, field->object->bytes);

            *(void **)(void *)value = made;
            value = made;
        }
        decode_object(decoder, field->object, json, value, place);
        break;
    case SHAPE_LIST:
        code = decode_list(decoder, field, json, out, place);
        break;
    case SHAPE_JSON:
        code = decode_json(decoder, field, json, value, place);
        break;
    }
    if (code != CODE_NONE)
        complain(decoder, place, code, field);
    else if ((field->flags & SHAPE_HAS) != 0)
        *(bool *)(void *)(out + field->beside) = true;
}

static enum code decode_list(struct decoder *decoder, const struct shape_field *field, json_t *json,
                             char *out, const struct place *place)
{
    const size_t count = json_array_size(json);

    if ((int64_t)count > field->most)
        return CODE_FIELD_TOO_LONG;
    if ((int64_t)count < field->least)
        return CODE_FIELD_TOO_SHORT;
    char *items = arena_alloc(decoder->arena, field->item_bytes * (count == 0 ? 1 : count));

    for (size_t i = 0; i < count; i++) {
        const struct place at = {place, NULL, i};
        char *item = items + i * field->item_bytes;

        decode_value(decoder, field->item, json_array_get(json, i), item, item, &at);
    }
    *(void **)(void *)(out + field->offset) = items;
    *(size_t *)(void *)(out + field->beside) = count;
    return CODE_NONE;
}

static const struct shape_field *field_named(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (strcmp(shape->fields[i].name, name) == 0)
            return &shape->fields[i];
    }
    return NULL;
}

static void check_rules(struct decoder *decoder, const struct shape *shape, const char *out,
                        const struct place *place)
{
    for (size_t i = 0; i < shape->rule_count; i++) {
        const struct shape_rule *rule = &shape->rules[i];
        const struct shape_field *left = &shape->fields[rule->left];
        const struct shape_field *right = &shape->fields[rule->right];
        const size_t left_count = *(const size_t *)(const void *)(out + left->beside);
        const size_t right_count = *(const size_t *)(const void *)(out + right->beside);
        const struct place at = {place, left->name, 0};

        if (left_count != right_count)
            complain(decoder, &at, CODE_FIELD_RANGE, NULL);
    }
}

static void decode_object(struct decoder *decoder, const struct shape *shape, json_t *json,
                          char *out, const struct place *place)
{
    const size_t before = decoder->count;
    const char *name;
    json_t *member;

    for (size_t i = 0; i < shape->count; i++) {
        const struct shape_field *field = &shape->fields[i];
        const struct place at = {place, field->name, 0};
        char *value = out + field->offset;

        member = json_object_get(json, field->name);
        set_absent(field, value);
        if (member == NULL) {
            if ((field->flags & SHAPE_REQUIRED) != 0)
                complain(decoder, &at, CODE_FIELD_MISSING, NULL);
        } else if (!json_is_null(member) || (field->flags & SHAPE_NULLABLE) == 0) {
            decode_value(decoder, field, member, out, value, &at);
        }
    }
    if (shape->closed) {
        json_object_foreach(json, name, member)
        {
            const struct place at = {place, name, 0};

            if (field_named(shape, name) == NULL)
                complain(decoder, &at, CODE_UNKNOWN_FIELD, NULL);
        }
    }
    if (decoder->count == before)
        check_rules(decoder, shape, out, place);
}

enum err shape_decode(struct arena *arena, const struct shape *shape, json_t *json, void *out,
                      struct body_problem *problems, size_t problems_max, size_t *ret_count)
{
    const struct place root = {NULL, NULL, 0};
    const struct shape_field whole = {.name = "", .type = SHAPE_OBJECT};
    struct decoder decoder = {arena, problems, problems_max, 0, shape->closed};

    memset(out, 0, shape->bytes);
    if (!json_is_object(json))
        complain(&decoder, &root, CODE_FIELD_TYPE, &whole);
    else
        decode_object(&decoder, shape, json, out, &root);
    *ret_count = decoder.count;
    return decoder.count == 0 ? ERR_OK : ERR_SCHEMA;
}

enum err shape_decode_event(struct arena *arena, const struct shape *shape, json_t *json, void *out,
                            struct err_note *note)
{
    struct body_problem problem;
    size_t count;
    const enum err err = shape_decode(arena, shape, json, out, &problem, 1, &count);

    if (err != ERR_OK)
        return err_say(note, err, "%s: %s at '%s', %zu in all", shape->name,
                       code_name(problem.code), problem.pointer, count);
    return ERR_OK;
}
