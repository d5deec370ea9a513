/* notification_start: opens what the process needs, in one visible order; figures. */
#include <stdio.h>

#include "gen/events.h"
#include "gen/topics.h"
#include "notification/notification.h"

enum { NOTIFICATION_BATCH_MAX = 500, NOTIFICATION_LISTS_MAX = 4 };

/* Seminars make no mail of their own yet; their events are passed, so that nobody waits for us. */
static const char *const topics[] = {
    TOPIC_ACCOUNT_EVENTS, TOPIC_DOCTOR_EVENTS,    TOPIC_CREDIT_EVENTS,     TOPIC_CERTIFICATE_EVENTS,
    TOPIC_SEMINAR_EVENTS, TOPIC_PROCEDURE_EVENTS, TOPIC_MAINTENANCE_EVENTS};

static const struct work_route routes[] = {
    {.type = EVENT_ACCOUNT_STATE,
     .handle = notification_account_handle,
     .batch_max = NOTIFICATION_BATCH_MAX},
    {.type = EVENT_DOCTOR_STATE,
     .handle = notification_doctor_handle,
     .batch_max = NOTIFICATION_BATCH_MAX},
    {.type = EVENT_ACCOUNTS_STATE,
     .handle = notification_account_handle,
     .batch_max = NOTIFICATION_LISTS_MAX},
    {.type = EVENT_DOCTORS_STATE,
     .handle = notification_doctor_handle,
     .batch_max = NOTIFICATION_LISTS_MAX},
    {.type = EVENT_LINK_ISSUED,
     .handle = notification_link_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_CREDENTIAL_CHANGED,
     .handle = notification_credential_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_MY_PAGE_CREATED,
     .handle = notification_my_page_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_SIGNUP_REFUSED,
     .handle = notification_signup_refused_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_CERTIFICATION_LINKED,
     .handle = notification_linked_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_EMAIL_CHANGED,
     .handle = notification_email_changed_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_LINKS_LATE,
     .handle = notification_links_late_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_CORRECTION_STATE,
     .handle = notification_correction_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_REISSUE_STATE,
     .handle = notification_reissue_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_DOCTOR_MERGED,
     .handle = notification_merged_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_DELEGATION_STATE,
     .handle = notification_delegation_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_APPLICATION_STATE,
     .handle = notification_application_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_PROCEDURE_STATE,
     .handle = notification_procedure_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_PROCEDURE_DIGEST,
     .handle = notification_digest_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_TRAINING_ENDS,
     .handle = notification_training_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_MAINTENANCE_STATE, .handle = notification_maintenance_handle, .batch_max = 1},
    {.type = EVENT_CREDITS_POSTED,
     .handle = notification_posted_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_ROWS_EXPIRED,
     .handle = notification_expired_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_SEMINAR_SIGNUP_CHANGED,
     .handle = notification_seminar_signup_handle,
     .batch_max = 1,
     .committed = notification_committed},
    {.type = EVENT_UPLOAD_DONE,
     .handle = notification_upload_handle,
     .batch_max = 1,
     .committed = notification_committed},
};

static enum err read_key(struct notification *notification, struct err_note *note)
{
    const char *path = proc_settings(notification->proc)->link_key_file;

    if (path[0] == '\0')
        return err_say(note, ERR_SETTINGS, "the setting link_key_file is missing");
    return secret_key_load(path, &notification->link_key, note);
}

static enum err load_texts(struct notification *notification, struct err_note *note)
{
    const char *data_dir = proc_settings(notification->proc)->data_dir;
    const char *given = notification_settings.mail_templates;
    char path[600];

    (void)snprintf(path, sizeof(path), "%s/services/notification/mail",
                   data_dir[0] != '\0' ? data_dir : MAMIS_SOURCE_DIR);
    return notification_text_load(given[0] != '\0' ? given : path, &notification->text, note);
}

