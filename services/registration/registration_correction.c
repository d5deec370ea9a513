/* registration_correction: a request to correct data; see registration_correction_answer.c. */
#include "registration/registration_correction.h"
#include "gen/events.h"
#include "registration/registration_job.h"

struct job {
    struct registration_job base;
    struct correction_command command;
    struct correction_read read;
    struct correction correction;
};

static enum err take(struct registration_job *base, struct err_note *note)
{
    struct job *job = (struct job *)base;
    struct event_correction_ask event;
    enum err err;

    TRY(event_correction_ask_decode(base->batch->arena, base->message->data, &event, note));
    job->command = (struct correction_command){.operation_id = event.operation_id,
                                               .account_id = event.account_id,
                                               .correction_id = event.correction_id,
                                               .field = event.field,
                                               .text = event.text,
                                               .outcome = CORRECTION_OPEN};
cleanup:
    return err;
}

static void find(struct registration_job *base, struct flow *flow)
{
    struct job *job = (struct job *)base;

    store_read_asker(base->registration, base->batch->arena, &job->command, &job->read, flow);
}

static void decide(struct registration_job *base)
{
    struct job *job = (struct job *)base;
    struct registration_answer answer = {
        .operation_id = job->command.operation_id,
        .member = "correction_id",
        .limit = CORRECTIONS_OPEN_MAX,
    };
    char id[UUID_TEXT_BYTES];

    store_correction(job->read.query, &job->correction);
    answer.refusal = rules_ask_correction(&job->correction.facts);
    if (answer.refusal == CODE_NONE) {
        store_save_correction(base->batch->effect, &job->correction, &job->command, clock_now_us());
        tell_correction(base->registration, base->batch, &job->correction, &job->command);
    }
    uuid_format(job->command.correction_id, id);
    answer.value = id;
    registration_job_answer(base, &answer);
}

void tell_correction(struct registration *registration, struct work_batch *batch,
                     const struct correction *correction, const struct correction_command *command)
{
    const struct event_correction_state event = {
        .correction_id = command->correction_id,
        .version = correction->version + 1,
        .account_id = correction->doctor_account,
        .doctor_id = correction->doctor_id,
        .name = correction->doctor_name,
        .l2_code = correction->l2_code,
        .state = str_of(correction_state_name(command->outcome)),
        .changed = correction->changed,
        .has_changed = correction->changed,
    };

    registration_emit(registration, batch, EVENT_CORRECTION_STATE, correction->doctor_account,
                      event_correction_state_encode(&event));
}

void registration_correction_handle(void *service, struct work_batch *batch)
{
    static const struct registration_job_kind kind = {take, find, decide};

    registration_job_start(service, batch, &kind, &arena_new_of(batch->arena, struct job)->base);
}
