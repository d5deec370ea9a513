/* Who may sign in now, and how fast people are called: a table, and a storm played through. */
#include "lib/test.h"

#include "base/base.h"
#include "gateway/gateway_queue_rules.h"

enum { SECOND = 1000000, JOB_US = 25000, THREADS = 2, TICK_MS = 250 };

static void places_are_kept_and_lost(void **state)
{
    static const struct {
        const char *what;
        struct queue_state state;
        struct queue_ticket ticket;
        bool busy;
        int64_t now_us;
        enum queue_verdict verdict;
        int64_t place;
    } cases[] = {
        {"nobody waits", {0, 0}, {0, 0}, false, 0, QUEUE_PASS, 0},
        {"too much to do", {0, 0}, {0, 0}, true, 0, QUEUE_TAKE, 0},
        {"others wait", {10, 4}, {0, 0}, false, 0, QUEUE_TAKE, 0},
        {"others were called", {10, 10}, {0, 0}, false, 0, QUEUE_PASS, 0},
        {"calling ran ahead", {10, 12}, {0, 0}, false, 0, QUEUE_PASS, 0},
        {"not yet", {10, 4}, {7, 0}, false, SECOND, QUEUE_WAIT, 3},
        {"called", {10, 7}, {7, 0}, false, SECOND, QUEUE_PASS, 0},
        {"called, no room", {10, 7}, {7, 0}, true, SECOND, QUEUE_WAIT, 1},
        {"from before a flush", {0, 0}, {900, 0}, false, SECOND, QUEUE_WAIT, 900},
        {"too old", {10, 7}, {7, 0}, false, QUEUE_TICKET_S * (int64_t)SECOND, QUEUE_TAKE, 0},
        {"almost too old",
         {10, 7},
         {7, 0},
         false,
         QUEUE_TICKET_S * (int64_t)SECOND - 1,
         QUEUE_PASS,
         0},
        {"long passed", {9000, 8000}, {5000, 0}, false, SECOND, QUEUE_TAKE, 0},
        {"just not passed", {9000, 8000}, {5001, 0}, false, SECOND, QUEUE_PASS, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t place = 0;
        enum queue_verdict verdict = queue_rules_verdict(&cases[i].state, &cases[i].ticket,
                                                         cases[i].busy, cases[i].now_us, &place);

        if (verdict != cases[i].verdict || place != cases[i].place)
            fail_msg("%s: %d, place %lld", cases[i].what, verdict, (long long)place);
    }
}

static void a_long_wait_or_a_full_queue_is_busy(void **state)
{
    struct queue_load load = {.threads = THREADS, .waiting_max = 200};

    (void)state;
    assert_false(queue_rules_busy(&load));
    load.wait_us = QUEUE_OPEN_MS * 1000;
    assert_false(queue_rules_busy(&load));
    load.wait_us++;
    assert_true(queue_rules_busy(&load));
    load.wait_us = 0;
    load.waiting = 149;
    assert_false(queue_rules_busy(&load));
    load.waiting = 150;
    assert_true(queue_rules_busy(&load));
}

/* One gateway with people who come back a second after they were called, if they do. */
struct play {
    struct queue_state state;
    struct queue_pace pace;
    int64_t coming[4]; /* by ticks until they are there */
    double waiting;    /* for a thread */
    double served;
    unsigned idle_ticks;
};

static struct queue_load load_of(const struct play *play)
{
    return (struct queue_load){.wait_us = (uint64_t)(play->waiting * JOB_US / THREADS),
                               .job_us = JOB_US,
                               .threads = THREADS,
                               .waiting = (unsigned)play->waiting,
                               .waiting_max = 100000};
}

/* `there`: the share of those called that is still there. */
static void tick(struct play *play, double there)
{
    const double room = (double)THREADS * TICK_MS * 1000 / JOB_US;
    struct queue_load load = load_of(play);
    int64_t step = queue_rules_step(&play->pace, &load, &play->state, TICK_MS);
    double now = play->waiting < room ? play->waiting : room;

    play->state.called += step;
    assert_true(play->state.called <= play->state.given);
    play->waiting += (double)play->coming[0] - now;
    play->served += now;
    play->idle_ticks += now < room / 2;
    for (size_t i = 0; i + 1 < ARRAY_LEN(play->coming); i++)
        play->coming[i] = play->coming[i + 1];
    play->coming[ARRAY_LEN(play->coming) - 1] = (int64_t)((double)step * there);
}

static void check_storm(double there, unsigned ticks, double least_share)
{
    struct play play = {.state = {.given = 30000}, .waiting = 240};
    const double most = (double)THREADS * TICK_MS * 1000 / JOB_US * ticks;
    double longest = 0;

    for (unsigned i = 0; i < ticks; i++) {
        tick(&play, there);
        if (play.waiting > longest)
            longest = play.waiting;
    }
    if (play.served < most * least_share)
        fail_msg("with %.2f there: served %.0f of %.0f", there, play.served, most);
    /* Those who were called are not kept waiting much longer than new ones would be. */
    assert_true(longest * JOB_US / THREADS < 2.0 * QUEUE_OPEN_MS * 1000);
}

static void no_thread_idles_while_people_wait(void **state)
{
    (void)state;
    check_storm(1, 400, 0.97);
    check_storm(0.8, 400, 0.97);
    check_storm(0.6, 400, 0.9);
}

/* After a restart of everything numbers are far behind those given: nobody waits for the gone. */
static void those_who_left_are_passed_quickly(void **state)
{
    struct play play = {.state = {.given = 100000}};
    unsigned ticks = 0;

    (void)state;
    while (play.state.called < play.state.given && ticks < 100) {
        tick(&play, 0);
        ticks++;
    }
    assert_true(ticks < 40); /* ten seconds */
}

static void nobody_is_called_when_nobody_waits(void **state)
{
    struct play play = {.state = {.given = 5, .called = 5}};

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        tick(&play, 1);
    assert_int_equal(play.state.called, 5);
}

static void estimates_follow_what_is_called(void **state)
{
    struct play play = {.state = {.given = 30000}, .waiting = 100};
    struct queue_load load = load_of(&play);

    (void)state;
    assert_int_equal(queue_rules_wait_s(&play.pace, &load, 80), 2); /* nothing measured yet */
    for (unsigned i = 0; i < 200; i++)
        tick(&play, 1);
    load = load_of(&play);
    assert_in_range(queue_rules_wait_s(&play.pace, &load, 8000), 80, 110);
    assert_int_equal(queue_rules_wait_s(&play.pace, &load, INT64_MAX / 2), 86400);
}

static void those_far_behind_ask_less_often(void **state)
{
    unsigned least = QUEUE_BACK_MAX_S, most = 0;

    (void)state;
    assert_int_equal(queue_rules_back_s(0, 1), 1);
    assert_int_equal(queue_rules_back_s(3, 1), 1);
    assert_in_range(queue_rules_back_s(20, 1), 9, 12);
    for (int64_t number = 0; number < 1000; number++) {
        unsigned back_s = queue_rules_back_s(3600, number);

        least = back_s < least ? back_s : least;
        most = back_s > most ? back_s : most;
    }
    assert_int_equal(most, QUEUE_BACK_MAX_S);
    assert_in_range(least, QUEUE_BACK_MAX_S / 2, QUEUE_BACK_MAX_S - 5); /* spread */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_kept_and_lost),
        cmocka_unit_test(a_long_wait_or_a_full_queue_is_busy),
        cmocka_unit_test(no_thread_idles_while_people_wait),
        cmocka_unit_test(those_who_left_are_passed_quickly),
        cmocka_unit_test(nobody_is_called_when_nobody_waits),
        cmocka_unit_test(estimates_follow_what_is_called),
        cmocka_unit_test(those_far_behind_ask_less_often),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
