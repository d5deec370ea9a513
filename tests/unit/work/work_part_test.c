/* work: partitions that come, go, pause and lose their records, against real servers. */
#include "unit/work/work_fixture.h"
#include "work/work_private.h"

#define EFFECTS "SELECT count(*) FROM credit.effect"
#define PLACE "SELECT coalesce(sum(next), 0) FROM credit.work_offset"
#define UNSENT "SELECT count(*) FROM gateway.outbox WHERE sent_at IS NULL"
#define LETTERS "SELECT count(*) FROM credit.dead_letter"

static void a_worker_that_lost_its_place_does_nothing(void **state)
{
    struct fixture *fx = *state;
    struct work_stats stats;

    worker_start(fx);
    send_event(fx, "t.slow.v1", 1);
    send_event(fx, "t.add.v1", 2);
    until_kept(fx, 1);
    exec("UPDATE credit.work_offset SET next = 1"); /* another worker was quicker */
    answer_kept(&fx->service, ERR_OK);
    until_i64(fx, EFFECTS, 1); /* and on from the new place */
    assert_int_equal(number("SELECT n FROM credit.effect"), 2);
    work_stats(fx->work, &stats);
    assert_int_equal(stats.fenced, 1);
    assert_int_equal(number(PLACE), 2);
}

static void partitions_move_between_workers(void **state)
{
    struct fixture *fx = *state;
    struct service second = {0};
    struct bus *bus = open_bus(fx->loop);
    struct work *work;
    int64_t n = 0;

    kafka_topic_delete(fx->topic);
    kafka_topic_make(fx->topic, 4);
    worker_start(fx);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 50; i++)
            send_event(fx, "t.add.v1", n++);
        work = worker_open(fx, fx->db, bus, &second);
        for (int i = 0; i < 50; i++)
            send_event(fx, "t.add.v1", n++);
        run_for(fx->loop, 700);
        for (int i = 0; i < 50; i++)
            send_event(fx, "t.add.v1", n++);
        close_work(fx->loop, work);
    }
    until_i64(fx, EFFECTS, n);
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), n);
    assert_int_equal(number("SELECT sum(next) FROM credit.work_offset"), n);
    close_bus(fx->loop, bus);
}

struct state_wait {
    const struct work *work;
    enum work_part_state state;
};

static bool state_is(void *arg)
{
    const struct state_wait *wait = arg;

    return wait->work->parts != NULL && wait->work->parts->state == wait->state;
}

/* Until the worker's one partition is there, and so. */
static void until_state(struct fixture *fx, enum work_part_state state)
{
    struct state_wait wait = {fx->work, state};

    assert_true(wait_for(fx->loop, state_is, &wait, WAIT_MS));
}

static bool has_left(void *arg)
{
    return ((const struct work *)arg)->parts == NULL;
}

/* An orderly end in the middle of the work is no death. */
static void an_orderly_end_is_no_death(void **state)
{
    struct fixture *fx = *state;
    bool closed = false;

    send_event(fx, "t.slow.v1", 1);
    for (int i = 0; i < 5; i++) {
        worker_start(fx);
        until_kept(fx, 1);
        assert_int_equal(number("SELECT attempts FROM credit.work_offset"), 1);
        work_close(fx->work, set_true, &closed);
        assert_true(wait_for(fx->loop, has_left, fx->work, WAIT_MS));
        answer_kept(&fx->service, ERR_OK); /* too late: the partition was given back */
        assert_true(loop_run_until(fx->loop, &closed, WAIT_MS));
        closed = false;
        fx->work = NULL;
        until_i64(fx, "SELECT attempts FROM credit.work_offset", 0);
    }
    assert_int_equal(number(EFFECTS), 0);
    worker_start(fx);
    until_kept(fx, 1);
    answer_kept(&fx->service, ERR_OK);
    until_i64(fx, EFFECTS, 1);
    assert_int_equal(number(LETTERS), 0);
}

/* ---- pausing, replaying ---- */

