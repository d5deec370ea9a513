/*
 * http: an HTTP/1.1 server on one event loop (libmicrohttpd, external epoll). Loop thread only.
 * It refuses what is malformed and what is over a limit, finds the route, reads the body, and hands
 * a request to its handler; the answer may come at any later time on the loop.
 */
#pragma once
#include "flow/flow.h"

enum {
    HTTP_PARAMS_MAX = 8,
    HTTP_QUERY_MAX = 16,
    HTTP_BODY_BYTES_MAX = 256 * 1024,  /* unless the route says otherwise */
    HTTP_HOLD_SHORT_BYTES = 64 * 1024, /* see http_hold() */
    HTTP_REQUEST_ID_BYTES = 33,
};

struct http_server;
struct http_request;

/* HTTP_OTHER: known, and served by no route. */
enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OTHER };
const char *http_method_name(enum http_method method); /* "GET"; not of HTTP_OTHER */

typedef void (*http_handler_fn)(void *context, struct http_request *request);

struct http_route {
    enum http_method method;
    const char *path;      /* "/api/v1/uploads/{upload_id}" */
    const char *operation; /* OpenAPI operationId */
    const char *action;    /* name in access.yaml; "public" for none */
    size_t body_bytes_max; /* 0: no body is taken */
    bool streams;          /* body goes to http_body_next() instead of memory */
    http_handler_fn handle;
};

struct http_options {
    const char *address; /* "127.0.0.1" */
    uint16_t port;       /* 0: any free one */
    unsigned connections_max;
    const char *const *hosts; /* Host values that are ours ("127.0.0.1:8080"); NULL: any */
    const char *const *trusted_proxies; /* addresses whose X-Forwarded-For counts; NULL: none */
    uint32_t idle_timeout_ms;
    size_t held_bytes_max; /* see http_hold() */
};

/* Errors: ERR_PORT with the reason in `note`. */
CHECKED enum err http_open(struct loop *loop, const struct http_options *options,
                           const struct http_route *routes, size_t count, void *context,
                           struct http_server **ret_server, struct err_note *note);
uint16_t http_port(const struct http_server *server);
/* What answers requests that no route takes (the portal's files). NULL: 404. */
void http_set_fallback(struct http_server *server, http_handler_fn handle);
/* What makes the answer of a refusal found by this library (malformed, too large, no route, ...).
 */
typedef void (*http_refusal_fn)(void *context, struct http_request *request, enum err err,
                                const char *detail);
void http_set_refusal(struct http_server *server, http_refusal_fn refuse);
/* Takes no new connections, waits for open answers at most `wait_ms`. */
void http_close(struct http_server *server, uint32_t wait_ms, void (*closed)(void *arg), void *arg);

/* ---- a request; lives until its answer is sent ---- */

const struct http_route *
http_request_route(const struct http_request *request); /* NULL: fallback */
void *http_request_context(const struct http_request *request);
struct loop *http_request_loop(const struct http_request *request);
/* Freed when the request is over. */
struct arena *http_request_arena(struct http_request *request);
const char *http_request_id(const struct http_request *request); /* 32 hex digits: trace id */
enum http_method http_request_method(const struct http_request *request);
struct str http_path(const struct http_request *request); /* decoded, without the query */
/* A {name} of the route's path, decoded; STR_NONE when the route has none. */
struct str http_param(const struct http_request *request, const char *name);
/* A query parameter, decoded; data NULL when absent. */
struct str http_query(const struct http_request *request, const char *name);
/* The n-th query parameter's name, for refusing unknown ones; data NULL past the end. */
struct str http_query_name(const struct http_request *request, size_t index);
struct str http_header(const struct http_request *request, const char *name); /* case ignored */
/* Percent-decoded, for text beyond ASCII; data NULL when absent, empty, or not well formed UTF-8.
 */
struct str http_header_text(struct http_request *request, const char *name);
struct str http_cookie(const struct http_request *request, const char *name);
/* The whole body; for streaming routes empty. */
struct str http_body(const struct http_request *request);
/* The client's address as text (through trusted proxies only). */
const char *http_client(const struct http_request *request);
/* Free for the handler: freed by `release` when the request is over, whatever happened. */
void http_set_state(struct http_request *request, void *state, void (*release)(void *state));
void *http_state(const struct http_request *request);

/*
 * Streaming body: resume `flow` with the next bytes (at most `most`), copied into `buf`; `*ret_end`
 * at the end. Reading stops while nobody asks: that is the back-pressure. Errors:
 * ERR_BODY_TOO_LARGE, ERR_CLIENT_GONE.
 */
void http_body_next(struct http_request *request, size_t most, struct buf *buf, bool *ret_end,
                    struct flow *flow);

/*
 * Counts memory that the body or the answer of this request takes; it is given back when the
 * request is over. False: all requests together would take more than `held_bytes_max`, of which an
 * eighth is kept for those that want HTTP_HOLD_SHORT_BYTES or less. What is bounded for each
 * connection anyway (heads, bodies in memory, ordinary answers) is not counted.
 */
CHECKED bool http_hold(struct http_request *request, size_t bytes);

/* ---- the answer: exactly once ---- */

/* Before answering. */
void http_set_header(struct http_request *request, const char *name, const char *value);
/* Copies the body. `type` NULL: no content type. */
void http_answer(struct http_request *request, unsigned status, const char *type, struct str body);
/* Without copying; `body` outlives the server (files loaded at start). */
void http_answer_static(struct http_request *request, unsigned status, const char *type,
                        struct str body);

/* An answer in pieces (server-sent events, CSV). Begin, then write, then end. */
void http_stream_begin(struct http_request *request, unsigned status, const char *type);
/*
 * Memory: copies at most 256 KiB, kept until the connection took them. `flow` (may be NULL) resumes
 * when nothing waits any more, or with ERR_CLIENT_GONE or ERR_TIMEOUT (10 s). Who does not wait for
 * that may have up to twice as much under way.
 */
void http_stream_write(struct http_request *request, struct str bytes, struct flow *flow);
void http_stream_end(struct http_request *request);
/* End it so that the client sees it was cut off: an answer that could not be completed. */
void http_stream_abort(struct http_request *request);
/* The client went away: nothing more needs to be written; end the stream. */
bool http_gone(const struct http_request *request);

struct http_stats {
    uint64_t requests, refused;
    unsigned connections, open;
    size_t held_bytes; /* now, by http_hold() */
    uint64_t not_held; /* how often it said no */
};
void http_stats(const struct http_server *server, struct http_stats *ret_stats);
