/*
 * mamisctl strays: after a restore to a moment in the past Kafka still holds events of transactions
 * that are not there any more. What they tell of never happened, so nobody may apply them: the
 * inboxes of all who would are told that they did. A stray is an event behind the stored offsets
 * that no outbox knows. Reads Kafka from the offsets that came back; safe to run again.
 */
#include <stdio.h>
#include <string.h>

#include "gen/topics.h"
#include "mamisctl/mamisctl.h"

enum { SLICE_EVENTS = 500 };

static const struct db_stmt who_runs = {
    "strays_who_runs",
    "SELECT string_agg(DISTINCT usename::text, ', ') FROM pg_stat_activity WHERE usename IN"
    " ('mamis_gateway', 'mamis_registration', 'mamis_credit', 'mamis_renewal',"
    " 'mamis_notification')"};

/* Where the service that is furthest behind goes on, and how many have a place at all. */
static const struct db_stmt read_places = {
    "strays_places", "SELECT part, min(next), count(*) FROM ("
                     "SELECT topic, part, next FROM registration.work_offset"
                     " UNION ALL SELECT topic, part, next FROM credit.work_offset"
                     " UNION ALL SELECT topic, part, next FROM renewal.work_offset"
                     " UNION ALL SELECT topic, part, next FROM notification.work_offset"
                     ") AS offsets WHERE topic = $1 GROUP BY part"};

/* Of the events $1, the places of those that nobody sent and that somebody ($2) has not passed. */
static const struct db_stmt find_strays = {
    "strays_find",
    "SELECT e.n FROM unnest($1::uuid[]) WITH ORDINALITY AS e (id, n)"
    " WHERE NOT EXISTS (SELECT FROM gateway.outbox WHERE event_id = e.id)"
    " AND NOT EXISTS (SELECT FROM registration.outbox WHERE event_id = e.id)"
    " AND NOT EXISTS (SELECT FROM credit.outbox WHERE event_id = e.id)"
    " AND NOT EXISTS (SELECT FROM renewal.outbox WHERE event_id = e.id)"
    " AND NOT EXISTS (SELECT FROM notification.outbox WHERE event_id = e.id)"
    " AND EXISTS (SELECT FROM unnest($2::text[]) AS r (service) WHERE NOT EXISTS ("
    "SELECT FROM registration.inbox WHERE event_id = e.id AND r.service = 'registration'"
    " UNION ALL SELECT FROM credit.inbox WHERE event_id = e.id AND r.service = 'credit'"
    " UNION ALL SELECT FROM renewal.inbox WHERE event_id = e.id AND r.service = 'renewal'"
    " UNION ALL SELECT FROM notification.inbox WHERE event_id = e.id"
    "  AND r.service = 'notification')) ORDER BY e.n"};

#define PASS(name)                                                                                 \
    name "_passed AS (INSERT INTO " name ".inbox (event_id, topic) SELECT event_id, $2"            \
         " FROM strays WHERE '" name "' = ANY ($3) ON CONFLICT DO NOTHING)"
static const struct db_stmt pass_strays = {
    "strays_pass",
    "WITH strays AS (SELECT unnest($1::uuid[]) AS event_id), " PASS("registration") ", " PASS(
        "credit") ", " PASS("renewal") ", " PASS("notification") " SELECT count(*) FROM strays"};

struct event {
    struct uuid id;
    const char *type;
    struct str key;
    int32_t part;
    int64_t offset;
};

struct strays {
    struct tool *tool;
    struct bus_admin *admin;
    bool pass; /* or only list */
    size_t found;
    /* of the topic that is read */
    const char *topic;
    struct str services[TOOL_RECEIVERS_MAX];
    size_t service_count;
    /* read and not yet looked up; texts in the slice's arena */
    struct arena *arena;
    struct event events[SLICE_EVENTS];
    size_t count;
};

static enum err pass_all(struct strays *strays, const struct uuid *ids, size_t count,
                         struct err_note *note)
{
    struct db_batch *batch = db_batch_new(strays->arena);
    struct db_query *query = db_add(batch, &pass_strays);

    db_uuid_array(query, ids, count);
    db_text_c(query, strays->topic);
    db_text_array(query, strays->services, strays->service_count);
    return tool_run(strays->tool, batch, note);
}

/* Looks up the slice, says which are strays, passes them when that is wanted. */
static enum err end_slice(struct strays *strays, struct err_note *note)
{
    struct uuid *ids = arena_array(strays->arena, struct uuid, SLICE_EVENTS);
    struct db_batch *batch = db_batch_read(strays->arena);
    struct db_query *query = db_add(batch, &find_strays);
    enum err err;

