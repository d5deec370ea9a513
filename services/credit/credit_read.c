/*
 * credit_read: the reading step. Steps of 4 MiB go over the whole file before anything posts: they
 * find encoding, header, refusals, and where the chunks lie. The last step starts the posting.
 */
#include <string.h>

#include "attendance/attendance_header.h"
#include "attendance/attendance_scan.h"
#include "credit/credit_upload.h"
#include "gen/topics.h"

enum {
    READ_STEP_BYTES = 4 * 1024 * 1024,
    READ_PIECE_BYTES = 1024 * 1024, /* in memory at a time */
    READ_FIRST_CHUNKS = 2,          /* on their way at once; posting chunk k sends k + 2 */
};

enum read_step { READ_LOAD, READ_BEGIN, READ_PIECE, READ_SCAN, READ_HEADER, READ_FINISH };

struct read {
    struct flow flow;
    struct credit *credit;
    struct work_batch *batch;
    struct event_upload_read event;
    struct upload_query query;
    struct upload upload;
    struct attendance_scan *scan;
    enum attendance_scan_status status;
    struct db_query *bytes;
    struct db_query *pointers; /* of the first chunks, where an earlier step found them */
    int64_t at;                /* next byte to scan */
    int64_t step_end;          /* where this step ends */
    int64_t piece;             /* bytes asked for */
    struct buf chunks;         /* struct attendance_chunk, found in this step */
};

static const struct db_stmt insert_chunks = {
    "credit_insert_chunks",
    "INSERT INTO credit.upload_chunk (upload_no, chunk_no, first_row, first_line, row_count, "
    "byte_offset, byte_length)"
    " SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::int[], $6::bigint[], "
    "$7::int[])",
};

static const struct db_stmt update_reading = {
    "credit_update_reading",
    "UPDATE credit.upload SET status = 'reading', version = version + 1, scan_state = $2"
    " WHERE upload_id = $1",
};

static const struct db_stmt update_read = {
    "credit_update_read",
    "UPDATE credit.upload SET status = $2, version = version + 1, scan_state = NULL, encoding = $3,"
    "  delimiter = $4, ignored_columns = $5, header = $6, rows_total = $7, chunks_total = $8,"
    "  done_at = $9 WHERE upload_id = $1",
};

static const struct db_stmt update_refused = {
    "credit_update_refused",
    "UPDATE credit.upload SET status = 'refused', version = version + 1, scan_state = NULL, "
    "problem = $2,"
    "  rows_total = 0, chunks_total = 0, done_at = $3 WHERE upload_id = $1",
};

/* ---- what a step leaves behind ---- */

static void keep_chunk(void *arg, const struct attendance_chunk *chunk)
{
    struct read *read = arg;

    buf_add(&read->chunks, chunk, sizeof(*chunk));
}

static void add_chunks(struct read *read)
{
    size_t count = read->chunks.len / sizeof(struct attendance_chunk);
    struct arena *arena = read->flow.arena;
    int32_t *no = arena_array(arena, int32_t, count);
    int64_t *row = arena_array(arena, int64_t, count);
    int64_t *line = arena_array(arena, int64_t, count);
    int32_t *rows = arena_array(arena, int32_t, count);
    int64_t *offset = arena_array(arena, int64_t, count);
    int32_t *length = arena_array(arena, int32_t, count);
    struct db_query *query;

    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        struct attendance_chunk chunk;

        memcpy(&chunk, read->chunks.data + i * sizeof(chunk), sizeof(chunk));
        no[i] = (int32_t)chunk.chunk_no;
        row[i] = chunk.first_row;
        line[i] = chunk.first_line;
        rows[i] = (int32_t)chunk.rows;
        offset[i] = (int64_t)chunk.offset;
        length[i] = (int32_t)chunk.length;
    }
    query = db_add(read->batch->effect, &insert_chunks);
    db_i64(query, read->upload.no);
    db_i32_array(query, no, count);
    db_i64_array(query, row, count);
    db_i64_array(query, line, count);
    db_i32_array(query, rows, count);
    db_i64_array(query, offset, count);
    db_i32_array(query, length, count);
}

static void emit_next_step(struct read *read)
{
    const struct event_upload_read next = {.upload_id = read->upload.id,
                                           .step = read->event.step + 1};
    const struct work_event event = {
        .type = EVENT_UPLOAD_READ,
        .topic = TOPIC_CREDIT_WORK,
        .key = read->upload.seminar_no,
        .data = event_upload_read_encode(&next),
    };
    struct db_query *query = db_add(read->batch->effect, &update_reading);

    db_uuid(query, read->upload.id);
    db_bytes(query, attendance_scan_save(read->scan));
    (void)work_emit(read->credit->work, read->batch->effect, &event, read->flow.trace);
}

/* ---- the end of the file ---- */

