/* credit_emit: from the service's structs to those of proto/events. */
#include "credit/credit_emit.h"

#include "gen/topics.h"
#include "posted/posted.h"

_Static_assert(ATTENDANCE_CHUNK_ROWS_MAX *PROGRAMME_COUNT <= 16000,
               "entries that one credits.posted may name");

static void send_event(const struct emit *emit, const char *type, const char *topic, json_t *data)
{
    const struct work_event event = {
        .type = type,
        .topic = topic,
        .key = emit->upload->seminar_no,
        .data = data,
    };

    (void)work_emit(emit->credit->work, emit->effect, &event, emit->trace);
}

void emit_read(const struct emit *emit, int64_t step)
{
    const struct event_upload_read next = {
        .upload_id = emit->upload->id,
        .step = step,
        .bytes = emit->upload->bytes,
        .has_bytes = true,
    };

    send_event(emit, EVENT_UPLOAD_READ, TOPIC_CREDIT_WORK, event_upload_read_encode(&next));
}

void emit_chunk(const struct emit *emit, const struct attendance_chunk *chunk)
{
    const struct event_upload_chunk pointer = {
        .upload_id = emit->upload->id,
        .chunk_no = chunk->chunk_no,
        .first_row = chunk->first_row,
        .first_line = chunk->first_line,
        .offset = (int64_t)chunk->offset,
        .length = chunk->length,
    };

    send_event(emit, EVENT_UPLOAD_CHUNK, TOPIC_CREDIT_WORK, event_upload_chunk_encode(&pointer));
}

static void send_work(struct credit *credit, struct db_batch *effect, const char *type,
                      struct str seminar_no, json_t *data, const char *trace)
{
    const struct work_event event = {
        .type = type, .topic = TOPIC_CREDIT_WORK, .key = seminar_no, .data = data};

    (void)work_emit(credit->work, effect, &event, trace);
}

void emit_row(struct credit *credit, struct db_batch *effect, struct str seminar_no,
              struct uuid upload_id, int64_t row_no, const char *trace)
{
    const struct event_row_judge judge = {.upload_id = upload_id, .row_no = row_no};

    send_work(credit, effect, EVENT_ROW_JUDGE, seminar_no, event_row_judge_encode(&judge), trace);
}

void emit_expire(struct credit *credit, struct db_batch *effect, struct str seminar_no,
                 struct uuid upload_id, const char *trace)
{
    const struct event_upload_expire expire = {.upload_id = upload_id};

    send_work(credit, effect, EVENT_UPLOAD_EXPIRE, seminar_no, event_upload_expire_encode(&expire),
              trace);
}

/* ---- what others hear ---- */

void emit_expired(const struct emit *emit, const struct event_rows_expired_row *rows, size_t count)
{
    const struct upload *upload = emit->upload;
    const struct event_rows_expired expired = {
        .upload_id = upload->id,
        .seminar_no = upload->seminar_no,
        .seminar_title = upload->seminar_title,
        .organiser_code = upload->organiser_code,
        .account_id = upload->account_id,
        .has_account_id = upload->has_account,
        .file_name = upload->file_name,
        .rows = rows,
        .rows_count = count,
    };

    send_event(emit, EVENT_ROWS_EXPIRED, TOPIC_CREDIT_EVENTS, event_rows_expired_encode(&expired));
}

/* Sessions in the order in which entries name them first, and each entry's place among them. */
static size_t used_sessions(const struct emit *emit, const struct emit_entries *entries,
                            struct event_credits_posted_session *sessions, int64_t *index,
                            struct arena *arena)
{
    const struct upload *upload = emit->upload;
    size_t *place_of = arena_array(arena, size_t, upload->seminar.count); /* + 1 */
    size_t count = 0;

