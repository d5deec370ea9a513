/* registration_correction: a request to correct data, and its answer. */
#include <string.h>

#include "gen/events.h"
#include "registration/registration_correction.h"
#include "registration/registration_job.h"

struct job {
    struct registration_job base;
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

static enum err take(struct registration_job *base, struct err_note *note)
{
    return read_command(base->batch->arena, base->message, &((struct job *)base)->command, note);
}

static void find(struct registration_job *base, struct flow *flow)
{
    struct job *job = (struct job *)base;

    store_read_correction(base->registration, base->batch->arena, &job->command, &job->read, flow);
}

static void decide(struct registration_job *base)
{
    struct job *job = (struct job *)base;
    const struct correction_facts *facts = &job->correction.facts;
    struct registration_answer answer = {
        .operation_id = job->command.operation_id,
        .member = "correction_id",
        .limit = CORRECTIONS_OPEN_MAX,
    };
    char id[UUID_TEXT_BYTES];

    store_correction(&job->read, &job->correction);
    answer.refusal = job->command.answers ? rules_answer_correction(facts, job->command.outcome)
                                          : rules_ask_correction(facts);
    if (answer.refusal == CODE_NONE) {
        store_save_correction(base->batch->effect, &job->correction, &job->command, clock_now_us());
        registration_job_emit(base, EVENT_CORRECTION_STATE, job->correction.doctor_account,
                              state_event(job));
    }
    uuid_format(job->command.correction_id, id);
    answer.value = id;
    registration_job_answer(base, &answer);
}

void registration_correction_handle(void *service, struct work_batch *batch)
{
    static const struct registration_job_kind kind = {take, find, decide};

    registration_job_start(service, batch, &kind, &arena_new_of(batch->arena, struct job)->base);
}
