/*
 * credit_orphans: parts of uploads that were never finished. The gateway commits each part by
 * itself while a request runs; without an upload they go after an hour. And rows of dry runs that
 * were posted since.
 */
#include <stdlib.h>

#include "credit/credit.h"

enum {
    ORPHANS_EVERY_MS = 10 * 60 * 1000,
    ORPHANS_AT_ONCE = 100, /* 25 MiB of file */
    ORPHANS_ROWS_AT_ONCE = 5000,
    ORPHANS_DEADLINE_MS = 10000,
};

#define ORPHANS_AGE_US (INT64_C(3600) * CLOCK_SECOND_US)
/* How far back a sweep looks; the first one after a start looks at everything. */
#define ORPHANS_SPAN_US (INT64_C(24) * 3600 * CLOCK_SECOND_US)

static const struct db_stmt delete_orphans = {
    "credit_delete_orphans",
    "DELETE FROM credit.upload_part p WHERE p.ctid = ANY (ARRAY("
    "  SELECT q.ctid FROM credit.upload_part q WHERE q.created_at >= $1 AND q.created_at < $2"
    "   AND NOT EXISTS (SELECT FROM credit.upload u WHERE u.upload_id = q.upload_id) LIMIT $3))",
};

/* What rows of uploads that are past have left in a table. */
#define DELETE_LEFT(table)                                                                         \
    "DELETE FROM " table " r WHERE r.ctid = ANY (ARRAY(SELECT q.ctid"                              \
    "  FROM credit.upload_past p JOIN " table " q USING (upload_no) LIMIT $1))"
#define NONE_LEFT(table) "NOT EXISTS (SELECT FROM " table " r WHERE r.upload_no = p.upload_no)"

static const struct db_stmt delete_left[] = {
    {"credit_delete_past_rows", DELETE_LEFT("credit.upload_row")},
    {"credit_delete_past_notes", DELETE_LEFT("credit.row_note")},
};

static const struct db_stmt delete_past = {
    "credit_delete_past",
    "DELETE FROM credit.upload_past p WHERE " NONE_LEFT("credit.upload_row") " AND " NONE_LEFT(
        "credit.row_note"),
};

enum sweep_step { SWEEP_DELETE, SWEEP_DELETED, SWEEP_ROWS, SWEEP_ROWS_DELETED };

struct orphan_sweep {
    struct flow flow;
    struct credit *credit;
    struct db_query *query;
    struct db_query *left[ARRAY_LEN(delete_left)];
    int64_t from_us;
    int64_t to_us;
    int64_t deleted;
};

static void ask_left(struct orphan_sweep *sweep)
{
    struct db_batch *batch = db_batch_new(sweep->flow.arena);

    for (size_t i = 0; i < ARRAY_LEN(delete_left); i++) {
        sweep->left[i] = db_add(batch, &delete_left[i]);
        db_i64(sweep->left[i], ORPHANS_ROWS_AT_ONCE);
    }
    (void)db_add(batch, &delete_past);
    db_run(sweep->credit->db, batch, ORPHANS_DEADLINE_MS, &sweep->flow);
}

static bool is_more_left(const struct orphan_sweep *sweep)
{
    for (size_t i = 0; i < ARRAY_LEN(delete_left); i++) {
        if (db_affected(sweep->left[i]) == ORPHANS_ROWS_AT_ONCE)
            return true;
    }
    return false;
}

static void sweep_run(struct flow *flow)
{
    struct orphan_sweep *sweep = FLOW_OF(flow, struct orphan_sweep, flow);
    struct db_batch *batch;

    switch ((enum sweep_step)flow->step) {
    case SWEEP_DELETE:
        batch = db_batch_new(flow->arena);
        sweep->query = db_add(batch, &delete_orphans);
        db_time(sweep->query, sweep->from_us);
        db_time(sweep->query, sweep->to_us);
        db_i64(sweep->query, ORPHANS_AT_ONCE);
        flow_wait(flow, SWEEP_DELETED);
        db_run(sweep->credit->db, batch, ORPHANS_DEADLINE_MS, flow);
        return;
    case SWEEP_DELETED:
        sweep->deleted += db_affected(sweep->query);
        if (db_affected(sweep->query) == ORPHANS_AT_ONCE)
            flow_goto(flow, SWEEP_DELETE);
        else
            flow_goto(flow, SWEEP_ROWS);
        return;
    case SWEEP_ROWS:
        flow_wait(flow, SWEEP_ROWS_DELETED);
        ask_left(sweep);
        return;
    case SWEEP_ROWS_DELETED:
        if (is_more_left(sweep))
            flow_goto(flow, SWEEP_ROWS);
        else
            flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void sweep_done(struct flow *flow)
{
    struct orphan_sweep *sweep = FLOW_OF(flow, struct orphan_sweep, flow);

    if (flow->err != ERR_OK && flow->err != ERR_STOPPING)
        LOG_WARN("orphans_kept", F_ERR(flow->err), F_STR("note", flow->note.text));
    else if (sweep->deleted > 0)
        LOG_INFO("orphans_deleted", F_I64("parts", sweep->deleted));
    if (flow->err == ERR_OK)
        sweep->credit->orphans_swept = true;
    sweep->credit->orphans_running = false;
    flow_fini(flow);
    free(sweep);
}

void credit_orphans_sweep(struct credit *credit)
{
    struct orphan_sweep *sweep;

    if (credit->orphans_running)
        return;
    credit->orphans_running = true;
    sweep = heap_zero(sizeof(*sweep));
    sweep->credit = credit;
    sweep->to_us = clock_now_us() - ORPHANS_AGE_US;
    sweep->from_us = credit->orphans_swept ? sweep->to_us - ORPHANS_SPAN_US : 0;
    flow_init(&sweep->flow, credit->loop, sweep_run, sweep_done, NULL);
    flow_start(&sweep->flow, SWEEP_DELETE);
}

static void every_while(void *arg)
{
    credit_orphans_sweep(arg);
}

void credit_orphans_open(struct credit *credit)
{
    timer_open(&credit->orphan_timer, credit->loop, every_while, credit);
    timer_start(&credit->orphan_timer, ORPHANS_EVERY_MS, ORPHANS_EVERY_MS);
}

void credit_orphans_close(struct credit *credit, void (*closed)(void *arg))
{
    timer_close(&credit->orphan_timer, closed);
}
