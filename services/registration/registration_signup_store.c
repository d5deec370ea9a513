/* registration_signup_store: SQL of sign-ups. */
#include "gen/events.h"
#include "registration/registration.h"

static const struct db_stmt insert_signup = {
    "registration_insert_signup",
    "INSERT INTO registration.signup (signup_id, status, name, name_kana, sex, birth_on,"
    " register_no, licensed_on, email, submitted_at)"
    " VALUES ($1, 'review', $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
};

static const struct db_stmt select_signup = {
    "registration_select_signup",
    "SELECT s.status, s.name, s.name_kana, s.sex, s.birth_on, s.register_no, s.licensed_on,"
    "  s.email, coalesce(d.doctor_id, 0), coalesce(d.version, 0), d.birth_on, coalesce(d.l1_code, "
    "''),"
    "  coalesce(d.l2_code, ''), coalesce(d.l3_category, ''), coalesce(d.mamis_no, ''),"
    "  coalesce(d.former_name, ''), coalesce(d.former_name_kana, ''),"
    "  EXISTS (SELECT FROM registration.account a WHERE a.doctor_id = d.doctor_id),"
    "  coalesce(d.my_page = 'closed', false), coalesce(d.name, ''), coalesce(d.name_kana, '')"
    " FROM registration.signup s LEFT JOIN registration.doctor d USING (register_no)"
    " WHERE s.signup_id = $1",
};

/* Of a doctor who is not there yet; a number that is not used does no harm. */
static const struct db_stmt select_doctor_id = {
    "registration_select_doctor_id",
    "SELECT nextval('registration.doctor_doctor_id_seq')",
};

static const struct db_stmt update_signup = {
    "registration_update_signup",
    "WITH decided AS (UPDATE registration.signup SET status = $2, decided_at = $3,"
    "  decided_by = $4, decided_role = $5, reason = $6"
    "  WHERE signup_id = $1 AND status = 'review' RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM decided",
};

/* A doctor who was known keeps what was on record of associations. */
static const struct db_stmt upsert_doctor = {
    "registration_signup_doctor",
    "WITH put AS (INSERT INTO registration.doctor AS d (doctor_id, version, register_no,"
    "   licensed_on, name, name_kana, former_name, former_name_kana, sex, birth_on, email, my_page,"
    "   changed_at) OVERRIDING SYSTEM VALUE"
    "  VALUES ($1, 1, $2, $3, $4, $5, $11, $12, $6, $7, $8, 'temp_issued', $9)"
    "  ON CONFLICT (register_no) DO UPDATE SET version = d.version + 1,"
    "   licensed_on = excluded.licensed_on, name = excluded.name, name_kana = excluded.name_kana,"
    "   former_name = excluded.former_name, former_name_kana = excluded.former_name_kana,"
    "   sex = excluded.sex, birth_on = excluded.birth_on, email = excluded.email,"
    "   my_page = excluded.my_page, changed_at = excluded.changed_at"
    "  WHERE d.doctor_id = $1 AND d.version = $10 - 1 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM put",
};

/* The address is the applicant's own, or one that who accepted lets them share (R-ACC-18). */
static const struct db_stmt insert_account = {
    "registration_signup_account",
    "INSERT INTO registration.account (account_id, role, doctor_id, name, email, email_confirmed,"
    " shared_email, state, step, changed_at)"
    " VALUES ($1, 'doctor', $2, $3, $4, true, $4, 'temp_issued', 'terms', $5)",
};

/* A few at a time; the copies of their licences are gone by then. */
static const struct db_stmt forget_refused = {
    "registration_forget_refused",
    "SELECT registration.forget_refused($1 - interval '90 days', 100)",
};

