/*
 * gateway_upload: attendance is taken as it is, in parts of 256 KiB, each committed singly. The
 * last commit writes the upload with its SHA-256 and the event that starts reading: that is
 * acceptance. Of one upload a part is in memory, and what is read ahead; how many come in at once
 * is bounded by `http_held_bytes_max` and, for each organiser, by `uploads_open_max`.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "attendance/attendance.h"
#include "gateway/gateway_command.h"
#include "gateway/gateway_place.h"
#include "gateway/gateway_upload.h"
#include "gen/events.h"

void endpoint_post_attendance(struct flow *flow);

enum upload_step {
    UPLOAD_LOOK,
    UPLOAD_FOUND,
    UPLOAD_NEXT,
    UPLOAD_GOT,
    UPLOAD_STORE, /* a whole part, if there is one */
    UPLOAD_STORED,
    UPLOAD_ACCEPT,
    UPLOAD_ACCEPTED,
    UPLOAD_UNSURE, /* the last commit failed, or nobody knows */
    UPLOAD_KEY_SEEN,
    UPLOAD_CHECK,
    UPLOAD_CHECKED,
    UPLOAD_BROKEN, /* the body did not come to its end */
};

enum { UPLOAD_CHECKS_MAX = 5, UPLOAD_CHECK_MS = 300, UPLOAD_RETRY_S = 5 };

struct upload {
    struct gateway *gateway;
    struct str seminar_no;
    struct str organiser_code;
    struct uuid upload_id;
    struct place place;
    struct source source;
    crypto_hash_sha256_state hash;
    uint8_t sha256[SECRET_DIGEST_BYTES];
    struct buf piece; /* as it came */
    struct buf file;  /* not yet stored */
    uint64_t bytes;   /* of the file */
    int32_t parts;
    struct arena *part_arena; /* of the part that is being stored */
    bool end;                 /* of the body */
    bool is_long;             /* or of unknown length: it gives way to the others */
    unsigned checks;
    bool doubt;
    struct idempotency key;
    bool repeated; /* the key was there: only compare */
    struct str first_sha256;
    struct db_query *seen;
};

static const struct db_stmt insert_part = {
    "gateway_insert_part",
    "INSERT INTO credit.upload_part (upload_id, part_no, bytes, created_at)"
    " VALUES ($1, $2, $3, $4)",
};
static const struct db_stmt insert_upload = {
    "gateway_insert_upload",
    "INSERT INTO credit.upload (upload_id, seminar_no, organiser_code, account_id, token_id,"
    " file_name, sha256, bytes, received_at, dry_run) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
    "$10)",
};
static const struct db_stmt check_upload = {
    "gateway_check_upload",
    "SELECT 1 FROM portal.upload WHERE upload_id = $1",
};

static void release(void *object)
{
    struct upload *upload = object;

    place_leave(upload->gateway, &upload->place);
    arena_free(upload->part_arena);
    source_fini(&upload->source);
    buf_free(&upload->piece);
    buf_free(&upload->file);
}

/* ---- before the body ---- */

/* As the request declares it; -1: it does not. */
static int64_t declared_bytes(const struct call *call)
{
    int64_t bytes;

    return str_to_i64(http_header(call->request, "Content-Length"), &bytes) ? bytes : -1;
}

/* A hundred long files at once must not stand before a short one, or before a page that opens. */
static void give_way(const struct upload *upload, struct db_batch *batch)
{
    if (upload->is_long)
        db_batch_patient(batch);
}

/* Memory that it may take; a short file, which takes what it has, finds room beside long ones. */
static size_t bytes_held(const struct call *call)
{
    const int64_t bytes = declared_bytes(call);

    if (call_content_type(call, "application/json"))
        return UPLOAD_JSON_COPIES *
               (size_t)(bytes < 0 || bytes > UPLOAD_JSON_BYTES_MAX ? UPLOAD_JSON_BYTES_MAX : bytes);
    return bytes < 0 || bytes > UPLOAD_PART_BYTES ? UPLOAD_PART_BYTES + UPLOAD_AHEAD_BYTES
                                                  : (size_t)bytes;
}

