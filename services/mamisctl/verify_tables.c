/*
 * verify_tables: histories and audit, whose rows carry the number of their row in chain_rows. A
 * table is read in the order of these numbers beside the chain's rows; what one of them counts and
 * hashed is computed anew. Which tables and columns stands in mamis.chained: both are part of what
 * is hashed, so a change there is found too.
 */
#include <stdio.h>
#include <string.h>

#include "mamisctl/verify.h"

enum { ROWS_AT_ONCE = 5000 };

static const struct db_stmt select_tables = {
    "verify_tables",
    "SELECT schema_name, schema_name || '.' || table_name,"
    " format('%I.%I', schema_name, table_name),"
    " (SELECT string_agg(format('w.%I', name), ', ') FROM unnest(columns) AS name),"
    " array_to_string(columns, ',') FROM mamis.chained ORDER BY schema_name, table_name",
};

/* The number at which a page ends; rows of one number are never torn apart. */
#define PAGE_END                                                                                   \
    "SELECT count(*), max(no) FROM (SELECT chain_rows_no AS no FROM %s"                            \
    " WHERE chain_rows_no > $1 ORDER BY chain_rows_no LIMIT $2) AS page"
/* At one moment: what the chain counted (`rows`, `bytes` the digest), each before its rows. */
#define PAGE                                                                                       \
    "SELECT no, rows, bytes FROM (SELECT w.chain_rows_no AS no, NULL::bigint AS rows,"             \
    "  record_send(ROW(%.*s)) AS bytes FROM %s AS w"                                               \
    "  WHERE w.chain_rows_no > $1 AND w.chain_rows_no <= $2"                                       \
    " UNION ALL SELECT chain_rows_no, rows, digest FROM %s.chain_rows WHERE relation = $3"         \
    "  AND chain_rows_no > $1 AND chain_rows_no <= $2) AS page"                                    \
    " ORDER BY no, rows NULLS LAST, bytes"
#define UNNUMBERED "SELECT count(*) FROM %s WHERE chain_rows_no IS NULL"

/* One table. Texts live in the tool's arena. */
struct table {
    const char *schema;
    const char *relation; /* as chain_rows calls it */
    struct str head;      /* hashed before the rows */
    const struct db_stmt *end, *page, *unnumbered;
};

static void table_take(struct tool *tool, const struct db_query *query, size_t i,
                       struct table *table)
{
    struct arena *arena = tool->arena;
    const struct str schema = db_get_text(query, i, 0);
    const struct str relation = db_get_text(query, i, 1);
    const char *name = arena_printf(arena, "%.*s", STR_ARG(db_get_text(query, i, 2)));
    const struct str columns = db_get_text(query, i, 3);

    table->schema = arena_printf(arena, "%.*s", STR_ARG(schema));
    table->relation = arena_printf(arena, "%.*s", STR_ARG(relation));
    table->head.data =
        arena_printf(arena, "%s %.*s", table->relation, STR_ARG(db_get_text(query, i, 4)));
    table->head.len = strlen(table->head.data) + 1;
    table->end = verify_stmt(tool, "verify_page_end", arena_printf(arena, PAGE_END, name));
    table->page = verify_stmt(tool, "verify_page",
                              arena_printf(arena, PAGE, STR_ARG(columns), name, table->schema));
    table->unnumbered =
        verify_stmt(tool, "verify_unnumbered", arena_printf(arena, UNNUMBERED, name));
}

/* A page, which is read number by number. */
struct page {
    const struct table *table;
    const struct db_query *query;
    size_t at;
    struct finding *finding;
    int64_t wrong_no; /* of the first that differs */
    const char *wrong;
};

static void differs(struct page *page, int64_t no, const char *wrong)
{
    if (page->wrong == NULL) {
        page->wrong_no = no;
        page->wrong = wrong;
    }
    page->finding->differ++;
}

