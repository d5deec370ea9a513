/*
 * verify_links: each link's hash is computed anew from its row, its rows of chain_rows and the link
 * before it; none is missing in between. Whoever changes, removes or exchanges one has to compute
 * all later ones anew too, which the anchors tell (anchor.c).
 */
#include <string.h>

#include "mamisctl/verify.h"

enum { LINKS_AT_ONCE = 2000 };

const char *const verify_chain_schemas[CHAIN_SCHEMAS] = {"gateway", "registration", "credit",
                                                         "renewal"};

/* With the rows that each binds; a link without any, or with one that is gone, comes too. */
#define LINKS                                                                                      \
    "SELECT l.topic, l.part, l.seq, l.at, l.prev, l.hash, r.chain_rows_no, r.relation, r.rows,"    \
    " r.digest, r.ref, r.at FROM (SELECT * FROM %1$s.chain_link"                                   \
    " WHERE (topic, part, seq) > ($1, $2, $3) ORDER BY topic, part, seq LIMIT $4) AS l"            \
    " LEFT JOIN LATERAL unnest(l.rows) AS n (no) ON true"                                          \
    " LEFT JOIN %1$s.chain_rows AS r ON r.chain_rows_no = n.no"                                    \
    " ORDER BY l.topic, l.part, l.seq, n.no"

/* Rows of chain_rows that no link binds, or that are not of a kind there is. */
#define LOOSE                                                                                      \
    "SELECT count(*), min(chain_rows_no) FROM %1$s.chain_rows AS r LEFT JOIN"                      \
    " (SELECT DISTINCT unnest(rows) AS no FROM %1$s.chain_link) AS l ON l.no = r.chain_rows_no"    \
    " WHERE l.no IS NULL OR (r.ref IS NULL) = (r.relation = '" CHAIN_LEDGER "')"                   \
    " OR r.ref IS NULL AND NOT EXISTS (SELECT FROM mamis.chained AS c"                             \
    "  WHERE c.schema_name = '%1$s' AND r.relation = c.schema_name || '.' || c.table_name)"

#define NAME_OF                                                                                    \
    "SELECT format('%%s/%%s, link %%s', topic, part, seq) FROM %1$s.chain_link"                    \
    " WHERE rows @> ARRAY[$1::bigint] ORDER BY topic, part, seq LIMIT 1"

enum links_column {
    LINKS_TOPIC,
    LINKS_PART,
    LINKS_SEQ,
    LINKS_AT,
    LINKS_PREV,
    LINKS_HASH,
    LINKS_NO,
    LINKS_RELATION,
    LINKS_ROWS,
    LINKS_DIGEST,
    LINKS_REF,
    LINKS_REF_AT,
};

/* Where the walk through a schema's chains is. */
struct walk {
    const char *schema;
    const char *topic; /* in the tool's arena */
    int32_t part;
    int64_t seq;
    uint8_t hash[CHAIN_HASH_BYTES]; /* of that link */
};

const struct db_stmt *verify_stmt(struct tool *tool, const char *name, const char *sql)
{
    struct arena *arena = db_arena(tool->db);
    struct db_stmt *stmt = arena_new_of(arena, struct db_stmt);

    *stmt = (struct db_stmt){arena_strdup(arena, name), arena_strdup(arena, sql)};
    return stmt;
}

#define MAKE(tool, name, sql, schema)                                                              \
    verify_stmt(tool, name, arena_printf((tool)->arena, sql, schema))

static bool same_link(const struct db_query *page, size_t one, size_t other)
{
    return db_get_i64(page, one, LINKS_SEQ) == db_get_i64(page, other, LINKS_SEQ) &&
           db_get_i32(page, one, LINKS_PART) == db_get_i32(page, other, LINKS_PART) &&
           str_eq(db_get_text(page, one, LINKS_TOPIC), db_get_text(page, other, LINKS_TOPIC));
}

/* Row `i` of the page as one of a link's rows; false when it is not there as it has to be. */
static bool take_rows(const struct db_query *page, size_t i, struct chain_rows *rows)
{
    if (db_is_null(page, i, LINKS_NO))
        return false;
    *rows = (struct chain_rows){
        .no = db_get_i64(page, i, LINKS_NO),
        .relation = db_get_text(page, i, LINKS_RELATION),
        .rows = db_get_i64(page, i, LINKS_ROWS),
        .digest = db_get_bytes(page, i, LINKS_DIGEST),
        .has_ref = !db_is_null(page, i, LINKS_REF),
    };
    if (rows->has_ref) {
        rows->ref = db_get_i64(page, i, LINKS_REF);
        rows->at_us = db_get_time(page, i, LINKS_REF_AT);
    }
    return rows->digest.len == CHAIN_HASH_BYTES;
}

