/* bus: brokers that freeze, errors that kill a producer. */
#include <signal.h>
/* clang-format off */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
/* clang-format on */

#include "unit/bus/bus_fixture.h"

/* 2 s and what a busy machine adds; waiting for the brokers would take 5 s. */
enum { CLOSE_MS = 4500 };

static bool all_ended(void *arg)
{
    return acks_all(arg) >= 10;
}

/*
 * A cluster inside librdkafka, for injecting errors only: the answer to a Produce request says that
 * sequence numbers are out of order, which is fatal for an idempotent producer.
 */
static void a_dead_producer_is_replaced(void **state)
{
    char why[256];
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    struct bus_options options = {.client_id = "test"};
    struct loop *loop = loop_new();
    struct acks acks = {0};
    struct bus *bus;

    (void)state;
    options.bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
    rd_kafka_mock_topic_create(cluster, "t", 1, 1);
    bus = bus_open(loop, &options);
    send_numbers(loop, bus, "t", 0, 10, 1);
    rd_kafka_mock_push_request_errors(cluster, 0 /* Produce */, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    for (int i = 0; i < 10; i++) {
        enum err err = bus_produce(bus, "t", STR("k"), STR("v"), note_ack, &acks);

        if (err != ERR_OK) { /* it may have died of the first one already */
            assert_int_equal(err, ERR_BUS_DOWN);
            acks.other++;
        }
    }
    assert_true(wait_for(loop, all_ended, &acks, WAIT_MS));
    assert_true(acks.other > 0); /* they are published again by their owner */
    send_numbers(loop, bus, "t", 0, 100, 1);
    close_bus(loop, bus);
    loop_free(loop);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
}

static bool is_joined(void *arg)
{
    const struct member *member = arg;

    return member->assigned == 1 && member->count == 20;
}

static void frozen_brokers_hold_up_nobody(void **state)
{
    struct loop *loop = loop_new();
    struct bus *bus = open_bus(loop);
    struct member member = {.begin = BUS_BEGINNING};
    struct acks acks = {0};
    uint64_t before_ms;

    (void)state;
    if (!kafka_is_ours())
        skip();
    member.topic = kafka_topic(1);
    send_numbers(loop, bus, member.topic, 0, 20, 1);
    join(&member, bus, "g");
    assert_true(wait_for(loop, is_joined, &member, WAIT_MS));
    kafka_signal(SIGSTOP);
    /* No delivery for 15 s: another instance, and the messages end so that they are sent again. */
    for (int i = 0; i < 10; i++)
        assert_int_equal(bus_produce(bus, member.topic, STR("k"), STR("v"), note_ack, &acks),
                         ERR_OK);
    before_ms = clock_mono_ms();
    assert_true(wait_for(loop, all_ended, &acks, WAIT_MS));
    assert_in_range(clock_mono_ms() - before_ms, 14000, 30000);
    assert_int_equal(acks.other, 10);
    /* Leaving a group needs brokers; the process does not wait for them. */
    before_ms = clock_mono_ms();
    close_bus(loop, bus);
    assert_true(clock_mono_ms() - before_ms < CLOSE_MS);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_producer_is_replaced),
        cmocka_unit_test(frozen_brokers_hold_up_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
