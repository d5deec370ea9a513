/*
 * gateway_staff: an administrator's desk: accounts of staff of one's own association. Which account
 * may be made, and what may become of one, registration decides; here it is only looked whether the
 * caller sees the account.
 */
#include <stdio.h>

#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "gateway/gateway_staff.h"
#include "gen/events.h"
#include "mail/mail.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_staff);
ENDPOINT(create_staff);
ENDPOINT(invite_staff);
ENDPOINT(suspend_staff);
ENDPOINT(restore_staff);
ENDPOINT(end_staff);

enum staff_step { STAFF_BEGIN, STAFF_TOLD };

enum { LOGIN_BYTES = 32 };

static const struct db_stmt upsert_used = {
    "gateway_staff_used",
    "INSERT INTO gateway.staff_use (account_id, used_at) VALUES ($1, $2)"
    " ON CONFLICT (account_id) DO UPDATE SET used_at = excluded.used_at",
};

void staff_used_add(struct db_batch *batch, struct uuid account_id, int64_t now_us)
{
    struct db_query *query = db_add(batch, &upsert_used);

    db_uuid(query, account_id);
    db_time(query, now_us);
}

/* ---- the list, by name ---- */

static const struct db_stmt select_staff = {
    "gateway_list_staff",
    "WITH page AS MATERIALIZED (SELECT name, account_id, json FROM portal.staff"
    "  WHERE ($1::uuid IS NULL OR (name, account_id) >"
    "   (SELECT s.name, s.account_id FROM portal.staff s WHERE s.account_id = $1))"
    "  ORDER BY name, account_id LIMIT $2::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY name, account_id LIMIT $2::bigint)"
    " SELECT (SELECT coalesce(json_agg(json ORDER BY name, account_id), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $2::bigint THEN"
    "  (SELECT account_id::text FROM shown ORDER BY name DESC, account_id DESC LIMIT 1) END",
};

void endpoint_list_staff(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct cursor cursor;
    struct uuid after;

    if (flow->step == STAFF_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 1, &cursor))
        return;
    if (cursor.count > 0 && !uuid_parse(cursor.parts[0], &after)) {
        call_cursor_bad(call);
        return;
    }
    call->query = db_add(call_scoped(call), &select_staff);
    if (cursor.count == 0)
        db_null(call->query);
    else
        db_uuid(call->query, after);
    db_i64(call->query, call_number(call, "limit"));
    call_run(call, STAFF_TOLD);
}

/* ---- a new account ---- */

struct create {
    struct body_create_staff body;
    struct str code;      /* of the new account's association or organiser; "" for none */
    struct link_new link; /* the invitation */
    struct uuid link_id;
    struct command command;
};

static const struct db_stmt find_office = {
    "gateway_staff_office",
    "SELECT $2 = '' OR portal.office_name($1, $2) IS NOT NULL",
};

static int64_t link_expires_us(const struct call *call)
{
    return call->now_us + (int64_t)call->gateway->settings->invite_link_s * CLOCK_SECOND_US;
}

static void invite_add(struct call *call, struct db_batch *batch)
{
    const struct create *create = call->state;

    link_row_add(call, batch, &create->link, create->link_id);
}

/* Unlike all others, and nothing that could be guessed from a name. */
static struct str new_login(struct arena *arena, struct uuid id)
{
    char text[LOGIN_BYTES];
    const uint8_t *end = id.bytes + sizeof(id.bytes) - 5;

    (void)snprintf(text, sizeof(text), "staff-%02x%02x%02x%02x%02x", end[0], end[1], end[2], end[3],
                   end[4]);
    return str_of(arena_strdup(arena, text));
}

/* Its own for all but system administrators, who name it. */
static struct str code_of(const struct call *call, const struct body_create_staff *body)
{
    if (call->who.role == ROLE_ADMIN)
        return body->code.data == NULL ? STR("") : body->code;
    return str_eq_c(body->role, role_name(call->who.role)) ? command_office(call) : STR("");
}

static bool needs_code(struct str role)
{
    return str_eq_c(role, "organiser") || str_eq_c(role, "office_l1") ||
           str_eq_c(role, "office_l2");
}

static void begin_create(struct call *call)
{
    struct create *create = call->state = arena_new_of(call->flow.arena, struct create);

    if (!CALL_BODY(call, create_staff, &create->body))
        return;
    if (!mail_address_ok(create->body.email)) {
        call_field_problem(call, "/email", CODE_EMAIL_ADDRESS);
        return;
    }
    create->code = code_of(call, &create->body);
    if (call->who.role == ROLE_ADMIN && needs_code(create->body.role) != (create->code.len > 0)) {
        call_field_problem(call, "/code", CODE_STAFF_OFFICE_UNKNOWN);
        return;
    }
    call->query = db_add(call_scoped(call), &find_office);
    db_text(call->query, create->body.role);
    db_text(call->query, create->code);
    call_run(call, STAFF_TOLD);
}

