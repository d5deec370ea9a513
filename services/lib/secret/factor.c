/* factor: see factor.h. */
#include "secret/factor.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <string.h>

enum { NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, SHA1_BYTES = 20 };

_Static_assert(TOTP_SEALED_BYTES ==
                   NONCE_BYTES + TOTP_SECRET_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "what a sealed secret is made of");

void totp_secret_new(struct totp_secret *ret_secret)
{
    random_bytes(ret_secret->bytes, sizeof(ret_secret->bytes));
}

void totp_secret_text(const struct totp_secret *secret, char out[TOTP_TEXT_BYTES])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    for (size_t i = 0; i < TOTP_TEXT_BYTES - 1; i++) {
        size_t bit = i * 5, byte = bit / 8;
        unsigned pair = (unsigned)secret->bytes[byte] << 8;

        if (byte + 1 < TOTP_SECRET_BYTES)
            pair |= secret->bytes[byte + 1];
        out[i] = alphabet[pair >> (11 - bit % 8) & 31];
    }
    out[TOTP_TEXT_BYTES - 1] = '\0';
}

/* ---- sealing ---- */

void totp_seal(const struct secret_key *key, struct uuid account_id,
               const struct totp_secret *secret, uint8_t out[TOTP_SEALED_BYTES])
{
    random_bytes(out, NONCE_BYTES);
    must(crypto_aead_xchacha20poly1305_ietf_encrypt(
             out + NONCE_BYTES, NULL, secret->bytes, sizeof(secret->bytes), account_id.bytes,
             sizeof(account_id.bytes), NULL, out, key->bytes) == 0);
}

bool totp_open(const struct secret_key *key, struct uuid account_id, struct str sealed,
               struct totp_secret *ret_secret)
{
    const uint8_t *bytes = (const uint8_t *)sealed.data;

    if (sealed.len != TOTP_SEALED_BYTES)
        return false;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               ret_secret->bytes, NULL, NULL, bytes + NONCE_BYTES, sealed.len - NONCE_BYTES,
               account_id.bytes, sizeof(account_id.bytes), bytes, key->bytes) == 0;
}

/* ---- codes ---- */

int64_t totp_step(int64_t time_us)
{
    return time_us / (TOTP_STEP_S * 1000000LL);
}

uint32_t totp_code(const struct totp_secret *secret, int64_t step)
{
    uint8_t counter[8], mac[SHA1_BYTES];
    unsigned mac_len = sizeof(mac), at;

    for (size_t i = 0; i < sizeof(counter); i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    must(HMAC(EVP_sha1(), secret->bytes, sizeof(secret->bytes), counter, sizeof(counter), mac,
              &mac_len) != NULL &&
         mac_len == sizeof(mac));
    at = mac[SHA1_BYTES - 1] & 15u;
    return (((uint32_t)mac[at] & 127u) << 24 | (uint32_t)mac[at + 1] << 16 |
            (uint32_t)mac[at + 2] << 8 | (uint32_t)mac[at + 3]) %
           1000000u;
}

int64_t totp_match(const struct totp_secret *secret, struct str code, int64_t now_step,
                   int64_t last_step)
{
    int64_t found = -1;
    uint32_t given = 0;

    if (code.len != TOTP_DIGITS)
        return -1;
    for (size_t i = 0; i < code.len; i++) {
        if (code.data[i] < '0' || code.data[i] > '9')
            return -1;
        given = given * 10 + (uint32_t)(code.data[i] - '0');
    }
    for (int64_t step = now_step - TOTP_WINDOW; step <= now_step + TOTP_WINDOW; step++) {
        bool same = sodium_memcmp(&given, &(uint32_t){totp_code(secret, step)}, sizeof(given)) == 0;

        if (same && step > last_step)
            found = step;
    }
    return found;
}
