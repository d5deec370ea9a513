/* renewal_store_application: handbook lines, applications, their history, renewed certificates. */
#include <stdio.h>

#include "renewal/renewal_standing.h"

static const struct db_stmt select_doctor = {
    "renewal_select_doctor",
    "SELECT my_page, l2_code FROM renewal.doctor WHERE doctor_id = $1",
};

static const struct db_stmt select_open = {
    "renewal_select_open",
    "SELECT application_id, programme, status FROM renewal.application WHERE doctor_id = $1"
    " AND status IN ('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued', 'l3_review')",
};

/* As store_application_row() reads them. */
#define COLUMNS                                                                                    \
    "a.application_id, a.version, a.doctor_id, a.status, a.programme, a.l2_code, a.rule_set,"      \
    " a.cycle, a.number, a.handbook, a.fee, a.fee_yen, a.valid_from, a.valid_to,"                  \
    " a.needed_half_units, a.counted_half_units, a.eligible, a.depends_on_declared,"               \
    " a.return_reason, a.return_until, a.new_from, a.new_to"

static const struct db_stmt select_application = {
    "renewal_select_application",
    "SELECT " COLUMNS " FROM renewal.application AS a WHERE a.application_id = $1",
};

/* Open ones of doctors who are in another prefecture now, by events that are news. */
static const struct db_stmt select_moved = {
    "renewal_select_moved",
    "SELECT " COLUMNS ", g.l2_code, a.account_id"
    " FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS g (doctor_id, version, l2_code)"
    " JOIN renewal.application AS a USING (doctor_id)"
    " LEFT JOIN renewal.doctor AS d USING (doctor_id)"
    " WHERE a.status IN ('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued',"
    "   'l3_review')"
    "  AND a.l2_code <> g.l2_code AND g.l2_code <> '' AND coalesce(d.version, 0) < g.version"
    " ORDER BY a.application_id",
};

static const struct db_stmt update_office = {
    "renewal_update_office",
    "WITH changed AS ("
    " UPDATE renewal.application SET version = version + 1, l2_code = $3, changed_at = $4"
    " WHERE application_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt select_snapshot = {
    "renewal_select_snapshot",
    "SELECT k.session_id, k.revision, k.kind, k.half_units, s.held_on, s.delivery = 'web',"
    "  (SELECT c.revision % 2 = 1 OR c.kind <> k.kind OR c.half_units <> k.half_units"
    "   FROM renewal.credit c WHERE c.doctor_id = a.doctor_id AND c.session_id = k.session_id"
    "    AND c.programme = a.programme ORDER BY c.revision DESC LIMIT 1)"
    " FROM renewal.application_credit k"
    " JOIN renewal.application a USING (application_id)"
    " JOIN renewal.session s USING (session_id)"
    " WHERE k.application_id = $1 ORDER BY s.held_on, k.session_id",
};

static const struct db_stmt delete_lines = {
    "renewal_delete_lines",
    "DELETE FROM renewal.handbook"
    " WHERE doctor_id = $1 AND programme = $2 AND kind <> ALL ($3::text[])",
};

static const struct db_stmt upsert_lines = {
    "renewal_upsert_lines",
    "INSERT INTO renewal.handbook"
    " (doctor_id, programme, kind, declared_half_units, last_on, declared_at)"
    " SELECT $1, $2, kind, half_units, last_on, $6"
    " FROM unnest($3::text[], $4::int[], $5::date[]) AS n (kind, half_units, last_on)"
    " ON CONFLICT (doctor_id, programme, kind) DO UPDATE SET"
    "  declared_half_units = excluded.declared_half_units, last_on = excluded.last_on,"
    "  declared_at = excluded.declared_at, verified_half_units = NULL, verified_at = NULL"
    " WHERE (handbook.declared_half_units, handbook.last_on)"
    "  IS DISTINCT FROM (excluded.declared_half_units, excluded.last_on)",
};

