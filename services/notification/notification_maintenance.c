/*
 * notification_maintenance: everybody hears of maintenance (M41): 14 days and 1 day before, when it
 * is called off, and when it is over. Which mails are due follows from the window; they are made a
 * lot of accounts at a time, in their order, while not too many mails wait.
 */
#include "base/log.h"
#include "gen/events.h"
#include "notification/notification_queue.h"

enum {
    MAINTENANCE_ACCOUNTS_MAX = 1000, /* of a lot */
    MAINTENANCE_DUE_MAX = 4000,      /* none while so many mails wait to be sent */
};

static const struct db_stmt put_window = {
    "notification_put_maintenance",
    "INSERT INTO notification.maintenance (window_id, version, starts_at, ends_at, note,"
    " called_off) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (window_id) DO UPDATE"
    " SET version = excluded.version, starts_at = excluded.starts_at, ends_at = excluded.ends_at,"
    "  note = excluded.note, called_off = excluded.called_off"
    " WHERE maintenance.version < excluded.version",
};

/*
 * What people will be told, by the window as it is now. Times that changed are told anew. A mail
 * whose time is past when the window is planned goes out at once; the earlier one not when the
 * later one is due too, nor one that times which have changed made useless. Nobody hears of the end
 * of what nobody heard of.
 */
static const struct db_stmt plan_mails = {
    "notification_plan_maintenance",
    "WITH w AS (SELECT * FROM notification.maintenance WHERE window_id = $1),"
    " wanted AS (SELECT window_id, stage, due_at, starts_at, ends_at FROM w, LATERAL (VALUES"
    "   ('ahead14', starts_at - interval '14 days', starts_at - interval '1 day' > $2),"
    "   ('ahead1', starts_at - interval '1 day', starts_at > $2),"
    "   ('end', ends_at, true)) AS s (stage, due_at, useful)"
    "   WHERE NOT called_off AND useful"
    "  UNION ALL SELECT window_id, 'called_off', $2, starts_at, ends_at FROM w WHERE called_off),"
    " dropped AS (UPDATE notification.maintenance_mail AS m SET done = true FROM w"
    "   WHERE m.window_id = w.window_id AND NOT m.done"
    "    AND NOT EXISTS (SELECT FROM wanted WHERE wanted.stage = m.stage))"
    " INSERT INTO notification.maintenance_mail AS m (window_id, stage, starts_at, ends_at, due_at)"
    " SELECT window_id, stage, starts_at, ends_at, due_at FROM wanted"
    " ON CONFLICT (window_id, stage) DO UPDATE SET starts_at = excluded.starts_at,"
    "  ends_at = excluded.ends_at, due_at = excluded.due_at, done = false, last_account = NULL"
    " WHERE (m.starts_at, m.ends_at) <> (excluded.starts_at, excluded.ends_at)",
};

