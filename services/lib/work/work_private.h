/*
 * work_private: what the files of lib/work share. Nobody else includes it.
 *
 *   work.c           opening, closing, figures, what happens once a second
 *   work_sql.c       the statements, with the service's schema in them
 *   work_envelope.c  CloudEvents: bytes to message and back
 *   work_outbox.c    events after their commit: publishing, acknowledgements, back-pressure
 *   work_marks.c     what became of an event, written to its outbox row
 *   work_sweep.c     rows that stayed unsent; old rows
 *   work_reply.c     answers to commands
 *   work_lists.c     many states in one message: sending
 *   work_states.c    ... and reading
 *   work_part.c      one partition in hand: its place and its life
 *   work_queue.c     its records, within limits
 *   work_attempt.c   attempts that were no deaths
 *   work_pause.c     topics that are not to be read now
 *   work_overtake.c  urgent messages go before others
 *   work_turn.c      one batch of messages from the queue to its commit
 *   work_effect.c    the transactions of a turn
 */
#pragma once
#include "work/work.h"

enum {
    WORK_TICK_MS = 1000,
    WORK_READ_DEADLINE_MS = 10000,
    /* Queue of one partition: stop fetching above, go on below; and of all together. */
    WORK_PART_MESSAGES_MAX = 1024,
    WORK_PART_MESSAGES_LOW = 256,
    WORK_PART_BYTES_MAX = 4 * 1024 * 1024,
    WORK_PART_BYTES_LOW = 1024 * 1024,
    WORK_QUEUED_BYTES_MAX = 64 * 1024 * 1024,
    /* One batch: bytes that are parsed in one go, and how many messages without a route. */
    WORK_BATCH_BYTES_MAX = 256 * 1024,
    WORK_BATCH_MESSAGES_MAX = 500,
    WORK_OVERTAKES_MAX = 4, /* in a row, then whatever is first */
    WORK_URGENT_BYTES_MAX = 4096,
    WORK_BACKOFF_FIRST_MS = 100,
    WORK_BACKOFF_MAX_MS = 5000,
    WORK_CONFLICTS_MAX = 5, /* in a row on one batch: no accident any more */
    WORK_FENCED_WAIT_MS = 1000,
    WORK_LOOK_WAIT_MS = 250,
    /* Events that wait in memory because the bus is full; more are left to the sweep. */
    WORK_WAITING_MAX = 4096,
    WORK_WAITING_BYTES_MAX = 16 * 1024 * 1024,
    WORK_ITEM_BUCKETS = 4096,
    WORK_MARK_MS = 20,
    WORK_MARK_ROWS_MAX = 1000,
    WORK_MARKS_MAX = 32768, /* not yet written; more are forgotten: the sweep sends them again */
    WORK_SWEEP_ROWS_MAX = 500,
    WORK_SWEEP_BYTES_MAX = 8 * 1024 * 1024,
    WORK_DEAD_EVERY_MS = 15000,
    WORK_CLEAN_EVERY_S = 3600,
    WORK_CLEAN_ROWS_MAX = 1000,
    WORK_CLEAN_PAUSE_MS = 100,
    WORK_CLOSE_TURNS_MS = 1200, /* closing: for what is in hand */
    WORK_CLOSE_ACKS_MS = 1600,  /* closing: for acknowledgements, counted from the beginning */
    WORK_CLOSE_TICK_MS = 10,
    WORK_JSON_DEPTH_MAX = 16,
    WORK_JSON_TOKENS_MAX = 128 * 1024,
    WORK_TYPE_BYTES_MAX = 100,
    WORK_TRACE_BYTES = 33,
};

/* ---- work_sql.c ---- */

