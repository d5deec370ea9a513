/* procedure_store: all SQL of procedures and memberships that writes. */
#include "registration/procedure.h"

static const struct db_stmt draft_filed = {
    "registration_draft_filed",
    "SELECT registration.draft_filed($1, $2)",
};

static const struct db_stmt insert_procedure = {
    "registration_insert_procedure",
    "INSERT INTO registration.procedure (procedure_id, doctor_id, kind, family, stage, route, "
    "depth,"
    "  granted, member_mask, touch_mask, l1_code, l2_code, new_l1_code, new_l2_code, effective_on,"
    "  asked, before, loses_insurance, filed_role, filed_layer, filed_code, filed_account,"
    "  filed_reason, desk, offices, submitted_at, stage_at, due_on)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
    "  $20, $21, $22, $23, $24, array_remove(ARRAY[$24, $25], ''), $26, $26, $27)",
};

static const struct db_stmt update_procedure = {
    "registration_update_procedure",
    "WITH changed AS ("
    " UPDATE registration.procedure SET version = version + 1, stage = $3, back_to = $4, route = "
    "$5,"
    "  granted = $6, touch_mask = $7, effective_on = $8, asked = $9, before = $10,"
    "  loses_insurance = $11, desk = $12,"
    "  offices = offices || ARRAY(SELECT DISTINCT o FROM unnest(array_append($20::text[], $12)) AS "
    "o"
    "   WHERE o <> '' AND o <> ALL (offices)),"
    "  stage_at = CASE WHEN stage = $3 THEN stage_at ELSE $13 END, due_on = $14, told_reason = $15,"
    "  confirm_desk = $16,"
    "  confirmed_at = CASE WHEN $17 AND confirmed_at IS NULL THEN $13 ELSE confirmed_at END,"
    "  applied_on = $18, filed_reason = $19"
    " WHERE procedure_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt insert_history = {
    "registration_insert_procedure_history",
    "INSERT INTO registration.procedure_history"
    " (procedure_id, version, at, action, stage_from, stage, actor_role, actor_id, reason)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
};

static const struct db_stmt end_memberships = {
    "registration_end_memberships",
    "WITH changed AS ("
    " UPDATE registration.membership SET valid_to = $2, ended_by = $3, ended_with = $4"
    " WHERE membership_id = ANY ($1) AND valid_to IS NULL RETURNING 1)"
    " SELECT mamis.changed((count(*) = cardinality($1))::int) FROM changed",
};

static const struct db_stmt insert_memberships = {
    "registration_insert_memberships",
    "INSERT INTO registration.membership"
    " (doctor_id, layer, code, category, is_primary, valid_from, began_by, began_with)"
    " SELECT $1, layer, code, category, is_primary, $5, $7, $6"
    " FROM unnest($2::smallint[], $3::text[], $4::text[], $8::smallint[])"
    "  AS b (layer, code, category, first) CROSS JOIN LATERAL (SELECT first = 1) AS p (is_primary)",
};

static const struct db_stmt update_member = {
    "registration_update_member",
    "WITH changed AS ("
    " UPDATE registration.doctor SET version = version + 1, l1_code = $3, l2_code = $4,"
    "  l3_category = $5, name = $6, name_kana = $7, former_name = $8, former_name_kana = $9,"
    "  workplace_name = $10, workplace_postcode = $11, workplace_address = $12, phone = $13,"
    "  my_page = $14, changed_at = $15,"
    "  residence_prefecture = CASE WHEN $10 = '' THEN residence_prefecture ELSE '' END,"
    "  residence_municipality = CASE WHEN $10 = '' THEN residence_municipality ELSE '' END"
    " WHERE doctor_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt update_member_account = {
    "registration_update_member_account",
    "WITH changed AS ("
    " UPDATE registration.account SET version = version + 1, state = $3, name = $4,"
    "  changed_at = $5"
    " WHERE account_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM changed",
};

/*
 * Whatever else is under way, or decided, in part or whole, for a later day, has nobody to happen
 * to any more.
 */
static const struct db_stmt cancel_others = {
    "registration_cancel_others",
    "WITH others AS (SELECT procedure_id, stage FROM registration.procedure WHERE doctor_id = $1"
    "  AND procedure_id <> $2 AND (stage NOT IN ('effective', 'partial', 'rejected', 'cancelled')"
    "   OR (stage = 'partial' AND applied_on IS NULL))"
    "  FOR UPDATE),"
    " closed AS (UPDATE registration.procedure AS p SET stage = 'cancelled', version = version + 1,"
    "  desk = '', stage_at = $3, due_on = NULL, told_reason = $4 FROM others o"
    "  WHERE o.procedure_id = p.procedure_id"
    "  RETURNING p.procedure_id, p.version, o.stage AS stage_from)"
    " INSERT INTO registration.procedure_history"
    "  (procedure_id, version, at, action, stage_from, stage, actor_role, reason)"
    " SELECT procedure_id, version, $3, 'cancel', stage_from, 'cancelled', '', $4 FROM closed",
};