static void look(struct call *call)
{
    struct upload *upload;

    if (!call_hold(call, bytes_held(call)))
        return;
    upload = arena_new_of(call->flow.arena, struct upload);
    call->state = upload;
    upload->gateway = call->gateway;
    upload->is_long = declared_bytes(call) < 0 || attendance_is_long(declared_bytes(call));
    arena_defer(call->flow.arena, release, upload);
    upload->upload_id = uuid_new();
    upload->seminar_no = call_text(call, "seminar_no");
    upload->key.key = call_idempotency_key(call);
    upload->key.route = arena_printf(call->flow.arena, "%s%s", call_route(call),
                                     call_flag(call, "dry_run") ? "?dry_run" : "");
    upload->key.accepted_id = upload->upload_id;
    upload->place.upload_id = upload->upload_id;
    (void)call_scoped(call);
    place_ask(call, &upload->place, upload->seminar_no);
    if (upload->key.key.data != NULL)
        upload->seen = idempotency_find(call, call->batch, upload->key.route, upload->key.key);
    give_way(upload, call->batch);
    call_run(call, UPLOAD_FOUND);
}

static void note_first(struct upload *upload, const struct db_query *seen)
{
    upload->repeated = true;
    upload->first_sha256 = db_get_bytes(seen, 0, 0);
    upload->upload_id = db_get_uuid(seen, 0, 1);
}

/* What declares itself too large is refused before a byte of it is read. */
static bool declared_too_large(const struct call *call)
{
    const int64_t bytes = declared_bytes(call);

    return bytes > call->gateway->settings->upload_bytes_max &&
           !call_content_type(call, "multipart/form-data");
}

static void too_large(struct call *call)
{
    call_problem_with(call, CODE_FILE_TOO_LARGE, "limit",
                      call_size_text(call->flow.arena, call->gateway->settings->upload_bytes_max));
}

static void found(struct call *call, struct upload *upload)
{
    enum code code;

    if (!place_seminar(&upload->place, &upload->organiser_code)) {
        call_problem_with(call, CODE_SEMINAR_UNKNOWN, "value",
                          arena_str(call->flow.arena, upload->seminar_no).data);
        return;
    }
    if (upload->seen != NULL && db_rows(upload->seen) > 0)
        note_first(upload, upload->seen);
    if (declared_too_large(call)) {
        too_large(call);
        return;
    }
    if (!place_taken(call->gateway, &upload->place) && !upload->repeated) {
        call_problem_later(call, CODE_UPLOADS_TOO_MANY, UPLOAD_RETRY_S);
        return;
    }
    code = source_init(&upload->source, call);
    if (code != CODE_NONE) {
        call_problem_with(call, code, "expected",
                          "text/csv, multipart/form-data, application/json");
        return;
    }
    must(crypto_hash_sha256_init(&upload->hash) == 0);
    flow_goto(&call->flow, UPLOAD_NEXT);
}

/* ---- the body ---- */

static void next(struct call *call, struct upload *upload)
{
    flow_on_error(&call->flow, UPLOAD_BROKEN);
    flow_wait(&call->flow, UPLOAD_GOT);
    http_body_next(call->request, UPLOAD_PART_BYTES, &upload->piece, &upload->end, &call->flow);
}

/* Counts and hashes what came to the file since `from`. False: it is too large. */
static bool measure(struct call *call, struct upload *upload, size_t from)
{
    size_t len = upload->file.len - from;

    upload->bytes += len;
    if (upload->bytes > call->gateway->settings->upload_bytes_max) {
        too_large(call);
        return false;
    }
    if (len > 0)
        must(crypto_hash_sha256_update(&upload->hash,
                                       (const unsigned char *)upload->file.data + from, len) == 0);
    if (upload->repeated)
        buf_clear(&upload->file);
    return true;
}