enum work_sql {
    WORK_SQL_EMIT,
    WORK_SQL_EMIT_ALL,
    WORK_SQL_MARK,
    WORK_SQL_PARK,
    WORK_SQL_CLAIM,
    WORK_SQL_CLEAN_OUTBOX,
    WORK_SQL_CLEAN_INBOX,
    WORK_SQL_DEAD,     /* how many letters wait */
    WORK_SQL_PAUSED,   /* which topics are paused */
    WORK_SQL_BEGIN,    /* where a partition goes on; makes its row */
    WORK_SQL_LOOK,     /* where it is, nothing else */
    WORK_SQL_CARELESS, /* this transaction may be lost with the server */
    WORK_SQL_ATTEMPT,
    WORK_SQL_UNATTEMPT,
    WORK_SQL_OURS, /* is this event in the outbox? */
    WORK_SQL_KNOWN,
    WORK_SQL_ADVANCE,
    WORK_SQL_INBOX,
    WORK_SQL_BURY,
    WORK_SQL_REPLY,
    WORK_SQL_COUNT
};

/* Texts for `schema`, in memory of the pool: they outlive every prepared statement. */
void work_sql_make(struct work *work, const char *schema);

/* ---- work_envelope.c ---- */

/* The record's value. Memory: `arena`; steals `event->data`. */
struct str work_envelope_encode(struct arena *arena, const struct work *work, struct uuid id,
                                const struct work_event *event, const char *trace);
/*
 * Limits first, then JSON, then the envelope's members. On success `*ret_root` is owned by the
 * caller and `message` borrows from it; topic, part, offset and key are left as they are. `trace`
 * is filled. Errors: ERR_JSON, ERR_SCHEMA, ERR_VERSION_UNKNOWN.
 */
CHECKED enum err work_envelope_decode(struct str body, struct work_message *message,
                                      char trace[WORK_TRACE_BYTES], json_t **ret_root,
                                      struct err_note *note);
/* Pre-scan: nesting and number of tokens within the limits, whatever else is wrong. */
CHECKED enum err work_json_scan(struct str text, struct err_note *note);

/* ---- work_outbox.c ---- */

/* An event that was emitted into a batch; lives in the batch's arena. */
struct work_emitted {
    struct work_emitted *next;
    struct work_emitted *last; /* of the list; kept in its first element */
    struct uuid id;
    const char *topic;
    struct str key;
    struct str body;
};

/* An event on its way: until its row says that it was sent, the sweep has to leave it alone. */
struct work_item {
    struct work *work; /* NULL: its owner is gone */
    bool acked;        /* Kafka has it; its row does not say so yet */
    struct work_item *hash_next;
    struct work_item *waiting_next;
    struct uuid id;
    /* while it waits for room in the bus */
    char *topic;
    struct str key;
    struct str body;
};

struct work_outbox {
    struct work_item *buckets[WORK_ITEM_BUCKETS]; /* all events on their way, by id */
    size_t unacked;                               /* of them, given to the bus */
    struct work_item *waiting_head, *waiting_tail;
    size_t waiting;
    size_t waiting_bytes;
};

/* The commit is certain: publish what was emitted into `batch`. */
void work_publish_emitted(struct work *work, struct db_batch *batch);
/* Publish one event unless it is on its way already. False: no room, left to the sweep. */
bool work_publish(struct work *work, struct uuid id, const char *topic, struct str key,
                  struct str body);
/* Take it out of the table and free it. */
void work_item_end(struct work_item *item);
/* Forget everything on its way; acknowledgements that still come are ignored. */
void work_outbox_drop(struct work *work);

/* ---- work_marks.c ---- */

struct work_marks {
    struct work_item **items; /* acknowledged, not yet written */
    size_t count;
    size_t room;
    size_t writing; /* of them, in the statement that runs: the first ones */
    bool running;
    struct flow flow;
    struct db_query *query;
    struct timer timer;
};

void work_marks_init(struct work *work);
/* Takes the item over. */
void work_mark_sent(struct work *work, struct work_item *item);
/* Kafka will never take it: off the sweep's list, with an alarm. */
void work_park(struct work *work, struct uuid id, const char *topic, const char *why);
/* Write what there is now. */
void work_marks_flush(struct work *work);

/* ---- work_sweep.c ---- */

struct work_sweep {
    struct flow flow;
    bool running;
    struct db_query *query;
    size_t rows;
};

/* Once a second. */
void work_sweep_tick(struct work *work);
void work_clean_tick(struct work *work);

/* ---- work_dead.c ---- */

/* Once a second. */
void work_dead_tick(struct work *work);

/* ---- work_part.c ---- */

