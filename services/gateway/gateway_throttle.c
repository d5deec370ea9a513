/* gateway_throttle: see gateway_throttle.h. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_throttle.h"

enum check_step {
    CHECK_TURN,
    CHECK_ACCOUNT,
    CHECK_ADDRESS,
    CHECK_ADDRESS_KNOWN,
    CHECK_ROWS,
    CHECK_END
};
enum count_step {
    COUNT_ACCOUNT,
    COUNT_ADDRESS,
    COUNT_ADDRESS_KNOWN,
    COUNT_ROWS,
    COUNT_LOST,
    COUNT_END
};

static const struct db_stmt find_rows = {
    "gateway_find_throttle",
    "SELECT coalesce(max(ceil(extract(epoch FROM blocked_until - $3)))"
    "  FILTER (WHERE blocked_until > $3), 0)::int,"
    " coalesce(max(failures) FILTER (WHERE subject = $1), 0)::int,"
    " coalesce(max(failures) FILTER (WHERE subject = $2), 0)::int"
    " FROM gateway.throttle WHERE subject IN ($1, $2)"
    " AND updated_at > $3 - interval '15 minutes'",
};
/* $2: failures that Redis knows of; $3: free ones; $4: longest wait; $5: now. */
static const struct db_stmt upsert_row = {
    "gateway_upsert_throttle",
    "INSERT INTO gateway.throttle AS t (subject, failures, blocked_until, updated_at)"
    " VALUES ($1, $2, $5 + make_interval(secs => CASE WHEN $2 < $3 THEN 0"
    "   ELSE least($4, power(2, least($2 - $3, 20))) END), $5)"
    " ON CONFLICT (subject) DO UPDATE SET updated_at = excluded.updated_at,"
    " failures = CASE WHEN t.updated_at < $5 - interval '15 minutes' THEN excluded.failures"
    "  ELSE greatest(excluded.failures, t.failures + 1) END,"
    " blocked_until = $5 + make_interval(secs => CASE"
    "   WHEN greatest(excluded.failures, t.failures + 1) < $3 THEN 0"
    "   ELSE least($4, power(2, least(greatest(excluded.failures, t.failures + 1) - $3, 20))) END)",
};
static const struct db_stmt delete_row = {
    "gateway_delete_throttle",
    "DELETE FROM gateway.throttle WHERE subject = $1",
};

unsigned throttle_wait_s(int64_t failures, int64_t free)
{
    unsigned wait_s = 1;

    if (failures < free)
        return 0;
    for (int64_t i = free; i < failures && wait_s < THROTTLE_WAIT_MAX_S; i++)
        wait_s *= 2;
    return wait_s < THROTTLE_WAIT_MAX_S ? wait_s : THROTTLE_WAIT_MAX_S;
}

/* ---- names ---- */

static const char *account_subject(struct arena *arena, struct str login_id)
{
    uint8_t digest[SECRET_DIGEST_BYTES];
    char hex[2 * SECRET_DIGEST_BYTES + 1];

    token_digest(login_id, digest);
    hex_encode(digest, sizeof(digest), hex);
    return arena_printf(arena, "account:%s", hex);
}

/* An address of IPv4 may come as one of IPv6. */
const char *throttle_address(struct arena *arena, const char *address)
{
    struct in6_addr host;
    char network[2 * THROTTLE_NETWORK_BYTES + 1], v4[INET_ADDRSTRLEN];

    if (inet_pton(AF_INET6, address, &host) != 1)
        return arena_printf(arena, "address:%s", address);
    if (IN6_IS_ADDR_V4MAPPED(&host))
        return arena_printf(arena, "address:%s",
                            inet_ntop(AF_INET, host.s6_addr + 12, v4, sizeof(v4)));
    hex_encode(host.s6_addr, THROTTLE_NETWORK_BYTES, network);
    return arena_printf(arena, "address:%s", network);
}

static struct str key(struct throttle *throttle, const char *what, const char *subject)
{
    return str_of(arena_printf(throttle->call->flow.arena, "%s%s:%s",
                               throttle->call->gateway->settings->redis_prefix, what, subject));
}

static struct str number(struct throttle *throttle, int64_t value)
{
    return str_of(arena_printf(throttle->call->flow.arena, "%lld", (long long)value));
}

void throttle_init(struct throttle *throttle, struct call *call, struct str login_id)
{
    *throttle = (struct throttle){.call = call};
    throttle->account = account_subject(call->flow.arena, login_id);
    throttle->address = throttle_address(call->flow.arena, http_client(call->request));
}

static void done(struct flow *flow)
{
    struct throttle *throttle = FLOW_OF(flow, struct throttle, flow);

    flow_pass_on(flow, throttle->parent);
}

