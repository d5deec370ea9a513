/* pdf: what was put in is read again by poppler's tools, pages turn, limits hold, threads do not
 * meet. */
#include "pdf/pdf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "flow/flow.h"
#include "lib/test.h"

/* cairo 1.16 itself loses some 800 bytes for each font of a document. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libcairo.so";
}

enum { COLUMNS = 3, THREADS = 3 };

static const struct pdf_column columns[COLUMNS] = {
    {{"開催日", 9}, 2, false}, {{"研修会", 9}, 6, false}, {{"単位", 6}, 1, true}};

struct sample {
    struct pdf_fact facts[1];
    struct pdf_table table;
    struct str notes[1];
    struct pdf_report report;
};

static void fill(struct sample *sample, struct arena *arena, size_t rows)
{
    struct str *cells = arena_array(arena, struct str, rows * COLUMNS + 1);

    for (size_t i = 0; i < rows; i++) {
        cells[i * COLUMNS] = STR("2026-11-15");
        cells[i * COLUMNS + 1] = str_of(arena_printf(arena, "髙橋𠮷太郎の研修会 その%zu終", i));
        cells[i * COLUMNS + 2] = STR("1.5");
    }
    sample->facts[0] = (struct pdf_fact){STR("氏名"), STR("濱田　正樹")};
    sample->notes[0] = STR("この証明書は確認できます。");
    sample->table = (struct pdf_table){.title = STR("単位の一覧"),
                                       .columns = columns,
                                       .column_count = COLUMNS,
                                       .cells = cells,
                                       .row_count = rows,
                                       .empty = STR("ありません")};
    sample->report = (struct pdf_report){
        .title = STR("単位取得証明書"),
        .from = STR("見本の会"),
        .facts = sample->facts,
        .fact_count = 1,
        .tables = &sample->table,
        .table_count = 1,
        .notes = sample->notes,
        .note_count = 1,
        .qr = STR("https://mamis.example.jp/verify#7K3M-9QXR-T2WB-0H5C"),
        .foot = STR("確認コード 7K3M"),
        .made_us = INT64_C(1795316400) * 1000000,
        .pages_max = 20,
        .bytes_max = 1024 * 1024,
    };
}

/* What one of poppler's tools says of a document. */
static char *told(const struct buf *pdf, const char *tool, const char *before)
{
    char path[] = "/tmp/mamis-pdf-XXXXXX";
    char line[160];
    struct buf text = {0};
    size_t got;
    int fd = mkstemp(path);
    FILE *pipe;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, pdf->data, pdf->len), (ssize_t)pdf->len);
    close(fd);
    (void)snprintf(line, sizeof(line), "%s %s%s", tool, path, before);
    pipe = popen(line, "r");
    assert_non_null(pipe);
    do {
        char part[4096];

        got = fread(part, 1, sizeof(part), pipe);
        buf_add(&text, part, got);
    } while (got > 0);
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
    buf_add_char(&text, '\0');
    return text.data;
}

static struct buf made(size_t rows)
{
    struct arena *arena = arena_new();
    struct buf pdf = {0};
    struct err_note note = {""};
    struct sample sample;

    fill(&sample, arena, rows);
    assert_int_equal(pdf_make(&sample.report, &pdf, &note), ERR_OK);
    arena_free(arena);
    assert_memory_equal(pdf.data, "%PDF-", 5);
    return pdf;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;

    for (text = strstr(text, part); text != NULL; text = strstr(text + 1, part))
        count++;
    return count;
}

static void japanese_text_can_be_read_again(void **state)
{
    static const char *const words[] = {
        "単位取得証明書", "見本の会",   "濱田", "単位の一覧", "開催日",      "髙橋𠮷太郎",
        "その0終",        "2026-11-15", "1.5",  "1/1",        "確認できます"};
    struct buf pdf = made(3);
    char *text = told(&pdf, "pdftotext -enc UTF-8 -layout", " -");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_non_null(strstr(text, words[i]));
    free(text);
    text = told(&pdf, "pdffonts", "");
    assert_non_null(strstr(text, "NotoSansCJK"));
    assert_null(strstr(text, " no  yes")); /* embedded: emb, sub, uni */
    free(text);
    buf_free(&pdf);
}

