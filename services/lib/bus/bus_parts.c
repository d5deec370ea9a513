/*
 * bus_parts: the partitions that a consumer has. The group gives them without offsets; we answer
 * librdkafka at once with an empty assignment, so that the group is never kept waiting for our
 * database, and assign them all together when the caller has said where each begins.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/bus_private.h"

struct bus_part *bus_part_find(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    for (size_t i = 0; i < consumer->part_count; i++) {
        struct bus_part *found = &consumer->parts[i];

        if (found->part == part && strcmp(found->topic, topic) == 0)
            return found;
    }
    return NULL;
}

struct bus_part *bus_part_add(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    struct bus_part *added;

    consumer->parts =
        heap_realloc(consumer->parts, (consumer->part_count + 1) * sizeof(*consumer->parts));
    added = &consumer->parts[consumer->part_count++];
    *added = (struct bus_part){.topic = heap_strdup(topic), .part = part, .noted = -1};
    return added;
}

void bus_parts_clear(struct bus_consumer *consumer)
{
    for (size_t i = 0; i < consumer->part_count; i++)
        free(consumer->parts[i].topic);
    free(consumer->parts);
    consumer->parts = NULL;
    consumer->part_count = 0;
}

static rd_kafka_topic_partition_list_t *list_one(const struct bus_part *part)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, part->topic, part->part);
    return list;
}

static void set_pause(struct bus_consumer *consumer, struct bus_part *part, bool pause)
{
    rd_kafka_topic_partition_list_t *list;

    if (part->pause_set == pause)
        return;
    list = list_one(part);
    if (pause)
        rd_kafka_pause_partitions(consumer->rk, list);
    else
        rd_kafka_resume_partitions(consumer->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    part->pause_set = pause;
}

void bus_parts_resume(struct bus_consumer *consumer)
{
    for (size_t i = 0; i < consumer->part_count; i++)
        set_pause(consumer, &consumer->parts[i], false);
}

static void assign(struct bus_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_assign(consumer->rk, list);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) /* lost meanwhile: a new generation comes */
        LOG_WARN("bus_assign_refused", F_STR("why", rd_kafka_err2name(code)));
}

void bus_parts_apply(struct bus_consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list;

    if (consumer->part_count == 0)
        return; /* taken meanwhile */
    for (size_t i = 0; i < consumer->part_count; i++)
        if (consumer->parts[i].state == BUS_PART_ASKED)
            return;
    bus_parts_resume(consumer);
    list = rd_kafka_topic_partition_list_new((int)consumer->part_count);
    for (size_t i = 0; i < consumer->part_count; i++) {
        struct bus_part *part = &consumer->parts[i];

        if (part->state != BUS_PART_READY && part->state != BUS_PART_RUNNING)
            continue;
        rd_kafka_topic_partition_list_add(list, part->topic, part->part)->offset = part->next;
        part->state = BUS_PART_RUNNING;
    }
    assign(consumer, list);
    consumer->assigned_ms = clock_mono_ms();
    rd_kafka_topic_partition_list_destroy(list);
    for (size_t i = 0; i < consumer->part_count; i++) {
        struct bus_part *part = &consumer->parts[i];

        if (part->state == BUS_PART_RUNNING && part->paused)
            set_pause(consumer, part, true);
    }
}

static void given(struct bus_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);

    consumer->member = true;
    bus_note_up(consumer->bus, true);
    bus_parts_clear(consumer);
    assign(consumer, none);
    rd_kafka_topic_partition_list_destroy(none);
    for (int i = 0; i < list->cnt; i++)
        bus_part_add(consumer, list->elems[i].topic, list->elems[i].partition);
    bus_share_given(consumer);
    for (int i = 0; i < list->cnt && !consumer->detached; i++)
        consumer->events->assigned(consumer->arg, list->elems[i].topic, list->elems[i].partition);
}

static void taken(struct bus_consumer *consumer)
{
    struct bus_part *parts = consumer->parts;
    size_t count = consumer->part_count;

    consumer->member = false;
    bus_parts_resume(consumer);
    assign(consumer, NULL);
    consumer->parts = NULL;
    consumer->part_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!consumer->detached)
            consumer->events->revoked(consumer->arg, parts[i].topic, parts[i].part);
        free(parts[i].topic);
    }
    free(parts);
}

void bus_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                   void *opaque)
{
    struct bus_consumer *consumer = opaque;

    if (consumer->detached) /* closing, on another thread */
        rd_kafka_assign(rk, NULL);
    else if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        given(consumer, list);
    else
        taken(consumer);
}

void bus_assign(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t offset)
{
    struct bus_part *found = bus_part_find(consumer, topic, part);

    if (found == NULL)
        return;
    found->state = BUS_PART_READY; /* nothing is delivered until librdkafka has begun anew */
    found->next = offset;
    found->paused = false;
    bus_consumer_later(consumer);
}

void bus_hold(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    struct bus_part *found = bus_part_find(consumer, topic, part);

    if (found == NULL)
        return;
    found->state = BUS_PART_HELD;
    bus_consumer_later(consumer);
}

void bus_pause(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    struct bus_part *found = bus_part_find(consumer, topic, part);

    if (found == NULL)
        return;
    found->paused = true;
    if (found->state == BUS_PART_RUNNING)
        set_pause(consumer, found, true);
}

void bus_continue(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    struct bus_part *found = bus_part_find(consumer, topic, part);

    if (found == NULL)
        return;
    found->paused = false;
    set_pause(consumer, found, false);
}
