/*
 * pool: a bounded queue in front of a few threads. libuv's own pool is shared with its file and
 * name calls, so slow work there would stop those; and it has no bound. Threads wake the loop by an
 * eventfd: uv_async_send() of libuv 1.44 lets the loop spin until its caller gets on, and a nice
 * thread that the loop has just displaced does not get on.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "flow/flow_private.h"

/* A job counts so much less than all before it in the mean. */
enum { JOB_MEAN_PARTS = 16 };

struct job {
    struct job *next;
    void (*work)(void *arg);
    void *arg;
    struct flow *flow;  /* only for the loop thread */
    uint64_t queued_us; /* monotonic */
    uint64_t started_us, ended_us;
};

struct jobs {
    struct job *head;
    struct job *tail;
};

struct pool {
    int done_fd; /* eventfd: readable when jobs are done */
    struct evfd *evfd;
    uv_mutex_t lock;
    uv_cond_t more;
    struct jobs queued; /* under lock, as `done` and `stopping` */
    struct jobs done;
    bool stopping;
    atomic_uint waiting; /* changed under lock, read without, as `running` */
    atomic_uint running;
    unsigned queue_max; /* constant, as all below */
    unsigned thread_count;
    int nice_level;
    uv_thread_t *threads;
    uint64_t done_count, refused; /* loop thread only, as the following */
    uint64_t job_us;              /* moving mean of what a job takes */
    struct metric_histogram wait;
};

static void jobs_push(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    if (jobs->tail != NULL)
        jobs->tail->next = job;
    else
        jobs->head = job;
    jobs->tail = job;
}

static struct job *jobs_pop(struct jobs *jobs)
{
    struct job *job = jobs->head;

    if (job != NULL) {
        jobs->head = job->next;
        if (jobs->head == NULL)
            jobs->tail = NULL;
    }
    return job;
}

/* The next job, waiting for it; NULL when the pool stops. */
static struct job *take_job(struct pool *pool)
{
    struct job *job;

    uv_mutex_lock(&pool->lock);
    while (pool->queued.head == NULL && !pool->stopping)
        uv_cond_wait(&pool->more, &pool->lock);
    job = jobs_pop(&pool->queued);
    if (job != NULL) {
        pool->waiting--;
        pool->running++;
    }
    uv_mutex_unlock(&pool->lock);
    return job;
}

static void thread_main(void *arg)
{
    struct pool *pool = arg;
    struct job *job;

    /* On Linux 0 is this thread alone. Only ever nicer than the process, so it cannot fail. */
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + pool->nice_level);
    while ((job = take_job(pool)) != NULL) {
        job->started_us = clock_mono_us();
        job->work(job->arg);
        job->ended_us = clock_mono_us();
        uv_mutex_lock(&pool->lock);
        pool->running--;
        jobs_push(&pool->done, job);
        uv_mutex_unlock(&pool->lock);
        must(eventfd_write(pool->done_fd, 1) == 0);
    }
}

static void note_job(struct pool *pool, const struct job *job)
{
    uint64_t took_us = job->ended_us - job->started_us;

    if (pool->done_count++ == 0)
        pool->job_us = took_us;
    else
        pool->job_us = (pool->job_us * (JOB_MEAN_PARTS - 1) + took_us) / JOB_MEAN_PARTS;
    metric_observe_us(&pool->wait, job->started_us - job->queued_us);
}

static void resume_jobs(struct pool *pool, struct jobs jobs, enum err err)
{
    struct job *job;

    while ((job = jobs_pop(&jobs)) != NULL) {
        if (err == ERR_OK)
            note_job(pool, job);
        flow_resume(job->flow, err);
        free(job);
    }
}

static void on_done(void *arg, int events)
{
    struct pool *pool = arg;
    struct jobs done;
    eventfd_t count;

    (void)events;
    (void)eventfd_read(pool->done_fd, &count);
    uv_mutex_lock(&pool->lock);
    done = pool->done;
    pool->done = (struct jobs){NULL, NULL};
    uv_mutex_unlock(&pool->lock);
    resume_jobs(pool, done, ERR_OK);
}

struct pool *pool_new(struct loop *loop, unsigned threads, unsigned queue_max, int nice_level)
{
    struct pool *pool = heap_zero(sizeof(*pool));
    sigset_t all;
    sigset_t before;

    must(threads > 0 && queue_max > 0);
    pool->queue_max = queue_max;
    pool->thread_count = threads;
    pool->nice_level = nice_level;
    pool->threads = heap_zero(sizeof(*pool->threads) * threads);
    pool->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pool->evfd = evfd_open(loop, pool->done_fd, on_done, pool);
    evfd_watch(pool->evfd, EVFD_READ);
    must(uv_mutex_init(&pool->lock) == 0);
    must(uv_cond_init(&pool->more) == 0);

    /* Signals are for the loop thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < threads; i++)
        must(uv_thread_create(&pool->threads[i], thread_main, pool) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool;
}

void pool_free(struct pool *pool)
{
    struct jobs dropped;

    if (pool == NULL)
        return;
    uv_mutex_lock(&pool->lock);
    pool->stopping = true;
    dropped = pool->queued;
    pool->queued = (struct jobs){NULL, NULL};
    uv_cond_broadcast(&pool->more);
    uv_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        must(uv_thread_join(&pool->threads[i]) == 0);
    resume_jobs(pool, pool->done, ERR_OK);
    resume_jobs(pool, dropped, ERR_STOPPING);
    uv_cond_destroy(&pool->more);
    uv_mutex_destroy(&pool->lock);
    free(pool->threads);
    evfd_close(pool->evfd);
    (void)close(pool->done_fd);
    free(pool);
}

void pool_run(struct pool *pool, void (*work)(void *arg), void *arg, struct flow *flow)
{
    struct job *job = NULL;

    must(flow->waiting);
    uv_mutex_lock(&pool->lock);
    if (pool->waiting < pool->queue_max) {
        job = heap_alloc(sizeof(*job));
        *job = (struct job){.work = work, .arg = arg, .flow = flow, .queued_us = clock_mono_us()};
        jobs_push(&pool->queued, job);
        pool->waiting++;
        uv_cond_signal(&pool->more);
    }
    uv_mutex_unlock(&pool->lock);
    if (job == NULL) {
        pool->refused++;
        flow_fail(flow, ERR_BUSY, "work queue is full: %u jobs", pool->queue_max);
    }
}

void pool_stats(const struct pool *pool, struct pool_stats *ret_stats)
{
    const unsigned waiting = atomic_load(&pool->waiting);
    const unsigned before = waiting + atomic_load(&pool->running);
    const unsigned rounds = before < pool->thread_count ? 0 : before - pool->thread_count + 1;

    *ret_stats = (struct pool_stats){.threads = pool->thread_count,
                                     .waiting = waiting,
                                     .job_us = pool->job_us,
                                     .wait_us = pool->job_us * rounds / pool->thread_count,
                                     .done = pool->done_count,
                                     .refused = pool->refused,
                                     .wait = pool->wait};
}