static void start(struct throttle *throttle, struct flow *parent, flow_fn run)
{
    throttle->parent = parent;
    flow_init(&throttle->flow, parent->loop, run, done, parent->trace);
    flow_start(&throttle->flow, 0);
}

/* ---- turns ---- */

static bool same_subject(const struct throttle *left, const struct throttle *right)
{
    return strcmp(left->account, right->account) == 0;
}

/* Whoever is next goes on. Again at the end of the call: then nothing is left to do. */
static void leave(void *object)
{
    struct throttle *throttle = object;
    struct throttle **at = &throttle->call->gateway->guesses;

    while (*at != NULL && *at != throttle)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = throttle->next;
    for (struct throttle *next = throttle->next; next != NULL; next = next->next) {
        if (same_subject(next, throttle)) {
            flow_resume(&next->flow, ERR_OK);
            return;
        }
    }
}

static void wait_for_turn(struct throttle *throttle)
{
    struct throttle **at = &throttle->call->gateway->guesses;
    unsigned before = 0;

    for (; *at != NULL; at = &(*at)->next)
        before += same_subject(*at, throttle);
    if (before > THROTTLE_TURNS_MAX) {
        throttle->wait_s = 1;
        flow_end(&throttle->flow, ERR_OK);
        return;
    }
    throttle->next = NULL;
    *at = throttle;
    arena_defer(throttle->call->flow.arena, leave, throttle);
    if (before > 0)
        flow_wait(&throttle->flow, CHECK_ACCOUNT);
    else
        flow_goto(&throttle->flow, CHECK_ACCOUNT);
}

/* ---- check ---- */

static void get(struct throttle *throttle, const char *subject, int next, int on_error)
{
    const struct str args[] = {STR("PTTL"), key(throttle, "wait", subject)};

    throttle->answer = (struct cache_answer){0};
    flow_on_error(&throttle->flow, on_error);
    flow_wait(&throttle->flow, next);
    cache_run(throttle->call->gateway->cache, args, ARRAY_LEN(args), &throttle->answer,
              &throttle->flow);
}

static void note_wait(struct throttle *throttle)
{
    int64_t left_ms = throttle->answer.number;

    if (left_ms > 0 && left_ms / 1000 + 1 > throttle->wait_s)
        throttle->wait_s = (unsigned)(left_ms / 1000 + 1);
}

static void read_rows(struct throttle *throttle, int next)
{
    struct flow *flow = &throttle->flow;
    struct db_batch *batch = db_batch_read(flow->arena);

    throttle->query = db_add(batch, &find_rows);
    db_text_c(throttle->query, throttle->account);
    db_text_c(throttle->query, throttle->address);
    db_time(throttle->query, clock_now_us()); /* it may have waited for its turn */
    flow_wait(flow, next);
    db_run(throttle->call->gateway->db, batch, GATEWAY_READ_MS, flow);
}

