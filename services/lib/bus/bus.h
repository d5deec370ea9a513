/*
 * bus: Kafka on one event loop. Loop thread only. Every poll of librdkafka happens here, woken by an
 * eventfd; messages are consumed one by one (the batch calls of 2.0.2 lose messages).
 */
#pragma once
#include "flow/flow.h"

struct bus;

struct bus_options {
    const char *bootstrap;
    const char *client_id; /* at most 16 ASCII bytes */
};

struct bus *bus_open(struct loop *loop, const struct bus_options *options);
/* Never blocks longer than 2 s; consumer close runs on a helper thread with a deadline. */
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
 * Errors: ERR_BUSY when the local queue is full (then `ack` is not called): wait for acks.
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
     * Partitions are ours now. Read the offsets (0 = beginning) and call bus_assign() with them.
     * Until then nothing is delivered.
     */
    void (*assigned)(void *arg, const char *topic, int32_t part);
    /* Not ours any more: drop at once what is in hand. */
    void (*revoked)(void *arg, const char *topic, int32_t part);
    /* One message. Memory is borrowed until the call returns. */
    void (*message)(void *arg, const struct bus_message *message);
    /* The partition cannot go on (offset out of range). It stays stopped. */
    void (*stopped)(void *arg, const char *topic, int32_t part, enum err err);
};

/* Join an ordinary consumer group: range assignor, offsets from the caller, no auto commit. */
struct bus_consumer *bus_subscribe(struct bus *bus, const char *group, const char *const *topics,
                                   size_t topic_count, const struct bus_consumer_events *events,
                                   void *arg);
/* Start a partition that was handed over by `assigned` at `offset`. */
void bus_assign(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t offset);
/* Stop and go on fetching; calling either twice is harmless. */
void bus_pause(struct bus_consumer *consumer, const char *topic, int32_t part);
void bus_continue(struct bus_consumer *consumer, const char *topic, int32_t part);
/* Tell Kafka how far we are, without waiting, for the lag tools only. */
void bus_note_offset(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t next);
/* Messages behind the end of the partition, from cached watermarks; -1 when not known. */
int64_t bus_lag(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t next);

/* Read every partition of `topic` from its end, without a group: replies. */
struct bus_consumer *bus_tail(struct bus *bus, const char *topic,
                              void (*message)(void *arg, const struct bus_message *message), void *arg);
