/*
 * credit_release: rows that wait post by themselves when their doctor's My Page is complete, or are
 * given up when their days are over. Both are found here and done by messages of the seminar, which
 * has one writer: row.judge for a row, upload.expire for an upload. How many days they have is
 * written down by the first look, for whoever gives them up or tells people until when.
 */
#include <stdlib.h>

#include "credit/credit_emit.h"
#include "credit/credit_merge.h"
#include "credit/credit_release.h"

enum {
    RELEASE_EVERY_MS = 30 * 1000,
    RELEASE_ROWS_MAX = 500,    /* in one transaction */
    RELEASE_UPLOADS_MAX = 100, /* ... that have rows to give up */
    RELEASE_DEADLINE_MS = 20000,
};

/*
 * Usually the doctor's event releases the rows. What was judged at that very moment, by what was
 * known before, is found here.
 */
static const struct db_stmt select_overdue = {
    "credit_select_overdue",
    "SELECT u.upload_id, u.seminar_no, r.row_no FROM credit.upload_row r"
    " JOIN credit.doctor d USING (doctor_id) JOIN credit.upload u USING (upload_no)"
    " JOIN credit.seminar s ON s.seminar_no = u.seminar_no AND s.status <> 'cancelled'"
    " WHERE r.waiting_since IS NOT NULL AND d.my_page IN ('active', 'link_pending', 'closed')"
    "  AND u.status = 'done' AND u.undo_at IS NULL ORDER BY u.upload_no, r.row_no LIMIT $1",
};

static const struct db_stmt select_of_doctors = {
    "credit_select_of_doctors",
    "SELECT u.upload_id, u.seminar_no, r.row_no FROM unnest($1::bigint[]) AS n (doctor_id)"
    " JOIN credit.upload_row r ON r.doctor_id = n.doctor_id AND r.waiting_since IS NOT NULL"
    " JOIN credit.upload u USING (upload_no)"
    " JOIN credit.seminar s ON s.seminar_no = u.seminar_no AND s.status <> 'cancelled'"
    " WHERE u.status = 'done' AND u.undo_at IS NULL"
    " ORDER BY u.upload_no, r.row_no LIMIT $2",
};

static const struct db_stmt keep_rule = {
    "credit_keep_waiting_rule",
    "INSERT INTO credit.waiting_rule (days) VALUES ($1)"
    " ON CONFLICT (one) DO UPDATE SET days = excluded.days",
};

static const struct db_stmt select_expired = {
    "credit_select_expired",
    "SELECT DISTINCT u.upload_id, u.seminar_no FROM credit.upload_row r"
    " JOIN credit.upload u USING (upload_no)"
    " WHERE r.waiting_since < $1 - (SELECT lasts FROM credit.waiting_rule) AND u.status = 'done' "
    "AND u.undo_at IS NULL LIMIT $2",
};

/* The rows go on waiting, but are not looked for; the dead letter can be tried again. */
static const struct db_stmt forget_rows = {
    "credit_forget_waiting",
    "UPDATE credit.upload_row r SET waiting_since = NULL FROM credit.upload u"
    " WHERE u.upload_id = $1 AND r.upload_no = u.upload_no AND r.waiting_since IS NOT NULL"
    "  AND ($2::bigint = 0 OR r.row_no = $2::bigint)",
};

/* ---- a doctor's event ---- */

struct db_query *release_ask(struct db_batch *batch, const int64_t *doctors, size_t count)
{
    struct db_query *query = db_add(batch, &select_of_doctors);

    db_i64_array(query, doctors, count);
    db_i64(query, RELEASE_ROWS_MAX);
    return query;
}

void release_emit(struct credit *credit, struct db_batch *effect, const struct db_query *rows,
                  const char *trace)
{
    for (size_t i = 0; i < db_rows(rows); i++)
        emit_row(credit, effect, db_get_text(rows, i, 1), db_get_uuid(rows, i, 0),
                 db_get_i32(rows, i, 2), trace);
}

/* ---- what cannot be handled ---- */

