/* gateway_document: see gateway_document.h. */
#include "gateway/gateway_document.h"

#include <string.h>
#include <zlib.h>

#include "base/base.h"

enum { PDF_TAIL_BYTES = 1024 };

static uint32_t big_endian(const uint8_t *bytes, size_t count)
{
    uint32_t value = 0;

    for (size_t i = 0; i < count; i++)
        value = (value << 8) | bytes[i];
    return value;
}

static bool holds(struct str bytes, const char *word)
{
    return memmem(bytes.data, bytes.len, word, strlen(word)) != NULL;
}

static enum code check_size(uint32_t width, uint32_t height)
{
    if (width == 0 || height == 0)
        return CODE_DOCUMENT_DAMAGED;
    if (width > DOCUMENT_SIDE_MAX || height > DOCUMENT_SIDE_MAX ||
        (uint64_t)width * height > DOCUMENT_PIXELS_MAX)
        return CODE_DOCUMENT_PIXELS;
    return CODE_NONE;
}

/* ---- PDF: whole, and open to everybody ---- */

static enum code check_pdf(struct str bytes)
{
    size_t from = bytes.len > PDF_TAIL_BYTES ? bytes.len - PDF_TAIL_BYTES : 0;
    struct str tail = {bytes.data + from, bytes.len - from};

    if (!holds(tail, "%%EOF"))
        return CODE_DOCUMENT_DAMAGED;
    return holds(bytes, "/Encrypt") ? CODE_DOCUMENT_LOCKED : CODE_NONE;
}

/* ---- PNG: chunks up to IEND, each with its check sum; one picture only ---- */

static enum code check_png(struct str file)
{
    const uint8_t *bytes = (const uint8_t *)file.data;
    size_t at = 8;

    for (int part = 0; part < DOCUMENT_PARTS_MAX && file.len - at >= 12; part++) {
        uint32_t len = big_endian(bytes + at, 4);
        const uint8_t *type = bytes + at + 4;
        enum code code;

        if (len > file.len - at - 12 ||
            crc32(0, type, len + 4) != big_endian(bytes + at + 8 + len, 4))
            return CODE_DOCUMENT_DAMAGED;
        if ((part == 0) != (memcmp(type, "IHDR", 4) == 0) || memcmp(type, "acTL", 4) == 0)
            return CODE_DOCUMENT_DAMAGED;
        if (part == 0) {
            code = len == 13 ? check_size(big_endian(type + 4, 4), big_endian(type + 8, 4))
                             : CODE_DOCUMENT_DAMAGED;
            if (code != CODE_NONE)
                return code;
        }
        if (memcmp(type, "IEND", 4) == 0)
            return CODE_NONE;
        at += (size_t)len + 12;
    }
    return CODE_DOCUMENT_DAMAGED;
}

/* ---- JPEG: segments up to the one that says how large it is ---- */

static bool is_frame(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static enum code check_jpeg(struct str file)
{
    const uint8_t *bytes = (const uint8_t *)file.data;
    size_t at = 2;

    for (int part = 0; part < DOCUMENT_PARTS_MAX && file.len - at >= 4; part++) {
        uint32_t len;

        if (bytes[at] != 0xFF)
            return CODE_DOCUMENT_DAMAGED;
        if (bytes[at + 1] == 0xFF) { /* filling */
            at++;
            continue;
        }
        len = big_endian(bytes + at + 2, 2);
        if (len < 2 || len > file.len - at - 2)
            return CODE_DOCUMENT_DAMAGED;
        if (is_frame(bytes[at + 1]))
            return len < 8
                       ? CODE_DOCUMENT_DAMAGED
                       : check_size(big_endian(bytes + at + 7, 2), big_endian(bytes + at + 5, 2));
        if (bytes[at + 1] == 0xDA || bytes[at + 1] == 0xD9) /* the picture, or the end */
            return CODE_DOCUMENT_DAMAGED;
        at += 2 + (size_t)len;
    }
    return CODE_DOCUMENT_DAMAGED;
}

/* ---- which it is ---- */

static const struct kind {
    const char *type, *ending, *magic;
    size_t magic_len;
    enum code (*check)(struct str bytes);
} kinds[] = {
    {"application/pdf", "pdf", "%PDF-", 5, check_pdf},
    {"image/jpeg", "jpg", "\xFF\xD8\xFF", 3, check_jpeg},
    {"image/png", "png", "\x89PNG\r\n\x1A\n", 8, check_png},
};

enum code document_check(struct str bytes, const char **ret_type)
{
    if (bytes.len == 0)
        return CODE_DOCUMENT_EMPTY;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        enum code code;

        if (bytes.len < kinds[i].magic_len ||
            memcmp(bytes.data, kinds[i].magic, kinds[i].magic_len) != 0)
            continue;
        code = kinds[i].check(bytes);
        if (code == CODE_NONE)
            *ret_type = kinds[i].type;
        return code;
    }
    return CODE_DOCUMENT_TYPE;
}

const char *document_ending(struct str type)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq_c(type, kinds[i].type))
            return kinds[i].ending;
    }
    return "bin";
}
