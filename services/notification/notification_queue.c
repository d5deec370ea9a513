/* notification_queue: due mails are taken in small lots, one flow each. */
#include "notification/notification_queue.h"

#include "base/log.h"

enum {
    QUEUE_TICK_MS = 1000,
    QUEUE_GRACE_MS = 1200, /* closing: for mails under way */
};

static const struct db_stmt pick = {
    "notification_pick",
    "WITH due AS (SELECT mail_id FROM notification.mail"
    "   WHERE state IN ('ready', 'deferred') AND next_try_at <= $2"
    "   ORDER BY next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED),"
    " took AS (UPDATE notification.mail AS m SET state = 'active', sender = $1,"
    "   handed_over = false, attempts = attempts + 1"
    "   FROM due WHERE m.mail_id = due.mail_id RETURNING m.*)"
    " SELECT t.mail_id, t.kind, t.message_id, t.data, t.attempts, t.ambiguous, t.created_at,"
    "        coalesce(t.to_address, a.email, d.email, ''), coalesce(d.name, a.name, '')"
    " FROM took AS t LEFT JOIN notification.account AS a ON a.account_id = t.to_account"
    " LEFT JOIN notification.doctor AS d ON d.doctor_id = t.to_doctor",
};

/* ---- one tick: upkeep when it is time, then a lot ---- */

enum tick_step { TICK_UPKEEP, TICK_PICK, TICK_START };

static void run_pick(struct notification_queue *queue, struct flow *flow)
{
    struct db_batch *batch = db_batch_new(flow->arena);

    queue->picked = db_add(batch, &pick);
    db_uuid(queue->picked, queue->instance);
    db_time(queue->picked, clock_now_us());
    db_i64(queue->picked, queue->wanted);
    db_run(queue->notification->db, batch, QUEUE_DEADLINE_MS, flow);
}

static const char *text_of(const struct db_query *rows, size_t i, int column)
{
    struct str text = db_get_text(rows, i, column); /* libpq ends values in a NUL */

    return text.len == 0 ? "" : text.data;
}

static void start_picked(struct notification_queue *queue)
{
    const struct db_query *rows = queue->picked;

    for (size_t i = 0; i < db_rows(rows); i++) {
        struct str data = db_get_json(rows, i, 3);
        struct due_mail due = {
            .mail_id = db_get_uuid(rows, i, 0),
            .kind = text_of(rows, i, 1),
            .message_id = text_of(rows, i, 2),
            .data = json_loadb(data.data, data.len, JSON_REJECT_DUPLICATES, NULL),
            .attempts = db_get_i32(rows, i, 4),
            .ambiguous = db_get_bool(rows, i, 5),
            .created_us = db_get_time(rows, i, 6),
            .to_address = text_of(rows, i, 7),
            .to_name = text_of(rows, i, 8),
        };

        must(due.data != NULL);
        must(queue->in_hand < QUEUE_MAILS_MAX);
        queue->held[queue->in_hand++] = due.mail_id;
        queue_mail_start(queue, &due);
    }
    queue->more = db_rows(rows) == queue->wanted;
}

/* How many mails to ask for: half the connections at least, so that one pick serves several. */
static unsigned wanted_now(const struct notification_queue *queue, bool upkeep)
{
    unsigned most = notification_settings.mail_connections;

    if (queue->host_away)
        return upkeep && queue->in_hand == 0 ? 1 : 0;
    return queue->in_hand <= most / 2 ? most - queue->in_hand : 0;
}

static void tick_run(struct flow *flow)
{
    struct notification_queue *queue = FLOW_OF(flow, struct notification_queue, tick);

    switch ((enum tick_step)flow->step) {
    case TICK_UPKEEP:
        flow_wait(flow, TICK_PICK);
        queue_upkeep(queue, flow);
        return;
    case TICK_PICK:
        if (queue->oldest != NULL)
            queue_upkeep_done(queue);
        queue->wanted = queue->closing ? 0 : wanted_now(queue, queue->oldest != NULL);
        if (queue->wanted == 0) {
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, TICK_START);
        run_pick(queue, flow);
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
    queue->notification->figures.in_hand = queue->in_hand;
    if (queue->woken)
        notification_queue_wake(queue);
    queue_maybe_stopped(queue);
}

static void tick_begin(struct notification_queue *queue, enum tick_step step)
{
    queue->ticking = true;
    queue->woken = false;
    queue->oldest = NULL;
    flow_init(&queue->tick, queue->notification->loop, tick_run, tick_done, NULL);
    flow_start(&queue->tick, (int)step);
}

void notification_queue_wake(struct notification_queue *queue)
{
    if (queue->ticking)
        queue->woken = true;
    else if (!queue->closing && wanted_now(queue, false) > 0)
        tick_begin(queue, TICK_PICK);
}

/* ---- the queue's life ---- */

static void on_timer(void *arg)
{
    struct notification_queue *queue = arg;

    if (queue->closing) {
        mail_abort(queue->notification->sender); /* each mail records what it came to */
        return;
    }
    queue_expand(queue);
    queue_tell_maintenance(queue);
    if (!queue->ticking)
        tick_begin(queue, TICK_UPKEEP);
}

struct notification_queue *notification_queue_open(struct notification *notification)
{
    struct notification_queue *queue = heap_zero(sizeof(*queue));

    queue->notification = notification;
    queue->instance = uuid_new();
    queue->writer.queue = queue;
    timer_open(&queue->timer, notification->loop, on_timer, queue);
    timer_start(&queue->timer, QUEUE_TICK_MS, QUEUE_TICK_MS);
    tick_begin(queue, TICK_UPKEEP);
    queue_expand(queue);
    return queue;
}

void queue_mail_ended(struct notification_queue *queue, struct uuid mail_id)
{
    unsigned place = 0;

    while (place < queue->in_hand && !uuid_eq(queue->held[place], mail_id))
        place++;
    must(place < queue->in_hand);
    queue->held[place] = queue->held[--queue->in_hand];
    if (queue->more)
        notification_queue_wake(queue);
    queue_maybe_stopped(queue);
}

void queue_note_host(struct notification_queue *queue, bool reached)
{
    if (queue->host_away != reached)
        return;
    queue->host_away = !reached;
    queue->notification->figures.host_away = !reached;
    if (reached) {
        LOG_INFO("smart_host_back");
        notification_queue_wake(queue);
    } else {
        LOG_WARN("smart_host_away");
    }
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
    if (!queue->closing || queue->ticking || queue->expanding || queue->telling ||
        queue->writer.running || queue->in_hand > 0 || queue->closed)
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
    timer_start(&queue->timer, QUEUE_GRACE_MS, 0);
    queue_maybe_stopped(queue);
}

void notification_committed(void *service, const struct work_batch *batch)
{
    struct notification *notification = service;

    (void)batch;
    notification_queue_wake(notification->queue);
}
