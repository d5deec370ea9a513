/* metrics: Prometheus text lines. */
#include <stdio.h>

#include "proc/proc.h"

static const unsigned bucket_ms[12] = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 0};

void metric_add(struct buf *out, const char *name, const char *labels, int64_t value)
{
    if (labels != NULL && labels[0] != '\0')
        buf_printf(out, "mamis_%s{%s} %lld\n", name, labels, (long long)value);
    else
        buf_printf(out, "mamis_%s %lld\n", name, (long long)value);
}

void metric_observe_us(struct metric_histogram *histogram, uint64_t us)
{
    size_t bucket = 0;

    while (bucket + 1 < ARRAY_LEN(bucket_ms) && us > (uint64_t)bucket_ms[bucket] * 1000)
        bucket++;
    histogram->buckets[bucket]++;
    histogram->count++;
    histogram->sum_us += us;
}

void metric_histogram_add(struct buf *out, const char *name, const char *labels,
                          const struct metric_histogram *histogram)
{
    const char *comma = labels[0] == '\0' ? "" : ",";
    uint64_t below = 0;

    for (size_t i = 0; i < ARRAY_LEN(bucket_ms); i++) {
        char le[16];

        below += histogram->buckets[i];
        if (bucket_ms[i] == 0)
            (void)snprintf(le, sizeof(le), "+Inf");
        else
            (void)snprintf(le, sizeof(le), "%u.%03u", bucket_ms[i] / 1000, bucket_ms[i] % 1000);
        buf_printf(out, "mamis_%s_seconds_bucket{%s%sle=\"%s\"} %llu\n", name, labels, comma, le,
                   (unsigned long long)below);
    }
    buf_printf(out, "mamis_%s_seconds_sum{%s} %llu.%06llu\n", name, labels,
               (unsigned long long)(histogram->sum_us / 1000000),
               (unsigned long long)(histogram->sum_us % 1000000));
    buf_printf(out, "mamis_%s_seconds_count{%s} %llu\n", name, labels,
               (unsigned long long)histogram->count);
}
