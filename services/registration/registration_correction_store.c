/* registration_correction_store: all SQL about requests for correction. */
#include "registration/registration_correction.h"

/* Columns of both: doctor, state, version, doctor's account, name, prefecture, actor fits and is
 * active, requests that wait, field, dates of birth and of registration as they are. */
static const struct db_stmt select_asker = {
    "registration_select_asker",
    "SELECT d.doctor_id, '', 0::int8, a.account_id, d.name, d.l2_code, true,"
    "  a.state = 'active' AND a.step = '',"
    "  (SELECT count(*) FROM registration.correction c"
    "   WHERE c.doctor_id = d.doctor_id AND c.state = 'open'), '', '', ''"
    " FROM registration.account a JOIN registration.doctor d USING (doctor_id)"
    " WHERE a.account_id = $1",
};

static const struct db_stmt select_correction = {
    "registration_select_correction",
    "SELECT d.doctor_id, c.state, c.version, a.account_id, d.name, c.l2_code,"
    "  $3::text = 'office_l3' OR ($3 = 'office_l2' AND $4::text <> '' AND c.l2_code = $4),"
    "  EXISTS (SELECT FROM registration.account o WHERE o.account_id = $2 AND o.state = 'active'"
    "   AND o.role = $3), 0::int8, c.field, coalesce(d.birth_on::text, ''),"
    "  coalesce(d.licensed_on::text, '')"
    " FROM registration.correction c JOIN registration.doctor d USING (doctor_id)"
    " JOIN registration.account a USING (doctor_id) WHERE c.correction_id = $1",
};

static const struct db_stmt insert_correction = {
    "registration_insert_correction",
    "INSERT INTO registration.correction"
    " (correction_id, doctor_id, l2_code, field, text, state, asked_at)"
    " VALUES ($1, $2, $3, $4, $5, 'open', $6)",
};

static const struct db_stmt update_correction = {
    "registration_update_correction",
    "WITH changed AS ("
    " UPDATE registration.correction SET version = version + 1, state = $3, answer = $4,"
    "  answered_at = $5, answered_by = $6, answered_role = $7, corrected = $8, before = $9"
    " WHERE correction_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt correct_days = {
    "registration_correct_days",
    "UPDATE registration.doctor SET birth_on = coalesce($2, birth_on),"
    "  licensed_on = coalesce($3, licensed_on) WHERE doctor_id = $1",
};

void store_read_asker(struct registration *registration, struct arena *arena,
                      const struct correction_command *command, struct correction_read *read,
                      struct flow *flow)
{
    read->batch = db_batch_new(arena);
    read->query = db_add(read->batch, &select_asker);
    db_uuid(read->query, command->account_id);
    db_run(registration->db, read->batch, REGISTRATION_READ_MS, flow);
}

struct db_query *store_find_correction(struct db_batch *batch,
                                       const struct correction_command *command)
{
    struct db_query *query = db_add(batch, &select_correction);

    db_uuid(query, command->correction_id);
    db_uuid(query, command->account_id);
    db_text(query, command->role);
    db_text(query, command->l2_code);
    return query;
}

void store_correct_days(struct db_batch *batch, int64_t doctor_id, day_t birth_on,
                        day_t licensed_on)
{
    struct db_query *query = db_add(batch, &correct_days);

    db_i64(query, doctor_id);
    db_day(query, birth_on);
    db_day(query, licensed_on);
}

void store_correction(const struct db_query *query, struct correction *ret_correction)
{
    struct correction found = {.facts = {.state = CORRECTION_NONE}};

    if (db_rows(query) > 0) {
        found.doctor_id = db_get_i64(query, 0, 0);
        found.facts.state = correction_state_of(db_get_text(query, 0, 1));
        found.version = db_get_i64(query, 0, 2);
        found.doctor_account = db_get_uuid(query, 0, 3);
        found.doctor_name = db_get_text(query, 0, 4);
        found.l2_code = db_get_text(query, 0, 5);
        found.facts.actor_fits = db_get_bool(query, 0, 6);
        found.facts.actor_active = db_get_bool(query, 0, 7);
        found.facts.open = db_get_i64(query, 0, 8);
        found.field = db_get_text(query, 0, 9);
        found.birth_on = db_get_text(query, 0, 10);
        found.licensed_on = db_get_text(query, 0, 11);
    }
    *ret_correction = found;
}

void store_save_correction(struct db_batch *batch, const struct correction *correction,
                           const struct correction_command *command, int64_t now_us)
{
    struct db_query *query =
        db_add(batch, command->answers ? &update_correction : &insert_correction);

    db_uuid(query, command->correction_id);
    if (!command->answers) {
        db_i64(query, correction->doctor_id);
        db_text(query, correction->l2_code);
        db_text(query, command->field);
        db_text(query, command->text);
        db_time(query, now_us);
        return;
    }
    db_i64(query, correction->version);
    db_text_c(query, correction_state_name(command->outcome));
    db_text(query, command->text);
    db_time(query, now_us);
    db_uuid(query, command->account_id);
    db_text(query, command->role);
    db_json(query, correction->corrected);
    db_json(query, correction->before);
}
