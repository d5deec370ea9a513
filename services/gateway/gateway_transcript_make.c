/* gateway_transcript_make: what stands in a transcript. No I/O and no clock; any thread. */
#include <sodium.h>

#include "domain/calendar.h"
#include "gateway/gateway_transcript.h"
#include "pdf/pdf.h"
#include "text/csv.h"
#include "text/utf8.h"

enum { FACTS_MAX = 9, DAY_TEXT_BYTES = 11 };

/* ---- sums ---- */

bool transcript_sum(const struct transcript_entry *entries, size_t count,
                    struct transcript_sums *ret_sums)
{
    *ret_sums = (struct transcript_sums){.year_count = 0};
    for (size_t i = 0; i < count; i++) {
        const int year = fiscal_year(entries[i].held_on);
        struct transcript_year *last = &ret_sums->years[ret_sums->year_count];

        if (ret_sums->year_count == 0 || last[-1].year != year) {
            if (ret_sums->year_count == TRANSCRIPT_YEARS_MAX)
                return false;
            last->year = year;
            ret_sums->year_count++;
        } else {
            last--;
        }
        last->half_units[kind_programme(entries[i].kind)] += entries[i].half_units;
        ret_sums->half_units[entries[i].kind] += entries[i].half_units;
    }
    return true;
}

static void set(json_t *object, const char *name, json_t *value)
{
    must(value != NULL && json_object_set_new(object, name, value) == 0);
}

json_t *transcript_totals(const struct transcript_sums *sums)
{
    json_t *list = json_array();

    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        json_t *item;

        if (sums->half_units[kind] == 0)
            continue;
        item = json_object();
        set(item, "programme", json_string(programme_code(kind_programme((enum kind)kind))));
        set(item, "kind", json_string(kind_code((enum kind)kind)));
        set(item, "half_units", json_integer(sums->half_units[kind]));
        must(json_array_append_new(list, item) == 0);
    }
    return list;
}

json_t *transcript_years(const struct transcript_sums *sums)
{
    json_t *list = json_array();

    for (size_t i = sums->year_count; i-- > 0;) {
        for (int programme = 0; programme < PROGRAMME_COUNT; programme++) {
            const int64_t half_units = sums->years[i].half_units[programme];
            json_t *item;

            if (half_units == 0)
                continue;
            item = json_object();
            set(item, "fiscal_year", json_integer(sums->years[i].year));
            set(item, "programme", json_string(programme_code((enum programme)programme)));
            set(item, "half_units", json_integer(half_units));
            must(json_array_append_new(list, item) == 0);
        }
    }
    return list;
}

/* ---- words ---- */

struct str transcript_units(struct arena *arena, int64_t half_units)
{
    return str_of(arena_printf(arena, "%lld%s", (long long)(half_units / 2),
                               half_units % 2 == 0 ? "" : ".5"));
}

static bool is_variation(uint32_t point)
{
    return (point >= 0xFE00 && point <= 0xFE0F) || (point >= 0xE0100 && point <= 0xE01EF);
}

static bool is_blank(uint32_t point)
{
    return point == ' ' || point == 0x3000;
}

/* Whether a word of more than one character begins at `at`. */
static bool long_word(struct str name, size_t at)
{
    (void)utf8_next(name, &at);
    while (at < name.len) {
        const uint32_t point = utf8_next(name, &at);

        if (!is_variation(point))
            return !is_blank(point);
    }
    return false;
}

struct str transcript_mask(struct arena *arena, struct str name)
{
    struct buf out = {0};
    struct str masked;
    bool beginning = true, shown = true; /* of a word; what its first character is */
    size_t at = 0;

    while (at < name.len) {
        const size_t begin = at;
        const uint32_t point = utf8_next(name, &at);

        if (is_blank(point)) {
            beginning = true;
            buf_add(&out, name.data + begin, at - begin);
            continue;
        }
        if (beginning)
            shown = out.len == 0 || long_word(name, begin);
        if ((beginning || is_variation(point)) && shown)
            buf_add(&out, name.data + begin, at - begin);
        else if (!is_variation(point))
            buf_add_c(&out, "＊");
        shown = shown && (beginning || is_variation(point));
        beginning = false;
    }
    masked = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return masked;
}

static struct str day_words(struct arena *arena, day_t day)
{
    int year, month, mday;

    if (day == DAY_NONE)
        return STR("");
    day_to_ymd(day, &year, &month, &mday);
    return str_of(arena_printf(arena, "%d年%d月%d日", year, month, mday));
}

static struct str time_words(struct arena *arena, int64_t time_us)
{
    const int64_t second = time_us / CLOCK_SECOND_US + CLOCK_JAPAN_S;
    const int minute = (int)(second % CLOCK_DAY_S / 60);

