/* gateway_idempotency: the same key with the same body gives the first answer again, for 35 days.
 */
#include <sodium.h>

#include "gateway/gateway_command.h"

static const struct db_stmt find_key = {
    "gateway_find_key",
    "SELECT body_sha256, accepted_id FROM gateway.idempotency"
    " WHERE owner = $1 AND route = $2 AND key = $3",
};
static const struct db_stmt insert_key = {
    "gateway_insert_key",
    "INSERT INTO gateway.idempotency (owner, route, key, body_sha256, accepted_id, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6)",
};

struct str call_idempotency_key(const struct call *call)
{
    if (route_param(call->endpoint->info, ROUTE_HEADER, STR("Idempotency-Key")) == NULL)
        return STR_NONE;
    return call_text(call, "Idempotency-Key");
}

const char *call_route(struct call *call)
{
    struct str path = http_path(call->request);

    return arena_printf(call->flow.arena, "%s %.*s", call->endpoint->info->operation,
                        STR_ARG(path));
}

void call_body_digest(const struct call *call, uint8_t out[SECRET_DIGEST_BYTES])
{
    struct str body = http_body(call->request);

    must(crypto_hash_sha256(out, (const unsigned char *)body.data, body.len) == 0);
}

struct db_query *idempotency_find(struct call *call, struct db_batch *batch, const char *route,
                                  struct str key)
{
    struct db_query *query = db_add(batch, &find_key);

    db_text_c(query, who_owner(call->flow.arena, &call->who));
    db_text_c(query, route);
    db_text(query, key);
    return query;
}

void idempotency_add(struct call *call, struct db_batch *batch, const struct idempotency *key)
{
    struct db_query *query = db_add(batch, &insert_key);

    db_text_c(query, who_owner(call->flow.arena, &call->who));
    db_text_c(query, key->route);
    db_text(query, key->key);
    db_bytes(query, (struct str){(const char *)key->body_sha256, SECRET_DIGEST_BYTES});
    db_uuid(query, key->accepted_id);
    db_time(query, call->now_us);
}
