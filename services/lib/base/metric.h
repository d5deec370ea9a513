/*
 * metric: figures that the libraries keep about themselves; lib/proc prints them.
 */
#pragma once
#include "base/base.h"

enum { METRIC_BUCKETS = 12 };

/* Upper ends of the buckets in milliseconds; the last one, 0, has none. */
extern const unsigned metric_bucket_ms[METRIC_BUCKETS];

/* Counts of durations. */
struct metric_histogram {
    uint64_t buckets[METRIC_BUCKETS];
    uint64_t count;
    uint64_t sum_us;
};
void metric_observe_us(struct metric_histogram *histogram, uint64_t us);
