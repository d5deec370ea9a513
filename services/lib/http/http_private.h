/*
 * What the files of lib/http share.
 *
 * A request goes through its phases once, in this order. libmicrohttpd calls http_on_access() in
 * each of them; where nothing can be done yet, the connection is suspended and resumed by our own
 * calls.
 */
#pragma once
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "http/http.h"

enum {
    HTTP_TARGET_BYTES_MAX = 4096,    /* path and query as sent */
    HTTP_HEAD_BYTES_MAX = 16 * 1024, /* request line and headers */
    HTTP_HEADERS_MAX = 64,
    HTTP_POOL_BYTES = 64 * 1024,          /* of libmicrohttpd, for each connection */
    HTTP_STREAM_IN_BYTES_MAX = 32 * 1024, /* read ahead while nobody asks */
    HTTP_STREAM_BLOCK_BYTES = 16 * 1024,  /* of libmicrohttpd, for answers in pieces */
    HTTP_STREAM_OUT_BYTES_MAX = 256 * 1024,
    HTTP_DISCARD_BYTES_MAX = 64 * 1024 * 1024, /* of a body nobody wants any more */
    HTTP_WRITE_IDLE_S = 10,                    /* no byte of the answer taken for so long: gone */
    HTTP_HEAD_DEADLINE_MS = 15000,             /* for the head of a connection's first request */
    HTTP_BODY_DEADLINE_MS = 30000,             /* for a body that is kept in memory */
    HTTP_STREAM_DEADLINE_MS = 900000,          /* for a body that is streamed */
    HTTP_ANSWER_DEADLINE_MS = 120000,          /* for an answer that is no stream */
    HTTP_SWEEP_MS = 1000,
    HTTP_LINGER_MS = 15000,
    HTTP_LINGER_MAX = 64,
    HTTP_BACKLOG = 4096,
};

enum http_phase {
    HTTP_PHASE_HEAD,  /* headers are here, the body (if any) is not */
    HTTP_PHASE_BODY,  /* the body is coming */
    HTTP_PHASE_WHOLE, /* everything is here */
    HTTP_PHASE_SENT,  /* the answer is with libmicrohttpd */
};

struct http_pair {
    struct str name;
    struct str value;
};

/* One accepted connection: what the sweep has to know about it. */
struct http_conn {
    struct http_conn *prev, *next;
    int fd;
    uint64_t deadline_ms; /* monotonic; 0: none. Past it the socket is shut down. */
};

/* A socket whose answer went out before its body was read: what still comes is thrown away. */
struct http_linger {
    struct http_linger *prev, *next;
    struct http_server *server;
    struct evfd *evfd;
    int fd;
    uint64_t deadline_ms;
};

/* An answer's header that a handler set. */
struct http_extra {
    struct http_extra *next;
    const char *name;
    const char *value;
};

struct http_request {
    struct http_request *prev, *next; /* in the server's list of open requests */
    struct http_server *server;
    struct MHD_Connection *mhd; /* NULL once the connection is done with the request */
    struct http_conn *conn;
    struct arena *arena;
    enum http_phase phase;
    bool suspended;
    bool judged;    /* the head was looked at */
    bool malformed; /* nothing after this head can be trusted: answer and close */
    bool handled;   /* the handler (or a refusal) was called */
    bool gone;      /* nobody reads the answer any more */
    bool dead;      /* in the server's list of requests to free */

    const char *target_at; /* where libmicrohttpd keeps the target, to find a NUL in it */
    size_t target_len;
    char *target;
    char id[HTTP_REQUEST_ID_BYTES];
    const char *client;
    enum http_method method;
    bool head_only; /* HEAD: as GET, without a body */
    bool http_1_0;
    struct str path;
    const struct http_route *route;
    struct http_pair params[HTTP_PARAMS_MAX];
    size_t param_count;
    struct http_pair query[HTTP_QUERY_MAX];
    size_t query_count;
    struct http_pair headers[HTTP_HEADERS_MAX];
    size_t header_count;
    enum err refusal; /* found in the head, told when it can be */
    const char *refusal_detail;

