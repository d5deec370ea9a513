/* metric: durations into buckets. */
#include "base/metric.h"

const unsigned metric_bucket_ms[METRIC_BUCKETS] = {1,   2,   5,   10,   25,   50,
                                                   100, 250, 500, 1000, 5000, 0};

void metric_observe_us(struct metric_histogram *histogram, uint64_t us)
{
    size_t bucket = 0;

    while (bucket + 1 < METRIC_BUCKETS && us > (uint64_t)metric_bucket_ms[bucket] * 1000)
        bucket++;
    histogram->buckets[bucket]++;
    histogram->count++;
    histogram->sum_us += us;
}
