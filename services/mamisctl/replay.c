/*
 * mamisctl replay: a topic was lost or made anew. Its readers pause, forget how far they were, and
 * everything that the outboxes still have of it (35 days) is published again in the old order. What
 * had its effect already has none: the inboxes know the event ids. Safe to run again from any
 * point.
 */
#include <stdio.h>
#include <string.h>

#include "gen/topics.h"
#include "mamisctl/mamisctl.h"

enum { SLICE_ROWS = 500, ACK_MS = 60000, READERS_LOOK_MS = 2500, WAIT_MS = 5 };

static const struct db_stmt pause_topic = {
    "replay_pause", "INSERT INTO mamis.pause (topic) VALUES ($1) ON CONFLICT (topic) DO NOTHING"};

static const struct db_stmt rewind_one = {"replay_rewind", "SELECT mamis.rewind($1, $2)"};

static const struct db_stmt go_on = {"replay_go_on", "DELETE FROM mamis.pause WHERE topic = $1"};

/* Event ids begin with the time, so their order is the order in which events were made. */
static const struct db_stmt next_events = {
    "replay_next",
    "SELECT event_id, key, body FROM ("
    "SELECT event_id, topic, key, body, parked FROM gateway.outbox"
    " UNION ALL SELECT event_id, topic, key, body, parked FROM registration.outbox"
    " UNION ALL SELECT event_id, topic, key, body, parked FROM credit.outbox"
    " UNION ALL SELECT event_id, topic, key, body, parked FROM renewal.outbox"
    " UNION ALL SELECT event_id, topic, key, body, parked FROM notification.outbox) AS events"
    " WHERE topic = $1 AND event_id > $2 AND parked IS NULL ORDER BY event_id LIMIT $3::bigint"};

struct replay {
    struct tool *tool;
    const char *topic;
    size_t waiting; /* for acknowledgements */
    size_t published;
    enum err failed; /* of any acknowledgement */
    struct err_note note;
};

static void on_ack(void *arg, enum err err)
{
    struct replay *replay = arg;

    replay->waiting--;
    if (err != ERR_OK)
        replay->failed = err;
}

static const char *topic_known(const char *word)
{
    static const char *const topics[] = {
#define TOPIC_NAME(define, name, partitions, retention_ms, bytes_max) name,
        TOPICS(TOPIC_NAME)
#undef TOPIC_NAME
    };

    for (size_t i = 0; word != NULL && i < ARRAY_LEN(topics); i++) {
        if (strcmp(topics[i], word) == 0)
            return topics[i];
    }
    return NULL;
}

static void turn_loop(struct tool *tool, uint64_t wait_ms)
{
    bool never = false;

    (void)loop_run_until(tool->loop, &never, wait_ms);
}

static enum err run_one(struct replay *replay, const struct db_stmt *stmt)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_new(arena);
    enum err err;

    db_text_c(db_add(batch, stmt), replay->topic);
    err = tool_run(replay->tool, batch, &replay->note);
    arena_free(arena);
    return err;
}

/* Every receiving service begins at the topic's first record, all in one transaction. */
static enum err rewind_all(struct replay *replay)
{
    static const struct {
        const char *topic;
        const char *service;
    } receivers[] = {
#define RECEIVER(type, topic, service) {topic, service},
        EVENT_RECEIVERS(RECEIVER)
#undef RECEIVER
    };
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_new(arena);
    enum err err;

    for (size_t i = 0; i < ARRAY_LEN(receivers); i++) {
        if (strcmp(receivers[i].topic, replay->topic) == 0) {
            struct db_query *query = db_add(batch, &rewind_one);

            db_text_c(query, receivers[i].service);
            db_text_c(query, replay->topic);
        }
    }
    err = db_batch_count(batch) == 0 ? ERR_OK : tool_run(replay->tool, batch, &replay->note);
    arena_free(arena);
    return err;
}

/* Publish the rows found and wait until Kafka has them all. */
static enum err publish_slice(struct replay *replay, const struct db_query *found)
{
    uint64_t end_ms = clock_mono_ms() + ACK_MS;
    size_t at = 0;

    while (clock_mono_ms() < end_ms && replay->failed == ERR_OK &&
           (at < db_rows(found) || replay->waiting > 0)) {
        enum err err = ERR_BUSY;

        if (at < db_rows(found))
            err = bus_produce(replay->tool->bus, replay->topic, db_get_text(found, at, 1),
                              db_get_text(found, at, 2), on_ack, replay);
        if (err == ERR_OK) {
            replay->waiting++;
            at++;
        } else if (err == ERR_BUSY || err == ERR_BUS_DOWN) {
            turn_loop(replay->tool, WAIT_MS);
        } else {
            replay->failed = err;
        }
    }
    if (replay->failed == ERR_OK && (at < db_rows(found) || replay->waiting > 0))
        replay->failed = ERR_BUS_DOWN;
    if (replay->failed != ERR_OK)
        return err_say(&replay->note, replay->failed, "Kafka did not take all events");
    replay->published += at;
    return ERR_OK;
}

static enum err publish_all(struct replay *replay)
{
    struct uuid last = {{0}};
    size_t count = SLICE_ROWS;
    enum err err = ERR_OK;

    while (err == ERR_OK && count == SLICE_ROWS) {
        struct arena *arena = arena_new();
        struct db_batch *batch = db_batch_read(arena);
        struct db_query *query = db_add(batch, &next_events);

        db_text_c(query, replay->topic);
        db_uuid(query, last);
        db_i64(query, SLICE_ROWS);
        err = tool_run(replay->tool, batch, &replay->note);
        count = err == ERR_OK ? db_rows(query) : 0;
        if (count > 0) {
            last = db_get_uuid(query, count - 1, 0);
            err = publish_slice(replay, query);
        }
        arena_free(arena);
    }
    return err;
}

static enum err replay_topic(struct replay *replay)
{
    enum err err;

    TRY(run_one(replay, &pause_topic));
    /* Readers look once a second and tell nobody; one that did not is fenced by rewinding. */
    turn_loop(replay->tool, READERS_LOOK_MS);
    TRY(rewind_all(replay));
    TRY(publish_all(replay));
    TRY(run_one(replay, &go_on));
cleanup:
    return err;
}

enum tool_exit command_replay(struct tool *tool, struct tool_args *args)
{
    struct replay *replay = arena_new_of(tool->arena, struct replay);
    enum err err;

    replay->tool = tool;
    replay->topic = topic_known(args_option(args, "--topic"));
    if (replay->topic == NULL || !args_done(args))
        return TOOL_USAGE;
    tool_db_open(tool);
    tool_bus_open(tool);
    err = replay_topic(replay);
    if (err != ERR_OK) {
        tool_say("%s stays paused until replay has worked; run it again", replay->topic);
        return tool_fail("replay", err, &replay->note);
    }
    (void)printf("%zu events published again\n", replay->published);
    return tool_settle(tool, &replay->topic, 1) ? TOOL_OK : TOOL_UNSETTLED;
}
