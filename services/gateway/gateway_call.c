/* gateway_call: the life of one request, from its arrival to its answer. */
#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_command.h"
#include "gateway/gateway_maintenance.h"
#include "gateway/gateway_queue.h"
#include "text/fold.h"

/* Every operation of the contract has its function here, or the program does not link. */
#define X(method, path, operation, action, body_max, streams)                                      \
    void endpoint_##operation(struct flow *);
ROUTES(X)
#undef X

static struct endpoint endpoints[ROUTE_COUNT] = {
#define X(method, path, operation, action, body_max, streams) {NULL, endpoint_##operation},
    ROUTES(X)
#undef X
};

static const struct http_route routes[ROUTE_COUNT] = {
#define X(method, path, operation, action, body_max, streams)                                      \
    {method, path, #operation, action, body_max, streams, call_start},
    ROUTES(X)
#undef X
};

const struct http_route *call_routes(void)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        endpoints[i].info = route_info(routes[i].operation);
        must(endpoints[i].info != NULL);
    }
    return routes;
}

void gateway_routes(struct buf *out)
{
    const char *before = "[";

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        buf_printf(out,
                   "%s{\"method\":\"%s\",\"path\":\"%s\",\"operation\":\"%s\",\"action\":\"%s\"}",
                   before, http_method_name(routes[i].method), routes[i].path, routes[i].operation,
                   routes[i].action);
        before = ",\n";
    }
    buf_add_char(out, ']');
}

/* ---- beginning and end ---- */

static enum code code_of_failure(struct call *call)
{
    enum code code = code_of_err(call->flow.err);

    if (call->flow.err == ERR_UNAUTHENTICATED)
        return CODE_UNAUTHENTICATED;
    return code == CODE_NONE ? CODE_INTERNAL : code;
}

static void answer_failure(struct call *call)
{
    enum err err = call->flow.err;
    enum code code = code_of_failure(call);

    if (err_class(err) == ERR_CLASS_BUG || err == ERR_OK)
        LOG_ERROR("request_failed", F_STR("operation", call->endpoint->info->operation), F_ERR(err),
                  F_STR("note", call->flow.note.text));
    else if (err_class(err) == ERR_CLASS_RETRY && err != ERR_CLIENT_GONE)
        LOG_WARN("request_not_now", F_STR("operation", call->endpoint->info->operation), F_ERR(err),
                 F_STR("note", call->flow.note.text));
    call->gateway->figures.failed++;
    call->flow.err = ERR_OK;
    call_answer_problem(call, code, NULL);
}

static void call_done(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (!call->answered)
        answer_failure(call);
    queue_enter(call, false);
    command_forget(call);
    flow_fini(flow);
    free(call);
}

void call_start(void *context, struct http_request *request)
{
    struct gateway *gateway = context;
    struct call *call = heap_zero(sizeof(*call));

    call->gateway = gateway;
    call->request = request;
    call->endpoint = &endpoints[http_request_route(request) - routes];
    call->english = accept_english(http_header(request, "Accept-Language"));
    call->now_us = clock_now_us();
    call->since_ms = clock_mono_ms();
    gateway->figures.calls++;
    flow_init(&call->flow, gateway->loop, who_run, call_done, http_request_id(request));
    flow_start(&call->flow, 0);
}

/* ---- rights ---- */

/* Scheme and host of a Referer. */
static struct str origin_of(struct str address)
{
    size_t at = str_starts(address, STR("https://"))  ? 8
                : str_starts(address, STR("http://")) ? 7
                                                      : 0;

    while (at > 0 && at < address.len && address.data[at] != '/')
        at++;
    return (struct str){address.data, at};
}

bool call_origin_ours(const struct gateway *gateway, struct str origin)
{
    struct str scheme = gateway->secure ? STR("https://") : STR("http://");

    if (!str_starts(origin, scheme))
        return false;
    origin = (struct str){origin.data + scheme.len, origin.len - scheme.len};
    for (size_t i = 0; gateway->hosts[i] != NULL; i++)
        if (str_eq_nocase(origin, str_of(gateway->hosts[i])))
            return true;
    return false;
}

/*
 * Whether the request comes from a page of ours, as far as the browser says: Origin, else
 * Sec-Fetch-Site, else Referer. Programs that send none of them cannot be made to by other sites.
 */
static bool origin_fits(const struct call *call)
{
    struct str origin = http_header(call->request, "Origin");
    struct str site = http_header(call->request, "Sec-Fetch-Site");
    struct str referer = http_header(call->request, "Referer");

    if (origin.data != NULL)
        return call_origin_ours(call->gateway, origin);
    if (site.data != NULL)
        return str_eq_c(site, "same-origin") || str_eq_c(site, "none");
    if (referer.data != NULL)
        return call_origin_ours(call->gateway, origin_of(referer));
    return true;
}

static enum code forged(const struct call *call)
{
    struct str token = http_header(call->request, "X-CSRF-Token");

    if (http_request_method(call->request) == HTTP_GET || call->who.token)
        return CODE_NONE;
    if (!origin_fits(call))
        return CODE_ORIGIN;
    if (call->who.role == ROLE_NONE)
        return CODE_NONE;
    return token.data != NULL && str_eq_secret(token, call->who.csrf) ? CODE_NONE : CODE_CSRF;
}

static bool token_allowed(const struct who *who, enum action action)
{
    for (size_t i = 0; i < who->scope_count; i++)
        if (access_token_allowed(who->scopes[i], action))
            return true;
    return false;
}

