/* gateway_second_factor: an account's second factors: adding, removing, recovery codes. */
#include <string.h>

#include "gateway/gateway_factor.h"
#include "qr/qr.h"

void endpoint_get_second_factor(struct flow *flow);
void endpoint_begin_totp(struct flow *flow);
void endpoint_confirm_totp(struct flow *flow);
void endpoint_remove_totp(struct flow *flow);
void endpoint_make_recovery_codes(struct flow *flow);

#define TOTP_ISSUER "MAMIS"

static const struct db_stmt get_factors = {
    "gateway_get_second_factor",
    "SELECT json_build_object('required', $2::boolean,"
    " 'totp_since', (SELECT portal.rfc3339(confirmed_at) FROM gateway.totp"
    "  WHERE account_id = $1 AND confirmed_at IS NOT NULL),"
    " 'recovery_codes_left', (SELECT count(*) FROM gateway.recovery_code"
    "  WHERE account_id = $1 AND used_at IS NULL),"
    " 'passkeys', (SELECT coalesce(json_agg(json_build_object('passkey_id', passkey_id,"
    "   'label', label, 'created_at', portal.rfc3339(created_at),"
    "   'used_at', portal.rfc3339(used_at)) ORDER BY created_at), '[]')"
    "  FROM gateway.passkey WHERE account_id = $1))::text",
};
static const struct db_stmt begin_totp = {
    "gateway_begin_totp",
    "INSERT INTO gateway.totp AS t (account_id, sealed, begun_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed,"
    " begun_at = excluded.begun_at, last_step = 0 WHERE t.confirmed_at IS NULL",
};
static const struct db_stmt confirm_totp = {
    "gateway_confirm_totp",
    "WITH done AS (UPDATE gateway.totp SET confirmed_at = $2, last_step = $3"
    "  WHERE account_id = $1 AND confirmed_at IS NULL RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM done",
};
static const struct db_stmt remove_totp = {
    "gateway_remove_totp",
    "WITH gone AS (DELETE FROM gateway.totp WHERE account_id = $1 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM gone",
};

/* ---- GET /me/second-factor ---- */

void endpoint_get_second_factor(struct flow *flow)
{
    enum { GET_ASK, GET_TOLD };
    struct call *call = CALL_OF(flow);

    if (flow->step == GET_TOLD) {
        call_json(call, 200, db_get_text(call->query, 0, 0));
        return;
    }
    call->batch = db_batch_read(flow->arena);
    call->query = db_add(call->batch, &get_factors);
    db_uuid(call->query, call->who.account_id);
    db_bool(call->query, factor_required(call->gateway, call->who.role == ROLE_DOCTOR));
    call_run(call, GET_TOLD);
}

/* ---- POST /me/second-factor/totp ---- */

static bool may_add_totp(struct call *call, const struct factors *factors)
{
    if (!factors_may_add(call, factors))
        return false;
    if (factors->totp)
        call_problem(call, CODE_SECOND_FACTOR_EXISTS);
    return !factors->totp;
}

enum begin_step { BEGIN_READ, BEGIN_MAKE, BEGIN_MADE };

/* otpauth://totp/MAMIS:login?secret=...; what may not stand there is written as %XX. */
static struct str app_address(struct call *call, const char *secret)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    struct buf label = {0};
    struct str login = call->who.login_id, text;

    for (size_t i = 0; i < login.len && label.len < 3 * QR_BYTES_MAX / 8; i++) {
        if (strchr(plain, login.data[i]) != NULL)
            buf_add_char(&label, login.data[i]);
        else
            buf_printf(&label, "%%%02X", (unsigned)(unsigned char)login.data[i]);
    }
    text = str_of(arena_printf(call->flow.arena,
                               "otpauth://totp/" TOTP_ISSUER ":%.*s?secret=%s&issuer=" TOTP_ISSUER
                               "&algorithm=SHA1&digits=%d&period=%d",
                               STR_ARG(buf_str(&label)), secret, TOTP_DIGITS, TOTP_STEP_S));
    buf_free(&label);
    return text;
}

static json_t *qr_rows(struct str text)
{
    json_t *rows = json_array();
    struct qr qr;
    char row[QR_SIDE_MAX];

    must(qr_make(text, &qr));
    for (size_t y = 0; y < qr.side; y++) {
        for (size_t x = 0; x < qr.side; x++)
            row[x] = qr.dark[y * qr.side + x] ? '1' : '0';
        must(json_array_append_new(rows, json_stringn(row, qr.side)) == 0);
    }
    return rows;
}

static void make_totp(struct call *call, struct factors *factors)
{
    struct totp_secret secret;
    uint8_t *sealed = arena_alloc(call->flow.arena, TOTP_SEALED_BYTES);
    char text[TOTP_TEXT_BYTES];
    struct str address;
    json_t *body = json_object();

    totp_secret_new(&secret);
    totp_secret_text(&secret, text);
    totp_seal(&call->gateway->factor_key, call->who.account_id, &secret, sealed);
    secret_wipe(&secret, sizeof(secret));
    address = app_address(call, text);
    must(json_object_set_new(body, "secret", json_string(text)) == 0);
    must(json_object_set_new(body, "uri", json_stringn(address.data, address.len)) == 0);
    must(json_object_set_new(body, "qr", qr_rows(address)) == 0);
    secret_wipe(text, sizeof(text));
    factors->body = body;
    call->batch = db_batch_new(call->flow.arena);
    call->query = db_add(call->batch, &begin_totp);
    db_uuid(call->query, call->who.account_id);
    db_bytes(call->query, (struct str){(const char *)sealed, TOTP_SEALED_BYTES});
    db_time(call->query, call->now_us);
    call_run(call, BEGIN_MADE);
}

