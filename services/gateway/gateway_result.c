/*
 * gateway_result: result.csv. The file's own bytes again, with the cells that were mended since and
 * what became of each row. A piece of a chunk is made when the reader took the one before it, and
 * while it waits nothing else is in memory: a slow reader costs that piece.
 */
#include "gateway/gateway_result.h"

void endpoint_get_upload_result(struct flow *flow);

enum { PART_BYTES = 256 * 1024, RESULT_CHUNK_MS = 10000 };

enum {
    WRITE_BYTES = 256 * 1024, /* handed to the connection at once; one row may have more */
    HELD_BYTES = 256 * 1024,  /* a piece, and a line more */
};

enum result_step { RESULT_LOOK, RESULT_BEGIN, RESULT_NEXT, RESULT_LINES, RESULT_WRITE, RESULT_CUT };

static const struct db_stmt select_upload = {
    "gateway_result_upload",
    "SELECT status, header, encoding, delimiter, coalesce(chunks_total, 0), file_name,"
    " CASE WHEN status = 'done' THEN portal.note_read('{}', upload_no) END, upload_no,"
    " (SELECT coalesce(jsonb_object_agg(m.name, m.text), '{}') FROM ("
    "   SELECT c.name, string_agg(DISTINCT c.value, '') AS text FROM portal.upload_fix f"
    "   CROSS JOIN LATERAL jsonb_each_text(f.cells) AS c (name, value)"
    "   WHERE f.upload_id = $1 GROUP BY c.name) AS m)"
    " FROM portal.upload WHERE upload_id = $1",
};

static const struct db_stmt set_scope = {
    "gateway_result_scope",
    "SELECT set_config('app.scope', $1, true)",
};

/* Asked last: what was read before it is of this upload, and whole. */
static const struct db_stmt select_pointer = {
    "gateway_result_pointer",
    "SELECT c.first_row, c.first_line, c.row_count, c.byte_offset, c.byte_length"
    " FROM portal.upload_chunk c JOIN portal.upload u ON u.upload_id = c.upload_id"
    " WHERE c.upload_id = $1 AND c.chunk_no = $2 AND u.upload_no = $3"
    "  AND u.status IN ('done', 'undone')",
};

static const struct db_stmt select_parts = {
    "gateway_result_parts",
    "SELECT p.part_no, p.bytes FROM portal.upload_chunk c JOIN portal.upload_part p"
    "  ON p.upload_id = c.upload_id AND p.part_no BETWEEN greatest(c.byte_offset, $3) / 262144"
    "   AND (c.byte_offset + c.byte_length - 1) / 262144"
    " WHERE c.upload_id = $1 AND c.chunk_no = $2 ORDER BY p.part_no",
};

/* Rows that did not post; one that is not here posted. */
static const struct db_stmt select_rows = {
    "gateway_result_rows",
    "SELECT r.row_no, r.outcome, r.reason, r.problems, coalesce(r.same_as_row, 0), r.waits_until"
    " FROM portal.upload_chunk c JOIN portal.upload_row_other r"
    "  ON r.upload_id = c.upload_id AND r.row_no BETWEEN greatest(c.first_row, $3)"
    "   AND c.first_row + c.row_count - 1"
    " WHERE c.upload_id = $1 AND c.chunk_no = $2 ORDER BY r.row_no LIMIT $4",
};

/* What people wrote over rows, whatever became of them. */
static const struct db_stmt select_fixes = {
    "gateway_result_fixes",
    "SELECT f.row_no, f.cells FROM portal.upload_chunk c JOIN portal.upload_fix f"
    "  ON f.upload_id = c.upload_id AND f.row_no BETWEEN greatest(c.first_row, $3)"
    "   AND c.first_row + c.row_count - 1"
    " WHERE c.upload_id = $1 AND c.chunk_no = $2 ORDER BY f.row_no LIMIT $4",
};

/* ---- one piece ---- */

