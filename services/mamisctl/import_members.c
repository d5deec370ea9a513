/* mamisctl import members: writes doctors, accounts, certificates and their events. */
#include "mamisctl/import_members.h"
#include "domain/terms.h"
#include "gen/events.h"

static const struct import_column columns[MEMBER_COLUMNS] = {
    [MAMIS_NO] = {"mamis_no", true, 40},
    [REGISTER_NO] = {"register_no", true, 40},
    [LICENSED_ON] = {"licensed_on", true, 10},
    [NAME] = {"name", true, 360},
    [NAME_KANA] = {"name_kana", true, 600},
    [FORMER_NAME] = {"former_name", true, 360},
    [FORMER_NAME_KANA] = {"former_name_kana", true, 600},
    [SEX] = {"sex", true, 10},
    [BIRTH_ON] = {"birth_on", true, 10},
    [EMAIL] = {"email", true, 254},
    [L1_CODE] = {"l1_code", true, 10},
    [L2_CODE] = {"l2_code", true, 10},
    [L3_CATEGORY] = {"l3_category", true, 10},
    [MY_PAGE] = {"my_page", true, 20},
    [OP_NO] = {"op_no", true, 12},
    [OP_FROM] = {"op_from", true, 10},
    [OP_TO] = {"op_to", true, 10},
    [SP_NO] = {"sp_no", true, 12},
    [SP_FROM] = {"sp_from", true, 10},
    [SP_TO] = {"sp_to", true, 10},
    [TRAINING_ENDS_ON] = {"training_ends_on", false, 10}, /* missing or empty: as it was */
};

static const char *const topics[] = {TOPIC_DOCTOR_EVENTS, TOPIC_ACCOUNT_EVENTS,
                                     TOPIC_CERTIFICATE_EVENTS};

static const struct db_stmt put_doctors = {
    "members_put",
    "WITH given AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[],"
    " $5::date[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::date[],"
    " $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $18::date[])"
    " AS g (doctor_id, version, register_no, mamis_no, licensed_on, name, name_kana, former_name,"
    " former_name_kana, sex, birth_on, email, l1_code, l2_code, l3_category, my_page,"
    " training_ends_on)),"
    " put AS (INSERT INTO registration.doctor AS d (doctor_id, version, register_no, mamis_no,"
    " licensed_on, name, name_kana, former_name, former_name_kana, sex, birth_on, email, l1_code,"
    " l2_code, l3_category, my_page, training_ends_on, my_page_at, changed_at)"
    " OVERRIDING SYSTEM VALUE"
    " SELECT doctor_id, version, register_no, mamis_no, licensed_on, name, name_kana, former_name,"
    " former_name_kana, sex, birth_on, email, l1_code, l2_code, l3_category, my_page,"
    " training_ends_on, CASE WHEN my_page IN ('active', 'link_pending') THEN $17::timestamptz END, "
    "$17"
    " FROM given ON CONFLICT (register_no) DO UPDATE SET version = excluded.version,"
    " mamis_no = excluded.mamis_no, licensed_on = excluded.licensed_on, name = excluded.name,"
    " name_kana = excluded.name_kana, former_name = excluded.former_name,"
    " former_name_kana = excluded.former_name_kana, sex = excluded.sex,"
    " birth_on = excluded.birth_on, email = excluded.email, l1_code = excluded.l1_code,"
    " l2_code = excluded.l2_code, l3_category = excluded.l3_category, my_page = excluded.my_page,"
    " training_ends_on = coalesce(excluded.training_ends_on, d.training_ends_on),"
    " my_page_at = coalesce(d.my_page_at, excluded.my_page_at), changed_at = excluded.changed_at"
    " WHERE d.version = excluded.version - 1 AND d.doctor_id = excluded.doctor_id RETURNING 1)"
    " SELECT mamis.expect_rows((SELECT count(*) FROM given), (SELECT count(*) FROM put))"};

static const struct db_stmt put_names = {
    "members_names",
    "INSERT INTO registration.name_history (doctor_id, version, name, name_kana, former_name,"
    " former_name_kana, until) SELECT *, $7::timestamptz FROM unnest($1::bigint[], $2::bigint[],"
    " $3::text[], $4::text[], $5::text[], $6::text[])"};

