/*
 * flow: jobs of many steps on one event loop. A flow is a struct with an enum of steps and one
 * function with one switch. A step ends in one way: it waits, goes on, or ends.
 *
 * Loop thread only; other threads come in through a pool. Nothing resumes inside the call that
 * started it: flows run from the loop's queue, before and after each wait for I/O.
 */
#pragma once
#include <uv.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/metric.h"

struct loop; /* a uv_loop_t with a queue of flows that are ready to run */

struct loop *loop_new(void);
/* All handles have to be closed; NULL is allowed. */
void loop_free(struct loop *loop);
uv_loop_t *loop_uv(struct loop *loop);
/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Runs until `*done` or `timeout_ms` (monotonic); gives `*done`. For tests and command-line tools.
 */
bool loop_run_until(struct loop *loop, const bool *done, uint64_t timeout_ms);
/* Longest time one turn took since the last call, microseconds: the loop-lag metric. */
uint64_t loop_lag_max_us(struct loop *loop);
/* Any thread: the name of the function of the flow whose step runs now; NULL: none. */
const char *loop_running(struct loop *loop);

enum { FLOW_END = -1, FLOW_TRACE_BYTES = 33 };

struct flow;
typedef void (*flow_fn)(struct flow *flow);

struct flow {
    int step;             /* the step that runs next, or FLOW_END */
    enum err err;         /* the first error; ERR_OK while all is well */
    struct err_note note; /* where it was found */
    struct arena *arena;  /* freed by flow_fini() */
    struct loop *loop;
    const char *name; /* of `run`, static storage */
    flow_fn run;      /* the switch */
    flow_fn done;     /* called once from the loop when the flow has ended; may free it */
    char trace[FLOW_TRACE_BYTES]; /* correlation id, restored into the log at each step */
    /* private */
    struct flow *ready_next;
    int on_error; /* step to go to on an error, or FLOW_END */
    bool ready;
    bool waiting;
};

#define FLOW_OF(pointer, type, member) CONTAINER_OF(pointer, type, member)

/* Makes an arena. `trace`: 32 hexadecimal digits; NULL or anything else: a new id is made. */
#define flow_init(flow, loop, run, done, trace) flow_init_named(flow, loop, run, done, trace, #run)
void flow_init_named(struct flow *flow, struct loop *loop, flow_fn run, flow_fn done,
                     const char *trace, const char *name);
/* Frees the arena. Call it in `done`, or before flow_start(). */
void flow_fini(struct flow *flow);
/* Run `step` from the loop. */
void flow_start(struct flow *flow, int step);
/* In a step: what is started next resumes at `next` (FLOW_END: end well when it succeeds). */
void flow_wait(struct flow *flow, int next);
/* In a step, instead of waiting: run `next` from the loop. */
void flow_goto(struct flow *flow, int next);
/* In a step: finish with `err`, which replaces an earlier error. */
void flow_end(struct flow *flow, enum err err);
/*
 * Steps from now on: an error goes to `step` with flow->err set, instead of ending the flow. Used
 * up by the first error. That step may undo and go on to FLOW_END, which keeps the error, or set
 * flow->err to ERR_OK and go on well.
 */
void flow_on_error(struct flow *flow, int step);
/* By the operation the flow waits for, exactly once. Continues from the loop. */
void flow_resume(struct flow *flow, enum err err);
/* The same with a note, printf-like. */
void flow_fail(struct flow *flow, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* In `done`: frees the flow, and resumes `parent`, which waits for it, with its error and note. */
void flow_pass_on(struct flow *flow, struct flow *parent);
/* An operation to wait for: resumes `flow` after `delay_ms`. */
void flow_sleep(struct flow *flow, uint64_t delay_ms);

/* A timer that calls `fire(arg)`; embedded, closed by timer_close(). */
struct timer {
    uv_timer_t uv;
    void (*fire)(void *arg);
    void *arg;
};

void timer_open(struct timer *timer, struct loop *loop, void (*fire)(void *arg), void *arg);
/* repeat_ms 0: once. Starting again moves the time. Counts from this call. */
void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void timer_stop(struct timer *timer);
/* `closed` (may be NULL) runs when the handle is gone and its memory may go. */
void timer_close(struct timer *timer, void (*closed)(void *arg));

/* A file descriptor watched on the loop: the one wrapper that libpq, hiredis, librdkafka share. */
enum { EVFD_READ = 1, EVFD_WRITE = 2, EVFD_ERROR = 4 };

struct evfd; /* heap; one for each descriptor */
typedef void (*evfd_fn)(void *arg, int events);

struct evfd *evfd_open(struct loop *loop, int fd, evfd_fn ready, void *arg);
/*
 * EVFD_READ, EVFD_WRITE or both; 0 pauses. EVFD_ERROR is always told, together with what was
 * watched, and pauses by itself: read or write to find the error.
 */
void evfd_watch(struct evfd *evfd, int events);
/* Stops at once, frees itself later; the descriptor may be closed right afterwards. NULL allowed.
 */
void evfd_close(struct evfd *evfd);

/* Bounded pool of threads for slow work (password hashes, PDF). */
struct pool;

/* `nice_level`: by how much its threads are nicer than the process. */
struct pool *pool_new(struct loop *loop, unsigned threads, unsigned queue_max, int nice_level);
/* Waits for running work, drops what is queued: those flows resume with ERR_STOPPING. NULL allowed.
 */
void pool_free(struct pool *pool);
/*
 * Run `work(arg)` on a thread, then resume `flow`. Memory: `arg` is borrowed until then.
 * Errors: ERR_BUSY when the queue is full.
 */
void pool_run(struct pool *pool, void (*work)(void *arg), void *arg, struct flow *flow);
/* Figures for the metrics. Loop thread. */
struct pool_stats {
    unsigned threads, waiting;
    uint64_t job_us;              /* what a job takes, of late; 0 before the first */
    uint64_t wait_us;             /* predicted for a job that comes now */
    uint64_t done, refused;       /* jobs; those that found the queue full */
    struct metric_histogram wait; /* for a thread, by the jobs done */
};
void pool_stats(const struct pool *pool, struct pool_stats *ret_stats);