void endpoint_create_staff(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct create *create = call->state;
    struct uuid account_id = uuid_new();

    if (flow->step == STAFF_BEGIN) {
        begin_create(call);
        return;
    }
    if (!db_get_bool(call->query, 0, 0)) {
        call_field_problem(call, "/code", CODE_STAFF_OFFICE_UNKNOWN);
        return;
    }
    create->link_id = uuid_new();
    create->link = (struct link_new){.purpose = LINK_STAFF_INVITE,
                                     .account_id = account_id,
                                     .email = create->body.email,
                                     .good_s = call->gateway->settings->invite_link_s};
    create->command = registration_command(call, EVENT_STAFF_CREATE, account_id);
    const struct event_staff_create event = {
        .operation_id = create->command.operation_id,
        .account_id = account_id,
        .actor_id = call->who.account_id,
        .actor_role = str_of(role_name(call->who.role)),
        .actor_code = command_office(call),
        .name = create->body.name,
        .email = create->body.email,
        .role = create->body.role,
        .code = create->code,
        .administrator = create->body.administrator,
        .unused_days = create->body.unused_days,
        .login_id = new_login(flow->arena, account_id),
        .link_id = create->link_id,
        .link_expires_at = link_expires_us(call),
    };
    create->command.status = 201;
    create->command.add = invite_add;
    create->command.data = event_staff_create_encode(&event);
    command_accept(call, &create->command);
}

/* ---- what becomes of one ---- */

static const struct db_stmt find_staff = {
    "gateway_find_staff",
    "SELECT json ->> 'email' FROM portal.staff WHERE account_id = $1",
};

struct change {
    const char *action;
    struct str reason;
    struct uuid account_id;
    struct create invitation; /* of invite */
    struct db_query *ended;   /* sessions */
};

static void end_sessions(struct call *call, struct db_batch *batch)
{
    struct change *change = call->state;

    change->ended = session_end_others(batch, change->account_id, NULL, call->now_us);
}

static void mark_sessions(struct call *call)
{
    const struct change *change = call->state;

    session_mark_all(call->gateway, call->flow.arena, change->ended);
}

/* Its days begin anew. */
static void note_use(struct call *call, struct db_batch *batch)
{
    const struct change *change = call->state;

    staff_used_add(batch, change->account_id, call->now_us);
}

static void invite_again(struct call *call, struct db_batch *batch)
{
    const struct change *change = call->state;

    link_row_add(call, batch, &change->invitation.link, change->invitation.link_id);
}

static void send_change(struct call *call, const struct command *how)
{
    struct change *change = call->state;
    struct command command;
    bool invites = how->add == invite_again;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    /* Registration refuses it too, but the sessions would have ended by then. */
    if (how->add == end_sessions && uuid_eq(change->account_id, call->who.account_id)) {
        call_problem(call, CODE_STAFF_SELF);
        return;
    }
    change->invitation.link_id = uuid_new();
    change->invitation.link = (struct link_new){.purpose = LINK_STAFF_INVITE,
                                                .account_id = change->account_id,
                                                .email = db_get_text(call->query, 0, 0),
                                                .good_s = call->gateway->settings->invite_link_s};
    command = registration_command(call, EVENT_STAFF_CHANGE, change->account_id);
    const struct event_staff_change event = {
        .operation_id = command.operation_id,
        .account_id = change->account_id,
        .actor_id = call->who.account_id,
        .has_actor_id = true,
        .actor_role = str_of(role_name(call->who.role)),
        .action = str_of(change->action),
        .reason = change->reason.data == NULL ? STR("") : change->reason,
        .link_id = change->invitation.link_id,
        .has_link_id = invites,
        .link_expires_at = invites ? link_expires_us(call) : INT64_MIN,
    };
    command.add = how->add;
    command.committed = how->committed;
    command.data = event_staff_change_encode(&event);
    command_accept(call, &command);
}

static void look(struct call *call, const char *action, struct str reason)
{
    struct change *change = call->state = arena_new_of(call->flow.arena, struct change);

    change->action = action;
    change->reason = reason;
    change->account_id = call_id(call, "account_id");
    call->query = db_add(call_scoped(call), &find_staff);
    db_uuid(call->query, change->account_id);
    call_run(call, STAFF_TOLD);
}

/* An endpoint that looks whether the caller sees the account, then sends the change. */
#define CHANGE_ENDPOINT(operation, action_text, reason_text, ...)                                  \
    void endpoint_##operation(struct flow *flow)                                                   \
    {                                                                                              \
        static const struct command how = {__VA_ARGS__};                                           \
        struct call *call = CALL_OF(flow);                                                         \
        struct body_##operation body;                                                              \
                                                                                                   \
        if (flow->step == STAFF_TOLD)                                                              \
            send_change(call, &how);                                                               \
        else if (CALL_BODY(call, operation, &body))                                                \
            look(call, action_text, reason_text);                                                  \
    }

CHANGE_ENDPOINT(invite_staff, "invite", STR(""), .add = invite_again)
CHANGE_ENDPOINT(suspend_staff, "suspend", body.reason, .add = end_sessions,
                .committed = mark_sessions)
CHANGE_ENDPOINT(restore_staff, "restore", STR(""), .add = note_use)
CHANGE_ENDPOINT(end_staff, "end", body.reason, .add = end_sessions, .committed = mark_sessions)
