/*
 * credit_signup: a doctor, or a delegate for him, wants a place in a seminar or takes that back, or
 * says what kinds of credits are wanted.
 */
#include "credit/credit_signup.h"

#include "credit/credit_audit.h"
#include "credit/credit_upload.h"
#include "gen/topics.h"

enum { SIGNUP_PROMOTED_MAX = 100 }; /* by one message; the next one goes on */

static const struct db_stmt select_seminar = {
    "credit_select_signup",
    "SELECT s.title, s.status = 'published', n.starts_at, n.capacity, c.applied, c.waiting,"
    "  c.line_no, d.doctor_id, coalesce(d.my_page IN ('active', 'link_pending'), false), g.state,"
    "  g.version, (SELECT count(*) FROM credit.signup x WHERE x.seminar_no = g.seminar_no"
    "   AND x.state = 'waitlist' AND g.state = 'waitlist' AND x.line_no < g.line_no)"
    " FROM credit.seminar s"
    " CROSS JOIN LATERAL (SELECT min(x.starts_at) AS starts_at, min(x.capacity) AS capacity"
    "  FROM credit.session x WHERE x.seminar_no = s.seminar_no) AS n"
    " CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE x.state = 'applied') AS applied,"
    "   count(*) FILTER (WHERE x.state = 'waitlist') AS waiting,"
    "   coalesce(max(x.line_no), 0) AS line_no"
    "  FROM credit.signup x WHERE x.seminar_no = s.seminar_no) AS c"
    " LEFT JOIN credit.doctor d ON d.doctor_id = " SIGNUP_KEPT
    " LEFT JOIN credit.signup g ON g.seminar_no = s.seminar_no AND g.doctor_id = d.doctor_id"
    " WHERE s.seminar_no = $1",
};

static const struct db_stmt select_line = {
    "credit_select_signup_line",
    "SELECT doctor_id, version, delegation_id IS NOT NULL FROM credit.signup"
    " WHERE seminar_no = $1 AND state = 'waitlist' ORDER BY line_no LIMIT $2",
};

static const struct db_stmt insert_signup = {
    "credit_insert_signup",
    "INSERT INTO credit.signup (seminar_no, doctor_id, version, state, line_no, asked_at, actor,"
    "                           delegation_id, choices) VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8)"
    " ON CONFLICT (seminar_no, doctor_id) DO UPDATE SET version = signup.version + 1,"
    "  state = excluded.state, line_no = excluded.line_no, asked_at = excluded.asked_at,"
    "  actor = excluded.actor, delegation_id = excluded.delegation_id,"
    "  choices = excluded.choices",
};

static const struct db_stmt cancel_signup = {
    "credit_cancel_signup",
    "UPDATE credit.signup SET version = version + 1, state = $3, actor = $4, delegation_id = $5"
    " WHERE seminar_no = $1 AND doctor_id = $2",
};

static const struct db_stmt choose_kinds = {
    "credit_choose_kinds",
    "UPDATE credit.signup SET version = version + 1, choices = $3"
    " WHERE seminar_no = $1 AND doctor_id = $2",
};

static const struct db_stmt promote_signups = {
    "credit_promote_signups",
    "UPDATE credit.signup SET version = version + 1, state = 'applied'"
    " WHERE seminar_no = $1 AND doctor_id = ANY ($2::bigint[])",
};

/* ---- what stands ---- */

void signup_query_add(struct signup_query *query, struct db_batch *batch, struct str seminar_no,
                      int64_t doctor_id)
{
    query->seminar = db_add(batch, &select_seminar);
    db_text(query->seminar, seminar_no);
    db_i64(query->seminar, doctor_id);
    query->line = db_add(batch, &select_line);
    db_text(query->line, seminar_no);
    db_i64(query->line, SIGNUP_PROMOTED_MAX + 1);
}

bool signup_take(const struct signup_query *query, struct str seminar_no, struct signup *ret_signup)
{
    const struct db_query *row = query->seminar;

    if (db_rows(row) == 0)
        return false;
    *ret_signup = (struct signup){
        .seminar_no = seminar_no,
        .title = db_get_text(row, 0, 0),
        .doctor_id = db_get_i64(row, 0, 7),
        .version = db_get_i64(row, 0, 10),
        .line_no = db_get_i64(row, 0, 6),
        .before = db_get_i64(row, 0, 11),
        .facts = {.published = db_get_bool(row, 0, 1),
                  .starts_us = db_get_time(row, 0, 2),
                  .capacity = db_is_null(row, 0, 3) ? SIGNUP_NO_LIMIT : db_get_i64(row, 0, 3),
                  .applied = db_get_i64(row, 0, 4),
                  .waiting = db_get_i64(row, 0, 5),
                  .my_page = db_get_bool(row, 0, 8),
                  .state = signup_state_of(db_get_text(row, 0, 9))},
    };
    return true;
}

