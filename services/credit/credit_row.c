/* credit_row: reading one row and judging it; see credit_row.h. */
#include "credit/credit_row.h"

enum row_step { ROW_LOAD, ROW_BYTES, ROW_READ, ROW_JUDGE };

/* The chunk that the row lies in, what it came to (no outcome: it posted), what was written. */
static const struct db_stmt select_row = {
    "credit_select_row",
    "SELECT c.chunk_no, c.first_row, c.first_line, c.row_count, c.byte_offset, c.byte_length,"
    "  r.outcome, r.doctor_id, r.session_id, r.waiting_since, f.cells"
    " FROM credit.upload u JOIN credit.upload_chunk c ON c.upload_no = u.upload_no"
    "   AND c.first_row <= $2 AND c.first_row + c.row_count > $2"
    " LEFT JOIN credit.upload_row r ON r.upload_no = u.upload_no AND r.row_no = $2"
    " LEFT JOIN credit.row_fix f ON f.upload_no = u.upload_no AND f.row_no = $2"
    " WHERE u.upload_id = $1",
};

/*
 * Rows that are what they are because this one stands: repeats of it in its upload, and rows of
 * other uploads that wait behind it.
 */
static const struct db_stmt select_repeats = {
    "credit_select_repeats",
    "SELECT u.upload_id, r.row_no FROM credit.upload_row r JOIN credit.upload u USING (upload_no)"
    " WHERE r.doctor_id = $1 AND r.session_id = $2 AND u.status = 'done' AND NOT u.dry_run"
    "  AND u.undo_at IS NULL"
    "  AND ((u.upload_no = $3 AND r.same_as_row = $4)"
    "    OR (u.upload_no <> $3 AND r.outcome = 'waiting' AND r.credits IS NULL))"
    " ORDER BY u.upload_no, r.row_no LIMIT 50",
};

static void load(struct row *row)
{
    struct db_batch *batch = db_batch_read(row->flow.arena);

    upload_query_add_without(&row->query, batch, row->upload_id, row->row_no);
    row->found = db_add(batch, &select_row);
    db_uuid(row->found, row->upload_id);
    db_i64(row->found, row->row_no);
    row->doctors = directory_ask(row->credit->directory, batch);
    db_run(row->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &row->flow);
}

static enum row_state state_of(const struct row *row)
{
    const struct str status = row->upload.status;
    const struct str outcome = db_rows(row->found) == 0 ? STR_NONE : db_get_text(row->found, 0, 6);

    if (row->upload.undo || str_eq_c(status, "undone") || str_eq_c(status, "refused"))
        return ROW_UPLOAD_UNDONE;
    if (!str_eq_c(status, "done"))
        return ROW_NOT_YET;
    if (row->upload.dry_run)
        return ROW_ONLY_TRIED;
    if (db_rows(row->found) == 0)
        return ROW_NONE;
    if (outcome.data == NULL || (row->mended && str_eq_c(outcome, "already_posted")))
        return ROW_STANDS;
    /* A message may come late: only what depends on others is judged again without being mended. */
    if (!row->mended && !str_eq_c(outcome, "waiting") && !str_eq_c(outcome, "already_posted"))
        return ROW_STANDS;
    return row->upload.cancelled ? ROW_CANCELLED : ROW_FINE;
}

static void take_chunk(struct row *row)
{
    row->chunk = (struct attendance_chunk){
        .chunk_no = (uint32_t)db_get_i32(row->found, 0, 0),
        .first_row = (uint32_t)db_get_i64(row->found, 0, 1),
        .first_line = (uint32_t)db_get_i64(row->found, 0, 2),
        .rows = (uint32_t)db_get_i32(row->found, 0, 3),
        .offset = (uint64_t)db_get_i64(row->found, 0, 4),
        .length = (uint32_t)db_get_i32(row->found, 0, 5),
    };
}

/* The bytes of its chunk, and who repeats it. */
static void ask_bytes(struct row *row)
{
    struct db_batch *batch = db_batch_read(row->flow.arena);

    take_chunk(row);
    row->bytes =
        upload_bytes_add(batch, row->upload_id, (int64_t)row->chunk.offset, row->chunk.length);
    if (!db_is_null(row->found, 0, 7) && !db_is_null(row->found, 0, 8)) {
        row->repeats = db_add(batch, &select_repeats);
        db_i64(row->repeats, db_get_i64(row->found, 0, 7));
        db_i64(row->repeats, db_get_i64(row->found, 0, 8));
        db_i64(row->repeats, row->upload.no);
        db_i64(row->repeats, row->row_no);
    }
    db_run(row->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &row->flow);
}

