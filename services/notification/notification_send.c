/*
 * notification_send: one mail: render, send, record. What became of it is recorded until that
 * worked, for a forgotten outcome would be a second copy.
 */
#include "base/log.h"
#include "notification/notification_queue.h"

enum {
    SEND_DEADLINE_MS = 10000,
    SEND_RECORD_PAUSE_MS = 500,
    SEND_RETRY_MAX_S = 4 * 3600,
    SEND_GIVE_UP_S = 5 * CLOCK_DAY_S,
};

enum mail_step { MAIL_STEP_SEND, MAIL_STEP_RECORD, MAIL_STEP_RECORDED, MAIL_STEP_AGAIN };

struct mail_flow {
    struct flow flow;
    struct notification_queue *queue;
    struct due_mail mail;
    struct mail_result result;
    struct db_batch *record;
};

static const struct db_stmt record_mail = {
    "notification_record_mail",
    "UPDATE notification.mail SET state = $2, ambiguous = $3, next_try_at = $4, sender = NULL,"
    "  last_code = $5, last_text = $6, finished_at = CASE WHEN $2 IN ('ready', 'deferred') THEN "
    "NULL ELSE $7 END"
    " WHERE mail_id = $1 AND state = 'active' AND sender = $8",
};

struct decision {
    const char *state;
    bool ambiguous;
    int64_t next_try_us;
};

static int64_t backoff_us(int32_t attempts)
{
    int64_t wait_s = notification_settings.mail_retry_s;

    for (int32_t i = 1; i < attempts && wait_s < SEND_RETRY_MAX_S; i++)
        wait_s *= 2;
    return (wait_s < SEND_RETRY_MAX_S ? wait_s : SEND_RETRY_MAX_S) * CLOCK_SECOND_US;
}

/* What becomes of the mail after this attempt. */
static struct decision decide(const struct due_mail *mail, const struct mail_result *result,
                              int64_t now_us)
{
    struct decision decision = {"deferred", mail->ambiguous, now_us + backoff_us(mail->attempts)};

    switch (result->verdict) {
    case MAIL_DELIVERED:
        decision.state = "delivered";
        break;
    case MAIL_BOUNCED:
        decision.state = "bounced";
        break;
    case MAIL_AMBIGUOUS:
        /* Once more with the same Message-ID, never a third time. */
        if (mail->ambiguous)
            decision.state = "expired";
        decision.ambiguous = true;
        break;
    case MAIL_DEFERRED:
        if (now_us - mail->created_us > SEND_GIVE_UP_S * CLOCK_SECOND_US)
            decision.state = "expired";
        break;
    }
    return decision;
}

static void count(struct notification *notification, enum mail_verdict verdict)
{
    switch (verdict) {
    case MAIL_DELIVERED:
        notification->figures.delivered++;
        break;
    case MAIL_DEFERRED:
        notification->figures.deferred++;
        break;
    case MAIL_BOUNCED:
        notification->figures.bounced++;
        break;
    case MAIL_AMBIGUOUS:
        notification->figures.ambiguous++;
        break;
    }
}

static void record(struct mail_flow *mail, const char *state, const struct decision *decision)
{
    struct db_query *query;

    mail->record = db_batch_new(mail->flow.arena);
    query = db_add(mail->record, &record_mail);
    db_uuid(query, mail->mail.mail_id);
    db_text_c(query, state);
    db_bool(query, decision->ambiguous);
    db_time(query, decision->next_try_us);
    db_i32(query, mail->result.code);
    db_text_c(query, mail->result.text);
    db_time(query, clock_now_us());
    db_uuid(query, mail->queue->instance);
}

static void send_mail(struct mail_flow *mail)
{
    struct notification *notification = mail->queue->notification;
    struct mail_message message = {
        .message_id = mail->mail.message_id,
        .from_name = notification_settings.mail_from_name,
        .from_address = notification_settings.mail_from,
        .to_name = mail->mail.to_name,
        .to_address = mail->mail.to_address,
        .date_us = mail->mail.created_us,
    };
    struct str wire = STR_NONE;
    enum err err = queue_render(notification, mail->flow.arena, &mail->mail, &message);

    if (err == ERR_OK)
        err = mail_build(mail->flow.arena, &message, &wire, &mail->flow.note);
    if (err != ERR_OK) {
        flow_resume(&mail->flow, err);
        return;
    }
    mail_send(notification->sender, message.from_address, message.to_address, wire, &mail->result,
              &mail->flow);
}

static void mail_run(struct flow *flow)
{
    struct mail_flow *mail = FLOW_OF(flow, struct mail_flow, flow);
    struct notification *notification = mail->queue->notification;
    struct decision decision;

    switch ((enum mail_step)flow->step) {
    case MAIL_STEP_SEND:
        flow_on_error(flow, MAIL_STEP_RECORD);
        flow_wait(flow, MAIL_STEP_RECORD);
        if (mail->mail.to_address[0] == '\0')
            flow_resume(flow, ERR_MAIL_ADDRESS);
        else
            send_mail(mail);
        return;
    case MAIL_STEP_RECORD:
        /* An address or text that cannot be sent is final; a full sender comes again. */
        decision = decide(&mail->mail, &mail->result, clock_now_us());
        if (flow->err == ERR_BUSY)
            decision.state = "ready";
        else if (flow->err != ERR_OK) {
            decision.state = "suppressed";
            notification->figures.suppressed++;
        } else
            count(notification, mail->result.verdict);
        queue_note_host(mail->queue, &mail->result);
        record(mail, decision.state, &decision);
        flow->err = ERR_OK;
        flow_goto(flow, MAIL_STEP_RECORDED);
        return;
    case MAIL_STEP_RECORDED:
        flow_on_error(flow, MAIL_STEP_AGAIN);
        flow_wait(flow, FLOW_END);
        db_run(notification->db, mail->record, SEND_DEADLINE_MS, flow);
        return;
    case MAIL_STEP_AGAIN:
        /* The outcome must not be forgotten: a second copy would go out. */
        if (mail->queue->closing) {
            flow_end(flow, flow->err);
            return;
        }
        flow->err = ERR_OK;
        flow_wait(flow, MAIL_STEP_RECORDED);
        flow_sleep(flow, SEND_RECORD_PAUSE_MS);
        return;
    }
    must(false);
}

static void mail_done(struct flow *flow)
{
    struct mail_flow *mail = FLOW_OF(flow, struct mail_flow, flow);
    struct notification_queue *queue = mail->queue;

    LOG_INFO("mail_attempt", F_STR("kind", mail->mail.kind), F_I64("verdict", mail->result.verdict),
             F_I64("code", mail->result.code), F_ERR(flow->err));
    json_decref(mail->mail.data);
    flow_fini(flow);
    free(mail);
    queue_mail_ended(queue);
}

void queue_mail_start(struct notification_queue *queue, const struct due_mail *due)
{
    struct mail_flow *mail = heap_zero(sizeof(*mail));

    flow_init(&mail->flow, queue->notification->loop, mail_run, mail_done, NULL);
    mail->queue = queue;
    mail->mail = *due;
    mail->mail.message_id = arena_strdup(mail->flow.arena, due->message_id);
    mail->mail.kind = arena_strdup(mail->flow.arena, due->kind);
    mail->mail.to_name = arena_strdup(mail->flow.arena, due->to_name);
    mail->mail.to_address = arena_strdup(mail->flow.arena, due->to_address);
    mail->result.verdict = MAIL_DEFERRED;
    queue->in_hand++;
    flow_start(&mail->flow, MAIL_STEP_SEND);
}
