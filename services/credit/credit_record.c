/*
 * credit_record: the upload's counts, entries of the ledger in bulk as binary arrays, one event for
 * the chunk, and the message that keeps two chunks on their way.
 */
#include "credit/credit_record.h"

#include <stdlib.h>

#include "credit/credit_chain.h"

/*
 * First of all: a chunk out of its turn finds no row to change, and its whole transaction ends
 * without effect, to be looked at anew. So does one that did not see the note of a chunk that came
 * early, since nobody else would send that one again.
 */
static const struct db_stmt update_counts = {
    "credit_update_counts",
    "WITH taken AS (UPDATE credit.upload SET version = version + 1, next_chunk = $2 + 1,"
    "  early_chunk = NULL, problem = NULL,"
    "  posted = posted + $3, already_posted = already_posted + $4, waiting = waiting + $5,"
    "  unmatched = unmatched + $6, absent = absent + $7, rejected = rejected + $8,"
    "  status = CASE WHEN $2 + 1 = chunks_total THEN 'done' ELSE status END,"
    "  done_at = CASE WHEN $2 + 1 = chunks_total THEN $9 ELSE done_at END"
    "  WHERE upload_id = $1 AND next_chunk = $2 AND status = 'posting'"
    "   AND undo_at IS NULL AND coalesce(early_chunk, -1) = $10 RETURNING upload_no)"
    " SELECT mamis.expect_rows(1, count(*)) FROM taken",
};

/* All arrays have one length, so that they go side by side; in FROM each would be stored first. */
static const struct db_stmt insert_ledger = {
    "credit_insert_ledger",
    "INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
    "                           half_units, revision, programme, kind)"
    " SELECT unnest($3::bigint[]), unnest($4::bigint[]), $1, $2, unnest($5::int[]),"
    "        unnest($6::date[]), unnest($7::smallint[]), unnest($8::smallint[]),"
    "        unnest($9::text[]), unnest($10::text[])",
};

static const struct db_stmt update_chunk = {
    "credit_update_chunk",
    "UPDATE credit.upload_chunk SET posted_row = $3, posted_line = $4, posted_doctor = $5,"
    "  posted_session = $6, posted_kinds = $7, reasons = $8"
    " WHERE upload_no = $1 AND chunk_no = $2",
};

/* From the chunks: the rows may be a million, each with its problems written out. */
static const struct db_stmt select_reasons = {
    "credit_select_reasons",
    "SELECT r.one ->> 0, r.one ->> 1, sum((r.one ->> 2)::bigint)::bigint"
    " FROM credit.upload u JOIN credit.upload_chunk c USING (upload_no)"
    " CROSS JOIN LATERAL jsonb_array_elements(c.reasons) AS r (one)"
    " WHERE u.upload_id = $1 GROUP BY 1, 2",
};

struct db_query *record_reasons_add(struct db_batch *batch, struct uuid upload_id)
{
    struct db_query *query = db_add(batch, &select_reasons);

    db_uuid(query, upload_id);
    return query;
}

const struct attendance_doctor *record_doctor(const struct record *record,
                                              const struct attendance_verdict *verdict)
{
    return verdict->doctor < 0 ? NULL : &record->match->doctors[verdict->doctor];
}

int64_t record_session_id(const struct record *record, const struct attendance_verdict *verdict)
{
    must(verdict->session >= 0);
    return record->upload->seminar.sessions[verdict->session].session_id;
}

/* ---- the upload ---- */

static void add_counts(struct record *record)
{
    static const enum outcome order[] = {OUTCOME_POSTED,  OUTCOME_ALREADY_POSTED,
                                         OUTCOME_WAITING, OUTCOME_UNMATCHED,
                                         OUTCOME_ABSENT,  OUTCOME_REJECTED};
    struct db_query *query = db_add(record->emit.effect, &update_counts);

    db_uuid(query, record->upload->id);
    db_i32(query, (int32_t)record->chunk->chunk_no);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        db_i64(query, record->verdicts->outcomes[order[i]]);
        record->upload->counts[order[i]] += record->verdicts->outcomes[order[i]];
    }
    db_time(query, clock_now_us());
    db_i32(query, (int32_t)record->upload->early_chunk);
}

/* ---- the ledger ---- */

static void entries_init(struct record_entries *entries, struct arena *arena, size_t most)
{
    entries->count = 0;
    entries->doctor = arena_array(arena, int64_t, most);
    entries->session_id = arena_array(arena, int64_t, most);
    entries->place = arena_array(arena, uint32_t, most);
    entries->row_no = arena_array(arena, int32_t, most);
    entries->held_on = arena_array(arena, day_t, most);
    entries->half_units = arena_array(arena, int16_t, most);
    entries->revision = arena_array(arena, int16_t, most);
    entries->programme = arena_array(arena, struct str, most);
    entries->kind = arena_array(arena, struct str, most);
}