/* One record of Kafka in a partition's queue. */
struct work_record {
    struct work_record *next;
    int64_t offset;
    struct str key;
    struct str value;
    bool parsed;
    bool done;    /* it overtook others: its effect stands, its offset is still to be passed */
    bool in_turn; /* overtaking failed: it waits for its turn */
    enum err err; /* of parsing */
    struct err_note *note;
    json_t *root;
    struct work_message message;
    char trace[WORK_TRACE_BYTES];
    size_t bytes; /* as counted in the limits */
    char data[];  /* key, value */
};

enum work_part_state {
    WORK_PART_READING, /* its place is being read */
    WORK_PART_RUNNING,
    WORK_PART_HELD,    /* its topic is paused */
    WORK_PART_STOPPED, /* its offset does not exist in Kafka */
    WORK_PART_GONE,    /* not ours any more; freed when nothing uses it */
};

struct work_turn;

struct work_part {
    struct work *work;
    struct work_part *next;
    char *topic;
    int32_t part;
    enum work_part_state state;
    unsigned epoch;       /* changes whenever what is in hand became void */
    int64_t place;        /* the stored offset: `next` of its row */
    bool from_beginning;  /* reading began at the first record there is, wherever that lies */
    bool released;        /* was paused: a place of 0 means the beginning */
    int64_t died_at;      /* offset that attempts were counted for before we came; -1 none */
    int32_t deaths;       /* ... and how many */
    int64_t attempted;    /* offset whose attempt this process has counted; -1 none */
    int32_t attempts;     /* ... with those before */
    int64_t single_until; /* up to this offset one by one */
    unsigned overtakes;   /* in a row */
    struct work_record *head, *tail;
    size_t count;
    size_t bytes;
    bool paused;
    unsigned failures;  /* in a row */
    unsigned conflicts; /* of them, ERR_DB_CONFLICT */
    bool waiting;       /* backs off; `timer` is running */
    struct timer timer;
    struct work_turn *turn; /* in hand */
    bool reading;           /* a flow reads its place */
    unsigned users;         /* flows and the timer */
};

extern const struct bus_consumer_events work_part_events;

/* Begin the next turn if there is something to do and nothing in hand. */
void work_part_kick(struct work_part *part);
/* The same for all partitions, those behind `last` in the list first and it last. */
void work_parts_kick(struct work_part *last);
/* What is in hand becomes void; read the place again after `delay_ms`. */
void work_part_reread(struct work_part *part, uint64_t delay_ms);
/* Its topic was paused, or is not any more. */
void work_part_hold(struct work_part *part);
void work_part_release(struct work_part *part);
/* Committed up to `next`. */
void work_part_pass(struct work_part *part, int64_t next);
/* Wait, longer each time, then go on. */
void work_part_back_off(struct work_part *part);
/* Not ours any more. */
void work_part_lose(struct work_part *part);
/* A flow that used it has ended. */
void work_part_unuse(struct work_part *part);
/* The topic's old records are gone and nothing was handled yet: say so in its place. */
void work_part_settle(struct work_part *part);

/* ---- work_queue.c ---- */

/* False: the record is not wanted. Stops fetching when there is too much. */
bool work_queue_add(struct work_part *part, const struct bus_message *message);
/* Parse unless that was done. */
void work_record_parse(struct work_part *part, struct work_record *record);
/* Take the first `count` records out, still chained; they stay counted in the work's limit. */
struct work_record *work_queue_take(struct work_part *part, size_t count);
/* Take one out, wherever it is. */
struct work_record *work_queue_take_one(struct work_part *part, struct work_record *record);
/* Put them back where they were. */
void work_queue_return(struct work_part *part, struct work_record *records);
void work_records_free(struct work *work, struct work_record *records);
void work_queue_drop(struct work_part *part);
/* Go on fetching where there is room again. */
void work_queues_refill(struct work *work);

/* ---- work_attempt.c, work_pause.c ---- */

/* The attempt counted for `offset` was no death; nobody waits for this to be written. */
void work_unattempt(struct work_part *part, int64_t place, int64_t offset);
/* Once a second: which topics are paused? */
void work_pauses_tick(struct work *work);

/* ---- work_overtake.c ---- */

