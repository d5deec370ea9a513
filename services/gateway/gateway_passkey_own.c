/* gateway_passkey_own: an account's passkeys: options for a new one, adding, removing, challenges.
 */
#include "gateway/gateway_factor.h"
#include "gateway/gateway_passkey.h"

void endpoint_ask_passkey_options(struct flow *flow);
void endpoint_ask_passkey_challenge(struct flow *flow);
void endpoint_add_passkey(struct flow *flow);
void endpoint_remove_passkey(struct flow *flow);

static const struct db_stmt list_credentials = {
    "gateway_list_credentials",
    "SELECT credential_id FROM gateway.passkey WHERE account_id = $1 ORDER BY created_at LIMIT 20",
};
static const struct db_stmt insert_passkey = {
    "gateway_insert_passkey",
    "INSERT INTO gateway.passkey (passkey_id, account_id, credential_id, public_key, algorithm,"
    " sign_count, label, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
};
static const struct db_stmt remove_passkey = {
    "gateway_remove_passkey",
    "WITH gone AS (DELETE FROM gateway.passkey WHERE account_id = $1 AND passkey_id = $2"
    "  RETURNING 1) SELECT mamis.changed(count(*)) FROM gone",
};

enum own_step { OWN_READ, OWN_JUDGE, OWN_SAVED, OWN_LOST };

/* ---- what the browser is to be asked ---- */

static void set(json_t *object, const char *name, struct str text)
{
    must(json_object_set_new(object, name, json_stringn(text.data, text.len)) == 0);
}

static json_t *asked(struct call *call, enum passkey_purpose purpose)
{
    json_t *body = json_object(), *credentials = json_array();

    set(body, "challenge",
        passkey_challenge_new(call->flow.arena, &call->gateway->factor_key, purpose,
                              call->who.account_id, call->now_us));
    set(body, "rp_id", str_of(call->gateway->rp_id));
    for (size_t i = 0; i < db_rows(call->query); i++) {
        struct str id = db_get_bytes(call->query, i, 0);

        id = base64url_encode(call->flow.arena, (const uint8_t *)id.data, id.len);
        must(json_array_append_new(credentials, json_stringn(id.data, id.len)) == 0);
    }
    must(json_object_set_new(body, "credentials", credentials) == 0);
    return body;
}

static void read_credentials(struct call *call)
{
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &list_credentials);
    db_uuid(call->query, call->who.account_id);
    call_run(call, OWN_JUDGE);
}

void endpoint_ask_passkey_challenge(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == OWN_READ)
        read_credentials(call);
    else if (db_rows(call->query) == 0)
        call_problem(call, CODE_SECOND_FACTOR_NONE);
    else
        call_object(call, 200, asked(call, PASSKEY_PROVE));
}

void endpoint_ask_passkey_options(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    json_t *body;

    if (flow->step == OWN_READ) {
        read_credentials(call);
        return;
    }
    body = asked(call, PASSKEY_ADD);
    set(body, "rp_name", str_of(call->gateway->settings->site_name));
    set(body, "user_id",
        base64url_encode(flow->arena, call->who.account_id.bytes,
                         sizeof(call->who.account_id.bytes)));
    set(body, "user_name", call->who.login_id);
    call_object(call, 200, body);
}

/* ---- POST /me/passkeys ---- */

struct new_passkey {
    struct str label, client_bytes, data_bytes, public_key;
    int64_t algorithm;
    struct passkey_client client;
    struct passkey_data data;
};

static bool take_apart(struct call *call, const struct body_add_passkey *body,
                       struct new_passkey *passkey)
{
    struct arena *arena = call->flow.arena;

