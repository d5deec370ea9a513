/*
 * proc: the skeleton behind every main.c. Parses options, reads settings, opens the log, builds the
 * loop, serves /livez, /readyz, /metrics and /routes on the admin port, handles signals.
 *
 * Options: --settings FILE, --help-settings, --check (read settings and stop).
 */
#pragma once
#include "base/log.h"
#include "base/metric.h"
#include "base/settings.h"
#include "bus/bus.h"
#include "cache/cache.h"
#include "db/db.h"
#include "work/work.h"

/* Settings that every process has: see proc_settings.def. */
struct proc_settings {
#define SETTING(name, type, fallback, least, most, unit, flags, help) SETTING_FIELD_##type name;
#include "proc/proc_settings.def"
#undef SETTING
};

struct proc;

struct proc_service {
    const char *name;
    const struct setting *settings; /* own table, may be NULL */
    size_t setting_count;
    void *settings_out; /* the struct that the own table fills */
    size_t state_bytes; /* size of the service's state, zeroed */
    int nice_level;     /* by how much it gives way to the others on the same machine */
    /*
     * Open what is needed, then subscribe. Fail with a note that names the step. `state` is the
     * service's own struct.
     */
    enum err (*start)(struct proc *proc, void *state, struct err_note *note);
    /* Stop taking work, finish, close; then proc_stopped(). Given 2.5 s, then the process ends. */
    void (*stop)(struct proc *proc, void *state);
    /* True when it can serve; asked by /readyz. `why` says what is missing. May be NULL. */
    bool (*ready)(struct proc *proc, void *state, struct err_note *why);
    /* Append own lines to /metrics. May be NULL. */
    void (*metrics)(struct proc *proc, void *state, struct buf *out);
    /* Append the JSON list of the routes that it serves, for /routes. NULL: it serves none. */
    void (*routes)(struct buf *out);
};

int proc_main(int argc, char **argv, const struct proc_service *service);

struct loop *proc_loop(struct proc *proc);
const struct proc_settings *proc_settings(const struct proc *proc);
/* Opened from the common settings at first use; closed after `stop`. */
struct db_pool *proc_db(struct proc *proc);
struct bus *proc_bus(struct proc *proc);
/* One outbox/inbox engine for the service's schema. */
struct work *proc_work(struct proc *proc);
struct cache *proc_cache(struct proc *proc);
void proc_stopped(struct proc *proc);
/* A fault nobody can go on from: log, then exit with 70. */
_Noreturn void proc_die(const char *event, const struct err_note *note);

/* Metrics in Prometheus text form: `mamis_<name>{labels} value`. */
void metric_add(struct buf *out, const char *name, const char *labels, int64_t value);

/* `mamis_<name>_seconds_bucket`, `_sum` and `_count`. */
void metric_histogram_add(struct buf *out, const char *name, const char *labels,
                          const struct metric_histogram *histogram);
/* A pool of threads: `labels` says which, as pool="hashes". */
void metric_pool_add(struct buf *out, const char *labels, const struct pool *pool);
