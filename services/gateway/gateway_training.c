/* gateway_training: a trainee is not to be reminded of the end of training. */
#include "gateway/gateway_command.h"
#include "gateway/gateway_procedure.h"
#include "gen/events.h"

void endpoint_dismiss_training(struct flow *flow);
void endpoint_dismiss_training_for(struct flow *flow);

static void dismiss(struct call *call, struct event_training_dismiss *event)
{
    char key[UUID_TEXT_BYTES];
    struct command command = {
        .type = EVENT_TRAINING_DISMISS,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .status = 200,
        .operation_id = uuid_new(),
    };

    uuid_format(call->who.account_id, key);
    command.key = str_of(arena_strdup(call->flow.arena, key));
    event->operation_id = command.operation_id;
    command.data = event_training_dismiss_encode(event);
    command_accept(call, &command);
}

void endpoint_dismiss_training(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_dismiss_training body;

    if (!CALL_BODY(call, dismiss_training, &body))
        return;
    struct event_training_dismiss event = {
        ACTOR_OF(call),
        .birth_on = DAY_NONE,
        .reason = body.reason,
        .training_ends_on = body.training_ends_on,
    };
    dismiss(call, &event);
}

void endpoint_dismiss_training_for(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_dismiss_training_for body;

    if (!CALL_BODY(call, dismiss_training_for, &body))
        return;
    struct event_training_dismiss event = {
        ACTOR_OF(call),        .register_no = body.register_no,           .birth_on = body.birth_on,
        .reason = body.reason, .training_ends_on = body.training_ends_on,
    };
    dismiss(call, &event);
}
