/*
 * registration_maintenance: planning, changing and ending maintenance. All its commands have one
 * key, so they come one after another; the calendar's version guards against anybody else.
 */
#include <string.h>

#include "gen/events.h"
#include "registration/registration_maintenance.h"

enum step { STEP_READ, STEP_DECIDE };

struct job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    const struct work_message *message;
    struct uuid operation_id;
    struct str actor;
    bool ends;  /* else it is planned or changed */
    bool known; /* it has to be there already */
    struct maintenance wanted;
    struct maintenance window;
    struct store_maintenance read;
    int64_t now_us;
};

static enum err take_plan(struct job *job, struct err_note *note)
{
    struct event_maintenance_plan event;
    enum err err;

    TRY(event_maintenance_plan_decode(job->batch->arena, job->message->data, &event, note));
    job->operation_id = event.operation_id;
    job->actor = event.actor;
    job->known = event.known;
    job->wanted = (struct maintenance){.window_id = event.window_id,
                                       .starts_us = event.starts_at,
                                       .ends_us = event.ends_at,
                                       .note = event.note,
                                       .note_en = event.note_en};
cleanup:
    return err;
}

static enum err take_end(struct job *job, struct err_note *note)
{
    struct event_maintenance_end event;
    enum err err;

    TRY(event_maintenance_end_decode(job->batch->arena, job->message->data, &event, note));
    job->operation_id = event.operation_id;
    job->actor = event.actor;
    job->ends = true;
    job->known = true;
    job->wanted.window_id = event.window_id;
cleanup:
    return err;
}

/* ---- the answer ---- */

static json_t *refusal_extra(struct arena *arena, const struct maintenance_verdict *verdict)
{
    json_t *extra = json_object(), *params = json_object();

    must(json_object_set_new(params, "limit",
                             json_string(arena_printf(arena, "%d", MAINTENANCE_DAYS_MAX))) == 0);
    must(json_object_set_new(extra, "params", params) == 0);
    if (verdict->pointer != NULL) {
        json_t *errors = json_array(), *item = json_object();

        must(json_object_set_new(item, "pointer", json_string(verdict->pointer)) == 0);
        must(json_object_set_new(item, "code", json_string(code_name(verdict->refusal))) == 0);
        must(json_array_append_new(errors, item) == 0);
        must(json_object_set_new(extra, "errors", errors) == 0);
    }
    return extra;
}

static void answer(struct job *job, const struct maintenance_verdict *verdict)
{
    struct work_reply reply = {.operation_id = job->operation_id};
    char id[UUID_TEXT_BYTES];

    if (verdict->refusal != CODE_NONE) {
        reply.err = ERR_STATE_CONFLICT;
        reply.problem_code = code_name(verdict->refusal);
        reply.problem_extra = refusal_extra(job->batch->arena, verdict);
        job->registration->figures.refused++;
    } else {
        uuid_format(job->window.window_id, id);
        reply.result = json_object();
        must(json_object_set_new(reply.result, "window_id", json_string(id)) == 0);
    }
    work_reply(job->registration->work, job->batch->effect, &reply, job->message->trace);
}

static void not_found(struct job *job)
{
    const struct work_reply reply = {.operation_id = job->operation_id, .err = ERR_NOT_FOUND};

    work_reply(job->registration->work, job->batch->effect, &reply, job->message->trace);
}

/* ---- deciding and recording ---- */

static void emit_state(struct job *job)
{
    const struct maintenance *window = &job->window;
    const struct event_maintenance_state data = {.window_id = window->window_id,
                                                 .version = window->version,
                                                 .starts_at = window->starts_us,
                                                 .ends_at = window->ends_us,
                                                 .note = window->note,
                                                 .called_off = window->called_off};
    char key[UUID_TEXT_BYTES];
    struct work_event event = {.type = EVENT_MAINTENANCE_STATE, .topic = TOPIC_MAINTENANCE_EVENTS};

    uuid_format(window->window_id, key);
    event.key = event.subject = str_of(key);
    event.data = event_maintenance_state_encode(&data);
    (void)work_emit(job->registration->work, job->batch->effect, &event, job->message->trace);
}

static void decide(struct job *job)
{
    struct maintenance_verdict verdict;
    const struct maintenance *others;
    size_t count;
    const char *action;

    job->window = store_maintenance_known(&job->read, job->wanted.window_id);
    if (job->known && job->window.version == 0) {
        not_found(job);
        return;
    }
    count = store_maintenance_others(&job->read, &others);
    if (job->ends)
        maintenance_rules_end(&job->window, job->now_us, &verdict);
    else
        maintenance_rules_plan(&job->window, &job->wanted, others, count, job->now_us, &verdict);
    if (verdict.changed) {
        action = job->ends ? "end" : job->window.version == 0 ? "plan" : "change";
        job->window.version++;
        store_maintenance_save(job->batch->effect, &job->read, &job->window, action, job->actor,
                               job->now_us);
        emit_state(job);
    }
    answer(job, &verdict);
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    switch ((enum step)flow->step) {
    case STEP_READ:
        job->now_us = clock_now_us();
        flow_wait(flow, STEP_DECIDE);
        store_maintenance_read(job->registration, job->batch->arena, job->wanted.window_id,
                               job->now_us, &job->read, flow);
        return;
    case STEP_DECIDE:
        decide(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct job, flow)->batch->flow);
}

void registration_maintenance_handle(void *service, struct work_batch *batch)
{
    static const struct registration_flow steps = {job_run, job_done};
    struct job *job = arena_new_of(batch->arena, struct job);
    enum err taken;

    job->registration = service;
    job->batch = batch;
    job->message = &batch->messages[0];
    taken = strcmp(job->message->type, EVENT_MAINTENANCE_END) == 0
                ? take_end(job, &batch->flow->note)
                : take_plan(job, &batch->flow->note);
    registration_job_begin(job->registration, batch, taken, &steps, &job->flow);
}
