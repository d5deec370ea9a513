/* gateway_cursor: where a list goes on. Opaque outside: base64url of the last row's place. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "text/utf8.h"

enum { CURSOR_BYTES_MAX = 160 };

struct str cursor_text(struct arena *arena, struct str parts)
{
    return base64url_encode(arena, (const uint8_t *)parts.data, parts.len);
}

static bool decode(struct arena *arena, struct str text, struct str *ret_parts)
{
    char *out = arena_alloc(arena, CURSOR_BYTES_MAX);
    size_t len = 0;

    if (sodium_base642bin((unsigned char *)out, CURSOR_BYTES_MAX, text.data, text.len, NULL, &len,
                          NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    *ret_parts = (struct str){out, len};
    return utf8_valid_len(*ret_parts) == len && memchr(out, '\0', len) == NULL;
}

bool cursor_parse(struct arena *arena, struct str text, size_t parts, struct cursor *ret_cursor)
{
    struct str left;

    *ret_cursor = (struct cursor){.count = 0};
    if (!decode(arena, text, &left))
        return false;
    while (ret_cursor->count < parts && str_cut(&left, '|', &ret_cursor->parts[ret_cursor->count]))
        ret_cursor->count++;
    return ret_cursor->count == parts && left.data == NULL;
}

bool cursor_read(struct call *call, size_t parts, struct cursor *ret_cursor)
{
    struct str text = call_text(call, "cursor");

    *ret_cursor = (struct cursor){.count = 0};
    if (text.data == NULL || cursor_parse(call->flow.arena, text, parts, ret_cursor))
        return true;
    call_cursor_bad(call);
    return false;
}

int64_t cursor_number(const struct cursor *cursor, size_t part)
{
    int64_t number = 0;

    return part < cursor->count && str_to_i64(cursor->parts[part], &number) ? number : 0;
}

void call_cursor_bad(struct call *call)
{
    call->problems[0] = (struct body_problem){.pointer = "cursor", .code = CODE_CURSOR_BAD};
    call->problem_count = 1;
    call_answer_fields(call, CODE_CURSOR_BAD, "parameter");
}

static struct str in_one_language(struct call *call, struct str items)
{
    json_t *json = command_json(call->flow.arena, items);
    char *text;
    struct str copy;

    problem_pick_language(json, call->english);
    text = json_dumps(json, JSON_COMPACT);
    must(text != NULL);
    copy = arena_str(call->flow.arena, str_of(text));
    free(text);
    return copy;
}

void reads_answer_list(struct call *call, const char *const *more, bool languages)
{
    struct arena *arena = call->flow.arena;
    struct str items = db_get_text(call->query, 0, 0);
    struct str place = db_get_text(call->query, 0, 1);
    struct buf body = {0};
    struct str text;

    buf_add_c(&body, "{\"items\":");
    buf_add_str(&body, languages ? in_one_language(call, items) : items);
    for (int i = 0; more != NULL && more[i] != NULL; i++) {
        buf_printf(&body, ",\"%s\":", more[i]);
        buf_add_str(&body, db_get_text(call->query, 0, 2 + i));
    }
    if (place.data == NULL)
        buf_add_c(&body, ",\"next_cursor\":null}");
    else
        buf_printf(&body, ",\"next_cursor\":\"%.*s\"}", STR_ARG(cursor_text(arena, place)));
    text = arena_str(arena, buf_str(&body));
    buf_free(&body);
    call_json(call, 200, text);
}