static void got(struct call *call, struct upload *upload)
{
    size_t from = upload->file.len;
    enum code code = CODE_NONE;

    flow_on_error(&call->flow, FLOW_END);
    if (upload->piece.len > 0)
        code = source_feed(&upload->source, buf_str(&upload->piece), &upload->file);
    buf_free(&upload->piece);
    if (code != CODE_NONE) {
        call_problem(call, code);
        return;
    }
    if (upload->end && !source_end(&upload->source, call, &upload->file))
        return;
    if (measure(call, upload, from))
        flow_goto(&call->flow, UPLOAD_STORE);
}

/* The batch has a copy of its own then: only what comes after the part is kept. */
static void add_part(struct upload *upload, struct db_batch *batch, size_t len)
{
    struct db_query *query = db_add(batch, &insert_part);
    struct buf rest = {0};

    db_uuid(query, upload->upload_id);
    db_i32(query, upload->parts++);
    db_bytes(query, (struct str){upload->file.data, len});
    db_time(query, clock_now_us());
    if (len < upload->file.len)
        buf_add(&rest, upload->file.data + len, upload->file.len - len);
    buf_free(&upload->file);
    upload->file = rest;
}

static void store(struct call *call, struct upload *upload)
{
    struct flow *flow = &call->flow;

    arena_free(upload->part_arena);
    upload->part_arena = NULL;
    if (upload->file.len < UPLOAD_PART_BYTES || upload->repeated) {
        flow_goto(flow, upload->end ? UPLOAD_ACCEPT : UPLOAD_NEXT);
        return;
    }
    upload->part_arena = arena_new();
    call->batch = db_batch_new(upload->part_arena);
    add_part(upload, call->batch, UPLOAD_PART_BYTES);
    flow_wait(flow, UPLOAD_STORED);
    give_way(upload, call->batch);
    db_run(call->gateway->db, call->batch, GATEWAY_WRITE_MS, flow);
}

/* ---- acceptance ---- */

static void answer(struct call *call, const struct upload *upload)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(upload->upload_id, id);
    http_set_header(call->request, "Location",
                    arena_printf(call->flow.arena, "/api/v1/uploads/%s", id));
    call_json(call, 202,
              str_of(arena_printf(
                  call->flow.arena,
                  "{\"upload_id\":\"%s\",\"status\":\"received\",\"seminar_no\":\"%.*s\"}", id,
                  STR_ARG(upload->seminar_no))));
}

static void compare(struct call *call, const struct upload *upload)
{
    if (str_eq(upload->first_sha256,
               (struct str){(const char *)upload->sha256, SECRET_DIGEST_BYTES}))
        answer(call, upload);
    else
        call_problem(call, CODE_IDEMPOTENCY_CONFLICT);
}

static void add_upload(struct call *call, struct upload *upload, struct db_batch *batch)
{
    struct db_query *query = db_add(batch, &insert_upload);

    db_uuid(query, upload->upload_id);
    db_text(query, upload->seminar_no);
    db_text(query, upload->organiser_code);
    if (call->who.token) {
        db_null(query);
        db_uuid(query, call->who.token_id);
    } else {
        db_uuid(query, call->who.account_id);
        db_null(query);
    }
    db_text(query, source_file_name(&upload->source, call));
    db_bytes(query, (struct str){(const char *)upload->sha256, SECRET_DIGEST_BYTES});
    db_i64(query, (int64_t)upload->bytes);
    db_time(query, clock_now_us());
    db_bool(query, call_flag(call, "dry_run"));
}

static void commit(struct call *call, struct upload *upload)
{
    const struct event_upload_read read = {
        .upload_id = upload->upload_id,
        .step = 0,
        .bytes = (int64_t)upload->bytes,
        .has_bytes = true,
    };
    const struct work_event event = {.type = EVENT_UPLOAD_READ,
                                     .topic = TOPIC_CREDIT_WORK,
                                     .key = upload->seminar_no,
                                     .data = event_upload_read_encode(&read)};

    call->batch = db_batch_new(call->flow.arena);
    if (upload->file.len > 0)
        add_part(upload, call->batch, upload->file.len);
    add_upload(call, upload, call->batch);
    place_give_back(&upload->place, call->batch);
    if (upload->key.key.data != NULL) {
        memcpy(upload->key.body_sha256, upload->sha256, sizeof(upload->sha256));
        idempotency_add(call, call->batch, &upload->key);
    }
    (void)work_emit(call->gateway->work, call->batch, &event, call->flow.trace);
    give_way(upload, call->batch);
    flow_on_error(&call->flow, UPLOAD_UNSURE);
    flow_wait(&call->flow, UPLOAD_ACCEPTED);
    work_run(call->gateway->work, call->batch, GATEWAY_WRITE_MS, &call->flow);
}

