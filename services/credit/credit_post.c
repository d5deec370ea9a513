/*
 * credit_post: one chunk of an upload, from its pointer to one transaction: read, match, judge,
 * record. Safe to repeat from any step: nothing is written before the last one.
 */
#include <string.h>

#include "credit/credit_record.h"

enum post_step { POST_LOAD, POST_ROWS, POST_FACTS, POST_RECORD };

struct post {
    struct flow flow;
    struct credit *credit;
    struct work_batch *batch; /* the message; its effect is what this flow fills */
    uint64_t begun_us;
    struct event_upload_chunk pointer;
    struct upload_query query;
    struct db_query *bytes;
    struct db_query *pointers; /* of chunks k + 1 and k + 2 */
    struct db_query *reasons;
    struct upload upload;
    struct attendance_chunk chunk;
    struct attendance_header header;
    struct attendance_rows rows;
    struct attendance_numbers numbers;
    struct match_doctors doctors;
    struct match_facts facts;
    struct match match;
    struct attendance_verdicts verdicts;
};

/* A chunk that came before its turn is remembered; the one before it sends it again. */
static const struct db_stmt note_early = {
    "credit_note_early",
    "UPDATE credit.upload SET early_chunk = $2 WHERE upload_id = $1",
};

static const struct db_stmt note_problem = {
    "credit_note_problem",
    "UPDATE credit.upload SET problem = $2, version = version + 1"
    " WHERE upload_id = $1 AND status IN ('received', 'reading', 'posting')",
};

static void load(struct post *post)
{
    struct db_batch *batch = db_batch_read(post->flow.arena);
    const struct event_upload_chunk *pointer = &post->pointer;

    upload_query_add(&post->query, batch, pointer->upload_id);
    post->bytes = upload_bytes_add(batch, pointer->upload_id, pointer->offset, pointer->length);
    post->pointers = upload_chunks_add(batch, pointer->upload_id, (int32_t)pointer->chunk_no + 1,
                                       (int32_t)pointer->chunk_no + 2);
    db_run(post->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &post->flow);
}

/* False when the chunk is not to be posted now. */
static bool is_due(struct post *post)
{
    const struct upload *upload = &post->upload;
    struct db_query *query;

    if (!str_eq_c(upload->status, "posting") || post->pointer.chunk_no < upload->next_chunk)
        return false;
    if (post->pointer.chunk_no == upload->next_chunk)
        return true;
    query = db_add(post->batch->effect, &note_early);
    db_uuid(query, upload->id);
    db_i32(query, (int32_t)post->pointer.chunk_no);
    return false;
}

/* The chunk's bytes as rows, and the numbers to look doctors up by. */
static enum err parse(struct post *post)
{
    struct arena *arena = post->flow.arena;
    const struct event_upload_chunk *pointer = &post->pointer;
    enum encoding encoding =
        str_eq_c(post->upload.encoding, "cp932") ? ENCODING_CP932 : ENCODING_UTF8;
    struct str bytes;
    enum err err;

    err = upload_bytes_take(post->bytes, pointer->offset, pointer->length, arena, &bytes,
                            &post->flow.note);
    if (err != ERR_OK)
        return err;
    if (post->upload.delimiter.len != 1)
        return err_say(&post->flow.note, ERR_SCHEMA, "the upload has not been read");
    attendance_header_read(arena, post->upload.header, encoding, post->upload.delimiter.data[0],
                           &post->header);
    post->chunk = (struct attendance_chunk){
        .chunk_no = (uint32_t)pointer->chunk_no,
        .first_row = (uint32_t)pointer->first_row,
        .first_line = (uint32_t)pointer->first_line,
        .offset = (uint64_t)pointer->offset,
        .length = (uint32_t)pointer->length,
    };
    attendance_rows_read(arena, &post->header, &post->chunk, bytes, &post->rows);
    attendance_numbers_read(arena, &post->rows, &post->numbers);
    return ERR_OK;
}

static bool is_last(const struct post *post)
{
    return post->pointer.chunk_no + 1 == post->upload.chunks_total;
}

static void ask_doctors(struct post *post)
{
    struct db_batch *batch = db_batch_read(post->flow.arena);

    match_doctors_add(&post->doctors, batch, &post->numbers);
    db_run(post->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &post->flow);
}

static void ask_facts(struct post *post)
{
    struct db_batch *batch = db_batch_read(post->flow.arena);

    match_facts_add(&post->facts, batch, &post->match, &post->upload, post->flow.arena);
    if (is_last(post))
        post->reasons = record_reasons_add(batch, post->upload.id);
    db_run(post->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &post->flow);
}

static void judge(struct post *post)
{
    const struct attendance_case judged = {
        .header = &post->header,
        .rows = &post->rows,
        .numbers = &post->numbers,
        .seminar = &post->upload.seminar,
        .doctors = post->match.doctors,
        .doctor_count = post->match.doctor_count,
        .facts = post->match.facts,
        .fact_count = post->match.fact_count,
        .received_us = post->upload.received_us,
        .reject_no_my_page = strcmp(credit_settings.no_my_page, "reject") == 0,
    };

    attendance_judge(post->flow.arena, &judged, &post->verdicts);
}

