/*
 * gateway_result: result.csv. The file's own bytes again, chunk by chunk, with the cells that were
 * mended since and what became of each row. Memory is one chunk, however large the file is.
 */
#include "attendance/attendance_cells.h"
#include "attendance/attendance_result.h"
#include "attendance/attendance_rows.h"
#include "gateway/gateway_call.h"
#include "gateway/gateway_transcript.h"

void endpoint_get_upload_result(struct flow *flow);

enum { PART_BYTES = 256 * 1024, RESULT_CHUNK_MS = 10000 };

enum {
    PIECE_BYTES = 64 * 1024, /* handed to the connection at a time */
};

enum result_step {
    RESULT_LOOK,
    RESULT_BEGIN,
    RESULT_CHUNK,
    RESULT_LINES,
    RESULT_WRITE,
    RESULT_CUT
};

struct result {
    bool only_fix;
    int64_t upload_no; /* another one once a dry run is posted */
    struct attendance_header header;
    uint32_t more; /* columns which the file lacks and rows were mended in */
    int32_t chunks_total;
    int32_t chunk_no;
    struct arena *arena; /* of one chunk */
    struct db_batch *batch;
    struct db_query *pointer, *parts, *rows, *fixes;
    struct buf lines;
    size_t written; /* of these lines */
};

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
    "  ON p.upload_id = c.upload_id AND p.part_no BETWEEN c.byte_offset / 262144"
    "   AND (c.byte_offset + c.byte_length - 1) / 262144"
    " WHERE c.upload_id = $1 AND c.chunk_no = $2 ORDER BY p.part_no",
};

/* Rows that did not post; one that is not here posted. */
static const struct db_stmt select_rows = {
    "gateway_result_rows",
    "SELECT r.row_no, r.outcome, r.reason, r.problems, coalesce(r.same_as_row, 0), r.waits_until"
    " FROM portal.upload_chunk c JOIN portal.upload_row_other r"
    "  ON r.upload_id = c.upload_id AND r.row_no BETWEEN c.first_row AND c.first_row + c.row_count "
    "- 1"
    " WHERE c.upload_id = $1 AND c.chunk_no = $2 ORDER BY r.row_no",
};

/* What people wrote over rows, whatever became of them. */
static const struct db_stmt select_fixes = {
    "gateway_result_fixes",
    "SELECT f.row_no, f.cells FROM portal.upload_chunk c JOIN portal.upload_fix f"
    "  ON f.upload_id = c.upload_id AND f.row_no BETWEEN c.first_row AND c.first_row + c.row_count "
    "- 1"
    " WHERE c.upload_id = $1 AND c.chunk_no = $2 ORDER BY f.row_no",
};

/* ---- one line ---- */

/* The texts of a row's problems, one after the other. */
static struct str joined(struct arena *arena, const json_t *problems, const char *member)
{
    struct buf text = {0};
    struct str copy;
    const json_t *problem;
    size_t i;

    json_array_foreach(problems, i, problem)
    {
        const char *words = json_string_value(json_object_get(problem, member));

        if (words == NULL || words[0] == '\0')
            continue;
        if (text.len > 0)
            buf_add_char(&text, ' ');
        buf_add_c(&text, words);
    }
    copy = arena_str(arena, buf_str(&text));
    buf_free(&text);
    return copy;
}

/* One text, then the other. */
static struct str both(struct arena *arena, struct str one, struct str other)
{
    if (one.len == 0 || other.len == 0)
        return one.len == 0 ? other : one;
    return str_of(arena_printf(arena, "%.*s %.*s", STR_ARG(one), STR_ARG(other)));
}

static struct str rendered(struct arena *arena, const char *text, const struct code_param *params,
                           size_t count)
{
    struct buf out = {0};
    struct str copy;

    problem_text(&out, text, params, count);
    copy = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return copy;
}

/* The four columns of a row that did not post. */
static void describe(const struct call *call, struct result *result, size_t at,
                     struct str columns[ATTENDANCE_RESULT_COLUMNS])
{
    enum code outcome = code_of_name(db_get_text(result->rows, at, 1));
    enum code reason = code_of_name(db_get_text(result->rows, at, 2));
    struct str kept = db_get_json(result->rows, at, 3);
    const struct code_param params[] = {
        {"value", str_of(arena_printf(result->arena, "%d", db_get_i32(result->rows, at, 4)))},
        {"until",
         db_is_null(result->rows, at, 5)
             ? STR("")
             : transcript_time(result->arena, db_get_time(result->rows, at, 5), call->english)}};
    json_t *problems = json_loadb(kept.data, kept.len, 0, NULL);

