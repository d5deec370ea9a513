/* registration_merge_store: all SQL about merges. */
#include "registration/registration_merge.h"

/* Columns of all: version, kept, closed, reason, names, actor is active, one is closed, another
 * proposal names one of them, open, own, conflicts, new number, its day, it is the one on record,
 * somebody has it. */
#define ACTOR                                                                                      \
    "EXISTS (SELECT FROM registration.account a WHERE a.account_id = $1"                           \
    "  AND a.state = 'active' AND a.role = 'office_l3')"

static const struct db_stmt select_pair = {
    "registration_select_merge_pair",
    "SELECT 0::int8, coalesce(k.doctor_id, 0), coalesce(c.doctor_id, 0), '', '', " ACTOR ","
    "  coalesce('closed' IN (k.my_page, c.my_page), false),"
    "  EXISTS (SELECT FROM registration.merge m WHERE m.state = 'open' AND m.expires_at > $2"
    "   AND (m.kept_id IN (k.doctor_id, c.doctor_id) OR m.closed_id IN (k.doctor_id, "
    "c.doctor_id))),"
    "  true, true, 0::int8, '', NULL::date, coalesce(k.doctor_id = c.doctor_id, false), false"
    " FROM (SELECT 1) AS one LEFT JOIN registration.doctor k ON k.register_no = $3"
    " LEFT JOIN registration.doctor c ON c.register_no = $4",
};

static const struct db_stmt select_numbered = {
    "registration_select_numbered",
    "SELECT 0::int8, coalesce(k.doctor_id, 0), 0::int8, '', '', " ACTOR ","
    "  coalesce(k.my_page = 'closed', false),"
    "  EXISTS (SELECT FROM registration.merge m WHERE m.state = 'open' AND m.expires_at > $2"
    "   AND k.doctor_id IN (m.kept_id, m.closed_id)),"
    "  true, true, 0::int8, $4, $5::date, coalesce(k.register_no = $4, false),"
    "  EXISTS (SELECT FROM registration.doctor d WHERE d.register_no = $4)"
    " FROM (SELECT 1) AS one LEFT JOIN registration.doctor k ON k.mamis_no = $3",
};

/* A new number leaves a closed record behind; an id that is not used does no harm. */
static const struct db_stmt select_merge = {
    "registration_select_merge",
    "SELECT m.version, m.kept_id,"
    "  coalesce(m.closed_id, nextval('registration.doctor_doctor_id_seq')), m.reason,"
    "  (SELECT coalesce(string_agg(DISTINCT n.kana, E'\\n'), '') FROM registration.doctor d"
    "   LEFT JOIN registration.name_history h USING (doctor_id)"
    "   CROSS JOIN LATERAL (VALUES (d.name_kana), (d.former_name_kana), (h.name_kana),"
    "    (h.former_name_kana)) AS n (kana)"
    "   WHERE (d.doctor_id = m.closed_id OR d.merged_into = m.closed_id) AND n.kana <> ''), " ACTOR
    ","
    "  EXISTS (SELECT FROM registration.doctor d WHERE d.doctor_id IN (m.kept_id, m.closed_id)"
    "   AND d.my_page = 'closed'), false, m.state = 'open' AND m.expires_at > $2,"
    "  m.proposed_by = $1,"
    "  (SELECT count(*) FROM registration.merge_conflicts(m.kept_id, m.closed_id)),"
    "  coalesce(m.new_no, ''), m.new_licensed_on, false,"
    "  EXISTS (SELECT FROM registration.doctor d WHERE d.register_no = m.new_no)"
    " FROM registration.merge m WHERE m.merge_id = $3",
};

static const struct db_stmt insert_merge = {
    "registration_insert_merge",
    "INSERT INTO registration.merge (merge_id, kept_id, closed_id, reason, proposed_at,"
    "  proposed_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
};

static const struct db_stmt insert_numbered = {
    "registration_insert_numbered",
    "INSERT INTO registration.merge (merge_id, kept_id, old_no, new_no, new_licensed_on, reason,"
    "  proposed_at, proposed_by, expires_at) SELECT $1, doctor_id, register_no, $3, $4, $5, $6, $7,"
    "  $8 FROM registration.doctor WHERE doctor_id = $2",
};

