/*
 * gateway_tray: a dry run is posted, a row is mended. Both are commands to the seminar's one
 * writer; here it is only looked whether the caller may see the upload.
 */
#include "gateway/gateway_command.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(post_upload);
ENDPOINT(fix_upload_row);

enum tray_step { TRAY_BODY, TRAY_FOUND };

static const struct db_stmt find_upload = {
    "gateway_find_upload",
    "SELECT seminar_no FROM portal.upload WHERE upload_id = $1",
};

static void look(struct call *call)
{
    call->query = db_add(call_scoped(call), &find_upload);
    db_uuid(call->query, call_id(call, "upload_id"));
    call_run(call, TRAY_FOUND);
}

/* False when it was answered: the caller sees no such upload. */
static bool found(struct call *call)
{
    if (db_rows(call->query) > 0)
        return true;
    call_problem(call, CODE_NOT_FOUND);
    return false;
}

/* ---- a dry run ---- */

static void send_post(struct call *call)
{
    struct command command;
    char id[UUID_TEXT_BYTES];

    if (!found(call))
        return;
    command = credit_command(call, EVENT_UPLOAD_POST, db_get_text(call->query, 0, 0));
    const struct event_upload_post event = {
        .operation_id = command.operation_id,
        .actor_id = who_id(&call->who),
        .role = str_of(role_name(call->who.role)),
        .office_code = command_office(call),
        .upload_id = call_id(call, "upload_id"),
    };
    uuid_format(event.upload_id, id);
    command.status = 202;
    command.location = arena_printf(call->flow.arena, "/api/v1/uploads/%s", id);
    command.data = event_upload_post_encode(&event);
    command_accept(call, &command);
}

void endpoint_post_upload(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_post_upload body;

    if (flow->step == TRAY_FOUND)
        send_post(call);
    else if (CALL_BODY(call, post_upload, &body))
        look(call);
}

/* ---- a row ---- */

enum { CELLS_MAX = 11 };

/* The cells that are named, in the order of the contract; how many. */
static size_t cells_of(const struct body_fix_upload_row *body, struct str columns[CELLS_MAX],
                       struct str values[CELLS_MAX])
{
    const struct {
        const char *name;
        struct str value;
    } cells[CELLS_MAX] = {
        {"seminar_no", body->seminar_no},
        {"session_no", body->session_no},
        {"register_no", body->register_no},
        {"mamis_no", body->mamis_no},
        {"name_kana", body->name_kana},
        {"name", body->name},
        {"kind", body->kind},
        {"units", body->units},
        {"entered_at", body->entered_at},
        {"left_at", body->left_at},
        {"attended", body->attended},
    };
    size_t count = 0;

    for (size_t i = 0; i < CELLS_MAX; i++) {
        if (cells[i].value.data == NULL)
            continue;
        columns[count] = str_of(cells[i].name);
        values[count++] = cells[i].value;
    }
    return count;
}

static void send_fix(struct call *call)
{
    struct str columns[CELLS_MAX];
    struct str values[CELLS_MAX];
    const size_t count = cells_of(call->state, columns, values);
    struct command command;

    if (!found(call))
        return;
    command = credit_command(call, EVENT_ROW_FIX, db_get_text(call->query, 0, 0));
    const struct event_row_fix event = {
        .operation_id = command.operation_id,
        .actor_id = who_id(&call->who),
        .role = str_of(role_name(call->who.role)),
        .office_code = command_office(call),
        .upload_id = call_id(call, "upload_id"),
        .row_no = call_number(call, "row_no"),
        .columns = columns,
        .columns_count = count,
        .values = values,
        .values_count = count,
    };
    command.data = event_row_fix_encode(&event);
    command_accept(call, &command);
}

void endpoint_fix_upload_row(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_fix_upload_row *body;

    if (flow->step == TRAY_FOUND) {
        send_fix(call);
        return;
    }
    body = call->state = arena_new_of(flow->arena, struct body_fix_upload_row);
    if (CALL_BODY(call, fix_upload_row, body))
        look(call);
}
