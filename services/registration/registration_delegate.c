/* registration_delegate: one command about a delegate; the delegation's version guards it. */
#include <string.h>

#include "gen/events.h"
#include "registration/registration_delegate.h"
#include "registration/registration_job.h"

struct job {
    struct registration_job base;
    struct delegate_command command;
    struct delegate_read read;
    struct delegation delegation;
    struct delegate_verdict verdict;
};

/* ---- contracts ---- */

static enum err read_invite(struct arena *arena, json_t *data, struct delegate_command *out,
                            struct err_note *note)
{
    struct event_delegate_invite event;
    enum err err;

    TRY(event_delegate_invite_decode(arena, data, &event, note));
    *out = (struct delegate_command){.deed = DELEGATE_INVITE,
                                     .operation_id = event.operation_id,
                                     .account_id = event.account_id,
                                     .delegation_id = event.delegation_id,
                                     .delegate_id = event.delegate_id,
                                     .name = event.name,
                                     .email = event.email};
cleanup:
    return err;
}

static enum err read_accept(struct arena *arena, json_t *data, struct delegate_command *out,
                            struct err_note *note)
{
    struct event_delegate_accept event;
    enum err err;

    TRY(event_delegate_accept_decode(arena, data, &event, note));
    *out = (struct delegate_command){.deed = DELEGATE_ACCEPT,
                                     .operation_id = event.operation_id,
                                     .account_id = event.account_id,
                                     .delegation_id = event.delegation_id};
cleanup:
    return err;
}

static enum err read_revoke(struct arena *arena, json_t *data, struct delegate_command *out,
                            struct err_note *note)
{
    struct event_delegate_revoke event;
    enum err err;

    TRY(event_delegate_revoke_decode(arena, data, &event, note));
    *out = (struct delegate_command){.deed = DELEGATE_REVOKE,
                                     .operation_id = event.operation_id,
                                     .account_id = event.account_id,
                                     .delegation_id = event.delegation_id};
cleanup:
    return err;
}

static enum err read_resign(struct arena *arena, json_t *data, struct delegate_command *out,
                            struct err_note *note)
{
    struct event_delegate_resign event;
    enum err err;

    TRY(event_delegate_resign_decode(arena, data, &event, note));
    *out = (struct delegate_command){.deed = DELEGATE_RESIGN,
                                     .operation_id = event.operation_id,
                                     .account_id = event.account_id,
                                     .delegation_id = event.delegation_id};
cleanup:
    return err;
}

enum err wire_delegate_command(struct arena *arena, const struct work_message *message,
                               struct delegate_command *ret_command, struct err_note *note)
{
    if (strcmp(message->type, EVENT_DELEGATE_INVITE) == 0)
        return read_invite(arena, message->data, ret_command, note);
    if (strcmp(message->type, EVENT_DELEGATE_ACCEPT) == 0)
        return read_accept(arena, message->data, ret_command, note);
    if (strcmp(message->type, EVENT_DELEGATE_REVOKE) == 0)
        return read_revoke(arena, message->data, ret_command, note);
    if (strcmp(message->type, EVENT_DELEGATE_RESIGN) == 0)
        return read_resign(arena, message->data, ret_command, note);
    return err_say(note, ERR_VERSION_UNKNOWN, "%s", message->type);
}

json_t *wire_delegation_state(const struct delegation *delegation, enum delegation_state state,
                              bool resigned)
{
    const struct event_delegation_state event = {
        .delegation_id = delegation->delegation_id,
        .version = delegation->version,
        .account_id = delegation->doctor_account,
        .doctor_id = delegation->doctor_id,
        .doctor_name = delegation->doctor_name,
        .delegate_id = delegation->delegate_id,
        .name = delegation->name,
        .email = delegation->email,
        .state = str_of(delegation_state_name(state)),
        .accepted = delegation->accepted,
        .resigned = resigned,
        .has_resigned = resigned,
    };

    return event_delegation_state_encode(&event);
}

/* ---- the transaction ---- */

/* The account follows from the address, which the link has proved to be the person's. */
static void add_account(struct job *job, int64_t now_us)
{
    const struct delegation *delegation = &job->delegation;
    const struct record account = {
        .account_id = delegation->delegate_id,
        .version = 1,
        .person = {.role = STR("delegate"),
                   .state = STR("active"),
                   .account_name = delegation->name,
                   .email = delegation->email,
                   .email_confirmed = true,
                   .step = STEP_DONE},
    };

    store_add_delegate(job->base.batch->effect, &account, now_us);
    registration_job_emit(&job->base, EVENT_ACCOUNT_STATE, account.account_id,
                          wire_account_state(&account));
}

static void record(struct job *job)
{
    struct delegation *delegation = &job->delegation;
    int64_t now_us = clock_now_us();

    store_save_delegation(job->base.batch->effect, delegation, &job->command, job->verdict.next,
                          now_us);
    delegation->version++;
    delegation->accepted = delegation->accepted || job->verdict.next == DELEGATION_ACTIVE;
    if (job->verdict.next == DELEGATION_ACTIVE && !delegation->account_there)
        add_account(job, now_us);
    registration_job_emit(
        &job->base, EVENT_DELEGATION_STATE, delegation->doctor_account,
        wire_delegation_state(delegation, job->verdict.next, job->command.deed == DELEGATE_RESIGN));
}

static enum err take(struct registration_job *base, struct err_note *note)
{
    return wire_delegate_command(base->batch->arena, base->message, &((struct job *)base)->command,
                                 note);
}

static void find(struct registration_job *base, struct flow *flow)
{
    struct job *job = (struct job *)base;

    store_read_delegation(base->registration, base->batch->arena, &job->command, &job->read, flow);
}

static void decide(struct registration_job *base)
{
    struct job *job = (struct job *)base;
    /* Only the doctor is shown the delegation. */
    bool shown = job->command.deed == DELEGATE_INVITE || job->command.deed == DELEGATE_REVOKE;
    char id[UUID_TEXT_BYTES];

    store_delegation(&job->read, &job->command, &job->delegation);
    rules_delegate(&job->delegation.facts, job->command.deed, &job->verdict);
    if (job->verdict.changed)
        record(job);
    uuid_format(job->command.delegation_id, id);
    const struct registration_answer answer = {
        .operation_id = job->command.operation_id,
        .refusal = job->verdict.refusal,
        .member = shown ? "delegation_id" : "next",
        .value = shown ? id : "",
        .limit = DELEGATES_MAX,
    };
    registration_job_answer(base, &answer);
}

void registration_delegate_handle(void *service, struct work_batch *batch)
{
    static const struct registration_job_kind kind = {take, find, decide};

    registration_job_start(service, batch, &kind, &arena_new_of(batch->arena, struct job)->base);
}
