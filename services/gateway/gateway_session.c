/* gateway_session: the row of a session, its cookie, its mark in Redis. */
#include "gateway/gateway_call.h"
#include "gateway/gateway_device.h"
#include "gateway/gateway_staff.h"

static const struct db_stmt insert_session = {
    "gateway_insert_session",
    "INSERT INTO gateway.session (token_sha256, account_id, login_id, csrf, temporary, created_at,"
    " seen_at, idle_expires_at, expires_at, session_id, device, factor_pending, proved_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11, $6)",
};
static const struct db_stmt end_session = {
    "gateway_end_session",
    "UPDATE gateway.session SET ended_at = $2, uncache = true"
    " WHERE token_sha256 = $1 AND ended_at IS NULL",
};
static const struct db_stmt end_others = {
    "gateway_end_sessions",
    "UPDATE gateway.session SET ended_at = $3, uncache = true"
    " WHERE account_id = $1 AND ended_at IS NULL AND token_sha256 IS DISTINCT FROM $2"
    " RETURNING token_sha256",
};

static struct str digest_str(const uint8_t *digest)
{
    return (struct str){(const char *)digest, SECRET_DIGEST_BYTES};
}

void session_add(struct call *call, struct db_batch *batch, struct session_new *session)
{
    const struct gateway_settings *settings = call->gateway->settings;
    int64_t now_us = call->now_us;
    char device[DEVICE_BYTES];
    uint8_t digest[SECRET_DIGEST_BYTES];
    struct db_query *query = db_add(batch, &insert_session);
    uint32_t idle_s =
        session->doctor ? settings->session_idle_doctor_s : settings->session_idle_staff_s;
    uint32_t most_s =
        session->doctor ? settings->session_most_doctor_s : settings->session_most_staff_s;

    token_new(session->token);
    token_new(session->csrf);
    token_digest(str_of(session->token), digest);
    db_bytes(query, digest_str(digest));
    db_uuid(query, session->account_id);
    db_text(query, session->login_id);
    db_text_c(query, session->csrf);
    db_bool(query, session->temporary);
    db_time(query, now_us);
    db_time(query, now_us + idle_s * CLOCK_SECOND_US);
    db_time(query, now_us + most_s * CLOCK_SECOND_US);
    db_uuid(query, uuid_new());
    device_hint(http_header(call->request, "User-Agent"), device);
    db_text_c(query, device);
    db_bool(query, session->factor_pending);
    if (!session->doctor)
        staff_used_add(batch, session->account_id, now_us);
}

void session_renew(struct call *call, struct db_batch *batch, struct session_new *session)
{
    const struct who *who = &call->who;

    session_end(batch, who->digest, call->now_us);
    session->account_id = who->account_id;
    session->login_id = who->login_id;
    session->doctor = who->role == ROLE_DOCTOR;
    session_add(call, batch, session);
}

void session_renewed(struct call *call, struct session_new *session)
{
    session_mark_ended(call->gateway, call->flow.arena, call->who.digest);
    session_give(call, session);
}

json_t *session_json(struct call *call, const struct session_new *session, struct str next)
{
    json_t *body = json_object();

    must(json_object_set_new(body, "account", who_account(&call->who)) == 0);
    must(json_object_set_new(body, "csrf_token", json_string(session->csrf)) == 0);
    must(json_object_set_new(body, "next",
                             json_stringn(next.len == 0 ? "" : next.data, next.len)) == 0);
    return body;
}

void session_give(struct call *call, struct session_new *session)
{
    session_cookie(call, session->token);
    secret_wipe(session->token, sizeof(session->token));
}

void session_end(struct db_batch *batch, const uint8_t digest[SECRET_DIGEST_BYTES], int64_t now_us)
{
    struct db_query *query = db_add(batch, &end_session);

    db_bytes(query, digest_str(digest));
    db_time(query, now_us);
}

struct db_query *session_end_others(struct db_batch *batch, struct uuid account_id,
                                    const uint8_t *keep, int64_t now_us)
{
    struct db_query *query = db_add(batch, &end_others);

    db_uuid(query, account_id);
    if (keep == NULL)
        db_null(query);
    else
        db_bytes(query, digest_str(keep));
    db_time(query, now_us);
    return query;
}

void session_mark_ended(struct gateway *gateway, struct arena *arena,
                        const uint8_t digest[SECRET_DIGEST_BYTES])
{
    const struct str args[] = {STR("SET"), session_key(gateway, arena, digest), STR("-"), STR("PX"),
                               str_of(arena_printf(arena, "%d", (int)SESSION_ENDED_MS))};

    gateway->marks_owed = true;
    cache_send(gateway->cache, args, ARRAY_LEN(args));
    sweep_soon(gateway->sweep);
}

void session_mark_all(struct gateway *gateway, struct arena *arena, const struct db_query *ended)
{
    for (size_t i = 0; i < db_rows(ended); i++) {
        struct str digest = db_get_bytes(ended, i, 0);

        if (digest.len == SECRET_DIGEST_BYTES)
            session_mark_ended(gateway, arena, (const uint8_t *)digest.data);
    }
}

void session_cookie(struct call *call, const char *token)
{
    const struct gateway *gateway = call->gateway;

    http_set_header(call->request, "Set-Cookie",
                    arena_printf(call->flow.arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
                                 gateway->cookie, token, gateway->secure ? "; Secure" : "",
                                 *token == '\0' ? "; Max-Age=0" : ""));
}

struct str session_key(struct gateway *gateway, struct arena *arena,
                       const uint8_t digest[SECRET_DIGEST_BYTES])
{
    char hex[2 * SECRET_DIGEST_BYTES + 1];

    hex_encode(digest, SECRET_DIGEST_BYTES, hex);
    return str_of(arena_printf(arena, "%ssession:%s", gateway->settings->redis_prefix, hex));
}
