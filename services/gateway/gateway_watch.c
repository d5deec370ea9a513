/*
 * gateway_watch: progress of uploads as server-sent events. All streams of this instance are served
 * by one query every 250 ms, for what changed; the event id is the upload's version, so any
 * instance resumes a stream. Who watches was allowed to when the stream began, and is checked each
 * minute.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_command.h"

void endpoint_watch_upload(struct flow *flow);

enum {
    WATCH_EVERY_MS = 250,
    WATCH_COMMENT_MS = 15000,
    WATCH_CHECK_MS = 60000,
    WATCH_CHECKS_AT_ONCE = 50,
    WATCH_RETRY_MS = 2000,
};

/* One open stream. */
struct watch {
    struct watch *next;
    struct http_request *request;
    struct who who;
    struct uuid upload_id;
    int64_t version; /* last told */
    bool english;
    bool asked; /* in the query that is under way */
    bool over;  /* ended; taken from the list at the next turn */
    uint64_t told_ms;
    uint64_t check_ms; /* when to look again who it is */
    struct db_query *check;
};

struct watchers {
    struct gateway *gateway;
    struct watch *list;
    unsigned count;
    struct timer timer;
    struct flow flow;
    bool running;
    struct db_query *query;
    void (*closed)(void *arg);
    void *closed_arg;
};

enum look_step { LOOK_ASK, LOOK_TELL };

/* In the widest scope: each stream was let in by its own. */
static const struct db_stmt select_changed = {
    "gateway_watch",
    "SELECT u.upload_id, u.version, u.status IN ('done', 'refused', 'undone'), u.json::text"
    " FROM unnest($1::uuid[], $2::bigint[]) AS w (upload_id, version)"
    " JOIN portal.upload u ON u.upload_id = w.upload_id AND u.version > w.version",
};
static const struct db_stmt select_one = {
    "gateway_watch_one",
    "SELECT version, status IN ('done', 'refused', 'undone'), json::text FROM portal.upload"
    " WHERE upload_id = $1",
};

/* ---- one stream ---- */

static void watch_end(struct watch *watch)
{
    if (watch->over)
        return;
    watch->over = true;
    http_stream_end(watch->request);
    watch->request = NULL;
}

static void tell(struct watch *watch, int64_t version, bool done, struct str upload)
{
    struct arena *arena = arena_new();
    json_t *json = command_json(arena, upload);
    struct buf event = {0};
    char *text;

    problem_pick_language(json, watch->english);
    text = json_dumps(json, JSON_COMPACT);
    must(text != NULL);
    buf_printf(&event, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)version,
               done ? "done" : "progress", text);
    http_stream_write(watch->request, buf_str(&event), NULL);
    watch->version = version;
    watch->told_ms = clock_mono_ms();
    buf_free(&event);
    free(text);
    arena_free(arena);
    if (done)
        watch_end(watch);
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
        free(watch);
    }
}

/* ---- the turn: what changed, who is still allowed, who heard nothing for long ---- */

static void ask(struct watchers *watchers)
{
    struct flow *flow = &watchers->flow;
    struct db_batch *batch = db_batch_new(flow->arena);
    struct uuid *ids = arena_array(flow->arena, struct uuid, watchers->count);
    int64_t *versions = arena_array(flow->arena, int64_t, watchers->count);
    uint64_t now_ms = clock_mono_ms();
    size_t count = 0;
    unsigned checks = 0;

    call_scope_add(batch, "l3");
    for (struct watch *watch = watchers->list; watch != NULL; watch = watch->next) {
        watch->check = NULL;
        watch->asked = !watch->over;
        if (watch->over)
            continue;
        ids[count] = watch->upload_id;
        versions[count++] = watch->version;
        if (now_ms >= watch->check_ms && checks++ < WATCH_CHECKS_AT_ONCE)
            watch->check = who_check_add(batch, &watch->who, clock_now_us());
    }
    watchers->query = db_add(batch, &select_changed);
    db_uuid_array(watchers->query, ids, count);
    db_i64_array(watchers->query, versions, count);
    flow_wait(flow, LOOK_TELL);
    db_run(watchers->gateway->db, batch, GATEWAY_READ_MS, flow);
}

