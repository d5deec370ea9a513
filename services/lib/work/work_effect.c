/*
 * work_effect: the transactions of a turn. The order of statements matters: the compare-and-set
 * comes first, so that whoever lost the partition does nothing at all.
 */
#include <string.h>

#include "work/work_private.h"

static struct db_query *add(struct work_turn *turn, struct db_batch *batch, enum work_sql sql)
{
    return db_add(batch, &turn->part->work->sql[sql]);
}

static void add_partition(const struct work_turn *turn, struct db_query *query)
{
    db_text_c(query, turn->part->topic);
    db_i32(query, turn->part->part);
}

void work_effect_attempt(struct work_turn *turn)
{
    struct work_part *part = turn->part;
    struct db_batch *batch;
    struct uuid *ids = arena_array(turn->flow.arena, struct uuid, turn->picked);
    size_t count = 0;

    for (const struct work_record *record = turn->records; record != NULL; record = record->next)
        ids[count++] = record->message.id;
    if (part->attempted == turn->first) { /* a retry in this process is no death */
        batch = db_batch_read(turn->flow.arena);
        turn->attempts = part->attempts;
    } else {
        turn->attempts = 1 + (part->died_at == turn->first ? part->deaths : 0);
        batch = db_batch_new(turn->flow.arena);
        add(turn, batch, WORK_SQL_CARELESS);
        turn->attempt = add(turn, batch, WORK_SQL_ATTEMPT);
        add_partition(turn, turn->attempt);
        db_i64(turn->attempt, turn->place);
        db_i64(turn->attempt, turn->first);
        db_i32(turn->attempt, turn->attempts);
    }
    turn->known = add(turn, batch, WORK_SQL_KNOWN);
    db_uuid_array(turn->known, ids, count);
    db_run(part->work->db, batch, WORK_READ_DEADLINE_MS, &turn->flow);
}

static bool is_known(const struct work_turn *turn, struct uuid id)
{
    for (size_t row = 0; row < db_rows(turn->known); row++)
        if (uuid_eq(db_get_uuid(turn->known, row, 0), id))
            return true;
    for (size_t i = 0; i < turn->batch.count; i++) /* sent twice, both in hand */
        if (uuid_eq(turn->messages[i].id, id))
            return true;
    return false;
}

void work_effect_sift(struct work_turn *turn)
{
    turn->messages = arena_array(turn->flow.arena, struct work_message, turn->picked);
    turn->batch.count = 0;
    for (const struct work_record *record = turn->records; record != NULL; record = record->next)
        if (!is_known(turn, record->message.id))
            turn->messages[turn->batch.count++] = record->message;
    turn->batch.messages = turn->messages;
}

static void begin(struct work_turn *turn)
{
    struct db_batch *batch = db_batch_new(turn->flow.arena);
    struct db_query *query = add(turn, batch, WORK_SQL_ADVANCE);

    turn->batch.effect = batch;
    db_text_c(query, turn->part->work->service);
    add_partition(turn, query);
    db_i64(query, turn->place);
    db_i64(query, turn->next);
}

void work_effect_begin(struct work_turn *turn)
{
    struct uuid *ids = arena_array(turn->flow.arena, struct uuid, turn->picked);
    struct db_query *query;

    begin(turn);
    if (turn->batch.count == 0)
        return;
    for (size_t i = 0; i < turn->batch.count; i++)
        ids[i] = turn->messages[i].id;
    query = add(turn, turn->batch.effect, WORK_SQL_INBOX);
    db_uuid_array(query, ids, turn->batch.count);
    db_text_c(query, turn->part->topic);
}

/* Keys are ids of ours; what is no text is shown as hexadecimal. */
static struct str key_text(struct arena *arena, struct str key)
{
    json_t *text = NULL;
    char *hex;

    if (key.len == 0)
        return STR("");
    if (memchr(key.data, '\0', key.len) == NULL)
        text = json_stringn(key.data, key.len); /* refuses what is not UTF-8 */
    if (text != NULL) {
        json_decref(text);
        return key;
    }
    hex = arena_alloc(arena, key.len * 2 + 1);
    hex_encode((const uint8_t *)key.data, key.len, hex);
    return str_of(hex);
}

static void add_dead_letter(struct work_turn *turn)
{
    const struct work_record *record = turn->records;
    struct db_query *query = add(turn, turn->batch.effect, WORK_SQL_BURY);

    add_partition(turn, query);
    db_i64(query, record->offset);
    if (record->err == ERR_OK) {
        db_uuid(query, record->message.id);
        db_text_c(query, record->message.type);
    } else {
        db_null(query);
        db_null(query);
    }
    db_text(query, key_text(turn->flow.arena, record->key));
    db_bytes(query, record->value.len > 0 ? record->value : STR(""));
    db_text_c(query, err_name(turn->reason));
    db_text_c(query, turn->detail.text);
}

void work_effect_bury(struct work_turn *turn)
{
    struct work_record *record = turn->records;
    const struct work_route *route =
        record->err == ERR_OK ? work_route_of(turn->part->work, record->message.type) : NULL;

    must(turn->picked == 1);
    begin(turn);
    add_dead_letter(turn);
    turn->route = NULL;
    if (route == NULL || route->dead == NULL || turn->plain) {
        turn->plain = true;
        return;
    }
    turn->batch.messages = &record->message;
    turn->batch.count = 1;
    route->dead(turn->part->work->owner, &turn->batch, err_name(turn->reason));
}

void work_effect_look(struct work_turn *turn)
{
    struct db_batch *batch = db_batch_read(turn->flow.arena);
    const struct work_emitted *emitted = *db_batch_tag(turn->batch.effect);

    turn->look = add(turn, batch, WORK_SQL_LOOK);
    add_partition(turn, turn->look);
    turn->ours = NULL;
    if (emitted != NULL) { /* another worker may have come as far, with events of its own */
        turn->ours = add(turn, batch, WORK_SQL_OURS);
        db_uuid(turn->ours, emitted->id);
    }
    turn->noted = NULL;
    if (turn->overtakes) { /* the place stays */
        turn->noted = add(turn, batch, WORK_SQL_KNOWN);
        db_uuid_array(turn->noted, &turn->records->message.id, 1);
    }
    db_run(turn->part->work->db, batch, WORK_READ_DEADLINE_MS, &turn->flow);
}
