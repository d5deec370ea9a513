/* bus_admin: blocking calls of librdkafka for tools. */
#include "bus/bus_admin.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "bus/bus_admin_private.h"
#include "bus/bus_tls_private.h"

enum { ANSWER_MS = 10000, WORDS_BYTES = 512 };

static void drop_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

static void set_all(rd_kafka_conf_t *conf, const char *const (*settings)[2], size_t count)
{
    char words[WORDS_BYTES];

    for (size_t i = 0; i < count; i++)
        must(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], words, sizeof(words)) ==
             RD_KAFKA_CONF_OK);
}

enum err bus_admin_handle(const struct bus_admin *admin, rd_kafka_type_t type,
                          const char *const (*further)[2], size_t count, rd_kafka_t **ret_handle,
                          struct err_note *note)
{
    static const char *const settings[][2] = {
        {"client.id", "mamisctl"},
        {"socket.timeout.ms", "10000"},
        {"socket.connection.setup.timeout.ms", "3000"},
        {"allow.auto.create.topics", "false"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char words[WORDS_BYTES] = "";
    rd_kafka_t *handle;

    set_all(conf, settings, ARRAY_LEN(settings));
    set_all(conf, further, count);
    rd_kafka_conf_set_log_cb(conf, drop_log);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", admin->bootstrap, words, sizeof(words)) !=
        RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        return err_say(note, ERR_SETTINGS, "kafka_bootstrap: %s", words);
    }
    if (bus_tls_set(conf, &admin->tls, note) != ERR_OK) {
        rd_kafka_conf_destroy(conf);
        return ERR_SETTINGS;
    }
    handle = rd_kafka_new(type, conf, words, sizeof(words));
    if (handle == NULL) {
        rd_kafka_conf_destroy(conf);
        return err_say(note, ERR_SETTINGS, "kafka_bootstrap: %s", words);
    }
    *ret_handle = handle;
    return ERR_OK;
}

enum err bus_admin_open(const char *bootstrap, const struct bus_tls *tls,
                        struct bus_admin **ret_admin, struct err_note *note)
{
    struct bus_admin *admin = heap_zero(sizeof(*admin));
    enum err err;

