/* gateway_answer: answers of calls, and of requests that lib/http refuses. */
#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_call.h"
#include "gateway/gateway_password.h"

#define JSON_TYPE "application/json"
#define PROBLEM_TYPE "application/problem+json"

enum { RETRY_LEAST_S = 1, RETRY_SPREAD_S = 3 };

void guard_headers(struct http_request *request)
{
    http_set_header(request, "Cache-Control", "no-store");
    http_set_header(request, "X-Content-Type-Options", "nosniff");
    http_set_header(request, "Content-Security-Policy",
                    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    http_set_header(request, "Cross-Origin-Resource-Policy", "same-origin");
    http_set_header(request, "Referrer-Policy", "no-referrer");
}

static void send_answer(struct call *call, unsigned status, const char *type, struct str body)
{
    must(!call->answered);
    call->answered = true;
    guard_headers(call->request);
    http_answer(call->request, status, type, body);
    call->request = NULL;
}

void call_json(struct call *call, unsigned status, struct str body)
{
    send_answer(call, status, JSON_TYPE, body);
    flow_end(&call->flow, ERR_OK);
}

void call_object(struct call *call, unsigned status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    must(text != NULL);
    send_answer(call, status, JSON_TYPE, str_of(text));
    free(text);
    json_decref(body);
    flow_end(&call->flow, ERR_OK);
}

void call_file(struct call *call, const char *type, struct str body)
{
    send_answer(call, 200, type, body);
    flow_end(&call->flow, ERR_OK);
}

void call_empty(struct call *call, unsigned status)
{
    send_answer(call, status, NULL, STR(""));
    flow_end(&call->flow, ERR_OK);
}

void call_accepted(struct call *call, struct uuid operation_id)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(operation_id, id);
    http_set_header(call->request, "Location",
                    arena_printf(call->flow.arena, "/api/v1/operations/%s", id));
    call_json(call, 202, str_of(arena_printf(call->flow.arena, "{\"operation_id\":\"%s\"}", id)));
}

/* ---- problems ---- */

/* Clients that come back at once and all together keep an overload alive: a little spread. */
static unsigned retry_s(void)
{
    uint8_t byte;

    random_bytes(&byte, sizeof(byte));
    return RETRY_LEAST_S + byte % RETRY_SPREAD_S;
}

static void send_problem(struct http_request *request, json_t *problem, bool english,
                         unsigned status)
{
    char *text = json_dumps(problem, JSON_COMPACT);

    must(text != NULL);
    guard_headers(request);
    http_set_header(request, "Content-Language", english ? "en" : "ja");
    if (status == 401)
        http_set_header(request, "WWW-Authenticate", "Bearer realm=\"mamis\"");
    http_answer(request, status, PROBLEM_TYPE, str_of(text));
    free(text);
    json_decref(problem);
}

void call_retry_after(struct call *call, unsigned seconds)
{
    http_set_header(call->request, "Retry-After", arena_printf(call->flow.arena, "%u", seconds));
    call->retry_set = true;
}

static json_t *told_param(const char *name, const char *value)
{
    json_t *told = json_object(), *params = json_object();
    json_t *text = json_string(value);

    if (text != NULL) /* no UTF-8: cannot be shown */
        must(json_object_set_new(params, name, text) == 0);
    must(json_object_set_new(told, "params", params) == 0);
    return told;
}

static json_t *seconds_param(struct call *call, unsigned seconds)
{
    return told_param("seconds", arena_printf(call->flow.arena, "%u", seconds));
}

void call_answer_problem(struct call *call, enum code code, json_t *told)
{
    unsigned status = code_status(code);
    json_t *own = NULL;

    must(!call->answered);
    call->answered = true;
    call->gateway->figures.refused++;
    if ((status == 503 || status == 429) && !call->retry_set) {
        unsigned seconds = retry_s();

        call_retry_after(call, seconds);
        if (told == NULL)
            told = own = seconds_param(call, seconds);
    }
    send_problem(call->request,
                 problem_object(call->flow.arena, code, call->english, call->flow.trace, told),
                 call->english, status);
    call->request = NULL;
    json_decref(own);
}

void call_problem(struct call *call, enum code code)
{
    call_answer_problem(call, code, NULL);
    flow_end(&call->flow, ERR_OK);
}

bool call_hold(struct call *call, size_t bytes)
{
    if (http_hold(call->request, bytes))
        return true;
    call_problem(call, CODE_SERVICE_UNAVAILABLE);
    return false;
}

void call_problem_with(struct call *call, enum code code, const char *name, const char *value)
{
    json_t *told = told_param(name, value);

    call_answer_problem(call, code, told);
    json_decref(told);
    flow_end(&call->flow, ERR_OK);
}