    passkey->label = body->label;
    passkey->algorithm = body->algorithm;
    return passkey_bytes(arena, body->client_data, PASSKEY_CLIENT_BYTES_MAX,
                         &passkey->client_bytes) &&
           passkey_bytes(arena, body->authenticator_data, PASSKEY_DATA_BYTES_MAX,
                         &passkey->data_bytes) &&
           passkey_bytes(arena, body->public_key, PASSKEY_KEY_BYTES_MAX, &passkey->public_key) &&
           passkey_client_parse(arena, passkey->client_bytes, &passkey->client) &&
           passkey_data_parse(passkey->data_bytes, &passkey->data) &&
           passkey->data.credential_id.data != NULL &&
           passkey_key_good(passkey->public_key, passkey->algorithm);
}

static void save(struct call *call, struct factors *factors, const struct new_passkey *passkey)
{
    struct db_query *query;

    call->batch = db_batch_new(call->flow.arena);
    query = db_add(call->batch, &insert_passkey);
    db_uuid(query, uuid_new());
    db_uuid(query, call->who.account_id);
    db_bytes(query, passkey->data.credential_id);
    db_bytes(query, passkey->public_key);
    db_i32(query, (int32_t)passkey->algorithm);
    db_i64(query, passkey->data.sign_count);
    db_text(query, passkey->label);
    db_time(query, call->now_us);
    passkey_challenge_use(call, call->batch, passkey->client.challenge);
    factors_add(call, factors, "passkey_added");
    flow_on_error(&call->flow, OWN_LOST);
    call_run_work(call, OWN_SAVED);
}

static void add(struct call *call, struct factors *factors)
{
    struct body_add_passkey body;
    struct new_passkey passkey;

    if (!CALL_BODY(call, add_passkey, &body) || !factors_may_add(call, factors))
        return;
    if (factors->passkeys >= PASSKEYS_MAX) {
        call_problem(call, CODE_PASSKEY_MANY);
        return;
    }
    if (!take_apart(call, &body, &passkey) ||
        !passkey_ceremony_good(call, "webauthn.create", PASSKEY_ADD, call->who.account_id,
                               &passkey.client, &passkey.data))
        call_problem(call, CODE_PASSKEY_BAD);
    else
        save(call, factors, &passkey);
}

void endpoint_add_passkey(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum own_step)flow->step) {
    case OWN_READ:
        factors_read(call, OWN_JUDGE);
        return;
    case OWN_JUDGE:
        add(call, factors_take(call));
        return;
    case OWN_SAVED:
        factors_answer_added(call, call->state, "passkey");
        return;
    case OWN_LOST: /* the same passkey, or the same challenge, a second time */
        if (flow->err != ERR_DB_CONFLICT) {
            flow_end(flow, flow->err);
            return;
        }
        flow->err = ERR_OK;
        call_problem(call, CODE_PASSKEY_EXISTS);
        return;
    }
    must(false);
}

/* ---- DELETE /me/passkeys/{passkey_id} ---- */

static void remove_one(struct call *call, struct factors *factors)
{
    bool last = !factors->totp && factors->passkeys == 1;
    struct db_query *query;

    if (last && factor_required(call->gateway, call->who.role == ROLE_DOCTOR)) {
        call_problem(call, CODE_SECOND_FACTOR_LAST);
        return;
    }
    call->batch = db_batch_new(call->flow.arena);
    query = db_add(call->batch, &remove_passkey);
    db_uuid(query, call->who.account_id);
    db_uuid(query, call_id(call, "passkey_id"));
    factors_remove(call, factors, last, "passkey_removed");
    flow_on_error(&call->flow, OWN_LOST);
    call_run_work(call, OWN_SAVED);
}

void endpoint_remove_passkey(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct factors *factors = call->state;

    switch ((enum own_step)flow->step) {
    case OWN_READ:
        factors_read(call, OWN_JUDGE);
        return;
    case OWN_JUDGE:
        remove_one(call, factors_take(call));
        return;
    case OWN_SAVED:
        factors_removed(call, factors, "passkey");
        return;
    case OWN_LOST: /* there is none of that id */
        if (flow->err != ERR_DB_CONFLICT) {
            flow_end(flow, flow->err);
            return;
        }
        flow->err = ERR_OK;
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    must(false);
}
