/* http_answer: what a handler answers, and how it reaches libmicrohttpd. */
#include <stdio.h>

#include "http/http_private.h"

void http_set_header(struct http_request *request, const char *name, const char *value)
{
    struct http_extra *extra = arena_new_of(request->arena, struct http_extra);

    extra->name = arena_strdup(request->arena, name);
    extra->value = arena_strdup(request->arena, value);
    extra->next = request->extras;
    request->extras = extra;
}

/* The answer is complete as far as the handler goes. */
static void answered(struct http_request *request, unsigned status, struct MHD_Response *answer)
{
    must(!request->answered && answer != NULL);
    request->answered = true;
    request->status = status;
    request->answer = answer;
    if (request->gone && !request->streams_out)
        http_request_bury(request);
    else
        http_request_wake(request);
}

static void answer_with(struct http_request *request, unsigned status, const char *type,
                        struct str body, enum MHD_ResponseMemoryMode mode)
{
    if (type != NULL)
        http_set_header(request, "Content-Type", type);
    answered(request, status, MHD_create_response_from_buffer(body.len, (void *)body.data, mode));
}

void http_answer(struct http_request *request, unsigned status, const char *type, struct str body)
{
    answer_with(request, status, type, body, MHD_RESPMEM_MUST_COPY);
}

void http_answer_static(struct http_request *request, unsigned status, const char *type,
                        struct str body)
{
    answer_with(request, status, type, body, MHD_RESPMEM_PERSISTENT);
}

void http_stream_begin(struct http_request *request, unsigned status, const char *type)
{
    request->streams_out = true;
    if (type != NULL)
        http_set_header(request, "Content-Type", type);
    answered(request, status,
             MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK_BYTES,
                                               http_stream_read, request, NULL));
}

/* Only from http_on_access(): libmicrohttpd takes answers nowhere else. */
void http_answer_queue(struct http_request *request)
{
    struct MHD_Response *answer = request->answer;

    (void)MHD_add_response_header(answer, "X-Request-Id", request->id);
    for (struct http_extra *extra = request->extras; extra != NULL; extra = extra->next)
        (void)MHD_add_response_header(answer, extra->name, extra->value);
    if (request->server->closing)
        (void)MHD_add_response_header(answer, "Connection", "close");
    (void)MHD_set_connection_option(request->mhd, MHD_CONNECTION_OPTION_TIMEOUT,
                                    (unsigned)HTTP_WRITE_IDLE_S);
    http_conn_deadline(request, request->streams_out ? 0 : HTTP_ANSWER_DEADLINE_MS);
    request->phase = HTTP_PHASE_SENT;
    must(MHD_queue_response(request->mhd, request->status, answer) == MHD_YES);
}

void http_refuse(struct http_request *request, enum err err, const char *detail)
{
    struct http_server *server = request->server;

    server->refused++;
    if (server->refuse != NULL)
        server->refuse(server->context, request, err, detail);
    else
        http_answer(request, err_status(err), "application/problem+json",
                    str_of(arena_printf(request->arena, "{\"status\":%u,\"code\":\"%s\"}",
                                        err_status(err), err_name(err))));
}
