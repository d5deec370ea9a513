/* utf8: the one place that knows how UTF-8 is built. */
#include "text/utf8.h"

#include <string.h>

bool utf8_step(struct utf8_state *state, uint8_t byte)
{
    if (state->left > 0) {
        if (byte < state->least || byte > state->most)
            return false;
        state->left--;
        state->least = 0x80;
        state->most = 0xBF;
        return true;
    }
    if (byte < 0x80)
        return true;
    if (byte < 0xC2 || byte > 0xF4)
        return false;
    state->left = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    /* The first continuation byte excludes long forms, surrogates and what is above U+10FFFF. */
    state->least = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    state->most = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return true;
}

/* Length of the valid character at `bytes`, 0 when there is none. */
static size_t character_len(const char *bytes, size_t len)
{
    struct utf8_state state = {0, 0, 0};
    size_t used = 0;

    do {
        if (used == len || !utf8_step(&state, (uint8_t)bytes[used]))
            return 0;
        used++;
    } while (state.left > 0);
    return used;
}

size_t utf8_valid_len(struct str text)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t at = 0;

    while (at < text.len) {
        uint64_t word;
        size_t len;

        if (text.len - at >= sizeof(word)) {
            memcpy(&word, text.data + at, sizeof(word));
            if ((word & high_bits) == 0) {
                at += sizeof(word);
                continue;
            }
        }
        const uint8_t byte = (uint8_t)text.data[at];

        if (byte < 0x80) {
            at++;
            continue;
        }
        /* Most of Japanese: three bytes without special bounds. */
        if (byte > 0xE0 && byte < 0xED && text.len - at >= 3 &&
            ((uint8_t)text.data[at + 1] & 0xC0) == 0x80 &&
            ((uint8_t)text.data[at + 2] & 0xC0) == 0x80) {
            at += 3;
            continue;
        }
        len = character_len(text.data + at, text.len - at);
        if (len == 0)
            return at;
        at += len;
    }
    return at;
}

uint32_t utf8_next(struct str text, size_t *at)
{
    struct utf8_state state = {0, 0, 0};
    uint8_t byte = (uint8_t)text.data[*at];
    uint32_t point;

    (*at)++;
    if (byte < 0x80)
        return byte;
    if (!utf8_step(&state, byte))
        return UTF8_REPLACEMENT;
    point = byte & (0x3Fu >> state.left);
    while (state.left > 0) {
        if (*at == text.len || !utf8_step(&state, (uint8_t)text.data[*at]))
            return UTF8_REPLACEMENT;
        point = (point << 6) | ((uint8_t)text.data[*at] & 0x3Fu);
        (*at)++;
    }
    return point;
}

size_t utf8_put(char *out, uint32_t point)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | (point >> 6));
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | (point >> 12));
        out[1] = (char)(0x80 | ((point >> 6) & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (point >> 18));
    out[1] = (char)(0x80 | ((point >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((point >> 6) & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}
