/*
 * credit_undo: all that an upload posted is taken back. The command marks the upload, so that
 * nothing more of it posts, and does the first slice; each slice sends the message of the next one,
 * by the same partition. A slice takes what stands still, so it is safe to repeat.
 */
#include "credit/credit_command.h"
#include "credit/credit_counter.h"
#include "gen/topics.h"

enum { UNDO_ENTRIES_MAX = 1000 }; /* counter-entries of one slice, all of one chunk */

enum undo_step { UNDO_READ, UNDO_DECIDE };

struct undo {
    struct command command;
    struct uuid upload_id;
    int64_t slice_no; /* 0: the command itself */
    struct str reason;
    struct upload_query query;
    struct db_query *state;   /* no row before the command */
    struct db_query *chunks;  /* the first with something to take back, and one more */
    struct db_query *entries; /* of the first one */
    struct upload upload;
};

static const struct db_stmt select_undo = {
    "credit_select_undo",
    "SELECT operation_id, actor, actor_role, actor_code, reason, slice_no, done_at IS NOT NULL"
    " FROM credit.undo WHERE upload_id = $1",
};

/* Chunks that are not taken back yet and posted something, or let something wait. */
#define UNDO_CHUNKS                                                                                \
    "SELECT c.* FROM credit.upload u JOIN credit.upload_chunk c USING (upload_no)"                 \
    " LEFT JOIN credit.undo x USING (upload_id)"                                                   \
    " WHERE u.upload_id = $1 AND c.chunk_no >= coalesce(x.next_chunk, 0)"                          \
    "  AND (cardinality(c.posted_row) > 0 OR c.reasons @? '$[*] ? (@[0] == \"waiting\")')"         \
    " ORDER BY c.chunk_no"

static const struct db_stmt select_chunks = {
    "credit_select_undo_chunks",
    "SELECT chunk_no, first_row, row_count FROM (" UNDO_CHUNKS " LIMIT 2) AS c ORDER BY chunk_no",
};

/* By the ledger's key, from the chunk's arrays: entries of this upload that stand. */
static const struct db_stmt select_entries = {
    "credit_select_undo_entries",
    "WITH chunk AS (" UNDO_CHUNKS " LIMIT 1)"
    " SELECT " COUNTER_COLUMNS " FROM chunk AS c"
    " CROSS JOIN LATERAL unnest(c.posted_row, c.posted_doctor, c.posted_session)"
    "  AS p (row_no, doctor_id, session_id)"
    " CROSS JOIN LATERAL (SELECT e.* FROM credit.ledger e WHERE e.doctor_id = p.doctor_id"
    "   AND e.session_id = p.session_id AND e.upload_no = c.upload_no AND e.row_no = p.row_no"
    "   AND e.revision % 2 = 0 AND NOT EXISTS (SELECT FROM credit.ledger n"
    "    WHERE n.doctor_id = e.doctor_id AND n.session_id = e.session_id"
    "     AND n.programme = e.programme AND n.revision = e.revision + 1) OFFSET 0) AS l"
    " ORDER BY l.doctor_id, l.session_id, l.programme LIMIT $2",
};

static const struct db_stmt mark_upload = {
    "credit_undo_mark",
    "UPDATE credit.upload SET undo_at = $2, version = version + 1 WHERE upload_id = $1",
};

static const struct db_stmt insert_undo = {
    "credit_insert_undo",
    "INSERT INTO credit.undo (upload_id, operation_id, actor, actor_role, actor_code, reason,"
    "  accepted_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
};

/* A slice out of its turn ends without effect, to be looked at anew. */
static const struct db_stmt update_undo = {
    "credit_update_undo",
    "WITH taken AS (UPDATE credit.undo SET slice_no = slice_no + 1, next_chunk = $3,"
    "  entries = entries + $4, done_at = $5 WHERE upload_id = $1 AND slice_no = $2 RETURNING 1)"
    " SELECT mamis.expect_rows(1, count(*)) FROM taken",
};

static const struct db_stmt end_upload = {
    "credit_undo_end",
    "UPDATE credit.upload SET status = 'undone', version = version + 1, problem = NULL,"
    "  scan_state = NULL, done_at = coalesce(done_at, $2) WHERE upload_id = $1",
};

/*
 * Rows that wait will post nothing any more. Who waits in another upload too, where it was enough
 * that this one posts, waits there now.
 */
