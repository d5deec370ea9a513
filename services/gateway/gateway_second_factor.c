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
    "  WHERE account_id = $1 AND used_at IS NULL))::text",
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

struct factors {
    bool totp;        /* an app is registered */
    int64_t passkeys; /* how many */
    struct str begun; /* sealed secret of an app that is not confirmed; data NULL: none */
    bool recovery;    /* there are recovery codes, used ones too */
    struct db_query *ended;
    json_t *body; /* of the answer: what the transaction that is under way makes true */
    struct session_new session;
};

static void release(void *object)
{
    json_decref(((struct factors *)object)->body);
}

static void read_factors(struct call *call, int next)
{
    call->state = arena_new_of(call->flow.arena, struct factors);
    arena_defer(call->flow.arena, release, call->state);
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_factors);
    db_uuid(call->query, call->who.account_id);
    call_run(call, next);
}

static struct factors *take_factors(struct call *call)
{
    struct factors *factors = call->state;

    factors->totp = db_get_bool(call->query, 0, 0);
    factors->passkeys = db_get_i64(call->query, 0, 1);
    factors->begun = db_get_bytes(call->query, 0, 2);
    factors->recovery = db_get_bool(call->query, 0, 3);
    return factors;
}

/* Whoever has only given the password may add a first factor, and no other. */
static bool may_add(struct call *call, const struct factors *factors)
{
    if (call->who.factor_pending && (factors->totp || factors->passkeys > 0)) {
        call_problem_with(call, CODE_SECOND_FACTOR_STEP, "next", STEP_SECOND_FACTOR);
        return false;
    }
    if (factors->totp) {
        call_problem(call, CODE_SECOND_FACTOR_EXISTS);
        return false;
    }
    return true;
}

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
        read_factors(call, BEGIN_MAKE);
        return;
    case BEGIN_MAKE:
        if (may_add(call, take_factors(call)))
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

/* All sessions end, this one goes on under a new token. */
static void add_renewal(struct call *call, struct factors *factors)
{
    factors->ended =
        session_end_others(call->batch, call->who.account_id, call->who.digest, call->now_us);
    session_renew(call, call->batch, &factors->session);
}

static void save_totp(struct call *call, struct factors *factors, int64_t step)
{
    struct db_query *query;

    factors->body = json_object();
    call->batch = db_batch_new(call->flow.arena);
    query = db_add(call->batch, &confirm_totp);
    db_uuid(query, call->who.account_id);
    db_time(query, call->now_us);
    db_i64(query, step);
    must(json_object_set_new(factors->body, "recovery_codes",
                             factors->recovery ? json_array()
                                               : factor_recovery_new(call, call->batch)) == 0);
    add_renewal(call, factors);
    credential_tell(call, call->batch, call->who.account_id, call->who.email, "totp_added");
    call_run_work(call, CONFIRM_SAVED);
}

static void confirm(struct call *call, struct factors *factors)
{
    struct body_confirm_totp body;
    int64_t step;

    if (!CALL_BODY(call, confirm_totp, &body) || !may_add(call, factors))
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

/* The answer of a factor that was added; sets the cookie. */
static void answer_added(struct call *call, struct factors *factors)
{
    struct str next = call->who.account_step;

    session_mark_all(call->gateway, call->flow.arena, factors->ended);
    session_renewed(call, &factors->session);
    must(json_object_set_new(factors->body, "csrf_token", json_string(factors->session.csrf)) == 0);
    must(json_object_set_new(factors->body, "next",
                             json_stringn(next.len == 0 ? "" : next.data, next.len)) == 0);
    LOG_INFO("second_factor_added", F_STR("kind", "totp"));
    call_object(call, 200, json_incref(factors->body));
}

void endpoint_confirm_totp(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum confirm_step)flow->step) {
    case CONFIRM_READ:
        read_factors(call, CONFIRM_JUDGE);
        return;
    case CONFIRM_JUDGE:
        confirm(call, take_factors(call));
        return;
    case CONFIRM_SAVED:
        answer_added(call, call->state);
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
    if (factors->passkeys == 0)
        factor_forget(call->batch, call->who.account_id);
    factors->ended =
        session_end_others(call->batch, call->who.account_id, call->who.digest, call->now_us);
    credential_tell(call, call->batch, call->who.account_id, call->who.email, "totp_removed");
    call_run_work(call, REMOVE_SAVED);
}

void endpoint_remove_totp(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct factors *factors = call->state;

    switch ((enum remove_step)flow->step) {
    case REMOVE_READ:
        read_factors(call, REMOVE_JUDGE);
        return;
    case REMOVE_JUDGE:
        remove_app(call, take_factors(call));
        return;
    case REMOVE_SAVED:
        session_mark_all(call->gateway, flow->arena, factors->ended);
        LOG_INFO("second_factor_removed", F_STR("kind", "totp"));
        call_empty(call, 204);
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
    credential_tell(call, call->batch, call->who.account_id, call->who.email, "recovery_codes");
    call_run_work(call, CODES_SAVED);
}

void endpoint_make_recovery_codes(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct factors *factors = call->state;

    switch ((enum codes_step)flow->step) {
    case CODES_READ:
        read_factors(call, CODES_JUDGE);
        return;
    case CODES_JUDGE:
        make_codes(call, take_factors(call));
        return;
    case CODES_SAVED:
        LOG_INFO("recovery_codes_made");
        call_object(call, 201, json_incref(factors->body));
        return;
    }
    must(false);
}
