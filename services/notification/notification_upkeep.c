/*
 * notification_upkeep: once a second a sender says that it lives, takes over what one that does not
 * has left, and makes mails due whose upload is complete.
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

/*
 * Mails of uploads that are complete become due, 5000 at a time; those to doctors without an
 * address end here. An upload is released when the lot had room for all that it gathered; `state`
 * is asked again, for another sender may be at it.
 */
static const struct db_stmt release = {
    "notification_release",
    "WITH ripe AS (SELECT upload_id FROM notification.upload WHERE complete AND NOT released"
    "   ORDER BY upload_id LIMIT 50 FOR UPDATE SKIP LOCKED),"
    " lot AS (SELECT mail_id, CASE WHEN d.email IS NULL THEN 'suppressed' ELSE 'ready' END AS next"
    "   FROM notification.mail AS m JOIN ripe USING (upload_id)"
    "   LEFT JOIN notification.doctor AS d ON d.doctor_id = m.to_doctor"
    "   WHERE state = 'gathering' LIMIT 5000),"
    " moved AS (UPDATE notification.mail AS m SET state = next, next_try_at = $1,"
    "   finished_at = CASE next WHEN 'suppressed' THEN $1 END FROM lot"
    "   WHERE m.mail_id = lot.mail_id AND m.state = 'gathering' RETURNING m.state),"
    " done AS (UPDATE notification.upload AS u SET released = true FROM ripe"
    "   WHERE u.upload_id = ripe.upload_id AND (SELECT count(*) FROM lot) < 5000)"
    " SELECT count(*) FROM moved WHERE state = 'suppressed'",
};

static const struct db_stmt oldest_due = {
    "notification_oldest_due",
    "SELECT next_try_at FROM notification.mail WHERE state IN ('ready', 'deferred')"
    " ORDER BY next_try_at LIMIT 1",
};

void queue_upkeep(struct notification_queue *queue, struct flow *flow)
{
    struct db_batch *batch = db_batch_new(flow->arena);
    int64_t now_us = clock_now_us();
    struct db_query *query;

    db_uuid(db_add(batch, &beat), queue->instance);
    (void)db_add(batch, &forget_senders);
    query = db_add(batch, &give_back);
    db_uuid(query, queue->instance);
    db_uuid_array(query, queue->held, queue->in_hand);
    db_time(db_add(batch, &take_over), now_us);
    queue->released = db_add(batch, &release);
    db_time(queue->released, now_us);
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
    figures->suppressed += (uint64_t)db_get_i64(queue->released, 0, 0);
}
