/* renewal_store_standing: what a standing is computed from, and where it goes. */
#include <stdio.h>
#include <string.h>

#include "renewal/renewal_store.h"

static const struct db_stmt select_dirty = {
    "renewal_select_dirty",
    "SELECT doctor_id, mark FROM renewal.dirty WHERE mark > done ORDER BY since LIMIT $1",
};

static const struct db_stmt select_certificates = {
    "renewal_select_certificates",
    "SELECT doctor_id, programme, version, number, first_from, valid_from, valid_to"
    " FROM renewal.certificate WHERE doctor_id = ANY ($1::bigint[]) ORDER BY doctor_id, programme",
};

static const struct db_stmt select_credits = {
    "renewal_select_credits",
    "SELECT l.doctor_id, l.programme, l.session_id, l.revision, l.kind, l.half_units, s.held_on,"
    "  s.delivery = 'web'"
    " FROM (SELECT DISTINCT ON (doctor_id, session_id, programme) * FROM renewal.credit"
    "       WHERE doctor_id = ANY ($1::bigint[])"
    "       ORDER BY doctor_id, session_id, programme, revision DESC) AS l"
    " JOIN renewal.session s USING (session_id)"
    " WHERE l.revision % 2 = 0"
    " ORDER BY l.doctor_id, l.programme, s.held_on, l.session_id",
};

static const struct db_stmt select_handbook = {
    "renewal_select_handbook",
    "SELECT doctor_id, programme, kind, declared_half_units, verified_half_units, last_on"
    " FROM renewal.handbook WHERE doctor_id = ANY ($1::bigint[])"
    " ORDER BY doctor_id, programme, kind",
};

static const struct db_stmt update_clean = {
    "renewal_update_clean",
    "WITH locked AS ("
    " SELECT d.doctor_id, u.mark FROM renewal.dirty d"
    " JOIN unnest($1::bigint[], $2::bigint[]) AS u (doctor_id, mark) USING (doctor_id)"
    " ORDER BY d.doctor_id FOR UPDATE OF d)"
    " UPDATE renewal.dirty d SET done = greatest(d.done, locked.mark)"
    " FROM locked WHERE d.doctor_id = locked.doctor_id",
};

static const struct db_stmt upsert_standings = {
    "renewal_upsert_standings",
    "INSERT INTO renewal.standing (doctor_id, programme, mark, rule_set, needed_half_units,"
    "  counted_half_units, eligible, depends_on_declared, opens_on, closes_on, lines, entries,"
    "  missing, as_of)"
    " SELECT n.doctor_id, n.programme, coalesce(n.mark, d.mark, 0), n.rule_set, n.needed, "
    "n.counted,"
    "  n.eligible <> 0, n.depends <> 0, n.opens_on, n.closes_on, n.lines, n.entries, n.missing, $14"
    " FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::int[], $6::int[],"
    "             $7::int[], $8::int[], $9::date[], $10::date[], $11::jsonb[], $12::jsonb[],"
    "             $13::jsonb[])"
    "  AS n (doctor_id, programme, mark, rule_set, needed, counted, eligible, depends, opens_on,"
    "        closes_on, lines, entries, missing)"
    " LEFT JOIN renewal.dirty d USING (doctor_id)"
    " ORDER BY n.doctor_id, n.programme"
    " ON CONFLICT (doctor_id, programme) DO UPDATE SET mark = excluded.mark,"
    "  rule_set = excluded.rule_set, needed_half_units = excluded.needed_half_units,"
    "  counted_half_units = excluded.counted_half_units, eligible = excluded.eligible,"
    "  depends_on_declared = excluded.depends_on_declared, opens_on = excluded.opens_on,"
    "  closes_on = excluded.closes_on, lines = excluded.lines, entries = excluded.entries,"
    "  missing = excluded.missing, as_of = excluded.as_of"
    " WHERE standing.mark <= excluded.mark",
};

struct db_query *store_find_dirty(struct db_batch *batch, int32_t most)
{
    struct db_query *query = db_add(batch, &select_dirty);

