/* encoding: detection line by line, CP932 by table. */
#include "text/encoding.h"

#include <string.h>

#include "gen/cp932_table.h"

const char *encoding_name(enum encoding encoding)
{
    switch (encoding) {
    case ENCODING_UNKNOWN:
        return "";
    case ENCODING_UTF8:
        return "utf-8";
    case ENCODING_CP932:
        return "cp932";
    }
    must(false);
}

/* Bytes at the beginning that are below 80. */
static size_t ascii_len(struct str text)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t at = 0;
    uint64_t word;

    while (text.len - at >= sizeof(word)) {
        memcpy(&word, text.data + at, sizeof(word));
        if ((word & high_bits) != 0)
            break;
        at += sizeof(word);
    }
    while (at < text.len && (uint8_t)text.data[at] < 0x80)
        at++;
    return at;
}

void encoding_detect_feed(struct encoding_detect *detect, struct str slice)
{
    size_t at = 0;

    while (at < slice.len && detect->encoding == ENCODING_UNKNOWN) {
        if (!detect->high) {
            at += ascii_len((struct str){slice.data + at, slice.len - at});
            if (at == slice.len)
                return;
            detect->high = true;
        }
        const uint8_t byte = (uint8_t)slice.data[at++];

        if (!utf8_step(&detect->utf8, byte))
            detect->encoding = ENCODING_CP932;
        else if (byte == '\n' || byte == '\r')
            detect->encoding = ENCODING_UTF8;
    }
}

enum encoding encoding_detect_end(struct encoding_detect *detect)
{
    if (detect->encoding == ENCODING_UNKNOWN)
        detect->encoding = detect->utf8.left == 0 ? ENCODING_UTF8 : ENCODING_CP932;
    return (enum encoding)detect->encoding;
}

/* Row of the table for a lead byte; CP932_LEADS when it is none. */
static size_t lead_row(uint8_t lead)
{
    if (lead >= 0x81 && lead <= 0x9F)
        return lead - 0x81u;
    if (lead >= 0xE0 && lead <= 0xFC)
        return lead - 0xE0u + 31;
    return CP932_LEADS;
}

/* The character at *at, which moves behind it. U+FFFD for what cannot be read. */
static uint32_t cp932_next(struct str bytes, size_t *at)
{
    const uint8_t lead = (uint8_t)bytes.data[(*at)++];
    const size_t row = lead_row(lead);
    uint32_t point = 0;
    uint8_t trail;

    if (lead < 0x80)
        return lead;
    if (lead >= 0xA1 && lead <= 0xDF)
        return 0xFF61u + (lead - 0xA1u);
    if (row == CP932_LEADS || *at == bytes.len)
        return UTF8_REPLACEMENT;
    trail = (uint8_t)bytes.data[*at];
    if (trail >= CP932_TRAIL_FIRST && trail < CP932_TRAIL_FIRST + CP932_TRAILS)
        point = cp932_pairs[row][trail - CP932_TRAIL_FIRST];
    /* The second byte of a broken pair stays when it can be a character by itself. */
    if (point != 0 || trail >= 0x80)
        (*at)++;
    return point != 0 ? point : UTF8_REPLACEMENT;
}

static bool cp932_valid(struct str bytes)
{
    size_t at = 0;

    while (at < bytes.len) {
        at += ascii_len((struct str){bytes.data + at, bytes.len - at});
        /* No pair stands for U+FFFD, so it always means an error. */
        if (at < bytes.len && cp932_next(bytes, &at) == UTF8_REPLACEMENT)
            return false;
    }
    return true;
}

bool encoding_valid(enum encoding encoding, struct str bytes)
{
    if (encoding == ENCODING_CP932)
        return cp932_valid(bytes);
    return utf8_valid_len(bytes) == bytes.len;
}

struct str encoding_decode(struct arena *arena, enum encoding encoding, struct str bytes)
{
    const bool cp932 = encoding == ENCODING_CP932;
    size_t at = cp932 ? ascii_len(bytes) : utf8_valid_len(bytes);
    size_t used = at;
    char *out;

    if (at == bytes.len)
        return bytes;
    /* One byte of either encoding becomes at most three: half-width kana and U+FFFD. */
    out = arena_alloc(arena, at + (bytes.len - at) * 3);
    memcpy(out, bytes.data, at);
    while (at < bytes.len)
        used += utf8_put(out + used, cp932 ? cp932_next(bytes, &at) : utf8_next(bytes, &at));
    return (struct str){out, used};
}
