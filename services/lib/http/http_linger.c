/*
 * http_linger: an answer that goes out before the body was read (a refusal) would be lost, because
 * closing a socket with unread bytes resets it. So the socket is kept by a second descriptor and
 * what still comes is read and thrown away, for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_private.h"

enum { LINGER_READS = 16, LINGER_READ_BYTES = 16 * 1024 };

static void linger_end(struct http_linger *linger)
{
    struct http_server *server = linger->server;

    if (linger->next != NULL)
        linger->next->prev = linger->prev;
    if (linger->prev != NULL)
        linger->prev->next = linger->next;
    else
        server->lingers = linger->next;
    server->linger_count--;
    evfd_close(linger->evfd);
    (void)close(linger->fd);
    free(linger);
}

static void linger_ready(void *arg, int events)
{
    struct http_linger *linger = arg;
    char waste[LINGER_READ_BYTES];
    ssize_t got = 1;

    if ((events & EVFD_ERROR) != 0) {
        linger_end(linger);
        return;
    }
    for (int i = 0; i < LINGER_READS && got > 0; i++)
        got = recv(linger->fd, waste, sizeof(waste), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        linger_end(linger);
}

void http_linger_begin(struct http_request *request)
{
    struct http_server *server = request->server;
    struct http_linger *linger;
    int fd;

    if (request->conn == NULL || server->linger_count >= HTTP_LINGER_MAX)
        return;
    fd = fcntl(request->conn->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return;
    linger = heap_zero(sizeof(*linger));
    linger->server = server;
    linger->fd = fd;
    linger->deadline_ms = clock_mono_ms() + HTTP_LINGER_MS;
    linger->next = server->lingers;
    if (linger->next != NULL)
        linger->next->prev = linger;
    server->lingers = linger;
    server->linger_count++;
    linger->evfd = evfd_open(server->loop, fd, linger_ready, linger);
    evfd_watch(linger->evfd, EVFD_READ);
}

void http_linger_sweep(struct http_server *server, uint64_t now_ms)
{
    struct http_linger *next;

    for (struct http_linger *linger = server->lingers; linger != NULL; linger = next) {
        next = linger->next;
        if (now_ms >= linger->deadline_ms)
            linger_end(linger);
    }
}
