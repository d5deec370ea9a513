/*
 * callers: the load of `scripts/bench access`, one thread, HTTP/1.1 with connections that stay.
 *
 *   callers closed PORT CONNECTIONS COOKIES SECONDS
 *       GET /api/v1/me on every connection, the next when the last is answered
 *   callers open PORT CONNECTIONS COOKIES SECONDS RATE
 *       the same RATE times a second, whether answered or not; times count from when each was due
 *   callers storm PORT CONNECTIONS LOGINS SECONDS RATE PASSWORD AFTER
 *       every login of the file wants to sign in, RATE new ones a second; who is told to wait comes
 *       back when told, with the place given. Sign-ins are counted for SECONDS, AFTER seconds
 * later.
 *
 * Prints one JSON object. COOKIES and LOGINS have one a line.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 400000, CONNECTIONS_MAX = 1000, BYTES_MAX = 16384, EVENTS_MAX = 256 };

enum mode { CLOSED, OPEN, STORM };

/* Somebody who wants something; in a storm one for each login. */
struct caller {
    const char *line; /* cookie or login */
    char place[160];  /* cookie of the place in the queue, "" for none */
    bool called;      /* in: the place said so */
    uint64_t due_us;
};

struct connection {
    int fd;
    struct caller *caller; /* NULL: idle */
    bool asks_place;
    uint64_t since_us;
    char out[1024];
    size_t out_len, out_sent;
    char in[BYTES_MAX];
    size_t in_len;
};

static struct {
    enum mode mode;
    int port, poll;
    unsigned connection_count;
    double rate;
    const char *password;
    uint64_t begun_us, count_from_us, end_us;
    struct connection connections[CONNECTIONS_MAX];
    struct connection *idle[CONNECTIONS_MAX];
    size_t idle_count;
    struct caller *callers;
    size_t caller_count, next_caller; /* of a storm: who has not come yet */
    struct caller **heap;             /* those who come back, by time */
    size_t heap_count;
    uint64_t sent; /* open: requests begun */
    uint32_t *times_us;
    size_t time_count, time_room;
    uint64_t signed_in, signed_in_all, told_to_wait, asked, failed;
    int last_failure;
} run;

static void stop(const char *why)
{
    fprintf(stderr, "callers: %s: %s\n", why, strerror(errno));
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- who comes back when: a heap ---- */

static void heap_put(struct caller *caller)
{
    size_t at = run.heap_count++;

    while (at > 0 && run.heap[(at - 1) / 2]->due_us > caller->due_us) {
        run.heap[at] = run.heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    run.heap[at] = caller;
}

static struct caller *heap_take(void)
{
    struct caller *first = run.heap[0];
    struct caller *last = run.heap[--run.heap_count];
    size_t at = 0;

    for (;;) {
        size_t child = at * 2 + 1;

        if (child + 1 < run.heap_count && run.heap[child + 1]->due_us < run.heap[child]->due_us)
            child++;
        if (child >= run.heap_count || run.heap[child]->due_us >= last->due_us)
            break;
        run.heap[at] = run.heap[child];
        at = child;
    }
    run.heap[at] = last;
    return first;
}

/* ---- connections ---- */

static void watch(struct connection *connection, bool writing)
{
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0),
                                .data.ptr = connection};

    if (epoll_ctl(run.poll, EPOLL_CTL_MOD, connection->fd, &event) != 0)
        stop("epoll_ctl");
}

static void dial(struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)run.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int on = 1;

    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        stop("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(run.poll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        stop("epoll_ctl");
    connection->in_len = 0;
}

