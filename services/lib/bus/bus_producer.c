/*
 * bus_producer: sending. The idempotent producer of 2.0.2 can die for good (a fatal error) or get
 * stuck on a broker that is away; then a new instance takes over and the old one's messages end
 * with an error, so that whoever keeps them durably publishes them again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/bus_private.h"

/* A message between bus_produce() and its end. */
struct sent {
    bus_ack_fn ack;
    void *arg;
    struct sent *prev, *next;
};

struct topic {
    char *name;
    rd_kafka_topic_t *handle;
};

struct bus_producer {
    struct bus *bus;
    rd_kafka_t *rk;
    struct bus_pump pump;
    struct topic topics[BUS_TOPICS_MAX];
    size_t topic_count;
    struct sent sents; /* head of a ring */
    size_t unacked;
    uint64_t progress_ms; /* monotonic: last end of a message, or when the first began to wait */
    bool fatal;
    bool renewing;
};

static void end_sent(struct bus_producer *producer, struct sent *sent, enum err err)
{
    bus_ack_fn ack = sent->ack;
    void *arg = sent->arg;

    sent->prev->next = sent->next;
    sent->next->prev = sent->prev;
    producer->unacked--;
    free(sent);
    if (ack != NULL)
        ack(arg, err);
}

static enum err err_of(rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_OK;
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
        code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
        return ERR_BUS_TOO_LARGE;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return ERR_BUSY;
    return ERR_BUS_DOWN;
}

static void on_reports(struct bus_producer *producer, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message;

    while ((message = rd_kafka_event_message_next(event)) != NULL) {
        struct sent *sent = message->_private;

        producer->progress_ms = clock_mono_ms();
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            bus_note_up(producer->bus, true);
        else if (message->err == RD_KAFKA_RESP_ERR__FATAL)
            producer->fatal = true;
        end_sent(producer, sent, err_of(message->err));
    }
}

static void on_error(struct bus_producer *producer, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);

    if (rd_kafka_event_error_is_fatal(event) != 0 || code == RD_KAFKA_RESP_ERR__FATAL)
        producer->fatal = true;
    else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        bus_note_up(producer->bus, false); /* never a reason to begin anew */
}

/* One event of any kind: asking the queue turns all of them into events, whatever callbacks say. */
static void take(struct bus_producer *producer, rd_kafka_event_t *event)
{
    const char *facility, *text;
    int level;

    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_DR:
        on_reports(producer, event);
        break;
    case RD_KAFKA_EVENT_ERROR:
        on_error(producer, event);
        break;
    case RD_KAFKA_EVENT_STATS: /* all we want to know: is there a broker that is up */
        bus_note_up(producer->bus, strstr(rd_kafka_event_stats(event), "\"state\":\"UP\"") != NULL);
        break;
    case RD_KAFKA_EVENT_LOG:
        if (rd_kafka_event_log(event, &facility, &text, &level) == 0)
            bus_log(producer->rk, level, facility, text);
        break;
    default: /* none of ours */
        break;
    }
}

static bool serve(void *arg)
{
    struct bus_producer *producer = arg;
    rd_kafka_event_t *event = rd_kafka_queue_poll(producer->pump.queue, 0);

    if (event == NULL) {
        if (producer->fatal && !producer->renewing)
            bus_producer_tick(producer);
        return false;
    }
    take(producer, event);
    rd_kafka_event_destroy(event);
    return true;
}

static void open_instance(struct bus_producer *producer)
{
    rd_kafka_conf_t *conf = bus_conf_new(producer->bus, BUS_PRODUCER, producer);
    char why[256];

    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS |
                                       RD_KAFKA_EVENT_LOG);
    producer->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (producer->rk == NULL)
        bus_die("bus_producer_failed", why);
    must(rd_kafka_set_log_queue(producer->rk, NULL) == RD_KAFKA_RESP_ERR_NO_ERROR);
    bus_pump_open(&producer->pump, producer->bus->loop, rd_kafka_queue_get_main(producer->rk),
                  serve, producer);
    producer->fatal = false;
    producer->progress_ms = clock_mono_ms();
    for (size_t i = 0; i < producer->topic_count; i++)
        producer->topics[i].handle =
            rd_kafka_topic_new(producer->rk, producer->topics[i].name, NULL);
}

