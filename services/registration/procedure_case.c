/* procedure_case: one doctor and one procedure, read in one round trip. */
#include "registration/procedure.h"

/*
 * Both numbers have to fit; an unknown date of birth cannot be asked for. The number of one who was
 * merged leads to the other.
 */
static const struct db_stmt find_doctor = {
    "registration_find_doctor",
    "SELECT coalesce(merged_into, doctor_id) FROM registration.doctor WHERE CASE WHEN $1 > 0 THEN "
    "doctor_id = $1"
    "  ELSE register_no = ltrim($2, '0') AND (birth_on = $3 OR birth_on IS NULL) END",
};

static const struct db_stmt find_procedure = {
    "registration_find_procedure",
    "SELECT doctor_id FROM registration.procedure WHERE procedure_id = $1",
};

static const struct db_stmt select_doctor = {
    "registration_select_member",
    "SELECT d.version, d.register_no, coalesce(d.mamis_no, ''), d.name, d.name_kana, d.former_name,"
    "  d.former_name_kana, d.email, d.l1_code, d.l2_code, d.l3_category, d.my_page,"
    "  d.workplace_name, d.workplace_postcode, d.workplace_address, d.phone, d.doctor_id,"
    "  a.account_id, coalesce(a.version, 0), a.role, a.state, a.step, a.name, a.email,"
    "  coalesce(a.email_confirmed, false), d.residence_prefecture"
    " FROM registration.doctor d LEFT JOIN registration.account a USING (doctor_id)"
    " WHERE d.doctor_id = $1",
};

static const struct db_stmt select_memberships = {
    "registration_select_memberships",
    "SELECT membership_id, layer, code, category, valid_from, valid_to, is_primary"
    " FROM registration.membership WHERE doctor_id = $1 ORDER BY membership_id LIMIT $2",
};

static const struct db_stmt select_open = {
    "registration_select_open",
    "SELECT procedure_id, family FROM registration.procedure WHERE doctor_id = $1"
    " AND stage NOT IN ('effective', 'partial', 'rejected', 'cancelled')",
};

static const struct db_stmt select_association = {
    "registration_select_association",
    "SELECT l2_code FROM registration.association WHERE layer = 1 AND code = $1",
};

static const struct db_stmt select_procedure = {
    "registration_select_procedure",
    "SELECT version, doctor_id, kind, stage, back_to, depth, granted, member_mask, touch_mask,"
    "  l1_code, l2_code, new_l1_code, new_l2_code, effective_on, filed_layer, filed_code,"
    "  filed_account, confirm_desk, confirmed_at IS NOT NULL, asked, before, filed_role,"
    "  filed_reason, told_reason, loses_insurance, due_on, applied_on"
    " FROM registration.procedure WHERE procedure_id = $1",
};

struct db_query *case_find_doctor(struct db_batch *batch, int64_t doctor_id, struct str register_no,
                                  day_t birth_on)
{
    struct db_query *query = db_add(batch, &find_doctor);

    db_i64(query, doctor_id);
    db_text(query, register_no.data != NULL ? register_no : STR(""));
    db_day(query, birth_on);
    return query;
}

struct db_query *case_find_procedure(struct db_batch *batch, struct uuid procedure_id)
{
    struct db_query *query = db_add(batch, &find_procedure);

    db_uuid(query, procedure_id);
    return query;
}

void case_read(struct registration *registration, struct arena *arena, int64_t doctor_id,
               struct uuid procedure_id, struct str l1_code, struct procedure_case *found,
               struct flow *flow)
{
    *found = (struct procedure_case){.batch = db_batch_new(arena)};
    found->doctor = db_add(found->batch, &select_doctor);
    db_i64(found->doctor, doctor_id);
    found->memberships = db_add(found->batch, &select_memberships);
    db_i64(found->memberships, doctor_id);
    db_i64(found->memberships, MEMBERSHIPS_MAX);
    found->open = db_add(found->batch, &select_open);
    db_i64(found->open, doctor_id);
    found->association = db_add(found->batch, &select_association);
    db_text(found->association, l1_code.data != NULL ? l1_code : STR(""));
    found->procedure = db_add(found->batch, &select_procedure);
    db_uuid(found->procedure, procedure_id);
    db_run(registration->db, found->batch, PROCEDURE_READ_MS, flow);
}

static void take_account(const struct db_query *query, struct record *record)
{
    struct person *person = &record->person;

    record->version = db_get_i64(query, 0, 18);
    if (record->version == 0)
        return;
    record->account_id = db_get_uuid(query, 0, 17);
    person->role = db_get_text(query, 0, 19);
    person->state = db_get_text(query, 0, 20);
    must(account_step_parse(db_get_text(query, 0, 21), &person->step));
    person->account_name = db_get_text(query, 0, 22);
    person->email = db_get_text(query, 0, 23);
    person->email_confirmed = db_get_bool(query, 0, 24);
}

