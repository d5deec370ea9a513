/*
 * bus_tail: reads a topic from its end, without a group. How many partitions there are has to be
 * asked, and asking blocks: that is a job.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bus/bus_private.h"

struct lookup {
    struct bus_job job;
    struct bus_consumer *consumer;
    int parts; /* 0: not known */
};

static void look_work(struct bus_job *job)
{
    struct lookup *lookup = CONTAINER_OF(job, struct lookup, job);
    rd_kafka_t *rk = lookup->consumer->rk;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, lookup->consumer->tail_topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;

    if (topic == NULL)
        return;
    if (rd_kafka_metadata(rk, 0, topic, &metadata, BUS_LOOKUP_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR)
            lookup->parts = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
}

static void look_done(struct bus_job *job)
{
    struct lookup *lookup = CONTAINER_OF(job, struct lookup, job);
    struct bus_consumer *consumer = lookup->consumer;
    int parts = lookup->parts;

    free(lookup);
    consumer->looking = false;
    if (consumer->detached) {
        bus_consumer_later(consumer);
        return;
    }
    if (parts == 0) {
        bus_tail_look(consumer, BUS_TICK_MS);
        return;
    }
    bus_parts_clear(consumer);
    for (int i = 0; i < parts; i++) {
        struct bus_part *part = bus_part_add(consumer, consumer->tail_topic, i);

        part->state = BUS_PART_READY;
        part->next = RD_KAFKA_OFFSET_END;
    }
    bus_parts_apply(consumer);
}

void bus_tail_on_look(void *arg)
{
    struct bus_consumer *consumer = arg;
    struct lookup *lookup;

    if (consumer->detached || consumer->looking)
        return;
    consumer->looking = true;
    lookup = heap_zero(sizeof(*lookup));
    lookup->consumer = consumer;
    lookup->job.work = look_work;
    lookup->job.done = look_done;
    bus_job_start(consumer->bus, &lookup->job);
}

void bus_tail_look(struct bus_consumer *consumer, uint64_t delay_ms)
{
    timer_start(&consumer->look, delay_ms, 0);
}

struct bus_consumer *bus_tail(struct bus *bus, const char *topic,
                              void (*message)(void *arg, const struct bus_message *message),
                              void *arg)
{
    char group[64];
    struct bus_consumer *consumer;

    snprintf(group, sizeof(group), "%s-tail", bus->client_id); /* never joined */
    consumer = bus_consumer_new(bus, group);
    consumer->tail_topic = heap_strdup(topic);
    consumer->tail_message = message;
    consumer->arg = arg;
    bus_tail_look(consumer, 0);
    return consumer;
}