#define TERMS                                                                                      \
    TERMS_IN_FORCE("registration.terms", "($9::timestamptz AT TIME ZONE 'Asia/Tokyo')::date")

/* Somebody whose My Page is complete agreed to the terms that were in force then. */
static const struct db_stmt put_accounts = {
    "members_accounts",
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[],"
    " $5::text[], $6::smallint[], $7::text[], $8::text[]) AS g (account_id, version, doctor_id,"
    " name, email, confirmed, state, step)),"
    " terms AS " TERMS ","
    " put AS (INSERT INTO registration.account AS a (account_id, version, role, doctor_id, name,"
    " email, email_confirmed, state, step, terms_version, terms_agreed_at, changed_at)"
    " SELECT account_id, version, 'doctor', doctor_id, name, email, confirmed = 1, state, step,"
    " CASE WHEN step = '' THEN coalesce((SELECT terms.version FROM terms), '') ELSE '' END,"
    " CASE WHEN step = '' THEN $9 END, $9 FROM given"
    " ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, name = excluded.name,"
    " email = excluded.email, email_confirmed = excluded.email_confirmed, state = excluded.state,"
    " step = excluded.step, terms_version = CASE WHEN a.step <> '' AND excluded.step = ''"
    " THEN excluded.terms_version ELSE a.terms_version END, changed_at = excluded.changed_at"
    " WHERE a.version = excluded.version - 1 RETURNING account_id, version),"
    " noted AS (INSERT INTO registration.account_history (account_id, version, at, action)"
    " SELECT account_id, version, $9, 'import' FROM put)"
    " SELECT mamis.expect_rows((SELECT count(*) FROM given), (SELECT count(*) FROM put))"};

static const struct db_stmt end_sessions = {
    "members_end_sessions", "UPDATE gateway.session SET ended_at = $2, uncache = true"
                            " WHERE account_id = ANY ($1::uuid[]) AND ended_at IS NULL"};

static const struct db_stmt put_certificates = {
    "members_certificates_put",
    "WITH given AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[],"
    " $5::date[], $6::date[], $7::date[]) AS g (doctor_id, version, programme, number, first_from,"
    " valid_from, valid_to)),"
    " put AS (INSERT INTO renewal.certificate AS c (doctor_id, version, programme, number,"
    " first_from, valid_from, valid_to) SELECT doctor_id, version, programme, number, first_from,"
    " valid_from, valid_to FROM given ON CONFLICT (doctor_id, programme) DO UPDATE"
    " SET version = excluded.version, number = excluded.number, first_from = excluded.first_from,"
    " valid_from = excluded.valid_from, valid_to = excluded.valid_to,"
    " changed_at = clock_timestamp() WHERE c.version = excluded.version - 1 RETURNING 1)"
    " SELECT mamis.expect_rows((SELECT count(*) FROM given), (SELECT count(*) FROM put))"};

#define TEXT_VALUE(name, expression)                                                               \
    static struct str name(const struct import_row *row)                                           \
    {                                                                                              \
        return expression;                                                                         \
    }

TEXT_VALUE(name_of, IMPORT_FIELD(row, NAME))
TEXT_VALUE(name_kana_of, IMPORT_FIELD(row, NAME_KANA))
TEXT_VALUE(former_name_of, IMPORT_FIELD(row, FORMER_NAME))
TEXT_VALUE(former_kana_of, IMPORT_FIELD(row, FORMER_NAME_KANA))
TEXT_VALUE(sex_of, IMPORT_FIELD(row, SEX))
TEXT_VALUE(l1_code_of, IMPORT_FIELD(row, L1_CODE))
TEXT_VALUE(l2_code_of, IMPORT_FIELD(row, L2_CODE))
TEXT_VALUE(l3_category_of, IMPORT_FIELD(row, L3_CATEGORY))
TEXT_VALUE(email_of, member_of(row)->email)
TEXT_VALUE(my_page_text, str_of(my_page_name(member_of(row)->my_page)))
TEXT_VALUE(account_email_of, member_of(row)->account_email)
TEXT_VALUE(account_state_of, member_of(row)->account_state)
TEXT_VALUE(account_step_of, member_of(row)->account_step)
TEXT_VALUE(old_name_of, member_of(row)->old_names[0])
TEXT_VALUE(old_name_kana_of, member_of(row)->old_names[1])
TEXT_VALUE(old_former_name_of, member_of(row)->old_names[2])
TEXT_VALUE(old_former_kana_of, member_of(row)->old_names[3])