/* ---- what was written over it ---- */

static void free_cells(void *object)
{
    json_decref(object);
}

/* What was kept, and over it what is written now. */
static void take_fix(struct row *row, struct attendance_fix *ret_fix)
{
    const struct str kept = db_get_json(row->found, 0, 10);
    const char *name;
    json_t *value;

    row->cells = kept.data == NULL ? NULL : json_loadb(kept.data, kept.len, 0, NULL);
    if (row->cells == NULL)
        row->cells = json_object();
    arena_defer(row->flow.arena, free_cells, row->cells);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        const struct str cell = row->fix.cells[i];

        if (cell.data != NULL)
            must(json_object_set_new(row->cells, column_english((enum column)i),
                                     json_stringn(cell.data, cell.len)) == 0);
    }
    *ret_fix = (struct attendance_fix){0};
    json_object_foreach(row->cells, name, value)(void) attendance_fix_set(
        ret_fix, str_of(name), (struct str){json_string_value(value), json_string_length(value)});
}

/* The one row of the chunk, mended. */
static enum err read_row(struct row *row)
{
    struct attendance_rows *rows = &row->judge.rows;
    struct attendance_fix fix;
    struct str bytes;
    enum err err;

    TRY(upload_bytes_take(row->bytes, row->chunk.length, row->flow.arena, &bytes, &row->flow.note));
    TRY(judge_read(&row->judge, &row->upload, &row->chunk, bytes, row->flow.arena,
                   &row->flow.note));
    rows->list += row->row_no - row->chunk.first_row;
    rows->count = 1;
    take_fix(row, &fix);
    attendance_fix_apply(&fix, &rows->list[0]);
cleanup:
    return err;
}

/* ---- judging ---- */

/* All other rows of the upload stand before it. */
static void ask(struct row *row)
{
    struct db_batch *batch = db_batch_read(row->flow.arena);

    judge_ask(&row->judge, row->credit->directory, batch, &row->upload,
              (struct match_span){.before = UINT32_MAX, .except = row->row_no}, row->flow.arena);
    db_run(row->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &row->flow);
}

static void row_run(struct flow *flow)
{
    struct row *row = FLOW_OF(flow, struct row, flow);
    bool complete = false;
    enum err err = ERR_OK;

    switch ((enum row_step)flow->step) {
    case ROW_LOAD:
        flow_wait(flow, ROW_BYTES);
        load(row);
        return;
    case ROW_BYTES:
        TRY(upload_take(&row->query, row->upload_id, flow->arena, &row->upload, &flow->note));
        row->state = state_of(row);
        if (row->state != ROW_FINE)
            goto cleanup;
        TRY(directory_take(row->credit->directory, row->doctors, &complete, &flow->note));
        if (!complete) {
            flow_wait(flow, ROW_LOAD);
            credit_directory_wait(row->credit, flow);
            return;
        }
        flow_wait(flow, ROW_READ);
        ask_bytes(row);
        return;
    case ROW_READ:
        TRY(read_row(row));
        flow_wait(flow, ROW_JUDGE);
        ask(row);
        return;
    case ROW_JUDGE: /* what is mended after the session has ended is judged by then */
        TRY(judge_decide(&row->judge, row->credit->directory, &row->upload, clock_now_us(),
                         flow->arena, &flow->note));
        break;
    }
cleanup:
    flow_end(flow, err);
}

static void row_done(struct flow *flow)
{
    struct row *row = FLOW_OF(flow, struct row, flow);

    row->waiting->note = flow->note;
    flow_resume(row->waiting, flow->err);
}

void row_judge(struct row *row, const char *trace, struct flow *waiting)
{
    row->waiting = waiting;
    flow_init(&row->flow, row->credit->loop, row_run, row_done, trace);
    flow_start(&row->flow, ROW_LOAD);
}

void row_fini(struct row *row)
{
    flow_fini(&row->flow);
}
