/*
 * work_reply: the answer to a command, twice: a row that any gateway can read for ever, and an
 * event for the gateway that holds the request.
 */
#include "gen/topics.h"
#include "work/work_private.h"

static void set(json_t *object, const char *name, json_t *value)
{
    must(value != NULL && json_object_set_new(object, name, value) == 0);
}

/* {"code": .., and what comes with it} */
static json_t *make_problem(const struct work_reply *reply)
{
    json_t *problem = json_object();

    if (json_is_object(reply->problem_extra)) {
        must(json_object_update(problem, reply->problem_extra) == 0);
        json_decref(reply->problem_extra);
    } else if (reply->problem_extra != NULL) {
        set(problem, "errors", reply->problem_extra);
    }
    set(problem, "code",
        json_string(reply->problem_code != NULL ? reply->problem_code : err_name(reply->err)));
    return problem;
}

static struct str dump(struct arena *arena, const json_t *value)
{
    struct str text = STR_NONE;
    size_t room;

    if (value == NULL)
        return text;
    room = json_dumpb(value, NULL, 0, JSON_COMPACT);
    must(room > 0);
    text.data = arena_alloc(arena, room);
    text.len = json_dumpb(value, (char *)(uintptr_t)text.data, room, JSON_COMPACT);
    return text;
}

void work_reply(struct work *work, struct db_batch *batch, const struct work_reply *reply,
                const char *trace)
{
    struct arena *arena = db_batch_arena(batch);
    bool failed = reply->err != ERR_OK;
    const char *status = failed ? "failed" : "done";
    json_t *problem = failed ? make_problem(reply) : NULL;
    json_t *data = json_object();
    struct db_query *query = db_add(batch, &work->sql[WORK_SQL_REPLY]);
    char id[UUID_TEXT_BYTES];
    struct work_event event = {.type = "reply.v1", .topic = TOPIC_REPLIES, .data = data};

    uuid_format(reply->operation_id, id);
    db_uuid(query, reply->operation_id);
    db_text_c(query, status);
    db_json(query, dump(arena, reply->result));
    db_json(query, dump(arena, problem));
    set(data, "operation_id", json_string(id));
    set(data, "status", json_string(status));
    if (reply->result != NULL)
        set(data, "result", reply->result);
    if (problem != NULL)
        set(data, "problem", problem);
    if (!failed)
        json_decref(reply->problem_extra);
    event.key = str_of(id);
    (void)work_emit(work, batch, &event, trace);
}