/* ---- doctors ---- */

static void put_i64(struct db_query *query, struct import_row *const *rows, size_t count,
                    int64_t (*value)(const struct member *member))
{
    int64_t numbers[IMPORT_SLICE_ROWS];

    for (size_t i = 0; i < count; i++)
        numbers[i] = value(member_of(rows[i]));
    db_i64_array(query, numbers, count);
}

static void put_days(struct db_query *query, struct import_row *const *rows, size_t count,
                     day_t (*value)(const struct member *member))
{
    day_t days[IMPORT_SLICE_ROWS];

    for (size_t i = 0; i < count; i++)
        days[i] = value(member_of(rows[i]));
    db_day_array(query, days, count);
}

static int64_t doctor_id_of(const struct member *member)
{
    return member->doctor_id;
}

static int64_t version_of(const struct member *member)
{
    return member->version;
}

static int64_t next_version_of(const struct member *member)
{
    return member->version + 1;
}

static int64_t next_account_version_of(const struct member *member)
{
    return member->account_version + 1;
}

static day_t licensed_on_of(const struct member *member)
{
    return member->licensed_on;
}

static day_t birth_on_of(const struct member *member)
{
    return member->birth_on;
}

static day_t training_ends_on_of(const struct member *member)
{
    return member->training_ends_on;
}

/* A slice's states, and whose they are. */
struct states {
    json_t *list[IMPORT_SLICE_ROWS];
    const char *keys[IMPORT_SLICE_ROWS];
    size_t count;
};

static void add_state(struct states *states, const char *key, json_t *data)
{
    states->list[states->count] = data;
    states->keys[states->count++] = key;
}

static void emit_states(struct import_file *file, struct db_batch *batch, const char *one,
                        const char *many, const char *topic, const struct states *states)
{
    work_emit_states(file->tool->work, batch, one, many, topic, states->list, states->keys,
                     states->count);
}

static void add_doctor(struct states *states, struct import_file *file,
                       const struct import_row *row)
{
    const struct member *member = row->item;
    const struct event_doctor_state data = {
        .doctor_id = member->doctor_id,
        .version = member->version + 1,
        .register_no = member_register_no(row),
        .mamis_no = member->mamis_no,
        .name = name_of(row),
        .name_kana = name_kana_of(row),
        .former_name = former_name_of(row),
        .former_name_kana = former_kana_of(row),
        .my_page = my_page_text(row),
        .email = member->email,
        .l1_code = l1_code_of(row),
        .l2_code = l2_code_of(row),
        .l3_category = l3_category_of(row),
    };

    add_state(states, arena_printf(file->arena, "%lld", (long long)member->doctor_id),
              event_doctor_state_encode(&data));
}

static void write_names(struct import_row **rows, size_t count, struct db_batch *batch,
                        int64_t now_us)
{
    struct db_query *query = db_add(batch, &put_names);

    put_i64(query, rows, count, doctor_id_of);
    put_i64(query, rows, count, version_of);
    import_texts(query, rows, count, old_name_of);
    import_texts(query, rows, count, old_name_kana_of);
    import_texts(query, rows, count, old_former_name_of);
    import_texts(query, rows, count, old_former_kana_of);
    db_time(query, now_us);
}

static void write_doctors(struct import_file *file, struct import_row **rows, size_t count,
                          struct db_batch *batch, int64_t now_us)
{
    struct db_query *query = db_add(batch, &put_doctors);
    struct states states = {.count = 0};

