/* procedure_wish: the fields that a procedure may change, one list of them. */
#include <stddef.h>

#include "registration/procedure.h"
#include "shape/shape.h"

#define FIELD(name, member)                                                                        \
    {                                                                                              \
        (name), offsetof(struct wishes, member)                                                    \
    }
const struct wish_field wish_fields[] = {
    FIELD("category_l1", category[1]),
    FIELD("category_l2", category[2]),
    FIELD("category_l3", category[3]),
    FIELD("name", name),
    FIELD("name_kana", name_kana),
    FIELD("former_name", former_name),
    FIELD("former_name_kana", former_name_kana),
    FIELD("workplace_name", workplace_name),
    FIELD("workplace_postcode", workplace_postcode),
    FIELD("workplace_address", workplace_address),
    FIELD("phone", phone),
    {NULL, 0},
};
#undef FIELD

struct str wish_of(const struct wishes *wishes, const struct wish_field *field)
{
    return *(const struct str *)(const void *)((const char *)wishes + field->offset);
}

static struct str *place_of(struct wishes *wishes, const struct wish_field *field)
{
    return (struct str *)(void *)((char *)wishes + field->offset);
}

struct str wish_present(const struct record *record, const struct standing *standing,
                        const struct wish_field *field)
{
    const struct profile *profile = &record->person.profile;
    const struct wishes present = {
        .category =
            {[1] = standing->category[1], [2] = standing->category[2], [3] = standing->category[3]},
        .name = profile->name,
        .name_kana = profile->name_kana,
        .former_name = profile->former_name,
        .former_name_kana = profile->former_name_kana,
        .workplace_name = profile->workplace_name,
        .workplace_postcode = profile->workplace_postcode,
        .workplace_address = profile->workplace_address,
        .phone = profile->phone,
    };

    return wish_of(&present, field);
}

static void put(json_t *json, const char *name, struct str value)
{
    must(json_object_set_new(json, name,
                             json_stringn(value.data == NULL ? "" : value.data, value.len)) == 0);
}

struct str wishes_asked(struct arena *arena, const struct wishes *wishes)
{
    json_t *json = json_object();

    for (const struct wish_field *field = wish_fields; field->name != NULL; field++) {
        if (wish_of(wishes, field).data != NULL)
            put(json, field->name, wish_of(wishes, field));
    }
    return shape_print(arena, json);
}

struct str wishes_before(struct arena *arena, const struct wishes *wishes,
                         const struct record *record, const struct standing *standing)
{
    json_t *json = json_object();

    for (const struct wish_field *field = wish_fields; field->name != NULL; field++) {
        if (wish_of(wishes, field).data != NULL)
            put(json, field->name, wish_present(record, standing, field));
    }
    return shape_print(arena, json);
}

void wishes_read(struct arena *arena, struct str json, struct wishes *ret)
{
    json_t *root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);

    *ret = (struct wishes){0};
    must(json_is_object(root)); /* we wrote it */
    for (const struct wish_field *field = wish_fields; field->name != NULL; field++) {
        const json_t *value = json_object_get(root, field->name);

        if (json_is_string(value))
            *place_of(ret, field) =
                arena_str(arena, (struct str){json_string_value(value), json_string_length(value)});
    }
    json_decref(root);
}

void wishes_merge(struct wishes *wishes, const struct wishes *later)
{
    for (const struct wish_field *field = wish_fields; field->name != NULL; field++) {
        if (wish_of(later, field).data != NULL)
            *place_of(wishes, field) = wish_of(later, field);
    }
}
