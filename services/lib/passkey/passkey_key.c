/* passkey_key: public keys and signatures, by libcrypto. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "passkey/passkey.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096, GROUP_BYTES = 32, SHA256_BYTES = 32 };

/* NULL when it is no key of that algorithm, or something follows it. */
static EVP_PKEY *key_of(struct str spki, int64_t algorithm)
{
    const unsigned char *at = (const unsigned char *)spki.data;
    char group[GROUP_BYTES];
    EVP_PKEY *key;
    bool good = false;

    if (spki.len == 0 || spki.len > PASSKEY_KEY_BYTES_MAX)
        return NULL;
    key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    if (key == NULL)
        return NULL;
    if (algorithm == PASSKEY_ES256)
        good = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
               EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
               strcmp(group, "prime256v1") == 0;
    else if (algorithm == PASSKEY_RS256)
        good = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
               EVP_PKEY_get_bits(key) >= RSA_BITS_MIN && EVP_PKEY_get_bits(key) <= RSA_BITS_MAX;
    if (good && at == (const unsigned char *)spki.data + spki.len)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

bool passkey_key_good(struct str spki, int64_t algorithm)
{
    EVP_PKEY *key = key_of(spki, algorithm);

    EVP_PKEY_free(key);
    return key != NULL;
}

bool passkey_signature_good(struct str spki, int64_t algorithm, struct str data, struct str client,
                            struct str signature)
{
    EVP_PKEY *key = key_of(spki, algorithm);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[SHA256_BYTES];
    bool good;

    must(context != NULL);
    good =
        key != NULL && signature.len <= PASSKEY_SIGNATURE_BYTES_MAX &&
        EVP_Digest(client.data, client.len, digest, NULL, EVP_sha256(), NULL) == 1 &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerifyUpdate(context, data.data, data.len) == 1 &&
        EVP_DigestVerifyUpdate(context, digest, sizeof(digest)) == 1 &&
        EVP_DigestVerifyFinal(context, (const unsigned char *)signature.data, signature.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}
