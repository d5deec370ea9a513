/*
 * bus_share: whether the group gave us something of every topic. librdkafka 2.0.2 misses a topic
 * that is made, or made anew, while the group shares its partitions out: nobody would read it until
 * a member comes or goes. Who got nothing of a topic asks for another sharing out, ever more
 * rarely, since it may be that there are more members than partitions.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/bus_private.h"

enum { SHARE_WAIT_MS = 3000, SHARE_WAIT_MS_MAX = 300000, SHARE_WAIT_GROWTH = 10 };

/* NULL when there is a part of each. */
static const char *topic_without_part(const struct bus_consumer *consumer)
{
    for (int i = 0; i < consumer->topics->cnt; i++) {
        const char *topic = consumer->topics->elems[i].topic;
        bool found = false;

        for (size_t p = 0; p < consumer->part_count && !found; p++)
            found = strcmp(consumer->parts[p].topic, topic) == 0;
        if (!found)
            return topic;
    }
    return NULL;
}

void bus_share_given(struct bus_consumer *consumer)
{
    consumer->given_ms = clock_mono_ms();
    if (consumer->share_wait_ms == 0 || topic_without_part(consumer) == NULL)
        consumer->share_wait_ms = SHARE_WAIT_MS;
}

void bus_share_tick(struct bus_consumer *consumer)
{
    const uint64_t now_ms = clock_mono_ms();
    const char *topic;
    rd_kafka_resp_err_t code;

    if (!consumer->member || now_ms - consumer->given_ms < consumer->share_wait_ms)
        return;
    topic = topic_without_part(consumer);
    if (topic == NULL)
        return;
    LOG_INFO("bus_topic_not_given", F_STR("topic", topic));
    consumer->given_ms = now_ms;
    if (consumer->share_wait_ms < SHARE_WAIT_MS_MAX)
        consumer->share_wait_ms *= SHARE_WAIT_GROWTH;
    code = rd_kafka_subscribe(consumer->rk, consumer->topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) /* asked again after the next wait */
        LOG_WARN("bus_subscribe_refused", F_STR("why", rd_kafka_err2name(code)));
}
