/*
 * link: glue between hiredis and the loop. The traps of hiredis 0.14 that shape this file:
 * a failed connect shows only when somebody writes; freeing a context runs the callbacks of all
 * pending commands with a NULL reply; the context may be gone after any of its own calls. So
 * `link->ac` becomes NULL in the clean-up hook, and callbacks only note what happened.
 */
#include "cache/link.h"

#include <fcntl.h>
#include <hiredis/async.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { LINK_WHY_BYTES = 128, LINK_ARGS_MAX = 16 };

struct link_call {
    struct link *link;
    link_answer_fn answer;
    void *arg;
    uint64_t deadline_ms; /* monotonic */
    struct link_call *next;
};

struct link {
    struct loop *loop;
    const struct link_events *events;
    void *arg;
    redisAsyncContext *ac; /* NULL once hiredis has given it up */
    struct evfd *evfd;
    int watched;
    struct timer timer; /* connecting, then the oldest call */
    uint64_t connect_deadline_ms;
    uint32_t command_timeout_ms;
    struct link_call *head, *tail;
    unsigned pending;
    bool connected;
    bool told;  /* `connected` was called */
    bool owned; /* the owner still wants to hear */
    bool timed_out;
    char why[LINK_WHY_BYTES];
};

static void note_why(struct link *link, const char *why)
{
    if (link->why[0] == '\0' && why != NULL)
        snprintf(link->why, sizeof(link->why), "%s", why);
}

static void free_link(void *arg)
{
    free(arg);
}

/* The last thing that happens to a link; the owner hears of it unless it closed the link itself. */
static void finish(struct link *link)
{
    timer_close(&link->timer, free_link);
    if (link->owned) {
        link->owned = false;
        link->events->lost(link->arg, link->why, link->timed_out);
    }
}

/* Ends all calls; afterwards `ac` is NULL. Never from inside a callback of hiredis. */
static void drop(struct link *link)
{
    if (link->ac != NULL)
        redisAsyncFree(link->ac);
    must(link->ac == NULL && link->head == NULL);
}

static void drop_late(struct link *link, const char *why)
{
    link->timed_out = true;
    note_why(link, why);
    drop(link);
    finish(link);
}

static void watch_deadline(struct link *link, uint64_t deadline_ms)
{
    uint64_t now_ms = clock_mono_ms();

    timer_start(&link->timer, deadline_ms > now_ms ? deadline_ms - now_ms : 1, 0);
}

/* The timer is not moved at each answer: it looks at the oldest call when it fires. */
static void on_timer(void *arg)
{
    struct link *link = arg;
    uint64_t now_ms = clock_mono_ms();

    if (link->ac == NULL) { /* connecting failed inside link_open() */
        finish(link);
        return;
    }
    if (!link->connected) {
        if (now_ms >= link->connect_deadline_ms)
            drop_late(link, "connecting took too long");
        else
            watch_deadline(link, link->connect_deadline_ms);
        return;
    }
    if (link->head == NULL)
        return;
    if (now_ms >= link->head->deadline_ms)
        drop_late(link, "no answer in time");
    else
        watch_deadline(link, link->head->deadline_ms);
}

static void on_ready(void *arg, int events)
{
    struct link *link = arg;

    if (link->ac != NULL && (events & (EVFD_READ | EVFD_ERROR)) != 0)
        redisAsyncHandleRead(link->ac);
    if (link->ac != NULL && (events & (EVFD_WRITE | EVFD_ERROR)) != 0)
        redisAsyncHandleWrite(link->ac);
    if (link->ac != NULL && (events & EVFD_ERROR) != 0) {
        note_why(link, "descriptor in error"); /* the loop does not watch it any more */
        drop(link);
    }
    if (link->ac == NULL) {
        finish(link);
        return;
    }
    if (link->connected && !link->told) {
        link->told = true;
        link->events->connected(link->arg);
    }
}

static void watch(struct link *link, int events)
{
    link->watched = events;
    evfd_watch(link->evfd, events);
}

static void hook_add_read(void *privdata)
{
    struct link *link = privdata;

    watch(link, link->watched | EVFD_READ);
}

static void hook_del_read(void *privdata)
{
    struct link *link = privdata;

    watch(link, link->watched & ~EVFD_READ);
}

