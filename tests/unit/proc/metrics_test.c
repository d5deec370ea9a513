/* metrics: what Prometheus reads. */
#include "lib/test.h"

#include <string.h>

#include "proc/proc.h"

static void figures_have_a_name_and_labels(void **state)
{
    struct buf out = {0};

    (void)state;
    metric_add(&out, "work_lag", "", -1);
    metric_add(&out, "mails_total", "verdict=\"delivered\"", 12);
    assert_string_equal(out.data, "mamis_work_lag -1\n"
                                  "mamis_mails_total{verdict=\"delivered\"} 12\n");
    buf_free(&out);
}

static void buckets_add_up(void **state)
{
    static const uint64_t durations_us[] = {0, 1000, 1001, 24999, 5000000, 5000001};
    struct metric_histogram histogram = {0};
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(durations_us); i++)
        metric_observe_us(&histogram, durations_us[i]);
    metric_histogram_add(&out, "chunk", "", &histogram);
    assert_string_equal(out.data, "mamis_chunk_seconds_bucket{le=\"0.001\"} 2\n"
                                  "mamis_chunk_seconds_bucket{le=\"0.002\"} 3\n"
                                  "mamis_chunk_seconds_bucket{le=\"0.005\"} 3\n"
                                  "mamis_chunk_seconds_bucket{le=\"0.010\"} 3\n"
                                  "mamis_chunk_seconds_bucket{le=\"0.025\"} 4\n"
                                  "mamis_chunk_seconds_bucket{le=\"0.050\"} 4\n"
                                  "mamis_chunk_seconds_bucket{le=\"0.100\"} 4\n"
                                  "mamis_chunk_seconds_bucket{le=\"0.250\"} 4\n"
                                  "mamis_chunk_seconds_bucket{le=\"0.500\"} 4\n"
                                  "mamis_chunk_seconds_bucket{le=\"1.000\"} 4\n"
                                  "mamis_chunk_seconds_bucket{le=\"5.000\"} 5\n"
                                  "mamis_chunk_seconds_bucket{le=\"+Inf\"} 6\n"
                                  "mamis_chunk_seconds_sum 10.027001\n"
                                  "mamis_chunk_seconds_count 6\n");
    buf_free(&out);
}

static void labels_stand_before_the_bucket(void **state)
{
    const struct metric_histogram none = {0};
    struct buf out = {0};

    (void)state;
    metric_histogram_add(&out, "command", "role=\"doctor\"", &none);
    assert_ptr_equal(
        strstr(out.data, "mamis_command_seconds_bucket{role=\"doctor\",le=\"0.001\"} 0\n"),
        out.data);
    assert_non_null(strstr(out.data, "mamis_command_seconds_sum{role=\"doctor\"} 0.000000\n"));
    assert_non_null(strstr(out.data, "mamis_command_seconds_count{role=\"doctor\"} 0\n"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_have_a_name_and_labels),
        cmocka_unit_test(buckets_add_up),
        cmocka_unit_test(labels_stand_before_the_bucket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
