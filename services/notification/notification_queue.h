/*
 * notification_queue: what the files of the queue share.
 */
#pragma once
#include "notification/notification.h"

/* A row that was taken, as far as sending needs it. */
struct due_mail {
    struct uuid mail_id;
    const char *kind;
    const char *message_id;
    const char *to_address; /* "" when there is none */
    const char *to_name;
    json_t *data;
    int64_t created_us;
    int32_t attempts;
    bool ambiguous;
};

struct notification_queue {
    struct notification *notification;
    struct uuid instance; /* this sender, while the process lives */
    struct timer timer;
    struct flow tick;
    struct db_batch *batch;
    struct db_query *picked;
    unsigned in_hand; /* mails under way; at most mail_connections */
    bool ticking;
    bool woken;
    bool more;      /* the last pick found mails: look again when one ends */
    bool host_away; /* no connection to the smart host: one probe a tick */
    bool host_back;
    bool closing;
    bool closed;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

void queue_mail_start(struct notification_queue *queue, const struct due_mail *due);
void queue_mail_ended(struct notification_queue *queue);
void queue_maybe_stopped(struct notification_queue *queue);
/* What an attempt says about the smart host itself. */
void queue_note_host(struct notification_queue *queue, const struct mail_result *result);
/* Subject and body of a mail. Errors: ERR_INTERNAL. */
CHECKED enum err queue_render(struct notification *notification, struct arena *arena,
                              const struct due_mail *mail, struct mail_message *message);
