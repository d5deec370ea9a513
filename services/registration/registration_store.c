/* registration_store: all SQL of registration. */
#include "domain/terms.h"
#include "registration/registration.h"

static const struct db_stmt select_person = {
    "registration_select_person",
    "SELECT a.version, a.role, coalesce(a.doctor_id, 0), a.name, a.email, a.email_confirmed,"
    "  a.pending_email, a.state, a.step, a.organiser_code, a.l1_code, a.l2_code, a.terms_version,"
    "  a.birth_tries, coalesce(d.version, 0), d.register_no, coalesce(d.mamis_no, ''), d.name,"
    "  d.name_kana, d.former_name, d.former_name_kana, d.sex, d.birth_on, d.email, d.l1_code,"
    "  d.l2_code, d.l3_category, d.my_page, d.workplace_name, d.workplace_postcode,"
    "  d.workplace_address, d.phone, a.step_at, a.shared_email,"
    "  EXISTS (SELECT FROM registration.certification c WHERE c.doctor_id = a.doctor_id),"
    "  coalesce(r.version, 0), r.reissue_id, r.l2_code, d.residence_prefecture,"
    "  d.residence_municipality"
    " FROM registration.account a LEFT JOIN registration.doctor d USING (doctor_id)"
    " LEFT JOIN registration.reissue r ON r.account_id = a.account_id AND r.state = 'open'"
    " WHERE a.account_id = $1",
};

static const struct db_stmt select_terms = {
    "registration_select_terms",
    "SELECT version FROM " TERMS_IN_FORCE("registration.terms", "$1") " AS terms",
};

/* Another doctor than $2 has confirmed the address $1. */
#define HELD_BY_ANOTHER                                                                            \
    "EXISTS (SELECT FROM registration.account WHERE lower(email) = lower($1::text)"                \
    " AND email <> '' AND email_confirmed AND role = 'doctor' AND account_id <> $2"                \
    " AND state <> 'closed')"

static const struct db_stmt select_shared = {
    "registration_select_shared",
    "SELECT " HELD_BY_ANOTHER ","
    " EXISTS (SELECT FROM registration.account WHERE account_id = $2"
    "  AND shared_email <> '' AND lower(shared_email) = lower($1::text))",
};

/* One after the other for each address: the next statement sees who came before. */
static const struct db_stmt lock_email = {
    "registration_lock_email",
    "SELECT pg_advisory_xact_lock(hashtextextended('address ' || lower($1::text), 0))",
};

static const struct db_stmt still_free_email = {
    "registration_still_free_email",
    "SELECT mamis.changed(count(*)) FROM (SELECT 1) AS one WHERE NOT " HELD_BY_ANOTHER,
};

static const struct db_stmt select_number = {
    "registration_select_number",
    "SELECT registration.new_mamis_no()",
};

static const struct db_stmt update_account = {
    "registration_update_account",
    "WITH changed AS ("
    " UPDATE registration.account SET version = version + 1, name = $3, email = $4,"
    "  email_confirmed = $5, pending_email = $6, state = $7, step = $8,"
    "  terms_agreed_at = CASE WHEN terms_version = $9 THEN terms_agreed_at ELSE $11 END,"
    "  terms_version = $9, birth_tries = $10, changed_at = $11, step_at = $12, shared_email = $13"
    " WHERE account_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt insert_history = {
    "registration_insert_history",
    "SELECT registration.note_change($1, $2, $3, $4, CASE WHEN $5::uuid IS NULL THEN '{}'"
    " ELSE jsonb_build_object('actor', $5, 'role', $6::text, 'reason', $7::text) END)",
};

