/* gateway_transcript: sums by kind and fiscal year, hidden names, the table and the paper. */
#include "gateway/gateway_transcript.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lib/test.h"
#include "pdf/pdf.h"

/* cairo 1.16 itself loses some 800 bytes for each font of a document. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libcairo.so";
}

static struct transcript_entry entry(const char *held_on, const char *kind, int32_t half_units)
{
    return (struct transcript_entry){
        .held_on = day_parse(str_of(held_on)),
        .kind = kind_of_code(str_of(kind)),
        .half_units = half_units,
        .seminar_no = STR("S2026-0001"),
        .seminar_title = STR("=産業医研修会, \"春\""),
        .session_no = STR("1"),
        .session_title = STR("職場"),
        .delivery = STR("web"),
    };
}

static void assert_json(json_t *json, const char *wanted)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

    assert_string_equal(text, wanted);
    free(text);
    json_decref(json);
}

static void sums_follow_kinds_and_years(void **state)
{
    const struct transcript_entry entries[] = {
        entry("2025-04-01", "OPL-S", 4), entry("2026-03-31", "CME-015", 3),
        entry("2026-03-31", "OPL-S", 2), entry("2026-04-01", "OPL-J", 2)};
    struct transcript_sums sums;

    (void)state;
    assert_true(transcript_sum(entries, ARRAY_LEN(entries), &sums));
    assert_json(transcript_totals(&sums),
                "[{\"half_units\":2,\"kind\":\"OPL-J\",\"programme\":\"OP\"},"
                "{\"half_units\":6,\"kind\":\"OPL-S\",\"programme\":\"OP\"},"
                "{\"half_units\":3,\"kind\":\"CME-015\",\"programme\":\"CME\"}]");
    assert_json(transcript_years(&sums),
                "[{\"fiscal_year\":2026,\"half_units\":2,\"programme\":\"OP\"},"
                "{\"fiscal_year\":2025,\"half_units\":6,\"programme\":\"OP\"},"
                "{\"fiscal_year\":2025,\"half_units\":3,\"programme\":\"CME\"}]");
    assert_true(transcript_sum(NULL, 0, &sums));
    assert_json(transcript_totals(&sums), "[]");
    assert_json(transcript_years(&sums), "[]");
}

static void years_are_bounded(void **state)
{
    struct transcript_entry entries[TRANSCRIPT_YEARS_MAX + 1];
    struct transcript_sums sums;

    (void)state;
    for (int i = 0; i <= TRANSCRIPT_YEARS_MAX; i++) {
        entries[i] = entry("2025-04-01", "OPL-S", 2);
        entries[i].held_on = day_from_ymd(2025 + i, 4, 1);
    }
    assert_true(transcript_sum(entries, TRANSCRIPT_YEARS_MAX, &sums));
    assert_int_equal(sums.year_count, TRANSCRIPT_YEARS_MAX);
    assert_false(transcript_sum(entries, TRANSCRIPT_YEARS_MAX + 1, &sums));
}

static void names_are_hidden_in_part(void **state)
{
    static const char *const cases[][2] = {
        {"濱田　正樹", "濱＊　正＊"},
        {"林　一", "林　＊"},
        {"John Paul Smith", "J＊＊＊ P＊＊＊ S＊＊＊＊"},
        {"𠮷田　花子", "𠮷＊　花＊"},
        {"葛󠄀城　一󠄀", "葛󠄀＊　＊"}, /* with variation selectors */
        {"", ""},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str masked = transcript_mask(arena, str_of(cases[i][0]));

        assert_true(str_eq_c(masked, cases[i][1]));
    }
    arena_free(arena);
}

static void fill(struct transcript *paper, enum transcript_format format,
                 const struct transcript_entry *entries, size_t count)
{
    *paper = (struct transcript){
        .format = format,
        .code = "7K3M-9QXR-T2WB-0H5C",
        .as_of_us = INT64_C(1795316400) * CLOCK_SECOND_US,
        .site = STR("見本"),
        .note = STR("これは見本です。"),
        .check_url = STR("https://mamis.example.jp/verify"),
        .name = STR("濱田　正樹"),
        .name_kana = STR("ハマダ　マサキ"),
        .mamis_no = STR("6423876638"),
        .register_no = STR("481749"),
        .from = DAY_NONE,
        .to = DAY_NONE,
        .entries = entries,
        .count = count,
    };
    assert_true(transcript_sum(entries, count, &paper->sums));
}

