/*
 * bus_pump: librdkafka writes to our eventfd only when its queue stops being empty, so each wake-up
 * drains the queue until there is nothing; a drain that its budget ends early wakes itself again.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/bus_private.h"

enum { PUMP_COUNT_MAX = 512, PUMP_BUDGET_US = 3000 };

static const uint64_t one_event = 1; /* what an eventfd wants: 8 bytes */

void bus_pump_wake(struct bus_pump *pump)
{
    if (pump->fd >= 0) {
        ssize_t wrote = write(pump->fd, &one_event, sizeof(one_event));

        must(wrote == (ssize_t)sizeof(one_event) || errno == EAGAIN);
    }
}

static void on_ready(void *arg, int events)
{
    struct bus_pump *pump = arg;
    uint64_t end_us = clock_mono_us() + PUMP_BUDGET_US;
    uint64_t events_seen;
    ssize_t got = read(pump->fd, &events_seen, sizeof(events_seen));

    (void)events;
    must(got == (ssize_t)sizeof(events_seen) || errno == EAGAIN);
    for (unsigned served = 0; pump->fd >= 0; served++) {
        if (served >= PUMP_COUNT_MAX || clock_mono_us() >= end_us) {
            bus_pump_wake(pump);
            return;
        }
        if (!pump->serve(pump->arg))
            return;
    }
}

void bus_pump_open(struct bus_pump *pump, struct loop *loop, rd_kafka_queue_t *queue,
                   bool (*serve)(void *arg), void *arg)
{
    pump->loop = loop;
    pump->queue = queue;
    pump->serve = serve;
    pump->arg = arg;
    pump->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    must(pump->fd >= 0);
    rd_kafka_queue_io_event_enable(queue, pump->fd, &one_event, sizeof(one_event));
    pump->evfd = evfd_open(loop, pump->fd, on_ready, pump);
    evfd_watch(pump->evfd, EVFD_READ);
    bus_pump_wake(pump); /* what came before the descriptor was known */
}

void bus_pump_close(struct bus_pump *pump)
{
    if (pump->fd < 0)
        return;
    rd_kafka_queue_io_event_enable(pump->queue, -1, NULL, 0);
    evfd_close(pump->evfd);
    close(pump->fd);
    pump->fd = -1;
    rd_kafka_queue_destroy(pump->queue);
    pump->queue = NULL;
}