static json_t *refusal_json(const struct attendance_refusal *refusal)
{
    json_t *problem = json_object();

    for (int english = 0; english <= 1; english++) {
        const struct code_text *text = code_text(refusal->code, english != 0);
        struct attendance_params params;
        struct buf detail = {0};

        attendance_refusal_params(refusal, english != 0, &params);
        code_render(&detail, text->detail, params.list, params.count);
        if (text->cure[0] != '\0') {
            buf_add_c(&detail, english != 0 ? " " : "");
            code_render(&detail, text->cure, params.list, params.count);
        }
        (void)json_object_set_new(problem, english != 0 ? "title_en" : "title",
                                  json_string(text->title));
        (void)json_object_set_new(problem, english != 0 ? "detail_en" : "detail",
                                  json_stringn(detail.data, detail.len));
        buf_free(&detail);
    }
    (void)json_object_set_new(problem, "type", json_string("about:blank"));
    (void)json_object_set_new(problem, "status",
                              json_integer((json_int_t)code_status(refusal->code)));
    (void)json_object_set_new(problem, "code", json_string(code_name(refusal->code)));
    if (refusal->line > 0)
        (void)json_object_set_new(problem, "line", json_integer(refusal->line));
    return problem;
}

static void refuse(struct read *read, const struct attendance_refusal *refusal)
{
    json_t *problem = refusal_json(refusal);
    char *text = json_dumps(problem, JSON_COMPACT);
    struct db_query *query = db_add(read->batch->effect, &update_refused);

    must(text != NULL);
    db_uuid(query, read->upload.id);
    db_json(query, str_of(text));
    db_time(query, clock_now_us());
    free(text);
    json_decref(problem);
    upload_done_emit(read->credit, read->batch->effect, &read->upload, "refused", NULL, 0,
                     code_name(refusal->code), read->flow.trace);
}

static struct str ignored_json(struct read *read, const struct attendance_header *header)
{
    json_t *list = json_array();
    char *text;
    struct str copy;

    for (size_t i = 0; i < header->ignored_count; i++)
        (void)json_array_append_new(list,
                                    json_stringn(header->ignored[i].data, header->ignored[i].len));
    text = json_dumps(list, JSON_COMPACT);
    must(text != NULL);
    copy = arena_str(read->flow.arena, str_of(text));
    free(text);
    json_decref(list);
    return copy;
}

/* A chunk's pointer: found in this step, or in an earlier one. */
static bool find_chunk(const struct read *read, uint32_t no, struct attendance_chunk *ret_chunk)
{
    for (size_t at = 0; at < read->chunks.len; at += sizeof(*ret_chunk)) {
        memcpy(ret_chunk, read->chunks.data + at, sizeof(*ret_chunk));
        if (ret_chunk->chunk_no == no)
            return true;
    }
    return upload_chunk_take(read->pointers, no, ret_chunk);
}

/* The first chunks are on their way with the same commit that says `posting`. */
static void emit_first_chunks(struct read *read)
{
    for (uint32_t no = 0; no < READ_FIRST_CHUNKS && no < read->scan->chunks_total; no++) {
        struct attendance_chunk chunk;

        must(find_chunk(read, no, &chunk));
        upload_chunk_emit(read->credit, read->batch->effect, &read->upload, &chunk,
                          read->flow.trace);
    }
}

static void finish(struct read *read, struct str raw_header)
{
    const struct attendance_scan *scan = read->scan;
    bool empty = scan->rows_total == 0;
    struct attendance_header header;
    struct db_query *query;

    attendance_header_read(read->flow.arena, raw_header, scan->encoding, scan->delimiter, &header);
    add_chunks(read);
    query = db_add(read->batch->effect, &update_read);
    db_uuid(query, read->upload.id);
    db_text_c(query, empty ? "done" : "posting");
    db_text_c(query, encoding_name(scan->encoding));
    db_text(query, (struct str){&scan->delimiter, 1});
    db_json(query, ignored_json(read, &header));
    db_bytes(query, raw_header);
    db_i64(query, scan->rows_total);
    db_i32(query, (int32_t)scan->chunks_total);
    db_time(query, empty ? clock_now_us() : INT64_MIN);
    if (empty)
        upload_done_emit(read->credit, read->batch->effect, &read->upload, "done", NULL, 0, NULL,
                         read->flow.trace);
    else
        emit_first_chunks(read);
}

/* ---- the flow ---- */

/* True when there is something to scan in this step. */
static enum err begin(struct read *read, bool *ret_go)
{
    const struct attendance_scan_options options = {
        .chunk_rows_max = ATTENDANCE_CHUNK_ROWS_MAX,
        .chunk_bytes_max = ATTENDANCE_CHUNK_BYTES_MAX,
        .several_sessions = read->upload.seminar.count > 1,
    };
    const struct attendance_refusal cancelled = {.code = CODE_SEMINAR_CANCELLED};

