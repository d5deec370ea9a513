/*
 * gateway_merge: two doctors on record who are one person, or one who has another register number,
 * before officers of the national association. Who may decide what, registration says; here the
 * closed one's sessions end with the acceptance of the confirmation.
 */
#include "domain/numbers.h"
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_merges);
ENDPOINT(list_merge_candidates);
ENDPOINT(compare_doctors);
ENDPOINT(get_merge);
ENDPOINT(propose_merge);
ENDPOINT(propose_register_no);
ENDPOINT(confirm_merge);
ENDPOINT(decline_merge);
ENDPOINT(withdraw_merge);

enum ask_step { ASK, TOLD };

/* ---- reads ---- */

static const struct db_stmt select_merges = {
    "gateway_list_merges",
    "WITH page AS MATERIALIZED (SELECT proposed_at, merge_id, kept_id, closed_id FROM portal.merge"
    "  WHERE ($1::text IS NULL OR state = $1)"
    "   AND ($2::timestamptz IS NULL OR (proposed_at, merge_id) > ($2, $3::uuid))"
    "  ORDER BY proposed_at, merge_id LIMIT $4::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY proposed_at, merge_id LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(m.item ORDER BY m.proposed_at, m.merge_id), '[]')"
    "  FROM shown JOIN portal.merge m USING (merge_id))::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT concat_ws('|', (extract(epoch FROM proposed_at) * 1000000)::bigint, merge_id)"
    "   FROM shown ORDER BY proposed_at DESC, merge_id DESC LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT d.id FROM shown"
    "  CROSS JOIN LATERAL (VALUES (kept_id), (closed_id)) AS d (id) WHERE id IS NOT NULL))",
};

void endpoint_list_merges(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == TOLD)
        reads_answer_list(call, NULL, false);
    else
        reads_ask_by_state(call, &select_merges, TOLD);
}

static const struct db_stmt select_candidates = {
    "gateway_list_merge_candidates",
    "WITH found AS MATERIALIZED (SELECT * FROM portal.merge_candidates($1))"
    " SELECT json_build_object('items', (SELECT coalesce(json_agg(json_build_object("
    "  'same', same, 'first', portal.merge_side(first_id), 'second', portal.merge_side(second_id))"
    "  ORDER BY first_id, second_id), '[]') FROM found))::text,"
    " portal.note_read(ARRAY(SELECT DISTINCT d.id FROM found"
    "  CROSS JOIN LATERAL (VALUES (first_id), (second_id)) AS d (id)))",
};

void endpoint_list_merge_candidates(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == TOLD) {
        call_json(call, 200, db_get_text(call->query, 0, 0));
        return;
    }
    call->query = db_add(call_scoped(call), &select_candidates);
    db_i64(call->query, call_number(call, "limit"));
    call_run(call, TOLD);
}

static const struct db_stmt select_merge = {
    "gateway_get_merge",
    "SELECT item::text, closed_account_id, state, proposed_by,"
    " item -> 'conflicts' @> '[{\"refuses\": true}]',"
    " portal.note_read(array_remove(ARRAY[kept_id, closed_id], NULL))"
    " FROM portal.merge WHERE merge_id = $1",
};

static void ask_merge(struct call *call)
{
    call->query = db_add(call_scoped(call), &select_merge);
    db_uuid(call->query, call_id(call, "merge_id"));
    call_run(call, TOLD);
}

void endpoint_get_merge(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == ASK)
        ask_merge(call);
    else if (db_rows(call->query) == 0)
        call_problem(call, CODE_NOT_FOUND);
    else
        call_json(call, 200, db_get_text(call->query, 0, 0));
}

/* ---- two by their numbers ---- */

struct numbers {
    struct str keep, close; /* as they are stored */
};

static bool read_number(struct call *call, struct str entered, const char *pointer,
                        struct str *ret_number)
{
    const int64_t number = register_no_parse(entered);
    char text[MAMIS_NO_BYTES];

    if (number == NUMBER_NONE) {
        call_field_problem(call, pointer, CODE_REGISTER_NO_FORMAT);
        return false;
    }
    register_no_format(number, text);
    *ret_number = str_of(arena_strdup(call->flow.arena, text));
    return true;
}

static bool read_numbers(struct call *call, struct str keep, struct str close,
                         struct numbers *ret_numbers)
{
    return read_number(call, keep, "/keep_register_no", &ret_numbers->keep) &&
           read_number(call, close, "/close_register_no", &ret_numbers->close);
}

static const struct db_stmt select_compared = {
    "gateway_compare_doctors",
    "SELECT item::text, portal.note_read(ARRAY[kept_id, closed_id])"
    " FROM portal.merge_compared($1, $2)",
};

void endpoint_compare_doctors(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_compare_doctors body;
    struct numbers numbers;

    if (flow->step == ASK) {
        if (!CALL_BODY(call, compare_doctors, &body) ||
            !read_numbers(call, body.keep_register_no, body.close_register_no, &numbers))
            return;
        call->query = db_add(call_scoped(call), &select_compared);
        db_text(call->query, numbers.keep);
        db_text(call->query, numbers.close);
        call_run(call, TOLD);
    } else if (db_rows(call->query) == 0) {
        call_problem(call, CODE_MERGE_UNKNOWN);
    } else {
        call_json(call, 200, db_get_text(call->query, 0, 0));
    }
}

