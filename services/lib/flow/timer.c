/*
 * timer: a libuv timer with an owner's argument.
 */
#include "flow/flow_private.h"

void timer_open(struct timer *timer, struct loop *loop, void (*fire)(void *arg), void *arg)
{
    timer->fire = fire;
    timer->arg = arg;
    must(uv_timer_init(loop_uv(loop), &timer->uv) == 0);
}

static void on_fire(uv_timer_t *uv)
{
    struct timer *timer = CONTAINER_OF(uv, struct timer, uv);

    timer->fire(timer->arg);
}

void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms)
{
    /* The loop's cached time may be old, before its first turn by seconds. */
    uv_update_time(timer->uv.loop);
    must(uv_timer_start(&timer->uv, on_fire, delay_ms, repeat_ms) == 0);
}

void timer_stop(struct timer *timer)
{
    uv_timer_stop(&timer->uv);
}

static void on_closed(uv_handle_t *handle)
{
    struct timer *timer = CONTAINER_OF((uv_timer_t *)handle, struct timer, uv);

    if (timer->fire != NULL)
        timer->fire(timer->arg); /* the owner's `closed`: the memory may be gone after it */
}

void timer_close(struct timer *timer, void (*closed)(void *arg))
{
    timer->fire = closed;
    uv_close((uv_handle_t *)&timer->uv, on_closed);
}
