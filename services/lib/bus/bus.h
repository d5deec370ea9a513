/*
 * bus: Kafka on one event loop. Loop thread only. Every poll of librdkafka happens here, woken by
 * an eventfd; messages are consumed one by one (the batch calls of 2.0.2 lose messages).
 */
#pragma once
#include "bus/bus_tls.h"
#include "flow/flow.h"

struct bus;

struct bus_options {
    const char *bootstrap;
    const char *client_id; /* at most 16 ASCII bytes */
    struct bus_tls tls;
};

/* Memory: borrows the paths of `tls` as long as the bus lives. */
struct bus *bus_open(struct loop *loop, const struct bus_options *options);
/*
 * Ends consumers and the producer; `closed(arg)` from the loop after at most 2 s. What does not end
 * by then (a consumer while no broker answers) is left to its thread: leave the process by _exit().
 * Messages without an acknowledgement get ERR_STOPPING.
 */
void bus_close(struct bus *bus, void (*closed)(void *arg), void *arg);
/* Brokers answered lately. For the metrics; readiness does not depend on it. */
bool bus_up(const struct bus *bus);

/* ---- producing: idempotent, acks=all. A fatal error makes a new instance by itself. ---- */

/*
 * Called once for each message from the loop: err ERR_OK when all in-sync replicas have it.
 * ERR_BUS_TOO_LARGE: will never be taken. Others: not known to be there; publish again later.
 */
typedef void (*bus_ack_fn)(void *arg, enum err err);

/*
 * Memory: copies key and value. `ack` may be NULL.
 * Errors (then `ack` is not called): ERR_BUSY when the local queue is full: wait for acks.
 * ERR_BUS_TOO_LARGE: will never be taken. ERR_BUS_DOWN: cannot be taken now.
 */
CHECKED enum err bus_produce(struct bus *bus, const char *topic, struct str key, struct str value,
                             bus_ack_fn ack, void *arg);
/* Messages produced and not yet acknowledged. */
size_t bus_unacked(const struct bus *bus);
/* Asks the brokers about a topic now, so that the first message is not late. */
void bus_warm(struct bus *bus, const char *topic);

/* ---- consuming ---- */

struct bus_message {
    const char *topic;
    int32_t part;
    int64_t offset;
    struct str key;
    struct str value;
};

struct bus_consumer;

struct bus_consumer_events {
    /*
     * Partitions are ours now. Answer each with bus_assign() or bus_hold(), from here or later.
     * Nothing is delivered until all of them were answered.
     */
    void (*assigned)(void *arg, const char *topic, int32_t part);
    /* Not ours any more: drop at once what is in hand. */
    void (*revoked)(void *arg, const char *topic, int32_t part);
    /* One message. Memory is borrowed until the call returns. */
    void (*message)(void *arg, const struct bus_message *message);
    /* The partition cannot go on (offset out of range). It stays stopped until bus_assign(). */
    void (*stopped)(void *arg, const char *topic, int32_t part, enum err err);
};

/* The first record that the partition still has, for bus_assign(). */
#define BUS_BEGINNING INT64_C(-2)

/*
 * Join an ordinary consumer group: range assignor, offsets from the caller, no auto commit.
 * Memory: copies the topics, borrows `events`.
 */
struct bus_consumer *bus_subscribe(struct bus *bus, const char *group, const char *const *topics,
                                   size_t topic_count, const struct bus_consumer_events *events,
                                   void *arg);
/* Leave the group: no event comes any more. Ends on a thread; bus_close() waits for it. */
void bus_unsubscribe(struct bus_consumer *consumer);
/*
 * Start a partition that was handed over by `assigned` at `offset` (or BUS_BEGINNING), or move it
 * there when it runs already. Partitions that are not ours (any more) are ignored.
 */
void bus_assign(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t offset);
/* Ours, but not to be read until bus_assign(). Stops it when it runs. */
void bus_hold(struct bus_consumer *consumer, const char *topic, int32_t part);
/* Stop and go on fetching; calling either twice is harmless. */
void bus_pause(struct bus_consumer *consumer, const char *topic, int32_t part);
void bus_continue(struct bus_consumer *consumer, const char *topic, int32_t part);
/* Tell Kafka how far we are, without waiting, for the lag tools only. */
void bus_note_offset(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t next);
/*
 * Messages between `next` (or BUS_BEGINNING) and the end of the partition, from cached watermarks;
 * -1 when not known.
 */
int64_t bus_lag(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t next);

/* First offset that the partition still has, cached; -1 when not known yet. */
int64_t bus_low(struct bus_consumer *consumer, const char *topic, int32_t part);

/*
 * Read every partition of `topic` from its end, without a group: replies. What was sent before the
 * brokers answered, or while none did, is not seen. Ends by bus_unsubscribe() or bus_close().
 */
struct bus_consumer *bus_tail(struct bus *bus, const char *topic,
                              void (*message)(void *arg, const struct bus_message *message),
                              void *arg);