    db_i32(query, most);
    return query;
}

static struct db_query *find(struct db_batch *batch, const struct db_stmt *stmt,
                             const int64_t *doctor_ids, size_t count)
{
    struct db_query *query = db_add(batch, stmt);

    db_i64_array(query, doctor_ids, count);
    return query;
}

struct db_query *store_find_certificates(struct db_batch *batch, const int64_t *doctor_ids,
                                         size_t count)
{
    return find(batch, &select_certificates, doctor_ids, count);
}

void store_certificate_row(const struct db_query *query, size_t row, struct certificate_row *out)
{
    *out = (struct certificate_row){
        .doctor_id = db_get_i64(query, row, 0),
        .programme = db_get_text(query, row, 1),
        .certificate = {.found = true,
                        .version = db_get_i64(query, row, 2),
                        .number = db_get_text(query, row, 3),
                        .first_from = db_get_day(query, row, 4),
                        .period = {.from = db_get_day(query, row, 5),
                                   .to = db_get_day(query, row, 6)}},
    };
}

struct db_query *store_find_credits(struct db_batch *batch, const int64_t *doctor_ids, size_t count)
{
    return find(batch, &select_credits, doctor_ids, count);
}

/* Kinds longer than any code are cut: they count for nothing either way. */
static void copy_kind(char out[RULES_KIND_BYTES], struct str kind)
{
    (void)snprintf(out, RULES_KIND_BYTES, "%.*s", STR_ARG(kind));
}

void store_credit_row(const struct db_query *query, size_t row, struct credit_row *out)
{
    *out = (struct credit_row){
        .doctor_id = db_get_i64(query, row, 0),
        .programme = db_get_text(query, row, 1),
        .credit = {.session_id = db_get_i64(query, row, 2),
                   .revision = db_get_i32(query, row, 3),
                   .half_units = db_get_i32(query, row, 5),
                   .held_on = db_get_day(query, row, 6),
                   .web = db_get_bool(query, row, 7)},
    };
    copy_kind(out->credit.kind, db_get_text(query, row, 4));
}

struct db_query *store_find_handbook(struct db_batch *batch, const int64_t *doctor_ids,
                                     size_t count)
{
    return find(batch, &select_handbook, doctor_ids, count);
}

void store_handbook_row(const struct db_query *query, size_t row, struct handbook_row *out)
{
    *out = (struct handbook_row){
        .doctor_id = db_get_i64(query, row, 0),
        .programme = db_get_text(query, row, 1),
        .line = {.declared_half_units = db_get_i32(query, row, 3),
                 .verified_half_units = db_is_null(query, row, 4) ? -1 : db_get_i32(query, row, 4),
                 .last_on = db_get_day(query, row, 5)},
    };
    copy_kind(out->line.kind, db_get_text(query, row, 2));
}

void store_clean(struct db_batch *batch, const int64_t *doctor_ids, const int64_t *marks,
                 size_t count)
{
    struct db_query *query = db_add(batch, &update_clean);

    db_i64_array(query, doctor_ids, count);
    db_i64_array(query, marks, count);
}

void store_standings(struct db_batch *batch, const struct standing_rows *rows, int64_t now_us)
{
    struct db_query *query = db_add(batch, &upsert_standings);

    db_i64_array(query, rows->doctor_id, rows->count);
    db_text_array(query, rows->programme, rows->count);
    db_i64_null_array(query, rows->mark, rows->count);
    db_text_array(query, rows->rule_set, rows->count);
    db_i32_array(query, rows->needed, rows->count);
    db_i32_array(query, rows->counted, rows->count);
    db_i32_array(query, rows->eligible, rows->count);
    db_i32_array(query, rows->depends, rows->count);
    db_day_array(query, rows->opens_on, rows->count);
    db_day_array(query, rows->closes_on, rows->count);
    db_json_array(query, rows->lines, rows->count);
    db_json_array(query, rows->entries, rows->count);
    db_json_array(query, rows->missing, rows->count);
    db_time(query, now_us);
}