static const struct db_stmt update_verified = {
    "renewal_update_verified",
    "UPDATE renewal.handbook h SET verified_half_units = n.half_units, verified_at = $5"
    " FROM unnest($3::text[], $4::int[]) AS n (kind, half_units)"
    " WHERE h.doctor_id = $1 AND h.programme = $2 AND h.kind = n.kind",
};

static const struct db_stmt insert_application = {
    "renewal_insert_application",
    "INSERT INTO renewal.application (application_id, doctor_id, account_id, programme, status,"
    "  l2_code, rule_set, cycle, submitted_at, handbook, fee, fee_yen, number, valid_from,"
    "  valid_to, needed_half_units, counted_half_units, eligible, depends_on_declared, lines,"
    "  missing, changed_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
    "  $20, $21, $9)",
};

static const struct db_stmt update_application = {
    "renewal_update_application",
    "WITH changed AS ("
    " UPDATE renewal.application SET version = version + 1, status = $3, cycle = $4, handbook = $5,"
    "  fee = $6, counted_half_units = $7, eligible = $8, depends_on_declared = $9,"
    "  lines = coalesce($10::jsonb, lines), missing = coalesce($11::jsonb, missing),"
    "  return_reason = $12, return_until = $13, new_from = $14, new_to = $15, changed_at = $16"
    " WHERE application_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt delete_snapshot = {
    "renewal_delete_snapshot",
    "DELETE FROM renewal.application_credit WHERE application_id = $1",
};

static const struct db_stmt insert_snapshot = {
    "renewal_insert_snapshot",
    "INSERT INTO renewal.application_credit (application_id, session_id, revision, kind,"
    "  half_units, counted_half_units, not_counted_reason)"
    " SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::int[], $6::int[],"
    "                          $7::text[])",
};

static const struct db_stmt insert_history = {
    "renewal_insert_history",
    "INSERT INTO renewal.application_history"
    " (application_id, version, at, action, actor_role, actor_id, reason, detail)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
};

