/*
 * Every event, by its own schema: the examples come back unchanged, and each limit that the schema
 * names is really checked. The schemas are read here on their own, not through the generated
 * tables.
 */
#include <string.h>

#include "gen/events.h"
#include "lib/test.h"

struct codec {
    const char *type;
    enum err (*trip)(struct arena *arena, json_t *data, json_t **ret_again, struct err_note *note);
};

/* Decode, then encode again when that worked. */
#define TRIP(name, type)                                                                           \
    static enum err name##_trip(struct arena *arena, json_t *data, json_t **ret_again,             \
                                struct err_note *note)                                             \
    {                                                                                              \
        struct name event;                                                                         \
        const enum err err = name##_decode(arena, data, &event, note);                             \
                                                                                                   \
        *ret_again = err == ERR_OK ? name##_encode(&event) : NULL;                                 \
        return err;                                                                                \
    }
EVENTS(TRIP)
#undef TRIP

#define CODEC(name, type) {type, name##_trip},
static const struct codec codecs[] = {EVENTS(CODEC)};
#undef CODEC

static json_t *schema_of(const struct codec *codec)
{
    char path[512];
    json_error_t error;

    (void)snprintf(path, sizeof(path), "%s/proto/events/%s.schema.json", TEST_SOURCE_DIR,
                   codec->type);
    json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    assert_non_null(schema);
    return schema;
}

static enum err try_once(const struct codec *codec, json_t *data, struct err_note *note)
{
    struct arena *arena = arena_new();
    json_t *again = NULL;
    const enum err err = codec->trip(arena, data, &again, note);

    json_decref(again);
    arena_free(arena);
    return err;
}

static void examples_come_back_unchanged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        json_t *schema = schema_of(&codecs[i]);
        json_t *example;
        size_t index;

        json_array_foreach(json_object_get(schema, "examples"), index, example)
        {
            struct arena *arena = arena_new();
            struct err_note note = {""};
            json_t *again = NULL;

            if (codecs[i].trip(arena, example, &again, &note) != ERR_OK)
                fail_msg("%s: %s", codecs[i].type, note.text);
            if (!json_equal(example, again))
                fail_msg("%s: %s", codecs[i].type, json_dumps(again, 0));
            json_decref(again);
            arena_free(arena);
        }
        json_decref(schema);
    }
}

static json_t *text_of_length(json_int_t length)
{
    char text[1024];

    assert_true(length < (json_int_t)sizeof(text));
    memset(text, 'a', (size_t)length);
    return json_stringn(text, (size_t)length);
}

static bool allows_null(json_t *schema)
{
    json_t *type = json_object_get(schema, "type");
    size_t index;
    json_t *one;

    json_array_foreach(type, index, one)
    {
        if (strcmp(json_string_value(one), "null") == 0)
            return true;
    }
    return false;
}

static bool has_type(json_t *schema, const char *wanted)
{
    json_t *type = json_object_get(schema, "type");

    if (json_is_array(type))
        type = json_array_get(type, 0);
    return strcmp(json_string_value(type), wanted) == 0;
}

/* `data` holds `bad` in place of a good value: has to be refused, naming the field. */
static void refused(const struct codec *codec, json_t *data, const char *field, const char *how)
{
    struct err_note note = {""};

    if (try_once(codec, data, &note) != ERR_SCHEMA)
        fail_msg("%s: %s %s was taken", codec->type, field, how);
    if (strstr(note.text, field) == NULL)
        fail_msg("%s: %s %s: note '%s'", codec->type, field, how, note.text);
}

static void replace(const struct codec *codec, json_t *data, json_t *object, const char *field,
                    json_t *bad, const char *how)
{
    json_t *good = json_incref(json_object_get(object, field));

    assert_int_equal(json_object_set_new(object, field, bad), 0);
    refused(codec, data, field, how);
    assert_int_equal(json_object_set_new(object, field, good), 0);
}

