/*
 * gateway_staff_accept: whoever was invited uses the mailed link and sets the first password:
 * credential, used link and the command that confirms the address are one transaction.
 */
#include "gateway/gateway_command.h"
#include "gateway/gateway_password.h"
#include "gateway/gateway_staff.h"
#include "gen/events.h"

enum accept_step { ACCEPT_FOUND, ACCEPT_HASHED };

struct acceptance {
    struct link_found found;
    struct password_job make;
};

static const struct db_stmt find_invited = {
    "gateway_find_invited",
    "SELECT login_id FROM portal.invited WHERE account_id = $1 AND pending_email = $2",
};
/* The account may have been suspended or ended since it was looked at. */
static const struct db_stmt insert_credential = {
    "gateway_invited_credential",
    "WITH made AS (INSERT INTO gateway.credential (login_id, account_id, password_hash, changed_at)"
    "  SELECT login_id, account_id, $2, $3 FROM portal.invited WHERE account_id = $1 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM made",
};

static void add_use(struct call *call, struct db_batch *batch)
{
    const struct acceptance *acceptance = call->state;
    struct uuid account_id = acceptance->found.account_id;
    struct db_query *query;

    link_burn(call, batch, acceptance->found.link_id);
    query = db_add(batch, &insert_credential);
    db_uuid(query, account_id);
    db_text_c(query, acceptance->make.made);
    db_time(query, call->now_us);
    staff_used_add(batch, account_id, call->now_us);
}

static void answer_accepted(struct call *call, json_t *result)
{
    (void)result;
    call_json(call, 200, STR("{\"purpose\":\"" LINK_STAFF_INVITE "\",\"next\":\"\"}"));
}

static void confirm(struct call *call)
{
    const struct acceptance *acceptance = call->state;
    char key[UUID_TEXT_BYTES];
    struct command command = {
        .type = EVENT_ACCOUNT_CONFIRM_EMAIL,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .status = 200,
        .operation_id = uuid_new(),
        .add = add_use,
        .answer = answer_accepted,
    };
    const struct event_account_confirm_email event = {
        .operation_id = command.operation_id,
        .account_id = acceptance->found.account_id,
        .email = acceptance->found.email,
    };

    call->who.account_id = event.account_id; /* whose command it is */
    uuid_format(event.account_id, key);
    command.key = str_of(arena_strdup(call->flow.arena, key));
    command.data = event_account_confirm_email_encode(&event);
    command_accept(call, &command);
}

static void hash(struct call *call)
{
    struct acceptance *acceptance = call->state;
    const struct link_found *found = &acceptance->found;
    enum code code;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_LINK_INVALID);
        return;
    }
    if (found->password.data == NULL) {
        call_json(call, 200, STR("{\"purpose\":\"" LINK_STAFF_INVITE "\",\"next\":\"password\"}"));
        return;
    }
    const struct str own[] = {db_get_text(call->query, 0, 0), found->email, found->name};
    code = password_rules(found->password, buf_str(&call->gateway->passwords), own, ARRAY_LEN(own));
    if (code != CODE_NONE) {
        call_field_problem(call, "/password", code);
        return;
    }
    acceptance->make.password = found->password;
    flow_wait(&call->flow, ACCEPT_HASHED);
    password_job_run(call->gateway, &acceptance->make, &call->flow);
}

static void accept_run(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct acceptance *acceptance = call->state;

    switch ((enum accept_step)flow->step) {
    case ACCEPT_FOUND:
        hash(call);
        return;
    case ACCEPT_HASHED:
        if (acceptance->make.renewed)
            confirm(call);
        else
            call_field_problem(call, "/password", CODE_PASSWORD_TOO_LONG);
        return;
    }
    must(false);
}

void staff_accept(struct call *call, const struct link_found *found)
{
    struct acceptance *acceptance = arena_new_of(call->flow.arena, struct acceptance);

    acceptance->found = *found;
    call->state = acceptance;
    call->flow.run = accept_run;
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_invited);
    db_uuid(call->query, found->account_id);
    db_text(call->query, found->email);
    call_run(call, ACCEPT_FOUND);
}
