/* gateway_reads: one object at a time, each one statement. Which operation reads what stands here.
 */
#include <string.h>

#include "domain/kinds.h"
#include "domain/terms.h"
#include "gateway/gateway_command.h"
#include "gateway/gateway_maintenance.h"
#include "gateway/gateway_reads.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(get_site);
ENDPOINT(get_profile);
ENDPOINT(get_my_standing);
ENDPOINT(list_my_certificates);
ENDPOINT(get_my_handbook);
ENDPOINT(list_my_applications);
ENDPOINT(get_my_application);
ENDPOINT(get_application);
ENDPOINT(get_seminar);
ENDPOINT(get_upload);
ENDPOINT(get_operation);
ENDPOINT(get_my_credit);
ENDPOINT(list_row_credits);
ENDPOINT(list_my_corrections);
ENDPOINT(list_my_delegates);
ENDPOINT(list_delegations);

static void set(json_t *object, const char *name, const char *text)
{
    json_t *value = json_string(text);

    must(value != NULL && json_object_set_new(object, name, value) == 0);
}

enum read_step { READ_ASK, READ_TOLD, READ_SHOWN };

/* What a statement wants beside the scope. */
enum read_wants { WANTS_NOTHING, WANTS_TIME, WANTS_ID, WANTS_SEMINAR, WANTS_ENTRY, WANTS_ROW };

struct read {
    const struct db_stmt stmt;
    enum read_wants wants;
    const char *id; /* name of the path's id */
    bool languages; /* texts stand in both */
    bool kinds;     /* kinds are kept with their Japanese names */
};

static void add_parameters(struct call *call, const struct read *read)
{
    switch (read->wants) {
    case WANTS_NOTHING:
        return;
    case WANTS_TIME:
        db_time(call->query, call->now_us);
        return;
    case WANTS_ID:
        db_uuid(call->query, call_id(call, read->id));
        return;
    case WANTS_SEMINAR:
        db_text(call->query, call_text(call, "seminar_no"));
        return;
    case WANTS_ENTRY:
        db_text(call->query, call_text(call, "entry_id"));
        db_json(call->query, call->gateway->kind_names[call->english]);
        /* R-ACC-09: until certification data is linked there is no view of credits. */
        db_bool(call->query, str_eq_c(call->who.my_page, "link_pending"));
        return;
    case WANTS_ROW:
        db_uuid(call->query, call_id(call, "upload_id"));
        db_i64(call->query, call_number(call, "row_no"));
        db_json(call->query, call->gateway->kind_names[call->english]);
        return;
    }
    must(false);
}

static void answer(struct call *call, const struct read *read)
{
    struct str text = db_rows(call->query) == 0 ? STR_NONE : db_get_text(call->query, 0, 0);
    json_t *json;

    if (text.data == NULL) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    if (!read->languages && !(read->kinds && call->english)) {
        call_json(call, 200, text);
        return;
    }
    json = command_json(call->flow.arena, text);
    problem_pick_language(json, call->english);
    call_object(call, 200, json_incref(json));
}

static void read_run(struct flow *flow, const struct read *read)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == READ_TOLD) {
        answer(call, read);
        return;
    }
    call->query = db_add(call_scoped(call), &read->stmt);
    add_parameters(call, read);
    call_run(call, READ_TOLD);
}