/* What is wrong with the link at `first`, whose rows end before `end`; NULL: nothing. */
static const char *judge_link(const struct db_query *page, size_t first, size_t end,
                              const struct walk *walk, struct arena *arena)
{
    struct chain_rows *rows = arena_array(arena, struct chain_rows, end - first);
    const struct chain_link link = {
        .schema = str_of(walk->schema),
        .topic = db_get_text(page, first, LINKS_TOPIC),
        .part = db_get_i32(page, first, LINKS_PART),
        .seq = db_get_i64(page, first, LINKS_SEQ),
        .at_us = db_get_time(page, first, LINKS_AT),
        .prev = db_get_bytes(page, first, LINKS_PREV),
        .rows = rows,
        .count = end - first,
    };

    for (size_t i = first; i < end; i++) {
        if (!take_rows(page, i, &rows[i - first]))
            return "what it binds is gone";
    }
    if (link.seq != walk->seq + 1)
        return "the link before it is gone";
    if (!str_eq(link.prev, (struct str){(const char *)walk->hash, sizeof(walk->hash)}))
        return "the link before it is another";
    if (!chain_hash_is(chain_link_hash(&link), db_get_bytes(page, first, LINKS_HASH)))
        return "its hash does not fit";
    return NULL;
}

static void begin_chain(struct walk *walk, struct tool *tool, struct str topic, int32_t part)
{
    walk->topic = arena_printf(tool->arena, "%.*s", STR_ARG(topic));
    walk->part = part;
    walk->seq = 0;
    memset(walk->hash, 0, sizeof(walk->hash));
}

static void walk_page(struct tool *tool, struct walk *walk, const struct db_query *page,
                      struct finding *finding, struct arena *arena)
{
    size_t end;

    for (size_t first = 0; first < db_rows(page); first = end) {
        const struct str hash = db_get_bytes(page, first, LINKS_HASH);
        const struct str topic = db_get_text(page, first, LINKS_TOPIC);
        const int32_t part = db_get_i32(page, first, LINKS_PART);
        const char *wrong;

        for (end = first + 1; end < db_rows(page) && same_link(page, first, end); end++)
            continue;
        if (!str_eq_c(topic, walk->topic) || part != walk->part)
            begin_chain(walk, tool, topic, part);
        wrong = judge_link(page, first, end, walk, arena);
        walk->seq = db_get_i64(page, first, LINKS_SEQ);
        memset(walk->hash, 0, sizeof(walk->hash));
        if (hash.len == sizeof(walk->hash))
            memcpy(walk->hash, hash.data, hash.len);
        finding->looked_at++;
        if (wrong != NULL)
            finding_differs(finding, "%s %s/%d, link %lld: %s", walk->schema, walk->topic,
                            (int)walk->part, (long long)walk->seq, wrong);
    }
}

static enum err walk_schema(struct tool *tool, const char *schema, struct finding *finding,
                            struct err_note *note)
{
    const struct db_stmt *stmt = MAKE(tool, "verify_links", LINKS, schema);
    struct walk walk = {.schema = schema, .topic = "", .part = INT32_MIN};
    struct arena *arena = NULL;
    struct db_query *page;
    size_t rows;
    enum err err;

    do {
        struct db_batch *batch;

        arena_free(arena);
        arena = arena_new();
        batch = db_batch_read(arena);
        page = db_add(batch, stmt);
        db_text_c(page, walk.topic);
        db_i32(page, walk.part);
        db_i64(page, walk.seq);
        db_i64(page, LINKS_AT_ONCE);
        TRY(tool_run(tool, batch, note));
        rows = db_rows(page);
        walk_page(tool, &walk, page, finding, arena);
    } while (rows > 0);
cleanup:
    arena_free(arena);
    return err;
}

static enum err find_loose(struct tool *tool, const char *schema, struct finding *finding,
                           struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, MAKE(tool, "verify_loose", LOOSE, schema));
    enum err err;

    TRY(tool_run(tool, batch, note));
    for (int64_t i = 0; i < db_get_i64(query, 0, 0); i++)
        finding_differs(finding, "%s.chain_rows %lld: no link binds it, or its table is unknown",
                        schema, (long long)db_get_i64(query, 0, 1));
cleanup:
    arena_free(arena);
    return err;
}

enum err verify_links(struct tool *tool, struct finding *finding, struct err_note *note)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < CHAIN_SCHEMAS; i++) {
        TRY(walk_schema(tool, verify_chain_schemas[i], finding, note));
        TRY(find_loose(tool, verify_chain_schemas[i], finding, note));
    }
cleanup:
    return err;
}

enum err verify_link_name(struct tool *tool, const char *schema, int64_t rows_no,
                          const char **ret_name, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, MAKE(tool, "verify_link_name", NAME_OF, schema));
    enum err err;

    db_i64(query, rows_no);
    TRY(tool_run(tool, batch, note));
    *ret_name = db_rows(query) == 0
                    ? "no link"
                    : arena_printf(tool->arena, "%.*s", STR_ARG(db_get_text(query, 0, 0)));
cleanup:
    arena_free(arena);
    return err;
}
