/* cache: against a real Redis that is killed, stopped, flushed and full. */
#include "cache/cache.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/child.h"
#include "lib/redis_server.h"
#include "lib/test.h"

/* WAIT_MS: for what must come, also on a busy machine; SOON_MS: at once, on such a machine. */
enum { WAIT_MS = 60000, SOON_MS = 2000, COMMAND_MS = 20000, SHORT_COMMAND_MS = 250 };

struct fixture {
    struct redis_server server;
    struct loop *loop;
    struct cache *cache;
    bool closed;
};

static void note_true(void *arg)
{
    bool *flag = arg;

    *flag = true;
}

static struct cache_options options_of(struct fixture *fx)
{
    return (struct cache_options){.socket_path = fx->server.socket,
                                  .user = REDIS_SERVER_USER,
                                  .password = REDIS_SERVER_PASSWORD,
                                  .connect_timeout_ms = 5000,
                                  .command_timeout_ms = COMMAND_MS,
                                  .pending_max = 64};
}

static int open_fixture(void **state)
{
    struct fixture *fx = heap_zero(sizeof(*fx));
    struct cache_options options;

    redis_server_start(&fx->server);
    fx->loop = loop_new();
    options = options_of(fx);
    fx->cache = cache_open(fx->loop, &options);
    *state = fx;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fx = *state;

    cache_close(fx->cache, note_true, &fx->closed);
    assert_true(loop_run_until(fx->loop, &fx->closed, WAIT_MS));
    loop_free(fx->loop);
    if (fx->server.pid != 0)
        redis_server_kill(&fx->server);
    free(fx);
    return 0;
}

/* One command as a flow of its own. */
struct ask {
    struct flow flow;
    struct cache *cache;
    struct str args[CACHE_ARGS_MAX];
    size_t count;
    struct cache_answer answer;
    bool done;
};

static void ask_run(struct flow *flow)
{
    struct ask *ask = FLOW_OF(flow, struct ask, flow);

    flow_wait(flow, FLOW_END);
    cache_run(ask->cache, ask->args, ask->count, &ask->answer, flow);
}

static void ask_done(struct flow *flow)
{
    struct ask *ask = FLOW_OF(flow, struct ask, flow);

    ask->done = true;
}

static void ask_start(struct fixture *fx, struct ask *ask, size_t count, const struct str *args)
{
    memset(ask, 0, sizeof(*ask));
    ask->cache = fx->cache;
    ask->count = count;
    memcpy(ask->args, args, count * sizeof(*args));
    flow_init(&ask->flow, fx->loop, ask_run, ask_done, NULL);
    flow_start(&ask->flow, 0);
}

#define ASK(fx, ask, ...)                                                                          \
    ask_start((fx), (ask), sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str),               \
              (struct str[]){__VA_ARGS__})

static enum err finish(struct fixture *fx, struct ask *ask)
{
    assert_true(loop_run_until(fx->loop, &ask->done, WAIT_MS));
    return ask->flow.err;
}

static enum err ask_once(struct fixture *fx, struct ask *ask, size_t count, const struct str *args)
{
    enum err err;

    ask_start(fx, ask, count, args);
    err = finish(fx, ask);
    flow_fini(&ask->flow);
    return err;
}

#define ASK_ONCE(fx, ask, ...)                                                                     \
    ask_once((fx), (ask), sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str),                \
             (struct str[]){__VA_ARGS__})

/* Ticks until the cache is up (or down), looked at each 5 ms. */
struct watch {
    struct timer timer;
    struct cache *cache;
    bool wanted, seen, closed;
};

static void look(void *arg)
{
    struct watch *watch = arg;

    watch->seen = cache_up(watch->cache) == watch->wanted;
}

static void wait_up(struct fixture *fx, bool wanted)
{
    struct watch watch = {.cache = fx->cache, .wanted = wanted};

    timer_open(&watch.timer, fx->loop, look, &watch);
    timer_start(&watch.timer, 0, 5);
    (void)loop_run_until(fx->loop, &watch.seen, WAIT_MS);
    watch.timer.arg = &watch.closed;
    timer_close(&watch.timer, note_true);
    assert_true(loop_run_until(fx->loop, &watch.closed, WAIT_MS));
    assert_true(watch.seen);
}