    return str_of(arena_printf(arena, "%.*s %d:%02d", STR_ARG(day_words(arena, day_of_us(time_us))),
                               minute / 60, minute % 60));
}

static struct str period_words(struct arena *arena, day_t from, day_t to)
{
    if (from == DAY_NONE && to == DAY_NONE)
        return STR("すべて");
    return str_of(arena_printf(arena, "%.*s ～ %.*s", STR_ARG(day_words(arena, from)),
                               STR_ARG(day_words(arena, to))));
}

static struct str programme_words(struct str code)
{
    enum programme programme;

    if (code.data == NULL || !programme_of_code(code, &programme))
        return STR("すべて");
    return str_of(programme_name(programme, false));
}

static struct str delivery_words(struct str delivery)
{
    return str_eq_c(delivery, "web")     ? STR("WEB")
           : str_eq_c(delivery, "visit") ? STR("職場巡視")
                                         : STR("会場");
}

static struct str joined(struct arena *arena, struct str left, const char *between,
                         struct str right)
{
    if (right.len == 0)
        return left;
    return str_of(arena_printf(arena, "%.*s%s%.*s", STR_ARG(left), between, STR_ARG(right)));
}

/* ---- the table ---- */

static void put_line(struct buf *out, const struct str *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        csv_put_safe(out, cells[i]);
    }
    buf_add_c(out, "\r\n");
}

static void make_csv(struct transcript *paper, struct arena *arena)
{
    static const struct str names[] = {
        {"開催日", 9},        {"年度", 6},      {"制度", 6},
        {"種別コード", 15},   {"種別", 6},      {"単位", 6},
        {"研修会番号", 15},   {"研修会名", 12}, {"セッション番号", 21},
        {"セッション名", 18}, {"開催形式", 12}, {"確認コード", 15}};

    buf_add_c(&paper->out, "\xEF\xBB\xBF");
    put_line(&paper->out, names, ARRAY_LEN(names));
    for (size_t i = 0; i < paper->count; i++) {
        const struct transcript_entry *entry = &paper->entries[i];
        char day[DAY_TEXT_BYTES];
        const struct str cells[ARRAY_LEN(names)] = {
            (day_format(entry->held_on, day), str_of(day)),
            str_of(arena_printf(arena, "%d", fiscal_year(entry->held_on))),
            str_of(programme_name(kind_programme(entry->kind), false)),
            str_of(kind_code(entry->kind)),
            str_of(kind_name(entry->kind, false)),
            transcript_units(arena, entry->half_units),
            entry->seminar_no,
            entry->seminar_title,
            entry->session_no,
            entry->session_title,
            delivery_words(entry->delivery),
            str_of(paper->code),
        };

        put_line(&paper->out, cells, ARRAY_LEN(cells));
    }
}

/* ---- the paper ---- */

static const struct pdf_column total_columns[] = {
    {{"制度", 6}, 4, false}, {{"種別", 6}, 6, false}, {{"単位", 6}, 2, true}};
static const struct pdf_column year_columns[] = {
    {{"年度", 6}, 4, false}, {{"制度", 6}, 6, false}, {{"単位", 6}, 2, true}};
static const struct pdf_column entry_columns[] = {
    {{"開催日", 9}, 15, false}, {{"研修会", 9}, 44, false}, {{"研修会番号", 15}, 17, false},
    {{"種別", 6}, 19, false},   {{"形式", 6}, 9, false},    {{"単位", 6}, 8, true}};

static struct pdf_table totals_table(struct arena *arena, const struct transcript_sums *sums)
{
    struct str *cells = arena_array(arena, struct str, KIND_COUNT * ARRAY_LEN(total_columns));
    struct str *cell = cells;

    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        if (sums->half_units[kind] == 0)
            continue;
        *cell++ = str_of(programme_name(kind_programme((enum kind)kind), false));
        *cell++ = str_of(kind_name((enum kind)kind, false));
        *cell++ = transcript_units(arena, sums->half_units[kind]);
    }
    return (struct pdf_table){.title = STR("制度・種別ごとの合計"),
                              .columns = total_columns,
                              .column_count = ARRAY_LEN(total_columns),
                              .cells = cells,
                              .row_count = (size_t)(cell - cells) / ARRAY_LEN(total_columns),
                              .empty = STR("該当する単位はありません。")};
}

static struct pdf_table years_table(struct arena *arena, const struct transcript_sums *sums)
{
    struct str *cells = arena_array(
        arena, struct str, sums->year_count * PROGRAMME_COUNT * ARRAY_LEN(year_columns) + 1);
    struct str *cell = cells;