static const struct db_stmt update_doctor = {
    "registration_update_doctor",
    "WITH changed AS ("
    " UPDATE registration.doctor SET version = version + 1, mamis_no = nullif($3, ''), name = $4,"
    "  name_kana = $5, former_name = $6, former_name_kana = $7, sex = $8, birth_on = $9,"
    "  email = $10, my_page = $11, workplace_name = $12, workplace_postcode = $13,"
    "  workplace_address = $14, phone = $15, my_page_at = coalesce($16, my_page_at),"
    "  changed_at = $17, residence_prefecture = $18, residence_municipality = $19, l2_code = $20"
    " WHERE doctor_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt insert_names = {
    "registration_insert_names",
    "INSERT INTO registration.name_history"
    " (doctor_id, version, name, name_kana, former_name, former_name_kana, until)"
    " SELECT doctor_id, version, name, name_kana, former_name, former_name_kana, $3"
    " FROM registration.doctor WHERE doctor_id = $1 AND version = $2",
};

void store_read(struct registration *registration, struct arena *arena, struct uuid account_id,
                struct str email, struct store_read *read, struct flow *flow)
{
    read->batch = db_batch_new(arena);
    read->person = db_add(read->batch, &select_person);
    db_uuid(read->person, account_id);
    read->terms = db_add(read->batch, &select_terms);
    db_day(read->terms, day_of_us(clock_now_us()));
    read->shared = db_add(read->batch, &select_shared);
    db_text(read->shared, email.data != NULL ? email : STR(""));
    db_uuid(read->shared, account_id);
    db_run(registration->db, read->batch, REGISTRATION_READ_MS, flow);
}

/* Columns of select_person from the doctor's register number on. */
static void read_doctor(const struct db_query *query, struct record *record)
{
    struct person *person = &record->person;
    struct profile *profile = &person->profile;

    record->register_no = db_get_text(query, 0, 15);
    person->mamis_no = db_get_text(query, 0, 16);
    profile->name = db_get_text(query, 0, 17);
    profile->name_kana = db_get_text(query, 0, 18);
    profile->former_name = db_get_text(query, 0, 19);
    profile->former_name_kana = db_get_text(query, 0, 20);
    profile->sex = db_get_text(query, 0, 21);
    profile->birth_on = db_get_day(query, 0, 22);
    person->doctor_email = db_get_text(query, 0, 23);
    record->doctor_l1_code = db_get_text(query, 0, 24);
    record->doctor_l2_code = db_get_text(query, 0, 25);
    record->l3_category = db_get_text(query, 0, 26);
    person->my_page = db_get_text(query, 0, 27);
    profile->workplace_name = db_get_text(query, 0, 28);
    profile->workplace_postcode = db_get_text(query, 0, 29);
    profile->workplace_address = db_get_text(query, 0, 30);
    profile->phone = db_get_text(query, 0, 31);
    profile->residence_prefecture = db_get_text(query, 0, 38);
    profile->residence_municipality = db_get_text(query, 0, 39);
    person->member = record->doctor_l1_code.len > 0;
    person->handling_l2 = record->doctor_l2_code;
}

bool store_record(const struct store_read *read, struct uuid account_id, struct record *ret_record)
{
    const struct db_query *query = read->person;
    struct record record = {.account_id = account_id};
    struct person *person = &record.person;

    if (db_rows(query) == 0)
        return false;
    record.version = db_get_i64(query, 0, 0);
    person->role = db_get_text(query, 0, 1);
    person->doctor_id = db_get_i64(query, 0, 2);
    person->account_name = db_get_text(query, 0, 3);
    person->email = db_get_text(query, 0, 4);
    person->email_confirmed = db_get_bool(query, 0, 5);
    person->pending_email = db_get_text(query, 0, 6);
    person->state = db_get_text(query, 0, 7);
    must(account_step_parse(db_get_text(query, 0, 8), &person->step));
    record.organiser_code = db_get_text(query, 0, 9);
    record.l1_code = db_get_text(query, 0, 10);
    record.l2_code = db_get_text(query, 0, 11);
    person->terms_version = db_get_text(query, 0, 12);
    person->birth_tries = db_get_i32(query, 0, 13);
    record.doctor_version = db_get_i64(query, 0, 14);
    if (person->doctor_id != 0)
        read_doctor(query, &record);
    person->terms_in_force = db_rows(read->terms) > 0 ? db_get_text(read->terms, 0, 0) : STR("");
    person->email_shared = db_get_bool(read->shared, 0, 0);
    person->shared_allowed = db_get_bool(read->shared, 0, 1);
    person->step_at_us = db_get_time(query, 0, 32);
    person->shared_email = db_get_text(query, 0, 33);
    person->has_certification = db_get_bool(query, 0, 34);
    record.reissue_version = db_get_i64(query, 0, 35);
    if (record.reissue_version > 0) {
        record.reissue_id = db_get_uuid(query, 0, 36);
        record.reissue_l2 = db_get_text(query, 0, 37);
    }
    person->now_us = clock_now_us();
    person->today = day_of_us(person->now_us);
    *ret_record = record;
    return true;
}

