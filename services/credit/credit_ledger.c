/*
 * credit_ledger: begins the ledger's next part once the youngest is large enough, so that posting
 * costs the same however many credits there are, and keeps the planner's figures of the whole
 * (deploy/migrations/0178_ledger_parts.sql).
 */
#include <stdlib.h>

#include "credit/credit.h"

enum { LEDGER_EVERY_MS = 10 * 60 * 1000, LEDGER_DEADLINE_MS = 60000 };

static const struct db_stmt tend = {
    "credit_tend_ledger",
    "SELECT credit.ledger_tend($1)",
};

enum look_step { LOOK_ASK, LOOK_ANSWERED };

struct ledger_look {
    struct flow flow;
    struct credit *credit;
    struct db_query *query;
};

static void look_run(struct flow *flow)
{
    struct ledger_look *look = FLOW_OF(flow, struct ledger_look, flow);
    struct db_batch *batch;

    switch ((enum look_step)flow->step) {
    case LOOK_ASK:
        batch = db_batch_new(flow->arena);
        look->query = db_add(batch, &tend);
        db_i64(look->query, (int64_t)credit_settings.ledger_part_mib * 1024 * 1024);
        flow_wait(flow, LOOK_ANSWERED);
        db_run(look->credit->db, batch, LEDGER_DEADLINE_MS, flow);
        return;
    case LOOK_ANSWERED:
        look->credit->figures.ledger_parts = (uint32_t)db_get_i32(look->query, 0, 0) + 1;
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void look_done(struct flow *flow)
{
    struct ledger_look *look = FLOW_OF(flow, struct ledger_look, flow);

    if (flow->err != ERR_OK && flow->err != ERR_STOPPING)
        LOG_WARN("ledger_not_tended", F_ERR(flow->err), F_STR("note", flow->note.text));
    look->credit->ledger_looking = false;
    flow_fini(flow);
    free(look);
}

void credit_ledger_look(struct credit *credit)
{
    struct ledger_look *look;

    if (credit->ledger_looking)
        return;
    credit->ledger_looking = true;
    look = heap_zero(sizeof(*look));
    look->credit = credit;
    flow_init(&look->flow, credit->loop, look_run, look_done, NULL);
    flow_start(&look->flow, LOOK_ASK);
}

static void every_while(void *arg)
{
    credit_ledger_look(arg);
}

void credit_ledger_open(struct credit *credit)
{
    timer_open(&credit->ledger_timer, credit->loop, every_while, credit);
    timer_start(&credit->ledger_timer, 0, LEDGER_EVERY_MS);
}

void credit_ledger_close(struct credit *credit, void (*closed)(void *arg))
{
    timer_close(&credit->ledger_timer, closed);
}
