/*
 * notification_write: what the mails under way have to write down (that a text may be out, what an
 * attempt came to) is gathered for a moment and written together, one transaction after another: so
 * many mails share what would be two transactions for each.
 */
#include "notification/notification_queue.h"

enum {
    WRITE_GATHER_MS = 15,
    WRITE_DEADLINE_MS = 10000,
};

static const struct db_stmt mark_mails = {
    "notification_mark_mails",
    "UPDATE notification.mail SET handed_over = true"
    " WHERE mail_id = ANY ($1) AND state = 'active' AND sender = $2 RETURNING mail_id",
};

static const struct db_stmt record_mails = {
    "notification_record_mails",
    "UPDATE notification.mail AS m SET state = n.state, ambiguous = n.ambiguous <> 0,"
    "  next_try_at = n.next_try_at, attempts = m.attempts - n.uncounted, last_code = n.code,"
    "  last_text = n.said, sender = NULL, handed_over = false,"
    "  finished_at = CASE WHEN n.state IN ('ready', 'deferred') THEN NULL ELSE $9 END"
    " FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::timestamptz[], $5::smallint[],"
    "             $6::int[], $7::text[])"
    "   AS n (mail_id, state, ambiguous, next_try_at, uncounted, code, said)"
    " WHERE m.mail_id = n.mail_id AND m.state = 'active' AND m.sender = $8",
};

static const struct db_stmt flag_address = {
    "notification_flag_address",
    "INSERT INTO notification.undeliverable (address, since, code, said) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (address) DO UPDATE SET code = excluded.code, said = excluded.said",
};

static const struct db_stmt clear_addresses = {
    "notification_clear_addresses",
    "DELETE FROM notification.undeliverable WHERE address = ANY ($1::text[])",
};

/* ---- one transaction ---- */

static void add_marks(struct queue_writer *writer, struct db_batch *batch, struct uuid sender)
{
    struct uuid *ids = arena_array(writer->flow.arena, struct uuid, QUEUE_MAILS_MAX);
    size_t count = 0;

    for (const struct queue_write *write = writer->taken; write != NULL; write = write->next)
        if (write->marks)
            ids[count++] = write->mail_id;
    writer->marked = NULL;
    if (count == 0)
        return;
    writer->marked = db_add(batch, &mark_mails);
    db_uuid_array(writer->marked, ids, count);
    db_uuid(writer->marked, sender);
}

static void add_records(struct queue_writer *writer, struct db_batch *batch, struct uuid sender,
                        int64_t now_us)
{
    struct arena *arena = writer->flow.arena;
    struct uuid *ids = arena_array(arena, struct uuid, QUEUE_MAILS_MAX);
    struct str *states = arena_array(arena, struct str, QUEUE_MAILS_MAX);
    int16_t *ambiguous = arena_array(arena, int16_t, QUEUE_MAILS_MAX);
    int64_t *next_tries = arena_array(arena, int64_t, QUEUE_MAILS_MAX);
    int16_t *uncounted = arena_array(arena, int16_t, QUEUE_MAILS_MAX);
    int32_t *codes = arena_array(arena, int32_t, QUEUE_MAILS_MAX);
    struct str *said = arena_array(arena, struct str, QUEUE_MAILS_MAX);
    struct db_query *query;
    size_t count = 0;

    for (const struct queue_write *write = writer->taken; write != NULL; write = write->next) {
        if (write->marks)
            continue;
        ids[count] = write->mail_id;
        states[count] = str_of(write->outcome.state);
        ambiguous[count] = write->outcome.ambiguous;
        next_tries[count] = write->outcome.next_try_us;
        uncounted[count] = !write->outcome.counted;
        codes[count] = write->code;
        said[count++] = str_of(write->said);
    }
    if (count == 0)
        return;
    query = db_add(batch, &record_mails);
    db_uuid_array(query, ids, count);
    db_text_array(query, states, count);
    db_i16_array(query, ambiguous, count);
    db_time_array(query, next_tries, count);
    db_i16_array(query, uncounted, count);
    db_i32_array(query, codes, count);
    db_text_array(query, said, count);
    db_uuid(query, sender);
    db_time(query, now_us);
}

