/*
 * registration_step: one command of an account. Safe to repeat from any step: nothing is written
 * before the transaction that passes the command, and the account's version guards it.
 */
#include <stdio.h>

#include "gen/events.h"
#include "registration/registration.h"
#include "registration/registration_reissue.h"

enum step { STEP_READ, STEP_DECIDE, STEP_RECORD };

struct job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    const struct work_message *message;
    struct command command;
    struct store_read read;
    struct store_number number;
    struct record record;
    struct verdict verdict;
};

static const char *action_name(const struct command *command)
{
    switch (command->kind) {
    case COMMAND_AGREE_TERMS:
        return "agree_terms";
    case COMMAND_SET_EMAIL:
        return "set_email";
    case COMMAND_CONFIRM_EMAIL:
        return "confirm_email";
    case COMMAND_SET_PROFILE:
        return "set_profile";
    case COMMAND_COMPLETE:
        return "complete";
    case COMMAND_DECLINE_TERMS:
        return "decline_terms";
    case COMMAND_TIME_OUT:
        return "time_out";
    case COMMAND_DESK:
        return desk_action_name(command->desk.action);
    }
    must(false);
    return "";
}

static void decide(struct job *job)
{
    struct person *person = &job->record.person;

    switch (job->command.kind) {
    case COMMAND_AGREE_TERMS:
        rules_agree_terms(person, job->command.text, &job->verdict);
        return;
    case COMMAND_SET_EMAIL:
        rules_set_email(person, job->command.text, &job->verdict);
        return;
    case COMMAND_CONFIRM_EMAIL:
        rules_confirm_email(person, job->command.text, &job->verdict);
        return;
    case COMMAND_SET_PROFILE:
        rules_set_profile(person, &job->command.profile, &job->verdict);
        job->record.doctor_l2_code = person->handling_l2;
        return;
    case COMMAND_COMPLETE:
        rules_complete(person, &job->verdict);
        return;
    case COMMAND_DECLINE_TERMS:
        rules_decline_terms(person, &job->verdict);
        return;
    case COMMAND_TIME_OUT:
        rules_time_out(person, &job->verdict);
        return;
    case COMMAND_DESK:
        rules_desk(person, job->command.desk.action, job->command.desk.link_purpose,
                   job->command.desk.link_email, &job->verdict);
        return;
    }
    must(false);
}

static json_t *refusal_extra(const struct job *job)
{
    json_t *extra = json_object();
    json_t *params = json_object();

    must(json_object_set_new(params, "next",
                             json_string(account_step_name(job->record.person.step))) == 0);
    if (job->verdict.pointer != NULL) {
        json_t *errors = json_array();
        json_t *item = json_object();

        must(json_object_set_new(item, "pointer", json_string(job->verdict.pointer)) == 0);
        must(json_object_set_new(item, "code", json_string(code_name(job->verdict.refusal))) == 0);
        must(json_array_append_new(errors, item) == 0);
        must(json_object_set_new(extra, "errors", errors) == 0);
        must(json_object_set_new(params, "field", json_string(job->verdict.field)) == 0);
        must(json_object_set_new(params, "limit", json_string("1")) == 0); /* of empty fields */
    }
    must(json_object_set_new(extra, "params", params) == 0);
    return extra;
}

static void answer(struct job *job)
{
    struct work_reply reply = {.operation_id = job->command.operation_id};

    if (job->command.kind == COMMAND_TIME_OUT)
        return;
    if (job->verdict.refusal != CODE_NONE) {
        reply.err = ERR_STATE_CONFLICT;
        reply.problem_code = code_name(job->verdict.refusal);
        reply.problem_extra = refusal_extra(job);
        job->registration->figures.refused++;
    } else {
        const char *next = account_step_name(job->record.person.step);

        reply.result = json_object();
        must(json_object_set_new(reply.result, "next", json_string(next)) == 0);
        if (job->verdict.shared_warning) {
            json_t *warnings = json_array();

            must(json_array_append_new(warnings, json_string(code_name(CODE_EMAIL_IN_USE))) == 0);
            must(json_object_set_new(reply.result, "warnings", warnings) == 0);
        }
    }
    work_reply(job->registration->work, job->batch->effect, &reply, job->message->trace);
}

static void emit(struct job *job, const char *type, const char *topic, const char *key,
                 json_t *data)
{
    const struct work_event event = {
        .type = type, .topic = topic, .key = str_of(key), .subject = str_of(key), .data = data};

    (void)work_emit(job->registration->work, job->batch->effect, &event, job->message->trace);
}

/* The postcard that an office asked for is on its way. */
static void answer_reissue(struct job *job, const char *account, int64_t now_us)
{
    const struct record *found = &job->record;
    const struct desk *desk = &job->command.desk;
    const struct reissue_answer answer = {
        .reissue_id = found->reissue_id,
        .actor_id = desk->actor_id,
        .version = found->reissue_version,
        .state = "done",
        .reason = desk->reason,
        .role = desk->role,
    };

    store_answer_reissue(job->batch->effect, &answer, now_us);
    emit(
        job, EVENT_REISSUE_STATE, TOPIC_ACCOUNT_EVENTS, account,
        wire_reissue_state(answer.reissue_id, answer.version + 1, found->reissue_l2, answer.state));
}

