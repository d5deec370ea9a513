/*
 * verify_ledger: the ledger is read once, in any order. Posted rows are counted as bits, 64 to a
 * group, so that no sort is needed where a row posted in several programmes; renewal's copy is
 * compared by a 64-bit hash of each credit, all together by exclusive or.
 */
#include <stdio.h>

#include "mamisctl/verify.h"

#define HASH                                                                                       \
    "hashint8extended(doctor_id, hashint8extended(session_id, hashtextextended(kind,"              \
    " hashtextextended(programme, (revision::bigint << 32) + half_units))))"

/* Columns in pairs, in the order of enum ledger_check: looked at, doubtful. */
static const struct db_stmt pass_all = {
    "verify_ledger",
    "WITH part AS (SELECT upload_no, count(*) AS entries,"
    " bit_or(1::bigint << (row_no & 63)) FILTER (WHERE half_units > 0) AS bits,"
    " count(*) FILTER (WHERE revision <> 0 OR half_units <= 0) AS others,"
    " count(*) FILTER (WHERE half_units < 0) AS counters,"
    " count(*) FILTER (WHERE half_units < 0"
    "  AND (coalesce(reason, '') = '' OR actor IS NULL OR actor_role IS NULL)) AS mute,"
    " bit_xor(" HASH ") FILTER (WHERE programme IN ('OP', 'SP')) AS hash"
    " FROM credit.ledger GROUP BY upload_no, row_no >> 6),"
    " whole AS (SELECT upload_no, sum(entries) AS entries,"
    " coalesce(sum(bit_count(bits::bit(64))), 0) AS rows, sum(others) AS others,"
    " sum(counters) AS counters, sum(mute) AS mute, bit_xor(hash) AS hash"
    " FROM part GROUP BY upload_no),"
    " judged AS (SELECT sum(w.entries) AS entries, sum(w.others) AS others,"
    " sum(w.counters) AS counters, sum(w.mute) AS mute,"
    " sum(w.entries) FILTER (WHERE u.upload_no IS NULL) AS orphans,"
    " count(*) FILTER (WHERE u.status IN ('done', 'undone')) AS uploads,"
    " count(*) FILTER (WHERE u.status IN ('done', 'undone') AND NOT u.dry_run"
    "  AND u.posted IS DISTINCT FROM coalesce(w.rows, 0)) AS uneven,"
    " bit_xor(w.hash) AS hash"
    " FROM whole AS w FULL JOIN credit.upload AS u USING (upload_no)),"
    " copy AS (SELECT count(*) AS credits, bit_xor(" HASH ") AS hash FROM renewal.credit)"
    " SELECT coalesce(j.entries, 0)::bigint, coalesce(j.others, 0)::bigint,"
    " coalesce(j.counters, 0)::bigint, coalesce(j.mute, 0)::bigint,"
    " coalesce(j.entries, 0)::bigint, coalesce(j.orphans, 0)::bigint,"
    " j.uploads::bigint, j.uneven::bigint, c.credits::bigint,"
    " (j.hash IS DISTINCT FROM c.hash)::int::bigint"
    " FROM judged AS j, copy AS c",
};
static const struct db_stmt pass_bare = {
    "verify_bare",
    "SELECT count(*), sum(hashtext(kind)::bigint)::text FROM credit.ledger",
};
/* Of a whole table, once: nothing to be saved by compiling it, or by groups on disk. */
static const struct db_stmt room = {
    "verify_room",
    "SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)",
};

static enum err timed(struct tool *tool, struct db_batch *batch, uint64_t *ret_ms,
                      struct err_note *note)
{
    uint64_t begun_ms = clock_mono_ms();
    enum err err = tool_run(tool, batch, note);

    *ret_ms = clock_mono_ms() - begun_ms;
    return err;
}

enum err verify_ledger_pass(struct tool *tool, struct ledger_pass *ret_pass, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_new(arena);
    struct db_query *query;
    enum err err;

    db_add(batch, &room);
    query = db_add(batch, &pass_all);
    *ret_pass = (struct ledger_pass){.took_ms = 0};
    TRY(timed(tool, batch, &ret_pass->took_ms, note));
    for (int check = LEDGER_NONE + 1; check < LEDGER_CHECKS; check++)
        ret_pass->findings[check] = (struct ledger_finding){
            .looked_at = db_get_i64(query, 0, 2 * (check - 1)),
            .doubtful = db_get_i64(query, 0, 2 * (check - 1) + 1),
        };
cleanup:
    arena_free(arena);
    return err;
}

enum err verify_ledger_timing(struct tool *tool, const struct ledger_pass *pass, uint64_t total_ms,
                              struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_new(arena);
    uint64_t bare_ms;
    enum err err;

    db_add(batch, &room);
    db_add(batch, &pass_bare);
    TRY(timed(tool, batch, &bare_ms, note));
    (void)printf("%lld ledger entries: all checks %llu ms, of these the pass over the ledger"
                 " %llu ms; a pass that only reads it %llu ms\n",
                 (long long)pass->findings[LEDGER_REVISIONS].looked_at,
                 (unsigned long long)total_ms, (unsigned long long)pass->took_ms,
                 (unsigned long long)bare_ms);
cleanup:
    arena_free(arena);
    return err;
}
