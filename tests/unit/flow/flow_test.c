/* Flows, timers and the loop: order of steps, errors, traces, lag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "flow/flow.h"

enum { WAIT_MS = 30000, TRAIL_MAX = 32 };

/* A flow that writes down where it was. */
struct walk {
    struct flow flow;
    int trail[TRAIL_MAX];
    size_t length;
    enum err resume_with; /* what its operation answers */
    enum err undo_with;   /* what its undo operation answers */
    bool recover;
    bool in_call; /* true while an operation starts */
    bool done;
};

enum walk_step { WALK_FIRST, WALK_OPERATION, WALK_AFTER, WALK_UNDO, WALK_UNDONE };

static void note_step(struct walk *walk, int step)
{
    assert_false(walk->in_call);
    assert_true(walk->length < TRAIL_MAX);
    walk->trail[walk->length++] = step;
}

/* An operation that answers at once: the flow must still not go on inside this call. */
static void answer(struct walk *walk, enum err err)
{
    walk->in_call = true;
    if (err == ERR_OK)
        flow_resume(&walk->flow, err);
    else
        flow_fail(&walk->flow, err, "operation %d", walk->flow.step);
    walk->in_call = false;
}

static void walk_run(struct flow *flow)
{
    struct walk *walk = FLOW_OF(flow, struct walk, flow);

    note_step(walk, flow->step);
    switch ((enum walk_step)flow->step) {
    case WALK_FIRST:
        flow_goto(flow, WALK_OPERATION);
        return;
    case WALK_OPERATION:
        flow_wait(flow, WALK_AFTER);
        answer(walk, walk->resume_with);
        return;
    case WALK_AFTER:
        flow_end(flow, ERR_OK);
        return;
    case WALK_UNDO:
        if (walk->recover) {
            flow->err = ERR_OK;
            flow_goto(flow, WALK_AFTER);
            return;
        }
        flow_wait(flow, WALK_UNDONE);
        answer(walk, walk->undo_with);
        return;
    case WALK_UNDONE:
        flow_end(flow, flow->err);
        return;
    }
    must(false);
}

static void walk_done(struct flow *flow)
{
    struct walk *walk = FLOW_OF(flow, struct walk, flow);

    assert_false(walk->in_call);
    walk->done = true;
}

static int make_loop(void **state)
{
    *state = loop_new();
    return 0;
}

static int free_loop(void **state)
{
    loop_free(NULL);
    loop_free(*state);
    return 0;
}

static void walk_to_end(struct loop *loop, struct walk *walk, int on_error)
{
    flow_init(&walk->flow, loop, walk_run, walk_done, NULL);
    flow_on_error(&walk->flow, on_error);
    flow_start(&walk->flow, WALK_FIRST);
    assert_int_equal(walk->length, 0);
    assert_true(loop_run_until(loop, &walk->done, WAIT_MS));
}

static void steps_run_in_order(void **state)
{
    struct walk walk = {.resume_with = ERR_OK};
    const int expected[] = {WALK_FIRST, WALK_OPERATION, WALK_AFTER};

    walk_to_end(*state, &walk, FLOW_END);
    assert_int_equal(walk.flow.err, ERR_OK);
    assert_int_equal(walk.length, ARRAY_LEN(expected));
    assert_memory_equal(walk.trail, expected, sizeof(expected));
    flow_fini(&walk.flow);
}

static void an_error_ends_the_flow(void **state)
{
    struct walk walk = {.resume_with = ERR_TIMEOUT};
    const int expected[] = {WALK_FIRST, WALK_OPERATION};

    walk_to_end(*state, &walk, FLOW_END);
    assert_int_equal(walk.flow.err, ERR_TIMEOUT);
    assert_string_equal(walk.flow.note.text, "operation 2");
    assert_int_equal(walk.length, ARRAY_LEN(expected));
    assert_memory_equal(walk.trail, expected, sizeof(expected));
    flow_fini(&walk.flow);
}

static void an_error_step_undoes(void **state)
{
    struct walk walk = {.resume_with = ERR_BUSY, .undo_with = ERR_OK};
    const int expected[] = {WALK_FIRST, WALK_OPERATION, WALK_UNDO, WALK_UNDONE};

    walk_to_end(*state, &walk, WALK_UNDO);
    assert_int_equal(walk.flow.err, ERR_BUSY);
    assert_int_equal(walk.length, ARRAY_LEN(expected));
    assert_memory_equal(walk.trail, expected, sizeof(expected));
    flow_fini(&walk.flow);
}

