/* bus_conf: the settings that the traps of librdkafka 2.0.2 ask for, kept here a second time. */
#include <stdlib.h>
#include <string.h>

#include "bus/bus_private.h"
#include "lib/test.h"

struct wanted {
    const char *name, *value;
};

static const struct wanted both[] = {
    {"client.id", "test"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"allow.auto.create.topics", "false"},
    {"statistics.interval.ms", "5000"},
    {"topic.metadata.refresh.interval.ms", "30000"},
    {"socket.connection.setup.timeout.ms", "3000"},
    {"socket.timeout.ms", "10000"},
    {"reconnect.backoff.max.ms", "1000"},
    {"log.queue", "true"},
};

static const struct wanted producer[] = {
    {"enable.idempotence", "true"},
    {"request.required.acks", "-1"},
    {"max.in.flight.requests.per.connection", "5"},
    {"message.timeout.ms", "0"},
    {"queue.buffering.max.messages", "20000"},
    {"queue.buffering.max.kbytes", "32768"},
    {"queue.buffering.max.ms", "0"},
    {"partitioner", "murmur2_random"},
    {"compression.codec", "lz4"},
};

static const struct wanted consumer[] = {
    {"partition.assignment.strategy", "range"},
    {"session.timeout.ms", "6000"},
    {"heartbeat.interval.ms", "500"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"fetch.wait.max.ms", "50"},
    {"queued.min.messages", "20000"},
    {"queued.max.messages.kbytes", "16384"},
    {"group.instance.id", NULL},
};

static const char *value_of(const char **dump, size_t count, const char *name)
{
    for (size_t i = 0; i + 1 < count; i += 2)
        if (strcmp(dump[i], name) == 0)
            return dump[i + 1];
    return NULL;
}

static void check(rd_kafka_conf_t *conf, const struct wanted *wanted, size_t count)
{
    size_t global_count, topic_count;
    const char **global = rd_kafka_conf_dump(conf, &global_count);
    rd_kafka_topic_conf_t *topic_conf = rd_kafka_conf_get_default_topic_conf(conf);
    const char **topic = rd_kafka_topic_conf_dump(topic_conf, &topic_count);

    for (size_t i = 0; i < count; i++) {
        const char *found = value_of(global, global_count, wanted[i].name);

        if (found == NULL)
            found = value_of(topic, topic_count, wanted[i].name);
        if (wanted[i].value == NULL) {
            assert_true(found == NULL || found[0] == '\0');
        } else {
            if (found == NULL || strcmp(found, wanted[i].value) != 0)
                print_error("%s\n", wanted[i].name);
            assert_non_null(found);
            assert_string_equal(found, wanted[i].value);
        }
    }
    rd_kafka_conf_dump_free(global, global_count);
    rd_kafka_conf_dump_free(topic, topic_count);
}

static void settings_are_as_written_down(void **state)
{
    char bootstrap[] = "127.0.0.1:1", id[] = "test";
    struct bus bus = {.bootstrap = bootstrap, .client_id = id};
    rd_kafka_conf_t *conf = bus_conf_new(&bus, BUS_PRODUCER, NULL);

    (void)state;
    check(conf, both, ARRAY_LEN(both));
    check(conf, producer, ARRAY_LEN(producer));
    rd_kafka_conf_destroy(conf);
    conf = bus_conf_new(&bus, BUS_CONSUMER, NULL);
    check(conf, both, ARRAY_LEN(both));
    check(conf, consumer, ARRAY_LEN(consumer));
    rd_kafka_conf_destroy(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(settings_are_as_written_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
