/*
 * sink: a smart host for measuring. Speaks SMTP (RFC 5321: HELO, EHLO, MAIL, RCPT, DATA, RSET, NOOP,
 * QUIT), takes every mail, keeps none. As a host that writes mail to disk it answers the final dot
 * after a fixed time; so the mails a second do not hang on its speed. NOOP tells how many it took.
 *
 * usage: sink PORT MILLISECONDS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINKS_MAX = 1024, LINE_MAX_BYTES = 4096, READ_BYTES = 65536 };

struct link {
    bool open, data;
    size_t len; /* of the line so far */
    long long due_ms; /* when its mail is answered, 0: none waits */
    char line[LINE_MAX_BYTES];
};

static struct link links[LINKS_MAX]; /* by descriptor */
static int links_end; /* beyond the highest descriptor so far */
static long long mails;
static int delay_ms;

static long long now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void drop(int fd)
{
    links[fd].open = false;
    (void)close(fd);
}

static void say(int fd, const char *words)
{
    size_t len = strlen(words);

    if (send(fd, words, len, MSG_NOSIGNAL) != (ssize_t)len)
        drop(fd);
}

static void command(int fd, struct link *link)
{
    char counted[64];

    if (strncasecmp(link->line, "EHLO", 4) == 0) {
        say(fd, "250-bench\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
    } else if (strncasecmp(link->line, "DATA", 4) == 0) {
        link->data = true;
        say(fd, "354 go on\r\n");
    } else if (strncasecmp(link->line, "NOOP", 4) == 0) {
        (void)snprintf(counted, sizeof(counted), "250 %lld\r\n", mails);
        say(fd, counted);
    } else if (strncasecmp(link->line, "QUIT", 4) == 0) {
        say(fd, "221 bye\r\n");
        drop(fd);
    } else {
        say(fd, "250 ok\r\n");
    }
}

static void line_ended(int fd, struct link *link)
{
    bool dot = link->data && strcmp(link->line, ".") == 0;

    if (!link->data)
        command(fd, link);
    if (dot) {
        link->data = false;
        link->due_ms = now_ms() + delay_ms;
    }
    link->len = 0;
}

static void take(int fd, const char *bytes, size_t count)
{
    struct link *link = &links[fd];

    for (size_t i = 0; i < count && link->open; i++) {
        if (bytes[i] == '\n') {
            if (link->len > 0 && link->line[link->len - 1] == '\r')
                link->len--;
            link->line[link->len] = '\0';
            line_ended(fd, link);
        } else if (link->len < LINE_MAX_BYTES - 1) {
            link->line[link->len++] = bytes[i];
        }
    }
}

static void readable(int fd)
{
    static char bytes[READ_BYTES];
    ssize_t got = read(fd, bytes, sizeof(bytes));

    if (got <= 0)
        drop(fd);
    else
        take(fd, bytes, (size_t)got);
}

static void greet(int listener, int poll)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    int one = 1;

    if (fd < 0)
        return;
    if (fd >= LINKS_MAX) {
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    links[fd] = (struct link){.open = true};
    links_end = fd < links_end ? links_end : fd + 1;
    (void)epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    say(fd, "220 bench ESMTP\r\n");
}

/* Answers the mails whose time has come; gives how long the next one has, -1: none waits. */
static int answer_due(void)
{
    long long now = now_ms();
    long long next = -1;

    for (int fd = 0; fd < links_end; fd++) {
        if (!links[fd].open || links[fd].due_ms == 0)
            continue;
        if (links[fd].due_ms <= now) {
            links[fd].due_ms = 0;
            mails++;
            say(fd, "250 taken\r\n");
        } else if (next < 0 || links[fd].due_ms - now < next) {
            next = links[fd].due_ms - now;
        }
    }
    return (int)next;
}

int main(int count, char **words)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event events[64] = {0};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    int one = 1;

    if (count != 3)
        return 2;
    address.sin_port = htons((unsigned short)atoi(words[1]));
    delay_ms = atoi(words[2]);
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 128) != 0) {
        perror("sink");
        return 1;
    }
    events[0] = (struct epoll_event){.events = EPOLLIN, .data.fd = listener};
    (void)epoll_ctl(poll, EPOLL_CTL_ADD, listener, &events[0]);
    for (;;) {
        int ready = epoll_wait(poll, events, 64, answer_due());

        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener)
                greet(listener, poll);
            else
                readable(events[i].data.fd);
        }
    }
}
