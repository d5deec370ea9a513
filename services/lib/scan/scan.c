/*
 * scan: see the header. A file's job is a non-blocking socket on the loop and a timer. It ends in
 * one place, job_end(), which lets the flow go on; its memory goes with its timer.
 */
#include "scan/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "scan/scan_address.h"
#include "scan/scan_answer.h"

enum { SCAN_PARTS = 4, SCAN_READ_BYTES = 512 };

struct scan_job {
    struct scan *scan;
    struct scan_job *next;
    struct flow *flow;
    struct scan_verdict *verdict;
    struct iovec parts[SCAN_PARTS]; /* what is still to be sent */
    size_t part;                    /* SCAN_PARTS: all was sent */
    uint32_t sizes[2];              /* of the file, and the zero that ends it; network order */
    int fd;
    struct evfd *evfd;
    bool connected;
    uint64_t since_us; /* monotonic */
    struct timer timer;
    struct scan_answer answer;
};

struct scan {
    struct loop *loop;
    struct scan_address address;
    uint32_t files_max, deadline_ms;
    struct scan_job *jobs;
    unsigned closing_jobs; /* whose timers are still to go */
    bool closing;
    struct timer timer; /* only to be closed last */
    void (*closed)(void *arg);
    void *closed_arg;
    struct scan_stats stats;
};

/* ---- the end of a job, and of all ---- */

static void gone(void *arg)
{
    struct scan *scan = arg;
    void (*closed)(void *) = scan->closed;
    void *closed_arg = scan->closed_arg;

    free(scan);
    closed(closed_arg);
}

static void maybe_closed(struct scan *scan)
{
    if (!scan->closing || scan->closing_jobs > 0)
        return;
    timer_close(&scan->timer, gone);
}

static void job_gone(void *arg)
{
    struct scan_job *job = arg;
    struct scan *scan = job->scan;

    free(job);
    scan->closing_jobs--;
    maybe_closed(scan);
}

/* `why`: NULL when all went well. */
static void job_end(struct scan_job *job, enum err err, const char *why)
{
    struct scan *scan = job->scan;
    struct scan_job **at = &scan->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    scan->stats.open--;
    scan->stats.failed += err != ERR_OK;
    evfd_close(job->evfd);
    if (job->fd >= 0)
        close(job->fd);
    if (err == ERR_OK)
        flow_resume(job->flow, ERR_OK);
    else
        flow_fail(job->flow, err, "virus scanner: %s", why);
    scan->closing_jobs++;
    timer_close(&job->timer, job_gone);
}

static void on_late(void *arg)
{
    struct scan_job *job = arg;

    job_end(job, ERR_TIMEOUT,
            !job->connected           ? "no connection in time"
            : job->part != SCAN_PARTS ? "it did not take the file in time"
                                      : "no answer in time");
}

/* ---- its answer ---- */

static void found(struct scan_job *job, struct str name)
{
    job->verdict->found = name.len > 0;
    (void)snprintf(job->verdict->name, sizeof(job->verdict->name), "%.*s", STR_ARG(name));
    job->scan->stats.clean += !job->verdict->found;
    job->scan->stats.found += job->verdict->found;
    metric_observe_us(&job->scan->stats.took, clock_mono_us() - job->since_us);
    job_end(job, ERR_OK, NULL);
}

/* True: there is more to come; otherwise the job has ended. */
static bool take(struct scan_job *job, struct str bytes)
{
    struct err_note note;
    struct str words = STR_NONE;

    switch (scan_answer_take(&job->answer, bytes, &words)) {
    case SCAN_ANSWER_MORE:
        return true;
    case SCAN_ANSWER_CLEAN:
        if (job->part == SCAN_PARTS)
            found(job, STR(""));
        else
            job_end(job, ERR_SCANNER_DOWN, "a verdict before it had the whole file");
        return false;
    case SCAN_ANSWER_FOUND:
        found(job, words);
        return false;
    case SCAN_ANSWER_FAILED:
        job_end(job, err_say(&note, ERR_SCANNER_DOWN, "it says '%.*s'", STR_ARG(words)), note.text);
        return false;
    case SCAN_ANSWER_BAD:
        job_end(job, ERR_SCANNER_DOWN, "an answer that is none");
        return false;
    }
    must(false);
    return false;
}

/* The same. `error`: what stands in the way of more, so that this is the last chance; 0: nothing.
 */
