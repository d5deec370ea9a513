/* gateway_link: links in mails: asking for one, using it. */
#include <string.h>

#include "gateway/gateway_command.h"
#include "gateway/gateway_factor.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_password.h"
#include "gateway/gateway_staff.h"
#include "gateway/gateway_throttle.h"
#include "gen/events.h"

void endpoint_request_password_reset(struct flow *flow);
void endpoint_use_link(struct flow *flow);

enum { RESETS_PER_HOUR_MAX = 5, RESET_ACCOUNTS_MAX = 5 };

static const struct db_stmt insert_link = {
    "gateway_insert_link",
    "INSERT INTO gateway.link (link_id, purpose, account_id, email, issued_at, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, $6)",
};
static const struct db_stmt count_links = {
    "gateway_count_links",
    "SELECT count(*) FROM gateway.link WHERE account_id = $1 AND purpose = $2"
    " AND issued_at > $3 - interval '1 hour'",
};
/* Accounts behind an address, without those that were sent links enough lately. */
static const struct db_stmt find_accounts = {
    "gateway_reset_accounts",
    "SELECT a.account_id, a.email FROM portal.sign_in a JOIN gateway.credential c USING "
    "(account_id)"
    " WHERE lower(a.email) = lower($1) AND a.email <> '' AND a.email_confirmed"
    " AND a.state = 'active' AND (SELECT count(*) FROM gateway.link l"
    "  WHERE l.account_id = a.account_id AND l.purpose = 'password_reset'"
    "  AND l.issued_at > $2 - interval '1 hour') < $3 LIMIT $4",
};
/* What lets in is worth nothing in a mailbox that is not the account's any more. */
static const struct db_stmt find_link = {
    "gateway_find_link",
    "SELECT l.purpose, l.account_id, l.email, l.used_at IS NOT NULL,"
    " l.expires_at <= $2 OR (l.purpose IN ('" LINK_PASSWORD_RESET "', '" LINK_GET_IN "')"
    "  AND lower(l.email) <> lower(coalesce(a.email, ''))),"
    " coalesce(c.login_id, ''), coalesce(a.name, ''), coalesce(a.step, ''), coalesce(a.mamis_no, "
    "''), coalesce(a.doctor_id, 0), coalesce(a.state, ''), gateway.has_factor(l.account_id)"
    " FROM gateway.link l LEFT JOIN portal.sign_in a USING (account_id)"
    " LEFT JOIN gateway.credential c USING (account_id) WHERE l.link_id = $1",
};
static const struct db_stmt find_get_in = {
    "gateway_find_get_in",
    "SELECT a.email FROM portal.sign_in a WHERE a.account_id = $1 AND a.state = 'active'"
    " AND a.email <> '' AND a.email_confirmed AND NOT EXISTS (SELECT FROM gateway.link l"
    "  WHERE l.account_id = a.account_id AND l.purpose = 'get_in'"
    "  AND l.issued_at > $2 - interval '1 day')",
};
/* Once only: whoever comes second changes nothing at all. */
static const struct db_stmt burn_link = {
    "gateway_burn_link",
    "WITH used AS (UPDATE gateway.link SET used_at = $2"
    "  WHERE link_id = $1 AND used_at IS NULL AND expires_at > $2 RETURNING 1)"
    " SELECT mamis.changed(count(*)) FROM used",
};

void link_row_add(struct call *call, struct db_batch *batch, const struct link_new *link,
                  struct uuid link_id)
{
    struct db_query *query = db_add(batch, &insert_link);

    db_uuid(query, link_id);
    db_text_c(query, link->purpose);
    db_uuid(query, link->account_id);
    db_text(query, link->email);
    db_time(query, call->now_us);
    db_time(query, call->now_us + link->good_s * CLOCK_SECOND_US);
}

void link_row_init(struct call *call, struct link_row *row, const char *purpose,
                   struct uuid account_id, struct str email, uint32_t good_s)
{
    *row = (struct link_row){
        .link_id = uuid_new(),
        .link = {.purpose = purpose, .account_id = account_id, .email = email, .good_s = good_s},
        .expires_us = call->now_us + good_s * CLOCK_SECOND_US,
    };
}

