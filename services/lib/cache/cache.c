/*
 * cache: keeps one link to Redis, a breaker before it, and a probe that brings both back.
 *
 * Two things have to be true for a command to be sent: the link stands and has answered a PING, and
 * the breaker is closed. Either one missing costs the caller nothing but ERR_CACHE_DOWN, at once.
 */
#include "cache/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cache/breaker.h"
#include "cache/link.h"

enum { PROBE_EVERY_MS = 1000, PROBE_FIRST_MS = 100 };

struct cache {
    struct loop *loop;
    struct link_options link_options;
    char *socket_path, *host, *user, *password; /* owned */
    unsigned pending_max;
    struct link *link;
    bool ready;   /* the link has answered PING */
    bool refused; /* the link stands but Redis does not want us */
    bool gone_noted;
    struct breaker breaker;
    struct timer probe; /* runs while the breaker is open */
    struct cache_stats stats;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* One command on its way. */
struct ask {
    struct cache *cache;
    struct flow *flow; /* NULL: nobody waits */
    struct cache_answer *ret_answer;
};

static void note_gone(struct cache *cache, const char *why)
{
    if (cache->gone_noted)
        return;
    cache->gone_noted = true;
    LOG_WARN("cache_gone", F_STR("why", why));
}

static void open_breaker(struct cache *cache, const char *why)
{
    breaker_open(&cache->breaker);
    note_gone(cache, why);
    timer_start(&cache->probe, PROBE_FIRST_MS, PROBE_EVERY_MS);
}

static void close_breaker(struct cache *cache)
{
    breaker_close(&cache->breaker);
    timer_stop(&cache->probe);
    if (cache->gone_noted)
        LOG_INFO("cache_back");
    cache->gone_noted = false;
}

static bool is_error(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR;
}

/* The last answer of the greeting, and the answer to a probe. */
static void on_pong(void *arg, const struct redisReply *reply)
{
    struct cache *cache = arg;

    if (reply == NULL)
        return; /* lost() follows */
    if (is_error(reply))
        cache->refused = true; /* the probe opens another link: not from inside this call */
    if (cache->refused) {
        cache->ready = false;
        note_gone(cache, "refused");
        return;
    }
    cache->ready = true;
    close_breaker(cache);
}

static void on_auth(void *arg, const struct redisReply *reply)
{
    struct cache *cache = arg;

    if (reply != NULL && is_error(reply))
        cache->refused = true;
}

static void on_connected(void *arg)
{
    struct cache *cache = arg;
    struct str auth[3] = {STR("AUTH")};
    size_t count = 1;

    if (cache->user != NULL)
        auth[count++] = str_of(cache->user);
    if (cache->password != NULL) {
        auth[count++] = str_of(cache->password);
        if (!link_send(cache->link, auth, count, on_auth, cache))
            return;
    }
    /* Sent together with AUTH; Redis answers in order. A failure ends in lost(). */
    if (!link_send(cache->link, &STR("PING"), 1, on_pong, cache))
        cache->refused = true;
}

static void on_lost(void *arg, const char *why, bool timed_out)
{
    struct cache *cache = arg;

    cache->link = NULL;
    cache->ready = false;
    cache->refused = false;
    if (timed_out)
        cache->stats.timeouts++;
    if (!cache->breaker.open)
        open_breaker(cache, why);
    else
        note_gone(cache, why);
}

static const struct link_events link_events = {.connected = on_connected, .lost = on_lost};

static void on_probe(void *arg)
{
    struct cache *cache = arg;

    if (cache->refused) {
        link_close(cache->link);
        cache->link = NULL;
        cache->ready = false;
        cache->refused = false;
    }
    if (cache->link == NULL)
        cache->link = link_open(cache->loop, &cache->link_options, &link_events, cache);
    else if (cache->ready && link_pending(cache->link) < cache->pending_max)
        (void)link_send(cache->link, &STR("PING"), 1, on_pong, cache);
}

static char *strdup_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? heap_strdup(text) : NULL;
}

struct cache *cache_open(struct loop *loop, const struct cache_options *options)
{
    struct cache *cache = heap_zero(sizeof(*cache));

