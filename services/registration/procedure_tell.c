/* procedure_tell: events about procedures, and answers to commands. */
#include <stdio.h>

#include "gen/events.h"
#include "registration/procedure.h"

/* ---- events ---- */

static void emit(struct registration *registration, struct db_batch *batch, const char *type,
                 const char *topic, const char *key, json_t *data, const char *trace)
{
    const struct work_event event = {
        .type = type, .topic = topic, .key = str_of(key), .subject = str_of(key), .data = data};

    (void)work_emit(registration->work, batch, &event, trace);
}

void tell_state(struct registration *registration, struct db_batch *batch,
                const struct stored *stored, const char *action, int layer, const char *trace)
{
    const struct procedure *procedure = &stored->procedure;
    struct event_procedure_state_notice notices[LAYERS];
    struct office offices[LAYERS];
    const size_t told = procedure_notices(procedure, offices);
    const struct event_procedure_state event = {
        .procedure_id = procedure->id,
        .version = procedure->version,
        .doctor_id = procedure->doctor_id,
        .kind = str_of(procedure_kind_name(procedure->kind)),
        .stage = str_of(procedure_stage_name(procedure->stage)),
        .action = str_of(action),
        .layer = layer,
        .granted = procedure->granted,
        .depth = procedure->depth,
        .effective_on = procedure->effective_on,
        .reason = stored->told_reason,
        .by_office = procedure->filed_by.layer > 0,
        .loses_insurance = stored->loses_insurance,
        .has_loses_insurance = stored->loses_insurance,
        .notices = notices,
        .notices_count = told,
    };
    char key[UUID_TEXT_BYTES];

    for (size_t i = 0; i < told; i++)
        notices[i] = (struct event_procedure_state_notice){offices[i].layer, offices[i].code};
    uuid_format(procedure->id, key);
    emit(registration, batch, EVENT_PROCEDURE_STATE, TOPIC_PROCEDURE_EVENTS, key,
         event_procedure_state_encode(&event), trace);
}

void tell_doctor(struct registration *registration, struct db_batch *batch,
                 const struct record *record, const char *trace)
{
    char key[24];

    (void)snprintf(key, sizeof(key), "%lld", (long long)record->person.doctor_id);
    emit(registration, batch, EVENT_DOCTOR_STATE, TOPIC_DOCTOR_EVENTS, key,
         wire_doctor_state(record), trace);
}

void tell_account(struct registration *registration, struct db_batch *batch,
                  const struct record *record, const char *trace)
{
    char key[UUID_TEXT_BYTES];

    uuid_format(record->account_id, key);
    emit(registration, batch, EVENT_ACCOUNT_STATE, TOPIC_ACCOUNT_EVENTS, key,
         wire_account_state(record), trace);
}

/* ---- answers ---- */

json_t *tell_param(json_t *extra, const char *name, const char *value)
{
    json_t *params;

    if (extra == NULL)
        extra = json_object();
    params = json_object_get(extra, "params");
    if (params == NULL) {
        params = json_object();
        must(json_object_set_new(extra, "params", params) == 0);
    }
    must(json_object_set_new(params, name, json_string(value)) == 0);
    return extra;
}

json_t *tell_pointer(json_t *extra, const char *pointer, enum code code)
{
    json_t *errors = json_array();
    json_t *item = json_object();

    extra = tell_param(extra, "field", pointer + 1);
    must(json_object_set_new(item, "pointer", json_string(pointer)) == 0);
    must(json_object_set_new(item, "code", json_string(code_name(code))) == 0);
    must(json_array_append_new(errors, item) == 0);
    must(json_object_set_new(extra, "errors", errors) == 0);
    return extra;
}

void tell_id(const struct procedure_job *job, const char *name, struct uuid id)
{
    struct work_reply reply = {.operation_id = job->operation_id, .result = json_object()};
    char text[UUID_TEXT_BYTES];

    uuid_format(id, text);
    must(json_object_set_new(reply.result, name, json_string(text)) == 0);
    work_reply(job->registration->work, job->batch->effect, &reply, job->batch->messages[0].trace);
}

void tell_done(const struct procedure_job *job)
{
    tell_id(job, "procedure_id", job->procedure_id);
}

void tell_refused(struct registration *registration, struct work_batch *batch,
                  struct uuid operation_id, enum code code, json_t *extra)
{
    const struct work_reply reply = {
        .operation_id = operation_id,
        .err = ERR_STATE_CONFLICT,
        .problem_code = code_name(code),
        .problem_extra = extra,
    };

    registration->figures.refused++;
    work_reply(registration->work, batch->effect, &reply, batch->messages[0].trace);
}

json_t *filing_extra(const struct filing_verdict *verdict)
{
    json_t *extra = NULL;
    char from[11], to[11];

    if (verdict->pointer != NULL)
        extra = tell_pointer(extra, verdict->pointer, verdict->refusal);
    if (verdict->refusal != CODE_EFFECTIVE_ON)
        return extra;
    day_format(verdict->latest, to);
    extra = tell_param(extra, "to", to);
    if (verdict->earliest == DAY_NONE)
        return tell_param(extra, "from", "-");
    day_format(verdict->earliest, from);
    return tell_param(extra, "from", from);
}
