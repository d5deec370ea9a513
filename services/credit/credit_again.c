/*
 * credit_again: row.judge, the message that a row be judged again although nobody mended it: its
 * doctor's My Page is complete, or the row that it repeats stands no longer. See credit_row.h for
 * the way of the row; credit_release and credit_row_record send the message.
 */
#include "credit/credit_audit.h"
#include "credit/credit_row.h"

enum again_step { AGAIN_JUDGE, AGAIN_RECORD };

struct again {
    struct flow flow;
    struct work_batch *batch;
    struct row row;
    struct credit_tally tally;
};

static void release_row(void *object)
{
    row_fini(object);
}

/* Nobody asked for it: it waited for its doctor's My Page, or for the row that it repeats. */
static void audit(const struct again *again)
{
    const enum outcome before = row_outcome_before(&again->row);
    const enum outcome now = (enum outcome)row_verdict(&again->row)->outcome;
    struct arena *arena = again->flow.arena;
    char id[UUID_TEXT_BYTES];

    if (now == before)
        return;
    uuid_format(again->row.upload_id, id);
    audit_add(again->batch->effect, NULL, "row_judge",
              arena_printf(arena, "%s/%u", id, again->row.row_no),
              str_of(arena_printf(arena, "{\"rule\":\"%s\",\"from\":\"%s\",\"to\":\"%s\"}",
                                  before == OUTCOME_WAITING ? "R-ACC-10" : "same_upload",
                                  outcome_name(before), outcome_name(now))));
}

static void again_run(struct flow *flow)
{
    struct again *again = FLOW_OF(flow, struct again, flow);

    switch ((enum again_step)flow->step) {
    case AGAIN_JUDGE:
        arena_defer(flow->arena, release_row, &again->row);
        flow_wait(flow, AGAIN_RECORD);
        row_judge(&again->row, flow->trace, flow);
        return;
    case AGAIN_RECORD:
        if (again->row.state == ROW_FINE) {
            row_record(&again->row, again->batch->effect, &again->tally);
            audit(again);
        }
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void again_done(struct flow *flow)
{
    struct again *again = FLOW_OF(flow, struct again, flow);
    struct flow *waiting = again->batch->flow;
    enum err err = flow->err;

    again->batch->state = &again->tally;
    waiting->note = flow->note;
    flow_fini(flow);
    flow_resume(waiting, err);
}

void credit_again_handle(void *service, struct work_batch *batch)
{
    struct again *again = arena_new_of(batch->arena, struct again);
    struct event_row_judge event;
    enum err err;

    TRY(event_row_judge_decode(batch->arena, batch->messages[0].data, &event, &batch->flow->note));
    again->batch = batch;
    again->row = (struct row){
        .credit = service, .upload_id = event.upload_id, .row_no = (uint32_t)event.row_no};
    flow_init(&again->flow, again->row.credit->loop, again_run, again_done,
              batch->messages[0].trace);
    flow_start(&again->flow, AGAIN_JUDGE);
    return;
cleanup:
    flow_resume(batch->flow, err);
}