/* A sender that cannot be written down would keep every mail from going out. */
static enum err check_names(struct err_note *note)
{
    char address[300];

    (void)snprintf(address, sizeof(address), "x@%s", notification_settings.mail_domain);
    if (!mail_address_ok(str_of(address)))
        return err_say(note, ERR_SETTINGS, "mail_domain is no domain");
    if (!mail_address_ok(str_of(notification_settings.mail_from)))
        return err_say(note, ERR_SETTINGS, "mail_from is no address");
    return ERR_OK;
}

static enum err open_sender(struct notification *notification, struct err_note *note)
{
    const struct mail_options options = {
        .smart_host = notification_settings.smart_host,
        .helo = notification_settings.mail_domain,
        .connections_max = notification_settings.mail_connections,
        .timeout_ms = notification_settings.mail_timeout_ms,
        .tls_required = notification_settings.mail_tls,
    };
    struct str url = str_of(options.smart_host);
    bool tls = options.tls_required || str_starts(url, STR("smtps://"));

    if (!str_starts(url, STR("smtp://")) && !str_starts(url, STR("smtps://")))
        return err_say(note, ERR_SETTINGS, "smart_host wants smtp:// or smtps://");
    if (!tls && !str_starts(url, STR("smtp://127.")) && !str_starts(url, STR("smtp://[::1]")))
        return err_say(note, ERR_SETTINGS,
                       "mail_tls: only a smart host on loopback may do without");
    notification->sender = mail_open(notification->loop, &options);
    return ERR_OK;
}

enum err notification_start(struct proc *proc, void *state, struct err_note *note)
{
    struct notification *notification = state;
    enum err err;

    notification->proc = proc;
    notification->loop = proc_loop(proc);
    notification->public_url = proc_settings(proc)->public_url;
    TRY(read_key(notification, note));
    TRY(load_texts(notification, note));
    TRY(check_names(note));
    TRY(open_sender(notification, note));
    notification->db = proc_db(proc);
    notification->work = proc_work(proc);
    notification->queue = notification_queue_open(notification);
    work_subscribe(notification->work, topics, ARRAY_LEN(topics), routes, ARRAY_LEN(routes),
                   notification);
cleanup:
    return err;
}

static void sender_closed(void *arg)
{
    struct notification *notification = arg;

    proc_stopped(notification->proc);
}

static void queue_stopped(void *arg)
{
    struct notification *notification = arg;

    mail_close(notification->sender, sender_closed, notification);
}

void notification_stop(struct proc *proc, void *state)
{
    struct notification *notification = state;

    (void)proc;
    notification_queue_close(notification->queue, queue_stopped, notification);
}

bool notification_ready(struct proc *proc, void *state, struct err_note *why)
{
    struct notification *notification = state;

    (void)proc;
    if (!db_up(notification->db))
        (void)err_say(why, ERR_DB_DOWN, "PostgreSQL does not answer");
    return db_up(notification->db);
}

void notification_metrics(struct proc *proc, void *state, struct buf *out)
{
    const struct notification_figures *figures = &((const struct notification *)state)->figures;

    (void)proc;
    metric_add(out, "mails_total", "verdict=\"delivered\"", (int64_t)figures->delivered);
    metric_add(out, "mails_total", "verdict=\"deferred\"", (int64_t)figures->deferred);
    metric_add(out, "mails_total", "verdict=\"bounced\"", (int64_t)figures->bounced);
    metric_add(out, "mails_total", "verdict=\"ambiguous\"", (int64_t)figures->ambiguous);
    metric_add(out, "mails_total", "verdict=\"suppressed\"", (int64_t)figures->suppressed);
    metric_add(out, "mails_in_hand", "", figures->in_hand);
    metric_add(out, "mail_oldest_due_s", "", figures->oldest_due_s);
    metric_add(out, "smart_host_away", "", figures->host_away);
    metric_histogram_add(out, "mail_delay", "", &figures->delay);
}
