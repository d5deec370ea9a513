/*
 * bus_job: librdkafka has calls that wait for brokers, some for ever (closing a consumer while no
 * broker answers). Each runs on a thread of its own, and whoever cannot wait any longer abandons
 * it.
 */
#include <stdlib.h>

#include "bus/bus_private.h"

static void forget(struct bus_job *job)
{
    struct bus_job **link = &job->bus->jobs;

    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
}

static void on_closed(uv_handle_t *handle)
{
    struct bus_job *job = CONTAINER_OF((uv_async_t *)handle, struct bus_job, async);

    if (job->abandoned)
        return; /* its thread still runs and reads it: the process ends soon */
    uv_mutex_destroy(&job->mutex);
    forget(job);
    job->done(job);
}

static void on_finished(uv_async_t *async)
{
    struct bus_job *job = CONTAINER_OF(async, struct bus_job, async);

    if (job->finished)
        return;
    job->finished = true;
    must(uv_thread_join(&job->thread) == 0); /* it does nothing after it woke us */
    uv_close((uv_handle_t *)&job->async, on_closed);
}

static void thread_main(void *arg)
{
    struct bus_job *job = arg;

    job->work(job);
    uv_mutex_lock(&job->mutex);
    if (!job->abandoned)
        uv_async_send(&job->async);
    uv_mutex_unlock(&job->mutex);
}

void bus_job_start(struct bus *bus, struct bus_job *job)
{
    job->bus = bus;
    job->next = bus->jobs;
    bus->jobs = job;
    must(uv_mutex_init(&job->mutex) == 0);
    must(uv_async_init(loop_uv(bus->loop), &job->async, on_finished) == 0);
    must(uv_thread_create(&job->thread, thread_main, job) == 0);
}

void bus_jobs_abandon(struct bus *bus)
{
    struct bus_job **link = &bus->jobs;

    while (*link != NULL) {
        struct bus_job *job = *link;

        if (job->finished) { /* its handle is closing: it ends by itself in this turn */
            link = &job->next;
            continue;
        }
        *link = job->next;
        uv_mutex_lock(&job->mutex);
        job->abandoned = true;
        uv_mutex_unlock(&job->mutex);
        uv_close((uv_handle_t *)&job->async, on_closed);
    }
}

struct reap {
    struct bus_job job;
    rd_kafka_t *rk;
    bool leave;
    void (*then)(void *arg);
    void *arg;
};

static void reap_work(struct bus_job *job)
{
    struct reap *reap = CONTAINER_OF(job, struct reap, job);

    if (reap->leave)
        rd_kafka_consumer_close(reap->rk);
    rd_kafka_destroy_flags(reap->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void reap_done(struct bus_job *job)
{
    struct reap *reap = CONTAINER_OF(job, struct reap, job);
    void (*then)(void *arg) = reap->then;
    void *arg = reap->arg;

    free(reap);
    if (then != NULL)
        then(arg);
}

void bus_reap(struct bus *bus, rd_kafka_t *rk, bool leave, void (*then)(void *arg), void *arg)
{
    struct reap *reap = heap_zero(sizeof(*reap));

    *reap = (struct reap){.rk = rk, .leave = leave, .then = then, .arg = arg};
    reap->job.work = reap_work;
    reap->job.done = reap_done;
    bus_job_start(bus, &reap->job);
}
