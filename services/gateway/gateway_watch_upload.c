/* gateway_watch_upload: progress of an upload. The event id is the upload's version. */
#include <stdlib.h>

#include "gateway/gateway_watch.h"

void endpoint_watch_upload(struct flow *flow);

enum watch_step { WATCH_FIND, WATCH_FOUND };

static const struct db_stmt select_changed = {
    "gateway_watch",
    "SELECT u.upload_id, u.version, u.status IN ('done', 'refused', 'undone'), u.json::text"
    " FROM unnest($1::uuid[], $2::bigint[]) AS w (upload_id, version)"
    " JOIN portal.upload u ON u.upload_id = w.upload_id AND u.version > w.version",
};
static const struct db_stmt select_one = {
    "gateway_watch_one",
    "SELECT version, status IN ('done', 'refused', 'undone'), json::text FROM portal.upload"
    " WHERE upload_id = $1",
};

static void tell(struct watch *watch, int64_t version, bool done, struct str upload)
{
    struct arena *arena = arena_new();
    json_t *json = command_json(arena, upload);
    struct buf event = {0};
    char *text;

    problem_pick_language(json, watch->english);
    text = json_dumps(json, JSON_COMPACT);
    must(text != NULL);
    buf_printf(&event, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)version,
               done ? "done" : "progress", text);
    watch_write(watch, buf_str(&event));
    watch->version = version;
    buf_free(&event);
    free(text);
    arena_free(arena);
    if (done)
        watch_end(watch);
}

struct db_query *watch_upload_ask(struct watchers *watchers, struct db_batch *batch)
{
    struct arena *arena = db_batch_arena(batch);
    struct uuid *ids = arena_array(arena, struct uuid, watchers->count);
    int64_t *versions = arena_array(arena, int64_t, watchers->count);
    struct db_query *query = db_add(batch, &select_changed);
    size_t count = 0;

    for (struct watch *watch = watchers->list; watch != NULL; watch = watch->next) {
        if (watch->kind != WATCH_UPLOAD || !watch->asked)
            continue;
        ids[count] = watch->upload_id;
        versions[count++] = watch->version;
    }
    db_uuid_array(query, ids, count);
    db_i64_array(query, versions, count);
    return query;
}

void watch_upload_tell(struct watchers *watchers, struct watch *watch)
{
    const struct db_query *query = watchers->queries[WATCH_UPLOAD];

    for (size_t i = 0; i < db_rows(query); i++) {
        int64_t version = db_get_i64(query, i, 1);

        if (!uuid_eq(db_get_uuid(query, i, 0), watch->upload_id) || version <= watch->version)
            continue;
        tell(watch, version, db_get_bool(query, i, 2), db_get_text(query, i, 3));
        break;
    }
}

/* ---- GET /uploads/{upload_id}/events ---- */

static void found(struct call *call)
{
    const struct uuid upload_id = call_id(call, "upload_id");
    struct str resumed = call_text(call, "Last-Event-ID");
    int64_t seen = -1, version;
    struct watch *watch;
    bool done;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    version = db_get_i64(call->query, 0, 0);
    done = db_get_bool(call->query, 0, 1);
    if (resumed.data != NULL)
        (void)str_to_i64(resumed, &seen);
    if (done && seen >= version) {
        call_empty(call, 204);
        return;
    }
    watch = watch_begin(call, WATCH_UPLOAD);
    if (watch == NULL)
        return;
    watch->upload_id = upload_id;
    watch->version = seen;
    if (version > seen)
        tell(watch, version, done, db_get_text(call->query, 0, 2));
    flow_end(&call->flow, ERR_OK);
}

void endpoint_watch_upload(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum watch_step)flow->step) {
    case WATCH_FIND:
        call->query = db_add(call_scoped(call), &select_one);
        db_uuid(call->query, call_id(call, "upload_id"));
        call_run(call, WATCH_FOUND);
        return;
    case WATCH_FOUND:
        found(call);
        return;
    }
    must(false);
}
