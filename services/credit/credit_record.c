/*
 * credit_record: entries of the ledger and the rows' outcomes in bulk, as binary arrays; one event
 * for the chunk; the upload's counts; and the message that keeps two chunks on their way.
 */
#include "credit/credit_record.h"

#include <string.h>

#include "credit/credit_problems.h"
#include "gen/topics.h"

/* The guard: a chunk out of its turn would find no row here and change no counts. */
static const struct db_stmt update_counts = {
    "credit_update_counts",
    "UPDATE credit.upload SET version = version + 1, next_chunk = $2 + 1, early_chunk = NULL,"
    "  posted = posted + $3, already_posted = already_posted + $4, waiting = waiting + $5,"
    "  unmatched = unmatched + $6, absent = absent + $7, rejected = rejected + $8,"
    "  status = CASE WHEN $2 + 1 = chunks_total THEN 'done' ELSE status END,"
    "  done_at = CASE WHEN $2 + 1 = chunks_total THEN $9 ELSE done_at END"
    " WHERE upload_id = $1 AND next_chunk = $2",
};

static const struct db_stmt insert_ledger = {
    "credit_insert_ledger",
    "INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
    "                           half_units, revision, programme, kind)"
    " SELECT n.doctor_id, n.session_id, $1, $2, n.row_no, n.held_on, n.half_units, n.revision,"
    "        n.programme, n.kind"
    " FROM unnest($3::bigint[], $4::bigint[], $5::int[], $6::date[], $7::smallint[], "
    "$8::smallint[],"
    "             $9::text[], $10::text[])"
    "  AS n (doctor_id, session_id, row_no, held_on, half_units, revision, programme, kind)",
};

static const struct db_stmt insert_rows = {
    "credit_insert_rows",
    "INSERT INTO credit.upload_row (upload_no, row_no, line_no, outcome, reason, problems, "
    "register_no,"
    "                               name_kana, same_as_row, doctor_id, session_id, credits)"
    " SELECT $1, * FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::jsonb[], "
    "$7::text[],"
    "                          $8::text[], $9::int[], $10::bigint[], $11::bigint[], $12::jsonb[])",
};

static const struct db_stmt update_chunk = {
    "credit_update_chunk",
    "UPDATE credit.upload_chunk SET posted_row = $3, posted_line = $4, posted_doctor = $5,"
    "  posted_session = $6 WHERE upload_no = $1 AND chunk_no = $2",
};

static const struct db_stmt select_reasons = {
    "credit_select_reasons",
    "SELECT r.outcome, r.reason, count(*) FROM credit.upload u JOIN credit.upload_row r USING "
    "(upload_no)"
    " WHERE u.upload_id = $1 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
};

struct db_query *record_reasons_add(struct db_batch *batch, struct uuid upload_id)
{
    struct db_query *query = db_add(batch, &select_reasons);

    db_uuid(query, upload_id);
    return query;
}

static const struct attendance_doctor *doctor_of(const struct record *record,
                                                 const struct attendance_verdict *verdict)
{
    return verdict->doctor < 0 ? NULL : &record->match->doctors[verdict->doctor];
}

/* ---- the ledger ---- */

struct entries {
    size_t count;
    int64_t *doctor, *session_id, *place;
    int32_t *row_no;
    day_t *held_on;
    int16_t *half_units, *revision;
    struct str *programme, *kind;
    /* The same for the event. */
    int64_t *event_half_units, *event_revision;
};

static void entries_init(struct entries *entries, struct arena *arena, size_t most)
{
    entries->count = 0;
    entries->doctor = arena_array(arena, int64_t, most);
    entries->session_id = arena_array(arena, int64_t, most);
    entries->place = arena_array(arena, int64_t, most);
    entries->row_no = arena_array(arena, int32_t, most);
    entries->held_on = arena_array(arena, day_t, most);
    entries->half_units = arena_array(arena, int16_t, most);
    entries->revision = arena_array(arena, int16_t, most);
    entries->programme = arena_array(arena, struct str, most);
    entries->kind = arena_array(arena, struct str, most);
    entries->event_half_units = arena_array(arena, int64_t, most);
    entries->event_revision = arena_array(arena, int64_t, most);
}