static void a_paused_topic_is_not_read(void **state)
{
    struct fixture *fx = *state;
    char sql[200];

    worker_start(fx);
    send_event(fx, "t.add.v1", 1);
    until_i64(fx, EFFECTS, 1);
    snprintf(sql, sizeof(sql), "INSERT INTO mamis.pause (topic) VALUES ('%s')", fx->topic);
    exec(sql);
    until_state(fx, WORK_PART_HELD);
    send_event(fx, "t.add.v1", 2);
    run_for(fx->loop, 500);
    assert_int_equal(number(EFFECTS), 1);
    worker_stop(fx);
    worker_start(fx); /* one that starts now does not read either */
    until_state(fx, WORK_PART_HELD);
    run_for(fx->loop, 500);
    assert_int_equal(number(EFFECTS), 1);
    exec("TRUNCATE mamis.pause");
    until_i64(fx, EFFECTS, 2);
}

/* As `mamisctl replay`: the topic is lost, its events come again from the outbox. */
static void a_lost_topic_is_replayed(void **state)
{
    struct fixture *fx = *state;
    char sql[200];

    worker_start(fx);
    for (int64_t n = 0; n < 20; n++)
        send_event(fx, "t.add.v1", n);
    until_i64(fx, EFFECTS, 20);
    snprintf(sql, sizeof(sql), "INSERT INTO mamis.pause (topic) VALUES ('%s')", fx->topic);
    exec(sql);
    until_state(fx, WORK_PART_HELD);
    for (int64_t n = 20; n < 30; n++)
        send_event(fx, "t.add.v1", n); /* these are lost with the topic before anybody read them */
    until_i64(fx, UNSENT, 0);
    kafka_topic_delete(fx->topic);
    kafka_topic_make(fx->topic, 1);
    snprintf(sql, sizeof(sql), "SELECT mamis.rewind('credit', '%s')", fx->topic);
    exec(sql);
    send_again(fx);
    exec("TRUNCATE mamis.pause");
    until_i64(fx, EFFECTS, 30);
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), 30);
    until_i64(fx, PLACE, 30);
}

static bool partition_stopped(void *arg)
{
    struct work_stats stats;

    work_stats(arg, &stats);
    return stats.stopped == 1;
}

/* Retention took records that nobody had handled: an alarm, nothing skipped, until the replay. */
static void lost_records_stop_the_partition(void **state)
{
    struct fixture *fx = *state;
    char sql[200];

    worker_start(fx);
    until_i64(fx, "SELECT count(*) FROM credit.work_offset", 1);
    until_state(fx, WORK_PART_RUNNING); /* it looked: from now on nothing may be missed */
    worker_stop(fx);
    for (int64_t n = 0; n < 10; n++)
        send_event(fx, "t.add.v1", n);
    until_i64(fx, UNSENT, 0);
    kafka_records_delete(fx->topic, 0, 5);
    worker_start(fx);
    assert_true(wait_for(fx->loop, partition_stopped, fx->work, WAIT_MS));
    run_for(fx->loop, 500);
    assert_int_equal(number(EFFECTS), 0);
    snprintf(sql, sizeof(sql), "INSERT INTO mamis.pause (topic) VALUES ('%s')", fx->topic);
    exec(sql);
    until_state(fx, WORK_PART_HELD);
    snprintf(sql, sizeof(sql), "SELECT mamis.rewind('credit', '%s')", fx->topic);
    exec(sql);
    send_again(fx);
    exec("TRUNCATE mamis.pause");
    until_i64(fx, EFFECTS, 10);
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), 10);
}

/* A service that is new to an old topic begins at what there is, also after another start. */
static void an_old_topic_is_read_from_what_there_is(void **state)
{
    struct fixture *fx = *state;

    for (int64_t n = 0; n < 10; n++)
        send_event(fx, "t.add.v1", n);
    until_i64(fx, UNSENT, 0);
    kafka_records_delete(fx->topic, 0, 10);
    worker_start(fx);
    until_i64(fx, "SELECT coalesce(max(next), 0) FROM credit.work_offset", 10); /* settled */
    worker_stop(fx);
    worker_start(fx);
    send_event(fx, "t.add.v1", 10);
    until_i64(fx, EFFECTS, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_worker_that_lost_its_place_does_nothing),
        CASE(partitions_move_between_workers),
        CASE(an_orderly_end_is_no_death),
        CASE(a_paused_topic_is_not_read),
        CASE(a_lost_topic_is_replayed),
        CASE(lost_records_stop_the_partition),
        CASE(an_old_topic_is_read_from_what_there_is),
    };

    return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
