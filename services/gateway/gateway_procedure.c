/* gateway_procedure: commands about procedures of membership, and what people read of them. */
#include "gateway/gateway_procedure.h"
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(submit_procedure);
ENDPOINT(submit_procedure_for);
ENDPOINT(resubmit_procedure);
ENDPOINT(resubmit_procedure_for);
ENDPOINT(cancel_procedure);
ENDPOINT(cancel_procedure_for);
ENDPOINT(approve_procedure);
ENDPOINT(return_procedure);
ENDPOINT(reject_procedure);
ENDPOINT(wait_procedure);
ENDPOINT(met_procedure);
ENDPOINT(confirm_procedure);
ENDPOINT(list_my_procedures);
ENDPOINT(get_my_procedure);
ENDPOINT(get_procedure);
ENDPOINT(list_procedures);
ENDPOINT(list_my_memberships);
ENDPOINT(get_my_training);
ENDPOINT(list_members);
ENDPOINT(list_associations);

/* ---- commands ---- */

/* Fields that a body and an event share by name. */
#define WISHES_OF(body)                                                                            \
    .category_l1 = (body).category_l1, .category_l2 = (body).category_l2,                          \
    .category_l3 = (body).category_l3, .name = (body).name, .name_kana = (body).name_kana,         \
    .former_name = (body).former_name, .former_name_kana = (body).former_name_kana,                \
    .workplace_name = (body).workplace_name, .workplace_postcode = (body).workplace_postcode,      \
    .workplace_address = (body).workplace_address, .phone = (body).phone
static struct command procedure_command(struct call *call, const char *type, struct uuid id,
                                        unsigned status)
{
    char text[UUID_TEXT_BYTES];

    uuid_format(id, text);
    return (struct command){
        .type = type,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .key = arena_str(call->flow.arena, str_of(text)),
        .status = status,
        .operation_id = uuid_new(),
    };
}

static void submit(struct call *call, struct event_procedure_submit *event)
{
    struct command command;

    event->procedure_id = uuid_new();
    command = procedure_command(call, EVENT_PROCEDURE_SUBMIT, event->procedure_id, 201);
    command.location = arena_printf(call->flow.arena, "/api/v1%s/procedures/%.*s",
                                    event->has_doctor_id ? "/me" : "", STR_ARG(command.key));
    event->operation_id = command.operation_id;
    command.data = event_procedure_submit_encode(event);
    command_accept(call, &command);
}

void endpoint_submit_procedure(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_submit_procedure body;

    if (!CALL_BODY(call, submit_procedure, &body))
        return;
    struct event_procedure_submit event = {
        ACTOR_OF(call),
        .kind = body.kind,
        .birth_on = DAY_NONE,
        .depth = body.depth,
        .has_depth = body.has_depth,
        .l1_code = body.l1_code,
        .effective_on = body.effective_on,
        .reason = body.reason,
        WISHES_OF(body),
    };
    submit(call, &event);
}

void endpoint_submit_procedure_for(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_submit_procedure_for body;

    if (!CALL_BODY(call, submit_procedure_for, &body))
        return;
    struct event_procedure_submit event = {
        ACTOR_OF(call),
        .register_no = body.register_no,
        .birth_on = body.birth_on,
        .kind = body.kind,
        .depth = body.depth,
        .has_depth = body.has_depth,
        .l1_code = body.l1_code,
        .effective_on = body.effective_on,
        .reason = body.reason,
        WISHES_OF(body),
    };
    submit(call, &event);
}

/* ---- what is done with a procedure ---- */

enum act_step { ACT_BODY, ACT_FOUND };

static const struct db_stmt find_procedure = {
    "gateway_find_procedure",
    "SELECT 1 FROM portal.procedure WHERE procedure_id = $1",
};

/* The procedure when the actor may see it; else 404 like a missing one. */
static void act(struct call *call, const struct event_procedure_act *given)
{
    struct event_procedure_act *event = arena_new_of(call->flow.arena, struct event_procedure_act);

    *event = *given;
    event->procedure_id = call_id(call, "procedure_id");
    call->state = event;
    call->query = db_add(call_scoped(call), &find_procedure);
    db_uuid(call->query, event->procedure_id);
    call_run(call, ACT_FOUND);
}

static void act_found(struct call *call)
{
    struct event_procedure_act *event = call->state;
    struct command command;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    command = procedure_command(call, EVENT_PROCEDURE_ACT, event->procedure_id, 200);
    event->operation_id = command.operation_id;
    command.data = event_procedure_act_encode(event);
    command_accept(call, &command);
}

/* An endpoint that makes an act event of its body; the rest are initialisers of the event. */
#define ACT_ENDPOINT(name, ...)                                                                    \
    void endpoint_##name(struct flow *flow)                                                        \
    {                                                                                              \
        struct call *call = CALL_OF(flow);                                                         \
        struct body_##name body;                                                                   \
                                                                                                   \
        if (flow->step == ACT_FOUND) {                                                             \
            act_found(call);                                                                       \
            return;                                                                                \
        }                                                                                          \
        if (!CALL_BODY(call, name, &body))                                                         \
            return;                                                                                \
        const struct event_procedure_act event = {ACTOR_OF(call), .effective_on = DAY_NONE,        \
                                                  __VA_ARGS__};                                    \
        act(call, &event);                                                                         \
    }

ACT_ENDPOINT(approve_procedure, .action = STR("approve"))
ACT_ENDPOINT(return_procedure, .action = STR("return"), .reason = body.reason)
ACT_ENDPOINT(reject_procedure, .action = STR("reject"), .reason = body.reason)
ACT_ENDPOINT(wait_procedure,
             .action = str_eq_c(body.awaits, "fee") ? STR("need_fee") : STR("need_board"))