static void record(struct job *job)
{
    struct record *found = &job->record;
    const struct verdict *verdict = &job->verdict;
    struct db_batch *effect = job->batch->effect;
    int64_t now_us = clock_now_us();
    char account[UUID_TEXT_BYTES];
    char doctor[24];

    uuid_format(found->account_id, account);
    (void)snprintf(doctor, sizeof(doctor), "%lld", (long long)found->person.doctor_id);
    if (verdict->email_taken)
        store_take_email(effect, found);
    if (verdict->doctor_changed) {
        if (verdict->name_changed)
            store_keep_names(effect, found, now_us);
        store_save_doctor(effect, found, verdict->my_page_created, now_us);
        found->doctor_version++;
        emit(job, EVENT_DOCTOR_STATE, TOPIC_DOCTOR_EVENTS, doctor, wire_doctor_state(found));
    }
    if (verdict->account_changed || verdict->doctor_changed) {
        store_save_account(effect, found, action_name(&job->command),
                           job->command.kind == COMMAND_DESK ? &job->command.desk : NULL, now_us);
        found->version++;
        emit(job, EVENT_ACCOUNT_STATE, TOPIC_ACCOUNT_EVENTS, account, wire_account_state(found));
    }
    if (verdict->account_changed && job->command.kind == COMMAND_DESK &&
        job->command.desk.action == DESK_REISSUE && found->reissue_version > 0)
        answer_reissue(job, account, now_us);
    if (verdict->my_page_created) {
        emit(job, EVENT_MY_PAGE_CREATED, TOPIC_ACCOUNT_EVENTS, account,
             wire_my_page_created(found));
        job->registration->figures.my_pages++;
    }
    if (verdict->linked)
        emit(job, EVENT_CERTIFICATION_LINKED, TOPIC_ACCOUNT_EVENTS, account,
             wire_certification_linked(found));
    if (verdict->old_email.len > 0)
        emit(job, EVENT_EMAIL_CHANGED, TOPIC_ACCOUNT_EVENTS, account,
             wire_email_changed(found, verdict->old_email));
    if (verdict->mail_link && job->command.desk.has_link)
        emit(job, EVENT_LINK_ISSUED, TOPIC_ACCOUNT_EVENTS, account,
             wire_link_issued(found, &job->command.desk));
    answer(job);
}

static void unknown_account(struct job *job)
{
    if (job->command.kind == COMMAND_TIME_OUT)
        return;

    const struct work_reply reply = {.operation_id = job->command.operation_id,
                                     .err = ERR_NOT_FOUND};

    work_reply(job->registration->work, job->batch->effect, &reply, job->message->trace);
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    switch ((enum step)flow->step) {
    case STEP_READ:
        flow_wait(flow, STEP_DECIDE);
        store_read(job->registration, job->batch->arena, job->command.account_id,
                   job->command.kind == COMMAND_SET_EMAIL ||
                           job->command.kind == COMMAND_CONFIRM_EMAIL
                       ? job->command.text
                       : STR(""),
                   &job->read, flow);
        return;
    case STEP_DECIDE:
        if (!store_record(&job->read, job->command.account_id, &job->record)) {
            unknown_account(job);
            flow_end(flow, ERR_OK);
            return;
        }
        decide(job);
        if (job->verdict.doctor_changed && job->record.person.mamis_no.len == 0) {
            flow_wait(flow, STEP_RECORD);
            store_issue_number(job->registration, job->batch->arena, &job->number, flow);
            return;
        }
        flow_goto(flow, STEP_RECORD);
        return;
    case STEP_RECORD:
        if (job->number.query != NULL)
            job->record.person.mamis_no = store_number(&job->number);
        record(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    flow_pass_on(flow, job->batch->flow);
}

void registration_step_handle(void *service, struct work_batch *batch)
{
    static const struct registration_flow steps = {job_run, job_done};
    struct job *job = arena_new_of(batch->arena, struct job);
    enum err taken;

    job->registration = service;
    job->batch = batch;
    job->message = &batch->messages[0];
    taken = wire_command(batch->arena, job->message, &job->command, &batch->flow->note);
    registration_job_begin(job->registration, batch, taken, &steps, &job->flow);
}

void registration_step_dead(void *service, struct work_batch *batch, const char *reason)
{
    const struct registration *registration = service;
    const struct work_message *message = &batch->messages[0];
    struct work_reply reply = {.err = ERR_INTERNAL};
    const json_t *id = json_object_get(message->data, "operation_id");

    (void)reason; /* stands in the dead letter; people are told that it is our fault */
    if (uuid_parse(str_of(json_string_value(id)), &reply.operation_id))
        work_reply(registration->work, batch->effect, &reply, message->trace);
}
