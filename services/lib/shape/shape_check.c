/*
 * Checks of single values, and the words that explain what was expected.
 */
#include "shape/shape_private.h"

size_t shape_characters(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (((unsigned char)text.data[i] & 0xC0) != 0x80)
            count++;
    }
    return count;
}

static bool run_has(const struct shape_run *run, unsigned char c)
{
    if (c >= 128)
        return false;
    return ((c < 64 ? run->low >> c : run->high >> (c - 64)) & 1) != 0;
}

/* Greedy without going back: gen_proto.py takes no pattern where that would make a difference. */
bool shape_matches(const struct shape_pattern *pattern, struct str text)
{
    size_t at = 0;

    for (size_t i = 0; i < pattern->count; i++) {
        const struct shape_run *run = &pattern->runs[i];
        size_t taken = 0;

        while (at < text.len && taken < run->most && run_has(run, (unsigned char)text.data[at])) {
            at++;
            taken++;
        }
        if (taken < run->least)
            return false;
    }
    return at == text.len;
}

/* C0, DEL, C1 and the line separators of Unicode. */
static bool has_control(struct str text, bool multiline)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.data[i];

        if (c < 0x20 && !(multiline && (c == '\n' || c == '\r' || c == '\t')))
            return true;
        if (c == 0x7F)
            return true;
        if (c == 0xC2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xA0)
            return true;
        if (c == 0xE2 && i + 2 < text.len && (unsigned char)text.data[i + 1] == 0x80 &&
            ((unsigned char)text.data[i + 2] == 0xA8 || (unsigned char)text.data[i + 2] == 0xA9))
            return true;
    }
    return false;
}

static bool is_one_of(const char *const *values, struct str text)
{
    for (size_t i = 0; values[i] != NULL; i++) {
        if (str_eq_c(text, values[i]))
            return true;
    }
    return false;
}

/* Blanks alone, those of CJK and the no-break space too, are no reason for anything. */
static bool says_nothing(const struct shape_field *field, struct str text)
{
    static const struct str blanks[] = {
        STR(" "), STR("\t"), STR("\r"), STR("\n"), STR("\xC2\xA0"), STR("\xE3\x80\x80"),
    };
    size_t i = 0;

    if ((field->flags & SHAPE_MULTILINE) == 0 || field->least == 0)
        return false;
    while (text.len > 0 && i < ARRAY_LEN(blanks)) {
        for (i = 0; i < ARRAY_LEN(blanks) && !str_starts(text, blanks[i]);)
            i++;
        if (i < ARRAY_LEN(blanks))
            text = (struct str){text.data + blanks[i].len, text.len - blanks[i].len};
    }
    return text.len == 0;
}

enum code shape_check_text(const struct shape_field *field, struct str text)
{
    if ((field->flags & SHAPE_CONTROL) == 0 &&
        has_control(text, (field->flags & SHAPE_MULTILINE) != 0))
        return CODE_FIELD_CONTROL_CHAR;
    if (field->values != NULL)
        return is_one_of(field->values, text) ? CODE_NONE : CODE_FIELD_VALUE;

    const int64_t characters = (int64_t)shape_characters(text);

    if (characters > field->most)
        return CODE_FIELD_TOO_LONG;
    if (characters < field->least || says_nothing(field, text))
        return CODE_FIELD_TOO_SHORT;
    if (field->pattern != NULL && !shape_matches(field->pattern, text))
        return CODE_FIELD_FORMAT;
    return CODE_NONE;
}

enum code shape_text_check(const struct shape_field *field, struct str text)
{
    struct uuid uuid;
    int64_t number;

    switch (field->type) {
    case SHAPE_TEXT:
        return shape_check_text(field, text);
    case SHAPE_UUID:
        return uuid_parse(text, &uuid) ? CODE_NONE : CODE_FIELD_FORMAT;
    case SHAPE_DAY:
        return day_parse(text) != DAY_NONE ? CODE_NONE : CODE_FIELD_FORMAT;
    case SHAPE_TIME:
        return time_parse(text, &number) ? CODE_NONE : CODE_FIELD_FORMAT;
    case SHAPE_BOOL:
        return str_eq_c(text, "true") || str_eq_c(text, "false") ? CODE_NONE : CODE_FIELD_VALUE;
    case SHAPE_INT:
        if (!str_to_i64(text, &number))
            return CODE_FIELD_FORMAT;
        return number >= field->least && number <= field->most ? CODE_NONE : CODE_FIELD_RANGE;
    case SHAPE_OBJECT:
    case SHAPE_LIST:
    case SHAPE_JSON:
        break;
    }
    must(false);
    return CODE_INTERNAL;
}

void shape_param(struct arena *arena, struct body_problem *problem, const char *name,
                 const char *value)
{
    must(problem->params_count < SHAPE_PARAMS_MAX);
    problem->params[problem->params_count++] =
        (struct code_param){name, str_of(arena_strdup(arena, value))};
}

void shape_param_i64(struct arena *arena, struct body_problem *problem, const char *name,
                     int64_t value)
{
    shape_param(arena, problem, name, arena_printf(arena, "%lld", (long long)value));
}

static const char *type_words(enum shape_type type)
{
    switch (type) {
    case SHAPE_TEXT:
    case SHAPE_UUID:
    case SHAPE_DAY:
    case SHAPE_TIME:
        return "string";
    case SHAPE_INT:
        return "integer";
    case SHAPE_BOOL:
        return "true, false";
    case SHAPE_OBJECT:
    case SHAPE_JSON:
        return "object";
    case SHAPE_LIST:
        return "array";
    }
    must(false);
    return "";
}

static const char *value_words(struct arena *arena, const struct shape_field *field)
{
    char *words = arena_strdup(arena, "");

    if (field->type == SHAPE_BOOL)
        return "true, false";
    for (size_t i = 0; field->values != NULL && field->values[i] != NULL; i++) {
        const char *value = field->values[i][0] == '\0' ? "\"\"" : field->values[i];

        words = arena_printf(arena, "%s%s%s", words, i == 0 ? "" : ", ", value);
    }
    return words;
}

void shape_explain(struct arena *arena, const struct shape_field *field, enum code code,
                   struct body_problem *problem)
{
    if (code == CODE_FIELD_TYPE) {
        shape_param(arena, problem, "expected", type_words(field->type));
    } else if (code == CODE_FIELD_TOO_LONG) {
        shape_param_i64(arena, problem, "limit", field->most);
    } else if (code == CODE_FIELD_TOO_SHORT) {
        shape_param_i64(arena, problem, "limit", field->least);
    } else if (code == CODE_FIELD_RANGE) {
        shape_param_i64(arena, problem, "least", field->least);
        shape_param_i64(arena, problem, "most", field->most);
    } else if (code == CODE_FIELD_VALUE) {
        shape_param(arena, problem, "expected", value_words(arena, field));
    } else if (code == CODE_FIELD_FORMAT) {
        shape_param(arena, problem, "expected", field->example == NULL ? "" : field->example);
    }
}
