/* registration_reissue_store: all SQL about requests for new temporary credentials. */
#include "registration/registration_reissue.h"

/* Columns of both: found, actor is active, needed, open, doctor, account, version, prefecture. */
static const struct db_stmt select_doctor = {
    "registration_select_reissue_doctor",
    "SELECT d.doctor_id IS NOT NULL, EXISTS (SELECT FROM registration.account o"
    "   WHERE o.account_id = $1 AND o.state = 'active' AND o.role = $2),"
    "  coalesce(d.my_page = 'temp_issued' AND a.step <> ''"
    "   AND a.state IN ('temp_issued', 'suspended'), false),"
    "  EXISTS (SELECT FROM registration.reissue r WHERE r.account_id = a.account_id"
    "   AND r.state = 'open'), coalesce(d.doctor_id, 0), a.account_id, 0::int8, $3::text"
    " FROM (VALUES (1)) AS one LEFT JOIN registration.doctor d ON d.register_no = ltrim($4, '0')"
    "  AND (d.birth_on = $5 OR d.birth_on IS NULL) AND d.l2_code = $3"
    " LEFT JOIN registration.account a ON a.doctor_id = d.doctor_id",
};

static const struct db_stmt select_reissue = {
    "registration_select_reissue",
    "SELECT r.reissue_id IS NOT NULL, EXISTS (SELECT FROM registration.account o"
    "   WHERE o.account_id = $1 AND o.state = 'active' AND o.role = $2), true,"
    "  coalesce(r.state = 'open', false), coalesce(r.doctor_id, 0), r.account_id,"
    "  coalesce(r.version, 0), r.l2_code"
    " FROM (VALUES (1)) AS one LEFT JOIN registration.reissue r ON r.reissue_id = $3",
};

static const struct db_stmt insert_reissue = {
    "registration_insert_reissue",
    "INSERT INTO registration.reissue (reissue_id, doctor_id, account_id, l2_code, reason, state,"
    "  asked_at, asked_by) VALUES ($1, $2, $3, $4, $5, 'open', $6, $7)",
};

static const struct db_stmt update_reissue = {
    "registration_update_reissue",
    "WITH changed AS (UPDATE registration.reissue SET version = version + 1, state = $3,"
    "  answer = $4, answered_at = $5, answered_by = $6, answered_role = $7"
    " WHERE reissue_id = $1 AND version = $2 AND state = 'open' RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

void store_read_reissue(struct registration *registration, struct arena *arena,
                        const struct reissue_command *command, struct reissue_read *read,
                        struct flow *flow)
{
    read->batch = db_batch_new(arena);
    read->query = db_add(read->batch, command->asks ? &select_doctor : &select_reissue);
    db_uuid(read->query, command->account_id);
    db_text(read->query, command->role);
    if (command->asks) {
        db_text(read->query, command->l2_code);
        db_text(read->query, command->register_no);
        db_day(read->query, command->birth_on);
    } else {
        db_uuid(read->query, command->reissue_id);
    }
    db_run(registration->db, read->batch, REGISTRATION_READ_MS, flow);
}

void store_reissue(struct reissue_read *read)
{
    const struct db_query *query = read->query;

    read->facts = (struct reissue_facts){
        .found = db_get_bool(query, 0, 0),
        .actor_active = db_get_bool(query, 0, 1),
        .needed = db_get_bool(query, 0, 2),
        .open = db_get_bool(query, 0, 3),
    };
    read->doctor_id = db_get_i64(query, 0, 4);
    if (!db_is_null(query, 0, 5))
        read->account_id = db_get_uuid(query, 0, 5);
    read->version = db_get_i64(query, 0, 6);
    read->l2_code = db_get_text(query, 0, 7);
}

void store_ask_reissue(struct db_batch *batch, const struct reissue_command *command,
                       const struct reissue_read *read, int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_reissue);

    db_uuid(query, command->reissue_id);
    db_i64(query, read->doctor_id);
    db_uuid(query, read->account_id);
    db_text(query, command->l2_code);
    db_text(query, command->reason);
    db_time(query, now_us);
    db_uuid(query, command->account_id);
}

void store_answer_reissue(struct db_batch *batch, const struct reissue_answer *answer,
                          int64_t now_us)
{
    struct db_query *query = db_add(batch, &update_reissue);

    db_uuid(query, answer->reissue_id);
    db_i64(query, answer->version);
    db_text_c(query, answer->state);
    db_text(query, answer->reason);
    db_time(query, now_us);
    db_uuid(query, answer->actor_id);
    db_text(query, answer->role);
}
