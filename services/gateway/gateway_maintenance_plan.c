/* gateway_maintenance_plan: the calendar of maintenance, and commands that change it. */
#include "gateway/gateway_command.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_maintenance);
ENDPOINT(plan_maintenance);
ENDPOINT(change_maintenance);
ENDPOINT(end_maintenance);

enum list_step { LIST_ASK, LIST_TOLD };

static const struct db_stmt list_windows = {
    "gateway_list_maintenance",
    "SELECT json_build_object('items', coalesce(json_agg(portal.maintenance_json(window_id, $1)"
    " ORDER BY starts_at DESC), '[]'))::text FROM (SELECT window_id, starts_at"
    "  FROM portal.maintenance WHERE ends_at > $1 - interval '1 year'"
    "  ORDER BY starts_at DESC LIMIT 200) AS recent",
};

void endpoint_list_maintenance(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum list_step)flow->step) {
    case LIST_ASK:
        call->batch = db_batch_read(flow->arena);
        call->query = db_add(call->batch, &list_windows);
        db_time(call->query, call->now_us);
        call_run(call, LIST_TOLD);
        return;
    case LIST_TOLD:
        call_json(call, 200, db_get_text(call->query, 0, 0));
        return;
    }
    must(false);
}

/* All of them have one key: they come one after another. */
static struct command maintenance_command(struct call *call, const char *type, unsigned status)
{
    (void)call;
    return (struct command){
        .type = type,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .key = STR("maintenance"),
        .status = status,
        .operation_id = uuid_new(),
    };
}

static struct str actor(struct call *call)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(call->who.account_id, id);
    return str_of(arena_strdup(call->flow.arena, id));
}

/* Bodies of both have the same members. */
#define PLAN_EVENT(call_arg, command_arg, body_arg, id, known_arg)                                 \
    (struct event_maintenance_plan)                                                                \
    {                                                                                              \
        .operation_id = (command_arg)->operation_id, .actor = actor(call_arg), .window_id = (id),  \
        .known = (known_arg), .starts_at = (body_arg)->starts_at, .ends_at = (body_arg)->ends_at,  \
        .note = (body_arg)->note,                                                                  \
        .note_en = (body_arg)->note_en.data != NULL ? (body_arg)->note_en : STR("")                \
    }

void endpoint_plan_maintenance(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_plan_maintenance body;
    struct command command = maintenance_command(call, EVENT_MAINTENANCE_PLAN, 201);

    if (!CALL_BODY(call, plan_maintenance, &body))
        return;
    const struct event_maintenance_plan event =
        PLAN_EVENT(call, &command, &body, uuid_new(), false);
    command.data = event_maintenance_plan_encode(&event);
    command_accept(call, &command);
}

void endpoint_change_maintenance(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_change_maintenance body;
    struct command command = maintenance_command(call, EVENT_MAINTENANCE_PLAN, 200);

    if (!CALL_BODY(call, change_maintenance, &body))
        return;
    const struct event_maintenance_plan event =
        PLAN_EVENT(call, &command, &body, call_id(call, "window_id"), true);
    command.data = event_maintenance_plan_encode(&event);
    command_accept(call, &command);
}

void endpoint_end_maintenance(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct command command = maintenance_command(call, EVENT_MAINTENANCE_END, 200);
    const struct event_maintenance_end event = {.operation_id = command.operation_id,
                                                .actor = actor(call),
                                                .window_id = call_id(call, "window_id")};

    command.data = event_maintenance_end_encode(&event);
    command_accept(call, &command);
}
