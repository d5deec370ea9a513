/* bus: leaving a group whose brokers have just frozen; they stay so until the program has ended. */
#include <signal.h>

#include "unit/bus/bus_fixture.h"

/* 2 s and what a busy machine adds; waiting for the brokers would take 5 s. */
enum { CLOSE_MS = 4500 };

static bool is_joined(void *arg)
{
    const struct member *member = arg;

    return member->assigned == 1 && member->count == 20;
}

/* Frozen just now: everybody still believes that brokers answer, and leaving would wait for them.
 */
static void leaving_does_not_wait_for_frozen_brokers(void **state)
{
    struct loop *loop = loop_new();
    struct bus *bus = open_bus(loop);
    struct member member = {.begin = BUS_BEGINNING};
    uint64_t before_ms;

    (void)state;
    if (!kafka_is_ours())
        skip();
    member.topic = kafka_topic(1);
    send_numbers(loop, bus, member.topic, 0, 20, 1);
    join(&member, bus, "g");
    assert_true(wait_for(loop, is_joined, &member, WAIT_MS));
    assert_true(bus_up(bus));
    kafka_signal(SIGSTOP);
    before_ms = clock_mono_ms();
    close_bus(loop, bus);
    assert_in_range(clock_mono_ms() - before_ms, 0, CLOSE_MS);
    loop_free(loop); /* the broker stays frozen: its thread is still at it when the program ends */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaving_does_not_wait_for_frozen_brokers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
