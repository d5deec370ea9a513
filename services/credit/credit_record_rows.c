/* credit_record_rows: one row of their own for the rows that did not post. */
#include "credit/credit_problems.h"
#include "credit/credit_record.h"

static const struct db_stmt insert_rows = {
    "credit_insert_rows",
    "INSERT INTO credit.upload_row (upload_no, row_no, line_no, outcome, reason, problems,"
    "  register_no, name_kana, same_as_row, doctor_id, session_id, credits)"
    " SELECT $1, * FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::jsonb[],"
    "  $7::text[], $8::text[], $9::int[], $10::bigint[], $11::bigint[], $12::jsonb[])",
};

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

static void outcome_put(struct outcomes *outcomes, const struct record *record, size_t i)
{
    const struct attendance_verdict *verdict = &record->verdicts->list[i];
    const struct attendance_row *row = &record->rows->list[i];
    const struct attendance_doctor *doctor = record_doctor(record, verdict);
    const struct str kana = row->cells[COLUMN_NAME_KANA];
    /* Only rows that later rows are compared with are found by doctor and session. */
    const bool compared =
        verdict->outcome == OUTCOME_WAITING || verdict->outcome == OUTCOME_ALREADY_POSTED;
    size_t at = outcomes->count++;

    outcomes->row_no[at] = (int32_t)row->row_no;
    outcomes->line_no[at] = (int32_t)row->line_no;
    outcomes->same_as[at] = verdict->same_as_row == 0 ? INT64_MIN : (int64_t)verdict->same_as_row;
    outcomes->outcome[at] = str_of(outcome_name((enum outcome)verdict->outcome));
    outcomes->reason[at] =
        verdict->reason == CODE_NONE ? STR_NONE : str_of(code_name(verdict->reason));
    outcomes->problems[at] = problems_json(record->arena, record->verdicts, verdict);
    outcomes->register_no[at] = register_text(record->arena, doctor);
    outcomes->name_kana[at] = kana.len > 0 ? kana : STR_NONE;
    outcomes->doctor[at] = compared ? doctor->doctor_id : INT64_MIN;
    outcomes->session[at] = compared ? record_session_id(record, verdict) : INT64_MIN;
    outcomes->credits[at] = credits_json(record, verdict);
}

void record_rows(const struct record *record)
{
    const struct attendance_verdicts *verdicts = record->verdicts;
    size_t most = verdicts->count - verdicts->outcomes[OUTCOME_POSTED];
    struct outcomes outcomes;
    struct db_query *query;

    if (most == 0)
        return;
    outcomes_init(&outcomes, record->arena, most);
    for (size_t i = 0; i < verdicts->count; i++) {
        if (verdicts->list[i].outcome != OUTCOME_POSTED)
            outcome_put(&outcomes, record, i);
    }
    query = db_add(record->emit.effect, &insert_rows);
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
