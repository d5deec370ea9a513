/* bus: consuming in a group and as a tail, against a real broker. */
#include "bus/bus_private.h"
#include "unit/bus/bus_fixture.h"

struct fixture {
    struct loop *loop;
    struct bus *bus, *other;
    struct member one, two;
};

static int open_fixture(void **state)
{
    struct fixture *fx = heap_zero(sizeof(*fx));

    fx->loop = loop_new();
    fx->bus = open_bus(fx->loop);
    fx->other = open_bus(fx->loop);
    fx->one.begin = fx->two.begin = BUS_BEGINNING;
    *state = fx;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fx = *state;

    close_bus(fx->loop, fx->bus);
    close_bus(fx->loop, fx->other);
    loop_free(fx->loop);
    free(fx);
    return 0;
}

static const char *begin_topic(struct fixture *fx, int partitions)
{
    const char *topic = kafka_topic(partitions);

    fx->one.topic = fx->two.topic = topic;
    return topic;
}

struct count_of {
    const struct member *member;
    unsigned wanted;
};

static bool has_count(void *arg)
{
    const struct count_of *count = arg;

    return count->member->count >= count->wanted;
}

static void wait_count(struct fixture *fx, const struct member *member, unsigned wanted)
{
    struct count_of count = {member, wanted};

    assert_true(wait_for(fx->loop, has_count, &count, WAIT_MS));
    assert_int_equal(member->count, wanted);
}

static bool has_all(void *arg)
{
    return owned_count(arg) == 4;
}

static bool both_have_two(void *arg)
{
    const struct fixture *fx = arg;

    return owned_count(&fx->one) == 2 && owned_count(&fx->two) == 2;
}

static int64_t lag_all(const struct fixture *fx)
{
    int64_t all = 0;

    for (int32_t part = 0; part < 4; part++) {
        int64_t lag = bus_lag(fx->one.consumer, fx->one.topic, part, fx->one.next[part]);

        all += lag < 0 ? 1 : lag; /* not known yet */
    }
    return all;
}

static bool lag_is_none(void *arg)
{
    return lag_all(arg) == 0;
}

static void all_come_once_in_order(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 4);

    send_numbers(fx->loop, fx->bus, topic, 0, 2000, 50);
    join(&fx->one, fx->bus, "g");
    wait_count(fx, &fx->one, 2000);
    send_numbers(fx->loop, fx->bus, topic, 2000, 2000, 50);
    wait_count(fx, &fx->one, 4000);
    for (int i = 0; i < 4000; i++)
        assert_int_equal(fx->one.seen[i], 1);
    assert_int_equal(fx->one.errors, 0);
    assert_true(wait_for(fx->loop, lag_is_none, fx, WAIT_MS));
    for (int32_t part = 0; part < 4; part++) {
        assert_int_equal(bus_lag(fx->one.consumer, topic, part, fx->one.next[part]), 0);
        assert_int_equal(bus_lag(fx->one.consumer, topic, part, fx->one.next[part] - 3), 3);
        bus_note_offset(fx->one.consumer, topic, part, fx->one.next[part]);
    }
    run_for(fx->loop, 1200); /* told to Kafka without waiting */
}

static bool both_have_thousand(void *arg)
{
    const struct fixture *fx = arg;

    return fx->one.count + fx->two.count >= 1000;
}

static void two_members_share(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 4);
    uint64_t before_ms;

    join(&fx->one, fx->bus, "g");
    assert_true(wait_for(fx->loop, has_all, &fx->one, WAIT_MS));
    join(&fx->two, fx->other, "g");
    assert_true(wait_for(fx->loop, both_have_two, fx, WAIT_MS));
    assert_int_equal(fx->one.revoked, 4);
    send_numbers(fx->loop, fx->bus, topic, 0, 1000, 50);
    assert_true(wait_for(fx->loop, both_have_thousand, fx, WAIT_MS));
    assert_int_equal(fx->one.count + fx->two.count, 1000);
    assert_true(fx->one.count > 0 && fx->two.count > 0);
    /* Leaving tells the group: no session has to time out. */
    before_ms = clock_mono_ms();
    bus_unsubscribe(fx->one.consumer);
    assert_true(wait_for(fx->loop, has_all, &fx->two, WAIT_MS));
    assert_true(clock_mono_ms() - before_ms < 5500); /* a session lasts 6 s */
    assert_int_equal(fx->one.errors + fx->two.errors, 0);
}

