/*
 * bus_private: what the files of lib/bus share. Nobody else includes it.
 */
#pragma once
#include <librdkafka/rdkafka.h>

#include "bus/bus.h"

enum {
    BUS_CLIENT_ID_BYTES_MAX = 16, /* longer ones crash librdkafka 2.0.2 */
    BUS_TOPICS_MAX = 64,          /* topics that one process sends to */
    BUS_TICK_MS = 1000,
    BUS_STUCK_MS = 15000, /* no delivery for so long: a new producer */
    BUS_CLOSE_MS = 2000,
    BUS_CLOSE_ACKS_MS = 500, /* of it, waiting for acknowledgements */
    BUS_LOOKUP_MS = 1000,    /* limit of one question about a topic's partitions */
    /*
     * Between two assignments: a partition that is taken off and given back while librdkafka still
     * waits for its fetcher to stop is stopped twice, and an assertion ends the process (its issue
     * 5573, there in all versions up to 2.15).
     */
    BUS_ASSIGN_GAP_MS = 250,
};

/* ---- bus_conf.c ---- */

enum bus_role { BUS_PRODUCER, BUS_CONSUMER };

struct bus_setting {
    const char *name;
    const char *value;
};

/* A new configuration with everything that is the same for all instances of a role. */
rd_kafka_conf_t *bus_conf_new(const struct bus *bus, enum bus_role role, void *opaque);
/* Also used by the other files: a name or value that librdkafka refuses is our mistake. */
void bus_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);
/* What librdkafka has to say, into our log. Any thread. */
void bus_log(const rd_kafka_t *rk, int level, const char *facility, const char *text);

/* ---- bus_pump.c: a queue of librdkafka on the loop ---- */

struct bus_pump {
    struct loop *loop;
    rd_kafka_queue_t *queue; /* owned */
    int fd;                  /* eventfd; -1 when closed */
    struct evfd *evfd;
    bool (*serve)(void *arg); /* handle one thing without waiting; false: nothing was there */
    void *arg;
};

void bus_pump_open(struct bus_pump *pump, struct loop *loop, rd_kafka_queue_t *queue,
                   bool (*serve)(void *arg), void *arg);
/* `serve` is not called any more; allowed from inside it. */
void bus_pump_close(struct bus_pump *pump);
/* Look again in the next turn although nothing was announced. */
void bus_pump_wake(struct bus_pump *pump);

/* ---- bus_job.c: calls of librdkafka that block, each on a thread of its own ---- */

struct bus_job {
    struct bus *bus;
    void (*work)(struct bus_job *job); /* on the thread */
    void (*done)(struct bus_job *job); /* on the loop; may free the job */
    struct bus_job *next;
    uv_thread_t thread;
    uv_async_t async;
    uv_mutex_t mutex;
    bool finished;  /* loop: the thread has ended */
    bool abandoned; /* under the mutex: nobody on the loop waits any more */
};

/* Memory: `job` is on the heap and belongs to the bus until `done`. */
void bus_job_start(struct bus *bus, struct bus_job *job);
/* Destroy an instance off the loop; `leave`: leave its consumer group first. Then `then(arg)`. */
void bus_reap(struct bus *bus, rd_kafka_t *rk, bool leave, void (*then)(void *arg), void *arg);
/* Forget the jobs that still run; they touch nothing of ours afterwards. */
void bus_jobs_abandon(struct bus *bus);

/* ---- bus_producer.c ---- */

struct bus_producer;

struct bus_producer *bus_producer_open(struct bus *bus);
/* Ends all messages with ERR_STOPPING, then destroys the instance off the loop. */
void bus_producer_close(struct bus_producer *producer);
/* Once a second: a stuck or dead instance is replaced. */
void bus_producer_tick(struct bus_producer *producer);

/* ---- bus_consumer.c, bus_parts.c, bus_tail.c ---- */

