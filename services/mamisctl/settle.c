/* Waiting until every consumer has applied what is in its topics. */
#include <string.h>

#include "gen/topics.h"
#include "mamisctl/mamisctl.h"

enum { GOALS_MAX = 256, PAUSE_MS = 20 };

/* A consumer has to reach `next` in a partition. */
struct goal {
    const char *service;
    const char *topic;
    int32_t part;
    int64_t next;
};

struct goals {
    struct goal list[GOALS_MAX];
    size_t count;
};

struct receiver {
    const char *topic;
    const char *service;
};

/* One row a type; several types of a topic name the same service again. */
static const struct receiver receivers[] = {
#define RECEIVER(type, topic, service) {topic, service},
    EVENT_RECEIVERS(RECEIVER)
#undef RECEIVER
};

static const struct db_stmt read_offset = {
    "settle_offset",
    "SELECT coalesce(max(next), 0) FROM ("
    "SELECT 'registration' AS service, topic, part, next FROM registration.work_offset"
    " UNION ALL SELECT 'credit', topic, part, next FROM credit.work_offset"
    " UNION ALL SELECT 'renewal', topic, part, next FROM renewal.work_offset"
    " UNION ALL SELECT 'notification', topic, part, next FROM notification.work_offset"
    ") AS offsets WHERE service = $1 AND topic = $2 AND part = $3"};

static const struct db_stmt server_time = {"settle_time", "SELECT clock_timestamp()"};

static const struct db_stmt count_unsent = {
    "settle_unsent",
    "SELECT count(*) FROM ("
    "SELECT topic, created_at FROM gateway.outbox WHERE sent_at IS NULL AND parked IS NULL"
    " UNION ALL SELECT topic, created_at FROM registration.outbox"
    " WHERE sent_at IS NULL AND parked IS NULL"
    " UNION ALL SELECT topic, created_at FROM credit.outbox"
    " WHERE sent_at IS NULL AND parked IS NULL"
    " UNION ALL SELECT topic, created_at FROM renewal.outbox"
    " WHERE sent_at IS NULL AND parked IS NULL"
    " UNION ALL SELECT topic, created_at FROM notification.outbox"
    " WHERE sent_at IS NULL AND parked IS NULL) AS unsent"
    " WHERE topic = ANY ($1::text[]) AND created_at <= $2"};

size_t tool_receivers(const char *topic, const char *out[TOOL_RECEIVERS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(receivers); i++) {
        bool known = strcmp(receivers[i].topic, topic) != 0;

        for (size_t k = 0; k < count; k++)
            known = known || strcmp(out[k], receivers[i].service) == 0;
        must(known || count < TOOL_RECEIVERS_MAX);
        if (!known)
            out[count++] = receivers[i].service;
    }
    return count;
}

static enum err add_goals(struct bus_admin *admin, const char *topic, struct goals *goals,
                          struct err_note *note)
{
    const char *services[TOOL_RECEIVERS_MAX];
    size_t service_count = tool_receivers(topic, services);
    int parts = 0;
    enum err err = bus_admin_partitions(admin, topic, &parts, note);

    for (int32_t part = 0; err == ERR_OK && part < parts; part++) {
        int64_t low = 0;
        int64_t high = 0;

        err = bus_admin_watermarks(admin, topic, part, &low, &high, note);
        for (size_t i = 0; err == ERR_OK && high > low && i < service_count; i++) {
            must(goals->count < GOALS_MAX);
            goals->list[goals->count++] = (struct goal){services[i], topic, part, high};
        }
    }
    return err;
}

