/* bus_admin_read: the messages of some partitions, one by one, without a group. */
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "bus/bus_admin_private.h"

enum { POLL_MS = 500, QUIET_MS_MAX = 30000 };

struct reading {
    const struct bus_range *ranges;
    size_t count;
    bool *done; /* by range */
    size_t left;
    bus_admin_take_fn take;
    void *arg;
};

static const struct bus_range *range_of(const struct reading *reading, int32_t part)
{
    for (size_t i = 0; i < reading->count; i++) {
        if (reading->ranges[i].part == part)
            return &reading->ranges[i];
    }
    return NULL;
}

static void note_done(struct reading *reading, const struct bus_range *range)
{
    bool *done = &reading->done[range - reading->ranges];

    reading->left -= !*done;
    *done = true;
}

static enum err take_one(struct reading *reading, const rd_kafka_message_t *got,
                         struct err_note *note)
{
    const struct bus_range *range = range_of(reading, got->partition);
    const struct bus_message message = {.topic = rd_kafka_topic_name(got->rkt),
                                        .part = got->partition,
                                        .offset = got->offset,
                                        .key = {got->key, got->key_len},
                                        .value = {got->payload, got->len}};
    enum err err = ERR_OK;

    must(range != NULL);
    if (got->offset < range->end)
        err = reading->take(reading->arg, &message, note);
    if (got->offset + 1 >= range->end)
        note_done(reading, range);
    return err;
}

static enum err read_all(struct reading *reading, rd_kafka_t *handle, const char *topic,
                         struct err_note *note)
{
    uint64_t quiet_ms = clock_mono_ms();
    enum err err = ERR_OK;

    while (err == ERR_OK && reading->left > 0) {
        rd_kafka_message_t *got = rd_kafka_consumer_poll(handle, POLL_MS);

        if (got != NULL && got->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            err = take_one(reading, got, note);
            quiet_ms = clock_mono_ms();
        } else if (got != NULL && got->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            note_done(reading, range_of(reading, got->partition));
        } else if (clock_mono_ms() - quiet_ms > QUIET_MS_MAX) {
            err = err_say(note, ERR_BUS_DOWN, "%s: nothing comes", topic);
        }
        if (got != NULL)
            rd_kafka_message_destroy(got);
    }
    return err;
}

enum err bus_admin_read(struct bus_admin *admin, const char *topic, const struct bus_range *ranges,
                        size_t count, bus_admin_take_fn take, void *arg, struct err_note *note)
{
    static const char *const settings[][2] = {
        {"group.id", "mamisctl"}, /* never joined */
        {"enable.auto.commit", "false"},  {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"}, {"check.crcs", "true"},
        {"fetch.wait.max.ms", "50"},
    };
    struct reading reading = {ranges, count, heap_zero(count + 1), count, take, arg};
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_t *handle = NULL;
    rd_kafka_resp_err_t failed;
    enum err err;

    TRY(bus_admin_handle(admin, RD_KAFKA_CONSUMER, settings, ARRAY_LEN(settings), &handle, note));
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, ranges[i].part)->offset = ranges[i].from;
    failed = rd_kafka_assign(handle, list);
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR)
        err = read_all(&reading, handle, topic, note);
    else
        err = err_say(note, ERR_BUS_DOWN, "%s: %s", topic, rd_kafka_err2str(failed));
cleanup:
    if (handle != NULL) /* there is no group to leave */
        rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    rd_kafka_topic_partition_list_destroy(list);
    free(reading.done);
    return err;
}
