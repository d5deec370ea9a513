/*
 * gateway_command: see gateway_command.h. The commit is acceptance: from there the system finishes
 * the work by itself, whatever becomes of this request.
 */
#include <string.h>

#include "gateway/gateway_command.h"
#include "gen/events.h"

enum command_step {
    COMMAND_SEEN, /* the idempotency key was looked up */
    COMMAND_COMMIT,
    COMMAND_ACCEPTED,
    COMMAND_UNSURE, /* the commit failed, or nobody knows */
    COMMAND_LOOK,
    COMMAND_LOOKED,
    COMMAND_WAITED,
    COMMAND_ROW,
    COMMAND_SHOWN,
};

enum { COMMAND_LOOK_AGAIN_MS = 300, COMMAND_LOOKS_MAX = 5 };

struct accept {
    struct command command;
    struct reply_wait wait;
    struct str key; /* Idempotency-Key; data NULL: none */
    const char *route;
    uint8_t body_sha256[SECRET_DIGEST_BYTES];
    unsigned looks;
    bool doubt;    /* whether the commit worked is not known yet */
    bool conflict; /* with the transaction of somebody else */
    bool repeated; /* the key was there: the first command's answer is wanted */
    bool waited;
    json_t *result;
};

static const struct db_stmt insert_command = {
    "gateway_insert_command",
    "INSERT INTO gateway.command (operation_id, account_id, type, created_at)"
    " VALUES ($1, $2, $3, $4)",
};
static const struct db_stmt find_command = {
    "gateway_find_command",
    "SELECT 1 FROM gateway.command WHERE operation_id = $1",
};
static const struct db_stmt find_operation = {
    "gateway_find_operation",
    "SELECT status, result::text, problem::text FROM portal.operation WHERE operation_id = $1",
};

struct command registration_command(struct call *call, const char *type, struct uuid account_id)
{
    char key[UUID_TEXT_BYTES];

    uuid_format(account_id, key);
    return (struct command){
        .type = type,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .key = str_of(arena_strdup(call->flow.arena, key)),
        .status = 200,
        .operation_id = uuid_new(),
    };
}

/* ---- steps ---- */

static void look_up_key(struct call *call, struct accept *accept)
{
    call->batch = db_batch_read(call->flow.arena);
    call->query = idempotency_find(call, call->batch, accept->route, accept->key);
    call_run(call, COMMAND_SEEN);
}

static void seen(struct call *call, struct accept *accept)
{
    struct str hash;

    if (db_rows(call->query) == 0 && accept->conflict) { /* the key was not what stood in the way */
        flow_end(&call->flow, ERR_DB_CONFLICT);
        return;
    }
    if (db_rows(call->query) == 0) {
        flow_goto(&call->flow, COMMAND_COMMIT);
        return;
    }
    hash = db_get_bytes(call->query, 0, 0);
    if (!str_eq(hash, (struct str){(const char *)accept->body_sha256, SECRET_DIGEST_BYTES})) {
        call_problem(call, CODE_IDEMPOTENCY_CONFLICT);
        return;
    }
    accept->repeated = true;
    accept->wait.operation_id = db_get_uuid(call->query, 0, 1);
    reply_expect(call->gateway->replies, &accept->wait);
    flow_goto(&call->flow, COMMAND_WAITED);
}

static void commit(struct call *call, struct accept *accept)
{
    struct command *command = &accept->command;
    const struct work_event event = {
        .type = command->type, .topic = command->topic, .key = command->key, .data = command->data};
    struct db_query *query;

    call->batch = db_batch_new(call->flow.arena);
    query = db_add(call->batch, &insert_command);
    db_uuid(query, command->operation_id);
    db_uuid(query, who_id(&call->who));
    db_text_c(query, command->type);
    db_time(query, call->now_us);
    if (accept->key.data != NULL) {
        struct idempotency key = {
            .route = accept->route, .key = accept->key, .accepted_id = command->operation_id};

        memcpy(key.body_sha256, accept->body_sha256, sizeof(key.body_sha256));
        idempotency_add(call, call->batch, &key);
    }
    if (command->add != NULL)
        command->add(call, call->batch);
    (void)work_emit(call->gateway->work, call->batch, &event, call->flow.trace);
    command->data = NULL;
    reply_expect(call->gateway->replies, &accept->wait);
    flow_on_error(&call->flow, COMMAND_UNSURE);
    flow_wait(&call->flow, COMMAND_ACCEPTED);
    work_run(call->gateway->work, call->batch, GATEWAY_WRITE_MS, &call->flow);
}

static void accepted(struct call *call, struct accept *accept)
{
    flow_on_error(&call->flow, FLOW_END);
    call->gateway->figures.commands++;
    if (accept->command.committed != NULL)
        accept->command.committed(call);
    flow_wait(&call->flow, COMMAND_WAITED);
    reply_await(call->gateway->replies, &accept->wait, &call->flow);
}

/*
 * Somebody else brought the same key a moment ago (then the key tells), or the answer to the commit
 * was lost (then the command's row tells, once PostgreSQL is back).
 */
