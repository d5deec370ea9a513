/*
 * gateway_signup: people without a postcard, up to the moment when their sign-up waits for review:
 * identity data, an address that is confirmed by its link, a copy of the licence, which a virus
 * scanner looks at first where there is one. Nothing here says whether somebody has an account
 * already.
 */
#include <sodium.h>
#include <string.h>

#include "domain/numbers.h"
#include "domain/signup.h"
#include "gateway/gateway_command.h"
#include "gateway/gateway_document.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_rate.h"
#include "gateway/gateway_throttle.h"
#include "gateway/gateway_upload.h"
#include "gen/events.h"
#include "mail/mail.h"

void endpoint_start_signup(struct flow *flow);
void endpoint_send_licence(struct flow *flow);

enum { SIGNUPS_PER_ADDRESS_MAX = 3 /* e-mail address, in an hour */, SIGNUP_WINDOW_S = 3600 };

/* ---- POST /signups ---- */

enum start_step { START_BODY, START_COUNTED, START_KNOWN, START_SLEEP, START_ANSWER };

struct start {
    struct body_start_signup body;
    struct rate rate;
    char register_no[REGISTER_NO_BYTES];
};

static const struct db_stmt count_signups = {
    "gateway_count_signups",
    "SELECT count(*) FROM gateway.signup WHERE lower(email) = lower($1)"
    " AND created_at > $2 - interval '1 hour'",
};
static const struct db_stmt insert_signup = {
    "gateway_insert_signup",
    "INSERT INTO gateway.signup (signup_id, email, name, name_kana, sex, birth_on, register_no,"
    " licensed_on, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
};

static bool body_good(struct call *call, struct start *start)
{
    const struct body_start_signup *body = &start->body;
    const struct signup entered = {.name = body->name,
                                   .name_kana = body->name_kana,
                                   .register_no = body->register_no,
                                   .birth_on = body->birth_on,
                                   .licensed_on = body->licensed_on};
    const char *pointer;
    enum code code = signup_check(&entered, day_of_us(call->now_us), &pointer);

    if (code == CODE_NONE && !mail_address_ok(body->email)) {
        pointer = "/email";
        code = CODE_EMAIL_ADDRESS;
    }
    if (code != CODE_NONE)
        call_field_problem(call, pointer, code);
    else
        register_no_format(register_no_parse(body->register_no), start->register_no);
    return code == CODE_NONE;
}

static void begin(struct call *call)
{
    struct start *start = arena_new_of(call->flow.arena, struct start);

    call->state = start;
    if (!CALL_BODY(call, start_signup, &start->body) || !body_good(call, start))
        return;
    start->rate =
        (struct rate){.what = "signup",
                      .whose = throttle_address(call->flow.arena, http_client(call->request)),
                      .most = call->gateway->settings->signups_max,
                      .window_s = SIGNUP_WINDOW_S};
    rate_count(call, &start->rate, START_COUNTED);
}

static void count(struct call *call, struct start *start)
{
    if (rate_refused(call, &start->rate))
        return;
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &count_signups);
    db_text(call->query, start->body.email);
    db_time(call->query, call->now_us);
    call_run(call, START_KNOWN);
}

static void keep(struct call *call, struct start *start)
{
    const struct body_start_signup *body = &start->body;
    const struct link_new link = {.purpose = LINK_SIGNUP_CONFIRM,
                                  .account_id = uuid_new(),
                                  .email = body->email,
                                  .good_s = call->gateway->settings->email_link_s};
    struct db_query *query;

    call->batch = db_batch_new(call->flow.arena);
    query = db_add(call->batch, &insert_signup);
    db_uuid(query, link.account_id);
    db_text(query, body->email);
    db_text(query, body->name);
    db_text(query, body->name_kana);
    db_text(query, body->sex);
    db_day(query, body->birth_on);
    db_text_c(query, start->register_no);
    db_day(query, body->licensed_on);
    db_time(query, call->now_us);
    link_issue(call, call->batch, &link);
    flow_wait(&call->flow, START_SLEEP);
    work_run(call->gateway->work, call->batch, GATEWAY_WRITE_MS, &call->flow);
}

/* The same answer at the same moment, whether a mail went out or not. */
static void sleep_a_while(struct call *call)
{
    uint64_t at_ms = call->since_ms + call->gateway->settings->reset_answer_ms;
    uint64_t now_ms = clock_mono_ms();

    flow_wait(&call->flow, START_ANSWER);
    flow_sleep(&call->flow, at_ms > now_ms ? at_ms - now_ms : 1);
}