static void record(struct post *post)
{
    struct attendance_chunk next;
    struct attendance_chunk after_next;
    bool early = post->upload.early_chunk == (int32_t)post->chunk.chunk_no + 1;
    struct record record = {
        .credit = post->credit,
        .effect = post->batch->effect,
        .arena = post->flow.arena,
        .trace = post->flow.trace,
        .upload = &post->upload,
        .chunk = &post->chunk,
        .header = &post->header,
        .rows = &post->rows,
        .match = &post->match,
        .verdicts = &post->verdicts,
        .reasons = post->reasons,
    };

    if (early && upload_chunk_take(post->pointers, post->chunk.chunk_no + 1, &next))
        record.next = &next;
    if (upload_chunk_take(post->pointers, post->chunk.chunk_no + 2, &after_next))
        record.after_next = &after_next;
    record_chunk(&record);
}

static void post_run(struct flow *flow)
{
    struct post *post = FLOW_OF(flow, struct post, flow);
    enum err err;

    switch ((enum post_step)flow->step) {
    case POST_LOAD:
        flow_wait(flow, POST_ROWS);
        load(post);
        return;
    case POST_ROWS:
        post->upload.id = post->pointer.upload_id;
        err = upload_take(&post->query, &post->upload, flow->arena, &flow->note);
        if (err != ERR_OK || !is_due(post)) {
            flow_end(flow, err);
            return;
        }
        err = parse(post);
        if (err != ERR_OK) {
            flow_end(flow, err);
            return;
        }
        flow_wait(flow, POST_FACTS);
        ask_doctors(post);
        return;
    case POST_FACTS:
        err = match_doctors_take(&post->doctors, &post->match, flow->arena, &flow->note);
        if (err != ERR_OK) {
            flow_end(flow, err);
            return;
        }
        flow_wait(flow, POST_RECORD);
        ask_facts(post);
        return;
    case POST_RECORD: /* offset, event id, entries, outcomes, events: one transaction */
        err = match_facts_take(&post->facts, &post->match, &post->upload, flow->arena, &flow->note);
        if (err == ERR_OK) {
            judge(post);
            record(post);
        }
        flow_end(flow, err);
        return;
    }
    must(false);
}

/* What the figures need after the commit; lives in the batch's arena. */
struct post_figures {
    uint32_t outcomes[OUTCOME_COUNT];
    size_t entries;
    uint64_t begun_us;
    int64_t received_us;
    bool last;
};

static void keep_figures(struct post *post)
{
    struct post_figures *figures = arena_new_of(post->batch->arena, struct post_figures);

    memcpy(figures->outcomes, post->verdicts.outcomes, sizeof(figures->outcomes));
    for (size_t i = 0; i < post->verdicts.count; i++) {
        if (post->verdicts.list[i].outcome == OUTCOME_POSTED)
            figures->entries += post->verdicts.list[i].credit_count;
    }
    figures->begun_us = post->begun_us;
    figures->received_us = post->upload.received_us;
    figures->last = is_last(post);
    post->batch->state = figures;
}

void credit_post_committed(void *service, const struct work_batch *batch)
{
    struct credit *credit = service;
    const struct post_figures *figures = batch->state;

    if (figures == NULL)
        return;
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        credit->figures.outcomes[i] += figures->outcomes[i];
    credit->figures.entries += figures->entries;
    metric_observe_us(&credit->figures.chunk, clock_mono_us() - figures->begun_us);
    if (figures->last)
        metric_observe_us(&credit->figures.visible,
                          (uint64_t)(clock_now_us() - figures->received_us));
}

static void post_done(struct flow *flow)
{
    struct post *post = FLOW_OF(flow, struct post, flow);
    struct flow *waiting = post->batch->flow;
    enum err err = flow->err;

    if (err == ERR_OK && post->verdicts.list != NULL)
        keep_figures(post);
    waiting->note = flow->note;
    /* The effect borrows nothing of the flow: its parameters were copied. */
    flow_fini(flow);
    free(post);
    flow_resume(waiting, err);
}

void credit_post_handle(void *service, struct work_batch *batch)
{
    struct post *post = heap_zero(sizeof(*post));
    enum err err;

    flow_init(&post->flow, ((struct credit *)service)->loop, post_run, post_done,
              batch->messages[0].trace);
    post->credit = service;
    post->batch = batch;
    post->begun_us = clock_mono_us();
    err = event_upload_chunk_decode(batch->arena, batch->messages[0].data, &post->pointer,
                                    &post->flow.note);
    if (err == ERR_OK) {
        flow_start(&post->flow, POST_LOAD);
        return;
    }
    post->flow.err = err;
    post_done(&post->flow);
}

void credit_upload_dead(void *service, struct work_batch *batch, const char *reason)
{
    const json_t *id = json_object_get(batch->messages[0].data, "upload_id");
    const struct code_text *text = code_text(CODE_INTERNAL, false);
    json_t *problem;
    char *json;
    struct uuid upload_id;
    struct db_query *query;

    (void)service;
    LOG_ERROR("upload_stuck", F_STR("upload_id", json_string_value(id)), F_STR("reason", reason));
    if (!uuid_parse(str_of(json_string_value(id)), &upload_id))
        return;
    problem = json_object();
    (void)json_object_set_new(problem, "type", json_string("about:blank"));
    (void)json_object_set_new(problem, "code", json_string(code_name(CODE_INTERNAL)));
    (void)json_object_set_new(problem, "title", json_string(text->title));
    (void)json_object_set_new(problem, "status", json_integer(500));
    (void)json_object_set_new(problem, "detail", json_string(text->detail));
    json = json_dumps(problem, JSON_COMPACT);
    must(json != NULL);
    query = db_add(batch->effect, &note_problem);
    db_uuid(query, upload_id);
    db_json(query, str_of(json));
    free(json);
    json_decref(problem);
}