void credit_waiting_dead(void *service, struct work_batch *batch, const char *reason)
{
    const json_t *data = batch->messages[0].data;
    const char *text = json_string_value(json_object_get(data, "upload_id"));
    struct uuid upload_id;
    struct db_query *query;

    (void)service;
    LOG_ERROR("waiting_stuck", F_STR("upload_id", text), F_STR("reason", reason));
    if (text == NULL || !uuid_parse(str_of(text), &upload_id))
        return;
    query = db_add(batch->effect, &forget_rows);
    db_uuid(query, upload_id);
    db_i64(query, json_integer_value(json_object_get(data, "row_no")));
}

/* ---- every while ---- */

enum sweep_step { SWEEP_LOOK, SWEEP_SEND, SWEEP_SENT };

struct release_sweep {
    struct flow flow;
    struct credit *credit;
    struct db_query *overdue, *expired;
    struct merge_left merged;
};

static void look(struct release_sweep *sweep)
{
    const bool told = sweep->credit->waiting_told;
    struct db_batch *batch =
        told ? db_batch_read(sweep->flow.arena) : db_batch_new(sweep->flow.arena);

    if (!told)
        db_i32(db_add(batch, &keep_rule), (int32_t)credit_settings.waiting_days);
    sweep->overdue = db_add(batch, &select_overdue);
    db_i64(sweep->overdue, RELEASE_ROWS_MAX);
    sweep->expired = db_add(batch, &select_expired);
    db_time(sweep->expired, clock_now_us());
    db_i64(sweep->expired, RELEASE_UPLOADS_MAX);
    merge_left_add(&sweep->merged, batch);
    db_run(sweep->credit->db, batch, RELEASE_DEADLINE_MS, &sweep->flow);
}

static void send_expired(const struct release_sweep *sweep, struct db_batch *batch)
{
    for (size_t i = 0; i < db_rows(sweep->expired); i++)
        emit_expire(sweep->credit, batch, db_get_text(sweep->expired, i, 1),
                    db_get_uuid(sweep->expired, i, 0), sweep->flow.trace);
}

static void sweep_run(struct flow *flow)
{
    struct release_sweep *sweep = FLOW_OF(flow, struct release_sweep, flow);
    struct db_batch *batch;

    switch ((enum sweep_step)flow->step) {
    case SWEEP_LOOK:
        flow_wait(flow, SWEEP_SEND);
        look(sweep);
        return;
    case SWEEP_SEND:
        sweep->credit->waiting_told = true;
        if (db_rows(sweep->overdue) + db_rows(sweep->expired) + merge_left_count(&sweep->merged) ==
            0) {
            flow_end(flow, ERR_OK);
            return;
        }
        batch = db_batch_new(flow->arena);
        release_emit(sweep->credit, batch, sweep->overdue, flow->trace);
        send_expired(sweep, batch);
        merge_left_emit(sweep->credit, batch, &sweep->merged, flow->trace);
        flow_wait(flow, SWEEP_SENT);
        work_run(sweep->credit->work, batch, RELEASE_DEADLINE_MS, flow);
        return;
    case SWEEP_SENT:
        LOG_INFO("waiting_swept", F_I64("rows", (int64_t)db_rows(sweep->overdue)),
                 F_I64("uploads", (int64_t)db_rows(sweep->expired)));
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void sweep_done(struct flow *flow)
{
    struct release_sweep *sweep = FLOW_OF(flow, struct release_sweep, flow);

    if (flow->err != ERR_OK && flow->err != ERR_STOPPING)
        LOG_WARN("waiting_not_swept", F_ERR(flow->err), F_STR("note", flow->note.text));
    sweep->credit->release_running = false;
    flow_fini(flow);
    free(sweep);
}

void credit_release_sweep(struct credit *credit)
{
    struct release_sweep *sweep;

    if (credit->release_running)
        return;
    credit->release_running = true;
    sweep = heap_zero(sizeof(*sweep));
    sweep->credit = credit;
    flow_init(&sweep->flow, credit->loop, sweep_run, sweep_done, NULL);
    flow_start(&sweep->flow, SWEEP_LOOK);
}

static void every_while(void *arg)
{
    credit_release_sweep(arg);
}

void credit_release_open(struct credit *credit)
{
    timer_open(&credit->release_timer, credit->loop, every_while, credit);
    timer_start(&credit->release_timer, 0, RELEASE_EVERY_MS);
}

void credit_release_close(struct credit *credit, void (*closed)(void *arg))
{
    timer_close(&credit->release_timer, closed);
}
