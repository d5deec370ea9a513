/* gateway_review: commands to renewal: handbook, applications and what offices do with them. */
#include "gateway/gateway_command.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(declare_handbook);
ENDPOINT(submit_application);
ENDPOINT(resubmit_application);
ENDPOINT(verify_handbook);
ENDPOINT(set_fee);
ENDPOINT(forward_application);
ENDPOINT(return_application);
ENDPOINT(reject_application);
ENDPOINT(approve_application);

enum review_step { REVIEW_BODY, REVIEW_FOUND };

static const struct db_stmt find_application = {
    "gateway_find_application",
    "SELECT doctor_id FROM portal.application WHERE application_id = $1",
};

static struct command renewal_command(struct call *call, const char *type, int64_t doctor_id)
{
    return (struct command){
        .type = type,
        .topic = TOPIC_RENEWAL_COMMANDS,
        .key = str_of(arena_printf(call->flow.arena, "%lld", (long long)doctor_id)),
        .status = 200,
        .operation_id = uuid_new(),
    };
}

static struct str role_of(const struct call *call)
{
    return str_of(role_name(call->who.role));
}

/* ---- what doctors send ---- */

void endpoint_declare_handbook(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_declare_handbook body;
    struct event_handbook_declare_line *lines;
    struct command command = renewal_command(call, EVENT_HANDBOOK_DECLARE, call->who.doctor_id);

    if (!CALL_BODY(call, declare_handbook, &body))
        return;
    lines = arena_array(flow->arena, struct event_handbook_declare_line, body.lines_count + 1);
    for (size_t i = 0; i < body.lines_count; i++)
        lines[i] = (struct event_handbook_declare_line){
            body.lines[i].kind, body.lines[i].half_units, body.lines[i].last_on};
    const struct event_handbook_declare event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .role = role_of(call),
        .doctor_id = call->who.doctor_id,
        .programme = body.programme,
        .lines = lines,
        .lines_count = body.lines_count,
    };
    command.data = event_handbook_declare_encode(&event);
    command_accept(call, &command);
}

void endpoint_submit_application(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_submit_application body;
    struct command command = renewal_command(call, EVENT_APPLICATION_SUBMIT, call->who.doctor_id);

    if (!CALL_BODY(call, submit_application, &body))
        return;
    const struct event_application_submit event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .role = role_of(call),
        .doctor_id = call->who.doctor_id,
        .application_id = uuid_new(),
        .programme = body.programme,
    };
    command.status = 201;
    command.data = event_application_submit_encode(&event);
    command_accept(call, &command);
}

/* ---- what is done with an application ---- */

/* The application as far as its doctor, when the actor may see it; else 404 like a missing one. */
static void review(struct flow *flow, struct event_application_review *event)
{
    struct call *call = CALL_OF(flow);

    event->account_id = call->who.account_id;
    event->role = role_of(call);
    event->l2_code = call->who.role == ROLE_OFFICE_L2 ? call->who.l2_code : STR_NONE;
    event->application_id = call_id(call, "application_id");
    call->state = event;
    call->query = db_add(call_scoped(call), &find_application);
    db_uuid(call->query, event->application_id);
    call_run(call, REVIEW_FOUND);
}

static void review_found(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct event_application_review *event = call->state;
    struct command command;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    event->doctor_id = db_get_i64(call->query, 0, 0);
    command = renewal_command(call, EVENT_APPLICATION_REVIEW, event->doctor_id);
    event->operation_id = command.operation_id;
    command.data = event_application_review_encode(event);
    command_accept(call, &command);
}

/*
 * An endpoint that makes a review event of its body: `fill` sets the fields of `event` from `body`.
 */
#define REVIEW_ENDPOINT(name, action_text, fill)                                                   \
    void endpoint_##name(struct flow *flow)                                                        \
    {                                                                                              \
        struct call *call = CALL_OF(flow);                                                         \
        struct event_application_review *event;                                                    \
        struct body_##name body;                                                                   \
                                                                                                   \
        if (flow->step == REVIEW_FOUND) {                                                          \
            review_found(flow);                                                                    \
            return;                                                                                \
        }                                                                                          \
        if (!CALL_BODY(call, name, &body))                                                         \
            return;                                                                                \
        event = arena_new_of(flow->arena, struct event_application_review);                        \
        event->action = STR(action_text);                                                          \
        event->until = DAY_NONE;                                                                   \
        fill;                                                                                      \
        review(flow, event);                                                                       \
    }

static void fill_lines(struct arena *arena, const struct body_verify_handbook *body,
                       struct event_application_review *event)
{
    struct event_application_review_line *lines =
        arena_array(arena, struct event_application_review_line, body->lines_count + 1);

    for (size_t i = 0; i < body->lines_count; i++)
        lines[i] =
            (struct event_application_review_line){body->lines[i].kind, body->lines[i].half_units};
    event->lines = lines;
    event->lines_count = body->lines_count;
}

REVIEW_ENDPOINT(resubmit_application, "resubmit", (void)body)
REVIEW_ENDPOINT(verify_handbook, "verify_handbook", fill_lines(flow->arena, &body, event))
REVIEW_ENDPOINT(set_fee, "set_fee", event->fee = body.fee)
REVIEW_ENDPOINT(forward_application, "forward", event->reason = body.override_reason)
REVIEW_ENDPOINT(return_application, "return", event->reason = body.reason;
                event->until = body.until)
REVIEW_ENDPOINT(reject_application, "reject", event->reason = body.reason)
REVIEW_ENDPOINT(approve_application, "approve", (void)body)
