/* credit_problems: the codes' texts with the values of a row or a file in them. */
#include "credit/credit_problems.h"

#include <jansson.h>
#include <stdlib.h>

static void set_new(json_t *object, const char *name, json_t *value)
{
    must(value != NULL && json_object_set_new(object, name, value) == 0);
}

static void set_text(json_t *object, const char *name, struct str text)
{
    json_t *value = text.data == NULL ? json_null() : json_stringn(text.data, text.len);

    /* Cells were read as UTF-8; a text that is none cannot stand here. */
    set_new(object, name, value == NULL ? json_null() : value);
}

static void set_rendered(json_t *object, const char *name, const char *text,
                         const struct code_param *params, size_t count)
{
    struct buf out = {0};

    code_render(&out, text, params, count);
    set_text(object, name, out.data == NULL ? STR("") : buf_str(&out));
    buf_free(&out);
}

static struct str dump(struct arena *arena, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    struct str copy;

    must(text != NULL);
    copy = arena_str(arena, str_of(text));
    free(text);
    json_decref(json);
    return copy;
}

/* ---- rows ---- */

static json_t *row_problem(const struct attendance_problem *problem)
{
    const struct code_text *japanese = code_text(problem->code, false);
    const struct code_text *english = code_text(problem->code, true);
    const struct code_param params[] = {
        {"column", problem->column},
        {"value", problem->value},
        {"expected", problem->expected},
    };
    json_t *object = json_object();

    set_new(object, "code", json_string(code_name(problem->code)));
    set_text(object, "column", problem->column);
    set_text(object, "value", problem->value);
    set_rendered(object, "detail", japanese->detail, params, ARRAY_LEN(params));
    set_rendered(object, "cure", japanese->cure, params, ARRAY_LEN(params));
    set_rendered(object, "detail_en", english->detail, params, ARRAY_LEN(params));
    set_rendered(object, "cure_en", english->cure, params, ARRAY_LEN(params));
    return object;
}

struct str problems_json(struct arena *arena, const struct attendance_verdicts *verdicts,
                         const struct attendance_verdict *verdict)
{
    json_t *list;

    if (verdict->problem_count == 0)
        return STR("[]");
    list = json_array();
    for (uint32_t i = 0; i < verdict->problem_count; i++)
        must(json_array_append_new(list, row_problem(&verdicts->problems[verdict->problem + i])) ==
             0);
    return dump(arena, list);
}

/* ---- files ---- */

static json_t *problem_new(struct arena *arena, enum code code)
{
    json_t *problem = json_object();

    set_new(problem, "type",
            json_string(arena_printf(arena, "urn:mamis:problem:%s", code_name(code))));
    set_new(problem, "status", json_integer((json_int_t)code_status(code)));
    set_new(problem, "code", json_string(code_name(code)));
    return problem;
}

static void set_words(json_t *problem, enum code code, bool english,
                      const struct code_param *params, size_t count)
{
    const struct code_text *text = code_text(code, english);

    set_new(problem, english ? "title_en" : "title", json_string(text->title));
    set_rendered(problem, english ? "detail_en" : "detail", text->detail, params, count);
    set_rendered(problem, english ? "cure_en" : "cure", text->cure, params, count);
}

struct str problem_json_refusal(struct arena *arena, const struct attendance_refusal *refusal)
{
    json_t *problem = problem_new(arena, refusal->code);
    struct attendance_params params;

    if (refusal->line > 0)
        set_new(problem, "line", json_integer(refusal->line));
    for (int english = 0; english <= 1; english++) {
        attendance_refusal_params(refusal, english != 0, &params);
        set_words(problem, refusal->code, english != 0, params.list, params.count);
    }
    return dump(arena, problem);
}

struct str problem_json_internal(struct arena *arena)
{
    json_t *problem = problem_new(arena, CODE_INTERNAL);

    set_words(problem, CODE_INTERNAL, false, NULL, 0);
    set_words(problem, CODE_INTERNAL, true, NULL, 0);
    return dump(arena, problem);
}
