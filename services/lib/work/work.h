/*
 * work: how an event becomes one transaction. Loop thread only.
 *
 * Outgoing: work_emit() puts an event into a batch as an outbox row; after the commit it is
 * published at once, and rows that stay unsent for 5 s are swept by any instance of the same
 * service. Incoming: one batch of messages of a partition is in hand at a time. The handler reads,
 * decides, fills batch->effect and resumes batch->flow; then everything runs in ONE transaction:
 * the partition's offset by compare-and-set, the event ids (each once), the handler's effects, its
 * events. Attempts are committed before the work; the third death on one message, or a refusal,
 * dead-letters it in the transaction that passes it.
 */
#pragma once
#include <jansson.h>

#include "bus/bus.h"
#include "db/db.h"

enum {
    WORK_ATTEMPTS_MAX = 3,
    WORK_EVENT_BYTES_MAX = 512 * 1024,
    WORK_SWEEP_AFTER_MS = 5000,
    WORK_COMMIT_DEADLINE_MS = 20000,
    WORK_HANDLER_MS_MAX = 60000, /* a handler that has not resumed by then ends the process */
};

struct work;

struct work_options {
    const char *service; /* also the schema and the consumer group: "credit" */
    const char *source;  /* CloudEvents source: "/mamis/credit" */
    const char *group;   /* another consumer group; NULL: `service` */
};

/* Memory: the texts are copied. `db` and `bus` have to outlive it. */
struct work *work_open(struct loop *loop, struct db_pool *db, struct bus *bus,
                       const struct work_options *options);
/*
 * Takes no more messages, ends what is in hand, leaves the group, waits a moment for
 * acknowledgements, then `closed(arg)` from the loop. Not before each handler has resumed.
 */
void work_close(struct work *work, void (*closed)(void *arg), void *arg);

/* ---- outgoing ---- */

struct work_event {
    const char *type; /* "credits.posted.v1", as in proto/events/ */
    const char *topic;
    struct str key;
    struct str subject; /* CloudEvents subject, may be empty; no personal data */
    json_t *data;       /* reference stolen */
};

/*
 * Append the outbox row of an event to `batch`. The id is new. Returns it for tests and replies.
 * `trace`: 32 hexadecimal digits; NULL or anything else begins a new trace.
 */
struct uuid work_emit(struct work *work, struct db_batch *batch, const struct work_event *event,
                      const char *trace);
/*
 * The same for many events in one statement, for tools that write thousands. `events` are given up
 * (their data is stolen), the order is kept.
 */
void work_emit_all(struct work *work, struct db_batch *batch, const struct work_event *events,
                   size_t count);
/*
 * db_run() for a batch that holds events but is not the handling of a message (the gateway's
 * commands, timers). Publishes what was emitted once the commit is certain.
 * ERR_DB_UNKNOWN: the sweep publishes what turns out to be there.
 */
void work_run(struct work *work, struct db_batch *batch, uint64_t deadline_ms, struct flow *flow);

/* ---- incoming ---- */

struct work_message {
    struct uuid id; /* CloudEvents id: the event's identity for the inbox */
    const char *type;
    const char *topic;
    int32_t part;
    int64_t offset;
    struct str key;
    struct str subject;
    const char *trace; /* "" when there is none */
    int64_t time_us;   /* when it was emitted */
    json_t *data;      /* borrowed; an object */
};

/*
 * One or more messages of one partition, in order, with the same type, none of which had its
 * effect before. Handling has to be safe to repeat: it begins again after any failure.
 */
struct work_batch {
    struct work *work;
    const struct work_message *messages;
    size_t count;
    struct arena *arena;     /* lives as long as the batch */
    struct db_batch *effect; /* the handler adds its statements here, and work_emit()s into it */
    struct flow *flow;       /* resumed by the handler when it has finished: see work_handler_fn */
    void *state;             /* free for the handler, until `committed`; in `arena` */
    bool conflicted;         /* the last try was refused: what it relied on did not hold */
};

