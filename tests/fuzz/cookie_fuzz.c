/* The Cookie header: whatever it holds, a cookie is a piece of it, and the one that was asked for.
 */
#include <string.h>

#include "fuzz.h"
#include "http/http_private.h"

#define NAME "mamis_session"

static void check(struct str header, struct str value)
{
    if (value.data == NULL)
        return;
    must(value.data >= header.data && value.data + value.len <= header.data + header.len);
    must(memchr(value.data, ';', value.len) == NULL);
    must(value.len == 0 || (value.data[0] != ' ' && value.data[value.len - 1] != ' '));
}

/* The same cookie is found in front of whatever else there is. */
static void check_first(struct arena *arena, struct http_request *request, struct str rest)
{
    struct str whole = str_of(arena_printf(arena, NAME "=one; %.*s", STR_ARG(rest)));
    struct str value;

    request->headers[0].value = whole;
    value = http_cookie(request, NAME);
    must(str_eq_c(value, "one"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct http_request request = {.arena = arena, .header_count = 1};
    /* It ends at the first NUL, as libmicrohttpd gives it. */
    struct str header = arena_str(arena, (struct str){(const char *)data, size});

    header.len = strlen(header.data);
    request.headers[0] = (struct http_pair){STR("Cookie"), header};
    check(header, http_cookie(&request, NAME));
    check(header, http_cookie(&request, "__Host-" NAME));
    check_first(arena, &request, header);
    arena_free(arena);
    return 0;
}