void endpoint_start_signup(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct start *start = call->state;

    switch ((enum start_step)flow->step) {
    case START_BODY:
        begin(call);
        return;
    case START_COUNTED:
        count(call, start);
        return;
    case START_KNOWN:
        if (db_get_i64(call->query, 0, 0) < SIGNUPS_PER_ADDRESS_MAX)
            keep(call, start);
        else
            flow_goto(flow, START_SLEEP);
        return;
    case START_SLEEP:
        sleep_a_while(call);
        return;
    case START_ANSWER:
        call_json(call, 202, STR("{}"));
        return;
    }
    must(false);
}

/* ---- POST /signups/licence: the body is the file, the link's secret stands in a header ---- */

enum licence_step {
    LICENCE_LOOK,
    LICENCE_FOUND,
    LICENCE_NEXT,
    LICENCE_GOT,
    LICENCE_BROKEN,
    LICENCE_SCANNED,
    LICENCE_UNSCANNED,
};

enum { LICENCE_PIECE_BYTES = 64 * 1024, LICENCE_RETRY_S = 10, SCANNER_RETRY_S = 30 };

struct licence {
    struct gateway *gateway;
    bool has_place;
    struct link_seen link;
    struct source source;
    struct buf piece, file;
    bool end;
    const char *type;
    struct scan_verdict verdict;
};

static const struct db_stmt find_signup = {
    "gateway_find_signup",
    "SELECT email, name, name_kana, sex, birth_on, register_no, licensed_on FROM gateway.signup"
    " WHERE signup_id = (SELECT account_id FROM gateway.link WHERE link_id = $1"
    "  AND purpose = 'signup_confirm')",
};
static const struct db_stmt insert_document = {
    "gateway_insert_document",
    "INSERT INTO gateway.document (document_id, media_type, sha256, bytes, created_at)"
    " VALUES ($1, $2, $3, $4, $5)",
};

static void release(void *object)
{
    struct licence *licence = object;

    licence->gateway->licences_open -= licence->has_place;
    source_fini(&licence->source);
    buf_free(&licence->piece);
    buf_free(&licence->file);
}

static void look(struct call *call)
{
    struct licence *licence = arena_new_of(call->flow.arena, struct licence);

    call->state = licence;
    licence->gateway = call->gateway;
    arena_defer(call->flow.arena, release, licence);
    call->batch = db_batch_read(call->flow.arena);
    if (!link_see(call, call->batch, call_text(call, "X-Signup-Link"), &licence->link)) {
        call_problem(call, CODE_LINK_INVALID);
        return;
    }
    call->query = db_add(call->batch, &find_signup);
    db_uuid(call->query, licence->link.link_id);
    call_run(call, LICENCE_FOUND);
}

static void too_large(struct call *call)
{
    call_problem_with(call, CODE_DOCUMENT_TOO_LARGE, "limit",
                      call_size_text(call->flow.arena, DOCUMENT_BYTES_MAX));
}

static void found(struct call *call, struct licence *licence)
{
    enum code code = link_judge(call, &licence->link);
    int64_t declared;

    if (code == CODE_NONE &&
        (!str_eq_c(licence->link.purpose, LINK_SIGNUP_CONFIRM) || db_rows(call->query) == 0))
        code = CODE_LINK_INVALID;
    if (code != CODE_NONE) {
        call_problem(call, code);
        return;
    }
    code = source_init(&licence->source, call);
    if (code != CODE_NONE || licence->source.kind == SOURCE_JSON) {
        call_problem_with(call, code != CODE_NONE ? code : CODE_CONTENT_TYPE_BAD, "expected",
                          "application/pdf, image/jpeg, image/png, multipart/form-data");
        return;
    }
    if (licence->source.kind == SOURCE_RAW &&
        str_to_i64(http_header(call->request, "Content-Length"), &declared) &&
        declared > DOCUMENT_BYTES_MAX) {
        too_large(call);
        return;
    }
    if (call->gateway->licences_open >= call->gateway->settings->licences_max) {
        call_problem_later(call, CODE_TOO_MANY_REQUESTS, LICENCE_RETRY_S);
        return;
    }
    call->gateway->licences_open++;
    licence->has_place = true;
    flow_goto(&call->flow, LICENCE_NEXT);
}

