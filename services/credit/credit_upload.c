/* credit_upload: reading an upload's row, its seminar and pieces of its file. */
#include "credit/credit_upload.h"

#include <string.h>

static const struct db_stmt select_upload = {
    "credit_select_upload",
    "SELECT u.upload_no, u.seminar_no, s.title, u.organiser_code, u.file_name, u.account_id,"
    "  u.received_at, u.bytes, u.dry_run, u.status, u.header, u.scan_state, u.encoding,"
    "  u.delimiter, coalesce(u.rows_total, 0), coalesce(u.chunks_total, 0), u.next_chunk,"
    "  coalesce(u.early_chunk, -1), s.status = 'cancelled',"
    "  u.posted, u.already_posted, u.waiting, u.unmatched, u.absent, u.rejected,"
    "  u.undo_at IS NOT NULL,"
    "  NOT EXISTS (SELECT FROM credit.upload o WHERE o.seminar_no = u.seminar_no"
    "              AND o.upload_no <> u.upload_no AND o.next_chunk > 0 AND NOT o.dry_run)"
    " FROM credit.upload u JOIN credit.seminar s USING (seminar_no) WHERE u.upload_id = $1",
};

/*
 * Of a visit, also how many doctors hold a place: who stands posted, and who waits to be posted.
 * The ledger is asked by its key, for the doctors that the chunks' arrays name. A dry run holds
 * places for itself only.
 */
static const struct db_stmt select_sessions = {
    "credit_select_sessions",
    "SELECT s.session_id, s.session_no, s.title, s.starts_at, s.ends_at, s.held_on, s.delivery,"
    "  s.grace_minutes, s.offers, s.leader_register_no,"
    "  CASE WHEN s.delivery = 'visit' THEN (SELECT count(*) FROM ("
    "    SELECT p.doctor_id FROM credit.upload v JOIN credit.upload_chunk c USING (upload_no)"
    "     CROSS JOIN LATERAL unnest(c.posted_doctor, c.posted_session) AS p (doctor_id, session_id)"
    "     WHERE v.seminar_no = u.seminar_no AND p.session_id = s.session_id"
    "       AND ((u.dry_run AND v.upload_no = u.upload_no) OR EXISTS ("
    "         SELECT FROM credit.ledger l WHERE l.doctor_id = p.doctor_id"
    "          AND l.session_id = s.session_id"
    "          GROUP BY l.programme HAVING max(l.revision) % 2 = 0))"
    "    UNION SELECT r.doctor_id FROM credit.upload v JOIN credit.upload_row r USING (upload_no)"
    "     WHERE v.seminar_no = u.seminar_no AND r.session_id = s.session_id"
    "       AND r.outcome = 'waiting' AND NOT (v.upload_no = u.upload_no AND r.row_no = $2)"
    "       AND (r.credits IS NOT NULL OR v.upload_no = u.upload_no)) AS holders) ELSE 0 END"
    " FROM credit.upload u JOIN credit.session s USING (seminar_no)"
    " WHERE u.upload_id = $1 ORDER BY s.session_id",
};

/* Only what is wanted of each part: the bytes are stored so that a piece is read without the rest.
 */
static const struct db_stmt select_bytes = {
    "credit_select_bytes",
    "SELECT substr(p.bytes, w.first::int + 1, (w.beyond - w.first)::int) FROM credit.upload_part p"
    " CROSS JOIN LATERAL (SELECT greatest($2 - p.part_no::bigint * 262144, 0) AS first,"
    "                            least($3 - p.part_no::bigint * 262144, 262144) AS beyond) AS w"
    " WHERE p.upload_id = $1"
    "   AND p.part_no BETWEEN ($2 / 262144)::int AND (($3 - 1) / 262144)::int ORDER BY p.part_no",
};
_Static_assert(UPLOAD_PART_BYTES == 262144, "select_bytes counts on it");

static const struct db_stmt select_chunks = {
    "credit_select_chunks",
    "SELECT c.chunk_no, c.first_row, c.first_line, c.row_count, c.byte_offset, c.byte_length"
    " FROM credit.upload u JOIN credit.upload_chunk c USING (upload_no)"
    " WHERE u.upload_id = $1 AND c.chunk_no BETWEEN $2 AND $3",
};

void upload_give_way(struct db_batch *batch, int64_t bytes)
{
    if (attendance_is_long(bytes))
        db_batch_patient(batch);
}

/* ---- the upload and its seminar ---- */

void upload_query_add_without(struct upload_query *query, struct db_batch *batch, struct uuid id,
                              int64_t row_no)
{
    query->upload = db_add(batch, &select_upload);
    db_uuid(query->upload, id);
    query->sessions = db_add(batch, &select_sessions);
    db_uuid(query->sessions, id);
    db_i64(query->sessions, row_no);
}

