/*
 * notification_queue: due mails are taken in small lots, one flow each. A mail in the hands of a
 * sender that died is taken over by another; it may be out already, so its row says `ambiguous`.
 */
#include "notification/notification_queue.h"
#include "base/log.h"

enum {
    QUEUE_TICK_MS = 1000,
    QUEUE_DEADLINE_MS = 10000,
};

static const struct db_stmt beat = {
    "notification_beat",
    "INSERT INTO notification.sender VALUES ($1, $2)"
    " ON CONFLICT (sender) DO UPDATE SET seen_at = excluded.seen_at",
};

static const struct db_stmt take_over = {
    "notification_take_over",
    "UPDATE notification.mail m SET sender = NULL, ambiguous = true,"
    "  state = CASE WHEN attempts >= 5 THEN 'expired' ELSE 'ready' END, next_try_at = $1"
    " WHERE state = 'active' AND NOT EXISTS (SELECT FROM notification.sender s"
    "  WHERE s.sender = m.sender AND s.seen_at > $1 - interval '10 seconds')",
};

static const struct db_stmt release = {
    "notification_release",
    "WITH ripe AS (SELECT upload_id FROM notification.upload WHERE complete AND NOT released LIMIT "
    "1),"
    " some AS (SELECT mail_id FROM notification.mail"
    "   WHERE state = 'gathering' AND upload_id = (SELECT upload_id FROM ripe) LIMIT 2000),"
    " moved AS (UPDATE notification.mail m SET state = 'ready', next_try_at = $1 FROM some"
    "   WHERE m.mail_id = some.mail_id RETURNING 1)"
    " UPDATE notification.upload u SET released = true FROM ripe"
    "  WHERE u.upload_id = ripe.upload_id AND (SELECT count(*) FROM moved) < 2000",
};

static const struct db_stmt wake_deferred = {
    "notification_wake_deferred",
    "UPDATE notification.mail SET next_try_at = $1"
    " WHERE state = 'deferred' AND last_code = 0 AND next_try_at > $1 AND $2",
};

static const struct db_stmt pick = {
    "notification_pick",
    "WITH due AS (SELECT mail_id FROM notification.mail"
    "   WHERE state IN ('ready', 'deferred') AND next_try_at <= $2"
    "   ORDER BY next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED),"
    " took AS (UPDATE notification.mail m SET state = 'active', sender = $1, attempts = attempts + "
    "1"
    "   FROM due WHERE m.mail_id = due.mail_id RETURNING m.*)"
    " SELECT t.mail_id, t.kind, t.message_id, t.data, t.attempts, t.ambiguous, t.created_at,"
    "        coalesce(t.to_address, a.email, d.email, ''), coalesce(d.name, a.name, '')"
    " FROM took t LEFT JOIN notification.account a ON a.account_id = t.to_account"
    " LEFT JOIN notification.doctor d ON d.doctor_id = t.to_doctor",
};

enum tick_step { TICK_RUN, TICK_START };

static void tick_query(struct notification_queue *queue, struct flow *flow)
{
    int64_t now = clock_now_us();
    unsigned room = notification_settings.mail_connections - queue->in_hand;
    struct db_query *query;

    queue->batch = db_batch_new(flow->arena);
    query = db_add(queue->batch, &beat);
    db_uuid(query, queue->instance);
    db_time(query, now);
    db_time(db_add(queue->batch, &take_over), now);
    db_time(db_add(queue->batch, &release), now);
    query = db_add(queue->batch, &wake_deferred);
    db_time(query, now);
    /* The host is back, or it is time for a probe: what it never saw is due. */
    db_bool(query, queue->host_back || queue->host_away);
    queue->host_back = false;
    queue->picked = db_add(queue->batch, &pick);
    db_uuid(queue->picked, queue->instance);
    db_time(queue->picked, now);
    db_i64(queue->picked, queue->closing ? 0 : queue->host_away ? 1 : (int64_t)room);
    db_run(queue->notification->db, queue->batch, QUEUE_DEADLINE_MS, flow);
}

