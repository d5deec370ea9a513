/*
 * bus_conf: every setting of librdkafka that we rely on, written down once. Which trap of 2.0.2
 * each one avoids stands beside it.
 */
#include <string.h>

#include "base/log.h"
#include "bus/bus_private.h"
#include "bus/bus_tls_private.h"

static const struct bus_setting common_settings[] = {
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"allow.auto.create.topics", "false"},
    {"statistics.interval.ms", "5000"},
    {"log.queue", "true"},
    /* A refresh stuck on a dead broker blocks finding the new leader: give up on it soon. */
    {"topic.metadata.refresh.interval.ms", "30000"},
    {"socket.connection.setup.timeout.ms", "3000"},
    {"socket.timeout.ms", "10000"},
    {"reconnect.backoff.max.ms", "1000"},
};

static const struct bus_setting producer_settings[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"max.in.flight", "5"},
    /* No local expiry, the commonest way into "possibly persisted"; the queue's size is the bound.
     */
    {"message.timeout.ms", "0"},
    {"queue.buffering.max.messages", "20000"},
    {"queue.buffering.max.kbytes", "32768"},
    {"linger.ms", "0"},
    {"partitioner", "murmur2_random"},
    {"compression.type", "lz4"},
};

static const struct bus_setting consumer_settings[] = {
    /* Cooperative and sticky assignors of 2.0.2 loop, crash or give one partition twice. */
    {"partition.assignment.strategy", "range"},
    {"session.timeout.ms", "6000"},
    {"heartbeat.interval.ms", "500"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"fetch.wait.max.ms", "50"},
    /* When the prefetch limit is hit the fetcher sleeps a whole second: room for more than that. */
    {"queued.min.messages", "20000"},
    {"queued.max.messages.kbytes", "16384"},
};

void bus_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
        bus_die("bus_setting_refused", why);
}

static void set_all(rd_kafka_conf_t *conf, const struct bus_setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bus_conf_set(conf, settings[i].name, settings[i].value);
}

/* librdkafka says "error" for each failed connect; for us that is something we cope with. */
void bus_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    if (level <= 4)
        LOG_WARN("kafka_client", F_STR("facility", facility), F_STR("text", text));
    else if (level <= 6)
        LOG_INFO("kafka_client", F_STR("facility", facility), F_STR("text", text));
    else
        LOG_DEBUG("kafka_client", F_STR("facility", facility), F_STR("text", text));
}

rd_kafka_conf_t *bus_conf_new(const struct bus *bus, enum bus_role role, void *opaque)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct err_note note;

    bus_conf_set(conf, "bootstrap.servers", bus->bootstrap);
    bus_conf_set(conf, "client.id", bus->client_id);
    if (bus_tls_set(conf, &bus->tls, &note) != ERR_OK)
        bus_die("bus_setting_refused", note.text);
    set_all(conf, common_settings, ARRAY_LEN(common_settings));
    if (role == BUS_PRODUCER)
        set_all(conf, producer_settings, ARRAY_LEN(producer_settings));
    else
        set_all(conf, consumer_settings, ARRAY_LEN(consumer_settings));
    rd_kafka_conf_set_log_cb(conf, bus_log);
    rd_kafka_conf_set_opaque(conf, opaque);
    return conf;
}