static void entry_put(struct entries *entries, const struct record *record,
                      const struct attendance_verdict *verdict, uint32_t row_no,
                      const struct attendance_credit *credit)
{
    size_t at = entries->count++;
    size_t place = (size_t)verdict->session;
    enum programme programme = kind_programme(credit->kind);
    int64_t doctor_id = doctor_of(record, verdict)->doctor_id;

    entries->doctor[at] = doctor_id;
    entries->session_id[at] = record->upload->seminar.sessions[place].session_id;
    entries->place[at] = verdict->session;
    entries->row_no[at] = (int32_t)row_no;
    entries->held_on[at] = record->upload->words[place].held_on;
    entries->half_units[at] = credit->half_units;
    entries->revision[at] = match_revision(record->match, doctor_id, place, programme);
    entries->programme[at] = str_of(programme_code(programme));
    entries->kind[at] = str_of(kind_code(credit->kind));
    entries->event_half_units[at] = credit->half_units;
    entries->event_revision[at] = entries->revision[at];
}

static void entries_fill(struct entries *entries, const struct record *record)
{
    const struct attendance_verdicts *verdicts = record->verdicts;

    entries_init(entries, record->arena, verdicts->credit_count);
    for (size_t i = 0; i < verdicts->count; i++) {
        const struct attendance_verdict *verdict = &verdicts->list[i];

        if (verdict->outcome != OUTCOME_POSTED)
            continue;
        for (uint32_t c = 0; c < verdict->credit_count; c++)
            entry_put(entries, record, verdict, record->rows->list[i].row_no,
                      &verdicts->credits[verdict->credit + c]);
    }
}

static void add_ledger(struct record *record, const struct entries *entries)
{
    struct db_query *query;

    if (entries->count == 0)
        return;
    query = db_add(record->effect, &insert_ledger);
    db_i64(query, record->upload->no);
    db_time(query, clock_now_us());
    db_i64_array(query, entries->doctor, entries->count);
    db_i64_array(query, entries->session_id, entries->count);
    db_i32_array(query, entries->row_no, entries->count);
    db_day_array(query, entries->held_on, entries->count);
    db_i16_array(query, entries->half_units, entries->count);
    db_i16_array(query, entries->revision, entries->count);
    db_text_array(query, entries->programme, entries->count);
    db_text_array(query, entries->kind, entries->count);
}

/* ---- outcomes ---- */

static void add_chunk_arrays(struct record *record)
{
    const struct attendance_verdicts *verdicts = record->verdicts;
    size_t most = verdicts->outcomes[OUTCOME_POSTED];
    int32_t *row = arena_array(record->arena, int32_t, most);
    int32_t *line = arena_array(record->arena, int32_t, most);
    int64_t *doctor = arena_array(record->arena, int64_t, most);
    int64_t *session = arena_array(record->arena, int64_t, most);
    struct db_query *query = db_add(record->effect, &update_chunk);
    size_t count = 0;

    for (size_t i = 0; i < verdicts->count; i++) {
        const struct attendance_verdict *verdict = &verdicts->list[i];

        if (verdict->outcome != OUTCOME_POSTED)
            continue;
        row[count] = (int32_t)record->rows->list[i].row_no;
        line[count] = (int32_t)record->rows->list[i].line_no;
        doctor[count] = doctor_of(record, verdict)->doctor_id;
        session[count++] = record->upload->seminar.sessions[(size_t)verdict->session].session_id;
    }
    db_i64(query, record->upload->no);
    db_i32(query, (int32_t)record->chunk->chunk_no);
    db_i32_array(query, row, count);
    db_i32_array(query, line, count);
    db_i64_array(query, doctor, count);
    db_i64_array(query, session, count);
}

struct outcomes {
    size_t count;
    int32_t *row_no, *line_no;
    int64_t *same_as, *doctor, *session;
    struct str *outcome, *reason, *problems, *register_no, *name_kana, *credits;
};

static void outcomes_init(struct outcomes *outcomes, struct arena *arena, size_t most)
{
    outcomes->count = 0;
    outcomes->row_no = arena_array(arena, int32_t, most);
    outcomes->line_no = arena_array(arena, int32_t, most);
    outcomes->same_as = arena_array(arena, int64_t, most);
    outcomes->doctor = arena_array(arena, int64_t, most);
    outcomes->session = arena_array(arena, int64_t, most);
    outcomes->outcome = arena_array(arena, struct str, most);
    outcomes->reason = arena_array(arena, struct str, most);
    outcomes->problems = arena_array(arena, struct str, most);
    outcomes->register_no = arena_array(arena, struct str, most);
    outcomes->name_kana = arena_array(arena, struct str, most);
    outcomes->credits = arena_array(arena, struct str, most);
}