static void commands_and_answers(void **state)
{
    struct fixture *fx = *state;
    struct ask ask;
    const char binary[] = "a\0%s\r\n\"b";
    struct str value = {binary, sizeof(binary) - 1};

    assert_false(cache_up(fx->cache));
    wait_up(fx, true);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("GET"), STR("nothing")), ERR_OK);
    assert_false(ask.answer.present);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("SET"), STR("k"), value), ERR_OK);
    ASK(fx, &ask, STR("GET"), STR("k"));
    assert_int_equal(finish(fx, &ask), ERR_OK);
    assert_true(ask.answer.present);
    assert_true(str_eq(ask.answer.text, value));
    flow_fini(&ask.flow);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("INCRBY"), STR("n"), STR("41")), ERR_OK);
    assert_int_equal(ask.answer.number, 41);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("SET"), STR("empty"), STR_NONE), ERR_OK);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("INCR"), STR("k")), ERR_CACHE_DOWN);
    assert_non_null(strstr(ask.flow.note.text, "ERR"));
    cache_send(fx->cache, (struct str[]){STR("SET"), STR("sent"), STR("1")}, 3);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("EXISTS"), STR("sent")), ERR_OK);
    assert_int_equal(ask.answer.number, 1);
    assert_true(cache_up(fx->cache));
}

static void flushall_only_forgets(void **state)
{
    struct fixture *fx = *state;
    struct ask ask;

    wait_up(fx, true);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("SET"), STR("k"), STR("v")), ERR_OK);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("FLUSHALL")), ERR_OK);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("GET"), STR("k")), ERR_OK);
    assert_false(ask.answer.present);
    assert_true(cache_up(fx->cache));
}

static void killed_redis_costs_nothing_and_comes_back(void **state)
{
    struct fixture *fx = *state;
    struct ask ask;
    uint64_t before_ms;

    wait_up(fx, true);
    redis_server_kill(&fx->server);
    wait_up(fx, false);
    before_ms = clock_mono_ms();
    assert_int_equal(ASK_ONCE(fx, &ask, STR("GET"), STR("k")), ERR_CACHE_DOWN);
    assert_true(clock_mono_ms() - before_ms < SOON_MS);
    redis_server_start(&fx->server);
    wait_up(fx, true);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("GET"), STR("k")), ERR_OK);
}

/* Frozen in the middle: all that wait end within the deadline, later ones at once. */
static void frozen_redis_misses_the_deadline(void **state)
{
    struct fixture *fx = *state;
    struct cache_options options = options_of(fx);
    struct cache *other = fx->cache;
    struct ask asks[30];
    struct cache_stats stats;
    bool closed = false;
    uint64_t before_ms;

    options.command_timeout_ms = SHORT_COMMAND_MS;
    fx->cache = cache_open(fx->loop, &options);
    wait_up(fx, true);
    child_signal(fx->server.pid, SIGSTOP);
    before_ms = clock_mono_ms();
    for (size_t i = 0; i < ARRAY_LEN(asks); i++)
        ASK(fx, &asks[i], STR("GET"), STR("k"));
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        assert_int_equal(finish(fx, &asks[i]), ERR_CACHE_DOWN);
        flow_fini(&asks[i].flow);
    }
    /* Each for itself would take more than 7 s. */
    assert_in_range(clock_mono_ms() - before_ms, SHORT_COMMAND_MS - 50, 5000);
    assert_false(cache_up(fx->cache));
    before_ms = clock_mono_ms();
    assert_int_equal(ASK_ONCE(fx, &asks[0], STR("GET"), STR("k")), ERR_CACHE_DOWN);
    assert_true(clock_mono_ms() - before_ms < SOON_MS);
    cache_stats(fx->cache, &stats);
    assert_true(stats.open && stats.timeouts >= 1 && stats.errors >= 31);
    child_signal(fx->server.pid, SIGCONT);
    wait_up(fx, true);
    cache_close(fx->cache, note_true, &closed);
    assert_true(loop_run_until(fx->loop, &closed, WAIT_MS));
    fx->cache = other;
}

