/*
 * link: one connection to Redis: hiredis' asynchronous context, its descriptor on our loop, and a
 * deadline for each answer. Private to lib/cache. Knows nothing of flows or of the breaker.
 *
 * hiredis 0.14 has no timeouts and reports a refused connection only to whoever looks, so a link
 * that misses a deadline is dropped whole: all that wait on it end at once.
 */
#pragma once
#include <hiredis/hiredis.h>

#include "flow/flow.h"

struct link;

/* How a call ended: `reply` is borrowed until the call returns; NULL when the connection is lost.
 */
typedef void (*link_answer_fn)(void *arg, const struct redisReply *reply);

struct link_options {
    const char *socket_path;
    const char *host;
    uint16_t port;
    uint32_t connect_timeout_ms;
    uint32_t command_timeout_ms;
};

struct link_events {
    /* The connection stands; commands may be sent. */
    void (*connected)(void *arg);
    /*
     * The connection is gone, after all its calls were ended. Never inside a call of the owner. The
     * link frees itself afterwards. `timed_out`: a deadline passed.
     */
    void (*lost)(void *arg, const char *why, bool timed_out);
};

/* `lost` comes from the loop even when connecting fails at once. Memory: borrows `events`. */
struct link *link_open(struct loop *loop, const struct link_options *options,
                       const struct link_events *events, void *arg);
/*
 * Send one command. `answer` comes from the loop, exactly once, in order.
 * Memory: copies the arguments. False when the link cannot send any more: `answer` never comes.
 */
bool link_send(struct link *link, const struct str *args, size_t count, link_answer_fn answer,
               void *arg);
/* Calls that wait for an answer. */
unsigned link_pending(const struct link *link);
/*
 * End all calls (their `answer` runs inside this call, with NULL); `lost` does not come. Not from
 * inside `connected`, `lost` or an `answer`. NULL allowed.
 */
void link_close(struct link *link);
