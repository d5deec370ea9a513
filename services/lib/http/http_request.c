/* http_request: one request from its target to its end, as libmicrohttpd tells it. */
#include <string.h>

#include "http/http_private.h"

/* ---- beginning and end ---- */

static void list_add(struct http_server *server, struct http_request *request)
{
    request->next = server->open;
    if (request->next != NULL)
        request->next->prev = request;
    server->open = request;
    server->open_count++;
}

static void list_remove(struct http_server *server, struct http_request *request)
{
    if (request->next != NULL)
        request->next->prev = request->prev;
    if (request->prev != NULL)
        request->prev->next = request->next;
    else
        server->open = request->next;
}

void *http_on_target(void *context, const char *target, struct MHD_Connection *mhd)
{
    struct http_server *server = context;
    struct arena *arena = arena_new();
    struct http_request *request = arena_new_of(arena, struct http_request);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    uint8_t id[16];

    request->server = server;
    request->mhd = mhd;
    request->conn = info == NULL ? NULL : info->socket_context;
    request->arena = arena;
    request->client = "";
    request->path = STR("/");
    request->target_at = target;
    request->target_len = target == NULL ? 0 : strlen(target);
    request->target = arena_strdup(arena, target == NULL ? "" : target);
    random_bytes(id, sizeof(id));
    hex_encode(id, sizeof(id), request->id);
    list_add(server, request);
    server->requests++;
    return request;
}

void http_request_bury(struct http_request *request)
{
    struct http_server *server = request->server;

    must(!request->dead);
    request->dead = true;
    list_remove(server, request);
    request->next = server->dead;
    server->dead = request;
    timer_start(&server->reap, 0, 0);
}

void http_request_reap(struct http_server *server)
{
    while (server->dead != NULL) {
        struct http_request *request = server->dead;
        struct arena *arena = request->arena;

        server->dead = request->next;
        server->open_count--;
        if (request->answer != NULL)
            MHD_destroy_response(request->answer);
        if (request->release != NULL)
            request->release(request->state);
        buf_free(&request->body);
        buf_free(&request->out);
        http_hold_end(request);
        arena_free(arena);
    }
}

void http_request_wake(struct http_request *request)
{
    if (!request->suspended || request->mhd == NULL)
        return;
    request->suspended = false;
    MHD_resume_connection(request->mhd);
    http_server_resumed(request->server);
}

static void suspend(struct http_request *request)
{
    request->suspended = true;
    MHD_suspend_connection(request->mhd);
}

static void fail_waiting(struct http_request *request, enum err err)
{
    struct flow *in = request->body_flow, *out = request->out_flow;

    request->body_flow = NULL;
    request->out_flow = NULL;
    if (in != NULL)
        flow_resume(in, ERR_CLIENT_GONE);
    if (out != NULL)
        flow_resume(out, err);
}

void http_on_completed(void *context, struct MHD_Connection *mhd, void **state,
                       enum MHD_RequestTerminationCode how)
{
    struct http_server *server = context;
    struct http_request *request = *state;

    if (request == NULL)
        return;
    *state = NULL;
    http_conn_deadline(request, server->idle_timeout_ms + HTTP_HEAD_DEADLINE_MS);
    (void)MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT,
                                    (unsigned)(server->idle_timeout_ms + 999) / 1000);
    request->mhd = NULL;
    request->conn = NULL;
    request->suspended = false;
    request->gone = true;
    fail_waiting(request,
                 how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED ? ERR_TIMEOUT : ERR_CLIENT_GONE);
    /* Whoever was handed the request still has to answer or to end the stream. */
    if (request->handled && (!request->answered || (request->streams_out && !request->out_end)))
        return;
    http_request_bury(request);
}

/* ---- phases ---- */

static void handle(struct http_request *request)
{
    struct http_server *server = request->server;

    if (request->handled)
        return;
    request->handled = true;
    if (request->refusal == ERR_OK && request->body_over)
        request->refusal = ERR_BODY_TOO_LARGE;
    if (request->refusal != ERR_OK)
        http_refuse(request, request->refusal,
                    request->refusal_detail == NULL ? "" : request->refusal_detail);
    else if (request->route != NULL)
        request->route->handle(server->context, request);
    else
        server->fallback(server->context, request);
}

static void judge(struct http_request *request, const char *method, const char *version)
{
    bool streaming;

    request->judged = true;
    http_head_judge(request, method, version);
    streaming = request->route != NULL && request->route->streams;
    http_conn_deadline(request, !request->has_body ? 0
                                : streaming        ? HTTP_STREAM_DEADLINE_MS
                                                   : HTTP_BODY_DEADLINE_MS);
}

