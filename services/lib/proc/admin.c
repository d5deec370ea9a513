/* admin: the port that operators and service managers ask: alive, ready, figures. */
#include <stdio.h>
#include <sys/resource.h>

#include "proc/proc_private.h"

enum { ADMIN_CONNECTIONS_MAX = 16, ADMIN_IDLE_MS = 15000 };

static void livez(void *context, struct http_request *request)
{
    (void)context;
    http_answer(request, 200, "text/plain; charset=utf-8", STR("ok\n"));
}

static void readyz(void *context, struct http_request *request)
{
    struct proc *proc = context;
    struct err_note why = {.text = "starting or stopping"};
    bool ready = proc->started && !proc->stopping;
    char *text;

    if (ready && proc->service->ready != NULL)
        ready = proc->service->ready(proc, proc->state, &why);
    text = ready ? "ok\n" : arena_printf(http_request_arena(request), "not ready: %s\n", why.text);
    http_answer(request, ready ? 200 : 503, "text/plain; charset=utf-8", str_of(text));
}

/* Peak resident memory of this process in KiB. */
static int64_t peak_kib(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static void add_db(struct proc *proc, struct buf *out)
{
    struct db_stats stats;

    if (proc->db == NULL)
        return;
    db_stats(proc->db, &stats);
    metric_add(out, "db_connections_up", "", stats.connections_up);
    metric_add(out, "db_busy", "", stats.busy);
    metric_add(out, "db_waiting", "", stats.waiting);
    metric_add(out, "db_batches_total", "", (int64_t)stats.batches);
    metric_add(out, "db_errors_total", "", (int64_t)stats.errors);
    metric_add(out, "db_deadlocks_total", "", (int64_t)stats.deadlocks);
    metric_add(out, "db_connections", "", stats.connections);
    metric_histogram_add(out, "db_wait", "", &stats.wait);
}

static void add_work(struct proc *proc, struct buf *out)
{
    struct work_stats stats;

    if (proc->work == NULL)
        return;
    work_stats(proc->work, &stats);
    metric_add(out, "work_handled_total", "", (int64_t)stats.handled);
    metric_add(out, "work_dead_total", "", (int64_t)stats.dead);
    metric_add(out, "work_dead_waiting", "", stats.dead_waiting);
    metric_add(out, "work_retried_total", "", (int64_t)stats.retried);
    metric_add(out, "work_fenced_total", "", (int64_t)stats.fenced);
    metric_add(out, "work_emitted_total", "", (int64_t)stats.emitted);
    metric_add(out, "work_swept_total", "", (int64_t)stats.swept);
    metric_add(out, "work_lag", "", stats.lag);
    metric_add(out, "work_partitions", "", stats.partitions);
    metric_add(out, "work_stopped_partitions", "", stats.stopped);
    metric_add(out, "work_parked_total", "", (int64_t)stats.parked);
}

static void add_cache(struct proc *proc, struct buf *out)
{
    struct cache_stats stats;

    if (proc->cache == NULL)
        return;
    cache_stats(proc->cache, &stats);
    metric_add(out, "cache_commands_total", "", (int64_t)stats.commands);
    metric_add(out, "cache_errors_total", "", (int64_t)stats.errors);
    metric_add(out, "cache_breaker_open", "", stats.open);
}

static void metrics(void *context, struct http_request *request)
{
    struct proc *proc = context;
    struct buf out = {0};

    metric_add(&out, "loop_lag_us", "", (int64_t)proc->lag_us);
    metric_add(&out, "loop_lag_worst_us", "", (int64_t)proc->lag_worst_us);
    metric_add(&out, "memory_peak_kib", "", peak_kib());
    add_db(proc, &out);
    add_work(proc, &out);
    add_cache(proc, &out);
    if (proc->started && proc->service->metrics != NULL)
        proc->service->metrics(proc, proc->state, &out);
    http_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&out));
    buf_free(&out);
}

/* What a test asks that has to go through all of them. */
static void service_routes(void *context, struct http_request *request)
{
    const struct proc *proc = context;
    struct buf out = {0};

    if (proc->service->routes != NULL)
        proc->service->routes(&out);
    else
        buf_add_c(&out, "[]");
    http_answer(request, 200, "application/json", buf_str(&out));
    buf_free(&out);
}

static void refuse(void *context, struct http_request *request, enum err err, const char *detail)
{
    (void)context;
    (void)detail;
    http_answer(request, err_status(err), "text/plain; charset=utf-8", str_of(err_name(err)));
}

enum err admin_open(struct proc *proc, struct err_note *note)
{
    static const struct http_route routes[] = {
        {HTTP_GET, "/livez", "livez", "public", 0, false, livez},
        {HTTP_GET, "/readyz", "readyz", "public", 0, false, readyz},
        {HTTP_GET, "/metrics", "metrics", "public", 0, false, metrics},
        {HTTP_GET, "/routes", "routes", "public", 0, false, service_routes},
    };
    const struct http_options options = {
        .address = proc->settings.admin_address,
        .port = (uint16_t)proc->settings.admin_port,
        .connections_max = ADMIN_CONNECTIONS_MAX,
        .idle_timeout_ms = ADMIN_IDLE_MS,
    };
    enum err err;

    TRY(http_open(proc->loop, &options, routes, ARRAY_LEN(routes), proc, &proc->admin, note));
    http_set_refusal(proc->admin, refuse);
    LOG_INFO("admin_open", F_STR("address", options.address),
             F_I64("port", http_port(proc->admin)));
cleanup:
    return err;
}
