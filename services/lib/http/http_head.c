/*
 * http_head: judges the head of a request. libmicrohttpd is lenient, so everything it lets pass and
 * that can still be seen is refused here: what two programs could read in two ways is read by none.
 */
#include <string.h>

#include "http/http_private.h"

static void refuse(struct http_request *request, enum err err, const char *detail)
{
    if (request->refusal != ERR_OK)
        return;
    request->refusal = err;
    request->refusal_detail = detail;
}

/* Nothing after this head is read: where the body ends cannot be trusted. */
static void malformed(struct http_request *request, enum err err, const char *detail)
{
    request->malformed = true;
    refuse(request, err, detail);
}

/* ---- headers ---- */

/* A token of RFC 9110: what names and methods are made of. */
static bool token_ok(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.len > 0;
}

static bool value_ok(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

struct collect {
    struct http_request *request;
    const char *line_at; /* where the next name has to begin; NULL: not known yet */
};

/*
 * libmicrohttpd 0.9 keeps the head's lines one behind the other with their ends overwritten by NUL.
 * A gap that is not just a line end means a NUL inside the value or a folded line.
 */
static bool layout_ok(struct collect *collect, const char *name, size_t name_len, const char *value,
                      size_t value_len)
{
#if MHD_VERSION < 0x01000000
    bool ok = collect->line_at == NULL || name == collect->line_at || name == collect->line_at + 1;

    ok = ok && value > name + name_len && value[value_len] == '\0';
    for (const char *at = name + name_len + 1; ok && at < value; at++)
        ok = *at == ' ' || *at == '\t';
    collect->line_at = value + value_len + 1;
    return ok;
#else
    (void)collect, (void)name, (void)name_len, (void)value, (void)value_len;
    return true;
#endif
}

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len)
{
    struct collect *collect = arg;
    struct http_request *request = collect->request;
    struct http_pair pair = {{name, name_len}, {value == NULL ? "" : value, value_len}};

    (void)kind;
    if (request->header_count >= HTTP_HEADERS_MAX) {
        malformed(request, ERR_HEAD_TOO_LARGE, "too many headers");
        return MHD_NO;
    }
    if (!token_ok(pair.name)) {
        malformed(request, ERR_BAD_REQUEST, "a header's name has a character it must not have");
        return MHD_NO;
    }
    if (!layout_ok(collect, name, name_len, pair.value.data, value_len) || !value_ok(pair.value)) {
        malformed(request, ERR_BAD_REQUEST, "a header's value has a character it must not have");
        return MHD_NO;
    }
    pair.name = arena_str(request->arena, pair.name);
    pair.value = arena_str(request->arena, str_trim(pair.value));
    request->headers[request->header_count++] = pair;
    return MHD_YES;
}

static size_t header_count(const struct http_request *request, struct str name)
{
    size_t count = 0;

    for (size_t i = 0; i < request->header_count; i++)
        if (str_eq_nocase(request->headers[i].name, name))
            count++;
    return count;
}

/* Nothing but two line ends between the last header and the end of the head. */
static bool end_ok(const struct collect *collect, const char *head, size_t head_len)
{
#if MHD_VERSION < 0x01000000
    const char *end = head + head_len;

    return collect->line_at == NULL || (end >= collect->line_at + 1 && end <= collect->line_at + 3);
#else
    (void)collect, (void)head, (void)head_len;
    return true;
#endif
}

static void collect_headers(struct http_request *request, const char *method)
{
    struct collect collect = {.request = request};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    if (info != NULL && info->header_size > HTTP_HEAD_BYTES_MAX) {
        malformed(request, ERR_HEAD_TOO_LARGE, "the request's head is too large");
        return;
    }
    (void)MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, on_header, &collect);
    if (info != NULL && !request->malformed && !end_ok(&collect, method, info->header_size))
        malformed(request, ERR_BAD_REQUEST, "a header's value has a character it must not have");
}

/* ---- where the body ends ---- */

