/*
 * notification_expand: what a complete upload posted becomes mails, a lot of doctors at a time in
 * ascending order, while not too many mails wait: so the table of mails does not grow with the
 * uploads. A lot and the mark of how far it came are one transaction.
 *
 * Each row of the upload has its doctors in order, so a lot reads a slice of each; a doctor who
 * stands in several rows has all lines in one mail.
 */
#include "base/log.h"
#include "notification/notification_queue.h"

enum {
    EXPAND_DOCTORS_MAX = 2000, /* of a lot */
    EXPAND_DUE_MAX = 4000,     /* none while so many mails wait to be sent */
    EXPAND_MS_MAX = 250,       /* of each second, and the last lot's end */
};

/*
 * The upload whose last lot is longest ago, until the transaction ends. A statement of its own:
 * the next one begins after the lock and sees every row of the upload.
 */
static const struct db_stmt claim = {
    "notification_claim",
    "SELECT set_config('mamis.upload', upload_id::text, true) FROM (SELECT upload_id"
    "   FROM notification.upload WHERE complete AND NOT released"
    "    AND (SELECT count(*) FROM (SELECT FROM notification.mail"
    "      WHERE state IN ('ready', 'deferred') AND next_try_at <= $1 LIMIT $2) AS due) < $2"
    "   ORDER BY expanded_at NULLS FIRST, upload_id LIMIT 1 FOR UPDATE SKIP LOCKED) AS ripe",
};

#define CLAIMED "nullif(current_setting('mamis.upload', true), '')::uuid"

/*
 * The next doctors: those in a range of ids that should hold about a lot, and never more than one.
 * Of each session and programme the highest revision counts; an even one stands. Doctors without
 * an address are only counted.
 */
static const struct db_stmt expand = {
    "notification_expand",
    "WITH upload AS MATERIALIZED (SELECT * FROM notification.upload WHERE upload_id = " CLAIMED "),"
    " span AS MATERIALIZED (SELECT min(first_doctor) AS first, max(last_doctor) AS last,"
    "     greatest(min(first_doctor), min(next_doctor)) AS low,"
    "     greatest($2, ((max(last_doctor) - min(first_doctor) + 1)"
    "                   * least($2::float8 / sum(c.entries), 1))::bigint) AS width"
    "   FROM upload AS u JOIN notification.upload_chunk AS c USING (upload_id)"
    "   WHERE last_doctor >= next_doctor),"
    " entry AS MATERIALIZED (SELECT doctor_id, lines -> line AS line"
    "   FROM upload AS u JOIN notification.upload_chunk AS c USING (upload_id), span,"
    "    LATERAL (SELECT width_bucket(low - 1, doctor_ids) + 1 AS from_place,"
    "       width_bucket(low + width - 1, doctor_ids) AS to_place OFFSET 0) AS slice,"
    "    LATERAL unnest(doctor_ids[from_place:to_place], line_index[from_place:to_place])"
    "      AS e (doctor_id, line)"
    "   WHERE last_doctor >= low AND first_doctor < low + width),"
    " lot AS MATERIALIZED (SELECT DISTINCT doctor_id FROM entry ORDER BY doctor_id LIMIT $2),"
    " mark AS (SELECT CASE count(*) WHEN $2 THEN max(doctor_id) + 1 ELSE min(low + width) END"
    "     AS next_doctor FROM span LEFT JOIN lot ON true),"
    " standing AS (SELECT DISTINCT ON (doctor_id, line -> 3, line -> 4) doctor_id, line"
    "   FROM entry JOIN lot USING (doctor_id)"
    "   ORDER BY doctor_id, line -> 3, line -> 4, (line -> 5)::int DESC),"
    " told AS MATERIALIZED (SELECT doctor_id, email, lines, 'M23:' || " CLAIMED
    "::text || ':' || doctor_id AS occasion"
    "   FROM (SELECT doctor_id, jsonb_agg(line ORDER BY line) AS lines FROM standing"
    "     WHERE (line -> 5)::int % 2 = 0 GROUP BY doctor_id) AS each"
    "   LEFT JOIN notification.doctor USING (doctor_id)),"
    " made AS (INSERT INTO notification.mail (mail_id, kind, occasion, message_id, upload_id,"
    "     to_doctor, data, state, created_at, next_try_at)"
    "   SELECT gen_random_uuid(), 'M23', occasion, " NOTIFICATION_MESSAGE_ID(
        "'M23'", "occasion",
        "$3") ", upload_id,"
              "     doctor_id, jsonb_build_object('seminar_no', seminar_no,"
              "       'seminar_title', seminar_title, 'lines', lines), 'ready', $1, $1"
              "   FROM told, upload WHERE email IS NOT NULL ON CONFLICT (occasion) DO NOTHING)"
              " UPDATE notification.upload AS u SET expanded_at = $1,"
              "  next_doctor = coalesce(mark.next_doctor, u.next_doctor),"
              "  released = coalesce(mark.next_doctor > last, true),"
              "  suppressed = u.suppressed + without"
              " FROM mark, span, (SELECT count(*) FILTER (WHERE email IS NULL)::int AS without"
              "   FROM told) AS counted"
              " WHERE u.upload_id = " CLAIMED " RETURNING without",
};

