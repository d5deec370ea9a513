/* gateway_passkey: see gateway_passkey.h. */
#include "gateway/gateway_passkey.h"

static const struct db_stmt find_passkey = {
    "gateway_find_passkey",
    "SELECT passkey_id, account_id, public_key, algorithm, sign_count FROM gateway.passkey"
    " WHERE credential_id = $1",
};
static const struct db_stmt use_passkey = {
    "gateway_use_passkey",
    "WITH used AS (UPDATE gateway.passkey SET sign_count = $3, used_at = $4"
    "  WHERE passkey_id = $1 AND sign_count = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM used",
};
static const struct db_stmt use_challenge = {
    "gateway_use_challenge",
    "INSERT INTO gateway.challenge_used (challenge_sha256, used_at) VALUES ($1, $2)",
};

static bool take_apart(struct call *call, const struct passkey_given *given,
                       struct passkey_proof *proof)
{
    struct arena *arena = call->flow.arena;

    return passkey_bytes(arena, given->credential_id, PASSKEY_ID_BYTES_MAX,
                         &proof->credential_id) &&
           passkey_bytes(arena, given->client_data, PASSKEY_CLIENT_BYTES_MAX,
                         &proof->client_bytes) &&
           passkey_bytes(arena, given->authenticator_data, PASSKEY_DATA_BYTES_MAX,
                         &proof->data_bytes) &&
           passkey_bytes(arena, given->signature, PASSKEY_SIGNATURE_BYTES_MAX, &proof->signature) &&
           passkey_client_parse(arena, proof->client_bytes, &proof->client) &&
           passkey_data_parse(proof->data_bytes, &proof->data);
}

void passkey_proof_read(struct call *call, struct db_batch *batch, enum passkey_purpose purpose,
                        const struct passkey_given *given, struct passkey_proof *proof)
{
    proof->purpose = purpose;
    proof->credential_id = STR("");
    proof->whole = take_apart(call, given, proof);
    proof->row = db_add(batch, &find_passkey);
    db_bytes(proof->row, proof->credential_id);
}

static bool origin_good(const void *gateway, struct str origin)
{
    return call_origin_ours(gateway, origin);
}

bool passkey_ceremony_good(struct call *call, const char *type, enum passkey_purpose purpose,
                           struct uuid account_id, const struct passkey_client *client,
                           const struct passkey_data *data)
{
    const struct gateway *gateway = call->gateway;
    const struct passkey_wanted wanted = {type, gateway->rp_id, origin_good, gateway};
    enum passkey_fault fault = passkey_judge(&wanted, client, data);

    if (fault != PASSKEY_GOOD) {
        LOG_INFO("passkey_refused", F_STR("because", passkey_fault_name(fault)));
        return false;
    }
    if (!passkey_challenge_good(call->flow.arena, &gateway->factor_key, purpose, account_id,
                                client->challenge, call->now_us)) {
        LOG_INFO("passkey_refused", F_STR("because", "challenge"));
        return false;
    }
    return true;
}

static bool no_account(struct uuid account_id)
{
    static const struct uuid none;

    return uuid_eq(account_id, none);
}

bool passkey_proof_good(struct call *call, const struct passkey_proof *proof,
                        struct uuid account_id)
{
    const struct db_query *row = proof->row;

    if (!proof->whole || db_rows(row) != 1 ||
        (!no_account(account_id) && !uuid_eq(db_get_uuid(row, 0, 1), account_id)) ||
        !passkey_ceremony_good(call, "webauthn.get", proof->purpose, account_id, &proof->client,
                               &proof->data))
        return false;
    if (!passkey_signature_good(db_get_bytes(row, 0, 2), db_get_i32(row, 0, 3), proof->data_bytes,
                                proof->client_bytes, proof->signature)) {
        LOG_INFO("passkey_refused", F_STR("because", "signature"));
        return false;
    }
    if (!passkey_count_good(db_get_i64(row, 0, 4), proof->data.sign_count)) {
        LOG_WARN("passkey_copied", F_STR("cure", "its owner should remove it and register anew"));
        return false;
    }
    return true;
}

void passkey_challenge_use(struct call *call, struct db_batch *batch, struct str challenge)
{
    uint8_t digest[SECRET_DIGEST_BYTES];
    struct db_query *query = db_add(batch, &use_challenge);

    token_digest(challenge, digest);
    db_bytes(query, (struct str){(const char *)digest, sizeof(digest)});
    db_time(query, call->now_us);
}

void passkey_proof_use(struct call *call, struct db_batch *batch, const struct passkey_proof *proof)
{
    struct db_query *query = db_add(batch, &use_passkey);

    db_uuid(query, db_get_uuid(proof->row, 0, 0));
    db_i64(query, db_get_i64(proof->row, 0, 4));
    db_i64(query, proof->data.sign_count);
    db_time(query, call->now_us);
    passkey_challenge_use(call, batch, proof->client.challenge);
}
