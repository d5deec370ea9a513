/* gateway_transcript_check: GET /transcripts/{code}, for whoever was given a transcript. */
#include "gateway/gateway_command.h"
#include "gateway/gateway_rate.h"
#include "gateway/gateway_throttle.h"
#include "gateway/gateway_transcript.h"

void endpoint_check_transcript(struct flow *flow);

enum { RATE_WINDOW_S = 60 };

enum check_step { CHECK_COUNT, CHECK_READ, CHECK_TOLD };

struct check {
    struct rate rate;
    char code[PAPER_CODE_BYTES];
};

static const struct db_stmt find_transcript = {
    "gateway_find_transcript",
    "SELECT json_build_object('format', format, 'issued_at', portal.rfc3339(issued_at),"
    " 'as_of', portal.rfc3339(as_of), 'name_masked', name_masked, 'programme', programme,"
    " 'from', held_from, 'to', held_to, 'entries', entries, 'totals', totals,"
    " 'totals_by_year', totals_by_year, 'sha256', encode(content_sha256, 'hex'))::text"
    " FROM gateway.transcript WHERE code_sha256 = $1",
};

static void begin(struct call *call)
{
    struct check *check = arena_new_of(call->flow.arena, struct check);

    call->state = check;
    check->rate = (struct rate){
        .what = "transcript_check",
        .whose = throttle_address(call->flow.arena, http_client(call->request)),
        .most = call->gateway->settings->transcript_checks_max,
        .window_s = RATE_WINDOW_S,
    };
    rate_count(call, &check->rate, CHECK_READ);
}

static void look(struct call *call, struct check *check)
{
    uint8_t digest[SECRET_DIGEST_BYTES];

    if (rate_refused(call, &check->rate))
        return;
    if (!paper_code_read(call->flow.arena, call_text(call, "code"), check->code)) {
        call_problem(call, CODE_TRANSCRIPT_CODE_FORMAT);
        return;
    }
    call->gateway->figures.transcript_checks++;
    token_digest(str_of(check->code), digest);
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_transcript);
    db_bytes(call->query, (struct str){(const char *)digest, sizeof(digest)});
    call_run(call, CHECK_TOLD);
}

static void name_kinds(json_t *totals, bool english)
{
    json_t *total;
    size_t i;

    json_array_foreach(totals, i, total)
    {
        const char *code = json_string_value(json_object_get(total, "kind"));
        const char *name = kind_name(kind_of_code(str_of(code)), english);

        must(json_object_set_new(total, "kind_name", json_string(name)) == 0);
    }
}

static void answer(struct call *call, const struct check *check)
{
    json_t *json;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_TRANSCRIPT_UNKNOWN);
        return;
    }
    json = command_json(call->flow.arena, db_get_text(call->query, 0, 0));
    must(json_object_set_new(json, "code", json_string(check->code)) == 0);
    name_kinds(json_object_get(json, "totals"), call->english);
    call_object(call, 200, json_incref(json));
}

void endpoint_check_transcript(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct check *check = call->state;

    switch ((enum check_step)flow->step) {
    case CHECK_COUNT:
        begin(call);
        return;
    case CHECK_READ:
        look(call, check);
        return;
    case CHECK_TOLD:
        answer(call, check);
        return;
    }
    must(false);
}
