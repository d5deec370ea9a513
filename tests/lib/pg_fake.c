/*
 * pg_fake: reads the client's messages, answers each as a good server would.
 */
#include "lib/pg_fake.h"

#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGE_BYTES_MAX = 64 * 1024, ANSWER_BYTES_MAX = 4096 };

struct pg_fake {
    int listener;
    atomic_int client; /* -1: none */
    atomic_bool stopping;
    _Atomic(const char *) script;
    pthread_t thread;
};

struct answer {
    char bytes[ANSWER_BYTES_MAX];
    size_t len;
};

static void fail(const char *what)
{
    perror(what);
    abort();
}

static void add_message(struct answer *answer, char type, const void *body, size_t len)
{
    uint32_t length = htobe32((uint32_t)len + 4);

    if (answer->len + 5 + len > sizeof(answer->bytes))
        fail("pg_fake: answer");
    answer->bytes[answer->len] = type;
    memcpy(answer->bytes + answer->len + 1, &length, sizeof(length));
    memcpy(answer->bytes + answer->len + 5, body, len);
    answer->len += 5 + len;
}

static void add_complete(struct answer *answer, const char *tag)
{
    add_message(answer, 'C', tag, strlen(tag) + 1);
}

/* Add what one mark of a script stands for; false for the mark that closes. */
static bool add_mark(struct answer *answer, char mark)
{
    static const char error[] = "SERROR\0VERROR\0C40001\0Mcould not serialize\0";
    static const char fatal[] = "SFATAL\0VFATAL\0C57P01\0Mterminating connection\0";
    static const char fatal_bug[] = "SFATAL\0VFATAL\0CXX000\0Mcannot go on\0";
    static const char notice[] = "SWARNING\0VWARNING\0C01000\0Msomething\0";
    static const char copy_in[] = {0, 0, 0};

    switch (mark) {
    case 'B':
        add_complete(answer, "BEGIN");
        return true;
    case 'U':
        add_complete(answer, "UPDATE 1");
        return true;
    case 'C':
        add_complete(answer, "COMMIT");
        return true;
    case 'R':
        add_complete(answer, "ROLLBACK");
        return true;
    case 'Z':
        add_message(answer, 'Z', "I", 1);
        return true;
    case 'T':
        add_message(answer, 'Z', "E", 1);
        return true;
    case 'e':
        add_message(answer, 'E', error, sizeof(error));
        return true;
    case 'f':
        add_message(answer, 'E', fatal, sizeof(fatal));
        return true;
    case 'F':
        add_message(answer, 'E', fatal_bug, sizeof(fatal_bug));
        return true;
    case 'w':
        add_message(answer, 'N', notice, sizeof(notice));
        return true;
    case 'g':
        add_message(answer, 'G', copy_in, sizeof(copy_in));
        return true;
    case 'x':
        memset(answer->bytes + answer->len, 0xff, 16);
        answer->len += 16;
        return true;
    case ' ':
        return true;
    case '.':
        return false;
    default: /* 1, 2, n: a message without a body */
        add_message(answer, mark, "", 0);
        return true;
    }
}

static bool read_all(int fd, void *bytes, size_t len)
{
    return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

/* The body of the next message; the one that opens a session has no type. */
static bool read_message(int fd, char *ret_type, char *body, size_t *ret_len)
{
    uint32_t length;

    if (ret_type != NULL && !read_all(fd, ret_type, 1))
        return false;
    if (!read_all(fd, &length, sizeof(length)))
        return false;
    *ret_len = be32toh(length) - 4;
    if (*ret_len > MESSAGE_BYTES_MAX)
        fail("pg_fake: message");
    return *ret_len == 0 || read_all(fd, body, *ret_len);
}

/* The tag that the statement named in a Bind message completes with. */
static char mark_of(const char *bind)
{
    const char *statement = bind + strlen(bind) + 1; /* behind the portal's name */

    if (strncmp(statement, "begin.", 6) == 0)
        return 'B';
    if (strncmp(statement, "commit.", 7) == 0)
        return 'C';
    return statement[0] == '\0' ? 'R' : 'U';
}

/* Answer all up to one sync. */
static bool serve_batch(struct pg_fake *fake, int fd)
{
    static char body[MESSAGE_BYTES_MAX];
    struct answer good = {.len = 0};
    struct answer scripted = {.len = 0};
    const char *script;
    char tag = 'U';
    char type = 0;
    size_t len;
    bool open = true;

    while (type != 'S') {
        if (!read_message(fd, &type, body, &len) || type == 'X')
            return false;
        if (type == 'B')
            tag = mark_of(body);
        add_mark(&good, type == 'P'   ? '1'
                        : type == 'B' ? '2'
                        : type == 'D' ? 'n'
                        : type == 'E' ? tag
                                      : 'Z');
    }
    script = atomic_exchange(&fake->script, NULL);
    if (script == NULL)
        return send(fd, good.bytes, good.len, MSG_NOSIGNAL) == (ssize_t)good.len;
    for (; *script != '\0' && *script != '|' && open; script++)
        open = add_mark(&scripted, *script);
    if (*script == '|')
        fake->script = script + 1;
    return send(fd, scripted.bytes, scripted.len, MSG_NOSIGNAL) == (ssize_t)scripted.len && open;
}

static void serve(struct pg_fake *fake, int fd)
{
    static char startup[MESSAGE_BYTES_MAX];
    static const char welcome[] = {0, 0, 0, 0};
    struct answer answer = {.len = 0};
    size_t len;

    if (!read_message(fd, NULL, startup, &len))
        return;
    add_message(&answer, 'R', welcome, sizeof(welcome));
    add_mark(&answer, 'Z');
    if (send(fd, answer.bytes, answer.len, MSG_NOSIGNAL) != (ssize_t)answer.len)
        return;
    while (serve_batch(fake, fd)) {
    }
}

static void *fake_main(void *arg)
{
    struct pg_fake *fake = arg;

    while (!fake->stopping) {
        int fd = accept(fake->listener, NULL, NULL);

        if (fd < 0)
            break;
        fake->client = fd;
        if (!fake->stopping)
            serve(fake, fd);
        fake->client = -1;
        close(fd);
    }
    return NULL;
}

struct pg_fake *pg_fake_start(const char *path)
{
    struct pg_fake *fake = calloc(1, sizeof(*fake));
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (fake == NULL || strlen(path) >= sizeof(address.sun_path))
        fail("pg_fake: path");
    strcpy(address.sun_path, path);
    fake->client = -1;
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    if (bind(fake->listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fake->listener, 8) != 0)
        fail(path);
    if (pthread_create(&fake->thread, NULL, fake_main, fake) != 0)
        fail("pg_fake: pthread_create");
    return fake;
}

void pg_fake_stop(struct pg_fake *fake)
{
    fake->stopping = true;
    shutdown(fake->listener, SHUT_RDWR);
    if (fake->client >= 0)
        shutdown(fake->client, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    free(fake);
}

void pg_fake_script(struct pg_fake *fake, const char *script)
{
    fake->script = script;
}
