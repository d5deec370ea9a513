#include "fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct client {
    struct talk *talk;
    uint16_t port;
    int signal_fd;
    int hold_fd; /* with no_read: hang up when something comes here */
};

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval limit = {.tv_sec = TALK_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    must(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
    return fd;
}

static bool send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool send_repeated(int fd, size_t bytes)
{
    static char filling[64 * 1024];

    memset(filling, 'x', sizeof(filling));
    while (bytes > 0) {
        size_t part = bytes < sizeof(filling) ? bytes : sizeof(filling);

        if (!send_all(fd, filling, part))
            return false;
        bytes -= part;
    }
    return true;
}

/* Slowly enough to be a nuisance, too quickly to look idle. */
static void dribble(int fd, struct str text)
{
    for (size_t i = 0; i < text.len && send(fd, text.data + i, 1, MSG_NOSIGNAL) == 1; i++) {
        struct pollfd gone = {.fd = fd, .events = POLLIN};

        if (poll(&gone, 1, 100) > 0)
            return;
    }
}

static void *client_run(void *arg)
{
    struct client *client = arg;
    struct talk *talk = client->talk;
    char part[16 * 1024];
    int fd = connect_to(client->port);
    ssize_t got = 1;

    if (talk->dribble) {
        dribble(fd, talk->send);
        talk->send = STR("");
    }
    talk->sent_all = send_all(fd, talk->send.data, talk->send.len) &&
                     send_repeated(fd, talk->repeat_bytes) &&
                     send_all(fd, talk->tail.data, talk->tail.len);
    while (talk->no_read == NULL && !talk->hang_up && got > 0 &&
           (talk->stop_after == 0 || talk->got.len < talk->stop_after)) {
        got = recv(fd, part, sizeof(part), 0);
        if (got > 0)
            buf_add(&talk->got, part, (size_t)got);
    }
    if (talk->no_read != NULL)
        must(read(client->hold_fd, part, 1) == 1);
    close(fd);
    must(write(client->signal_fd, "x", 1) == 1);
    return NULL;
}

static void on_signal(void *arg, int events)
{
    (void)events;
    *(bool *)arg = true;
}

void talk_run(struct fixture *fx, struct talk *talk)
{
    struct client client = {.talk = talk, .port = http_port(fx->server)};
    bool done = false;
    struct evfd *evfd;
    pthread_t thread;
    int fds[2], hold[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(pipe(hold), 0);
    client.signal_fd = fds[1];
    client.hold_fd = hold[0];
    evfd = evfd_open(fx->loop, fds[0], on_signal, &done);
    evfd_watch(evfd, EVFD_READ);
    assert_int_equal(pthread_create(&thread, NULL, client_run, &client), 0);
    if (talk->no_read != NULL) {
        assert_true(loop_run_until(fx->loop, talk->no_read, TALK_MS));
        assert_int_equal(write(hold[1], "x", 1), 1);
    }
    assert_true(loop_run_until(fx->loop, &done, 2 * TALK_MS));
    assert_int_equal(pthread_join(thread, NULL), 0);
    evfd_close(evfd);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(hold[i]);
    }
}

unsigned status_of(const struct buf *answer)
{
    unsigned status = 0;

    if (answer->len < 12 || sscanf(answer->data, "HTTP/1.%*1u %3u", &status) != 1)
        return 0;
    return status;
}

unsigned ask_bytes(struct fixture *fx, struct str request, struct buf *ret_answer)
{
    struct talk talk = {.send = request};
    unsigned status;

    talk_run(fx, &talk);
    status = status_of(&talk.got);
    if (ret_answer != NULL)
        *ret_answer = talk.got;
    else
        buf_free(&talk.got);
    return status;
}

unsigned ask(struct fixture *fx, const char *request)
{
    return ask_bytes(fx, str_of(request), NULL);
}

void run_until(struct fixture *fx, const bool *done)
{
    assert_true(loop_run_until(fx->loop, done, TALK_MS));
}

static void on_timer(void *arg)
{
    struct fixture *fx = arg;

    fx->fire(fx);
}

void fixture_open(struct fixture *fx, const struct http_options *options,
                  const struct http_route *routes, size_t count)
{
    struct err_note note = {.text = ""};

    fx->loop = loop_new();
    timer_open(&fx->timer, fx->loop, on_timer, fx);
    assert_int_equal(http_open(fx->loop, options, routes, count, fx, &fx->server, &note), ERR_OK);
}

static void on_closed(void *arg)
{
    *(bool *)arg = true;
}

void fixture_close(struct fixture *fx)
{
    bool closed = false;

    http_close(fx->server, 500, on_closed, &closed);
    run_until(fx, &closed);
    timer_close(&fx->timer, NULL);
    loop_free(fx->loop);
}
