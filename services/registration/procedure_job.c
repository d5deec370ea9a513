/* procedure_job: the flow that all commands about memberships have in common. */
#include "registration/procedure.h"

enum step { STEP_FIND, STEP_READ, STEP_DECIDE };

static void job_run(struct flow *flow)
{
    struct procedure_job *job = FLOW_OF(flow, struct procedure_job, flow);
    struct db_batch *batch;

    switch ((enum step)flow->step) {
    case STEP_FIND:
        batch = db_batch_read(job->batch->arena);
        job->doctor = job->kind->find(job, batch);
        flow_wait(flow, STEP_READ);
        db_run(job->registration->db, batch, PROCEDURE_READ_MS, flow);
        return;
    case STEP_READ:
        if (db_rows(job->doctor) != 1) {
            job->kind->nobody(job);
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, STEP_DECIDE);
        case_read(job->registration, job->batch->arena, db_get_i64(job->doctor, 0, 0),
                  job->procedure_id, job->l1_code, &job->found, flow);
        return;
    case STEP_DECIDE:
        case_take(&job->found, job->procedure_id);
        job->kind->decide(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct procedure_job, flow)->batch->flow);
}

void procedure_job_start(void *service, struct work_batch *batch,
                         const struct procedure_job_kind *kind, struct procedure_job *job)
{
    static const struct registration_flow steps = {job_run, job_done};

    job->registration = service;
    job->batch = batch;
    job->kind = kind;
    registration_job_begin(job->registration, batch, kind->take(job, &batch->flow->note), &steps,
                           &job->flow);
}