static const struct db_stmt update_merge = {
    "registration_update_merge",
    "WITH changed AS ("
    " UPDATE registration.merge SET version = version + 1, state = $3, decided_at = $4,"
    "  decided_by = $5, decided_reason = $6 WHERE merge_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt insert_history = {
    "registration_insert_merge_history",
    "INSERT INTO registration.merge_history (merge_id, version, at, action, actor, actor_role,"
    "  reason) VALUES ($1, $2, $3, $4, $5, $6, $7)",
};

static const struct db_stmt expire_merges = {
    "registration_expire_merges",
    "UPDATE registration.merge SET version = version + 1, state = 'expired', decided_at = $1"
    " WHERE state = 'open' AND expires_at <= $1",
};

/* The numbers of those who were merged into him before go along. */
static const struct db_stmt move_numbers = {
    "registration_move_numbers",
    "WITH before AS (UPDATE registration.former_number SET doctor_id = $1 WHERE doctor_id = $2)"
    " INSERT INTO registration.former_number (closed_id, doctor_id, register_no, mamis_no,"
    "  merge_id, since) SELECT doctor_id, $1, register_no, mamis_no, $3, $4"
    " FROM registration.doctor WHERE doctor_id = $2",
};

/*
 * In this order: the number is free before the closed record takes it. The new one must not have
 * been taken meanwhile.
 */
static const struct db_stmt renumber = {
    "registration_renumber",
    "WITH old AS MATERIALIZED (SELECT * FROM registration.doctor WHERE doctor_id = $1"
    "  AND version = $3 AND NOT EXISTS (SELECT FROM registration.doctor WHERE register_no = $4)),"
    " renumbered AS (UPDATE registration.doctor d SET version = d.version + 1, register_no = $4,"
    "  licensed_on = coalesce($5, d.licensed_on), changed_at = $6 FROM old"
    "  WHERE d.doctor_id = old.doctor_id AND d.version = old.version RETURNING old.*),"
    " closed AS (INSERT INTO registration.doctor (doctor_id, register_no, licensed_on, name,"
    "   name_kana, former_name, former_name_kana, sex, birth_on, my_page, merged_into, changed_at)"
    "  OVERRIDING SYSTEM VALUE SELECT $2, register_no, licensed_on, name, name_kana, former_name,"
    "   former_name_kana, sex, birth_on, 'closed', doctor_id, $6 FROM renumbered RETURNING 1),"
    " kept AS (INSERT INTO registration.number_history (doctor_id, version, register_no,"
    "   licensed_on, until, merge_id)"
    "  SELECT doctor_id, version, register_no, licensed_on, $6, $7 FROM renumbered)"
    " SELECT mamis.changed(count(*)) FROM closed",
};

static const struct db_stmt point_doctors = {
    "registration_point_doctors",
    "UPDATE registration.doctor SET merged_into = $1 WHERE doctor_id = $2 OR merged_into = $2",
};

static const struct db_stmt move_memberships = {
    "registration_move_memberships",
    "SELECT registration.merge_memberships($1, $2, $3, $4)",
};

static const struct db_stmt move_procedures = {
    "registration_move_procedures",
    "UPDATE registration.procedure SET doctor_id = $1 WHERE doctor_id = $2",
};

static const struct db_stmt move_corrections = {
    "registration_move_corrections",
    "UPDATE registration.correction SET doctor_id = $1 WHERE doctor_id = $2",
};

void store_read_merge(struct registration *registration, struct arena *arena,
                      const struct merge_command *command, struct merge_read *read,
                      struct flow *flow)
{
    struct db_batch *batch = db_batch_new(arena);
    struct db_query *query = db_add(batch, !command->proposes        ? &select_merge
                                           : command->new_no.len > 0 ? &select_numbered
                                                                     : &select_pair);

    db_uuid(query, command->actor_id);
    db_time(query, clock_now_us());
    if (command->new_no.len > 0) {
        db_text(query, command->mamis_no);
        db_text(query, command->new_no);
        db_day(query, command->licensed_on);
    } else if (command->proposes) {
        db_text(query, command->keep_no);
        db_text(query, command->close_no);
    } else {
        db_uuid(query, command->merge_id);
    }
    read->merge = query;
    read->delegations = store_read_delegations(batch, command->merge_id);
    db_run(registration->db, batch, REGISTRATION_READ_MS, flow);
}

