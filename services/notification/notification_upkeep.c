/*
 * notification_upkeep: once a second a sender says that it lives, takes over what one that does not
 * has left, and forgets mails that were through long ago.
 */
#include "notification/notification_queue.h"

/* The server's clock, so that it does not matter whether the senders' clocks agree. */
static const struct db_stmt beat = {
    "notification_beat",
    "INSERT INTO notification.sender VALUES ($1, clock_timestamp())"
    " ON CONFLICT (sender) DO UPDATE SET seen_at = excluded.seen_at",
};

static const struct db_stmt forget_senders = {
    "notification_forget_senders",
    "DELETE FROM notification.sender WHERE seen_at < clock_timestamp() - interval '1 day'",
};

/* A text that may have been on its way makes the mail ambiguous; the second time it is given up. */
static const struct db_stmt take_over = {
    "notification_take_over",
    "WITH orphan AS (SELECT mail_id FROM notification.mail AS m"
    "   WHERE state = 'active' AND NOT EXISTS (SELECT FROM notification.sender AS s"
    "     WHERE s.sender = m.sender AND s.seen_at > clock_timestamp() - interval '10 seconds')"
    "   LIMIT 1000 FOR UPDATE SKIP LOCKED)"
    " UPDATE notification.mail AS m SET sender = NULL, handed_over = false,"
    "  ambiguous = m.ambiguous OR m.handed_over, next_try_at = $1,"
    "  state = CASE WHEN m.ambiguous AND m.handed_over THEN 'expired' ELSE 'ready' END,"
    "  finished_at = CASE WHEN m.ambiguous AND m.handed_over THEN $1 END"
    " FROM orphan WHERE m.mail_id = orphan.mail_id",
};

/* What we hold without knowing: the answer to a pick was lost. Nothing of it has been tried. */
static const struct db_stmt give_back = {
    "notification_give_back",
    "UPDATE notification.mail SET state = 'ready', sender = NULL, attempts = attempts - 1"
    " WHERE state = 'active' AND sender = $1 AND mail_id <> ALL ($2)",
};

/* Mails that are through are kept so long; a lot each time. */
static const struct db_stmt forget_mails = {
    "notification_forget_mails",
    "DELETE FROM notification.mail WHERE mail_id = ANY (ARRAY(SELECT mail_id"
    "   FROM notification.mail WHERE finished_at < $1 ORDER BY finished_at LIMIT 500"
    "   FOR UPDATE SKIP LOCKED))",
};

/* No slice of a correction is that late. */
static const struct db_stmt forget_corrections = {
    "notification_forget_corrections",
    "DELETE FROM notification.correction WHERE ended_at < $1",
};

static const struct db_stmt oldest_due = {
    "notification_oldest_due",
    "SELECT next_try_at FROM notification.mail WHERE state IN ('ready', 'deferred')"
    " ORDER BY next_try_at LIMIT 1",
};

void queue_upkeep(struct notification_queue *queue, struct flow *flow)
{
    struct db_batch *batch = db_batch_new(flow->arena);
    const int64_t now_us = clock_now_us();
    const int64_t kept_us =
        now_us - (int64_t)notification_settings.mail_keep_days * CLOCK_DAY_S * CLOCK_SECOND_US;
    struct db_query *query;

    db_uuid(db_add(batch, &beat), queue->instance);
    (void)db_add(batch, &forget_senders);
    query = db_add(batch, &give_back);
    db_uuid(query, queue->instance);
    db_uuid_array(query, queue->held, queue->in_hand);
    db_time(db_add(batch, &take_over), now_us);
    db_time(db_add(batch, &forget_mails), kept_us);
    db_time(db_add(batch, &forget_corrections), kept_us);
    queue->oldest = db_add(batch, &oldest_due);
    db_run(queue->notification->db, batch, QUEUE_DEADLINE_MS, flow);
}

void queue_upkeep_done(struct notification_queue *queue)
{
    struct notification_figures *figures = &queue->notification->figures;
    int64_t wait_us = 0;

    if (db_rows(queue->oldest) > 0)
        wait_us = clock_now_us() - db_get_time(queue->oldest, 0, 0);
    figures->oldest_due_s = wait_us > 0 ? wait_us / CLOCK_SECOND_US : 0;
}