static void judge_encoding(struct http_request *request)
{
    struct str encoding = http_header(request, "Transfer-Encoding");

    request->has_body = true;
    if (request->http_1_0 || header_count(request, STR("Transfer-Encoding")) > 1)
        malformed(request, ERR_LENGTH_BAD, "Transfer-Encoding twice, or in HTTP/1.0");
    else if (header_count(request, STR("Content-Length")) > 0)
        malformed(request, ERR_LENGTH_BAD, "Content-Length together with Transfer-Encoding");
    else if (memchr(encoding.data, ',', encoding.len) != NULL)
        malformed(request, ERR_LENGTH_BAD, "more than one transfer coding");
    else if (!str_eq_nocase(encoding, STR("chunked")))
        malformed(request, ERR_ENCODING_UNSUPPORTED, "only chunked is understood");
}

static void judge_length(struct http_request *request)
{
    struct str length = http_header(request, "Content-Length");

    if (header_count(request, STR("Transfer-Encoding")) > 0) {
        judge_encoding(request);
        return;
    }
    if (length.data == NULL)
        return;
    if (header_count(request, STR("Content-Length")) > 1 || length.len == 0 || length.len > 18) {
        malformed(request, ERR_LENGTH_BAD, "Content-Length twice, empty or too long");
        return;
    }
    for (size_t i = 0; i < length.len; i++) {
        if (length.data[i] < '0' || length.data[i] > '9') {
            malformed(request, ERR_LENGTH_BAD, "Content-Length is no number");
            return;
        }
        request->body_declared = request->body_declared * 10 + (uint64_t)(length.data[i] - '0');
    }
    request->has_body = request->body_declared > 0;
}

static void judge_expect(struct http_request *request)
{
    struct str expect = http_header(request, "Expect");

    if (expect.data == NULL || request->http_1_0)
        return;
    if (str_eq_nocase(expect, STR("100-continue")))
        request->expects = request->has_body;
    else
        refuse(request, ERR_EXPECTATION_FAILED, "only 100-continue can be expected");
}

/* ---- who is asked ---- */

static bool host_ours(const struct http_server *server, struct str host)
{
    if (server->hosts == NULL)
        return true;
    for (size_t i = 0; server->hosts[i] != NULL; i++)
        if (str_eq_nocase(host, str_of(server->hosts[i])))
            return true;
    return false;
}

/* `target` loses scheme and host when it has them: then that host counts. */
static void judge_host(struct http_request *request, struct str *target)
{
    struct str host = http_header(request, "Host");
    size_t scheme = str_starts(*target, STR("http://"))    ? 7
                    : str_starts(*target, STR("https://")) ? 8
                                                           : 0;

    if (header_count(request, STR("Host")) > 1 || (host.data == NULL && !request->http_1_0)) {
        malformed(request, ERR_BAD_REQUEST, "exactly one Host header is needed");
        return;
    }
    if (scheme > 0) {
        struct str rest = {target->data + scheme, target->len - scheme};
        size_t len = 0;

        while (len < rest.len && rest.data[len] != '/' && rest.data[len] != '?')
            len++;
        host = (struct str){rest.data, len};
        *target = (struct str){rest.data + len, rest.len - len};
    }
    if (!host_ours(request->server, host))
        refuse(request, ERR_HOST_UNKNOWN, "no such host is served here");
}

static bool trusted(const struct http_server *server, struct str address)
{
    for (size_t i = 0; server->trusted_proxies != NULL && server->trusted_proxies[i] != NULL; i++)
        if (str_eq_c(address, server->trusted_proxies[i]))
            return true;
    return false;
}

/* The last address of X-Forwarded-For that no trusted proxy has; proxies append on the right. */
static void find_client(struct http_request *request)
{
    struct str forwarded = http_header(request, "X-Forwarded-For");
    struct str client;

    request->client = http_conn_peer(request->arena, request->mhd);
    client = str_of(request->client);
    if (header_count(request, STR("X-Forwarded-For")) > 1)
        return;
    while (forwarded.len > 0 && trusted(request->server, client)) {
        size_t at = forwarded.len;

        while (at > 0 && forwarded.data[at - 1] != ',')
            at--;
        client = str_trim((struct str){forwarded.data + at, forwarded.len - at});
        forwarded.len = at > 0 ? at - 1 : 0;
    }
    if (client.len > 0 && client.len < INET6_ADDRSTRLEN)
        request->client = arena_strdup(request->arena, arena_str(request->arena, client).data);
}

