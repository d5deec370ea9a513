/*
 * credit_move: credits.move, the message that what stands of a merged doctor in an upload be moved
 * to the one who is kept: a counter-entry for the one, and an entry for the other unless the same
 * programme of that session stands for him. It takes what stands still, so it is safe to repeat.
 */
#include "credit/credit_command.h"
#include "credit/credit_counter.h"
#include "credit/credit_merge.h"
#include "gen/topics.h"

enum { MOVE_ENTRIES_MAX = 500 }; /* in one transaction */

enum move_step { MOVE_READ, MOVE_RECORD };

struct move {
    struct command command;
    struct event_credits_move event;
    struct upload_query query;
    struct db_query *merge, *entries;
    struct upload upload;
};

static const struct db_stmt select_merge = {
    "credit_select_merge",
    "SELECT kept_id, merge_id, actor, actor_role, reason FROM credit.merge WHERE closed_id = $1",
};

/* What stands, and the highest revision of the same for the one who is kept; NULL: none. */
static const struct db_stmt select_entries = {
    "credit_select_move_entries",
    "SELECT " COUNTER_COLUMNS ","
    "  (SELECT max(k.revision) FROM credit.ledger k WHERE k.doctor_id = m.kept_id"
    "   AND k.session_id = l.session_id AND k.programme = l.programme)"
    " FROM credit.upload u JOIN credit.merge m ON m.closed_id = $1"
    " CROSS JOIN LATERAL (SELECT e.* FROM credit.ledger e WHERE e.doctor_id = m.closed_id"
    "   AND e.upload_no = u.upload_no AND e.revision % 2 = 0"
    "   AND NOT EXISTS (SELECT FROM credit.ledger n WHERE n.doctor_id = e.doctor_id"
    "    AND n.session_id = e.session_id AND n.programme = e.programme"
    "    AND n.revision = e.revision + 1) OFFSET 0) AS l"
    " WHERE u.upload_id = $2 ORDER BY l.session_id, l.programme LIMIT $3",
};

/* Those rows lead to the one who is kept: to be shown, and to be taken back by an undo. */
static const struct db_stmt update_chunks = {
    "credit_move_chunks",
    "UPDATE credit.upload_chunk c SET posted_doctor = (SELECT array_agg(CASE"
    "   WHEN p.doctor_id = $2 AND p.row_no = ANY ($4::int[]) THEN $3 ELSE p.doctor_id END"
    "   ORDER BY p.place) FROM unnest(c.posted_row, c.posted_doctor) WITH ORDINALITY"
    "   AS p (row_no, doctor_id, place))"
    " WHERE c.upload_no = $1 AND EXISTS (SELECT FROM unnest($4::int[]) AS r (row_no)"
    "  WHERE r.row_no >= c.first_row AND r.row_no < c.first_row + c.row_count)",
};

static const struct db_stmt touch_upload = {
    "credit_move_touch",
    "UPDATE credit.upload SET version = version + 1 WHERE upload_no = $1",
};

static void read_all(struct move *move)
{
    struct db_batch *batch = db_batch_read(move->command.flow.arena);

    upload_query_add(&move->query, batch, move->event.upload_id);
    move->merge = db_add(batch, &select_merge);
    db_i64(move->merge, move->event.closed_id);
    move->entries = db_add(batch, &select_entries);
    db_i64(move->entries, move->event.closed_id);
    db_uuid(move->entries, move->event.upload_id);
    db_i64(move->entries, MOVE_ENTRIES_MAX);
    db_run(move->command.credit->db, batch, UPLOAD_READ_DEADLINE_MS, &move->command.flow);
}

static void copy_entry(const struct counter *from, size_t at, struct counter *to, int64_t doctor,
                       int16_t revision)
{
    const size_t place = to->count++;

    to->doctor[place] = doctor;
    to->session_id[place] = from->session_id[at];
    to->place[place] = from->place[at];
    to->row_no[place] = from->row_no[at];
    to->held_on[place] = from->held_on[at];
    to->half_units[place] =
        revision % 2 == 0 ? from->half_units[at] : (int16_t)-from->half_units[at];
    to->revision[place] = revision;
    to->programme[place] = from->programme[at];
    to->kind[place] = from->kind[at];
}