    admin->bootstrap = bootstrap;
    admin->tls = *tls;
    err = bus_admin_handle(admin, RD_KAFKA_PRODUCER, NULL, 0, &admin->handle, note);
    if (err != ERR_OK)
        free(admin);
    else
        *ret_admin = admin;
    return err;
}

void bus_admin_close(struct bus_admin *admin)
{
    if (admin == NULL)
        return;
    rd_kafka_destroy(admin->handle);
    free(admin);
}

enum err bus_admin_partitions(struct bus_admin *admin, const char *topic, int *ret_count,
                              struct err_note *note)
{
    rd_kafka_topic_t *one = rd_kafka_topic_new(admin->handle, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t failed;
    enum err err = ERR_OK;

    must(one != NULL);
    failed = rd_kafka_metadata(admin->handle, 0, one, &metadata, ANSWER_MS);
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
        err = err_say(note, ERR_BUS_DOWN, "%s: %s", topic, rd_kafka_err2str(failed));
    } else {
        must(metadata->topic_cnt == 1);
        *ret_count = metadata->topics[0].partition_cnt;
    }
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(one);
    return err;
}

enum err bus_admin_watermarks(struct bus_admin *admin, const char *topic, int32_t part,
                              int64_t *ret_low, int64_t *ret_high, struct err_note *note)
{
    rd_kafka_resp_err_t failed =
        rd_kafka_query_watermark_offsets(admin->handle, topic, part, ret_low, ret_high, ANSWER_MS);

    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_say(note, ERR_BUS_DOWN, "%s/%d: %s", topic, part, rd_kafka_err2str(failed));
    return ERR_OK;
}

/* What the broker said about the one topic asked for; a timeout is an error of the whole event. */
static enum err judge(rd_kafka_event_t *event, const rd_kafka_topic_result_t **results,
                      size_t count, const char *topic, struct err_note *note)
{
    rd_kafka_resp_err_t failed = rd_kafka_event_error(event);

    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_say(note, ERR_BUS_DOWN, "%s: %s", topic, rd_kafka_event_error_string(event));
    must(count == 1);
    failed = rd_kafka_topic_result_error(results[0]);
    if (failed == RD_KAFKA_RESP_ERR_NO_ERROR || failed == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return ERR_OK;
    return err_say(note, ERR_BUS_DOWN, "%s: %s", topic,
                   rd_kafka_topic_result_error_string(results[0]));
}

/* Options and the queue on which the answer comes. */
struct request {
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
};

static struct request request_new(struct bus_admin *admin, rd_kafka_admin_op_t op)
{
    struct request request = {rd_kafka_AdminOptions_new(admin->handle, op),
                              rd_kafka_queue_new(admin->handle)};
    char words[WORDS_BYTES];

    must(rd_kafka_AdminOptions_set_request_timeout(request.options, ANSWER_MS, words,
                                                   sizeof(words)) == RD_KAFKA_RESP_ERR_NO_ERROR);
    must(rd_kafka_AdminOptions_set_operation_timeout(request.options, ANSWER_MS, words,
                                                     sizeof(words)) == RD_KAFKA_RESP_ERR_NO_ERROR);
    return request;
}

static void request_free(struct request *request)
{
    rd_kafka_queue_destroy(request->queue);
    rd_kafka_AdminOptions_destroy(request->options);
}

static enum err create(struct bus_admin *admin, const struct bus_topic *topic,
                       struct err_note *note)
{
    struct request request = request_new(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char words[WORDS_BYTES] = "";
    char number[32];
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic->name, topic->partitions,
                                                        topic->replication, words, sizeof(words));
    rd_kafka_event_t *event;
    size_t count = 0;
    enum err err = ERR_BUS_DOWN;

    must(wanted != NULL);
    (void)snprintf(number, sizeof(number), "%lld", (long long)topic->retention_ms);
    (void)rd_kafka_NewTopic_set_config(wanted, "retention.ms", number);
    (void)snprintf(number, sizeof(number), "%lld", (long long)topic->message_bytes_max);
    (void)rd_kafka_NewTopic_set_config(wanted, "max.message.bytes", number);
    rd_kafka_CreateTopics(admin->handle, &wanted, 1, request.options, request.queue);
    event = rd_kafka_queue_poll(request.queue, 2 * ANSWER_MS);
    if (event != NULL) {
        const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(result, &count);

        err = judge(event, results, count, topic->name, note);
        rd_kafka_event_destroy(event);
    } else {
        (void)err_say(note, err, "%s: no answer", topic->name);
    }
    rd_kafka_NewTopic_destroy(wanted);
    request_free(&request);
    return err;
}

static enum err enlarge(struct bus_admin *admin, const struct bus_topic *topic,
                        struct err_note *note)
{
    struct request request = request_new(admin, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
    char words[WORDS_BYTES] = "";
    rd_kafka_NewPartitions_t *wanted =
        rd_kafka_NewPartitions_new(topic->name, (size_t)topic->partitions, words, sizeof(words));
    rd_kafka_event_t *event;
    size_t count = 0;
    enum err err = ERR_BUS_DOWN;

    must(wanted != NULL);
    rd_kafka_CreatePartitions(admin->handle, &wanted, 1, request.options, request.queue);
    event = rd_kafka_queue_poll(request.queue, 2 * ANSWER_MS);
    if (event != NULL) {
        const rd_kafka_CreatePartitions_result_t *result =
            rd_kafka_event_CreatePartitions_result(event);
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreatePartitions_result_topics(result, &count);

        err = judge(event, results, count, topic->name, note);
        rd_kafka_event_destroy(event);
    } else {
        (void)err_say(note, err, "%s: no answer", topic->name);
    }
    rd_kafka_NewPartitions_destroy(wanted);
    request_free(&request);
    return err;
}

enum err bus_admin_make_topic(struct bus_admin *admin, const struct bus_topic *topic,
                              bool *ret_changed, struct err_note *note)
{
    int there = 0;
    enum err err = bus_admin_partitions(admin, topic->name, &there, note);

    if (err != ERR_OK)
        return err;
    *ret_changed = there < topic->partitions;
    if (there > topic->partitions)
        return err_say(note, ERR_STATE_CONFLICT, "%s has %d partitions, wanted are %d", topic->name,
                       there, topic->partitions);
    if (there == topic->partitions)
        return ERR_OK;
    return there == 0 ? create(admin, topic, note) : enlarge(admin, topic, note);
}
