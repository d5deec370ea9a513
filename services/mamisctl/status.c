/* mamisctl status: offsets, unsent events, dead letters, open uploads, at one look. */
#include <stdio.h>

#include "mamisctl/mamisctl.h"

static const struct db_stmt offsets = {
    "status_offsets",
    "SELECT service, topic, part, next FROM ("
    "SELECT 'registration' AS service, topic, part, next FROM registration.work_offset"
    " UNION ALL SELECT 'credit', topic, part, next FROM credit.work_offset"
    " UNION ALL SELECT 'renewal', topic, part, next FROM renewal.work_offset"
    " UNION ALL SELECT 'notification', topic, part, next FROM notification.work_offset"
    ") AS offsets ORDER BY service, topic, part"};

static const struct db_stmt outboxes = {
    "status_outboxes",
    "SELECT service, count(*), count(*) FILTER (WHERE sent_at IS NULL AND parked IS NULL),"
    " count(*) FILTER (WHERE parked IS NOT NULL) FROM ("
    "SELECT 'gateway' AS service, sent_at, parked FROM gateway.outbox"
    " UNION ALL SELECT 'registration', sent_at, parked FROM registration.outbox"
    " UNION ALL SELECT 'credit', sent_at, parked FROM credit.outbox"
    " UNION ALL SELECT 'renewal', sent_at, parked FROM renewal.outbox"
    " UNION ALL SELECT 'notification', sent_at, parked FROM notification.outbox"
    ") AS events GROUP BY service ORDER BY service"};

static const struct db_stmt dead = {
    "status_dead",
    "SELECT service, count(*) FROM (SELECT 'registration' AS service FROM registration.dead_letter"
    " WHERE retried_at IS NULL"
    " UNION ALL SELECT 'credit' FROM credit.dead_letter WHERE retried_at IS NULL"
    " UNION ALL SELECT 'renewal' FROM renewal.dead_letter WHERE retried_at IS NULL"
    " UNION ALL SELECT 'notification' FROM notification.dead_letter WHERE retried_at IS NULL"
    ") AS letters GROUP BY service ORDER BY service"};

static const struct db_stmt uploads = {
    "status_uploads",
    "SELECT status, count(*), coalesce(sum(waiting), 0)::bigint FROM credit.upload"
    " GROUP BY status ORDER BY status"};

static enum err print_offsets(struct tool *tool, const struct db_query *query,
                              struct err_note *note)
{
    struct bus_admin *admin = NULL;
    enum err err;

    TRY(tool_bus_admin_open(tool, &admin, note));
    (void)printf("service\ttopic\tpart\tnext\tbehind\n");
    for (size_t i = 0; i < db_rows(query); i++) {
        struct str topic = db_get_text(query, i, 1);
        int64_t next = db_get_i64(query, i, 3);
        int64_t low = 0;
        int64_t high = 0;

        TRY(bus_admin_watermarks(admin, arena_printf(tool->arena, "%.*s", STR_ARG(topic)),
                                 db_get_i32(query, i, 2), &low, &high, note));
        (void)printf("%.*s\t%.*s\t%d\t%lld\t%lld\n", STR_ARG(db_get_text(query, i, 0)),
                     STR_ARG(topic), db_get_i32(query, i, 2), (long long)next,
                     (long long)(high - next));
    }
cleanup:
    bus_admin_close(admin);
    return err;
}

static void print_counts(const struct db_query *query, const char *header, int columns)
{
    (void)printf("\n%s\n", header);
    for (size_t i = 0; i < db_rows(query); i++) {
        (void)printf("%.*s", STR_ARG(db_get_text(query, i, 0)));
        for (int column = 1; column < columns; column++)
            (void)printf("\t%lld", (long long)db_get_i64(query, i, column));
        (void)printf("\n");
    }
}

enum tool_exit command_status(struct tool *tool, struct tool_args *args)
{
    struct db_batch *batch = db_batch_new(tool->arena);
    struct db_query *offset_rows = db_add(batch, &offsets);
    struct db_query *outbox_rows = db_add(batch, &outboxes);
    struct db_query *dead_rows = db_add(batch, &dead);
    struct db_query *upload_rows = db_add(batch, &uploads);
    struct err_note note = {0};
    enum err err;

    if (!args_done(args))
        return TOOL_USAGE;
    tool_db_open(tool);
    TRY(tool_run(tool, batch, &note));
    TRY(print_offsets(tool, offset_rows, &note));
    print_counts(outbox_rows, "service\tevents\tunsent\tparked", 4);
    print_counts(dead_rows, "service\tdead letters", 2);
    print_counts(upload_rows, "upload\tcount\twaiting rows", 3);
cleanup:
    return err == ERR_OK ? TOOL_OK : tool_fail("status", err, &note);
}
