/*
 * What the files of lib/proc share.
 */
#pragma once
#include "http/http.h"
#include "proc/proc.h"

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
    uint64_t lag_us;       /* longest turn of the last sampling period */
    uint64_t lag_worst_us; /* since the start */
    bool started;
    bool stopping;
    unsigned closing; /* parts whose close callback is still to come */
};

/* Serve /livez, /readyz and /metrics. Errors: ERR_PORT. */
CHECKED enum err admin_open(struct proc *proc, struct err_note *note);
