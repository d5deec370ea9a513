/* Slow work on threads: order, bound, priority, stopping with work in hand. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "flow/flow.h"

enum { WAIT_MS = 30000, QUEUE_MAX = 4 };

struct gate {
    uv_mutex_t lock;
    uv_cond_t open;
    bool is_open;
    atomic_uint inside;
};

struct task {
    struct flow flow;
    struct pool *pool;
    struct gate *gate;
    int nice_level;
    bool signals_blocked;
    bool worked;
    bool done;
};

static unsigned jobs_waiting(const struct pool *pool)
{
    struct pool_stats stats;

    pool_stats(pool, &stats);
    return stats.waiting;
}

static void gate_init(struct gate *gate)
{
    memset(gate, 0, sizeof(*gate));
    assert_int_equal(uv_mutex_init(&gate->lock), 0);
    assert_int_equal(uv_cond_init(&gate->open), 0);
}

static void gate_open(struct gate *gate)
{
    uv_mutex_lock(&gate->lock);
    gate->is_open = true;
    uv_cond_broadcast(&gate->open);
    uv_mutex_unlock(&gate->lock);
}

static void gate_fini(struct gate *gate)
{
    uv_cond_destroy(&gate->open);
    uv_mutex_destroy(&gate->lock);
}

static void work(void *arg)
{
    struct task *task = arg;
    sigset_t blocked;

    if (task->gate != NULL) {
        uv_mutex_lock(&task->gate->lock);
        task->gate->inside++;
        while (!task->gate->is_open)
            uv_cond_wait(&task->gate->open, &task->gate->lock);
        uv_mutex_unlock(&task->gate->lock);
    }
    task->nice_level = getpriority(PRIO_PROCESS, 0);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    task->signals_blocked = sigismember(&blocked, SIGTERM) == 1;
    task->worked = true;
}

static void task_run(struct flow *flow)
{
    struct task *task = FLOW_OF(flow, struct task, flow);

    flow_wait(flow, FLOW_END);
    pool_run(task->pool, work, task, flow);
}

static void task_done(struct flow *flow)
{
    FLOW_OF(flow, struct task, flow)->done = true;
}

static void task_start(struct task *task, struct loop *loop, struct pool *pool, struct gate *gate)
{
    *task = (struct task){.pool = pool, .gate = gate};
    flow_init(&task->flow, loop, task_run, task_done, NULL);
    flow_start(&task->flow, 0);
}

static void turn_until_inside(struct loop *loop, struct gate *gate, unsigned count)
{
    bool never = false;

    for (int i = 0; i < WAIT_MS && gate->inside < count; i++)
        loop_run_until(loop, &never, 1);
    assert_int_equal(gate->inside, count);
}

static int make_loop(void **state)
{
    *state = loop_new();
    return 0;
}

static int free_loop(void **state)
{
    loop_free(*state);
    return 0;
}

static void work_runs_beside_the_loop(void **state)
{
    struct pool *pool = pool_new(*state, 2, QUEUE_MAX, 5);
    int level = getpriority(PRIO_PROCESS, 0);
    struct task task;

    task_start(&task, *state, pool, NULL);
    assert_true(loop_run_until(*state, &task.done, WAIT_MS));
    assert_int_equal(task.flow.err, ERR_OK);
    assert_true(task.worked);
    assert_true(task.signals_blocked);
    assert_int_equal(task.nice_level, level + 5 < 19 ? level + 5 : 19);
    flow_fini(&task.flow);
    pool_free(pool);
    pool_free(NULL);
}

static void a_full_queue_says_busy(void **state)
{
    struct pool *pool = pool_new(*state, 1, QUEUE_MAX, 0);
    struct task tasks[QUEUE_MAX + 2];
    struct pool_stats stats;
    struct gate gate;

    gate_init(&gate);
    task_start(&tasks[0], *state, pool, &gate);
    turn_until_inside(*state, &gate, 1);
    for (size_t i = 1; i < ARRAY_LEN(tasks); i++)
        task_start(&tasks[i], *state, pool, &gate);
    assert_true(loop_run_until(*state, &tasks[QUEUE_MAX + 1].done, WAIT_MS));
    assert_int_equal(tasks[QUEUE_MAX + 1].flow.err, ERR_BUSY);
    assert_int_equal(jobs_waiting(pool), QUEUE_MAX);
    gate_open(&gate);
    for (size_t i = 0; i <= QUEUE_MAX; i++) {
        assert_true(loop_run_until(*state, &tasks[i].done, WAIT_MS));
        assert_int_equal(tasks[i].flow.err, ERR_OK);
    }
    pool_stats(pool, &stats);
    assert_int_equal(stats.threads, 1);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.done, QUEUE_MAX + 1);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.wait.count, stats.done);
    assert_int_equal(stats.wait_us, 0);
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
        flow_fini(&tasks[i].flow);
    pool_free(pool);
    gate_fini(&gate);
}

static void open_gate_later(void *arg)
{
    gate_open(arg);
}

/* What runs is finished, what waits is told that the process stops; nothing is forgotten. */
static void stopping_resumes_everybody(void **state)
{
    struct pool *pool = pool_new(*state, 1, QUEUE_MAX, 0);
    struct task running;
    struct task waiting;
    struct gate gate;
    uv_thread_t opener;

    gate_init(&gate);
    task_start(&running, *state, pool, &gate);
    turn_until_inside(*state, &gate, 1);
    task_start(&waiting, *state, pool, &gate);
    for (int i = 0; i < WAIT_MS && jobs_waiting(pool) == 0; i++)
        loop_run_until(*state, &waiting.done, 1);
    assert_int_equal(uv_thread_create(&opener, open_gate_later, &gate), 0);
    pool_free(pool);
    assert_true(loop_run_until(*state, &running.done, WAIT_MS));
    assert_true(loop_run_until(*state, &waiting.done, WAIT_MS));
    /* The gate may have opened before the pool dropped its queue. */
    assert_true(running.worked);
    assert_int_equal(running.flow.err, ERR_OK);
    assert_int_equal(waiting.flow.err, waiting.worked ? ERR_OK : ERR_STOPPING);
    uv_thread_join(&opener);
    flow_fini(&running.flow);
    flow_fini(&waiting.flow);
    gate_fini(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(work_runs_beside_the_loop, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(a_full_queue_says_busy, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(stopping_resumes_everybody, make_loop, free_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
