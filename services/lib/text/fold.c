/* fold: width and the forms that need ICU. */
#include "text/fold.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "text/fold_private.h"
#include "text/utf8.h"

/* Half-width katakana U+FF61..U+FF9F in full width. */
static const uint16_t wide_kana[] = {
    0x3002, 0x300C, 0x300D, 0x3001, 0x30FB, 0x30F2, 0x30A1, 0x30A3,      0x30A5,
    0x30A7, 0x30A9, 0x30E3, 0x30E5, 0x30E7, 0x30C3, 0x30FC, 0x30A2,      0x30A4,
    0x30A6, 0x30A8, 0x30AA, 0x30AB, 0x30AD, 0x30AF, 0x30B1, 0x30B3,      0x30B5,
    0x30B7, 0x30B9, 0x30BB, 0x30BD, 0x30BF, 0x30C1, 0x30C4, 0x30C6,      0x30C8,
    0x30CA, 0x30CB, 0x30CC, 0x30CD, 0x30CE, 0x30CF, 0x30D2, 0x30D5,      0x30D8,
    0x30DB, 0x30DE, 0x30DF, 0x30E0, 0x30E1, 0x30E2, 0x30E4, 0x30E6,      0x30E8,
    0x30E9, 0x30EA, 0x30EB, 0x30EC, 0x30ED, 0x30EF, 0x30F3, FOLD_VOICED, FOLD_HALF_VOICED,
};

/* Full-width signs U+FFE0..U+FFE6. */
static const uint16_t narrow_signs[] = {0xA2, 0xA3, 0xAC, 0xAF, 0xA6, 0xA5, 0x20A9};

uint32_t fold_width_point(uint32_t point)
{
    if (point >= 0xFF01 && point <= 0xFF5E)
        return point - 0xFEE0;
    if (point >= 0xFF61 && point <= 0xFF9F)
        return wide_kana[point - 0xFF61];
    if (point >= 0xFFE0 && point <= 0xFFE6)
        return narrow_signs[point - 0xFFE0];
    return point == 0x3000 ? ' ' : point;
}

uint32_t fold_voice(uint32_t base, uint32_t mark)
{
    const bool half = mark == FOLD_HALF_VOICED;
    /* Hiragana lies 60 below katakana, character for character. */
    const uint32_t kana = base >= 0x3041 && base <= 0x3096 ? base + 0x60 : base;

    if (kana >= 0x30CF && kana <= 0x30DB && (kana - 0x30CF) % 3 == 0)
        return base + (half ? 2 : 1);
    if (half)
        return 0;
    if (kana >= 0x30AB && kana <= 0x30C1)
        return kana % 2 == 1 ? base + 1 : 0;
    if (kana == 0x30C4 || kana == 0x30C6 || kana == 0x30C8)
        return base + 1;
    if (kana == 0x30A6)
        return base + (0x30F4 - 0x30A6);
    if (base == 0x309D || base == 0x30FD)
        return base + 1;
    if (base >= 0x30EF && base <= 0x30F2)
        return base + 8;
    return 0;
}

/* A space, tab, U+3000 or U+00A0 at the beginning (or end) of `text`: its length, else 0. */
static size_t blank_at_start(struct str text)
{
    const char *at = text.data;

    if (text.len >= 1 && (at[0] == ' ' || at[0] == '\t'))
        return 1;
    if (text.len >= 2 && memcmp(at, "\xC2\xA0", 2) == 0)
        return 2;
    return text.len >= 3 && memcmp(at, "\xE3\x80\x80", 3) == 0 ? 3 : 0;
}

static size_t blank_at_end(struct str text)
{
    const char *end = text.data + text.len;

    if (text.len >= 1 && (end[-1] == ' ' || end[-1] == '\t'))
        return 1;
    if (text.len >= 2 && memcmp(end - 2, "\xC2\xA0", 2) == 0)
        return 2;
    return text.len >= 3 && memcmp(end - 3, "\xE3\x80\x80", 3) == 0 ? 3 : 0;
}

struct str text_trim(struct str text)
{
    for (size_t len; (len = blank_at_start(text)) > 0;) {
        text.data += len;
        text.len -= len;
    }
    for (size_t len; (len = blank_at_end(text)) > 0;)
        text.len -= len;
    return text;
}

