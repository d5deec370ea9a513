/*
 * credit_post: one chunk of an upload, from its pointer to one transaction: read, match, judge,
 * record. Safe to repeat from any step: nothing is written before the last one.
 */
#include <string.h>

#include "credit/credit_judge.h"
#include "credit/credit_problems.h"
#include "credit/credit_record.h"

enum post_step {
    POST_LOAD,
    POST_ROWS,
    POST_JUDGE,
    POST_ENTRIES,
    POST_OUTCOMES,
    POST_EVENTS,
};

struct post {
    struct flow flow;
    struct credit *credit;
    struct work_batch *batch; /* the message; its effect is what this flow fills */
    uint64_t begun_us;
    struct event_upload_chunk pointer;
    struct upload_query query;
    struct db_query *bytes;
    struct db_query *chunks;  /* this one and the next two */
    struct db_query *doctors; /* what changed */
    struct db_query *reasons;
    bool key_tells; /* what stands is not asked for: see match_key_tells() */
    struct upload upload;
    struct attendance_chunk chunk, next, after_next;
    struct judge judge;
    struct record record;
};

/*
 * The chunk after the one that is due may come first: it is remembered, and the one before sends it
 * again. Any later one is sent anyhow when its turn comes near. A repeated message may lie in
 * another partition and be handled at the same moment as the chunk before: then nothing is noted
 * and the message is looked at anew.
 */
static const struct db_stmt note_early = {
    "credit_note_early",
    "WITH noted AS (UPDATE credit.upload SET early_chunk = $2"
    "  WHERE upload_id = $1 AND next_chunk = $2 - 1 AND status = 'posting' RETURNING upload_no)"
    " SELECT mamis.expect_rows(1, count(*)) FROM noted",
};

static const struct db_stmt note_problem = {
    "credit_note_problem",
    "UPDATE credit.upload SET problem = $2, version = version + 1"
    " WHERE upload_id = $1 AND (status IN ('received', 'reading', 'posting')"
    "  OR (undo_at IS NOT NULL AND status = 'done'))",
};

static void run(struct post *post, struct db_batch *batch)
{
    upload_give_way(batch, post->pointer.length);
    db_run(post->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &post->flow);
}

static void load(struct post *post)
{
    struct db_batch *batch = db_batch_read(post->flow.arena);
    const struct event_upload_chunk *pointer = &post->pointer;

    upload_query_add(&post->query, batch, pointer->upload_id);
    post->bytes = upload_bytes_add(batch, pointer->upload_id, pointer->offset, pointer->length);
    post->chunks =
        upload_chunks_add(batch, pointer->upload_id, pointer->chunk_no, pointer->chunk_no + 2);
    post->doctors = directory_ask(post->credit->directory, batch);
    run(post, batch);
}

/* False when the chunk is not to be posted now. */
static bool is_due(struct post *post)
{
    const struct upload *upload = &post->upload;
    struct db_query *query;

    if (!str_eq_c(upload->status, "posting") || upload->undo ||
        post->pointer.chunk_no < upload->next_chunk)
        return false;
    if (post->pointer.chunk_no == upload->next_chunk)
        return true;
    if (post->pointer.chunk_no > upload->next_chunk + 1)
        return false;
    query = db_add(post->batch->effect, &note_early);
    db_uuid(query, upload->id);
    db_i32(query, (int32_t)post->pointer.chunk_no);
    return false;
}

/* The pointer has to be the one that reading found: the message alone is not trusted. */
static enum err take_chunk(struct post *post)
{
    const struct event_upload_chunk *pointer = &post->pointer;
    struct attendance_chunk *chunk = &post->chunk;

    if (!upload_chunk_take(post->chunks, pointer->chunk_no, chunk) ||
        (int64_t)chunk->offset != pointer->offset || chunk->length != pointer->length ||
        chunk->first_row != pointer->first_row || chunk->first_line != pointer->first_line)
        return err_say(&post->flow.note, ERR_SCHEMA, "the upload has no such chunk %lld",
                       (long long)pointer->chunk_no);
    return ERR_OK;
}

/* The chunk's bytes as rows. */
static enum err parse(struct post *post)
{
    struct str bytes;
    enum err err;

    TRY(take_chunk(post));
    TRY(upload_bytes_take(post->bytes, post->chunk.length, post->flow.arena, &bytes,
                          &post->flow.note));
    TRY(judge_read(&post->judge, &post->upload, &post->chunk, bytes, post->flow.arena,
                   &post->flow.note));
cleanup:
    return err;
}

static bool is_last(const struct post *post)
{
    return post->pointer.chunk_no + 1 == post->upload.chunks_total;
}

/* Compared with what stands, and with the rows of the chunks before. */
static void ask(struct post *post)
{
    struct db_batch *batch = db_batch_read(post->flow.arena);

    judge_ask(&post->judge, post->credit->directory, batch, &post->upload,
              (struct match_span){.key_tells = post->key_tells, .before = post->chunk.first_row},
              post->flow.arena);
    if (is_last(post))
        post->reasons = record_reasons_add(batch, post->upload.id);
    if (db_batch_count(batch) == 0) {
        flow_goto(&post->flow, POST_JUDGE);
        return;
    }
    flow_wait(&post->flow, POST_JUDGE);
    run(post, batch);
}

