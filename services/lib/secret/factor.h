/*
 * factor: second factors: codes of authenticator apps (RFC 6238: SHA-1, 6 digits, 30 s), and the
 * secret they come from, sealed under a key outside the database. Any thread; no clock.
 *
 * The setting factor_key_file (gateway) names the key file.
 */
#pragma once
#include "secret/secret.h"

enum {
    TOTP_SECRET_BYTES = 20,
    TOTP_STEP_S = 30,
    TOTP_DIGITS = 6,
    /* 32 characters of base32 and the NUL */
    TOTP_TEXT_BYTES = 33,
    /* nonce, secret, authentication code */
    TOTP_SEALED_BYTES = 24 + TOTP_SECRET_BYTES + 16,
    /* Steps before and after the present one whose codes are taken: clocks of phones differ. */
    TOTP_WINDOW = 1,
    RECOVERY_CODES = 10,
};

struct totp_secret {
    uint8_t bytes[TOTP_SECRET_BYTES];
};

/* The caller wipes it with secret_wipe(). */
void totp_secret_new(struct totp_secret *ret_secret);
/* Base32, as people type it into an app. */
void totp_secret_text(const struct totp_secret *secret, char out[TOTP_TEXT_BYTES]);

/* Seal it for one account: nobody can move it to another's row. */
void totp_seal(const struct secret_key *key, struct uuid account_id,
               const struct totp_secret *secret, uint8_t out[TOTP_SEALED_BYTES]);
/* False when it was sealed under another key, for another account, or was changed. */
CHECKED bool totp_open(const struct secret_key *key, struct uuid account_id, struct str sealed,
                       struct totp_secret *ret_secret);

/* The time step of a moment. */
int64_t totp_step(int64_t time_us);
/* The code of a step, below 1,000,000. */
uint32_t totp_code(const struct totp_secret *secret, int64_t step);
/*
 * The step whose code `code` is: within TOTP_WINDOW of `now_step` and after `last_step`, whose code
 * was used already; -1 when there is none. `code`: folded, 6 digits. Takes the same time whichever
 * step it is.
 */
int64_t totp_match(const struct totp_secret *secret, struct str code, int64_t now_step,
                   int64_t last_step);
