/*
 * gateway_passkey: passkeys: challenges, judging what was signed, adding and removing. The
 * ceremonies' rules stand in lib/passkey.
 */
#pragma once
#include "gateway/gateway_call.h"
#include "passkey/passkey.h"

enum { PASSKEYS_MAX = 10 };

/* A proof as bodies carry it: base64url. Bodies of three routes have the same shape. */
struct passkey_given {
    struct str credential_id, client_data, authenticator_data, signature;
};
#define PASSKEY_GIVEN(body)                                                                        \
    ((struct passkey_given){(body).credential_id, (body).client_data, (body).authenticator_data,   \
                            (body).signature})

struct passkey_proof {
    enum passkey_purpose purpose;
    struct str credential_id, client_bytes, data_bytes, signature;
    struct passkey_client client;
    struct passkey_data data;
    bool whole; /* all of it could be taken apart */
    struct db_query *row;
};

/* Takes it apart and adds to `batch` what it takes to judge it. */
void passkey_proof_read(struct call *call, struct db_batch *batch, enum passkey_purpose purpose,
                        const struct passkey_given *given, struct passkey_proof *proof);
/* After a good run: whether a passkey of this account (all zero: of any) signed this, just now. */
bool passkey_proof_good(struct call *call, const struct passkey_proof *proof,
                        struct uuid account_id);
/* Use up the challenge and keep the counter: ERR_DB_CONFLICT when somebody else did meanwhile. */
void passkey_proof_use(struct call *call, struct db_batch *batch,
                       const struct passkey_proof *proof);

/* The parts of a ceremony that both kinds share; what is wrong goes to the log. */
bool passkey_ceremony_good(struct call *call, const char *type, enum passkey_purpose purpose,
                           struct uuid account_id, const struct passkey_client *client,
                           const struct passkey_data *data);
/* Each challenge counts once. */
void passkey_challenge_use(struct call *call, struct db_batch *batch, struct str challenge);
