/*
 * procedure_clock: so that nothing waits unseen. Decided procedures take effect on their day, every
 * desk hears once a day what waits there (M09), applicants are asked again to answer a return, and
 * trainees hear that their training ends (M14). Sign-ups that were refused end as well. Several
 * instances may do it: versions and keys let each thing happen once.
 */
#include <stdlib.h>

#include "gen/events.h"
#include "registration/procedure.h"

enum {
    CLOCK_TICK_MS = 2000,
    CLOCK_DUE_MAX = 20,
    CLOCK_DESKS_MAX = 100,
    CLOCK_DIGEST_HOUR = 7,  /* of the day, Japan */
    CLOCK_REMIND_DAYS = 7,  /* between two reminders of the same return */
    CLOCK_DIGEST_DAYS = 35, /* how long it is known who was told */
};

enum step {
    STEP_FIND,
    STEP_NEXT,
    STEP_READ,
    STEP_SETTLE,
    STEP_FAILED,
    STEP_DESKS,
    STEP_TRAINEES,
    STEP_TOLD
};

struct procedure_clock {
    struct flow flow;
    struct registration *registration;
    struct loop *loop;
    struct timer timer;
    bool running, again, closing;
    /* The last procedure looked at and its day: one that fails holds up no other. */
    struct uuid after;
    day_t after_on;
    struct db_query *due, *desks, *trainees;
    size_t row, next;
    struct uuid id;
    struct procedure_case *found;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* In the order of their days, as they would have come one by one: what follows builds upon it. */
static const struct db_stmt find_due = {
    "registration_find_due",
    "SELECT procedure_id, doctor_id, effective_on FROM registration.procedure"
    " WHERE (effective_on, procedure_id) > ($5, $1)"
    " AND ((stage IN ('done', 'partial') AND applied_on IS NULL AND effective_on <= $2)"
    "  OR (stage = 'returned' AND due_on < $2"
    "      AND (reminded_on IS NULL OR reminded_on + $3 <= $2)))"
    " ORDER BY effective_on, procedure_id LIMIT $4",
};

static const struct db_stmt find_desks = {
    "registration_find_desks",
    "SELECT desk, count(*), count(*) FILTER (WHERE due_on < $1),"
    "  ($1 - (min(stage_at) AT TIME ZONE 'Asia/Tokyo')::date)::int"
    " FROM (SELECT desk, due_on, stage_at FROM registration.procedure WHERE desk <> ''"
    "  UNION ALL SELECT confirm_desk, NULL, stage_at FROM registration.procedure"
    "   WHERE confirm_desk <> '' AND confirmed_at IS NULL) AS waiting"
    " WHERE NOT EXISTS (SELECT FROM registration.digest g WHERE g.day = $1 AND g.desk = "
    "waiting.desk)"
    " GROUP BY desk ORDER BY desk LIMIT $2",
};

static const struct db_stmt insert_digest = {
    "registration_insert_digest",
    "INSERT INTO registration.digest (day, desk) VALUES ($1, $2)",
};

static const struct db_stmt forget_digests = {
    "registration_forget_digests",
    "DELETE FROM registration.digest WHERE day < $1",
};

static day_t today(void)
{
    return day_of_us(clock_now_us());
}

static bool is_digest_time(void)
{
    return clock_now_us() >=
           day_start_us(today()) + CLOCK_DIGEST_HOUR * INT64_C(3600) * CLOCK_SECOND_US;
}

static void find(struct procedure_clock *clock)
{
    struct db_batch *batch = db_batch_new(clock->flow.arena);

    clock->due = db_add(batch, &find_due);
    db_uuid(clock->due, clock->after);
    db_day(clock->due, today());
    db_i32(clock->due, CLOCK_REMIND_DAYS);
    db_i64(clock->due, CLOCK_DUE_MAX);
    db_day(clock->due, clock->after_on);
    clock->desks = db_add(batch, &find_desks);
    db_day(clock->desks, today());
    db_i64(clock->desks, is_digest_time() ? CLOCK_DESKS_MAX : 0);
    clock->trainees = training_find(batch, today(), is_digest_time());
    store_forget_refused(batch, clock_now_us());
    db_run(clock->registration->db, batch, PROCEDURE_READ_MS, &clock->flow);
}

/* One procedure: its day has come, or its applicant is reminded; else somebody else was quicker. */
static void settle(struct procedure_clock *clock)
{
    struct procedure_case *found = clock->found;
    struct stored *stored = &found->stored;
    struct db_batch *batch = db_batch_new(clock->flow.arena);

    case_take(found, clock->id);
    if (found->stored_found && found->doctor_found && apply_is_due(stored, today())) {
        apply_procedure(clock->registration, batch, found, NULL);
    } else if (found->stored_found && stored->procedure.stage == STAGE_RETURNED) {
        store_reminded(batch, clock->id, today());
        tell_state(clock->registration, batch, stored, "remind", 0, NULL);
    }
    work_run(clock->registration->work, batch, PROCEDURE_WRITE_MS, &clock->flow);
}

static void tell_desk(struct procedure_clock *clock, struct db_batch *batch, size_t row)
{
    struct str desk = db_get_text(clock->desks, row, 0);
    struct str code = desk.len > 3 ? (struct str){desk.data + 3, desk.len - 3} : STR("");
    const struct event_procedure_digest event = {
        .layer = desk.data[1] - '0',
        .code = code,
        .day = today(),
        .waiting = db_get_i64(clock->desks, row, 1),
        .overdue = db_get_i64(clock->desks, row, 2),
        .oldest_days = db_get_i64(clock->desks, row, 3),
    };
    const struct work_event told = {
        .type = EVENT_PROCEDURE_DIGEST,
        .topic = TOPIC_PROCEDURE_EVENTS,
        .key = desk,
        .data = event_procedure_digest_encode(&event),
    };
    struct db_query *query = db_add(batch, &insert_digest);

    db_day(query, today());
    db_text(query, desk);
    (void)work_emit(clock->registration->work, batch, &told, NULL);
}

static void tell_desks(struct procedure_clock *clock)
{
    struct db_batch *batch = db_batch_new(clock->flow.arena);
    size_t rows = db_rows(clock->desks);

    for (size_t i = 0; i < rows; i++)
        tell_desk(clock, batch, i);
    if (rows > 0)
        db_day(db_add(batch, &forget_digests), today() - CLOCK_DIGEST_DAYS);
    clock->again = clock->again || rows == CLOCK_DESKS_MAX;
    work_run(clock->registration->work, batch, PROCEDURE_WRITE_MS, &clock->flow);
}

static void tell_trainees(struct procedure_clock *clock)
{
    struct db_batch *batch = db_batch_new(clock->flow.arena);

    if (training_remind(clock->registration, batch, clock->trainees, today()))
        clock->again = true;
    work_run(clock->registration->work, batch, PROCEDURE_WRITE_MS, &clock->flow);
}

static void begin_again(struct procedure_clock *clock)
{
    clock->after = (struct uuid){{0}};
    clock->after_on = 0; /* 1970: before all of them */
}

static void next(struct procedure_clock *clock)
{
    size_t rows = db_rows(clock->due);

    if (clock->next == rows) {
        /* Begin again from the start when this was the last handful. */
        clock->again = rows == CLOCK_DUE_MAX;
        if (rows < CLOCK_DUE_MAX)
            begin_again(clock);
        flow_on_error(&clock->flow, FLOW_END);
        flow_goto(&clock->flow, STEP_DESKS);
        return;
    }
    clock->row = clock->next++;
    clock->id = clock->after = db_get_uuid(clock->due, clock->row, 0);
    clock->after_on = db_get_day(clock->due, clock->row, 2);
    flow_on_error(&clock->flow, STEP_FAILED);
    flow_goto(&clock->flow, STEP_READ);
}

static void clock_run(struct flow *flow)
{
    struct procedure_clock *clock = FLOW_OF(flow, struct procedure_clock, flow);

    switch ((enum step)flow->step) {
    case STEP_FIND:
        clock->next = 0;
        clock->found = arena_new_of(flow->arena, struct procedure_case);
        flow_wait(flow, STEP_NEXT);
        find(clock);
        return;
    case STEP_NEXT:
        next(clock);
        return;
    case STEP_READ:
        flow_wait(flow, STEP_SETTLE);
        case_read(clock->registration, flow->arena, db_get_i64(clock->due, clock->row, 1),
                  clock->id, STR_NONE, clock->found, flow);
        return;
    case STEP_SETTLE:
        flow_wait(flow, STEP_NEXT);
        settle(clock);
        return;
    case STEP_FAILED: /* the others go on; this one is looked at again in the next round */
        LOG_WARN("procedure_postponed", F_ERR(flow->err), F_STR("note", flow->note.text));
        flow->err = ERR_OK;
        flow_goto(flow, STEP_NEXT);
        return;
    case STEP_DESKS:
        flow_wait(flow, STEP_TRAINEES);
        tell_desks(clock);
        return;
    case STEP_TRAINEES:
        flow_wait(flow, STEP_TOLD);
        tell_trainees(clock);
        return;
    case STEP_TOLD:
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void timer_closed(void *arg)
{
    struct procedure_clock *clock = arg;

    clock->closed(clock->closed_arg);
    free(clock);
}

static void clock_done(struct flow *flow)
{
    struct procedure_clock *clock = FLOW_OF(flow, struct procedure_clock, flow);

    /* Another instance told the desks at the same moment. */
    if (flow->err != ERR_OK && flow->err != ERR_DB_CONFLICT)
        LOG_WARN("procedures_postponed", F_ERR(flow->err), F_STR("note", flow->note.text));
    flow_fini(flow);
    clock->running = false;
    if (clock->closing) {
        timer_close(&clock->timer, timer_closed);
        return;
    }
    timer_start(&clock->timer, clock->again ? 0 : CLOCK_TICK_MS, 0);
    clock->again = false;
}

static void tick(void *arg)
{
    struct procedure_clock *clock = arg;

    clock->running = true;
    flow_init(&clock->flow, clock->loop, clock_run, clock_done, NULL);
    flow_start(&clock->flow, STEP_FIND);
}

struct procedure_clock *procedure_clock_open(struct registration *registration, struct loop *loop)
{
    struct procedure_clock *clock = heap_zero(sizeof(*clock));

    clock->registration = registration;
    clock->loop = loop;
    timer_open(&clock->timer, loop, tick, clock);
    timer_start(&clock->timer, CLOCK_TICK_MS, 0);
    return clock;
}

void procedure_clock_close(struct procedure_clock *clock, void (*closed)(void *arg), void *arg)
{
    clock->closing = true;
    clock->closed = closed;
    clock->closed_arg = arg;
    timer_stop(&clock->timer);
    if (!clock->running)
        timer_close(&clock->timer, timer_closed);
}
