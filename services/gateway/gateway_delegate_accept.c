/*
 * gateway_delegate_accept: the person named uses the mailed link. A first one also sets a password;
 * password, used link and the command to registration are one transaction.
 */
#include "gateway/gateway_command.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_password.h"
#include "gen/events.h"
#include "text/fold.h"

enum accept_step { ACCEPT_HASHED, ACCEPT_SEND };

struct acceptance {
    struct link_found found;
    struct password_job make;
};

static void add_use(struct call *call, struct db_batch *batch)
{
    const struct acceptance *acceptance = call->state;
    const struct link_found *found = &acceptance->found;

    link_burn(call, batch, found->link_id);
    if (found->login_id.len == 0)
        credential_add(batch, found->account_id, fold_header(call->flow.arena, found->email),
                       acceptance->make.made, call->now_us);
}

static void answer_accepted(struct call *call, json_t *result)
{
    (void)result;
    call_json(call, 200, STR("{\"purpose\":\"" LINK_DELEGATE_INVITE "\",\"next\":\"\"}"));
}

static void send_command(struct call *call, const struct link_found *found)
{
    char key[UUID_TEXT_BYTES];
    struct command command = {
        .type = EVENT_DELEGATE_ACCEPT,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .status = 200,
        .operation_id = uuid_new(),
        .add = add_use,
        .answer = answer_accepted,
    };
    const struct event_delegate_accept event = {.operation_id = command.operation_id,
                                                .account_id = found->account_id,
                                                .delegation_id = found->link_id};

    call->who.account_id = found->account_id; /* whose command it is */
    uuid_format(found->account_id, key);
    command.key = str_of(arena_strdup(call->flow.arena, key));
    command.data = event_delegate_accept_encode(&event);
    command_accept(call, &command);
}

static void accept_run(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct acceptance *acceptance = call->state;

    switch ((enum accept_step)flow->step) {
    case ACCEPT_HASHED:
        if (acceptance->make.renewed)
            flow_goto(flow, ACCEPT_SEND);
        else
            call_field_problem(call, "/password", CODE_PASSWORD_TOO_LONG);
        return;
    case ACCEPT_SEND:
        send_command(call, &acceptance->found);
        return;
    }
    must(false);
}

void delegate_accept(struct call *call, const struct link_found *found)
{
    struct acceptance *acceptance = arena_new_of(call->flow.arena, struct acceptance);
    const struct str own[] = {found->email, found->name};
    enum code code;

    acceptance->found = *found;
    call->state = acceptance;
    call->flow.run = accept_run;
    if (found->login_id.len > 0) { /* named by another doctor before */
        flow_goto(&call->flow, ACCEPT_SEND);
        return;
    }
    if (found->password.data == NULL) {
        call_json(call, 200,
                  STR("{\"purpose\":\"" LINK_DELEGATE_INVITE "\",\"next\":\"password\"}"));
        return;
    }
    code = password_rules(found->password, buf_str(&call->gateway->passwords), own, ARRAY_LEN(own));
    if (code != CODE_NONE) {
        call_field_problem(call, "/password", code);
        return;
    }
    acceptance->make.password = found->password;
    flow_wait(&call->flow, ACCEPT_HASHED);
    password_job_run(call->gateway, &acceptance->make, &call->flow);
}