static void check_run(struct flow *flow)
{
    struct throttle *throttle = FLOW_OF(flow, struct throttle, flow);

    switch ((enum check_step)flow->step) {
    case CHECK_TURN:
        wait_for_turn(throttle);
        return;
    case CHECK_ACCOUNT:
        get(throttle, throttle->account, CHECK_ADDRESS, CHECK_ROWS);
        return;
    case CHECK_ADDRESS:
        note_wait(throttle);
        get(throttle, throttle->address, CHECK_ADDRESS_KNOWN, CHECK_ROWS);
        return;
    case CHECK_ADDRESS_KNOWN:
        note_wait(throttle);
        flow_goto(flow, CHECK_ROWS);
        return;
    case CHECK_ROWS: /* also after an error of Redis */
        flow->err = ERR_OK;
        flow_on_error(flow, FLOW_END);
        read_rows(throttle, CHECK_END);
        return;
    case CHECK_END:
        if ((unsigned)db_get_i32(throttle->query, 0, 0) > throttle->wait_s)
            throttle->wait_s = (unsigned)db_get_i32(throttle->query, 0, 0);
        throttle->failures = db_get_i32(throttle->query, 0, 1);
        throttle->address_known = db_get_i32(throttle->query, 0, 2);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

void throttle_check(struct throttle *throttle, struct flow *flow)
{
    start(throttle, flow, check_run);
}

/* ---- count ---- */

static void increment(struct throttle *throttle, const char *subject, int next)
{
    const struct str args[] = {STR("INCR"), key(throttle, "fail", subject)};

    throttle->answer = (struct cache_answer){0};
    flow_on_error(&throttle->flow, COUNT_ROWS);
    flow_wait(&throttle->flow, next);
    cache_run(throttle->call->gateway->cache, args, ARRAY_LEN(args), &throttle->answer,
              &throttle->flow);
}

/* The counter lives a while after the newest failure; from some number on the next one waits. */
static void keep(struct throttle *throttle, const char *subject, unsigned wait_s)
{
    struct cache *cache = throttle->call->gateway->cache;
    const struct str expire[] = {STR("EXPIRE"), key(throttle, "fail", subject),
                                 number(throttle, THROTTLE_WINDOW_S)};
    const struct str wait[] = {STR("SET"), key(throttle, "wait", subject), STR("1"), STR("EX"),
                               number(throttle, wait_s)};

    cache_send(cache, expire, ARRAY_LEN(expire));
    if (wait_s > 0)
        cache_send(cache, wait, ARRAY_LEN(wait));
}

static void add_row(struct db_batch *batch, const char *subject, int64_t failures, int64_t free)
{
    struct db_query *query = db_add(batch, &upsert_row);

    db_text_c(query, subject);
    db_i32(query, (int32_t)(failures > 0 ? failures : 1));
    db_i32(query, (int32_t)free);
    db_i32(query, THROTTLE_WAIT_MAX_S);
    db_time(query, clock_now_us());
}

/*
 * Whether PostgreSQL counts the address: many login ids failed from it, this one not before as far
 * as is known, and Redis is away or has forgotten them.
 */
static bool address_due(const struct throttle *throttle)
{
    if (throttle->address_failures >= THROTTLE_ADDRESS_FREE)
        return true;
    return throttle->failures == 0 &&
           (throttle->counted == 0 || (throttle->counted == 1 && throttle->address_known > 0));
}

/* The next one does not wait for what follows, which an account may have and a made-up name not. */
static void end_count(struct throttle *throttle)
{
    leave(throttle);
    flow_end(&throttle->flow, ERR_OK);
}

/* Without Redis `counted` is 0, and PostgreSQL counts every failure. */
static void write_rows(struct throttle *throttle)
{
    struct flow *flow = &throttle->flow;
    struct db_batch *batch = db_batch_new(flow->arena);

    throttle->reached =
        throttle->counted >= THROTTLE_FREE || throttle->failures + 1 >= THROTTLE_FREE;
    if (throttle->counted == 0 || throttle->failures > 0 || throttle->counted >= THROTTLE_FREE)
        add_row(batch, throttle->account, throttle->counted, THROTTLE_FREE);
    if (address_due(throttle))
        add_row(batch, throttle->address, throttle->address_failures, THROTTLE_ADDRESS_FREE);
    if (db_batch_count(batch) == 0) {
        end_count(throttle);
        return;
    }
    flow_on_error(flow, COUNT_LOST);
    flow_wait(flow, COUNT_END);
    db_run(throttle->call->gateway->db, batch, GATEWAY_WRITE_MS, flow);
}

static void count_run(struct flow *flow)
{
    struct throttle *throttle = FLOW_OF(flow, struct throttle, flow);
    int64_t counted = throttle->answer.number;

    switch ((enum count_step)flow->step) {
    case COUNT_ACCOUNT:
        increment(throttle, throttle->account, COUNT_ADDRESS);
        return;
    case COUNT_ADDRESS:
        keep(throttle, throttle->account, throttle_wait_s(counted, THROTTLE_FREE));
        throttle->counted = counted;
        if (counted != 1) { /* the address was charged with this login id already */
            flow_goto(flow, COUNT_ROWS);
            return;
        }
        increment(throttle, throttle->address, COUNT_ADDRESS_KNOWN);
        return;
    case COUNT_ADDRESS_KNOWN:
        throttle->address_failures = counted;
        keep(throttle, throttle->address, throttle_wait_s(counted, THROTTLE_ADDRESS_FREE));
        flow_goto(flow, COUNT_ROWS);
        return;
    case COUNT_ROWS: /* also after an error of Redis: then PostgreSQL counts alone */
        flow->err = ERR_OK;
        write_rows(throttle);
        return;
    case COUNT_LOST: /* PostgreSQL is away: the failure stands in Redis, or nowhere */
        flow->err = ERR_OK;
        end_count(throttle);
        return;
    case COUNT_END:
        end_count(throttle);
        return;
    }
    must(false);
}

void throttle_count(struct throttle *throttle, struct flow *flow)
{
    start(throttle, flow, count_run);
}

/* ---- forget ---- */

void throttle_forget(struct throttle *throttle, struct db_batch *batch)
{
    struct cache *cache = throttle->call->gateway->cache;
    const struct str args[] = {STR("DEL"), key(throttle, "fail", throttle->account),
                               key(throttle, "wait", throttle->account)};

    cache_send(cache, args, ARRAY_LEN(args));
    db_text_c(db_add(batch, &delete_row), throttle->account);
}

void throttle_forget_login(struct call *call, struct str login_id, struct db_batch *batch)
{
    struct throttle throttle;

    throttle_init(&throttle, call, login_id);
    throttle_forget(&throttle, batch);
}