/* Answering now means that the body is never read. */
static bool answer_early(struct http_request *request)
{
    if (!request->answered)
        return false;
    if (request->has_body && !request->expects)
        http_linger_begin(request);
    http_answer_queue(request);
    return true;
}

static void on_head(struct http_request *request)
{
    bool streaming = request->route != NULL && request->route->streams;

    if (request->malformed || (request->has_body && (request->refusal != ERR_OK || streaming)))
        handle(request);
    if (answer_early(request))
        return;
    if (request->handled && request->body_flow == NULL && request->has_body)
        suspend(request); /* the handler has not asked for the body yet */
    else
        request->phase = request->has_body ? HTTP_PHASE_BODY : HTTP_PHASE_WHOLE;
}

static void on_whole(struct http_request *request)
{
    if (request->phase == HTTP_PHASE_BODY) {
        request->phase = HTTP_PHASE_WHOLE;
        http_body_finish(request);
    }
    handle(request);
    if (request->answered)
        http_answer_queue(request);
    else
        suspend(request);
}

/*
 * What is left makes it wait until the handler wants more: libmicrohttpd shows it again then, but
 * not before something else happens on the connection.
 */
static void take_body(struct http_request *request, const char *data, size_t *size)
{
    size_t taken = 1;

    while (*size > 0 && taken > 0) {
        taken = http_body_take(request, data, *size);
        data += taken;
        *size -= taken;
    }
    if (*size > 0)
        suspend(request);
}

enum MHD_Result http_on_access(void *context, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **state)
{
    struct http_server *server = context;
    struct http_request *request = *state;

    (void)mhd, (void)url;
    if (request == NULL || server->aborting)
        return MHD_NO;
    if (!request->judged)
        judge(request, method, version);
    if (request->phase == HTTP_PHASE_SENT)
        return MHD_YES;
    if (*size > 0) {
        take_body(request, data, size);
    } else if (request->phase == HTTP_PHASE_HEAD) {
        on_head(request);
    } else {
        on_whole(request);
    }
    return MHD_YES;
}

/* ---- what handlers ask ---- */

const struct http_route *http_request_route(const struct http_request *request)
{
    return request->route;
}

void *http_request_context(const struct http_request *request)
{
    return request->server->context;
}

struct loop *http_request_loop(const struct http_request *request)
{
    return request->server->loop;
}

struct arena *http_request_arena(struct http_request *request)
{
    return request->arena;
}

const char *http_request_id(const struct http_request *request)
{
    return request->id;
}

enum http_method http_request_method(const struct http_request *request)
{
    return request->method;
}

struct str http_path(const struct http_request *request)
{
    return request->path;
}

static struct str pair_find(const struct http_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_c(pairs[i].name, name))
            return pairs[i].value;
    return STR_NONE;
}

struct str http_param(const struct http_request *request, const char *name)
{
    return pair_find(request->params, request->param_count, name);
}

struct str http_query(const struct http_request *request, const char *name)
{
    return pair_find(request->query, request->query_count, name);
}

struct str http_query_name(const struct http_request *request, size_t index)
{
    return index < request->query_count ? request->query[index].name : STR_NONE;
}

struct str http_header(const struct http_request *request, const char *name)
{
    struct str wanted = str_of(name);

    for (size_t i = 0; i < request->header_count; i++)
        if (str_eq_nocase(request->headers[i].name, wanted))
            return request->headers[i].value;
    return STR_NONE;
}

struct str http_header_text(struct http_request *request, const char *name)
{
    struct str raw = http_header(request, name), text;

    if (raw.len == 0 || !http_decode(http_request_arena(request), raw, false, &text))
        return STR_NONE;
    return text.len > 0 ? text : STR_NONE;
}

struct str http_cookie(const struct http_request *request, const char *name)
{
    struct str cookies = http_header(request, "Cookie");
    struct str wanted = str_of(name), part, key;

    while (cookies.len > 0) {
        (void)str_cut(&cookies, ';', &part);
        if (str_cut(&part, '=', &key) && str_eq(str_trim(key), wanted))
            return str_trim(part);
    }
    return STR_NONE;
}

const char *http_client(const struct http_request *request)
{
    return request->client;
}

void http_set_state(struct http_request *request, void *state, void (*release)(void *state))
{
    must(request->release == NULL);
    request->state = state;
    request->release = release;
}

void *http_state(const struct http_request *request)
{
    return request->state;
}

bool http_gone(const struct http_request *request)
{
    return request->gone;
}