static void tell_watch(struct watchers *watchers, struct watch *watch, uint64_t now_ms)
{
    const struct db_query *query = watchers->query;

    if (watch->check != NULL) {
        watch->check_ms = now_ms + WATCH_CHECK_MS;
        if (!who_check_good(watch->check)) {
            watch_end(watch);
            return;
        }
    }
    for (size_t i = 0; i < db_rows(query); i++) {
        int64_t version = db_get_i64(query, i, 1);

        if (!uuid_eq(db_get_uuid(query, i, 0), watch->upload_id) || version <= watch->version)
            continue;
        tell(watch, version, db_get_bool(query, i, 2), db_get_text(query, i, 3));
        break;
    }
    if (!watch->over && now_ms - watch->told_ms >= WATCH_COMMENT_MS) {
        http_stream_write(watch->request, STR(": still here\n\n"), NULL);
        watch->told_ms = now_ms;
    }
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

    flow_fini(flow);
    watchers->running = false;
    drop_over(watchers);
    if (watchers->closed != NULL)
        timer_close(&watchers->timer, on_closed);
    else if (watchers->count > 0)
        timer_start(&watchers->timer, WATCH_EVERY_MS, 0);
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

unsigned watchers_count(const struct watchers *watchers)
{
    return watchers->count;
}

/* ---- GET /uploads/{upload_id}/events ---- */

enum watch_step { WATCH_FIND, WATCH_FOUND };

static struct watch *watch_begin(struct call *call)
{
    struct watchers *watchers = call->gateway->watchers;
    struct watch *watch = heap_zero(sizeof(*watch));

    watch->request = call->request;
    watch->upload_id = call_id(call, "upload_id");
    watch->english = call->english;
    /* Only what a check needs: texts go with the call. */
    watch->who.token = call->who.token;
    memcpy(watch->who.digest, call->who.digest, sizeof(watch->who.digest));
    watch->check_ms = clock_mono_ms() + WATCH_CHECK_MS;
    watch->told_ms = clock_mono_ms();
    http_set_header(call->request, "Cache-Control", "no-store");
    http_set_header(call->request, "X-Accel-Buffering", "no");
    http_set_header(call->request, "X-Content-Type-Options", "nosniff");
    http_stream_begin(call->request, 200, "text/event-stream");
    call->answered = true;
    call->request = NULL;
    watch->next = watchers->list;
    watchers->list = watch;
    if (watchers->count++ == 0 && !watchers->running)
        timer_start(&watchers->timer, WATCH_EVERY_MS, 0);
    return watch;
}

static void found(struct call *call)
{
    struct str resumed = call_text(call, "Last-Event-ID");
    int64_t seen = -1, version;
    struct watch *watch;
    bool done;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    version = db_get_i64(call->query, 0, 0);
    done = db_get_bool(call->query, 0, 1);
    if (resumed.data != NULL)
        (void)str_to_i64(resumed, &seen);
    if (done && seen >= version) {
        call_empty(call, 204);
        return;
    }
    if (call->gateway->stopping ||
        call->gateway->watchers->count >= call->gateway->settings->watchers_max) {
        call_problem(call, CODE_SERVICE_UNAVAILABLE);
        return;
    }
    watch = watch_begin(call);
    watch->version = seen;
    http_stream_write(watch->request,
                      str_of(arena_printf(call->flow.arena, "retry: %d\n\n", (int)WATCH_RETRY_MS)),
                      NULL);
    if (version > seen)
        tell(watch, version, done, db_get_text(call->query, 0, 2));
    flow_end(&call->flow, ERR_OK);
}

void endpoint_watch_upload(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum watch_step)flow->step) {
    case WATCH_FIND:
        call->query = db_add(call_scoped(call), &select_one);
        db_uuid(call->query, call_id(call, "upload_id"));
        call_run(call, WATCH_FOUND);
        return;
    case WATCH_FOUND:
        found(call);
        return;
    }
    must(false);
}
