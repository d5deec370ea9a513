/* procedure_act: everything that happens to a procedure after it was filed. */
#include "gen/events.h"
#include "registration/procedure.h"

enum step { STEP_FIND, STEP_READ, STEP_DECIDE };

struct job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    struct event_procedure_act event;
    struct db_query *procedure;
    struct procedure_case found;
    struct procedure_request request;
    bool confirm; /* an automatic withdrawal was seen: no move */
};

static void refuse(struct job *job, enum code code, json_t *extra)
{
    const char *stage = procedure_stage_name(job->found.stored.procedure.stage);

    if (code == CODE_PROCEDURE_STAGE) {
        extra = json_object();
        must(json_object_set_new(extra, "stage", json_string(stage)) == 0);
    } else if (code == CODE_FIELD_MISSING && extra == NULL) {
        extra = tell_pointer(extra, "/reason", code);
    }
    tell_refused(job->registration, job->batch, job->event.operation_id, code, extra);
}

static struct wishes wishes_of(const struct event_procedure_act *event)
{
    return (struct wishes){
        .category = {[1] = event->category_l1, [2] = event->category_l2, [3] = event->category_l3},
        .name = event->name,
        .name_kana = event->name_kana,
        .former_name = event->former_name,
        .former_name_kana = event->former_name_kana,
        .workplace_name = event->workplace_name,
        .workplace_postcode = event->workplace_postcode,
        .workplace_address = event->workplace_address,
        .phone = event->phone,
    };
}

/* Corrections of what is sent again; false: they are refused. */
static bool correct(struct job *job, struct stored *stored)
{
    const struct event_procedure_act *event = &job->event;
    const struct wishes later = wishes_of(event);
    struct filing filing = {
        .kind = stored->procedure.kind,
        .effective_on =
            event->effective_on != DAY_NONE ? event->effective_on : stored->procedure.effective_on,
        .reason = event->reason.data != NULL ? event->reason : stored->filed_reason,
        .actor = job->request.actor,
        .standing = job->found.standing,
        .today = day_of_us(clock_now_us()),
    };
    struct filing_verdict verdict;

    wishes_merge(&stored->wishes, &later);
    filing.wishes = stored->wishes;
    filing_check_again(&filing, &stored->procedure, &verdict);
    if (verdict.refusal != CODE_NONE) {
        refuse(job, verdict.refusal, filing_extra(&verdict));
        return false;
    }
    stored->procedure.effective_on = filing.effective_on;
    stored->filed_reason = filing.reason;
    filing_touch(&stored->wishes, &stored->procedure);
    stored->before =
        wishes_before(job->batch->arena, &stored->wishes, &job->found.record, &job->found.standing);
    stored->loses_insurance = wishes_lose_insurance(&stored->wishes, &job->found.standing);
    return true;
}

static const char *action_of(const struct job *job)
{
    return job->confirm ? "confirm" : procedure_move_name(job->request.move);
}

static void record(struct job *job, enum procedure_stage from)
{
    struct stored *stored = &job->found.stored;
    struct db_batch *effect = job->batch->effect;
    const char *trace = job->batch->messages[0].trace;
    const struct procedure_step step = {
        .action = action_of(job),
        .from = from,
        .actor = &job->request.actor,
        .reason = job->event.reason,
        .now_us = clock_now_us(),
    };

    if (job->request.move == MOVE_RETURN || job->request.move == MOVE_REJECT)
        stored->told_reason = job->event.reason;
    store_update_procedure(effect, stored, &step);
    tell_state(job->registration, effect, stored, step.action, job->request.actor.office.layer,
               trace);
    if (apply_is_due(stored, day_of_us(step.now_us)))
        apply_procedure(job->registration, effect, &job->found, trace);
}

static void decide(struct job *job)
{
    struct stored *stored = &job->found.stored;
    enum procedure_stage from;
    enum code code;

    case_take(&job->found, job->event.procedure_id);
    if (!job->found.stored_found || !job->found.doctor_found) {
        refuse(job, CODE_NOT_FOUND, NULL);
        return;
    }
    from = stored->procedure.stage;
    code = job->confirm ? procedure_confirm(&stored->procedure, &job->request.actor)
                        : procedure_act(&stored->procedure, &job->request);
    if (code != CODE_NONE) {
        refuse(job, code, NULL);
        return;
    }
    if (!job->confirm && job->request.move == MOVE_RESUBMIT && !correct(job, stored))
        return;
    record(job, from);
    tell_done(job->registration, job->batch, job->event.operation_id, job->event.procedure_id);
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);
    struct db_batch *batch;

    switch ((enum step)flow->step) {
    case STEP_FIND:
        batch = db_batch_read(job->batch->arena);
        job->procedure = case_find_procedure(batch, job->event.procedure_id);
        flow_wait(flow, STEP_READ);
        db_run(job->registration->db, batch, PROCEDURE_READ_MS, flow);
        return;
    case STEP_READ:
        if (db_rows(job->procedure) == 0) {
            refuse(job, CODE_NOT_FOUND, NULL);
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, STEP_DECIDE);
        case_read(job->registration, job->batch->arena, db_get_i64(job->procedure, 0, 0),
                  job->event.procedure_id, STR_NONE, &job->found, flow);
        return;
    case STEP_DECIDE:
        decide(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    procedure_finish(flow, FLOW_OF(flow, struct job, flow)->batch);
}

static enum err take_event(struct job *job, struct err_note *note)
{
    struct event_procedure_act *event = &job->event;
    enum err err;

    TRY(event_procedure_act_decode(job->batch->arena, job->batch->messages[0].data, event, note));
    job->confirm = str_eq_c(event->action, "confirm");
    if (!job->confirm && !procedure_move_parse(event->action, &job->request.move))
        return err_say(note, ERR_SCHEMA, "action");
    job->request.reason = event->reason;
    job->request.actor = (struct actor){
        .role = event->role,
        .account_id = event->account_id,
        .doctor_id = event->has_doctor_id ? event->doctor_id : 0,
        .office = office_of_role(event->role, event->actor_l1, event->actor_l2),
    };
cleanup:
    return err;
}

void procedure_act_handle(void *service, struct work_batch *batch)
{
    struct registration *registration = service;
    struct job *job = arena_new_of(batch->arena, struct job);
    enum err err;

    job->registration = registration;
    job->batch = batch;
    err = take_event(job, &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    registration->figures.commands++;
    flow_init(&job->flow, batch->flow->loop, job_run, job_done, batch->messages[0].trace);
    flow_start(&job->flow, STEP_FIND);
}
