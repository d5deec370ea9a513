/*
 * watch: a thread that ends the process when its loop no longer turns: a handler that spins, a
 * library that waits. Whoever restarts processes then starts a new one; what was under way comes
 * again, and a message that does it three times is dead-lettered.
 *
 * It counts its own waking, not the clock: a process that was frozen is not stuck.
 */
#include <stdlib.h>

#include "proc/proc_private.h"

enum { WATCH_BEAT_MS = 250 };

static void on_beat(void *arg)
{
    struct watch *watch = arg;

    (void)atomic_fetch_add_explicit(&watch->beats, 1, memory_order_relaxed);
}

static _Noreturn void end_process(const struct watch *watch)
{
    const char *flow = loop_running(watch->loop);

    LOG_ERROR("loop_stuck", F_STR("flow", flow == NULL ? "none" : flow),
              F_I64("ms", watch->stuck_ms));
    abort(); /* where it hangs is worth a look */
}

static void watch_run(void *arg)
{
    struct watch *watch = arg;
    unsigned seen = 0;
    uint32_t still_ms = 0;

    uv_mutex_lock(&watch->mutex);
    while (!watch->stop) {
        unsigned beats;

        (void)uv_cond_timedwait(&watch->wake, &watch->mutex, WATCH_BEAT_MS * UINT64_C(1000000));
        beats = atomic_load_explicit(&watch->beats, memory_order_relaxed);
        still_ms = beats == seen ? still_ms + WATCH_BEAT_MS : 0;
        seen = beats;
        if (still_ms >= watch->stuck_ms && !watch->stop)
            end_process(watch);
    }
    uv_mutex_unlock(&watch->mutex);
}

void watch_open(struct watch *watch, struct loop *loop, uint32_t stuck_ms)
{
    watch->loop = loop;
    watch->stuck_ms = stuck_ms;
    must(uv_mutex_init(&watch->mutex) == 0);
    must(uv_cond_init(&watch->wake) == 0);
    timer_open(&watch->beat, loop, on_beat, watch);
    timer_start(&watch->beat, WATCH_BEAT_MS, WATCH_BEAT_MS);
    must(uv_thread_create(&watch->thread, watch_run, watch) == 0);
}

void watch_close(struct watch *watch)
{
    uv_mutex_lock(&watch->mutex);
    watch->stop = true;
    uv_cond_signal(&watch->wake);
    uv_mutex_unlock(&watch->mutex);
    must(uv_thread_join(&watch->thread) == 0);
}