ACT_ENDPOINT(met_procedure, .action = STR("met"))
ACT_ENDPOINT(confirm_procedure, .action = STR("confirm"))
ACT_ENDPOINT(cancel_procedure, .action = STR("cancel"))
ACT_ENDPOINT(cancel_procedure_for, .action = STR("cancel"))

/* The day is left out as often as not, so it is set after the rest. */
#define AGAIN_ENDPOINT(name)                                                                       \
    void endpoint_##name(struct flow *flow)                                                        \
    {                                                                                              \
        struct call *call = CALL_OF(flow);                                                         \
        struct body_##name body;                                                                   \
                                                                                                   \
        if (flow->step == ACT_FOUND) {                                                             \
            act_found(call);                                                                       \
            return;                                                                                \
        }                                                                                          \
        if (!CALL_BODY(call, name, &body))                                                         \
            return;                                                                                \
        const struct event_procedure_act event = {                                                 \
            ACTOR_OF(call),        .action = STR("resubmit"), .effective_on = body.effective_on,   \
            .reason = body.reason, WISHES_OF(body),                                                \
        };                                                                                         \
        act(call, &event);                                                                         \
    }

AGAIN_ENDPOINT(resubmit_procedure)
AGAIN_ENDPOINT(resubmit_procedure_for)

/* ---- one object, one statement ---- */

enum read_step { READ_ASK, READ_TOLD };

static void answer_text(struct call *call)
{
    struct str text = db_rows(call->query) == 0 ? STR_NONE : db_get_text(call->query, 0, 0);

    if (text.data == NULL)
        call_problem(call, CODE_NOT_FOUND);
    else
        call_json(call, 200, text);
}

enum wants { WANTS_NOTHING, WANTS_TIME, WANTS_ID };

static void read_run(struct flow *flow, const struct db_stmt *stmt, enum wants wants)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == READ_TOLD) {
        answer_text(call);
        return;
    }
    call->query = db_add(call_scoped(call), stmt);
    if (wants == WANTS_ID)
        db_uuid(call->query, call_id(call, "procedure_id"));
    if (wants != WANTS_NOTHING)
        db_time(call->query, call->now_us);
    call_run(call, READ_TOLD);
}

#define READ(operation, sql, wants)                                                                \
    void endpoint_##operation(struct flow *flow)                                                   \
    {                                                                                              \
        static const struct db_stmt stmt = {"gateway_" #operation, sql};                           \
                                                                                                   \
        read_run(flow, &stmt, wants);                                                              \
    }

READ(list_my_procedures, "SELECT portal.my_procedures($1)::text", WANTS_TIME)
READ(get_my_procedure, "SELECT portal.procedure_json($1, $2)::text", WANTS_ID)
READ(get_procedure, READS_PROCEDURE, WANTS_ID)
READ(list_my_memberships, "SELECT portal.my_memberships()::text", WANTS_NOTHING)
READ(get_my_training, "SELECT portal.my_training($1)::text", WANTS_TIME)
READ(list_associations, "SELECT portal.association_list()::text", WANTS_NOTHING)

/* ---- lists by pages ---- */

static const struct db_stmt select_procedures = {
    "gateway_list_procedures",
    "WITH page AS MATERIALIZED"
    "  (SELECT * FROM portal.procedure_list($1, $2, $3, $4, $5, ($6::bigint + 1)::int)),"
    " shown AS (SELECT * FROM page ORDER BY key, procedure_id LIMIT $6::bigint)"
    " SELECT (SELECT coalesce(json_agg(item ORDER BY key, procedure_id), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $6::bigint THEN"
    "  (SELECT concat_ws('|', key, procedure_id) FROM shown"
    "   ORDER BY key DESC, procedure_id DESC LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT p.doctor_id FROM portal.procedure p"
    "  WHERE p.procedure_id IN (SELECT procedure_id FROM shown)))",
};

static void add_text(struct db_query *query, struct str text)
{
    if (text.data == NULL)
        db_null(query);
    else
        db_text(query, text);
}

void endpoint_list_procedures(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct uuid after_id = {{0}};
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == READ_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    if (cursor.count > 0 && !uuid_parse(cursor.parts[1], &after_id)) {
        call_cursor_bad(call);
        return;
    }
    call->query = query = db_add(call_scoped(call), &select_procedures);
    db_bool(query, call_flag(call, "waiting"));
    add_text(query, call_text(call, "kind"));
    db_time(query, call->now_us);
    if (cursor.count == 0) {
        db_null(query);
        db_null(query);
    } else {
        db_i64(query, cursor_number(&cursor, 0));
        db_uuid(query, after_id);
    }
    db_i64(query, call_number(call, "limit"));
    call_run(call, READ_TOLD);
}

static const struct db_stmt select_members = {
    "gateway_list_members",
    "WITH page AS MATERIALIZED"
    "  (SELECT * FROM portal.member_list($1, $2, $3, ($4::bigint + 1)::int)),"
    " shown AS (SELECT * FROM page ORDER BY membership_id LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(item ORDER BY membership_id), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT max(membership_id)::text FROM shown) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT m.doctor_id FROM portal.membership m"
    "  WHERE m.membership_id IN (SELECT membership_id FROM shown)))",
};

void endpoint_list_members(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    day_t day = call_day(call, "on");
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == READ_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 1, &cursor))
        return;
    call->query = query = db_add(call_scoped(call), &select_members);
    db_day(query, day != DAY_NONE ? day : day_of_us(call->now_us));
    add_text(query, call_text(call, "q"));
    db_i64(query, cursor_number(&cursor, 0));
    db_i64(query, call_number(call, "limit"));
    call_run(call, READ_TOLD);
}
