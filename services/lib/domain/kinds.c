/* kinds: one table, looked up by code and by short name. */
#include "domain/kinds.h"

#include <string.h>

#include "text/utf8.h"

struct kind_info {
    struct str code;
    struct str ja;
    const char *en;
    uint8_t programme;
    uint8_t flags;
};

static const struct kind_info kinds[KIND_COUNT] = {
#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
    [KIND_NONE] = {TEXT(""), TEXT(""), "", 0, 0},
#define KIND(id, code, programme, ja, en, flags)                                                   \
    [KIND_##id] = {TEXT(code), TEXT(ja), en, PROGRAMME_##programme, flags},
#include "domain/kinds.def"
#undef KIND
#undef TEXT
};

static const struct {
    const char *code;
    const char *ja;
    const char *en;
} programmes[PROGRAMME_COUNT] = {
    [PROGRAMME_OP] = {"OP", "認定産業医", "certified occupational physician"},
    [PROGRAMME_SP] = {"SP", "認定健康スポーツ医", "certified health-sports physician"},
    [PROGRAMME_CME] = {"CME", "生涯教育制度", "lifelong education"},
    [PROGRAMME_KK] = {"KK", "かかりつけ医機能研修制度", "family doctor training"},
    [PROGRAMME_KHR] = {"KHR", "かかりつけ医機能報告制度にかかる研修",
                       "family doctor report training"},
    [PROGRAMME_CSL] = {"CSL", "専門医共通講習", "common lectures for specialists"},
};

const char *programme_code(enum programme programme)
{
    must(programme < PROGRAMME_COUNT);
    return programmes[programme].code;
}

const char *programme_name(enum programme programme, bool english)
{
    must(programme < PROGRAMME_COUNT);
    return english ? programmes[programme].en : programmes[programme].ja;
}

bool programme_of_code(struct str code, enum programme *ret_programme)
{
    for (enum programme programme = 0; programme < PROGRAMME_COUNT; programme++) {
        if (str_eq_c(code, programmes[programme].code)) {
            *ret_programme = programme;
            return true;
        }
    }
    return false;
}

const char *kind_code(enum kind kind)
{
    must(kind < KIND_COUNT);
    return kinds[kind].code.data;
}

const char *kind_name(enum kind kind, bool english)
{
    must(kind < KIND_COUNT);
    return english ? kinds[kind].en : kinds[kind].ja.data;
}

enum programme kind_programme(enum kind kind)
{
    must(kind > KIND_NONE && kind < KIND_COUNT);
    return (enum programme)kinds[kind].programme;
}

bool kind_has(enum kind kind, enum kind_flag flag)
{
    must(kind < KIND_COUNT);
    return (kinds[kind].flags & flag) != 0;
}

enum kind kind_of_code(struct str code)
{
    for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        if (str_eq(kinds[kind].code, code))
            return kind;
    }
    return KIND_NONE;
}

/* Next character that matters, in lower case; 0 at the end. */
static uint32_t next_point(struct str text, size_t *at)
{
    while (*at < text.len) {
        const uint32_t point = utf8_next(text, at);

        if (point == ' ' || point == '\t' || point == 0xA0 || point == 0x3000 || point == 0x30FB)
            continue;
        return point >= 'A' && point <= 'Z' ? point + ('a' - 'A') : point;
    }
    return 0;
}

static bool same_text(struct str left, struct str right)
{
    size_t left_at = 0;
    size_t right_at = 0;

    for (;;) {
        const uint32_t point = next_point(left, &left_at);

        if (point != next_point(right, &right_at))
            return false;
        if (point == 0)
            return true;
    }
}

enum kind kind_of_text(struct str text)
{
    for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        if (same_text(text, kinds[kind].code) ||
            (!kind_has(kind, KIND_SHARED) && same_text(text, kinds[kind].ja)))
            return kind;
    }
    return KIND_NONE;
}
