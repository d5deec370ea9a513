/*
 * notification: what the files of this process share.
 *
 * events -> notification_people (who is who), notification_occasions and notification_uploads
 * (which mail, one row each), notification_posted (one row a chunk) -> notification_expand (mails
 * of complete uploads) -> notification_queue (due mails, one flow each) -> notification_text ->
 * lib/mail.
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

enum {
    NOTIFICATION_SETTING_COUNT = 0
#define SETTING(name, type, fallback, least, most, unit, flags, help) +1
#include "notification/notification_settings.def"
#undef SETTING
};

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
    const char *public_url;
    struct notification_figures {
        uint64_t delivered, deferred, bounced, ambiguous, suppressed;
        struct metric_histogram delay; /* from the event to the delivery */
        unsigned in_hand;
        bool host_away;
        int64_t oldest_due_s; /* how long the first of those that are due has waited */
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
void notification_credential_handle(void *service, struct work_batch *batch);
void notification_my_page_handle(void *service, struct work_batch *batch);
void notification_signup_refused_handle(void *service, struct work_batch *batch);
void notification_linked_handle(void *service, struct work_batch *batch);
void notification_email_changed_handle(void *service, struct work_batch *batch);
void notification_links_late_handle(void *service, struct work_batch *batch);
void notification_correction_handle(void *service, struct work_batch *batch);
void notification_merged_handle(void *service, struct work_batch *batch);
void notification_delegation_handle(void *service, struct work_batch *batch);
void notification_reissue_handle(void *service, struct work_batch *batch);
void notification_application_handle(void *service, struct work_batch *batch);
void notification_procedure_handle(void *service, struct work_batch *batch);
void notification_digest_handle(void *service, struct work_batch *batch);
void notification_training_handle(void *service, struct work_batch *batch);
void notification_posted_handle(void *service, struct work_batch *batch);
void notification_upload_handle(void *service, struct work_batch *batch);
void notification_maintenance_handle(void *service, struct work_batch *batch);
void notification_expired_handle(void *service, struct work_batch *batch);
void notification_seminar_signup_handle(void *service, struct work_batch *batch);
/*
 * notification_corrected: who was told of what is taken back is told so (M24). Before anything else
 * of the same correction is added to the batch.
 */
struct event_credits_posted;
void notification_corrected_add(struct work_batch *batch, const struct event_credits_posted *event);
/* After a commit: mails may be due. */
void notification_committed(void *service, const struct work_batch *batch);

/* ---- one mail's row ---- */

struct notification_mail {
    const char *kind;     /* "M01"; a template has this name */
    const char *occasion; /* subject and version; the kind is put before it */
    int64_t to_doctor;    /* 0: none */
    bool has_account;
    struct uuid to_account;
    struct str to_address; /* before theirs; empty: none */
    json_t *data;          /* stolen: placeholders of the template */
};

/* SQL: the Message-ID that follows from an occasion, for ever the same. Without <>. */
#define NOTIFICATION_MESSAGE_ID(kind, occasion, domain)                                            \
    kind " || '.' || left(encode(sha256(convert_to(" occasion                                      \
         ", 'UTF8')), 'hex'), 40) || '@' || " domain

/* Append the insertion of a mail; the same occasion a second time changes nothing. */
void notification_mail_add(struct work_batch *batch, const struct notification_mail *mail);
/* Accounts of a role with one of these codes; office_l3, call_centre have none. */
struct notification_staff {
    const char *role;
    struct str organiser_code, l1_code, l2_code; /* one of them, the others empty */
};
/* The same for each of them that is active, at most 50; the mail's own addressee is not looked at.
 */
void notification_mail_add_to_staff(struct work_batch *batch, const struct notification_mail *mail,
                                    const struct notification_staff *staff);
/* To the national office instead, when there is nobody of `staff` whom a mail could reach. */
void notification_mail_add_of_absent(struct work_batch *batch, const struct notification_mail *mail,
                                     const struct notification_staff *staff);
/*
 * About a file: to the account that sent it, while that is active and has an address; otherwise, or
 * when a token sent it, to the organiser's accounts as above.
 */
void notification_mail_add_to_sender(struct work_batch *batch, const struct notification_mail *mail,
                                     struct str organiser_code);

/* ---- the queue of due mails ---- */

struct notification_queue *notification_queue_open(struct notification *notification);
/* Look for due mails soon. */
void notification_queue_wake(struct notification_queue *queue);
/* Takes no more mails; `stopped` when those in hand are recorded. */
void notification_queue_close(struct notification_queue *queue, void (*stopped)(void *arg),
                              void *arg);

/* ---- texts ---- */

/* Text of a string value, "" for none. New reference. */
json_t *notification_text_json(struct str text);
/* "2026年11月22日", nothing for DAY_NONE. */
void notification_day_add(struct buf *out, day_t day);

/* Errors: ERR_SETTINGS naming the template that is missing or too long. */
CHECKED enum err notification_text_load(const char *directory, struct notification_text **ret_text,
                                        struct err_note *note);
/* NULL is allowed. */
void notification_text_free(struct notification_text *text);
/*
 * Subject and body of `kind` with the placeholders of `data` filled in; an unknown placeholder
 * stays empty, a line break in the subject becomes a blank. Both live in the arena.
 * Errors: ERR_INTERNAL for an unknown kind.
 */
CHECKED enum err notification_text_render(const struct notification_text *text, struct arena *arena,
                                          const char *kind, const json_t *data,
                                          const char **ret_subject, const char **ret_body);
/* As the subject does: control characters become blanks. Lives in the arena. */
const char *notification_text_line(struct arena *arena, const char *text);
