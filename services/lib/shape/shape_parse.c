/*
 * JSON text to a document. Depth and tokens are counted first: jansson itself would recurse 2,048
 * levels deep and make 79 MiB of one MiB of "{},{},...".
 */
#include <string.h>

#include "shape/shape_private.h"

static void release(void *json)
{
    json_decref(json);
}

/* Only sizes; what is no JSON at all is left to the parser. */
static enum code scan(struct str text, size_t tokens_max)
{
    size_t depth = 0;
    size_t tokens = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];

        if (c == '"') {
            for (i++; i < text.len && text.data[i] != '"'; i++) {
                if (text.data[i] == '\\')
                    i++;
            }
            tokens++;
        } else if (c == '{' || c == '[') {
            tokens++;
            if (++depth > SHAPE_DEPTH_MAX)
                return CODE_JSON_TOO_DEEP;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        } else if (c == ',') {
            tokens++; /* numbers and words are counted by what parts them */
        }
    }
    return tokens > tokens_max ? CODE_BODY_TOO_LARGE : CODE_NONE;
}

static enum code code_of_json(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_duplicate_key:
        return CODE_JSON_DUPLICATE_KEY;
    case json_error_invalid_utf8:
        return CODE_JSON_NOT_UTF8;
    case json_error_stack_overflow:
        return CODE_JSON_TOO_DEEP;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return CODE_FIELD_CONTROL_CHAR;
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_premature_end_of_input:
    case json_error_end_of_input_expected:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_value:
    case json_error_numeric_overflow:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
    return CODE_JSON_SYNTAX;
}

enum err shape_parse(struct arena *arena, struct str text, size_t tokens_max, json_t **ret_json,
                     struct body_problem *ret_problem)
{
    struct body_problem problem = {.pointer = "", .code = scan(text, tokens_max)};
    json_error_t error = {0};
    json_t *json = NULL;

    if (problem.code == CODE_NONE) {
        json = json_loadb(text.data == NULL ? "" : text.data, text.len, JSON_REJECT_DUPLICATES,
                          &error);
        if (json == NULL)
            problem.code = code_of_json(&error);
    }
    if (json == NULL) {
        if (problem.code == CODE_JSON_SYNTAX) {
            shape_param_i64(arena, &problem, "line", error.line < 1 ? 1 : error.line);
            shape_param_i64(arena, &problem, "column", error.column < 0 ? 0 : error.column);
        } else if (problem.code == CODE_JSON_TOO_DEEP) {
            shape_param_i64(arena, &problem, "limit", SHAPE_DEPTH_MAX);
        } else if (problem.code == CODE_FIELD_CONTROL_CHAR) {
            shape_param(arena, &problem, "field", "body");
        }
        *ret_problem = problem;
        return ERR_JSON;
    }
    arena_defer(arena, release, json);
    *ret_json = json;
    return ERR_OK;
}
