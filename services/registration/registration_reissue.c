/* registration_reissue: new temporary credentials are asked for, or refused. */
#include <string.h>

#include "gen/events.h"
#include "registration/registration_job.h"
#include "registration/registration_reissue.h"

struct job {
    struct registration_job base;
    struct reissue_command command;
    struct reissue_read read;
};

static enum err take_ask(struct registration_job *base, struct reissue_command *out,
                         struct err_note *note)
{
    struct event_reissue_ask event;
    enum err err;

    TRY(event_reissue_ask_decode(base->batch->arena, base->message->data, &event, note));
    *out = (struct reissue_command){.asks = true,
                                    .operation_id = event.operation_id,
                                    .account_id = event.account_id,
                                    .reissue_id = event.reissue_id,
                                    .role = STR("office_l2"),
                                    .l2_code = event.l2_code,
                                    .register_no = event.register_no,
                                    .birth_on = event.birth_on,
                                    .reason = event.reason};
cleanup:
    return err;
}

static enum err take_refuse(struct registration_job *base, struct reissue_command *out,
                            struct err_note *note)
{
    struct event_reissue_refuse event;
    enum err err;

    TRY(event_reissue_refuse_decode(base->batch->arena, base->message->data, &event, note));
    *out = (struct reissue_command){.operation_id = event.operation_id,
                                    .account_id = event.account_id,
                                    .reissue_id = event.reissue_id,
                                    .role = event.role,
                                    .reason = event.reason};
cleanup:
    return err;
}

static enum err take(struct registration_job *base, struct err_note *note)
{
    struct reissue_command *command = &((struct job *)base)->command;

    if (strcmp(base->message->type, EVENT_REISSUE_ASK) == 0)
        return take_ask(base, command, note);
    if (strcmp(base->message->type, EVENT_REISSUE_REFUSE) == 0)
        return take_refuse(base, command, note);
    return err_say(note, ERR_VERSION_UNKNOWN, "%s", base->message->type);
}

static void find(struct registration_job *base, struct flow *flow)
{
    struct job *job = (struct job *)base;

    store_read_reissue(base->registration, base->batch->arena, &job->command, &job->read, flow);
}

json_t *wire_reissue_state(struct uuid reissue_id, int64_t version, struct str l2_code,
                           const char *state)
{
    const struct event_reissue_state event = {
        .reissue_id = reissue_id,
        .version = version,
        .l2_code = l2_code,
        .state = str_of(state),
    };

    return event_reissue_state_encode(&event);
}

static void record(struct job *job)
{
    const struct reissue_command *command = &job->command;
    struct db_batch *effect = job->base.batch->effect;
    const struct reissue_answer answer = {
        .reissue_id = command->reissue_id,
        .version = job->read.version,
        .state = "refused",
        .reason = command->reason,
        .actor_id = command->account_id,
        .role = command->role,
    };

    if (command->asks)
        store_ask_reissue(effect, command, &job->read, clock_now_us());
    else
        store_answer_reissue(effect, &answer, clock_now_us());
    registration_emit(job->base.registration, job->base.batch, EVENT_REISSUE_STATE,
                      job->read.account_id,
                      wire_reissue_state(command->reissue_id, job->read.version + 1,
                                         job->read.l2_code, command->asks ? "open" : answer.state));
}

static void decide(struct registration_job *base)
{
    struct job *job = (struct job *)base;
    struct registration_answer answer = {
        .operation_id = job->command.operation_id,
        .member = "reissue_id",
    };
    char id[UUID_TEXT_BYTES];

    store_reissue(&job->read);
    answer.refusal = job->command.asks ? rules_ask_reissue(&job->read.facts)
                                       : rules_refuse_reissue(&job->read.facts);
    if (answer.refusal == CODE_NONE)
        record(job);
    uuid_format(job->command.reissue_id, id);
    answer.value = id;
    registration_job_answer(base, &answer);
}

void registration_reissue_handle(void *service, struct work_batch *batch)
{
    static const struct registration_job_kind kind = {take, find, decide};

    registration_job_start(service, batch, &kind, &arena_new_of(batch->arena, struct job)->base);
}
