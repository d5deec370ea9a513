/*
 * gateway_seminar_signup: seminars that a doctor can sign up to, for the doctor and for delegates;
 * the commands to sign up, to choose kinds and to take that back; who signed up, for those who look
 * after a seminar.
 */
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "gen/events.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_my_seminars);
ENDPOINT(list_delegated_seminars);
ENDPOINT(list_my_signups);
ENDPOINT(list_applicants);
ENDPOINT(sign_up);
ENDPOINT(sign_up_delegated);
ENDPOINT(cancel_sign_up);
ENDPOINT(cancel_delegated_sign_up);

enum list_step { LIST_ASK, LIST_TOLD };

/* Whose things follow is what the row says; no row: the delegation is not there, or has ended. */
static const struct db_stmt begin_delegated = {
    "gateway_delegate_begin_signup",
    "SELECT * FROM portal.delegate_begin_signup($1)",
};
static const struct db_stmt keep_look = {
    "gateway_keep_seminar_look",
    "INSERT INTO gateway.delegate_look (delegation_id, account_id, at, what)"
    " SELECT $1, $2, $3, 'seminars' WHERE portal.scope_is('delegated')",
};

static struct db_query *add_begin(struct call *call)
{
    struct db_query *query = db_add(call->batch, &begin_delegated);

    db_uuid(query, call_id(call, "delegation_id"));
    return query;
}

/* ---- seminars that have not begun: soonest first ---- */

#define MICROSECONDS(time) "(extract(epoch FROM " time ") * 1000000)::bigint"

static const struct db_stmt select_open = {
    "gateway_list_open_seminars",
    "WITH coming AS MATERIALIZED (SELECT s.seminar_no, min(n.starts_at) AS starts_at"
    "  FROM portal.seminar s JOIN portal.session n USING (seminar_no)"
    "  WHERE s.status = 'published' AND n.starts_at > $1"
    "   AND ($2::text IS NULL OR position(lower($2) IN lower(s.title)) > 0"
    "    OR position(lower($2) IN lower(s.seminar_no)) > 0)"
    "   AND (NOT $3 OR EXISTS (SELECT FROM portal.seminar_signup g WHERE g.seminar_no = "
    "s.seminar_no"
    "    AND g.doctor_id = (SELECT portal.credit_doctor()) AND g.state <> 'cancelled_by_doctor'))"
    "   AND NOT EXISTS (SELECT FROM portal.session b WHERE b.seminar_no = s.seminar_no"
    "    AND b.starts_at <= $1)"
    "  GROUP BY s.seminar_no),"
    " page AS (SELECT * FROM coming"
    "  WHERE $4::timestamptz IS NULL OR (starts_at, seminar_no) > ($4, $5::text)"
    "  ORDER BY starts_at, seminar_no LIMIT $6::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY starts_at, seminar_no LIMIT $6::bigint)"
    " SELECT (SELECT coalesce(json_agg(portal.open_seminar_json(seminar_no, $1, $7)"
    "   ORDER BY starts_at, seminar_no), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $6::bigint THEN"
    "  (SELECT concat_ws('|', " MICROSECONDS(
        "starts_at") ", seminar_no) FROM shown"
                     "   ORDER BY starts_at DESC, seminar_no DESC LIMIT 1) END",
};

static void ask_open(struct call *call, const struct cursor *cursor)
{
    struct db_query *query = call->query = db_add(call->batch, &select_open);

    db_time(query, call->now_us);
    db_text(query, call_text(call, "q"));
    db_bool(query, call_flag(call, "signed_up"));
    db_time(query, cursor->count == 0 ? INT64_MIN : cursor_number(cursor, 0));
    db_text(query, cursor->count == 0 ? STR("") : cursor->parts[1]);
    db_i64(query, call_number(call, "limit"));
    db_json(query, call->gateway->kind_names[call->english]);
    call_run(call, LIST_TOLD);
}