static void start_picked(struct notification_queue *queue)
{
    const struct db_query *rows = queue->picked;

    for (size_t i = 0; i < db_rows(rows); i++) {
        struct str data = db_get_json(rows, i, 3);
        struct due_mail due = {
            .mail_id = db_get_uuid(rows, i, 0),
            .kind = db_get_text(rows, i, 1).data,
            .message_id = db_get_text(rows, i, 2).data,
            .data = json_loadb(data.data, data.len, 0, NULL),
            .attempts = db_get_i32(rows, i, 4),
            .ambiguous = db_get_bool(rows, i, 5),
            .created_us = db_get_time(rows, i, 6),
            .to_address = db_get_text(rows, i, 7).data,
            .to_name = db_get_text(rows, i, 8).data,
        };

        must(due.data != NULL);
        queue_mail_start(queue, &due);
    }
    queue->more = db_rows(rows) > 0;
}

static void tick_run(struct flow *flow)
{
    struct notification_queue *queue = FLOW_OF(flow, struct notification_queue, tick);

    switch ((enum tick_step)flow->step) {
    case TICK_RUN:
        flow_wait(flow, TICK_START);
        tick_query(queue, flow);
        return;
    case TICK_START:
        start_picked(queue);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void tick_done(struct flow *flow)
{
    struct notification_queue *queue = FLOW_OF(flow, struct notification_queue, tick);

    if (flow->err != ERR_OK)
        LOG_WARN("mail_tick_failed", F_ERR(flow->err), F_STR("note", flow->note.text));
    flow_fini(flow);
    queue->ticking = false;
    if (queue->woken && !queue->closing)
        notification_queue_wake(queue);
    queue_maybe_stopped(queue);
}

static void tick(void *arg)
{
    struct notification_queue *queue = arg;

    if (queue->ticking || queue->closing)
        return;
    queue->ticking = true;
    queue->woken = false;
    flow_init(&queue->tick, queue->notification->loop, tick_run, tick_done, NULL);
    flow_start(&queue->tick, TICK_RUN);
}

/* ---- the queue's life ---- */

struct notification_queue *notification_queue_open(struct notification *notification)
{
    struct notification_queue *queue = heap_zero(sizeof(*queue));

    queue->notification = notification;
    queue->instance = uuid_new();
    timer_open(&queue->timer, notification->loop, tick, queue);
    timer_start(&queue->timer, QUEUE_TICK_MS, QUEUE_TICK_MS);
    return queue;
}

void notification_queue_wake(struct notification_queue *queue)
{
    if (queue->closing)
        return;
    queue->woken = true;
    if (!queue->ticking && queue->in_hand < notification_settings.mail_connections &&
        !queue->host_away)
        tick(queue);
}

void queue_mail_ended(struct notification_queue *queue)
{
    must(queue->in_hand > 0);
    queue->in_hand--;
    if (queue->more && !queue->closing)
        notification_queue_wake(queue);
    queue_maybe_stopped(queue);
}

void queue_note_host(struct notification_queue *queue, const struct mail_result *result)
{
    bool answered = result->code != 0 || result->verdict == MAIL_DELIVERED;

    if (answered && queue->host_away)
        queue->host_back = true;
    queue->host_away = !answered && result->verdict == MAIL_DEFERRED;
}

static void timer_closed(void *arg)
{
    struct notification_queue *queue = arg;
    void (*stopped)(void *) = queue->stopped;
    void *stopped_arg = queue->stopped_arg;

    free(queue);
    stopped(stopped_arg);
}

void queue_maybe_stopped(struct notification_queue *queue)
{
    if (!queue->closing || queue->ticking || queue->in_hand > 0 || queue->closed)
        return;
    queue->closed = true;
    timer_close(&queue->timer, timer_closed);
}

void notification_queue_close(struct notification_queue *queue, void (*stopped)(void *arg),
                              void *arg)
{
    queue->closing = true;
    queue->stopped = stopped;
    queue->stopped_arg = arg;
    queue_maybe_stopped(queue);
}

void notification_committed(void *service, const struct work_batch *batch)
{
    struct notification *notification = service;

    (void)batch;
    notification_queue_wake(notification->queue);
}