    for (size_t i = 0; i < sums->year_count; i++) {
        for (int programme = 0; programme < PROGRAMME_COUNT; programme++) {
            if (sums->years[i].half_units[programme] == 0)
                continue;
            *cell++ = str_of(arena_printf(arena, "%d年度", sums->years[i].year));
            *cell++ = str_of(programme_name((enum programme)programme, false));
            *cell++ = transcript_units(arena, sums->years[i].half_units[programme]);
        }
    }
    return (struct pdf_table){.title = STR("年度（4月から翌年3月まで）ごとの合計"),
                              .columns = year_columns,
                              .column_count = ARRAY_LEN(year_columns),
                              .cells = cells,
                              .row_count = (size_t)(cell - cells) / ARRAY_LEN(year_columns),
                              .empty = STR("該当する単位はありません。")};
}

static struct pdf_table entries_table(struct arena *arena, const struct transcript *paper)
{
    struct str *cells = arena_array(arena, struct str, paper->count * ARRAY_LEN(entry_columns) + 1);
    struct str *cell = cells;

    for (size_t i = 0; i < paper->count; i++) {
        const struct transcript_entry *entry = &paper->entries[i];
        char day[DAY_TEXT_BYTES];

        day_format(entry->held_on, day);
        *cell++ = str_of(arena_strdup(arena, day));
        *cell++ = joined(arena, entry->seminar_title, "\n", entry->session_title);
        *cell++ = str_of(arena_printf(arena, "%.*s\n第%.*s回", STR_ARG(entry->seminar_no),
                                      STR_ARG(entry->session_no)));
        *cell++ = joined(arena, str_of(programme_name(kind_programme(entry->kind), false)), "\n",
                         str_of(kind_name(entry->kind, false)));
        *cell++ = delivery_words(entry->delivery);
        *cell++ = transcript_units(arena, entry->half_units);
    }
    return (struct pdf_table){.title = STR("単位の一覧"),
                              .columns = entry_columns,
                              .column_count = ARRAY_LEN(entry_columns),
                              .cells = cells,
                              .row_count = paper->count,
                              .empty = STR("該当する単位はありません。")};
}

static void make_pdf(struct transcript *paper, struct arena *arena)
{
    const struct str made = time_words(arena, paper->as_of_us);
    const struct str code = str_of(paper->code);
    const struct pdf_fact facts[FACTS_MAX] = {
        {STR("氏名"), paper->name},
        {STR("氏名カナ"), paper->name_kana},
        {STR("MAMIS番号"), paper->mamis_no},
        {STR("医籍登録番号"), paper->register_no},
        {STR("対象の制度"), programme_words(paper->programme)},
        {STR("開催日の範囲"), period_words(arena, paper->from, paper->to)},
        {STR("発行日時"), made},
        {STR("確認コード"), code},
        {STR("確認ページ"), paper->check_url},
    };
    const struct pdf_table tables[] = {totals_table(arena, &paper->sums),
                                       years_table(arena, &paper->sums),
                                       entries_table(arena, paper)};
    const struct str notes[] = {
        STR("発行日時に登録されていた単位です。取り消された単位は含みません。"),
        STR("確認ページで確認コードを入力するか、二次元コードを読み取ると、"
            "この証明書が本物であることと、発行したときの合計を確かめられます。"),
        paper->note,
    };
    const struct pdf_report report = {
        .title = STR("単位取得証明書"),
        .from = joined(arena, paper->site, "\n", made),
        .facts = facts,
        .fact_count = FACTS_MAX,
        .tables = tables,
        .table_count = ARRAY_LEN(tables),
        .notes = notes,
        .note_count = paper->note.len > 0 ? ARRAY_LEN(notes) : ARRAY_LEN(notes) - 1,
        .qr = str_of(arena_printf(arena, "%.*s#%s", STR_ARG(paper->check_url), paper->code)),
        .foot = str_of(arena_printf(arena, "単位取得証明書　確認コード %s　%.*s", paper->code,
                                    STR_ARG(paper->check_url))),
        .made_us = paper->as_of_us,
        .pages_max = TRANSCRIPT_PAGES_MAX,
        .bytes_max = TRANSCRIPT_BYTES_MAX,
    };

    paper->err = pdf_make(&report, &paper->out, &paper->err_note);
}

void transcript_make(void *arg)
{
    struct transcript *paper = arg;
    struct arena *arena = arena_new();

    paper->err = ERR_OK;
    if (paper->format == TRANSCRIPT_PDF)
        make_pdf(paper, arena);
    else
        make_csv(paper, arena);
    must(crypto_hash_sha256(paper->sha256, (const unsigned char *)paper->out.data,
                            paper->out.len) == 0);
    arena_free(arena);
}
