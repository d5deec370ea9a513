/*
 * passkey: WebAuthn as far as a server needs it that asks for no attestation. No CBOR is read: the
 * browser gives the authenticator data by getAuthenticatorData() and the public key by
 * getPublicKey() as SubjectPublicKeyInfo; libcrypto verifies ES256 and RS256. Any thread; no clock.
 */
#pragma once
#include "base/arena.h"
#include "secret/secret.h"

enum {
    PASSKEY_RP_ID_BYTES = 32, /* SHA-256 of the host name */
    PASSKEY_ID_BYTES_MIN = 16,
    PASSKEY_ID_BYTES_MAX = 1023,
    PASSKEY_DATA_BYTES_MAX = 4096,
    PASSKEY_CLIENT_BYTES_MAX = 2048,
    PASSKEY_KEY_BYTES_MAX = 1024,
    PASSKEY_SIGNATURE_BYTES_MAX = 1024,
    PASSKEY_ES256 = -7,
    PASSKEY_RS256 = -257,
};

/* Bytes of base64url without padding, in the arena. False for anything else, or over `most`. */
CHECKED bool passkey_bytes(struct arena *arena, struct str text, size_t most,
                           struct str *ret_bytes);

/* ---- authenticator data ---- */

struct passkey_data {
    const uint8_t *rp_id_sha256;
    bool present, verified; /* a person touched it; and proved by finger, face or PIN */
    uint32_t sign_count;
    struct str credential_id; /* of a new one; data NULL: none is attested */
};

/* Borrows `bytes`. False when it is none. */
CHECKED bool passkey_data_parse(struct str bytes, struct passkey_data *ret_data);

/* ---- client data ---- */

struct passkey_client {
    struct str type, challenge, origin; /* `challenge`: base64url */
    bool cross_origin;
};

/* Texts live in the arena. False when it is no JSON object with these. */
CHECKED bool passkey_client_parse(struct arena *arena, struct str json,
                                  struct passkey_client *ret_client);

/* ---- keys ---- */

/* ES256: a point of P-256; RS256: 2048 to 4096 bits. */
bool passkey_key_good(struct str spki, int64_t algorithm);
/* Over authenticator data and SHA-256 of the client data. */
bool passkey_signature_good(struct str spki, int64_t algorithm, struct str data, struct str client,
                            struct str signature);

/* ---- challenges: made without a row, so that asking for one costs nothing ---- */

enum passkey_purpose { PASSKEY_ADD, PASSKEY_PROVE, PASSKEY_SIGN_IN };

enum { PASSKEY_CHALLENGE_BYTES = 56, PASSKEY_CHALLENGE_GOOD_S = 300 };

/* For one account; all zero where it is not known yet who signs in. Base64url, in the arena. */
struct str passkey_challenge_new(struct arena *arena, const struct secret_key *key,
                                 enum passkey_purpose purpose, struct uuid account_id,
                                 int64_t now_us);
/*
 * Made by us for this, not too long ago. Each counts once: who takes it keeps its digest as long as
 * it is good.
 */
bool passkey_challenge_good(struct arena *arena, const struct secret_key *key,
                            enum passkey_purpose purpose, struct uuid account_id,
                            struct str challenge, int64_t now_us);

/* ---- all of it ---- */

/* What has to be so, whatever the browser did. */
struct passkey_wanted {
    const char *type; /* webauthn.create or webauthn.get */
    const char *rp_id;
    bool (*origin_good)(const void *context, struct str origin);
    const void *context;
};

enum passkey_fault {
    PASSKEY_GOOD,
    PASSKEY_NO_CLIENT,   /* client data that is none */
    PASSKEY_TYPE,        /* of another ceremony */
    PASSKEY_ORIGIN,      /* of another page, or inside one */
    PASSKEY_NO_DATA,     /* authenticator data that is none */
    PASSKEY_RP_ID,       /* of another host */
    PASSKEY_NOT_PRESENT, /* nobody touched it */
    PASSKEY_NOT_VERIFIED,
};

/* Client and authenticator data beside what is wanted; the challenge is the caller's. */
CHECKED enum passkey_fault passkey_judge(const struct passkey_wanted *wanted,
                                         const struct passkey_client *client,
                                         const struct passkey_data *data);
const char *passkey_fault_name(enum passkey_fault fault);
/*
 * Whether a signature counter may follow another (level 2, 6.1.1): it grows, or the authenticator
 * keeps none.
 */
bool passkey_count_good(int64_t kept, uint32_t given);