/* What a waiting row will post: [["OPL-S",4], ...]. A second wait for the same adds nothing. */
static struct str credits_json(const struct record *record,
                               const struct attendance_verdict *verdict)
{
    struct buf json = {0};
    struct str copy;

    if (verdict->outcome != OUTCOME_WAITING || verdict->waits_already)
        return STR_NONE;
    buf_add_char(&json, '[');
    for (uint32_t i = 0; i < verdict->credit_count; i++) {
        const struct attendance_credit *credit = &record->verdicts->credits[verdict->credit + i];

        buf_printf(&json, "%s[\"%s\",%d]", i == 0 ? "" : ",", kind_code(credit->kind),
                   credit->half_units);
    }
    buf_add_char(&json, ']');
    copy = arena_str(record->arena, buf_str(&json));
    buf_free(&json);
    return copy;
}

static void outcome_put(struct outcomes *outcomes, const struct record *record, size_t i)
{
    const struct attendance_verdict *verdict = &record->verdicts->list[i];
    const struct attendance_row *row = &record->rows->list[i];
    const struct attendance_doctor *doctor = doctor_of(record, verdict);
    const struct str kana = row->cells[COLUMN_NAME_KANA];
    size_t at = outcomes->count++;
    bool repeats =
        verdict->outcome == OUTCOME_WAITING || verdict->outcome == OUTCOME_ALREADY_POSTED;

    outcomes->row_no[at] = (int32_t)row->row_no;
    outcomes->line_no[at] = (int32_t)row->line_no;
    outcomes->same_as[at] = verdict->same_as_row == 0 ? INT64_MIN : (int64_t)verdict->same_as_row;
    outcomes->outcome[at] = str_of(outcome_name(verdict->outcome));
    outcomes->reason[at] =
        verdict->reason == CODE_NONE ? STR_NONE : str_of(code_name(verdict->reason));
    outcomes->problems[at] = problems_json(record->arena, record->verdicts, verdict);
    outcomes->register_no[at] =
        doctor == NULL || doctor->register_no == NUMBER_NONE
            ? STR_NONE
            : str_of(arena_printf(record->arena, "%lld", (long long)doctor->register_no));
    outcomes->name_kana[at] = kana.len > 0 ? kana : STR_NONE;
    /* Only rows that later rows are compared with are found by doctor and session. */
    outcomes->doctor[at] = repeats ? doctor->doctor_id : INT64_MIN;
    outcomes->session[at] =
        repeats ? record->upload->seminar.sessions[(size_t)verdict->session].session_id : INT64_MIN;
    outcomes->credits[at] = credits_json(record, verdict);
}

static void add_rows(struct record *record)
{
    const struct attendance_verdicts *verdicts = record->verdicts;
    struct outcomes outcomes;
    struct db_query *query;

    if (verdicts->count == verdicts->outcomes[OUTCOME_POSTED])
        return;
    outcomes_init(&outcomes, record->arena, verdicts->count);
    for (size_t i = 0; i < verdicts->count; i++) {
        if (verdicts->list[i].outcome != OUTCOME_POSTED)
            outcome_put(&outcomes, record, i);
    }
    query = db_add(record->effect, &insert_rows);
    db_i64(query, record->upload->no);
    db_i32_array(query, outcomes.row_no, outcomes.count);
    db_i32_array(query, outcomes.line_no, outcomes.count);
    db_text_array(query, outcomes.outcome, outcomes.count);
    db_text_array(query, outcomes.reason, outcomes.count);
    db_json_array(query, outcomes.problems, outcomes.count);
    db_text_array(query, outcomes.register_no, outcomes.count);
    db_text_array(query, outcomes.name_kana, outcomes.count);
    db_i64_null_array(query, outcomes.same_as, outcomes.count);
    db_i64_null_array(query, outcomes.doctor, outcomes.count);
    db_i64_null_array(query, outcomes.session, outcomes.count);
    db_json_array(query, outcomes.credits, outcomes.count);
}

