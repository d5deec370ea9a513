/* gateway_factor: see gateway_factor.h. */
#include <string.h>

#include "gateway/gateway_factor.h"

static const struct db_stmt find_totp = {
    "gateway_find_totp",
    "SELECT sealed, last_step FROM gateway.totp WHERE account_id = $1 AND confirmed_at IS NOT NULL",
};
static const struct db_stmt use_totp = {
    "gateway_use_totp",
    "WITH used AS (UPDATE gateway.totp SET last_step = $2"
    "  WHERE account_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM used",
};
static const struct db_stmt find_recovery = {
    "gateway_find_recovery",
    "SELECT 1 FROM gateway.recovery_code WHERE account_id = $1 AND hmac = $2 AND used_at IS NULL",
};
static const struct db_stmt use_recovery = {
    "gateway_use_recovery",
    "WITH used AS (UPDATE gateway.recovery_code SET used_at = $3"
    "  WHERE account_id = $1 AND hmac = $2 AND used_at IS NULL RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM used",
};
static const struct db_stmt insert_recovery = {
    "gateway_insert_recovery",
    "INSERT INTO gateway.recovery_code (account_id, hmac, made_at) VALUES ($1, $2, $3)",
};
static const struct db_stmt delete_recovery = {
    "gateway_delete_recovery",
    "DELETE FROM gateway.recovery_code WHERE account_id = $1",
};
static const struct db_stmt delete_totp = {
    "gateway_forget_totp",
    "DELETE FROM gateway.totp WHERE account_id = $1",
};
static const struct db_stmt delete_passkeys = {
    "gateway_forget_passkeys",
    "DELETE FROM gateway.passkey WHERE account_id = $1",
};

static const struct db_stmt insert_history = {
    "gateway_insert_factor_history",
    "INSERT INTO gateway.factor_history (account_id, at, action, by_owner)"
    " VALUES ($1, $2, $3, true)",
};
/* Only where there is something to forget. */
static const struct db_stmt insert_forgotten = {
    "gateway_insert_factors_forgotten",
    "INSERT INTO gateway.factor_history (account_id, at, action, by_owner)"
    " SELECT $1, $2, 'forgotten', true WHERE gateway.has_factor($1)",
};

/* What decides on any change. */
static const struct db_stmt find_factors = {
    "gateway_find_factors",
    "SELECT coalesce((SELECT confirmed_at IS NOT NULL FROM gateway.totp WHERE account_id = $1),"
    "  false),"
    " (SELECT count(*) FROM gateway.passkey WHERE account_id = $1),"
    " (SELECT sealed FROM gateway.totp WHERE account_id = $1 AND confirmed_at IS NULL),"
    " EXISTS (SELECT FROM gateway.recovery_code WHERE account_id = $1)",
};

static struct str digest_str(const uint8_t *digest)
{
    return (struct str){(const char *)digest, SECRET_DIGEST_BYTES};
}

bool factor_required(const struct gateway *gateway, bool doctor)
{
    return gateway->factor_required && !doctor;
}

struct str factor_subject(struct arena *arena, struct uuid account_id)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(account_id, id);
    return str_of(arena_printf(arena, "\001factor:%s", id));
}

/* ---- codes ---- */

void factor_code_read(struct call *call, struct db_batch *batch, struct str text,
                      struct factor_code *code)
{
    if (!temp_fold(text, code->folded))
        code->folded[0] = '\0';
    temp_hmac(&call->gateway->factor_key, code->folded, code->hmac);
    code->totp = db_add(batch, &find_totp);
    db_uuid(code->totp, call->who.account_id);
    code->recovery = db_add(batch, &find_recovery);
    db_uuid(code->recovery, call->who.account_id);
    db_bytes(code->recovery, digest_str(code->hmac));
}

bool factor_code_good(struct call *call, struct factor_code *code)
{
    struct totp_secret secret;

    code->step = -1;
    if (code->folded[0] == '\0')
        return false;
    if (db_rows(code->recovery) == 1)
        return true;
    if (db_rows(code->totp) != 1)
        return false;
    if (!totp_open(&call->gateway->factor_key, call->who.account_id, db_get_bytes(code->totp, 0, 0),
                   &secret)) {
        LOG_ERROR("totp_not_opened", F_STR("cure", "is factor_key_file another than it was?"));
        return false;
    }
    code->step = totp_match(&secret, str_of(code->folded), totp_step(call->now_us),
                            db_get_i64(code->totp, 0, 1));
    secret_wipe(&secret, sizeof(secret));
    return code->step >= 0;
}