    bool has_body;
    bool expects;           /* waits for "100 Continue" before it sends the body */
    uint64_t body_declared; /* Content-Length, 0 when chunked */
    uint64_t discarded;
    uint64_t body_seen;
    size_t body_max;
    struct buf body; /* whole, or what streams and was not asked for yet */
    bool body_over;  /* larger than allowed */
    bool body_end;
    struct flow *body_flow; /* waits for more of the body */
    struct buf *body_to;
    size_t body_most;
    bool *body_ret_end;

    bool answered;
    unsigned status;
    struct MHD_Response *answer;
    struct http_extra *extras;
    bool streams_out;
    bool out_end;
    bool out_cut; /* the end is not a good one */
    struct buf out;
    size_t out_at;         /* bytes of `out` already taken */
    struct flow *out_flow; /* waits for room */

    size_t held_bytes;
    void *state;
    void (*release)(void *state);
};

/* A route, and what is asked first when a path looks for its own. */
struct http_place {
    const struct http_route *route;
    unsigned segments;
    unsigned names; /* how many of them are {names} */
};

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct evfd *evfd;
    struct timer pump;
    struct timer sweep;
    struct timer reap;
    struct http_place *places; /* fewest names first */
    size_t place_count;
    void *context;
    http_handler_fn fallback;
    http_refusal_fn refuse;
    const char *const *hosts;
    const char *const *trusted_proxies;
    uint32_t idle_timeout_ms;
    uint16_t port;
    struct http_conn *conns;
    struct http_request *open;
    struct http_request *dead;
    struct http_linger *lingers;
    unsigned linger_count;
    unsigned open_count;
    uint64_t requests, refused;
    size_t held_bytes, held_bytes_max;
    uint64_t not_held;
    bool resumed;  /* a connection was resumed since libmicrohttpd last ran */
    bool closing;  /* no new connections; answers say so */
    bool aborting; /* open requests are cut off */
    uint64_t close_by_ms;
    int open_timers;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* http_server.c: let libmicrohttpd run soon. */
void http_server_resumed(struct http_server *server);

/* http_request.c */
void *http_on_target(void *server, const char *target, struct MHD_Connection *mhd);
enum MHD_Result http_on_access(void *server, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **state);
void http_on_completed(void *server, struct MHD_Connection *mhd, void **state,
                       enum MHD_RequestTerminationCode how);
/* Nobody needs it any more: it is freed in the loop's next turn, by http_request_reap(). */
void http_request_bury(struct http_request *request);
void http_request_reap(struct http_server *server);
/* Let libmicrohttpd look at it again. */
void http_request_wake(struct http_request *request);

/* http_head.c: fill the request from its head; a problem goes to `refusal`. */
void http_head_judge(struct http_request *request, const char *method, const char *version);
/* Its part for the address: path and query, decoded. */
void http_target_judge(struct http_request *request, struct str target);

/* http_route.c */
/* Fills the server's places; the routes stay the caller's, who keeps them as long as the server. */
void http_routes_take(struct http_server *server, const struct http_route *routes, size_t count);
/* Errors: ERR_NOT_FOUND, ERR_METHOD_NOT_ALLOWED (then the Allow header is set). */
CHECKED enum err http_route_find(struct http_request *request);
/* Percent-decode; false for bad escapes and control characters. */
bool http_decode(struct arena *arena, struct str raw, bool plus, struct str *ret_text);

/* http_body.c */
/* Takes what it can of `size` bytes, returns how much; 0: suspend. */
size_t http_body_take(struct http_request *request, const char *data, size_t size);
void http_body_finish(struct http_request *request);

/* http_answer.c */
void http_answer_queue(struct http_request *request);
void http_refuse(struct http_request *request, enum err err, const char *detail);

/* http_stream.c */
ssize_t http_stream_read(void *request, uint64_t at, char *out, size_t most);

/* http_hold.c: the request is over. */
void http_hold_end(struct http_request *request);

/* http_linger.c */
void http_linger_begin(struct http_request *request);
void http_linger_sweep(struct http_server *server, uint64_t now_ms);

/* http_conn.c */
void http_on_connection(void *server, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode code);
void http_conn_deadline(struct http_request *request, uint64_t wait_ms);
void http_conn_sweep(struct http_server *server, uint64_t now_ms);
/* Numeric text of the peer's address. */
const char *http_conn_peer(struct arena *arena, struct MHD_Connection *mhd);
