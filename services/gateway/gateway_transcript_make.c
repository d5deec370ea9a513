/* gateway_transcript_make: what stands in a transcript. No I/O and no clock; any thread. */
#include <sodium.h>

#include "domain/calendar.h"
#include "gateway/gateway_transcript.h"
#include "pdf/pdf.h"
#include "text/csv.h"

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
    static const enum transcript_word names[] = {
        WORD_HELD_ON,    WORD_YEAR,          WORD_PROGRAMME,  WORD_KIND_CODE,
        WORD_KIND,       WORD_UNITS,         WORD_SEMINAR_NO, WORD_SEMINAR_TITLE,
        WORD_SESSION_NO, WORD_SESSION_TITLE, WORD_DELIVERY,   WORD_CODE};
    const bool english = paper->english;
    struct str head[ARRAY_LEN(names)];

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        head[i] = transcript_word(names[i], english);
    buf_add_c(&paper->out, "\xEF\xBB\xBF");
    put_line(&paper->out, head, ARRAY_LEN(head));
    for (size_t i = 0; i < paper->count; i++) {
        const struct transcript_entry *entry = &paper->entries[i];
        char day[DAY_TEXT_BYTES];
        const struct str cells[ARRAY_LEN(head)] = {
            (day_format(entry->held_on, day), str_of(day)),
            str_of(arena_printf(arena, "%d", fiscal_year(entry->held_on))),
            str_of(programme_name(kind_programme(entry->kind), english)),
            str_of(kind_code(entry->kind)),
            str_of(kind_name(entry->kind, english)),
            transcript_units(arena, entry->half_units),
            entry->seminar_no,
            entry->seminar_title,
            entry->session_no,
            entry->session_title,
            transcript_delivery(entry->delivery, english),
            str_of(paper->code),
        };

        put_line(&paper->out, cells, ARRAY_LEN(cells));
    }
}

/* ---- the paper ---- */

struct heading {
    enum transcript_word word;
    unsigned share;
    bool right;
};

static const struct heading total_columns[] = {
    {WORD_PROGRAMME, 4, false}, {WORD_KIND, 6, false}, {WORD_UNITS, 2, true}};
static const struct heading year_columns[] = {
    {WORD_YEAR, 4, false}, {WORD_PROGRAMME, 6, false}, {WORD_UNITS, 2, true}};
static const struct heading entry_columns[] = {
    {WORD_HELD_ON, 15, false}, {WORD_SEMINAR, 44, false}, {WORD_SEMINAR_NO, 17, false},
    {WORD_KIND, 19, false},    {WORD_FORM, 9, false},     {WORD_UNITS, 8, true}};

static struct pdf_table table_of(struct arena *arena, const struct heading *headings, size_t count,
                                 enum transcript_word title, bool english)
{
    struct pdf_column *columns = arena_array(arena, struct pdf_column, count);

    for (size_t i = 0; i < count; i++)
        columns[i] = (struct pdf_column){transcript_word(headings[i].word, english),
                                         headings[i].share, headings[i].right};
    return (struct pdf_table){.title = transcript_word(title, english),
                              .columns = columns,
                              .column_count = count,
                              .empty = transcript_word(WORD_NONE, english)};
}

static struct pdf_table filled(struct pdf_table table, const struct str *cells,
                               const struct str *end)
{
    table.cells = cells;
    table.row_count = (size_t)(end - cells) / table.column_count;
    return table;
}

static struct pdf_table totals_table(struct arena *arena, const struct transcript_sums *sums,
                                     bool english)
{
    struct str *cells = arena_array(arena, struct str, KIND_COUNT * ARRAY_LEN(total_columns));
    struct str *cell = cells;

    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
        if (sums->half_units[kind] == 0)
            continue;
        *cell++ = str_of(programme_name(kind_programme((enum kind)kind), english));
        *cell++ = str_of(kind_name((enum kind)kind, english));
        *cell++ = transcript_units(arena, sums->half_units[kind]);
    }
    return filled(table_of(arena, total_columns, ARRAY_LEN(total_columns), WORD_TOTALS, english),
                  cells, cell);
}