void factor_code_use(struct call *call, struct db_batch *batch, const struct factor_code *code)
{
    struct db_query *query = db_add(batch, code->step >= 0 ? &use_totp : &use_recovery);

    db_uuid(query, call->who.account_id);
    if (code->step >= 0) {
        db_i64(query, code->step);
        return;
    }
    db_bytes(query, digest_str(code->hmac));
    db_time(query, call->now_us);
}

/* ---- recovery codes ---- */

json_t *factor_recovery_new(struct call *call, struct db_batch *batch)
{
    json_t *codes = json_array();

    db_uuid(db_add(batch, &delete_recovery), call->who.account_id);
    for (int i = 0; i < RECOVERY_CODES; i++) {
        char code[TEMP_PASSWORD_BYTES], folded[TEMP_TEXT_BYTES];
        uint8_t hmac[SECRET_DIGEST_BYTES];
        struct db_query *query = db_add(batch, &insert_recovery);

        temp_password_new(code);
        must(temp_fold(str_of(code), folded));
        temp_hmac(&call->gateway->factor_key, folded, hmac);
        db_uuid(query, call->who.account_id);
        db_bytes(query, digest_str(hmac));
        db_time(query, call->now_us);
        must(json_array_append_new(codes, json_string(code)) == 0);
        secret_wipe(code, sizeof(code));
        secret_wipe(folded, sizeof(folded));
    }
    return codes;
}

static void forget(struct db_batch *batch, struct uuid account_id)
{
    db_uuid(db_add(batch, &delete_totp), account_id);
    db_uuid(db_add(batch, &delete_recovery), account_id);
    db_uuid(db_add(batch, &delete_passkeys), account_id);
}

void factor_forget(struct db_batch *batch, struct uuid account_id, int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_forgotten);

    db_uuid(query, account_id);
    db_time(query, now_us);
    forget(batch, account_id);
}

/* ---- changes ---- */

void factor_tell(struct call *call, const char *what)
{
    struct db_query *query = db_add(call->batch, &insert_history);

    db_uuid(query, call->who.account_id);
    db_time(query, call->now_us);
    db_text_c(query, what);
    credential_tell(call, call->batch, call->who.account_id, call->who.email, what);
}

static void release(void *object)
{
    json_decref(((struct factors *)object)->body);
}

void factors_read(struct call *call, int next)
{
    call->state = arena_new_of(call->flow.arena, struct factors);
    arena_defer(call->flow.arena, release, call->state);
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_factors);
    db_uuid(call->query, call->who.account_id);
    call_run(call, next);
}

struct factors *factors_take(struct call *call)
{
    struct factors *factors = call->state;

    factors->totp = db_get_bool(call->query, 0, 0);
    factors->passkeys = db_get_i64(call->query, 0, 1);
    factors->begun = db_get_bytes(call->query, 0, 2);
    factors->recovery = db_get_bool(call->query, 0, 3);
    return factors;
}

bool factors_may_add(struct call *call, const struct factors *factors)
{
    bool one_more = call->who.factor_pending && (factors->totp || factors->passkeys > 0);

    if (one_more)
        call_problem_with(call, CODE_SECOND_FACTOR_STEP, "next", STEP_SECOND_FACTOR);
    return !one_more;
}

void factors_add(struct call *call, struct factors *factors, const char *what)
{
    json_t *codes = factors->recovery ? json_array() : factor_recovery_new(call, call->batch);

    factors->body = json_object();
    must(json_object_set_new(factors->body, "recovery_codes", codes) == 0);
    factors->ended =
        session_end_others(call->batch, call->who.account_id, call->who.digest, call->now_us);
    session_renew(call, call->batch, &factors->session);
    factor_tell(call, what);
}

void factors_answer_added(struct call *call, struct factors *factors, const char *kind)
{
    struct str next = call->who.account_step;

    session_mark_all(call->gateway, call->flow.arena, factors->ended);
    session_renewed(call, &factors->session);
    must(json_object_set_new(factors->body, "csrf_token", json_string(factors->session.csrf)) == 0);
    must(json_object_set_new(factors->body, "next",
                             json_stringn(next.len == 0 ? "" : next.data, next.len)) == 0);
    LOG_INFO("second_factor_added", F_STR("kind", kind));
    call_object(call, 200, json_incref(factors->body));
}

void factors_remove(struct call *call, struct factors *factors, bool last, const char *what)
{
    if (last)
        forget(call->batch, call->who.account_id);
    factors->ended =
        session_end_others(call->batch, call->who.account_id, call->who.digest, call->now_us);
    factor_tell(call, what);
}

void factors_removed(struct call *call, const struct factors *factors, const char *kind)
{
    session_mark_all(call->gateway, call->flow.arena, factors->ended);
    LOG_INFO("second_factor_removed", F_STR("kind", kind));
    call_empty(call, 204);
}