enum bus_part_state {
    BUS_PART_ASKED,   /* ours, the caller has not yet said where it begins */
    BUS_PART_READY,   /* to be read from `next`; librdkafka does not know it yet */
    BUS_PART_RUNNING, /* read; `next` is the offset delivered next */
    BUS_PART_HELD,    /* ours, not read: the caller wants it so */
    BUS_PART_STOPPED, /* ours, not read: its offset does not exist */
};

struct bus_part {
    char *topic; /* owned */
    int32_t part;
    enum bus_part_state state;
    int64_t next;   /* an offset, BUS_BEGINNING or RD_KAFKA_OFFSET_END */
    int64_t noted;  /* to be told to Kafka; -1 when it knows */
    bool paused;    /* wanted */
    bool pause_set; /* librdkafka has it so: resuming what it did not pause makes it jump back */
};

struct bus_consumer {
    struct bus *bus;
    struct bus_consumer *next;
    rd_kafka_t *rk;
    struct bus_pump pump;
    const struct bus_consumer_events *events; /* NULL for a tail */
    void *arg;
    struct bus_part *parts; /* those of this generation */
    size_t part_count;
    struct timer apply;   /* the next turn: tell librdkafka what changed, or end */
    uint64_t assigned_ms; /* when it was told last; monotonic */
    rd_kafka_topic_partition_list_t *topics; /* subscribed to; NULL for a tail */
    uint64_t given_ms;                       /* when the group shared out last; monotonic */
    uint64_t share_wait_ms; /* from then until another sharing out is asked for; see bus_share */
    bool member;            /* the group has us: its coordinator answered lately */
    bool detached;          /* callbacks do nothing: set before any other thread touches `rk` */
    char *tail_topic;       /* NULL unless a tail */
    void (*tail_message)(void *arg, const struct bus_message *message);
    struct timer look; /* tail: ask for the topic's partitions */
    bool looking;      /* tail: the answer is on its way */
    unsigned users;    /* timers and the instance; freed with the last */
};

/* Makes the instance and its pump; a group's name is needed even where none is joined. */
struct bus_consumer *bus_consumer_new(struct bus *bus, const char *group);
/* Do what is to be done in the next turn of the loop, or as soon as another assignment may come. */
void bus_consumer_later(struct bus_consumer *consumer);
/* Once a second: offsets for the lag tools; and a poll, or the group takes us for stuck. */
void bus_consumer_tick(struct bus_consumer *consumer);

/* ---- bus_share.c ---- */

/* The parts of a new generation are known. */
void bus_share_given(struct bus_consumer *consumer);
void bus_share_tick(struct bus_consumer *consumer);

/* ---- bus_parts.c ---- */

/* NULL when it is not ours. */
struct bus_part *bus_part_find(struct bus_consumer *consumer, const char *topic, int32_t part);
struct bus_part *bus_part_add(struct bus_consumer *consumer, const char *topic, int32_t part);
void bus_parts_clear(struct bus_consumer *consumer);
/* Tell librdkafka which partitions to read, and where, once none is left without an answer. */
void bus_parts_apply(struct bus_consumer *consumer);
/* Undo our pauses, so that no flag outlives an assignment. */
void bus_parts_resume(struct bus_consumer *consumer);
/* Callback of librdkafka: the group gave or took partitions. */
void bus_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                   void *opaque);
/* Tail: ask (again) which partitions there are after `delay_ms`. */
void bus_tail_look(struct bus_consumer *consumer, uint64_t delay_ms);
/* The timer `look` of a tail. */
void bus_tail_on_look(void *arg);

/* ---- bus.c ---- */

struct bus {
    struct loop *loop;
    char *bootstrap;
    char *client_id;
    struct bus_tls tls;
    struct bus_producer *producer;
    struct bus_consumer *consumers;
    struct bus_job *jobs;
    unsigned ending; /* consumers that end and have no job for it yet */
    struct timer tick;
    bool up;
    bool closing;
    uint64_t closing_from_ms;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* News about the brokers; a change is logged. */
void bus_note_up(struct bus *bus, bool up);
/* An instance that cannot go on and that we cannot replace: log, then end the process with 70. */
_Noreturn void bus_die(const char *event, const char *why);
