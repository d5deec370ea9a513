/*
 * bus_consumer: one instance that reads, in a group or as a tail, and its end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/bus_private.h"

static void deliver(struct bus_consumer *consumer, const rd_kafka_message_t *got)
{
    const char *topic = rd_kafka_topic_name(got->rkt);
    struct bus_part *part = bus_part_find(consumer, topic, got->partition);
    struct bus_message message = {.topic = topic,
                                  .part = got->partition,
                                  .offset = got->offset,
                                  .key = {got->key, got->key_len},
                                  .value = {got->payload, got->len}};

    /* Not asked for (any more), or given twice after a pause. */
    if (part == NULL || part->state != BUS_PART_RUNNING || got->offset < part->next)
        return;
    part->next = got->offset + 1;
    if (consumer->tail_message != NULL)
        consumer->tail_message(consumer->arg, &message);
    else
        consumer->events->message(consumer->arg, &message);
}

static void stop(struct bus_consumer *consumer, const rd_kafka_message_t *got)
{
    const char *topic = got->rkt != NULL ? rd_kafka_topic_name(got->rkt) : "";
    struct bus_part *part = bus_part_find(consumer, topic, got->partition);

    if (part == NULL || part->state != BUS_PART_RUNNING)
        return;
    part->state = BUS_PART_STOPPED;
    if (consumer->tail_topic != NULL) {
        bus_tail_look(consumer, BUS_TICK_MS);
        return;
    }
    LOG_ERROR("bus_offset_out_of_range", F_STR("topic", topic), F_I64("part", got->partition),
              F_I64("next", part->next));
    consumer->events->stopped(consumer->arg, topic, got->partition, ERR_OFFSET_OUT_OF_RANGE);
}

static void on_problem(struct bus_consumer *consumer, const rd_kafka_message_t *got)
{
    rd_kafka_resp_err_t code = got->err;

    if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        stop(consumer, got);
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        bus_die("bus_consumer_failed", rd_kafka_message_errstr(got));
    /* The rest passes by itself, or with the topic's creation: metadata is asked for again. */
    LOG_WARN("bus_consumer_problem", F_STR("why", rd_kafka_err2name(code)));
    if (consumer->tail_topic != NULL &&
        (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC))
        bus_tail_look(consumer, BUS_TICK_MS);
}

