/*
 * procedure_bulk: many plain procedures are approved by one command, each judged alone.
 *
 * One transaction takes a slice of them and at most one of each doctor, because the next one of the
 * same doctor has to build upon what the first one wrote. What is left goes on as a message of its
 * own, with what became of the others; the last message answers. Safe to repeat: what was recorded
 * meanwhile has another version, and the transaction fails and begins again.
 */
#include "gen/events.h"
#include "registration/procedure.h"

enum { BULK_SLICE = 20 /* procedures in one transaction */ };
enum bulk_step { BULK_FIND, BULK_NEXT, BULK_JUDGE };

struct bulk {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    struct event_procedure_approve event;
    struct event_procedure_approve_item *items; /* of the event, with what became of them */
    struct actor actor;
    struct db_query *doctors; /* one row an item; 0: there is no such procedure */
    size_t at;                /* the item in hand */
    struct procedure_case *found;
    int64_t taken[BULK_SLICE]; /* doctors of whom one is in this transaction */
    size_t taken_count;
    bool left; /* something is for the next message */
};

static const struct db_stmt find_doctors = {
    "registration_find_doctors_of_procedures",
    "SELECT coalesce(p.doctor_id, 0)"
    " FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (procedure_id, place)"
    " LEFT JOIN registration.procedure p USING (procedure_id) ORDER BY wanted.place",
};

static void find(struct bulk *bulk)
{
    const size_t count = bulk->event.items_count;
    struct db_batch *batch = db_batch_read(bulk->batch->arena);
    struct uuid *ids = arena_array(bulk->batch->arena, struct uuid, count);

    for (size_t i = 0; i < count; i++)
        ids[i] = bulk->items[i].procedure_id;
    bulk->doctors = db_add(batch, &find_doctors);
    db_uuid_array(bulk->doctors, ids, count);
    flow_wait(&bulk->flow, BULK_NEXT);
    db_run(bulk->registration->db, batch, PROCEDURE_READ_MS, &bulk->flow);
}

/* ---- one of them ---- */

static bool is_taken(const struct bulk *bulk, int64_t doctor_id)
{
    for (size_t i = 0; i < bulk->taken_count; i++)
        if (bulk->taken[i] == doctor_id)
            return true;
    return false;
}

/* Whether the item in hand is to be read now; else it is told already, or left. */
static bool is_turn(struct bulk *bulk)
{
    struct event_procedure_approve_item *item = &bulk->items[bulk->at];
    int64_t doctor_id = db_get_i64(bulk->doctors, bulk->at, 0);

    if (item->code.data != NULL || item->stage.data != NULL)
        return false;
    if (!item->seen || doctor_id == 0) {
        item->code = str_of(code_name(CODE_NOT_FOUND));
        return false;
    }
    if (bulk->taken_count == BULK_SLICE || is_taken(bulk, doctor_id)) {
        bulk->left = true;
        return false;
    }
    return true;
}

static void read_one(struct bulk *bulk)
{
    struct arena *arena = bulk->batch->arena;

    bulk->found = arena_new_of(arena, struct procedure_case);
    flow_wait(&bulk->flow, BULK_JUDGE);
    case_read(bulk->registration, arena, db_get_i64(bulk->doctors, bulk->at, 0),
              bulk->items[bulk->at].procedure_id, STR_NONE, bulk->found, &bulk->flow);
}

static enum code approve(struct bulk *bulk, const struct event_procedure_approve_item *item)
{
    const struct procedure_request request = {.move = MOVE_APPROVE, .actor = bulk->actor};
    const struct procedure_look look = {.version = item->version, .plain = item->plain};
    struct procedure_case *found = bulk->found;
    struct procedure *procedure = &found->stored.procedure;
    const struct procedure_step step = {.action = procedure_move_name(MOVE_APPROVE),
                                        .from = procedure->stage,
                                        .actor = &bulk->actor,
                                        .now_us = clock_now_us()};
    enum code refusal = procedure_act_plain(procedure, &request, &look);

    if (refusal != CODE_NONE)
        return refusal;
    procedure_record(bulk->registration, bulk->batch, found, &step);
    bulk->taken[bulk->taken_count++] = procedure->doctor_id;
    return CODE_NONE;
}

