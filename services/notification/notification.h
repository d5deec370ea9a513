/*
 * notification: what the files of this process share.
 *
 * events -> notification_people (who is who), notification_occasions and notification_uploads
 * (which mail, one row each) -> notification_queue (due mails, one flow each) -> notification_text
 * -> lib/mail.
 */
#pragma once
#include <jansson.h>

#include "mail/mail.h"
#include "proc/proc.h"
#include "secret/secret.h"

struct notification_settings {
#define SETTING(name, type, fallback, least, most, unit, flags, help) SETTING_FIELD_##type name;
#include "notification/notification_settings.def"
#undef SETTING
};

enum { NOTIFICATION_SETTING_COUNT = 11 };

extern const struct setting notification_setting_table[NOTIFICATION_SETTING_COUNT];
extern struct notification_settings notification_settings;

struct notification_text; /* the templates, loaded at start */

struct notification {
    struct proc *proc;
    struct loop *loop;
    struct db_pool *db;
    struct work *work;
    struct mail_sender *sender;
    struct notification_text *text;
    struct notification_queue *queue;
    struct secret_key link_key;
    struct notification_figures {
        uint64_t delivered, deferred, bounced, ambiguous, suppressed;
    } figures;
};

enum err notification_start(struct proc *proc, void *state, struct err_note *note);
void notification_stop(struct proc *proc, void *state);
bool notification_ready(struct proc *proc, void *state, struct err_note *why);
void notification_metrics(struct proc *proc, void *state, struct buf *out);

/* Handlers of events: see work_handler_fn. */
void notification_account_handle(void *service, struct work_batch *batch);
void notification_doctor_handle(void *service, struct work_batch *batch);
void notification_link_handle(void *service, struct work_batch *batch);
void notification_my_page_handle(void *service, struct work_batch *batch);
void notification_application_handle(void *service, struct work_batch *batch);
void notification_posted_handle(void *service, struct work_batch *batch);
void notification_upload_handle(void *service, struct work_batch *batch);
/* After a commit: mails may be due. */
void notification_committed(void *service, const struct work_batch *batch);

/* ---- one mail's row ---- */

struct notification_mail {
    const char *kind;      /* "M23" */
    const char *occasion;  /* subject and version; the kind is put before it */
    struct uuid upload_id; /* with `gather` */
    bool gather;           /* waits until its upload is complete */
    int64_t to_doctor;     /* 0: none */
    struct uuid to_account;
    bool has_account;
    struct str to_address; /* data NULL: none */
    json_t *data;          /* stolen: placeholders of the template */
};

/* Append the insertion of a mail; the same occasion a second time changes nothing. */
void notification_mail_add(struct notification *notification, struct work_batch *batch,
                           const struct notification_mail *mail);
/* "<M23.…@domain>" without <>: the same for the same occasion, for ever. Lives in the arena. */
const char *notification_message_id(struct arena *arena, const char *kind, const char *occasion);

/* ---- the queue of due mails ---- */

struct notification_queue *notification_queue_open(struct notification *notification);
/* Look for due mails soon. */
void notification_queue_wake(struct notification_queue *queue);
/* Takes no more mails; `stopped` when those in hand are recorded. */
void notification_queue_close(struct notification_queue *queue, void (*stopped)(void *arg),
                              void *arg);

/* ---- texts ---- */

/* Errors: ERR_SETTINGS naming the template that is missing or too long. */
CHECKED enum err notification_text_load(const char *directory, struct notification_text **ret_text,
                                        struct err_note *note);
/*
 * Subject and body of `kind` with the placeholders of `data` filled in; an unknown placeholder
 * stays empty. Both live in the arena. Errors: ERR_INTERNAL for an unknown kind.
 */
CHECKED enum err notification_text_render(const struct notification_text *text, struct arena *arena,
                                          const char *kind, const json_t *data,
                                          const char **ret_subject, const char **ret_body);