static const struct db_stmt end_waiting = {
    "credit_undo_waiting",
    "WITH mine AS (SELECT r.doctor_id, r.session_id, r.row_no, r.credits FROM credit.upload_row r"
    "  WHERE r.upload_no = $1 AND r.row_no BETWEEN $2 AND $3 AND r.outcome = 'waiting'"
    "   AND r.credits IS NOT NULL),"
    " ended AS (UPDATE credit.upload_row r SET credits = NULL, waiting_since = NULL FROM mine m"
    "  WHERE r.upload_no = $1 AND r.row_no = m.row_no),"
    " heir AS (SELECT DISTINCT ON (m.doctor_id, m.session_id) h.upload_no, h.row_no, m.credits"
    "  FROM mine m JOIN credit.upload_row h ON h.doctor_id = m.doctor_id"
    "   AND h.session_id = m.session_id AND h.outcome = 'waiting' AND h.credits IS NULL"
    "  JOIN credit.upload u ON u.upload_no = h.upload_no"
    "  WHERE h.upload_no <> $1 AND NOT u.dry_run AND u.undo_at IS NULL"
    "  ORDER BY m.doctor_id, m.session_id, h.upload_no, h.row_no)"
    " UPDATE credit.upload_row r SET credits = heir.credits FROM heir"
    " WHERE r.upload_no = heir.upload_no AND r.row_no = heir.row_no",
};

/* ---- one slice ---- */

static void read_all(struct undo *undo)
{
    struct db_batch *batch = db_batch_read(undo->command.flow.arena);

    upload_query_add(&undo->query, batch, undo->upload_id);
    undo->state = db_add(batch, &select_undo);
    db_uuid(undo->state, undo->upload_id);
    undo->chunks = db_add(batch, &select_chunks);
    db_uuid(undo->chunks, undo->upload_id);
    undo->entries = db_add(batch, &select_entries);
    db_uuid(undo->entries, undo->upload_id);
    db_i64(undo->entries, UNDO_ENTRIES_MAX);
    db_run(undo->command.credit->db, batch, UPLOAD_READ_DEADLINE_MS, &undo->command.flow);
}

static void send_next(const struct undo *undo)
{
    const struct event_upload_undo_slice next = {.upload_id = undo->upload_id,
                                                 .slice_no = undo->slice_no + 1};
    const struct work_event event = {
        .type = EVENT_UPLOAD_UNDO_SLICE,
        .topic = TOPIC_CREDIT_WORK,
        .key = undo->upload.seminar_no,
        .data = event_upload_undo_slice_encode(&next),
    };

    (void)work_emit(undo->command.credit->work, undo->command.batch->effect, &event,
                    undo->command.flow.trace);
}

static void end_rows(const struct undo *undo)
{
    struct db_query *query = db_add(undo->command.batch->effect, &end_waiting);
    int64_t first = db_get_i64(undo->chunks, 0, 1);

    db_i64(query, undo->upload.no);
    db_i64(query, first);
    db_i64(query, first + db_get_i32(undo->chunks, 0, 2) - 1);
}

static void end(struct undo *undo, int64_t now_us)
{
    struct db_query *query = db_add(undo->command.batch->effect, &end_upload);

    db_uuid(query, undo->upload_id);
    db_time(query, now_us);
    command_answer_upload(&undo->command, undo->upload_id);
}

/* Counter-entries of the chunk in hand; with its last ones the next chunk's turn comes. */
static enum err take_slice(struct undo *undo)
{
    struct command *command = &undo->command;
    const struct emit emit = {.credit = command->credit,
                              .effect = command->batch->effect,
                              .upload = &undo->upload,
                              .trace = command->flow.trace};
    const bool whole = db_rows(undo->entries) < UNDO_ENTRIES_MAX; /* nothing more in this chunk */
    const bool last = whole && db_rows(undo->chunks) < 2;
    const bool some = db_rows(undo->chunks) > 0;
    const struct emit_correction correction = {.id = command->operation_id,
                                               .cause = "undo",
                                               .reason = undo->reason,
                                               .slice_no = undo->slice_no,
                                               .last = last};
    const int64_t now_us = clock_now_us();
    struct counter counter;
    struct db_query *query;
    enum err err;

    TRY(counter_take(&counter, &undo->upload, undo->entries, command->flow.arena,
                     &command->flow.note));
    query = db_add(emit.effect, &update_undo);
    db_uuid(query, undo->upload_id);
    db_i32(query, (int32_t)undo->slice_no);
    db_i32(query, some ? db_get_i32(undo->chunks, 0, 0) + whole : 0);
    db_i64(query, (int64_t)counter.count);
    db_time(query, last ? now_us : INT64_MIN);
    if (some && whole)
        end_rows(undo);
    counter_add(&emit, &counter, &command->actor, &correction, command->flow.arena);
    command->tally.entries = counter.count;
    if (last)
        end(undo, now_us);
    else
        send_next(undo);
cleanup:
    return err;
}