static void judge(struct bulk *bulk)
{
    struct event_procedure_approve_item *item = &bulk->items[bulk->at++];
    enum code refusal = CODE_NOT_FOUND;

    case_take(bulk->found, item->procedure_id);
    if (bulk->found->stored_found && bulk->found->doctor_found) {
        refusal = approve(bulk, item);
        item->stage = str_of(procedure_stage_name(bulk->found->stored.procedure.stage));
    }
    if (refusal != CODE_NONE)
        item->code = str_of(code_name(refusal));
}

/* ---- all of them ---- */

static json_t *told(const struct event_procedure_approve_item *item)
{
    json_t *object = json_object();
    json_t *problem = json_null();
    char id[UUID_TEXT_BYTES];

    uuid_format(item->procedure_id, id);
    if (item->code.data != NULL) {
        problem = json_object();
        must(json_object_set_new(problem, "code", json_stringn(item->code.data, item->code.len)) ==
             0);
    }
    must(json_object_set_new(object, "procedure_id", json_string(id)) == 0);
    must(json_object_set_new(object, "stage",
                             item->stage.data == NULL
                                 ? json_null()
                                 : json_stringn(item->stage.data, item->stage.len)) == 0);
    must(json_object_set_new(object, "problem", problem) == 0);
    return object;
}

static void go_on(struct bulk *bulk)
{
    const struct work_message *message = &bulk->batch->messages[0];
    const struct work_event event = {.type = EVENT_PROCEDURE_APPROVE,
                                     .topic = TOPIC_REGISTRATION_COMMANDS,
                                     .key = message->key,
                                     .subject = message->subject,
                                     .data = event_procedure_approve_encode(&bulk->event)};

    (void)work_emit(bulk->registration->work, bulk->batch->effect, &event, message->trace);
}

static void answer(struct bulk *bulk)
{
    const struct work_reply reply = {.operation_id = bulk->event.operation_id,
                                     .result = json_object()};
    json_t *items = json_array();

    for (size_t i = 0; i < bulk->event.items_count; i++)
        must(json_array_append_new(items, told(&bulk->items[i])) == 0);
    must(json_object_set_new(reply.result, "items", items) == 0);
    work_reply(bulk->registration->work, bulk->batch->effect, &reply,
               bulk->batch->messages[0].trace);
}

static void bulk_run(struct flow *flow)
{
    struct bulk *bulk = FLOW_OF(flow, struct bulk, flow);

    switch ((enum bulk_step)flow->step) {
    case BULK_FIND:
        find(bulk);
        return;
    case BULK_NEXT:
        while (bulk->at < bulk->event.items_count && !is_turn(bulk))
            bulk->at++;
        if (bulk->at < bulk->event.items_count) {
            read_one(bulk);
            return;
        }
        if (bulk->left)
            go_on(bulk);
        else
            answer(bulk);
        flow_end(flow, ERR_OK);
        return;
    case BULK_JUDGE:
        judge(bulk);
        flow_goto(flow, BULK_NEXT);
        return;
    }
    must(false);
}

static void bulk_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct bulk, flow)->batch->flow);
}

static enum err take(struct bulk *bulk, struct err_note *note)
{
    struct event_procedure_approve *event = &bulk->event;
    struct arena *arena = bulk->batch->arena;
    enum err err;

    TRY(event_procedure_approve_decode(arena, bulk->batch->messages[0].data, event, note));
    bulk->items = arena_array(arena, struct event_procedure_approve_item, event->items_count);
    for (size_t i = 0; i < event->items_count; i++)
        bulk->items[i] = event->items[i];
    event->items = bulk->items;
    bulk->actor = (struct actor)PROCEDURE_ACTOR(event);
cleanup:
    return err;
}

void procedure_bulk_handle(void *service, struct work_batch *batch)
{
    static const struct registration_flow steps = {bulk_run, bulk_done};
    struct bulk *bulk = arena_new_of(batch->arena, struct bulk);

    bulk->registration = service;
    bulk->batch = batch;
    registration_job_begin(bulk->registration, batch, take(bulk, &batch->flow->note), &steps,
                           &bulk->flow);
}
