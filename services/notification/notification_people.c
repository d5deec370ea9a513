/* notification_people: names and addresses, from state events; only a newer version is applied. */
#include "gen/events.h"
#include "notification/notification.h"

static const struct db_stmt upsert_accounts = {
    "notification_upsert_accounts",
    "INSERT INTO notification.account (account_id, version, role, state, name, email,"
    " email_confirmed, doctor_id, organiser_code, l1_code, l2_code)"
    " SELECT DISTINCT ON (account_id) account_id, version, role, state, name, email,"
    " confirmed = 1, doctor_id, organiser_code, l1_code, l2_code"
    " FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],"
    " $7::smallint[], $8::bigint[], $9::text[], $10::text[], $11::text[]) AS n (account_id,"
    " version, role, state, name, email, confirmed, doctor_id, organiser_code, l1_code, l2_code)"
    " ORDER BY account_id, version DESC"
    " ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, role = excluded.role,"
    "  state = excluded.state, name = excluded.name, email = excluded.email,"
    "  email_confirmed = excluded.email_confirmed, doctor_id = excluded.doctor_id,"
    "  organiser_code = excluded.organiser_code, l1_code = excluded.l1_code,"
    "  l2_code = excluded.l2_code"
    " WHERE account.version < excluded.version",
};

static const struct db_stmt upsert_doctors = {
    "notification_upsert_doctors",
    "INSERT INTO notification.doctor (doctor_id, version, name, email)"
    " SELECT DISTINCT ON (doctor_id) * FROM unnest($1::bigint[], $2::bigint[], $3::text[], "
    "$4::text[])"
    "  AS n (doctor_id, version, name, email) ORDER BY doctor_id, version DESC"
    " ON CONFLICT (doctor_id) DO UPDATE SET version = excluded.version, name = excluded.name,"
    "  email = excluded.email"
    " WHERE doctor.version < excluded.version",
};

/* The columns of a batch of accounts. */
struct accounts {
    struct uuid *ids;
    int64_t *versions, *doctors;
    int16_t *confirmed;
    struct str *roles, *states, *names, *emails, *organisers, *l1_codes, *l2_codes;
};

static struct accounts accounts_new(struct arena *arena, size_t count)
{
    return (struct accounts){
        .ids = arena_array(arena, struct uuid, count),
        .versions = arena_array(arena, int64_t, count),
        .doctors = arena_array(arena, int64_t, count),
        .confirmed = arena_array(arena, int16_t, count),
        .roles = arena_array(arena, struct str, count),
        .states = arena_array(arena, struct str, count),
        .names = arena_array(arena, struct str, count),
        .emails = arena_array(arena, struct str, count),
        .organisers = arena_array(arena, struct str, count),
        .l1_codes = arena_array(arena, struct str, count),
        .l2_codes = arena_array(arena, struct str, count),
    };
}

static struct str or_null(struct str text)
{
    return text.len > 0 ? text : STR_NONE;
}

static void put_account(struct accounts *accounts, size_t at,
                        const struct event_account_state *event)
{
    accounts->ids[at] = event->account_id;
    accounts->versions[at] = event->version;
    accounts->roles[at] = event->role;
    accounts->states[at] = event->state;
    accounts->names[at] = event->name;
    accounts->emails[at] = or_null(event->email);
    accounts->confirmed[at] = event->email_confirmed;
    accounts->doctors[at] = event->doctor_id > 0 ? event->doctor_id : INT64_MIN;
    accounts->organisers[at] = or_null(event->organiser_code);
    accounts->l1_codes[at] = or_null(event->l1_code);
    accounts->l2_codes[at] = or_null(event->l2_code);
}

static void add_accounts(struct db_batch *effect, const struct accounts *accounts, size_t count)
{
    struct db_query *query = db_add(effect, &upsert_accounts);

    db_uuid_array(query, accounts->ids, count);
    db_i64_array(query, accounts->versions, count);
    db_text_array(query, accounts->roles, count);
    db_text_array(query, accounts->states, count);
    db_text_array(query, accounts->names, count);
    db_text_array(query, accounts->emails, count);
    db_i16_array(query, accounts->confirmed, count);
    db_i64_null_array(query, accounts->doctors, count);
    db_text_array(query, accounts->organisers, count);
    db_text_array(query, accounts->l1_codes, count);
    db_text_array(query, accounts->l2_codes, count);
}

void notification_account_handle(void *service, struct work_batch *batch)
{
    struct work_states states;
    struct event_account_state event;
    struct accounts accounts;
    enum err err;

    (void)service;
    TRY(work_states(batch, &states, &batch->flow->note));
    accounts = accounts_new(batch->arena, states.count);
    for (size_t i = 0; i < states.count; i++) {
        TRY(event_account_state_decode(batch->arena, states.list[i], &event, &batch->flow->note));
        put_account(&accounts, i, &event);
    }
    add_accounts(batch->effect, &accounts, states.count);
cleanup:
    flow_resume(batch->flow, err);
}

void notification_doctor_handle(void *service, struct work_batch *batch)
{
    struct work_states states;
    struct event_doctor_state event;
    int64_t *ids, *versions;
    struct str *names, *emails;
    struct db_query *query;
    enum err err;

    (void)service;
    TRY(work_states(batch, &states, &batch->flow->note));
    ids = arena_array(batch->arena, int64_t, states.count);
    versions = arena_array(batch->arena, int64_t, states.count);
    names = arena_array(batch->arena, struct str, states.count);
    emails = arena_array(batch->arena, struct str, states.count);
    for (size_t i = 0; i < states.count; i++) {
        TRY(event_doctor_state_decode(batch->arena, states.list[i], &event, &batch->flow->note));
        ids[i] = event.doctor_id;
        versions[i] = event.version;
        names[i] = event.name;
        emails[i] = or_null(event.email);
    }
    query = db_add(batch->effect, &upsert_doctors);
    db_i64_array(query, ids, states.count);
    db_i64_array(query, versions, states.count);
    db_text_array(query, names, states.count);
    db_text_array(query, emails, states.count);
cleanup:
    flow_resume(batch->flow, err);
}
