/*
 * renewal_recompute: each doctor that something was marked for is computed once, soon. Several
 * instances may compute the same doctor: the mark keeps an older result from replacing a newer one.
 */
#include <stdlib.h>

#include "renewal/renewal_standing.h"

enum step { STEP_FIND, STEP_READ, STEP_COMPUTE, STEP_NEXT };

struct recompute {
    struct flow flow;
    struct renewal *renewal;
    struct timer timer;
    bool running; /* the flow is under way */
    bool soon;    /* the timer is armed for a burst */
    bool again, closing;
    struct db_query *dirty, *certificates, *credits, *handbook;
    int64_t *doctor_ids, *marks;
    size_t doctor_count;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void arm(struct recompute *recompute, uint64_t delay_ms)
{
    timer_start(&recompute->timer, delay_ms, RENEWAL_TICK_MS);
}

/* Rows are ordered by doctor and programme, so each list is walked once. */
struct cursor {
    const struct db_query *query;
    size_t row;
};

static bool before(int64_t doctor_id, struct str programme, int64_t wanted_id, struct str wanted)
{
    if (doctor_id != wanted_id)
        return doctor_id < wanted_id;
    return !str_eq(programme, wanted) && str_eq_c(programme, "OP");
}

static size_t take_credits(struct cursor *cursor, struct arena *arena, int64_t doctor_id,
                           struct str programme, struct rules_credit **ret)
{
    struct rules_credit *list = NULL;
    size_t count = 0, cap = 0;

    for (; cursor->row < db_rows(cursor->query); cursor->row++) {
        struct credit_row row;

        store_credit_row(cursor->query, cursor->row, &row);
        if (before(row.doctor_id, row.programme, doctor_id, programme))
            continue;
        if (row.doctor_id != doctor_id || !str_eq(row.programme, programme))
            break;
        if (count == cap) {
            struct rules_credit *longer;

            cap = cap == 0 ? 32 : cap * 2;
            longer = arena_array(arena, struct rules_credit, cap);
            for (size_t i = 0; i < count; i++)
                longer[i] = list[i];
            list = longer;
        }
        if (count < RENEWAL_CREDITS_MAX)
            list[count++] = row.credit;
    }
    *ret = list;
    return count;
}

static size_t take_handbook(struct cursor *cursor, struct arena *arena, int64_t doctor_id,
                            struct str programme, struct rules_handbook **ret)
{
    struct rules_handbook *list = arena_array(arena, struct rules_handbook, RENEWAL_HANDBOOK_MAX);
    size_t count = 0;