    put_i64(query, rows, count, doctor_id_of);
    put_i64(query, rows, count, next_version_of);
    import_texts(query, rows, count, member_register_no);
    import_texts(query, rows, count, member_mamis_no);
    put_days(query, rows, count, licensed_on_of);
    import_texts(query, rows, count, name_of);
    import_texts(query, rows, count, name_kana_of);
    import_texts(query, rows, count, former_name_of);
    import_texts(query, rows, count, former_kana_of);
    import_texts(query, rows, count, sex_of);
    put_days(query, rows, count, birth_on_of);
    import_texts(query, rows, count, email_of);
    import_texts(query, rows, count, l1_code_of);
    import_texts(query, rows, count, l2_code_of);
    import_texts(query, rows, count, l3_category_of);
    import_texts(query, rows, count, my_page_text);
    db_time(query, now_us);
    put_days(query, rows, count, training_ends_on_of);
    for (size_t i = 0; i < count; i++)
        add_doctor(&states, file, rows[i]);
    emit_states(file, batch, EVENT_DOCTOR_STATE, EVENT_DOCTORS_STATE, TOPIC_DOCTOR_EVENTS, &states);
}

/* ---- accounts ---- */

static void add_account(struct states *states, struct import_file *file,
                        const struct import_row *row)
{
    const struct member *member = row->item;
    const struct event_account_state data = {
        .account_id = member->account_id,
        .version = member->account_version + 1,
        .role = STR("doctor"),
        .state = member->account_state,
        .step = member->account_step,
        .name = member->account_name,
        .email = member->account_email,
        .email_confirmed = member->account_email_confirmed,
        .doctor_id = member->doctor_id,
        .has_doctor_id = true,
    };
    char key[UUID_TEXT_BYTES];

    uuid_format(member->account_id, key);
    add_state(states, arena_strdup(file->arena, key), event_account_state_encode(&data));
}

static void write_closed(struct import_row **rows, size_t count, struct db_batch *batch,
                         int64_t now_us)
{
    struct uuid accounts[IMPORT_SLICE_ROWS];
    struct db_query *query;
    size_t closed = 0;

    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(member_of(rows[i])->account_state, "closed"))
            accounts[closed++] = member_of(rows[i])->account_id;
    }
    if (closed == 0)
        return;
    query = db_add(batch, &end_sessions);
    db_uuid_array(query, accounts, closed);
    db_time(query, now_us);
}

static void write_accounts(struct import_file *file, struct import_row **rows, size_t count,
                           struct db_batch *batch, int64_t now_us)
{
    struct db_query *query = db_add(batch, &put_accounts);
    struct uuid accounts[IMPORT_SLICE_ROWS];
    struct states states = {.count = 0};
    int16_t confirmed[IMPORT_SLICE_ROWS];

    for (size_t i = 0; i < count; i++) {
        accounts[i] = member_of(rows[i])->account_id;
        confirmed[i] = member_of(rows[i])->account_email_confirmed;
    }
    db_uuid_array(query, accounts, count);
    put_i64(query, rows, count, next_account_version_of);
    put_i64(query, rows, count, doctor_id_of);
    import_texts(query, rows, count, name_of);
    import_texts(query, rows, count, account_email_of);
    db_i16_array(query, confirmed, count);
    import_texts(query, rows, count, account_state_of);
    import_texts(query, rows, count, account_step_of);
    db_time(query, now_us);
    write_closed(rows, count, batch, now_us);
    for (size_t i = 0; i < count; i++)
        add_account(&states, file, rows[i]);
    emit_states(file, batch, EVENT_ACCOUNT_STATE, EVENT_ACCOUNTS_STATE, TOPIC_ACCOUNT_EVENTS,
                &states);
}

/* ---- certificates ---- */

static void add_certificate(struct states *states, struct import_file *file,
                            const struct member *member, size_t programme)
{
    const struct certificate *certificate = &member->certificates[programme];
    const struct event_certificate_state data = {
        .doctor_id = member->doctor_id,
        .version = certificate->version + 1,
        .programme = programme == OP ? STR("OP") : STR("SP"),
        .number = certificate->number,
        .first_from = certificate->first_from,
        .valid_from = certificate->from,
        .valid_to = certificate->to,
    };

    add_state(states, arena_printf(file->arena, "%lld", (long long)member->doctor_id),
              event_certificate_state_encode(&data));
}