/* Whether they proved lately who they are, where that matters: not in the steps of signing in. */
static bool proved(const struct call *call)
{
    const struct who *who = &call->who;
    int64_t good_us = call->gateway->settings->reauthentication_s * CLOCK_SECOND_US;

    return !access_reauthenticate(call->endpoint->info->action) || who->step.len > 0 ||
           who->proved_us + good_us > call->now_us;
}

/* CODE_NONE when the person may do it now. */
static enum code rights(struct call *call)
{
    enum action action = call->endpoint->info->action;
    const struct who *who = &call->who;

    if (action == ACTION_PUBLIC)
        return CODE_NONE;
    if (who->token)
        return token_allowed(who, action) ? CODE_NONE : CODE_FORBIDDEN;
    if (who->factor_pending && !access_second_factor(action))
        return CODE_SECOND_FACTOR_STEP;
    if (!who->factor_pending && who->step.len > 0 && !access_first_login(action))
        return CODE_FIRST_LOGIN_STEP;
    if (!access_allowed(who->role, action))
        return CODE_FORBIDDEN;
    if (access_administrator(action) && !who->administrator && who->role != ROLE_ADMIN)
        return CODE_ADMINISTRATOR_ONLY;
    if (!proved(call))
        return CODE_REAUTHENTICATION_NEEDED;
    return access_reason(who->role, action) && call_reason(call).data == NULL ? CODE_REASON_REQUIRED
                                                                              : CODE_NONE;
}

static void refuse(struct call *call, enum code code)
{
    char account[UUID_TEXT_BYTES];
    json_t *told = NULL;

    if (code == CODE_FORBIDDEN || code == CODE_ORIGIN || code == CODE_CSRF) {
        uuid_format(call->who.account_id, account);
        LOG_INFO("access_refused", F_STR("operation", call->endpoint->info->operation),
                 F_STR("code", code_name(code)), F_STR("role", role_name(call->who.role)),
                 F_STR("account_id", account));
    }

    if (code == CODE_FIRST_LOGIN_STEP || code == CODE_SECOND_FACTOR_STEP) {
        json_t *step = json_stringn(call->who.step.data, call->who.step.len);
        json_t *params = json_object();

        told = json_object();
        must(json_object_set(params, "next", step) == 0);
        must(json_object_set_new(told, "next", step) == 0);
        must(json_object_set_new(told, "params", params) == 0);
    }
    call_answer_problem(call, code, told);
    json_decref(told);
    flow_end(&call->flow, ERR_OK);
}

void call_known(struct call *call)
{
    enum code code = forged(call);

    if (code == CODE_NONE && !maintenance_allows(call)) {
        maintenance_refuse(call);
        return;
    }
    if (code == CODE_NONE)
        code = rights(call);
    if (code != CODE_NONE) {
        refuse(call, code);
        return;
    }
    if (!call_params_check(call))
        return;
    call->state = NULL;
    call->flow.run = call->endpoint->run;
    flow_goto(&call->flow, 0);
}

/* ---- PostgreSQL ---- */

static const struct db_stmt set_scope = {
    "gateway_set_scope",
    "SELECT set_config('app.scope', $1, true), set_config('app.reader', $2, true)",
};

static void scope_add(struct db_batch *batch, const char *scope, struct str reader)
{
    struct db_query *query = db_add(batch, &set_scope);

    db_text_c(query, scope);
    db_text(query, reader);
}

void call_scope_add(struct db_batch *batch, const char *scope)
{
    scope_add(batch, scope, STR(""));
}

struct str call_reason(struct call *call)
{
    struct str reason = http_header_text(call->request, "X-Reason");
    struct str words = text_trim(str_trim(reason));

    return words.len > 0 && reason.len <= REASON_BYTES_MAX ? words : STR_NONE;
}

/* What portal.note_read() writes of who reads; "" for a doctor, who reads what is his own. */
static struct str reader(struct call *call)
{
    const struct who *who = &call->who;
    struct str reason = call_reason(call), office = command_office(call), packed;
    char actor[UUID_TEXT_BYTES];
    json_t *json;
    char *text;

    if (who->role == ROLE_DOCTOR || who->role == ROLE_NONE)
        return STR("");
    uuid_format(who_id(who), actor);
    json = json_pack("{sI ss ss ss% ss ss ss ss%}", "at_us", (json_int_t)call->now_us, "actor",
                     actor, "role", role_name(who->role), "code", office.data, office.len, "action",
                     action_name(call->endpoint->info->action), "operation",
                     call->endpoint->info->operation, "request_id", http_request_id(call->request),
                     "reason", reason.data == NULL ? "" : reason.data, reason.len);
    must(json != NULL);
    text = json_dumps(json, JSON_COMPACT);
    must(text != NULL);
    packed = arena_str(call->flow.arena, str_of(text));
    free(text);
    json_decref(json);
    return packed;
}

struct db_batch *call_scoped(struct call *call)
{
    call->batch = db_batch_new(call->flow.arena);
    scope_add(call->batch, who_scope(call->flow.arena, &call->who), reader(call));
    return call->batch;
}

void call_run(struct call *call, int next)
{
    flow_wait(&call->flow, next);
    db_run(call->gateway->db, call->batch, GATEWAY_READ_MS, &call->flow);
}

void call_run_work(struct call *call, int next)
{
    flow_wait(&call->flow, next);
    work_run(call->gateway->work, call->batch, GATEWAY_WRITE_MS, &call->flow);
}