void link_issue(struct call *call, struct db_batch *batch, const struct link_new *link)
{
    bool given = !uuid_eq(link->link_id, (struct uuid){{0}});
    struct uuid link_id = given ? link->link_id : uuid_new();
    int64_t expires_us = call->now_us + link->good_s * CLOCK_SECOND_US;
    const struct event_link_issued issued = {.link_id = link_id,
                                             .purpose = str_of(link->purpose),
                                             .account_id = link->account_id,
                                             .email = link->email,
                                             .expires_at = expires_us,
                                             .name = link->name,
                                             .from_name = link->from_name};
    char key[UUID_TEXT_BYTES];

    link_row_add(call, batch, link, link_id);
    uuid_format(link->account_id, key);
    const struct work_event event = {.type = EVENT_LINK_ISSUED,
                                     .topic = TOPIC_ACCOUNT_EVENTS,
                                     .key = str_of(key),
                                     .subject = str_of(key),
                                     .data = event_link_issued_encode(&issued)};
    (void)work_emit(call->gateway->work, batch, &event, call->flow.trace);
}

struct db_query *link_count(struct call *call, struct db_batch *batch, const char *purpose)
{
    struct db_query *query = db_add(batch, &count_links);

    db_uuid(query, call->who.account_id);
    db_text_c(query, purpose);
    db_time(query, call->now_us);
    return query;
}

/* ---- the mail about failed sign-ins ---- */

void link_get_in_find(struct call *call, struct uuid account_id, int next)
{
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_get_in);
    db_uuid(call->query, account_id);
    db_time(call->query, call->now_us);
    call_run(call, next);
}

bool link_get_in_send(struct call *call, struct uuid account_id, int next)
{
    struct link_new link = {.purpose = LINK_GET_IN,
                            .account_id = account_id,
                            .good_s = call->gateway->settings->reset_link_s};

    if (db_rows(call->query) == 0)
        return false;
    link.email = db_get_text(call->query, 0, 0);
    call->batch = db_batch_new(call->flow.arena);
    link_issue(call, call->batch, &link);
    call_run_work(call, next);
    return true;
}

/* ---- POST /password-resets ---- */

enum reset_step { RESET_BODY, RESET_FOUND, RESET_SLEEP, RESET_ANSWER };

static void issue_resets(struct call *call)
{
    struct db_query *found = call->query;

    call->batch = db_batch_new(call->flow.arena);
    for (size_t i = 0; i < db_rows(found); i++) {
        const struct link_new link = {.purpose = LINK_PASSWORD_RESET,
                                      .account_id = db_get_uuid(found, i, 0),
                                      .email = db_get_text(found, i, 1),
                                      .good_s = call->gateway->settings->reset_link_s};

        link_issue(call, call->batch, &link);
    }
    call_run_work(call, RESET_SLEEP);
}

/* The answer is the same and comes at the same moment, whether anybody has the address or not. */
void endpoint_request_password_reset(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_request_password_reset body;
    uint64_t at_ms, now_ms;

    switch ((enum reset_step)flow->step) {
    case RESET_BODY:
        if (!CALL_BODY(call, request_password_reset, &body))
            return;
        call->batch = db_batch_read(flow->arena);
        call->query = db_add(call->batch, &find_accounts);
        db_text(call->query, body.email);
        db_time(call->query, call->now_us);
        db_i64(call->query, RESETS_PER_HOUR_MAX);
        db_i64(call->query, RESET_ACCOUNTS_MAX);
        call_run(call, RESET_FOUND);
        return;
    case RESET_FOUND:
        if (db_rows(call->query) > 0)
            issue_resets(call);
        else
            flow_goto(flow, RESET_SLEEP);
        return;
    case RESET_SLEEP:
        at_ms = call->since_ms + call->gateway->settings->reset_answer_ms;
        now_ms = clock_mono_ms();
        flow_wait(flow, RESET_ANSWER);
        flow_sleep(flow, at_ms > now_ms ? at_ms - now_ms : 0);
        return;
    case RESET_ANSWER:
        call_json(call, 202, STR("{}"));
        return;
    }
    must(false);
}

/* ---- POST /links ---- */

enum link_step { LINK_BODY, LINK_FOUND, LINK_HASHED, LINK_SAVED };

struct use_link {
    struct body_use_link body;
    struct link_seen seen;
    struct str login_id;
    struct password_job make;
    struct db_query *ended;
    bool lets_in; /* the new password also signs in, up to the second factor */
    struct session_new session;
};

