/*
 * renewal_doctor: who doctors are, as registration tells it. An application that is still with the
 * prefecture goes with a doctor who moves to another one (R-APP-15); one that was forwarded
 * finishes where it was submitted.
 */
#include "gen/events.h"
#include "renewal/renewal_emit.h"
#include "renewal/renewal_store.h"

enum step { STEP_FIND, STEP_RECORD };

struct job {
    struct flow flow;
    struct renewal *renewal;
    struct work_batch *batch;
    struct doctor_rows rows;
    struct db_query *moved;
};

static void doctor_rows_init(struct doctor_rows *rows, struct arena *arena, size_t most)
{
    *rows = (struct doctor_rows){
        .id = arena_array(arena, int64_t, most),
        .version = arena_array(arena, int64_t, most),
        .register_no = arena_array(arena, struct str, most),
        .mamis_no = arena_array(arena, struct str, most),
        .name = arena_array(arena, struct str, most),
        .name_kana = arena_array(arena, struct str, most),
        .my_page = arena_array(arena, struct str, most),
        .l1_code = arena_array(arena, struct str, most),
        .l2_code = arena_array(arena, struct str, most),
    };
}

/* One row a doctor, the newest of the batch: a statement may write a row only once. */
static void doctor_put(struct doctor_rows *rows, const struct event_doctor_state *event)
{
    size_t at = 0;

    while (at < rows->count && rows->id[at] != event->doctor_id)
        at++;
    if (at < rows->count && rows->version[at] >= event->version)
        return;
    if (at == rows->count)
        rows->count++;
    rows->id[at] = event->doctor_id;
    rows->version[at] = event->version;
    rows->register_no[at] = event->register_no;
    rows->mamis_no[at] = event->mamis_no;
    rows->name[at] = event->name;
    rows->name_kana[at] = event->name_kana;
    rows->my_page[at] = event->my_page;
    rows->l1_code[at] = event->l1_code;
    rows->l2_code[at] = event->l2_code;
}

/* The fee that was paid is the old prefecture's; the new one is only told of it. */
static void hand_over(struct job *job, size_t row)
{
    struct arena *arena = job->batch->arena;
    struct db_batch *effect = job->batch->effect;
    struct application application;
    struct actor actor = {.role = STR("doctor")};
    struct str l2_code, from;
    int64_t now_us = clock_now_us();
    const char *detail;

    store_moved_row(job->moved, row, &application, &l2_code, &actor.account_id);
    from = application.l2_code;
    if (!application_hand_over(&application, l2_code))
        return;
    store_update_office(effect, &application, now_us);
    application.version++;
    detail = arena_printf(arena, "{\"from\":\"%.*s\",\"to\":\"%.*s\",\"fee\":\"%s\"}",
                          STR_ARG(from), STR_ARG(l2_code), app_fee_name(application.fee));
    store_history(effect, application.id, application.version, "hand_over", &actor, STR_NONE,
                  str_of(detail), now_us);
    emit_handed_over(job->renewal, job->batch, &application, from);
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);
    struct db_batch *batch;

    switch ((enum step)flow->step) {
    case STEP_FIND:
        batch = db_batch_new(job->batch->arena);
        job->moved = store_find_moved(batch, &job->rows);
        flow_wait(flow, STEP_RECORD);
        db_run(job->renewal->db, batch, RENEWAL_READ_MS, flow);
        return;
    case STEP_RECORD:
        for (size_t i = 0; i < db_rows(job->moved); i++)
            hand_over(job, i);
        store_doctors(job->batch->effect, &job->rows);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct job, flow)->batch->flow);
}

static enum err take_events(struct job *job, struct err_note *note)
{
    struct arena *arena = job->batch->arena;
    struct work_states states;
    enum err err;

    TRY(work_states(job->batch, &states, note));
    doctor_rows_init(&job->rows, arena, states.count);
    for (size_t i = 0; i < states.count; i++) {
        struct event_doctor_state event;

        TRY(event_doctor_state_decode(arena, states.list[i], &event, note));
        doctor_put(&job->rows, &event);
    }
cleanup:
    return err;
}

void renewal_doctor_handle(void *service, struct work_batch *batch)
{
    struct job *job = arena_new_of(batch->arena, struct job);
    enum err err;

    job->renewal = service;
    job->batch = batch;
    err = take_events(job, &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    flow_init(&job->flow, batch->flow->loop, job_run, job_done, batch->messages[0].trace);
    flow_start(&job->flow, STEP_FIND);
}
