/* gateway_params: parameters and bodies of requests against the contract. */
#include <string.h>

#include "gateway/gateway_call.h"

/* ---- parameters ---- */

static struct str given(const struct call *call, const struct route_param *param)
{
    switch (param->in) {
    case ROUTE_PATH:
        return http_param(call->request, param->field.name);
    case ROUTE_QUERY:
        return http_query(call->request, param->field.name);
    case ROUTE_HEADER:
        return http_header(call->request, param->field.name);
    }
    must(false);
    return STR_NONE;
}

static const struct route_param *param_find(const struct call *call, const char *name)
{
    const struct route_info *info = call->endpoint->info;

    for (size_t i = 0; i < info->param_count; i++)
        if (strcmp(info->params[i].field.name, name) == 0)
            return &info->params[i];
    must(false); /* the endpoint asks for what its contract does not have */
    return NULL;
}

static const char *expected(struct call *call, const struct shape_field *field)
{
    struct buf list = {0};
    const char *text;

    if (field->values == NULL && field->type == SHAPE_INT)
        return arena_printf(call->flow.arena, "%lld - %lld", (long long)field->least,
                            (long long)field->most);
    if (field->values == NULL)
        return field->type == SHAPE_BOOL ? "true, false"
               : field->example == NULL  ? ""
                                         : field->example;
    for (size_t i = 0; field->values[i] != NULL; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", field->values[i]);
    text = arena_str(call->flow.arena, buf_str(&list)).data;
    buf_free(&list);
    return text;
}

static void note_problem(struct call *call, const char *name, enum code code,
                         const struct shape_field *field)
{
    struct body_problem *problem;

    if (call->problem_count++ >= CALL_PROBLEMS_MAX)
        return;
    problem = &call->problems[call->problem_count - 1];
    *problem = (struct body_problem){.pointer = name, .code = code};
    problem->params[problem->params_count++] = (struct code_param){"field", str_of(name)};
    if (field != NULL)
        problem->params[problem->params_count++] =
            (struct code_param){"expected", str_of(expected(call, field))};
}

/* The answer to a path that names nothing, a key that is none, or CODE_NONE. */
static enum code check_param(struct call *call, const struct route_param *param)
{
    struct str text = given(call, param);

    if (text.data == NULL) {
        if (param->in == ROUTE_QUERY && (param->field.flags & SHAPE_REQUIRED) != 0)
            note_problem(call, param->field.name, CODE_PARAMETER_BAD, &param->field);
        return CODE_NONE;
    }
    if (shape_text_check(&param->field, text) == CODE_NONE)
        return CODE_NONE;
    if (param->in == ROUTE_PATH)
        return strcmp(call->endpoint->info->operation, "post_attendance") == 0
                   ? CODE_SEMINAR_UNKNOWN
                   : CODE_NOT_FOUND;
    if (strcmp(param->field.name, "Idempotency-Key") == 0)
        return CODE_IDEMPOTENCY_KEY_BAD;
    /* Others are hints: what is no good counts as not given, and only too much of it is wrong. */
    if (param->in == ROUTE_HEADER && (int64_t)text.len <= param->field.most)
        return CODE_NONE;
    note_problem(call, param->field.name,
                 strcmp(param->field.name, "cursor") == 0 ? CODE_CURSOR_BAD : CODE_PARAMETER_BAD,
                 &param->field);
    return CODE_NONE;
}

static void check_query_names(struct call *call)
{
    struct str name;

    for (size_t i = 0; (name = http_query_name(call->request, i)).data != NULL; i++) {
        const char *text = arena_str(call->flow.arena, name).data;

        if (route_param(call->endpoint->info, ROUTE_QUERY, name) == NULL)
            note_problem(call, text, CODE_PARAMETER_UNKNOWN, NULL);
        for (size_t k = 0; k < i; k++)
            if (str_eq(http_query_name(call->request, k), name))
                note_problem(call, text, CODE_PARAMETER_BAD, NULL);
    }
}

bool call_params_check(struct call *call)
{
    const struct route_info *info = call->endpoint->info;

    for (size_t i = 0; i < info->param_count; i++) {
        enum code code = check_param(call, &info->params[i]);

        if (code != CODE_NONE) {
            call_problem_with(call, code, "value",
                              arena_str(call->flow.arena, given(call, &info->params[i])).data);
            return false;
        }
    }
    check_query_names(call);
    if (call->problem_count == 0)
        return true;
    call_answer_fields(call, call->problems[0].code, "parameter");
    return false;
}

struct str call_text(const struct call *call, const char *name)
{
    const struct route_param *param = param_find(call, name);
    struct str text = given(call, param);

    if (text.data != NULL && param->in == ROUTE_HEADER &&
        shape_text_check(&param->field, text) != CODE_NONE)
        return STR_NONE;
    return text;
}

int64_t call_number(const struct call *call, const char *name)
{
    const struct route_param *param = param_find(call, name);
    struct str text = given(call, param);
    int64_t number;

    return text.data != NULL && str_to_i64(text, &number) ? number : param->fallback;
}

bool call_flag(const struct call *call, const char *name)
{
    const struct route_param *param = param_find(call, name);
    struct str text = given(call, param);

    return text.data == NULL ? param->fallback != 0 : str_eq_c(text, "true");
}

day_t call_day(const struct call *call, const char *name)
{
    struct str text = given(call, param_find(call, name));

    return text.data == NULL ? DAY_NONE : day_parse(text);
}

struct uuid call_id(const struct call *call, const char *name)
{
    struct uuid id = {{0}};

    must(uuid_parse(given(call, param_find(call, name)), &id));
    return id;
}

/* ---- bodies ---- */

bool call_content_type(const struct call *call, const char *wanted)
{
    struct str type = http_header(call->request, "Content-Type"), name;

    if (type.data == NULL || !str_cut(&type, ';', &name))
        return false;
    return str_eq_nocase(str_trim(name), str_of(wanted));
}

bool call_json_parse(struct call *call, struct str text)
{
    struct body_problem problem = {.pointer = ""};

    if (shape_parse(call->flow.arena, text, SHAPE_TOKENS_MAX, &call->body, &problem) == ERR_OK)
        return true;
    call->problems[0] = problem;
    call->problem_count = 1;
    call_answer_fields(call, problem.code, "pointer");
    return false;
}

bool call_body_read(struct call *call)
{
    struct str text = http_body(call->request);

    if (text.len == 0 && http_header(call->request, "Content-Type").data == NULL)
        text = STR("{}"); /* operations whose fields are all optional */
    else if (!call_content_type(call, "application/json")) {
        call_problem_with(call, CODE_CONTENT_TYPE_BAD, "expected", "application/json");
        return false;
    }
    return call_json_parse(call, text);
}

bool call_body_checked(struct call *call, enum err err)
{
    if (err == ERR_OK)
        return true;
    call_answer_fields(call, CODE_SCHEMA, "pointer");
    return false;
}
