/*
 * mamisctl retention: each rule of deploy/rules/retention.json beside what the table holds: its
 * oldest row and how many rows should be gone. Overdue rows that do not become fewer mean that
 * their sweep does not run.
 */
#include <stdio.h>

#include "mamisctl/mamisctl.h"
#include "retention/retention.h"

/* The sweeps come round every minute: a row is overdue when one of them has passed it by. */
enum { SWEEP_S = 120 };

/* Names are those of the file, which holds letters, digits and '_' only. */
static struct db_query *ask(struct tool *tool, struct db_batch *batch,
                            const struct retention_rule *rule, size_t index)
{
    struct db_stmt *stmt = arena_new_of(tool->arena, struct db_stmt);
    int64_t kept_s = (int64_t)rule->days * CLOCK_DAY_S + SWEEP_S;
    struct db_query *query;

    stmt->name = arena_printf(tool->arena, "retention_%zu", index);
    stmt->sql = arena_printf(
        tool->arena, "SELECT min(%s), count(*) FILTER (WHERE %s < %s) FROM %s", rule->since,
        rule->since,
        rule->server_clock ? "clock_timestamp() - $1::bigint * interval '1 second'" : "$1",
        rule->table);
    query = db_add(batch, stmt);
    if (rule->server_clock)
        db_i64(query, kept_s);
    else
        db_time(query, clock_now_us() - kept_s * CLOCK_SECOND_US);
    return query;
}

static void print_rule(const struct retention_rule *rule, const struct db_query *query, bool why)
{
    char oldest[CLOCK_TEXT_BYTES] = "-";
    int64_t overdue = 0;

    if (query != NULL) {
        if (db_get_time(query, 0, 0) != INT64_MIN)
            time_format(db_get_time(query, 0, 0), oldest);
        overdue = db_get_i64(query, 0, 1);
        (void)printf("%s\t%u\t%s\t%s\t%lld", rule->table, rule->days, rule->by, oldest,
                     (long long)overdue);
    } else {
        (void)printf("%s\tfor ever\t-\t-\t-", rule->table);
    }
    if (why)
        (void)printf("\t%s: %s", rule->what, rule->why);
    (void)printf("\n");
}

enum tool_exit command_retention(struct tool *tool, struct tool_args *args)
{
    struct db_batch *batch = db_batch_new(tool->arena);
    struct db_query *queries[RETENTION_RULES_MAX] = {NULL};
    struct retention *rules = NULL;
    struct err_note note = {0};
    bool why = args_flag(args, "--why");
    enum err err;

    if (!args_done(args))
        return TOOL_USAGE;
    TRY(retention_load(tool_data_path(tool, "rules/retention.json"), &rules, &note));
    for (size_t i = 0; i < retention_count(rules); i++) {
        if (retention_at(rules, i)->days != RETENTION_FOR_EVER)
            queries[i] = ask(tool, batch, retention_at(rules, i), i);
    }
    tool_db_open(tool);
    TRY(tool_run(tool, batch, &note));
    (void)printf("table\tdays\tby\toldest\toverdue%s\n", why ? "\twhy" : "");
    for (size_t i = 0; i < retention_count(rules); i++)
        print_rule(retention_at(rules, i), queries[i], why);
cleanup:
    retention_free(rules);
    return err == ERR_OK ? TOOL_OK : tool_fail("retention", err, &note);
}
