/* gateway_sessions: where one is signed in, and ending that. */
#include <string.h>

#include "gateway/gateway_call.h"

void endpoint_list_my_sessions(struct flow *flow);
void endpoint_end_session(struct flow *flow);
void endpoint_end_other_sessions(struct flow *flow);

static const struct db_stmt list_sessions = {
    "gateway_list_sessions",
    "SELECT json_build_object('items', coalesce(json_agg(json_build_object('session_id', "
    "session_id,"
    "  'device', device, 'created_at', portal.rfc3339(created_at),"
    "  'seen_at', portal.rfc3339(seen_at), 'current', token_sha256 = $2)"
    "  ORDER BY token_sha256 = $2 DESC, seen_at DESC), '[]'))::text"
    " FROM (SELECT * FROM gateway.session WHERE account_id = $1 AND ended_at IS NULL"
    "  AND idle_expires_at > $3 AND expires_at > $3 ORDER BY seen_at DESC LIMIT 100) AS s",
};
static const struct db_stmt end_one = {
    "gateway_end_one_session",
    "UPDATE gateway.session SET ended_at = $3, uncache = true WHERE account_id = $1"
    " AND session_id = $2 AND ended_at IS NULL AND idle_expires_at > $3 AND expires_at > $3"
    " RETURNING token_sha256",
};

enum sessions_step { SESSIONS_ASK, SESSIONS_TOLD };

void endpoint_list_my_sessions(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == SESSIONS_TOLD) {
        call_json(call, 200, db_get_text(call->query, 0, 0));
        return;
    }
    call->batch = db_batch_read(flow->arena);
    call->query = db_add(call->batch, &list_sessions);
    db_uuid(call->query, call->who.account_id);
    db_bytes(call->query, (struct str){(const char *)call->who.digest, SECRET_DIGEST_BYTES});
    db_time(call->query, call->now_us);
    call_run(call, SESSIONS_TOLD);
}

/* One's own one among them is the same as signing out. */
static void ended(struct call *call)
{
    struct str digest = db_get_bytes(call->query, 0, 0);

    session_mark_all(call->gateway, call->flow.arena, call->query);
    if (memcmp(digest.data, call->who.digest, SECRET_DIGEST_BYTES) == 0)
        session_cookie(call, "");
    LOG_INFO("session_ended");
    call_empty(call, 204);
}

void endpoint_end_session(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == SESSIONS_TOLD) {
        if (db_rows(call->query) == 0)
            call_problem(call, CODE_NOT_FOUND);
        else
            ended(call);
        return;
    }
    call->batch = db_batch_new(flow->arena);
    call->query = db_add(call->batch, &end_one);
    db_uuid(call->query, call->who.account_id);
    db_uuid(call->query, call_id(call, "session_id"));
    db_time(call->query, call->now_us);
    call_run(call, SESSIONS_TOLD);
}

void endpoint_end_other_sessions(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == SESSIONS_TOLD) {
        session_mark_all(call->gateway, flow->arena, call->query);
        LOG_INFO("sessions_ended", F_I64("count", (int64_t)db_rows(call->query)));
        call_empty(call, 204);
        return;
    }
    call->batch = db_batch_new(flow->arena);
    call->query =
        session_end_others(call->batch, call->who.account_id, call->who.digest, call->now_us);
    call_run(call, SESSIONS_TOLD);
}