static void whole(struct call *call, struct upload *upload)
{
    must(crypto_hash_sha256_final(&upload->hash, upload->sha256) == 0);
    if (upload->repeated)
        compare(call, upload);
    else
        commit(call, upload);
}

static void accepted(struct call *call, struct upload *upload)
{
    struct gateway_figures *figures = &call->gateway->figures;

    place_done(call->gateway, &upload->place);
    figures->uploads++;
    figures->upload_bytes += upload->bytes;
    LOG_INFO("upload_accepted", F_TEXT("seminar_no", upload->seminar_no),
             F_I64("bytes", upload->bytes));
    answer(call, upload);
}

/*
 * The same key came twice at once (the key's row tells which upload it is), or the answer to the
 * commit was lost (the upload's row tells whether it is there).
 */
static void unsure(struct call *call, struct upload *upload)
{
    enum err err = call->flow.err;

    call->flow.err = ERR_OK;
    if (!upload->doubt && err == ERR_DB_CONFLICT && upload->key.key.data != NULL) {
        call->batch = db_batch_read(call->flow.arena);
        upload->seen = idempotency_find(call, call->batch, upload->key.route, upload->key.key);
        call_run(call, UPLOAD_KEY_SEEN);
        return;
    }
    upload->doubt = upload->doubt || err == ERR_DB_UNKNOWN || err == ERR_TIMEOUT;
    if (!upload->doubt) {
        flow_end(&call->flow, err);
    } else if (upload->checks++ < UPLOAD_CHECKS_MAX) {
        flow_wait(&call->flow, UPLOAD_CHECK);
        flow_sleep(&call->flow, UPLOAD_CHECK_MS);
    } else {
        call_problem(call, CODE_OUTCOME_UNKNOWN);
    }
}

static void check(struct call *call, struct upload *upload)
{
    call->query = db_add(call_scoped(call), &check_upload);
    db_uuid(call->query, upload->upload_id);
    flow_on_error(&call->flow, UPLOAD_UNSURE);
    call_run(call, UPLOAD_CHECKED);
}

static void broken(struct call *call)
{
    enum err err = call->flow.err;

    call->flow.err = ERR_OK;
    if (err == ERR_BODY_TOO_LARGE)
        too_large(call);
    else
        flow_end(&call->flow, err);
}

void endpoint_post_attendance(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct upload *upload = call->state;

    switch ((enum upload_step)flow->step) {
    case UPLOAD_LOOK:
        look(call);
        return;
    case UPLOAD_FOUND:
        found(call, upload);
        return;
    case UPLOAD_NEXT:
        next(call, upload);
        return;
    case UPLOAD_GOT:
        got(call, upload);
        return;
    case UPLOAD_STORE:
    case UPLOAD_STORED:
        store(call, upload);
        return;
    case UPLOAD_ACCEPT:
        whole(call, upload);
        return;
    case UPLOAD_ACCEPTED:
        accepted(call, upload);
        return;
    case UPLOAD_UNSURE:
        unsure(call, upload);
        return;
    case UPLOAD_KEY_SEEN:
        if (db_rows(upload->seen) == 0) {
            flow_end(flow, ERR_DB_CONFLICT);
            return;
        }
        note_first(upload, upload->seen);
        compare(call, upload);
        return;
    case UPLOAD_CHECK:
        check(call, upload);
        return;
    case UPLOAD_CHECKED:
        if (db_rows(call->query) > 0)
            accepted(call, upload);
        else
            flow_end(flow, ERR_DB_DOWN); /* not committed: nothing was accepted */
        return;
    case UPLOAD_BROKEN:
        broken(call);
        return;
    }
    must(false);
}
