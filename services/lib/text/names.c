/* names: see names.h. */
#include "text/names.h"

/* The next character of well-formed UTF-8, 0 when it is none. */
static uint32_t next_char(struct str *text)
{
    const uint8_t *bytes = (const uint8_t *)text->data;
    size_t len = bytes[0] < 0x80 ? 1 : bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    uint32_t c = len == 1 ? bytes[0] : bytes[0] & (0xFFu >> (len + 1));

    if (len > text->len) {
        text->len = 0;
        return 0;
    }
    for (size_t i = 1; i < len; i++)
        c = (c << 6) | (bytes[i] & 0x3Fu);
    text->data += len;
    text->len -= len;
    return c;
}

bool name_is_kana(struct str text)
{
    while (text.len > 0) {
        uint32_t c = next_char(&text);

        if (!(c >= 0x30A1 && c <= 0x30FE) && c != 0x3000 && c != ' ')
            return false;
    }
    return true;
}

bool name_is_blank(struct str text)
{
    while (text.len > 0) {
        uint32_t c = next_char(&text);

        if (c != ' ' && c != 0x3000)
            return false;
    }
    return true;
}
