/*
 * gateway_reissue: new temporary credentials that a prefecture asks the desk for. The desk's
 * re-issue for the account answers them (gateway_desk_reissue.c); here they are asked for, listed,
 * refused.
 */
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(ask_reissue);
ENDPOINT(refuse_reissue);
ENDPOINT(list_reissues);

void endpoint_ask_reissue(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_ask_reissue body;
    struct command command = registration_command(call, EVENT_REISSUE_ASK, call->who.account_id);

    if (!CALL_BODY(call, ask_reissue, &body))
        return;
    const struct event_reissue_ask event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .reissue_id = uuid_new(),
        .l2_code = call->who.l2_code,
        .register_no = body.register_no,
        .birth_on = body.birth_on,
        .reason = body.reason,
    };
    command.status = 201;
    command.data = event_reissue_ask_encode(&event);
    command_accept(call, &command);
}

void endpoint_refuse_reissue(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_refuse_reissue body;
    struct command command = registration_command(call, EVENT_REISSUE_REFUSE, call->who.account_id);

    if (!CALL_BODY(call, refuse_reissue, &body))
        return;
    const struct event_reissue_refuse event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .role = str_of(role_name(call->who.role)),
        .reissue_id = call_id(call, "reissue_id"),
        .reason = body.reason,
    };
    command.data = event_reissue_refuse_encode(&event);
    command_accept(call, &command);
}

/* ---- the list: who waits longest comes first ---- */

enum list_step { LIST_ASK, LIST_TOLD };

static const struct db_stmt select_reissues = {
    "gateway_list_reissues",
    "WITH page AS MATERIALIZED (SELECT asked_at, reissue_id, doctor_id, item FROM portal.reissue"
    "  WHERE ($1::text IS NULL OR state = $1)"
    "   AND ($2::timestamptz IS NULL OR (asked_at, reissue_id) > ($2, $3::uuid))"
    "  ORDER BY asked_at, reissue_id LIMIT $4::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY asked_at, reissue_id LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(item ORDER BY asked_at, reissue_id), '[]')"
    "  FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT concat_ws('|', (extract(epoch FROM asked_at) * 1000000)::bigint, reissue_id)"
    "   FROM shown ORDER BY asked_at DESC, reissue_id DESC LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT doctor_id FROM shown))",
};

void endpoint_list_reissues(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == LIST_TOLD)
        reads_answer_list(call, NULL, false);
    else
        reads_ask_by_state(call, &select_reissues, LIST_TOLD);
}
