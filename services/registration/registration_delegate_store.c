/* registration_delegate_store: all SQL about delegations. */
#include "registration/registration_delegate.h"

/*
 * Of an invitation: its doctor, and the delegation to the same person that was not ended. Columns
 * are those of select_delegation.
 */
static const struct db_stmt select_invitation = {
    "registration_select_invitation",
    "SELECT coalesce(n.state, ''), coalesce(n.version, 0), a.account_id, d.doctor_id, d.name,"
    "  a.state = 'active' AND a.step = '', coalesce(n.name, ''), coalesce(n.email, ''), false,"
    "  EXISTS (SELECT FROM registration.account o WHERE lower(o.email) = lower($3::text)"
    "   AND o.role <> 'delegate' AND o.state <> 'closed'),"
    "  (SELECT count(*) FROM registration.delegation s"
    "   WHERE s.doctor_id = d.doctor_id AND s.state <> 'revoked'),"
    "  false, $2::uuid"
    " FROM registration.account a JOIN registration.doctor d USING (doctor_id)"
    " LEFT JOIN registration.delegation n"
    "  ON n.doctor_id = d.doctor_id AND n.delegate_id = $2 AND n.state <> 'revoked'"
    " WHERE a.account_id = $1",
};

static const struct db_stmt select_delegation = {
    "registration_select_delegation",
    "SELECT n.state, n.version, a.account_id, d.doctor_id, d.name,"
    "  coalesce((SELECT w.state = 'active' FROM registration.account w"
    "   WHERE w.account_id = $2), true), n.name, n.email, n.accepted_at IS NOT NULL, false, "
    "0::int8,"
    "  EXISTS (SELECT FROM registration.account p WHERE p.account_id = n.delegate_id),"
    "  n.delegate_id"
    " FROM registration.delegation n JOIN registration.doctor d USING (doctor_id)"
    " JOIN registration.account a USING (doctor_id) WHERE n.delegation_id = $1",
};

/* Those of the doctor whom a merge closes that were not ended; columns as above, and the id. */
static const struct db_stmt select_standing = {
    "registration_select_standing",
    "SELECT n.state, n.version, a.account_id, d.doctor_id, d.name, true, n.name, n.email,"
    "  n.accepted_at IS NOT NULL, false, 0::int8, true, n.delegate_id, n.delegation_id"
    " FROM registration.merge m JOIN registration.doctor d ON d.doctor_id = m.closed_id"
    " JOIN registration.account a USING (doctor_id)"
    " JOIN registration.delegation n USING (doctor_id)"
    " WHERE m.merge_id = $1 AND n.state <> 'revoked' ORDER BY n.delegation_id",
};

static const struct db_stmt check_standing = {
    "registration_check_standing",
    "SELECT mamis.changed((count(*) = 0)::int) FROM registration.delegation"
    " WHERE doctor_id = $1 AND state <> 'revoked'",
};

static const struct db_stmt insert_delegation = {
    "registration_insert_delegation",
    "INSERT INTO registration.delegation"
    " (delegation_id, doctor_id, delegate_id, name, email, state, invited_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)",
};

static const struct db_stmt update_delegation = {
    "registration_update_delegation",
    "WITH changed AS ("
    " UPDATE registration.delegation SET version = version + 1, state = $3,"
    "  accepted_at = CASE WHEN $3 = 'active' THEN $4 ELSE accepted_at END,"
    "  ended_at = CASE WHEN $3 = 'revoked' THEN $4 ELSE ended_at END"
    " WHERE delegation_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt insert_history = {
    "registration_insert_delegation_history",
    "INSERT INTO registration.delegation_history (delegation_id, version, at, action, account_id)"
    " VALUES ($1, $2, $3, $4, $5)",
};

static const struct db_stmt insert_account = {
    "registration_insert_delegate",
    "INSERT INTO registration.account"
    " (account_id, role, name, email, email_confirmed, state, changed_at)"
    " VALUES ($1, $2, $3, $4, true, $5, $6)",
};

static const struct db_stmt note_account = {
    "registration_note_delegate",
    "SELECT registration.note_change($1, 1, $2, 'accept_delegation')",
};