static void flush_out(struct connection *connection)
{
    ssize_t put = send(connection->fd, connection->out + connection->out_sent,
                       connection->out_len - connection->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (put < 0 && errno != EAGAIN)
        stop("send");
    if (put > 0)
        connection->out_sent += (size_t)put;
    if (connection->out_sent < connection->out_len)
        watch(connection, true);
}

static void begin(struct connection *connection, struct caller *caller, uint64_t since_us)
{
    char body[256];
    int len;

    connection->caller = caller;
    connection->since_us = since_us;
    connection->asks_place = false;
    if (run.mode != STORM) {
        len = snprintf(connection->out, sizeof(connection->out),
                       "GET /api/v1/me HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\n\r\n",
                       run.port, caller->line);
    } else if (caller->place[0] != '\0' && !caller->called) {
        connection->asks_place = true;
        len = snprintf(connection->out, sizeof(connection->out),
                       "GET /api/v1/session/place HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                       "Cookie: %s\r\n\r\n",
                       run.port, caller->place);
    } else {
        int body_len = snprintf(body, sizeof(body), "{\"login_id\":\"%s\",\"password\":\"%s\"}",
                                caller->line, run.password);

        len = snprintf(connection->out, sizeof(connection->out),
                       "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s%s"
                       "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                       run.port, caller->place[0] != '\0' ? "Cookie: " : "", caller->place,
                       caller->place[0] != '\0' ? "\r\n" : "", body_len, body);
    }
    if (len < 0 || (size_t)len >= sizeof(connection->out))
        stop("a request is too long");
    connection->out_len = (size_t)len;
    connection->out_sent = 0;
    flush_out(connection);
}

/* ---- answers ---- */

static void note_time(uint64_t took_us)
{
    if (run.time_count == run.time_room) {
        run.time_room = run.time_room > 0 ? run.time_room * 2 : 65536;
        run.times_us = realloc(run.times_us, run.time_room * sizeof(*run.times_us));
        if (run.times_us == NULL)
            stop("memory");
    }
    run.times_us[run.time_count++] = (uint32_t)took_us;
}

/* The value of a header, up to the end of its line; NULL when it is not there. */
static const char *header(const char *head, const char *name)
{
    const char *found = strcasestr(head, name);

    return found != NULL ? found + strlen(name) : NULL;
}

static void keep_place(struct caller *caller, const char *head)
{
    const char *cookie = header(head, "\r\nSet-Cookie: mamis_place=");
    size_t len;

    if (cookie == NULL)
        return;
    cookie -= strlen("mamis_place=");
    len = strcspn(cookie, ";\r");
    if (len >= sizeof(caller->place))
        stop("a place's cookie is too long");
    memcpy(caller->place, cookie, len);
    caller->place[len] = '\0';
}

static void come_back(struct caller *caller, const char *head, uint64_t now)
{
    const char *after = header(head, "\r\nRetry-After: ");
    unsigned seconds = after != NULL ? (unsigned)atoi(after) : 1;

    /* People do not come back all in the same moment of a second. */
    caller->due_us = now + seconds * 1000000ULL + (uint64_t)(rand() % 500) * 1000;
    heap_put(caller);
}

static void storm_answer(struct connection *connection, int status, const char *head,
                         const char *body, uint64_t now)
{
    struct caller *caller = connection->caller;

    keep_place(caller, head);
    if (connection->asks_place && status == 200) {
        run.asked++;
        caller->called = strstr(body, "\"place\":0,") != NULL;
        if (caller->called) {
            caller->due_us = now;
            heap_put(caller);
        } else {
            come_back(caller, head, now);
        }
    } else if (status == 201) {
        run.signed_in_all++;
        run.signed_in += now >= run.count_from_us && now < run.end_us;
    } else if (status == 503) {
        run.told_to_wait++;
        caller->called = false;
        come_back(caller, head, now);
    } else {
        run.failed++;
        run.last_failure = status;
    }
}

static void answered(struct connection *connection, int status, const char *head, const char *body)
{
    uint64_t now = now_us();

    if (run.mode == STORM) {
        storm_answer(connection, status, head, body, now);
    } else if (status == 200) {
        note_time(now - connection->since_us);
    } else {
        run.failed++;
        run.last_failure = status;
    }
    connection->caller = NULL;
    run.idle[run.idle_count++] = connection;
}

/* True when a whole answer was there. */
static bool take_answer(struct connection *connection)
{
    char *end, kept;
    const char *length;
    size_t head_len, total;

    connection->in[connection->in_len] = '\0';
    end = strstr(connection->in, "\r\n\r\n");
    if (end == NULL)
        return false;
    head_len = (size_t)(end - connection->in) + 4;
    kept = end[2];
    end[2] = '\0';
    length = header(connection->in, "\r\nContent-Length: ");
    total = head_len + (length != NULL ? (size_t)atol(length) : 0);
    if (total >= BYTES_MAX)
        stop("an answer is too long");
    if (connection->in_len < total) {
        end[2] = kept;
        return false;
    }
    answered(connection, atoi(connection->in + 9), connection->in, connection->in + head_len);
    connection->in_len = 0;
    return true;
}

static void receive(struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->in + connection->in_len,
                       BYTES_MAX - 1 - connection->in_len, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) { /* the server ended it: a new one, and whoever waited asks again */
        struct caller *caller = connection->caller;

        close(connection->fd);
        dial(connection);
        if (caller != NULL)
            begin(connection, caller, connection->since_us);
        return;
    }
    connection->in_len += (size_t)got;
    (void)take_answer(connection);
}