void link_burn(struct call *call, struct db_batch *batch, struct uuid link_id)
{
    struct db_query *query = db_add(batch, &burn_link);

    db_uuid(query, link_id);
    db_time(query, call->now_us);
}

static void burn(struct call *call, struct db_batch *batch)
{
    const struct use_link *use = call->state;

    link_burn(call, batch, use->seen.link_id);
}

bool link_see(struct call *call, struct db_batch *batch, struct str text,
              struct link_seen *ret_seen)
{
    *ret_seen = (struct link_seen){.text = text};
    if (text.data == NULL || !link_id(text, &ret_seen->link_id))
        return false;
    ret_seen->query = db_add(batch, &find_link);
    db_uuid(ret_seen->query, ret_seen->link_id);
    db_time(ret_seen->query, call->now_us);
    return true;
}

static const char *const purposes[] = {
    LINK_EMAIL_CONFIRM, LINK_PASSWORD_RESET,  LINK_SIGNUP_CONFIRM, LINK_FIRST_LOGIN,
    LINK_STAFF_INVITE,  LINK_DELEGATE_INVITE, LINK_GET_IN};

enum code link_judge(struct call *call, struct link_seen *seen)
{
    const struct db_query *query = seen->query;
    const char *purpose = NULL;

    for (size_t i = 0; i < ARRAY_LEN(purposes) && db_rows(query) == 1; i++) {
        if (str_eq_c(db_get_text(query, 0, 0), purposes[i]))
            purpose = purposes[i];
    }
    if (purpose == NULL || !link_check(&call->gateway->link_key, purpose, seen->text))
        return CODE_LINK_INVALID;
    seen->purpose = str_of(purpose);
    seen->account_id = db_get_uuid(query, 0, 1);
    if (db_get_bool(query, 0, 3))
        return CODE_LINK_USED;
    return db_get_bool(query, 0, 4) ? CODE_LINK_EXPIRED : CODE_NONE;
}

static void begin(struct call *call)
{
    struct use_link *use = arena_new_of(call->flow.arena, struct use_link);

    call->state = use;
    if (!CALL_BODY(call, use_link, &use->body))
        return;
    call->batch = db_batch_read(call->flow.arena);
    if (!link_see(call, call->batch, use->body.link, &use->seen)) {
        call_problem(call, CODE_LINK_INVALID);
        return;
    }
    call->query = use->seen.query;
    call_run(call, LINK_FOUND);
}

/* ---- an address is confirmed ---- */

static void answer_confirmed(struct call *call, json_t *result)
{
    json_t *body = json_object();
    json_t *next = json_object_get(result, "next");

    must(json_object_set_new(body, "purpose", json_string(LINK_EMAIL_CONFIRM)) == 0);
    must(json_object_set(body, "next", next) == 0);
    call_object(call, 200, body);
}

static void confirm(struct call *call, struct use_link *use)
{
    char key[UUID_TEXT_BYTES];
    struct command command = {
        .type = EVENT_ACCOUNT_CONFIRM_EMAIL,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .status = 200,
        .operation_id = uuid_new(),
        .add = burn,
        .answer = answer_confirmed,
    };
    const struct event_account_confirm_email event = {
        .operation_id = command.operation_id,
        .account_id = use->seen.account_id,
        .email = db_get_text(call->query, 0, 2),
    };

    call->who.account_id = use->seen.account_id; /* whose command it is */
    uuid_format(use->seen.account_id, key);
    command.key = str_of(arena_strdup(call->flow.arena, key));
    command.data = event_account_confirm_email_encode(&event);
    command_accept(call, &command);
}

/* ---- somebody was invited: of staff, or as a delegate ---- */

static void accept_invitation(struct call *call, struct use_link *use)
{
    const struct link_found found = {.link_id = use->seen.link_id,
                                     .account_id = use->seen.account_id,
                                     .login_id = use->login_id,
                                     .name = db_get_text(call->query, 0, 6),
                                     .email = db_get_text(call->query, 0, 2),
                                     .password = use->body.password};

    if (str_eq_c(use->seen.purpose, LINK_STAFF_INVITE))
        staff_accept(call, &found);
    else
        delegate_accept(call, &found);
}

