/*
 * db_batch: statements and their plain parameters, in PostgreSQL's binary form.
 */
#include <endian.h>
#include <limits.h>
#include <string.h>

#include "db/db_private.h"

enum { PARAM_ROOM = 8 };

struct db_batch *db_batch_new(struct arena *arena)
{
    struct db_batch *batch = arena_new_of(arena, struct db_batch);

    batch->arena = arena;
    batch->transaction = true;
    return batch;
}

struct db_batch *db_batch_read(struct arena *arena)
{
    struct db_batch *batch = db_batch_new(arena);

    batch->transaction = false;
    return batch;
}

struct db_query *db_add(struct db_batch *batch, const struct db_stmt *stmt)
{
    struct db_query *query = arena_new_of(batch->arena, struct db_query);

    must(batch->flow == NULL); /* not while it runs */
    query->batch = batch;
    query->stmt = stmt;
    if (batch->tail != NULL)
        batch->tail->next = query;
    else
        batch->head = query;
    batch->tail = query;
    batch->count++;
    return query;
}

void db_batch_patient(struct db_batch *batch)
{
    batch->patient = true;
}

size_t db_batch_count(const struct db_batch *batch)
{
    return batch->count;
}

struct arena *db_batch_arena(struct db_batch *batch)
{
    return batch->arena;
}

void **db_batch_tag(struct db_batch *batch)
{
    return &batch->tag;
}

const char *db_batch_error_detail(const struct db_batch *batch)
{
    return batch->detail;
}

static void *grow(struct db_query *query, const void *old, size_t item_bytes)
{
    size_t room = (size_t)query->param_room;
    void *items = arena_alloc(query->batch->arena, item_bytes * room);

    if (query->param_count > 0)
        memcpy(items, old, item_bytes * (size_t)query->param_count);
    return items;
}

void db_param(struct db_query *query, enum db_type type, const void *bytes, size_t len)
{
    int index = query->param_count;

    must(query->batch->flow == NULL);
    must(index < DB_PARAMS_MAX && len <= DB_PARAM_BYTES_MAX);
    if (index == query->param_room) {
        query->param_room = index == 0 ? PARAM_ROOM : index * 2;
        query->types = grow(query, query->types, sizeof(*query->types));
        query->values = grow(query, query->values, sizeof(*query->values));
        query->lengths = grow(query, query->lengths, sizeof(*query->lengths));
    }
    query->types[index] = (Oid)type;
    query->values[index] = bytes;
    query->lengths[index] = (int)len;
    query->param_count++;
}

static void copied(struct db_query *query, enum db_type type, const void *bytes, size_t len)
{
    db_param(query, type, arena_copy(query->batch->arena, bytes, len), len);
}

void db_null(struct db_query *query)
{
    db_param(query, DB_TYPE_UNKNOWN, NULL, 0);
}

void db_bool(struct db_query *query, bool value)
{
    char byte = value ? 1 : 0;

    copied(query, DB_TYPE_BOOL, &byte, sizeof(byte));
}

void db_i16(struct db_query *query, int16_t value)
{
    uint16_t wire = htobe16((uint16_t)value);

    copied(query, DB_TYPE_INT2, &wire, sizeof(wire));
}

void db_i32(struct db_query *query, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);

    copied(query, DB_TYPE_INT4, &wire, sizeof(wire));
}

void db_i64(struct db_query *query, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    copied(query, DB_TYPE_INT8, &wire, sizeof(wire));
}

static void text_like(struct db_query *query, enum db_type type, struct str value)
{
    must(value.len <= DB_PARAM_BYTES_MAX);
    if (value.data == NULL)
        db_param(query, type, NULL, 0);
    else
        copied(query, type, value.data, value.len);
}

void db_text(struct db_query *query, struct str value)
{
    text_like(query, DB_TYPE_TEXT, value);
}

void db_text_c(struct db_query *query, const char *value)
{
    text_like(query, DB_TYPE_TEXT, str_of(value));
}

void db_bytes(struct db_query *query, struct str value)
{
    text_like(query, DB_TYPE_BYTEA, value);
}

void db_json(struct db_query *query, struct str value)
{
    char *wire;

    must(value.len < DB_PARAM_BYTES_MAX);
    if (value.data == NULL) {
        db_param(query, DB_TYPE_JSONB, NULL, 0);
        return;
    }
    wire = arena_alloc(query->batch->arena, value.len + 1);
    wire[0] = 1; /* version of jsonb's binary form */
    memcpy(wire + 1, value.data, value.len);
    db_param(query, DB_TYPE_JSONB, wire, value.len + 1);
}

void db_uuid(struct db_query *query, struct uuid value)
{
    copied(query, DB_TYPE_UUID, value.bytes, sizeof(value.bytes));
}

void db_day(struct db_query *query, day_t day)
{
    uint32_t wire = htobe32((uint32_t)(day - DB_EPOCH_DAYS));

    if (day == DAY_NONE)
        db_param(query, DB_TYPE_DATE, NULL, 0);
    else
        copied(query, DB_TYPE_DATE, &wire, sizeof(wire));
}

void db_time(struct db_query *query, int64_t time_us)
{
    uint64_t wire = htobe64((uint64_t)time_us - (uint64_t)DB_EPOCH_US);

    if (time_us == INT64_MIN)
        db_param(query, DB_TYPE_TIMESTAMPTZ, NULL, 0);
    else
        copied(query, DB_TYPE_TIMESTAMPTZ, &wire, sizeof(wire));
}