    *ret_go = false;
    if (!str_eq_c(read->upload.status, "received") && !str_eq_c(read->upload.status, "reading"))
        return ERR_OK; /* read already: nothing to do */
    if (read->upload.cancelled) {
        refuse(read, &cancelled);
        return ERR_OK;
    }
    read->at = read->event.step * READ_STEP_BYTES;
    if (read->at > read->upload.bytes)
        return err_say(&read->flow.note, ERR_SCHEMA, "step %lld lies behind the file's end",
                       (long long)read->event.step);
    read->step_end = read->at + READ_STEP_BYTES;
    if (read->step_end > read->upload.bytes)
        read->step_end = read->upload.bytes;
    read->scan = heap_zero(sizeof(*read->scan));
    if (read->event.step == 0)
        attendance_scan_init(read->scan, &options);
    else if (!attendance_scan_load(read->scan, read->upload.scan_state))
        return err_say(&read->flow.note, ERR_SCHEMA, "the state of reading is another build's");
    *ret_go = true;
    return ERR_OK;
}

static void ask_piece(struct read *read)
{
    struct db_batch *batch = db_batch_read(read->flow.arena);

    read->piece = read->step_end - read->at;
    if (read->piece > READ_PIECE_BYTES)
        read->piece = READ_PIECE_BYTES;
    read->bytes = upload_bytes_add(batch, read->upload.id, read->at, read->piece);
    db_run(read->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &read->flow);
}

/* The file, or its next 4 MiB, has been seen: note what it is, or go on with the next step. */
static void end_of_step(struct read *read)
{
    if (read->status == SCAN_MORE && read->at == read->upload.bytes)
        read->status = attendance_scan_end(read->scan, keep_chunk, read);
    switch (read->status) {
    case SCAN_MORE:
        add_chunks(read);
        emit_next_step(read);
        flow_end(&read->flow, ERR_OK);
        return;
    case SCAN_REFUSED:
        refuse(read, &read->scan->refusal);
        flow_end(&read->flow, ERR_OK);
        return;
    case SCAN_DONE:
        flow_goto(&read->flow, READ_HEADER);
        return;
    }
    must(false);
}

static void ask_header(struct read *read)
{
    struct db_batch *batch = db_batch_read(read->flow.arena);

    read->bytes = upload_bytes_add(batch, read->upload.id, (int64_t)read->scan->header_offset,
                                   read->scan->header_len);
    read->pointers = upload_chunks_add(batch, read->upload.id, 0, 1);
    db_run(read->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &read->flow);
}

static void read_run(struct flow *flow)
{
    struct read *read = FLOW_OF(flow, struct read, flow);
    struct db_batch *batch;
    struct str slice;
    enum err err;
    bool go;

    switch ((enum read_step)flow->step) {
    case READ_LOAD:
        batch = db_batch_read(flow->arena);
        upload_query_add(&read->query, batch, read->event.upload_id);
        flow_wait(flow, READ_BEGIN);
        db_run(read->credit->db, batch, UPLOAD_READ_DEADLINE_MS, flow);
        return;
    case READ_BEGIN:
        read->upload.id = read->event.upload_id;
        err = upload_take(&read->query, &read->upload, flow->arena, &flow->note);
        go = false;
        if (err == ERR_OK)
            err = begin(read, &go);
        if (err != ERR_OK || !go)
            flow_end(flow, err);
        else
            flow_goto(flow, READ_PIECE);
        return;
    case READ_PIECE:
        if (read->at == read->step_end) {
            end_of_step(read);
            return;
        }
        flow_wait(flow, READ_SCAN);
        ask_piece(read);
        return;
    case READ_SCAN:
        err =
            upload_bytes_take(read->bytes, read->at, read->piece, flow->arena, &slice, &flow->note);
        if (err != ERR_OK) {
            flow_end(flow, err);
            return;
        }
        read->status = attendance_scan_feed(read->scan, slice, keep_chunk, read);
        read->at = read->status == SCAN_REFUSED ? read->step_end : read->at + read->piece;
        flow_goto(flow, READ_PIECE);
        return;
    case READ_HEADER:
        flow_wait(flow, READ_FINISH);
        ask_header(read);
        return;
    case READ_FINISH:
        err = upload_bytes_take(read->bytes, (int64_t)read->scan->header_offset,
                                read->scan->header_len, flow->arena, &slice, &flow->note);
        if (err == ERR_OK)
            finish(read, slice);
        flow_end(flow, err);
        return;
    }
    must(false);
}

static void read_done(struct flow *flow)
{
    struct read *read = FLOW_OF(flow, struct read, flow);
    struct flow *waiting = read->batch->flow;
    enum err err = flow->err;

    waiting->note = flow->note;
    free(read->scan);
    buf_free(&read->chunks);
    flow_fini(flow);
    free(read);
    flow_resume(waiting, err);
}

void credit_read_handle(void *service, struct work_batch *batch)
{
    struct read *read = heap_zero(sizeof(*read));
    enum err err;

    flow_init(&read->flow, ((struct credit *)service)->loop, read_run, read_done,
              batch->messages[0].trace);
    read->credit = service;
    read->batch = batch;
    err = event_upload_read_decode(batch->arena, batch->messages[0].data, &read->event,
                                   &read->flow.note);
    if (err == ERR_OK) {
        flow_start(&read->flow, READ_LOAD);
        return;
    }
    read->flow.err = err;
    read_done(&read->flow);
}