static void answer_all(struct member *member, int64_t offset)
{
    for (int32_t part = 0; part < SEEN_PARTS_MAX; part++)
        if (member->owned[part])
            bus_assign(member->consumer, member->topic, part, offset);
}

static bool both_have_hundred(void *arg)
{
    const struct fixture *fx = arg;

    return fx->one.count + fx->two.count == 100;
}

/* A member whose database is away keeps nobody else waiting, and gets nothing before it answers. */
static void a_late_answer_keeps_nobody_waiting(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 4);

    fx->one.slow = true;
    send_numbers(fx->loop, fx->bus, topic, 0, 100, 50);
    join(&fx->one, fx->bus, "g");
    assert_true(wait_for(fx->loop, has_all, &fx->one, WAIT_MS));
    bus_assign(fx->one.consumer, topic, 0, BUS_BEGINNING); /* one of four */
    run_for(fx->loop, 500);
    assert_int_equal(fx->one.count, 0);
    join(&fx->two, fx->other, "g");
    assert_true(wait_for(fx->loop, both_have_two, fx, WAIT_MS));
    run_for(fx->loop, 300);
    assert_int_equal(fx->one.count, 0);
    answer_all(&fx->one, BUS_BEGINNING);
    assert_true(wait_for(fx->loop, both_have_hundred, fx, WAIT_MS));
    assert_int_equal(fx->one.errors + fx->two.errors, 0);
}

static void pause_now_and_then(struct member *member, const struct bus_message *message)
{
    bus_pause(member->consumer, message->topic, message->part);
    if (member->count % 3 == 0)
        bus_pause(member->consumer, message->topic, message->part);
    if (member->count % 2 == 0)
        bus_continue(member->consumer, message->topic, message->part);
}

static void continue_all(struct member *member)
{
    for (int32_t part = 0; part < 4; part++) {
        bus_continue(member->consumer, member->topic, part);
        bus_continue(member->consumer, member->topic, part);
    }
}

static bool storm_over(void *arg)
{
    struct member *member = arg;

    continue_all(member);
    return member->count >= 400;
}

/* Pausing and going on at each message loses none and repeats none. */
static void a_pause_storm_loses_nothing(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 4);

    send_numbers(fx->loop, fx->bus, topic, 0, 400, 50);
    fx->one.on_message = pause_now_and_then;
    join(&fx->one, fx->bus, "g");
    assert_true(wait_for(fx->loop, storm_over, &fx->one, WAIT_MS));
    run_for(fx->loop, 300);
    assert_int_equal(fx->one.count, 400);
    for (int i = 0; i < 400; i++)
        assert_int_equal(fx->one.seen[i], 1);
    assert_int_equal(fx->one.errors, 0);
}

static bool has_some(void *arg)
{
    const struct member *member = arg;

    return member->count > 0;
}

static void pause_lasts(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 4);

    join(&fx->one, fx->bus, "g");
    assert_true(wait_for(fx->loop, has_all, &fx->one, WAIT_MS));
    run_for(fx->loop, 200);
    for (int32_t part = 0; part < 4; part++)
        bus_pause(fx->one.consumer, topic, part);
    send_numbers(fx->loop, fx->bus, topic, 0, 100, 50);
    run_for(fx->loop, 300);
    assert_int_equal(fx->one.count, 0);
    /* Another partition begins anew meanwhile: those that are paused stay so. */
    bus_assign(fx->one.consumer, topic, 0, 0);
    assert_true(wait_for(fx->loop, has_some, &fx->one, WAIT_MS));
    run_for(fx->loop, 300);
    assert_in_range(fx->one.count, 1, 60);
    for (int32_t part = 1; part < 4; part++)
        assert_int_equal(fx->one.next[part], -1);
    continue_all(&fx->one);
    wait_count(fx, &fx->one, 100);
    assert_int_equal(fx->one.errors, 0);
}

