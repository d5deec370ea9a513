/*
 * gateway_watch_doctor: what changes on a doctor's My Page. The event id is how many entries the
 * ledger has of the doctor and the mark of the standing, "12.345"; a page that knows neither is
 * told both once.
 */
#include "gateway/gateway_watch.h"

void endpoint_watch_me(struct flow *flow);

enum watch_step { WATCH_FIND, WATCH_FOUND };

static const struct db_stmt select_marks = {
    "gateway_watch_doctors",
    "SELECT doctor_id, entries, standing, turns FROM portal.doctor_marks($1, $2, $3, $4)",
};

static void tell(struct watch *watch, const char *event)
{
    struct buf text = {0};

    buf_printf(&text, "id: %lld.%lld\nevent: %s\ndata: {}\n\n", (long long)watch->entries,
               (long long)watch->standing, event);
    watch_write(watch, buf_str(&text));
    buf_free(&text);
}

static void take(struct watch *watch, int64_t entries, int64_t standing)
{
    const bool credits = watch->entries != entries, standings = watch->standing != standing;

    watch->entries = entries;
    watch->standing = standing;
    if (credits)
        tell(watch, "credits");
    if (standings)
        tell(watch, "standing");
}

struct db_query *watch_doctor_ask(struct watchers *watchers, struct db_batch *batch)
{
    struct arena *arena = db_batch_arena(batch);
    int64_t *doctors = arena_array(arena, int64_t, watchers->count);
    int64_t *entries = arena_array(arena, int64_t, watchers->count);
    int64_t *standing = arena_array(arena, int64_t, watchers->count);
    struct db_query *query = db_add(batch, &select_marks);
    size_t count = 0;

    for (struct watch *watch = watchers->list; watch != NULL; watch = watch->next) {
        if (watch->kind != WATCH_DOCTOR || !watch->asked)
            continue;
        doctors[count] = watch->doctor_id;
        entries[count] = watch->entries;
        standing[count++] = watch->standing;
    }
    db_i64_array(query, doctors, count);
    db_i64_array(query, entries, count);
    db_i64_array(query, standing, count);
    db_i64(query, watchers->turns);
    /* A stream that begins meanwhile sets it back, so that its first look is a whole one. */
    watchers->turns = INT64_MAX;
    return query;
}

void watch_doctor_tell(struct watchers *watchers, struct watch *watch)
{
    const struct db_query *query = watchers->queries[WATCH_DOCTOR];

    if (watchers->turns == INT64_MAX && db_rows(query) > 0)
        watchers->turns = db_get_i64(query, 0, 3);
    for (size_t i = 0; i < db_rows(query); i++)
        if (db_get_i64(query, i, 0) == watch->doctor_id)
            take(watch, db_get_i64(query, i, 1), db_get_i64(query, i, 2));
}

/* ---- GET /me/events ---- */

static void ask_one(struct call *call)
{
    const int64_t none = -1;

    call->query = db_add(call_scoped(call), &select_marks);
    db_i64_array(call->query, &call->who.doctor_id, 1);
    db_i64_array(call->query, &none, 1);
    db_i64_array(call->query, &none, 1);
    db_i64(call->query, none);
    call_run(call, WATCH_FOUND);
}

/* "12.345"; anything else is as good as none. */
static bool resumed(const struct call *call, int64_t *ret_entries, int64_t *ret_standing)
{
    struct str left = call_text(call, "Last-Event-ID"), first;

    return left.data != NULL && str_cut(&left, '.', &first) && str_to_i64(first, ret_entries) &&
           str_to_i64(left, ret_standing);
}

static void found(struct call *call)
{
    const int64_t entries = db_get_i64(call->query, 0, 1);
    const int64_t standing = db_get_i64(call->query, 0, 2);
    int64_t seen_entries = -1, seen_standing = -1;
    bool known = resumed(call, &seen_entries, &seen_standing);
    struct watch *watch = watch_begin(call, WATCH_DOCTOR);

    if (watch == NULL)
        return;
    watch->doctor_id = call->who.doctor_id;
    watch->entries = known ? seen_entries : -1;
    watch->standing = known ? seen_standing : -1;
    call->gateway->watchers->turns = -1;
    take(watch, entries, standing);
    flow_end(&call->flow, ERR_OK);
}

void endpoint_watch_me(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum watch_step)flow->step) {
    case WATCH_FIND:
        ask_one(call);
        return;
    case WATCH_FOUND:
        found(call);
        return;
    }
    must(false);
}
