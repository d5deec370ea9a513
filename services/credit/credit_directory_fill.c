/* credit_directory_fill: one flow a page, so that no more than a page is held twice. */
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

static void fill_done(struct flow *flow)
{
    struct fill *fill = FLOW_OF(flow, struct fill, flow);
    struct credit *credit = fill->credit;
    const enum err err = flow->err;
    const bool complete = fill->complete;

    if (err != ERR_OK && err != ERR_STOPPING)
        LOG_WARN("directory_not_filled", F_ERR(err), F_STR("note", flow->note.text));
    flow_fini(flow);
    free(fill);
    if (credit->directory_closing || err == ERR_STOPPING)
        return;
    if (err == ERR_OK && complete) {
        credit->directory_filled = true;
        credit->on_directory_filled(credit);
    } else {
        timer_start(&credit->directory_timer, err == ERR_OK ? 0 : FILL_AGAIN_MS, 0);
    }
}

static void fill_page(void *arg)
{
    struct fill *fill = heap_zero(sizeof(*fill));

    fill->credit = arg;
    flow_init(&fill->flow, fill->credit->loop, fill_run, fill_done, NULL);
    flow_start(&fill->flow, FILL_ASK);
}

void credit_directory_open(struct credit *credit, void (*filled)(struct credit *credit))
{
    credit->directory = directory_new();
    credit->on_directory_filled = filled;
    timer_open(&credit->directory_timer, credit->loop, fill_page, credit);
    timer_start(&credit->directory_timer, 0, 0);
}

void credit_directory_close(struct credit *credit, void (*closed)(void *arg))
{
    credit->directory_closing = true;
    timer_close(&credit->directory_timer, closed);
}
