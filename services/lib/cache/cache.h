/*
 * cache: Redis on one event loop through hiredis with our own glue: every command has a deadline,
 * and the connection comes back by itself. What is lost here costs time, never truth. Loop thread
 * only.
 */
#pragma once
#include "flow/flow.h"

struct cache;

struct cache_options {
    const char *socket_path; /* Unix socket; or NULL and host/port */
    const char *host;        /* numeric address */
    uint16_t port;
    const char *user; /* ACL user and password; NULL for none */
    const char *password;
    uint32_t connect_timeout_ms; /* 500 */
    uint32_t command_timeout_ms; /* 250 */
    unsigned pending_max;        /* 1024 */
};

struct cache *cache_open(struct loop *loop, const struct cache_options *options);
void cache_close(struct cache *cache, void (*closed)(void *arg), void *arg);
/* Connected, and the breaker is closed (open at 50 % errors over 20 calls, one probe a second). */
bool cache_up(const struct cache *cache);

enum { CACHE_ARGS_MAX = 12 };

struct cache_answer {
    bool present;    /* false: nil */
    int64_t number;  /* integer answers */
    struct str text; /* bulk and status answers; lives in the flow's arena */
};

/*
 * Run one command and resume `flow`. Arguments carry lengths, never formats.
 * Memory: copies the arguments; `*ret_answer` is written only on success.
 * Errors: ERR_CACHE_DOWN at once while the breaker is open or `pending_max` wait, when the
 * connection is lost, after the deadline, and when Redis answers with an error.
 */
void cache_run(struct cache *cache, const struct str *args, size_t count,
               struct cache_answer *ret_answer, struct flow *flow);
/* The same without anyone waiting for the answer; dropped while Redis is away. */
void cache_send(struct cache *cache, const struct str *args, size_t count);

struct cache_stats {
    uint64_t commands, errors, timeouts;
    bool open;
};
void cache_stats(const struct cache *cache, struct cache_stats *ret_stats);
