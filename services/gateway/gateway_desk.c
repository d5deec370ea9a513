/* gateway_desk: what the office and the call centre do on the accounts of others. */
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_link_pending);
ENDPOINT(link_certification);

/* ---- a command about an account, with its reason ---- */

static void answer_done(struct call *call, json_t *result)
{
    (void)result;
    call_json(call, 200, STR("{}"));
}

static struct event_account_desk desk_event(struct call *call, const char *action,
                                            struct str reason)
{
    return (struct event_account_desk){
        .operation_id = uuid_new(),
        .account_id = call_id(call, "account_id"),
        .actor_id = call->who.account_id,
        .actor_role = str_of(role_name(call->who.role)),
        .action = str_of(action),
        .reason = reason,
        .link_expires_at = INT64_MIN,
    };
}

static struct command desk_command(struct call *call, const struct event_account_desk *event)
{
    char key[UUID_TEXT_BYTES];

    uuid_format(event->account_id, key);
    return (struct command){
        .type = EVENT_ACCOUNT_DESK,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .key = str_of(arena_strdup(call->flow.arena, key)),
        .data = event_account_desk_encode(event),
        .status = 200,
        .operation_id = event->operation_id,
        .answer = answer_done,
    };
}

void endpoint_link_certification(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_link_certification body;
    struct event_account_desk event;
    struct command command;

    if (!CALL_BODY(call, link_certification, &body))
        return;
    event = desk_event(call, "link", body.reason);
    command = desk_command(call, &event);
    command_accept(call, &command);
}

/* ---- whose certification data is not linked yet ---- */

enum list_step { LIST_ASK, LIST_TOLD };

static const struct db_stmt select_link_pending = {
    "gateway_list_link_pending",
    "WITH page AS MATERIALIZED (SELECT * FROM portal.link_pending"
    "  WHERE ($1::date IS NULL OR (coalesce(due_on, '0001-01-01'), account_id) > ($1, $2::uuid))"
    "   AND (NOT $3 OR due_on < $4)"
    "  ORDER BY coalesce(due_on, '0001-01-01'), account_id LIMIT $5::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY coalesce(due_on, '0001-01-01'), account_id"
    "  LIMIT $5::bigint)"
    " SELECT (SELECT coalesce(json_agg(json_build_object('account_id', account_id,"
    "   'mamis_no', mamis_no, 'register_no', register_no, 'name', name, 'name_kana', name_kana,"
    "   'my_page_at', portal.rfc3339(my_page_at), 'due_on', due_on,"
    "   'late', coalesce(due_on < $4, false), 'has_data', has_data)"
    "   ORDER BY coalesce(due_on, '0001-01-01'), account_id), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $5::bigint THEN"
    "  (SELECT concat_ws('|', coalesce(due_on, '0001-01-01'), account_id) FROM shown"
    "   ORDER BY coalesce(due_on, '0001-01-01') DESC, account_id DESC LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT doctor_id FROM shown))",
};

void endpoint_list_link_pending(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct uuid after_id = {{0}};
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    if (cursor.count > 0 &&
        (day_parse(cursor.parts[0]) == DAY_NONE || !uuid_parse(cursor.parts[1], &after_id))) {
        call_cursor_bad(call);
        return;
    }
    call->query = query = db_add(call_scoped(call), &select_link_pending);
    db_day(query, cursor.count == 0 ? DAY_NONE : day_parse(cursor.parts[0]));
    db_uuid(query, after_id);
    db_bool(query, call_flag(call, "late"));
    db_day(query, day_of_us(call->now_us));
    db_i64(query, call_number(call, "limit"));
    call_run(call, LIST_TOLD);
}