static struct pdf_table years_table(struct arena *arena, const struct transcript_sums *sums,
                                    bool english)
{
    struct str *cells = arena_array(
        arena, struct str, sums->year_count * PROGRAMME_COUNT * ARRAY_LEN(year_columns) + 1);
    struct str *cell = cells;

    for (size_t i = 0; i < sums->year_count; i++) {
        for (int programme = 0; programme < PROGRAMME_COUNT; programme++) {
            if (sums->years[i].half_units[programme] == 0)
                continue;
            *cell++ =
                str_of(arena_printf(arena, english ? "FY %d" : "%d年度", sums->years[i].year));
            *cell++ = str_of(programme_name((enum programme)programme, english));
            *cell++ = transcript_units(arena, sums->years[i].half_units[programme]);
        }
    }
    return filled(table_of(arena, year_columns, ARRAY_LEN(year_columns), WORD_YEARS, english),
                  cells, cell);
}

static struct pdf_table entries_table(struct arena *arena, const struct transcript *paper)
{
    struct str *cells = arena_array(arena, struct str, paper->count * ARRAY_LEN(entry_columns) + 1);
    struct str *cell = cells;
    const bool english = paper->english;

    for (size_t i = 0; i < paper->count; i++) {
        const struct transcript_entry *entry = &paper->entries[i];
        char day[DAY_TEXT_BYTES];

        day_format(entry->held_on, day);
        *cell++ = str_of(arena_strdup(arena, day));
        *cell++ = joined(arena, entry->seminar_title, "\n", entry->session_title);
        *cell++ = str_of(arena_printf(arena, english ? "%.*s\nSession %.*s" : "%.*s\n第%.*s回",
                                      STR_ARG(entry->seminar_no), STR_ARG(entry->session_no)));
        *cell++ = joined(arena, str_of(programme_name(kind_programme(entry->kind), english)), "\n",
                         str_of(kind_name(entry->kind, english)));
        *cell++ = transcript_delivery(entry->delivery, english);
        *cell++ = transcript_units(arena, entry->half_units);
    }
    return filled(table_of(arena, entry_columns, ARRAY_LEN(entry_columns), WORD_ENTRIES, english),
                  cells, cell);
}

static void make_pdf(struct transcript *paper, struct arena *arena)
{
    const bool english = paper->english;
    const struct str title = transcript_word(WORD_TITLE, english);
    const struct str made = transcript_time(arena, paper->as_of_us, english);
    const struct str code = str_of(paper->code);
    const struct pdf_fact facts[FACTS_MAX] = {
        {transcript_word(WORD_NAME, english), paper->name},
        {transcript_word(WORD_NAME_KANA, english), paper->name_kana},
        {transcript_word(WORD_MAMIS_NO, english), paper->mamis_no},
        {transcript_word(WORD_REGISTER_NO, english), paper->register_no},
        {transcript_word(WORD_PROGRAMMES, english),
         transcript_programme(paper->programme, english)},
        {transcript_word(WORD_DAYS, english),
         transcript_period(arena, paper->from, paper->to, english)},
        {transcript_word(WORD_ISSUED, english), made},
        {transcript_word(WORD_CODE, english), code},
        {transcript_word(WORD_CHECK_PAGE, english), paper->check_url},
    };
    const struct pdf_table tables[] = {totals_table(arena, &paper->sums, english),
                                       years_table(arena, &paper->sums, english),
                                       entries_table(arena, paper)};
    const struct str notes[] = {
        transcript_word(WORD_NOTE_AS_OF, english),
        transcript_word(WORD_NOTE_CHECK, english),
        paper->note,
    };
    const struct pdf_report report = {
        .title = title,
        .from = joined(arena, paper->site, "\n", made),
        .facts = facts,
        .fact_count = FACTS_MAX,
        .tables = tables,
        .table_count = ARRAY_LEN(tables),
        .notes = notes,
        .note_count = paper->note.len > 0 ? ARRAY_LEN(notes) : ARRAY_LEN(notes) - 1,
        .qr = str_of(arena_printf(arena, "%.*s#%s", STR_ARG(paper->check_url), paper->code)),
        .foot = str_of(arena_printf(arena, "%.*s　%.*s %s　%.*s", STR_ARG(title),
                                    STR_ARG(transcript_word(WORD_CODE, english)), paper->code,
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