static void ask_piece(struct call *call, struct result *result, struct flow *flow)
{
    struct uuid id = call_id(call, "upload_id");
    const struct db_stmt *const stmts[] = {&select_parts, &select_rows, &select_fixes,
                                           &select_pointer};
    struct db_query **const queries[] = {&result->parts, &result->rows, &result->fixes,
                                         &result->pointer};

    result->arena = arena_new();
    result->batch = db_batch_new(result->arena);
    db_text_c(db_add(result->batch, &set_scope), who_scope(result->arena, &call->who));
    for (size_t i = 0; i < ARRAY_LEN(stmts); i++) {
        *queries[i] = db_add(result->batch, stmts[i]);
        db_uuid(*queries[i], id);
        db_i32(*queries[i], result->chunk_no);
    }
    db_i64(result->parts, (int64_t)result->rest.offset);
    db_i64(result->rows, result->rest.first_row);
    db_i64(result->rows, RESULT_TOLD_MAX);
    db_i64(result->fixes, result->rest.first_row);
    db_i64(result->fixes, RESULT_TOLD_MAX);
    db_i64(result->pointer, result->upload_no);
    db_run(call->gateway->db, result->batch, RESULT_CHUNK_MS, flow);
}

/* Its bytes out of the parts it lies in. */
static struct str chunk_bytes(struct result *result, const struct attendance_chunk *chunk)
{
    struct buf joined_parts = {0};
    struct str bytes;
    size_t skip = 0;

    for (size_t i = 0; i < db_rows(result->parts); i++) {
        if (i == 0)
            skip = (size_t)(chunk->offset - (uint64_t)db_get_i32(result->parts, 0, 0) * PART_BYTES);
        buf_add_str(&joined_parts, db_get_bytes(result->parts, i, 1));
    }
    bytes = joined_parts.len < skip + chunk->length
                ? STR("")
                : arena_str(result->arena, (struct str){joined_parts.data + skip, chunk->length});
    buf_free(&joined_parts);
    return bytes;
}

/* Where it goes on, behind `count` rows; without rows when the chunk is at its end. */
static struct attendance_chunk rest_of(const struct attendance_chunk *chunk, struct str bytes,
                                       const struct attendance_rows *rows, size_t count)
{
    const struct attendance_row *next = &rows->list[count];
    size_t skip;

    if (count == rows->count)
        return (struct attendance_chunk){0};
    skip = (size_t)(next->raw.data - bytes.data);
    return (struct attendance_chunk){.chunk_no = chunk->chunk_no,
                                     .first_row = next->row_no,
                                     .first_line = next->line_no,
                                     .rows = (uint32_t)(rows->count - count),
                                     .offset = chunk->offset + skip,
                                     .length = chunk->length - (uint32_t)skip};
}

/* False: the upload is not what it was when this began. */
static bool make_piece(const struct call *call, struct result *result)
{
    struct attendance_rows rows;
    struct attendance_chunk chunk = result->rest;
    struct str bytes;
    size_t count;

    if (db_rows(result->pointer) == 0)
        return false;
    if (chunk.rows == 0)
        chunk = (struct attendance_chunk){
            .chunk_no = (uint32_t)result->chunk_no,
            .first_row = (uint32_t)db_get_i64(result->pointer, 0, 0),
            .first_line = (uint32_t)db_get_i64(result->pointer, 0, 1),
            .rows = (uint32_t)db_get_i32(result->pointer, 0, 2),
            .offset = (uint64_t)db_get_i64(result->pointer, 0, 3),
            .length = (uint32_t)db_get_i32(result->pointer, 0, 4),
        };
    bytes = chunk_bytes(result, &chunk);
    attendance_rows_read(result->arena, &result->header, &chunk, bytes, &rows);
    if (!result_put(call, result, &rows, &count))
        return false;
    result->rest = rest_of(&chunk, bytes, &rows, count);
    if (result->rest.rows == 0)
        result->chunk_no++;
    return true;
}