    for (; cursor->row < db_rows(cursor->query); cursor->row++) {
        struct handbook_row row;

        store_handbook_row(cursor->query, cursor->row, &row);
        if (before(row.doctor_id, row.programme, doctor_id, programme))
            continue;
        if (row.doctor_id != doctor_id || !str_eq(row.programme, programme))
            break;
        if (count < RENEWAL_HANDBOOK_MAX)
            list[count++] = row.line;
    }
    *ret = list;
    return count;
}

/* All standings of the doctors in hand, one row a certificate. */
static void compute(struct recompute *recompute, struct standing_rows *rows)
{
    struct arena *arena = recompute->flow.arena;
    struct cursor credits = {.query = recompute->credits};
    struct cursor handbook = {.query = recompute->handbook};
    const struct rule_book *book = recompute->renewal->book;

    for (size_t i = 0; i < db_rows(recompute->certificates); i++) {
        struct standing_input input = {.mark = INT64_MIN};
        struct certificate_row row;
        struct rules_handbook *lines;

        store_certificate_row(recompute->certificates, i, &row);
        input.doctor_id = row.doctor_id;
        input.programme = row.programme;
        input.period = row.certificate.period;
        input.rules = rules_for(book->sets, book->set_count, row.programme, input.period.from);
        if (input.rules == NULL)
            continue;
        for (size_t j = 0; j < recompute->doctor_count; j++) {
            if (recompute->doctor_ids[j] == row.doctor_id)
                input.mark = recompute->marks[j];
        }
        input.credit_count =
            take_credits(&credits, arena, row.doctor_id, row.programme, &input.credits);
        input.line_count = take_handbook(&handbook, arena, row.doctor_id, row.programme, &lines);
        input.lines = lines;
        standing_put(rows, arena, &input);
    }
}

static void read_doctors(struct recompute *recompute)
{
    struct db_batch *batch = db_batch_new(recompute->flow.arena);
    size_t count = db_rows(recompute->dirty);

    recompute->doctor_count = count;
    recompute->doctor_ids = arena_array(recompute->flow.arena, int64_t, count);
    recompute->marks = arena_array(recompute->flow.arena, int64_t, count);
    for (size_t i = 0; i < count; i++) {
        recompute->doctor_ids[i] = db_get_i64(recompute->dirty, i, 0);
        recompute->marks[i] = db_get_i64(recompute->dirty, i, 1);
    }
    recompute->certificates = store_find_certificates(batch, recompute->doctor_ids, count);
    recompute->credits = store_find_credits(batch, recompute->doctor_ids, count);
    recompute->handbook = store_find_handbook(batch, recompute->doctor_ids, count);
    db_run(recompute->renewal->db, batch, RENEWAL_READ_MS, &recompute->flow);
}

static void save(struct recompute *recompute)
{
    struct db_batch *batch = db_batch_new(recompute->flow.arena);
    struct standing_rows rows;

    standing_rows_init(&rows, recompute->flow.arena, db_rows(recompute->certificates));
    compute(recompute, &rows);
    store_clean(batch, recompute->doctor_ids, recompute->marks, recompute->doctor_count);
    if (rows.count > 0)
        store_standings(batch, &rows, clock_now_us());
    recompute->renewal->figures.standings += rows.count;
    db_run(recompute->renewal->db, batch, RENEWAL_WRITE_MS, &recompute->flow);
}

static void recompute_run(struct flow *flow)
{
    struct recompute *recompute = FLOW_OF(flow, struct recompute, flow);
    struct db_batch *batch;

    switch ((enum step)flow->step) {
    case STEP_FIND:
        batch = db_batch_read(flow->arena);
        recompute->dirty = store_find_dirty(batch, RENEWAL_DIRTY_MAX);
        flow_wait(flow, STEP_READ);
        db_run(recompute->renewal->db, batch, RENEWAL_READ_MS, flow);
        return;
    case STEP_READ:
        if (db_rows(recompute->dirty) == 0) {
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, STEP_COMPUTE);
        read_doctors(recompute);
        return;
    case STEP_COMPUTE:
        flow_wait(flow, STEP_NEXT);
        save(recompute);
        return;
    case STEP_NEXT:
        recompute->again = true; /* there may be more than one handful */
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void timer_closed(void *arg)
{
    struct recompute *recompute = arg;

    recompute->closed(recompute->closed_arg);
    free(recompute);
}

static void recompute_done(struct flow *flow)
{
    struct recompute *recompute = FLOW_OF(flow, struct recompute, flow);

    if (flow->err != ERR_OK)
        LOG_WARN("standing_postponed", F_ERR(flow->err), F_STR("note", flow->note.text));
    flow_fini(flow);
    recompute->running = false;
    if (recompute->closing) {
        timer_close(&recompute->timer, timer_closed);
        return;
    }
    if (recompute->again)
        arm(recompute, 0);
    recompute->again = false;
}

static void tick(void *arg)
{
    struct recompute *recompute = arg;

    recompute->soon = false;
    if (recompute->running)
        return;
    recompute->running = true;
    flow_init(&recompute->flow, recompute->renewal->loop, recompute_run, recompute_done, NULL);
    flow_start(&recompute->flow, STEP_FIND);
}

struct recompute *recompute_open(struct renewal *renewal)
{
    struct recompute *recompute = heap_zero(sizeof(*recompute));

    recompute->renewal = renewal;
    timer_open(&recompute->timer, renewal->loop, tick, recompute);
    arm(recompute, 0);
    return recompute;
}

void recompute_kick(struct recompute *recompute)
{
    if (recompute->running) {
        recompute->again = true;
    } else if (!recompute->closing && !recompute->soon) {
        recompute->soon = true;
        arm(recompute, RENEWAL_GATHER_MS);
    }
}

void recompute_close(struct recompute *recompute, void (*closed)(void *arg), void *arg)
{
    recompute->closing = true;
    recompute->closed = closed;
    recompute->closed_arg = arg;
    timer_stop(&recompute->timer);
    if (!recompute->running)
        timer_close(&recompute->timer, timer_closed);
}
