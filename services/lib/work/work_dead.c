/*
 * work_dead: how many dead letters of the service wait for somebody, counted now and then, and soon
 * after each that this process buries.
 */
#include "work/work_private.h"

static void count_run(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, dead);
    struct db_batch *batch = db_batch_read(flow->arena);

    work->dead_query = db_add(batch, &work->sql[WORK_SQL_DEAD]);
    flow_wait(flow, FLOW_END);
    db_run(work->db, batch, WORK_READ_DEADLINE_MS, flow);
}

static void count_done(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, dead);

    if (flow->err == ERR_OK) /* else: as it was */
        work->stats.dead_waiting = db_get_i64(work->dead_query, 0, 0);
    work_note_refused(flow, "dead");
    flow_fini(flow);
    work->counting_dead = false;
    work->flows--;
}

void work_dead_tick(struct work *work)
{
    if (work->counting_dead || clock_mono_ms() < work->dead_at_ms)
        return;
    work->dead_at_ms = clock_mono_ms() + WORK_DEAD_EVERY_MS;
    work->counting_dead = true;
    work->flows++;
    flow_init(&work->dead, work->loop, count_run, count_done, NULL);
    flow_start(&work->dead, 0);
}
