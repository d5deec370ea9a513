/* http_body: a request's body, whole in memory or in pieces with back-pressure. */
#include "http/http_private.h"

static size_t least(size_t left, size_t right)
{
    return left < right ? left : right;
}

static bool streams(const struct http_request *request)
{
    return request->route != NULL && request->route->streams;
}

/* Give what is there to the flow that waits, if there is anything to give. */
static void deliver(struct http_request *request)
{
    struct flow *flow = request->body_flow;
    size_t give = least(request->body.len, request->body_most);

    if (flow == NULL)
        return;
    if (give == 0 && !request->body_end && !request->body_over)
        return;
    request->body_flow = NULL;
    if (request->body_over) {
        flow_resume(flow, ERR_BODY_TOO_LARGE);
        return;
    }
    buf_add(request->body_to, request->body.data, give);
    if (give < request->body.len) {
        struct buf rest = {0};

        buf_add(&rest, request->body.data + give, request->body.len - give);
        buf_free(&request->body);
        request->body = rest;
    } else {
        buf_free(&request->body);
    }
    *request->body_ret_end = request->body_end && request->body.len == 0;
    flow_resume(flow, ERR_OK);
}

/* Nobody wants the rest, but the answer cannot go out before it was read. */
static size_t discard(struct http_request *request, size_t size)
{
    request->discarded += size;
    if (request->discarded > HTTP_DISCARD_BYTES_MAX)
        http_conn_deadline(request, 1);
    return size;
}

static size_t take_streaming(struct http_request *request, const char *data, size_t size)
{
    size_t take = least(size, HTTP_STREAM_IN_BYTES_MAX - request->body.len);

    if (request->body_seen + take > request->body_max) {
        request->body_over = true;
        deliver(request);
        return discard(request, size);
    }
    request->body_seen += take;
    buf_add(&request->body, data, take);
    deliver(request);
    return take;
}

size_t http_body_take(struct http_request *request, const char *data, size_t size)
{
    if (request->answered || request->body_over)
        return discard(request, size);
    if (streams(request))
        return take_streaming(request, data, size);
    if (request->body_seen + size > request->body_max) {
        request->body_over = true;
        buf_free(&request->body);
        return discard(request, size);
    }
    request->body_seen += size;
    buf_add(&request->body, data, size);
    return size;
}

void http_body_finish(struct http_request *request)
{
    request->body_end = true;
    deliver(request);
}

struct str http_body(const struct http_request *request)
{
    if (streams(request) || request->body.len == 0)
        return (struct str){"", 0};
    return buf_str(&request->body);
}

void http_body_next(struct http_request *request, size_t most, struct buf *buf, bool *ret_end,
                    struct flow *flow)
{
    must(request->body_flow == NULL && most > 0);
    if (request->gone) {
        flow_resume(flow, ERR_CLIENT_GONE);
        return;
    }
    request->body_flow = flow;
    request->body_to = buf;
    request->body_most = most;
    request->body_ret_end = ret_end;
    if (!request->has_body)
        request->body_end = true;
    deliver(request);
    http_request_wake(request);
}
