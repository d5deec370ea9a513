/*
 * credit_directory_fill: one flow a page, one page at a time, so that no more than a page is held
 * twice, however much changed and however many wait for it.
 */
#include <stdlib.h>

#include "credit/credit_directory.h"
#include "credit/credit_upload.h"

enum { FILL_AGAIN_MS = 500 };

enum fill_step { FILL_ASK, FILL_TAKE };

struct fill {
    struct flow flow;
    struct credit *credit;
    struct db_query *changes;
    bool complete;
};

struct directory_waiter {
    struct directory_waiter *next;
    struct flow *flow;
};

static void fill_run(struct flow *flow)
{
    struct fill *fill = FLOW_OF(flow, struct fill, flow);
    struct directory *directory = fill->credit->directory;

    switch ((enum fill_step)flow->step) {
    case FILL_ASK: {
        struct db_batch *batch = db_batch_read(flow->arena);

        fill->changes = directory_ask(directory, batch);
        flow_wait(flow, FILL_TAKE);
        db_run(fill->credit->db, batch, UPLOAD_READ_DEADLINE_MS, flow);
        return;
    }
    case FILL_TAKE:
        flow_end(flow, directory_take(directory, fill->changes, &fill->complete, &flow->note));
        return;
    }
    must(false);
}

/* Those who wait look for themselves whether it is complete now. */
static void resume_waiters(struct credit *credit, enum err err)
{
    struct directory_waiter *waiter = credit->directory_waiters;

    credit->directory_waiters = NULL;
    while (waiter != NULL) {
        struct directory_waiter *next = waiter->next;

        flow_resume(waiter->flow, err);
        waiter = next; /* it lies in the arena of a flow that goes on from the loop */
    }
}

static void fill_ended(struct credit *credit, enum err err)
{
    credit->directory_filling = false;
    resume_waiters(credit, err);
    if (credit->directory_filled || credit->directory_closing || err == ERR_STOPPING)
        return;
    if (err == ERR_OK) {
        credit->directory_filled = true;
        credit->on_directory_filled(credit);
    } else {
        timer_start(&credit->directory_timer, FILL_AGAIN_MS, 0);
    }
}

static void fill_page(struct credit *credit);

static void fill_done(struct flow *flow)
{
    struct fill *fill = FLOW_OF(flow, struct fill, flow);
    struct credit *credit = fill->credit;
    const enum err err = flow->err;
    const bool more = err == ERR_OK && !fill->complete && !credit->directory_closing;

    if (err != ERR_OK && err != ERR_STOPPING)
        LOG_WARN("directory_not_filled", F_ERR(err), F_STR("note", flow->note.text));
    flow_fini(flow);
    free(fill);
    if (more)
        fill_page(credit);
    else
        fill_ended(credit, err);
}

static void fill_page(struct credit *credit)
{
    struct fill *fill = heap_zero(sizeof(*fill));

    fill->credit = credit;
    flow_init(&fill->flow, credit->loop, fill_run, fill_done, NULL);
    flow_start(&fill->flow, FILL_ASK);
}

void credit_directory_follow(struct credit *credit)
{
    if (credit->directory_filling || credit->directory_closing)
        return;
    credit->directory_filling = true;
    fill_page(credit);
}

void credit_directory_wait(struct credit *credit, struct flow *flow)
{
    struct directory_waiter *waiter;

    if (credit->directory_closing) { /* nobody would resume it */
        flow_resume(flow, ERR_STOPPING);
        return;
    }
    waiter = arena_new_of(flow->arena, struct directory_waiter);
    *waiter = (struct directory_waiter){.next = credit->directory_waiters, .flow = flow};
    credit->directory_waiters = waiter;
    credit_directory_follow(credit);
}

static void begin(void *arg)
{
    credit_directory_follow(arg);
}

void credit_directory_open(struct credit *credit, void (*filled)(struct credit *credit))
{
    credit->directory = directory_new();
    credit->on_directory_filled = filled;
    timer_open(&credit->directory_timer, credit->loop, begin, credit);
    timer_start(&credit->directory_timer, 0, 0);
}

void credit_directory_close(struct credit *credit, void (*closed)(void *arg))
{
    credit->directory_closing = true;
    if (!credit->directory_filling)
        resume_waiters(credit, ERR_STOPPING);
    timer_close(&credit->directory_timer, closed);
}
