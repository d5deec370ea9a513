/*
 * renewal_submit: the doctor applies. What the application relies on is frozen with it (R-APP-14).
 */
#include <stdio.h>

#include "gen/events.h"
#include "renewal/renewal_emit.h"
#include "renewal/renewal_standing.h"

enum step { STEP_READ, STEP_DECIDE };

struct submit {
    struct flow flow;
    struct renewal *renewal;
    struct work_batch *batch;
    struct event_application_submit event;
    struct renewal_case found;
    struct standing standing;
    day_t today;
};

static json_t *day_param(day_t day)
{
    char text[11];

    day_format(day, text);
    return renewal_param("value", text);
}

static json_t *refusal_extra(const struct submit *job, enum code code)
{
    char id[UUID_TEXT_BYTES];
    json_t *extra;

    if (code == CODE_APPLICATION_OPEN) {
        uuid_format(job->found.open_id, id);
        return renewal_param("application_id", id);
    }
    if (code == CODE_WINDOW_NOT_OPEN || code == CODE_WINDOW_CLOSED) {
        struct period window = rules_window(job->found.rules, job->found.certificate.period);

        return day_param(code == CODE_WINDOW_NOT_OPEN ? window.from : window.to);
    }
    if (code != CODE_REQUIREMENT_NOT_MET)
        return NULL;
    extra = json_object();
    must(json_object_set_new(extra, "missing",
                             standing_missing(job->found.rules, &job->standing)) == 0);
    return extra;
}

static enum code check(struct submit *job)
{
    const struct renewal_case *found = &job->found;
    struct submission submission = {
        .my_page_active = found->doctor_found && str_eq_c(found->my_page, "active"),
        .certificate_found = found->rules != NULL,
        .open = found->is_open,
        .l2_code = found->l2_code,
        .today = job->today,
        .eligible = job->standing.eligible,
    };

    if (!str_eq_c(job->event.role, "doctor"))
        return CODE_FORBIDDEN;
    if (found->rules != NULL)
        submission.window = rules_window(found->rules, found->certificate.period);
    return application_submission_check(&submission);
}

static void fill(const struct submit *job, struct cycle *cycle, struct application *out)
{
    const struct renewal_case *found = &job->found;
    bool any, unverified;

    standing_handbook(found->rules, found->certificate.period, found->lines, found->line_count,
                      &any, &unverified);
    *out = (struct application){
        .id = job->event.application_id,
        .version = 1,
        .doctor_id = job->event.doctor_id,
        .status = APP_SUBMITTED,
        .programme = job->event.programme,
        .l2_code = found->l2_code,
        .rule_set = str_of(found->rules->name),
        .cycle = str_of(cycle->name),
        .number = found->certificate.number,
        .handbook = application_handbook(any, unverified),
        .fee = found->rules->fee_yen > 0 ? FEE_AWAITED : FEE_WAIVED,
        .fee_yen = found->rules->fee_yen,
        .period = found->certificate.period,
        .needed_half_units = found->rules->needed_half_units,
        .counted_half_units = job->standing.counted_half_units,
        .eligible = job->standing.eligible,
        .depends_on_declared = job->standing.depends_on_declared,
        .return_until = DAY_NONE,
        .next = {.from = DAY_NONE, .to = DAY_NONE},
    };
}

static void record(struct submit *job)
{
    struct renewal *renewal = job->renewal;
    const struct renewal_case *found = &job->found;
    struct db_batch *effect = job->batch->effect;
    const struct actor actor = {.role = job->event.role,
                                .account_id = job->event.account_id,
                                .doctor_id = job->event.doctor_id};
    struct cycle *cycle = arena_new_of(job->batch->arena, struct cycle);
    char l2_code[OFFICE_CODE_BYTES];
    struct application application;
    struct standing_json json;
    int64_t now_us = clock_now_us();

    (void)snprintf(l2_code, sizeof(l2_code), "%.*s", STR_ARG(found->l2_code));
    cycle_for_submission(&renewal->book->calendar,
                         rule_book_cycles(renewal->book, found->rules->programme), l2_code,
                         job->today, cycle);
    fill(job, cycle, &application);
    json = standing_render(job->batch->arena, found->rules, &job->standing, found->standing_credits,
                           found->credit_count);
    store_insert_application(effect, &application, &actor, &json, now_us);
    store_snapshot(effect, application.id, found->standing_credits, found->credit_count);
    store_history(effect, application.id, 1, "submit", &actor, STR_NONE, STR("{}"), now_us);
    emit_application(renewal, job->batch, &application);
    renewal->figures.submitted++;
}

static void answer(struct submit *job)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(job->event.application_id, id);
    renewal_answer(job->renewal, job->batch, job->event.operation_id, "application_id", id);
}

static void decide(struct submit *job)
{
    struct renewal_case *found = &job->found;
    enum code code;

    case_take_application(found, job->batch->arena, job->event.doctor_id);
    case_take(job->renewal, found, job->batch->arena, job->event.programme);
    if (found->application_found) {
        answer(job); /* the same command under another event id: it is there */
        return;
    }
    if (found->rules != NULL)
        rules_standing(found->rules, found->certificate.period, found->standing_credits,
                       found->credit_count, found->lines, found->line_count, &job->standing);
    code = check(job);
    if (code != CODE_NONE) {
        renewal_refuse(job->renewal, job->batch, job->event.operation_id, code,
                       refusal_extra(job, code));
        return;
    }
    record(job);
    answer(job);
}

static void submit_run(struct flow *flow)
{
    struct submit *job = FLOW_OF(flow, struct submit, flow);

    switch ((enum step)flow->step) {
    case STEP_READ:
        flow_wait(flow, STEP_DECIDE);
        case_read(job->renewal, job->batch->arena, job->event.doctor_id, &job->event.application_id,
                  &job->found, flow);
        return;
    case STEP_DECIDE:
        decide(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void submit_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct submit, flow)->batch->flow);
}

void renewal_submit_handle(void *service, struct work_batch *batch)
{
    struct submit *job = arena_new_of(batch->arena, struct submit);
    enum err err;

    job->renewal = service;
    job->batch = batch;
    job->today = day_of_us(clock_now_us());
    err = event_application_submit_decode(batch->arena, batch->messages[0].data, &job->event,
                                          &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    flow_init(&job->flow, batch->flow->loop, submit_run, submit_done, batch->messages[0].trace);
    flow_start(&job->flow, STEP_READ);
}
