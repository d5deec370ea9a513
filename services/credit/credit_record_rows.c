/* credit_record_rows: one row of their own for the rows that did not post, and what is noted of
 * any. */
#include "credit/credit_problems.h"
#include "credit/credit_record.h"

static const struct db_stmt insert_rows = {
    "credit_insert_rows",
    "INSERT INTO credit.upload_row (upload_no, row_no, line_no, outcome, reason, problems,"
    "  register_no, name_kana, same_as_row, doctor_id, session_id, credits, suggestion,"
    "  waiting_since)"
    " SELECT $1, n.*, CASE WHEN n.outcome = 'waiting' THEN $14::timestamptz END"
    " FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::jsonb[],"
    "  $7::text[], $8::text[], $9::int[], $10::bigint[], $11::bigint[], $12::jsonb[],"
    "  $13::jsonb[]) AS n (row_no, line_no, outcome, reason, problems, register_no, name_kana,"
    "  same_as_row, doctor_id, session_id, credits, suggestion)",
};

static const struct db_stmt insert_notes = {
    "credit_insert_notes",
    "INSERT INTO credit.row_note (upload_no, row_no, notes)"
    " SELECT $1, n.* FROM unnest($2::int[], $3::jsonb[]) AS n",
};

/* A chunk's rows are few: ATTENDANCE_CHUNK_ROWS_MAX. */
static const struct db_stmt update_reasons = {
    "credit_update_reasons",
    "UPDATE credit.upload_chunk c SET reasons ="
    "  (SELECT coalesce(jsonb_agg(jsonb_build_array(outcome, reason, rows)), '[]') FROM"
    "    (SELECT r.outcome, r.reason, count(*) AS rows FROM credit.upload_row r"
    "     WHERE r.upload_no = c.upload_no"
    "      AND r.row_no BETWEEN c.first_row AND c.first_row + c.row_count - 1"
    "     GROUP BY r.outcome, r.reason) AS counted)"
    " WHERE upload_no = $1 AND chunk_no = ANY($2)",
};

/* Rows in one turn of the loop: their problems are written out as JSON. */
enum { ROWS_AT_ONCE = 200 };

static void columns_init(struct record_columns *columns, struct arena *arena, size_t most)
{
    columns->row_no = arena_array(arena, int32_t, most);
    columns->line_no = arena_array(arena, int32_t, most);
    columns->same_as = arena_array(arena, int64_t, most);
    columns->doctor = arena_array(arena, int64_t, most);
    columns->session = arena_array(arena, int64_t, most);
    columns->outcome = arena_array(arena, struct str, most);
    columns->reason = arena_array(arena, struct str, most);
    columns->problems = arena_array(arena, struct str, most);
    columns->register_no = arena_array(arena, struct str, most);
    columns->name_kana = arena_array(arena, struct str, most);
    columns->credits = arena_array(arena, struct str, most);
    columns->suggestion = arena_array(arena, struct str, most);
}

/*
 * What a waiting row will post: [["OPL-S",4], ...]. NULL where it will post nothing: another row
 * waits for the same already, or it is a dry run.
 */
static struct str credits_json(const struct record *record,
                               const struct attendance_verdict *verdict)
{
    struct buf json = {0};
    struct str copy;

    if (verdict->outcome != OUTCOME_WAITING || verdict->waits_already || record->upload->dry_run)
        return STR_NONE;
    buf_add_char(&json, '[');
    for (uint32_t i = 0; i < verdict->credit_count; i++) {
        const struct attendance_credit *credit = &record->verdicts->credits[verdict->credit + i];

        buf_printf(&json, "%s[\"%s\",%d]", i == 0 ? "" : ",", kind_code((enum kind)credit->kind),
                   credit->half_units);
    }
    buf_add_char(&json, ']');
    copy = arena_str(record->arena, buf_str(&json));
    buf_free(&json);
    return copy;
}

static struct str register_text(struct arena *arena, const struct attendance_doctor *doctor)
{
    if (doctor == NULL || doctor->register_no == NUMBER_NONE)
        return STR_NONE;
    return str_of(arena_printf(arena, "%lld", (long long)doctor->register_no));
}