static enum result_step piece(const struct call *call, struct result *result)
{
    const bool made = make_piece(call, result);

    arena_free(result->arena);
    result->arena = NULL;
    result->written = 0;
    return made ? RESULT_WRITE : RESULT_CUT;
}

/* ---- the endpoint ---- */

static void look(struct call *call)
{
    if (!call_hold(call, HELD_BYTES))
        return;
    (void)call_scoped(call);
    call->query = db_add(call->batch, &select_upload);
    db_uuid(call->query, call_id(call, "upload_id"));
    call_run(call, RESULT_BEGIN);
}

static void release(void *object)
{
    struct result *result = object;

    arena_free(result->arena);
    buf_free(&result->lines);
}

/* False when it was answered: there is no such upload, or it is not done. */
static bool begin(struct call *call)
{
    struct result *result = arena_new_of(call->flow.arena, struct result);
    struct attendance_fix mended;
    struct str delimiter;
    bool cp932;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return false;
    }
    if (!str_eq_c(db_get_text(call->query, 0, 0), "done")) {
        call_problem(call, CODE_STATE_CONFLICT);
        return false;
    }
    arena_defer(call->flow.arena, release, result);
    call->state = result;
    cp932 = str_eq_c(db_get_text(call->query, 0, 2), "cp932");
    delimiter = db_get_text(call->query, 0, 3);
    attendance_header_read(call->flow.arena, db_get_bytes(call->query, 0, 1),
                           cp932 ? ENCODING_CP932 : ENCODING_UTF8,
                           delimiter.len > 0 ? delimiter.data[0] : ',', &result->header);
    result_fix(call->flow.arena, db_get_json(call->query, 0, 8), &mended);
    result->more = attendance_result_more(&result->header, &mended);
    result->chunks_total = db_get_i32(call->query, 0, 4);
    result->upload_no = db_get_i64(call->query, 0, 7);
    result->only_fix = call_text(call, "only").data != NULL;
    return true;
}

static void start_stream(struct call *call, struct flow *flow)
{
    struct result *result = call->state;
    struct buf head = {0};

    http_set_header(call->request, "Content-Disposition", "attachment; filename=\"result.csv\"");
    guard_headers(call->request);
    http_stream_begin(call->request, 200, "text/csv; charset=utf-8");
    call->answered = true;
    attendance_result_head(&head, flow->arena, &result->header, result->more);
    http_stream_write(call->request, buf_str(&head), flow);
    buf_free(&head);
}

static void write_piece(struct call *call, struct result *result, struct flow *flow)
{
    struct str piece = {result->lines.data + result->written, result->lines.len - result->written};

    if (piece.len > WRITE_BYTES)
        piece.len = WRITE_BYTES;
    result->written += piece.len;
    http_stream_write(call->request, piece, flow);
    if (result->written < result->lines.len)
        return;
    buf_free(&result->lines);
    result->written = 0;
}

void endpoint_get_upload_result(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct result *result = call->state;

    switch ((enum result_step)flow->step) {
    case RESULT_LOOK:
        look(call);
        return;
    case RESULT_BEGIN:
        if (!begin(call))
            return;
        flow_on_error(flow, RESULT_CUT);
        flow_wait(flow, RESULT_NEXT);
        start_stream(call, flow);
        return;
    case RESULT_NEXT:
        if (result->chunk_no == result->chunks_total) {
            http_stream_end(call->request);
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, RESULT_LINES);
        ask_piece(call, result, flow);
        return;
    case RESULT_LINES:
        flow_goto(flow, (int)piece(call, result));
        return;
    case RESULT_WRITE:
        if (result->written == result->lines.len) {
            flow_goto(flow, RESULT_NEXT);
            return;
        }
        flow_wait(flow, RESULT_WRITE);
        write_piece(call, result, flow);
        return;
    case RESULT_CUT: /* a short file must not look like a whole one */
        http_stream_abort(call->request);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}
