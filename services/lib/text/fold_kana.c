/* fold_kana: the fast path, for names in kana and ASCII; all others go through ICU. */
#include <string.h>

#include "text/fold.h"
#include "text/fold_private.h"
#include "text/utf8.h"

enum { KANA_STACK_BYTES = 768, KANA_GROWTH = 3 };

/* What the fast path makes of one character. */
enum { POINT_DROPPED = 0, POINT_UNKNOWN = UINT32_MAX };

static bool is_dash(uint32_t point)
{
    return point == '-' || point == '~' || (point >= 0x2010 && point <= 0x2015) || point == 0x2212;
}

static uint32_t kana_point(uint32_t point)
{
    point = fold_width_point(point);
    if (point == ' ' || (point >= 0x09 && point <= 0x0D))
        return POINT_DROPPED;
    if (is_dash(point))
        return FOLD_LONG;
    if (point < 0x80)
        return point > ' ' && point != 0x7F ? point : POINT_UNKNOWN;
    if ((point >= 0x3041 && point <= 0x3096) || point == 0x309D || point == 0x309E)
        return point + 0x60;
    if ((point >= 0x30A1 && point <= 0x30FE) || point == FOLD_VOICED || point == FOLD_HALF_VOICED)
        return point;
    if (point == 0x309B || point == 0x309C) /* separate marks */
        return point - 2;
    return POINT_UNKNOWN;
}

/* Fold into `out`, which has room; false when a character needs the slow path. */
static bool kana_fast(struct str text, char *out, size_t *ret_len)
{
    size_t used = 0;
    size_t last = 0;
    uint32_t base = 0;

    for (size_t at = 0; at < text.len;) {
        uint32_t point = kana_point(utf8_next(text, &at));

        if (point == POINT_DROPPED)
            continue;
        if (point == POINT_UNKNOWN)
            return false;
        if (point == FOLD_VOICED || point == FOLD_HALF_VOICED) {
            point = base == 0 ? 0 : fold_voice(base, point);
            if (point == 0)
                return false;
            used = last;
        }
        base = point;
        last = used;
        used += utf8_put(out + used, point);
    }
    *ret_len = used;
    return true;
}

struct str fold_kana(struct arena *arena, struct str text)
{
    char room[KANA_STACK_BYTES];
    size_t len = 0;

    if (text.len > sizeof(room) / KANA_GROWTH || !kana_fast(text, room, &len))
        return fold_kana_slow(arena, text);
    if (len == text.len && memcmp(room, text.data, len) == 0)
        return text;
    return (struct str){arena_copy(arena, room, len), len};
}

static uint32_t large_kana(uint32_t point)
{
    switch (point) {
    case 0x30A1: /* a i u e o */
    case 0x30A3:
    case 0x30A5:
    case 0x30A7:
    case 0x30A9:
    case 0x30C3: /* tu */
    case 0x30E3: /* ya yu yo */
    case 0x30E5:
    case 0x30E7:
    case 0x30EE: /* wa */
        return point + 1;
    case 0x30F5: /* ka ke */
        return 0x30AB;
    case 0x30F6:
        return 0x30B1;
    default:
        return point;
    }
}

struct str fold_small_kana(struct arena *arena, struct str folded)
{
    char *out = arena_alloc(arena, folded.len);
    size_t used = 0;

    for (size_t at = 0; at < folded.len;)
        used += utf8_put(out + used, large_kana(utf8_next(folded, &at)));
    return (struct str){out, used};
}