/* ---- method and target ---- */

static void judge_method(struct http_request *request, struct str method)
{
    static const struct {
        const char *name;
        enum http_method method;
    } known[] = {
        {"GET", HTTP_GET},     {"HEAD", HTTP_GET},      {"POST", HTTP_POST},
        {"PUT", HTTP_PUT},     {"PATCH", HTTP_PATCH},   {"DELETE", HTTP_DELETE},
        {"TRACE", HTTP_OTHER}, {"OPTIONS", HTTP_OTHER}, {"QUERY", HTTP_OTHER},
    };

    if (!token_ok(method)) {
        malformed(request, ERR_BAD_REQUEST, "no such method can be");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!str_eq_c(method, known[i].name))
            continue;
        request->method = known[i].method;
        request->head_only = str_eq_c(method, "HEAD");
        return;
    }
    if (str_eq_c(method, "CONNECT")) /* its target is no path */
        refuse(request, ERR_METHOD_NOT_ALLOWED, "this method is not served");
    else
        refuse(request, ERR_METHOD_UNKNOWN, "this method is not known");
}

static bool query_add(struct http_request *request, struct str part)
{
    struct str name = part, value = {"", 0};
    struct http_pair *pair = &request->query[request->query_count];
    const char *equals = memchr(part.data, '=', part.len);

    if (part.len == 0)
        return true;
    if (request->query_count >= HTTP_QUERY_MAX)
        return false;
    if (equals != NULL) {
        name.len = (size_t)(equals - part.data);
        value = (struct str){equals + 1, part.len - name.len - 1};
    }
    request->query_count++;
    return http_decode(request->arena, name, true, &pair->name) &&
           http_decode(request->arena, value, true, &pair->value);
}

void http_target_judge(struct http_request *request, struct str target)
{
    struct str path, part;
    bool ok = true;

    for (size_t i = 0; i < target.len; i++)
        ok = ok && target.data[i] > ' ' && target.data[i] < 0x7f && target.data[i] != '#';
    (void)str_cut(&target, '?', &path);
    while (ok && target.len > 0) {
        (void)str_cut(&target, '&', &part);
        ok = query_add(request, part);
    }
    if (path.len == 0)
        path = STR("/");
    if (!ok || path.data[0] != '/' || !http_decode(request->arena, path, false, &request->path))
        refuse(request, ERR_BAD_REQUEST, "the address has characters or escapes it must not have");
}

static void judge_version(struct http_request *request, const char *method, const char *version)
{
    request->http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    if (!request->http_1_0 && strcmp(version, "HTTP/1.1") != 0)
        malformed(request, ERR_VERSION_NOT_SUPPORTED, "HTTP/1.1 is spoken here");
#if MHD_VERSION < 0x01000000
    /* One byte between the three words; otherwise a NUL or blanks stand in one of them. */
    else if (request->target_at != method + strlen(method) + 1 ||
             version != request->target_at + request->target_len + 1)
        malformed(request, ERR_BAD_REQUEST, "the request line has blanks or a NUL too many");
#endif
    (void)method;
}

void http_head_judge(struct http_request *request, const char *method, const char *version)
{
    struct str target = str_of(request->target);

    if (request->target_len > HTTP_TARGET_BYTES_MAX)
        malformed(request, ERR_HEAD_TOO_LARGE, "the address is too long");
    judge_version(request, method, version);
    collect_headers(request, method);
    if (request->malformed)
        return;
    judge_length(request);
    judge_host(request, &target);
    judge_method(request, str_of(method));
    if (request->malformed)
        return;
    find_client(request);
    judge_expect(request);
    http_target_judge(request, target);
    if (request->refusal == ERR_OK) {
        enum err err = http_route_find(request);

        if (err != ERR_OK)
            refuse(request, err, "no such address, or not with this method");
    }
    if (request->refusal == ERR_OK && request->has_body &&
        (request->body_max == 0 || request->body_declared > request->body_max))
        refuse(request, ERR_BODY_TOO_LARGE, "the body is larger than this address takes");
}