/* An operation that is one statement with one JSON text. */
#define READ(name, sql, ...)                                                                       \
    void endpoint_##name(struct flow *flow)                                                        \
    {                                                                                              \
        static const struct read read = {.stmt = {"gateway_" #name, sql}, __VA_ARGS__};            \
                                                                                                   \
        read_run(flow, &read);                                                                     \
    }

READ(get_profile, "SELECT portal.my_profile()::text", .wants = WANTS_NOTHING)
READ(get_my_standing, "SELECT portal.my_standing($1)::text", .wants = WANTS_TIME, .kinds = true)
READ(list_my_certificates, "SELECT portal.my_certificates($1)::text", .wants = WANTS_TIME)
READ(get_my_handbook, "SELECT portal.my_handbook()::text", .wants = WANTS_NOTHING, .kinds = true)
READ(list_my_applications, "SELECT portal.my_applications()::text", .wants = WANTS_NOTHING,
     .kinds = true)
READ(list_my_corrections, "SELECT portal.my_corrections()::text", .wants = WANTS_NOTHING)
READ(list_my_delegates, "SELECT portal.my_delegates()::text", .wants = WANTS_NOTHING)
READ(list_delegations, "SELECT portal.my_delegations()::text", .wants = WANTS_NOTHING)
READ(get_my_application, "SELECT portal.application_json($1)::text", .wants = WANTS_ID,
     .id = "application_id", .kinds = true)
READ(get_application, READS_APPLICATION, .wants = WANTS_ID, .id = "application_id", .kinds = true)
READ(get_upload, "SELECT json::text FROM portal.upload WHERE upload_id = $1", .wants = WANTS_ID,
     .id = "upload_id", .languages = true)

READ(get_my_credit,
     "SELECT portal.credit_with_history(c, $2)::text FROM portal.credit_of($1) AS c WHERE NOT $3",
     .wants = WANTS_ENTRY)
READ(list_row_credits,
     "SELECT portal.row_credits($1, $2, $3)::text, portal.note_read(ARRAY("
     " SELECT DISTINCT p.doctor_id FROM portal.upload_chunk_posted p WHERE p.upload_id = $1"
     "  AND p.row_no = $2 AND $2 BETWEEN p.first_row AND p.last_row))",
     .wants = WANTS_ROW)

/* ---- a seminar: offers are kept as organisers write them ---- */

/* The programme of an offer is that of its kinds. */
static void name_programmes(json_t *seminar)
{
    json_t *session, *offer;
    size_t i, k;

    json_array_foreach(json_object_get(seminar, "sessions"), i, session)
    {
        json_array_foreach(json_object_get(session, "offers"), k, offer)
        {
            json_t *first = json_array_get(json_object_get(offer, "kinds"), 0);
            const char *code = json_string_value(json_object_get(first, "kind"));
            enum kind kind = kind_of_code(str_of(code));

            if (kind != KIND_NONE)
                set(offer, "programme", programme_code(kind_programme(kind)));
        }
    }
}

void endpoint_get_seminar(struct flow *flow)
{
    static const struct db_stmt stmt = {
        "gateway_get_seminar",
        "SELECT json_build_object('seminar_no', s.seminar_no, 'title', s.title,"
        "  'organiser_code', s.organiser_code, 'organiser_name', s.organiser_name,"
        "  'status', s.status, 'held_from', min(n.held_on), 'held_to', max(n.held_on),"
        "  'sessions_total', count(n.session_id),"
        "  'sessions', coalesce(json_agg(json_build_object('session_no', n.session_no,"
        "   'title', n.title, 'starts_at', portal.rfc3339(n.starts_at),"
        "   'ends_at', portal.rfc3339(n.ends_at), 'held_on', n.held_on, 'delivery', n.delivery,"
        "   'grace_minutes', n.grace_minutes, 'capacity', n.capacity,"
        "   'offers', (SELECT json_agg(json_build_object("
        "     'programme', '', 'kinds', (SELECT json_agg(json_build_object("
        "       'kind', split_part(k, ':', 1), 'kind_name', $2::jsonb ->> split_part(k, ':', 1),"
        "       'half_units', (split_part(k, ':', 2)::numeric * 2)::int))"
        "      FROM unnest(string_to_array(kinds, '|')) AS k)))"
        "     FROM unnest(string_to_array(n.offers, ';')) AS kinds))"
        "   ORDER BY n.starts_at, n.session_id) FILTER (WHERE n.session_id IS NOT NULL), "
        "'[]'))::text"
        " FROM portal.seminar s LEFT JOIN portal.session n USING (seminar_no)"
        " WHERE s.seminar_no = $1 AND portal.organiser_visible(s.organiser_code)"
        " GROUP BY s.seminar_no, s.title, s.organiser_code, s.organiser_name, s.status",
    };
    struct call *call = CALL_OF(flow);
    json_t *json;

    if (flow->step == READ_ASK) {
        call->query = db_add(call_scoped(call), &stmt);
        db_text(call->query, call_text(call, "seminar_no"));
        db_json(call->query, call->gateway->kind_names[call->english]);
        call_run(call, READ_TOLD);
        return;
    }
    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    json = command_json(flow->arena, db_get_text(call->query, 0, 0));
    name_programmes(json);
    call_object(call, 200, json_incref(json));
}

/* ---- what everybody sees ---- */

static json_t *site_json(struct call *call)
{
    const struct gateway_settings *settings = call->gateway->settings;
    json_t *site = json_object(), *help = json_object(), *terms;
    json_t *notices = command_json(call->flow.arena, call->gateway->notices);

    set(site, "name", settings->site_name);
    set(site, "disclaimer", settings->site_disclaimer);
    set(help, "phone", settings->help_phone);
    set(help, "hours", settings->help_hours);
    set(help, "email", settings->help_email);
    must(json_object_set_new(site, "helpline", help) == 0);
    must(json_object_set(site, "notices", notices) == 0);
    terms = command_json(call->flow.arena, db_rows(call->query) == 0
                                               ? STR("{\"version\":\"\",\"text\":\"\"}")
                                               : db_get_text(call->query, 0, 0));
    must(json_object_set(site, "terms", terms) == 0);
    must(json_object_set_new(site, "maintenance", maintenance_notices(call)) == 0);
    return site;
}

void endpoint_get_site(struct flow *flow)
{
    static const struct db_stmt stmt = {
        "gateway_get_terms",
        "SELECT json_build_object('version', version, 'text', text)::text FROM " TERMS_IN_FORCE(
            "portal.terms", "portal.day($1)") " AS terms",
    };
    struct call *call = CALL_OF(flow);

    if (flow->step == READ_TOLD) {
        call_object(call, 200, site_json(call));
        return;
    }
    call->batch = db_batch_read(flow->arena);
    call->query = db_add(call->batch, &stmt);
    db_time(call->query, call->now_us);
    call_run(call, READ_TOLD);
}

/* ---- what became of a command ---- */

static const struct db_stmt find_operation = {
    "gateway_get_operation",
    "SELECT coalesce(o.status, 'pending'), o.result::text, o.problem::text"
    " FROM gateway.command c LEFT JOIN portal.operation o USING (operation_id)"
    " WHERE c.operation_id = $1 AND c.account_id = $2",
};

struct operation {
    struct str status;
    json_t *result, *problem;
};

static void answer_operation(struct call *call, struct operation *operation)
{
    json_t *body = json_object();
    char id[UUID_TEXT_BYTES];
    json_t *problem = json_null();

    if (operation->problem != NULL)
        problem = problem_object(call->flow.arena, problem_code(operation->problem), call->english,
                                 NULL, operation->problem);
    uuid_format(call_id(call, "operation_id"), id);
    set(body, "operation_id", id);
    set(body, "status", arena_str(call->flow.arena, operation->status).data);
    must(json_object_set(body, "result",
                         operation->result == NULL ? json_null() : operation->result) == 0);
    must(json_object_set_new(body, "problem", problem) == 0);
    call_object(call, 200, body);
}

static void told_operation(struct call *call)
{
    struct operation *operation = arena_new_of(call->flow.arena, struct operation);
    const struct db_query *query = call->query;

    call->state = operation;
    if (db_rows(query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    operation->status = db_get_text(query, 0, 0);
    operation->result = command_json(call->flow.arena, db_get_text(query, 0, 1));
    operation->problem = command_json(call->flow.arena, db_get_text(query, 0, 2));
    /* A good answer would have held the changed object: read it as it is now. */
    if (str_eq_c(operation->status, "done") && show_add(call, operation->result)) {
        call_run(call, READ_SHOWN);
    } else {
        show_texts(call, operation->result);
        answer_operation(call, operation);
    }
}

void endpoint_get_operation(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct operation *operation = call->state;
    json_t *shown;

    switch ((enum read_step)flow->step) {
    case READ_ASK:
        call->batch = db_batch_read(flow->arena);
        call->query = db_add(call->batch, &find_operation);
        db_uuid(call->query, call_id(call, "operation_id"));
        db_uuid(call->query, who_id(&call->who));
        call_run(call, READ_TOLD);
        return;
    case READ_TOLD:
        told_operation(call);
        return;
    case READ_SHOWN:
        shown = show_take(call);
        if (shown != NULL)
            operation->result = shown;
        answer_operation(call, operation);
        return;
    }
    must(false);
}

void reads_ask_by_state(struct call *call, const struct db_stmt *stmt, int next)
{
    struct uuid after_id = {{0}};
    struct cursor cursor;
    struct str state;

    if (!cursor_read(call, 2, &cursor))
        return;
    if (cursor.count > 0 && !uuid_parse(cursor.parts[1], &after_id)) {
        call_cursor_bad(call);
        return;
    }
    state = call_text(call, "state");
    call->query = db_add(call_scoped(call), stmt);
    if (state.data == NULL)
        db_null(call->query);
    else
        db_text(call->query, state);
    db_time(call->query, cursor.count == 0 ? INT64_MIN : cursor_number(&cursor, 0));
    db_uuid(call->query, after_id);
    db_i64(call->query, call_number(call, "limit"));
    call_run(call, next);
}