    columns[0] = str_of(code_text(outcome, call->english)->title);
    columns[1] = columns[2] = columns[3] = STR("");
    if (reason != CODE_NONE) {
        const struct code_text *text = code_text(reason, call->english);

        columns[1] = str_of(text->title);
        if (json_array_size(problems) > 0) {
            columns[2] = joined(result->arena, problems, call->english ? "detail_en" : "detail");
            columns[3] = joined(result->arena, problems, call->english ? "cure_en" : "cure");
        } else {
            columns[2] = rendered(result->arena, text->detail, params, ARRAY_LEN(params));
            columns[3] = rendered(result->arena, text->cure, params, ARRAY_LEN(params));
        }
    }
    json_decref(problems);
}

static void free_cells(void *object)
{
    json_decref(object);
}

static void take_fix(struct arena *arena, struct str kept, struct attendance_fix *ret_fix)
{
    json_t *cells = json_loadb(kept.data, kept.len, 0, NULL);
    const char *name;
    json_t *value;

    must(cells != NULL);
    arena_defer(arena, free_cells, cells);
    *ret_fix = (struct attendance_fix){0};
    json_object_foreach(cells, name, value)(void) attendance_fix_set(
        ret_fix, str_of(name), (struct str){json_string_value(value), json_string_length(value)});
}

/* Before what is told of the row: what stood in the file, which is kept as it came. */
static void tell_fix(const struct call *call, struct result *result, struct attendance_result *line)
{
    const char *detail = code_text(CODE_CELL_MENDED, call->english)->detail;
    struct buf text = {0};

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        const bool read = !attendance_fix_is_whole(line->row) && line->row->cells[i].data != NULL;
        const struct code_param params[] = {
            {"column", attendance_header_name(&result->header, (enum column)i)},
            {"value", read ? line->row->cells[i] : STR("")},
            {"now", line->fix->cells[i]}};

        if (line->fix->cells[i].data == NULL)
            continue;
        if (text.len > 0)
            buf_add_char(&text, ' ');
        code_render(&text, detail, params, ARRAY_LEN(params));
    }
    line->columns[2] =
        both(result->arena, arena_str(result->arena, buf_str(&text)), line->columns[2]);
    buf_free(&text);
}

/* Behind what is told of the row: its name lost a character before the file came. */
static void tell_lost(const struct call *call, struct result *result,
                      struct attendance_result *line)
{
    const struct code_text *text = code_text(CODE_LOST_CHARACTER, call->english);
    const bool mended = line->fix != NULL && line->fix->cells[COLUMN_NAME].data != NULL;
    const struct code_param params[] = {
        {"column", attendance_header_name(&result->header, COLUMN_NAME)},
        {"value", (mended ? line->fix->cells : line->row->cells)[COLUMN_NAME]}};

    if (!name_is_lost(params[1].value))
        return;
    line->columns[2] = both(result->arena, line->columns[2],
                            rendered(result->arena, text->detail, params, ARRAY_LEN(params)));
    line->columns[3] = both(result->arena, line->columns[3],
                            rendered(result->arena, text->cure, params, ARRAY_LEN(params)));
}

static bool to_fix(struct str outcome)
{
    return str_eq_c(outcome, "rejected") || str_eq_c(outcome, "unmatched");
}

