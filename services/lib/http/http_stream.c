/* http_stream: answers in pieces, with a bounded buffer between handler and socket. */
#include <string.h>

#include "http/http_private.h"

static size_t waiting(const struct http_request *request)
{
    return request->out.len - request->out_at;
}

static void resume_writer(struct http_request *request, enum err err)
{
    struct flow *flow = request->out_flow;

    request->out_flow = NULL;
    if (flow != NULL)
        flow_resume(flow, err);
}

/* libmicrohttpd asks for more; called while it holds the answer, so nothing here may end it. */
ssize_t http_stream_read(void *context, uint64_t at, char *out, size_t most)
{
    struct http_request *request = context;
    size_t give = waiting(request) < most ? waiting(request) : most;

    (void)at;
    if (request->server->aborting || request->out_cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (give == 0 && request->out_end)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (give == 0) {
        request->suspended = true;
        MHD_suspend_connection(request->mhd);
        return 0;
    }
    memcpy(out, request->out.data + request->out_at, give);
    request->out_at += give;
    if (waiting(request) == 0) {
        buf_free(&request->out);
        request->out_at = 0;
        resume_writer(request, ERR_OK);
    }
    return (ssize_t)give;
}

/* Forget what was sent when it is the larger part. */
static void compact(struct http_request *request)
{
    size_t left = waiting(request);

    if (request->out_at == 0 || request->out_at < left)
        return;
    memmove(request->out.data, request->out.data + request->out_at, left);
    request->out.len = left;
    request->out_at = 0;
}

/* A reader that is too slow for a writer who does not wait: cut it off, it may come again. */
static void overflow(struct http_request *request)
{
    request->gone = true;
    http_conn_deadline(request, 1);
}

void http_stream_write(struct http_request *request, struct str bytes, struct flow *flow)
{
    must(request->streams_out && !request->out_end && request->out_flow == NULL);
    must(bytes.len <= HTTP_STREAM_OUT_BYTES_MAX);
    if (!request->gone && waiting(request) + bytes.len > 2 * HTTP_STREAM_OUT_BYTES_MAX)
        overflow(request);
    if (request->gone || request->head_only) {
        if (flow != NULL)
            flow_resume(flow, ERR_CLIENT_GONE);
        return;
    }
    compact(request);
    buf_add_str(&request->out, bytes);
    request->out_flow = flow;
    if (waiting(request) == 0)
        resume_writer(request, ERR_OK);
    http_request_wake(request);
}

void http_stream_end(struct http_request *request)
{
    must(request->streams_out && !request->out_end);
    request->out_end = true;
    if (request->mhd == NULL)
        http_request_bury(request);
    else
        http_request_wake(request);
}

void http_stream_abort(struct http_request *request)
{
    request->out_cut = true;
    http_stream_end(request);
}