static void the_queue_is_bounded(void **state)
{
    struct fixture *fx = *state;
    struct ask asks[80];
    unsigned refused = 0;

    wait_up(fx, true);
    for (size_t i = 0; i < ARRAY_LEN(asks); i++)
        ASK(fx, &asks[i], STR("PING"));
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        refused += finish(fx, &asks[i]) == ERR_CACHE_DOWN;
        flow_fini(&asks[i].flow);
    }
    assert_int_equal(refused, ARRAY_LEN(asks) - 64);
    assert_true(cache_up(fx->cache));
}

/* A full Redis refuses writes; at half of the calls the breaker spares it and us. */
static void refused_writes_open_the_breaker(void **state)
{
    struct fixture *fx = *state;
    struct ask ask;
    unsigned sent = 0;

    wait_up(fx, true);
    assert_int_equal(ASK_ONCE(fx, &ask, STR("CONFIG"), STR("SET"), STR("maxmemory"), STR("1")),
                     ERR_OK);
    while (cache_up(fx->cache)) {
        assert_int_equal(ASK_ONCE(fx, &ask, STR("SET"), STR("k"), STR("v")), ERR_CACHE_DOWN);
        sent++;
    }
    assert_in_range(sent, 19, 20);
    wait_up(fx, true); /* the probe is a PING, which works */
}

static void wrong_password_never_lets_in(void **state)
{
    struct fixture *fx = *state;
    struct cache_options options = options_of(fx);
    struct cache *right = fx->cache;
    struct ask ask;
    bool closed = false;

    options.password = "wrong";
    wait_up(fx, true);
    fx->cache = cache_open(fx->loop, &options);
    assert_false(loop_run_until(fx->loop, &closed, 1500));
    assert_false(cache_up(fx->cache));
    assert_int_equal(ASK_ONCE(fx, &ask, STR("GET"), STR("k")), ERR_CACHE_DOWN);
    cache_close(fx->cache, note_true, &closed);
    assert_true(loop_run_until(fx->loop, &closed, WAIT_MS));
    fx->cache = right;
}

static void closing_ends_what_waits(void **state)
{
    struct fixture *fx = *state;
    struct cache_options options = options_of(fx);
    struct cache *other = fx->cache;
    struct ask asks[3];
    bool closed = false;

    fx->cache = cache_open(fx->loop, &options);
    wait_up(fx, true);
    child_signal(fx->server.pid, SIGSTOP);
    for (size_t i = 0; i < ARRAY_LEN(asks); i++)
        ASK(fx, &asks[i], STR("GET"), STR("k"));
    assert_false(loop_run_until(fx->loop, &closed, 20)); /* they are on their way */
    cache_close(fx->cache, note_true, &closed);
    assert_true(loop_run_until(fx->loop, &closed, WAIT_MS));
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        assert_int_equal(finish(fx, &asks[i]), ERR_CACHE_DOWN);
        flow_fini(&asks[i].flow);
    }
    fx->cache = other;
}

/* Nobody listens on a TCP port either: refused at once, known by the flag, no command waits. */
static void refused_connection_is_noticed(void **state)
{
    struct fixture *fx = *state;
    struct cache_options options = options_of(fx);
    struct cache *other = fx->cache;
    struct ask ask;
    bool closed = false;

    options.socket_path = NULL;
    options.host = "127.0.0.1";
    options.port = 1;
    fx->cache = cache_open(fx->loop, &options);
    assert_false(loop_run_until(fx->loop, &closed, 1300));
    assert_int_equal(ASK_ONCE(fx, &ask, STR("GET"), STR("k")), ERR_CACHE_DOWN);
    cache_close(fx->cache, note_true, &closed);
    assert_true(loop_run_until(fx->loop, &closed, WAIT_MS));
    fx->cache = other;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(commands_and_answers),
        CASE(flushall_only_forgets),
        CASE(killed_redis_costs_nothing_and_comes_back),
        CASE(frozen_redis_misses_the_deadline),
        CASE(the_queue_is_bounded),
        CASE(refused_writes_open_the_breaker),
        CASE(wrong_password_never_lets_in),
        CASE(closing_ends_what_waits),
        CASE(refused_connection_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
