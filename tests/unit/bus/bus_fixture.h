/*
 * bus_fixture: what the tests of lib/bus share: a loop, a bus, a consumer that notes what it gets.
 */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "lib/kafka_server.h"
#include "lib/test.h"

/* WAIT_MS: for what must come, also on a busy machine. */
enum { SEEN_PARTS_MAX = 8, WAIT_MS = 60000 };

/* Waits on the loop until `condition`, looked at each 2 ms; false when it was not met by then. */
struct until {
    struct timer timer;
    bool (*condition)(void *arg);
    void *arg;
    bool met, closed;
};

static inline void until_look(void *arg)
{
    struct until *until = arg;

    until->met = until->met || until->condition(until->arg);
}

static inline void until_closed(void *arg)
{
    struct until *until = arg;

    until->closed = true;
}

static inline bool wait_for(struct loop *loop, bool (*condition)(void *arg), void *arg, uint64_t ms)
{
    struct until until = {.condition = condition, .arg = arg};

    timer_open(&until.timer, loop, until_look, &until);
    timer_start(&until.timer, 0, 2);
    (void)loop_run_until(loop, &until.met, ms);
    timer_close(&until.timer, until_closed);
    assert_true(loop_run_until(loop, &until.closed, WAIT_MS));
    return until.met;
}

static inline bool never(void *arg)
{
    (void)arg;
    return false;
}

/* Let the loop run to see that something does not happen. */
static inline void run_for(struct loop *loop, uint64_t ms)
{
    (void)wait_for(loop, never, NULL, ms);
}

static inline void set_true(void *arg)
{
    bool *flag = arg;

    *flag = true;
}

static inline struct bus *open_bus(struct loop *loop)
{
    struct bus_options options = {.bootstrap = kafka_bootstrap(), .client_id = "test"};

    return bus_open(loop, &options);
}

static inline void close_bus(struct loop *loop, struct bus *bus)
{
    bool closed = false;

    bus_close(bus, set_true, &closed);
    assert_true(loop_run_until(loop, &closed, WAIT_MS));
}

/* Acknowledgements counted by their result. */
struct acks {
    unsigned good, large, other;
};

static inline void note_ack(void *arg, enum err err)
{
    struct acks *acks = arg;

    if (err == ERR_OK)
        acks->good++;
    else if (err == ERR_BUS_TOO_LARGE)
        acks->large++;
    else
        acks->other++;
}

static inline unsigned acks_all(const struct acks *acks)
{
    return acks->good + acks->large + acks->other;
}

static inline bool bus_is_quiet(void *arg)
{
    return bus_unacked(arg) == 0;
}

/* Sends "0".."count-1", keyed by the number modulo `keys`, and waits for the acknowledgements. */
static inline void send_numbers(struct loop *loop, struct bus *bus, const char *topic, int first,
                                int count, int keys)
{
    struct acks acks = {0};

    for (int i = first; i < first + count; i++) {
        char key[16], value[16];

        snprintf(key, sizeof(key), "k%d", i % keys);
        snprintf(value, sizeof(value), "%d", i);
        assert_int_equal(bus_produce(bus, topic, str_of(key), str_of(value), note_ack, &acks),
                         ERR_OK);
    }
    assert_true(wait_for(loop, bus_is_quiet, bus, WAIT_MS));
    assert_int_equal(acks.good, count);
}

/* One member of a group. Answers each partition as `begin` says, at once or when told. */
struct member {
    struct bus *bus;
    struct bus_consumer *consumer;
    const char *topic;
    int64_t begin; /* offset for bus_assign() */
    bool slow;     /* do not answer: the test does */
    bool owned[SEEN_PARTS_MAX];
    bool stopped[SEEN_PARTS_MAX];
    int64_t next[SEEN_PARTS_MAX]; /* offset that has to come; -1 any */
    unsigned assigned, revoked;
    unsigned count;           /* messages */
    unsigned errors;          /* out of order, or of a partition that is not ours */
    unsigned char seen[4096]; /* times each number came */
    void (*on_message)(struct member *member, const struct bus_message *message);
};

static inline void member_assigned(void *arg, const char *topic, int32_t part)
{
    struct member *member = arg;

    assert_string_equal(topic, member->topic);
    member->owned[part] = true;
    member->next[part] = -1;
    member->assigned++;
    if (!member->slow)
        bus_assign(member->consumer, topic, part, member->begin);
}

static inline void member_revoked(void *arg, const char *topic, int32_t part)
{
    struct member *member = arg;

    (void)topic;
    member->owned[part] = false;
    member->revoked++;
}

static inline void member_message(void *arg, const struct bus_message *message)
{
    struct member *member = arg;
    int64_t number = -1;

    if (!member->owned[message->part] ||
        (member->next[message->part] >= 0 && message->offset != member->next[message->part]))
        member->errors++;
    member->next[message->part] = message->offset + 1;
    member->count++;
    if (str_to_i64(message->value, &number) && number >= 0 && number < 4096)
        member->seen[number]++;
    if (member->on_message != NULL)
        member->on_message(member, message);
}

static inline void member_stopped(void *arg, const char *topic, int32_t part, enum err err)
{
    struct member *member = arg;

    (void)topic;
    assert_int_equal(err, ERR_OFFSET_OUT_OF_RANGE);
    member->stopped[part] = true;
}

static const struct bus_consumer_events member_events = {.assigned = member_assigned,
                                                         .revoked = member_revoked,
                                                         .message = member_message,
                                                         .stopped = member_stopped};

/* `group`: any text; a group of its own for each topic. */
static inline void join(struct member *member, struct bus *bus, const char *group)
{
    char name[80];

    snprintf(name, sizeof(name), "%s-%s", group, member->topic);
    member->bus = bus;
    member->consumer = bus_subscribe(bus, name, &member->topic, 1, &member_events, member);
}

static inline unsigned owned_count(const struct member *member)
{
    unsigned count = 0;

    for (int i = 0; i < SEEN_PARTS_MAX; i++)
        count += member->owned[i];
    return count;
}
