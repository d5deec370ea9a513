/* credit_problems: the codes' texts with the values of a row or a file in them. */
#include "credit/credit_problems.h"

#include <jansson.h>

#include "attendance/attendance_cells.h"
#include "shape/shape.h"

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

/* ---- rows: written by hand, for a bad file has thousands of them ---- */

static void put_quoted(struct buf *out, struct str text)
{
    size_t from = 0;

    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t byte = (uint8_t)text.data[i];

        if (byte >= ' ' && byte != '"' && byte != '\\')
            continue;
        buf_add(out, text.data + from, i - from);
        from = i + 1;
        if (byte < ' ')
            buf_printf(out, "\\u%04x", byte);
        else
            buf_printf(out, "\\%c", byte);
    }
    buf_add(out, text.data + from, text.len - from);
    buf_add_char(out, '"');
}

static void put_member(struct buf *out, const char *name, struct str text)
{
    buf_add_c(out, name);
    if (text.data == NULL)
        buf_add_c(out, "null");
    else
        put_quoted(out, text);
}

static void put_words(struct buf *out, const char *name, const char *words,
                      const struct code_param *params, size_t count)
{
    struct buf rendered = {0};

    code_render(&rendered, words, params, count);
    put_member(out, name, rendered.data == NULL ? STR("") : buf_str(&rendered));
    buf_free(&rendered);
}

/* `note`: of the row. A name that differs in small kana only is told as that. */
static void put_problem(struct buf *out, const struct attendance_problem *problem, enum code note)
{
    const struct code_text *japanese = code_text(problem->code, false);
    const struct code_text *english = code_text(problem->code, true);
    const bool small = problem->code == CODE_KANA_MISMATCH && note == CODE_SMALL_KANA;
    const enum code told = small ? note : problem->code;
    const struct code_param params[] = {
        {"column", problem->column},
        {"value", problem->value},
        {"expected", problem->expected},
    };

    put_member(out, "{\"code\":", str_of(code_name(problem->code)));
    put_member(out, ",\"column\":", problem->column);
    put_member(out, ",\"value\":", problem->value);
    put_words(out, ",\"detail\":", code_text(told, false)->detail, params, ARRAY_LEN(params));
    put_words(out, ",\"cure\":", japanese->cure, params, ARRAY_LEN(params));
    put_words(out, ",\"detail_en\":", code_text(told, true)->detail, params, ARRAY_LEN(params));
    put_words(out, ",\"cure_en\":", english->cure, params, ARRAY_LEN(params));
    buf_add_char(out, '}');
}

struct str problems_json(struct arena *arena, const struct attendance_verdicts *verdicts,
                         const struct attendance_verdict *verdict)
{
    struct buf out = {0};
    struct str copy;

    if (verdict->problem_count == 0)
        return STR("[]");
    for (uint32_t i = 0; i < verdict->problem_count; i++) {
        buf_add_char(&out, i == 0 ? '[' : ',');
        put_problem(&out, &verdicts->problems[verdict->problem + i], verdict->note);
    }
    buf_add_char(&out, ']');
    copy = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return copy;
}

/* Nothing else is told of who was absent. */
struct str notes_json(struct arena *arena, const struct attendance_header *header,
                      const struct attendance_row *row, const struct attendance_verdict *verdict)
{
    const struct attendance_problem lost = {.code = CODE_LOST_CHARACTER,
                                            .column = attendance_header_name(header, COLUMN_NAME),
                                            .value = row->cells[COLUMN_NAME]};
    struct buf out = {0};
    struct str copy;

    if (verdict->outcome == OUTCOME_ABSENT || !name_is_lost(lost.value))
        return STR_NONE;
    buf_add_char(&out, '[');
    put_problem(&out, &lost, CODE_NONE);
    buf_add_char(&out, ']');
    copy = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return copy;
}

struct str suggestion_json(struct arena *arena, int64_t register_no, struct str name_kana)
{
    struct buf out = {0};
    struct str copy;

    if (register_no == 0)
        return STR_NONE;
    buf_printf(&out, "{\"register_no\":\"%lld\"", (long long)register_no);
    put_member(&out, ",\"name_kana\":", name_kana);
    buf_add_char(&out, '}');
    copy = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return copy;
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
    return shape_print(arena, problem);
}

struct str problem_json_internal(struct arena *arena)
{
    json_t *problem = problem_new(arena, CODE_INTERNAL);

    set_words(problem, CODE_INTERNAL, false, NULL, 0);
    set_words(problem, CODE_INTERNAL, true, NULL, 0);
    return shape_print(arena, problem);
}