/* Nothing before U+3000 has another width: its first byte is E3, that of the others EF. */
static bool has_width(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t byte = (uint8_t)text.data[i];

        if (byte == 0xEF || byte == 0xE3)
            return true;
    }
    return false;
}

struct str fold_width(struct arena *arena, struct str text)
{
    size_t used = 0;
    size_t last = 0; /* where the last character begins in `out` */
    uint32_t base = 0;
    char *out;

    if (!has_width(text))
        return text;
    out = arena_alloc(arena, text.len);
    for (size_t at = 0; at < text.len;) {
        const uint32_t typed = utf8_next(text, &at);
        const uint32_t point = fold_width_point(typed);
        uint32_t voiced = 0;

        if (typed == 0xFF9E || typed == 0xFF9F)
            voiced = fold_voice(base, point);
        if (voiced != 0)
            used = last;
        base = voiced != 0 ? voiced : point;
        last = used;
        used += utf8_put(out + used, base);
    }
    return (struct str){out, used};
}

/* Texts as ICU wants them, and back. Units are UTF-16. */
struct units {
    UChar *data;
    int32_t len;
};

static struct units units_of(struct arena *arena, struct str text)
{
    UErrorCode status = U_ZERO_ERROR;
    struct units units = {arena_array(arena, UChar, text.len + 1), 0};

    must(text.len < INT32_MAX / 32); /* NFKC makes at most 18 of one */
    u_strFromUTF8WithSub(units.data, (int32_t)text.len + 1, &units.len, text.data,
                         (int32_t)text.len, UTF8_REPLACEMENT, NULL, &status);
    must(U_SUCCESS(status));
    return units;
}

static struct str text_of(struct arena *arena, struct units units)
{
    UErrorCode status = U_ZERO_ERROR;
    const int32_t room = units.len * 3 + 1;
    char *out = arena_alloc(arena, (size_t)room);
    int32_t len = 0;

    u_strToUTF8(out, room, &len, units.data, units.len, &status);
    must(U_SUCCESS(status));
    return (struct str){out, (size_t)len};
}

static struct units normalise(struct arena *arena, const UNormalizer2 *form, struct units units)
{
    UErrorCode status = U_ZERO_ERROR;
    const int32_t room = units.len * 18 + 1;
    struct units result = {arena_array(arena, UChar, room), 0};

    result.len = unorm2_normalize(form, units.data, units.len, result.data, room, &status);
    must(U_SUCCESS(status));
    return result;
}

struct str fold_header(struct arena *arena, struct str text)
{
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *form = unorm2_getNFKCCasefoldInstance(&status);
    struct units units;
    int32_t used = 0;

    must(U_SUCCESS(status));
    units = normalise(arena, form, units_of(arena, text));
    for (int32_t i = 0; i < units.len; i++) {
        if (!u_isUWhiteSpace(units.data[i]))
            units.data[used++] = units.data[i];
    }
    units.len = used;
    return text_of(arena, units);
}

/* The kana fold's mapping of single characters; 0 drops it. All concerned have one unit. */
static UChar kana_unit(UChar unit)
{
    if (u_isUWhiteSpace(unit))
        return 0;
    if (unit == '~' || u_hasBinaryProperty(unit, UCHAR_DASH) || (unit | 1) == 0x2501)
        return FOLD_LONG;
    if ((unit >= 0x3041 && unit <= 0x3096) || unit == 0x309D || unit == 0x309E)
        return (UChar)(unit + 0x60);
    return unit;
}

struct str fold_kana_slow(struct arena *arena, struct str text)
{
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *nfkc = unorm2_getNFKCInstance(&status);
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);
    struct units units = units_of(arena, text);
    int32_t used = 0;

    must(U_SUCCESS(status));
    /* The separate marks would become a space and a mark. */
    for (int32_t i = 0; i < units.len; i++) {
        if (units.data[i] == 0x309B || units.data[i] == 0x309C)
            units.data[i] = units.data[i] == 0x309B ? FOLD_VOICED : FOLD_HALF_VOICED;
    }
    units = normalise(arena, nfkc, units);
    for (int32_t i = 0; i < units.len; i++) {
        const UChar unit = kana_unit(units.data[i]);

        if (unit != 0)
            units.data[used++] = unit;
    }
    units.len = used;
    return text_of(arena, normalise(arena, nfc, units));
}
