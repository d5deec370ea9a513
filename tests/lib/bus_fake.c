/* bus_fake: see the header. One timer does in each turn of the loop what is due. */
#include "lib/bus_fake.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

enum { TOPICS_MAX = 8, RECORDS_MAX = 256, ACKS_MAX = 256, LATE_MS = 150 };

struct record {
    struct str key, value; /* one piece of memory, at key.data */
};

struct topic {
    char name[64];
    struct record records[RECORDS_MAX];
    size_t count;
};

struct ack {
    bus_ack_fn ack;
    void *arg;
    enum err err;
    uint64_t at_ms;
};

struct bus_consumer {
    struct bus *bus;
    const struct bus_consumer_events *events;
    void *arg;
    struct topic *topic;
    int64_t next; /* to be given; -1: not assigned */
    bool owned;   /* the consumer believes so */
    bool paused;
    uint64_t given_ms; /* when the partition is given (back) */
};

struct bus {
    struct loop *loop;
    struct timer timer;
    struct topic topics[TOPICS_MAX];
    size_t topic_count;
    struct ack acks[ACKS_MAX];
    size_t ack_count;
    struct bus_consumer *consumer;
    unsigned calls[BUS_FAKE_CALLS];
    enum bus_fake_call fail_call;
    enum bus_fake_way fail_way;
    unsigned fail_at; /* 0: none */
    bool failed;
    int64_t noted;
    void (*closed)(void *arg);
    void *closed_arg;
};

static struct topic *topic_of(struct bus *bus, const char *name)
{
    for (size_t i = 0; i < bus->topic_count; i++)
        if (strcmp(bus->topics[i].name, name) == 0)
            return &bus->topics[i];
    must(bus->topic_count < TOPICS_MAX && strlen(name) < sizeof(bus->topics[0].name));
    strcpy(bus->topics[bus->topic_count].name, name);
    return &bus->topics[bus->topic_count++];
}

static bool fails(struct bus *bus, enum bus_fake_call call)
{
    bus->calls[call]++;
    if (bus->fail_at == 0 || call != bus->fail_call || bus->calls[call] != bus->fail_at)
        return false;
    bus->failed = true;
    return true;
}

void bus_fake_fail(struct bus *bus, enum bus_fake_call call, unsigned at, enum bus_fake_way way)
{
    memset(bus->calls, 0, sizeof(bus->calls));
    bus->fail_call = call;
    bus->fail_at = at;
    bus->fail_way = way;
    bus->failed = false;
}

bool bus_fake_failed(const struct bus *bus)
{
    return bus->failed;
}

void bus_fake_append(struct bus *bus, const char *topic, struct str key, struct str value)
{
    struct topic *to = topic_of(bus, topic);
    char *memory = heap_alloc(key.len + value.len + 1);

    must(to->count < RECORDS_MAX);
    if (key.len > 0)
        memcpy(memory, key.data, key.len);
    memcpy(memory + key.len, value.data, value.len);
    to->records[to->count++] = (struct record){{memory, key.len}, {memory + key.len, value.len}};
}

size_t bus_fake_count(const struct bus *bus, const char *topic)
{
    for (size_t i = 0; i < bus->topic_count; i++)
        if (strcmp(bus->topics[i].name, topic) == 0)
            return bus->topics[i].count;
    return 0;
}

struct str bus_fake_value(const struct bus *bus, const char *topic, size_t at)
{
    for (size_t i = 0; i < bus->topic_count; i++)
        if (strcmp(bus->topics[i].name, topic) == 0 && at < bus->topics[i].count)
            return bus->topics[i].records[at].value;
    must(false);
}

int64_t bus_fake_noted(const struct bus *bus)
{
    return bus->noted;
}

/* ---- what is due ---- */

static void end_acks(struct bus *bus)
{
    uint64_t now_ms = clock_mono_ms();

    for (size_t i = 0; i < bus->ack_count;) {
        struct ack ack = bus->acks[i];

        if (ack.at_ms > now_ms) {
            i++;
            continue;
        }
        memmove(&bus->acks[i], &bus->acks[i + 1], sizeof(ack) * (bus->ack_count - i - 1));
        bus->ack_count--;
        if (ack.ack != NULL)
            ack.ack(ack.arg, ack.err); /* may produce */
    }
}

static void take_partition(struct bus_consumer *consumer, uint64_t away_ms)
{
    consumer->owned = false;
    consumer->next = -1;
    consumer->paused = false;
    consumer->given_ms = clock_mono_ms() + away_ms;
    consumer->events->revoked(consumer->arg, consumer->topic->name, 0);
}

static void give_record(struct bus_consumer *consumer)
{
    struct bus *bus = consumer->bus;
    const struct record *record = &consumer->topic->records[consumer->next];
    const struct bus_message message = {consumer->topic->name, 0, consumer->next, record->key,
                                        record->value};
    bool failing = fails(bus, BUS_FAKE_CONSUME);

    if (failing && bus->fail_way != BUS_FAKE_LOST) {
        take_partition(consumer, bus->fail_way == BUS_FAKE_TIMEOUT ? LATE_MS : 0);
        return;
    }
    consumer->next++;
    consumer->events->message(consumer->arg, &message);
    if (failing)
        take_partition(consumer, 0);
}

