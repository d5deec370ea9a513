/* gateway_signup_desk: sign-ups before those who review them, with the copy of the licence. */
#include "gateway/gateway_command.h"
#include "gateway/gateway_document.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_reads.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_signups);
ENDPOINT(get_signup);
ENDPOINT(get_signup_licence);
ENDPOINT(accept_signup);
ENDPOINT(refuse_signup);

enum ask_step { ASK, TOLD };

/* ---- the queue: the longest waiting first ---- */

static const struct db_stmt select_signups = {
    "gateway_list_signups",
    "WITH page AS MATERIALIZED (SELECT * FROM portal.signup"
    "  WHERE ($1::text IS NULL OR status = $1)"
    "   AND ($2::timestamptz IS NULL OR (submitted_at, signup_id) > ($2, $3::uuid))"
    "  ORDER BY submitted_at, signup_id LIMIT $4::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY submitted_at, signup_id LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(json ORDER BY submitted_at, signup_id), '[]')"
    "  FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT concat_ws('|', (extract(epoch FROM submitted_at) * 1000000)::bigint, signup_id)"
    "   FROM shown ORDER BY submitted_at DESC, signup_id DESC LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT known_doctor_id FROM shown"
    "  WHERE known_doctor_id IS NOT NULL)),"
    " portal.note_signup_read(ARRAY(SELECT signup_id FROM shown))",
};

void endpoint_list_signups(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct uuid after_id = {{0}};
    struct cursor cursor;
    struct db_query *query;
    struct str status;

    if (flow->step == TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    if (cursor.count > 0 && !uuid_parse(cursor.parts[1], &after_id)) {
        call_cursor_bad(call);
        return;
    }
    status = call_text(call, "status");
    call->query = query = db_add(call_scoped(call), &select_signups);
    if (status.data == NULL)
        db_null(query);
    else
        db_text(query, status);
    db_time(query, cursor.count == 0 ? INT64_MIN : cursor_number(&cursor, 0));
    db_uuid(query, after_id);
    db_i64(query, call_number(call, "limit"));
    call_run(call, TOLD);
}

/* ---- one ---- */

static const struct db_stmt select_signup = {
    "gateway_get_signup",
    "SELECT json::text, email, portal.note_read(array_remove(ARRAY[known_doctor_id], NULL)),"
    " portal.note_signup_read(ARRAY[signup_id]) FROM portal.signup WHERE signup_id = $1",
};

static void ask(struct call *call, const struct db_stmt *stmt)
{
    call->query = db_add(call_scoped(call), stmt);
    db_uuid(call->query, call_id(call, "signup_id"));
    call_run(call, TOLD);
}

void endpoint_get_signup(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == ASK)
        ask(call, &select_signup);
    else if (db_rows(call->query) == 0)
        call_problem(call, CODE_NOT_FOUND);
    else
        call_json(call, 200, db_get_text(call->query, 0, 0));
}

static const struct db_stmt select_licence = {
    "gateway_get_licence",
    "SELECT d.media_type, d.bytes, portal.note_signup_read(ARRAY[s.signup_id])"
    " FROM gateway.document d JOIN portal.signup s ON s.signup_id = d.document_id"
    " WHERE d.document_id = $1",
};

/* Never shown within the page: what it holds is not ours. */
void endpoint_get_signup_licence(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    char id[UUID_TEXT_BYTES];
    struct str type;

    if (flow->step == ASK) {
        ask(call, &select_licence);
        return;
    }
    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    if (!call_hold(call, db_get_bytes(call->query, 0, 1).len))
        return;
    type = db_get_text(call->query, 0, 0);
    uuid_format(call_id(call, "signup_id"), id);
    http_set_header(call->request, "Content-Disposition",
                    arena_printf(flow->arena, "attachment; filename=\"licence-%.8s.%s\"", id,
                                 document_ending(type)));
    call_file(call, arena_str(flow->arena, type).data, db_get_bytes(call->query, 0, 1));
}

/* ---- decisions ---- */

static void answer_signup(struct call *call, json_t *result)
{
    (void)result;
    call_json(call, 200, STR("{}"));
}

static void add_link(struct call *call, struct db_batch *batch)
{
    const struct link_row *link = call->state;

    if (link != NULL)
        link_row_add(call, batch, &link->link, link->link_id);
}

static void decide(struct call *call, const char *decision, struct str reason)
{
    char key[UUID_TEXT_BYTES];
    struct event_signup_decide event = {
        .operation_id = uuid_new(),
        .signup_id = call_id(call, "signup_id"),
        .actor_id = call->who.account_id,
        .actor_role = str_of(role_name(call->who.role)),
        .decision = str_of(decision),
        .reason = reason,
        .link_expires_at = INT64_MIN,
    };
    struct link_row *link = NULL;
    struct command command = {
        .type = EVENT_SIGNUP_DECIDE,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .status = 200,
        .operation_id = event.operation_id,
        .add = add_link,
        .answer = answer_signup,
    };

    if (str_eq_c(event.decision, "accept")) {
        link = arena_new_of(call->flow.arena, struct link_row);
        link_row_init(call, link, LINK_FIRST_LOGIN, event.signup_id,
                      arena_str(call->flow.arena, db_get_text(call->query, 0, 1)),
                      call->gateway->settings->first_login_link_s);
        event.link_id = link->link_id;
        event.has_link_id = true;
        event.link_expires_at = link->expires_us;
    }
    call->state = link;
    uuid_format(event.signup_id, key);
    command.key = str_of(arena_strdup(call->flow.arena, key));
    command.data = event_signup_decide_encode(&event);
    command_accept(call, &command);
}

#define DECIDE_ENDPOINT(name, decision)                                                            \
    void endpoint_##name(struct flow *flow)                                                        \
    {                                                                                              \
        struct call *call = CALL_OF(flow);                                                         \
        struct body_##name *body = call->state;                                                    \
                                                                                                   \
        if (flow->step == TOLD) {                                                                  \
            if (db_rows(call->query) == 0)                                                         \
                call_problem(call, CODE_NOT_FOUND);                                                \
            else                                                                                   \
                decide(call, decision, body->reason);                                              \
            return;                                                                                \
        }                                                                                          \
        call->state = body = arena_new_of(flow->arena, struct body_##name);                        \
        if (CALL_BODY(call, name, body))                                                           \
            ask(call, &select_signup);                                                             \
    }

DECIDE_ENDPOINT(accept_signup, "accept")
DECIDE_ENDPOINT(refuse_signup, "refuse")
