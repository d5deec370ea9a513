/*
 * notification_send: one mail: render, come to where the smart host wants the text, write down
 * that it may be out from now on, send it, record what became of it.
 *
 * The mark before the text tells a mail whose sender died with nothing said from one of which a
 * copy may be out; and it fails for a sender that was taken for dead, so that no second one goes
 * out behind its back. The outcome is recorded until that worked.
 */
#include "base/log.h"
#include "notification/notification_queue.h"

enum {
    SEND_RECORD_PAUSE_MS = 500,
};

enum mail_step {
    MAIL_STEP_BEGIN,
    MAIL_STEP_MARK,
    MAIL_STEP_TEXT,
    MAIL_STEP_UNMARKED,
    MAIL_STEP_DECIDE,
    MAIL_STEP_RECORD,
    MAIL_STEP_AGAIN,
};

struct mail_flow {
    struct flow flow;
    struct notification_queue *queue;
    struct due_mail mail;
    struct mail_result result;
    struct mail_job *job;
    struct queue_write write;
    const char *state; /* what it came to */
};

/* ---- what it came to ---- */

static void count(struct notification *notification, const struct mail_flow *mail, int64_t now_us)
{
    struct notification_figures *figures = &notification->figures;

    switch (mail->result.verdict) {
    case MAIL_DELIVERED:
        figures->delivered++;
        metric_observe_us(&figures->delay, now_us > mail->mail.created_us
                                               ? (uint64_t)(now_us - mail->mail.created_us)
                                               : 0);
        break;
    case MAIL_DEFERRED:
        figures->deferred++;
        break;
    case MAIL_BOUNCED:
        figures->bounced++;
        break;
    case MAIL_AMBIGUOUS:
        figures->ambiguous++;
        break;
    }
}

/* `err`: of the attempt, when it did not come to a result. */
static struct mail_outcome outcome_of(const struct mail_flow *mail, enum err err, int64_t now_us)
{
    struct notification *notification = mail->queue->notification;
    bool closing = mail->queue->closing;

    if (err == ERR_OK) {
        count(notification, mail, now_us);
        if (!closing)
            queue_note_host(mail->queue, mail->result.reached);
    } else if (err != ERR_BUSY && err != ERR_STOPPING) {
        notification->figures.suppressed++;
    }
    return notification_rules_outcome(&mail->mail, err, &mail->result, closing, now_us);
}

static enum queue_address address_of(const struct mail_result *result)
{
    if (result->verdict == MAIL_DELIVERED)
        return QUEUE_ADDRESS_FINE;
    return result->address_refused ? QUEUE_ADDRESS_REFUSED : QUEUE_ADDRESS_UNKNOWN;
}

static void make_record(struct mail_flow *mail, enum err err)
{
    const struct mail_result *result = &mail->result;

    mail->write = (struct queue_write){
        .mail_id = mail->mail.mail_id,
        .outcome = outcome_of(mail, err, clock_now_us()),
        .code = result->code,
        .said = err == ERR_OK ? result->text : err_name(err),
        .to_address = mail->mail.to_address,
        .address = address_of(result),
    };
    mail->state = mail->write.outcome.state;
}

/* ---- its steps ---- */

static void begin(struct mail_flow *mail)
{
    struct notification *notification = mail->queue->notification;
    struct arena *arena = mail->flow.arena;
    struct mail_message message;
    struct str wire = STR_NONE;
    enum err err = mail->mail.to_address[0] == '\0' ? ERR_MAIL_ADDRESS : ERR_OK;

    if (err == ERR_OK)
        err = queue_render(notification, arena, &mail->mail, &message);
    if (err == ERR_OK)
        err = mail_build(arena, &message, &wire, &mail->flow.note);
    if (err != ERR_OK) {
        flow_resume(&mail->flow, err);
        return;
    }
    mail_begin(notification->sender, message.from_address, message.to_address, wire, &mail->result,
               &mail->job, &mail->flow);
}

static void mail_run(struct flow *flow)
{
    struct mail_flow *mail = FLOW_OF(flow, struct mail_flow, flow);
    enum err err = flow->err;

    switch ((enum mail_step)flow->step) {
    case MAIL_STEP_BEGIN:
        flow_on_error(flow, MAIL_STEP_DECIDE);
        flow_wait(flow, MAIL_STEP_MARK);
        begin(mail);
        return;
    case MAIL_STEP_MARK:
        if (mail->job == NULL) {
            flow_goto(flow, MAIL_STEP_DECIDE);
            return;
        }
        if (!mail->queue->closing)
            queue_note_host(mail->queue, true); /* others need not wait for this one's end */
        flow_on_error(flow, MAIL_STEP_UNMARKED);
        flow_wait(flow, MAIL_STEP_TEXT);
        mail->write = (struct queue_write){.mail_id = mail->mail.mail_id, .marks = true};
        queue_write_add(&mail->queue->writer, &mail->write, flow);
        return;
    case MAIL_STEP_TEXT:
        if (!mail->write.ours) { /* we were taken for dead: it is somebody else's now */
            mail_drop(mail->job);
            flow_end(flow, ERR_FENCED);
            return;
        }
        flow_wait(flow, MAIL_STEP_DECIDE);
        mail_text(mail->job, flow);
        return;
    case MAIL_STEP_UNMARKED:
        mail_drop(mail->job);
        flow->err = ERR_BUSY; /* the database is: the mail has not been tried */
        flow_goto(flow, MAIL_STEP_DECIDE);
        return;
    case MAIL_STEP_DECIDE:
        flow->err = ERR_OK;
        make_record(mail, err);
        flow_goto(flow, MAIL_STEP_RECORD);
        return;
    case MAIL_STEP_RECORD:
        flow_on_error(flow, MAIL_STEP_AGAIN);
        flow_wait(flow, FLOW_END);
        queue_write_add(&mail->queue->writer, &mail->write, flow);
        return;
    case MAIL_STEP_AGAIN:
        /* The outcome must not be forgotten: a second copy would go out. */
        if (mail->queue->closing) {
            flow_end(flow, flow->err);
            return;
        }
        flow->err = ERR_OK;
        flow_wait(flow, MAIL_STEP_RECORD);
        flow_sleep(flow, SEND_RECORD_PAUSE_MS);
        return;
    }
    must(false);
}

static void mail_done(struct flow *flow)
{
    struct mail_flow *mail = FLOW_OF(flow, struct mail_flow, flow);
    struct notification_queue *queue = mail->queue;
    char id[UUID_TEXT_BYTES];

    uuid_format(mail->mail.mail_id, id);
    LOG_INFO("mail_attempt", F_STR("mail_id", id), F_STR("kind", mail->mail.kind),
             F_STR("state", mail->state == NULL ? "lost" : mail->state),
             F_I64("code", mail->result.code), F_ERR(flow->err));
    json_decref(mail->mail.data);
    flow_fini(flow);
    queue_mail_ended(queue, mail->mail.mail_id);
    free(mail);
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
    flow_start(&mail->flow, MAIL_STEP_BEGIN);
}
