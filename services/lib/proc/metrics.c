/* metrics: Prometheus text lines. */
#include <stdio.h>

#include "proc/proc.h"

static void add_value(struct buf *out, const char *name, const char *suffix, const char *labels,
                      const char *value)
{
    if (labels[0] != '\0')
        buf_printf(out, "mamis_%s%s{%s} %s\n", name, suffix, labels, value);
    else
        buf_printf(out, "mamis_%s%s %s\n", name, suffix, value);
}

void metric_add(struct buf *out, const char *name, const char *labels, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)value);
    add_value(out, name, "", labels, text);
}

void metric_histogram_add(struct buf *out, const char *name, const char *labels,
                          const struct metric_histogram *histogram)
{
    const char *comma = labels[0] == '\0' ? "" : ",";
    uint64_t below = 0;
    char value[48];

    for (size_t i = 0; i < METRIC_BUCKETS; i++) {
        char le[16] = "+Inf";

        below += histogram->buckets[i];
        if (metric_bucket_ms[i] != 0)
            (void)snprintf(le, sizeof(le), "%u.%03u", metric_bucket_ms[i] / 1000,
                           metric_bucket_ms[i] % 1000);
        buf_printf(out, "mamis_%s_seconds_bucket{%s%sle=\"%s\"} %llu\n", name, labels, comma, le,
                   (unsigned long long)below);
    }
    (void)snprintf(value, sizeof(value), "%llu.%06llu",
                   (unsigned long long)(histogram->sum_us / 1000000),
                   (unsigned long long)(histogram->sum_us % 1000000));
    add_value(out, name, "_seconds_sum", labels, value);
    (void)snprintf(value, sizeof(value), "%llu", (unsigned long long)histogram->count);
    add_value(out, name, "_seconds_count", labels, value);
}

void metric_pool_add(struct buf *out, const char *labels, const struct pool *pool)
{
    struct pool_stats stats;

    pool_stats(pool, &stats);
    metric_add(out, "pool_threads", labels, stats.threads);
    metric_add(out, "pool_waiting", labels, stats.waiting);
    metric_add(out, "pool_done_total", labels, (int64_t)stats.done);
    metric_add(out, "pool_refused_total", labels, (int64_t)stats.refused);
    metric_histogram_add(out, "pool_wait", labels, &stats.wait);
}