/* As app.scope is written; "" for nobody. */
static const char *desk_text(struct arena *arena, struct office office)
{
    if (office.layer == 0)
        return "";
    if (office.layer == LAYERS)
        return "l3";
    return arena_printf(arena, "l%d:%.*s", office.layer, STR_ARG(office.code));
}

static int16_t mask_of(const bool *layers)
{
    int mask = 0;

    for (int layer = 1; layer <= LAYERS; layer++)
        mask |= layers[layer] ? 1 << layer : 0;
    return (int16_t)mask;
}

static void add_route(struct db_query *query, const struct procedure *procedure)
{
    struct str names[PROCEDURE_ROUTE_MAX];
    struct procedure walker = *procedure;
    enum procedure_stage next;
    size_t count = 0;

    walker.stage = STAGE_DRAFT;
    must(procedure_next(&walker, MOVE_SUBMIT, &next));
    while (next != STAGE_DONE && count + 1 < PROCEDURE_ROUTE_MAX) {
        names[count++] = str_of(procedure_stage_name(next));
        walker.stage = next;
        must(procedure_next(&walker, MOVE_APPROVE, &next));
    }
    names[count++] = str_of(procedure_stage_name(STAGE_DONE));
    db_text_array(query, names, count);
}

/* Desks of the offices that are told of it. */
static void add_told(struct arena *arena, struct db_query *query, const struct procedure *procedure)
{
    struct office offices[LAYERS];
    struct str desks[LAYERS];
    size_t count = procedure_notices(procedure, offices);

    for (size_t i = 0; i < count; i++)
        desks[i] = str_of(desk_text(arena, offices[i]));
    db_text_array(query, desks, count);
}

static day_t due_of(const struct procedure *procedure, int64_t now_us)
{
    int patience = procedure_patience_days(procedure->stage);

    return patience == 0 ? DAY_NONE : day_of_us(now_us) + patience;
}

static void add_history(struct db_batch *batch, const struct procedure *procedure,
                        const struct procedure_step *step)
{
    struct db_query *query = db_add(batch, &insert_history);

    db_uuid(query, procedure->id);
    db_i64(query, procedure->version);
    db_time(query, step->now_us);
    db_text_c(query, step->action);
    db_text_c(query, procedure_stage_name(step->from));
    db_text_c(query, procedure_stage_name(procedure->stage));
    db_text(query, step->actor == NULL ? STR("") : step->actor->role);
    if (step->actor == NULL)
        db_null(query);
    else
        db_uuid(query, step->actor->account_id);
    db_text(query, step->reason);
}

void store_draft_filed(struct db_batch *batch, int64_t doctor_id, struct str kind)
{
    struct db_query *query = db_add(batch, &draft_filed);

    db_i64(query, doctor_id);
    db_text(query, kind);
}

void store_insert_procedure(struct db_batch *batch, const struct stored *stored,
                            const struct procedure_step *step)
{
    const struct procedure *procedure = &stored->procedure;
    struct arena *arena = db_batch_arena(batch);
    struct db_query *query = db_add(batch, &insert_procedure);

    db_uuid(query, procedure->id);
    db_i64(query, procedure->doctor_id);
    db_text_c(query, procedure_kind_name(procedure->kind));
    db_text_c(query, procedure_family(procedure->kind));
    db_text_c(query, procedure_stage_name(procedure->stage));
    add_route(query, procedure);
    db_i16(query, (int16_t)procedure->depth);
    db_i16(query, (int16_t)procedure->granted);
    db_i16(query, mask_of(procedure->member));
    db_i16(query, mask_of(procedure->touches));
    db_text(query, procedure->l1_code);
    db_text(query, procedure->l2_code);
    db_text(query, procedure->new_l1_code);
    db_text(query, procedure->new_l2_code);
    db_day(query, procedure->effective_on);
    db_json(query, wishes_asked(arena, &stored->wishes));
    db_json(query, stored->before);
    db_bool(query, stored->loses_insurance);
    db_text(query, stored->filed_role);
    db_i16(query, (int16_t)procedure->filed_by.layer);
    db_text(query, procedure->filed_by.code);
    db_uuid(query, procedure->filed_account);
    db_text(query, stored->filed_reason);
    db_text_c(query, desk_text(arena, procedure_desk(procedure)));
    db_text_c(query, desk_text(arena, procedure->filed_by));
    db_time(query, step->now_us);
    db_day(query, due_of(procedure, step->now_us));
    add_history(batch, procedure, step);
}