void store_read_delegation(struct registration *registration, struct arena *arena,
                           const struct delegate_command *command, struct delegate_read *read,
                           struct flow *flow)
{
    read->batch = db_batch_new(arena);
    if (command->deed == DELEGATE_INVITE) {
        read->query = db_add(read->batch, &select_invitation);
        db_uuid(read->query, command->account_id);
        db_uuid(read->query, command->delegate_id);
        db_text(read->query, command->email);
    } else {
        read->query = db_add(read->batch, &select_delegation);
        db_uuid(read->query, command->delegation_id);
        db_uuid(read->query, command->account_id);
    }
    db_run(registration->db, read->batch, REGISTRATION_READ_MS, flow);
}

static void take(const struct db_query *query, size_t row, struct delegation *found)
{
    found->facts.state = delegation_state_of(db_get_text(query, row, 0));
    found->version = db_get_i64(query, row, 1);
    found->doctor_account = db_get_uuid(query, row, 2);
    found->doctor_id = db_get_i64(query, row, 3);
    found->doctor_name = db_get_text(query, row, 4);
    found->facts.actor_active = db_get_bool(query, row, 5);
    found->name = db_get_text(query, row, 6);
    found->email = db_get_text(query, row, 7);
    found->accepted = db_get_bool(query, row, 8);
    found->facts.address_taken = db_get_bool(query, row, 9);
    found->facts.standing = db_get_i64(query, row, 10);
    found->account_there = db_get_bool(query, row, 11);
    found->delegate_id = db_get_uuid(query, row, 12);
}

void store_delegation(const struct delegate_read *read, const struct delegate_command *command,
                      struct delegation *ret_delegation)
{
    const struct db_query *query = read->query;
    struct delegation found = {.delegation_id = command->delegation_id};
    struct uuid owner;

    if (db_rows(query) == 0) { /* nothing fits the actor */
        *ret_delegation = found;
        return;
    }
    take(query, 0, &found);
    owner = command->deed == DELEGATE_ACCEPT || command->deed == DELEGATE_RESIGN
                ? found.delegate_id
                : found.doctor_account;
    found.facts.actor_fits = uuid_eq(owner, command->account_id);
    if (command->deed == DELEGATE_INVITE) {
        found.name = command->name;
        found.email = command->email;
    }
    *ret_delegation = found;
}

void store_save_delegation(struct db_batch *batch, const struct delegation *delegation,
                           const struct delegate_command *command, enum delegation_state next,
                           int64_t now_us)
{
    struct db_query *query;

    if (command->deed == DELEGATE_INVITE) {
        query = db_add(batch, &insert_delegation);
        db_uuid(query, delegation->delegation_id);
        db_i64(query, delegation->doctor_id);
        db_uuid(query, delegation->delegate_id);
        db_text(query, delegation->name);
        db_text(query, delegation->email);
        db_text_c(query, delegation_state_name(next));
        db_time(query, now_us);
    } else {
        query = db_add(batch, &update_delegation);
        db_uuid(query, delegation->delegation_id);
        db_i64(query, delegation->version);
        db_text_c(query, delegation_state_name(next));
        db_time(query, now_us);
    }
    query = db_add(batch, &insert_history);
    db_uuid(query, delegation->delegation_id);
    db_i64(query, delegation->version + 1);
    db_time(query, now_us);
    db_text_c(query, delegate_deed_name(command->deed));
    db_uuid(query, command->account_id);
}

struct db_query *store_read_delegations(struct db_batch *batch, struct uuid merge_id)
{
    struct db_query *query = db_add(batch, &select_standing);

    db_uuid(query, merge_id);
    return query;
}

void store_standing(const struct db_query *query, size_t row, struct delegation *ret_delegation)
{
    *ret_delegation = (struct delegation){.delegation_id = db_get_uuid(query, row, 13)};
    take(query, row, ret_delegation);
    ret_delegation->facts.actor_fits = true; /* an officer, whose merge it is */
}

void store_check_delegations(struct db_batch *batch, int64_t doctor_id)
{
    db_i64(db_add(batch, &check_standing), doctor_id);
}

void store_add_delegate(struct db_batch *batch, const struct record *account, int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_account);

    db_uuid(query, account->account_id);
    db_text(query, account->person.role);
    db_text(query, account->person.account_name);
    db_text(query, account->person.email);
    db_text(query, account->person.state);
    db_time(query, now_us);
    query = db_add(batch, &note_account);
    db_uuid(query, account->account_id);
    db_time(query, now_us);
}