static void entry_put(struct record_entries *entries, const struct record *record,
                      const struct attendance_verdict *verdict, uint32_t row_no,
                      const struct attendance_credit *credit)
{
    size_t at = entries->count++;
    uint32_t place = (uint32_t)verdict->session;
    enum kind kind = (enum kind)credit->kind;
    enum programme programme = kind_programme(kind);
    int64_t doctor_id = record_doctor(record, verdict)->doctor_id;

    entries->doctor[at] = doctor_id;
    entries->session_id[at] = record_session_id(record, verdict);
    entries->place[at] = place;
    entries->row_no[at] = (int32_t)row_no;
    entries->held_on[at] = record->upload->words[place].held_on;
    entries->half_units[at] = credit->half_units;
    entries->revision[at] = match_revision(record->match, doctor_id, place, programme);
    entries->programme[at] = str_of(programme_code(programme));
    entries->kind[at] = str_of(kind_code(kind));
}

/* A verdict that posts. */
struct posting {
    int64_t doctor_id;
    size_t at;
};

static int by_doctor(const void *left, const void *right)
{
    const struct posting *one = left;
    const struct posting *other = right;

    if (one->doctor_id != other->doctor_id)
        return one->doctor_id < other->doctor_id ? -1 : 1;
    return (one->at > other->at) - (one->at < other->at);
}

/* By doctor, as those who hear of it go through them, and within a session the ledger's key. */
static void entries_fill(struct record *record)
{
    const struct attendance_verdicts *verdicts = record->verdicts;
    struct record_entries *entries = &record->entries;
    struct posting *postings =
        arena_array(record->arena, struct posting, verdicts->outcomes[OUTCOME_POSTED]);
    size_t count = 0;

    for (size_t i = 0; i < verdicts->count; i++) {
        if (verdicts->list[i].outcome == OUTCOME_POSTED)
            postings[count++] =
                (struct posting){record_doctor(record, &verdicts->list[i])->doctor_id, i};
    }
    qsort(postings, count, sizeof(*postings), by_doctor);
    entries_init(entries, record->arena, verdicts->credit_count);
    for (size_t i = 0; i < count; i++) {
        const struct attendance_verdict *verdict = &verdicts->list[postings[i].at];

        for (uint32_t c = 0; c < verdict->credit_count; c++)
            entry_put(entries, record, verdict, record->rows->list[postings[i].at].row_no,
                      &verdicts->credits[verdict->credit + c]);
    }
}

static void add_ledger(const struct record *record)
{
    const struct record_entries *entries = &record->entries;
    const int64_t posted_us = clock_now_us();
    struct db_query *query;

    if (entries->count == 0 || record->upload->dry_run)
        return;
    query = db_add(record->emit.effect, &insert_ledger);
    db_i64(query, record->upload->no);
    db_time(query, posted_us);
    db_i64_array(query, entries->doctor, entries->count);
    db_i64_array(query, entries->session_id, entries->count);
    db_i32_array(query, entries->row_no, entries->count);
    db_day_array(query, entries->held_on, entries->count);
    db_i16_array(query, entries->half_units, entries->count);
    db_i16_array(query, entries->revision, entries->count);
    db_text_array(query, entries->programme, entries->count);
    db_text_array(query, entries->kind, entries->count);
    credit_chain_add(record->emit.effect,
                     &(struct chain_columns){
                         .count = entries->count,
                         .doctor = entries->doctor,
                         .session_id = entries->session_id,
                         .row_no = entries->row_no,
                         .held_on = entries->held_on,
                         .half_units = entries->half_units,
                         .revision = entries->revision,
                         .programme = entries->programme,
                         .kind = entries->kind,
                     },
                     record->upload->no, posted_us, record->arena);
}

/* ---- reasons ---- */

/* One more row of (outcome, reason); the table is short: one line for each reason there is. */
static void count_reason(struct record *record, struct str outcome, struct str reason, int64_t rows)
{
    struct event_upload_done_reason *list = record->reason_list;
    size_t at = 0;

    while (at < record->reason_count &&
           (!str_eq(list[at].outcome, outcome) || !str_eq(list[at].reason, reason)))
        at++;
    if (at == record->reason_count)
        list[record->reason_count++] = (struct event_upload_done_reason){outcome, reason, 0};
    list[at].rows += rows;
}

