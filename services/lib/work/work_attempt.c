/*
 * work_attempt: an attempt is counted before the work, so that a death is seen afterwards. Losing a
 * partition, a pause or an orderly end in the middle of it is no death and is taken back.
 */
#include <stdlib.h>

#include "work/work_private.h"

enum { UNATTEMPT_DEADLINE_MS = 1000 };

struct unattempt {
    struct flow flow;
    struct work_part *part;
    int64_t place;
    int64_t offset;
};

static void unattempt_run(struct flow *flow)
{
    struct unattempt *job = FLOW_OF(flow, struct unattempt, flow);
    struct db_batch *batch = db_batch_new(flow->arena);
    struct db_query *query = db_add(batch, &job->part->work->sql[WORK_SQL_UNATTEMPT]);

    db_text_c(query, job->part->topic);
    db_i32(query, job->part->part);
    db_i64(query, job->place);
    db_i64(query, job->offset);
    flow_wait(flow, FLOW_END);
    db_run(job->part->work->db, batch, UNATTEMPT_DEADLINE_MS, flow);
}

/* When it failed, one death too many is counted: two more have to follow before it matters. */
static void unattempt_done(struct flow *flow)
{
    struct unattempt *job = FLOW_OF(flow, struct unattempt, flow);
    struct work_part *part = job->part;

    flow_fini(flow);
    free(job);
    work_part_unuse(part);
}

void work_unattempt(struct work_part *part, int64_t place, int64_t offset)
{
    struct unattempt *job = heap_zero(sizeof(*job));

    job->part = part;
    job->place = place;
    job->offset = offset;
    part->users++;
    flow_init(&job->flow, part->work->loop, unattempt_run, unattempt_done, NULL);
    flow_start(&job->flow, 0);
}
