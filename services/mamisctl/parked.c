/*
 * mamisctl parked: events that Kafka refused for good, as larger than a topic takes. Once it takes
 * them they are published again; until then nobody downstream has them.
 */
#include <stdio.h>
#include <string.h>

#include "mamisctl/mamisctl.h"

static const struct db_stmt list_parked = {
    "parked_list",
    "SELECT service, event_id::text, type, topic, octet_length(body), parked FROM ("
    "SELECT 'gateway' AS service, event_id, type, topic, body, parked FROM gateway.outbox"
    " UNION ALL SELECT 'registration', event_id, type, topic, body, parked"
    "  FROM registration.outbox"
    " UNION ALL SELECT 'credit', event_id, type, topic, body, parked FROM credit.outbox"
    " UNION ALL SELECT 'renewal', event_id, type, topic, body, parked FROM renewal.outbox"
    " UNION ALL SELECT 'notification', event_id, type, topic, body, parked"
    "  FROM notification.outbox) AS events"
    " WHERE parked IS NOT NULL ORDER BY service, event_id LIMIT 1000"};

/* Any instance of the service finds them at its next sweep. */
#define AGAIN(name)                                                                                \
    name "_again AS (UPDATE " name ".outbox SET parked = NULL, next_try_at = clock_timestamp()"    \
         " WHERE parked IS NOT NULL RETURNING 1)"
static const struct db_stmt retry_parked = {
    "parked_retry",
    "WITH " AGAIN("gateway") ", " AGAIN("registration") ", " AGAIN("credit") ", " AGAIN(
        "renewal") ", " AGAIN("notification") " SELECT (SELECT count(*) FROM gateway_again)"
                                              " + (SELECT count(*) FROM registration_again)"
                                              " + (SELECT count(*) FROM credit_again)"
                                              " + (SELECT count(*) FROM renewal_again)"
                                              " + (SELECT count(*) FROM notification_again)"};

static void print_parked(const struct db_query *query)
{
    (void)printf("service\tevent\ttype\ttopic\tbytes\treason\n");
    for (size_t row = 0; row < db_rows(query); row++)
        (void)printf("%.*s\t%.*s\t%.*s\t%.*s\t%d\t%.*s\n", STR_ARG(db_get_text(query, row, 0)),
                     STR_ARG(db_get_text(query, row, 1)), STR_ARG(db_get_text(query, row, 2)),
                     STR_ARG(db_get_text(query, row, 3)), db_get_i32(query, row, 4),
                     STR_ARG(db_get_text(query, row, 5)));
}

enum tool_exit command_parked(struct tool *tool, struct tool_args *args)
{
    const char *word = args_word(args);
    const bool retry = word != NULL && strcmp(word, "retry") == 0;
    struct db_batch *batch = db_batch_new(tool->arena);
    struct err_note note = {0};
    struct db_query *query;
    enum err err;

    if (word == NULL || (!retry && strcmp(word, "list") != 0) || !args_done(args))
        return TOOL_USAGE;
    tool_db_open(tool);
    query = db_add(batch, retry ? &retry_parked : &list_parked);
    err = tool_run(tool, batch, &note);
    if (err != ERR_OK)
        return tool_fail(retry ? "parked retry" : "parked list", err, &note);
    if (retry)
        (void)printf("%lld events are published again\n", (long long)db_get_i64(query, 0, 0));
    else
        print_parked(query);
    return TOOL_OK;
}
