/*
 * What the files of lib/proc share.
 */
#pragma once
#include <stdatomic.h>

#include "http/http.h"
#include "proc/proc.h"

/* Ends the process when the loop does not turn for `stuck_ms`. */
struct watch {
    struct loop *loop;
    struct timer beat;
    atomic_uint beats; /* turns of the loop, as seen by a timer */
    uint32_t stuck_ms;
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t wake;
    bool stop; /* under the mutex */
};

/* From just before loop_run() until just after it. */
void watch_open(struct watch *watch, struct loop *loop, uint32_t stuck_ms);
void watch_close(struct watch *watch);

struct proc {
    const struct proc_service *service;
    void *state;
    struct proc_settings settings;
    struct loop *loop;
    struct db_pool *db;
    struct bus *bus;
    struct work *work;
    struct cache *cache;
    struct http_server *admin;
    uv_signal_t on_term;
    uv_signal_t on_int;
    struct timer deadline; /* the process is gone by then, whatever hangs */
    struct timer lag_sample;
    struct watch watch;
    uint64_t lag_us;       /* longest turn of the last sampling period */
    uint64_t lag_worst_us; /* since the start */
    bool started;
    bool stopping;
    unsigned closing; /* parts whose close callback is still to come */
};

/* Serve /livez, /readyz and /metrics. Errors: ERR_PORT. */
CHECKED enum err admin_open(struct proc *proc, struct err_note *note);
