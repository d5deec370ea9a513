/*
 * work: opening, closing, figures, and what happens once a second.
 */
#include "work/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "work/work_private.h"

void work_note_refused(const struct flow *flow, const char *what)
{
    if (flow->err != ERR_OK && err_class(flow->err) != ERR_CLASS_RETRY)
        LOG_ERROR("work_refused", F_STR("what", what), F_ERR(flow->err),
                  F_STR("note", flow->note.text));
}

static void free_work(void *arg)
{
    struct work *work = arg;
    void (*closed)(void *arg) = work->closed;
    void *closed_arg = work->closed_arg;

    if (--work->timers > 0)
        return;
    work_outbox_drop(work);
    free(work->marks.items);
    free(work->service);
    free(work->source);
    free(work->group);
    free(work);
    if (closed != NULL)
        closed(closed_arg);
}

static bool has_turns(const struct work *work)
{
    for (const struct work_part *part = work->parts; part != NULL; part = part->next)
        if (part->turn != NULL)
            return true;
    return false;
}

/* Nobody gives us partitions any more; the group hears of it and has others do the work. */
static void leave(struct work *work)
{
    if (work->consumer == NULL)
        return;
    bus_unsubscribe(work->consumer);
    work->consumer = NULL;
    while (work->parts != NULL)
        work_part_lose(work->parts);
}

/* What is in hand first, then the group, then acknowledgements and their marks. */
static void close_tick(struct work *work)
{
    uint64_t spent_ms = clock_mono_ms() - work->closing_from_ms;

    if (has_turns(work) && spent_ms < WORK_CLOSE_TURNS_MS)
        return;
    leave(work);
    if (work->outbox.unacked > 0 && spent_ms < WORK_CLOSE_ACKS_MS)
        return;
    if (spent_ms < WORK_CLOSE_ACKS_MS)
        work_marks_flush(work);
    if (work->part_users > 0 || work->flows > 0)
        return;
    timer_stop(&work->tick);
    timer_stop(&work->marks.timer);
    timer_close(&work->tick, free_work);
    timer_close(&work->marks.timer, free_work);
}

static void on_tick(void *arg)
{
    struct work *work = arg;
    uint64_t now_ms = clock_mono_ms();

    if (work->closing) {
        close_tick(work);
        return;
    }
    for (struct work_part *part = work->parts; part != NULL; part = part->next) {
        if (part->turn != NULL)
            work_turn_watch(part->turn, now_ms);
        work_part_settle(part);
    }
    work_pauses_tick(work);
    work_sweep_tick(work);
    work_clean_tick(work);
    work_dead_tick(work);
}

struct work *work_open(struct loop *loop, struct db_pool *db, struct bus *bus,
                       const struct work_options *options)
{
    struct work *work = heap_zero(sizeof(*work));
    uint32_t random;

    work->loop = loop;
    work->db = db;
    work->bus = bus;
    work->service = heap_strdup(options->service);
    work->source = heap_strdup(options->source);
    work->group = heap_strdup(options->group != NULL ? options->group : options->service);
    work_sql_make(work, options->service);
    random_bytes(&random, sizeof(random));
    work->clean_in_s = 60 + random % WORK_CLEAN_EVERY_S; /* instances take turns */
    work->stats.dead_waiting = -1;
    work_marks_init(work);
    timer_open(&work->tick, loop, on_tick, work);
    work->timers = 2;
    timer_start(&work->tick, WORK_TICK_MS, WORK_TICK_MS);
    return work;
}

void work_subscribe(struct work *work, const char *const *topics, size_t topic_count,
                    const struct work_route *routes, size_t route_count, void *service)
{
    must(work->consumer == NULL && !work->closing);
    work->routes = routes;
    work->route_count = route_count;
    work->owner = service;
    for (size_t i = 0; i < route_count; i++)
        work->has_urgent = work->has_urgent || routes[i].urgent != NULL;
    work->consumer =
        bus_subscribe(work->bus, work->group, topics, topic_count, &work_part_events, work);
}

void work_close(struct work *work, void (*closed)(void *arg), void *arg)
{
    work->closed = closed;
    work->closed_arg = arg;
    work->closing = true;
    work->closing_from_ms = clock_mono_ms();
    timer_start(&work->tick, 0, WORK_CLOSE_TICK_MS);
}

static int64_t lag_of(const struct work *work)
{
    int64_t total = 0;

    for (const struct work_part *part = work->parts; part != NULL; part = part->next) {
        int64_t lag = -1;

        if (part->state == WORK_PART_RUNNING && work->consumer != NULL)
            lag = bus_lag(work->consumer, part->topic, part->part, part->place);
        if (lag < 0)
            return -1;
        total += lag;
    }
    return total;
}

void work_stats(const struct work *work, struct work_stats *ret_stats)
{
    *ret_stats = work->stats;
    ret_stats->partitions = 0;
    ret_stats->stopped = 0;
    for (const struct work_part *part = work->parts; part != NULL; part = part->next) {
        ret_stats->partitions++;
        ret_stats->stopped += part->state == WORK_PART_STOPPED;
    }
    ret_stats->lag = lag_of(work);
}

bool work_idle(const struct work *work)
{
    if (work->outbox.unacked > 0 || work->outbox.waiting > 0 || work->marks.count > 0 ||
        work->queued_bytes > 0)
        return false;
    return !has_turns(work);
}
