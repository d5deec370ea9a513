/*
 * bus_fake: lib/bus without brokers, in its place: topics of one partition in memory, one group,
 * and failures of the nth call. On the loop like the real one: nothing is told inside a call.
 */
#pragma once
#include "bus/bus.h"

enum bus_fake_call {
    BUS_FAKE_PRODUCE, /* bus_produce() */
    BUS_FAKE_CONSUME, /* a record that is given to the consumer */
    BUS_FAKE_COMMIT,  /* bus_note_offset() */
    BUS_FAKE_CALLS
};

enum bus_fake_way {
    /* produce: refused at once. consume: the partition is taken before the record comes, and given
     * back. commit: never arrives. */
    BUS_FAKE_ERROR,
    /* produce: not written, and nobody says so for a while. consume: the same with the partition.
     */
    BUS_FAKE_TIMEOUT,
    /* produce: written, but the acknowledgement says it is not known. consume: the partition is
     * taken while the record is in hand, and given back. */
    BUS_FAKE_LOST,
};

/* The `at`th call from now on fails, counted from 1. */
void bus_fake_fail(struct bus *bus, enum bus_fake_call call, unsigned at, enum bus_fake_way way);
/* It did. */
bool bus_fake_failed(const struct bus *bus);
/* Put a record on a topic, as another process does. */
void bus_fake_append(struct bus *bus, const char *topic, struct str key, struct str value);
/* What lies on a topic, in its order. Memory: the bus's. */
size_t bus_fake_count(const struct bus *bus, const char *topic);
struct str bus_fake_value(const struct bus *bus, const char *topic, size_t at);
/* The offset last told by bus_note_offset(); -1: none. */
int64_t bus_fake_noted(const struct bus *bus);