/* The table's rows with this number. */
static int64_t take_rows(struct page *page, int64_t no, struct chain_hash *ret_digest)
{
    struct chain_sum *sum = chain_sum_new();
    int64_t rows = 0;

    chain_sum_add(sum, page->table->head);
    for (; page->at < db_rows(page->query) && db_get_i64(page->query, page->at, 0) == no;
         page->at++, rows++)
        chain_sum_add(sum, db_get_bytes(page->query, page->at, 2));
    *ret_digest = chain_sum_end(sum);
    return rows;
}

static void judge_number(struct page *page)
{
    const int64_t no = db_get_i64(page->query, page->at, 0);
    const bool counted = !db_is_null(page->query, page->at, 1);
    const int64_t expected = db_get_i64(page->query, page->at, 1);
    const struct str digest = db_get_bytes(page->query, page->at, 2);
    struct chain_hash computed;
    int64_t rows;

    page->at += counted;
    rows = take_rows(page, no, &computed);
    page->finding->looked_at += rows;
    if (!counted)
        differs(page, no, "rows that nobody linked");
    else if (rows < expected)
        differs(page, no, "rows are gone");
    else if (rows > expected)
        differs(page, no, "rows were added");
    else if (!chain_hash_is(computed, digest))
        differs(page, no, "rows were changed");
}

static enum err name_wrong(struct tool *tool, const struct page *page, struct err_note *note)
{
    struct finding *finding = page->finding;
    const char *link;
    enum err err;

    TRY(verify_link_name(tool, page->table->schema, page->wrong_no, &link, note));
    (void)snprintf(finding->example, sizeof(finding->example), "%s: %s (chain_rows_no %lld, %s)",
                   page->table->relation, page->wrong, (long long)page->wrong_no, link);
cleanup:
    return err;
}

static enum err read_end(struct tool *tool, const struct table *table, int64_t after,
                         int64_t *ret_end, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, table->end);
    enum err err;

    db_i64(query, after);
    db_i64(query, ROWS_AT_ONCE);
    TRY(tool_run(tool, batch, note));
    *ret_end = db_get_i64(query, 0, 0) < ROWS_AT_ONCE ? INT64_MAX : db_get_i64(query, 0, 1);
cleanup:
    arena_free(arena);
    return err;
}

static enum err read_page(struct tool *tool, const struct table *table, int64_t after, int64_t end,
                          struct finding *finding, struct err_note *note)
{
    const bool first = finding->differ == 0;
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, table->page);
    struct page page = {.table = table, .query = query, .finding = finding};
    enum err err;

    db_i64(query, after);
    db_i64(query, end);
    db_text_c(query, table->relation);
    TRY(tool_run(tool, batch, note));
    while (page.at < db_rows(query))
        judge_number(&page);
    if (first && page.wrong != NULL)
        TRY(name_wrong(tool, &page, note));
cleanup:
    arena_free(arena);
    return err;
}

static enum err find_unnumbered(struct tool *tool, const struct table *table,
                                struct finding *finding, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, table->unnumbered);
    enum err err;

    TRY(tool_run(tool, batch, note));
    if (db_get_i64(query, 0, 0) > 0)
        finding_differs(finding, "%s: %lld rows that nobody linked", table->relation,
                        (long long)db_get_i64(query, 0, 0));
cleanup:
    arena_free(arena);
    return err;
}

static enum err verify_table(struct tool *tool, const struct table *table, struct finding *finding,
                             struct err_note *note)
{
    int64_t after = INT64_MIN;
    int64_t end;
    enum err err;

    do {
        TRY(read_end(tool, table, after, &end, note));
        TRY(read_page(tool, table, after, end, finding, note));
        after = end;
    } while (end < INT64_MAX);
    TRY(find_unnumbered(tool, table, finding, note));
cleanup:
    return err;
}

enum err verify_tables(struct tool *tool, struct finding *finding, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *tables = db_add(batch, &select_tables);
    enum err err;

    TRY(tool_run(tool, batch, note));
    for (size_t i = 0; i < db_rows(tables); i++) {
        struct table table;

        table_take(tool, tables, i, &table);
        TRY(verify_table(tool, &table, finding, note));
    }
cleanup:
    arena_free(arena);
    return err;
}
