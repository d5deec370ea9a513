/* registration_correction_store: all SQL about requests for correction. */
#include "registration/registration_correction.h"

/* Columns of both: state, version, doctor's account, id, name, prefecture, actor fits and is
 * active, requests that wait. */
static const struct db_stmt select_asker = {
    "registration_select_asker",
    "SELECT '', 0::int8, a.account_id, d.doctor_id, d.name, d.l2_code, true,"
    "  a.state = 'active' AND a.step = '',"
    "  (SELECT count(*) FROM registration.correction c"
    "   WHERE c.doctor_id = d.doctor_id AND c.state = 'open')"
    " FROM registration.account a JOIN registration.doctor d USING (doctor_id)"
    " WHERE a.account_id = $1",
};

static const struct db_stmt select_correction = {
    "registration_select_correction",
    "SELECT c.state, c.version, a.account_id, d.doctor_id, d.name, c.l2_code,"
    "  $3::text = 'office_l3' OR ($3 = 'office_l2' AND $4::text <> '' AND c.l2_code = $4),"
    "  EXISTS (SELECT FROM registration.account o WHERE o.account_id = $2 AND o.state = 'active'"
    "   AND o.role = $3), 0::int8"
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
    "  answered_at = $5, answered_by = $6, answered_role = $7"
    " WHERE correction_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

void store_read_correction(struct registration *registration, struct arena *arena,
                           const struct correction_command *command, struct correction_read *read,
                           struct flow *flow)
{
    read->batch = db_batch_new(arena);
    if (command->answers) {
        read->query = db_add(read->batch, &select_correction);
        db_uuid(read->query, command->correction_id);
        db_uuid(read->query, command->account_id);
        db_text(read->query, command->role);
        db_text(read->query, command->l2_code);
    } else {
        read->query = db_add(read->batch, &select_asker);
        db_uuid(read->query, command->account_id);
    }
    db_run(registration->db, read->batch, REGISTRATION_READ_MS, flow);
}

void store_correction(const struct correction_read *read, struct correction *ret_correction)
{
    const struct db_query *query = read->query;
    struct correction found = {.facts = {.state = CORRECTION_NONE}};

    if (db_rows(query) > 0) {
        found.facts.state = correction_state_of(db_get_text(query, 0, 0));
        found.version = db_get_i64(query, 0, 1);
        found.doctor_account = db_get_uuid(query, 0, 2);
        found.doctor_id = db_get_i64(query, 0, 3);
        found.doctor_name = db_get_text(query, 0, 4);
        found.l2_code = db_get_text(query, 0, 5);
        found.facts.actor_fits = db_get_bool(query, 0, 6);
        found.facts.actor_active = db_get_bool(query, 0, 7);
        found.facts.open = db_get_i64(query, 0, 8);
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
}