static void a_partition_can_be_moved_and_held(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 2);

    send_numbers(fx->loop, fx->bus, topic, 0, 100, 1); /* one key: one partition */
    join(&fx->one, fx->bus, "g");
    wait_count(fx, &fx->one, 100);
    for (int32_t part = 0; part < 2; part++)
        fx->one.next[part] = -1;
    for (int32_t part = 0; part < 2; part++)
        bus_assign(fx->one.consumer, topic, part, 0);
    wait_count(fx, &fx->one, 200);
    for (int32_t part = 0; part < 2; part++)
        bus_hold(fx->one.consumer, topic, part);
    send_numbers(fx->loop, fx->bus, topic, 100, 10, 1);
    run_for(fx->loop, 300);
    assert_int_equal(fx->one.count, 200);
    for (int32_t part = 0; part < 2; part++)
        bus_assign(fx->one.consumer, topic, part, fx->one.next[part] < 0 ? 0 : 100);
    wait_count(fx, &fx->one, 210);
    assert_int_equal(fx->one.errors, 0);
}

static bool first_stopped(void *arg)
{
    const struct member *member = arg;

    return member->stopped[0];
}

static void an_offset_out_of_range_stops_that_partition(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 1);

    send_numbers(fx->loop, fx->bus, topic, 0, 50, 1);
    kafka_records_delete(topic, 0, 30);
    fx->one.begin = 10; /* gone */
    join(&fx->one, fx->bus, "g");
    assert_true(wait_for(fx->loop, first_stopped, &fx->one, WAIT_MS));
    run_for(fx->loop, 500);
    assert_int_equal(fx->one.count, 0); /* nothing is skipped */
    bus_assign(fx->one.consumer, topic, 0, BUS_BEGINNING);
    wait_count(fx, &fx->one, 20);
    fx->one.stopped[0] = false;
    bus_assign(fx->one.consumer, topic, 0, 1000); /* beyond the end */
    assert_true(wait_for(fx->loop, first_stopped, &fx->one, WAIT_MS));
}

/* Does librdkafka know which partitions to read? */
static bool is_told(void *arg)
{
    const struct bus_consumer *consumer = arg;

    return uv_is_active((const uv_handle_t *)&consumer->apply.uv) == 0;
}

/* As `mamisctl replay` does it: held, the topic lost and made anew, then from its beginning. */
static void a_topic_may_be_made_anew_while_held(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 2);

    send_numbers(fx->loop, fx->bus, topic, 0, 100, 50);
    join(&fx->one, fx->bus, "g");
    wait_count(fx, &fx->one, 100);
    for (int32_t part = 0; part < 2; part++)
        bus_hold(fx->one.consumer, topic, part);
    assert_true(wait_for(fx->loop, is_told, fx->one.consumer, WAIT_MS));
    kafka_topic_delete(topic);
    kafka_topic_make(topic, 2);
    send_numbers(fx->loop, fx->other, topic, 0, 100, 50);
    for (int32_t part = 0; part < 2; part++) {
        fx->one.next[part] = -1;
        bus_assign(fx->one.consumer, topic, part, BUS_BEGINNING);
    }
    wait_count(fx, &fx->one, 200);
    assert_int_equal(fx->one.errors, 0);
}

static bool has_one(void *arg)
{
    return owned_count(arg) == 1;
}

/* Each number at least once; a sharing out may repeat some, from where the test begins. */
static bool all_came(void *arg)
{
    const struct fixture *fx = arg;

    for (int number = 0; number < 200; number++)
        if (fx->one.seen[number] + fx->two.seen[number] == 0)
            return false;
    return true;
}

static bool is_member(void *arg)
{
    const struct bus_consumer *consumer = arg;

    return consumer->member;
}

/* Parts of two topics, one of which was missing when the group shared out. */
struct late {
    struct bus_consumer *consumer;
    const char *topic;
    int parts, other_parts;
};

static void late_assigned(void *arg, const char *topic, int32_t part)
{
    struct late *late = arg;

    *(strcmp(topic, late->topic) == 0 ? &late->parts : &late->other_parts) += 1;
    bus_assign(late->consumer, topic, part, BUS_BEGINNING);
}

static void late_revoked(void *arg, const char *topic, int32_t part)
{
    struct late *late = arg;

    (void)part;
    *(strcmp(topic, late->topic) == 0 ? &late->parts : &late->other_parts) -= 1;
}

static void late_message(void *arg, const struct bus_message *message)
{
    (void)arg;
    (void)message;
}

static bool has_the_other(void *arg)
{
    const struct late *late = arg;

    return late->other_parts == 2;
}

static bool has_both(void *arg)
{
    const struct late *late = arg;

    return late->parts == 2 && late->other_parts == 2;
}

