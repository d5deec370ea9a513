/*
 * notification_queue: what the files of the queue share.
 */
#pragma once
#include "notification/notification.h"

enum {
    QUEUE_MAILS_MAX = 100, /* mail_connections is no more */
    QUEUE_DEADLINE_MS = 5000,
};

/* A row that was taken, as far as sending needs it. */
struct due_mail {
    struct uuid mail_id;
    const char *kind;
    const char *message_id;
    const char *to_address; /* "" when there is none */
    const char *to_name;
    json_t *data;
    int64_t created_us;
    int32_t attempts; /* with this one */
    bool ambiguous;   /* a copy may be out already */
};

/* What becomes of a mail after an attempt. */
struct mail_outcome {
    const char *state;
    bool ambiguous;
    bool counted; /* the attempt counts for the next wait */
    int64_t next_try_us;
};

/*
 * Something that a mail under way has to write down. Embedded in its flow, which has one at a time.
 */
struct queue_write {
    struct queue_write *next;
    struct flow *flow;
    struct uuid mail_id;
    bool marks; /* that its text may be out from now on; else what the attempt came to */
    bool ours;  /* after a mark went well: false when somebody else has taken the mail over */
    struct mail_outcome outcome;
    int32_t code; /* of the smart host; 0: none */
    const char *said;
    const char *to_address;
    enum queue_address {
        QUEUE_ADDRESS_UNKNOWN,
        QUEUE_ADDRESS_FINE,    /* a mail got through */
        QUEUE_ADDRESS_REFUSED, /* the smart host says it is none */
    } address;
};

struct queue_writer {
    struct notification_queue *queue;
    struct flow flow;
    bool running;
    struct queue_write *gathered, *taken; /* for the next transaction; in the one that runs */
    struct db_query *marked;              /* the mails whose mark is written; NULL: none asked */
};

/*
 * Write it with what others have to write, then resume `flow`. Memory: `write` is borrowed until
 * then. Errors: those of db_run(); whether it was written is not known for all of them, and writing
 * it again does no harm.
 */
void queue_write_add(struct queue_writer *writer, struct queue_write *write, struct flow *flow);

struct notification_queue {
    struct notification *notification;
    struct uuid instance; /* this sender, while the process lives */
    struct timer timer;
    struct flow tick, expand, maintenance;
    struct queue_writer writer;
    struct db_query *picked;
    struct db_query *oldest; /* of upkeep; NULL: none in this tick */
    struct db_query *lot;    /* of expand */
    struct db_query *maintenance_lot;
    uint64_t expand_until_ms;
    struct uuid held[QUEUE_MAILS_MAX]; /* mails under way */
    unsigned in_hand;                  /* of them; at most mail_connections */
    unsigned wanted;                   /* mails asked for by the pick that runs */
    bool ticking, expanding, telling;
    bool woken;     /* while ticking */
    bool more;      /* the last pick found all it asked for */
    bool host_away; /* nobody answers there: one mail a second tries */
    bool closing;
    bool closed;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* Upkeep, once a second, in one transaction; then, when that worked, its figures. */
void queue_upkeep(struct notification_queue *queue, struct flow *flow);
void queue_upkeep_done(struct notification_queue *queue);
/* Makes mails of what complete uploads posted, unless that is going on. */
void queue_expand(struct notification_queue *queue);
/* Makes mails about maintenance that are due, unless that is going on. */
void queue_tell_maintenance(struct notification_queue *queue);
/* Ends the queue when it is closing and nothing is under way. */
void queue_maybe_stopped(struct notification_queue *queue);
void queue_mail_start(struct notification_queue *queue, const struct due_mail *due);
void queue_mail_ended(struct notification_queue *queue, struct uuid mail_id);
/* Whether an attempt reached the smart host. */
void queue_note_host(struct notification_queue *queue, bool reached);
/* Subject and body of a mail, in `arena`. Errors: ERR_INTERNAL. */
CHECKED enum err queue_render(struct notification *notification, struct arena *arena,
                              const struct due_mail *mail, struct mail_message *message);
/*
 * `err`: of an attempt that did not come to a result. `closing`: what was cut off with no answer
 * was cut off by ourselves.
 */
struct mail_outcome notification_rules_outcome(const struct due_mail *mail, enum err err,
                                               const struct mail_result *result, bool closing,
                                               int64_t now_us);
