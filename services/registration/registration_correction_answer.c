/*
 * registration_correction_answer: an office answers a request for correction. What it says is right
 * is written down as a decided change is (procedure_apply.c): the names before stay in their
 * history, the account's history says who and why.
 */
#include "gen/events.h"
#include "registration/procedure.h"
#include "registration/registration_correction.h"
#include "shape/shape.h"

struct job {
    struct procedure_job base;
    struct correction_command command;
    struct correction correction;
};

/* ---- what changes ---- */

/* A field with what it is and what it is to be; data NULL: nothing is said of it. */
struct change {
    const char *field;
    struct str was, is;
};

static void put(json_t *json, const char *field, struct str value)
{
    must(json_object_set_new(json, field, json_stringn(value.data, value.len)) == 0);
}

static struct str day_text(struct arena *arena, day_t day)
{
    char text[11];

    if (day == DAY_NONE)
        return STR_NONE;
    day_format(day, text);
    return arena_str(arena, str_of(text));
}

/* Fills what the answer keeps; false: everything is so already. */
static bool compare(struct job *job)
{
    struct arena *arena = job->base.batch->arena;
    struct correction *correction = &job->correction;
    const struct correction_values *values = &job->command.values;
    const struct profile *profile = &job->base.found.record.person.profile;
    const struct change changes[] = {
        {"name", profile->name, values->name},
        {"name_kana", profile->name_kana, values->name_kana},
        {"birth_on", correction->birth_on, day_text(arena, values->birth_on)},
        {"licensed_on", correction->licensed_on, day_text(arena, values->licensed_on)},
    };
    json_t *corrected = json_object(), *before = json_object();

    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        if (changes[i].is.data == NULL || str_eq(changes[i].is, changes[i].was))
            continue;
        put(corrected, changes[i].field, changes[i].is);
        put(before, changes[i].field, changes[i].was);
        correction->changed = true;
    }
    correction->corrected = shape_print(arena, corrected);
    correction->before = shape_print(arena, before);
    return correction->changed;
}

static void apply(struct job *job)
{
    struct registration *registration = job->base.registration;
    struct db_batch *effect = job->base.batch->effect;
    const char *trace = job->base.batch->messages[0].trace;
    struct record *record = &job->base.found.record;
    const struct correction_values *values = &job->command.values;
    const struct wishes wishes = {.name = values->name, .name_kana = values->name_kana};
    const struct desk desk = {.actor_id = job->command.account_id,
                              .role = job->command.role,
                              .reason = job->command.text};

    (void)apply_wishes(registration, effect, record, &wishes, trace);
    store_correct_days(effect, record->person.doctor_id, values->birth_on, values->licensed_on);
    record->person.account_name = record->person.profile.name;
    apply_account(registration, effect, record, trace);
    store_add_history(effect, record->account_id, record->version, "correction", &desk,
                      clock_now_us());
}

/* ---- the command ---- */

static void refuse(struct job *job, enum code code, const char *field)
{
    json_t *extra = NULL;

    if (field != NULL)
        extra = tell_pointer(extra, arena_printf(job->base.batch->arena, "/%s", field), code);
    tell_refused(job->base.registration, job->base.batch, job->command.operation_id, code, extra);
}

static enum code judge(struct job *job, const char **ret_field)
{
    const struct correction_command *command = &job->command;
    enum code code = rules_answer_correction(&job->correction.facts, command->outcome);

    if (code != CODE_NONE)
        return code;
    code = rules_correction_values(job->correction.field, command->outcome, &command->values,
                                   day_of_us(clock_now_us()), ret_field);
    if (code == CODE_NONE)
        *ret_field = NULL;
    return code;
}

static void decide(struct procedure_job *base)
{
    struct job *job = (struct job *)base;
    const char *field = NULL;
    enum code code;

    store_correction(base->doctor, &job->correction);
    code = judge(job, &field);
    if (code != CODE_NONE) {
        refuse(job, code, field);
        return;
    }
    if (job->command.outcome == CORRECTION_DONE && compare(job))
        apply(job);
    store_save_correction(base->batch->effect, &job->correction, &job->command, clock_now_us());
    tell_correction(base->registration, base->batch, &job->correction, &job->command);
    tell_id(base, "correction_id", job->command.correction_id);
}

static void nobody(struct procedure_job *base)
{
    refuse((struct job *)base, CODE_NOT_FOUND, NULL);
}

static struct db_query *find(struct procedure_job *base, struct db_batch *batch)
{
    return store_find_correction(batch, &((struct job *)base)->command);
}

static enum err take(struct procedure_job *base, struct err_note *note)
{
    struct job *job = (struct job *)base;
    struct event_correction_answer event;
    enum err err;

    TRY(event_correction_answer_decode(base->batch->arena, base->batch->messages[0].data, &event,
                                       note));
    base->operation_id = event.operation_id;
    job->command =
        (struct correction_command){.answers = true,
                                    .operation_id = event.operation_id,
                                    .account_id = event.account_id,
                                    .correction_id = event.correction_id,
                                    .text = event.answer,
                                    .role = event.role,
                                    .l2_code = event.l2_code.data == NULL ? STR("") : event.l2_code,
                                    .outcome = correction_state_of(event.outcome),
                                    .values = {.name = event.name,
                                               .name_kana = event.name_kana,
                                               .birth_on = event.birth_on,
                                               .licensed_on = event.licensed_on}};
cleanup:
    return err;
}

void registration_correction_answer_handle(void *service, struct work_batch *batch)
{
    static const struct procedure_job_kind kind = {take, find, nobody, decide};

    procedure_job_start(service, batch, &kind, &arena_new_of(batch->arena, struct job)->base);
}
