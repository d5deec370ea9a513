/*
 * flow_private: what the files of lib/flow share. Nobody else includes it.
 */
#pragma once
#include <stdatomic.h>

#include "flow/flow.h"

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare; /* before the wait for I/O: run what is ready */
    uv_check_t check;     /* after it: again */
    uv_idle_t idle;       /* active while flows are ready, so that the wait is none */
    uv_timer_t limit;     /* of loop_run_until() */
    struct flow *ready_head;
    struct flow *ready_tail;
    const bool *until; /* of loop_run_until(), else NULL */
    bool limit_reached;
    uint8_t *fd_watched; /* by descriptor: 1 while an evfd has it */
    size_t fd_count;
    uint64_t turn_from_ns; /* when the turn began; 0 before the first */
    uint64_t turn_idle_ns; /* time waited for I/O until then, since the loop was made */
    uint64_t lag_max_us;
    _Atomic(const char *) running; /* name of the flow whose step runs; others may read it */
};

/* Append to the flows that the loop runs next. */
void loop_push(struct loop *loop, struct flow *flow);
/* Run one step of a flow that was ready, or its end. */
void flow_turn(struct flow *flow);