/*
 * A row that waits to be posted writes nothing that the key would refuse: whether its doctor stands
 * posted has to be asked after all.
 */
static bool has_to_ask(const struct post *post)
{
    return post->key_tells && post->judge.verdicts.outcomes[OUTCOME_WAITING] > 0;
}

static void record(struct post *post)
{
    const int64_t chunk_no = post->pointer.chunk_no;
    struct record *record = &post->record;

    *record = (struct record){
        .emit = {.credit = post->credit,
                 .effect = post->batch->effect,
                 .upload = &post->upload,
                 .trace = post->flow.trace},
        .upload = &post->upload,
        .arena = post->flow.arena,
        .chunk = &post->chunk,
        .header = &post->judge.header,
        .rows = &post->judge.rows,
        .match = &post->judge.match,
        .verdicts = &post->judge.verdicts,
        .waiting_since_us = post->upload.dry_run ? INT64_MIN : post->upload.received_us,
        .reasons = post->reasons,
    };
    if (post->upload.early_chunk == chunk_no + 1 &&
        upload_chunk_take(post->chunks, chunk_no + 1, &post->next))
        record->next = &post->next;
    if (upload_chunk_take(post->chunks, chunk_no + 2, &post->after_next))
        record->after_next = &post->after_next;
    record_entries(record);
}

static void post_run(struct flow *flow)
{
    struct post *post = FLOW_OF(flow, struct post, flow);
    bool complete = false;
    enum err err = ERR_OK;

    switch ((enum post_step)flow->step) {
    case POST_LOAD:
        flow_wait(flow, POST_ROWS);
        load(post);
        return;
    case POST_ROWS:
        TRY(upload_take(&post->query, post->pointer.upload_id, flow->arena, &post->upload,
                        &flow->note));
        if (!is_due(post))
            goto cleanup;
        TRY(directory_take(post->credit->directory, post->doctors, &complete, &flow->note));
        if (!complete) {
            flow_wait(flow, POST_LOAD);
            credit_directory_wait(post->credit, flow);
            return;
        }
        TRY(parse(post));
        post->key_tells =
            !post->batch->conflicted && match_key_tells(&post->judge.header, &post->upload);
        ask(post);
        return;
    case POST_JUDGE:
        TRY(judge_decide(&post->judge, post->credit->directory, &post->upload,
                         post->upload.received_us, flow->arena, &flow->note));
        if (has_to_ask(post)) {
            post->key_tells = false;
            ask(post);
            return;
        }
        flow_goto(flow, POST_ENTRIES);
        return;
    case POST_ENTRIES: /* from here on: what is one transaction with offset and event id */
        record(post);
        flow_goto(flow, POST_OUTCOMES);
        return;
    case POST_OUTCOMES:
        flow_goto(flow, record_rows(&post->record) ? POST_EVENTS : POST_OUTCOMES);
        return;
    case POST_EVENTS:
        record_events(&post->record);
        break;
    }
cleanup:
    flow_end(flow, err);
}

/* What the figures need after the commit, but for a dry run; lives in the batch's arena. */
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

    if (post->upload.dry_run)
        return;
    memcpy(figures->outcomes, post->judge.verdicts.outcomes, sizeof(figures->outcomes));
    for (size_t i = 0; i < post->judge.verdicts.count; i++) {
        if (post->judge.verdicts.list[i].outcome == OUTCOME_POSTED)
            figures->entries += post->judge.verdicts.list[i].credit_count;
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
    const int64_t now_us = clock_now_us();

    if (figures == NULL)
        return;
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        credit->figures.outcomes[i] += figures->outcomes[i];
    credit->figures.entries += figures->entries;
    metric_observe_us(&credit->figures.chunk, clock_mono_us() - figures->begun_us);
    if (figures->last && figures->received_us <= now_us)
        metric_observe_us(&credit->figures.visible, (uint64_t)(now_us - figures->received_us));
}

static void post_done(struct flow *flow)
{
    struct post *post = FLOW_OF(flow, struct post, flow);
    struct flow *waiting = post->batch->flow;
    enum err err = flow->err;

    if (err == ERR_OK && post->judge.verdicts.list != NULL)
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
        upload_give_way(batch->effect, post->pointer.length);
        flow_start(&post->flow, POST_LOAD);
        return;
    }
    post->flow.err = err;
    post_done(&post->flow);
}

void credit_upload_dead(void *service, struct work_batch *batch, const char *reason)
{
    const char *text = json_string_value(json_object_get(batch->messages[0].data, "upload_id"));
    struct uuid upload_id;
    struct db_query *query;

    (void)service;
    LOG_ERROR("upload_stuck", F_STR("upload_id", text), F_STR("reason", reason));
    if (text == NULL || !uuid_parse(str_of(text), &upload_id))
        return;
    query = db_add(batch->effect, &note_problem);
    db_uuid(query, upload_id);
    db_json(query, problem_json_internal(batch->arena));
}
