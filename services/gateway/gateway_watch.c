/* gateway_watch: the streams. See gateway_watch.h. */
#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_watch.h"

enum {
    WATCH_EVERY_MS = 250,
    WATCH_REST = 4, /* a turn is followed by so many times its own length of rest */
    WATCH_COMMENT_MS = 15000,
    WATCH_CHECK_MS = 60000,
    WATCH_CHECKS_AT_ONCE = 50,
    WATCH_RETRY_MS = 2000,
};

static const struct {
    struct db_query *(*ask)(struct watchers *watchers, struct db_batch *batch);
    void (*tell)(struct watchers *watchers, struct watch *watch);
} kinds[WATCH_KINDS] = {
    [WATCH_UPLOAD] = {watch_upload_ask, watch_upload_tell},
    [WATCH_DOCTOR] = {watch_doctor_ask, watch_doctor_tell},
};

enum look_step { LOOK_ASK, LOOK_TELL };

/* ---- one stream ---- */

void watch_end(struct watch *watch)
{
    if (watch->over)
        return;
    watch->over = true;
    http_stream_end(watch->request);
    watch->request = NULL;
}

void watch_write(struct watch *watch, struct str event)
{
    http_stream_write(watch->request, event, NULL);
    watch->told_ms = clock_mono_ms();
}

static void drop_over(struct watchers *watchers)
{
    struct watch **at = &watchers->list;

    while (*at != NULL) {
        struct watch *watch = *at;

        if (!watch->over && http_gone(watch->request))
            watch_end(watch);
        if (!watch->over) {
            at = &watch->next;
            continue;
        }
        *at = watch->next;
        watchers->count--;
        watchers->counts[watch->kind]--;
        free(watch);
    }
}

/* ---- the turn: what changed, who is still allowed, who heard nothing for long ---- */

static void ask(struct watchers *watchers)
{
    struct flow *flow = &watchers->flow;
    struct db_batch *batch = db_batch_new(flow->arena);
    bool asked[WATCH_KINDS] = {false};
    unsigned checks = 0;

    watchers->since_ms = clock_mono_ms();
    /* In the widest scope: each stream was let in by its own. */
    call_scope_add(batch, "l3");
    for (struct watch *watch = watchers->list; watch != NULL; watch = watch->next) {
        watch->check = NULL;
        watch->asked = !watch->over;
        asked[watch->kind] = asked[watch->kind] || watch->asked;
        if (watch->asked && watchers->since_ms >= watch->check_ms &&
            checks++ < WATCH_CHECKS_AT_ONCE)
            watch->check = who_check_add(batch, &watch->who, clock_now_us());
    }
    for (size_t i = 0; i < WATCH_KINDS; i++)
        watchers->queries[i] = asked[i] ? kinds[i].ask(watchers, batch) : NULL;
    flow_wait(flow, LOOK_TELL);
    db_run(watchers->gateway->db, batch, GATEWAY_READ_MS, flow);
}

static void tell_watch(struct watchers *watchers, struct watch *watch, uint64_t now_ms)
{
    if (watch->check != NULL) {
        watch->check_ms = now_ms + WATCH_CHECK_MS;
        if (!who_check_good(watch->check)) {
            watch_end(watch);
            return;
        }
    }
    kinds[watch->kind].tell(watchers, watch);
    if (!watch->over && now_ms >= watch->told_ms + WATCH_COMMENT_MS)
        watch_write(watch, STR(": still here\n\n"));
}

static void look_run(struct flow *flow)
{
    struct watchers *watchers = FLOW_OF(flow, struct watchers, flow);
    uint64_t now_ms = clock_mono_ms();

    switch ((enum look_step)flow->step) {
    case LOOK_ASK:
        ask(watchers);
        return;
    case LOOK_TELL:
        for (struct watch *watch = watchers->list; watch != NULL; watch = watch->next)
            if (!watch->over && watch->asked)
                tell_watch(watchers, watch, now_ms);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void on_closed(void *arg)
{
    struct watchers *watchers = arg;
    void (*closed)(void *arg) = watchers->closed;
    void *closed_arg = watchers->closed_arg;

    free(watchers);
    closed(closed_arg);
}

static void look_done(struct flow *flow)
{
    struct watchers *watchers = FLOW_OF(flow, struct watchers, flow);
    uint64_t rest_ms = (clock_mono_ms() - watchers->since_ms) * WATCH_REST;

    flow_fini(flow);
    watchers->running = false;
    drop_over(watchers);
    if (watchers->closed != NULL)
        timer_close(&watchers->timer, on_closed);
    else if (watchers->count > 0)
        timer_start(&watchers->timer, rest_ms > WATCH_EVERY_MS ? rest_ms : WATCH_EVERY_MS, 0);
}

static void on_timer(void *arg)
{
    struct watchers *watchers = arg;

    drop_over(watchers);
    if (watchers->count == 0)
        return;
    watchers->running = true;
    flow_init(&watchers->flow, watchers->gateway->loop, look_run, look_done, NULL);
    flow_start(&watchers->flow, LOOK_ASK);
}

struct watchers *watchers_open(struct gateway *gateway)
{
    struct watchers *watchers = heap_zero(sizeof(*watchers));

    watchers->gateway = gateway;
    watchers->turns = -1;
    timer_open(&watchers->timer, gateway->loop, on_timer, watchers);
    return watchers;
}

void watchers_end(struct watchers *watchers)
{
    for (struct watch *watch = watchers->list; watch != NULL; watch = watch->next)
        watch_end(watch);
}

void watchers_close(struct watchers *watchers, void (*closed)(void *arg), void *arg)
{
    watchers->closed = closed;
    watchers->closed_arg = arg;
    watchers_end(watchers);
    if (watchers->running)
        return;
    drop_over(watchers);
    timer_close(&watchers->timer, on_closed);
}

unsigned watchers_count(const struct watchers *watchers, enum watch_kind kind)
{
    return watchers->counts[kind];
}

/* ---- a new one ---- */

static bool full(const struct gateway *gateway, enum watch_kind kind)
{
    const unsigned most = kind == WATCH_DOCTOR ? gateway->settings->doctor_watchers_max
                                               : gateway->settings->watchers_max;

    return gateway->stopping || gateway->watchers->counts[kind] >= most;
}

struct watch *watch_begin(struct call *call, enum watch_kind kind)
{
    struct watchers *watchers = call->gateway->watchers;
    struct watch *watch;

    if (full(call->gateway, kind)) {
        call_problem(call, CODE_SERVICE_UNAVAILABLE);
        return NULL;
    }
    watch = heap_zero(sizeof(*watch));
    watch->request = call->request;
    watch->kind = kind;
    watch->english = call->english;
    /* Only what a check needs: texts go with the call. */
    watch->who.token = call->who.token;
    memcpy(watch->who.digest, call->who.digest, sizeof(watch->who.digest));
    watch->check_ms = clock_mono_ms() + WATCH_CHECK_MS;
    guard_headers(call->request);
    http_set_header(call->request, "X-Accel-Buffering", "no");
    http_stream_begin(call->request, 200, "text/event-stream");
    call->answered = true;
    call->request = NULL;
    watch->next = watchers->list;
    watchers->list = watch;
    watchers->counts[kind]++;
    if (watchers->count++ == 0 && !watchers->running)
        timer_start(&watchers->timer, WATCH_EVERY_MS, 0);
    watch_write(watch,
                str_of(arena_printf(call->flow.arena, "retry: %d\n\n", (int)WATCH_RETRY_MS)));
    return watch;
}