static void the_first_error_is_kept(void **state)
{
    struct walk walk = {.resume_with = ERR_BUSY, .undo_with = ERR_TIMEOUT};

    walk_to_end(*state, &walk, WALK_UNDO);
    assert_int_equal(walk.flow.err, ERR_BUSY);
    assert_string_equal(walk.flow.note.text, "operation 2");
    assert_int_equal(walk.length, 3);
    flow_fini(&walk.flow);
}

static void an_error_step_may_go_on_well(void **state)
{
    struct walk walk = {.resume_with = ERR_BUSY, .recover = true};
    const int expected[] = {WALK_FIRST, WALK_OPERATION, WALK_UNDO, WALK_AFTER};

    walk_to_end(*state, &walk, WALK_UNDO);
    assert_int_equal(walk.flow.err, ERR_OK);
    assert_int_equal(walk.length, ARRAY_LEN(expected));
    assert_memory_equal(walk.trail, expected, sizeof(expected));
    flow_fini(&walk.flow);
}

static void a_trace_is_made_or_kept(void **state)
{
    const char *given = "0123456789abcdef0123456789abcdef";
    const char *refused[] = {NULL, "", "0123", "0123456789abcdef0123456789abcdeX"};
    struct flow flow;

    flow_init(&flow, *state, walk_run, walk_done, given);
    assert_string_equal(flow.trace, given);
    flow_fini(&flow);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        flow_init(&flow, *state, walk_run, walk_done, refused[i]);
        assert_int_equal(strlen(flow.trace), 32);
        assert_int_equal(strspn(flow.trace, "0123456789abcdef"), 32);
        assert_string_not_equal(flow.trace, given);
        flow_fini(&flow);
    }
}

/* A flow that sleeps `left` times and counts how many are done. */
struct nap {
    struct flow flow;
    uint64_t delay_ms;
    unsigned left;
    unsigned *done_count;
    unsigned all;
    bool *all_done;
};

static void nap_run(struct flow *flow)
{
    struct nap *nap = FLOW_OF(flow, struct nap, flow);

    nap->left--;
    flow_wait(flow, nap->left > 0 ? 0 : FLOW_END);
    flow_sleep(flow, nap->delay_ms);
}

static void nap_done(struct flow *flow)
{
    struct nap *nap = FLOW_OF(flow, struct nap, flow);
    bool *all_done = nap->all_done;
    bool last = ++*nap->done_count == nap->all;

    flow_fini(flow);
    free(nap);
    if (last)
        *all_done = true;
}

static void many_flows_sleep(void **state)
{
    enum { NAPS = 2000 };
    unsigned done_count = 0;
    bool all_done = false;

    for (unsigned i = 0; i < NAPS; i++) {
        struct nap *nap = calloc(1, sizeof(*nap));

        assert_non_null(nap);
        *nap = (struct nap){.delay_ms = i % 7,
                            .left = 1 + i % 3,
                            .done_count = &done_count,
                            .all = NAPS,
                            .all_done = &all_done};
        flow_init(&nap->flow, *state, nap_run, nap_done, NULL);
        flow_start(&nap->flow, 0);
    }
    assert_true(loop_run_until(*state, &all_done, WAIT_MS));
    assert_int_equal(done_count, NAPS);
}

static void run_until_keeps_its_limit(void **state)
{
    bool never = false;
    bool already = true;
    uint64_t from_ms = clock_mono_ms();

    assert_false(loop_run_until(*state, &never, 30));
    assert_in_range(clock_mono_ms() - from_ms, 29, WAIT_MS);
    assert_true(loop_run_until(*state, &already, 0));
}

struct ticks {
    struct timer timer;
    unsigned count;
    bool enough;
    bool closed;
};

static void on_tick(void *arg)
{
    struct ticks *ticks = arg;

    if (++ticks->count == 3) {
        timer_stop(&ticks->timer);
        ticks->enough = true;
    }
}

static void on_ticks_closed(void *arg)
{
    ((struct ticks *)arg)->closed = true;
}

