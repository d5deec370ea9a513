/*
 * credit_expire: rows of an upload whose doctors did not complete their My Page in time are given
 * up: they become what the strict policy makes of them, and the organiser is told who it was
 * (R-ACC-10). What repeated them in the same file goes with them.
 */
#include <string.h>

#include "credit/credit_audit.h"
#include "credit/credit_problems.h"
#include "credit/credit_record.h"

enum {
    EXPIRE_ROWS_MAX = 200,     /* of one mail; more come with the next message */
    EXPIRE_REPEATS_MAX = 5000, /* of all of them */
};

enum expire_step { EXPIRE_READ, EXPIRE_RECORD };

struct expire {
    struct flow flow;
    struct credit *credit;
    struct work_batch *batch;
    struct event_upload_expire event;
    struct upload_query query;
    struct db_query *rows, *repeats, *behind;
    struct upload upload;
    struct credit_tally tally;
};

/*
 * Doctors who are complete by now get their credits instead: their rows are released, unless the
 * seminar was cancelled meanwhile, for which nothing posts.
 */
#define EXPIRING                                                                                   \
    " FROM (SELECT r.*, d.name_kana AS doctor_kana FROM credit.upload u JOIN credit.upload_row r " \
    "USING (upload_no)"                                                                            \
    "  JOIN credit.doctor d USING (doctor_id)"                                                     \
    "  JOIN credit.seminar s ON s.seminar_no = u.seminar_no"                                       \
    "  WHERE u.upload_id = $1 AND u.status = 'done' AND u.undo_at IS NULL"                         \
    "   AND r.waiting_since < $2 - (SELECT lasts FROM credit.waiting_rule)"                        \
    "   AND (d.my_page NOT IN ('active', 'link_pending', 'closed') OR s.status = 'cancelled')"     \
    "   ORDER BY r.row_no LIMIT $3) AS r"
#define THEIR_CHUNK(row)                                                                           \
    " JOIN credit.upload_chunk c ON c.upload_no = " row ".upload_no"                               \
    "  AND c.first_row <= " row ".row_no AND c.first_row + c.row_count > " row ".row_no"

static const struct db_stmt select_rows = {
    "credit_select_expiring",
    "SELECT r.row_no, c.chunk_no, coalesce(r.name_kana, r.doctor_kana), s.session_no,"
    " (SELECT days FROM credit.waiting_rule)" EXPIRING THEIR_CHUNK(
        "r") " JOIN credit.session s USING (session_id) ORDER BY r.row_no",
};

static const struct db_stmt select_repeats = {
    "credit_select_expiring_repeats",
    "SELECT b.row_no, c.chunk_no" EXPIRING
    " JOIN credit.upload_row b ON b.doctor_id = r.doctor_id AND b.session_id = r.session_id"
    "  AND b.upload_no = r.upload_no AND b.same_as_row = r.row_no" THEIR_CHUNK(
        "b") " ORDER BY b.row_no LIMIT $4",
};

/* Who waits in another upload too, where it was enough that this one posts, waits there now. */
static const struct db_stmt select_behind = {
    "credit_select_expiring_behind",
    "SELECT DISTINCT ON (b.doctor_id, b.session_id) v.upload_id, b.row_no" EXPIRING
    " JOIN credit.upload_row b ON b.doctor_id = r.doctor_id AND b.session_id = r.session_id"
    "  AND b.upload_no <> r.upload_no AND b.outcome = 'waiting' AND b.credits IS NULL"
    " JOIN credit.upload v ON v.upload_no = b.upload_no AND v.status = 'done' AND NOT v.dry_run"
    "  AND v.undo_at IS NULL WHERE r.credits IS NOT NULL"
    " ORDER BY b.doctor_id, b.session_id, b.upload_no, b.row_no",
};

static const struct db_stmt update_rows = {
    "credit_expire_rows",
    "UPDATE credit.upload_row SET outcome = 'rejected', reason = $3, problems = $4,"
    "  same_as_row = NULL, doctor_id = NULL, session_id = NULL, credits = NULL,"
    "  waiting_since = NULL WHERE upload_no = $1 AND row_no = ANY($2)",
};

static const struct db_stmt update_counts = {
    "credit_expire_counts",
    "WITH taken AS (UPDATE credit.upload SET version = version + 1, waiting = waiting - $2,"
    "  already_posted = already_posted - $3, rejected = rejected + $2 + $3"
    "  WHERE upload_id = $1 AND status = 'done' AND NOT dry_run"
    "   AND undo_at IS NULL RETURNING upload_no)"
    " SELECT mamis.expect_rows(1, count(*)) FROM taken",
};

static void ask_rows(struct expire *expire, struct db_batch *batch, struct db_query **ret_query,
                     const struct db_stmt *stmt)
{
    *ret_query = db_add(batch, stmt);
    db_uuid(*ret_query, expire->event.upload_id);
    db_time(*ret_query, clock_now_us());
    db_i64(*ret_query, EXPIRE_ROWS_MAX);
}

static void read_rows(struct expire *expire)
{
    struct db_batch *batch = db_batch_read(expire->flow.arena);

    upload_query_add(&expire->query, batch, expire->event.upload_id);
    ask_rows(expire, batch, &expire->rows, &select_rows);
    ask_rows(expire, batch, &expire->repeats, &select_repeats);
    db_i64(expire->repeats, EXPIRE_REPEATS_MAX);
    ask_rows(expire, batch, &expire->behind, &select_behind);
    db_run(expire->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &expire->flow);
}

