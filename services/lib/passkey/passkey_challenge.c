/*
 * passkey_challenge: when it was made, random bytes, and a code over both, the purpose and the
 * account, so that we know our own again without having kept them.
 */
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "passkey/passkey.h"

enum { TIME_BYTES = 8, RANDOM_BYTES = 16, PLAIN_BYTES = TIME_BYTES + RANDOM_BYTES };

_Static_assert(PASSKEY_CHALLENGE_BYTES == PLAIN_BYTES + crypto_auth_hmacsha256_BYTES,
               "what a challenge is made of");

static void code(const struct secret_key *key, enum passkey_purpose purpose, struct uuid account_id,
                 const uint8_t plain[PLAIN_BYTES], uint8_t *out)
{
    static const char what[] = "passkey"; /* the key has other uses: the NUL ends this one's name */
    const uint8_t purpose_byte = (uint8_t)purpose;
    crypto_auth_hmacsha256_state state;

    (void)crypto_auth_hmacsha256_init(&state, key->bytes, sizeof(key->bytes));
    (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)what, sizeof(what));
    (void)crypto_auth_hmacsha256_update(&state, &purpose_byte, 1);
    (void)crypto_auth_hmacsha256_update(&state, account_id.bytes, sizeof(account_id.bytes));
    (void)crypto_auth_hmacsha256_update(&state, plain, PLAIN_BYTES);
    (void)crypto_auth_hmacsha256_final(&state, out);
}

struct str passkey_challenge_new(struct arena *arena, const struct secret_key *key,
                                 enum passkey_purpose purpose, struct uuid account_id,
                                 int64_t now_us)
{
    uint8_t bytes[PASSKEY_CHALLENGE_BYTES];

    for (size_t i = 0; i < TIME_BYTES; i++)
        bytes[i] = (uint8_t)((uint64_t)now_us >> (56 - 8 * i));
    random_bytes(bytes + TIME_BYTES, RANDOM_BYTES);
    code(key, purpose, account_id, bytes, bytes + PLAIN_BYTES);
    return base64url_encode(arena, bytes, sizeof(bytes));
}

bool passkey_challenge_good(struct arena *arena, const struct secret_key *key,
                            enum passkey_purpose purpose, struct uuid account_id,
                            struct str challenge, int64_t now_us)
{
    uint8_t wanted[crypto_auth_hmacsha256_BYTES];
    const uint8_t *bytes;
    struct str given;
    uint64_t made = 0;

    if (!passkey_bytes(arena, challenge, PASSKEY_CHALLENGE_BYTES, &given) ||
        given.len != PASSKEY_CHALLENGE_BYTES)
        return false;
    bytes = (const uint8_t *)given.data;
    code(key, purpose, account_id, bytes, wanted);
    if (sodium_memcmp(wanted, bytes + PLAIN_BYTES, sizeof(wanted)) != 0)
        return false;
    for (size_t i = 0; i < TIME_BYTES; i++)
        made = made << 8 | bytes[i];
    return (int64_t)made <= now_us &&
           now_us - (int64_t)made <= PASSKEY_CHALLENGE_GOOD_S * CLOCK_SECOND_US;
}
