/* gateway_account: who one is, and the steps of first login that registration decides on. */
#include "gateway/gateway_command.h"
#include "gateway/gateway_link.h"
#include "gen/events.h"
#include "mail/mail.h"

void endpoint_get_me(struct flow *flow);
void endpoint_sign_out(struct flow *flow);
void endpoint_agree_terms(struct flow *flow);
void endpoint_decline_terms(struct flow *flow);
void endpoint_set_email(struct flow *flow);
void endpoint_set_profile(struct flow *flow);

void endpoint_get_me(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (call->who.me.len > 0)
        call_json(call, 200, call->who.me);
    else
        call_object(call, 200, who_me(&call->who));
}

/* The row first, then Redis: what it still says for a moment is not believed (marks_owed). */
void endpoint_sign_out(struct flow *flow)
{
    enum { OUT_END, OUT_ENDED };
    struct call *call = CALL_OF(flow);

    if (flow->step == OUT_END) {
        call->batch = db_batch_new(flow->arena);
        session_end(call->batch, call->who.digest, call->now_us);
        call_run(call, OUT_ENDED);
        return;
    }
    session_mark_ended(call->gateway, flow->arena, call->who.digest);
    session_cookie(call, "");
    call_empty(call, 204);
}

void endpoint_agree_terms(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_agree_terms body;
    struct command command =
        registration_command(call, EVENT_ACCOUNT_AGREE_TERMS, call->who.account_id);

    if (!CALL_BODY(call, agree_terms, &body))
        return;
    const struct event_account_agree_terms event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .terms_version = body.version,
    };
    command.data = event_account_agree_terms_encode(&event);
    command_accept(call, &command);
}

/* ---- no agreement: the session ends with the command ---- */

static void end_this(struct call *call, struct db_batch *batch)
{
    session_end(batch, call->who.digest, call->now_us);
}

static void this_ended(struct call *call)
{
    session_mark_ended(call->gateway, call->flow.arena, call->who.digest);
    session_cookie(call, "");
}

void endpoint_decline_terms(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_decline_terms body;
    struct command command =
        registration_command(call, EVENT_ACCOUNT_DECLINE_TERMS, call->who.account_id);

    if (!CALL_BODY(call, decline_terms, &body))
        return;
    if (!str_eq_c(call->who.step, "terms")) {
        call_problem_with(call, CODE_STEP_ORDER, "next",
                          arena_str(call->flow.arena, call->who.step).data);
        return;
    }
    const struct event_account_decline_terms event = {.operation_id = command.operation_id,
                                                      .account_id = call->who.account_id};
    command.data = event_account_decline_terms_encode(&event);
    command.add = end_this;
    command.committed = this_ended;
    command_accept(call, &command);
}

/* ---- e-mail: the link is made with the command ---- */

enum email_step { EMAIL_BODY, EMAIL_COUNTED };

/* Nobody is mailed a link for a step that registration refuses. */
#define MAY_SET_EMAIL                                                                              \
    " FROM portal.sign_in WHERE account_id = $1 AND state IN ('temp_issued', 'active')"            \
    " AND step <> 'terms'"

static const struct db_stmt may_set_email = {
    "gateway_may_set_email",
    "SELECT 1" MAY_SET_EMAIL,
};
/* The same once more, in the transaction that issues the link. */
static const struct db_stmt still_may_set_email = {
    "gateway_still_may_set_email",
    "SELECT mamis.changed(count(*))" MAY_SET_EMAIL,
};

struct email {
    struct link_new link;
    struct db_query *links, *may; /* `may`: a row when it is so */
};

static void add_email_link(struct call *call, struct db_batch *batch)
{
    const struct email *email = call->state;

    db_uuid(db_add(batch, &still_may_set_email), call->who.account_id);
    link_issue(call, batch, &email->link);
}

static void read_email(struct call *call)
{
    struct body_set_email body;
    struct email *email;

    if (!CALL_BODY(call, set_email, &body))
        return;
    if (!mail_address_ok(body.email)) {
        call_field_problem(call, "/email", CODE_EMAIL_ADDRESS);
        return;
    }
    email = arena_new_of(call->flow.arena, struct email);
    email->link = (struct link_new){.purpose = LINK_EMAIL_CONFIRM,
                                    .account_id = call->who.account_id,
                                    .email = body.email,
                                    .good_s = call->gateway->settings->email_link_s};
    call->state = email;
    call->batch = db_batch_new(call->flow.arena);
    email->links = link_count(call, call->batch, LINK_EMAIL_CONFIRM);
    email->may = db_add(call->batch, &may_set_email);
    db_uuid(email->may, call->who.account_id);
    call_run(call, EMAIL_COUNTED);
}

void endpoint_set_email(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct email *email = call->state;
    struct command command =
        registration_command(call, EVENT_ACCOUNT_SET_EMAIL, call->who.account_id);

    if (flow->step == EMAIL_BODY) {
        read_email(call);
        return;
    }
    if (db_rows(email->may) == 0) {
        if (str_eq_c(call->who.step, "terms"))
            call_problem_with(call, CODE_STEP_ORDER, "next", "terms");
        else
            call_problem(call, CODE_ACCOUNT_SUSPENDED);
        return;
    }
    if (db_get_i64(email->links, 0, 0) >= LINKS_PER_HOUR_MAX) {
        call_problem_later(call, CODE_TOO_MANY_REQUESTS, LINKS_RETRY_S);
        return;
    }
    const struct event_account_set_email event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .email = email->link.email,
    };
    command.data = event_account_set_email_encode(&event);
    command.add = add_email_link;
    command_accept(call, &command);
}

/* ---- profile ---- */

static struct str or_empty(struct str text)
{
    return text.data == NULL ? STR("") : text;
}

void endpoint_set_profile(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_set_profile body;
    struct command command =
        registration_command(call, EVENT_ACCOUNT_SET_PROFILE, call->who.account_id);

    if (!CALL_BODY(call, set_profile, &body))
        return;
    const struct event_account_set_profile event = {
        .operation_id = command.operation_id,
        .account_id = call->who.account_id,
        .profile = {.name = body.name,
                    .name_kana = body.name_kana,
                    .former_name = or_empty(body.former_name),
                    .former_name_kana = or_empty(body.former_name_kana),
                    .sex = body.sex,
                    .birth_on = body.birth_on,
                    .workplace_name = or_empty(body.workplace_name),
                    .workplace_postcode = or_empty(body.workplace_postcode),
                    .workplace_address = or_empty(body.workplace_address),
                    .residence_prefecture = or_empty(body.residence_prefecture),
                    .residence_municipality = or_empty(body.residence_municipality),
                    .phone = or_empty(body.phone)},
    };
    command.data = event_account_set_profile_encode(&event);
    command_accept(call, &command);
}
