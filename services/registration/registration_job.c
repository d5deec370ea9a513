/* registration_job: see registration_job.h. */
#include "registration/registration_job.h"
#include "gen/events.h"

void registration_job_begin(struct registration *registration, struct work_batch *batch,
                            enum err taken, const struct registration_flow *steps,
                            struct flow *flow)
{
    if (taken != ERR_OK) {
        flow_resume(batch->flow, taken);
        return;
    }
    registration->figures.commands++;
    flow_init(flow, batch->flow->loop, steps->run, steps->done, batch->messages[0].trace);
    flow_start(flow, 0);
}

enum step { STEP_FIND, STEP_RECORD };

static void job_run(struct flow *flow)
{
    struct registration_job *job = FLOW_OF(flow, struct registration_job, flow);

    switch ((enum step)flow->step) {
    case STEP_FIND:
        flow_wait(flow, STEP_RECORD);
        job->kind->read(job, flow);
        return;
    case STEP_RECORD:
        job->kind->decide(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct registration_job, flow)->batch->flow);
}

void registration_job_start(void *service, struct work_batch *batch,
                            const struct registration_job_kind *kind, struct registration_job *job)
{
    static const struct registration_flow steps = {job_run, job_done};

    job->registration = service;
    job->batch = batch;
    job->message = &batch->messages[0];
    job->kind = kind;
    registration_job_begin(job->registration, batch, kind->take(job, &batch->flow->note), &steps,
                           &job->flow);
}

static json_t *text(const char *name, const char *value)
{
    json_t *object = json_object();

    must(json_object_set_new(object, name, json_string(value)) == 0);
    return object;
}

void registration_job_answer(struct registration_job *job, const struct registration_answer *answer)
{
    struct work_reply reply = {.operation_id = answer->operation_id};

    if (answer->refusal == CODE_NONE) {
        reply.result = text(answer->member, answer->value);
    } else {
        const char *limit = arena_printf(job->batch->arena, "%d", answer->limit);
        json_t *extra = json_object();

        must(json_object_set_new(extra, "params", text("limit", limit)) == 0);
        reply.err = answer->refusal == CODE_NOT_FOUND ? ERR_NOT_FOUND : ERR_STATE_CONFLICT;
        reply.problem_code = code_name(answer->refusal);
        reply.problem_extra = extra;
        job->registration->figures.refused++;
    }
    work_reply(job->registration->work, job->batch->effect, &reply, job->message->trace);
}

void registration_emit(struct registration *registration, struct work_batch *batch,
                       const char *type, struct uuid account_id, json_t *data)
{
    char key[UUID_TEXT_BYTES];

    uuid_format(account_id, key);
    const struct work_event event = {.type = type,
                                     .topic = TOPIC_ACCOUNT_EVENTS,
                                     .key = str_of(key),
                                     .subject = str_of(key),
                                     .data = data};
    (void)work_emit(registration->work, batch->effect, &event, batch->messages[0].trace);
}