/* Drops the goals that are reached. */
static enum err look(struct tool *tool, struct goals *goals, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_new(arena);
    struct db_query *queries[GOALS_MAX];
    size_t left = 0;
    enum err err;

    for (size_t i = 0; i < goals->count; i++) {
        queries[i] = db_add(batch, &read_offset);
        db_text_c(queries[i], goals->list[i].service);
        db_text_c(queries[i], goals->list[i].topic);
        db_i32(queries[i], goals->list[i].part);
    }
    TRY(tool_run(tool, batch, note));
    for (size_t i = 0; i < goals->count; i++) {
        if (db_get_i64(queries[i], 0, 0) < goals->list[i].next)
            goals->list[left++] = goals->list[i];
    }
    goals->count = left;
cleanup:
    arena_free(arena);
    return err;
}

/* Gives the time of the server: what is in the outboxes now has to be sent. */
static enum err ask_time(struct tool *tool, int64_t *ret_us, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, &server_time);
    enum err err = tool_run(tool, batch, note);

    if (err == ERR_OK)
        *ret_us = db_get_time(query, 0, 0);
    arena_free(arena);
    return err;
}

static enum err ask_unsent(struct tool *tool, const struct str *topics, size_t count,
                           int64_t before_us, int64_t *ret_unsent, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, &count_unsent);
    enum err err;

    db_text_array(query, topics, count);
    db_time(query, before_us);
    err = tool_run(tool, batch, note);
    if (err == ERR_OK)
        *ret_unsent = db_get_i64(query, 0, 0);
    arena_free(arena);
    return err;
}

/* Until Kafka has every event that was written up to now. `*ret_unsent`: how many it has not. */
static enum err wait_sent(struct tool *tool, const char *const *topics, size_t count,
                          uint64_t end_ms, int64_t *ret_unsent, struct err_note *note)
{
    struct str names[ARRAY_LEN(receivers)];
    bool never = false;
    int64_t now_us = 0;
    enum err err;

    must(count <= ARRAY_LEN(names));
    for (size_t i = 0; i < count; i++)
        names[i] = str_of(topics[i]);
    TRY(ask_time(tool, &now_us, note));
    for (;;) {
        TRY(ask_unsent(tool, names, count, now_us, ret_unsent, note));
        if (*ret_unsent == 0 || clock_mono_ms() >= end_ms)
            break;
        (void)loop_run_until(tool->loop, &never, PAUSE_MS);
    }
cleanup:
    return err;
}

static enum err wait_applied(struct tool *tool, const char *const *topics, size_t count,
                             uint64_t end_ms, struct goals *goals, struct err_note *note)
{
    struct bus_admin *admin = NULL;
    bool never = false;
    enum err err;

    TRY(tool_bus_admin_open(tool, &admin, note));
    for (size_t i = 0; i < count; i++)
        TRY(add_goals(admin, topics[i], goals, note));
    while (goals->count > 0) {
        TRY(look(tool, goals, note));
        if (goals->count == 0 || clock_mono_ms() >= end_ms)
            break;
        (void)loop_run_until(tool->loop, &never, PAUSE_MS);
    }
cleanup:
    bus_admin_close(admin);
    return err;
}

bool tool_settle(struct tool *tool, const char *const *topics, size_t count)
{
    uint64_t end_ms = clock_mono_ms() + TOOL_SETTLE_MS;
    struct goals *goals = arena_new_of(tool->arena, struct goals);
    struct err_note note = {0};
    int64_t unsent = 0;
    enum err err;

    if (count == 0)
        return true;
    tool_db_open(tool);
    TRY(wait_sent(tool, topics, count, end_ms, &unsent, &note));
    if (unsent > 0) {
        tool_say("Kafka has not taken %lld events; they are kept and sent when it does",
                 (long long)unsent);
        return false;
    }
    TRY(wait_applied(tool, topics, count, end_ms, goals, &note));
    for (size_t i = 0; i < goals->count; i++)
        tool_say("%s has not reached offset %lld of %s/%d; is mamis-%s running?",
                 goals->list[i].service, (long long)goals->list[i].next, goals->list[i].topic,
                 goals->list[i].part, goals->list[i].service);
    return goals->count == 0;
cleanup:
    (void)tool_fail("waiting for the services", err, &note);
    return false;
}
