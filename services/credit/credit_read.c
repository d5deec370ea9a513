/*
 * credit_read: the reading step. Steps of 4 MiB go over the whole file before anything posts: they
 * find encoding, header, refusals, and where the chunks lie. The last step starts the posting.
 * Safe to repeat: what a step leaves behind, and the message of the next one, are one transaction.
 */
#include "credit/credit_read.h"

#include <stdlib.h>
#include <string.h>

enum {
    READ_STEP_BYTES = 4 * 1024 * 1024,
    READ_ASK_BYTES = 1024 * 1024, /* asked for at a time; scanned by part, one a turn of the loop */
};

enum read_step { READ_LOAD, READ_BEGIN, READ_ASK, READ_TAKE, READ_SCAN, READ_HEADER, READ_FINISH };

/* The step that comes next; 0 before the first. */
static int64_t state_step(const struct read *read)
{
    struct read_place place = {.step = 0};

    if (read->upload.scan_state.len >= sizeof(place))
        memcpy(&place, read->upload.scan_state.data, sizeof(place));
    return place.step;
}

/* False when another build kept it. */
static bool state_load(struct read *read)
{
    const struct str kept = read->upload.scan_state;

    return attendance_scan_load(read->scan, (struct str){kept.data + sizeof(struct read_place),
                                                         kept.len - sizeof(struct read_place)});
}

static void keep_chunk(void *arg, const struct attendance_chunk *chunk)
{
    struct read *read = arg;

    buf_add(&read->chunks, chunk, sizeof(*chunk));
}

/* Where to go from here: READ_ASK when there is something to scan, else FLOW_END. */
static int begin(struct read *read)
{
    const struct upload *upload = &read->upload;
    const struct attendance_scan_options options = {
        .chunk_rows_max = ATTENDANCE_CHUNK_ROWS_MAX,
        .chunk_bytes_max = ATTENDANCE_CHUNK_BYTES_MAX,
        .several_sessions = upload->seminar.count > 1,
    };
    const struct attendance_refusal cancelled = {.code = CODE_SEMINAR_CANCELLED};

    if (!str_eq_c(upload->status, "received") && !str_eq_c(upload->status, "reading"))
        return FLOW_END; /* read already */
    if (read->event.step != state_step(read))
        return FLOW_END; /* this step was taken already */
    if (upload->cancelled) {
        read_record_refused(read, &cancelled);
        return FLOW_END;
    }
    read->scan = heap_zero(sizeof(*read->scan));
    if (read->event.step == 0) {
        attendance_scan_init(read->scan, &options);
    } else if (!state_load(read)) {
        read_record_anew(read);
        return FLOW_END;
    }
    read->at = read->event.step * READ_STEP_BYTES;
    read->step_end = read->at + READ_STEP_BYTES;
    if (read->step_end > upload->bytes)
        read->step_end = upload->bytes;
    return READ_ASK;
}

/* Messages of old do not say how long the file is. */
static int64_t bytes_of(const struct read *read)
{
    return read->event.has_bytes ? read->event.bytes : INT64_MAX;
}

static void run(struct read *read, struct db_batch *batch)
{
    upload_give_way(batch, bytes_of(read));
    db_run(read->emit.credit->db, batch, UPLOAD_READ_DEADLINE_MS, &read->flow);
}

static void ask_bytes(struct read *read)
{
    struct db_batch *batch = db_batch_read(read->flow.arena);

    read->asked = read->step_end - read->at;
    if (read->asked > READ_ASK_BYTES)
        read->asked = READ_ASK_BYTES;
    read->bytes = upload_bytes_add(batch, read->upload.id, read->at, read->asked);
    read->at += read->asked;
    read->piece = 0;
    run(read, batch);
}

/* The file, or its next 4 MiB, has been seen: note what it is, or go on with the next step. */
static int end_of_step(struct read *read)
{
    if (read->status == SCAN_MORE && read->at == read->upload.bytes)
        read->status = attendance_scan_end(read->scan, keep_chunk, read);
    switch (read->status) {
    case SCAN_MORE:
        read_record_step(read);
        return FLOW_END;
    case SCAN_REFUSED:
        read_record_refused(read, &read->scan->refusal);
        return FLOW_END;
    case SCAN_DONE:
        return READ_HEADER;
    }
    must(false);
}

