/*
 * chain_anchor: lines of the file that an operator keeps elsewhere:
 *
 *   mamis-anchor 1 2026-04-01T09:00:00+09:00 credit mamis.credit.work 3 812 HASH SIGNATURE
 *
 * What was written outside of a partition has "-" for its topic. Signed is the signature of the
 * line before, then the line up to the blank before its own.
 */
#include <sodium.h>
#include <string.h>

#include "chain/chain.h"

#define KIND STR("mamis-anchor")
#define VERSION STR("1")
#define NO_TOPIC STR("-")

_Static_assert(CHAIN_SEED_BYTES == crypto_sign_SEEDBYTES, "libsodium's sizes");
_Static_assert(CHAIN_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "libsodium's sizes");
_Static_assert(CHAIN_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "libsodium's sizes");
_Static_assert(CHAIN_SIGNATURE_BYTES == crypto_sign_BYTES, "libsodium's sizes");

void chain_signer_of(const uint8_t seed[CHAIN_SEED_BYTES], struct chain_signer *ret_signer)
{
    must(crypto_sign_seed_keypair(ret_signer->public_key, ret_signer->secret, seed) == 0);
}

static void signed_bytes(struct buf *out, const uint8_t last[CHAIN_SIGNATURE_BYTES],
                         struct str fields)
{
    buf_add(out, last, CHAIN_SIGNATURE_BYTES);
    buf_add_str(out, fields);
}

static void add_hex(struct buf *out, const uint8_t *bytes, size_t len)
{
    char hex[2 * CHAIN_SIGNATURE_BYTES + 1];

    must(len <= CHAIN_SIGNATURE_BYTES);
    hex_encode(bytes, len, hex);
    buf_add_c(out, hex);
}

void chain_anchor_write(struct buf *out, const struct chain_anchor *anchor,
                        const struct chain_signer *signer, uint8_t last[CHAIN_SIGNATURE_BYTES])
{
    const struct str topic = anchor->topic.len > 0 ? anchor->topic : NO_TOPIC;
    struct buf fields = {0};
    struct buf bytes = {0};
    char time[CLOCK_TEXT_BYTES];

    time_format(anchor->at_us, time);
    buf_printf(&fields, "%.*s %.*s %s %.*s %.*s %d %lld ", STR_ARG(KIND), STR_ARG(VERSION), time,
               STR_ARG(anchor->schema), STR_ARG(topic), (int)anchor->part, (long long)anchor->seq);
    add_hex(&fields, anchor->hash.bytes, sizeof(anchor->hash.bytes));
    signed_bytes(&bytes, last, buf_str(&fields));
    must(crypto_sign_detached(last, NULL, (const uint8_t *)bytes.data, bytes.len, signer->secret) ==
         0);
    buf_add_str(out, buf_str(&fields));
    buf_add_char(out, ' ');
    add_hex(out, last, CHAIN_SIGNATURE_BYTES);
    buf_add_char(out, '\n');
    buf_free(&fields);
    buf_free(&bytes);
}

/* The last word of `*text`, which keeps what is before it. */
static struct str cut_last(struct str *text)
{
    const char *blank = text->len > 0 ? memrchr(text->data, ' ', text->len) : NULL;
    struct str word = *text;

    if (blank == NULL)
        return STR("");
    word.len = (size_t)(text->data + text->len - blank) - 1;
    word.data = blank + 1;
    text->len = (size_t)(blank - text->data);
    return word;
}

static bool read_number(struct str *rest, int64_t least, int64_t most, int64_t *ret_value)
{
    struct str word;

    return str_cut(rest, ' ', &word) && str_to_i64(word, ret_value) && *ret_value >= least &&
           *ret_value <= most;
}

static bool read_fields(struct str rest, struct chain_anchor *anchor)
{
    struct str kind, version, time;
    int64_t part;

    if (!str_cut(&rest, ' ', &kind) || !str_eq(kind, KIND) || !str_cut(&rest, ' ', &version) ||
        !str_eq(version, VERSION) || !str_cut(&rest, ' ', &time) ||
        !time_parse(time, &anchor->at_us) || !str_cut(&rest, ' ', &anchor->schema) ||
        !str_cut(&rest, ' ', &anchor->topic) || !read_number(&rest, 0, INT32_MAX, &part) ||
        !read_number(&rest, 1, INT64_MAX, &anchor->seq))
        return false;
    if (str_eq(anchor->topic, NO_TOPIC))
        anchor->topic = STR("");
    anchor->part = (int32_t)part;
    return hex_decode(rest, anchor->hash.bytes, sizeof(anchor->hash.bytes));
}

enum err chain_anchor_read(struct str line, const uint8_t public_key[CHAIN_PUBLIC_BYTES],
                           uint8_t last[CHAIN_SIGNATURE_BYTES], struct chain_anchor *ret_anchor,
                           struct err_note *note)
{
    uint8_t signature[CHAIN_SIGNATURE_BYTES];
    struct chain_anchor anchor;
    struct str fields = line;
    struct buf bytes = {0};
    bool good;

    if (line.len > CHAIN_ANCHOR_BYTES_MAX ||
        !hex_decode(cut_last(&fields), signature, sizeof(signature)) ||
        !read_fields(fields, &anchor))
        return err_say(note, ERR_SCHEMA, "is no anchor");
    signed_bytes(&bytes, last, fields);
    good = crypto_sign_verify_detached(signature, (const uint8_t *)bytes.data, bytes.len,
                                       public_key) == 0;
    buf_free(&bytes);
    if (!good)
        return err_say(note, ERR_SCHEMA,
                       "was not signed with this key, or not after the line before it");
    memcpy(last, signature, sizeof(signature));
    *ret_anchor = anchor;
    return ERR_OK;
}
