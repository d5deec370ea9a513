/*
 * db_array: array parameters in PostgreSQL's binary form: a header, then for each element its
 * length and its bytes. One pass and one piece of memory, since thousands of rows come this way.
 */
#include <endian.h>
#include <string.h>

#include "db/db_private.h"

enum { LENGTH_BYTES = 4, HEAD_BYTES = 20, HEAD_BYTES_EMPTY = 12, ELEMENTS_MAX = 10 * 1000 * 1000 };

static char *put_u32(char *at, uint32_t value)
{
    uint32_t wire = htobe32(value);

    memcpy(at, &wire, sizeof(wire));
    return at + sizeof(wire);
}

static char *put_u64(char *at, uint64_t value)
{
    uint64_t wire = htobe64(value);

    memcpy(at, &wire, sizeof(wire));
    return at + sizeof(wire);
}

static char *put_null(char *at)
{
    return put_u32(at, UINT32_MAX);
}

/*
 * Add the parameter with room for `count` lengths and `body_bytes` of values; the caller fills it
 * from the place that is returned. An empty array has no dimension and no place.
 */
static char *array_param(struct db_query *query, enum db_type array, enum db_type element,
                         size_t count, size_t body_bytes, bool nulls)
{
    size_t size = HEAD_BYTES_EMPTY;
    char *wire;
    char *at;

    must(count <= ELEMENTS_MAX && body_bytes <= DB_PARAM_BYTES_MAX);
    if (count > 0)
        size = HEAD_BYTES + count * LENGTH_BYTES + body_bytes;
    wire = arena_alloc(query->batch->arena, size);
    at = put_u32(wire, count > 0 ? 1 : 0); /* dimensions */
    at = put_u32(at, nulls ? 1 : 0);
    at = put_u32(at, (uint32_t)element);
    if (count > 0) {
        at = put_u32(at, (uint32_t)count);
        at = put_u32(at, 1); /* index of the first */
    }
    db_param(query, array, wire, size);
    return at;
}

void db_i16_array(struct db_query *query, const int16_t *values, size_t count)
{
    char *at =
        array_param(query, DB_TYPE_INT2_ARRAY, DB_TYPE_INT2, count, count * sizeof(int16_t), false);

    for (size_t i = 0; i < count; i++) {
        uint16_t wire = htobe16((uint16_t)values[i]);

        at = put_u32(at, sizeof(wire));
        memcpy(at, &wire, sizeof(wire));
        at += sizeof(wire);
    }
}

void db_i32_array(struct db_query *query, const int32_t *values, size_t count)
{
    char *at =
        array_param(query, DB_TYPE_INT4_ARRAY, DB_TYPE_INT4, count, count * sizeof(int32_t), false);

    for (size_t i = 0; i < count; i++) {
        at = put_u32(at, sizeof(int32_t));
        at = put_u32(at, (uint32_t)values[i]);
    }
}

void db_i64_array(struct db_query *query, const int64_t *values, size_t count)
{
    char *at =
        array_param(query, DB_TYPE_INT8_ARRAY, DB_TYPE_INT8, count, count * sizeof(int64_t), false);

    for (size_t i = 0; i < count; i++) {
        at = put_u32(at, sizeof(int64_t));
        at = put_u64(at, (uint64_t)values[i]);
    }
}

/* Values of 64 bits less `base`; INT64_MIN is NULL. */
static void i64_nullable(struct db_query *query, enum db_type array, enum db_type element,
                         const int64_t *values, size_t count, int64_t base)
{
    size_t present = 0;
    char *at;

    for (size_t i = 0; i < count; i++)
        present += values[i] != INT64_MIN;
    at = array_param(query, array, element, count, present * sizeof(int64_t), present < count);
    for (size_t i = 0; i < count; i++) {
        if (values[i] == INT64_MIN) {
            at = put_null(at);
            continue;
        }
        at = put_u32(at, sizeof(int64_t));
        at = put_u64(at, (uint64_t)values[i] - (uint64_t)base);
    }
}

void db_i64_null_array(struct db_query *query, const int64_t *values, size_t count)
{
    i64_nullable(query, DB_TYPE_INT8_ARRAY, DB_TYPE_INT8, values, count, 0);
}

void db_time_array(struct db_query *query, const int64_t *values, size_t count)
{
    i64_nullable(query, DB_TYPE_TIMESTAMPTZ_ARRAY, DB_TYPE_TIMESTAMPTZ, values, count, DB_EPOCH_US);
}

void db_day_array(struct db_query *query, const day_t *values, size_t count)
{
    size_t present = 0;
    char *at;

    for (size_t i = 0; i < count; i++)
        present += values[i] != DAY_NONE;
    at = array_param(query, DB_TYPE_DATE_ARRAY, DB_TYPE_DATE, count, present * sizeof(day_t),
                     present < count);
    for (size_t i = 0; i < count; i++) {
        if (values[i] == DAY_NONE) {
            at = put_null(at);
            continue;
        }
        at = put_u32(at, sizeof(day_t));
        at = put_u32(at, (uint32_t)values[i] - DB_EPOCH_DAYS);
    }
}

void db_uuid_array(struct db_query *query, const struct uuid *values, size_t count)
{
    char *at =
        array_param(query, DB_TYPE_UUID_ARRAY, DB_TYPE_UUID, count, count * UUID_BYTES, false);

    for (size_t i = 0; i < count; i++) {
        at = put_u32(at, UUID_BYTES);
        memcpy(at, values[i].bytes, UUID_BYTES);
        at += UUID_BYTES;
    }
}

/* Elements of any length, each after `prefix` (its length 0 or 1); data NULL is NULL. */
static void str_array(struct db_query *query, enum db_type array, enum db_type element,
                      struct str prefix, const struct str *values, size_t count)
{
    size_t bytes = 0;
    bool nulls = false;
    char *at;

    for (size_t i = 0; i < count; i++) {
        must(values[i].len <= DB_PARAM_BYTES_MAX);
        if (values[i].data == NULL)
            nulls = true;
        else
            bytes += prefix.len + values[i].len;
        must(bytes <= DB_PARAM_BYTES_MAX);
    }
    at = array_param(query, array, element, count, bytes, nulls);
    for (size_t i = 0; i < count; i++) {
        if (values[i].data == NULL) {
            at = put_null(at);
            continue;
        }
        at = put_u32(at, (uint32_t)(prefix.len + values[i].len));
        memcpy(at, prefix.data, prefix.len);
        at += prefix.len;
        memcpy(at, values[i].data, values[i].len);
        at += values[i].len;
    }
}

void db_text_array(struct db_query *query, const struct str *values, size_t count)
{
    str_array(query, DB_TYPE_TEXT_ARRAY, DB_TYPE_TEXT, STR(""), values, count);
}

void db_json_array(struct db_query *query, const struct str *values, size_t count)
{
    /* each begins with the version of jsonb's binary form */
    str_array(query, DB_TYPE_JSONB_ARRAY, DB_TYPE_JSONB, STR("\1"), values, count);
}