void endpoint_begin_totp(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct factors *factors = call->state;

    switch ((enum begin_step)flow->step) {
    case BEGIN_READ:
        factors_read(call, BEGIN_MAKE);
        return;
    case BEGIN_MAKE:
        if (may_add_totp(call, factors_take(call)))
            make_totp(call, factors);
        return;
    case BEGIN_MADE:
        call_object(call, 201, json_incref(factors->body));
        return;
    }
    must(false);
}

/* ---- POST /me/second-factor/totp/confirmation ---- */

enum confirm_step { CONFIRM_READ, CONFIRM_JUDGE, CONFIRM_SAVED };

/* The step of the code, -1 when it is none of the app's. */
static int64_t first_code(struct call *call, const struct factors *factors, struct str text)
{
    char folded[TEMP_TEXT_BYTES];
    struct totp_secret secret;
    int64_t step;

    if (!temp_fold(text, folded) ||
        !totp_open(&call->gateway->factor_key, call->who.account_id, factors->begun, &secret))
        return -1;
    step = totp_match(&secret, str_of(folded), totp_step(call->now_us), 0);
    secret_wipe(&secret, sizeof(secret));
    return step;
}

static void save_totp(struct call *call, struct factors *factors, int64_t step)
{
    struct db_query *query;

    call->batch = db_batch_new(call->flow.arena);
    query = db_add(call->batch, &confirm_totp);
    db_uuid(query, call->who.account_id);
    db_time(query, call->now_us);
    db_i64(query, step);
    factors_add(call, factors, "totp_added");
    call_run_work(call, CONFIRM_SAVED);
}

static void confirm(struct call *call, struct factors *factors)
{
    struct body_confirm_totp body;
    int64_t step;

    if (!CALL_BODY(call, confirm_totp, &body) || !may_add_totp(call, factors))
        return;
    if (factors->begun.data == NULL) {
        call_problem_with(call, CODE_STEP_ORDER, "next", "");
        return;
    }
    step = first_code(call, factors, body.code);
    if (step < 0)
        call_field_problem(call, "/code", CODE_CODE_WRONG);
    else
        save_totp(call, factors, step);
}

void endpoint_confirm_totp(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum confirm_step)flow->step) {
    case CONFIRM_READ:
        factors_read(call, CONFIRM_JUDGE);
        return;
    case CONFIRM_JUDGE:
        confirm(call, factors_take(call));
        return;
    case CONFIRM_SAVED:
        factors_answer_added(call, call->state, "totp");
        return;
    }
    must(false);
}

/* ---- DELETE /me/second-factor/totp ---- */

enum remove_step { REMOVE_READ, REMOVE_JUDGE, REMOVE_SAVED };

static void remove_app(struct call *call, struct factors *factors)
{
    if (!factors->totp) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    if (factors->passkeys == 0 && factor_required(call->gateway, call->who.role == ROLE_DOCTOR)) {
        call_problem(call, CODE_SECOND_FACTOR_LAST);
        return;
    }
    call->batch = db_batch_new(call->flow.arena);
    db_uuid(db_add(call->batch, &remove_totp), call->who.account_id);
    factors_remove(call, factors, factors->passkeys == 0, "totp_removed");
    call_run_work(call, REMOVE_SAVED);
}

void endpoint_remove_totp(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum remove_step)flow->step) {
    case REMOVE_READ:
        factors_read(call, REMOVE_JUDGE);
        return;
    case REMOVE_JUDGE:
        remove_app(call, factors_take(call));
        return;
    case REMOVE_SAVED:
        factors_removed(call, call->state, "totp");
        return;
    }
    must(false);
}

/* ---- POST /me/second-factor/recovery-codes ---- */

enum codes_step { CODES_READ, CODES_JUDGE, CODES_SAVED };

static void make_codes(struct call *call, struct factors *factors)
{
    if (!factors->totp && factors->passkeys == 0) {
        call_problem(call, CODE_SECOND_FACTOR_NONE);
        return;
    }
    call->batch = db_batch_new(call->flow.arena);
    factors->body = json_object();
    must(json_object_set_new(factors->body, "recovery_codes",
                             factor_recovery_new(call, call->batch)) == 0);
    factor_tell(call, "recovery_codes");
    call_run_work(call, CODES_SAVED);
}

void endpoint_make_recovery_codes(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct factors *factors = call->state;

    switch ((enum codes_step)flow->step) {
    case CODES_READ:
        factors_read(call, CODES_JUDGE);
        return;
    case CODES_JUDGE:
        make_codes(call, factors_take(call));
        return;
    case CODES_SAVED:
        LOG_INFO("recovery_codes_made");
        call_object(call, 201, json_incref(factors->body));
        return;
    }
    must(false);
}
