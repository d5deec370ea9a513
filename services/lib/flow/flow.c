/*
 * flow: the life of one job of many steps. See flow.h for the rules.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/uuid.h"
#include "flow/flow_private.h"

/* 32 hexadecimal digits, not all zero (W3C trace context), else a new id. */
static void set_trace(struct flow *flow, const char *trace)
{
    uint8_t bytes[(FLOW_TRACE_BYTES - 1) / 2];
    struct str given = str_of(trace);

    if (given.len != FLOW_TRACE_BYTES - 1 || !hex_decode(given, bytes, sizeof(bytes))) {
        random_bytes(bytes, sizeof(bytes));
        bytes[0] |= 1; /* never all zero */
    }
    hex_encode(bytes, sizeof(bytes), flow->trace);
}

void flow_init_named(struct flow *flow, struct loop *loop, flow_fn run, flow_fn done,
                     const char *trace, const char *name)
{
    must(run != NULL && done != NULL);
    *flow = (struct flow){.step = FLOW_END,
                          .loop = loop,
                          .name = name,
                          .run = run,
                          .done = done,
                          .on_error = FLOW_END};
    flow->arena = arena_new();
    set_trace(flow, trace);
}

void flow_fini(struct flow *flow)
{
    must(!flow->ready && !flow->waiting);
    arena_free(flow->arena);
    flow->arena = NULL;
}

void flow_start(struct flow *flow, int step)
{
    must(!flow->ready && !flow->waiting);
    flow->step = step;
    loop_push(flow->loop, flow);
}

void flow_wait(struct flow *flow, int next)
{
    must(!flow->ready && !flow->waiting);
    flow->step = next;
    flow->waiting = true;
}

void flow_goto(struct flow *flow, int next)
{
    must(next != FLOW_END); /* flow_end() says how it ended */
    flow_start(flow, next);
}

void flow_end(struct flow *flow, enum err err)
{
    flow->err = err;
    flow_start(flow, FLOW_END);
}

void flow_on_error(struct flow *flow, int step)
{
    flow->on_error = step;
}

void flow_resume(struct flow *flow, enum err err)
{
    must(flow->waiting);
    flow->waiting = false;
    if (err != ERR_OK) {
        if (flow->err == ERR_OK)
            flow->err = err;
        flow->step = flow->on_error;
        flow->on_error = FLOW_END; /* an error on the way back ends the flow */
    }
    loop_push(flow->loop, flow);
}

void flow_fail(struct flow *flow, enum err err, const char *format, ...)
{
    if (flow->err == ERR_OK) {
        va_list list;

        va_start(list, format);
        vsnprintf(flow->note.text, sizeof(flow->note.text), format, list);
        va_end(list);
    }
    flow_resume(flow, err);
}

void flow_pass_on(struct flow *flow, struct flow *parent)
{
    struct err_note note = flow->note;
    enum err err = flow->err;

    flow_fini(flow);
    if (err == ERR_OK)
        flow_resume(parent, ERR_OK);
    else
        flow_fail(parent, err, "%s", note.text);
}

void flow_turn(struct flow *flow)
{
    struct loop *loop = flow->loop;

    atomic_store_explicit(&loop->running, flow->name, memory_order_relaxed);
    log_set_trace(flow->trace);
    if (flow->step == FLOW_END) {
        flow->done(flow); /* may free it */
    } else {
        flow->run(flow);
        must(flow->ready || flow->waiting); /* a step ends in one way */
    }
    log_set_trace(NULL);
    atomic_store_explicit(&loop->running, NULL, memory_order_relaxed);
}

/* One sleep; libuv gives the memory of its timer back later than the flow goes on. */
struct sleep {
    struct timer timer;
    struct flow *flow;
};

static void on_slept(void *arg)
{
    struct sleep *sleep = arg;
    struct flow *flow = sleep->flow;

    timer_close(&sleep->timer, free);
    flow_resume(flow, ERR_OK);
}

void flow_sleep(struct flow *flow, uint64_t delay_ms)
{
    struct sleep *sleep = heap_zero(sizeof(*sleep));

    must(flow->waiting);
    sleep->flow = flow;
    timer_open(&sleep->timer, flow->loop, on_slept, sleep);
    timer_start(&sleep->timer, delay_ms, 0);
}