/* ---- what is due ---- */

static struct caller *next_of_storm(uint64_t now)
{
    if (run.heap_count > 0 && run.heap[0]->due_us <= now)
        return heap_take();
    if (run.next_caller < run.caller_count &&
        (double)run.next_caller < (double)(now - run.begun_us) / 1e6 * run.rate)
        return &run.callers[run.next_caller++];
    return NULL;
}

static void begin_due(void)
{
    uint64_t now = now_us();

    while (run.idle_count > 0 && now < run.end_us) {
        struct caller *caller = NULL;
        uint64_t since_us = now;

        if (run.mode == STORM) {
            caller = next_of_storm(now);
        } else if (run.mode == OPEN) {
            since_us = run.begun_us + (uint64_t)((double)run.sent * 1e6 / run.rate);
            if (since_us <= now)
                caller = &run.callers[run.sent++ % run.caller_count];
        } else {
            caller = &run.callers[run.sent++ % run.caller_count];
        }
        if (caller == NULL)
            return;
        begin(run.idle[--run.idle_count], caller, since_us);
    }
}

static void work(void)
{
    struct epoll_event events[EVENTS_MAX];

    while (now_us() < run.end_us) {
        int count;

        begin_due();
        count = epoll_wait(run.poll, events, EVENTS_MAX, 1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;

            if (events[i].events & EPOLLOUT) {
                watch(connection, false);
                flush_out(connection);
            }
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                receive(connection);
        }
    }
}

/* ---- beginning and end ---- */

static void read_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[512];

    if (file == NULL)
        stop(path);
    run.callers = calloc(LINES_MAX, sizeof(*run.callers));
    run.heap = calloc(LINES_MAX, sizeof(struct caller *));
    if (run.callers == NULL || run.heap == NULL)
        stop("memory");
    while (run.caller_count < LINES_MAX && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        run.callers[run.caller_count++].line = strdup(line);
    }
    fclose(file);
    if (run.caller_count == 0)
        stop("no lines");
}

static int compare_times(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

static double share_ms(double share)
{
    size_t at = (size_t)((double)run.time_count * share);

    if (run.time_count == 0)
        return 0;
    return run.times_us[at < run.time_count ? at : run.time_count - 1] / 1000.0;
}

static void report(double seconds)
{
    if (run.mode == STORM) {
        printf("{\"signed_in\": %llu, \"seconds\": %.3f, \"all_signed_in\": %llu,"
               " \"told_to_wait\": %llu, \"asked\": %llu, \"failed\": %llu,"
               " \"last_failure\": %d}\n",
               (unsigned long long)run.signed_in, seconds, (unsigned long long)run.signed_in_all,
               (unsigned long long)run.told_to_wait, (unsigned long long)run.asked,
               (unsigned long long)run.failed, run.last_failure);
        return;
    }
    qsort(run.times_us, run.time_count, sizeof(*run.times_us), compare_times);
    printf("{\"answered\": %zu, \"seconds\": %.3f, \"p50_ms\": %.3f, \"p99_ms\": %.3f,"
           " \"max_ms\": %.3f, \"failed\": %llu, \"last_failure\": %d}\n",
           run.time_count, seconds, share_ms(0.5), share_ms(0.99), share_ms(1),
           (unsigned long long)run.failed, run.last_failure);
}

int main(int argc, char **argv)
{
    double seconds, after = 0;

    if (argc < 6)
        return 2;
    run.mode = strcmp(argv[1], "storm") == 0 ? STORM : strcmp(argv[1], "open") == 0 ? OPEN : CLOSED;
    if (argc != (run.mode == STORM ? 9 : run.mode == OPEN ? 7 : 6))
        return 2;
    run.port = atoi(argv[2]);
    run.connection_count = (unsigned)atoi(argv[3]);
    if (run.connection_count == 0 || run.connection_count > CONNECTIONS_MAX)
        return 2;
    read_lines(argv[4]);
    seconds = atof(argv[5]);
    run.rate = run.mode != CLOSED ? atof(argv[6]) : 0;
    if (run.mode == STORM) {
        run.password = argv[7];
        after = atof(argv[8]);
    }
    run.poll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < run.connection_count; i++) {
        dial(&run.connections[i]);
        run.idle[run.idle_count++] = &run.connections[i];
    }
    run.begun_us = now_us();
    run.count_from_us = run.begun_us + (uint64_t)(after * 1e6);
    run.end_us = run.count_from_us + (uint64_t)(seconds * 1e6);
    work();
    report(seconds);
    return 0;
}
