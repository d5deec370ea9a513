/* chain_sum: SHA-256 by libcrypto, which uses the processor's own instructions; values as bytes. */
#include <openssl/evp.h>
#include <string.h>

#include "base/arena.h"
#include "chain/chain_private.h"

/* From 1970-01-01 to 2000-01-01, where PostgreSQL begins to count. */
enum { EPOCH_DAYS = 10957 };
#define EPOCH_US (INT64_C(86400) * EPOCH_DAYS * CLOCK_SECOND_US)

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

/* The lowest `width` bytes of a number, highest first. */
static void put_number(struct buf *out, uint64_t value, size_t width)
{
    uint8_t bytes[sizeof(value)];

    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    buf_add(out, bytes, width);
}

void chain_put_i16(struct buf *out, int16_t value)
{
    put_number(out, (uint64_t)value, sizeof(value));
}

void chain_put_i32(struct buf *out, int32_t value)
{
    put_number(out, (uint64_t)value, sizeof(value));
}

void chain_put_i64(struct buf *out, int64_t value)
{
    put_number(out, (uint64_t)value, sizeof(value));
}

void chain_put_time(struct buf *out, int64_t time_us)
{
    chain_put_i64(out, time_us - EPOCH_US);
}

void chain_put_day(struct buf *out, day_t day)
{
    chain_put_i32(out, day - EPOCH_DAYS);
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
