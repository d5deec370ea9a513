/* gateway_problem: what people and programs are told when something is wrong (RFC 9457). */
#include <string.h>

#include "gateway/gateway_call.h"

enum { LANGUAGE_DEPTH_MAX = 4, PROBLEM_PARAMS_MAX = 8 };

/* The weight of a language in Accept-Language, in thousandths; 0 when it is not there. */
static unsigned language_weight(struct str header, const char *wanted)
{
    unsigned best = 0;
    struct str part, name;

    while (header.len > 0) {
        unsigned weight = 1000;

        (void)str_cut(&header, ',', &part);
        (void)str_cut(&part, ';', &name);
        name = str_trim(name);
        part = str_trim(part);
        if (str_starts(part, STR("q=")) && part.len >= 3 && part.data[2] == '0') {
            weight = 0;
            for (size_t i = 4, unit = 100; i < part.len && i < 7; i++, unit /= 10)
                if (part.data[i] >= '0' && part.data[i] <= '9')
                    weight += (unsigned)(unit * (size_t)(part.data[i] - '0'));
        }
        if (name.len > 2 && name.data[2] == '-')
            name.len = 2;
        if (str_eq_nocase(name, str_of(wanted)) && weight > best)
            best = weight;
    }
    return best;
}

bool accept_english(struct str accept_language)
{
    if (accept_language.len > 500)
        return false;
    return language_weight(accept_language, "en") > language_weight(accept_language, "ja");
}

/* ---- params of a worker's problem ---- */

static size_t params_of(json_t *told, struct code_param *params)
{
    json_t *given = json_object_get(told, "params");
    const char *name;
    json_t *value;
    size_t count = 0;

    json_object_foreach(given, name, value)
    {
        if (!json_is_string(value) || count >= PROBLEM_PARAMS_MAX)
            continue;
        params[count++] =
            (struct code_param){name, {json_string_value(value), json_string_length(value)}};
    }
    return count;
}

static json_t *rendered(const char *text, const struct code_param *params, size_t count)
{
    struct buf out = {0};
    json_t *json;

    code_render(&out, text, params, count);
    json = json_stringn(out.len == 0 ? "" : out.data, out.len);
    must(json != NULL);
    buf_free(&out);
    return json;
}

static void set(json_t *object, const char *name, json_t *value)
{
    must(value != NULL && json_object_set_new(object, name, value) == 0);
}

/* Errors with a code and no text get it. */
static json_t *errors_of(json_t *told, bool english, const struct code_param *params, size_t count)
{
    json_t *errors = json_deep_copy(json_object_get(told, "errors"));
    json_t *error;
    size_t index;

    json_array_foreach(errors, index, error)
    {
        enum code code = code_of_name(str_of(json_string_value(json_object_get(error, "code"))));
        const struct code_text *text = code_text(code == CODE_NONE ? CODE_SCHEMA : code, english);

        if (json_object_get(error, "detail") != NULL)
            continue;
        set(error, "detail", rendered(text->detail, params, count));
        if (*text->cure != '\0')
            set(error, "cure", rendered(text->cure, params, count));
    }
    return errors;
}

enum code problem_code(json_t *told)
{
    enum code code = code_of_name(str_of(json_string_value(json_object_get(told, "code"))));

    return code == CODE_NONE ? CODE_INTERNAL : code;
}

json_t *problem_object(struct arena *arena, enum code code, bool english, const char *request_id,
                       json_t *told)
{
    const struct code_text *text = code_text(code, english);
    struct code_param params[PROBLEM_PARAMS_MAX];
    size_t count = params_of(told, params);
    json_t *problem = json_object();
    json_t *value;
    const char *name;

    set(problem, "type", json_string(arena_printf(arena, "urn:mamis:problem:%s", code_name(code))));
    set(problem, "title", json_string(text->title));
    set(problem, "status", json_integer((json_int_t)code_status(code)));
    set(problem, "detail", rendered(text->detail, params, count));
    set(problem, "code", json_string(code_name(code)));
    if (*text->cure != '\0')
        set(problem, "cure", rendered(text->cure, params, count));
    if (request_id != NULL)
        set(problem, "request_id", json_string(request_id));
    json_object_foreach(told, name, value)
    {
        if (strcmp(name, "errors") == 0)
            set(problem, "errors", errors_of(told, english, params, count));
        else if (strcmp(name, "params") != 0 && json_object_get(problem, name) == NULL)
            must(json_object_set(problem, name, value) == 0);
    }
    return problem;
}

/* ---- texts that stand in both languages ---- */

static void pick(json_t *json, bool english, int depth)
{
    static const char *const names[][2] = {
        {"title", "title_en"}, {"detail", "detail_en"}, {"cure", "cure_en"}};
    const char *name;
    json_t *value;
    size_t index;

    if (depth > LANGUAGE_DEPTH_MAX)
        return;
    for (size_t i = 0; json_is_object(json) && i < ARRAY_LEN(names); i++) {
        json_t *other = json_object_get(json, names[i][1]);

        if (english && other != NULL)
            must(json_object_set(json, names[i][0], other) == 0);
        (void)json_object_del(json, names[i][1]);
    }
    json_object_foreach(json, name, value) pick(value, english, depth + 1);
    json_array_foreach(json, index, value) pick(value, english, depth + 1);
}

void problem_pick_language(json_t *json, bool english)
{
    pick(json, english, 0);
}