static void serve_consumer(struct bus_consumer *consumer)
{
    if (!consumer->owned && clock_mono_ms() >= consumer->given_ms) {
        consumer->owned = true;
        consumer->events->assigned(consumer->arg, consumer->topic->name, 0);
    } else if (consumer->owned && consumer->next >= 0 && !consumer->paused &&
               (size_t)consumer->next < consumer->topic->count) {
        give_record(consumer);
    }
}

static void on_turn(void *arg)
{
    struct bus *bus = arg;

    end_acks(bus);
    if (bus->consumer != NULL)
        serve_consumer(bus->consumer);
}

/* ---- lib/bus ---- */

struct bus *bus_open(struct loop *loop, const struct bus_options *options)
{
    struct bus *bus = heap_zero(sizeof(*bus));

    (void)options;
    bus->loop = loop;
    bus->noted = -1;
    timer_open(&bus->timer, loop, on_turn, bus);
    timer_start(&bus->timer, 1, 1);
    return bus;
}

static void timer_gone(void *arg)
{
    struct bus *bus = arg;
    void (*closed)(void *arg) = bus->closed;
    void *closed_arg = bus->closed_arg;

    for (size_t i = 0; i < bus->topic_count; i++)
        for (size_t at = 0; at < bus->topics[i].count; at++)
            free((char *)(uintptr_t)bus->topics[i].records[at].key.data);
    free(bus->consumer);
    free(bus);
    closed(closed_arg);
}

void bus_close(struct bus *bus, void (*closed)(void *arg), void *arg)
{
    bus->closed = closed;
    bus->closed_arg = arg;
    for (size_t i = 0; i < bus->ack_count; i++)
        if (bus->acks[i].ack != NULL)
            bus->acks[i].ack(bus->acks[i].arg, ERR_STOPPING);
    timer_stop(&bus->timer);
    timer_close(&bus->timer, timer_gone);
}

bool bus_up(const struct bus *bus)
{
    (void)bus;
    return true;
}

enum err bus_produce(struct bus *bus, const char *topic, struct str key, struct str value,
                     bus_ack_fn ack, void *arg)
{
    struct ack answer = {ack, arg, ERR_OK, clock_mono_ms()};
    bool failing = fails(bus, BUS_FAKE_PRODUCE);

    if (failing && bus->fail_way == BUS_FAKE_ERROR)
        return ERR_BUS_DOWN;
    if (!failing || bus->fail_way == BUS_FAKE_LOST)
        bus_fake_append(bus, topic, key, value);
    if (failing) {
        answer.err = ERR_BUS_DOWN;
        answer.at_ms += bus->fail_way == BUS_FAKE_TIMEOUT ? LATE_MS : 0;
    }
    must(bus->ack_count < ACKS_MAX);
    bus->acks[bus->ack_count++] = answer;
    return ERR_OK;
}

size_t bus_unacked(const struct bus *bus)
{
    return bus->ack_count;
}

void bus_warm(struct bus *bus, const char *topic)
{
    (void)topic_of(bus, topic);
}

struct bus_consumer *bus_subscribe(struct bus *bus, const char *group, const char *const *topics,
                                   size_t topic_count, const struct bus_consumer_events *events,
                                   void *arg)
{
    struct bus_consumer *consumer = heap_zero(sizeof(*consumer));

    (void)group;
    must(bus->consumer == NULL && topic_count == 1);
    consumer->bus = bus;
    consumer->events = events;
    consumer->arg = arg;
    consumer->topic = topic_of(bus, topics[0]);
    consumer->next = -1;
    bus->consumer = consumer;
    return consumer;
}

/* Not from inside an event: nobody who uses this does that. */
void bus_unsubscribe(struct bus_consumer *consumer)
{
    consumer->bus->consumer = NULL;
    free(consumer);
}

void bus_assign(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t offset)
{
    must(strcmp(topic, consumer->topic->name) == 0 && part == 0);
    consumer->next = offset == BUS_BEGINNING ? 0 : offset;
    consumer->paused = false;
}

void bus_hold(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    (void)topic;
    (void)part;
    consumer->next = -1;
}

void bus_pause(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    (void)topic;
    (void)part;
    consumer->paused = true;
}

void bus_continue(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    (void)topic;
    (void)part;
    consumer->paused = false;
}

void bus_note_offset(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t next)
{
    (void)topic;
    (void)part;
    if (!fails(consumer->bus, BUS_FAKE_COMMIT))
        consumer->bus->noted = next;
}

int64_t bus_lag(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t next)
{
    (void)topic;
    (void)part;
    return (int64_t)consumer->topic->count - (next == BUS_BEGINNING ? 0 : next);
}

int64_t bus_low(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    (void)consumer;
    (void)topic;
    (void)part;
    return 0;
}