static void check_text(const struct codec *codec, json_t *data, json_t *object, const char *field,
                       json_t *schema)
{
    json_t *most = json_object_get(schema, "maxLength");
    json_t *least = json_object_get(schema, "minLength");

    replace(codec, data, object, field, json_integer(1), "as a number");
    if (json_object_get(schema, "enum") != NULL || json_object_get(schema, "format") != NULL)
        replace(codec, data, object, field, json_string("neither"), "with a foreign text");
    else
        replace(codec, data, object, field, text_of_length(json_integer_value(most) + 1),
                "too long");
    if (json_integer_value(least) > 0)
        replace(codec, data, object, field, json_string(""), "empty");
}

static void check_number(const struct codec *codec, json_t *data, json_t *object, const char *field,
                         json_t *schema)
{
    const json_int_t least = json_integer_value(json_object_get(schema, "minimum"));
    const json_int_t most = json_integer_value(json_object_get(schema, "maximum"));

    replace(codec, data, object, field, json_integer(least - 1), "too small");
    replace(codec, data, object, field, json_integer(most + 1), "too large");
    replace(codec, data, object, field, json_real(1.0), "as a real");
    replace(codec, data, object, field, json_string("1"), "as a text");
}

static void check_object(const struct codec *codec, json_t *data, json_t *object, json_t *schema);

static void check_list(const struct codec *codec, json_t *data, json_t *object, const char *field,
                       json_t *schema)
{
    json_t *good = json_object_get(object, field);
    json_t *items = json_object_get(schema, "items");
    json_t *long_list = json_array();
    const json_int_t most = json_integer_value(json_object_get(schema, "maxItems"));

    replace(codec, data, object, field, json_object(), "as an object");
    if (json_array_size(good) == 0) {
        json_decref(long_list);
        return;
    }
    for (json_int_t i = 0; i <= most; i++)
        assert_int_equal(json_array_append(long_list, json_array_get(good, 0)), 0);
    replace(codec, data, object, field, long_list, "too long");
    if (has_type(items, "object"))
        check_object(codec, data, json_array_get(good, 0), items);
    json_t *first = json_incref(json_array_get(good, 0));

    assert_int_equal(json_array_set_new(good, 0, json_null()), 0);
    refused(codec, data, field, "holding null");
    assert_int_equal(json_array_set_new(good, 0, first), 0);
}

static bool is_required(json_t *schema, const char *field)
{
    size_t index;
    json_t *name;

    json_array_foreach(json_object_get(schema, "required"), index, name)
    {
        if (strcmp(json_string_value(name), field) == 0)
            return true;
    }
    return false;
}

static void check_field(const struct codec *codec, json_t *data, json_t *object, const char *field,
                        json_t *schema)
{
    if (!allows_null(schema))
        replace(codec, data, object, field, json_null(), "as null");
    if (json_is_null(json_object_get(object, field)))
        return;
    if (has_type(schema, "string"))
        check_text(codec, data, object, field, schema);
    else if (has_type(schema, "integer"))
        check_number(codec, data, object, field, schema);
    else if (has_type(schema, "array"))
        check_list(codec, data, object, field, schema);
    else if (has_type(schema, "boolean"))
        replace(codec, data, object, field, json_integer(1), "as a number");
    else if (json_object_get(schema, "properties") != NULL)
        check_object(codec, data, json_object_get(object, field), schema);
    else
        replace(codec, data, object, field, json_array(), "as a list");
}

static void check_object(const struct codec *codec, json_t *data, json_t *object, json_t *schema)
{
    const char *field;
    json_t *member;

    json_object_foreach(json_object_get(schema, "properties"), field, member)
    {
        json_t *good = json_incref(json_object_get(object, field));

        if (good == NULL)
            continue;
        check_field(codec, data, object, field, member);
        json_object_del(object, field);
        if (is_required(schema, field))
            refused(codec, data, field, "left out");
        else
            assert_int_equal(try_once(codec, data, NULL), ERR_OK);
        json_object_set_new(object, field, good);
    }
    json_object_set_new(object, "of_a_later_version", json_string("?"));
    assert_int_equal(try_once(codec, data, NULL), ERR_OK);
    json_object_del(object, "of_a_later_version");
    assert_int_equal(try_once(codec, data, NULL), ERR_OK);
}

