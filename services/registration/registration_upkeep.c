/*
 * registration_upkeep: what time brings about. Links of first login that nobody used are given up,
 * by a command to oneself, so that it stands in the order of the account's own. And once a day the
 * national association is told of certification data that is not linked by its due date. Proposals
 * to merge that nobody decided end.
 */
#include <stdlib.h>

#include "gen/events.h"
#include "registration/registration_merge.h"

enum {
    UPKEEP_EVERY_MS = 10000,
    UPKEEP_AT_ONCE = 200, /* accounts; more come with the next round */
    UPKEEP_WRITE_MS = 10000,
};

enum upkeep_step { UPKEEP_FIND, UPKEEP_TELL, UPKEEP_END };

struct upkeep {
    struct registration *registration;
    struct timer timer;
    struct flow flow;
    bool running;
    struct db_query *waiting, *late, *over;
    void (*done)(void *arg);
    void *done_arg;
    void (*closed)(void *arg);
    void *closed_arg;
};

static const struct db_stmt find_waiting = {
    "registration_find_waiting",
    "SELECT account_id FROM registration.account WHERE step_at <= $1"
    " AND step IN ('email', 'email_confirm') AND state = 'temp_issued'"
    " ORDER BY step_at LIMIT $2",
};
static const struct db_stmt find_late = {
    "registration_find_late",
    "SELECT count(*), min(due_on) FROM (SELECT registration.link_due(my_page_at) AS due_on"
    "  FROM registration.doctor WHERE my_page = 'link_pending') AS pending WHERE due_on < $1"
    " AND NOT EXISTS (SELECT FROM registration.daily WHERE name = 'links_late' AND day = $1)",
};
static const struct db_stmt find_over = {
    "registration_find_over",
    "SELECT EXISTS (SELECT FROM registration.merge WHERE state = 'open' AND expires_at <= $1)",
};
/* Whoever comes second tells nobody: its transaction ends. */
static const struct db_stmt insert_daily = {
    "registration_insert_daily",
    "WITH first AS (INSERT INTO registration.daily (name, day) VALUES ('links_late', $1)"
    "  ON CONFLICT DO NOTHING RETURNING 1) SELECT mamis.changed(count(*)) FROM first",
};

static void find(struct upkeep *upkeep)
{
    struct db_batch *batch = db_batch_read(upkeep->flow.arena);
    int64_t now_us = clock_now_us();

    upkeep->waiting = db_add(batch, &find_waiting);
    db_time(upkeep->waiting, now_us - EMAIL_WAIT_US);
    db_i64(upkeep->waiting, UPKEEP_AT_ONCE);
    upkeep->late = db_add(batch, &find_late);
    db_day(upkeep->late, day_of_us(now_us));
    upkeep->over = db_add(batch, &find_over);
    db_time(upkeep->over, now_us);
    flow_wait(&upkeep->flow, UPKEEP_TELL);
    db_run(upkeep->registration->db, batch, REGISTRATION_READ_MS, &upkeep->flow);
}

static void emit(struct upkeep *upkeep, struct db_batch *batch, const char *type, const char *topic,
                 const char *key, json_t *data)
{
    const struct work_event event = {
        .type = type, .topic = topic, .key = str_of(key), .subject = str_of(key), .data = data};

    (void)work_emit(upkeep->registration->work, batch, &event, NULL);
}

static void add_time_outs(struct upkeep *upkeep, struct db_batch *batch)
{
    for (size_t i = 0; i < db_rows(upkeep->waiting); i++) {
        const struct event_account_time_out event = {.account_id =
                                                         db_get_uuid(upkeep->waiting, i, 0)};
        char key[UUID_TEXT_BYTES];

        uuid_format(event.account_id, key);
        emit(upkeep, batch, EVENT_ACCOUNT_TIME_OUT, TOPIC_REGISTRATION_COMMANDS, key,
             event_account_time_out_encode(&event));
    }
}

static void add_late(struct upkeep *upkeep, struct db_batch *batch)
{
    const struct event_links_late event = {.day = day_of_us(clock_now_us()),
                                           .count = db_get_i64(upkeep->late, 0, 0),
                                           .oldest_due_on = db_get_day(upkeep->late, 0, 1)};
    char key[11];

    if (event.count == 0)
        return;
    db_day(db_add(batch, &insert_daily), event.day);
    day_format(event.day, key);
    emit(upkeep, batch, EVENT_LINKS_LATE, TOPIC_ACCOUNT_EVENTS, key,
         event_links_late_encode(&event));
}

static void round_run(struct flow *flow)
{
    struct upkeep *upkeep = FLOW_OF(flow, struct upkeep, flow);
    struct db_batch *batch;

    switch ((enum upkeep_step)flow->step) {
    case UPKEEP_FIND:
        find(upkeep);
        return;
    case UPKEEP_TELL:
        batch = db_batch_new(flow->arena);
        add_time_outs(upkeep, batch);
        add_late(upkeep, batch);
        if (db_get_bool(upkeep->over, 0, 0))
            store_expire_merges(batch, clock_now_us());
        if (db_batch_count(batch) == 0) {
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, UPKEEP_END);
        work_run(upkeep->registration->work, batch, UPKEEP_WRITE_MS, flow);
        return;
    case UPKEEP_END:
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void end_close(void *arg)
{
    struct upkeep *upkeep = arg;
    void (*closed)(void *arg) = upkeep->closed;
    void *closed_arg = upkeep->closed_arg;

    free(upkeep);
    closed(closed_arg);
}

static void round_done(struct flow *flow)
{
    struct upkeep *upkeep = FLOW_OF(flow, struct upkeep, flow);
    void (*done)(void *arg) = upkeep->done;
    enum err err = flow->err;

    if (err != ERR_OK && err != ERR_STOPPING && err != ERR_DB_CONFLICT)
        LOG_WARN("upkeep_failed", F_ERR(err), F_STR("note", flow->note.text));
    flow_fini(flow);
    upkeep->running = false;
    upkeep->done = NULL;
    if (done != NULL)
        done(upkeep->done_arg);
    if (upkeep->closed != NULL)
        timer_close(&upkeep->timer, end_close);
}

void upkeep_run(struct upkeep *upkeep, void (*done)(void *arg), void *arg)
{
    if (upkeep->running || upkeep->closed != NULL)
        return;
    upkeep->running = true;
    upkeep->done = done;
    upkeep->done_arg = arg;
    flow_init(&upkeep->flow, upkeep->registration->loop, round_run, round_done, NULL);
    flow_start(&upkeep->flow, UPKEEP_FIND);
}

static void every_while(void *arg)
{
    upkeep_run(arg, NULL, NULL);
}

struct upkeep *upkeep_open(struct registration *registration)
{
    struct upkeep *upkeep = heap_zero(sizeof(*upkeep));

    upkeep->registration = registration;
    timer_open(&upkeep->timer, registration->loop, every_while, upkeep);
    timer_start(&upkeep->timer, UPKEEP_EVERY_MS, UPKEEP_EVERY_MS);
    return upkeep;
}

void upkeep_close(struct upkeep *upkeep, void (*closed)(void *arg), void *arg)
{
    upkeep->closed = closed;
    upkeep->closed_arg = arg;
    if (!upkeep->running)
        timer_close(&upkeep->timer, end_close);
}
