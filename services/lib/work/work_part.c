/*
 * work_part: one partition in hand. Kafka gives it, PostgreSQL says where it goes on. Losing it, or
 * finding that somebody else moved its place, makes void whatever is in hand: the epoch changes,
 * and late answers are not heard.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "work/work_private.h"

static struct work_part *find(struct work *work, const char *topic, int32_t part)
{
    for (struct work_part *found = work->parts; found != NULL; found = found->next)
        if (found->part == part && strcmp(found->topic, topic) == 0)
            return found;
    return NULL;
}

/* What is in hand, and what waits, counts no more. */
static void make_void(struct work_part *part)
{
    if (part->attempted >= 0)
        work_unattempt(part, part->place, part->attempted);
    part->attempted = -1;
    work_queue_drop(part);
    part->epoch++;
    part->failures = 0;
    part->conflicts = 0;
    part->single_until = -1;
    part->waiting = false;
    timer_stop(&part->timer);
}

/* ---- its place ---- */

struct place {
    struct flow flow;
    struct work_part *part;
    unsigned epoch;
    struct db_query *query;
    int64_t low; /* settling: the first offset there is */
};

enum { PLACE_NEXT, PLACE_ATTEMPT_OFFSET, PLACE_ATTEMPTS, PLACE_FRESH, PLACE_PAUSED };
enum place_step { PLACE_READ, PLACE_SETTLE };

static void place_run(struct flow *flow)
{
    struct place *place = FLOW_OF(flow, struct place, flow);
    struct work_part *part = place->part;
    struct db_batch *batch = db_batch_new(flow->arena);

    switch ((enum place_step)flow->step) {
    case PLACE_READ:
        place->query = db_add(batch, &part->work->sql[WORK_SQL_BEGIN]);
        db_text_c(place->query, part->topic);
        db_i32(place->query, part->part);
        break;
    case PLACE_SETTLE:
        place->query = db_add(batch, &part->work->sql[WORK_SQL_ADVANCE]);
        db_text_c(place->query, part->work->service);
        db_text_c(place->query, part->topic);
        db_i32(place->query, part->part);
        db_i64(place->query, part->place);
        db_i64(place->query, place->low);
        break;
    }
    flow_wait(flow, FLOW_END);
    db_run(part->work->db, batch, WORK_READ_DEADLINE_MS, flow);
}

static void begin_at(struct work_part *part, const struct db_query *query)
{
    bool fresh = db_get_bool(query, 0, PLACE_FRESH);

    part->place = db_get_i64(query, 0, PLACE_NEXT);
    part->from_beginning = part->place == 0 && (fresh || part->released);
    part->released = false;
    part->failures = 0;
    part->deaths = db_get_i32(query, 0, PLACE_ATTEMPTS);
    part->died_at = -1;
    if (part->deaths > 0 && !db_is_null(query, 0, PLACE_ATTEMPT_OFFSET)) {
        /* Whatever lies there is looked at alone from now on. */
        part->died_at = db_get_i64(query, 0, PLACE_ATTEMPT_OFFSET);
        part->single_until = part->died_at + WORK_BATCH_MESSAGES_MAX;
    }
    part->state = WORK_PART_RUNNING;
    bus_assign(part->work->consumer, part->topic, part->part,
               part->from_beginning ? BUS_BEGINNING : part->place);
}

static void place_end(struct place *place)
{
    struct work_part *part = place->part;

    part->reading = false;
    flow_fini(&place->flow);
    free(place);
    work_part_unuse(part);
}

static void read_done(struct flow *flow)
{
    struct place *place = FLOW_OF(flow, struct place, flow);
    struct work_part *part = place->part;
    bool wanted = part->state == WORK_PART_READING && !part->work->closing;

    work_note_refused(flow, "place");
    if (wanted && place->epoch != part->epoch)
        work_part_back_off(part);
    else if (wanted && (flow->err != ERR_OK || db_rows(place->query) == 0))
        work_part_back_off(part); /* no row: just made by somebody, not seen by this statement */
    else if (wanted && db_get_bool(place->query, 0, PLACE_PAUSED))
        work_part_hold(part);
    else if (wanted)
        begin_at(part, place->query);
    place_end(place);
}

static void settle_done(struct flow *flow)
{
    struct place *place = FLOW_OF(flow, struct place, flow);
    struct work_part *part = place->part;

    work_note_refused(flow, "settle");
    if (flow->err == ERR_OK && place->epoch == part->epoch && part->state == WORK_PART_RUNNING) {
        part->place = place->low;
        part->from_beginning = false;
    }
    place_end(place);
}

static void place_start(struct work_part *part, enum place_step step, flow_fn done, int64_t low)
{
    struct place *place = heap_zero(sizeof(*place));

    place->part = part;
    place->epoch = part->epoch;
    place->low = low;
    part->reading = true;
    part->users++;
    flow_init(&place->flow, part->work->loop, place_run, done, NULL);
    flow_start(&place->flow, (int)step);
}

static void read_place(struct work_part *part)
{
    if (!part->reading && part->state == WORK_PART_READING && !part->work->closing)
        place_start(part, PLACE_READ, read_done, 0);
}

/*
 * A row that says 0 means offset 0, so that nothing is skipped when it is lost later. Where reading
 * began at a later record, because older ones had gone before anybody asked, the row has to say so.
 */
