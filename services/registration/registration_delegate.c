/*
 * registration_delegate: one command about a delegate. Safe to repeat from any step: nothing is
 * written before the transaction that passes the command, and the delegation's version guards it.
 */
#include <string.h>

#include "gen/events.h"
#include "registration/registration_delegate.h"

enum step { STEP_FIND, STEP_RECORD };

struct job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    const struct work_message *message;
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

enum err wire_delegate_command(struct arena *arena, const struct work_message *message,
                               struct delegate_command *ret_command, struct err_note *note)
{
    if (strcmp(message->type, EVENT_DELEGATE_INVITE) == 0)
        return read_invite(arena, message->data, ret_command, note);
    if (strcmp(message->type, EVENT_DELEGATE_ACCEPT) == 0)
        return read_accept(arena, message->data, ret_command, note);
    if (strcmp(message->type, EVENT_DELEGATE_REVOKE) == 0)
        return read_revoke(arena, message->data, ret_command, note);
    return err_say(note, ERR_VERSION_UNKNOWN, "%s", message->type);
}

json_t *wire_delegation_state(const struct delegation *delegation, enum delegation_state state)
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
    };

    return event_delegation_state_encode(&event);
}

/* ---- the transaction ---- */

static void emit(struct job *job, const char *type, struct uuid account, json_t *data)
{
    char key[UUID_TEXT_BYTES];

    uuid_format(account, key);
    const struct work_event event = {.type = type,
                                     .topic = TOPIC_ACCOUNT_EVENTS,
                                     .key = str_of(key),
                                     .subject = str_of(key),
                                     .data = data};
    (void)work_emit(job->registration->work, job->batch->effect, &event, job->message->trace);
}

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

    store_add_delegate(job->batch->effect, &account, now_us);
    emit(job, EVENT_ACCOUNT_STATE, account.account_id, wire_account_state(&account));
}

static json_t *text(const char *name, const char *value)
{
    json_t *object = json_object();

    must(json_object_set_new(object, name, json_string(value)) == 0);
    return object;
}

static void answer(struct job *job)
{
    struct work_reply reply = {.operation_id = job->command.operation_id};
    char id[UUID_TEXT_BYTES];

    uuid_format(job->command.delegation_id, id);
    if (job->verdict.refusal == CODE_NONE) {
        reply.result =
            job->command.deed == DELEGATE_ACCEPT ? text("next", "") : text("delegation_id", id);
    } else {
        const char *limit = arena_printf(job->batch->arena, "%d", (int)DELEGATES_MAX);
        json_t *extra = json_object();

        must(json_object_set_new(extra, "params", text("limit", limit)) == 0);
        reply.err = job->verdict.refusal == CODE_NOT_FOUND ? ERR_NOT_FOUND : ERR_STATE_CONFLICT;
        reply.problem_code = code_name(job->verdict.refusal);
        reply.problem_extra = extra;
        job->registration->figures.refused++;
    }
    work_reply(job->registration->work, job->batch->effect, &reply, job->message->trace);
}

static void record(struct job *job)
{
    struct delegation *delegation = &job->delegation;
    int64_t now_us = clock_now_us();

    if (job->verdict.changed) {
        store_save_delegation(job->batch->effect, delegation, &job->command, job->verdict.next,
                              now_us);
        delegation->version++;
        delegation->accepted = delegation->accepted || job->verdict.next == DELEGATION_ACTIVE;
        if (job->verdict.next == DELEGATION_ACTIVE && !delegation->account_there)
            add_account(job, now_us);
        emit(job, EVENT_DELEGATION_STATE, delegation->doctor_account,
             wire_delegation_state(delegation, job->verdict.next));
    }
    answer(job);
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    switch ((enum step)flow->step) {
    case STEP_FIND:
        flow_wait(flow, STEP_RECORD);
        store_read_delegation(job->registration, job->batch->arena, &job->command, &job->read,
                              flow);
        return;
    case STEP_RECORD:
        store_delegation(&job->read, &job->command, &job->delegation);
        rules_delegate(&job->delegation.facts, job->command.deed, &job->verdict);
        record(job);
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

void registration_delegate_handle(void *service, struct work_batch *batch)
{
    struct registration *registration = service;
    struct job *job = arena_new_of(batch->arena, struct job);
    enum err err;

    job->registration = registration;
    job->batch = batch;
    job->message = &batch->messages[0];
    err = wire_delegate_command(batch->arena, job->message, &job->command, &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    registration->figures.commands++;
    flow_init(&job->flow, batch->flow->loop, job_run, job_done, job->message->trace);
    flow_start(&job->flow, STEP_FIND);
}
