/*
 * mamisctl topics: makes the topics of proto/asyncapi.yaml that are missing, and adds partitions
 * that are; running it again changes nothing. And waiting until consumers have applied what is in
 * topics.
 */
#include <stdio.h>
#include <string.h>

#include "gen/topics.h"
#include "mamisctl/mamisctl.h"

struct topic_row {
    const char *name;
    int partitions;
    int64_t retention_ms;
    int64_t message_bytes_max;
};

static const struct topic_row topics[] = {
#define TOPIC_ROW(define, name, partitions, retention_ms, bytes_max)                               \
    {name, partitions, retention_ms, bytes_max},
    TOPICS(TOPIC_ROW)
#undef TOPIC_ROW
};

static enum err make_all(struct tool *tool, size_t *ret_made, struct err_note *note)
{
    struct bus_admin *admin = NULL;
    enum err err;

    TRY(tool_bus_admin_open(tool, &admin, note));
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        const struct bus_topic wanted = {
            .name = topics[i].name,
            .partitions = topics[i].partitions,
            .replication = (int)tool->settings->kafka_replication,
            .retention_ms = topics[i].retention_ms,
            .message_bytes_max = topics[i].message_bytes_max,
        };
        bool changed = false;

        TRY(bus_admin_make_topic(admin, &wanted, &changed, note));
        if (changed) {
            (void)printf("made %s with %d partitions\n", wanted.name, wanted.partitions);
            *ret_made += 1;
        }
    }
cleanup:
    bus_admin_close(admin);
    return err;
}

enum tool_exit command_topics(struct tool *tool, struct tool_args *args)
{
    struct err_note note = {0};
    size_t made = 0;
    enum err err;

    if (!args_done(args))
        return TOOL_USAGE;
    err = make_all(tool, &made, &note);
    if (err != ERR_OK)
        return tool_fail("topics", err, &note);
    (void)printf("%zu topics, %zu made now\n", ARRAY_LEN(topics), made);
    return TOOL_OK;
}
