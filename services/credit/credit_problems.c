/* credit_problems: the codes' texts with a row's own values in them. */
#include "credit/credit_problems.h"

#include <jansson.h>

static void set_text(json_t *object, const char *name, struct str text)
{
    json_t *value = text.data == NULL ? json_null() : json_stringn(text.data, text.len);

    /* Cells were read as UTF-8; a text that is none cannot stand here. */
    (void)json_object_set_new(object, name, value == NULL ? json_null() : value);
}

static void set_rendered(json_t *object, const char *name, const char *text,
                         const struct attendance_problem *problem)
{
    const struct code_param params[] = {
        {"column", problem->column},
        {"value", problem->value},
        {"expected", problem->expected},
    };
    struct buf out = {0};

    code_render(&out, text, params, ARRAY_LEN(params));
    set_text(object, name, out.data == NULL ? STR("") : buf_str(&out));
    buf_free(&out);
}

static json_t *problem_json(const struct attendance_problem *problem)
{
    const struct code_text *japanese = code_text(problem->code, false);
    const struct code_text *english = code_text(problem->code, true);
    json_t *object = json_object();

    (void)json_object_set_new(object, "code", json_string(code_name(problem->code)));
    set_text(object, "column", problem->column);
    set_text(object, "value", problem->value);
    set_rendered(object, "detail", japanese->detail, problem);
    set_rendered(object, "cure", japanese->cure, problem);
    set_rendered(object, "detail_en", english->detail, problem);
    set_rendered(object, "cure_en", english->cure, problem);
    return object;
}

struct str problems_json(struct arena *arena, const struct attendance_verdicts *verdicts,
                         const struct attendance_verdict *verdict)
{
    json_t *list;
    char *text;
    struct str copy;

    if (verdict->problem_count == 0)
        return STR("[]");
    list = json_array();
    for (uint32_t i = 0; i < verdict->problem_count; i++)
        (void)json_array_append_new(list, problem_json(&verdicts->problems[verdict->problem + i]));
    text = json_dumps(list, JSON_COMPACT);
    must(text != NULL);
    copy = arena_str(arena, str_of(text));
    free(text);
    json_decref(list);
    return copy;
}