/* ---- commands: one after another, whoever is merged ---- */

static struct command merge_command(const char *type, unsigned status)
{
    return (struct command){
        .type = type,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .key = STR("merge"),
        .status = status,
        .operation_id = uuid_new(),
    };
}

void endpoint_propose_merge(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_propose_merge body;
    struct command command = merge_command(EVENT_MERGE_PROPOSE, 201);
    struct numbers numbers;

    if (!CALL_BODY(call, propose_merge, &body) ||
        !read_numbers(call, body.keep_register_no, body.close_register_no, &numbers))
        return;
    const struct event_merge_propose event = {
        .operation_id = command.operation_id,
        .merge_id = uuid_new(),
        .actor_id = call->who.account_id,
        .actor_role = str_of(role_name(call->who.role)),
        .keep_register_no = numbers.keep,
        .close_register_no = numbers.close,
        .reason = body.reason,
    };
    command.data = event_merge_propose_encode(&event);
    command_accept(call, &command);
}

void endpoint_propose_register_no(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_propose_register_no body;
    struct command command = merge_command(EVENT_DOCTOR_RENUMBER, 201);
    struct str number;

    if (!CALL_BODY(call, propose_register_no, &body) ||
        !read_number(call, body.register_no, "/register_no", &number))
        return;
    if (body.licensed_on != DAY_NONE && body.licensed_on > day_of_us(call->now_us)) {
        call_field_problem(call, "/licensed_on", CODE_DATE_NOT_REAL);
        return;
    }
    const struct event_doctor_renumber event = {
        .operation_id = command.operation_id,
        .merge_id = uuid_new(),
        .actor_id = call->who.account_id,
        .actor_role = str_of(role_name(call->who.role)),
        .mamis_no = call_text(call, "mamis_no"),
        .register_no = number,
        .licensed_on = body.licensed_on,
        .reason = body.reason,
    };
    command.data = event_doctor_renumber_encode(&event);
    command_accept(call, &command);
}

struct decision {
    const char *name;
    struct str reason;
    struct uuid closed_account_id;
    struct db_query *ended; /* sessions */
};

static const struct db_stmt burn_links = {
    "gateway_merge_burn_links",
    "UPDATE gateway.link SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL",
};

static void end_sessions(struct call *call, struct db_batch *batch)
{
    struct decision *decision = call->state;
    struct db_query *query;

    decision->ended = session_end_others(batch, decision->closed_account_id, NULL, call->now_us);
    query = db_add(batch, &burn_links);
    db_uuid(query, decision->closed_account_id);
    db_time(query, call->now_us);
}

static void mark_sessions(struct call *call)
{
    const struct decision *decision = call->state;

    session_mark_all(call->gateway, call->flow.arena, decision->ended);
}

/* Registration will refuse it otherwise: then nobody's session ends. */
static bool will_merge(const struct call *call)
{
    const struct db_query *query = call->query;

    return str_eq_c(db_get_text(query, 0, 2), "open") &&
           !uuid_eq(db_get_uuid(query, 0, 3), call->who.account_id) && !db_is_null(query, 0, 1) &&
           !db_get_bool(query, 0, 4);
}

static void send_decision(struct call *call)
{
    struct decision *decision = call->state;
    struct command command = merge_command(EVENT_MERGE_DECIDE, 200);

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    const struct event_merge_decide event = {
        .operation_id = command.operation_id,
        .merge_id = call_id(call, "merge_id"),
        .actor_id = call->who.account_id,
        .actor_role = str_of(role_name(call->who.role)),
        .decision = str_of(decision->name),
        .reason = decision->reason,
    };
    if (str_eq_c(event.decision, "confirm") && will_merge(call)) {
        decision->closed_account_id = db_get_uuid(call->query, 0, 1);
        command.add = end_sessions;
        command.committed = mark_sessions;
    }
    command.data = event_merge_decide_encode(&event);
    command_accept(call, &command);
}

static void begin_decision(struct call *call, const char *name, struct str reason)
{
    struct decision *decision = call->state = arena_new_of(call->flow.arena, struct decision);

    decision->name = name;
    decision->reason = reason;
    ask_merge(call);
}

#define DECISION_ENDPOINT(operation, name, reason_text)                                            \
    void endpoint_##operation(struct flow *flow)                                                   \
    {                                                                                              \
        struct call *call = CALL_OF(flow);                                                         \
        struct body_##operation body;                                                              \
                                                                                                   \
        if (flow->step == TOLD)                                                                    \
            send_decision(call);                                                                   \
        else if (CALL_BODY(call, operation, &body))                                                \
            begin_decision(call, name, reason_text);                                               \
    }

DECISION_ENDPOINT(confirm_merge, "confirm", body.reason)
DECISION_ENDPOINT(decline_merge, "decline", body.reason)
DECISION_ENDPOINT(withdraw_merge, "withdraw", STR(""))
