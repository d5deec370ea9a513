/* secret: passwords that people choose. Argon2id; the pepper makes a stolen table useless. */
#include <sodium.h>
#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "secret/secret.h"

_Static_assert(PASSWORD_HASH_BYTES >= crypto_pwhash_STRBYTES, "room for libsodium's string");

enum { UNITS_MAX = 2 * PASSWORD_BYTES_MAX, RAW_BYTES_MAX = 4 * PASSWORD_BYTES_MAX };

/* NFC of `text` in UTF-8, so that every keyboard's way to type a character gives the same bytes. */
static bool normalise(struct str text, char out[PASSWORD_BYTES_MAX], size_t *ret_len)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar raw[UNITS_MAX];
    UChar composed[UNITS_MAX];
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);
    int32_t raw_len = 0;
    int32_t composed_len = 0;
    int32_t out_len = 0;

    if (text.len == 0 || text.len > RAW_BYTES_MAX)
        return false;
    (void)u_strFromUTF8(raw, UNITS_MAX, &raw_len, text.data, (int32_t)text.len, &status);
    composed_len = unorm2_normalize(nfc, raw, raw_len, composed, UNITS_MAX, &status);
    (void)u_strToUTF8(out, PASSWORD_BYTES_MAX, &out_len, composed, composed_len, &status);
    secret_wipe(raw, sizeof(raw));
    secret_wipe(composed, sizeof(composed));
    if (U_FAILURE(status) || out_len <= 0)
        return false;
    *ret_len = (size_t)out_len;
    return true;
}

/* What Argon2id gets: HMAC-SHA-256 of the normalised password. False when it is no password. */
static bool pepper_password(const struct secret_key *pepper, struct str password,
                            uint8_t out[crypto_auth_hmacsha256_BYTES])
{
    char normal[PASSWORD_BYTES_MAX];
    size_t len = 0;
    bool good = normalise(password, normal, &len);

    if (good)
        (void)crypto_auth_hmacsha256(out, (const uint8_t *)normal, len, pepper->bytes);
    secret_wipe(normal, sizeof(normal));
    return good;
}

enum err password_hash(const struct secret_key *pepper, struct password_cost cost,
                       struct str password, char out[PASSWORD_HASH_BYTES])
{
    uint8_t input[crypto_auth_hmacsha256_BYTES];
    int failed;

    must(sodium_init() >= 0);
    if (!pepper_password(pepper, password, input))
        return ERR_SCHEMA;
    failed = crypto_pwhash_str(out, (const char *)input, sizeof(input), cost.passes,
                               (size_t)cost.memory_kib * 1024);
    secret_wipe(input, sizeof(input));
    must(failed == 0); /* out of memory, or a cost outside libsodium's limits */
    return ERR_OK;
}

bool password_check(const struct secret_key *pepper, struct str password, const char *hash)
{
    uint8_t input[crypto_auth_hmacsha256_BYTES] = {0};
    bool plausible;
    bool fits;

    must(sodium_init() >= 0);
    plausible = pepper_password(pepper, password, input);
    fits = crypto_pwhash_str_verify(hash, (const char *)input, sizeof(input)) == 0;
    secret_wipe(input, sizeof(input));
    return plausible && fits;
}

bool password_hash_outdated(const char *hash, struct password_cost cost)
{
    return crypto_pwhash_str_needs_rehash(hash, cost.passes, (size_t)cost.memory_kib * 1024) != 0;
}

const char *password_hash_of_nobody(void)
{
    /* The digest is all zero bits: nobody finds a password for it, and it costs what others cost.
     */
    return "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA"
           "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
}
