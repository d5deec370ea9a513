/* credit_upload: reading an upload's row, its seminar and pieces of its file. */
#include "credit/credit_upload.h"

#include <string.h>

#include "gen/topics.h"

static const struct db_stmt select_upload = {
    "credit_select_upload",
    "SELECT u.upload_no, u.seminar_no, s.title, u.organiser_code, u.file_name, u.account_id,"
    "       u.received_at, u.bytes, u.status, u.header, u.scan_state, u.encoding, u.delimiter,"
    "       coalesce(u.rows_total, 0), coalesce(u.chunks_total, 0), u.next_chunk,"
    "       coalesce(u.early_chunk, -1), s.status = 'cancelled',"
    "       u.posted, u.already_posted, u.waiting, u.unmatched, u.absent, u.rejected"
    " FROM credit.upload u JOIN credit.seminar s USING (seminar_no) WHERE u.upload_id = $1",
};

/* Of a visit, also how many doctors hold a place: who stands posted, and who waits. The ledger is
 * asked by its key, for the doctors that the chunks' arrays name. */
static const struct db_stmt select_sessions = {
    "credit_select_sessions",
    "SELECT s.session_id, s.session_no, s.title, s.starts_at, s.ends_at, s.held_on, s.delivery,"
    "       s.grace_minutes, s.offers, s.leader_register_no,"
    "       CASE WHEN s.delivery = 'visit' THEN (SELECT count(*) FROM ("
    "         SELECT DISTINCT p.doctor_id FROM credit.upload v JOIN credit.upload_chunk c USING "
    "(upload_no)"
    "          CROSS JOIN LATERAL unnest(c.posted_doctor, c.posted_session) AS p (doctor_id, "
    "session_id)"
    "          WHERE v.seminar_no = s.seminar_no AND p.session_id = s.session_id"
    "            AND EXISTS (SELECT FROM credit.ledger l WHERE l.doctor_id = p.doctor_id"
    "                         AND l.session_id = s.session_id GROUP BY l.programme"
    "                         HAVING max(l.revision) % 2 = 0)"
    "         UNION SELECT r.doctor_id FROM credit.upload v JOIN credit.upload_row r USING "
    "(upload_no)"
    "          WHERE v.seminar_no = s.seminar_no AND r.session_id = s.session_id"
    "            AND r.outcome = 'waiting') AS holders) ELSE 0 END"
    " FROM credit.upload u JOIN credit.session s USING (seminar_no)"
    " WHERE u.upload_id = $1 ORDER BY s.session_id",
};

static const struct db_stmt select_bytes = {
    "credit_select_bytes",
    "SELECT part_no, bytes FROM credit.upload_part"
    " WHERE upload_id = $1 AND part_no BETWEEN $2 AND $3 ORDER BY part_no",
};

void upload_query_add(struct upload_query *query, struct db_batch *batch, struct uuid id)
{
    query->batch = batch;
    query->upload = db_add(batch, &select_upload);
    db_uuid(query->upload, id);
    query->sessions = db_add(batch, &select_sessions);
    db_uuid(query->sessions, id);
}

static enum err session_take(const struct db_query *rows, size_t row,
                             struct attendance_session *out, struct session_words *words,
                             struct err_note *note)
{
    out->session_id = db_get_i64(rows, row, 0);
    out->session_no = db_get_text(rows, row, 1);
    words->title = db_get_text(rows, row, 2);
    out->starts_us = db_get_time(rows, row, 3);
    out->ends_us = db_get_time(rows, row, 4);
    words->held_on = db_get_day(rows, row, 5);
    out->grace_minutes = (uint32_t)db_get_i32(rows, row, 7);
    out->leader_register_no = db_is_null(rows, row, 9) ? NUMBER_NONE : db_get_i64(rows, row, 9);
    out->places_held = (uint32_t)db_get_i64(rows, row, 10);
    if (!delivery_of_name(db_get_text(rows, row, 6), &out->delivery) ||
        offers_parse(db_get_text(rows, row, 8), out->delivery, &out->offers) != OFFERS_FINE)
        return err_say(note, ERR_SCHEMA, "session %lld has offers that cannot be read",
                       (long long)out->session_id);
    return ERR_OK;
}