static const struct db_stmt update_certificate = {
    "renewal_update_certificate",
    "WITH changed AS ("
    " UPDATE renewal.certificate SET version = version + 1, valid_from = $4, valid_to = $5,"
    "  changed_at = clock_timestamp()"
    " WHERE doctor_id = $1 AND programme = $2 AND version = $3 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

struct db_query *store_find_doctor(struct db_batch *batch, int64_t doctor_id)
{
    struct db_query *query = db_add(batch, &select_doctor);

    db_i64(query, doctor_id);
    return query;
}

struct db_query *store_find_open(struct db_batch *batch, int64_t doctor_id)
{
    struct db_query *query = db_add(batch, &select_open);

    db_i64(query, doctor_id);
    return query;
}

struct db_query *store_find_application(struct db_batch *batch, struct uuid application_id)
{
    struct db_query *query = db_add(batch, &select_application);

    db_uuid(query, application_id);
    return query;
}

struct db_query *store_find_moved(struct db_batch *batch, const struct doctor_rows *rows)
{
    struct db_query *query = db_add(batch, &select_moved);

    db_i64_array(query, rows->id, rows->count);
    db_i64_array(query, rows->version, rows->count);
    db_text_array(query, rows->l2_code, rows->count);
    return query;
}

void store_moved_row(const struct db_query *query, size_t row, struct application *out,
                     struct str *ret_l2_code, struct uuid *ret_account_id)
{
    store_application_row(query, row, out);
    *ret_l2_code = db_get_text(query, row, 22);
    *ret_account_id = db_get_uuid(query, row, 23);
}

void store_update_office(struct db_batch *batch, const struct application *application,
                         int64_t now_us)
{
    struct db_query *query = db_add(batch, &update_office);

    db_uuid(query, application->id);
    db_i64(query, application->version);
    db_text(query, application->l2_code);
    db_time(query, now_us);
}

struct db_query *store_find_snapshot(struct db_batch *batch, struct uuid application_id)
{
    struct db_query *query = db_add(batch, &select_snapshot);

    db_uuid(query, application_id);
    return query;
}

void store_application_row(const struct db_query *query, size_t row, struct application *out)
{
    *out = (struct application){
        .id = db_get_uuid(query, row, 0),
        .version = db_get_i64(query, row, 1),
        .doctor_id = db_get_i64(query, row, 2),
        .programme = db_get_text(query, row, 4),
        .l2_code = db_get_text(query, row, 5),
        .rule_set = db_get_text(query, row, 6),
        .cycle = db_get_text(query, row, 7),
        .number = db_get_text(query, row, 8),
        .fee_yen = db_get_i32(query, row, 11),
        .period = {.from = db_get_day(query, row, 12), .to = db_get_day(query, row, 13)},
        .needed_half_units = db_get_i32(query, row, 14),
        .counted_half_units = db_get_i32(query, row, 15),
        .eligible = db_get_bool(query, row, 16),
        .depends_on_declared = db_get_bool(query, row, 17),
        .return_reason = db_get_text(query, row, 18),
        .return_until = db_get_day(query, row, 19),
        .next = {.from = db_get_day(query, row, 20), .to = db_get_day(query, row, 21)},
    };
    must(app_status_parse(db_get_text(query, row, 3), &out->status));
    must(app_handbook_parse(db_get_text(query, row, 9), &out->handbook));
    must(app_fee_parse(db_get_text(query, row, 10), &out->fee));
}

bool store_snapshot_row(const struct db_query *query, size_t row, struct rules_credit *out)
{
    struct str kind = db_get_text(query, row, 2);

    *out = (struct rules_credit){
        .session_id = db_get_i64(query, row, 0),
        .revision = db_get_i32(query, row, 1),
        .half_units = db_get_i32(query, row, 3),
        .held_on = db_get_day(query, row, 4),
        .web = db_get_bool(query, row, 5),
    };
    (void)snprintf(out->kind, sizeof(out->kind), "%.*s", STR_ARG(kind));
    return !db_get_bool(query, row, 6);
}

struct line_columns {
    struct str *kind;
    int32_t *declared, *verified;
    day_t *last_on;
};

static struct line_columns columns_of(struct db_batch *batch, const struct rules_handbook *lines,
                                      size_t count)
{
    struct arena *arena = db_batch_arena(batch);
    struct line_columns columns = {
        .kind = arena_array(arena, struct str, count),
        .declared = arena_array(arena, int32_t, count),
        .verified = arena_array(arena, int32_t, count),
        .last_on = arena_array(arena, day_t, count),
    };

    for (size_t i = 0; i < count; i++) {
        columns.kind[i] = str_of(lines[i].kind);
        columns.declared[i] = lines[i].declared_half_units;
        columns.verified[i] = lines[i].verified_half_units;
        columns.last_on[i] = lines[i].last_on;
    }
    return columns;
}

void store_declare(struct db_batch *batch, int64_t doctor_id, struct str programme,
                   const struct rules_handbook *lines, size_t count, int64_t now_us)
{
    struct line_columns columns = columns_of(batch, lines, count);
    struct db_query *query = db_add(batch, &delete_lines);

    db_i64(query, doctor_id);
    db_text(query, programme);
    db_text_array(query, columns.kind, count);

    query = db_add(batch, &upsert_lines);
    db_i64(query, doctor_id);
    db_text(query, programme);
    db_text_array(query, columns.kind, count);
    db_i32_array(query, columns.declared, count);
    db_day_array(query, columns.last_on, count);
    db_time(query, now_us);
}

void store_verify(struct db_batch *batch, int64_t doctor_id, struct str programme,
                  const struct rules_handbook *lines, size_t count, int64_t now_us)
{
    struct line_columns columns = columns_of(batch, lines, count);
    struct db_query *query = db_add(batch, &update_verified);

    db_i64(query, doctor_id);
    db_text(query, programme);
    db_text_array(query, columns.kind, count);
    db_i32_array(query, columns.verified, count);
    db_time(query, now_us);
}

void store_insert_application(struct db_batch *batch, const struct application *application,
                              const struct actor *actor, const struct standing_json *json,
                              int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_application);

    db_uuid(query, application->id);
    db_i64(query, application->doctor_id);
    db_uuid(query, actor->account_id);
    db_text(query, application->programme);
    db_text_c(query, app_status_name(application->status));
    db_text(query, application->l2_code);
    db_text(query, application->rule_set);
    db_text(query, application->cycle);
    db_time(query, now_us);
    db_text_c(query, app_handbook_name(application->handbook));
    db_text_c(query, app_fee_name(application->fee));
    db_i32(query, application->fee_yen);
    db_text(query, application->number);
    db_day(query, application->period.from);
    db_day(query, application->period.to);
    db_i32(query, application->needed_half_units);
    db_i32(query, application->counted_half_units);
    db_bool(query, application->eligible);
    db_bool(query, application->depends_on_declared);
    db_json(query, json->lines);
    db_json(query, json->missing);
}