void endpoint_list_my_seminars(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct cursor cursor;

    if (flow->step == LIST_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    (void)call_scoped(call);
    ask_open(call, &cursor);
}

void endpoint_list_delegated_seminars(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct db_query *begun = call->state;
    struct cursor cursor;
    struct db_query *look;

    if (flow->step == LIST_TOLD) {
        if (db_rows(begun) == 0)
            call_problem(call, CODE_NOT_FOUND);
        else
            reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    (void)call_scoped(call);
    call->state = add_begin(call);
    look = db_add(call->batch, &keep_look);
    db_uuid(look, call_id(call, "delegation_id"));
    db_uuid(look, call->who.account_id);
    db_time(look, call->now_us);
    ask_open(call, &cursor);
}

/* ---- what a doctor signed up to: last asked for first ---- */

static const struct db_stmt select_signups = {
    "gateway_list_my_signups",
    "WITH page AS MATERIALIZED (SELECT seminar_no, asked_at FROM portal.seminar_signup"
    "  WHERE doctor_id = (SELECT portal.credit_doctor())"
    "   AND ($2::timestamptz IS NULL OR (asked_at, seminar_no) < ($2, $3::text))"
    "  ORDER BY asked_at DESC, seminar_no DESC LIMIT $4::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY asked_at DESC, seminar_no DESC LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(portal.open_seminar_json(seminar_no, $1, $5)"
    "   ORDER BY asked_at DESC, seminar_no DESC), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT concat_ws('|', " MICROSECONDS(
        "asked_at") ", seminar_no) FROM shown"
                    "   ORDER BY asked_at, seminar_no LIMIT 1) END",
};

void endpoint_list_my_signups(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    call->query = query = db_add(call_scoped(call), &select_signups);
    db_time(query, call->now_us);
    db_time(query, cursor.count == 0 ? INT64_MIN : cursor_number(&cursor, 0));
    db_text(query, cursor.count == 0 ? STR("") : cursor.parts[1]);
    db_i64(query, call_number(call, "limit"));
    db_json(query, call->gateway->kind_names[call->english]);
    call_run(call, LIST_TOLD);
}

/* ---- who signed up: places first, then the line ---- */

static const struct db_stmt select_applicants = {
    "gateway_list_applicants",
    "WITH page AS MATERIALIZED (SELECT * FROM portal.seminar_signup"
    "  WHERE seminar_no = $1 AND state <> 'cancelled_by_doctor'"
    "   AND ((state = 'waitlist') > $3 OR ((state = 'waitlist') = $3 AND line_no > $2))"
    "  ORDER BY state = 'waitlist', line_no LIMIT $4::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY state = 'waitlist', line_no LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(json_build_object('name', a.name,"
    "   'name_kana', a.name_kana, 'register_no', a.register_no, 'state', g.state,"
    "   'asked_at', portal.rfc3339(g.asked_at), 'by_delegate', g.by_delegate)"
    "   ORDER BY g.state = 'waitlist', g.line_no), '[]')"
    "  FROM shown g CROSS JOIN LATERAL portal.applicant(g.doctor_id) AS a)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT concat_ws('|', line_no, (state = 'waitlist')::int) FROM shown"
    "   ORDER BY state = 'waitlist' DESC, line_no DESC LIMIT 1) END,"
    " c.applied::text, c.waiting::text, portal.note_read(ARRAY(SELECT doctor_id FROM shown))"
    " FROM portal.seminar s CROSS JOIN LATERAL portal.seminar_signup_counts(s.seminar_no, 0) AS c"
    " WHERE s.seminar_no = $1 AND portal.organiser_visible(s.organiser_code)",
};

void endpoint_list_applicants(struct flow *flow)
{
    static const char *const counts[] = {"applied", "waitlist", NULL};
    struct call *call = CALL_OF(flow);
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        if (db_rows(call->query) == 0)
            call_problem(call, CODE_NOT_FOUND);
        else
            reads_answer_list(call, counts, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    call->query = query = db_add(call_scoped(call), &select_applicants);
    db_text(query, call_text(call, "seminar_no"));
    db_i64(query, cursor_number(&cursor, 0));
    db_bool(query, cursor_number(&cursor, 1) != 0);
    db_i64(query, call_number(call, "limit"));
    call_run(call, LIST_TOLD);
}

/* ---- signing up, and taking that back ---- */

enum ask_step { ASK_BODY, ASK_FOUND };

struct ask {
    const struct ask_kind *kind;
    struct str seminar_no;
    struct db_query *begun; /* of a delegate */
    bool choose;            /* choices were given, be it none */
    struct event_seminar_signup_choice *choices;
    size_t choice_count;
};

/* What is looked for has to be there: a seminar, or the doctor's sign-up to it. */
static const struct ask_kind {
    const char *action;
    const char *noted; /* in what a delegate did */
    unsigned status;
    struct db_stmt find;
} applies = {"apply",
             "asked_sign_up",
             201,
             {"gateway_find_seminar", "SELECT 1 FROM portal.seminar WHERE seminar_no = $1"}},
  cancels = {"cancel",
             "asked_cancellation",
             200,
             {"gateway_find_seminar_signup",
              "SELECT 1 FROM portal.seminar_signup WHERE seminar_no = $1"
              " AND doctor_id = portal.credit_doctor()"}};

/* Once more whether the doctor still lets it, in the transaction that accepts the command. */
static const struct db_stmt keep_ask = {
    "gateway_keep_ask",
    "SELECT portal.delegate_ask($1, $2, $3, $4, $5)",
};

static void find(struct call *call, struct ask *ask)
{
    (void)call_scoped(call);
    call->state = ask;
    if (call->who.role == ROLE_DELEGATE)
        ask->begun = add_begin(call);
    call->query = db_add(call->batch, &ask->kind->find);
    db_text(call->query, ask->seminar_no);
    call_run(call, ASK_FOUND);
}

static void add_ask(struct call *call, struct db_batch *batch)
{
    const struct ask *ask = call->state;
    struct db_query *query = db_add(batch, &keep_ask);

    db_uuid(query, call_id(call, "delegation_id"));
    db_uuid(query, call->who.account_id);
    db_time(query, call->now_us);
    db_text_c(query, ask->kind->noted);
    db_text(query, ask->seminar_no);
}

static void send_ask(struct call *call)
{
    const struct ask *ask = call->state;
    const bool delegated = ask->begun != NULL;
    struct command command;

    if (db_rows(call->query) == 0 || (delegated && db_rows(ask->begun) == 0)) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    command = credit_command(call, EVENT_SEMINAR_SIGNUP, ask->seminar_no);
    const struct event_seminar_signup event = {
        .operation_id = command.operation_id,
        .actor_id = call->who.account_id,
        .role = str_of(role_name(call->who.role)),
        .has_delegation_id = delegated,
        .delegation_id = delegated ? call_id(call, "delegation_id") : (struct uuid){{0}},
        .action = str_of(ask->kind->action),
        .seminar_no = ask->seminar_no,
        .doctor_id = delegated ? db_get_i64(ask->begun, 0, 0) : call->who.doctor_id,
        .has_choose = true,
        .choose = ask->choose,
        .choices = ask->choices,
        .choices_count = ask->choice_count,
    };
    command.status = ask->kind->status;
    command.data = event_seminar_signup_encode(&event);
    command.add = delegated ? add_ask : NULL;
    command_accept(call, &command);
}

static struct ask *ask_of(struct call *call, struct str seminar_no, const struct ask_kind *kind)
{
    struct ask *ask = arena_new_of(call->flow.arena, struct ask);

    *ask = (struct ask){.kind = kind, .seminar_no = arena_str(call->flow.arena, seminar_no)};
    return ask;
}

/* The two bodies are the same by the contract, but of two types. */
#define APPLY(call, body)                                                                          \
    do {                                                                                           \
        struct ask *asked = ask_of((call), (body).seminar_no, &applies);                           \
                                                                                                   \
        asked->choose = (body).choices != NULL;                                                    \
        asked->choices = arena_array((call)->flow.arena, struct event_seminar_signup_choice,       \
                                     (body).choices_count + 1);                                    \
        asked->choice_count = (body).choices_count;                                                \
        for (size_t i = 0; i < (body).choices_count; i++)                                          \
            asked->choices[i] = (struct event_seminar_signup_choice){(body).choices[i].session_no, \
                                                                     (body).choices[i].kind};      \
        find((call), asked);                                                                       \
    } while (false)

void endpoint_sign_up(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_sign_up body;

    if (flow->step == ASK_FOUND)
        send_ask(call);
    else if (CALL_BODY(call, sign_up, &body))
        APPLY(call, body);
}

void endpoint_sign_up_delegated(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_sign_up_delegated body;

    if (flow->step == ASK_FOUND)
        send_ask(call);
    else if (CALL_BODY(call, sign_up_delegated, &body))
        APPLY(call, body);
}

void endpoint_cancel_sign_up(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == ASK_FOUND)
        send_ask(call);
    else
        find(call, ask_of(call, call_text(call, "seminar_no"), &cancels));
}

void endpoint_cancel_delegated_sign_up(struct flow *flow)
{
    endpoint_cancel_sign_up(flow);
}