void store_merge(const struct merge_read *read, struct merge *ret_merge)
{
    const struct db_query *query = read->merge;
    struct merge merge = {0};
    struct merge_facts *facts = &merge.facts;

    if (db_rows(query) == 0) {
        facts->actor_active = true; /* it is not there, whoever asks */
    } else {
        merge.version = db_get_i64(query, 0, 0);
        merge.kept_id = db_get_i64(query, 0, 1);
        merge.closed_id = db_get_i64(query, 0, 2);
        merge.reason = db_get_text(query, 0, 3);
        merge.names = db_get_text(query, 0, 4);
        facts->found = true;
        merge.new_no = db_get_text(query, 0, 11);
        merge.licensed_on = db_get_day(query, 0, 12);
        facts->both_known = merge.kept_id != 0 && (merge.closed_id != 0 || merge.new_no.len > 0);
        facts->same = db_get_bool(query, 0, 13);
        facts->taken = db_get_bool(query, 0, 14);
        facts->actor_active = db_get_bool(query, 0, 5);
        facts->closed = db_get_bool(query, 0, 6);
        facts->proposed = db_get_bool(query, 0, 7);
        facts->open = db_get_bool(query, 0, 8);
        facts->own = db_get_bool(query, 0, 9);
        facts->conflicts = db_get_i64(query, 0, 10);
    }
    *ret_merge = merge;
}

static void add_history(struct db_batch *batch, const struct merge *merge,
                        const struct merge_command *command, int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_history);

    db_uuid(query, command->merge_id);
    db_i64(query, merge->version + 1);
    db_time(query, now_us);
    db_text_c(query, command->proposes ? "proposed" : merge_decision_state(command->decision));
    db_uuid(query, command->actor_id);
    db_text(query, command->actor_role);
    db_text(query, command->reason);
}

void store_save_merge(struct db_batch *batch, const struct merge *merge,
                      const struct merge_command *command, int64_t now_us)
{
    const int64_t open_us = (int64_t)MERGE_OPEN_DAYS * 24 * 3600 * CLOCK_SECOND_US;
    struct db_query *query;

    if (command->proposes) {
        store_expire_merges(batch, now_us); /* else they stand in the way of new ones */
        query = db_add(batch, merge->new_no.len > 0 ? &insert_numbered : &insert_merge);
        db_uuid(query, command->merge_id);
        db_i64(query, merge->kept_id);
        if (merge->new_no.len > 0) {
            db_text(query, merge->new_no);
            db_day(query, merge->licensed_on);
        } else {
            db_i64(query, merge->closed_id);
        }
        db_text(query, command->reason);
        db_time(query, now_us);
        db_uuid(query, command->actor_id);
        db_time(query, now_us + open_us);
    } else {
        query = db_add(batch, &update_merge);
        db_uuid(query, command->merge_id);
        db_i64(query, merge->version);
        db_text_c(query, merge_decision_state(command->decision));
        db_time(query, now_us);
        db_uuid(query, command->actor_id);
        db_text(query, command->reason);
    }
    add_history(batch, merge, command, now_us);
}

static struct db_query *add_move(struct db_batch *batch, const struct db_stmt *stmt,
                                 const struct merge *merge)
{
    struct db_query *query = db_add(batch, stmt);

    db_i64(query, merge->kept_id);
    db_i64(query, merge->closed_id);
    return query;
}

static void move_all_numbers(struct db_batch *batch, const struct merge *merge,
                             const struct merge_command *command, int64_t now_us)
{
    struct db_query *query = add_move(batch, &move_numbers, merge);

    db_uuid(query, command->merge_id);
    db_time(query, now_us);
}

void store_renumber(struct db_batch *batch, const struct merge *merge,
                    const struct merge_command *command, int64_t version, int64_t now_us)
{
    struct db_query *query = add_move(batch, &renumber, merge);

    db_i64(query, version);
    db_text(query, merge->new_no);
    db_day(query, merge->licensed_on);
    db_time(query, now_us);
    db_uuid(query, command->merge_id);
    move_all_numbers(batch, merge, command, now_us);
}

void store_move(struct db_batch *batch, const struct merge *merge,
                const struct merge_command *command, int64_t now_us)
{
    struct db_query *query;

    move_all_numbers(batch, merge, command, now_us);
    (void)add_move(batch, &point_doctors, merge);
    query = add_move(batch, &move_memberships, merge);
    db_uuid(query, command->merge_id);
    db_day(query, day_of_us(now_us));
    (void)add_move(batch, &move_procedures, merge);
    (void)add_move(batch, &move_corrections, merge);
}

void store_expire_merges(struct db_batch *batch, int64_t now_us)
{
    db_time(db_add(batch, &expire_merges), now_us);
}
