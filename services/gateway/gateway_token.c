/*
 * gateway_token: an organiser's own access of programs: list, make, revoke. A token is shown once,
 * when it is made; only its SHA-256 is kept.
 */
#include "gateway/gateway_command.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_tokens);
ENDPOINT(create_token);
ENDPOINT(revoke_token);

enum token_step { TOKEN_BEGIN, TOKEN_TOLD };

enum { TOKENS_GOOD_MAX = 20 };

#define TOKEN_JSON                                                                                 \
    "json_build_object('token_id', token_id, 'label', label, 'scope', scope,"                      \
    " 'created_at', portal.rfc3339(created_at), 'expires_at', portal.rfc3339(expires_at),"         \
    " 'revoked_at', portal.rfc3339(revoked_at))"

static const struct db_stmt select_tokens = {
    "gateway_list_tokens",
    "SELECT json_build_object('items', coalesce(json_agg(" TOKEN_JSON
    " ORDER BY created_at DESC, token_id), '[]'))::text"
    " FROM (SELECT * FROM gateway.token WHERE organiser_code = $1"
    "  ORDER BY created_at DESC, token_id LIMIT 500) AS newest",
};
/* None when the organiser has as many as there may be. */
static const struct db_stmt insert_token = {
    "gateway_create_token",
    "INSERT INTO gateway.token (token_id, token_sha256, organiser_code, scope, label, created_at,"
    " expires_at, created_by) SELECT $1, $2, $3, '{attendance:write}', $4, $5,"
    "  $5 + $6::bigint * interval '1 day', $7"
    " WHERE (SELECT count(*) FROM gateway.token WHERE organiser_code = $3 AND revoked_at IS NULL"
    "  AND (expires_at IS NULL OR expires_at > $5)) < $8"
    " RETURNING " TOKEN_JSON "::text",
};
static const struct db_stmt end_token = {
    "gateway_revoke_token",
    "UPDATE gateway.token SET revoked_at = coalesce(revoked_at, $3),"
    " revoked_by = CASE WHEN revoked_at IS NULL THEN $4 ELSE revoked_by END"
    " WHERE token_id = $1 AND organiser_code = $2 RETURNING token_id",
};

void endpoint_list_tokens(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == TOKEN_TOLD) {
        call_json(call, 200, db_get_text(call->query, 0, 0));
        return;
    }
    call->batch = db_batch_read(flow->arena);
    call->query = db_add(call->batch, &select_tokens);
    db_text(call->query, call->who.organiser_code);
    call_run(call, TOKEN_TOLD);
}

static void make(struct call *call, const struct body_create_token *body, char *token)
{
    uint8_t digest[SECRET_DIGEST_BYTES];
    struct db_query *query;

    token_new(token);
    token_digest(str_of(token), digest);
    call->batch = db_batch_new(call->flow.arena);
    call->query = query = db_add(call->batch, &insert_token);
    db_uuid(query, uuid_new());
    db_bytes(query, (struct str){(const char *)digest, sizeof(digest)});
    db_text(query, call->who.organiser_code);
    db_text(query, body->label);
    db_time(query, call->now_us);
    db_i64(query, body->days);
    db_uuid(query, call->who.account_id);
    db_i64(query, TOKENS_GOOD_MAX);
    call_run(call, TOKEN_TOLD);
}

void endpoint_create_token(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_create_token body;
    json_t *made;

    if (flow->step == TOKEN_BEGIN) {
        call->state = arena_alloc(flow->arena, TOKEN_TEXT_BYTES);
        if (CALL_BODY(call, create_token, &body))
            make(call, &body, call->state);
        return;
    }
    if (db_rows(call->query) == 0) {
        call_problem_with(call, CODE_TOKENS_MOST, "limit",
                          arena_printf(flow->arena, "%d", (int)TOKENS_GOOD_MAX));
        return;
    }
    made = command_json(flow->arena, db_get_text(call->query, 0, 0));
    must(json_object_set_new(made, "token", json_string(call->state)) == 0);
    secret_wipe(call->state, TOKEN_TEXT_BYTES);
    call_object(call, 201, json_incref(made));
}

void endpoint_revoke_token(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == TOKEN_TOLD) {
        if (db_rows(call->query) == 0)
            call_problem(call, CODE_NOT_FOUND);
        else
            call_empty(call, 204);
        return;
    }
    call->batch = db_batch_new(flow->arena);
    call->query = db_add(call->batch, &end_token);
    db_uuid(call->query, call_id(call, "token_id"));
    db_text(call->query, call->who.organiser_code);
    db_time(call->query, call->now_us);
    db_uuid(call->query, call->who.account_id);
    call_run(call, TOKEN_TOLD);
}