/* ---- the command ---- */

static void take_command(struct undo *undo)
{
    struct command *command = &undo->command;
    struct db_query *query = db_add(command->batch->effect, &mark_upload);
    const int64_t now_us = clock_now_us();
    char id[UUID_TEXT_BYTES];

    db_uuid(query, undo->upload_id);
    db_time(query, now_us);
    query = db_add(command->batch->effect, &insert_undo);
    db_uuid(query, undo->upload_id);
    db_uuid(query, command->operation_id);
    db_uuid(query, command->actor.id);
    db_text(query, command->actor.role);
    db_text(query, command->actor.code);
    db_text(query, undo->reason);
    db_time(query, now_us);
    uuid_format(undo->upload_id, id);
    command_audit(command, "upload_undo", id, STR("{}"));
}

static enum err decide(struct undo *undo)
{
    const struct upload *upload = &undo->upload;
    const char *state = upload->dry_run                       ? "dry_run"
                        : str_eq_c(upload->status, "refused") ? "refused"
                                                              : NULL;

    if (state != NULL) {
        command_refuse(&undo->command, CODE_UPLOAD_STATE, command_param("value", state));
        return ERR_OK;
    }
    if (db_rows(undo->state) > 0) { /* somebody was quicker */
        command_answer_upload(&undo->command, undo->upload_id);
        return ERR_OK;
    }
    take_command(undo);
    return take_slice(undo);
}

/* Who wanted it, as the command left it; false when this slice is not the next one. */
static bool go_on(struct undo *undo)
{
    const struct db_query *state = undo->state;

    if (db_rows(state) == 0 || db_get_bool(state, 0, 6) ||
        db_get_i32(state, 0, 5) != undo->slice_no)
        return false;
    undo->command.operation_id = db_get_uuid(state, 0, 0);
    undo->command.actor = (struct command_actor){
        .id = db_get_uuid(state, 0, 1),
        .role = db_get_text(state, 0, 2),
        .code = db_get_text(state, 0, 3),
    };
    undo->reason = db_get_text(state, 0, 4);
    return true;
}

static void undo_run(struct flow *flow)
{
    struct undo *undo = CONTAINER_OF(COMMAND_OF(flow), struct undo, command);
    enum err err = ERR_OK;

    switch ((enum undo_step)flow->step) {
    case UNDO_READ:
        flow_wait(flow, UNDO_DECIDE);
        read_all(undo);
        return;
    case UNDO_DECIDE:
        TRY(upload_take(&undo->query, undo->upload_id, flow->arena, &undo->upload, &flow->note));
        if (undo->slice_no == 0)
            err = decide(undo);
        else if (go_on(undo))
            err = take_slice(undo);
        break;
    }
cleanup:
    flow_end(flow, err);
}

static struct undo *undo_new(void *service, struct work_batch *batch)
{
    struct undo *undo = arena_new_of(batch->arena, struct undo);

    undo->command.credit = service;
    undo->command.batch = batch;
    return undo;
}

void credit_undo_handle(void *service, struct work_batch *batch)
{
    struct undo *undo = undo_new(service, batch);
    struct event_upload_undo event;
    enum err err;

    TRY(event_upload_undo_decode(batch->arena, batch->messages[0].data, &event,
                                 &batch->flow->note));
    undo->upload_id = event.upload_id;
    undo->reason = event.reason;
    undo->command.operation_id = event.operation_id;
    undo->command.actor = (struct command_actor){event.actor_id, event.role, event.office_code};
    command_start(&undo->command, undo_run);
    return;
cleanup:
    command_bad(batch, err);
}

void credit_undo_slice_handle(void *service, struct work_batch *batch)
{
    struct undo *undo = undo_new(service, batch);
    struct event_upload_undo_slice event;
    enum err err;

    TRY(event_upload_undo_slice_decode(batch->arena, batch->messages[0].data, &event,
                                       &batch->flow->note));
    undo->upload_id = event.upload_id;
    undo->slice_no = event.slice_no;
    command_start(&undo->command, undo_run);
    return;
cleanup:
    command_bad(batch, err);
}

void credit_undo_dead(void *service, struct work_batch *batch, const char *reason)
{
    credit_upload_dead(service, batch, reason);
    credit_command_dead(service, batch, reason);
}