void store_issue_number(struct registration *registration, struct arena *arena,
                        struct store_number *number, struct flow *flow)
{
    struct db_batch *batch = db_batch_new(arena);

    number->query = db_add(batch, &select_number);
    db_run(registration->db, batch, REGISTRATION_READ_MS, flow);
}

struct str store_number(const struct store_number *number)
{
    return db_get_text(number->query, 0, 0);
}

void store_add_history(struct db_batch *batch, struct uuid account_id, int64_t version,
                       const char *action, const struct desk *desk, int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_history);

    db_uuid(query, account_id);
    db_i64(query, version);
    db_time(query, now_us);
    db_text_c(query, action);
    if (desk == NULL) {
        db_null(query);
        db_null(query);
        db_null(query);
    } else {
        db_uuid(query, desk->actor_id);
        db_text(query, desk->role);
        db_text(query, desk->reason);
    }
}

void store_save_account(struct db_batch *batch, const struct record *record, const char *action,
                        const struct desk *desk, int64_t now_us)
{
    const struct person *person = &record->person;
    struct db_query *query = db_add(batch, &update_account);

    db_uuid(query, record->account_id);
    db_i64(query, record->version);
    db_text(query, person->account_name);
    db_text(query, person->email);
    db_bool(query, person->email_confirmed);
    db_text(query, person->pending_email);
    db_text(query, person->state);
    db_text_c(query, account_step_name(person->step));
    db_text(query, person->terms_version);
    db_i32(query, person->birth_tries);
    db_time(query, now_us);
    db_time(query, person->step_at_us);
    db_text(query, person->shared_email);
    store_add_history(batch, record->account_id, record->version + 1, action, desk, now_us);
}

void store_save_doctor(struct db_batch *batch, const struct record *record, bool my_page_created,
                       int64_t now_us)
{
    const struct person *person = &record->person;
    const struct profile *profile = &person->profile;
    struct db_query *query = db_add(batch, &update_doctor);

    db_i64(query, person->doctor_id);
    db_i64(query, record->doctor_version);
    db_text(query, person->mamis_no);
    db_text(query, profile->name);
    db_text(query, profile->name_kana);
    db_text(query, profile->former_name);
    db_text(query, profile->former_name_kana);
    db_text(query, profile->sex);
    db_day(query, profile->birth_on);
    db_text(query, person->doctor_email);
    db_text(query, person->my_page);
    db_text(query, profile->workplace_name);
    db_text(query, profile->workplace_postcode);
    db_text(query, profile->workplace_address);
    db_text(query, profile->phone);
    db_time(query, my_page_created ? now_us : INT64_MIN);
    db_time(query, now_us);
    db_text(query, profile->residence_prefecture);
    db_text(query, profile->residence_municipality);
    db_text(query, record->doctor_l2_code);
}

void store_keep_names(struct db_batch *batch, const struct record *record, int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_names);

    db_i64(query, record->person.doctor_id);
    db_i64(query, record->doctor_version);
    db_time(query, now_us);
}

void store_lock_email(struct db_batch *batch, struct str email)
{
    db_text(db_add(batch, &lock_email), email);
}

void store_take_email(struct db_batch *batch, const struct record *record)
{
    struct db_query *query;

    store_lock_email(batch, record->person.email);
    if (record->person.email_shared)
        return;
    query = db_add(batch, &still_free_email);
    db_text(query, record->person.email);
    db_uuid(query, record->account_id);
}
