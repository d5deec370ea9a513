/* gateway_maintenance: see gateway_maintenance.h. */
#include "gateway/gateway_maintenance.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_plain.h"

enum {
    MAINTENANCE_TICK_MS = 1000,
    MAINTENANCE_KEPT_MAX = 20,
    MAINTENANCE_AHEAD_DAYS = 14,
    MAINTENANCE_NOTE_BYTES = 2048,
    MAINTENANCE_RETRY_MAX_S = 3600, /* it may end earlier than planned */
    MAINTENANCE_REFRESH_S = 60,
};

struct window {
    int64_t starts_us, ends_us;
    char note[MAINTENANCE_NOTE_BYTES], note_en[MAINTENANCE_NOTE_BYTES];
};

struct maintenance {
    struct gateway *gateway;
    struct window windows[MAINTENANCE_KEPT_MAX]; /* not over when they were read, by beginning */
    size_t count;
    bool running; /* when it was looked at last */
    struct timer timer;
    struct flow flow;
    bool reading;
    struct db_query *query;
    void (*closed)(void *arg);
    void *closed_arg;
};

static const struct db_stmt read_windows = {
    "gateway_read_maintenance",
    "SELECT starts_at, ends_at, note, note_en FROM portal.maintenance"
    " WHERE ends_at > $1 AND NOT called_off ORDER BY starts_at LIMIT $2",
};

/* ---- what is known ---- */

int64_t maintenance_until(const struct gateway *gateway, int64_t now_us)
{
    const struct maintenance *maintenance = gateway->maintenance;

    for (size_t i = 0; maintenance != NULL && i < maintenance->count; i++) {
        const struct window *window = &maintenance->windows[i];

        if (window->starts_us <= now_us && now_us < window->ends_us)
            return window->ends_us;
    }
    return 0;
}

/* Open to everybody also then: the pages' words, and signing in, which judges by itself. */
static bool always_open(const char *operation)
{
    static const char *const open[] = {"get_site", "sign_in", "get_sign_in_place", "sign_out"};

    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (strcmp(operation, open[i]) == 0)
            return true;
    return false;
}

bool maintenance_allows(const struct call *call)
{
    if (maintenance_until(call->gateway, call->now_us) == 0)
        return true;
    if (always_open(call->endpoint->info->operation))
        return true;
    return call->who.role != ROLE_NONE && access_allowed(call->who.role, ACTION_MAINTENANCE_USE);
}

/* "12月31日 23:00", "31 Dec 23:00"; in Japan. */
static const char *time_words(struct arena *arena, int64_t at_us, bool english)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[CLOCK_TEXT_BYTES];
    int month, day;

    time_format(at_us, text); /* 2026-12-31T23:00:00+09:00 */
    month = (text[5] - '0') * 10 + (text[6] - '0');
    day = (text[8] - '0') * 10 + (text[9] - '0');
    text[16] = '\0';
    if (english)
        return arena_printf(arena, "%d %s %s (Japan)", day, months[month - 1], text + 11);
    return arena_printf(arena, "%d月%d日 %s", month, day, text + 11);
}

static unsigned retry_s(int64_t until_us, int64_t now_us)
{
    int64_t left_s = (until_us - now_us) / CLOCK_SECOND_US + 1;

    return left_s > MAINTENANCE_RETRY_MAX_S ? MAINTENANCE_RETRY_MAX_S : (unsigned)left_s;
}

void maintenance_refuse(struct call *call)
{
    int64_t until_us = maintenance_until(call->gateway, call->now_us);
    json_t *told = json_object(), *params = json_object();
    char ends_at[CLOCK_TEXT_BYTES];

    if (until_us == 0) /* it ended this very moment */
        until_us = call->now_us;
    time_format(until_us, ends_at);
    must(json_object_set_new(params, "until",
                             json_string(time_words(call->flow.arena, until_us, call->english))) ==
         0);
    must(json_object_set_new(told, "params", params) == 0);
    must(json_object_set_new(told, "ends_at", json_string(ends_at)) == 0);
    call_retry_after(call, retry_s(until_us, call->now_us));
    call_answer_problem(call, CODE_MAINTENANCE, told);
    json_decref(told);
    flow_end(&call->flow, ERR_OK);
}

static json_t *notice(const struct window *window, bool english, int64_t now_us)
{
    const char *note = english && window->note_en[0] != '\0' ? window->note_en : window->note;
    char starts_at[CLOCK_TEXT_BYTES], ends_at[CLOCK_TEXT_BYTES];

    time_format(window->starts_us, starts_at);
    time_format(window->ends_us, ends_at);
    return json_pack("{s:s, s:s, s:s, s:b}", "starts_at", starts_at, "ends_at", ends_at, "note",
                     note, "running", window->starts_us <= now_us);
}

json_t *maintenance_notices(const struct call *call)
{
    const struct maintenance *maintenance = call->gateway->maintenance;
    const int64_t ahead_us =
        call->now_us + MAINTENANCE_AHEAD_DAYS * (int64_t)CLOCK_DAY_S * CLOCK_SECOND_US;
    json_t *list = json_array();

    for (size_t i = 0; i < maintenance->count; i++) {
        const struct window *window = &maintenance->windows[i];

        if (window->ends_us > call->now_us && window->starts_us <= ahead_us)
            must(json_array_append_new(list, notice(window, call->english, call->now_us)) == 0);
    }
    return list;
}