/* Off the loop: destroying waits for threads. Nothing polls it any more, so no report comes. */
static void close_instance(struct bus_producer *producer)
{
    bus_pump_close(&producer->pump);
    for (size_t i = 0; i < producer->topic_count; i++)
        if (producer->topics[i].handle != NULL)
            rd_kafka_topic_destroy(producer->topics[i].handle);
    bus_reap(producer->bus, producer->rk, false, NULL, NULL);
    producer->rk = NULL;
}

/* Take the messages out first: an `ack` may produce again, into the new instance. */
static void end_all(struct bus_producer *producer, struct sent *ring, enum err err)
{
    while (ring->next != ring)
        end_sent(producer, ring->next, err);
}

static void move_ring(struct sent *from, struct sent *to)
{
    to->next = to->prev = to;
    if (from->next == from)
        return;
    *to = *from;
    to->prev->next = to->next->prev = to;
    from->prev = from->next = from;
}

static void renew(struct bus_producer *producer, const char *why)
{
    struct sent ring;

    LOG_WARN("bus_producer_renewed", F_STR("why", why), F_I64("unacked", producer->unacked));
    producer->renewing = true;
    close_instance(producer);
    open_instance(producer);
    move_ring(&producer->sents, &ring);
    end_all(producer, &ring, ERR_BUS_DOWN);
    producer->renewing = false;
}

void bus_producer_tick(struct bus_producer *producer)
{
    if (producer->fatal)
        renew(producer, "fatal error");
    else if (producer->unacked > 0 && clock_mono_ms() - producer->progress_ms >= BUS_STUCK_MS)
        renew(producer, "no delivery");
}

struct bus_producer *bus_producer_open(struct bus *bus)
{
    struct bus_producer *producer = heap_zero(sizeof(*producer));

    producer->bus = bus;
    producer->sents.prev = producer->sents.next = &producer->sents;
    open_instance(producer);
    return producer;
}

void bus_producer_close(struct bus_producer *producer)
{
    producer->renewing = true;
    close_instance(producer);
    end_all(producer, &producer->sents, ERR_STOPPING);
    for (size_t i = 0; i < producer->topic_count; i++)
        free(producer->topics[i].name);
    free(producer);
}

/* Making a handle asks for the topic's leader at once; rd_kafka_producev() would wait a second. */
static struct topic *find_topic(struct bus_producer *producer, const char *name)
{
    struct topic *topic;

    for (size_t i = 0; i < producer->topic_count; i++)
        if (strcmp(producer->topics[i].name, name) == 0)
            return &producer->topics[i];
    if (producer->topic_count == BUS_TOPICS_MAX)
        return NULL;
    topic = &producer->topics[producer->topic_count++];
    topic->name = heap_strdup(name);
    topic->handle = rd_kafka_topic_new(producer->rk, name, NULL);
    return topic;
}

void bus_warm(struct bus *bus, const char *topic)
{
    if (bus->producer != NULL)
        (void)find_topic(bus->producer, topic);
}

enum err bus_produce(struct bus *bus, const char *topic, struct str key, struct str value,
                     bus_ack_fn ack, void *arg)
{
    struct bus_producer *producer = bus->producer;
    const struct topic *found;
    struct sent *sent;

    if (bus->closing || producer == NULL)
        return ERR_BUS_DOWN;
    found = find_topic(producer, topic);
    if (found == NULL || found->handle == NULL)
        return ERR_BUS_DOWN;
    sent = heap_zero(sizeof(*sent));
    sent->ack = ack;
    sent->arg = arg;
    /* The partition is left to the partitioner: naming one that does not exist is a trap. */
    if (rd_kafka_produce(found->handle, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                         (void *)(uintptr_t)value.data, value.len, key.len > 0 ? key.data : NULL,
                         key.len, sent) != 0) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();

        free(sent);
        if (code == RD_KAFKA_RESP_ERR__FATAL) {
            producer->fatal = true;
            bus_pump_wake(&producer->pump); /* a new instance, but not inside this call */
        }
        return err_of(code);
    }
    if (producer->unacked++ == 0)
        producer->progress_ms = clock_mono_ms();
    sent->next = &producer->sents;
    sent->prev = producer->sents.prev;
    sent->prev->next = sent;
    sent->next->prev = sent;
    return ERR_OK;
}

size_t bus_unacked(const struct bus *bus)
{
    return bus->producer != NULL ? bus->producer->unacked : 0;
}
