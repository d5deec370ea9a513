/*
 * secret: passwords, temporary passwords, links in mails, tokens: what is kept of them and how a
 * given one is checked. Any thread. Keys come from files and never stand in the database; what the
 * database keeps is worth nothing without them.
 *
 * Settings that name the key files: pepper_file (gateway, mamisctl), temp_key_file (gateway,
 * mamisctl), link_key_file (gateway, notification).
 */
#pragma once
#include "base/str.h"
#include "base/uuid.h"

enum {
    SECRET_KEY_BYTES = 32,
    SECRET_DIGEST_BYTES = 32,
    /* "$argon2id$v=19$m=19456,t=2,p=1$..." and the NUL */
    PASSWORD_HASH_BYTES = 128,
    /* of UTF-8 after NFC */
    PASSWORD_BYTES_MAX = 256,
    /* "ABCD-EFGH-JKLMN" and the NUL: 65 random bits */
    TEMP_PASSWORD_BYTES = 16,
    /* "ABCDE-FGHJK" and the NUL: 50 random bits */
    TEMP_LOGIN_BYTES = 12,
    /* Longest temporary login id or password that is looked at, after folding, and the NUL */
    TEMP_TEXT_BYTES = 65,
    /* 43 characters of base64url and the NUL: 256 random bits */
    TOKEN_TEXT_BYTES = 44,
    /* "<uuid>.<43 characters>" and the NUL */
    LINK_TEXT_BYTES = 81,
};

struct secret_key {
    uint8_t bytes[SECRET_KEY_BYTES];
};

/*
 * Read a key file of exactly 32 bytes that nobody but its owner may write or read.
 * Memory: the caller wipes it with secret_wipe(). Errors: ERR_SETTINGS with the place in `note`.
 */
CHECKED enum err secret_key_load(const char *path, struct secret_key *ret_key,
                                 struct err_note *note);
/* Overwrite memory that held a secret; never optimised away. */
void secret_wipe(void *bytes, size_t len);

/* ---- passwords that people choose: Argon2id over HMAC-SHA-256(pepper, NFC of the password) ----
 */

struct password_cost {
    uint32_t passes;
    uint32_t memory_kib;
};
#define PASSWORD_COST_DEFAULT ((struct password_cost){2, 19 * 1024})

/* Slow (about 25 ms): never on the loop. Errors: ERR_SCHEMA (no UTF-8, empty, over 256 bytes). */
CHECKED enum err password_hash(const struct secret_key *pepper, struct password_cost cost,
                               struct str password, char out[PASSWORD_HASH_BYTES]);
/* As slow, whatever comes in, also for a password that can never be right. */
bool password_check(const struct secret_key *pepper, struct str password, const char *hash);
/* The hash was made with another cost: make it anew at the next good sign-in. */
bool password_hash_outdated(const char *hash, struct password_cost cost);
/* A hash that no password fits; for spending the same time on unknown login ids. */
const char *password_hash_of_nobody(void);

/* ---- temporary login ids and passwords on postcards: upper case and digits without I O 0 1 ----
 */

void temp_password_new(char out[TEMP_PASSWORD_BYTES]);
void temp_login_new(char out[TEMP_LOGIN_BYTES]);
/*
 * The form that is compared: ASCII width, upper case, without blanks and hyphens. False when
 * nothing is left, or too much, or something else than letters and digits.
 */
bool temp_fold(struct str text, char out[TEMP_TEXT_BYTES]);
/* HMAC-SHA-256 under the key for temporary passwords; `folded` comes from temp_fold(). */
void temp_hmac(const struct secret_key *key, const char *folded, uint8_t out[SECRET_DIGEST_BYTES]);

/* ---- links in mails: "<link_id>.<HMAC-SHA-256(key, purpose, id)>" ---- */

void link_text(const struct secret_key *key, const char *purpose, struct uuid link_id,
               char out[LINK_TEXT_BYTES]);
/* Only the id, for looking up the purpose; it proves nothing. False when it is no link. */
bool link_id(struct str text, struct uuid *ret_id);
/* Whether the link was made by us for this purpose. */
bool link_check(const struct secret_key *key, const char *purpose, struct str text);

/* ---- opaque tokens of sessions and organisers' programs: kept as SHA-256 of their text ---- */

void token_new(char out[TOKEN_TEXT_BYTES]);
void token_digest(struct str token, uint8_t out[SECRET_DIGEST_BYTES]);
