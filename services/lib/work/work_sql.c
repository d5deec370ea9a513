/*
 * work_sql: the statements of lib/work. `@` stands for the service's schema.
 */
#include <string.h>

#include "work/work_private.h"

static const struct {
    const char *name;
    const char *sql;
} texts[WORK_SQL_COUNT] = {
    [WORK_SQL_EMIT] = {"emit", "INSERT INTO @.outbox (event_id, type, topic, key, body)"
                               " VALUES ($1, $2, $3, $4, $5)"},
    [WORK_SQL_EMIT_ALL] = {"emit_all",
                           "INSERT INTO @.outbox (event_id, type, topic, key, body)"
                           " SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[],"
                           " $5::text[])"},
    [WORK_SQL_MARK] = {"mark", "UPDATE @.outbox SET sent_at = clock_timestamp()"
                               " WHERE event_id = ANY ($1) AND sent_at IS NULL"},
    [WORK_SQL_PARK] = {"park", "UPDATE @.outbox SET parked = $2"
                               " WHERE event_id = $1 AND sent_at IS NULL"},
    /*
     * Claimed for a while before they are published: two instances do not send the same rows. By an
     * array, not by a join: a plan made while the table was empty would read it once for each row.
     */
    [WORK_SQL_CLAIM] =
        {"claim",
         "WITH due AS MATERIALIZED (SELECT event_id, octet_length(body) AS size FROM @.outbox"
         " WHERE sent_at IS NULL AND parked IS NULL AND next_try_at < clock_timestamp()"
         " ORDER BY next_try_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED),"
         " fits AS (SELECT event_id, sum(size) OVER (ORDER BY event_id) - size AS ahead FROM due),"
         " claimed AS (UPDATE @.outbox SET next_try_at = clock_timestamp() + interval '15 seconds'"
         " WHERE event_id = ANY (ARRAY(SELECT event_id FROM fits WHERE ahead < $2::bigint))"
         " RETURNING event_id, topic, key, body)"
         " SELECT event_id, topic, key, body FROM claimed ORDER BY event_id"},
    [WORK_SQL_CLEAN_OUTBOX] =
        {"clean_outbox",
         "DELETE FROM @.outbox WHERE event_id = ANY (ARRAY(SELECT event_id FROM @.outbox"
         " WHERE created_at < clock_timestamp() - interval '35 days' AND sent_at IS NOT NULL"
         " ORDER BY created_at LIMIT $1::bigint FOR UPDATE SKIP LOCKED))"},
    [WORK_SQL_CLEAN_INBOX] =
        {"clean_inbox",
         "DELETE FROM @.inbox WHERE event_id = ANY (ARRAY(SELECT event_id FROM @.inbox"
         " WHERE applied_at < clock_timestamp() - interval '70 days'"
         " LIMIT $1::bigint FOR UPDATE SKIP LOCKED))"},
    [WORK_SQL_DEAD] = {"dead", "SELECT count(*) FROM @.dead_letter WHERE retried_at IS NULL"},
    [WORK_SQL_PAUSED] = {"paused", "SELECT topic FROM mamis.pause"},
    /* A new row begins at 0; `fresh` tells it from one that was there. */
    [WORK_SQL_BEGIN] =
        {"begin", "WITH made AS (INSERT INTO @.work_offset (topic, part, next) VALUES ($1, $2, 0)"
                  " ON CONFLICT DO NOTHING RETURNING next)"
                  " SELECT next, attempt_offset, attempts, false AS fresh,"
                  " EXISTS (SELECT FROM mamis.pause WHERE topic = $1) AS paused"
                  " FROM @.work_offset WHERE topic = $1 AND part = $2"
                  " UNION ALL SELECT next, NULL, 0, true,"
                  " EXISTS (SELECT FROM mamis.pause WHERE topic = $1) FROM made"},
    [WORK_SQL_LOOK] = {"look", "SELECT next FROM @.work_offset WHERE topic = $1 AND part = $2"},
    [WORK_SQL_CARELESS] = {"careless", "SELECT set_config('synchronous_commit', 'off', true)"},
    /* An absolute number: when the answer is lost, counting again counts once. */
    [WORK_SQL_ATTEMPT] = {"attempt",
                          "UPDATE @.work_offset SET attempt_offset = $4, attempts = $5"
                          " WHERE topic = $1 AND part = $2 AND next = $3 RETURNING attempts"},
    [WORK_SQL_UNATTEMPT] = {"unattempt",
                            "UPDATE @.work_offset SET attempts = attempts - 1"
                            " WHERE topic = $1 AND part = $2 AND next = $3 AND attempt_offset = $4"
                            " AND attempts > 0"},
    [WORK_SQL_OURS] = {"ours", "SELECT EXISTS (SELECT FROM @.outbox WHERE event_id = $1)"},
    [WORK_SQL_KNOWN] = {"known", "SELECT event_id FROM @.inbox WHERE event_id = ANY ($1)"},
    [WORK_SQL_ADVANCE] = {"advance", "SELECT mamis.advance($1, $2, $3, $4, $5)"},
    [WORK_SQL_INBOX] = {"inbox", "INSERT INTO @.inbox (event_id, topic)"
                                 " SELECT id, $2 FROM unnest($1) AS id"},
    /* An event that lies there already, published again, is not counted twice. */
    [WORK_SQL_BURY] =
        {"bury", "INSERT INTO @.dead_letter (topic, part, \"offset\", event_id, type, key, body,"
                 " body_sha256, reason, detail)"
                 " SELECT $1, $2, $3, $4::uuid, $5::text, $6, $7, sha256($7), $8, $9"
                 " WHERE $4::uuid IS NULL OR NOT EXISTS (SELECT FROM @.dead_letter"
                 " WHERE event_id = $4::uuid AND retried_at IS NULL) ON CONFLICT DO NOTHING"},
    [WORK_SQL_REPLY] =
        {"reply", "INSERT INTO @.operation (operation_id, status, result, problem)"
                  " VALUES ($1, $2, $3::jsonb, $4::jsonb) ON CONFLICT (operation_id) DO NOTHING"},
};

static char *expand(struct arena *arena, const char *text, const char *schema)
{
    struct buf buf = {0};
    char *made;

    for (; *text != '\0'; text++) {
        if (*text == '@')
            buf_add_c(&buf, schema);
        else
            buf_add_char(&buf, *text);
    }
    buf_add_char(&buf, '\0');
    made = arena_strdup(arena, buf.data);
    buf_free(&buf);
    return made;
}

void work_sql_make(struct work *work, const char *schema)
{
    struct arena *arena = db_arena(work->db);
    struct db_stmt *sql = arena_array(arena, struct db_stmt, WORK_SQL_COUNT);

    /* It becomes part of the text, so nothing but a plain name is let in. */
    must(schema[0] != '\0' &&
         strspn(schema, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(schema));
    for (size_t i = 0; i < WORK_SQL_COUNT; i++) {
        sql[i].name = arena_printf(arena, "work_%s_%s", schema, texts[i].name);
        sql[i].sql = expand(arena, texts[i].sql, schema);
    }
    work->sql = sql;
}
