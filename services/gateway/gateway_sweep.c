/*
 * gateway_sweep: sessions that ended are marked in Redis until it has acknowledged each of them;
 * until then sessions are read from their rows. And what is out of date is deleted, a little at a
 * time; files of postcards that were left half done are finished or removed.
 */
#include <stdlib.h>

#include "gateway/gateway_postcards.h"
#include "gateway/gateway_who.h"
#include "gen/events.h"

enum {
    SWEEP_MARK_EVERY_MS = 1000,
    SWEEP_TIDY_EVERY_MS = 60000,
    SWEEP_MARKS_MAX = 100,
};

enum sweep_step {
    SWEEP_FIND,
    SWEEP_MARK,
    SWEEP_MARKED,
    SWEEP_CLEAR,
    SWEEP_CLEARED,
    SWEEP_TIDY,
    SWEEP_POSTCARDS_FIND,
    SWEEP_POSTCARDS_ASK,
    SWEEP_POSTCARDS_SETTLE,
    SWEEP_UNUSED,
    SWEEP_EXPIRE,
};

struct sweep {
    struct gateway *gateway;
    struct timer timer;
    struct flow flow;
    bool running;
    bool again;
    uint64_t tidy_at_ms;
    struct db_query *query;
    size_t next;      /* of the sessions found */
    struct str *done; /* digests that Redis has acknowledged */
    size_t done_count;
    struct cache_answer answer;
    struct postcard_sweep postcards;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* Whatever Redis held of older ones is forgotten by itself in the meantime. */
static const struct db_stmt find_marks = {
    "gateway_find_marks",
    "SELECT token_sha256, ended_at < $1 - interval '10 minutes' FROM gateway.session"
    " WHERE uncache ORDER BY ended_at LIMIT 100",
};
static const struct db_stmt clear_marks = {
    "gateway_clear_marks",
    "UPDATE gateway.session SET uncache = false WHERE token_sha256 = $1",
};
/* Copies of licences, each some time after its sign-up was decided; a few, for they are large. */
static const struct db_stmt tidy_licences = {
    "gateway_tidy_licences",
    "DELETE FROM gateway.document WHERE document_id = ANY (ARRAY(SELECT d.document_id"
    " FROM portal.licence_over o JOIN gateway.document d ON d.document_id = o.signup_id"
    " WHERE o.decided_at < $1 - interval '90 days' LIMIT 20))",
};
/* What is older than $1, a little at a time. How old that is stands in retention.json. */
#define TIDY(table, since)                                                                         \
    "DELETE FROM " table " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " table " WHERE " since        \
    " < $1 LIMIT 1000))"
static const struct tidy {
    const char *table;
    struct db_stmt stmt;
} tidy[] = {
    {"gateway.session", {"gateway_tidy_sessions", TIDY("gateway.session", "expires_at")}},
    {"gateway.link", {"gateway_tidy_links", TIDY("gateway.link", "expires_at")}},
    {"gateway.signup", {"gateway_tidy_signups", TIDY("gateway.signup", "created_at")}},
    {"gateway.idempotency", {"gateway_tidy_keys", TIDY("gateway.idempotency", "created_at")}},
    {"gateway.command", {"gateway_tidy_commands", TIDY("gateway.command", "created_at")}},
    {"gateway.challenge_used",
     {"gateway_tidy_challenges", TIDY("gateway.challenge_used", "used_at")}},
    {"gateway.throttle", {"gateway_tidy_throttles", TIDY("gateway.throttle", "updated_at")}},
    {"gateway.delegate_look", {"gateway_tidy_looks", TIDY("gateway.delegate_look", "at")}},
    {"gateway.procedure_draft",
     {"gateway_tidy_drafts", TIDY("gateway.procedure_draft", "saved_at")}},
};

static const struct db_stmt find_unused = {
    "gateway_find_unused",
    "SELECT account_id FROM portal.staff_unused($1, 100)",
};

enum err sweep_check(const struct gateway *gateway, struct err_note *note)
{
    enum err err = ERR_OK;
    uint32_t days;

