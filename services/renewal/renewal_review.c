/*
 * renewal_review: everything that happens to an application after it was sent. Every action counts
 * again what the application relies on, so that a credit cancelled or a handbook corrected since
 * is never overlooked (edges 46-48).
 */
#include <stdio.h>
#include <string.h>

#include "gen/events.h"
#include "renewal/renewal_emit.h"
#include "renewal/renewal_standing.h"

enum step { STEP_READ, STEP_DECIDE };

struct review {
    struct flow flow;
    struct renewal *renewal;
    struct work_batch *batch;
    struct event_application_review event;
    struct app_request request;
    struct renewal_case found;
    struct application applied; /* as it becomes */
    const struct rule_set *rules;
    struct rules_credit *credits; /* what it relies on after the action */
    size_t credit_count;
    struct standing standing;
    bool certificate_moved; /* another period than the application's is the newest */
    struct cycle cycle;
};

static const struct rule_set *rules_named(const struct rule_book *book, struct str name)
{
    for (size_t i = 0; i < book->set_count; i++) {
        if (str_eq_c(name, book->sets[i].name))
            return &book->sets[i];
    }
    return NULL;
}

/* The office enters what the handbook shows; a declared kind that it does not name shows nothing.
 */
static void verify_lines(struct review *job)
{
    for (size_t i = 0; i < job->found.line_count; i++) {
        struct rules_handbook *line = &job->found.lines[i];

        line->verified_half_units = 0;
        for (size_t j = 0; j < job->event.lines_count; j++) {
            if (str_eq_c(job->event.lines[j].kind, line->kind))
                line->verified_half_units = (int32_t)job->event.lines[j].half_units;
        }
    }
}

/* Index of a line that is not declared or no whole number of units; lines_count: all are fine. */
static size_t bad_line(const struct review *job, enum code *ret_code)
{
    for (size_t i = 0; i < job->event.lines_count; i++) {
        const struct event_application_review_line *line = &job->event.lines[i];
        bool known = false;

        for (size_t j = 0; j < job->found.line_count; j++)
            known = known || str_eq_c(line->kind, job->found.lines[j].kind);
        *ret_code = known ? CODE_HANDBOOK_HALF_UNITS : CODE_HANDBOOK_KIND;
        if (!known || line->half_units % job->rules->step_half_units != 0)
            return i;
    }
    return job->event.lines_count;
}

/* Sending it again takes today's credits; all else stays with the snapshot (R-APP-14). */
static void count_again(struct review *job)
{
    const struct renewal_case *found = &job->found;
    bool resubmit = job->request.action == ACTION_RESUBMIT;

    job->credits = resubmit ? found->standing_credits : found->snapshot_credits;
    job->credit_count = resubmit ? found->credit_count : found->snapshot_count;
    rules_standing(job->rules, found->applied.period, job->credits, job->credit_count, found->lines,
                   found->line_count, &job->standing);
    job->request.eligible = job->standing.eligible;
    job->request.depends_on_declared = job->standing.depends_on_declared;
    standing_handbook(job->rules, found->applied.period, found->lines, found->line_count,
                      &job->request.declared_any, &job->request.unverified_any);
    /* The certificate the application is about has to be the newest one still. */
    job->certificate_moved = !found->certificate.found ||
                             found->certificate.period.from != found->applied.period.from ||
                             found->certificate.period.to != found->applied.period.to;
}

static void set_cycle(struct review *job)
{
    const struct rule_book *book = job->renewal->book;
    const struct cycle_rules *cycles = rule_book_cycles(book, job->rules->programme);
    char l2_code[OFFICE_CODE_BYTES];
    char name[CYCLE_NAME_BYTES];

    (void)snprintf(l2_code, sizeof(l2_code), "%.*s", STR_ARG(job->applied.l2_code));
    (void)snprintf(name, sizeof(name), "%.*s", STR_ARG(job->applied.cycle));
    if (job->request.action == ACTION_FORWARD)
        cycle_for_forward(&book->calendar, cycles, l2_code, name, job->request.today, &job->cycle);
    else if (job->request.action == ACTION_RESUBMIT)
        cycle_for_submission(&book->calendar, cycles, l2_code, job->request.today, &job->cycle);
    else
        return;
    job->applied.cycle = str_of(job->cycle.name);
}

static void refuse(struct review *job, enum code code)
{
    json_t *extra = NULL;

    if (code == CODE_APPLICATION_STATE) {
        extra = renewal_param("value", app_status_name(job->found.applied.status));
    } else if (code == CODE_REQUIREMENT_NOT_MET) {
        extra = json_object();
        must(json_object_set_new(extra, "missing", standing_missing(job->rules, &job->standing)) ==
             0);
    } else if (code == CODE_RETURN_UNTIL_PAST) {
        extra = renewal_pointer("/until", code);
    } else if (code == CODE_FIELD_MISSING) {
        extra = renewal_pointer(job->request.reason.len == 0 ? "/reason" : "/until", code);
    }
    renewal_refuse(job->renewal, job->batch, job->event.operation_id, code, extra);
}

