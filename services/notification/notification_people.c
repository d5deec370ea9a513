/* notification_people: names and addresses, from state events; only a newer version is applied. */
#include "gen/events.h"
#include "notification/notification.h"

static const struct db_stmt upsert_account = {
    "notification_upsert_account",
    "INSERT INTO notification.account (account_id, version, role, state, name, email, "
    "email_confirmed,"
    "                                  doctor_id, organiser_code, l1_code, l2_code)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
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

static void text_or_null(struct db_query *query, struct str text)
{
    if (text.len == 0)
        db_null(query);
    else
        db_text(query, text);
}

static void add_account(struct db_batch *effect, const struct event_account_state *event)
{
    struct db_query *query = db_add(effect, &upsert_account);

    db_uuid(query, event->account_id);
    db_i64(query, event->version);
    db_text(query, event->role);
    db_text(query, event->state);
    db_text(query, event->name);
    text_or_null(query, event->email);
    db_bool(query, event->email_confirmed);
    if (event->doctor_id > 0)
        db_i64(query, event->doctor_id);
    else
        db_null(query);
    text_or_null(query, event->organiser_code);
    text_or_null(query, event->l1_code);
    text_or_null(query, event->l2_code);
}

void notification_account_handle(void *service, struct work_batch *batch)
{
    enum err err = ERR_OK;

    (void)service;
    for (size_t i = 0; i < batch->count && err == ERR_OK; i++) {
        struct event_account_state event;

        err = event_account_state_decode(batch->arena, batch->messages[i].data, &event,
                                         &batch->flow->note);
        if (err == ERR_OK)
            add_account(batch->effect, &event);
    }
    flow_resume(batch->flow, err);
}

void notification_doctor_handle(void *service, struct work_batch *batch)
{
    int64_t *ids = arena_array(batch->arena, int64_t, batch->count);
    int64_t *versions = arena_array(batch->arena, int64_t, batch->count);
    struct str *names = arena_array(batch->arena, struct str, batch->count);
    struct str *emails = arena_array(batch->arena, struct str, batch->count);
    struct db_query *query;

    (void)service;
    for (size_t i = 0; i < batch->count; i++) {
        struct event_doctor_state event;
        enum err err = event_doctor_state_decode(batch->arena, batch->messages[i].data, &event,
                                                 &batch->flow->note);

        if (err != ERR_OK) {
            flow_resume(batch->flow, err);
            return;
        }
        ids[i] = event.doctor_id;
        versions[i] = event.version;
        names[i] = event.name;
        emails[i] = event.email.len > 0 ? event.email : STR_NONE;
    }
    query = db_add(batch->effect, &upsert_doctors);
    db_i64_array(query, ids, batch->count);
    db_i64_array(query, versions, batch->count);
    db_text_array(query, names, batch->count);
    db_text_array(query, emails, batch->count);
    flow_resume(batch->flow, ERR_OK);
}