void store_update_application(struct db_batch *batch, const struct application *application,
                              const struct standing_json *json, int64_t now_us)
{
    struct db_query *query = db_add(batch, &update_application);

    db_uuid(query, application->id);
    db_i64(query, application->version);
    db_text_c(query, app_status_name(application->status));
    db_text(query, application->cycle);
    db_text_c(query, app_handbook_name(application->handbook));
    db_text_c(query, app_fee_name(application->fee));
    db_i32(query, application->counted_half_units);
    db_bool(query, application->eligible);
    db_bool(query, application->depends_on_declared);
    if (json != NULL) {
        db_json(query, json->lines);
        db_json(query, json->missing);
    } else {
        db_null(query);
        db_null(query);
    }
    db_text(query, application->return_reason);
    db_day(query, application->return_until);
    db_day(query, application->next.from);
    db_day(query, application->next.to);
    db_time(query, now_us);
}

void store_snapshot(struct db_batch *batch, struct uuid application_id,
                    const struct rules_credit *credits, size_t count)
{
    struct arena *arena = db_batch_arena(batch);
    int64_t *session_id = arena_array(arena, int64_t, count);
    int32_t *revision = arena_array(arena, int32_t, count);
    int32_t *half_units = arena_array(arena, int32_t, count);
    int32_t *counted = arena_array(arena, int32_t, count);
    struct str *kind = arena_array(arena, struct str, count);
    struct str *reason = arena_array(arena, struct str, count);
    struct db_query *query = db_add(batch, &delete_snapshot);

    db_uuid(query, application_id);
    for (size_t i = 0; i < count; i++) {
        session_id[i] = credits[i].session_id;
        revision[i] = credits[i].revision;
        half_units[i] = credits[i].half_units;
        counted[i] = credits[i].counted_half_units;
        kind[i] = str_of(credits[i].kind);
        reason[i] = str_of(not_counted_name(credits[i].reason));
    }
    query = db_add(batch, &insert_snapshot);
    db_uuid(query, application_id);
    db_i64_array(query, session_id, count);
    db_i32_array(query, revision, count);
    db_text_array(query, kind, count);
    db_i32_array(query, half_units, count);
    db_i32_array(query, counted, count);
    db_text_array(query, reason, count);
}

void store_history(struct db_batch *batch, struct uuid application_id, int64_t version,
                   const char *action, const struct actor *actor, struct str reason,
                   struct str detail, int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_history);

    db_uuid(query, application_id);
    db_i64(query, version);
    db_time(query, now_us);
    db_text_c(query, action);
    db_text(query, actor->role);
    db_uuid(query, actor->account_id);
    db_text(query, reason);
    db_json(query, detail);
}

void store_renew(struct db_batch *batch, int64_t doctor_id, struct str programme, int64_t version,
                 struct period next)
{
    struct db_query *query = db_add(batch, &update_certificate);

    db_i64(query, doctor_id);
    db_text(query, programme);
    db_i64(query, version);
    db_day(query, next.from);
    db_day(query, next.to);
}
