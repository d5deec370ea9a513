/* gateway_delegate: a doctor names delegates and ends it; their reads stand in gateway_lists. */
#include <string.h>

#include "gateway/gateway_command.h"
#include "gateway/gateway_link.h"
#include "gen/events.h"
#include "mail/mail.h"
#include "text/fold.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(invite_delegate);
ENDPOINT(revoke_delegate);
ENDPOINT(resign_delegation);

/* ---- naming one ---- */

enum invite_step { INVITE_BODY, INVITE_COUNTED };

struct invite {
    struct body_invite_delegate body;
    struct link_new link;
};

/* Invitations of this doctor in the last hour: strangers' mailboxes are not to be filled. */
static const struct db_stmt count_invitations = {
    "gateway_count_invitations",
    "SELECT count(*) FROM portal.delegation WHERE doctor_id = portal.scope_id('doctor')"
    " AND invited_at > $1 - interval '1 hour'",
};

/* One account an address, whichever doctor names it first: the id follows from the address. */
static struct uuid account_of_address(struct arena *arena, struct str email)
{
    const char *name = arena_printf(arena, "delegate:%.*s", STR_ARG(fold_header(arena, email)));
    uint8_t digest[SECRET_DIGEST_BYTES];
    struct uuid uuid;

    token_digest(str_of(name), digest);
    memcpy(uuid.bytes, digest, sizeof(uuid.bytes));
    uuid.bytes[6] = (uint8_t)(0x80 | (uuid.bytes[6] & 0x0f)); /* version 8 of RFC 9562 */
    uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3f));
    return uuid;
}

static void add_invitation(struct call *call, struct db_batch *batch)
{
    const struct invite *invite = call->state;

    link_issue(call, batch, &invite->link);
}

static void read_invitation(struct call *call)
{
    struct invite *invite = arena_new_of(call->flow.arena, struct invite);

    call->state = invite;
    if (!CALL_BODY(call, invite_delegate, &invite->body))
        return;
    if (!mail_address_ok(invite->body.email)) {
        call_field_problem(call, "/email", CODE_EMAIL_ADDRESS);
        return;
    }
    invite->link = (struct link_new){
        .link_id = uuid_new(),
        .purpose = LINK_DELEGATE_INVITE,
        .account_id = account_of_address(call->flow.arena, invite->body.email),
        .email = invite->body.email,
        .good_s = call->gateway->settings->delegate_link_s,
        .name = invite->body.name,
        .from_name = call->who.name,
    };
    call->query = db_add(call_scoped(call), &count_invitations);
    db_time(call->query, call->now_us);
    call_run(call, INVITE_COUNTED);
}

void endpoint_invite_delegate(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct invite *invite = call->state;
    struct command command =
        registration_command(call, EVENT_DELEGATE_INVITE, call->who.account_id);

    if (flow->step == INVITE_BODY) {
        read_invitation(call);
        return;
    }
    if (db_get_i64(call->query, 0, 0) >= LINKS_PER_HOUR_MAX) {
        call_problem_later(call, CODE_TOO_MANY_REQUESTS, LINKS_RETRY_S);
        return;
    }
    const struct event_delegate_invite event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .delegation_id = invite->link.link_id,
        .delegate_id = invite->link.account_id,
        .name = invite->body.name,
        .email = invite->body.email,
    };
    command.status = 201;
    command.data = event_delegate_invite_encode(&event);
    command.add = add_invitation;
    command_accept(call, &command);
}

/* ---- ending it ---- */

enum revoke_step { REVOKE_FIND, REVOKE_FOUND };

static const struct db_stmt find_delegation = {
    "gateway_find_delegation",
    "SELECT 1 FROM portal.delegation WHERE delegation_id = $1",
};
static const struct db_stmt stop_delegation = {
    "gateway_stop_delegation",
    "INSERT INTO gateway.delegation_stop (delegation_id, at) VALUES ($1, $2)"
    " ON CONFLICT DO NOTHING",
};
static const struct db_stmt spoil_link = {
    "gateway_spoil_link",
    "UPDATE gateway.link SET used_at = $2 WHERE link_id = $1 AND used_at IS NULL",
};

/* It holds from the commit that accepts it, and an invitation cannot be accepted any more. */
static void add_stop(struct call *call, struct db_batch *batch)
{
    const struct db_stmt *const both[] = {&stop_delegation, &spoil_link};

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        struct db_query *query = db_add(batch, both[i]);

        db_uuid(query, call_id(call, "delegation_id"));
        db_time(query, call->now_us);
    }
}

/* False: it is not there for the caller, or that is being found out. */
static bool find_stopped(struct call *call)
{
    if (call->flow.step == REVOKE_FIND) {
        call->query = db_add(call_scoped(call), &find_delegation);
        db_uuid(call->query, call_id(call, "delegation_id"));
        call_run(call, REVOKE_FOUND);
        return false;
    }
    if (db_rows(call->query) == 0)
        call_problem(call, CODE_NOT_FOUND);
    return db_rows(call->query) > 0;
}

void endpoint_revoke_delegate(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct command command =
        registration_command(call, EVENT_DELEGATE_REVOKE, call->who.account_id);

    if (!find_stopped(call))
        return;
    const struct event_delegate_revoke event = {.operation_id = command.operation_id,
                                                .account_id = call->who.account_id,
                                                .delegation_id = call_id(call, "delegation_id")};
    command.data = event_delegate_revoke_encode(&event);
    command.add = add_stop;
    command_accept(call, &command);
}

static void answer_nothing(struct call *call, json_t *result)
{
    (void)result;
    call_json(call, 200, STR("{}"));
}

void endpoint_resign_delegation(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct command command =
        registration_command(call, EVENT_DELEGATE_RESIGN, call->who.account_id);

    if (!find_stopped(call))
        return;
    const struct event_delegate_resign event = {.operation_id = command.operation_id,
                                                .account_id = call->who.account_id,
                                                .delegation_id = call_id(call, "delegation_id")};
    command.data = event_delegate_resign_encode(&event);
    command.add = add_stop;
    command.answer = answer_nothing;
    command_accept(call, &command);
}
