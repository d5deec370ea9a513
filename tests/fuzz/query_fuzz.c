/*
 * The address of a request: path and query of any bytes, then each value against the contract of
 * every parameter, and as a cursor.
 */
#include <string.h>

#include "fuzz.h"
#include "gateway/gateway_reads.h"
#include "http/http_private.h"
#include "text/utf8.h"

/* What is decoded can be shown, logged and sent to PostgreSQL. */
static void check_text(struct str text)
{
    must(utf8_valid_len(text) == text.len);
    for (size_t i = 0; i < text.len; i++)
        must((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f);
}

static void check_param(const struct shape_field *field, struct str text)
{
    struct uuid uuid;
    int64_t number;

    if (shape_text_check(field, text) != CODE_NONE)
        return;
    must(field->type != SHAPE_UUID || uuid_parse(text, &uuid));
    must(field->type != SHAPE_DAY || day_parse(text) != DAY_NONE);
    must(field->type != SHAPE_INT || (str_to_i64(text, &number) && number >= field->least));
    must(field->type != SHAPE_TEXT || field->values != NULL ||
         text.len <= (size_t)field->most * UTF8_BYTES_MAX);
}

static void check_cursor(struct arena *arena, struct str text)
{
    for (size_t parts = 1; parts <= CURSOR_PARTS_MAX; parts++) {
        struct cursor cursor;

        if (!cursor_parse(arena, text, parts, &cursor))
            continue;
        must(cursor.count == parts);
        for (size_t i = 0; i < parts; i++) {
            must(utf8_valid_len(cursor.parts[i]) == cursor.parts[i].len);
            (void)cursor_number(&cursor, i);
        }
    }
}

static void check_value(struct arena *arena, struct str text)
{
#define CHECK(method, path, operation, action, most, streams)                                      \
    for (size_t i = 0; i < route_info(#operation)->param_count; i++)                               \
        check_param(&route_info(#operation)->params[i].field, text);
    ROUTES(CHECK)
#undef CHECK
    check_cursor(arena, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request request = {.refusal = ERR_OK};
    struct arena *arena = arena_new();
    /* It ends at the first NUL, as libmicrohttpd gives it. */
    struct str target = arena_str(arena, (struct str){(const char *)data, size});

    target.len = strlen(target.data);
    request.arena = arena;
    http_target_judge(&request, target);
    if (request.refusal == ERR_OK) {
        check_text(request.path);
        must(request.query_count <= HTTP_QUERY_MAX);
        for (size_t i = 0; i < request.query_count; i++) {
            check_text(request.query[i].name);
            check_text(request.query[i].value);
            check_value(arena, request.query[i].value);
        }
    }
    arena_free(arena);
    return 0;
}
