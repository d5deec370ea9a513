/* procedure_file: a procedure is filed, by the doctor or by an office that got a paper. */
#include "gen/events.h"
#include "registration/procedure.h"

enum step { STEP_FIND, STEP_READ, STEP_DECIDE };

struct job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    struct event_procedure_submit event;
    struct db_query *doctor;
    struct procedure_case found;
    struct filing filing;
    struct procedure procedure;
};

static struct wishes wishes_of(const struct event_procedure_submit *event)
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
    const struct procedure_case *found = &job->found;
    struct uuid open_id;

    job->filing.depth = event->has_depth ? (int)event->depth : 0;
    job->filing.l1_code = event->l1_code;
    job->filing.l1_home = case_home(found);
    job->filing.at_target = event->l1_code.data != NULL && is_at(found, event->l1_code);
    job->filing.effective_on = event->effective_on;
    job->filing.reason = event->reason;
    job->filing.wishes = wishes_of(event);
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
        case_open(&job->found, procedure_family(job->filing.kind), &open_id)) {
        uuid_format(open_id, id);
        extra = extra != NULL ? extra : json_object();
        must(json_object_set_new(extra, "procedure_id", json_string(id)) == 0);
    }
    tell_refused(job->registration, job->batch, job->event.operation_id, verdict->refusal, extra);
}

static void record(struct job *job)
{
    struct arena *arena = job->batch->arena;
    const struct procedure_case *found = &job->found;
    struct stored stored = {
        .procedure = job->procedure,
        .wishes = job->filing.wishes,
        .before = wishes_before(arena, &job->filing.wishes, &found->record, &found->standing),
        .filed_role = job->event.role,
        .filed_reason = job->event.reason,
        .loses_insurance = wishes_lose_insurance(&job->filing.wishes, &found->standing),
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
    store_insert_procedure(job->batch->effect, &stored, &step);
    tell_state(job->registration, job->batch->effect, &stored, "submit",
               job->filing.actor.office.layer, job->batch->messages[0].trace);
}

static void decide(struct job *job)
{
    struct filing_verdict verdict;

    case_take(&job->found, job->event.procedure_id);
    /* The same command under another event id: it is there. */
    if (!job->found.stored_found) {
        fill_filing(job);
        filing_check(&job->filing, &verdict, &job->procedure);
        if (verdict.refusal != CODE_NONE) {
            refuse(job, &verdict);
            return;
        }
        record(job);
    }
    tell_done(job->registration, job->batch, job->event.operation_id, job->event.procedure_id);
}

static void nobody(struct job *job)
{
    bool office = job->filing.actor.office.layer > 0;
    const struct filing_verdict verdict = {
        .refusal = office ? CODE_DOCTOR_NOT_FOUND : CODE_NOT_FOUND,
        .pointer = office ? "/register_no" : NULL,
    };

    refuse(job, &verdict);
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);
    struct db_batch *batch;

    switch ((enum step)flow->step) {
    case STEP_FIND:
        batch = db_batch_read(job->batch->arena);
        job->doctor = case_find_doctor(batch, job->filing.actor.doctor_id, job->event.register_no,
                                       job->event.birth_on);
        flow_wait(flow, STEP_READ);
        db_run(job->registration->db, batch, PROCEDURE_READ_MS, flow);
        return;
    case STEP_READ:
        if (db_rows(job->doctor) != 1) {
            nobody(job);
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, STEP_DECIDE);
        case_read(job->registration, job->batch->arena, db_get_i64(job->doctor, 0, 0),
                  job->event.procedure_id, job->event.l1_code, &job->found, flow);
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
    struct event_procedure_submit *event = &job->event;
    enum err err;

    TRY(event_procedure_submit_decode(job->batch->arena, job->batch->messages[0].data, event,
                                      note));
    if (!procedure_kind_parse(event->kind, &job->filing.kind))
        return err_say(note, ERR_SCHEMA, "kind");
    job->filing.actor = (struct actor){
        .role = event->role,
        .account_id = event->account_id,
        .doctor_id = event->has_doctor_id ? event->doctor_id : 0,
        .office = office_of_role(event->role, event->actor_l1, event->actor_l2),
    };
cleanup:
    return err;
}

void procedure_file_handle(void *service, struct work_batch *batch)
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