static void add_addresses(struct queue_writer *writer, struct db_batch *batch, int64_t now_us)
{
    struct str *fine = arena_array(writer->flow.arena, struct str, QUEUE_MAILS_MAX);
    size_t count = 0;

    for (const struct queue_write *write = writer->taken; write != NULL; write = write->next) {
        struct db_query *query;

        if (write->address == QUEUE_ADDRESS_FINE)
            fine[count++] = str_of(write->to_address);
        if (write->address != QUEUE_ADDRESS_REFUSED)
            continue;
        query = db_add(batch, &flag_address);
        db_text_c(query, write->to_address);
        db_time(query, now_us);
        db_i32(query, write->code);
        db_text_c(query, write->said);
    }
    if (count > 0)
        db_text_array(db_add(batch, &clear_addresses), fine, count);
}

static void write_taken(struct queue_writer *writer)
{
    struct db_batch *batch = db_batch_new(writer->flow.arena);
    const struct uuid sender = writer->queue->instance;
    const int64_t now_us = clock_now_us();

    add_marks(writer, batch, sender);
    add_records(writer, batch, sender, now_us);
    add_addresses(writer, batch, now_us);
    db_run(writer->queue->notification->db, batch, WRITE_DEADLINE_MS, &writer->flow);
}

static bool was_marked(const struct queue_writer *writer, struct uuid mail_id)
{
    for (size_t i = 0; i < db_rows(writer->marked); i++)
        if (uuid_eq(db_get_uuid(writer->marked, i, 0), mail_id))
            return true;
    return false;
}

/* Each mail hears how its transaction ended. */
static void tell_taken(struct queue_writer *writer, enum err err)
{
    while (writer->taken != NULL) {
        struct queue_write *write = writer->taken;

        writer->taken = write->next;
        if (err == ERR_OK && write->marks)
            write->ours = was_marked(writer, write->mail_id);
        flow_resume(write->flow, err);
    }
}

/* ---- one after another ---- */

enum write_step { WRITE_GATHER, WRITE_TAKE, WRITE_TELL };

static void write_run(struct flow *flow)
{
    struct queue_writer *writer = FLOW_OF(flow, struct queue_writer, flow);

    switch ((enum write_step)flow->step) {
    case WRITE_GATHER:
        flow_wait(flow, WRITE_TAKE);
        flow_sleep(flow, writer->queue->closing ? 0 : WRITE_GATHER_MS);
        return;
    case WRITE_TAKE:
        writer->taken = writer->gathered;
        writer->gathered = NULL;
        flow_on_error(flow, WRITE_TELL);
        flow_wait(flow, WRITE_TELL);
        write_taken(writer);
        return;
    case WRITE_TELL:
        tell_taken(writer, flow->err);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void write_done(struct flow *flow);

static void write_begin(struct queue_writer *writer)
{
    writer->running = true;
    flow_init(&writer->flow, writer->queue->notification->loop, write_run, write_done, NULL);
    flow_start(&writer->flow, WRITE_GATHER);
}

static void write_done(struct flow *flow)
{
    struct queue_writer *writer = FLOW_OF(flow, struct queue_writer, flow);

    flow_fini(flow);
    writer->running = false;
    if (writer->gathered != NULL)
        write_begin(writer);
    queue_maybe_stopped(writer->queue);
}

void queue_write_add(struct queue_writer *writer, struct queue_write *write, struct flow *flow)
{
    write->flow = flow;
    write->ours = false;
    write->next = writer->gathered;
    writer->gathered = write;
    if (!writer->running)
        write_begin(writer);
}