static void the_table_is_safe_to_open(void **state)
{
    const struct transcript_entry entries[] = {entry("2026-03-31", "CME-015", 3)};
    struct transcript paper;

    (void)state;
    fill(&paper, TRANSCRIPT_CSV, entries, 1);
    transcript_make(&paper);
    assert_int_equal(paper.err, ERR_OK);
    buf_add_char(&paper.out, '\0');
    assert_string_equal(
        paper.out.data,
        "\xEF\xBB\xBF"
        "開催日,年度,制度,種別コード,種別,単位,研修会番号,研修会名,セッション番号,セッション名,"
        "開催形式,確認コード\r\n"
        "2026-03-31,2025,生涯教育制度,CME-015,生涯教育 CC 015,1.5,S2026-0001,"
        "\"'=産業医研修会, \"\"春\"\"\",1,職場,WEB,7K3M-9QXR-T2WB-0H5C\r\n");
    buf_free(&paper.out);
}

static void the_table_speaks_english(void **state)
{
    const struct transcript_entry entries[] = {entry("2026-03-31", "OPL-S", 4)};
    struct transcript paper;

    (void)state;
    fill(&paper, TRANSCRIPT_CSV, entries, 1);
    paper.english = true;
    transcript_make(&paper);
    buf_add_char(&paper.out, '\0');
    assert_non_null(strstr(paper.out.data, "Held on,Fiscal year,Programme,Kind code,Kind,Units,"));
    assert_non_null(strstr(paper.out.data, programme_name(PROGRAMME_OP, true)));
    assert_non_null(strstr(paper.out.data, kind_name(entries[0].kind, true)));
    buf_free(&paper.out);
}

static void each_word_has_both_languages(void **state)
{
    struct arena *arena = arena_new();
    const day_t day = day_parse(STR("2026-04-01"));

    (void)state;
    for (int word = 0; word < WORD_COUNT; word++) {
        assert_true(transcript_word((enum transcript_word)word, false).len > 0);
        assert_true(transcript_word((enum transcript_word)word, true).len > 0);
    }
    assert_true(str_eq_c(transcript_day(arena, day, false), "2026年4月1日"));
    assert_true(str_eq_c(transcript_day(arena, day, true), "1 April 2026"));
    assert_true(str_eq_c(transcript_period(arena, DAY_NONE, day, true), " ～ 1 April 2026"));
    assert_true(str_eq_c(transcript_programme(STR_NONE, true), "All"));
    arena_free(arena);
}

static void the_longest_paper_is_made(void **state)
{
    struct transcript_entry *entries = calloc(TRANSCRIPT_ENTRIES_MAX, sizeof(*entries));
    struct transcript paper;

    (void)state;
    for (size_t i = 0; i < TRANSCRIPT_ENTRIES_MAX; i++)
        entries[i] = entry("2026-03-31", "CME-015", 3);
    fill(&paper, TRANSCRIPT_PDF, entries, TRANSCRIPT_ENTRIES_MAX);
    transcript_make(&paper);
    assert_int_equal(paper.err, ERR_OK);
    assert_memory_equal(paper.out.data, "%PDF-", 5);
    buf_free(&paper.out);
    free(entries);
}

static int give_back(void **state)
{
    (void)state;
    pdf_fini();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_follow_kinds_and_years),
        cmocka_unit_test(years_are_bounded),
        cmocka_unit_test(names_are_hidden_in_part),
        cmocka_unit_test(the_table_is_safe_to_open),
        cmocka_unit_test(the_table_speaks_english),
        cmocka_unit_test(each_word_has_both_languages),
        cmocka_unit_test(the_longest_paper_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, give_back);
}