static void write_certificates(struct import_file *file, struct import_row **rows, size_t count,
                               size_t programme, struct db_batch *batch)
{
    int64_t doctors[IMPORT_SLICE_ROWS];
    int64_t versions[IMPORT_SLICE_ROWS];
    struct str programmes[IMPORT_SLICE_ROWS];
    struct str numbers[IMPORT_SLICE_ROWS];
    day_t days[3][IMPORT_SLICE_ROWS];
    struct states states = {.count = 0};
    struct db_query *query;
    size_t differing = 0;

    for (size_t i = 0; i < count; i++) {
        const struct member *member = rows[i]->item;
        const struct certificate *certificate = &member->certificates[programme];

        if (!certificate->differs)
            continue;
        doctors[differing] = member->doctor_id;
        versions[differing] = certificate->version + 1;
        programmes[differing] = programme == OP ? STR("OP") : STR("SP");
        numbers[differing] = certificate->number;
        days[0][differing] = certificate->first_from;
        days[1][differing] = certificate->from;
        days[2][differing] = certificate->to;
        differing++;
        add_certificate(&states, file, member, programme);
    }
    if (differing == 0)
        return;
    query = db_add(batch, &put_certificates);
    db_i64_array(query, doctors, differing);
    db_i64_array(query, versions, differing);
    db_text_array(query, programmes, differing);
    db_text_array(query, numbers, differing);
    for (size_t i = 0; i < 3; i++)
        db_day_array(query, days[i], differing);
    emit_states(file, batch, EVENT_CERTIFICATE_STATE, EVENT_CERTIFICATES_STATE,
                TOPIC_CERTIFICATE_EVENTS, &states);
}

/* ---- all of a slice ---- */

/* The rows of the slice for which `wanted` is true. */
static size_t pick(struct import_row **rows, size_t count, struct import_row **out,
                   bool (*wanted)(const struct member *member))
{
    size_t picked = 0;

    for (size_t i = 0; i < count; i++) {
        if (wanted(member_of(rows[i])))
            out[picked++] = rows[i];
    }
    return picked;
}

static bool doctor_differs(const struct member *member)
{
    return member->doctor_differs;
}

static bool name_differs(const struct member *member)
{
    return member->version > 0 && member->name_differs;
}

static bool account_differs(const struct member *member)
{
    return member->wants_account && member->account_differs;
}

static void write_slice(struct import_file *file, struct import_row **rows, size_t count,
                        struct db_batch *batch, int64_t now_us)
{
    struct import_row *picked[IMPORT_SLICE_ROWS];
    size_t picked_count;

    picked_count = pick(rows, count, picked, name_differs);
    if (picked_count > 0)
        write_names(picked, picked_count, batch, now_us);
    picked_count = pick(rows, count, picked, doctor_differs);
    if (picked_count > 0)
        write_doctors(file, picked, picked_count, batch, now_us);
    picked_count = pick(rows, count, picked, account_differs);
    if (picked_count > 0)
        write_accounts(file, picked, picked_count, batch, now_us);
    write_certificates(file, rows, count, OP, batch);
    write_certificates(file, rows, count, SP, batch);
}

enum err members_write(struct import_file *file, const struct import_options *options,
                       struct db_batch *batch, struct err_note *note)
{
    struct import_row *rows[IMPORT_SLICE_ROWS];
    int64_t now_us = clock_now_us();
    size_t cursor = 0;
    size_t count;

    while ((count = import_slice(file, &cursor, IMPORT_CHANGED, rows)) > 0)
        write_slice(file, rows, count, batch, now_us);
    return members_write_secrets(file, options, batch, note);
}

const struct import_kind import_kind_members = {
    .name = "members",
    .columns = columns,
    .column_count = MEMBER_COLUMNS,
    .service = "registration",
    .topics = topics,
    .topic_count = ARRAY_LEN(topics),
    .check = members_check,
    .load = members_load,
    .write = members_write,
    .written = members_written,
    .left = members_left,
    .preview = members_preview,
};
