/*
 * db_stmt: prepared statements. Parameters are binary, so a statement is prepared with the exact
 * types that are sent; the first use decides. A later use with another type, or with the type of
 * what was an untyped NULL before, gets a variant of its own under another name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_private.h"

static struct db_variant **bucket_of(struct db_pool *pool, const struct db_stmt *stmt)
{
    uintptr_t address = (uintptr_t)stmt;

    return &pool->variants[(address / sizeof(*stmt)) % DB_STMT_BUCKETS];
}

/* An untyped NULL fits every type. */
static bool fits(const struct db_variant *variant, const struct db_query *query)
{
    if (variant->stmt != query->stmt || variant->param_count != query->param_count)
        return false;
    for (int i = 0; i < query->param_count; i++) {
        if (query->types[i] != DB_TYPE_UNKNOWN && query->types[i] != variant->types[i])
            return false;
    }
    return true;
}

static struct db_variant *variant_new(struct db_pool *pool, const struct db_query *query,
                                      const struct db_variant *before)
{
    struct db_variant *variant = heap_zero(sizeof(*variant));
    int len;

    variant->stmt = query->stmt;
    variant->id = pool->variant_count++;
    variant->param_count = query->param_count;
    for (int i = 0; i < query->param_count; i++) {
        variant->types[i] = query->types[i];
        if (variant->types[i] == DB_TYPE_UNKNOWN && before != NULL)
            variant->types[i] = before->types[i]; /* learned earlier */
    }
    len = snprintf(variant->name, sizeof(variant->name), "%s.%u", query->stmt->name, variant->id);
    must(len > 0 && len < (int)sizeof(variant->name));
    return variant;
}

const struct db_variant *db_variant_of(struct db_pool *pool, const struct db_query *query)
{
    struct db_variant **bucket = bucket_of(pool, query->stmt);
    const struct db_variant *newest = NULL;
    struct db_variant *variant;
    unsigned count = 0;

    for (variant = *bucket; variant != NULL; variant = variant->next) {
        if (fits(variant, query))
            return variant;
        if (variant->stmt != query->stmt)
            continue;
        if (newest == NULL && variant->param_count == query->param_count)
            newest = variant;
        count++;
    }
    must(count < DB_STMT_VARIANTS_MAX); /* somebody changes types from call to call */
    variant = variant_new(pool, query, newest);
    variant->next = *bucket;
    *bucket = variant;
    return variant;
}

void db_variants_free(struct db_pool *pool)
{
    for (size_t i = 0; i < DB_STMT_BUCKETS; i++) {
        while (pool->variants[i] != NULL) {
            struct db_variant *variant = pool->variants[i];

            pool->variants[i] = variant->next;
            free(variant);
        }
    }
}

bool db_prepared(const struct db_conn *conn, const struct db_variant *variant)
{
    return variant->id < conn->prepared_count && conn->prepared[variant->id];
}

void db_prepared_set(struct db_conn *conn, const struct db_variant *variant, bool prepared)
{
    if (variant->id >= conn->prepared_count) {
        size_t count = (size_t)variant->id + 64;

        conn->prepared = heap_realloc(conn->prepared, count * sizeof(*conn->prepared));
        memset(conn->prepared + conn->prepared_count, 0,
               (count - conn->prepared_count) * sizeof(*conn->prepared));
        conn->prepared_count = count;
    }
    conn->prepared[variant->id] = prepared;
}
