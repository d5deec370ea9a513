/*
 * proxy: one thread that accepts, two for each connection, one lock for all.
 */
#include "lib/proxy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PIECE_MAX = 16 * 1024 };

struct pair {
    struct pair *next;
    struct proxy *proxy;
    int fds[2]; /* [PROXY_UP]: towards the server; [PROXY_DOWN]: towards the client */
    int pumps;  /* threads that use it */
    bool cut;
};

struct pump {
    struct pair *pair;
    enum proxy_way way;
};

struct proxy {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    int listener;
    bool stopping;
    struct sockaddr_un target;
    struct pair *pairs;
    bool hold[2];
    int64_t left[2]; /* bytes until the cut; -1: no cut */
    int64_t bytes[2];
    atomic_size_t piece;
    pthread_t acceptor;
};

static void fail(const char *what)
{
    perror(what);
    abort();
}

static void cut_pair(struct pair *pair)
{
    pair->cut = true;
    shutdown(pair->fds[PROXY_UP], SHUT_RDWR);
    shutdown(pair->fds[PROXY_DOWN], SHUT_RDWR);
}

/* Under the lock. */
static void cut_all(struct proxy *proxy)
{
    for (struct pair *pair = proxy->pairs; pair != NULL; pair = pair->next)
        cut_pair(pair);
    pthread_cond_broadcast(&proxy->changed);
}

/* Under the lock: the last pump of a pair closes it. */
static void leave_pair(struct pair *pair)
{
    struct pair **link = &pair->proxy->pairs;

    cut_pair(pair);
    pthread_cond_broadcast(&pair->proxy->changed);
    if (--pair->pumps > 0)
        return;
    while (*link != pair)
        link = &(*link)->next;
    *link = pair->next;
    close(pair->fds[PROXY_UP]);
    close(pair->fds[PROXY_DOWN]);
    free(pair);
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* Wait until these bytes may pass; gives how many of them do, and whether to cut behind them. */
static size_t admit(struct pair *pair, enum proxy_way way, size_t len, bool *ret_cut)
{
    struct proxy *proxy = pair->proxy;

    *ret_cut = false;
    pthread_mutex_lock(&proxy->lock);
    while (proxy->hold[way] && !pair->cut)
        pthread_cond_wait(&proxy->changed, &proxy->lock);
    if (pair->cut)
        len = 0;
    if (proxy->left[way] >= 0) {
        if ((int64_t)len >= proxy->left[way]) {
            len = (size_t)proxy->left[way];
            *ret_cut = true;
        }
        proxy->left[way] -= (int64_t)len;
    }
    proxy->bytes[way] += (int64_t)len;
    pthread_mutex_unlock(&proxy->lock);
    return len;
}

static void *pump_main(void *arg)
{
    struct pump *pump = arg;
    struct pair *pair = pump->pair;
    enum proxy_way way = pump->way;
    struct proxy *proxy = pair->proxy;
    char bytes[PIECE_MAX];

    free(pump);
    for (;;) {
        ssize_t got = recv(pair->fds[way == PROXY_UP ? PROXY_DOWN : PROXY_UP], bytes,
                           atomic_load(&proxy->piece), 0);
        size_t len;
        bool cut;

        if (got <= 0)
            break;
        len = admit(pair, way, (size_t)got, &cut);
        if (!send_all(pair->fds[way], bytes, len))
            break;
        if (cut)
            proxy_cut(proxy);
    }
    pthread_mutex_lock(&proxy->lock);
    leave_pair(pair);
    pthread_mutex_unlock(&proxy->lock);
    return NULL;
}

static void pump_start(struct pair *pair, enum proxy_way way)
{
    struct pump *pump = calloc(1, sizeof(*pump));
    pthread_t thread;

    if (pump == NULL)
        fail("proxy: calloc");
    pump->pair = pair;
    pump->way = way;
    pair->pumps++;
    if (pthread_create(&thread, NULL, pump_main, pump) != 0)
        fail("proxy: pthread_create");
    pthread_detach(thread);
}

static void *accept_main(void *arg)
{
    struct proxy *proxy = arg;
    int client;

    while ((client = accept(proxy->listener, NULL, NULL)) >= 0) {
        int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct pair *pair;

        if (connect(server, (const struct sockaddr *)&proxy->target, sizeof(proxy->target)) != 0) {
            close(server);
            close(client);
            continue;
        }
        pair = calloc(1, sizeof(*pair));
        if (pair == NULL)
            fail("proxy: calloc");
        pair->proxy = proxy;
        pair->fds[PROXY_UP] = server;
        pair->fds[PROXY_DOWN] = client;
        pthread_mutex_lock(&proxy->lock);
        pair->next = proxy->pairs;
        proxy->pairs = pair;
        pump_start(pair, PROXY_UP);
        pump_start(pair, PROXY_DOWN);
        if (proxy->stopping)
            cut_pair(pair);
        pthread_mutex_unlock(&proxy->lock);
    }
    return NULL;
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        fail("proxy: path too long");
    strcpy(address.sun_path, path);
    return address;
}

struct proxy *proxy_start(const char *path, const char *target)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    struct sockaddr_un address = address_of(path);

    if (proxy == NULL)
        fail("proxy: calloc");
    pthread_mutex_init(&proxy->lock, NULL);
    pthread_cond_init(&proxy->changed, NULL);
    proxy->target = address_of(target);
    proxy->left[PROXY_UP] = -1;
    proxy->left[PROXY_DOWN] = -1;
    proxy->piece = PIECE_MAX;
    proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    if (bind(proxy->listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(proxy->listener, 64) != 0)
        fail(path);
    if (pthread_create(&proxy->acceptor, NULL, accept_main, proxy) != 0)
        fail("proxy: pthread_create");
    return proxy;
}

void proxy_stop(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->stopping = true;
    cut_all(proxy);
    pthread_mutex_unlock(&proxy->lock);
    shutdown(proxy->listener, SHUT_RDWR);
    pthread_join(proxy->acceptor, NULL);
    pthread_mutex_lock(&proxy->lock);
    while (proxy->pairs != NULL)
        pthread_cond_wait(&proxy->changed, &proxy->lock);
    pthread_mutex_unlock(&proxy->lock);
    close(proxy->listener);
    pthread_cond_destroy(&proxy->changed);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

void proxy_hold(struct proxy *proxy, enum proxy_way way, bool hold)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->hold[way] = hold;
    pthread_cond_broadcast(&proxy->changed);
    pthread_mutex_unlock(&proxy->lock);
}

void proxy_cut(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    cut_all(proxy);
    pthread_mutex_unlock(&proxy->lock);
}

void proxy_cut_after(struct proxy *proxy, enum proxy_way way, int64_t bytes)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->left[way] = bytes;
    pthread_mutex_unlock(&proxy->lock);
}

void proxy_piece(struct proxy *proxy, size_t bytes)
{
    proxy->piece = bytes < PIECE_MAX ? bytes : PIECE_MAX;
}

int64_t proxy_bytes(struct proxy *proxy, enum proxy_way way)
{
    int64_t bytes;

    pthread_mutex_lock(&proxy->lock);
    bytes = proxy->bytes[way];
    pthread_mutex_unlock(&proxy->lock);
    return bytes;
}
