/* procedure_apply: the day of a decided procedure has come (DONE -> EFFECTIVE). */
#include "registration/procedure.h"

bool apply_is_due(const struct stored *stored, day_t today)
{
    enum procedure_stage stage = stored->procedure.stage;

    return (stage == STAGE_DONE || stage == STAGE_PARTIAL) && stored->applied_on == DAY_NONE &&
           stored->procedure.effective_on <= today;
}

static struct str or_empty(struct str text)
{
    return text.data != NULL ? text : STR("");
}

/* The codes that stand with the doctor are those of today. */
static void take_codes(const struct membership_plan *plan, struct record *record)
{
    struct str residence_l2 = rules_residence_l2(&record->person.profile);

    record->doctor_l1_code = or_empty(plan->after.l1_code);
    if (plan->after.member[2])
        record->doctor_l2_code = or_empty(plan->after.l2_code);
    else if (plan->handling_l2.data != NULL)
        record->doctor_l2_code = plan->handling_l2;
    if (!plan->after.member[1] && residence_l2.data != NULL)
        record->doctor_l2_code = residence_l2;
    record->l3_category = plan->after.member[3] ? or_empty(plan->after.category[3]) : STR("");
}

static void replace(struct str *field, struct str wished, bool *changed)
{
    if (wished.data == NULL || str_eq(*field, wished))
        return;
    *field = wished;
    *changed = true;
}

/* True when a name changes. */
static bool take_wishes(const struct wishes *wishes, struct profile *profile)
{
    bool name = false, other = false;

    replace(&profile->name, wishes->name, &name);
    replace(&profile->name_kana, wishes->name_kana, &name);
    replace(&profile->former_name, wishes->former_name, &name);
    replace(&profile->former_name_kana, wishes->former_name_kana, &name);
    replace(&profile->workplace_name, wishes->workplace_name, &other);
    replace(&profile->workplace_postcode, wishes->workplace_postcode, &other);
    replace(&profile->workplace_address, wishes->workplace_address, &other);
    replace(&profile->phone, wishes->phone, &other);
    return name;
}

bool apply_wishes(struct registration *registration, struct db_batch *batch, struct record *record,
                  const struct wishes *wishes, const char *trace)
{
    const int64_t now_us = clock_now_us();
    bool renamed = take_wishes(wishes, &record->person.profile);

    if (renamed)
        store_keep_names(batch, record, now_us);
    store_member(batch, record, now_us);
    record->doctor_version++;
    tell_doctor(registration, batch, record, trace);
    return renamed;
}

void apply_account(struct registration *registration, struct db_batch *batch, struct record *record,
                   const char *trace)
{
    store_member_account(batch, record, clock_now_us());
    record->version++;
    tell_account(registration, batch, record, trace);
}

void apply_procedure(struct registration *registration, struct db_batch *batch,
                     struct procedure_case *found, const char *trace)
{
    struct stored *stored = &found->stored;
    struct procedure *procedure = &stored->procedure;
    struct record *record = &found->record;
    struct membership_plan *plan = arena_new_of(db_batch_arena(batch), struct membership_plan);
    const struct procedure_request reach = {.move = MOVE_REACH};
    struct procedure_step step = {
        .action = "reach", .from = procedure->stage, .now_us = clock_now_us()};
    bool has_account = record->version > 0;
    bool renamed;

    membership_plan(procedure, &stored->wishes, found->rows, found->row_count, plan);
    store_memberships(batch, record->person.doctor_id, procedure, plan);
    take_codes(plan, record);
    if (procedure->kind == PROCEDURE_DEATH)
        record->person.my_page = STR("closed");
    if (procedure->kind == PROCEDURE_DEATH || procedure->kind == PROCEDURE_REVOCATION)
        store_cancel_others(batch, procedure, step.now_us);
    renamed = apply_wishes(registration, batch, record, &stored->wishes, trace);
    if (has_account && procedure->kind == PROCEDURE_DEATH) {
        record->person.state = STR("closed");
        apply_account(registration, batch, record, trace);
    } else if (has_account && renamed) {
        record->person.account_name = record->person.profile.name;
        apply_account(registration, batch, record, trace);
    }
    if (procedure->stage == STAGE_DONE)
        must(procedure_act(procedure, &reach) == CODE_NONE);
    stored->applied_on = plan->on;
    store_update_procedure(batch, stored, &step);
    tell_state(registration, batch, stored, "reach", 0, trace);
}
