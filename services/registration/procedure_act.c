/* procedure_act: everything that happens to a procedure after it was filed. */
#include "gen/events.h"
#include "registration/procedure.h"

struct job {
    struct procedure_job base;
    struct event_procedure_act event;
    struct procedure_request request;
    bool confirm; /* an automatic withdrawal was seen: no move */
};

static void refuse(struct job *job, enum code code, json_t *extra)
{
    const char *stage = procedure_stage_name(job->base.found.stored.procedure.stage);

    if (code == CODE_PROCEDURE_STAGE) {
        extra = json_object();
        must(json_object_set_new(extra, "stage", json_string(stage)) == 0);
    } else if (code == CODE_FIELD_MISSING && extra == NULL) {
        extra = tell_pointer(extra, "/reason", code);
    }
    tell_refused(job->base.registration, job->base.batch, job->event.operation_id, code, extra);
}

/* Corrections of what is sent again; false: they are refused. */
static bool correct(struct job *job, struct stored *stored)
{
    const struct event_procedure_act *event = &job->event;
    const struct wishes later = PROCEDURE_WISHES(event);
    const struct wishes asked = stored->wishes;
    struct filing filing = {
        .kind = stored->procedure.kind,
        .effective_on =
            event->effective_on != DAY_NONE ? event->effective_on : stored->procedure.effective_on,
        .reason = event->reason.data != NULL ? event->reason : stored->filed_reason,
        .asked = &asked,
        .actor = job->request.actor,
        .standing = job->base.found.standing,
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
    stored->before = wishes_before(job->base.batch->arena, &stored->wishes, &job->base.found.record,
                                   &job->base.found.standing);
    stored->loses_insurance =
        filing_loses_insurance(filing.kind, &stored->wishes, &job->base.found.standing);
    return true;
}

static const char *action_of(const struct job *job)
{
    return job->confirm ? "confirm" : procedure_move_name(job->request.move);
}

void procedure_record(struct registration *registration, struct work_batch *batch,
                      struct procedure_case *found, const struct procedure_step *step)
{
    struct stored *stored = &found->stored;
    const char *trace = batch->messages[0].trace;

    store_update_procedure(batch->effect, stored, step);
    tell_state(registration, batch->effect, stored, step->action, step->actor->office.layer, trace);
    if (apply_is_due(stored, day_of_us(step->now_us)))
        apply_procedure(registration, batch->effect, found, trace);
}

static void record(struct job *job, enum procedure_stage from)
{
    const struct procedure_step step = {
        .action = action_of(job),
        .from = from,
        .actor = &job->request.actor,
        .reason = job->event.reason,
        .now_us = clock_now_us(),
    };

    if (job->request.move == MOVE_RETURN || job->request.move == MOVE_REJECT)
        job->base.found.stored.told_reason = job->event.reason;
    procedure_record(job->base.registration, job->base.batch, &job->base.found, &step);
}

static void decide(struct procedure_job *base)
{
    struct job *job = (struct job *)base;
    struct stored *stored = &base->found.stored;
    enum procedure_stage from;
    enum code code;

    if (!base->found.stored_found || !base->found.doctor_found) {
        refuse(job, CODE_NOT_FOUND, NULL);
        return;
    }
    from = stored->procedure.stage;
    code = job->confirm ? procedure_confirm(&stored->procedure, &base->actor)
                        : procedure_act(&stored->procedure, &job->request);
    if (code != CODE_NONE) {
        refuse(job, code, NULL);
        return;
    }
    if (!job->confirm && job->request.move == MOVE_RESUBMIT && !correct(job, stored))
        return;
    record(job, from);
    tell_done(base);
}

static void nobody(struct procedure_job *base)
{
    refuse((struct job *)base, CODE_NOT_FOUND, NULL);
}

static struct db_query *find(struct procedure_job *base, struct db_batch *batch)
{
    return case_find_procedure(batch, base->procedure_id);
}

static enum err take(struct procedure_job *base, struct err_note *note)
{
    struct job *job = (struct job *)base;
    struct event_procedure_act *event = &job->event;
    enum err err;

    TRY(event_procedure_act_decode(base->batch->arena, base->batch->messages[0].data, event, note));
    job->confirm = str_eq_c(event->action, "confirm");
    if (!job->confirm && !procedure_move_parse(event->action, &job->request.move))
        return err_say(note, ERR_SCHEMA, "action");
    base->operation_id = event->operation_id;
    base->procedure_id = event->procedure_id;
    base->actor = (struct actor)PROCEDURE_ACTOR(event);
    job->request.reason = event->reason;
    job->request.actor = base->actor;
cleanup:
    return err;
}

void procedure_act_handle(void *service, struct work_batch *batch)
{
    static const struct procedure_job_kind kind = {take, find, nobody, decide};

    procedure_job_start(service, batch, &kind, &arena_new_of(batch->arena, struct job)->base);
}