/* By doctor, as those who hear of it go through them. */
static void plan(const struct move *move, const struct counter *standing, struct counter *entries)
{
    const int64_t kept = db_get_i64(move->merge, 0, 0);

    counter_init(entries, move->command.flow.arena, standing->count * 2);
    for (size_t i = 0; i < standing->count; i++)
        copy_entry(standing, i, entries, standing->doctor[i], (int16_t)(standing->revision[i] + 1));
    for (size_t i = 0; i < standing->count; i++) {
        const int16_t highest =
            db_is_null(move->entries, i, 8) ? -1 : db_get_i16(move->entries, i, 8);

        if (highest % 2 != 0) /* none, or the last one was taken back */
            copy_entry(standing, i, entries, kept, (int16_t)(highest + 1));
    }
}

static void move_rows(const struct move *move, const struct counter *entries, size_t first)
{
    struct db_query *query = db_add(move->command.batch->effect, &update_chunks);

    db_i64(query, move->upload.no);
    db_i64(query, move->event.closed_id);
    db_i64(query, db_get_i64(move->merge, 0, 0));
    db_i32_array(query, entries->row_no + first, entries->count - first);
}

static enum err record(struct move *move)
{
    struct command *command = &move->command;
    const struct emit emit = {.credit = command->credit,
                              .effect = command->batch->effect,
                              .upload = &move->upload,
                              .trace = command->flow.trace};
    const struct emit_correction correction = {.id = db_get_uuid(move->merge, 0, 1),
                                               .cause = "merge",
                                               .reason = db_get_text(move->merge, 0, 4),
                                               .last = true};
    struct counter standing, entries;
    char id[UUID_TEXT_BYTES];
    enum err err;

    command->actor = (struct command_actor){.id = db_get_uuid(move->merge, 0, 2),
                                            .role = db_get_text(move->merge, 0, 3),
                                            .code = STR("")};
    TRY(counter_take(&standing, &move->upload, move->entries, command->flow.arena,
                     &command->flow.note));
    plan(move, &standing, &entries);
    counter_write(&emit, &entries, &command->actor, &correction, command->flow.arena);
    if (entries.count > standing.count)
        move_rows(move, &entries, standing.count);
    db_i64(db_add(emit.effect, &touch_upload), move->upload.no);
    uuid_format(move->upload.id, id);
    command_audit(command, "credits_move", id,
                  str_of(arena_printf(command->flow.arena, "{\"closed\":%lld,\"kept\":%lld}",
                                      (long long)move->event.closed_id,
                                      (long long)db_get_i64(move->merge, 0, 0))));
    command->tally.entries = entries.count;
    if (standing.count == MOVE_ENTRIES_MAX)
        merge_emit_move(command->credit, emit.effect, &move->event, move->upload.seminar_no,
                        command->flow.trace);
cleanup:
    return err;
}

static void move_run(struct flow *flow)
{
    struct move *move = CONTAINER_OF(COMMAND_OF(flow), struct move, command);
    enum err err = ERR_OK;

    switch ((enum move_step)flow->step) {
    case MOVE_READ:
        flow_wait(flow, MOVE_RECORD);
        read_all(move);
        return;
    case MOVE_RECORD:
        TRY(upload_take(&move->query, move->event.upload_id, flow->arena, &move->upload,
                        &flow->note));
        if (db_rows(move->merge) > 0 && db_rows(move->entries) > 0)
            err = record(move);
        break;
    }
cleanup:
    flow_end(flow, err);
}

void credit_move_handle(void *service, struct work_batch *batch)
{
    struct move *move = arena_new_of(batch->arena, struct move);
    enum err err;

    TRY(event_credits_move_decode(batch->arena, batch->messages[0].data, &move->event,
                                  &batch->flow->note));
    move->command.credit = service;
    move->command.batch = batch;
    command_start(&move->command, move_run);
    return;
cleanup:
    command_bad(batch, err);
}
