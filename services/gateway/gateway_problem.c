/* gateway_problem: what people and programs are told when something is wrong (RFC 9457). */
#include <string.h>

#include "domain/kinds.h"
#include "gateway/gateway_call.h"

enum { LANGUAGE_DEPTH_MAX = 4, PROBLEM_PARAMS_MAX = 8, SENTENCE_BYTES_MAX = 600 };

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

static bool is_known(struct str name, const struct code_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_c(name, params[i].name))
            return params[i].value.len > 0;
    return false;
}

/* Whether a sentence names nothing but what is given. */
static bool is_complete(struct str sentence, const struct code_param *params, size_t count)
{
    struct str before, name;

    while (str_cut(&sentence, '{', &before) && sentence.data != NULL) {
        if (!str_cut(&sentence, '}', &name) || !is_known(name, params, count))
            return false;
    }
    return true;
}

/* Where the sentence ends that begins `text`, with the blank behind it. */
static size_t sentence_len(const char *text)
{
    const char *end = strstr(text, "。");
    const char *stop = strstr(text, ". ");

    if (end != NULL && (stop == NULL || end < stop))
        return (size_t)(end - text) + strlen("。");
    return stop != NULL ? (size_t)(stop - text) + 2 : strlen(text);
}

void problem_text(struct buf *out, const char *text, const struct code_param *params, size_t count)
{
    char sentence[SENTENCE_BYTES_MAX];

    while (*text != '\0') {
        size_t len = sentence_len(text);

        must(len < sizeof(sentence));
        memcpy(sentence, text, len);
        sentence[len] = '\0';
        if (is_complete((struct str){sentence, len}, params, count))
            code_render(out, sentence, params, count);
        text += len;
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->len--;
}

/* `otherwise`: where no sentence can be said; NULL: nothing then. */
static void set_text(json_t *object, const char *name, const char *text, const char *otherwise,
                     const struct code_param *params, size_t count)
{
    struct buf out = {0};

    problem_text(&out, text, params, count);
    if (out.len == 0 && otherwise != NULL)
        buf_add_c(&out, otherwise);
    if (out.len > 0)
        must(json_object_set_new(object, name, json_stringn(out.data, out.len)) == 0);
    buf_free(&out);
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
        set_text(error, "detail", text->detail, text->title, params, count);
        set_text(error, "cure", text->cure, NULL, params, count);
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
    set_text(problem, "detail", text->detail, text->title, params, count);
    set(problem, "code", json_string(code_name(code)));
    set_text(problem, "cure", text->cure, NULL, params, count);
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

/* Kinds of credit are kept with their Japanese names. */
static void name_kind(json_t *json)
{
    const char *code = json_string_value(json_object_get(json, "kind"));
    const enum kind kind = code == NULL ? KIND_NONE : kind_of_code(str_of(code));

    if (kind != KIND_NONE && json_is_string(json_object_get(json, "kind_name")))
        must(json_object_set_new(json, "kind_name", json_string(kind_name(kind, true))) == 0);
}

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
    if (english)
        name_kind(json);
    json_object_foreach(json, name, value) pick(value, english, depth + 1);
    json_array_foreach(json, index, value) pick(value, english, depth + 1);
}

void problem_pick_language(json_t *json, bool english)
{
    pick(json, english, 0);
}
