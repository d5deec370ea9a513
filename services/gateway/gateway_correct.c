/* gateway_correct: commands to credit about what was posted. */
#include "gateway/gateway_command.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(cancel_credit);
ENDPOINT(undo_upload);

enum correct_step { CORRECT_BODY, CORRECT_FOUND };

/* As far as the caller may see it. */
static const struct db_stmt find_credit = {
    "gateway_find_credit",
    "SELECT c.doctor_id, c.session_id, c.programme, c.revision, c.seminar_no, u.upload_id"
    " FROM portal.credit_of($1) AS c"
    " JOIN portal.credit_upload AS u USING (doctor_id, session_id, programme, revision)",
};

static const struct db_stmt find_upload = {
    "gateway_find_upload",
    "SELECT seminar_no FROM portal.upload WHERE upload_id = $1",
};

struct command credit_command(struct call *call, const char *type, struct str seminar_no)
{
    return (struct command){
        .type = type,
        .topic = TOPIC_CREDIT_WORK,
        .key = arena_str(call->flow.arena, seminar_no),
        .status = 200,
        .operation_id = uuid_new(),
    };
}

struct str command_office(const struct call *call)
{
    switch (call->who.role) {
    case ROLE_ORGANISER:
        return call->who.organiser_code;
    case ROLE_OFFICE_L1:
        return call->who.l1_code;
    case ROLE_OFFICE_L2:
        return call->who.l2_code;
    case ROLE_NONE:
    case ROLE_DOCTOR:
    case ROLE_OFFICE_L3:
    case ROLE_CALL_CENTRE:
    case ROLE_ADMIN:
    case ROLE_AUDITOR:
    case ROLE_DELEGATE:
        break;
    }
    return STR("");
}

/* ---- one credit ---- */

static void send_cancel(struct call *call)
{
    const struct body_cancel_credit *body = call->state;
    const struct db_query *found = call->query;
    struct command command;

    if (db_rows(found) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    command = credit_command(call, EVENT_CREDIT_CANCEL, db_get_text(found, 0, 4));
    const struct event_credit_cancel event = {
        .operation_id = command.operation_id,
        .actor_id = who_id(&call->who),
        .role = str_of(role_name(call->who.role)),
        .office_code = command_office(call),
        .reason = body->reason,
        .upload_id = db_get_uuid(found, 0, 5),
        .entry_id = call_text(call, "entry_id"),
        .doctor_id = db_get_i64(found, 0, 0),
        .session_id = db_get_i64(found, 0, 1),
        .programme = db_get_text(found, 0, 2),
        .revision = db_get_i16(found, 0, 3),
    };
    command.data = event_credit_cancel_encode(&event);
    command_accept(call, &command);
}

void endpoint_cancel_credit(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_cancel_credit *body;

    if (flow->step == CORRECT_FOUND) {
        send_cancel(call);
        return;
    }
    body = call->state = arena_new_of(flow->arena, struct body_cancel_credit);
    if (!CALL_BODY(call, cancel_credit, body))
        return;
    call->query = db_add(call_scoped(call), &find_credit);
    db_text(call->query, call_text(call, "entry_id"));
    call_run(call, CORRECT_FOUND);
}

/* ---- a whole upload ---- */

static void send_undo(struct call *call)
{
    const struct body_undo_upload *body = call->state;
    struct command command;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    command = credit_command(call, EVENT_UPLOAD_UNDO, db_get_text(call->query, 0, 0));
    const struct event_upload_undo event = {
        .operation_id = command.operation_id,
        .actor_id = who_id(&call->who),
        .role = str_of(role_name(call->who.role)),
        .office_code = command_office(call),
        .reason = body->reason,
        .upload_id = call_id(call, "upload_id"),
    };
    command.data = event_upload_undo_encode(&event);
    command_accept(call, &command);
}

void endpoint_undo_upload(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_undo_upload *body;

    if (flow->step == CORRECT_FOUND) {
        send_undo(call);
        return;
    }
    body = call->state = arena_new_of(flow->arena, struct body_undo_upload);
    if (!CALL_BODY(call, undo_upload, body))
        return;
    call->query = db_add(call_scoped(call), &find_upload);
    db_uuid(call->query, call_id(call, "upload_id"));
    call_run(call, CORRECT_FOUND);
}
