/* http_route: which handler a path belongs to, and the decoding of addresses. */
#include <string.h>

#include "http/http_private.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Bytes of the UTF-8 character at `at`, 0 when there is none (RFC 3629: shortest form only). */
static size_t utf8_len(const unsigned char *at, size_t left)
{
    unsigned char c = at[0];
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && at[1] < 0xa0) || (c == 0xed && at[1] > 0x9f) || (c == 0xf0 && at[1] < 0x90) ||
        (c == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

static bool text_ok(struct str text)
{
    const unsigned char *data = (const unsigned char *)text.data;
    size_t at = 0;

    while (at < text.len) {
        size_t len = utf8_len(data + at, text.len - at);

        if (len == 0 || data[at] < 0x20 || data[at] == 0x7f)
            return false;
        at += len;
    }
    return true;
}

bool http_decode(struct arena *arena, struct str raw, bool plus, struct str *ret_text)
{
    char *out = arena_alloc(arena, raw.len + 1);
    struct str text = {out, 0};

    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];

        if (c == '%') {
            int high = i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_digit(raw.data[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[text.len++] = c;
    }
    if (!text_ok(text))
        return false;
    *ret_text = text;
    return true;
}

/* ---- finding ---- */

static bool next_segment(struct str *path, struct str *ret_segment)
{
    if (path->len == 0)
        return false;
    path->data++; /* the slash that begins every segment */
    path->len--;
    const char *slash = memchr(path->data, '/', path->len);
    size_t len = slash == NULL ? path->len : (size_t)(slash - path->data);

    *ret_segment = (struct str){path->data, len};
    path->data += len;
    path->len -= len;
    return true;
}

static bool is_name(struct str segment)
{
    return segment.len > 2 && segment.data[0] == '{';
}

static unsigned segments_of(struct str path)
{
    struct str segment;
    unsigned count = 0;

    while (next_segment(&path, &segment))
        count++;
    return count;
}

static unsigned names_of(struct str path)
{
    struct str segment;
    unsigned count = 0;

    while (next_segment(&path, &segment))
        count += is_name(segment);
    return count;
}

static int by_names(const void *left, const void *right)
{
    const struct http_place *a = left, *b = right;

    if (a->names != b->names)
        return a->names < b->names ? -1 : 1;
    return a->route < b->route ? -1 : a->route > b->route;
}

/* Fixed paths come before names: /me/passkeys/challenge is no passkey. */
void http_routes_take(struct http_server *server, const struct http_route *routes, size_t count)
{
    server->places = heap_zero(count * sizeof(*server->places));
    server->place_count = count;
    for (size_t i = 0; i < count; i++) {
        struct str path = str_of(routes[i].path);

        server->places[i] = (struct http_place){&routes[i], segments_of(path), names_of(path)};
        must(server->places[i].names <= HTTP_PARAMS_MAX);
    }
    qsort(server->places, count, sizeof(*server->places), by_names);
}

/* Compares with a route's path of as many segments; `params` gets the values of its {names}. */
static bool path_fits(const char *pattern, struct str path, struct http_pair *params)
{
    struct str left = str_of(pattern), want, have;
    size_t count = 0;

    while (next_segment(&left, &want) && next_segment(&path, &have)) {
        if (is_name(want)) {
            if (have.len == 0)
                return false;
            params[count].name = (struct str){want.data + 1, want.len - 2};
            params[count++].value = have;
        } else if (!str_eq(want, have)) {
            return false;
        }
    }
    return true;
}

const char *http_method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET";
    case HTTP_POST:
        return "POST";
    case HTTP_PUT:
        return "PUT";
    case HTTP_PATCH:
        return "PATCH";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_OTHER:
        break; /* no route has it */
    }
    must(false);
    return "";
}

enum err http_route_find(struct http_request *request)
{
    const struct http_server *server = request->server;
    const struct http_place *found = NULL, *end = server->places + server->place_count;
    const unsigned segments = segments_of(request->path);
    const char *allow = "";

    for (const struct http_place *place = server->places; place < end; place++) {
        const struct http_route *route = place->route;

        if (place->segments != segments || (found != NULL && place->names > found->names) ||
            !path_fits(route->path, request->path, request->params))
            continue;
        if (route->method == request->method) {
            request->route = route;
            request->param_count = place->names;
            request->body_max = route->body_bytes_max;
            return ERR_OK;
        }
        found = place;
        allow = arena_printf(request->arena, "%s%s%s", allow, *allow == '\0' ? "" : ", ",
                             http_method_name(route->method));
    }
    if (found != NULL) {
        http_set_header(request, "Allow", allow);
        return ERR_METHOD_NOT_ALLOWED;
    }
    if (server->fallback == NULL)
        return ERR_NOT_FOUND;
    return ERR_OK;
}