static void timers_repeat_stop_and_close(void **state)
{
    struct ticks ticks = {.count = 0};

    timer_open(&ticks.timer, *state, on_tick, &ticks);
    timer_start(&ticks.timer, 60000, 0);
    timer_start(&ticks.timer, 1, 1); /* moves the time */
    assert_true(loop_run_until(*state, &ticks.enough, WAIT_MS));
    timer_close(&ticks.timer, on_ticks_closed);
    assert_true(loop_run_until(*state, &ticks.closed, WAIT_MS));
    assert_int_equal(ticks.count, 3);
}

/* A timer that fires once; its memory has to outlive its close. */
struct shot {
    struct timer timer;
    struct loop *loop;
    bool fired;
    bool closed;
};

static void on_shot_closed(void *arg)
{
    ((struct shot *)arg)->closed = true;
}

static void shot_close(struct shot *shot)
{
    timer_close(&shot->timer, on_shot_closed);
    assert_true(loop_run_until(shot->loop, &shot->closed, WAIT_MS));
}

static void on_slow_shot(void *arg)
{
    uint64_t end_us = clock_mono_us() + 20000;

    while (clock_mono_us() < end_us) {
    }
    ((struct shot *)arg)->fired = true;
}

static void lag_is_the_longest_turn(void **state)
{
    struct shot shot = {.loop = *state};
    bool never = false;

    timer_open(&shot.timer, shot.loop, on_slow_shot, &shot);
    timer_start(&shot.timer, 1, 0);
    assert_false(loop_run_until(shot.loop, &never, 500));
    assert_true(shot.fired);
    assert_in_range(loop_lag_max_us(shot.loop), 20000, 400000); /* the waiting is not lag */
    assert_int_equal(loop_lag_max_us(shot.loop), 0);
    shot_close(&shot);
}

/* A flow whose one step takes its time. */
struct slow {
    struct flow flow;
    const bool *other; /* was it done when this one ran? */
    bool saw_other;
    bool done;
};

static void slow_run(struct flow *flow)
{
    struct slow *slow = FLOW_OF(flow, struct slow, flow);
    uint64_t end_us = clock_mono_us() + 2000;

    while (clock_mono_us() < end_us) {
    }
    slow->saw_other = *slow->other;
    flow_end(flow, ERR_OK);
}

static void slow_done(struct flow *flow)
{
    FLOW_OF(flow, struct slow, flow)->done = true;
}

static void on_shot(void *arg)
{
    ((struct shot *)arg)->fired = true;
}

/* Timers and descriptors get their turn between flows, however many are ready. */
static void ready_flows_do_not_starve_the_loop(void **state)
{
    struct shot shot = {.loop = *state};
    struct slow slow[20];

    timer_open(&shot.timer, shot.loop, on_shot, &shot);
    timer_start(&shot.timer, 1, 0);
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        slow[i] = (struct slow){.other = &shot.fired};
        flow_init(&slow[i].flow, shot.loop, slow_run, slow_done, NULL);
        flow_start(&slow[i].flow, 0);
    }
    assert_true(loop_run_until(shot.loop, &slow[ARRAY_LEN(slow) - 1].done, WAIT_MS));
    assert_true(slow[ARRAY_LEN(slow) - 1].saw_other);
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        flow_fini(&slow[i].flow);
    shot_close(&shot);
}

static void on_stop_shot(void *arg)
{
    struct shot *shot = arg;

    shot->fired = true;
    loop_stop(shot->loop);
}

static void stop_ends_run(void **state)
{
    struct shot shot = {.loop = *state};

    timer_open(&shot.timer, shot.loop, on_stop_shot, &shot);
    timer_start(&shot.timer, 1, 0);
    loop_run(shot.loop);
    assert_true(shot.fired);
    shot_close(&shot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_run_in_order, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(an_error_ends_the_flow, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(an_error_step_undoes, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(the_first_error_is_kept, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(an_error_step_may_go_on_well, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(a_trace_is_made_or_kept, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(many_flows_sleep, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(run_until_keeps_its_limit, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(timers_repeat_stop_and_close, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(lag_is_the_longest_turn, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(ready_flows_do_not_starve_the_loop, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(stop_ends_run, make_loop, free_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