void store_update_procedure(struct db_batch *batch, struct stored *stored,
                            const struct procedure_step *step)
{
    struct procedure *procedure = &stored->procedure;
    struct arena *arena = db_batch_arena(batch);
    struct db_query *query = db_add(batch, &update_procedure);

    if (procedure->stage != step->from)
        stored->due_on = due_of(procedure, step->now_us);
    db_uuid(query, procedure->id);
    db_i64(query, procedure->version);
    db_text_c(query, procedure_stage_name(procedure->stage));
    db_text_c(query,
              procedure->stage == STAGE_RETURNED ? procedure_stage_name(procedure->back_to) : "");
    add_route(query, procedure);
    db_i16(query, (int16_t)procedure->granted);
    db_i16(query, mask_of(procedure->touches));
    db_day(query, procedure->effective_on);
    db_json(query, wishes_asked(arena, &stored->wishes));
    db_json(query, stored->before);
    db_bool(query, stored->loses_insurance);
    db_text_c(query, desk_text(arena, procedure_desk(procedure)));
    db_time(query, step->now_us);
    db_day(query, stored->due_on);
    db_text(query, stored->told_reason);
    db_text_c(query, desk_text(arena, procedure->confirm));
    db_bool(query, procedure->confirmed);
    db_day(query, stored->applied_on);
    db_text(query, stored->filed_reason);
    add_told(arena, query, procedure);
    procedure->version++;
    add_history(batch, procedure, step);
}

static void store_ends(struct db_batch *batch, const struct procedure *procedure,
                       const struct membership_plan *plan, bool cascaded)
{
    int64_t ids[MEMBERSHIPS_MAX];
    size_t count = 0;
    struct db_query *query;

    for (size_t i = 0; i < plan->end_count; i++) {
        if (plan->cascaded[plan->ends[i].layer] == cascaded)
            ids[count++] = plan->ends[i].id;
    }
    if (count == 0)
        return;
    query = db_add(batch, &end_memberships);
    db_i64_array(query, ids, count);
    db_day(query, plan->on - 1);
    db_text_c(query, cascaded ? "cascade" : procedure_kind_name(procedure->kind));
    db_uuid(query, procedure->id);
}

void store_memberships(struct db_batch *batch, int64_t doctor_id, const struct procedure *procedure,
                       const struct membership_plan *plan)
{
    int16_t layers[LAYERS], primary[LAYERS];
    struct str codes[LAYERS], categories[LAYERS];
    struct db_query *query;

    store_ends(batch, procedure, plan, false);
    store_ends(batch, procedure, plan, true);
    if (plan->begin_count == 0)
        return;
    for (size_t i = 0; i < plan->begin_count; i++) {
        layers[i] = (int16_t)plan->begins[i].layer;
        primary[i] = plan->begins[i].primary;
        codes[i] = plan->begins[i].code;
        categories[i] = plan->begins[i].category;
    }
    query = db_add(batch, &insert_memberships);
    db_i64(query, doctor_id);
    db_i16_array(query, layers, plan->begin_count);
    db_text_array(query, codes, plan->begin_count);
    db_text_array(query, categories, plan->begin_count);
    db_day(query, plan->on);
    db_uuid(query, procedure->id);
    db_text_c(query, procedure_kind_name(procedure->kind));
    db_i16_array(query, primary, plan->begin_count);
}

void store_member(struct db_batch *batch, const struct record *record, int64_t now_us)
{
    const struct person *person = &record->person;
    const struct profile *profile = &person->profile;
    struct db_query *query = db_add(batch, &update_member);

    db_i64(query, person->doctor_id);
    db_i64(query, record->doctor_version);
    db_text(query, record->doctor_l1_code);
    db_text(query, record->doctor_l2_code);
    db_text(query, record->l3_category);
    db_text(query, profile->name);
    db_text(query, profile->name_kana);
    db_text(query, profile->former_name);
    db_text(query, profile->former_name_kana);
    db_text(query, profile->workplace_name);
    db_text(query, profile->workplace_postcode);
    db_text(query, profile->workplace_address);
    db_text(query, profile->phone);
    db_text(query, person->my_page);
    db_time(query, now_us);
}

void store_member_account(struct db_batch *batch, const struct record *record, int64_t now_us)
{
    struct db_query *query = db_add(batch, &update_member_account);

    db_uuid(query, record->account_id);
    db_i64(query, record->version);
    db_text(query, record->person.state);
    db_text(query, record->person.account_name);
    db_time(query, now_us);
}

void store_reminded(struct db_batch *batch, struct uuid procedure_id, day_t today)
{
    static const struct db_stmt stmt = {
        "registration_reminded",
        "WITH changed AS (UPDATE registration.procedure SET reminded_on = $2"
        "  WHERE procedure_id = $1 AND stage = 'returned' AND reminded_on IS DISTINCT FROM $2"
        "  RETURNING 1) SELECT mamis.changed(count(*)) FROM changed",
    };
    struct db_query *query = db_add(batch, &stmt);

    db_uuid(query, procedure_id);
    db_day(query, today);
}

void store_cancel_others(struct db_batch *batch, const struct procedure *procedure, int64_t now_us)
{
    struct db_query *query = db_add(batch, &cancel_others);

    db_i64(query, procedure->doctor_id);
    db_uuid(query, procedure->id);
    db_time(query, now_us);
    db_text_c(query, procedure->kind == PROCEDURE_DEATH ? "死亡による退会" : "免許取消による退会");
}