void work_part_settle(struct work_part *part)
{
    int64_t low;

    if (part->state != WORK_PART_RUNNING || !part->from_beginning || part->reading ||
        part->turn != NULL || part->head != NULL || part->work->closing)
        return;
    low = bus_low(part->work->consumer, part->topic, part->part);
    if (low > 0)
        place_start(part, PLACE_SETTLE, settle_done, low);
}

/* ---- life ---- */

static void on_timer(void *arg)
{
    struct work_part *part = arg;

    part->waiting = false;
    if (part->state == WORK_PART_READING)
        read_place(part);
    else
        work_part_kick(part);
}

static struct work_part *part_new(struct work *work, const char *topic, int32_t number)
{
    struct work_part *part = heap_zero(sizeof(*part));

    part->work = work;
    part->topic = heap_strdup(topic);
    part->part = number;
    part->attempted = -1;
    part->died_at = -1;
    part->single_until = -1;
    part->users = 1; /* the timer */
    timer_open(&part->timer, work->loop, on_timer, part);
    part->next = work->parts;
    work->parts = part;
    work->part_users++;
    return part;
}

void work_part_unuse(struct work_part *part)
{
    if (--part->users > 0)
        return;
    part->work->part_users--;
    free(part->topic);
    free(part);
}

static void timer_gone(void *arg)
{
    work_part_unuse(arg);
}

void work_part_lose(struct work_part *part)
{
    struct work_part **link = &part->work->parts;

    while (*link != part)
        link = &(*link)->next;
    *link = part->next;
    make_void(part);
    part->state = WORK_PART_GONE;
    timer_close(&part->timer, timer_gone);
}

void work_part_reread(struct work_part *part, uint64_t delay_ms)
{
    make_void(part);
    part->state = WORK_PART_READING;
    part->waiting = true;
    timer_start(&part->timer, delay_ms, 0);
}

void work_part_back_off(struct work_part *part)
{
    uint64_t delay_ms = WORK_BACKOFF_FIRST_MS;
    uint32_t random;

    for (unsigned i = 0; i < part->failures && delay_ms < WORK_BACKOFF_MAX_MS; i++)
        delay_ms *= 2;
    if (delay_ms > WORK_BACKOFF_MAX_MS)
        delay_ms = WORK_BACKOFF_MAX_MS;
    part->failures++;
    random_bytes(&random, sizeof(random));
    part->waiting = true;
    timer_start(&part->timer, delay_ms / 2 + random % (delay_ms / 2 + 1), 0);
}

void work_part_kick(struct work_part *part)
{
    if (part->state == WORK_PART_RUNNING && part->turn == NULL && !part->waiting &&
        !part->reading && part->head != NULL && !part->work->closing)
        work_turn_start(part);
}

void work_parts_kick(struct work_part *last)
{
    struct work *work = last->work;

    if (last->state != WORK_PART_GONE)
        for (struct work_part *part = last->next; part != NULL; part = part->next)
            work_part_kick(part);
    for (struct work_part *part = work->parts; part != NULL && part != last; part = part->next)
        work_part_kick(part);
    work_part_kick(last);
}

void work_part_pass(struct work_part *part, int64_t next)
{
    part->place = next;
    part->from_beginning = false;
    part->attempted = -1;
    part->failures = 0;
    part->conflicts = 0;
    if (part->work->consumer != NULL)
        bus_note_offset(part->work->consumer, part->topic, part->part, next);
}

/* ---- pausing ---- */

void work_part_hold(struct work_part *part)
{
    make_void(part);
    part->state = WORK_PART_HELD;
    LOG_INFO("partition_held", F_STR("topic", part->topic), F_I64("part", part->part));
    bus_hold(part->work->consumer, part->topic, part->part);
}

void work_part_release(struct work_part *part)
{
    LOG_INFO("partition_released", F_STR("topic", part->topic), F_I64("part", part->part));
    part->released = true;
    work_part_reread(part, 0);
}

/* ---- what the bus tells ---- */

static void on_assigned(void *arg, const char *topic, int32_t number)
{
    struct work *work = arg;
    struct work_part *part = find(work, topic, number);

    if (part != NULL) /* a generation without a revocation: begin anew all the same */
        work_part_lose(part);
    LOG_INFO("partition_given", F_STR("topic", topic), F_I64("part", number));
    read_place(part_new(work, topic, number));
}

static void on_revoked(void *arg, const char *topic, int32_t number)
{
    struct work_part *part = find(arg, topic, number);

    if (part == NULL)
        return;
    LOG_INFO("partition_taken", F_STR("topic", topic), F_I64("part", number));
    work_part_lose(part);
}

static void on_message(void *arg, const struct bus_message *message)
{
    struct work_part *part = find(arg, message->topic, message->part);

    if (part != NULL && work_queue_add(part, message))
        work_part_kick(part);
}

static void on_stopped(void *arg, const char *topic, int32_t number, enum err err)
{
    struct work_part *part = find(arg, topic, number);

    if (part == NULL || part->state != WORK_PART_RUNNING)
        return;
    make_void(part);
    part->state = WORK_PART_STOPPED;
    LOG_ERROR("partition_stopped", F_STR("topic", topic), F_I64("part", number),
              F_I64("next", part->place), F_ERR(err));
}

const struct bus_consumer_events work_part_events = {
    .assigned = on_assigned, .revoked = on_revoked, .message = on_message, .stopped = on_stopped};