static void unsure(struct call *call, struct accept *accept)
{
    enum err err = call->flow.err;

    call->flow.err = ERR_OK;
    if (!accept->doubt && err == ERR_DB_CONFLICT && accept->key.data != NULL) {
        accept->conflict = true;
        reply_forget(call->gateway->replies, &accept->wait);
        look_up_key(call, accept);
        return;
    }
    accept->doubt = accept->doubt || err == ERR_DB_UNKNOWN || err == ERR_TIMEOUT;
    if (!accept->doubt) {
        flow_end(&call->flow, err);
    } else if (accept->looks++ < COMMAND_LOOKS_MAX) {
        flow_wait(&call->flow, COMMAND_LOOK);
        flow_sleep(&call->flow, COMMAND_LOOK_AGAIN_MS);
    } else {
        call_problem(call, CODE_OUTCOME_UNKNOWN);
    }
}

static void look(struct call *call, struct accept *accept)
{
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_command);
    db_uuid(call->query, accept->command.operation_id);
    flow_on_error(&call->flow, COMMAND_UNSURE);
    call_run(call, COMMAND_LOOKED);
}

/* ---- answers ---- */

static void show(struct call *call, struct accept *accept)
{
    if (show_add(call, accept->result)) {
        call_run(call, COMMAND_SHOWN);
    } else if (accept->command.answer != NULL) {
        accept->command.answer(call, accept->result);
    } else {
        show_texts(call, accept->result);
        call_object(call, accept->command.status, json_incref(accept->result));
    }
}

static void answer(struct call *call, struct accept *accept, bool done, json_t *result,
                   json_t *problem)
{
    metric_observe_us(&call->gateway->figures.command, (clock_mono_ms() - call->since_ms) * 1000);
    if (!done) {
        call_problem_json(call, problem);
        return;
    }
    accept->result = result;
    show(call, accept);
}

static void look_at_row(struct call *call, struct accept *accept)
{
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_operation);
    db_uuid(call->query, accept->wait.operation_id);
    call_run(call, COMMAND_ROW);
}

json_t *command_json(struct arena *arena, struct str text)
{
    struct body_problem problem;
    json_t *json = NULL;

    if (text.data == NULL || shape_parse(arena, text, INT32_MAX, &json, &problem) != ERR_OK)
        return NULL;
    return json;
}

static void row(struct call *call, struct accept *accept)
{
    struct arena *arena = call->flow.arena;

    if (db_rows(call->query) == 0 && accept->repeated && !accept->waited) {
        accept->waited = true;
        flow_wait(&call->flow, COMMAND_WAITED);
        reply_await(call->gateway->replies, &accept->wait, &call->flow);
        return;
    }
    if (db_rows(call->query) == 0) {
        call->gateway->figures.commands_late++;
        call_accepted(call, accept->wait.operation_id);
        return;
    }
    answer(call, accept, str_eq_c(db_get_text(call->query, 0, 0), "done"),
           command_json(arena, db_get_text(call->query, 0, 1)),
           command_json(arena, db_get_text(call->query, 0, 2)));
}

static void shown(struct call *call, struct accept *accept)
{
    const char *id = json_string_value(json_object_get(accept->result, "application_id"));
    json_t *object = show_take(call);

    if (object == NULL) /* it left the actor's sight in the meantime */
        object = accept->result;
    else if (accept->command.status == 201 && id != NULL)
        http_set_header(call->request, "Location",
                        arena_printf(call->flow.arena, "/api/v1/me/applications/%s", id));
    if (accept->command.location != NULL)
        http_set_header(call->request, "Location", accept->command.location);
    call_object(call, accept->command.status, json_incref(object));
}

static void command_run(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct accept *accept = call->accept;

    switch ((enum command_step)flow->step) {
    case COMMAND_SEEN:
        seen(call, accept);
        return;
    case COMMAND_COMMIT:
        commit(call, accept);
        return;
    case COMMAND_ACCEPTED:
        accepted(call, accept);
        return;
    case COMMAND_UNSURE:
        unsure(call, accept);
        return;
    case COMMAND_LOOK:
        look(call, accept);
        return;
    case COMMAND_LOOKED:
        if (db_rows(call->query) > 0)
            accepted(call, accept);
        else
            flow_end(flow, ERR_DB_DOWN); /* it was not committed: nothing happened */
        return;
    case COMMAND_WAITED:
        if (accept->wait.come)
            answer(call, accept, accept->wait.done, accept->wait.result, accept->wait.problem);
        else
            look_at_row(call, accept);
        return;
    case COMMAND_ROW:
        row(call, accept);
        return;
    case COMMAND_SHOWN:
        shown(call, accept);
        return;
    }
    must(false);
}

void command_accept(struct call *call, const struct command *command)
{
    struct accept *accept = arena_new_of(call->flow.arena, struct accept);
    struct str key = call_idempotency_key(call);

    accept->command = *command;
    accept->key = key;
    accept->route = call_route(call);
    accept->wait.arena = call->flow.arena;
    accept->wait.operation_id = command->operation_id;
    accept->wait.until_ms = call->since_ms + call->gateway->settings->reply_wait_ms;
    call_body_digest(call, accept->body_sha256);
    call->accept = accept;
    call->flow.run = command_run;
    if (key.data != NULL)
        look_up_key(call, accept);
    else
        flow_goto(&call->flow, COMMAND_COMMIT);
}

bool command_in_doubt(const struct call *call)
{
    return call->accept != NULL && call->accept->doubt;
}

void command_forget(struct call *call)
{
    struct accept *accept = call->accept;

    if (accept == NULL)
        return;
    reply_forget(call->gateway->replies, &accept->wait);
    json_decref(accept->command.data); /* never sent */
}