/* ---- what becomes of it ---- */

static void tell(struct command *command, const struct signup *signup,
                 const struct event_seminar_signup_changed *change)
{
    struct event_seminar_signup_changed event = *change;
    struct work_event sent = {.type = EVENT_SEMINAR_SIGNUP_CHANGED,
                              .topic = TOPIC_CREDIT_EVENTS,
                              .key = signup->seminar_no};

    event.seminar_no = signup->seminar_no;
    event.seminar_title = signup->title;
    event.starts_at = signup->facts.starts_us;
    sent.data = event_seminar_signup_changed_encode(&event);
    (void)work_emit(command->credit->work, command->batch->effect, &sent, command->flow.trace);
}

void signup_promote(struct command *command, const struct signup_query *query,
                    const struct signup *signup, int64_t except, int64_t count)
{
    struct arena *arena = command->flow.arena;
    int64_t doctors[SIGNUP_PROMOTED_MAX];
    size_t promoted = 0;
    struct db_query *update;

    for (size_t i = 0; i < db_rows(query->line); i++) {
        const struct event_seminar_signup_changed change = {
            .doctor_id = db_get_i64(query->line, i, 0),
            .version = db_get_i64(query->line, i, 1) + 1,
            .state = str_of(signup_state_name(SIGNUP_APPLIED)),
            .promoted = true,
            .by_delegate = db_get_bool(query->line, i, 2)};

        if (change.doctor_id == except)
            continue;
        if (promoted == ARRAY_LEN(doctors) || (int64_t)promoted == count)
            break;
        doctors[promoted++] = change.doctor_id;
        tell(command, signup, &change);
        audit_add(command->batch->effect, NULL, "signup_promote",
                  arena_printf(arena, "%.*s", STR_ARG(signup->seminar_no)),
                  str_of(arena_printf(arena, "{\"rule\":\"R-SEM-16\",\"doctor\":%lld}",
                                      (long long)change.doctor_id)));
    }
    if (promoted == 0)
        return;
    update = db_add(command->batch->effect, &promote_signups);
    db_text(update, signup->seminar_no);
    db_i64_array(update, doctors, promoted);
}

/* ---- the command ---- */

enum ask_step { ASK_READ, ASK_DECIDE };

struct ask {
    struct command command;
    struct event_seminar_signup event;
    struct signup_query query;
    struct db_query *sessions; /* where kinds are chosen; else NULL */
    struct signup signup;
    struct signup_choices choices;
};

static void read_all(struct ask *ask)
{
    struct db_batch *batch = db_batch_read(ask->command.flow.arena);

    signup_query_add(&ask->query, batch, ask->event.seminar_no, ask->event.doctor_id);
    if (ask->event.choose)
        ask->sessions = signup_sessions_add(batch, ask->event.seminar_no, ask->event.doctor_id);
    db_run(ask->command.credit->db, batch, UPLOAD_READ_DEADLINE_MS, &ask->command.flow);
}

static void add_delegation(struct db_query *query, const struct event_seminar_signup *event)
{
    if (event->has_delegation_id)
        db_uuid(query, event->delegation_id);
    else
        db_null(query);
}

static void write_signup(struct ask *ask, enum signup_state next)
{
    struct command *command = &ask->command;
    const bool applies = next != SIGNUP_CANCELLED;
    struct db_query *query =
        db_add(command->batch->effect, applies ? &insert_signup : &cancel_signup);

    db_text(query, ask->signup.seminar_no);
    db_i64(query, ask->signup.doctor_id);
    db_text_c(query, signup_state_name(next));
    if (applies) {
        db_i64(query, ask->signup.line_no + 1);
        db_time(query, clock_now_us());
    }
    db_uuid(query, command->actor.id);
    add_delegation(query, &ask->event);
    if (applies)
        db_json(query, ask->choices.stored);
}

static struct str audit_detail(const struct ask *ask, enum signup_state next)
{
    struct arena *arena = ask->command.flow.arena;
    char id[UUID_TEXT_BYTES];
    const char *by = "", *chosen = "";

    if (ask->event.choose)
        chosen = arena_printf(
            arena, ",\"choices\":%.*s",
            STR_ARG(ask->choices.stored.data == NULL ? STR("{}") : ask->choices.stored));
    if (ask->event.has_delegation_id) {
        uuid_format(ask->event.delegation_id, id);
        by = arena_printf(arena, ",\"delegation_id\":\"%s\"", id);
    }
    return str_of(arena_printf(arena, "{\"doctor\":%lld,\"state\":\"%s\"%s%s}",
                               (long long)ask->signup.doctor_id, signup_state_name(next), by,
                               chosen));
}