static enum err seminar_take(const struct db_query *rows, struct upload *out, struct arena *arena,
                             struct err_note *note)
{
    size_t count = db_rows(rows);
    struct attendance_session *sessions = arena_array(arena, struct attendance_session, count);
    struct session_words *words = arena_array(arena, struct session_words, count);
    enum err err = ERR_OK;

    if (count == 0)
        return err_say(note, ERR_SCHEMA, "the seminar has no session");
    for (size_t i = 0; i < count && err == ERR_OK; i++)
        err = session_take(rows, i, &sessions[i], &words[i], note);
    out->seminar.seminar_no = out->seminar_no;
    out->seminar.sessions = sessions;
    out->seminar.count = count;
    out->words = words;
    return err;
}

enum err upload_take(const struct upload_query *query, struct upload *out, struct arena *arena,
                     struct err_note *note)
{
    const struct db_query *row = query->upload;

    if (db_rows(row) == 0)
        return err_say(note, ERR_SCHEMA, "there is no such upload, or no seminar for it");
    out->no = db_get_i64(row, 0, 0);
    out->seminar_no = db_get_text(row, 0, 1);
    out->seminar_title = db_get_text(row, 0, 2);
    out->organiser_code = db_get_text(row, 0, 3);
    out->file_name = db_get_text(row, 0, 4);
    out->has_account = !db_is_null(row, 0, 5);
    if (out->has_account)
        out->account_id = db_get_uuid(row, 0, 5);
    out->received_us = db_get_time(row, 0, 6);
    out->bytes = db_get_i64(row, 0, 7);
    out->status = db_get_text(row, 0, 8);
    out->header = db_get_bytes(row, 0, 9);
    out->scan_state = db_get_bytes(row, 0, 10);
    out->encoding = db_get_text(row, 0, 11);
    out->delimiter = db_get_text(row, 0, 12);
    out->rows_total = db_get_i64(row, 0, 13);
    out->chunks_total = db_get_i32(row, 0, 14);
    out->next_chunk = db_get_i32(row, 0, 15);
    out->early_chunk = db_get_i32(row, 0, 16);
    out->cancelled = db_get_bool(row, 0, 17);
    for (int i = 0; i < OUTCOME_COUNT; i++)
        out->counts[i] = db_get_i64(row, 0, 18 + i);
    return seminar_take(query->sessions, out, arena, note);
}

struct db_query *upload_bytes_add(struct db_batch *batch, struct uuid id, int64_t offset,
                                  int64_t length)
{
    struct db_query *query = db_add(batch, &select_bytes);

    must(offset >= 0 && length > 0);
    db_uuid(query, id);
    db_i32(query, (int32_t)(offset / UPLOAD_PART_BYTES));
    db_i32(query, (int32_t)((offset + length - 1) / UPLOAD_PART_BYTES));
    return query;
}

enum err upload_bytes_take(const struct db_query *query, int64_t offset, int64_t length,
                           struct arena *arena, struct str *ret_bytes, struct err_note *note)
{
    char *out = arena_alloc(arena, (size_t)length);
    int64_t at = offset; /* the next byte of the file wanted */

    for (size_t i = 0; i < db_rows(query); i++) {
        int64_t begin = (int64_t)db_get_i32(query, i, 0) * UPLOAD_PART_BYTES;
        struct str part = db_get_bytes(query, i, 1);
        int64_t end = begin + (int64_t)part.len;
        int64_t last = end < offset + length ? end : offset + length;

        if (at < begin || at >= end)
            break;
        memcpy(out + (at - offset), part.data + (at - begin), (size_t)(last - at));
        at = last;
    }
    if (at != offset + length)
        return err_say(note, ERR_SCHEMA, "the file ends at byte %lld, %lld are wanted",
                       (long long)at, (long long)(offset + length));
    *ret_bytes = (struct str){out, (size_t)length};
    return ERR_OK;
}

