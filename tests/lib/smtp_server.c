/* smtp_server: see the header. */
#include "lib/smtp_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 4096, BACKLOG = 64, POLL_NS = 2 * 1000 * 1000 };

struct smtp_shared {
    struct smtp_script script;
    atomic_size_t scripts; /* how many there were */
    atomic_size_t connections;
    atomic_size_t silent;
    atomic_flag keeping; /* one at a time */
    atomic_size_t count;
    struct smtp_kept kept[SMTP_KEPT_MAX];
};

#define OK SMTP_OK
const struct smtp_script smtp_takes_all = {STR("220 test\r\n"), OK, OK, OK, SMTP_GO, OK};
#undef OK

static void fail(const char *what)
{
    fprintf(stderr, "smtp_server: %s: %s\n", what, strerror(errno));
    abort();
}

/* ---- one connection, in a process of its own ---- */

struct talk {
    struct smtp_shared *shared;
    FILE *in;
    int out;
    char to[256];
};

/* Until there is another script, or nobody listens any more. */
static void stay_silent(struct talk *talk, size_t script)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    bool counted = false;
    char byte;

    while (atomic_load(&talk->shared->scripts) == script) {
        if (recv(talk->out, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            _exit(0); /* and does not count for a script that came after its end */
        if (!counted)
            atomic_fetch_add(&talk->shared->silent, 1);
        counted = true;
        nanosleep(&pause, NULL);
    }
}

static void say(struct talk *talk, const struct str *answer)
{
    size_t script = atomic_load(&talk->shared->scripts);
    struct str words = *answer;

    for (; words.data != NULL && words.len == 0; words = *answer) {
        stay_silent(talk, script);
        script = atomic_load(&talk->shared->scripts);
    }
    if (words.data == NULL)
        _exit(0);
    while (words.len > 0) {
        ssize_t sent = send(talk->out, words.data, words.len, MSG_NOSIGNAL);

        if (sent <= 0)
            _exit(0);
        words.data += sent;
        words.len -= (size_t)sent;
    }
}

static void keep(struct smtp_shared *shared, const struct smtp_kept *kept)
{
    while (atomic_flag_test_and_set(&shared->keeping))
        ;
    if (atomic_load(&shared->count) >= SMTP_KEPT_MAX)
        fail("more messages than a test may send");
    shared->kept[atomic_load(&shared->count)] = *kept;
    atomic_fetch_add(&shared->count, 1);
    atomic_flag_clear(&shared->keeping);
}

static void take_text(struct talk *talk)
{
    static const char id_header[] = "Message-Id: <";
    static struct smtp_kept kept;
    char line[LINE_BYTES_MAX];
    size_t used = 0;

    kept = (struct smtp_kept){0};
    (void)snprintf(kept.to, sizeof(kept.to), "%s", talk->to);
    while (fgets(line, sizeof(line), talk->in) != NULL) {
        size_t len = strlen(line);
        const char *id = line + sizeof(id_header) - 1;

        if (strcmp(line, ".\r\n") == 0) {
            keep(talk->shared, &kept);
            return;
        }
        if (strncasecmp(line, id_header, sizeof(id_header) - 1) == 0)
            (void)snprintf(kept.message_id, sizeof(kept.message_id), "%.*s", (int)strcspn(id, ">"),
                           id);
        if (used + len < sizeof(kept.body)) {
            memcpy(kept.body + used, line, len);
            used += len;
        }
    }
    _exit(0);
}

static void serve(struct smtp_shared *shared, int fd)
{
    struct talk talk = {.shared = shared, .in = fdopen(fd, "r"), .out = fd};
    const struct smtp_script *script = &shared->script;
    char line[LINE_BYTES_MAX];

    say(&talk, &script->greeting);
    while (fgets(line, sizeof(line), talk.in) != NULL) {
        if (strncmp(line, "MAIL", 4) == 0) {
            say(&talk, &script->mail);
        } else if (strncmp(line, "RCPT TO:<", 9) == 0) {
            (void)snprintf(talk.to, sizeof(talk.to), "%.*s", (int)strcspn(line + 9, ">"), line + 9);
            say(&talk, &script->rcpt);
        } else if (strncmp(line, "DATA", 4) == 0) {
            say(&talk, &script->data);
            if (script->data.data[0] == '3') {
                take_text(&talk);
                say(&talk, &script->dot);
            }
        } else if (strncmp(line, "EHLO", 4) == 0 || strncmp(line, "HELO", 4) == 0) {
            say(&talk, &script->hello);
        } else {
            say(&talk, &smtp_takes_all.hello);
        }
    }
    _exit(0);
}

/* ---- the server ---- */

static int listen_on(uint16_t *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(*port)};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;

    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(listener, (struct sockaddr *)&address, len) != 0 || listen(listener, BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0)
        fail("listen");
    *port = ntohs(address.sin_port);
    return listener;
}

static _Noreturn void accept_all(struct smtp_shared *shared, int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0);
    (void)signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            continue;
        atomic_fetch_add(&shared->connections, 1);
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(listener);
            serve(shared, fd);
        }
        close(fd);
    }
}

void smtp_server_start(struct smtp_server *server)
{
    int listener = listen_on(&server->port);

    if (server->shared == NULL) {
        server->shared = mmap(NULL, sizeof(*server->shared), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (server->shared == MAP_FAILED)
            fail("mmap");
        server->shared->script = smtp_takes_all;
    }
    server->pid = fork();
    if (server->pid < 0)
        fail("fork");
    if (server->pid == 0)
        accept_all(server->shared, listener);
    (void)setpgid(server->pid, server->pid); /* whoever comes first */
    close(listener);
}

void smtp_server_stop(struct smtp_server *server)
{
    if (server->pid == 0)
        return;
    (void)kill(-server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void smtp_server_free(struct smtp_server *server)
{
    smtp_server_stop(server);
    if (server->shared != NULL)
        munmap(server->shared, sizeof(*server->shared));
    *server = (struct smtp_server){0};
}

void smtp_server_say(struct smtp_server *server, const struct smtp_script *script)
{
    server->shared->script = *script;
    atomic_store(&server->shared->silent, 0);
    atomic_fetch_add(&server->shared->scripts, 1);
}

const char *smtp_server_url(const struct smtp_server *server)
{
    static char url[64];

    (void)snprintf(url, sizeof(url), "smtp://127.0.0.1:%u", server->port);
    return url;
}

size_t smtp_server_count(const struct smtp_server *server)
{
    return atomic_load(&server->shared->count);
}

const struct smtp_kept *smtp_server_kept(const struct smtp_server *server, size_t i)
{
    must(i < smtp_server_count(server));
    return &server->shared->kept[i];
}

void smtp_server_forget(struct smtp_server *server)
{
    atomic_store(&server->shared->count, 0);
    atomic_store(&server->shared->connections, 0);
}

size_t smtp_server_copies(const struct smtp_server *server, const char *to_or_id)
{
    size_t copies = 0;

    for (size_t i = 0; i < smtp_server_count(server); i++) {
        const struct smtp_kept *kept = smtp_server_kept(server, i);

        copies += strcmp(kept->to, to_or_id) == 0 || strcmp(kept->message_id, to_or_id) == 0;
    }
    return copies;
}

size_t smtp_server_connections(const struct smtp_server *server)
{
    return atomic_load(&server->shared->connections);
}

size_t smtp_server_silent(const struct smtp_server *server)
{
    return atomic_load(&server->shared->silent);
}