    cache->loop = loop;
    cache->socket_path = strdup_or_null(options->socket_path);
    cache->host = strdup_or_null(options->host);
    cache->user = strdup_or_null(options->user);
    cache->password = strdup_or_null(options->password);
    must(cache->socket_path != NULL || cache->host != NULL);
    cache->link_options = (struct link_options){.socket_path = cache->socket_path,
                                                .host = cache->host,
                                                .port = options->port,
                                                .connect_timeout_ms = options->connect_timeout_ms,
                                                .command_timeout_ms = options->command_timeout_ms};
    cache->pending_max = options->pending_max;
    breaker_open(&cache->breaker); /* until the first PING is answered */
    timer_open(&cache->probe, loop, on_probe, cache);
    timer_start(&cache->probe, 0, PROBE_EVERY_MS);
    return cache;
}

static void free_cache(void *arg)
{
    struct cache *cache = arg;
    void (*closed)(void *arg) = cache->closed;
    void *closed_arg = cache->closed_arg;

    if (cache->password != NULL)
        explicit_bzero(cache->password, strlen(cache->password));
    free(cache->socket_path);
    free(cache->host);
    free(cache->user);
    free(cache->password);
    free(cache);
    if (closed != NULL)
        closed(closed_arg);
}

void cache_close(struct cache *cache, void (*closed)(void *arg), void *arg)
{
    cache->closed = closed;
    cache->closed_arg = arg;
    link_close(cache->link);
    cache->link = NULL;
    cache->ready = false;
    timer_close(&cache->probe, free_cache);
}

bool cache_up(const struct cache *cache)
{
    return cache->ready && !cache->breaker.open;
}

/* "WRONGTYPE Operation against ..": the first word names the error, the rest may quote arguments.
 */
static struct str error_name(const struct redisReply *reply)
{
    struct str text = {reply->str, reply->len};
    struct str name;

    str_cut(&text, ' ', &name);
    return name;
}

static void copy_answer(const struct redisReply *reply, struct flow *flow,
                        struct cache_answer *ret_answer)
{
    struct cache_answer answer = {.present = reply->type != REDIS_REPLY_NIL};

    if (reply->type == REDIS_REPLY_INTEGER)
        answer.number = reply->integer;
    else if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS)
        answer.text = arena_str(flow->arena, (struct str){reply->str, reply->len});
    else if (reply->type == REDIS_REPLY_ARRAY)
        answer.number = (int64_t)reply->elements;
    *ret_answer = answer;
}

static void on_answer(void *arg, const struct redisReply *reply)
{
    struct ask *ask = arg;
    struct cache *cache = ask->cache;
    bool failed = reply == NULL || is_error(reply);

    if (failed)
        cache->stats.errors++;
    if (reply != NULL && !cache->breaker.open) {
        breaker_count(&cache->breaker, failed);
        if (cache->breaker.open)
            open_breaker(cache, "half of the calls failed");
    }
    if (ask->flow == NULL) {
        free(ask);
        return;
    }
    if (reply == NULL) {
        flow_fail(ask->flow, ERR_CACHE_DOWN, "connection lost");
    } else if (failed) {
        struct str name = error_name(reply);

        flow_fail(ask->flow, ERR_CACHE_DOWN, "answered %.*s", STR_ARG(name));
    } else {
        copy_answer(reply, ask->flow, ask->ret_answer);
        flow_resume(ask->flow, ERR_OK);
    }
    free(ask);
}

static bool start(struct cache *cache, const struct str *args, size_t count,
                  struct cache_answer *ret_answer, struct flow *flow)
{
    struct ask *ask;

    must(count > 0 && count <= CACHE_ARGS_MAX);
    cache->stats.commands++;
    if (!cache_up(cache) || link_pending(cache->link) >= cache->pending_max) {
        cache->stats.errors++;
        return false;
    }
    ask = heap_zero(sizeof(*ask));
    *ask = (struct ask){.cache = cache, .flow = flow, .ret_answer = ret_answer};
    if (!link_send(cache->link, args, count, on_answer, ask)) {
        cache->stats.errors++;
        free(ask);
        return false;
    }
    return true;
}

void cache_run(struct cache *cache, const struct str *args, size_t count,
               struct cache_answer *ret_answer, struct flow *flow)
{
    if (!start(cache, args, count, ret_answer, flow))
        flow_fail(flow, ERR_CACHE_DOWN, "away or full");
}

void cache_send(struct cache *cache, const struct str *args, size_t count)
{
    (void)start(cache, args, count, NULL, NULL);
}

void cache_stats(const struct cache *cache, struct cache_stats *ret_stats)
{
    *ret_stats = cache->stats;
    ret_stats->open = cache->breaker.open;
}