static bool lines_are_fine(struct review *job)
{
    enum code code = CODE_NONE;
    size_t bad = job->event.lines_count;
    char pointer[40];

    if (job->request.action == ACTION_VERIFY_HANDBOOK)
        bad = bad_line(job, &code);
    if (bad == job->event.lines_count)
        return true;
    (void)snprintf(pointer, sizeof(pointer), "/lines/%zu/%s", bad,
                   code == CODE_HANDBOOK_KIND ? "kind" : "half_units");
    renewal_refuse(job->renewal, job->batch, job->event.operation_id, code,
                   renewal_pointer(pointer, code));
    return false;
}

/* R-OPR-09, R-CRT-04: the period after the old one, under the same number. */
static void renew(struct review *job)
{
    struct certificate certificate = job->found.certificate;
    struct application *application = &job->applied;
    struct db_batch *effect = job->batch->effect;

    application->next = rules_next_period(job->rules, application->period);
    store_mark(effect, &application->doctor_id, 1);
    store_renew(effect, application->doctor_id, application->programme, certificate.version,
                application->next);
    certificate.version++;
    certificate.period = application->next;
    emit_certificate(job->renewal, job->batch, application->doctor_id, application->programme,
                     &certificate);
    job->renewal->figures.approved++;
}

/* What was entered, for the history. */
static struct str history_detail(struct review *job)
{
    struct arena *arena = job->batch->arena;

    if (job->request.action == ACTION_SET_FEE)
        return str_of(arena_printf(arena, "{\"fee\":\"%s\"}", app_fee_name(job->applied.fee)));
    if (job->request.action == ACTION_VERIFY_HANDBOOK)
        return str_of(
            arena_printf(arena, "{\"counted_half_units\":%d}", job->standing.counted_half_units));
    return STR("{}");
}

static void record(struct review *job, const struct app_verdict *verdict)
{
    struct arena *arena = job->batch->arena;
    struct db_batch *effect = job->batch->effect;
    struct application *application = &job->applied;
    const struct renewal_case *found = &job->found;
    struct standing_json json =
        standing_render(arena, job->rules, &job->standing, job->credits, job->credit_count);
    int64_t now_us = clock_now_us();

    application->counted_half_units = job->standing.counted_half_units;
    set_cycle(job);
    if (job->request.action == ACTION_APPROVE)
        renew(job);
    store_update_application(effect, application, &json, now_us);
    application->version++;
    store_history(effect, application->id, application->version,
                  app_action_name(job->request.action), &job->request.actor, job->request.reason,
                  history_detail(job), now_us);
    if (job->request.action == ACTION_RESUBMIT)
        store_snapshot(effect, application->id, job->credits, job->credit_count);
    if (job->request.action == ACTION_VERIFY_HANDBOOK) {
        store_mark(effect, &application->doctor_id, 1);
        store_verify(effect, application->doctor_id, application->programme, found->lines,
                     found->line_count, now_us);
    }
    if (verdict->status_changed)
        emit_application(job->renewal, job->batch, application);
}

static void decide(struct review *job)
{
    struct renewal_case *found = &job->found;
    struct app_verdict verdict;
    char id[UUID_TEXT_BYTES];

    case_take_application(found, job->batch->arena, job->event.doctor_id);
    if (found->application_found)
        job->rules = rules_named(job->renewal->book, found->applied.rule_set);
    if (!found->application_found || job->rules == NULL) {
        refuse(job, CODE_NOT_FOUND);
        return;
    }
    case_take(job->renewal, found, job->batch->arena, found->applied.programme);
    if (job->request.action == ACTION_VERIFY_HANDBOOK)
        verify_lines(job);
    count_again(job);
    job->applied = found->applied;
    application_act(&job->applied, &job->request, &verdict);
    if (verdict.refusal == CODE_NONE && job->request.action == ACTION_APPROVE &&
        job->certificate_moved)
        verdict.refusal = CODE_STATE_CONFLICT;
    if (verdict.refusal != CODE_NONE) {
        refuse(job, verdict.refusal);
        return;
    }
    if (!lines_are_fine(job))
        return;
    record(job, &verdict);
    uuid_format(job->event.application_id, id);
    renewal_answer(job->renewal, job->batch, job->event.operation_id, "application_id", id);
}

static void review_run(struct flow *flow)
{
    struct review *job = FLOW_OF(flow, struct review, flow);

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

static void review_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct review, flow)->batch->flow);
}

static enum err take_event(struct review *job, struct err_note *note)
{
    const struct event_application_review *event = &job->event;
    struct app_request *request = &job->request;
    enum err err;

    TRY(event_application_review_decode(job->batch->arena, job->batch->messages[0].data,
                                        &job->event, note));
    request->actor = (struct actor){.role = event->role,
                                    .account_id = event->account_id,
                                    .doctor_id = event->doctor_id,
                                    .l2_code = event->l2_code};
    request->reason = event->reason;
    request->until = event->until;
    request->today = day_of_us(clock_now_us());
    if (!app_action_parse(event->action, &request->action))
        return err_say(note, ERR_SCHEMA, "action");
    if (request->action == ACTION_SET_FEE && !app_fee_parse(event->fee, &request->fee))
        return err_say(note, ERR_SCHEMA, "fee");
cleanup:
    return err;
}

void renewal_review_handle(void *service, struct work_batch *batch)
{
    struct review *job = arena_new_of(batch->arena, struct review);
    enum err err;

    job->renewal = service;
    job->batch = batch;
    err = take_event(job, &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    flow_init(&job->flow, batch->flow->loop, review_run, review_done, batch->messages[0].trace);
    flow_start(&job->flow, STEP_READ);
}
