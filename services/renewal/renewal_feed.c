/* renewal_feed: what others tell of certificates and credits. */
#include "posted/posted.h"
#include "renewal/renewal_store.h"

/* The row is this service's own (or an import's); the event says that it changed. */
void renewal_certificate_handle(void *service, struct work_batch *batch)
{
    struct work_states states;
    int64_t *doctor_ids;
    enum err err;

    (void)service;
    TRY(work_states(batch, &states, &batch->flow->note));
    doctor_ids = arena_array(batch->arena, int64_t, states.count);
    for (size_t i = 0; i < states.count; i++) {
        struct event_certificate_state event;

        TRY(event_certificate_state_decode(batch->arena, states.list[i], &event,
                                           &batch->flow->note));
        doctor_ids[i] = event.doctor_id;
    }
    store_mark(batch->effect, doctor_ids, states.count);
cleanup:
    flow_resume(batch->flow, err);
}

static bool concerns_us(struct str programme)
{
    return str_eq_c(programme, "OP") || str_eq_c(programme, "SP");
}

static void take_sessions(struct arena *arena, const struct event_credits_posted *event,
                          struct session_rows *rows)
{
    size_t most = event->sessions_count;

    *rows = (struct session_rows){
        .count = most,
        .id = arena_array(arena, int64_t, most),
        .seminar_no = arena_array(arena, struct str, most),
        .seminar_title = arena_array(arena, struct str, most),
        .session_no = arena_array(arena, struct str, most),
        .title = arena_array(arena, struct str, most),
        .delivery = arena_array(arena, struct str, most),
        .held_on = arena_array(arena, day_t, most),
    };
    for (size_t i = 0; i < most; i++) {
        rows->id[i] = event->sessions[i].session_id;
        rows->seminar_no[i] = event->seminar_no;
        rows->seminar_title[i] = event->seminar_title;
        rows->session_no[i] = event->sessions[i].session_no;
        rows->title[i] = event->sessions[i].title;
        rows->delivery[i] = event->sessions[i].delivery;
        rows->held_on[i] = event->sessions[i].held_on;
    }
}

static struct credit_rows credit_rows_of(struct arena *arena, size_t most)
{
    return (struct credit_rows){
        .doctor_id = arena_array(arena, int64_t, most),
        .session_id = arena_array(arena, int64_t, most),
        .programme = arena_array(arena, struct str, most),
        .kind = arena_array(arena, struct str, most),
        .revision = arena_array(arena, int32_t, most),
        .half_units = arena_array(arena, int32_t, most),
    };
}

static void take_credits(struct arena *arena, const struct event_credits_posted *event,
                         const struct posted_entries *entries, struct credit_rows *rows)
{
    *rows = credit_rows_of(arena, entries->count);
    for (size_t i = 0; i < entries->count; i++) {
        size_t at = rows->count;

        if (!concerns_us(entries->programmes[i]))
            continue;
        rows->doctor_id[at] = entries->doctor_ids[i];
        rows->session_id[at] = event->sessions[entries->places[i]].session_id;
        rows->programme[at] = entries->programmes[i];
        rows->kind[at] = entries->kinds[i];
        rows->revision[at] = (int32_t)entries->revisions[i];
        rows->half_units[at] = (int32_t)entries->half_units[i];
        rows->count++;
    }
}

/* All marks of the batch in one statement, so that locks are taken in one order. */
void renewal_credits_handle(void *service, struct work_batch *batch)
{
    struct renewal *renewal = service;
    int64_t *marked = NULL;
    size_t marked_count = 0, most = 0;
    enum err err = ERR_OK;

    for (size_t i = 0; i < batch->count; i++) {
        struct event_credits_posted event;
        struct posted_entries entries;
        struct session_rows sessions;
        struct credit_rows credits;
        int64_t *longer;

        TRY(event_credits_posted_decode(batch->arena, batch->messages[i].data, &event,
                                        &batch->flow->note));
        TRY(posted_entries_read(&entries, batch->arena, &event, &batch->flow->note));
        take_credits(batch->arena, &event, &entries, &credits);
        if (credits.count == 0)
            continue;
        take_sessions(batch->arena, &event, &sessions);
        store_sessions(batch->effect, &sessions);
        store_credits(batch->effect, &credits);
        renewal->figures.credits += credits.count;
        most = marked_count + credits.count;
        longer = arena_array(batch->arena, int64_t, most);
        for (size_t j = 0; j < most; j++)
            longer[j] = j < marked_count ? marked[j] : credits.doctor_id[j - marked_count];
        marked = longer;
        marked_count = most;
    }
    if (marked_count > 0)
        store_mark(batch->effect, marked, marked_count);
cleanup:
    flow_resume(batch->flow, err);
}

static void add_credits_state(struct work_batch *batch, const struct event_credits_state *event)
{
    int64_t id = event->session_id;
    struct str seminar_no = event->seminar_no, seminar_title = event->seminar_title;
    struct str session_no = event->session_no, title = event->title, delivery = event->delivery;
    day_t held_on = event->held_on;
    const struct session_rows session = {1,           &id,    &seminar_no, &seminar_title,
                                         &session_no, &title, &delivery,   &held_on};
    struct credit_rows credits = credit_rows_of(batch->arena, event->credits_count);

    for (size_t i = 0; i < event->credits_count; i++) {
        const struct event_credits_state_credit *credit = &event->credits[i];

        credits.doctor_id[i] = credit->doctor_id;
        credits.session_id[i] = event->session_id;
        credits.programme[i] = credit->programme;
        credits.kind[i] = credit->kind;
        credits.revision[i] = (int32_t)credit->revision;
        credits.half_units[i] = (int32_t)credit->half_units;
    }
    credits.count = event->credits_count;
    store_sessions(batch->effect, &session);
    store_credits_state(batch->effect, &credits);
    store_mark(batch->effect, credits.doctor_id, credits.count);
}

/* In the partition of the seminar's credits.posted, so nobody else writes the same rows. */
void renewal_credits_state_handle(void *service, struct work_batch *batch)
{
    struct event_credits_state event;
    enum err err;

    (void)service;
    TRY(event_credits_state_decode(batch->arena, batch->messages[0].data, &event,
                                   &batch->flow->note));
    add_credits_state(batch, &event);
cleanup:
    flow_resume(batch->flow, err);
}

void renewal_marked(void *service, const struct work_batch *batch)
{
    struct renewal *renewal = service;

    (void)batch;
    recompute_kick(renewal->recompute);
}
