/* gateway_procedure_bulk: many plain procedures approved by one command. */
#include "gateway/gateway_command.h"
#include "gateway/gateway_procedure.h"
#include "gen/events.h"

void endpoint_approve_procedures(struct flow *flow);

enum bulk_step { BULK_BODY, BULK_SEEN };

struct bulk {
    struct event_procedure_approve event;
    struct event_procedure_approve_item *items; /* of the event */
};

/* What others have is not there for the actor; whether one is plain, its own view says. */
static const struct db_stmt look_at = {
    "gateway_look_at_procedures",
    "SELECT p.procedure_id IS NOT NULL, coalesce((p.item ->> 'plain')::boolean, false)"
    " FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (procedure_id, place)"
    " LEFT JOIN portal.procedure p USING (procedure_id) ORDER BY wanted.place",
};

static void look(struct call *call)
{
    struct bulk *bulk = arena_new_of(call->flow.arena, struct bulk);
    struct body_approve_procedures body;
    struct uuid *ids;

    if (!CALL_BODY(call, approve_procedures, &body))
        return;
    ids = arena_array(call->flow.arena, struct uuid, body.items_count);
    bulk->items =
        arena_array(call->flow.arena, struct event_procedure_approve_item, body.items_count);
    bulk->event = (struct event_procedure_approve){ACTOR_OF(call), .items = bulk->items,
                                                   .items_count = body.items_count};
    for (size_t i = 0; i < body.items_count; i++) {
        ids[i] = body.items[i].procedure_id;
        bulk->items[i] = (struct event_procedure_approve_item){.procedure_id = ids[i],
                                                               .version = body.items[i].version};
    }
    call->state = bulk;
    call->query = db_add(call_scoped(call), &look_at);
    db_uuid_array(call->query, ids, body.items_count);
    call_run(call, BULK_SEEN);
}

static void seen(struct call *call)
{
    struct bulk *bulk = call->state;
    struct command command =
        registration_command(call, EVENT_PROCEDURE_APPROVE, call->who.account_id);

    for (size_t i = 0; i < bulk->event.items_count; i++) {
        bulk->items[i].seen = db_get_bool(call->query, i, 0);
        bulk->items[i].plain = db_get_bool(call->query, i, 1);
    }
    bulk->event.operation_id = command.operation_id;
    command.data = event_procedure_approve_encode(&bulk->event);
    command_accept(call, &command);
}

void endpoint_approve_procedures(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum bulk_step)flow->step) {
    case BULK_BODY:
        look(call);
        return;
    case BULK_SEEN:
        seen(call);
        return;
    }
    must(false);
}
