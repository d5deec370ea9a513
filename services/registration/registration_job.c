/* registration_job: see registration_job.h. */
#include "registration/registration_job.h"
#include "gen/events.h"

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
    registration_job_end(flow, FLOW_OF(flow, struct registration_job, flow)->batch);
}

void registration_job_start(void *service, struct work_batch *batch,
                            const struct registration_job_kind *kind, struct registration_job *job)
{
    enum err err;

    job->registration = service;
    job->batch = batch;
    job->message = &batch->messages[0];
    job->kind = kind;
    err = kind->take(job, &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    job->registration->figures.commands++;
    flow_init(&job->flow, batch->flow->loop, job_run, job_done, job->message->trace);
    flow_start(&job->flow, STEP_FIND);
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

void registration_job_emit(struct registration_job *job, const char *type, struct uuid account_id,
                           json_t *data)
{
    char key[UUID_TEXT_BYTES];

    uuid_format(account_id, key);
    const struct work_event event = {.type = type,
                                     .topic = TOPIC_ACCOUNT_EVENTS,
                                     .key = str_of(key),
                                     .subject = str_of(key),
                                     .data = data};
    (void)work_emit(job->registration->work, job->batch->effect, &event, job->message->trace);
}