static void row_put(struct record *record, size_t i)
{
    struct record_columns *columns = &record->columns;
    const struct attendance_verdict *verdict = &record->verdicts->list[i];
    const struct attendance_row *row = &record->rows->list[i];
    const struct attendance_doctor *doctor = record_doctor(record, verdict);
    const struct str kana = row->cells[COLUMN_NAME_KANA];
    /* Only rows that later rows are compared with are found by doctor and session. */
    const bool compared =
        verdict->outcome == OUTCOME_WAITING || verdict->outcome == OUTCOME_ALREADY_POSTED;
    size_t at = columns->count++;

    columns->row_no[at] = (int32_t)row->row_no;
    columns->line_no[at] = (int32_t)row->line_no;
    columns->same_as[at] = verdict->same_as_row == 0 ? INT64_MIN : (int64_t)verdict->same_as_row;
    columns->outcome[at] = str_of(outcome_name((enum outcome)verdict->outcome));
    columns->reason[at] =
        verdict->reason == CODE_NONE ? STR_NONE : str_of(code_name(verdict->reason));
    columns->problems[at] = problems_json(record->arena, record->verdicts, verdict);
    columns->register_no[at] = register_text(record->arena, doctor);
    columns->name_kana[at] = kana.len > 0 ? kana : STR_NONE;
    columns->doctor[at] = compared ? doctor->doctor_id : INT64_MIN;
    columns->session[at] = compared ? record_session_id(record, verdict) : INT64_MIN;
    columns->credits[at] = credits_json(record, verdict);
    columns->suggestion[at] = suggestion_json(record->arena, verdict->suggestion, kana);
}

static void add_rows(struct record *record)
{
    const struct record_columns *columns = &record->columns;
    struct db_query *query = db_add(record->emit.effect, &insert_rows);

    db_i64(query, record->upload->no);
    db_i32_array(query, columns->row_no, columns->count);
    db_i32_array(query, columns->line_no, columns->count);
    db_text_array(query, columns->outcome, columns->count);
    db_text_array(query, columns->reason, columns->count);
    db_json_array(query, columns->problems, columns->count);
    db_text_array(query, columns->register_no, columns->count);
    db_text_array(query, columns->name_kana, columns->count);
    db_i64_null_array(query, columns->same_as, columns->count);
    db_i64_null_array(query, columns->doctor, columns->count);
    db_i64_null_array(query, columns->session, columns->count);
    db_json_array(query, columns->credits, columns->count);
    db_json_array(query, columns->suggestion, columns->count);
    db_time(query, record->waiting_since_us);
}

bool record_rows(struct record *record)
{
    const struct attendance_verdicts *verdicts = record->verdicts;
    const size_t most = verdicts->count - verdicts->outcomes[OUTCOME_POSTED];
    size_t some = 0;

    if (most == 0)
        return true;
    if (record->rows_done == 0)
        columns_init(&record->columns, record->arena, most);
    for (; record->rows_done < verdicts->count && some < ROWS_AT_ONCE; record->rows_done++) {
        if (verdicts->list[record->rows_done].outcome == OUTCOME_POSTED)
            continue;
        row_put(record, record->rows_done);
        some++;
    }
    if (record->rows_done < verdicts->count)
        return false;
    add_rows(record);
    return true;
}

/* Most files have none: then nothing is asked of the database. */
void record_notes(const struct record *record)
{
    const size_t most = record->rows->count;
    int32_t *row_no = NULL;
    struct str *notes = NULL;
    struct db_query *query;
    size_t count = 0;

    for (size_t i = 0; i < most; i++) {
        const struct attendance_row *row = &record->rows->list[i];
        const struct str told =
            notes_json(record->arena, record->header, row, &record->verdicts->list[i]);

        if (told.data == NULL)
            continue;
        if (count == 0) {
            row_no = arena_array(record->arena, int32_t, most - i);
            notes = arena_array(record->arena, struct str, most - i);
        }
        row_no[count] = (int32_t)row->row_no;
        notes[count++] = told;
    }
    if (count == 0)
        return;
    query = db_add(record->emit.effect, &insert_notes);
    db_i64(query, record->upload->no);
    db_i32_array(query, row_no, count);
    db_json_array(query, notes, count);
}

void record_reasons_again(struct db_batch *effect, int64_t upload_no, const int32_t *chunks,
                          size_t count)
{
    struct db_query *query = db_add(effect, &update_reasons);

    db_i64(query, upload_no);
    db_i32_array(query, chunks, count);
}
