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

static void tell(struct registration *registration, struct work_batch *batch,
                 const struct delegation *delegation, enum delegate_deed deed)
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
        .state = str_of(delegation_state_name(delegation->facts.state)),
        .accepted = delegation->accepted,
        .resigned = deed == DELEGATE_RESIGN,
        .has_resigned = deed == DELEGATE_RESIGN,
        .merged = deed == DELEGATE_MERGE,
        .has_merged = deed == DELEGATE_MERGE,
    };

    registration_emit(registration, batch, EVENT_DELEGATION_STATE, delegation->doctor_account,
                      event_delegation_state_encode(&event));
}

/* ---- the transaction ---- */

static void change(struct db_batch *batch, struct delegation *delegation,
                   const struct delegate_command *command, enum delegation_state next)
{
    store_save_delegation(batch, delegation, command, next, clock_now_us());
    delegation->version++;
    delegation->facts.state = next;
    delegation->accepted = delegation->accepted || next == DELEGATION_ACTIVE;
}

void end_delegations(struct registration *registration, struct work_batch *batch,
                     const struct db_query *query, const struct merged *merged)
{
    for (size_t i = 0; i < db_rows(query); i++) {
        struct delegate_command command = {.deed = DELEGATE_MERGE, .account_id = merged->actor_id};
        struct delegate_verdict verdict;
        struct delegation delegation;

        store_standing(query, i, &delegation);
        command.delegation_id = delegation.delegation_id;
        rules_delegate(&delegation.facts, command.deed, &verdict);
        must(verdict.changed);
        change(batch->effect, &delegation, &command, verdict.next);
        tell(registration, batch, &delegation, command.deed);
    }
    store_check_delegations(batch->effect, merged->doctor_id);
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

    store_add_delegate(job->base.batch->effect, &account, now_us);
    registration_emit(job->base.registration, job->base.batch, EVENT_ACCOUNT_STATE,
                      account.account_id, wire_account_state(&account));
}

static void record(struct job *job)
{
    struct delegation *delegation = &job->delegation;

    change(job->base.batch->effect, delegation, &job->command, job->verdict.next);
    if (job->verdict.next == DELEGATION_ACTIVE && !delegation->account_there)
        add_account(job, clock_now_us());
    tell(job->base.registration, job->base.batch, delegation, job->command.deed);
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
