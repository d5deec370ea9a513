/*
 * work_pause: topics that are not to be read now, because `mamisctl replay` works on them.
 */
#include "work/work_private.h"

static bool is_paused(const struct db_query *query, const char *topic)
{
    for (size_t row = 0; row < db_rows(query); row++)
        if (str_eq_c(db_get_text(query, row, 0), topic))
            return true;
    return false;
}

static void apply(struct work *work, const struct db_query *query)
{
    for (struct work_part *part = work->parts; part != NULL; part = part->next) {
        bool paused = is_paused(query, part->topic);

        if (paused && (part->state == WORK_PART_RUNNING || part->state == WORK_PART_STOPPED))
            work_part_hold(part);
        else if (!paused && part->state == WORK_PART_HELD)
            work_part_release(part);
    }
}

static void pauses_run(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, pauses);
    struct db_batch *batch = db_batch_read(flow->arena);

    work->pauses_query = db_add(batch, &work->sql[WORK_SQL_PAUSED]);
    flow_wait(flow, FLOW_END);
    db_run(work->db, batch, WORK_READ_DEADLINE_MS, flow);
}

static void pauses_done(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, pauses);

    if (flow->err == ERR_OK && !work->closing) /* else: as it was */
        apply(work, work->pauses_query);
    work_note_refused(flow, "pauses");
    flow_fini(flow);
    work->pausing = false;
    work->flows--;
}

void work_pauses_tick(struct work *work)
{
    if (work->consumer == NULL || work->pausing)
        return;
    work->pausing = true;
    work->flows++;
    flow_init(&work->pauses, work->loop, pauses_run, pauses_done, NULL);
    flow_start(&work->pauses, 0);
}