static bool hear(struct scan_job *job, int error)
{
    char bytes[SCAN_READ_BYTES];
    ssize_t len = recv(job->fd, bytes, sizeof(bytes), 0);

    if (len > 0)
        return take(job, (struct str){bytes, (size_t)len});
    if (len < 0 && error == 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (error == 0 && len < 0)
        error = errno;
    job_end(job, ERR_SCANNER_DOWN, error != 0 ? strerror(error) : "it hung up");
    return false;
}

/* It takes no more: why, if it says so. */
static void hear_last(struct scan_job *job, int error)
{
    bool more = true;

    while (more)
        more = hear(job, error);
}

/* ---- what it is told ---- */

static void part_set(struct scan_job *job, size_t i, const void *bytes, size_t len)
{
    job->parts[i] = (struct iovec){(void *)(uintptr_t)bytes, len};
}

static void prepare(struct scan_job *job, struct str file)
{
    job->sizes[0] = htonl((uint32_t)file.len);
    part_set(job, 0, "zINSTREAM", 10); /* with its NUL */
    part_set(job, 1, &job->sizes[0], sizeof(job->sizes[0]));
    part_set(job, 2, file.data, file.len);
    part_set(job, 3, &job->sizes[1], sizeof(job->sizes[1]));
}

static void sent(struct scan_job *job, size_t len)
{
    while (job->part < SCAN_PARTS && len >= job->parts[job->part].iov_len)
        len -= job->parts[job->part++].iov_len;
    if (job->part < SCAN_PARTS) {
        struct iovec *part = &job->parts[job->part];

        part->iov_base = (char *)part->iov_base + len;
        part->iov_len -= len;
    }
}

/* One piece; more when the loop comes round. */
static void say(struct scan_job *job)
{
    const struct msghdr message = {.msg_iov = job->parts + job->part,
                                   .msg_iovlen = SCAN_PARTS - job->part};
    ssize_t len;

    if (job->part == SCAN_PARTS)
        return;
    len = sendmsg(job->fd, &message, MSG_NOSIGNAL);
    if (len < 0 && errno != EAGAIN && errno != EINTR) {
        hear_last(job, errno);
        return;
    }
    sent(job, len > 0 ? (size_t)len : 0);
    evfd_watch(job->evfd, job->part < SCAN_PARTS ? EVFD_READ | EVFD_WRITE : EVFD_READ);
}

/* ---- connecting ---- */

static bool check_connected(struct scan_job *job)
{
    socklen_t len = sizeof(int);
    int error = 0;

    if (job->connected)
        return true;
    if (getsockopt(job->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0) {
        job_end(job, ERR_SCANNER_DOWN, strerror(error));
        return false;
    }
    job->connected = true;
    return true;
}

static void on_ready(void *arg, int events)
{
    struct scan_job *job = arg;

    if (!check_connected(job))
        return;
    if ((events & EVFD_ERROR) != 0) { /* the loop does not watch it any more */
        hear_last(job, ECONNRESET);
        return;
    }
    if ((events & EVFD_READ) != 0 && !hear(job, 0))
        return;
    if ((events & EVFD_WRITE) != 0)
        say(job);
}

static void job_connect(struct scan_job *job)
{
    const struct scan_address *address = &job->scan->address;

    job->fd = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (job->fd < 0 ||
        (connect(job->fd, (const struct sockaddr *)&address->bytes, address->len) != 0 &&
         errno != EINPROGRESS)) { /* EAGAIN: a Unix socket whose queue is full */
        job_end(job, ERR_SCANNER_DOWN, strerror(errno));
        return;
    }
    job->evfd = evfd_open(job->scan->loop, job->fd, on_ready, job);
    evfd_watch(job->evfd, EVFD_READ | EVFD_WRITE);
}

void scan_file(struct scan *scan, struct str file, struct scan_verdict *ret_verdict,
               struct flow *flow)
{
    struct scan_job *job;

    must(file.len > 0 && file.len < UINT32_MAX);
    if (scan->closing || scan->stats.open >= scan->files_max) {
        scan->stats.failed++;
        flow_fail(flow, scan->closing ? ERR_STOPPING : ERR_BUSY, "virus scanner: no place");
        return;
    }
    job = heap_zero(sizeof(*job));
    job->scan = scan;
    job->flow = flow;
    job->verdict = ret_verdict;
    job->fd = -1;
    job->since_us = clock_mono_us();
    job->next = scan->jobs;
    scan->jobs = job;
    scan->stats.open++;
    prepare(job, file);
    timer_open(&job->timer, scan->loop, on_late, job);
    timer_start(&job->timer, scan->deadline_ms, 0);
    job_connect(job);
}

/* ---- life ---- */

enum err scan_open(struct loop *loop, const struct scan_options *options, struct scan **ret_scan,
                   struct err_note *note)
{
    struct scan_address address;
    struct scan *scan;
    enum err err;

    TRY(scan_address_read(str_of(options->address), &address, note));
    scan = heap_zero(sizeof(*scan));
    scan->loop = loop;
    scan->address = address;
    scan->files_max = options->files_max;
    scan->deadline_ms = options->deadline_ms;
    timer_open(&scan->timer, loop, NULL, scan);
    *ret_scan = scan;
cleanup:
    return err;
}

void scan_close(struct scan *scan, void (*closed)(void *arg), void *arg)
{
    scan->closed = closed;
    scan->closed_arg = arg;
    while (scan->jobs != NULL)
        job_end(scan->jobs, ERR_STOPPING, "the process ends");
    scan->closing = true;
    maybe_closed(scan);
}

void scan_stats(const struct scan *scan, struct scan_stats *ret_stats)
{
    *ret_stats = scan->stats;
}