/* Long before librdkafka would look again by itself, which is after 30 s. */
static void a_topic_that_was_missing_is_asked_for(void **state)
{
    static const struct bus_consumer_events events = {.assigned = late_assigned,
                                                      .revoked = late_revoked,
                                                      .message = late_message,
                                                      .stopped = member_stopped};
    struct fixture *fx = *state;
    const char *topics[] = {kafka_topic(2), kafka_topic(2)};
    struct late late = {.topic = topics[1]};

    kafka_topic_delete(late.topic);
    late.consumer = bus_subscribe(fx->bus, topics[0], topics, 2, &events, &late);
    assert_true(wait_for(fx->loop, has_the_other, &late, WAIT_MS));
    kafka_topic_make(late.topic, 2);
    assert_true(wait_for(fx->loop, has_both, &late, 12000));
}

/* More members than partitions: who has none asks, and the others go on reading. */
static void a_member_without_a_share_disturbs_nobody(void **state)
{
    struct fixture *fx = *state;
    const char *topic = begin_topic(fx, 1);

    join(&fx->one, fx->bus, "g");
    assert_true(wait_for(fx->loop, has_one, &fx->one, WAIT_MS));
    join(&fx->two, fx->other, "g");
    assert_true(wait_for(fx->loop, is_member, fx->two.consumer, WAIT_MS));
    send_numbers(fx->loop, fx->bus, topic, 0, 100, 50);
    run_for(fx->loop, 5000);
    send_numbers(fx->loop, fx->bus, topic, 100, 100, 50);
    assert_true(wait_for(fx->loop, all_came, fx, WAIT_MS));
    assert_int_equal(owned_count(&fx->one) + owned_count(&fx->two), 1);
    assert_int_equal(fx->one.errors + fx->two.errors, 0);
}

struct tail {
    struct bus *bus;
    const char *topic;
    unsigned count;
};

static void on_tail(void *arg, const struct bus_message *message)
{
    struct tail *tail = arg;

    assert_false(str_eq(message->value, STR("old")));
    tail->count++;
}

static bool tail_began(void *arg)
{
    struct tail *tail = arg;

    assert_int_equal(bus_produce(tail->bus, tail->topic, STR("k"), STR("probe"), NULL, NULL),
                     ERR_OK);
    return tail->count > 0;
}

static bool tail_has_three_more(void *arg)
{
    const struct tail *tail = arg;

    return tail->count >= 3;
}

static void a_tail_reads_what_is_new(void **state)
{
    struct fixture *fx = *state;
    const char *topic = kafka_topic(3);
    struct tail one = {fx->bus, topic, 0}, two = {fx->other, topic, 0};

    for (int i = 0; i < 50; i++)
        assert_int_equal(bus_produce(fx->bus, topic, STR_NONE, STR("old"), NULL, NULL), ERR_OK);
    assert_true(wait_for(fx->loop, bus_is_quiet, fx->bus, WAIT_MS));
    bus_tail(fx->bus, topic, on_tail, &one);
    bus_tail(fx->other, topic, on_tail, &two);
    assert_true(wait_for(fx->loop, tail_began, &one, WAIT_MS));
    assert_true(wait_for(fx->loop, tail_began, &two, WAIT_MS));
    assert_true(wait_for(fx->loop, bus_is_quiet, fx->other, WAIT_MS));
    run_for(fx->loop, 200);
    one.count = two.count = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(bus_produce(fx->bus, topic, STR_NONE, STR("new"), NULL, NULL), ERR_OK);
    assert_true(wait_for(fx->loop, tail_has_three_more, &one, WAIT_MS));
    assert_true(wait_for(fx->loop, tail_has_three_more, &two, WAIT_MS)); /* both get all */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_come_once_in_order),
        CASE(two_members_share),
        CASE(a_late_answer_keeps_nobody_waiting),
        CASE(a_pause_storm_loses_nothing),
        CASE(pause_lasts),
        CASE(a_partition_can_be_moved_and_held),
        CASE(an_offset_out_of_range_stops_that_partition),
        CASE(a_topic_may_be_made_anew_while_held),
        CASE(a_topic_that_was_missing_is_asked_for),
        CASE(a_member_without_a_share_disturbs_nobody),
        CASE(a_tail_reads_what_is_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
