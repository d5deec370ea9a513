/*
 * kafka_server: starting by scripts/lib/servers.py; topics by librdkafka's admin calls.
 */
#include "lib/kafka_server.h"

#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "lib/child.h"

enum { TOPICS_MAX = 256, TOPIC_BYTES = 40, ADMIN_MS = 60000 };

static char bootstrap[128];
static char broker_folder[64];
static pid_t broker_pid;
static rd_kafka_t *admin;
static rd_kafka_queue_t *admin_queue;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "kafka_server: %s: %s\n", what, why);
    abort();
}

/* A process that outlives the test program, to stop the broker whatever became of the test. */
static void post_guard(const char *servers)
{
    static const char script[] = "kill -CONT $(cat \"$1\"/pids/kafka-1.pid) 2>/dev/null;"
                                 " \"$0\" stop \"$1\"; rm -rf \"$1\"";
    int alive[2];
    char byte;

    if (pipe2(alive, O_CLOEXEC) != 0 || fork() != 0)
        return; /* the parent keeps alive[1] open until it ends */
    setsid();
    close(alive[1]);
    while (read(alive[0], &byte, 1) > 0)
        continue;
    execl("/bin/sh", "sh", "-c", script, servers, broker_folder, (char *)NULL);
    _exit(127);
}

static void start_broker(void)
{
    static const char servers[] = TEST_SOURCE_DIR "/scripts/lib/servers.py";
    static const char key[] = "kafka_bootstrap=";
    const char *argv[] = {servers, "start", broker_folder, "kafka", NULL};
    char output[4096];
    char path[128];
    const char *found;
    FILE *file;

    snprintf(broker_folder, sizeof(broker_folder), "/tmp/mamis-kafka-XXXXXX");
    if (mkdtemp(broker_folder) == NULL)
        fail("mkdtemp", broker_folder);
    post_guard(servers);
    if (!child_output(argv, output, sizeof(output)))
        fail("servers.py", output);
    found = strstr(output, key);
    if (found == NULL)
        fail("servers.py said", output);
    snprintf(bootstrap, sizeof(bootstrap), "%.*s", (int)strcspn(found + sizeof(key) - 1, "\n"),
             found + sizeof(key) - 1);
    snprintf(path, sizeof(path), "%s/pids/kafka-1.pid", broker_folder);
    file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%d", &broker_pid) != 1)
        fail("no pid in", path);
    fclose(file);
}

static void close_admin(void)
{
    rd_kafka_queue_destroy(admin_queue);
    rd_kafka_destroy(admin);
}

static void open_admin(void)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof(why)) !=
        RD_KAFKA_CONF_OK)
        fail("admin", why);
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof(why));
    admin = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (admin == NULL)
        fail("admin", why);
    admin_queue = rd_kafka_queue_new(admin);
    atexit(close_admin);
}

const char *kafka_bootstrap(void)
{
    const char *given = getenv("KAFKA_BOOTSTRAP");

    if (bootstrap[0] != '\0')
        return bootstrap;
    if (given != NULL && given[0] != '\0')
        snprintf(bootstrap, sizeof(bootstrap), "%s", given);
    else
        start_broker();
    open_admin();
    return bootstrap;
}

bool kafka_is_ours(void)
{
    kafka_bootstrap();
    return broker_pid != 0;
}

void kafka_signal(int number)
{
    if (broker_pid == 0)
        fail("signal", "the broker is not ours");
    child_signal(broker_pid, number);
}

static rd_kafka_event_t *wait_answer(void)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin_queue, ADMIN_MS);

    if (event == NULL)
        fail("admin", "no answer");
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("admin", rd_kafka_event_error_string(event));
    return event;
}

static void check_topics(const rd_kafka_topic_result_t **results, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
            fail(rd_kafka_topic_result_name(results[i]),
                 rd_kafka_err2str(rd_kafka_topic_result_error(results[i])));
}

/* Known to the broker's metadata, with leaders for all partitions? Says in `told` what it saw. */
static bool topic_stands(const char *name, int partitions, char *told, size_t told_bytes)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(admin, name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(admin, 0, topic, &metadata, 1000);
    int led = 0;

    snprintf(told, told_bytes, "no metadata: %s", rd_kafka_err2name(err));
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const struct rd_kafka_metadata_topic *seen = &metadata->topics[0];

        for (int i = 0; i < seen->partition_cnt; i++)
            led += seen->partitions[i].leader >= 0;
        snprintf(told, told_bytes, "%d of %d partitions led, %d brokers, %s", led,
                 seen->partition_cnt, metadata->broker_cnt, rd_kafka_err2name(seen->err));
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return led == partitions;
}

/* A broker that was frozen needs a while until it leads again. */
static void wait_partitions(const char *topic, int partitions)
{
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    uint64_t end_ms = clock_mono_ms() + ADMIN_MS;
    char told[120];

    while (!topic_stands(topic, partitions, told, sizeof(told))) {
        if (clock_mono_ms() >= end_ms)
            fail(partitions > 0 ? "a topic has no leaders" : "a topic is still there", told);
        nanosleep(&pause, NULL);
    }
}

void kafka_topic_make(const char *topic, int partitions)
{
    char why[256];
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, 1, why, sizeof(why));
    rd_kafka_event_t *event;
    size_t count;

    if (wanted == NULL)
        fail(topic, why);
    rd_kafka_CreateTopics(admin, &wanted, 1, NULL, admin_queue);
    event = wait_answer();
    check_topics(
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count),
        count);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(wanted);
    wait_partitions(topic, partitions);
}

void kafka_topic_delete(const char *topic)
{
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_event_t *event;
    size_t count;

    rd_kafka_DeleteTopics(admin, &gone, 1, NULL, admin_queue);
    event = wait_answer();
    check_topics(
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count),
        count);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy(gone);
    wait_partitions(topic, 0);
}

void kafka_records_delete(const char *topic, int32_t part, int64_t before)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *gone;

    rd_kafka_topic_partition_list_add(list, topic, part)->offset = before;
    gone = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(admin, &gone, 1, NULL, admin_queue);
    rd_kafka_event_destroy(wait_answer());
    rd_kafka_DeleteRecords_destroy(gone);
    rd_kafka_topic_partition_list_destroy(list);
}

int kafka_group_members(const char *group)
{
    const struct rd_kafka_group_list *list = NULL;
    int members = 0;

    if (rd_kafka_list_groups(admin, group, &list, ADMIN_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    if (list->group_cnt == 1 && strcmp(list->groups[0].state, "Stable") == 0)
        members = list->groups[0].member_cnt;
    rd_kafka_group_list_destroy(list);
    return members;
}

const char *kafka_topic(int partitions)
{
    static char names[TOPICS_MAX][TOPIC_BYTES];
    static size_t count;
    char text[UUID_TEXT_BYTES];
    char *name;

    kafka_bootstrap();
    if (count == TOPICS_MAX)
        fail("kafka_topic", "too many");
    name = names[count++];
    uuid_format(uuid_new(), text);
    snprintf(name, TOPIC_BYTES, "t-%s", text);
    kafka_topic_make(name, partitions);
    return name;
}