/* False: a row was mended meanwhile in a column that the header line does not have. */
static bool put_rows(const struct call *call, struct result *result,
                     const struct attendance_rows *rows)
{
    size_t other = 0; /* the next row that did not post */
    size_t fixed = 0; /* the next one that was written over */

    for (size_t i = 0; i < rows->count; i++) {
        bool posted = other >= db_rows(result->rows) ||
                      db_get_i32(result->rows, other, 0) != (int32_t)rows->list[i].row_no;
        struct attendance_fix fix;
        struct attendance_result line = {
            .row = &rows->list[i],
            .columns = {str_of(code_text(CODE_POSTED, call->english)->title), STR(""), STR(""),
                        STR("")}};
        bool wanted = !result->only_fix;
        bool absent = false; /* nothing else is told of such a row */

        if (!posted) {
            absent = str_eq_c(db_get_text(result->rows, other, 1), "absent");
            wanted = wanted || to_fix(db_get_text(result->rows, other, 1));
            if (wanted)
                describe(call, result, other, line.columns);
            other++;
        }
        if (fixed < db_rows(result->fixes) &&
            db_get_i32(result->fixes, fixed, 0) == (int32_t)rows->list[i].row_no) {
            take_fix(result->arena, db_get_json(result->fixes, fixed++, 1), &fix);
            if ((attendance_result_more(&result->header, &fix) & ~result->more) != 0)
                return false;
            line.fix = &fix;
            tell_fix(call, result, &line);
        }
        if (wanted && !absent)
            tell_lost(call, result, &line);
        if (wanted)
            attendance_result_line(&result->lines, result->arena, &result->header, result->more,
                                   &line);
    }
    return true;
}

/* ---- one chunk ---- */

static void ask_chunk(struct call *call, struct result *result, struct flow *flow)
{
    struct uuid id = call_id(call, "upload_id");
    const struct db_stmt *const stmts[] = {&select_parts, &select_rows, &select_fixes,
                                           &select_pointer};
    struct db_query **const queries[] = {&result->parts, &result->rows, &result->fixes,
                                         &result->pointer};

    arena_free(result->arena);
    result->arena = arena_new();
    result->batch = db_batch_new(result->arena);
    db_text_c(db_add(result->batch, &set_scope), who_scope(result->arena, &call->who));
    for (size_t i = 0; i < ARRAY_LEN(stmts); i++) {
        *queries[i] = db_add(result->batch, stmts[i]);
        db_uuid(*queries[i], id);
        db_i32(*queries[i], result->chunk_no);
    }
    db_i64(result->pointer, result->upload_no);
    db_run(call->gateway->db, result->batch, RESULT_CHUNK_MS, flow);
}

/* The chunk's bytes out of the parts it lies in. */
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

/* False: the upload is not what it was when this began. */
static bool put_chunk(const struct call *call, struct result *result)
{
    struct attendance_rows rows;
    struct attendance_chunk chunk;

    if (db_rows(result->pointer) == 0)
        return false;
    chunk = (struct attendance_chunk){
        .chunk_no = (uint32_t)result->chunk_no,
        .first_row = (uint32_t)db_get_i64(result->pointer, 0, 0),
        .first_line = (uint32_t)db_get_i64(result->pointer, 0, 1),
        .rows = (uint32_t)db_get_i32(result->pointer, 0, 2),
        .offset = (uint64_t)db_get_i64(result->pointer, 0, 3),
        .length = (uint32_t)db_get_i32(result->pointer, 0, 4),
    };
    attendance_rows_read(result->arena, &result->header, &chunk, chunk_bytes(result, &chunk),
                         &rows);
    return put_rows(call, result, &rows);
}

/* ---- the endpoint ---- */

static void look(struct call *call)
{
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
    take_fix(call->flow.arena, db_get_json(call->query, 0, 8), &mended);
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

    if (piece.len > PIECE_BYTES)
        piece.len = PIECE_BYTES;
    result->written += piece.len;
    http_stream_write(call->request, piece, flow);
}

void endpoint_get_upload_result(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct result *result = call->state;
    enum result_step next;

    switch ((enum result_step)flow->step) {
    case RESULT_LOOK:
        look(call);
        return;
    case RESULT_BEGIN:
        if (!begin(call))
            return;
        flow_on_error(flow, RESULT_CUT);
        flow_wait(flow, RESULT_CHUNK);
        start_stream(call, flow);
        return;
    case RESULT_CHUNK:
        if (result->chunk_no == result->chunks_total) {
            http_stream_end(call->request);
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, RESULT_LINES);
        ask_chunk(call, result, flow);
        return;
    case RESULT_LINES:
        buf_clear(&result->lines);
        result->written = 0;
        next = put_chunk(call, result) ? RESULT_WRITE : RESULT_CUT;
        result->chunk_no++;
        flow_goto(flow, (int)next);
        return;
    case RESULT_WRITE:
        if (result->written == result->lines.len) {
            flow_goto(flow, RESULT_CHUNK);
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
