/*
 * credit_row_record: what becomes of a row that was judged again, all in one transaction: it leaves
 * the rows that did not post and comes back as what it is now. Counts and reasons follow.
 */
#include <stdlib.h>

#include "credit/credit_row.h"

/* First of all: an upload that was undone meanwhile takes nothing more. */
static const struct db_stmt update_counts = {
    "credit_update_row_counts",
    "WITH taken AS (UPDATE credit.upload SET version = version + 1,"
    "  posted = posted + $2, already_posted = already_posted + $3, waiting = waiting + $4,"
    "  unmatched = unmatched + $5, absent = absent + $6, rejected = rejected + $7"
    "  WHERE upload_id = $1 AND status = 'done' AND NOT dry_run"
    "   AND undo_at IS NULL RETURNING upload_no)"
    " SELECT mamis.expect_rows(1, count(*)) FROM taken",
};

static const struct db_stmt delete_row = {
    "credit_delete_row",
    "DELETE FROM credit.upload_row WHERE upload_no = $1 AND row_no = $2",
};

static const struct db_stmt delete_note = {
    "credit_delete_note",
    "DELETE FROM credit.row_note WHERE upload_no = $1 AND row_no = $2",
};

static const struct db_stmt append_posted = {
    "credit_append_posted",
    "UPDATE credit.upload_chunk SET posted_row = coalesce(posted_row, '{}') || $3::int,"
    "  posted_line = coalesce(posted_line, '{}') || $4::int,"
    "  posted_doctor = coalesce(posted_doctor, '{}') || $5::bigint,"
    "  posted_session = coalesce(posted_session, '{}') || $6::bigint"
    " WHERE upload_no = $1 AND chunk_no = $2",
};

static const struct db_stmt keep_fix = {
    "credit_keep_fix",
    "INSERT INTO credit.row_fix (upload_no, row_no, cells, fixed_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (upload_no, row_no) DO UPDATE SET cells = excluded.cells,"
    "  fixed_at = excluded.fixed_at",
};

enum outcome row_outcome_before(const struct row *row)
{
    enum outcome outcome;

    must(outcome_of_name(db_get_text(row->found, 0, 6), &outcome));
    return outcome;
}

static void add_counts(const struct row *row, struct db_batch *effect)
{
    struct db_query *query = db_add(effect, &update_counts);
    const enum outcome before = row_outcome_before(row);

    db_uuid(query, row->upload_id);
    for (int i = 0; i < OUTCOME_COUNT; i++)
        db_i64(query, (i == row_verdict(row)->outcome) - (i == (int)before));
}

static void add_posted(struct row *row)
{
    struct record *record = &row->record;
    struct db_query *query = db_add(record->emit.effect, &append_posted);

    db_i64(query, row->upload.no);
    db_i32(query, (int32_t)row->chunk.chunk_no);
    db_i32(query, (int32_t)row->row_no);
    db_i32(query, (int32_t)row->judge.rows.list[0].line_no);
    db_i64(query, record_doctor(record, row_verdict(row))->doctor_id);
    db_i64(query, record_session_id(record, row_verdict(row)));
    record_ledger(record);
    record_posted(record);
}

static void add_fix(const struct row *row, struct db_batch *effect)
{
    struct db_query *query = db_add(effect, &keep_fix);
    char *text = json_dumps(row->cells, JSON_COMPACT);

    must(text != NULL);
    db_i64(query, row->upload.no);
    db_i32(query, (int32_t)row->row_no);
    db_json(query, str_of(text));
    db_time(query, clock_now_us());
    free(text);
}

/* The doctor and session that rows compared themselves with are still this row's. */
static bool stands_as_before(const struct row *row)
{
    const struct attendance_verdict *verdict = row_verdict(row);

    if (verdict->problem_count > 0 || verdict->outcome == OUTCOME_ABSENT)
        return false;
    return record_doctor(&row->record, verdict)->doctor_id == db_get_i64(row->found, 0, 7) &&
           record_session_id(&row->record, verdict) == db_get_i64(row->found, 0, 8);
}

/* Rows behind this one are judged again, in the order in which one of them now comes first. */
static void release_repeats(const struct row *row, struct db_batch *effect)
{
    if (row->repeats == NULL || stands_as_before(row))
        return;
    for (size_t i = 0; i < db_rows(row->repeats); i++)
        emit_row(row->credit, effect, row->upload.seminar_no, db_get_uuid(row->repeats, i, 0),
                 db_get_i32(row->repeats, i, 1), row->flow.trace);
}

/* Somebody wrote something over it; who asks only that it be judged again mends nothing. */
static bool is_written(const struct row *row)
{
    return row->mended && !attendance_fix_is_empty(&row->fix);
}

/* A row that goes on waiting waits since it began; one that was mended waits from now on. */
static int64_t waiting_since(const struct row *row)
{
    if (is_written(row))
        return clock_now_us();
    return db_is_null(row->found, 0, 9) ? row->upload.received_us : db_get_time(row->found, 0, 9);
}

/* A row counts once in each outcome that it comes to. */
static void count(const struct row *row, struct credit_tally *tally)
{
    if (row_verdict(row)->outcome != (int)row_outcome_before(row))
        tally->outcomes[row_verdict(row)->outcome]++;
    tally->entries += row->record.entries.count;
}

static void delete_kept(const struct row *row, struct db_batch *effect)
{
    const struct db_stmt *const stmts[] = {&delete_row, &delete_note};

    for (size_t i = 0; i < ARRAY_LEN(stmts); i++) {
        struct db_query *query = db_add(effect, stmts[i]);

        db_i64(query, row->upload.no);
        db_i32(query, (int32_t)row->row_no);
    }
}

void row_record(struct row *row, struct db_batch *effect, struct credit_tally *tally)
{
    row->record = (struct record){
        .emit = {.credit = row->credit,
                 .effect = effect,
                 .upload = &row->upload,
                 .trace = row->flow.trace},
        .upload = &row->upload,
        .arena = row->flow.arena,
        .chunk = &row->chunk,
        .header = &row->judge.header,
        .rows = &row->judge.rows,
        .match = &row->judge.match,
        .verdicts = &row->judge.verdicts,
        .after_end = true,
        .waiting_since_us = waiting_since(row),
    };
    add_counts(row, effect);
    delete_kept(row, effect);
    if (row_verdict(row)->outcome == OUTCOME_POSTED)
        add_posted(row);
    else
        must(record_rows(&row->record)); /* one row is done at once */
    record_notes(&row->record);
    record_reasons_again(effect, row->upload.no, &(int32_t){(int32_t)row->chunk.chunk_no}, 1);
    if (is_written(row))
        add_fix(row, effect);
    release_repeats(row, effect);
    count(row, tally);
}
