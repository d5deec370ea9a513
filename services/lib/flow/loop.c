/*
 * loop: a libuv loop with a queue of flows that are ready to run. Flows run before and after each
 * wait for I/O, never inside the call that made them ready.
 */
#include <stdlib.h>

#include "flow/flow_private.h"

enum {
    /* Flows run this long before the loop looks at its descriptors again. */
    READY_BUDGET_NS = 4 * 1000 * 1000,
    /* Turns in which loop_free() lets close callbacks run; one is enough for each close in a chain.
     */
    CLOSE_TURNS_MAX = 16,
};

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* being active is all it is for */
}

void loop_push(struct loop *loop, struct flow *flow)
{
    must(!flow->ready);
    flow->ready = true;
    flow->ready_next = NULL;
    if (loop->ready_tail != NULL)
        loop->ready_tail->ready_next = flow;
    else
        loop->ready_head = flow;
    loop->ready_tail = flow;
    must(uv_idle_start(&loop->idle, on_idle) == 0);
}

static struct flow *loop_pop(struct loop *loop)
{
    struct flow *flow = loop->ready_head;

    loop->ready_head = flow->ready_next;
    if (loop->ready_head == NULL)
        loop->ready_tail = NULL;
    flow->ready_next = NULL;
    flow->ready = false;
    return flow;
}

/* Those that become ready meanwhile wait for the next time, so that I/O is never starved. */
static void run_ready(struct loop *loop)
{
    const struct flow *last = loop->ready_tail;
    uint64_t end_ns = uv_hrtime() + READY_BUDGET_NS;
    const struct flow *flow = NULL;

    while (flow != last) {
        struct flow *next = loop_pop(loop);

        flow = next;
        flow_turn(next);
        if (uv_hrtime() >= end_ns)
            break;
    }
    if (loop->ready_head == NULL)
        uv_idle_stop(&loop->idle);
}

/* A turn lasts from one wait to the next; what the kernel waited inside is not ours. */
static void measure_turn(struct loop *loop)
{
    uint64_t now_ns = uv_hrtime();
    uint64_t idle_ns = uv_metrics_idle_time(&loop->uv);

    if (loop->turn_from_ns != 0) {
        uint64_t turn_ns = now_ns - loop->turn_from_ns;
        uint64_t waited_ns = idle_ns - loop->turn_idle_ns;
        uint64_t busy_us = turn_ns > waited_ns ? (turn_ns - waited_ns) / 1000 : 0;

        if (busy_us > loop->lag_max_us)
            loop->lag_max_us = busy_us;
    }
    loop->turn_from_ns = now_ns;
    loop->turn_idle_ns = idle_ns;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct loop *loop = CONTAINER_OF(prepare, struct loop, prepare);

    measure_turn(loop);
    if (loop->ready_head != NULL)
        run_ready(loop);
    if (loop->until != NULL && *loop->until)
        uv_stop(&loop->uv); /* do not wait for I/O any more */
}

static void on_check(uv_check_t *check)
{
    struct loop *loop = CONTAINER_OF(check, struct loop, check);

    if (loop->ready_head != NULL)
        run_ready(loop);
}

static void on_limit(uv_timer_t *limit)
{
    CONTAINER_OF(limit, struct loop, limit)->limit_reached = true;
    uv_stop(limit->loop); /* it may fire before the wait for I/O, which would have no end then */
}

struct loop *loop_new(void)
{
    struct loop *loop = heap_zero(sizeof(*loop));

    must(uv_loop_init(&loop->uv) == 0);
    must(uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME) == 0);
    must(uv_prepare_init(&loop->uv, &loop->prepare) == 0);
    must(uv_check_init(&loop->uv, &loop->check) == 0);
    must(uv_idle_init(&loop->uv, &loop->idle) == 0);
    must(uv_timer_init(&loop->uv, &loop->limit) == 0);
    must(uv_prepare_start(&loop->prepare, on_prepare) == 0);
    must(uv_check_start(&loop->check, on_check) == 0);
    loop->uv.data = loop;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    must(loop->ready_head == NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_close((uv_handle_t *)&loop->limit, NULL);
    for (int turn = 0; turn < CLOSE_TURNS_MAX && uv_loop_alive(&loop->uv); turn++)
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    must(uv_loop_close(&loop->uv) == 0);
    free(loop->fd_watched);
    free(loop);
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

void loop_run(struct loop *loop)
{
    loop->turn_from_ns = 0;
    /* The prepare handle keeps the loop alive, so only loop_stop() ends it. */
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

bool loop_run_until(struct loop *loop, const bool *done, uint64_t timeout_ms)
{
    must(loop->until == NULL);
    loop->until = done;
    loop->limit_reached = false;
    loop->turn_from_ns = 0;
    uv_update_time(&loop->uv);
    must(uv_timer_start(&loop->limit, on_limit, timeout_ms, 0) == 0);
    while (!*done && !loop->limit_reached)
        uv_run(&loop->uv, UV_RUN_ONCE);
    uv_timer_stop(&loop->limit);
    loop->until = NULL;
    return *done;
}

const char *loop_running(struct loop *loop)
{
    return atomic_load_explicit(&loop->running, memory_order_relaxed);
}

uint64_t loop_lag_max_us(struct loop *loop)
{
    uint64_t lag_us = loop->lag_max_us;

    loop->lag_max_us = 0;
    return lag_us;
}
