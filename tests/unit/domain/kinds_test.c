/* Kinds: every code and short name is found, what stands for several is not. */
#include "domain/kinds.h"

#include <string.h>

#include "lib/test.h"
#include "text/fold.h"

static void cells(void **state)
{
    static const struct {
        const char *text;
        enum kind want;
    } cases[] = {
        {"OPL-S", KIND_OPL_S},
        {"opl-s", KIND_OPL_S},
        {"ＯＰＬ－Ｓ", KIND_OPL_S},
        {" O P L - S ", KIND_OPL_S},
        {"ＣＭＥ－０７５", KIND_CME_075},
        {"cme-075 ", KIND_CME_075},
        {"CME-001", KIND_CME_001},
        {"CME-084", KIND_CME_084},
        {"CME-Q", KIND_CME_Q},
        {"生涯・専門", KIND_OPL_S},
        {"生涯･専門", KIND_OPL_S},
        {"生涯専門", KIND_OPL_S},
        {"生 涯\u3000専門", KIND_OPL_S},
        {"基礎・前期 作業管理", KIND_OPB_Z6},
        {"基礎前期ﾒﾝﾀﾙﾍﾙｽ対策", KIND_OPB_Z3},
        {"産業医大修了認定", KIND_OPB_U},
        {"再研修", KIND_SPR},
        {"旧修了証", KIND_SPH},
        {"Ｅ－ラーニング", KIND_CME_E},
        {"座学（知識）", KIND_KHC},
        {"実地(経験)", KIND_KHJ},
        {"共通講習医療安全", KIND_CSL_A1},
        {"CSL-B", KIND_CSL_B},
        {"SPZ-13", KIND_SPZ_13},
        {"SPK-12", KIND_SPK_12},
        {"KKA-6", KIND_KKA_6},
        {"", KIND_NONE},
        {"eラーニング", KIND_NONE},
        {"75", KIND_NONE},
        {"CME-75", KIND_NONE},
        {"CME-000", KIND_NONE},
        {"CME-085", KIND_NONE},
        {"SPZ-14", KIND_NONE},
        {"SPK-13", KIND_NONE},
        {"OPX-1", KIND_NONE},
        {"OPH-R", KIND_NONE},
        {"手帳申告", KIND_NONE},
        {"前期日程", KIND_NONE},
        {"後期日程", KIND_NONE},
        {"応用研修", KIND_NONE},
        {"受講免除資格", KIND_NONE},
        {"共通講習 その他", KIND_NONE},
        {"共通講習 その他 B", KIND_NONE},
        {"生涯教育 CC", KIND_NONE},
        {"生涯教育 CC 075", KIND_NONE},
        {"前期日程 女性と運動", KIND_NONE},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (kind_of_text(fold_width(arena, str_of(cases[i].text))) != cases[i].want)
            fail_msg("\"%s\"", cases[i].text);
    }
    arena_free(arena);
}

static void every_kind_is_found_by_code_and_name(void **state)
{
    (void)state;
    for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        const struct str code = str_of(kind_code(kind));

        assert_int_equal(kind_of_code(code), kind);
        assert_int_equal(kind_of_text(code), kind);
        assert_int_equal(kind_of_text(str_of(kind_name(kind, false))),
                         kind_has(kind, KIND_SHARED) ? KIND_NONE : kind);
        assert_true(strlen(kind_name(kind, true)) > 0);
    }
    assert_int_equal(kind_of_code(STR("opl-s")), KIND_NONE);
}

static void programmes(void **state)
{
    static const struct {
        const char *prefix;
        enum programme want;
    } cases[] = {
        {"OPB", PROGRAMME_OP},  {"OPL", PROGRAMME_OP},  {"SPZ", PROGRAMME_SP},
        {"SPK", PROGRAMME_SP},  {"SPR", PROGRAMME_SP},  {"SPX", PROGRAMME_SP},
        {"SPH", PROGRAMME_SP},  {"CME", PROGRAMME_CME}, {"KKA", PROGRAMME_KK},
        {"KKJ", PROGRAMME_KK},  {"KHC", PROGRAMME_KHR}, {"KHJ", PROGRAMME_KHR},
        {"CSL", PROGRAMME_CSL},
    };
    enum programme programme;

    (void)state;
    for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        bool found = false;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            if (!str_starts(str_of(kind_code(kind)), str_of(cases[i].prefix)))
                continue;
            found = true;
            assert_int_equal(kind_programme(kind), cases[i].want);
        }
        assert_true(found);
    }
    assert_true(programme_of_code(STR("KHR"), &programme));
    assert_int_equal(programme, PROGRAMME_KHR);
    assert_string_equal(programme_code(PROGRAMME_CME), "CME");
    assert_false(programme_of_code(STR("OPL"), &programme));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells),
        cmocka_unit_test(every_kind_is_found_by_code_and_name),
        cmocka_unit_test(programmes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