static void every_limit_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        json_t *schema = schema_of(&codecs[i]);
        json_t *example;
        size_t index;

        json_array_foreach(json_object_get(schema, "examples"), index, example)
        {
            json_t *data = json_deep_copy(example);

            check_object(&codecs[i], data, data, schema);
            json_decref(data);
        }
        json_decref(schema);
    }
}

static const struct codec *codec_of(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        if (strcmp(codecs[i].type, type) == 0)
            return &codecs[i];
    }
    fail_msg("no %s", type);
    return NULL;
}

static void parallel_lists_fit_each_other(void **state)
{
    const struct codec *codec = codec_of(EVENT_ROW_FIX);
    json_t *schema = schema_of(codec);
    json_t *data = json_deep_copy(json_array_get(json_object_get(schema, "examples"), 0));

    (void)state;
    assert_int_equal(try_once(codec, data, NULL), ERR_OK);
    json_array_append_new(json_object_get(data, "values"), json_string("OPL-S"));
    assert_int_equal(try_once(codec, data, NULL), ERR_SCHEMA);
    json_array_append_new(json_object_get(data, "columns"), json_string("kind"));
    assert_int_equal(try_once(codec, data, NULL), ERR_OK);
    json_array_append_new(json_object_get(data, "columns"), json_string("units"));
    assert_int_equal(try_once(codec, data, NULL), ERR_SCHEMA);
    json_decref(data);
    json_decref(schema);
}

static void texts_are_counted_in_characters(void **state)
{
    const struct codec *codec = codec_of(EVENT_SEMINAR_STATE);
    json_t *schema = schema_of(codec);
    json_t *data = json_deep_copy(json_array_get(json_object_get(schema, "examples"), 0));
    char title[200 * 3 + 4] = "";

    (void)state;
    for (size_t i = 0; i < 200; i++)
        memcpy(title + i * 3, "研", 3);
    json_object_set_new(data, "title", json_string(title));
    assert_int_equal(try_once(codec, data, NULL), ERR_OK);
    memcpy(title + 600, "研", 4);
    json_object_set_new(data, "title", json_string(title));
    refused(codec, data, "title", "of 201 characters");
    json_decref(data);
    json_decref(schema);
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        json_t *list = json_array();

        assert_int_equal(try_once(&codecs[i], list, NULL), ERR_SCHEMA);
        json_decref(list);
    }
}

static void values_arrive_in_their_types(void **state)
{
    const struct codec *codec = codec_of(EVENT_LINK_ISSUED);
    struct arena *arena = arena_new();
    json_t *schema = schema_of(codec);
    struct event_link_issued link;
    struct event_account_state account;
    struct uuid wanted;

    (void)state;
    assert_int_equal(
        event_link_issued_decode(arena, json_array_get(json_object_get(schema, "examples"), 0),
                                 &link, NULL),
        ERR_OK);
    assert_true(uuid_parse(STR("0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e06"), &wanted));
    assert_true(uuid_eq(link.link_id, wanted));
    assert_true(str_eq_c(link.purpose, "password_reset"));
    assert_true(link.expires_at == INT64_C(1795318200000000));
    json_decref(schema);

    schema = schema_of(codec_of(EVENT_ACCOUNT_STATE));
    json_t *examples = json_object_get(schema, "examples");

    assert_int_equal(event_account_state_decode(arena, json_array_get(examples, 0), &account, NULL),
                     ERR_OK);
    assert_true(account.has_doctor_id && account.doctor_id == 41 && account.email_confirmed);
    assert_null(account.l2_code.data);
    assert_int_equal(event_account_state_decode(arena, json_array_get(examples, 1), &account, NULL),
                     ERR_OK);
    assert_false(account.has_doctor_id);
    assert_true(str_eq_c(account.l2_code, "40"));
    json_decref(schema);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_come_back_unchanged),
        cmocka_unit_test(every_limit_is_checked),
        cmocka_unit_test(parallel_lists_fit_each_other),
        cmocka_unit_test(texts_are_counted_in_characters),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(values_arrive_in_their_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