/* What the strict policy says of such a row. */
static struct str problem_text(struct arena *arena)
{
    struct attendance_problem problem = {.code = CODE_NO_MY_PAGE_STRICT};
    const struct attendance_verdict verdict = {.problem_count = 1};
    const struct attendance_verdicts verdicts = {.problems = &problem, .problem_count = 1};

    return problems_json(arena, &verdicts, &verdict);
}

/* Row numbers of both lists, and the chunks they lie in, as they come: repeated ones do no harm. */
static void take_numbers(const struct db_query *query, int32_t *rows, int32_t *chunks,
                         size_t *count)
{
    for (size_t i = 0; i < db_rows(query); i++) {
        rows[*count] = db_get_i32(query, i, 0);
        chunks[(*count)++] = db_get_i32(query, i, 1);
    }
}

static void add_rows(struct expire *expire)
{
    struct db_batch *effect = expire->batch->effect;
    struct arena *arena = expire->flow.arena;
    const size_t most = db_rows(expire->rows) + db_rows(expire->repeats);
    int32_t *rows = arena_array(arena, int32_t, most);
    int32_t *chunks = arena_array(arena, int32_t, most);
    size_t count = 0;
    struct db_query *query = db_add(effect, &update_counts);

    db_uuid(query, expire->upload.id);
    db_i64(query, (int64_t)db_rows(expire->rows));
    db_i64(query, (int64_t)db_rows(expire->repeats));
    take_numbers(expire->rows, rows, chunks, &count);
    take_numbers(expire->repeats, rows, chunks, &count);
    query = db_add(effect, &update_rows);
    db_i64(query, expire->upload.no);
    db_i32_array(query, rows, count);
    db_text_c(query, code_name(CODE_NO_MY_PAGE_STRICT));
    db_json(query, problem_text(arena));
    record_reasons_again(effect, expire->upload.no, chunks, count);
}

/* The rows are named; a list of both kinds, as they were changed. */
static void audit(const struct expire *expire)
{
    const struct db_query *const lists[] = {expire->rows, expire->repeats};
    struct buf detail = {0};
    char id[UUID_TEXT_BYTES];

    buf_printf(&detail,
               "{\"rule\":\"R-ACC-10\",\"waiting_days\":%d,\"from\":\"waiting\","
               "\"to\":\"rejected\",\"rows\":[",
               db_get_i32(expire->rows, 0, 4));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (size_t at = 0; at < db_rows(lists[i]); at++)
            buf_printf(&detail, "%s%d", i + at == 0 ? "" : ",", db_get_i32(lists[i], at, 0));
    }
    buf_add_c(&detail, "]}");
    uuid_format(expire->upload.id, id);
    audit_add(expire->batch->effect, NULL, "rows_expire", id, buf_str(&detail));
    buf_free(&detail);
}

static void tell(struct expire *expire)
{
    const size_t count = db_rows(expire->rows);
    struct event_rows_expired_row *rows =
        arena_array(expire->flow.arena, struct event_rows_expired_row, count);
    const struct emit emit = {.credit = expire->credit,
                              .effect = expire->batch->effect,
                              .upload = &expire->upload,
                              .trace = expire->flow.trace};

    for (size_t i = 0; i < count; i++)
        rows[i] = (struct event_rows_expired_row){
            .row_no = db_get_i32(expire->rows, i, 0),
            .name_kana = db_get_text(expire->rows, i, 2),
            .session_no = db_get_text(expire->rows, i, 3),
        };
    emit_expired(&emit, rows, count);
    for (size_t i = 0; i < db_rows(expire->behind); i++)
        emit_row(expire->credit, emit.effect, expire->upload.seminar_no,
                 db_get_uuid(expire->behind, i, 0), db_get_i32(expire->behind, i, 1), emit.trace);
    if (count == EXPIRE_ROWS_MAX)
        emit_expire(expire->credit, emit.effect, expire->upload.seminar_no, expire->upload.id,
                    emit.trace);
}

static void expire_run(struct flow *flow)
{
    struct expire *expire = FLOW_OF(flow, struct expire, flow);
    enum err err = ERR_OK;

    switch ((enum expire_step)flow->step) {
    case EXPIRE_READ:
        flow_wait(flow, EXPIRE_RECORD);
        read_rows(expire);
        return;
    case EXPIRE_RECORD:
        TRY(upload_take(&expire->query, expire->event.upload_id, flow->arena, &expire->upload,
                        &flow->note));
        if (db_rows(expire->rows) == 0)
            break;
        add_rows(expire);
        audit(expire);
        tell(expire);
        expire->tally.outcomes[OUTCOME_REJECTED] =
            (uint32_t)(db_rows(expire->rows) + db_rows(expire->repeats));
        break;
    }
cleanup:
    flow_end(flow, err);
}

static void expire_done(struct flow *flow)
{
    struct expire *expire = FLOW_OF(flow, struct expire, flow);
    struct flow *waiting = expire->batch->flow;
    enum err err = flow->err;

    expire->batch->state = &expire->tally;
    waiting->note = flow->note;
    flow_fini(flow);
    flow_resume(waiting, err);
}

void credit_expire_handle(void *service, struct work_batch *batch)
{
    struct expire *expire = arena_new_of(batch->arena, struct expire);
    enum err err;

    TRY(event_upload_expire_decode(batch->arena, batch->messages[0].data, &expire->event,
                                   &batch->flow->note));
    expire->credit = service;
    expire->batch = batch;
    flow_init(&expire->flow, expire->credit->loop, expire_run, expire_done,
              batch->messages[0].trace);
    flow_start(&expire->flow, EXPIRE_READ);
    return;
cleanup:
    flow_resume(batch->flow, err);
}