    for (size_t i = 0; i < ARRAY_LEN(tidy) && err == ERR_OK; i++)
        err = retention_days(gateway->retention, tidy[i].table, &days, note);
    return err;
}

static void find(struct sweep *sweep)
{
    struct flow *flow = &sweep->flow;
    struct db_batch *batch = db_batch_read(flow->arena);

    sweep->query = db_add(batch, &find_marks);
    db_time(sweep->query, clock_now_us());
    flow_wait(flow, SWEEP_MARK);
    db_run(sweep->gateway->db, batch, GATEWAY_READ_MS, flow);
}

/* One after the other; the first failure ends the round, and the row stays as it is. */
static void mark(struct sweep *sweep)
{
    struct flow *flow = &sweep->flow;
    struct gateway *gateway = sweep->gateway;
    struct str digest;

    if (sweep->done == NULL)
        sweep->done = arena_array(flow->arena, struct str, SWEEP_MARKS_MAX);
    if (sweep->next >= db_rows(sweep->query)) {
        flow_goto(flow, SWEEP_CLEAR);
        return;
    }
    gateway->marks_owed = true;
    digest = db_get_bytes(sweep->query, sweep->next, 0);
    if (db_get_bool(sweep->query, sweep->next, 1)) {
        flow_goto(flow, SWEEP_MARKED);
        return;
    }
    const struct str args[] = {
        STR("SET"), session_key(gateway, flow->arena, (const uint8_t *)digest.data), STR("-"),
        STR("PX"), str_of(arena_printf(flow->arena, "%d", (int)SESSION_ENDED_MS))};
    flow_on_error(flow, SWEEP_CLEAR);
    flow_wait(flow, SWEEP_MARKED);
    cache_run(gateway->cache, args, ARRAY_LEN(args), &sweep->answer, flow);
}

static void clear(struct sweep *sweep)
{
    struct flow *flow = &sweep->flow;
    struct db_batch *batch = db_batch_new(flow->arena);

    flow->err = ERR_OK;
    flow_on_error(flow, FLOW_END);
    for (size_t i = 0; i < sweep->done_count; i++)
        db_bytes(db_add(batch, &clear_marks), sweep->done[i]);
    if (sweep->done_count == 0) {
        flow_goto(flow, SWEEP_CLEARED);
        return;
    }
    flow_wait(flow, SWEEP_CLEARED);
    db_run(sweep->gateway->db, batch, GATEWAY_WRITE_MS, flow);
}

static void delete_old(struct sweep *sweep)
{
    struct flow *flow = &sweep->flow;
    struct db_batch *batch = db_batch_new(flow->arena);

    if (clock_mono_ms() < sweep->tidy_at_ms) {
        flow_end(flow, ERR_OK);
        return;
    }
    sweep->tidy_at_ms = clock_mono_ms() + SWEEP_TIDY_EVERY_MS;
    for (size_t i = 0; i < ARRAY_LEN(tidy); i++) {
        struct err_note note;
        uint32_t days = 0;

        must(retention_days(sweep->gateway->retention, tidy[i].table, &days, &note) == ERR_OK);
        db_time(db_add(batch, &tidy[i].stmt),
                clock_now_us() - (int64_t)days * CLOCK_DAY_S * CLOCK_SECOND_US);
    }
    db_time(db_add(batch, &tidy_licences), clock_now_us());
    flow_wait(flow, SWEEP_POSTCARDS_FIND);
    db_run(sweep->gateway->db, batch, GATEWAY_WRITE_MS, flow);
}

/* ---- accounts of staff that nobody uses ---- */

static void ask_unused(struct sweep *sweep)
{
    struct flow *flow = &sweep->flow;
    struct db_batch *batch = db_batch_read(flow->arena);

    sweep->query = db_add(batch, &find_unused);
    db_time(sweep->query, clock_now_us());
    flow_wait(flow, SWEEP_EXPIRE);
    db_run(sweep->gateway->db, batch, GATEWAY_READ_MS, flow);
}

/* Registration decides; one that was told before is as it was. */
static void tell_expired(struct sweep *sweep, struct db_batch *batch, struct uuid account_id)
{
    const struct event_staff_change expire = {.operation_id = uuid_new(),
                                              .account_id = account_id,
                                              .actor_role = STR(""),
                                              .action = STR("expire"),
                                              .reason = STR(""),
                                              .link_expires_at = INT64_MIN};
    char key[UUID_TEXT_BYTES];

    uuid_format(account_id, key);
    const struct work_event event = {.type = EVENT_STAFF_CHANGE,
                                     .topic = TOPIC_REGISTRATION_COMMANDS,
                                     .key = str_of(key),
                                     .data = event_staff_change_encode(&expire)};
    (void)work_emit(sweep->gateway->work, batch, &event, NULL);
    (void)session_end_others(batch, account_id, NULL, clock_now_us());
}

static void expire(struct sweep *sweep)
{
    struct flow *flow = &sweep->flow;
    struct db_batch *batch;

    if (db_rows(sweep->query) == 0) {
        flow_end(flow, ERR_OK);
        return;
    }
    batch = db_batch_new(flow->arena);
    for (size_t i = 0; i < db_rows(sweep->query); i++)
        tell_expired(sweep, batch, db_get_uuid(sweep->query, i, 0));
    flow_wait(flow, FLOW_END);
    work_run(sweep->gateway->work, batch, GATEWAY_WRITE_MS, flow);
}

static void sweep_run(struct flow *flow)
{
    struct sweep *sweep = FLOW_OF(flow, struct sweep, flow);

    switch ((enum sweep_step)flow->step) {
    case SWEEP_FIND:
        find(sweep);
        return;
    case SWEEP_MARK:
        mark(sweep);
        return;
    case SWEEP_MARKED:
        sweep->done[sweep->done_count++] = db_get_bytes(sweep->query, sweep->next, 0);
        sweep->next++;
        flow_goto(flow, SWEEP_MARK);
        return;
    case SWEEP_CLEAR: /* also after an error of Redis */
        clear(sweep);
        return;
    case SWEEP_CLEARED:
        /* Nothing ended while this ran, and all that had ended is marked. */
        if (sweep->done_count == db_rows(sweep->query) && !sweep->again &&
            sweep->done_count < SWEEP_MARKS_MAX)
            sweep->gateway->marks_owed = false;
        flow_goto(flow, SWEEP_TIDY);
        return;
    case SWEEP_TIDY:
        delete_old(sweep);
        return;
    case SWEEP_POSTCARDS_FIND:
        postcards_find(sweep->gateway, &sweep->postcards, flow, SWEEP_POSTCARDS_ASK);
        return;
    case SWEEP_POSTCARDS_ASK:
        postcards_ask(sweep->gateway, &sweep->postcards, flow, SWEEP_POSTCARDS_SETTLE);
        return;
    case SWEEP_POSTCARDS_SETTLE:
        postcards_settle(sweep->gateway, &sweep->postcards, flow, SWEEP_UNUSED);
        return;
    case SWEEP_UNUSED:
        ask_unused(sweep);
        return;
    case SWEEP_EXPIRE:
        expire(sweep);
        return;
    }
    must(false);
}

static void closed(void *arg)
{
    struct sweep *sweep = arg;
    void (*tell)(void *arg) = sweep->closed;
    void *tell_arg = sweep->closed_arg;

    free(sweep);
    tell(tell_arg);
}

static void sweep_done(struct flow *flow)
{
    struct sweep *sweep = FLOW_OF(flow, struct sweep, flow);

    if (flow->err != ERR_OK)
        LOG_DEBUG("sweep_failed", F_ERR(flow->err));
    flow_fini(flow);
    sweep->running = false;
    if (sweep->closed != NULL)
        timer_close(&sweep->timer, closed);
    else
        timer_start(&sweep->timer, sweep->again ? 0 : SWEEP_MARK_EVERY_MS, 0);
}

static void start(void *arg)
{
    struct sweep *sweep = arg;

    sweep->running = true;
    sweep->again = false;
    sweep->next = 0;
    sweep->done = NULL;
    sweep->done_count = 0;
    flow_init(&sweep->flow, sweep->gateway->loop, sweep_run, sweep_done, NULL);
    flow_start(&sweep->flow, SWEEP_FIND);
}

struct sweep *sweep_open(struct gateway *gateway)
{
    struct sweep *sweep = heap_zero(sizeof(*sweep));

    sweep->gateway = gateway;
    gateway->marks_owed = true; /* until the first round has looked what others left */
    timer_open(&sweep->timer, gateway->loop, start, sweep);
    timer_start(&sweep->timer, SWEEP_MARK_EVERY_MS, 0);
    return sweep;
}

void sweep_soon(struct sweep *sweep)
{
    sweep->again = true;
    if (!sweep->running && sweep->closed == NULL)
        timer_start(&sweep->timer, 0, 0);
}

void sweep_close(struct sweep *sweep, void (*tell)(void *arg), void *arg)
{
    sweep->closed = tell;
    sweep->closed_arg = arg;
    if (!sweep->running)
        timer_close(&sweep->timer, closed);
}