static void answer(struct ask *ask, enum signup_state next, int64_t waiting_before)
{
    struct command *command = &ask->command;
    json_t *before = next == SIGNUP_WAITLIST ? json_integer(waiting_before) : json_null();
    struct work_reply with = {
        .operation_id = command->operation_id,
        .result = json_pack("{ss% ss so}", "seminar_no", ask->signup.seminar_no.data,
                            ask->signup.seminar_no.len, "state", signup_state_name(next),
                            "waiting_before", before),
    };

    must(with.result != NULL);
    work_reply(command->credit->work, command->batch->effect, &with,
               command->batch->messages[0].trace);
}

static void audit(struct ask *ask, const char *action, enum signup_state next)
{
    command_audit(&ask->command, action,
                  arena_printf(ask->command.flow.arena, "%.*s", STR_ARG(ask->signup.seminar_no)),
                  audit_detail(ask, next));
}

/* Nobody's place is another than before. */
static void record_kinds(struct ask *ask)
{
    struct db_query *query = db_add(ask->command.batch->effect, &choose_kinds);
    const enum signup_state stays = ask->signup.facts.state;

    db_text(query, ask->signup.seminar_no);
    db_i64(query, ask->signup.doctor_id);
    db_json(query, ask->choices.stored);
    audit(ask, "signup_choose", stays);
    answer(ask, stays, ask->signup.before);
}

static void record(struct ask *ask, const struct signup_verdict *verdict)
{
    struct command *command = &ask->command;
    const bool applies = verdict->next != SIGNUP_CANCELLED;
    const struct event_seminar_signup_changed change = {
        .doctor_id = ask->signup.doctor_id,
        .version = ask->signup.version + 1,
        .state = str_of(signup_state_name(verdict->next)),
        .by_delegate = ask->event.has_delegation_id};

    write_signup(ask, verdict->next);
    tell(command, &ask->signup, &change);
    audit(ask, applies ? "signup_apply" : "signup_cancel", verdict->next);
    signup_promote(command, &ask->query, &ask->signup, ask->signup.doctor_id, verdict->promoted);
    answer(ask, verdict->next, ask->signup.facts.waiting);
}

/* Choices that come to a sign-up that stands change nothing else. */
static enum signup_deed deed_of(const struct ask *ask)
{
    const enum signup_state state = ask->signup.facts.state;

    if (!str_eq_c(ask->event.action, "apply"))
        return SIGNUP_CANCEL;
    return ask->event.choose && (state == SIGNUP_APPLIED || state == SIGNUP_WAITLIST)
               ? SIGNUP_CHOOSE
               : SIGNUP_APPLY;
}

static void decide(struct ask *ask)
{
    const enum signup_deed deed = deed_of(ask);
    struct signup_verdict verdict;

    rules_signup(&ask->signup.facts, deed, clock_now_us(), &verdict);
    if (verdict.refusal != CODE_NONE)
        command_refuse(&ask->command, verdict.refusal, NULL);
    else if (ask->choices.refusal != CODE_NONE)
        command_refuse(&ask->command, ask->choices.refusal, signup_choices_params(&ask->choices));
    else if (deed == SIGNUP_CHOOSE)
        record_kinds(ask);
    else
        record(ask, &verdict);
}

static void ask_run(struct flow *flow)
{
    struct ask *ask = CONTAINER_OF(COMMAND_OF(flow), struct ask, command);
    enum err err = ERR_OK;

    switch ((enum ask_step)flow->step) {
    case ASK_READ:
        flow_wait(flow, ASK_DECIDE);
        read_all(ask);
        return;
    case ASK_DECIDE:
        if (!signup_take(&ask->query, ask->event.seminar_no, &ask->signup)) {
            command_refuse(&ask->command, CODE_NOT_FOUND, NULL);
        } else {
            if (ask->event.choose)
                TRY(signup_choices_take(ask->sessions, &ask->event, flow->arena, &ask->choices,
                                        &flow->note));
            decide(ask);
        }
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
cleanup:
    flow_end(flow, err);
}

void credit_signup_handle(void *service, struct work_batch *batch)
{
    struct ask *ask = arena_new_of(batch->arena, struct ask);
    const struct event_seminar_signup *event = &ask->event;
    enum err err;

    TRY(event_seminar_signup_decode(batch->arena, batch->messages[0].data, &ask->event,
                                    &batch->flow->note));
    ask->command = (struct command){
        .credit = service,
        .batch = batch,
        .operation_id = event->operation_id,
        .actor = {.id = event->actor_id, .role = event->role, .code = STR("")},
    };
    command_start(&ask->command, ask_run);
    return;
cleanup:
    command_bad(batch, err);
}
