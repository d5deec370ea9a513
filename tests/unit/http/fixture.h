/*
 * A server on a real loop, and clients that are plain sockets on threads of their own: what they
 * send is exactly what the test says.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/http.h"

enum { TALK_MS = 60000 };

struct talk {
    struct str send;     /* what goes out at once */
    size_t repeat_bytes; /* then so many bytes 'x' */
    struct str tail;     /* then this */
    bool hang_up;        /* close without reading */
    const bool *no_read; /* never read; hang up when this becomes true */
    bool dribble;        /* send a byte of `send` each 100 ms, as long as the server takes it */
    size_t stop_after;   /* 0: read to the end; else close after so many bytes */
    struct buf got;
    bool sent_all;
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    unsigned handled;  /* requests that reached a handler */
    size_t body_bytes; /* what streaming handlers saw */
    enum err body_err;
    bool ended; /* a streaming handler came to its end */
    enum err stream_err;
    struct http_request *held;
    struct flow *waiting; /* for the timer */
    struct timer timer;   /* for tests that answer later; opened with the fixture */
    void (*fire)(struct fixture *fx);
};

/* Opens a server with `routes`; context of the handlers is the fixture. */
void fixture_open(struct fixture *fx, const struct http_options *options,
                  const struct http_route *routes, size_t count);
void fixture_close(struct fixture *fx);
/* Runs the loop until the client is done; fails the test after TALK_MS. */
void talk_run(struct fixture *fx, struct talk *talk);
/* Sends `request`, gives the answer's status (0: none). */
unsigned ask(struct fixture *fx, const char *request);
/* The same with bytes that may hold NUL; `*ret_answer` may be NULL, else freed by the caller. */
unsigned ask_bytes(struct fixture *fx, struct str request, struct buf *ret_answer);
unsigned status_of(const struct buf *answer);
/* Runs the loop until `*done`. */
void run_until(struct fixture *fx, const bool *done);
