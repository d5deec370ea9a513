/* renewal_store_feed: projections that events keep up to date. */
#include "renewal/renewal_store.h"

static const struct db_stmt upsert_doctors = {
    "renewal_upsert_doctors",
    "INSERT INTO renewal.doctor"
    " (doctor_id, version, register_no, mamis_no, name, name_kana, my_page, l1_code, l2_code)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[],"
    "                      $6::text[], $7::text[], $8::text[], $9::text[])"
    " ON CONFLICT (doctor_id) DO UPDATE SET version = excluded.version,"
    "  register_no = excluded.register_no, mamis_no = excluded.mamis_no, name = excluded.name,"
    "  name_kana = excluded.name_kana, my_page = excluded.my_page, l1_code = excluded.l1_code,"
    "  l2_code = excluded.l2_code"
    " WHERE doctor.version < excluded.version",
};

static const struct db_stmt upsert_sessions = {
    "renewal_upsert_sessions",
    "INSERT INTO renewal.session"
    " (session_id, seminar_no, seminar_title, session_no, title, held_on, delivery)"
    " SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],"
    "                      $6::date[], $7::text[]) AS s (session_id) ORDER BY session_id"
    " ON CONFLICT (session_id) DO UPDATE SET seminar_title = excluded.seminar_title,"
    "  session_no = excluded.session_no, title = excluded.title"
    " WHERE (session.seminar_title, session.session_no, session.title)"
    "  IS DISTINCT FROM (excluded.seminar_title, excluded.session_no, excluded.title)",
};

#define INSERT_CREDITS                                                                             \
    "INSERT INTO renewal.credit (doctor_id, session_id, programme, revision, kind, half_units)"    \
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::text[],"         \
    " $6::int[])"

static const struct db_stmt insert_credits = {
    "renewal_insert_credits",
    INSERT_CREDITS " ON CONFLICT DO NOTHING",
};

static const struct db_stmt upsert_credits = {
    "renewal_upsert_credits",
    INSERT_CREDITS " ON CONFLICT (doctor_id, session_id, programme, revision) DO UPDATE"
                   " SET kind = excluded.kind, half_units = excluded.half_units"
                   " WHERE (credit.kind, credit.half_units)"
                   "  IS DISTINCT FROM (excluded.kind, excluded.half_units)",
};

/* In order of doctor_id, as everybody locks these rows. */
static const struct db_stmt mark_dirty = {
    "renewal_mark_dirty",
    "INSERT INTO renewal.dirty (doctor_id)"
    " SELECT DISTINCT doctor_id FROM unnest($1::bigint[]) AS m (doctor_id) ORDER BY doctor_id"
    " ON CONFLICT (doctor_id) DO UPDATE SET mark = dirty.mark + 1,"
    "  since = CASE WHEN dirty.mark > dirty.done THEN dirty.since ELSE clock_timestamp() END",
};

void store_doctors(struct db_batch *batch, const struct doctor_rows *rows)
{
    struct db_query *query = db_add(batch, &upsert_doctors);

    db_i64_array(query, rows->id, rows->count);
    db_i64_array(query, rows->version, rows->count);
    db_text_array(query, rows->register_no, rows->count);
    db_text_array(query, rows->mamis_no, rows->count);
    db_text_array(query, rows->name, rows->count);
    db_text_array(query, rows->name_kana, rows->count);
    db_text_array(query, rows->my_page, rows->count);
    db_text_array(query, rows->l1_code, rows->count);
    db_text_array(query, rows->l2_code, rows->count);
}

void store_sessions(struct db_batch *batch, const struct session_rows *rows)
{
    struct db_query *query = db_add(batch, &upsert_sessions);

    db_i64_array(query, rows->id, rows->count);
    db_text_array(query, rows->seminar_no, rows->count);
    db_text_array(query, rows->seminar_title, rows->count);
    db_text_array(query, rows->session_no, rows->count);
    db_text_array(query, rows->title, rows->count);
    db_day_array(query, rows->held_on, rows->count);
    db_text_array(query, rows->delivery, rows->count);
}

static void add_credits(struct db_batch *batch, const struct db_stmt *stmt,
                        const struct credit_rows *rows)
{
    struct db_query *query = db_add(batch, stmt);

    db_i64_array(query, rows->doctor_id, rows->count);
    db_i64_array(query, rows->session_id, rows->count);
    db_text_array(query, rows->programme, rows->count);
    db_i32_array(query, rows->revision, rows->count);
    db_text_array(query, rows->kind, rows->count);
    db_i32_array(query, rows->half_units, rows->count);
}

void store_credits(struct db_batch *batch, const struct credit_rows *rows)
{
    add_credits(batch, &insert_credits, rows);
}

void store_credits_state(struct db_batch *batch, const struct credit_rows *rows)
{
    add_credits(batch, &upsert_credits, rows);
}

void store_mark(struct db_batch *batch, const int64_t *doctor_ids, size_t count)
{
    struct db_query *query = db_add(batch, &mark_dirty);

    db_i64_array(query, doctor_ids, count);
}