static void hook_add_write(void *privdata)
{
    struct link *link = privdata;

    watch(link, link->watched | EVFD_WRITE);
}

static void hook_del_write(void *privdata)
{
    struct link *link = privdata;

    watch(link, link->watched & ~EVFD_WRITE);
}

static void hook_cleanup(void *privdata)
{
    struct link *link = privdata;
    redisAsyncContext *ac = link->ac;

    link->ac = NULL;
    /* The connect step leaves its error in the inner context only. */
    note_why(link, ac->c.errstr[0] != '\0' ? ac->c.errstr : ac->errstr);
    evfd_close(link->evfd);
    link->evfd = NULL;
}

static void on_connect(const redisAsyncContext *ac, int status)
{
    struct link *link = ac->data;

    if (status == REDIS_OK)
        link->connected = true;
}

static void on_reply(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct link_call *call = privdata;
    struct link *link = call->link;

    (void)ac;
    must(link->head == call);
    link->head = call->next;
    if (link->head == NULL)
        link->tail = NULL;
    link->pending--;
    call->answer(call->arg, reply);
    free(call);
}

static void attach(struct link *link, redisAsyncContext *ac)
{
    int flags = fcntl(ac->c.fd, F_GETFD);

    if (flags >= 0)
        fcntl(ac->c.fd, F_SETFD, flags | FD_CLOEXEC); /* hiredis forgets it */
    link->ac = ac;
    link->evfd = evfd_open(link->loop, ac->c.fd, on_ready, link);
    ac->data = link;
    ac->ev.data = link;
    ac->ev.addRead = hook_add_read;
    ac->ev.delRead = hook_del_read;
    ac->ev.addWrite = hook_add_write;
    ac->ev.delWrite = hook_del_write;
    ac->ev.cleanup = hook_cleanup;
    must(redisAsyncSetConnectCallback(ac, on_connect) == REDIS_OK); /* begins to watch */
}

struct link *link_open(struct loop *loop, const struct link_options *options,
                       const struct link_events *events, void *arg)
{
    struct link *link = heap_zero(sizeof(*link));
    redisAsyncContext *ac;

    link->loop = loop;
    link->events = events;
    link->arg = arg;
    link->owned = true;
    link->command_timeout_ms = options->command_timeout_ms;
    link->connect_deadline_ms = clock_mono_ms() + options->connect_timeout_ms;
    timer_open(&link->timer, loop, on_timer, link);
    ac = options->socket_path != NULL ? redisAsyncConnectUnix(options->socket_path)
                                      : redisAsyncConnect(options->host, options->port);
    must(ac != NULL); /* only when memory is out */
    if (ac->err != 0 || ac->c.err != 0) {
        note_why(link, ac->c.errstr);
        redisAsyncFree(ac);
        timer_start(&link->timer, 0, 0);
        return link;
    }
    attach(link, ac);
    timer_start(&link->timer, options->connect_timeout_ms, 0);
    return link;
}

bool link_send(struct link *link, const struct str *args, size_t count, link_answer_fn answer,
               void *arg)
{
    const char *argv[LINK_ARGS_MAX];
    size_t lens[LINK_ARGS_MAX];
    struct link_call *call;

    must(count > 0 && count <= LINK_ARGS_MAX);
    if (link->ac == NULL || !link->connected)
        return false;
    for (size_t i = 0; i < count; i++) {
        argv[i] = args[i].len > 0 ? args[i].data : "";
        lens[i] = args[i].len;
    }
    call = heap_zero(sizeof(*call));
    call->link = link;
    call->answer = answer;
    call->arg = arg;
    call->deadline_ms = clock_mono_ms() + link->command_timeout_ms;
    if (redisAsyncCommandArgv(link->ac, on_reply, call, (int)count, argv, lens) != REDIS_OK) {
        free(call);
        return false;
    }
    if (link->tail != NULL)
        link->tail->next = call;
    else
        link->head = call;
    link->tail = call;
    link->pending++;
    if (link->pending == 1)
        watch_deadline(link, call->deadline_ms);
    return true;
}

unsigned link_pending(const struct link *link)
{
    return link->pending;
}

void link_close(struct link *link)
{
    if (link == NULL)
        return;
    link->owned = false;
    drop(link);
    finish(link);
}