static void a_long_table_turns_the_page(void **state)
{
    struct buf pdf = made(150);
    char *text = told(&pdf, "pdfinfo", ""), *pages = strstr(text, "Pages:");
    long count = pages == NULL ? 0 : strtol(pages + 6, NULL, 10);
    char last[32];

    (void)state;
    assert_true(count >= 4 && count <= 8);
    assert_non_null(strstr(text, "Title:           単位取得証明書"));
    free(text);
    text = told(&pdf, "pdftotext -enc UTF-8 -layout", " -");
    for (long page = 1; page <= count; page++) {
        (void)snprintf(last, sizeof(last), "%ld/%ld", page, count);
        assert_int_equal(count_of(text, last), 1);
    }
    assert_int_equal(count_of(text, "開催日"), count); /* the table's head again */
    for (int row = 0; row < 150; row++) {
        (void)snprintf(last, sizeof(last), "その%d終", row);
        assert_int_equal(count_of(text, last), 1);
    }
    free(text);
    buf_free(&pdf);
}

static void an_empty_table_says_so(void **state)
{
    struct buf pdf = made(0);
    char *text = told(&pdf, "pdftotext -enc UTF-8 -layout", " -");

    (void)state;
    assert_non_null(strstr(text, "ありません"));
    assert_null(strstr(text, "開催日"));
    free(text);
    buf_free(&pdf);
}

static void limits_hold(void **state)
{
    struct arena *arena = arena_new();
    struct err_note note = {""};
    struct buf pdf = {0};
    struct sample sample;

    (void)state;
    fill(&sample, arena, 500);
    sample.report.pages_max = 3;
    assert_int_equal(pdf_make(&sample.report, &pdf, &note), ERR_BODY_TOO_LARGE);
    assert_string_equal(note.text, "more than 3 pages");
    assert_true(pdf.len < 16 * 1024); /* nothing was drawn */
    buf_free(&pdf);
    fill(&sample, arena, 20);
    sample.report.bytes_max = 4096;
    assert_int_equal(pdf_make(&sample.report, &pdf, &note), ERR_BODY_TOO_LARGE);
    assert_string_equal(note.text, "more than 4096 bytes");
    assert_true(pdf.len <= 4096);
    buf_free(&pdf);
    arena_free(arena);
}

static void work(void *arg)
{
    *(struct buf *)arg = made(40);
}

struct wait {
    struct flow flow;
    struct pool *pool;
    struct buf pdf;
    unsigned *left;
    bool *over;
};

static void wait_run(struct flow *flow)
{
    struct wait *wait = FLOW_OF(flow, struct wait, flow);

    flow_wait(flow, FLOW_END);
    pool_run(wait->pool, work, &wait->pdf, flow);
}

static void wait_done(struct flow *flow)
{
    struct wait *wait = FLOW_OF(flow, struct wait, flow);

    assert_int_equal(flow->err, ERR_OK);
    flow_fini(flow);
    *wait->over = --*wait->left == 0;
}

/* Each thread has fonts of its own; the documents come out the same. */
static void threads_draw_at_once(void **state)
{
    struct loop *loop = loop_new();
    struct pool *pool = pool_new(loop, THREADS, 2 * THREADS, 0);
    struct wait waits[2 * THREADS] = {0};
    unsigned left = 2 * THREADS;
    bool over = false, never = false;
    char *first;

    (void)state;
    for (size_t i = 0; i < 2 * THREADS; i++) {
        waits[i].pool = pool;
        waits[i].left = &left;
        waits[i].over = &over;
        flow_init(&waits[i].flow, loop, wait_run, wait_done, NULL);
        flow_start(&waits[i].flow, 0);
    }
    assert_true(loop_run_until(loop, &over, 60000));
    pool_free(pool);
    (void)loop_run_until(loop, &never, 10);
    loop_free(loop);
    first = told(&waits[0].pdf, "pdftotext -enc UTF-8 -layout", " -");
    for (size_t i = 0; i < 2 * THREADS; i++) {
        char *text = told(&waits[i].pdf, "pdftotext -enc UTF-8 -layout", " -");

        assert_string_equal(text, first);
        free(text);
        buf_free(&waits[i].pdf);
    }
    free(first);
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
        cmocka_unit_test(japanese_text_can_be_read_again),
        cmocka_unit_test(a_long_table_turns_the_page),
        cmocka_unit_test(an_empty_table_says_so),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(threads_draw_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, give_back);
}