static void take_doctor(const struct db_query *query, struct record *record)
{
    struct person *person = &record->person;
    struct profile *profile = &person->profile;

    *record = (struct record){.doctor_version = db_get_i64(query, 0, 0)};
    record->register_no = db_get_text(query, 0, 1);
    person->mamis_no = db_get_text(query, 0, 2);
    profile->name = db_get_text(query, 0, 3);
    profile->name_kana = db_get_text(query, 0, 4);
    profile->former_name = db_get_text(query, 0, 5);
    profile->former_name_kana = db_get_text(query, 0, 6);
    person->doctor_email = db_get_text(query, 0, 7);
    record->doctor_l1_code = db_get_text(query, 0, 8);
    record->doctor_l2_code = db_get_text(query, 0, 9);
    record->l3_category = db_get_text(query, 0, 10);
    person->my_page = db_get_text(query, 0, 11);
    profile->workplace_name = db_get_text(query, 0, 12);
    profile->workplace_postcode = db_get_text(query, 0, 13);
    profile->workplace_address = db_get_text(query, 0, 14);
    profile->phone = db_get_text(query, 0, 15);
    profile->residence_prefecture = db_get_text(query, 0, 25);
    person->doctor_id = db_get_i64(query, 0, 16);
    take_account(query, record);
}

static void take_memberships(struct procedure_case *found)
{
    const struct db_query *query = found->memberships;

    found->row_count = db_rows(query);
    for (size_t i = 0; i < found->row_count; i++)
        found->rows[i] = (struct membership){.id = db_get_i64(query, i, 0),
                                             .layer = db_get_i16(query, i, 1),
                                             .code = db_get_text(query, i, 2),
                                             .category = db_get_text(query, i, 3),
                                             .from = db_get_day(query, i, 4),
                                             .to = db_get_day(query, i, 5),
                                             .primary = db_get_bool(query, i, 6)};
    membership_standing(found->rows, found->row_count, &found->standing);
}

static void layers_of(int16_t mask, bool *ret_layers)
{
    for (int layer = 1; layer <= LAYERS; layer++)
        ret_layers[layer] = (mask & (1 << layer)) != 0;
}

/* 'l2:13' */
static struct office office_of_desk(struct str desk)
{
    struct office office = {.layer = 0, .code = STR("")};

    if (desk.len < 2)
        return office;
    office.layer = desk.data[1] - '0';
    if (desk.len > 3)
        office.code = (struct str){desk.data + 3, desk.len - 3};
    return office;
}

static void take_procedure(struct procedure_case *found, struct uuid procedure_id)
{
    const struct db_query *query = found->procedure;
    struct stored *stored = &found->stored;
    struct procedure *procedure = &stored->procedure;

    *stored = (struct stored){.before = db_get_json(query, 0, 20)};
    procedure->id = procedure_id;
    procedure->version = db_get_i64(query, 0, 0);
    procedure->doctor_id = db_get_i64(query, 0, 1);
    must(procedure_kind_parse(db_get_text(query, 0, 2), &procedure->kind));
    must(procedure_stage_parse(db_get_text(query, 0, 3), &procedure->stage));
    if (procedure->stage == STAGE_RETURNED)
        must(procedure_stage_parse(db_get_text(query, 0, 4), &procedure->back_to));
    procedure->depth = db_get_i16(query, 0, 5);
    procedure->granted = db_get_i16(query, 0, 6);
    layers_of(db_get_i16(query, 0, 7), procedure->member);
    layers_of(db_get_i16(query, 0, 8), procedure->touches);
    procedure->l1_code = db_get_text(query, 0, 9);
    procedure->l2_code = db_get_text(query, 0, 10);
    procedure->new_l1_code = db_get_text(query, 0, 11);
    procedure->new_l2_code = db_get_text(query, 0, 12);
    procedure->effective_on = db_get_day(query, 0, 13);
    procedure->filed_by =
        (struct office){.layer = db_get_i16(query, 0, 14), .code = db_get_text(query, 0, 15)};
    procedure->filed_account = db_get_uuid(query, 0, 16);
    procedure->confirm = office_of_desk(db_get_text(query, 0, 17));
    procedure->confirmed = db_get_bool(query, 0, 18);
    wishes_read(db_batch_arena(found->batch), db_get_json(query, 0, 19), &stored->wishes);
    stored->filed_role = db_get_text(query, 0, 21);
    stored->filed_reason = db_get_text(query, 0, 22);
    stored->told_reason = db_get_text(query, 0, 23);
    stored->loses_insurance = db_get_bool(query, 0, 24);
    stored->due_on = db_get_day(query, 0, 25);
    stored->applied_on = db_get_day(query, 0, 26);
}

void case_take(struct procedure_case *found, struct uuid procedure_id)
{
    found->doctor_found = db_rows(found->doctor) > 0;
    if (found->doctor_found)
        take_doctor(found->doctor, &found->record);
    take_memberships(found);
    found->stored_found = db_rows(found->procedure) > 0;
    if (found->stored_found)
        take_procedure(found, procedure_id);
}

bool case_open(const struct procedure_case *found, const char *family, struct uuid *ret_id)
{
    for (size_t i = 0; i < db_rows(found->open); i++) {
        if (!str_eq_c(db_get_text(found->open, i, 1), family))
            continue;
        *ret_id = db_get_uuid(found->open, i, 0);
        return true;
    }
    return false;
}

struct str case_home(const struct procedure_case *found)
{
    return db_rows(found->association) == 0 ? STR_NONE : db_get_text(found->association, 0, 0);
}
