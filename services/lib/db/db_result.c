/*
 * db_result: reading answers. The column's type has to fit the getter, so that a mistake in a
 * statement shows in its first test and not as a wrong number.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_private.h"

/* Bytes of a value; data NULL for SQL NULL. */
static struct str cell(const struct db_query *query, size_t row, int column)
{
    const PGresult *result = query->result;

    must(result != NULL);
    must(row < (size_t)PQntuples(result) && column >= 0 && column < PQnfields(result));
    must(PQfformat(result, column) == 1);
    if (PQgetisnull(result, (int)row, column))
        return STR_NONE;
    return (struct str){PQgetvalue(result, (int)row, column),
                        (size_t)PQgetlength(result, (int)row, column)};
}

static Oid type_of(const struct db_query *query, int column)
{
    must(query->result != NULL && column >= 0 && column < PQnfields(query->result));
    return PQftype(query->result, column);
}

static uint64_t big_endian(struct str bytes)
{
    uint64_t value = 0;

    must(bytes.len <= sizeof(value));
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.data[i];
    return value;
}

/* Two's complement of any width; NULL is 0. */
static int64_t integer(struct str bytes)
{
    uint64_t value = big_endian(bytes);

    if (bytes.len == sizeof(int16_t))
        return (int16_t)value;
    if (bytes.len == sizeof(int32_t))
        return (int32_t)value;
    return (int64_t)value;
}

const struct db_result *db_result(const struct db_query *query)
{
    return (const struct db_result *)query->result;
}

size_t db_rows(const struct db_query *query)
{
    must(query->result != NULL);
    return (size_t)PQntuples(query->result);
}

int64_t db_affected(const struct db_query *query)
{
    int64_t count = 0;

    must(query->result != NULL);
    if (!str_to_i64(str_of(PQcmdTuples(query->result)), &count))
        return 0; /* a statement that has no count */
    return count;
}

bool db_is_null(const struct db_query *query, size_t row, int column)
{
    return cell(query, row, column).data == NULL;
}

bool db_get_bool(const struct db_query *query, size_t row, int column)
{
    must(type_of(query, column) == DB_TYPE_BOOL);
    return big_endian(cell(query, row, column)) != 0;
}

int16_t db_get_i16(const struct db_query *query, size_t row, int column)
{
    must(type_of(query, column) == DB_TYPE_INT2);
    return (int16_t)integer(cell(query, row, column));
}

int32_t db_get_i32(const struct db_query *query, size_t row, int column)
{
    Oid type = type_of(query, column);

    must(type == DB_TYPE_INT4 || type == DB_TYPE_INT2);
    return (int32_t)integer(cell(query, row, column));
}

int64_t db_get_i64(const struct db_query *query, size_t row, int column)
{
    Oid type = type_of(query, column);

    must(type == DB_TYPE_INT8 || type == DB_TYPE_INT4 || type == DB_TYPE_INT2);
    return integer(cell(query, row, column));
}

/* Types whose binary form is their text; enums are among those the database itself defines. */
static bool is_text(Oid type)
{
    return type == DB_TYPE_TEXT || type == DB_TYPE_VARCHAR || type == DB_TYPE_BPCHAR ||
           type == DB_TYPE_NAME || type == DB_TYPE_CHAR || type == DB_TYPE_JSON ||
           type == DB_TYPE_UNKNOWN_TEXT || type >= DB_TYPE_FIRST_OWN;
}

struct str db_get_text(const struct db_query *query, size_t row, int column)
{
    must(is_text(type_of(query, column)));
    return cell(query, row, column);
}

struct str db_get_bytes(const struct db_query *query, size_t row, int column)
{
    must(type_of(query, column) == DB_TYPE_BYTEA);
    return cell(query, row, column);
}

struct str db_get_json(const struct db_query *query, size_t row, int column)
{
    Oid type = type_of(query, column);
    struct str bytes = cell(query, row, column);

    if (type == DB_TYPE_JSON || bytes.data == NULL)
        return bytes;
    must(type == DB_TYPE_JSONB && bytes.len > 0 && bytes.data[0] == 1);
    return (struct str){bytes.data + 1, bytes.len - 1};
}

struct uuid db_get_uuid(const struct db_query *query, size_t row, int column)
{
    struct str bytes = cell(query, row, column);
    struct uuid uuid = {{0}};

    must(type_of(query, column) == DB_TYPE_UUID);
    if (bytes.data != NULL) {
        must(bytes.len == sizeof(uuid.bytes));
        memcpy(uuid.bytes, bytes.data, sizeof(uuid.bytes));
    }
    return uuid;
}

day_t db_get_day(const struct db_query *query, size_t row, int column)
{
    struct str bytes = cell(query, row, column);
    int64_t day;

    must(type_of(query, column) == DB_TYPE_DATE);
    if (bytes.data == NULL)
        return DAY_NONE;
    day = integer(bytes) + DB_EPOCH_DAYS;
    return day < INT32_MAX ? (day_t)day : INT32_MAX; /* infinity */
}

int64_t db_get_time(const struct db_query *query, size_t row, int column)
{
    struct str bytes = cell(query, row, column);
    int64_t time_us;

    must(type_of(query, column) == DB_TYPE_TIMESTAMPTZ);
    if (bytes.data == NULL)
        return INT64_MIN;
    time_us = integer(bytes);
    return time_us < INT64_MAX - DB_EPOCH_US ? time_us + DB_EPOCH_US : INT64_MAX; /* infinity */
}

static uint32_t take_u32(struct str *bytes)
{
    uint32_t value;

    must(bytes->len >= sizeof(value));
    value = (uint32_t)big_endian((struct str){bytes->data, sizeof(value)});
    bytes->data += sizeof(value);
    bytes->len -= sizeof(value);
    return value;
}

size_t db_get_i64_array(const struct db_query *query, size_t row, int column, const int64_t **ret)
{
    Oid type = type_of(query, column);
    struct str bytes = cell(query, row, column);
    int64_t *values;
    size_t count;

    must(type == DB_TYPE_INT8_ARRAY || type == DB_TYPE_INT4_ARRAY || type == DB_TYPE_INT2_ARRAY);
    *ret = NULL;
    if (bytes.data == NULL || take_u32(&bytes) == 0)
        return 0;                /* NULL, or no dimension: empty */
    must(take_u32(&bytes) == 0); /* without NULLs */
    take_u32(&bytes);            /* element type */
    count = take_u32(&bytes);
    take_u32(&bytes); /* index of the first */
    must(count <= bytes.len / sizeof(int16_t));
    values = arena_array(query->batch->arena, int64_t, count);
    for (size_t i = 0; i < count; i++) {
        size_t len = take_u32(&bytes);

        must(len <= bytes.len);
        values[i] = integer((struct str){bytes.data, len});
        bytes.data += len;
        bytes.len -= len;
    }
    *ret = values;
    return count;
}