/* ---- the page ---- */

/*
 * Whoever has a session may be an administrator: the portal finds out. It also serves the sign-in
 * page, with a notice.
 */
bool maintenance_page(struct gateway *gateway, struct http_request *request)
{
    bool english = accept_english(http_header(request, "Accept-Language"));
    int64_t now_us = clock_now_us();
    int64_t until_us = maintenance_until(gateway, now_us);
    struct plain_page page = {.status = 503, .english = english};

    if (until_us == 0 || http_cookie(request, gateway->cookie).len > 0 ||
        str_eq_c(http_path(request), "/login"))
        return false;
    page.title = english ? "Maintenance is going on" : "ただいまメンテナンス中です";
    page.text = arena_printf(
        http_request_arena(request),
        english ? "The system cannot be used until %s. This page comes back by itself."
                : "保守作業のため、%sまでご利用いただけません。このページは自動で更新されます。",
        time_words(http_request_arena(request), until_us, english));
    page.retry_s = retry_s(until_us, now_us);
    page.refresh_s = page.retry_s < MAINTENANCE_REFRESH_S ? page.retry_s : MAINTENANCE_REFRESH_S;
    plain_answer(gateway, request, &page);
    return true;
}

/* ---- reading ---- */

static void keep_text(char out[MAINTENANCE_NOTE_BYTES], struct str text)
{
    size_t len = text.len < MAINTENANCE_NOTE_BYTES ? text.len : MAINTENANCE_NOTE_BYTES - 1;

    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

/* When it begins, open streams end: their clients come back and are told. */
static void take(struct maintenance *maintenance)
{
    const struct db_query *query = maintenance->query;
    bool running;

    maintenance->count = db_rows(query);
    for (size_t i = 0; i < maintenance->count; i++) {
        struct window *window = &maintenance->windows[i];

        window->starts_us = db_get_time(query, i, 0);
        window->ends_us = db_get_time(query, i, 1);
        keep_text(window->note, db_get_text(query, i, 2));
        keep_text(window->note_en, db_get_text(query, i, 3));
    }
    running = maintenance_until(maintenance->gateway, clock_now_us()) > 0;
    if (running != maintenance->running)
        LOG_INFO(running ? "maintenance_begins" : "maintenance_ends");
    if (running && !maintenance->running && maintenance->gateway->watchers != NULL)
        watchers_end(maintenance->gateway->watchers);
    maintenance->running = running;
}

enum read_step { READ_ASK, READ_TAKE };

static void read_run(struct flow *flow)
{
    struct maintenance *maintenance = FLOW_OF(flow, struct maintenance, flow);
    struct db_batch *batch;

    switch ((enum read_step)flow->step) {
    case READ_ASK:
        batch = db_batch_read(flow->arena);
        maintenance->query = db_add(batch, &read_windows);
        db_time(maintenance->query, clock_now_us());
        db_i64(maintenance->query, MAINTENANCE_KEPT_MAX);
        flow_wait(flow, READ_TAKE);
        db_run(maintenance->gateway->db, batch, GATEWAY_READ_MS, flow);
        return;
    case READ_TAKE:
        take(maintenance);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void closed(void *arg)
{
    struct maintenance *maintenance = arg;
    void (*done)(void *arg) = maintenance->closed;
    void *done_arg = maintenance->closed_arg;

    maintenance->gateway->maintenance = NULL;
    free(maintenance);
    done(done_arg);
}

/* What was read before stays true while PostgreSQL is away. */
static void read_done(struct flow *flow)
{
    struct maintenance *maintenance = FLOW_OF(flow, struct maintenance, flow);

    if (flow->err != ERR_OK)
        LOG_DEBUG("maintenance_not_read", F_ERR(flow->err));
    flow_fini(flow);
    maintenance->reading = false;
    if (maintenance->closed != NULL)
        timer_close(&maintenance->timer, closed);
    else
        timer_start(&maintenance->timer, MAINTENANCE_TICK_MS, 0);
}

static void start(void *arg)
{
    struct maintenance *maintenance = arg;

    maintenance->reading = true;
    flow_init(&maintenance->flow, maintenance->gateway->loop, read_run, read_done, NULL);
    flow_start(&maintenance->flow, READ_ASK);
}

struct maintenance *maintenance_open(struct gateway *gateway)
{
    struct maintenance *maintenance = heap_zero(sizeof(*maintenance));

    maintenance->gateway = gateway;
    timer_open(&maintenance->timer, gateway->loop, start, maintenance);
    start(maintenance);
    return maintenance;
}

void maintenance_close(struct maintenance *maintenance, void (*done)(void *arg), void *arg)
{
    maintenance->closed = done;
    maintenance->closed_arg = arg;
    if (!maintenance->reading)
        timer_close(&maintenance->timer, closed);
}