/*
 * Handle `batch`, then resume batch->flow exactly once: flow_resume(batch->flow, ERR_OK) when
 * batch->effect is complete (work commits it), or with an error:
 *   class input or state -> the message is dead-lettered (state: only noted) and passed,
 *   class retry          -> the same batch comes again after a back-off,
 *   class bug            -> the process ends; the third death dead-letters the message.
 * With several messages, a failure that is not a retry makes them come again one by one.
 * The note of batch->flow says why.
 */
typedef void (*work_handler_fn)(void *service, struct work_batch *batch);

struct work_route {
    const char *type; /* exact event type */
    work_handler_fn handle;
    size_t batch_max; /* 1 for handlers that take one message */
    /*
     * May be NULL. True for a message that somebody waits for and that is quickly done: it may
     * overtake earlier ones of its partition, never one with its own key. Looks at `message` alone.
     */
    bool (*urgent)(const struct work_message *message);
    /* May be NULL. Called from the loop after the batch is committed for certain. */
    void (*committed)(void *service, const struct work_batch *batch);
    /*
     * May be NULL. The one message of `batch` is given up for `reason` (an error's name): may add
     * statements to batch->effect, the transaction that buries it. Adds them at once, does not
     * wait.
     */
    void (*dead)(void *service, struct work_batch *batch, const char *reason);
};

/*
 * Subscribe to topics, once; types without a route are passed (noted in the inbox).
 * Memory: borrows `routes`, copies the topics' names.
 */
void work_subscribe(struct work *work, const char *const *topics, size_t topic_count,
                    const struct work_route *routes, size_t route_count, void *service);

/*
 * What the messages of state types carry, one after another: the data of "doctor.state.v1" is one
 * state, that of "doctors.state.v1" a list of them. Memory: the batch's arena and its messages.
 * Errors: ERR_SCHEMA.
 */
struct work_states {
    json_t **list;
    size_t count;
};
enum { WORK_STATES_MAX = 100 /* in one message */ };
CHECKED enum err work_states(const struct work_batch *batch, struct work_states *ret_states,
                             struct err_note *note);
/*
 * Emit states, at most WORK_STATES_MAX in one event: as `one` when there is a single one, else as
 * `many`. The event's key is that of its first state. References are stolen.
 */
void work_emit_states(struct work *work, struct db_batch *batch, const char *one, const char *many,
                      const char *topic, json_t *const *states, const char *const *keys,
                      size_t count);

/* The answer to a command: a row of the service's `operation` table and an event on mamis.replies.
 */
struct work_reply {
    struct uuid operation_id;
    enum err err;             /* ERR_OK: done, else failed */
    json_t *result;           /* stolen; an object; NULL for none */
    const char *problem_code; /* name in errors.yaml when failed; NULL: err's own name */
    /* Stolen; NULL for none. An object, whose members join the code; an array becomes "errors". */
    json_t *problem_extra;
};
void work_reply(struct work *work, struct db_batch *batch, const struct work_reply *reply,
                const char *trace);

struct work_stats {
    uint64_t handled, dead, retried, fenced; /* messages; batches; partitions lost */
    uint64_t emitted, swept;                 /* events published after their commit; by the sweep */
    uint64_t parked;                         /* events that Kafka will never take */
    int64_t dead_waiting; /* dead letters of the service that nobody has retried; -1 unknown */
    int64_t lag;          /* messages behind, over all partitions in hand; -1 unknown */
    unsigned partitions;
    unsigned stopped; /* of them, those whose offset does not exist: somebody has to act */
};
void work_stats(const struct work *work, struct work_stats *ret_stats);
/* True when no message is in hand and no event unacknowledged. */
bool work_idle(const struct work *work);

/*
 * For tools: which event a record of Kafka holds. Memory: `*ret_type` in `arena`.
 * Errors: ERR_JSON, ERR_SCHEMA, ERR_VERSION_UNKNOWN: it is none, and would be a dead letter.
 */
CHECKED enum err work_identify(struct str body, struct arena *arena, struct uuid *ret_id,
                               const char **ret_type, struct err_note *note);
