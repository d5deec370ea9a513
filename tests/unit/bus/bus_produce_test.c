/* bus: sending, against a real broker. */
#include "unit/bus/bus_fixture.h"

struct fixture {
    struct loop *loop;
    struct bus *bus;
};

static int open_fixture(void **state)
{
    struct fixture *fx = heap_zero(sizeof(*fx));

    fx->loop = loop_new();
    fx->bus = open_bus(fx->loop);
    *state = fx;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fx = *state;

    close_bus(fx->loop, fx->bus);
    loop_free(fx->loop);
    free(fx);
    return 0;
}

static bool is_up(void *arg)
{
    return bus_up(arg);
}

static void messages_are_acknowledged(void **state)
{
    struct fixture *fx = *state;
    const char *topic = kafka_topic(4);

    send_numbers(fx->loop, fx->bus, topic, 0, 3000, 7);
    assert_true(bus_up(fx->bus));
    assert_int_equal(bus_produce(fx->bus, topic, STR_NONE, STR_NONE, NULL, NULL), ERR_OK);
    assert_true(wait_for(fx->loop, bus_is_quiet, fx->bus, WAIT_MS));
}

/* Until the first message of a new topic is acknowledged: the best of some tries, for a busy
 * machine.
 */
static uint64_t first_message_ms(struct fixture *fx, bool warm)
{
    uint64_t best_ms = UINT64_MAX;

    for (int i = 0; i < 5; i++) {
        const char *topic = kafka_topic(4);
        uint64_t before_ms;

        if (warm) {
            bus_warm(fx->bus, topic);
            run_for(fx->loop, 300);
        }
        before_ms = clock_mono_ms();
        send_numbers(fx->loop, fx->bus, topic, 0, 1, 1);
        if (clock_mono_ms() - before_ms < best_ms)
            best_ms = clock_mono_ms() - before_ms;
    }
    return best_ms;
}

/* Asked about beforehand, a topic takes its first message without waiting for metadata. */
static void a_warm_topic_is_quick(void **state)
{
    struct fixture *fx = *state;

    send_numbers(fx->loop, fx->bus, kafka_topic(1), 0, 1, 1); /* connected */
    assert_true(first_message_ms(fx, true) < 150);
    assert_true(first_message_ms(fx, false) < 600); /* nor does a cold one wait for a second */
}

static void too_large_is_told_apart(void **state)
{
    struct fixture *fx = *state;
    const char *topic = kafka_topic(1);
    size_t len = 2 * 1024 * 1024;
    char *large = heap_zero(len);

    assert_int_equal(
        bus_produce(fx->bus, topic, STR("k"), (struct str){large, len}, note_ack, NULL),
        ERR_BUS_TOO_LARGE);
    free(large);
    assert_int_equal(bus_unacked(fx->bus), 0);
    send_numbers(fx->loop, fx->bus, topic, 0, 5, 1);
}

static void the_local_queue_is_bounded(void **state)
{
    struct fixture *fx = *state;
    const char *topic = kafka_topic(2);
    struct acks acks = {0};
    unsigned taken = 0;
    enum err err;

    while ((err = bus_produce(fx->bus, topic, STR("k"), STR("v"), note_ack, &acks)) == ERR_OK)
        taken++;
    assert_int_equal(err, ERR_BUSY);
    assert_in_range(taken, 20000, 25000); /* some may be on their way already */
    assert_int_equal(acks_all(&acks), 0); /* nothing ends inside the call */
    assert_true(wait_for(fx->loop, bus_is_quiet, fx->bus, WAIT_MS));
    assert_int_equal(acks.good, taken);
    send_numbers(fx->loop, fx->bus, topic, 0, 5, 1);
}

static bool two_ended(void *arg)
{
    return acks_all(arg) == 2;
}

/* Closing ends what is not acknowledged, and an `ack` that sends again gets a plain refusal. */
static void closing_ends_all(void **state)
{
    struct fixture *fx = *state;
    struct bus_options options = {.bootstrap = "127.0.0.1:1", .client_id = "test"};
    struct bus *away = bus_open(fx->loop, &options);
    struct acks acks = {0};
    uint64_t before_ms = clock_mono_ms();

    for (int i = 0; i < 2; i++)
        assert_int_equal(bus_produce(away, "t", STR("k"), STR("v"), note_ack, &acks), ERR_OK);
    assert_false(wait_for(fx->loop, two_ended, &acks, 100));
    assert_false(bus_up(away));
    close_bus(fx->loop, away);
    assert_int_equal(acks.other, 2);
    assert_true(clock_mono_ms() - before_ms < 4500);
}

static void up_is_known_without_sending(void **state)
{
    struct fixture *fx = *state;

    assert_true(wait_for(fx->loop, is_up, fx->bus, WAIT_MS)); /* by the statistics */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(messages_are_acknowledged), CASE(a_warm_topic_is_quick),
        CASE(too_large_is_told_apart),   CASE(the_local_queue_is_bounded),
        CASE(closing_ends_all),          CASE(up_is_known_without_sending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