void store_add_signup(struct db_batch *batch, const struct event_signup_submit *event,
                      int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_signup);

    db_uuid(query, event->signup_id);
    db_text(query, event->name);
    db_text(query, event->name_kana);
    db_text(query, event->sex);
    db_day(query, event->birth_on);
    db_text(query, event->register_no);
    db_day(query, event->licensed_on);
    db_text(query, event->email);
    db_time(query, now_us);
}

void store_read_signup(struct registration *registration, struct arena *arena,
                       struct uuid signup_id, struct signup_read *read, struct flow *flow)
{
    struct db_batch *batch = db_batch_new(arena);

    read->signup = db_add(batch, &select_signup);
    db_uuid(read->signup, signup_id);
    read->doctor_id = db_add(batch, &select_doctor_id);
    db_run(registration->db, batch, REGISTRATION_READ_MS, flow);
}

bool store_signup(struct signup_read *read)
{
    const struct db_query *query = read->signup;
    struct signup_record *record = &read->record;
    int64_t doctor_id;

    if (db_rows(query) == 0)
        return false;
    doctor_id = db_get_i64(query, 0, 8);
    *record = (struct signup_record){
        .status = db_get_text(query, 0, 0),
        .name = db_get_text(query, 0, 1),
        .name_kana = db_get_text(query, 0, 2),
        .sex = db_get_text(query, 0, 3),
        .birth_on = db_get_day(query, 0, 4),
        .register_no = db_get_text(query, 0, 5),
        .licensed_on = db_get_day(query, 0, 6),
        .email = db_get_text(query, 0, 7),
        .known = doctor_id > 0,
        .doctor_id = doctor_id > 0 ? doctor_id : db_get_i64(read->doctor_id, 0, 0),
        .doctor_version = db_get_i64(query, 0, 9),
        .known_birth_on = db_get_day(query, 0, 10),
        .l1_code = db_get_text(query, 0, 11),
        .l2_code = db_get_text(query, 0, 12),
        .l3_category = db_get_text(query, 0, 13),
        .mamis_no = db_get_text(query, 0, 14),
        .former_name = db_get_text(query, 0, 15),
        .former_name_kana = db_get_text(query, 0, 16),
        .has_account = db_get_bool(query, 0, 17),
        .closed = db_get_bool(query, 0, 18),
        .known_name = db_get_text(query, 0, 19),
        .known_name_kana = db_get_text(query, 0, 20),
    };
    return true;
}

void store_decide_signup(struct db_batch *batch, const struct event_signup_decide *event,
                         const char *status, int64_t now_us)
{
    struct db_query *query = db_add(batch, &update_signup);

    db_uuid(query, event->signup_id);
    db_text_c(query, status);
    db_time(query, now_us);
    db_uuid(query, event->actor_id);
    db_text(query, event->actor_role);
    db_text(query, event->reason);
}

void store_forget_refused(struct db_batch *batch, int64_t now_us)
{
    db_time(db_add(batch, &forget_refused), now_us);
}

void store_accept_signup(struct db_batch *batch, const struct signup_record *found,
                         const struct record *record, const struct desk *desk, int64_t now_us)
{
    struct db_query *query;

    store_lock_email(batch, found->email); /* who confirms it in this moment hears of it */
    query = db_add(batch, &upsert_doctor);
    db_i64(query, found->doctor_id);
    db_text(query, found->register_no);
    db_day(query, found->licensed_on);
    db_text(query, found->name);
    db_text(query, found->name_kana);
    db_text(query, found->sex);
    db_day(query, found->birth_on);
    db_text(query, found->email);
    db_time(query, now_us);
    db_i64(query, record->doctor_version);
    db_text(query, record->person.profile.former_name);
    db_text(query, record->person.profile.former_name_kana);
    query = db_add(batch, &insert_account);
    db_uuid(query, record->account_id);
    db_i64(query, found->doctor_id);
    db_text(query, found->name);
    db_text(query, found->email);
    db_time(query, now_us);
    store_add_history(batch, record->account_id, 1, "signup_accepted", desk, now_us);
}