    for (size_t i = 0; i < entries->count; i++) {
        const uint32_t place = entries->places[i];
        const struct attendance_session *session = &upload->seminar.sessions[place];

        if (place_of[place] == 0) {
            sessions[count] = (struct event_credits_posted_session){
                .session_id = session->session_id,
                .session_no = session->session_no,
                .title = upload->words[place].title,
                .held_on = upload->words[place].held_on,
                .delivery = str_of(delivery_name(session->delivery)),
            };
            place_of[place] = ++count;
        }
        index[i] = (int64_t)place_of[place] - 1;
    }
    return count;
}

/* The event's kinds are few: the one before is most often the same. */
static void copy_entries(const struct emit_entries *from, const int64_t *places,
                         struct posted_entries *to)
{
    enum kind kind = KIND_NONE;

    for (size_t i = 0; i < from->count; i++) {
        if (i == 0 || !str_eq(from->kinds[i], from->kinds[i - 1]))
            kind = kind_of_code(from->kinds[i]);
        posted_entry_add(to, from->doctor_ids[i], (size_t)places[i], kind, from->half_units[i],
                         from->revisions[i]);
    }
}

static void send_entries(const struct emit *emit, uint32_t chunk_no, bool after_end,
                         const struct event_credits_posted_correction *correction,
                         const struct emit_entries *entries, struct arena *arena)
{
    const struct upload *upload = emit->upload;
    const size_t count = entries->count;
    struct event_credits_posted_session *sessions =
        arena_array(arena, struct event_credits_posted_session, upload->seminar.count);
    int64_t *index = arena_array(arena, int64_t, count);
    struct posted_entries lots;
    struct event_credits_posted posted = {
        .upload_id = upload->id,
        .upload_no = upload->no,
        .chunk_no = chunk_no,
        .after_end = after_end,
        .has_after_end = after_end,
        .correction = correction,
        .seminar_no = upload->seminar_no,
        .seminar_title = upload->seminar_title,
        .sessions = sessions,
    };

    if (upload->dry_run)
        return;
    posted.sessions_count = used_sessions(emit, entries, sessions, index, arena);
    posted_entries_init(&lots, arena, count);
    copy_entries(entries, index, &lots);
    posted_entries_write(&lots, arena, &posted);
    send_event(emit, EVENT_CREDITS_POSTED, TOPIC_CREDIT_EVENTS,
               event_credits_posted_encode(&posted));
}

void emit_posted(const struct emit *emit, uint32_t chunk_no, bool after_end,
                 const struct emit_entries *entries, struct arena *arena)
{
    send_entries(emit, chunk_no, after_end, NULL, entries, arena);
}

void emit_corrected(const struct emit *emit, const struct emit_correction *correction,
                    const struct emit_entries *entries, struct arena *arena)
{
    const struct event_credits_posted_correction about = {
        .correction_id = correction->id,
        .cause = str_of(correction->cause),
        .reason = correction->reason,
        .slice_no = correction->slice_no,
        .last = correction->last,
    };

    send_entries(emit, 0, false, &about, entries, arena);
}

static void emit_end(const struct emit *emit, struct event_upload_done *done)
{
    const struct upload *upload = emit->upload;

    if (upload->dry_run)
        return;
    done->upload_id = upload->id;
    done->seminar_no = upload->seminar_no;
    done->seminar_title = upload->seminar_title;
    done->organiser_code = upload->organiser_code;
    done->account_id = upload->account_id;
    done->has_account_id = upload->has_account;
    done->file_name = upload->file_name;
    send_event(emit, EVENT_UPLOAD_DONE, TOPIC_CREDIT_EVENTS, event_upload_done_encode(done));
}

void emit_done(const struct emit *emit, const struct event_upload_done_reason *reasons,
               size_t reason_count)
{
    const struct upload *upload = emit->upload;
    struct event_upload_done done = {
        .status = STR("done"),
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

    emit_end(emit, &done);
}

void emit_refused(const struct emit *emit, const struct attendance_refusal *refusal)
{
    const struct event_upload_done_problem problem = {
        .code = str_of(code_name(refusal->code)),
        .line = refusal->line,
        .has_line = refusal->line > 0,
    };
    struct event_upload_done done = {.status = STR("refused"), .problem = &problem};

    emit_end(emit, &done);
}