/* ---- a new password ---- */

static void hash(struct call *call, struct use_link *use)
{
    const struct str own[] = {use->login_id, db_get_text(call->query, 0, 6),
                              db_get_text(call->query, 0, 8), db_get_text(call->query, 0, 2)};
    enum code code;

    if (use->body.password.data == NULL) {
        call_json(call, 200, STR("{\"purpose\":\"password_reset\",\"next\":\"password\"}"));
        return;
    }
    code =
        password_rules(use->body.password, buf_str(&call->gateway->passwords), own, ARRAY_LEN(own));
    if (code != CODE_NONE) {
        call_field_problem(call, "/password", code);
        return;
    }
    use->make.password = use->body.password;
    flow_wait(&call->flow, LINK_HASHED);
    password_job_run(call->gateway, &use->make, &call->flow);
}

/*
 * Whoever has the mail and a new password is in at once: the throttle that a stranger drives with
 * wrong passwords is not in the way. A second factor stays one.
 */
static void let_in(struct call *call, struct use_link *use)
{
    struct session_new *session = &use->session;

    use->lets_in = str_eq_c(db_get_text(call->query, 0, 10), "active") && use->login_id.len > 0;
    if (!use->lets_in)
        return;
    session->account_id = use->seen.account_id;
    session->login_id = use->login_id;
    session->doctor = db_get_i64(call->query, 0, 9) != 0;
    session->factor_pending =
        db_get_bool(call->query, 0, 11) || factor_required(call->gateway, session->doctor);
    session_add(call, call->batch, session);
}

static void save(struct call *call, struct use_link *use)
{
    if (!use->make.renewed) {
        call_field_problem(call, "/password", CODE_PASSWORD_TOO_LONG);
        return;
    }
    call->batch = db_batch_new(call->flow.arena);
    burn(call, call->batch);
    credential_change(call->batch, use->seen.account_id, use->make.made, call->now_us);
    use->ended = session_end_others(call->batch, use->seen.account_id, NULL, call->now_us);
    if (use->login_id.len > 0)
        throttle_forget_login(call, use->login_id, call->batch);
    throttle_forget_login(call, factor_subject(call->flow.arena, use->seen.account_id),
                          call->batch);
    let_in(call, use);
    credential_tell(call, call->batch, use->seen.account_id, db_get_text(call->query, 0, 2),
                    "password");
    call_run_work(call, LINK_SAVED);
}

static void saved(struct call *call, struct use_link *use)
{
    bool pending = use->lets_in && use->session.factor_pending;

    session_mark_all(call->gateway, call->flow.arena, use->ended);
    if (use->lets_in)
        session_give(call, &use->session);
    LOG_INFO("password_reset", F_BOOL("signed_in", use->lets_in));
    call_json(call, 200,
              pending ? STR("{\"purpose\":\"password_reset\",\"next\":\"second_factor\"}")
                      : STR("{\"purpose\":\"password_reset\",\"next\":\"\"}"));
}

static void use_for(struct call *call, struct use_link *use)
{
    struct str purpose = use->seen.purpose;

    use->login_id = db_get_text(call->query, 0, 5);
    if (str_eq_c(purpose, LINK_EMAIL_CONFIRM))
        confirm(call, use);
    else if (str_eq_c(purpose, LINK_STAFF_INVITE) || str_eq_c(purpose, LINK_DELEGATE_INVITE))
        accept_invitation(call, use);
    else if (str_eq_c(purpose, LINK_FIRST_LOGIN))
        first_link_use(call, use->seen.account_id);
    else if (str_eq_c(purpose, LINK_SIGNUP_CONFIRM)) /* its page sends the licence next */
        call_json(call, 200, STR("{\"purpose\":\"signup_confirm\",\"next\":\"\"}"));
    else
        hash(call, use);
}

void endpoint_use_link(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct use_link *use = call->state;
    enum code code;

    switch ((enum link_step)flow->step) {
    case LINK_BODY:
        begin(call);
        return;
    case LINK_FOUND:
        code = link_judge(call, &use->seen);
        if (code != CODE_NONE)
            call_problem(call, code);
        else
            use_for(call, use);
        return;
    case LINK_HASHED:
        save(call, use);
        return;
    case LINK_SAVED:
        saved(call, use);
        return;
    }
    must(false);
}