/* The record that goes before all others now; NULL: they go in order. */
struct work_record *work_overtaking(struct work_part *part);
/*
 * Its next message is one that others may overtake. As many of those are in hand as may run at once
 * in the database: a partition that would only wait for a connection stays free for urgent ones.
 */
bool work_is_long(struct work_part *part);

/* ---- work_turn.c, work_effect.c ---- */

enum work_outcome {
    WORK_RETRY,   /* again, after a back-off */
    WORK_PASSED,  /* committed */
    WORK_ALONE,   /* again, one by one */
    WORK_FENCED,  /* somebody else moved the partition's place */
    WORK_DROPPED, /* not ours to finish */
};

struct work_turn {
    struct flow flow; /* its arena is the batch's */
    struct work_part *part;
    unsigned epoch; /* of the part when it began */
    enum work_outcome outcome;
    const struct work_route *route; /* NULL: passed without a handler */
    struct work_batch batch;
    struct work_message *messages; /* those that had no effect before */
    struct work_record *records;   /* in hand, owned */
    size_t picked;                 /* how many */
    size_t due;                    /* of them, those that were not done before */
    bool overtakes;                /* the one record has others before it, which stay */
    bool is_long;                  /* counted in work->long_turns */
    int64_t place;                 /* the partition's, before */
    int64_t first;                 /* offset of the first record that is due */
    int64_t last;
    int64_t next;             /* place afterwards */
    struct db_query *attempt; /* NULL: counted before */
    int32_t attempts;         /* at the first record, with this one */
    struct db_query *known;
    struct db_query *look;
    struct db_query *ours;    /* NULL: nothing was emitted */
    struct db_query *noted;   /* NULL: its place tells that it was committed */
    uint64_t handler_from_ms; /* monotonic; 0 while no handler is at work */
    enum err reason;          /* it is buried for this; ERR_OK: it is not */
    struct err_note detail;
    bool plain; /* buried without the service's statements */
};

void work_turn_start(struct work_part *part);
/* A handler that takes too long ends the process. */
void work_turn_watch(const struct work_turn *turn, uint64_t now_ms);
const struct work_route *work_route_of(const struct work *work, const char *type);

/* Count the attempt (unless this process did) and ask which event ids are known. */
void work_effect_attempt(struct work_turn *turn);
/* messages: the records that are not known and not there twice. */
void work_effect_sift(struct work_turn *turn);
/* batch->effect, with the offset and the event ids in it. */
void work_effect_begin(struct work_turn *turn);
/* batch->effect that buries the first record. */
void work_effect_bury(struct work_turn *turn);
/* What became of a commit whose answer was lost? */
void work_effect_look(struct work_turn *turn);

/* ---- work.c ---- */

struct work {
    struct loop *loop;
    struct db_pool *db;
    struct bus *bus;
    char *service;
    char *source;
    char *group;
    const struct db_stmt *sql; /* by enum work_sql */
    struct work_outbox outbox;
    struct work_marks marks;
    struct work_sweep sweep;
    struct flow clean;
    bool cleaning;
    struct db_query *clean_query;
    unsigned clean_in_s;
    struct flow dead;
    bool counting_dead;
    struct db_query *dead_query;
    uint64_t dead_at_ms; /* monotonic; of the next count */
    struct flow pauses;
    bool pausing;
    struct db_query *pauses_query;
    struct bus_consumer *consumer;
    const struct work_route *routes;
    size_t route_count;
    bool has_urgent; /* one of the routes knows urgent messages */
    void *owner;     /* the service, for the routes' functions */
    struct work_part *parts;
    unsigned part_users; /* partitions not yet freed */
    size_t queued_bytes; /* in all queues */
    unsigned long_turns; /* in hand */
    unsigned flows;      /* flows of ours that have not ended, other than turns */
    struct timer tick;
    struct work_stats stats;
    bool closing;
    uint64_t closing_from_ms;
    unsigned timers; /* open ones of the work itself */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* A statement of ours was refused, which no retry mends: say so. Others come again by themselves.
 */
void work_note_refused(const struct flow *flow, const char *what);
/* Log, then end the process: it is started again by whoever watches it. */
_Noreturn void work_die(const char *event, const struct work_turn *turn);