    for (size_t i = 0; i < strays->count; i++)
        ids[i] = strays->events[i].id;
    db_uuid_array(query, ids, strays->count);
    db_text_array(query, strays->services, strays->service_count);
    TRY(tool_run(strays->tool, batch, note));
    for (size_t row = 0; row < db_rows(query); row++) {
        const struct event *event = &strays->events[db_get_i64(query, row, 0) - 1];
        char id[UUID_TEXT_BYTES];

        ids[row] = event->id;
        uuid_format(event->id, id);
        (void)printf("%s/%d@%lld\t%s\t%s\t%.*s\n", strays->topic, event->part,
                     (long long)event->offset, event->type, id, STR_ARG(event->key));
    }
    if (strays->pass && db_rows(query) > 0)
        TRY(pass_all(strays, ids, db_rows(query), note));
    strays->found += db_rows(query);
cleanup:
    strays->count = 0;
    arena_free(strays->arena);
    strays->arena = arena_new();
    return err;
}

static enum err take(void *arg, const struct bus_message *message, struct err_note *note)
{
    struct strays *strays = arg;
    struct event *event = &strays->events[strays->count];
    struct err_note none;

    if (work_identify(message->value, strays->arena, &event->id, &event->type, &none) != ERR_OK)
        return ERR_OK; /* no event: it will be a dead letter, as it was before */
    event->key = arena_str(strays->arena, message->key);
    event->part = message->part;
    event->offset = message->offset;
    return ++strays->count < SLICE_EVENTS ? ERR_OK : end_slice(strays, note);
}

/* From the stored offset of whoever is furthest behind to the end of the partition. */
static enum err find_range(struct strays *strays, const struct db_query *places, int32_t part,
                           struct bus_range *ret_range, struct err_note *note)
{
    int64_t low = 0;
    enum err err =
        bus_admin_watermarks(strays->admin, strays->topic, part, &low, &ret_range->end, note);

    ret_range->part = part;
    ret_range->from = low;
    for (size_t row = 0; err == ERR_OK && row < db_rows(places); row++) {
        if (db_get_i32(places, row, 0) == part &&
            (size_t)db_get_i64(places, row, 2) >= strays->service_count &&
            db_get_i64(places, row, 1) > low)
            ret_range->from = db_get_i64(places, row, 1);
    }
    return err;
}

static enum err read_topic(struct strays *strays, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *places = db_add(batch, &read_places);
    struct bus_range *ranges;
    size_t count = 0;
    int parts = 0;
    enum err err;

    db_text_c(places, strays->topic);
    TRY(tool_run(strays->tool, batch, note));
    TRY(bus_admin_partitions(strays->admin, strays->topic, &parts, note));
    ranges = arena_array(arena, struct bus_range, (size_t)parts);
    for (int32_t part = 0; part < parts; part++) {
        TRY(find_range(strays, places, part, &ranges[count], note));
        count += ranges[count].from < ranges[count].end;
    }
    if (count > 0)
        TRY(bus_admin_read(strays->admin, strays->topic, ranges, count, take, strays, note));
    if (strays->count > 0)
        TRY(end_slice(strays, note));
cleanup:
    arena_free(arena);
    return err;
}

static enum err read_all(struct strays *strays, struct err_note *note)
{
    static const char *const topics[] = {
#define TOPIC_NAME(define, name, partitions, retention_ms, bytes_max) name,
        TOPICS(TOPIC_NAME)
#undef TOPIC_NAME
    };
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(topics); i++) {
        const char *services[TOOL_RECEIVERS_MAX];

        strays->topic = topics[i];
        strays->service_count = tool_receivers(topics[i], services);
        for (size_t k = 0; k < strays->service_count; k++)
            strays->services[k] = str_of(services[k]);
        if (strays->service_count > 0)
            err = read_topic(strays, note);
    }
    return err;
}

/* A service that runs may have applied a stray before it is found. */
static enum err refuse_running(struct strays *strays, struct err_note *note)
{
    struct db_batch *batch = db_batch_read(strays->arena);
    struct db_query *query = db_add(batch, &who_runs);
    enum err err;

    TRY(tool_run(strays->tool, batch, note));
    if (!db_is_null(query, 0, 0))
        err = err_say(note, ERR_STATE_CONFLICT, "stop the services first; connected are %.*s",
                      STR_ARG(db_get_text(query, 0, 0)));
cleanup:
    return err;
}

enum tool_exit command_strays(struct tool *tool, struct tool_args *args)
{
    struct strays *strays = arena_new_of(tool->arena, struct strays);
    const char *word = args_word(args);
    struct err_note note = {0};
    enum err err;

    strays->tool = tool;
    strays->pass = word != NULL && strcmp(word, "pass") == 0;
    if (word == NULL || (!strays->pass && strcmp(word, "list") != 0) || !args_done(args))
        return TOOL_USAGE;
    strays->arena = arena_new();
    tool_db_open(tool);
    if (strays->pass)
        TRY(refuse_running(strays, &note));
    TRY(tool_bus_admin_open(tool, &strays->admin, &note));
    (void)printf("place\ttype\tevent\tkey\n");
    TRY(read_all(strays, &note));
    if (strays->pass)
        (void)printf("%zu events are passed: they will have no effect\n", strays->found);
cleanup:
    bus_admin_close(strays->admin);
    arena_free(strays->arena);
    return err == ERR_OK ? TOOL_OK
                         : tool_fail(strays->pass ? "strays pass" : "strays list", err, &note);
}