static const struct db_stmt select_chunks = {
    "credit_select_chunks",
    "SELECT c.chunk_no, c.first_row, c.first_line, c.row_count, c.byte_offset, c.byte_length"
    " FROM credit.upload u JOIN credit.upload_chunk c USING (upload_no)"
    " WHERE u.upload_id = $1 AND c.chunk_no = ANY ($2)",
};

struct db_query *upload_chunks_add(struct db_batch *batch, struct uuid id, int32_t first,
                                   int32_t second)
{
    const int32_t wanted[] = {first, second};
    struct db_query *query = db_add(batch, &select_chunks);

    db_uuid(query, id);
    db_i32_array(query, wanted, ARRAY_LEN(wanted));
    return query;
}

bool upload_chunk_take(const struct db_query *query, uint32_t chunk_no,
                       struct attendance_chunk *ret_chunk)
{
    for (size_t i = 0; i < db_rows(query); i++) {
        if (db_get_i32(query, i, 0) != (int32_t)chunk_no)
            continue;
        *ret_chunk = (struct attendance_chunk){
            .chunk_no = chunk_no,
            .first_row = (uint32_t)db_get_i64(query, i, 1),
            .first_line = (uint32_t)db_get_i64(query, i, 2),
            .rows = (uint32_t)db_get_i32(query, i, 3),
            .offset = (uint64_t)db_get_i64(query, i, 4),
            .length = (uint32_t)db_get_i32(query, i, 5),
        };
        return true;
    }
    return false;
}

void upload_chunk_emit(struct credit *credit, struct db_batch *effect, const struct upload *upload,
                       const struct attendance_chunk *chunk, const char *trace)
{
    const struct event_upload_chunk pointer = {
        .upload_id = upload->id,
        .chunk_no = chunk->chunk_no,
        .first_row = chunk->first_row,
        .first_line = chunk->first_line,
        .offset = (int64_t)chunk->offset,
        .length = chunk->length,
    };
    const struct work_event event = {
        .type = EVENT_UPLOAD_CHUNK,
        .topic = TOPIC_CREDIT_WORK,
        .key = upload->seminar_no,
        .data = event_upload_chunk_encode(&pointer),
    };

    (void)work_emit(credit->work, effect, &event, trace);
}

void upload_done_emit(struct credit *credit, struct db_batch *effect, const struct upload *upload,
                      const char *status, const struct event_upload_done_reason *reasons,
                      size_t reason_count, const char *problem_code, const char *trace)
{
    const struct event_upload_done_problem problem = {.code = str_of(problem_code)};
    const struct event_upload_done done = {
        .upload_id = upload->id,
        .seminar_no = upload->seminar_no,
        .seminar_title = upload->seminar_title,
        .organiser_code = upload->organiser_code,
        .account_id = upload->account_id,
        .has_account_id = upload->has_account,
        .file_name = upload->file_name,
        .status = str_of(status),
        .problem = problem_code == NULL ? NULL : &problem,
        .rows_total = upload->rows_total,
        .chunks_total = upload->chunks_total,
        .counts =
            {
                .posted = upload->counts[OUTCOME_POSTED],
                .already_posted = upload->counts[OUTCOME_ALREADY_POSTED],
                .waiting = upload->counts[OUTCOME_WAITING],
                .unmatched = upload->counts[OUTCOME_UNMATCHED],
                .absent = upload->counts[OUTCOME_ABSENT],
                .rejected = upload->counts[OUTCOME_REJECTED],
            },
        .reasons = reasons,
        .reasons_count = reason_count,
    };
    const struct work_event event = {
        .type = EVENT_UPLOAD_DONE,
        .topic = TOPIC_CREDIT_EVENTS,
        .key = upload->seminar_no,
        .data = event_upload_done_encode(&done),
    };

    (void)work_emit(credit->work, effect, &event, trace);
}
