/*
 * registration_signup: people without a postcard. What they entered waits for somebody who looks at
 * the licence; accepted, it becomes a doctor and an account whose first login begins with a mailed
 * link (domain 4.1, R-ACC-15).
 */
#include <stdio.h>

#include "domain/signup.h"
#include "gen/events.h"
#include "registration/registration.h"

enum signup_step { SIGNUP_READ, SIGNUP_DECIDE };

struct signup_job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    struct event_signup_decide event;
    struct signup_read read;
};

static void reply(struct registration *registration, struct work_batch *batch,
                  struct uuid operation_id, enum code refusal, const char *status)
{
    struct work_reply reply = {.operation_id = operation_id};

    if (refusal != CODE_NONE) {
        reply.err = ERR_STATE_CONFLICT;
        reply.problem_code = code_name(refusal);
        registration->figures.refused++;
    } else {
        reply.result = json_object();
        must(json_object_set_new(reply.result, "status", json_string(status)) == 0);
    }
    work_reply(registration->work, batch->effect, &reply, batch->messages[0].trace);
}

static void emit(struct signup_job *job, const char *type, const char *topic, const char *key,
                 json_t *data)
{
    const struct work_event event = {
        .type = type, .topic = topic, .key = str_of(key), .subject = str_of(key), .data = data};

    (void)work_emit(job->registration->work, job->batch->effect, &event,
                    job->batch->messages[0].trace);
}

/* ---- it comes in ---- */

