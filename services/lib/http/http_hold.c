/* http_hold: large bodies and answers are counted over all requests, so that memory has an end. */
#include "http/http_private.h"

bool http_hold(struct http_request *request, size_t bytes)
{
    struct http_server *server = request->server;
    const size_t most = server->held_bytes_max;
    const size_t open = bytes <= HTTP_HOLD_SHORT_BYTES ? most : most - most / 8;

    if (server->held_bytes + bytes > open) {
        server->not_held++;
        return false;
    }
    server->held_bytes += bytes;
    request->held_bytes += bytes;
    return true;
}

void http_hold_end(struct http_request *request)
{
    request->server->held_bytes -= request->held_bytes;
    request->held_bytes = 0;
}
