/* gateway_amendment: requests to correct data that a doctor cannot change himself, and answers. */
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(ask_correction);
ENDPOINT(answer_correction);
ENDPOINT(list_corrections);

void endpoint_ask_correction(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_ask_correction body;
    struct command command = registration_command(call, EVENT_CORRECTION_ASK, call->who.account_id);

    if (!CALL_BODY(call, ask_correction, &body))
        return;
    const struct event_correction_ask event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .correction_id = uuid_new(),
        .field = body.field,
        .text = body.text,
    };
    command.status = 201;
    command.data = event_correction_ask_encode(&event);
    command_accept(call, &command);
}

/* ---- offices ---- */

enum answer_step { ANSWER_BODY, ANSWER_FOUND };

static const struct db_stmt find_correction = {
    "gateway_find_correction",
    "SELECT 1 FROM portal.correction WHERE correction_id = $1",
};

void endpoint_answer_correction(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_answer_correction *body = call->state;
    struct command command =
        registration_command(call, EVENT_CORRECTION_ANSWER, call->who.account_id);

    if (flow->step == ANSWER_BODY) {
        body = call->state = arena_new_of(flow->arena, struct body_answer_correction);
        if (!CALL_BODY(call, answer_correction, body))
            return;
        call->query = db_add(call_scoped(call), &find_correction);
        db_uuid(call->query, call_id(call, "correction_id"));
        call_run(call, ANSWER_FOUND);
        return;
    }
    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    const struct event_correction_answer event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .role = str_of(role_name(call->who.role)),
        .l2_code = call->who.role == ROLE_OFFICE_L2 ? call->who.l2_code : STR_NONE,
        .correction_id = call_id(call, "correction_id"),
        .outcome = body->outcome,
        .answer = body->answer,
        .name = body->name,
        .name_kana = body->name_kana,
        .birth_on = body->birth_on,
        .licensed_on = body->licensed_on,
    };
    command.data = event_correction_answer_encode(&event);
    command_accept(call, &command);
}

/* ---- the list: who waits longest comes first ---- */

enum list_step { LIST_ASK, LIST_TOLD };

static const struct db_stmt select_corrections = {
    "gateway_list_corrections",
    "WITH page AS MATERIALIZED (SELECT asked_at, correction_id, doctor_id, item"
    "  FROM portal.correction"
    "  WHERE ($1::text IS NULL OR state = $1)"
    "   AND ($2::timestamptz IS NULL OR (asked_at, correction_id) > ($2, $3::uuid))"
    "  ORDER BY asked_at, correction_id LIMIT $4::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY asked_at, correction_id LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(item ORDER BY asked_at, correction_id), '[]')"
    "  FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT concat_ws('|', (extract(epoch FROM asked_at) * 1000000)::bigint, correction_id)"
    "   FROM shown ORDER BY asked_at DESC, correction_id DESC LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT doctor_id FROM shown))",
};

void endpoint_list_corrections(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == LIST_TOLD)
        reads_answer_list(call, NULL, false);
    else
        reads_ask_by_state(call, &select_corrections, LIST_TOLD);
}