void call_problem_later(struct call *call, enum code code, unsigned seconds)
{
    call_retry_after(call, seconds);
    call_problem_with(call, code, "seconds", arena_printf(call->flow.arena, "%u", seconds));
}

/* The request was as the contract wants it: what a rule says of its fields is no 400. */
static enum code by_rule(enum code code)
{
    return code_status(code) == 400 ? CODE_VALUE_REFUSED : code;
}

void call_problem_json(struct call *call, json_t *told)
{
    call_answer_problem(call, by_rule(problem_code(told)), told);
    flow_end(&call->flow, ERR_OK);
}

static void set_field(struct call *call, const char *pointer, enum code code)
{
    struct body_problem *problem = &call->problems[0];
    unsigned limit = code == CODE_PASSWORD_TOO_SHORT  ? (unsigned)PASSWORD_CHARACTERS_MIN
                     : code == CODE_PASSWORD_TOO_LONG ? (unsigned)PASSWORD_BYTES_MAX
                                                      : 0;

    *problem = (struct body_problem){.pointer = pointer, .code = code};
    problem->params[problem->params_count++] = (struct code_param){"field", str_of(pointer + 1)};
    if (limit > 0)
        problem->params[problem->params_count++] =
            (struct code_param){"limit", str_of(arena_printf(call->flow.arena, "%u", limit))};
    call->problem_count = 1;
}

/* The problem itself is that of the field, but where the field's is one of form. */
static enum code whole_code(enum code code)
{
    return code_status(code) == 400 ? CODE_VALUE_REFUSED : code;
}

void call_field_problem(struct call *call, const char *pointer, enum code code)
{
    set_field(call, pointer, code);
    call_answer_fields(call, whole_code(code), "pointer");
}

static json_t *params_json(const struct body_problem *problem)
{
    json_t *params = json_object();

    for (size_t i = 0; i < problem->params_count; i++) {
        const struct code_param *param = &problem->params[i];
        json_t *value = json_stringn(param->value.data, param->value.len);

        if (value != NULL) /* no UTF-8: cannot be shown */
            must(json_object_set_new(params, param->name, value) == 0);
    }
    return params;
}

static void answer_fields(struct call *call, enum code code, const char *kind)
{
    json_t *told = json_object(), *errors = json_array();
    size_t count =
        call->problem_count < CALL_PROBLEMS_MAX ? call->problem_count : CALL_PROBLEMS_MAX;

    for (size_t i = 0; i < count; i++) {
        const struct body_problem *problem = &call->problems[i];
        const struct code_text *text = code_text(problem->code, call->english);
        json_t *error = json_object();
        struct buf detail = {0};

        problem_text(&detail, text->detail, problem->params, problem->params_count);
        if (detail.len == 0)
            buf_add_c(&detail, text->title);
        must(json_object_set_new(error, kind, json_string(problem->pointer)) == 0);
        must(json_object_set_new(error, "code", json_string(code_name(problem->code))) == 0);
        must(json_object_set_new(error, "detail", json_stringn(detail.data, detail.len)) == 0);
        must(json_array_append_new(errors, error) == 0);
        buf_free(&detail);
    }
    must(json_object_set_new(told, "errors", errors) == 0);
    if (count > 0)
        must(json_object_set_new(told, "params", params_json(&call->problems[0])) == 0);
    call_answer_problem(call, code, told);
    json_decref(told);
}

void call_answer_fields(struct call *call, enum code code, const char *kind)
{
    answer_fields(call, code, kind);
    flow_end(&call->flow, ERR_OK);
}

void call_field_answer(struct call *call, const char *pointer, enum code code)
{
    set_field(call, pointer, code);
    answer_fields(call, whole_code(code), "pointer");
}

/* ---- refusals of lib/http ---- */

const char *call_size_text(struct arena *arena, uint32_t bytes)
{
    if (bytes % (1024 * 1024) == 0)
        return arena_printf(arena, "%u MiB", bytes / (1024 * 1024));
    return arena_printf(arena, "%u KiB", bytes / 1024);
}

void call_refuse(void *context, struct http_request *request, enum err err, const char *detail)
{
    struct gateway *gateway = context;
    const struct http_route *route = http_request_route(request);
    bool english = accept_english(http_header(request, "Accept-Language"));
    enum code code = code_of_err(err);
    json_t *told = NULL;

    gateway->figures.refused++;
    LOG_DEBUG("request_refused", F_ERR(err), F_STR("detail", detail));
    if (err == ERR_BODY_TOO_LARGE && route != NULL &&
        strcmp(route->operation, "post_attendance") == 0) {
        code = CODE_FILE_TOO_LARGE;
        told = told_param("limit", call_size_text(http_request_arena(request),
                                                  gateway->settings->upload_bytes_max));
    }
    send_problem(
        request,
        problem_object(http_request_arena(request), code, english, http_request_id(request), told),
        english, code_status(code));
    json_decref(told);
}
