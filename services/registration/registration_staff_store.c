/* registration_staff_store: SQL of accounts of staff. */
#include "registration/registration.h"

static const struct db_stmt insert_account = {
    "registration_insert_staff_account",
    "INSERT INTO registration.account (account_id, role, name, pending_email, state, "
    "organiser_code,"
    " l1_code, l2_code, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
};
static const struct db_stmt insert_staff = {
    "registration_insert_staff",
    "INSERT INTO registration.staff (account_id, login_id, administrator, unused_days, made_by,"
    " made_at) VALUES ($1, $2, $3, $4, $5, $6)",
};
static const struct db_stmt insert_history = {
    "registration_insert_staff_history",
    "SELECT registration.note_change($1, 1, $2, 'staff_create')",
};
static const struct db_stmt select_staff = {
    "registration_select_staff",
    "SELECT expired FROM registration.staff WHERE account_id = $1",
};
static const struct db_stmt update_staff = {
    "registration_update_staff",
    "UPDATE registration.staff SET expired = $2, reason = $3 WHERE account_id = $1",
};

void store_add_staff(struct db_batch *batch, const struct record *record,
                     const struct staff_row *row, int64_t now_us)
{
    const struct person *person = &record->person;
    struct db_query *query = db_add(batch, &insert_account);

    db_uuid(query, record->account_id);
    db_text(query, person->role);
    db_text(query, person->account_name);
    db_text(query, person->pending_email);
    db_text(query, person->state);
    db_text(query, record->organiser_code);
    db_text(query, record->l1_code);
    db_text(query, record->l2_code);
    db_time(query, now_us);
    query = db_add(batch, &insert_staff);
    db_uuid(query, record->account_id);
    db_text(query, row->login_id);
    db_bool(query, row->administrator);
    db_i32(query, row->unused_days);
    db_uuid(query, row->made_by);
    db_time(query, now_us);
    query = db_add(batch, &insert_history);
    db_uuid(query, record->account_id);
    db_time(query, now_us);
}

void store_read_staff(struct registration *registration, struct arena *arena,
                      struct uuid account_id, struct store_staff *staff, struct flow *flow)
{
    struct db_batch *batch = db_batch_new(arena);

    staff->query = db_add(batch, &select_staff);
    db_uuid(staff->query, account_id);
    db_run(registration->db, batch, REGISTRATION_READ_MS, flow);
}

bool store_staff_found(const struct store_staff *staff, bool *ret_expired)
{
    if (db_rows(staff->query) == 0)
        return false;
    *ret_expired = db_get_bool(staff->query, 0, 0);
    return true;
}

void store_save_staff(struct db_batch *batch, struct uuid account_id, bool expired,
                      struct str reason)
{
    struct db_query *query = db_add(batch, &update_staff);

    db_uuid(query, account_id);
    db_bool(query, expired);
    db_text(query, reason);
}