static void count_reasons(struct record *record)
{
    record->reason_list =
        arena_array(record->arena, struct event_upload_done_reason, CODE_COUNT + OUTCOME_COUNT);
    for (size_t i = 0; i < record->verdicts->count; i++) {
        const struct attendance_verdict *verdict = &record->verdicts->list[i];

        if (verdict->outcome != OUTCOME_POSTED)
            count_reason(
                record, str_of(outcome_name((enum outcome)verdict->outcome)),
                verdict->reason == CODE_NONE ? STR_NONE : str_of(code_name(verdict->reason)), 1);
    }
}

/* Names of ours only: nothing in them wants escaping. */
static struct str reasons_json(const struct record *record)
{
    struct buf json = {0};
    struct str copy;

    buf_add_char(&json, '[');
    for (size_t i = 0; i < record->reason_count; i++) {
        const struct event_upload_done_reason *reason = &record->reason_list[i];

        buf_printf(&json, "%s[\"%.*s\",", i == 0 ? "" : ",", STR_ARG(reason->outcome));
        if (reason->reason.data == NULL)
            buf_add_c(&json, "null");
        else
            buf_printf(&json, "\"%.*s\"", STR_ARG(reason->reason));
        buf_printf(&json, ",%lld]", (long long)reason->rows);
    }
    buf_add_char(&json, ']');
    copy = arena_str(record->arena, buf_str(&json));
    buf_free(&json);
    return copy;
}

/* ---- the chunk: its posted rows ---- */

/* "OPL-S/CME-015": a dry run has no ledger entries that would tell. */
static struct str kinds_text(const struct record *record, const struct attendance_verdict *verdict)
{
    const char *text = "";

    for (uint32_t i = 0; i < verdict->credit_count; i++)
        text =
            arena_printf(record->arena, "%s%s%s", text, i > 0 ? "/" : "",
                         kind_code((enum kind)record->verdicts->credits[verdict->credit + i].kind));
    return str_of(text);
}

static void add_chunk(const struct record *record)
{
    const struct attendance_verdicts *verdicts = record->verdicts;
    const bool dry_run = record->upload->dry_run;
    size_t most = verdicts->outcomes[OUTCOME_POSTED];
    int32_t *row = arena_array(record->arena, int32_t, most);
    int32_t *line = arena_array(record->arena, int32_t, most);
    int64_t *doctor = arena_array(record->arena, int64_t, most);
    int64_t *session = arena_array(record->arena, int64_t, most);
    struct str *kinds = arena_array(record->arena, struct str, most);
    struct db_query *query = db_add(record->emit.effect, &update_chunk);
    size_t count = 0;

    for (size_t i = 0; i < verdicts->count; i++) {
        const struct attendance_verdict *verdict = &verdicts->list[i];

        if (verdict->outcome != OUTCOME_POSTED)
            continue;
        row[count] = (int32_t)record->rows->list[i].row_no;
        line[count] = (int32_t)record->rows->list[i].line_no;
        doctor[count] = record_doctor(record, verdict)->doctor_id;
        kinds[count] = dry_run ? kinds_text(record, verdict) : STR_NONE;
        session[count++] = record_session_id(record, verdict);
    }
    db_i64(query, record->upload->no);
    db_i32(query, (int32_t)record->chunk->chunk_no);
    db_i32_array(query, row, count);
    db_i32_array(query, line, count);
    db_i64_array(query, doctor, count);
    db_i64_array(query, session, count);
    if (dry_run)
        db_text_array(query, kinds, count);
    else
        db_null(query);
    db_json(query, reasons_json(record));
}

/* ---- events ---- */

static void record_done(struct record *record)
{
    for (size_t i = 0; i < db_rows(record->reasons); i++)
        count_reason(record, db_get_text(record->reasons, i, 0), db_get_text(record->reasons, i, 1),
                     db_get_i64(record->reasons, i, 2));
    emit_done(&record->emit, record->reason_list, record->reason_count);
}

void record_ledger(struct record *record)
{
    entries_fill(record);
    add_ledger(record);
}

void record_entries(struct record *record)
{
    add_counts(record);
    record_ledger(record);
    count_reasons(record);
    add_chunk(record);
    record_notes(record);
}

void record_posted(struct record *record)
{
    const struct record_entries *entries = &record->entries;

    emit_posted(&record->emit, record->chunk->chunk_no, record->after_end,
                &(struct emit_entries){
                    .count = entries->count,
                    .doctor_ids = entries->doctor,
                    .places = entries->place,
                    .kinds = entries->kind,
                    .half_units = entries->half_units,
                    .revisions = entries->revision,
                },
                record->arena);
}

void record_events(struct record *record)
{
    record_posted(record);
    if (record->next != NULL)
        emit_chunk(&record->emit, record->next);
    if (record->after_next != NULL)
        emit_chunk(&record->emit, record->after_next);
    if (record->reasons != NULL)
        record_done(record);
}
