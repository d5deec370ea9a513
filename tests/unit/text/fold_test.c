/* Folding: width, header names, kana names by the fast and the slow path. */
#include "text/fold.h"

#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "text/utf8.h"

typedef struct str (*fold_fn)(struct arena *arena, struct str text);

struct fold_case {
    const char *text;
    const char *want;
};

static void check(const struct fold_case *cases, size_t count, fold_fn fold)
{
    struct arena *arena = arena_new();

    for (size_t i = 0; i < count; i++) {
        const struct str got = fold(arena, str_of(cases[i].text));

        if (!str_eq_c(got, cases[i].want))
            fail_msg("\"%s\": got \"%.*s\" want \"%s\"", cases[i].text, STR_ARG(got),
                     cases[i].want);
    }
    arena_free(arena);
}

static void trimming(void **state)
{
    (void)state;
    assert_true(str_eq_c(text_trim(STR(" \t\u3000\u00A0a b\u3000 \u00A0")), "a b"));
    assert_true(str_eq_c(text_trim(STR("\u3000")), ""));
    assert_true(str_eq_c(text_trim(STR("")), ""));
    assert_true(str_eq_c(text_trim(STR("山\u3000田")), "山\u3000田"));
    assert_true(str_eq_c(text_trim(STR("\u3042")), "\u3042"));
}

static void width(void **state)
{
    static const struct fold_case cases[] = {
        {"", ""},
        {"OPL-S", "OPL-S"},
        {"ＯＰＬ－Ｓ／ＣＭＥ－０７５", "OPL-S/CME-075"},
        {"生涯･専門", "生涯・専門"},
        {"ﾒﾝﾀﾙﾍﾙｽ ｶﾞﾊﾟｳﾞ", "メンタルヘルス ガパヴ"},
        {"１\u3000２", "1 2"},
        {"①", "①"},
        {"ﾞ", "\u3099"},
        {"￥", "¥"},
        {"ｱﾟ", "ア\u309A"},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases), fold_width);
}

static void header_names(void **state)
{
    static const struct fold_case cases[] = {
        {"出 席", "出席"},
        {"ﾌﾘｶﾞﾅ", "フリガナ"},
        {" 医籍\u3000番号\t", "医籍番号"},
        {"ＭＡＭＩＳ番号", "mamis番号"},
        {"Register_No\r\n", "register_no"},
        {"\uFEFFkind", "kind"},
        {"", ""},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases), fold_header);
}

static const struct fold_case kana_cases[] = {
    {"サトウ　ケンイチ", "サトウケンイチ"},
    {"サトウケンイチ", "サトウケンイチ"},
    {"ｻﾄｳ ｹﾝｲﾁ", "サトウケンイチ"},
    {"さとう けんいち", "サトウケンイチ"},
    {"ﾔﾏﾓﾄ ﾁﾊﾙ", "ヤマモトチハル"},
    {"ﾄｸﾀﾞ ｺｳｲﾁ", "トクダコウイチ"},
    {"かと゛う", "カドウ"},
    {"カト\u3099ウ ハ\u309A", "カドウパ"},
    {"カ゛ハ゜", "ガパ"},
    {"ｳﾞ ヴ ゔ う゛", "ヴヴヴヴ"},
    {"わ゛", "ヷ"},
    {"スミス－タナカ　アンナ", "スミスータナカアンナ"},
    {"スミス-タナカ", "スミスータナカ"},
    {"スミス‐タナカ", "スミスータナカ"},
    {"スミス−タナカ", "スミスータナカ"},
    {"スミス—タナカ", "スミスータナカ"},
    {"スミスｰタナカ", "スミスータナカ"},
    {"スミス〜タナカ", "スミスータナカ"},
    {"スミス～タナカ", "スミスータナカ"},
    {"スミス─タナカ", "スミスータナカ"},
    {"キャノン", "キャノン"},
    {"キヤノン", "キヤノン"},
    {"ジョン・スミス", "ジョン・スミス"},
    {"ｼﾞｮﾝ･ｽﾐｽ", "ジョン・スミス"},
    {"Ｓｍｉｔｈ Anna", "SmithAnna"},
    {"\u00A0\u2003カ\u200A", "カ"},
    {"㌔", "キロ"},
    {"ヿ", "コト"},
    {"山田", "山田"},
    {"ゝゞ", "ヽヾ"},
    {"", ""},
};

static void kana_names(void **state)
{
    (void)state;
    check(kana_cases, ARRAY_LEN(kana_cases), fold_kana);
}

static void kana_names_by_icu(void **state)
{
    (void)state;
    check(kana_cases, ARRAY_LEN(kana_cases), fold_kana_slow);
}

static void small_kana(void **state)
{
    static const struct fold_case cases[] = {
        {"キャノンショウッ", "キヤノンシヨウツ"},
        {"ヶヵヮァ", "ケカワア"},
        {"ABC", "ABC"},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases), fold_small_kana);
}

/* Random strings of the characters that names have: both paths agree, and folding twice is once. */
static void both_paths_agree(void **state)
{
    static const uint32_t ranges[][2] = {
        {0x20, 0x7E},     {0x3041, 0x309E}, {0x30A0, 0x30FF}, {0xFF01, 0xFFEE},
        {0x2010, 0x2015}, {0x3000, 0x3002}, {0x3099, 0x309C}, {0x30AB, 0x30C1},
    };
    unsigned seed = 11;

    (void)state;
    for (int round = 0; round < 30000; round++) {
        struct arena *arena = arena_new();
        char text[64];
        size_t len = 0;

        for (int i = 0; i < 1 + rand_r(&seed) % 10; i++) {
            const uint32_t *range = ranges[(size_t)rand_r(&seed) % ARRAY_LEN(ranges)];
            const uint32_t span = range[1] - range[0] + 1;

            len += utf8_put(text + len, range[0] + (uint32_t)rand_r(&seed) % span);
        }
        const struct str fast = fold_kana(arena, (struct str){text, len});
        const struct str slow = fold_kana_slow(arena, (struct str){text, len});

        if (!str_eq(fast, slow) || !str_eq(fold_kana(arena, fast), fast))
            fail_msg("\"%.*s\": \"%.*s\" or \"%.*s\"", (int)len, text, STR_ARG(fast),
                     STR_ARG(slow));
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trimming),          cmocka_unit_test(width),
        cmocka_unit_test(header_names),      cmocka_unit_test(kana_names),
        cmocka_unit_test(kana_names_by_icu), cmocka_unit_test(small_kana),
        cmocka_unit_test(both_paths_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