void notification_maintenance_handle(void *service, struct work_batch *batch)
{
    struct event_maintenance_state event;
    struct db_query *query;
    enum err err;

    (void)service;
    TRY(event_maintenance_state_decode(batch->arena, batch->messages[0].data, &event,
                                       &batch->flow->note));
    query = db_add(batch->effect, &put_window);
    db_uuid(query, event.window_id);
    db_i64(query, event.version);
    db_time(query, event.starts_at);
    db_time(query, event.ends_at);
    db_text(query, event.note);
    db_bool(query, event.called_off);
    query = db_add(batch->effect, &plan_mails);
    db_uuid(query, event.window_id);
    db_time(query, clock_now_us());
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- making them ---- */

#define TIME_TEXT(column) "to_char(" column ", 'FMYYYY\"年\"FMMM\"月\"FMDD\"日\" HH24:MI')"

/* One lot of the stage that is due; without a row nothing is, or enough waits. */
static const struct db_stmt make_mails = {
    "notification_make_maintenance",
    "WITH due AS MATERIALIZED (SELECT m.*, w.note,"
    "   m.stage IN ('ahead14', 'ahead1') OR EXISTS (SELECT FROM notification.maintenance_mail AS a"
    "     WHERE a.window_id = m.window_id AND a.stage IN ('ahead14', 'ahead1') AND a.begun)"
    "     AS told"
    "   FROM notification.maintenance_mail AS m JOIN notification.maintenance AS w"
    "    USING (window_id) WHERE NOT m.done AND m.due_at <= $1"
    "    AND (SELECT count(*) FROM (SELECT FROM notification.mail"
    "      WHERE state IN ('ready', 'deferred') AND next_try_at <= $1 LIMIT $2) AS waiting) < $2"
    "   ORDER BY m.due_at, m.window_id, m.stage LIMIT 1 FOR UPDATE OF m SKIP LOCKED),"
    /* LATERAL: while nothing is due, which is nearly always, no account is read. */
    " lot AS MATERIALIZED (SELECT account_id FROM due, LATERAL (SELECT a.account_id"
    "   FROM notification.account AS a"
    "   WHERE a.account_id > coalesce(due.last_account, '00000000-0000-0000-0000-000000000000')"
    "    AND a.state = 'active' AND a.email_confirmed AND a.email IS NOT NULL"
    "   ORDER BY a.account_id LIMIT $3) AS a WHERE told),"
    " occasion AS (SELECT account_id, 'M41:' || window_id || ':' || stage || ':'"
    "     || extract(epoch FROM due.starts_at)::bigint || '-'"
    "     || extract(epoch FROM due.ends_at)::bigint || ':' || account_id AS text,"
    "   CASE stage WHEN 'end' THEN 'M41-end' WHEN 'called_off' THEN 'M41-off' ELSE 'M41' END"
    "     AS kind,"
    "   jsonb_build_object('from', " TIME_TEXT("due.starts_at") ", 'to', " TIME_TEXT(
        "due.ends_at") ", 'note', note) AS data FROM lot, due),"
                       " made AS (INSERT INTO notification.mail (mail_id, kind, occasion,"
                       "   message_id, to_account, data, state, created_at, next_try_at)"
                       "  SELECT gen_random_uuid(), kind, text, " NOTIFICATION_MESSAGE_ID(
                           "'M41'", "text",
                           "$4") ", account_id, data, 'ready', $1, $1 FROM occasion"
                                 "  ON CONFLICT (occasion) DO NOTHING)"
                                 " UPDATE notification.maintenance_mail AS m SET begun = true,"
                                 "  done = (SELECT count(*) FROM lot) < $3,"
                                 "  last_account = coalesce((SELECT account_id FROM lot"
                                 "    ORDER BY account_id DESC LIMIT 1), m.last_account)"
                                 " FROM due WHERE m.window_id = due.window_id"
                                 "  AND m.stage = due.stage RETURNING m.done",
};

enum make_step { MAKE_LOT, MAKE_LOOK };

static void make_run(struct flow *flow)
{
    struct notification_queue *queue = FLOW_OF(flow, struct notification_queue, maintenance);
    struct db_batch *batch;

    switch ((enum make_step)flow->step) {
    case MAKE_LOT:
        batch = db_batch_new(flow->arena);
        queue->maintenance_lot = db_add(batch, &make_mails);
        db_time(queue->maintenance_lot, clock_now_us());
        db_i64(queue->maintenance_lot, MAINTENANCE_DUE_MAX);
        db_i64(queue->maintenance_lot, MAINTENANCE_ACCOUNTS_MAX);
        db_text_c(queue->maintenance_lot, notification_settings.mail_domain);
        flow_wait(flow, MAKE_LOOK);
        db_run(queue->notification->db, batch, QUEUE_DEADLINE_MS, flow);
        return;
    case MAKE_LOOK:
        if (db_rows(queue->maintenance_lot) > 0)
            notification_queue_wake(queue);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void make_done(struct flow *flow)
{
    struct notification_queue *queue = FLOW_OF(flow, struct notification_queue, maintenance);

    if (flow->err != ERR_OK)
        LOG_WARN("maintenance_mail_failed", F_ERR(flow->err), F_STR("note", flow->note.text));
    flow_fini(flow);
    queue->telling = false;
    queue_maybe_stopped(queue);
}

void queue_tell_maintenance(struct notification_queue *queue)
{
    if (queue->telling)
        return;
    queue->telling = true;
    flow_init(&queue->maintenance, queue->notification->loop, make_run, make_done, NULL);
    flow_start(&queue->maintenance, MAKE_LOT);
}
