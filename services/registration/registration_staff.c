/*
 * registration_staff: accounts of staff: invited, suspended, restored, ended, expired. Safe to
 * repeat from any step: nothing is written before the transaction that passes the command, and the
 * account's version guards it.
 */
#include "gen/events.h"
#include "registration/registration.h"
#include "registration/registration_staff_rules.h"

enum change_step { CHANGE_READ, CHANGE_STAFF, CHANGE_DECIDE };

struct change {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    const struct work_message *message;
    struct event_staff_change event;
    enum staff_action action;
    struct store_read read;
    struct store_staff staff;
    struct record record;
};

/* ---- what both commands write ---- */

static void emit(struct registration *registration, struct work_batch *batch, const char *type,
                 struct uuid account_id, json_t *data)
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

static void emit_link(struct registration *registration, struct work_batch *batch,
                      struct uuid account_id, struct uuid link_id, struct str email,
                      int64_t expires_us)
{
    const struct event_link_issued issued = {.link_id = link_id,
                                             .purpose = STR("staff_invite"),
                                             .account_id = account_id,
                                             .email = email,
                                             .expires_at = expires_us};

    emit(registration, batch, EVENT_LINK_ISSUED, account_id, event_link_issued_encode(&issued));
}

static void answer(struct registration *registration, struct work_batch *batch,
                   struct uuid operation_id, enum code refusal, struct uuid account_id)
{
    struct work_reply reply = {.operation_id = operation_id};
    char id[UUID_TEXT_BYTES];

    if (refusal != CODE_NONE) {
        reply.err = refusal == CODE_NOT_FOUND ? ERR_NOT_FOUND : ERR_STATE_CONFLICT;
        reply.problem_code = code_name(refusal);
        registration->figures.refused++;
    } else {
        uuid_format(account_id, id);
        reply.result = json_object();
        must(json_object_set_new(reply.result, "account_id", json_string(id)) == 0);
    }
    work_reply(registration->work, batch->effect, &reply, batch->messages[0].trace);
}

/* ---- a new account ---- */

static void create(struct registration *registration, struct work_batch *batch,
                   const struct event_staff_create *event)
{
    enum role role = role_of_name(event->role);
    int64_t now_us = clock_now_us();
    struct record record = {
        .account_id = event->account_id,
        .version = 1,
        .organiser_code = role == ROLE_ORGANISER ? event->code : STR(""),
        .l1_code = role == ROLE_OFFICE_L1 ? event->code : STR(""),
        .l2_code = role == ROLE_OFFICE_L2 ? event->code : STR(""),
        .person = {.role = event->role,
                   .account_name = event->name,
                   .email = STR(""),
                   .pending_email = event->email,
                   .state = STR("active"),
                   .step = STEP_DONE},
    };
    const struct staff_row row = {.login_id = event->login_id,
                                  .administrator = event->administrator,
                                  .unused_days = (int32_t)event->unused_days,
                                  .made_by = event->actor_id};

    if (!rules_staff_may_make(role_of_name(event->actor_role), role)) {
        answer(registration, batch, event->operation_id, CODE_STAFF_ROLE, event->account_id);
        return;
    }
    store_add_staff(batch->effect, &record, &row, now_us);
    emit(registration, batch, EVENT_ACCOUNT_STATE, event->account_id, wire_account_state(&record));
    emit_link(registration, batch, event->account_id, event->link_id, event->email,
              event->link_expires_at);
    answer(registration, batch, event->operation_id, CODE_NONE, event->account_id);
}

void registration_staff_create(void *service, struct work_batch *batch)
{
    struct registration *registration = service;
    struct event_staff_create event;
    enum err err;

    TRY(event_staff_create_decode(batch->arena, batch->messages[0].data, &event,
                                  &batch->flow->note));
    registration->figures.commands++;
    create(registration, batch, &event);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- what becomes of one ---- */

static enum code decide(struct change *change, struct staff_verdict *ret_verdict)
{
    const struct event_staff_change *event = &change->event;
    const struct person *person = &change->record.person;
    struct staff_now now = {
        .state = person->state,
        .accepted = person->email_confirmed,
        .self = event->has_actor_id && uuid_eq(event->actor_id, event->account_id),
    };

    if (person->doctor_id != 0 || !store_staff_found(&change->staff, &now.expired))
        return CODE_NOT_FOUND;
    rules_staff_change(&now, change->action, ret_verdict);
    return ret_verdict->refusal;
}

static void record(struct change *change)
{
    const struct event_staff_change *event = &change->event;
    struct registration *registration = change->registration;
    struct work_batch *batch = change->batch;
    struct record *record = &change->record;
    struct staff_verdict verdict;
    enum code refusal = decide(change, &verdict);
    const struct desk desk = {
        .actor_id = event->actor_id, .role = event->actor_role, .reason = event->reason};
    int64_t now_us = clock_now_us();

    if (refusal == CODE_NONE && verdict.changed) {
        record->person.state = verdict.state;
        store_save_account(batch->effect, record,
                           arena_printf(batch->arena, "staff_%.*s", STR_ARG(event->action)),
                           event->has_actor_id ? &desk : NULL, now_us);
        store_save_staff(batch->effect, event->account_id, verdict.expired, event->reason);
        record->version++;
        emit(registration, batch, EVENT_ACCOUNT_STATE, event->account_id,
             wire_account_state(record));
    }
    if (refusal == CODE_NONE && verdict.link && event->has_link_id)
        emit_link(registration, batch, event->account_id, event->link_id,
                  record->person.pending_email, event->link_expires_at);
    answer(registration, batch, event->operation_id, refusal, event->account_id);
}

static void change_run(struct flow *flow)
{
    struct change *change = FLOW_OF(flow, struct change, flow);
    struct registration *registration = change->registration;

    switch ((enum change_step)flow->step) {
    case CHANGE_READ:
        flow_wait(flow, CHANGE_STAFF);
        store_read(registration, change->batch->arena, change->event.account_id, STR(""),
                   &change->read, flow);
        return;
    case CHANGE_STAFF:
        if (!store_record(&change->read, change->event.account_id, &change->record)) {
            answer(registration, change->batch, change->event.operation_id, CODE_NOT_FOUND,
                   change->event.account_id);
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, CHANGE_DECIDE);
        store_read_staff(registration, change->batch->arena, change->event.account_id,
                         &change->staff, flow);
        return;
    case CHANGE_DECIDE:
        record(change);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void change_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct change, flow)->batch->flow);
}

void registration_staff_change(void *service, struct work_batch *batch)
{
    static const struct registration_flow steps = {change_run, change_done};
    struct change *change = arena_new_of(batch->arena, struct change);
    enum err taken;

    change->registration = service;
    change->batch = batch;
    change->message = &batch->messages[0];
    taken = event_staff_change_decode(batch->arena, change->message->data, &change->event,
                                      &batch->flow->note);
    if (taken == ERR_OK)
        must(staff_action_parse(change->event.action, &change->action)); /* an enum of the schema */
    registration_job_begin(change->registration, batch, taken, &steps, &change->flow);
}
