/*
 * evfd: a file descriptor of somebody else's library on the loop. libuv wants one handle for each
 * descriptor, stopped before the descriptor is closed; it stops a handle by itself on POLLERR.
 */
#include <stdlib.h>
#include <string.h>

#include "flow/flow_private.h"

struct evfd {
    uv_poll_t uv;
    struct loop *loop;
    int fd;
    int events; /* watched now */
    evfd_fn ready;
    void *arg;
};

static void mark(struct loop *loop, int fd)
{
    size_t index = (size_t)fd;

    must(fd >= 0);
    if (index >= loop->fd_count) {
        size_t count = index + 64;

        loop->fd_watched = heap_realloc(loop->fd_watched, count);
        memset(loop->fd_watched + loop->fd_count, 0, count - loop->fd_count);
        loop->fd_count = count;
    }
    must(loop->fd_watched[index] == 0);
    loop->fd_watched[index] = 1;
}

struct evfd *evfd_open(struct loop *loop, int fd, evfd_fn ready, void *arg)
{
    struct evfd *evfd = heap_zero(sizeof(*evfd));

    mark(loop, fd);
    must(uv_poll_init(&loop->uv, &evfd->uv, fd) == 0);
    evfd->loop = loop;
    evfd->fd = fd;
    evfd->ready = ready;
    evfd->arg = arg;
    return evfd;
}

static void on_ready(uv_poll_t *uv, int status, int uv_events)
{
    struct evfd *evfd = CONTAINER_OF(uv, struct evfd, uv);
    int events = 0;

    if (status < 0) {
        /* libuv has stopped watching. Whoever reads or writes now finds the error. */
        events = EVFD_ERROR | evfd->events;
        evfd->events = 0;
    } else {
        if ((uv_events & UV_READABLE) != 0)
            events |= EVFD_READ;
        if ((uv_events & UV_WRITABLE) != 0)
            events |= EVFD_WRITE;
    }
    evfd->ready(evfd->arg, events); /* may close it */
}

void evfd_watch(struct evfd *evfd, int events)
{
    int uv_events = 0;

    events &= EVFD_READ | EVFD_WRITE;
    if (events == evfd->events)
        return;
    evfd->events = events;
    if (events == 0) {
        must(uv_poll_stop(&evfd->uv) == 0);
        return;
    }
    if ((events & EVFD_READ) != 0)
        uv_events |= UV_READABLE;
    if ((events & EVFD_WRITE) != 0)
        uv_events |= UV_WRITABLE;
    must(uv_poll_start(&evfd->uv, uv_events, on_ready) == 0);
}

static void on_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF((uv_poll_t *)handle, struct evfd, uv));
}

void evfd_close(struct evfd *evfd)
{
    if (evfd == NULL)
        return;
    uv_poll_stop(&evfd->uv);
    evfd->loop->fd_watched[evfd->fd] = 0;
    uv_close((uv_handle_t *)&evfd->uv, on_closed);
}
