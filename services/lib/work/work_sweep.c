/*
 * work_sweep: rows of the outbox that nobody has sent: their process died between commit and
 * acknowledgement, or Kafka was away. And rows that are older than anything could still need.
 */
#include "base/log.h"
#include "work/work_private.h"

/* ---- the sweep: one step, begun again while it finds much ---- */

static void sweep_run(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, sweep.flow);
    struct db_batch *batch = db_batch_new(flow->arena);

    work->sweep.query = db_add(batch, &work->sql[WORK_SQL_CLAIM]);
    db_i64(work->sweep.query, WORK_SWEEP_ROWS_MAX);
    db_i64(work->sweep.query, WORK_SWEEP_BYTES_MAX);
    flow_wait(flow, FLOW_END);
    db_run(work->db, batch, WORK_READ_DEADLINE_MS, flow);
}

/* True when there may be more of them at once. */
static bool publish_rows(struct work *work, struct arena *arena)
{
    const struct db_query *query = work->sweep.query;
    size_t rows = db_rows(query);
    size_t bytes = 0;

    for (size_t row = 0; row < rows; row++) {
        struct str topic = db_get_text(query, row, 1);
        struct str body = db_get_text(query, row, 3);

        bytes += body.len;
        if (work_publish(work, db_get_uuid(query, row, 0), arena_str(arena, topic).data,
                         db_get_text(query, row, 2), body))
            work->stats.swept++;
    }
    if (rows > 0)
        LOG_INFO("outbox_swept", F_I64("events", rows));
    return rows >= WORK_SWEEP_ROWS_MAX || bytes >= WORK_SWEEP_BYTES_MAX;
}

/* While much waits for acknowledgements there is nothing to gain from reading more. */
static bool has_room(const struct work *work)
{
    return !work->closing && work->outbox.waiting == 0;
}

static void sweep_begin(struct work *work);

static void sweep_done(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, sweep.flow);
    bool more = flow->err == ERR_OK && publish_rows(work, flow->arena);

    work_note_refused(flow, "sweep");
    flow_fini(flow);
    work->sweep.running = false;
    work->flows--;
    if (more && has_room(work))
        sweep_begin(work);
}

static void sweep_begin(struct work *work)
{
    work->sweep.running = true;
    work->flows++;
    flow_init(&work->sweep.flow, work->loop, sweep_run, sweep_done, NULL);
    flow_start(&work->sweep.flow, 0);
}

void work_sweep_tick(struct work *work)
{
    if (!work->sweep.running && has_room(work))
        sweep_begin(work);
}

/* ---- cleaning: small slices, so that nothing waits for it ---- */

enum clean_step { CLEAN_OUTBOX, CLEAN_OUTBOX_DONE, CLEAN_INBOX, CLEAN_INBOX_DONE };

static void clean_slice(struct work *work, enum work_sql sql, struct flow *flow)
{
    struct db_batch *batch = db_batch_new(flow->arena);

    work->clean_query = db_add(batch, &work->sql[sql]);
    db_i64(work->clean_query, WORK_CLEAN_ROWS_MAX);
    db_run(work->db, batch, WORK_READ_DEADLINE_MS, flow);
}

static bool slice_was_full(const struct work *work)
{
    return !work->closing && db_affected(work->clean_query) >= WORK_CLEAN_ROWS_MAX;
}

static void clean_run(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, clean);

    switch ((enum clean_step)flow->step) {
    case CLEAN_OUTBOX:
        flow_wait(flow, CLEAN_OUTBOX_DONE);
        clean_slice(work, WORK_SQL_CLEAN_OUTBOX, flow);
        return;
    case CLEAN_OUTBOX_DONE:
        flow_wait(flow, slice_was_full(work) ? CLEAN_OUTBOX : CLEAN_INBOX);
        flow_sleep(flow, WORK_CLEAN_PAUSE_MS);
        return;
    case CLEAN_INBOX:
        flow_wait(flow, CLEAN_INBOX_DONE);
        clean_slice(work, WORK_SQL_CLEAN_INBOX, flow);
        return;
    case CLEAN_INBOX_DONE:
        if (!slice_was_full(work)) {
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, CLEAN_INBOX);
        flow_sleep(flow, WORK_CLEAN_PAUSE_MS);
        return;
    }
    must(false);
}

static void clean_done(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, clean);

    work_note_refused(flow, "clean");
    flow_fini(flow); /* when it failed: in an hour again */
    work->cleaning = false;
    work->flows--;
}

void work_clean_tick(struct work *work)
{
    if (work->cleaning || --work->clean_in_s > 0)
        return;
    work->clean_in_s = WORK_CLEAN_EVERY_S;
    work->cleaning = true;
    work->flows++;
    flow_init(&work->clean, work->loop, clean_run, clean_done, NULL);
    flow_start(&work->clean, CLEAN_OUTBOX);
}
