/*
 * credit_read_record: what a reading step leaves behind, all in the one transaction of its message.
 */
#include <stdlib.h>
#include <string.h>

#include "attendance/attendance_header.h"
#include "credit/credit_problems.h"
#include "credit/credit_read.h"

static const struct db_stmt insert_chunks = {
    "credit_insert_chunks",
    "INSERT INTO credit.upload_chunk (upload_no, chunk_no, first_row, first_line, row_count,"
    "                                 byte_offset, byte_length)"
    " SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::int[], $6::bigint[],"
    "                          $7::int[])",
};

static const struct db_stmt delete_chunks = {
    "credit_delete_chunks",
    "DELETE FROM credit.upload_chunk WHERE upload_no = $1",
};

static const struct db_stmt update_reading = {
    "credit_update_reading",
    "UPDATE credit.upload SET status = 'reading', version = version + 1, scan_state = $2"
    " WHERE upload_id = $1",
};

static const struct db_stmt update_anew = {
    "credit_update_anew",
    "UPDATE credit.upload SET status = 'received', version = version + 1, scan_state = NULL"
    " WHERE upload_id = $1",
};

static const struct db_stmt update_read = {
    "credit_update_read",
    "UPDATE credit.upload SET status = $2, version = version + 1, scan_state = NULL,"
    "  problem = NULL, encoding = $3, delimiter = $4, ignored_columns = $5, header = $6,"
    "  rows_total = $7, chunks_total = $8, done_at = $9 WHERE upload_id = $1",
};

static const struct db_stmt update_refused = {
    "credit_update_refused",
    "UPDATE credit.upload SET status = 'refused', version = version + 1, scan_state = NULL,"
    "  problem = $2, rows_total = 0, chunks_total = 0, done_at = $3 WHERE upload_id = $1",
};

/* ---- between two steps ---- */

static struct str state_save(const struct read *read)
{
    const struct read_place place = {.step = read->event.step + 1};
    const struct str state = attendance_scan_save(read->scan);
    char *kept = arena_alloc(read->flow.arena, sizeof(place) + state.len);

    memcpy(kept, &place, sizeof(place));
    memcpy(kept + sizeof(place), state.data, state.len);
    return (struct str){kept, sizeof(place) + state.len};
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

static void forget_chunks(struct read *read)
{
    if (read->event.step > 0)
        db_i64(db_add(read->batch->effect, &delete_chunks), read->upload.no);
}

void read_record_step(struct read *read)
{
    struct db_query *query = db_add(read->batch->effect, &update_reading);

    db_uuid(query, read->upload.id);
    db_bytes(query, state_save(read));
    add_chunks(read);
    emit_read(&read->emit, read->event.step + 1);
}

/* The state between two steps is another build's: from the beginning. */
void read_record_anew(struct read *read)
{
    db_uuid(db_add(read->batch->effect, &update_anew), read->upload.id);
    forget_chunks(read);
    emit_read(&read->emit, 0);
}

void read_record_refused(struct read *read, const struct attendance_refusal *refusal)
{
    struct db_query *query = db_add(read->batch->effect, &update_refused);

    db_uuid(query, read->upload.id);
    db_json(query, problem_json_refusal(read->flow.arena, refusal));
    db_time(query, clock_now_us());
    forget_chunks(read);
    emit_refused(&read->emit, refusal);
}

/* ---- the end of the file ---- */

static struct str ignored_json(struct read *read, const struct attendance_header *header)
{
    json_t *list = json_array();
    char *text;
    struct str copy;

    for (size_t i = 0; i < header->ignored_count; i++)
        must(json_array_append_new(
                 list, json_stringn(header->ignored[i].data, header->ignored[i].len)) == 0);
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
        emit_chunk(&read->emit, &chunk);
    }
}

void read_record_end(struct read *read, struct str raw_header)
{
    const struct attendance_scan *scan = read->scan;
    bool empty = scan->rows_total == 0;
    struct attendance_header header;
    struct db_query *query = db_add(read->batch->effect, &update_read);

    attendance_header_read(read->flow.arena, raw_header, scan->encoding, scan->delimiter, &header);
    db_uuid(query, read->upload.id);
    db_text_c(query, empty ? "done" : "posting");
    db_text_c(query, encoding_name(scan->encoding));
    db_text(query, (struct str){&scan->delimiter, 1});
    db_json(query, ignored_json(read, &header));
    db_bytes(query, raw_header);
    db_i64(query, scan->rows_total);
    db_i32(query, (int32_t)scan->chunks_total);
    db_time(query, empty ? clock_now_us() : INT64_MIN);
    add_chunks(read);
    if (empty)
        emit_done(&read->emit, NULL, 0);
    else
        emit_first_chunks(read);
}