void upload_query_add(struct upload_query *query, struct db_batch *batch, struct uuid id)
{
    upload_query_add_without(query, batch, id, 0);
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

enum err upload_take(const struct upload_query *query, struct uuid id, struct arena *arena,
                     struct upload *ret_upload, struct err_note *note)
{
    const struct db_query *row = query->upload;
    struct upload *out = ret_upload;

    if (db_rows(row) == 0)
        return err_say(note, ERR_SCHEMA, "there is no such upload, or no seminar for it");
    *out = (struct upload){
        .id = id,
        .no = db_get_i64(row, 0, 0),
        .seminar_no = db_get_text(row, 0, 1),
        .seminar_title = db_get_text(row, 0, 2),
        .organiser_code = db_get_text(row, 0, 3),
        .file_name = db_get_text(row, 0, 4),
        .has_account = !db_is_null(row, 0, 5),
        .received_us = db_get_time(row, 0, 6),
        .bytes = db_get_i64(row, 0, 7),
        .dry_run = db_get_bool(row, 0, 8),
        .status = db_get_text(row, 0, 9),
        .header = db_get_bytes(row, 0, 10),
        .scan_state = db_get_bytes(row, 0, 11),
        .encoding = db_get_text(row, 0, 12),
        .delimiter = db_get_text(row, 0, 13),
        .rows_total = db_get_i64(row, 0, 14),
        .chunks_total = db_get_i32(row, 0, 15),
        .next_chunk = db_get_i32(row, 0, 16),
        .early_chunk = db_get_i32(row, 0, 17),
        .cancelled = db_get_bool(row, 0, 18),
    };
    if (out->has_account)
        out->account_id = db_get_uuid(row, 0, 5);
    for (int i = 0; i < OUTCOME_COUNT; i++)
        out->counts[i] = db_get_i64(row, 0, 19 + i);
    out->undo = db_get_bool(row, 0, 19 + OUTCOME_COUNT);
    out->only = db_get_bool(row, 0, 20 + OUTCOME_COUNT);
    return seminar_take(query->sessions, out, arena, note);
}

bool upload_session_place(const struct attendance_seminar *seminar, int64_t session_id,
                          uint32_t *ret_place)
{
    size_t low = 0;
    size_t high = seminar->count;

    while (low + 1 < high) {
        size_t middle = (low + high) / 2;

        if (seminar->sessions[middle].session_id <= session_id)
            low = middle;
        else
            high = middle;
    }
    *ret_place = (uint32_t)low;
    return seminar->sessions[low].session_id == session_id;
}

/* ---- bytes of the file ---- */

struct db_query *upload_bytes_add(struct db_batch *batch, struct uuid id, int64_t offset,
                                  int64_t length)
{
    struct db_query *query = db_add(batch, &select_bytes);

    must(offset >= 0 && length >= 0);
    db_uuid(query, id);
    db_i64(query, offset);
    db_i64(query, offset + length);
    return query;
}

size_t upload_pieces(const struct db_query *query)
{
    return db_rows(query);
}

struct str upload_piece(const struct db_query *query, size_t at)
{
    return db_get_bytes(query, at, 0);
}

enum err upload_bytes_check(const struct db_query *query, int64_t length, struct err_note *note)
{
    int64_t there = 0;

    for (size_t i = 0; i < upload_pieces(query); i++)
        there += (int64_t)upload_piece(query, i).len;
    if (there != length)
        return err_say(note, ERR_SCHEMA, "the file has %lld of the %lld bytes wanted",
                       (long long)there, (long long)length);
    return ERR_OK;
}

enum err upload_bytes_take(const struct db_query *query, int64_t length, struct arena *arena,
                           struct str *ret_bytes, struct err_note *note)
{
    enum err err = upload_bytes_check(query, length, note);
    char *joined;
    char *at;

    if (err != ERR_OK)
        return err;
    if (upload_pieces(query) == 1) {
        *ret_bytes = upload_piece(query, 0);
        return ERR_OK;
    }
    joined = at = arena_alloc(arena, (size_t)length);
    for (size_t i = 0; i < upload_pieces(query); i++) {
        struct str piece = upload_piece(query, i);

        memcpy(at, piece.data, piece.len);
        at += piece.len;
    }
    *ret_bytes = (struct str){joined, (size_t)length};
    return ERR_OK;
}

/* ---- pointers of chunks ---- */

struct db_query *upload_chunks_add(struct db_batch *batch, struct uuid id, int64_t first,
                                   int64_t last)
{
    struct db_query *query = db_add(batch, &select_chunks);

    db_uuid(query, id);
    db_i64(query, first);
    db_i64(query, last);
    return query;
}

bool upload_chunk_take(const struct db_query *query, int64_t chunk_no,
                       struct attendance_chunk *ret_chunk)
{
    for (size_t i = 0; i < db_rows(query); i++) {
        if (db_get_i32(query, i, 0) != chunk_no)
            continue;
        *ret_chunk = (struct attendance_chunk){
            .chunk_no = (uint32_t)chunk_no,
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