/* One part of the file, so that the loop is not held up for long. */
static int scan_piece(struct read *read)
{
    if (read->piece < upload_pieces(read->bytes) && read->status == SCAN_MORE) {
        read->status = attendance_scan_feed(read->scan, upload_piece(read->bytes, read->piece++),
                                            keep_chunk, read);
        return READ_SCAN;
    }
    return read->status == SCAN_MORE && read->at < read->step_end ? READ_ASK : end_of_step(read);
}

static void ask_header(struct read *read)
{
    struct db_batch *batch = db_batch_read(read->flow.arena);

    read->bytes = upload_bytes_add(batch, read->upload.id, (int64_t)read->scan->header_offset,
                                   read->scan->header_len);
    read->pointers = upload_chunks_add(batch, read->upload.id, 0, READ_FIRST_CHUNKS - 1);
    run(read, batch);
}

static void go(struct flow *flow, enum err err, int next)
{
    if (err != ERR_OK || next == FLOW_END)
        flow_end(flow, err);
    else
        flow_goto(flow, next);
}

static void read_run(struct flow *flow)
{
    struct read *read = FLOW_OF(flow, struct read, flow);
    struct db_batch *batch;
    struct str header;
    enum err err;

    switch ((enum read_step)flow->step) {
    case READ_LOAD:
        batch = db_batch_read(flow->arena);
        upload_query_add(&read->query, batch, read->event.upload_id);
        flow_wait(flow, READ_BEGIN);
        run(read, batch);
        return;
    case READ_BEGIN:
        err = upload_take(&read->query, read->event.upload_id, flow->arena, &read->upload,
                          &flow->note);
        go(flow, err, err == ERR_OK ? begin(read) : FLOW_END);
        return;
    case READ_ASK:
        if (read->at == read->step_end) { /* an empty file */
            go(flow, ERR_OK, end_of_step(read));
            return;
        }
        flow_wait(flow, READ_TAKE);
        ask_bytes(read);
        return;
    case READ_TAKE:
        go(flow, upload_bytes_check(read->bytes, read->asked, &flow->note), READ_SCAN);
        return;
    case READ_SCAN:
        go(flow, ERR_OK, scan_piece(read));
        return;
    case READ_HEADER:
        flow_wait(flow, READ_FINISH);
        ask_header(read);
        return;
    case READ_FINISH:
        err = upload_bytes_take(read->bytes, read->scan->header_len, flow->arena, &header,
                                &flow->note);
        if (err == ERR_OK)
            read_record_end(read, header);
        flow_end(flow, err);
        return;
    }
    must(false);
}

static void read_done(struct flow *flow)
{
    struct read *read = FLOW_OF(flow, struct read, flow);
    struct flow *waiting = read->batch->flow;
    enum err err = flow->err;

    waiting->note = flow->note;
    free(read->scan);
    buf_free(&read->chunks);
    /* The effect borrows nothing of the flow: its parameters were copied. */
    flow_fini(flow);
    free(read);
    flow_resume(waiting, err);
}

void credit_read_handle(void *service, struct work_batch *batch)
{
    struct read *read = heap_zero(sizeof(*read));
    enum err err;

    flow_init(&read->flow, ((struct credit *)service)->loop, read_run, read_done,
              batch->messages[0].trace);
    read->batch = batch;
    read->emit = (struct emit){
        .credit = service,
        .effect = batch->effect,
        .upload = &read->upload,
        .trace = read->flow.trace,
    };
    err = event_upload_read_decode(batch->arena, batch->messages[0].data, &read->event,
                                   &read->flow.note);
    if (err == ERR_OK) {
        upload_give_way(batch->effect, bytes_of(read));
        flow_start(&read->flow, READ_LOAD);
        return;
    }
    read->flow.err = err;
    read_done(&read->flow);
}