static void next(struct call *call, struct licence *licence)
{
    buf_clear(&licence->piece);
    flow_on_error(&call->flow, LICENCE_BROKEN);
    flow_wait(&call->flow, LICENCE_GOT);
    http_body_next(call->request, LICENCE_PIECE_BYTES, &licence->piece, &licence->end, &call->flow);
}

static void add_document(struct call *call, struct db_batch *batch)
{
    const struct licence *licence = call->state;
    struct str file = buf_str(&licence->file);
    uint8_t sha256[SECRET_DIGEST_BYTES];
    struct db_query *query = db_add(batch, &insert_document);

    must(crypto_hash_sha256(sha256, (const unsigned char *)file.data, file.len) == 0);
    db_uuid(query, licence->link.account_id);
    db_text_c(query, licence->type);
    db_bytes(query, (struct str){(const char *)sha256, sizeof(sha256)});
    db_bytes(query, file);
    db_time(query, call->now_us);
    link_burn(call, batch, licence->link.link_id);
}

static void submit(struct call *call, struct licence *licence)
{
    char key[UUID_TEXT_BYTES];
    struct command command = {
        .type = EVENT_SIGNUP_SUBMIT,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .status = 200,
        .operation_id = uuid_new(),
        .add = add_document,
    };
    const struct event_signup_submit event = {
        .operation_id = command.operation_id,
        .signup_id = licence->link.account_id,
        .email = db_get_text(call->query, 0, 0),
        .name = db_get_text(call->query, 0, 1),
        .name_kana = db_get_text(call->query, 0, 2),
        .sex = db_get_text(call->query, 0, 3),
        .birth_on = db_get_day(call->query, 0, 4),
        .register_no = db_get_text(call->query, 0, 5),
        .licensed_on = db_get_day(call->query, 0, 6),
    };

    call->who.account_id = licence->link.account_id; /* whose command it is */
    uuid_format(licence->link.account_id, key);
    command.key = str_of(arena_strdup(call->flow.arena, key));
    command.data = event_signup_submit_encode(&event);
    command_accept(call, &command);
}

/* ---- the scanner: what it has not looked at is not taken ---- */

static void scan(struct call *call, struct licence *licence)
{
    flow_on_error(&call->flow, LICENCE_UNSCANNED);
    flow_wait(&call->flow, LICENCE_SCANNED);
    scan_file(call->gateway->scan, buf_str(&licence->file), &licence->verdict, &call->flow);
}

static void scanned(struct call *call, struct licence *licence)
{
    char id[UUID_TEXT_BYTES];

    flow_on_error(&call->flow, FLOW_END);
    if (!licence->verdict.found) {
        submit(call, licence);
        return;
    }
    uuid_format(licence->link.account_id, id);
    LOG_WARN("document_infected", F_STR("signup_id", id),
             F_STR("signature", licence->verdict.name));
    call_problem(call, CODE_DOCUMENT_INFECTED);
}

static void unscanned(struct call *call)
{
    call_retry_after(call, SCANNER_RETRY_S);
    flow_end(&call->flow, call->flow.err);
}

/* ---- what came, piece by piece ---- */

static void got(struct call *call, struct licence *licence)
{
    enum code code = CODE_NONE;

    flow_on_error(&call->flow, FLOW_END);
    if (licence->piece.len > 0)
        code = source_feed(&licence->source, buf_str(&licence->piece), &licence->file);
    if (code != CODE_NONE) {
        call_problem(call, code);
        return;
    }
    if (licence->file.len > DOCUMENT_BYTES_MAX) {
        too_large(call);
        return;
    }
    if (!licence->end) {
        flow_goto(&call->flow, LICENCE_NEXT);
        return;
    }
    if (!source_end(&licence->source, call, &licence->file))
        return;
    code =
        document_check(licence->file.len > 0 ? buf_str(&licence->file) : STR(""), &licence->type);
    if (code != CODE_NONE)
        call_problem(call, code);
    else if (call->gateway->scan != NULL)
        scan(call, licence);
    else
        submit(call, licence);
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

void endpoint_send_licence(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct licence *licence = call->state;

    switch ((enum licence_step)flow->step) {
    case LICENCE_LOOK:
        look(call);
        return;
    case LICENCE_FOUND:
        found(call, licence);
        return;
    case LICENCE_NEXT:
        next(call, licence);
        return;
    case LICENCE_GOT:
        got(call, licence);
        return;
    case LICENCE_BROKEN:
        broken(call);
        return;
    case LICENCE_SCANNED:
        scanned(call, licence);
        return;
    case LICENCE_UNSCANNED:
        unscanned(call);
        return;
    }
    must(false);
}
