/*
 * renewal_handbook: the doctor declares what stands in the paper handbook (R-OPR-06). The new
 * standing goes with it, so that the page that follows is up to date.
 */
#include <stdio.h>
#include <string.h>

#include "gen/events.h"
#include "renewal/renewal_standing.h"

enum step { STEP_READ, STEP_RECORD };

struct declare {
    struct flow flow;
    struct renewal *renewal;
    struct work_batch *batch;
    struct event_handbook_declare event;
    struct renewal_case found;
};

static void refuse(struct declare *job, enum code code, json_t *extra)
{
    renewal_refuse(job->renewal, job->batch, job->event.operation_id, code, extra);
}

/* Whoever is not the doctor, or has nothing to renew, or whose application is being looked at. */
static bool may_declare(struct declare *job)
{
    const struct renewal_case *found = &job->found;

    if (!str_eq_c(job->event.role, "doctor"))
        refuse(job, CODE_FORBIDDEN, NULL);
    else if (found->rules == NULL || !str_eq_c(found->my_page, "active"))
        refuse(job, CODE_CERTIFICATE_MISSING, NULL);
    else if (found->is_open && found->open_status != APP_RETURNED)
        refuse(job, CODE_APPLICATION_OPEN, NULL);
    else
        return true;
    return false;
}

static enum code code_of(enum handbook_fault fault)
{
    switch (fault) {
    case HANDBOOK_FINE:
        return CODE_NONE;
    case HANDBOOK_KIND:
        return CODE_HANDBOOK_KIND;
    case HANDBOOK_DATE:
        return CODE_HANDBOOK_DATE;
    case HANDBOOK_HALF_UNITS:
        return CODE_HANDBOOK_HALF_UNITS;
    }
    must(false);
    return CODE_NONE;
}

static void refuse_line(struct declare *job, size_t index, const char *field, enum code code)
{
    char pointer[40];

    (void)snprintf(pointer, sizeof(pointer), "/lines/%zu/%s", index, field);
    refuse(job, code, renewal_pointer(pointer, code));
}

/* A line without a date is taken as of the last day that it can have. */
static void line_of(const struct declare *job, size_t index, struct rules_handbook *line)
{
    const struct event_handbook_declare_line *from = &job->event.lines[index];
    const struct renewal_case *found = &job->found;

    *line = (struct rules_handbook){
        .declared_half_units = (int32_t)from->half_units,
        .verified_half_units = -1,
        .last_on = from->last_on,
    };
    (void)snprintf(line->kind, sizeof(line->kind), "%.*s", STR_ARG(from->kind));
    if (line->last_on == DAY_NONE) {
        line->last_on = found->rules->handbook_until;
        if (line->last_on > found->certificate.period.to)
            line->last_on = found->certificate.period.to;
    }
    /* What the office has seen stays seen while the line stays the same. */
    for (size_t i = 0; i < found->line_count; i++) {
        const struct rules_handbook *old = &found->lines[i];

        if (strcmp(old->kind, line->kind) == 0 && old->last_on == line->last_on &&
            old->declared_half_units == line->declared_half_units)
            line->verified_half_units = old->verified_half_units;
    }
}

static bool take_lines(struct declare *job, struct rules_handbook *lines, size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; i < job->event.lines_count; i++) {
        struct rules_handbook line;
        enum handbook_fault fault;

        line_of(job, i, &line);
        for (size_t j = 0; j < count; j++) {
            if (strcmp(lines[j].kind, line.kind) == 0) {
                refuse_line(job, i, "kind", CODE_FIELD_DUPLICATE);
                return false;
            }
        }
        fault = rules_handbook_check(job->found.rules, job->found.certificate.period, &line);
        if (fault != HANDBOOK_FINE) {
            const char *field = fault == HANDBOOK_KIND   ? "kind"
                                : fault == HANDBOOK_DATE ? "last_on"
                                                         : "half_units";
            refuse_line(job, i, field, code_of(fault));
            return false;
        }
        if (line.declared_half_units > 0)
            lines[count++] = line;
    }
    *ret_count = count;
    return true;
}

static void record(struct declare *job)
{
    struct arena *arena = job->batch->arena;
    struct db_batch *effect = job->batch->effect;
    const struct renewal_case *found = &job->found;
    struct rules_handbook *lines =
        arena_array(arena, struct rules_handbook, job->event.lines_count + 1);
    struct standing_input input = {
        .doctor_id = job->event.doctor_id,
        .mark = INT64_MIN,
        .programme = job->event.programme,
        .rules = found->rules,
        .period = found->certificate.period,
        .credits = found->standing_credits,
        .credit_count = found->credit_count,
        .lines = lines,
    };
    struct standing_rows rows;
    int64_t now_us = clock_now_us();
    char programme[8];

    if (!take_lines(job, lines, &input.line_count))
        return;
    store_mark(effect, &input.doctor_id, 1);
    store_declare(effect, input.doctor_id, input.programme, lines, input.line_count, now_us);
    standing_rows_init(&rows, arena, 1);
    standing_put(&rows, arena, &input);
    store_standings(effect, &rows, now_us);
    (void)snprintf(programme, sizeof(programme), "%.*s", STR_ARG(job->event.programme));
    renewal_answer(job->renewal, job->batch, job->event.operation_id, "programme", programme);
}

static void declare_run(struct flow *flow)
{
    struct declare *job = FLOW_OF(flow, struct declare, flow);

    switch ((enum step)flow->step) {
    case STEP_READ:
        flow_wait(flow, STEP_RECORD);
        case_read(job->renewal, job->batch->arena, job->event.doctor_id, NULL, &job->found, flow);
        return;
    case STEP_RECORD:
        case_take(job->renewal, &job->found, job->batch->arena, job->event.programme);
        if (may_declare(job))
            record(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void declare_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct declare, flow)->batch->flow);
}

void renewal_handbook_handle(void *service, struct work_batch *batch)
{
    struct declare *job = arena_new_of(batch->arena, struct declare);
    enum err err;

    job->renewal = service;
    job->batch = batch;
    err = event_handbook_declare_decode(batch->arena, batch->messages[0].data, &job->event,
                                        &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    flow_init(&job->flow, batch->flow->loop, declare_run, declare_done, batch->messages[0].trace);
    flow_start(&job->flow, STEP_READ);
}