static void add_counts(struct record *record)
{
    static const enum outcome order[] = {OUTCOME_POSTED,  OUTCOME_ALREADY_POSTED,
                                         OUTCOME_WAITING, OUTCOME_UNMATCHED,
                                         OUTCOME_ABSENT,  OUTCOME_REJECTED};
    struct db_query *query = db_add(record->effect, &update_counts);

    db_uuid(query, record->upload->id);
    db_i32(query, (int32_t)record->chunk->chunk_no);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        db_i64(query, record->verdicts->outcomes[order[i]]);
        record->upload->counts[order[i]] += record->verdicts->outcomes[order[i]];
    }
    db_time(query, clock_now_us());
}

/* ---- events ---- */

static void emit_posted(struct record *record, const struct entries *entries)
{
    const struct upload *upload = record->upload;
    size_t count = upload->seminar.count;
    struct event_credits_posted_session *sessions =
        arena_array(record->arena, struct event_credits_posted_session, count);
    struct event_credits_posted posted = {
        .upload_id = upload->id,
        .upload_no = upload->no,
        .chunk_no = record->chunk->chunk_no,
        .seminar_no = upload->seminar_no,
        .seminar_title = upload->seminar_title,
        .sessions = sessions,
        .sessions_count = count,
        .doctor_ids = entries->doctor,
        .doctor_ids_count = entries->count,
        .session_index = entries->place,
        .session_index_count = entries->count,
        .programmes = entries->programme,
        .programmes_count = entries->count,
        .kinds = entries->kind,
        .kinds_count = entries->count,
        .half_units = entries->event_half_units,
        .half_units_count = entries->count,
        .revisions = entries->event_revision,
        .revisions_count = entries->count,
    };
    const struct work_event event = {
        .type = EVENT_CREDITS_POSTED,
        .topic = TOPIC_CREDIT_EVENTS,
        .key = upload->seminar_no,
        .data = NULL,
    };
    struct work_event sent = event;

    for (size_t i = 0; i < count; i++)
        sessions[i] = (struct event_credits_posted_session){
            .session_id = upload->seminar.sessions[i].session_id,
            .session_no = upload->seminar.sessions[i].session_no,
            .title = upload->words[i].title,
            .held_on = upload->words[i].held_on,
            .delivery = str_of(delivery_name(upload->seminar.sessions[i].delivery)),
        };
    sent.data = event_credits_posted_encode(&posted);
    (void)work_emit(record->credit->work, record->effect, &sent, record->trace);
}

/* One more row of (outcome, reason); the table is short: one line for each reason there is. */
static void count_reason(struct event_upload_done_reason *list, size_t *count, struct str outcome,
                         struct str reason, int64_t rows)
{
    size_t at = 0;

    while (at < *count && (!str_eq(list[at].outcome, outcome) || !str_eq(list[at].reason, reason)))
        at++;
    if (at == *count)
        list[(*count)++] = (struct event_upload_done_reason){outcome, reason, 0};
    list[at].rows += rows;
}

static void emit_done(struct record *record)
{
    size_t most = CODE_COUNT + OUTCOME_COUNT;
    struct event_upload_done_reason *reasons =
        arena_array(record->arena, struct event_upload_done_reason, most);
    size_t count = 0;

    for (size_t i = 0; record->reasons != NULL && i < db_rows(record->reasons); i++)
        count_reason(reasons, &count, db_get_text(record->reasons, i, 0),
                     db_get_text(record->reasons, i, 1), db_get_i64(record->reasons, i, 2));
    for (size_t i = 0; i < record->verdicts->count; i++) {
        const struct attendance_verdict *verdict = &record->verdicts->list[i];

        if (verdict->outcome != OUTCOME_POSTED)
            count_reason(
                reasons, &count, str_of(outcome_name(verdict->outcome)),
                verdict->reason == CODE_NONE ? STR_NONE : str_of(code_name(verdict->reason)), 1);
    }
    upload_done_emit(record->credit, record->effect, record->upload, "done", reasons, count, NULL,
                     record->trace);
}

void record_chunk(struct record *record)
{
    bool last = (int32_t)record->chunk->chunk_no + 1 == record->upload->chunks_total;
    struct entries entries;

    entries_fill(&entries, record);
    add_counts(record);
    add_ledger(record, &entries);
    add_chunk_arrays(record);
    add_rows(record);
    emit_posted(record, &entries);
    if (record->next != NULL)
        upload_chunk_emit(record->credit, record->effect, record->upload, record->next,
                          record->trace);
    if (record->after_next != NULL)
        upload_chunk_emit(record->credit, record->effect, record->upload, record->after_next,
                          record->trace);
    if (last)
        emit_done(record);
}
