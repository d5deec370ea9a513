/* chain_sum: SHA-256 by libcrypto, which uses the processor's own instructions; values as bytes. */
#include <openssl/evp.h>
#include <string.h>

#include "base/arena.h"
#include "chain/chain_private.h"

#define EPOCH_US (INT64_C(86400) * CHAIN_EPOCH_DAYS * CLOCK_SECOND_US)

struct chain_sum {
    EVP_MD_CTX *context;
};

struct chain_sum *chain_sum_new(void)
{
    struct chain_sum *sum = heap_alloc(sizeof(*sum));

    sum->context = EVP_MD_CTX_new();
    must(sum->context != NULL && EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL) == 1);
    return sum;
}

void chain_sum_add(struct chain_sum *sum, struct str bytes)
{
    must(EVP_DigestUpdate(sum->context, bytes.data, bytes.len) == 1);
}

struct chain_hash chain_sum_end(struct chain_sum *sum)
{
    struct chain_hash hash;

    must(EVP_DigestFinal_ex(sum->context, hash.bytes, NULL) == 1);
    chain_sum_free(sum);
    return hash;
}

void chain_sum_free(struct chain_sum *sum)
{
    if (sum == NULL)
        return;
    EVP_MD_CTX_free(sum->context);
    free(sum);
}

struct chain_hash chain_hash_of(struct str bytes)
{
    struct chain_hash hash;

    must(EVP_Digest(bytes.data, bytes.len, hash.bytes, NULL, EVP_sha256(), NULL) == 1);
    return hash;
}

bool chain_hash_is(struct chain_hash hash, struct str bytes)
{
    return bytes.len == sizeof(hash.bytes) && memcmp(hash.bytes, bytes.data, bytes.len) == 0;
}

void chain_put_i32(struct buf *out, int32_t value)
{
    uint8_t bytes[sizeof(value)];

    chain_write_i32(bytes, value);
    buf_add(out, bytes, sizeof(bytes));
}

void chain_put_i64(struct buf *out, int64_t value)
{
    uint8_t bytes[sizeof(value)];

    chain_write_i64(bytes, value);
    buf_add(out, bytes, sizeof(bytes));
}

void chain_put_time(struct buf *out, int64_t time_us)
{
    chain_put_i64(out, time_us - EPOCH_US);
}

void chain_put_text(struct buf *out, struct str text)
{
    buf_add_str(out, text);
    buf_add_char(out, '\0');
}

void chain_put_text_null(struct buf *out, struct str text)
{
    buf_add_char(out, text.data != NULL);
    if (text.data != NULL)
        chain_put_text(out, text);
}