void registration_signup_handle(void *service, struct work_batch *batch)
{
    struct registration *registration = service;
    struct event_signup_submit event;
    const char *pointer;
    enum code code;
    enum err err;

    TRY(event_signup_submit_decode(batch->arena, batch->messages[0].data, &event,
                                   &batch->flow->note));
    const struct signup entered = {.name = event.name,
                                   .name_kana = event.name_kana,
                                   .register_no = event.register_no,
                                   .birth_on = event.birth_on,
                                   .licensed_on = event.licensed_on};
    registration->figures.commands++;
    code = signup_check(&entered, day_of_us(clock_now_us()), &pointer);
    if (code == CODE_NONE)
        store_add_signup(batch->effect, &event, clock_now_us());
    reply(registration, batch, event.operation_id, code, "review");
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- it is decided on ---- */

static void refuse(struct signup_job *job, const struct signup_record *found)
{
    const struct event_signup_refused event = {.account_id = job->event.signup_id,
                                               .name = found->name,
                                               .email = found->email,
                                               .reason = job->event.reason};
    char key[UUID_TEXT_BYTES];

    uuid_format(job->event.signup_id, key);
    store_decide_signup(job->batch->effect, &job->event, "refused", clock_now_us());
    emit(job, EVENT_SIGNUP_REFUSED, TOPIC_ACCOUNT_EVENTS, key, event_signup_refused_encode(&event));
}

/* The doctor, in the version on record, and the account as they are from now on. */
static struct record accepted(const struct signup_job *job, const struct signup_record *found)
{
    struct record record = {
        .account_id = job->event.signup_id,
        .version = 1,
        .doctor_version = found->doctor_version,
        .organiser_code = STR(""),
        .l1_code = STR(""),
        .l2_code = STR(""),
        .register_no = found->register_no,
        .doctor_l1_code = found->l1_code,
        .doctor_l2_code = found->l2_code,
        .l3_category = found->l3_category,
        .person = {.role = STR("doctor"),
                   .state = STR("temp_issued"),
                   .account_name = found->name,
                   .email = found->email,
                   .email_confirmed = true,
                   .step = STEP_TERMS,
                   .doctor_id = found->doctor_id,
                   .my_page = STR("temp_issued"),
                   .mamis_no = found->mamis_no,
                   .doctor_email = found->email,
                   .profile = {.name = found->name,
                               .name_kana = found->name_kana,
                               .former_name = found->former_name,
                               .former_name_kana = found->former_name_kana}},
    };

    return record;
}

/*
 * The name on record stays in the history of names, and is the former name if that has room for
 * it: a row with it still matches (R-TXT-04).
 */
static void keep_name(struct db_batch *effect, struct record *record,
                      const struct signup_record *found, int64_t now_us)
{
    struct profile *profile = &record->person.profile;
    bool kana_same = str_eq(found->known_name_kana, found->name_kana);

    if (!found->known || (kana_same && str_eq(found->known_name, found->name)))
        return;
    store_keep_names(effect, record, now_us);
    if (kana_same || profile->former_name.len > 0 || profile->former_name_kana.len > 0)
        return;
    profile->former_name = found->known_name;
    profile->former_name_kana = found->known_name_kana;
}

static void take_in(struct signup_job *job, const struct signup_record *found)
{
    struct record record = accepted(job, found);
    const struct desk desk = {.actor_id = job->event.actor_id,
                              .role = job->event.actor_role,
                              .reason = job->event.reason,
                              .has_link = true,
                              .link_id = job->event.link_id,
                              .link_purpose = STR("first_login"),
                              .link_email = found->email,
                              .link_expires_us = job->event.link_expires_at};
    char account[UUID_TEXT_BYTES];
    char doctor[24];

    uuid_format(record.account_id, account);
    (void)snprintf(doctor, sizeof(doctor), "%lld", (long long)found->doctor_id);
    store_decide_signup(job->batch->effect, &job->event, "accepted", clock_now_us());
    keep_name(job->batch->effect, &record, found, clock_now_us());
    record.doctor_version++;
    store_accept_signup(job->batch->effect, found, &record, &desk, clock_now_us());
    emit(job, EVENT_DOCTOR_STATE, TOPIC_DOCTOR_EVENTS, doctor, wire_doctor_state(&record));
    emit(job, EVENT_ACCOUNT_STATE, TOPIC_ACCOUNT_EVENTS, account, wire_account_state(&record));
    if (job->event.has_link_id)
        emit(job, EVENT_LINK_ISSUED, TOPIC_ACCOUNT_EVENTS, account,
             wire_link_issued(&record, &desk));
}

static void decide(struct signup_job *job)
{
    const struct signup_record *found = &job->read.record;
    const struct signup_facts facts = {
        .status = found->status,
        .known = found->known,
        .has_account = found->has_account,
        .closed = found->closed,
        .birth_on_differs = found->known && found->known_birth_on != DAY_NONE &&
                            found->known_birth_on != found->birth_on,
    };
    bool accepting = str_eq_c(job->event.decision, "accept"), again;
    enum code refusal = rules_decide_signup(&facts, accepting, &again);

    if (refusal == CODE_NONE && !again) {
        if (accepting)
            take_in(job, found);
        else
            refuse(job, found);
    }
    reply(job->registration, job->batch, job->event.operation_id, refusal,
          accepting ? "accepted" : "refused");
}

static void job_run(struct flow *flow)
{
    struct signup_job *job = FLOW_OF(flow, struct signup_job, flow);

    switch ((enum signup_step)flow->step) {
    case SIGNUP_READ:
        flow_wait(flow, SIGNUP_DECIDE);
        store_read_signup(job->registration, job->batch->arena, job->event.signup_id, &job->read,
                          flow);
        return;
    case SIGNUP_DECIDE:
        if (store_signup(&job->read))
            decide(job);
        else
            reply(job->registration, job->batch, job->event.operation_id, CODE_NOT_FOUND, "");
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct signup_job, flow)->batch->flow);
}

void registration_signup_decide_handle(void *service, struct work_batch *batch)
{
    static const struct registration_flow steps = {job_run, job_done};
    struct signup_job *job = arena_new_of(batch->arena, struct signup_job);
    enum err taken;

    job->registration = service;
    job->batch = batch;
    taken = event_signup_decide_decode(batch->arena, batch->messages[0].data, &job->event,
                                       &batch->flow->note);
    registration_job_begin(job->registration, batch, taken, &steps, &job->flow);
}