static const struct db_stmt forget_chunks = {
    "notification_forget_chunks",
    "DELETE FROM notification.upload_chunk AS c USING notification.upload AS u"
    " WHERE u.upload_id = " CLAIMED " AND c.upload_id = u.upload_id"
    "  AND c.last_doctor < u.next_doctor",
};

enum expand_step { EXPAND_LOT, EXPAND_LOOK };

static void run_lot(struct notification_queue *queue, struct flow *flow)
{
    struct db_batch *batch = db_batch_new(flow->arena);
    int64_t now_us = clock_now_us();
    struct db_query *query = db_add(batch, &claim);

    db_time(query, now_us);
    db_i64(query, EXPAND_DUE_MAX);
    queue->lot = db_add(batch, &expand);
    db_time(queue->lot, now_us);
    db_i64(queue->lot, EXPAND_DOCTORS_MAX);
    db_text_c(queue->lot, notification_settings.mail_domain);
    (void)db_add(batch, &forget_chunks);
    db_run(queue->notification->db, batch, QUEUE_DEADLINE_MS, flow);
}

static void expand_run(struct flow *flow)
{
    struct notification_queue *queue = FLOW_OF(flow, struct notification_queue, expand);

    switch ((enum expand_step)flow->step) {
    case EXPAND_LOT:
        flow_wait(flow, EXPAND_LOOK);
        run_lot(queue, flow);
        return;
    case EXPAND_LOOK:
        if (db_rows(queue->lot) == 0) { /* nothing is complete, or enough waits */
            flow_end(flow, ERR_OK);
            return;
        }
        queue->notification->figures.suppressed += (uint64_t)db_get_i32(queue->lot, 0, 0);
        notification_queue_wake(queue);
        if (queue->closing || clock_mono_ms() >= queue->expand_until_ms)
            flow_end(flow, ERR_OK);
        else
            flow_goto(flow, EXPAND_LOT);
        return;
    }
    must(false);
}

static void expand_done(struct flow *flow)
{
    struct notification_queue *queue = FLOW_OF(flow, struct notification_queue, expand);

    if (flow->err != ERR_OK)
        LOG_WARN("mail_expand_failed", F_ERR(flow->err), F_STR("note", flow->note.text));
    flow_fini(flow);
    queue->expanding = false;
    queue_maybe_stopped(queue);
}

void queue_expand(struct notification_queue *queue)
{
    if (queue->expanding)
        return;
    queue->expanding = true;
    queue->expand_until_ms = clock_mono_ms() + EXPAND_MS_MAX;
    flow_init(&queue->expand, queue->notification->loop, expand_run, expand_done, NULL);
    flow_start(&queue->expand, EXPAND_LOT);
}
