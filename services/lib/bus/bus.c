/*
 * bus: opening and closing, and what happens once a second.
 */
#include "bus/bus.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/bus_private.h"

enum { CLOSE_TICK_MS = 10, EXIT_SOFTWARE = 70 };

void bus_die(const char *event, const char *why)
{
    LOG_ERROR(event, F_STR("why", why));
    _exit(EXIT_SOFTWARE);
}

void bus_note_up(struct bus *bus, bool up)
{
    if (bus->up == up)
        return;
    bus->up = up;
    if (up)
        LOG_INFO("bus_up");
    else
        LOG_WARN("bus_down");
}

bool bus_up(const struct bus *bus)
{
    return bus->up;
}

static void end_close(void *arg)
{
    struct bus *bus = arg;
    void (*closed)(void *arg) = bus->closed;
    void *closed_arg = bus->closed_arg;

    free(bus->bootstrap);
    free(bus->client_id);
    free(bus);
    if (closed != NULL)
        closed(closed_arg);
}

/* Acknowledgements get a moment, then the producer goes; threads get the rest of the time. */
static void close_tick(struct bus *bus)
{
    uint64_t spent_ms = clock_mono_ms() - bus->closing_from_ms;

    if (bus->producer != NULL && (bus_unacked(bus) == 0 || spent_ms >= BUS_CLOSE_ACKS_MS)) {
        struct bus_producer *producer = bus->producer;

        bus->producer = NULL;
        bus_producer_close(producer);
    }
    if (bus->producer == NULL && bus->jobs != NULL && spent_ms >= BUS_CLOSE_MS) {
        LOG_WARN("bus_close_abandoned");
        bus_jobs_abandon(bus);
    }
    if (bus->producer == NULL && bus->jobs == NULL && bus->ending == 0) {
        timer_stop(&bus->tick);
        timer_close(&bus->tick, end_close);
    }
}

static void on_tick(void *arg)
{
    struct bus *bus = arg;

    if (bus->closing) {
        close_tick(bus);
        return;
    }
    bus_producer_tick(bus->producer);
    for (struct bus_consumer *consumer = bus->consumers; consumer != NULL;
         consumer = consumer->next)
        bus_consumer_tick(consumer);
}

struct bus *bus_open(struct loop *loop, const struct bus_options *options)
{
    struct bus *bus = heap_zero(sizeof(*bus));

    must(strlen(options->client_id) <= BUS_CLIENT_ID_BYTES_MAX);
    bus->loop = loop;
    bus->bootstrap = heap_strdup(options->bootstrap);
    bus->client_id = heap_strdup(options->client_id);
    bus->tls = options->tls;
    bus->producer = bus_producer_open(bus);
    timer_open(&bus->tick, loop, on_tick, bus);
    timer_start(&bus->tick, BUS_TICK_MS, BUS_TICK_MS);
    return bus;
}

void bus_close(struct bus *bus, void (*closed)(void *arg), void *arg)
{
    bus->closed = closed;
    bus->closed_arg = arg;
    bus->closing = true;
    bus->closing_from_ms = clock_mono_ms();
    while (bus->consumers != NULL)
        bus_unsubscribe(bus->consumers);
    timer_start(&bus->tick, 0, CLOSE_TICK_MS);
}
