/*
 * kafka_server: a broker for the tests of one program. KAFKA_BOOTSTRAP names one that runs already;
 * else scripts/lib/servers.py starts one below /tmp, which ends with the test program, however that
 * ends. Topics have names of their own, so that programs can share a broker.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* "host:port"; starts the broker at the first call. Aborts when there can be none. */
const char *kafka_bootstrap(void);
/* True when the broker is ours: only then it may be frozen or killed. */
bool kafka_is_ours(void);
/* Send a signal to our broker. */
void kafka_signal(int number);
/* A new topic name, "t-<random>"; made with so many partitions. Memory: static, for ever. */
const char *kafka_topic(int partitions);
/* By name: make (again), delete, drop the records before an offset. Return when it is done. */
void kafka_topic_make(const char *topic, int partitions);
void kafka_topic_delete(const char *topic);
void kafka_records_delete(const char *topic, int32_t part, int64_t before);
/* How many members share a consumer group's partitions; 0 while they are being shared out. */
int kafka_group_members(const char *group);
