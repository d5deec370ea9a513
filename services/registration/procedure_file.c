/* procedure_file: a procedure is filed, by the doctor or by an office that got a paper. */
#include "gen/events.h"
#include "registration/procedure.h"

struct job {
    struct procedure_job base;
    struct event_procedure_submit event;
    struct filing filing;
    struct procedure procedure;
};

static bool is_at(const struct procedure_case *found, struct str l1_code)
{
    for (size_t i = 0; i < found->row_count; i++) {
        const struct membership *row = &found->rows[i];

        if (row->layer == 1 && row->to == DAY_NONE && str_eq(row->code, l1_code))
            return true;
    }
    return false;
}

static void fill_filing(struct job *job)
{
    const struct event_procedure_submit *event = &job->event;
    const struct procedure_case *found = &job->base.found;
    struct uuid open_id;

    job->filing.depth = event->has_depth ? (int)event->depth : 0;
    job->filing.l1_code = event->l1_code;
    job->filing.l1_home = case_home(found);
    job->filing.at_target = event->l1_code.data != NULL && is_at(found, event->l1_code);
    job->filing.effective_on = event->effective_on;
    job->filing.reason = event->reason;
    job->filing.wishes = (struct wishes)PROCEDURE_WISHES(event);
    job->filing.open = case_open(found, procedure_family(job->filing.kind), &open_id);
    job->filing.closed = str_eq_c(found->record.person.my_page, "closed");
    job->filing.handling_l2 = found->record.doctor_l2_code;
    job->filing.standing = found->standing;
    job->filing.today = day_of_us(clock_now_us());
}

static void refuse(struct job *job, const struct filing_verdict *verdict)
{
    json_t *extra = filing_extra(verdict);
    struct uuid open_id;
    char id[UUID_TEXT_BYTES];

    if (verdict->refusal == CODE_PROCEDURE_OPEN &&
        case_open(&job->base.found, procedure_family(job->filing.kind), &open_id)) {
        uuid_format(open_id, id);
        extra = extra != NULL ? extra : json_object();
        must(json_object_set_new(extra, "procedure_id", json_string(id)) == 0);
    }
    tell_refused(job->base.registration, job->base.batch, job->event.operation_id, verdict->refusal,
                 extra);
}

static void record(struct job *job)
{
    struct arena *arena = job->base.batch->arena;
    const struct procedure_case *found = &job->base.found;
    struct stored stored = {
        .procedure = job->procedure,
        .wishes = job->filing.wishes,
        .before = wishes_before(arena, &job->filing.wishes, &found->record, &found->standing),
        .filed_role = job->event.role,
        .filed_reason = job->event.reason,
        .loses_insurance =
            filing_loses_insurance(job->procedure.kind, &job->filing.wishes, &found->standing),
        .due_on = DAY_NONE,
        .applied_on = DAY_NONE,
    };
    const struct procedure_step step = {
        .action = "submit",
        .from = STAGE_DRAFT,
        .actor = &job->filing.actor,
        .reason = job->event.reason,
        .now_us = clock_now_us(),
    };

    stored.procedure.id = job->event.procedure_id;
    stored.procedure.doctor_id = found->record.person.doctor_id;
    store_insert_procedure(job->base.batch->effect, &stored, &step);
    if (job->filing.actor.doctor_id > 0)
        store_draft_filed(job->base.batch->effect, job->filing.actor.doctor_id, job->event.kind);
    tell_state(job->base.registration, job->base.batch->effect, &stored, "submit",
               job->filing.actor.office.layer, job->base.batch->messages[0].trace);
}

static void decide(struct procedure_job *base)
{
    struct job *job = (struct job *)base;
    struct filing_verdict verdict;

    /* The same command under another event id: it is there. */
    if (!base->found.stored_found) {
        fill_filing(job);
        filing_check(&job->filing, &verdict, &job->procedure);
        if (verdict.refusal != CODE_NONE) {
            refuse(job, &verdict);
            return;
        }
        record(job);
    }
    tell_done(base);
}

static void nobody(struct procedure_job *base)
{
    bool office = base->actor.office.layer > 0;
    const struct filing_verdict verdict = {
        .refusal = office ? CODE_DOCTOR_NOT_FOUND : CODE_NOT_FOUND,
        .pointer = office ? "/register_no" : NULL,
    };

    refuse((struct job *)base, &verdict);
}

static struct db_query *find(struct procedure_job *base, struct db_batch *batch)
{
    const struct event_procedure_submit *event = &((struct job *)base)->event;

    return case_find_doctor(batch, base->actor.doctor_id, event->register_no, event->birth_on);
}

static enum err take(struct procedure_job *base, struct err_note *note)
{
    struct job *job = (struct job *)base;
    struct event_procedure_submit *event = &job->event;
    enum err err;

    TRY(event_procedure_submit_decode(base->batch->arena, base->batch->messages[0].data, event,
                                      note));
    if (!procedure_kind_parse(event->kind, &job->filing.kind))
        return err_say(note, ERR_SCHEMA, "kind");
    base->operation_id = event->operation_id;
    base->procedure_id = event->procedure_id;
    base->l1_code = event->l1_code;
    base->actor = (struct actor)PROCEDURE_ACTOR(event);
    job->filing.actor = base->actor;
cleanup:
    return err;
}

void procedure_file_handle(void *service, struct work_batch *batch)
{
    static const struct procedure_job_kind kind = {take, find, nobody, decide};

    procedure_job_start(service, batch, &kind, &arena_new_of(batch->arena, struct job)->base);
}