static bool serve(void *arg)
{
    struct bus_consumer *consumer = arg;
    rd_kafka_message_t *got = rd_kafka_consumer_poll(consumer->rk, 0);

    if (got == NULL)
        return false;
    if (!consumer->detached) {
        if (got->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            deliver(consumer, got);
        else
            on_problem(consumer, got);
    }
    rd_kafka_message_destroy(got);
    return true;
}

static void on_error(rd_kafka_t *rk, int code, const char *why, void *opaque)
{
    const struct bus_consumer *consumer = opaque;

    (void)rk;
    if (!consumer->detached && code == RD_KAFKA_RESP_ERR__FATAL)
        bus_die("bus_consumer_failed", why);
}

static void drop_user(void *arg)
{
    struct bus_consumer *consumer = arg;

    if (--consumer->users > 0)
        return;
    bus_parts_clear(consumer);
    if (consumer->topics != NULL)
        rd_kafka_topic_partition_list_destroy(consumer->topics);
    free(consumer->tail_topic);
    free(consumer);
}

/*
 * Off the loop. Leaving crashes or hangs without a coordinator, so only a member leaves, while
 * brokers answer; the group finds out about others by itself.
 */
static void end_instance(struct bus_consumer *consumer)
{
    struct bus *bus = consumer->bus;

    bus->ending--;
    bus_reap(bus, consumer->rk, consumer->member && bus->up, drop_user, consumer);
    timer_close(&consumer->apply, drop_user);
    timer_close(&consumer->look, drop_user);
}

static void on_apply(void *arg)
{
    struct bus_consumer *consumer = arg;

    if (!consumer->detached)
        bus_parts_apply(consumer);
    else if (!consumer->looking)
        end_instance(consumer);
}

void bus_consumer_later(struct bus_consumer *consumer)
{
    uint64_t now_ms = clock_mono_ms();
    uint64_t next_ms = consumer->assigned_ms + BUS_ASSIGN_GAP_MS;
    bool wait = !consumer->detached && consumer->assigned_ms > 0 && next_ms > now_ms;

    timer_start(&consumer->apply, wait ? next_ms - now_ms : 0, 0);
}

struct bus_consumer *bus_consumer_new(struct bus *bus, const char *group)
{
    struct bus_consumer *consumer = heap_zero(sizeof(*consumer));
    rd_kafka_conf_t *conf = bus_conf_new(bus, BUS_CONSUMER, consumer);
    char why[256];

    must(!bus->closing);
    consumer->bus = bus;
    bus_conf_set(conf, "group.id", group);
    rd_kafka_conf_set_rebalance_cb(conf, bus_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    consumer->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (consumer->rk == NULL)
        bus_die("bus_consumer_failed", why);
    must(rd_kafka_set_log_queue(consumer->rk, NULL) == RD_KAFKA_RESP_ERR_NO_ERROR);
    must(rd_kafka_poll_set_consumer(consumer->rk) == RD_KAFKA_RESP_ERR_NO_ERROR);
    consumer->users = 3;
    timer_open(&consumer->apply, bus->loop, on_apply, consumer);
    timer_open(&consumer->look, bus->loop, bus_tail_on_look, consumer);
    bus_pump_open(&consumer->pump, bus->loop, rd_kafka_queue_get_consumer(consumer->rk), serve,
                  consumer);
    consumer->next = bus->consumers;
    bus->consumers = consumer;
    return consumer;
}

struct bus_consumer *bus_subscribe(struct bus *bus, const char *group, const char *const *topics,
                                   size_t topic_count, const struct bus_consumer_events *events,
                                   void *arg)
{
    struct bus_consumer *consumer = bus_consumer_new(bus, group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)topic_count);

    consumer->events = events;
    consumer->arg = arg;
    for (size_t i = 0; i < topic_count; i++)
        rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
    consumer->topics = list;
    must(rd_kafka_subscribe(consumer->rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR);
    return consumer;
}

void bus_unsubscribe(struct bus_consumer *consumer)
{
    struct bus *bus = consumer->bus;
    struct bus_consumer **link = &bus->consumers;

    while (*link != consumer)
        link = &(*link)->next;
    *link = consumer->next;
    consumer->detached = true;
    bus->ending++;
    bus_pump_close(&consumer->pump);
    bus_consumer_later(consumer); /* not now: we may be inside one of its callbacks */
}

void bus_note_offset(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t next)
{
    struct bus_part *found = bus_part_find(consumer, topic, part);

    if (found != NULL)
        found->noted = next;
}

void bus_consumer_tick(struct bus_consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)consumer->part_count);

    for (size_t i = 0; i < consumer->part_count; i++) {
        struct bus_part *part = &consumer->parts[i];

        if (part->noted < 0 || part->state != BUS_PART_RUNNING)
            continue;
        rd_kafka_topic_partition_list_add(list, part->topic, part->part)->offset = part->noted;
        part->noted = -1;
    }
    if (list->cnt > 0)
        (void)rd_kafka_commit(consumer->rk, list, 1); /* without waiting; nobody reads it back */
    rd_kafka_topic_partition_list_destroy(list);
    if (consumer->topics != NULL)
        bus_share_tick(consumer);
    bus_pump_wake(&consumer->pump);
}

int64_t bus_low(struct bus_consumer *consumer, const char *topic, int32_t part)
{
    int64_t low = -1;
    int64_t high = -1;

    if (rd_kafka_get_watermark_offsets(consumer->rk, topic, part, &low, &high) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    return low;
}

int64_t bus_lag(struct bus_consumer *consumer, const char *topic, int32_t part, int64_t next)
{
    int64_t low = -1;
    int64_t high = -1;
    int64_t from;

    /* The cached ones: asking the broker ignores its timeout. */
    if (rd_kafka_get_watermark_offsets(consumer->rk, topic, part, &low, &high) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0)
        return -1;
    from = next > low ? next : low;
    if (from < 0)
        from = 0;
    return high > from ? high - from : 0;
}
