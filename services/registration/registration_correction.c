/*
 * registration_correction: a request to correct data, and its answer. Safe to repeat from any step:
 * nothing is written before the transaction that passes the command.
 */
#include <string.h>

#include "gen/events.h"
#include "registration/registration_correction.h"

enum step { STEP_FIND, STEP_RECORD };

struct job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    const struct work_message *message;
    struct correction_command command;
    struct correction_read read;
    struct correction correction;
};

/* ---- contracts ---- */

static enum err read_ask(struct arena *arena, json_t *data, struct correction_command *out,
                         struct err_note *note)
{
    struct event_correction_ask event;
    enum err err;

    TRY(event_correction_ask_decode(arena, data, &event, note));
    *out = (struct correction_command){.operation_id = event.operation_id,
                                       .account_id = event.account_id,
                                       .correction_id = event.correction_id,
                                       .field = event.field,
                                       .text = event.text,
                                       .outcome = CORRECTION_OPEN};
cleanup:
    return err;
}

static enum err read_answer(struct arena *arena, json_t *data, struct correction_command *out,
                            struct err_note *note)
{
    struct event_correction_answer event;
    enum err err;

    TRY(event_correction_answer_decode(arena, data, &event, note));
    *out =
        (struct correction_command){.answers = true,
                                    .operation_id = event.operation_id,
                                    .account_id = event.account_id,
                                    .correction_id = event.correction_id,
                                    .text = event.answer,
                                    .role = event.role,
                                    .l2_code = event.l2_code.data == NULL ? STR("") : event.l2_code,
                                    .outcome = correction_state_of(event.outcome)};
cleanup:
    return err;
}

static enum err read_command(struct arena *arena, const struct work_message *message,
                             struct correction_command *out, struct err_note *note)
{
    if (strcmp(message->type, EVENT_CORRECTION_ASK) == 0)
        return read_ask(arena, message->data, out, note);
    if (strcmp(message->type, EVENT_CORRECTION_ANSWER) == 0)
        return read_answer(arena, message->data, out, note);
    return err_say(note, ERR_VERSION_UNKNOWN, "%s", message->type);
}

static json_t *state_event(const struct job *job)
{
    const struct correction *correction = &job->correction;
    const struct event_correction_state event = {
        .correction_id = job->command.correction_id,
        .version = correction->version + 1,
        .account_id = correction->doctor_account,
        .doctor_id = correction->doctor_id,
        .name = correction->doctor_name,
        .l2_code = correction->l2_code,
        .state = str_of(correction_state_name(job->command.outcome)),
    };

    return event_correction_state_encode(&event);
}

/* ---- the transaction ---- */

static void record(struct job *job)
{
    struct db_batch *effect = job->batch->effect;
    char key[UUID_TEXT_BYTES];

    store_save_correction(effect, &job->correction, &job->command, clock_now_us());
    uuid_format(job->correction.doctor_account, key);
    const struct work_event event = {.type = EVENT_CORRECTION_STATE,
                                     .topic = TOPIC_ACCOUNT_EVENTS,
                                     .key = str_of(key),
                                     .subject = str_of(key),
                                     .data = state_event(job)};
    (void)work_emit(job->registration->work, effect, &event, job->message->trace);
}

static json_t *text(const char *name, const char *value)
{
    json_t *object = json_object();

    must(json_object_set_new(object, name, json_string(value)) == 0);
    return object;
}

static void answer(struct job *job, enum code refusal)
{
    struct work_reply reply = {.operation_id = job->command.operation_id};
    char id[UUID_TEXT_BYTES];

    uuid_format(job->command.correction_id, id);
    if (refusal == CODE_NONE) {
        reply.result = text("correction_id", id);
    } else {
        const char *limit = arena_printf(job->batch->arena, "%d", (int)CORRECTIONS_OPEN_MAX);
        json_t *extra = json_object();

        must(json_object_set_new(extra, "params", text("limit", limit)) == 0);
        reply.err = refusal == CODE_NOT_FOUND ? ERR_NOT_FOUND : ERR_STATE_CONFLICT;
        reply.problem_code = code_name(refusal);
        reply.problem_extra = extra;
        job->registration->figures.refused++;
    }
    work_reply(job->registration->work, job->batch->effect, &reply, job->message->trace);
}

static void decide(struct job *job)
{
    const struct correction_facts *facts = &job->correction.facts;
    enum code refusal = job->command.answers ? rules_answer_correction(facts, job->command.outcome)
                                             : rules_ask_correction(facts);

    if (refusal == CODE_NONE)
        record(job);
    answer(job, refusal);
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    switch ((enum step)flow->step) {
    case STEP_FIND:
        flow_wait(flow, STEP_RECORD);
        store_read_correction(job->registration, job->batch->arena, &job->command, &job->read,
                              flow);
        return;
    case STEP_RECORD:
        store_correction(&job->read, &job->correction);
        decide(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    registration_job_end(flow, job->batch);
}

void registration_correction_handle(void *service, struct work_batch *batch)
{
    struct registration *registration = service;
    struct job *job = arena_new_of(batch->arena, struct job);
    enum err err;

    job->registration = registration;
    job->batch = batch;
    job->message = &batch->messages[0];
    err = read_command(batch->arena, job->message, &job->command, &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    registration->figures.commands++;
    flow_init(&job->flow, batch->flow->loop, job_run, job_done, job->message->trace);
    flow_start(&job->flow, STEP_FIND);
}
