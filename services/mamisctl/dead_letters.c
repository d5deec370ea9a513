/*
 * mamisctl dead-letters: messages that could not be handled. Retrying puts the event into the
 * service's outbox again, from where it is published with its own id; its old note in the inbox
 * goes, so that it has its effect this time.
 */
#include <stdio.h>
#include <string.h>

#include "gen/topics.h"
#include "mamisctl/mamisctl.h"

#define LETTER_COLUMNS                                                                             \
    "dead_letter_id, topic, part, \"offset\", coalesce(type, ''), reason, detail,"                 \
    " died_at, retried_at"

/* One statement of each kind for each service: schema names cannot be parameters. */
struct letters_of {
    const char *service;
    struct db_stmt list;
    struct db_stmt show;
    struct db_stmt retry;
};

#define LETTERS_OF(name)                                                                           \
    {                                                                                              \
#name, {"dead_list_" #name,                                                                \
                "SELECT '" #name "', " LETTER_COLUMNS " FROM " #name ".dead_letter"                \
                " ORDER BY dead_letter_id DESC LIMIT 1000" },                                      \
                {"dead_show_" #name,                                                               \
                 "SELECT '" #name "', " LETTER_COLUMNS ", event_id, key, body FROM " #name         \
                 ".dead_letter WHERE dead_letter_id = $1" },                                       \
        {                                                                                          \
            "dead_retry_" #name,                                                                   \
                "WITH letter AS (UPDATE " #name ".dead_letter SET retried_at = clock_timestamp()"  \
                " WHERE (dead_letter_id = $1 OR $1 = 0) AND retried_at IS NULL AND event_id IS "   \
                "NOT NULL"                                                                         \
                " AND type IS NOT NULL RETURNING event_id, type, topic, key, body),"               \
                " forgotten AS (DELETE FROM " #name ".inbox"                                       \
                " WHERE event_id IN (SELECT event_id FROM letter)),"                               \
                " again AS (INSERT INTO " #name                                                    \
                ".outbox (event_id, type, topic, key, body, next_try_at)"                          \
                " SELECT event_id, type, topic, key, convert_from(body, 'UTF8'), "                 \
                "clock_timestamp()"                                                                \
                " FROM letter ON CONFLICT (event_id) DO UPDATE SET sent_at = NULL, parked = NULL," \
                " next_try_at = excluded.next_try_at) SELECT count(*) FROM letter"                 \
        }                                                                                          \
    }

static const struct letters_of services[] = {LETTERS_OF(registration), LETTERS_OF(credit),
                                             LETTERS_OF(renewal), LETTERS_OF(notification)};

static const struct letters_of *find_service(const char *name)
{
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(services); i++) {
        if (strcmp(services[i].service, name) == 0)
            return &services[i];
    }
    return NULL;
}

static void print_letter(const struct db_query *query, size_t row)
{
    char died[CLOCK_TEXT_BYTES];

    time_format(db_get_time(query, row, 8), died);
    (void)printf("%.*s\t%lld\t%.*s/%d@%lld\t%.*s\t%s\t%s\t%.*s: %.*s\n",
                 STR_ARG(db_get_text(query, row, 0)), (long long)db_get_i64(query, row, 1),
                 STR_ARG(db_get_text(query, row, 2)), db_get_i32(query, row, 3),
                 (long long)db_get_i64(query, row, 4), STR_ARG(db_get_text(query, row, 5)), died,
                 db_is_null(query, row, 9) ? "open" : "retried",
                 STR_ARG(db_get_text(query, row, 6)), STR_ARG(db_get_text(query, row, 7)));
}

static enum tool_exit list(struct tool *tool, struct tool_args *args)
{
    const char *only = args_option(args, "--service");
    struct db_batch *batch = db_batch_new(tool->arena);
    struct db_query *queries[ARRAY_LEN(services)];
    struct err_note note = {0};
    enum err err;

    if (!args_done(args) || (only != NULL && find_service(only) == NULL))
        return TOOL_USAGE;
    tool_db_open(tool);
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        queries[i] = db_add(batch, &services[i].list);
    err = tool_run(tool, batch, &note);
    if (err != ERR_OK)
        return tool_fail("dead-letters list", err, &note);
    (void)printf("service\tid\tplace\ttype\tdied\tstate\treason\n");
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        for (size_t row = 0; row < db_rows(queries[i]); row++) {
            if (only == NULL || strcmp(only, services[i].service) == 0)
                print_letter(queries[i], row);
        }
    }
    return TOOL_OK;
}

static enum tool_exit show(struct tool *tool, struct tool_args *args)
{
    const struct letters_of *service = find_service(args_word(args));
    const char *word = args_word(args);
    struct db_batch *batch = db_batch_read(tool->arena);
    struct err_note note = {0};
    struct db_query *query;
    struct str body;
    int64_t id;
    enum err err;

    if (service == NULL || word == NULL || !str_to_i64(str_of(word), &id) || !args_done(args))
        return TOOL_USAGE;
    tool_db_open(tool);
    query = db_add(batch, &service->show);
    db_i64(query, id);
    err = tool_run(tool, batch, &note);
    if (err == ERR_OK && db_rows(query) == 0)
        err = err_say(&note, ERR_NOT_FOUND, "%s has no dead letter %s", service->service, word);
    if (err != ERR_OK)
        return tool_fail("dead-letters show", err, &note);
    print_letter(query, 0);
    body = db_get_bytes(query, 0, 12);
    (void)printf("key\t%.*s\n", STR_ARG(db_get_text(query, 0, 11)));
    (void)fwrite(body.data, 1, body.len, stdout);
    (void)printf("\n");
    return TOOL_OK;
}

static enum tool_exit retry(struct tool *tool, struct tool_args *args)
{
    const struct letters_of *service = find_service(args_word(args));
    const char *word = args_word(args);
    struct db_batch *batch = db_batch_new(tool->arena);
    struct err_note note = {0};
    struct db_query *query;
    int64_t id = 0;
    enum err err;

    if (service == NULL || word == NULL || !args_done(args))
        return TOOL_USAGE;
    if (strcmp(word, "all") != 0 && (!str_to_i64(str_of(word), &id) || id < 1))
        return TOOL_USAGE;
    tool_db_open(tool);
    query = db_add(batch, &service->retry);
    db_i64(query, id);
    err = tool_run(tool, batch, &note);
    if (err == ERR_OK && id > 0 && db_get_i64(query, 0, 0) == 0)
        err = err_say(&note, ERR_STATE_CONFLICT,
                      "%s has no open dead letter %s, or it is no event at all", service->service,
                      word);
    if (err != ERR_OK)
        return tool_fail("dead-letters retry", err, &note);
    (void)printf("%lld messages go out again within seconds\n", (long long)db_get_i64(query, 0, 0));
    return TOOL_OK;
}

enum tool_exit command_dead_letters(struct tool *tool, struct tool_args *args)
{
    const char *what = args_word(args);

    if (what != NULL && strcmp(what, "list") == 0)
        return list(tool, args);
    if (what != NULL && strcmp(what, "show") == 0)
        return show(tool, args);
    if (what != NULL && strcmp(what, "retry") == 0)
        return retry(tool, args);
    return TOOL_USAGE;
}
