/*
 * work_marks: sent events marked in their rows, many in one statement. A mark that is lost costs
 * one more sending, which the receivers' inboxes ignore; so the commit need not wait for the disk.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "work/work_private.h"

enum marks_step { MARKS_WRITE };

static void marks_run(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, marks.flow);
    struct work_marks *marks = &work->marks;
    struct db_batch *batch = db_batch_new(flow->arena);
    struct db_query *query;
    struct uuid *ids;

    marks->writing = marks->count < WORK_MARK_ROWS_MAX ? marks->count : WORK_MARK_ROWS_MAX;
    db_add(batch, &work->sql[WORK_SQL_CARELESS]);
    query = db_add(batch, &work->sql[WORK_SQL_MARK]);
    ids = arena_array(flow->arena, struct uuid, marks->writing);
    for (size_t i = 0; i < marks->writing; i++)
        ids[i] = marks->items[i]->id;
    db_uuid_array(query, ids, marks->writing);
    flow_wait(flow, FLOW_END);
    db_run(work->db, batch, WORK_READ_DEADLINE_MS, flow);
}

static void take_off(struct work_marks *marks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        work_item_end(marks->items[i]);
    marks->count -= count;
    memmove(marks->items, marks->items + count, marks->count * sizeof(struct work_item *));
}

static void plan(struct work *work, uint64_t delay_ms)
{
    timer_start(&work->marks.timer, delay_ms, 0);
}

static void marks_done(struct flow *flow)
{
    struct work *work = CONTAINER_OF(flow, struct work, marks.flow);
    struct work_marks *marks = &work->marks;
    enum err err = flow->err;

    work_note_refused(flow, "mark");
    flow_fini(flow);
    marks->running = false;
    work->flows--;
    if (err == ERR_OK)
        take_off(marks, marks->writing);
    if (marks->count > 0)
        plan(work, err != ERR_OK                       ? WORK_TICK_MS
                   : marks->count < WORK_MARK_ROWS_MAX ? WORK_MARK_MS
                                                       : 0);
}

void work_marks_flush(struct work *work)
{
    struct work_marks *marks = &work->marks;

    if (marks->running || marks->count == 0)
        return;
    marks->running = true;
    work->flows++;
    flow_init(&marks->flow, work->loop, marks_run, marks_done, NULL);
    flow_start(&marks->flow, MARKS_WRITE);
}

static void on_timer(void *arg)
{
    work_marks_flush(arg);
}

void work_marks_init(struct work *work)
{
    timer_open(&work->marks.timer, work->loop, on_timer, work);
}

void work_mark_sent(struct work *work, struct work_item *item)
{
    struct work_marks *marks = &work->marks;

    if (marks->count == WORK_MARKS_MAX) { /* no database for long: it is sent once more */
        work_item_end(item);
        return;
    }
    if (marks->count == marks->room) {
        marks->room = marks->room > 0 ? marks->room * 2 : WORK_MARK_ROWS_MAX;
        marks->items = heap_realloc(marks->items, marks->room * sizeof(struct work_item *));
    }
    marks->items[marks->count++] = item;
    if (marks->running)
        return;
    if (marks->count == 1)
        plan(work, WORK_MARK_MS);
    else if (marks->count == WORK_MARK_ROWS_MAX)
        work_marks_flush(work);
}

/* ---- events that Kafka refuses for good ---- */

struct park {
    struct flow flow;
    struct work *work;
    struct uuid id;
    const char *why; /* static */
};

static void park_run(struct flow *flow)
{
    struct park *park = FLOW_OF(flow, struct park, flow);
    struct db_batch *batch = db_batch_new(flow->arena);
    struct db_query *query = db_add(batch, &park->work->sql[WORK_SQL_PARK]);

    db_uuid(query, park->id);
    db_text_c(query, park->why);
    flow_wait(flow, FLOW_END);
    db_run(park->work->db, batch, WORK_READ_DEADLINE_MS, flow);
}

/* When it failed, the sweep finds the row again, and so do we. */
static void park_done(struct flow *flow)
{
    struct park *park = FLOW_OF(flow, struct park, flow);

    work_note_refused(flow, "park");
    park->work->flows--;
    flow_fini(flow);
    free(park);
}

void work_park(struct work *work, struct uuid id, const char *topic, const char *why)
{
    struct park *park = heap_zero(sizeof(*park));
    char text[UUID_TEXT_BYTES];

    uuid_format(id, text);
    LOG_ERROR("event_parked", F_STR("event", text), F_STR("topic", topic), F_STR("why", why));
    work->stats.parked++;
    park->work = work;
    park->id = id;
    park->why = why;
    work->flows++;
    flow_init(&park->flow, work->loop, park_run, park_done, NULL);
    flow_start(&park->flow, 0);
}
