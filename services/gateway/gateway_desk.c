/* gateway_desk: what the office and the call centre do on the accounts of others. */
#include <string.h>

#include "domain/numbers.h"
#include "gateway/gateway_command.h"
#include "gateway/gateway_desk.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_reads.h"
#include "gateway/gateway_throttle.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_link_pending);
ENDPOINT(link_certification);

ENDPOINT(find_accounts);
ENDPOINT(unlock_account);
ENDPOINT(restore_account);
ENDPOINT(resend_link);
ENDPOINT(share_email);

/* ---- a command about an account, with its reason ---- */

static void answer_done(struct call *call, json_t *result)
{
    (void)result;
    call_json(call, 200, STR("{}"));
}

struct event_account_desk desk_event(struct call *call, const char *action, struct str reason)
{
    return (struct event_account_desk){
        .operation_id = uuid_new(),
        .account_id = call_id(call, "account_id"),
        .actor_id = call->who.account_id,
        .actor_role = str_of(role_name(call->who.role)),
        .action = str_of(action),
        .reason = reason,
        .link_expires_at = INT64_MIN,
    };
}

struct command desk_command(struct call *call, const struct event_account_desk *event)
{
    char key[UUID_TEXT_BYTES];

    uuid_format(event->account_id, key);
    return (struct command){
        .type = EVENT_ACCOUNT_DESK,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .key = str_of(arena_strdup(call->flow.arena, key)),
        .data = event_account_desk_encode(event),
        .status = 200,
        .operation_id = event->operation_id,
        .answer = answer_done,
    };
}

void endpoint_link_certification(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_link_certification body;
    struct event_account_desk event;
    struct command command;

    if (!CALL_BODY(call, link_certification, &body))
        return;
    event = desk_event(call, "link", body.reason);
    command = desk_command(call, &event);
    command_accept(call, &command);
}

void endpoint_restore_account(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_restore_account body;
    struct event_account_desk event;
    struct command command;

    if (!CALL_BODY(call, restore_account, &body))
        return;
    event = desk_event(call, "restore", body.reason);
    command = desk_command(call, &event);
    command_accept(call, &command);
}

/* ---- the waits after failed sign-ins ---- */

enum desk_step { DESK_BODY, DESK_FOUND };

enum { DESK_NAMES_MAX = 8 };

/*
 * As people type them: MAMIS number, address, the postcard's with and without its hyphen; and what
 * stands for the account's codes, see factor_subject().
 */
#define LOGIN_NAMES(account)                                                                       \
    "SELECT c.login_id AS name FROM gateway.credential c WHERE c.account_id = " account            \
    " UNION SELECT lower(s.email) FROM portal.sign_in s WHERE s.account_id = " account             \
    "  AND s.email <> ''"                                                                          \
    " UNION SELECT unnest(ARRAY[lower(t.login_id), lower(left(t.login_id, 5) || '-' ||"            \
    "  substr(t.login_id, 6))]) FROM gateway.temp_credential t WHERE t.account_id = " account      \
    " UNION SELECT chr(1) || 'factor:' || " account "::text"

static const struct db_stmt select_names = {
    "gateway_desk_names",
    LOGIN_NAMES("$1") " LIMIT 8",
};

struct unlock {
    struct body_unlock_account body;
    struct str names[DESK_NAMES_MAX];
    size_t count;
};

static void forget_failures(struct call *call, struct db_batch *batch)
{
    const struct unlock *unlock = call->state;

    for (size_t i = 0; i < unlock->count; i++)
        throttle_forget_login(call, unlock->names[i], batch);
}

void endpoint_unlock_account(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct unlock *unlock = call->state;
    struct event_account_desk event;
    struct command command;

    if (flow->step == DESK_BODY) {
        call->state = unlock = arena_new_of(flow->arena, struct unlock);
        if (!CALL_BODY(call, unlock_account, &unlock->body))
            return;
        call->batch = db_batch_read(flow->arena);
        call->query = db_add(call->batch, &select_names);
        db_uuid(call->query, call_id(call, "account_id"));
        call_run(call, DESK_FOUND);
        return;
    }
    for (; unlock->count < db_rows(call->query) && unlock->count < DESK_NAMES_MAX; unlock->count++)
        unlock->names[unlock->count] =
            arena_str(flow->arena, db_get_text(call->query, unlock->count, 0));
    event = desk_event(call, "unlock", unlock->body.reason);
    command = desk_command(call, &event);
    command.add = forget_failures;
    command_accept(call, &command);
}

/* ---- a link is mailed again ---- */

struct mail_again {
    struct str reason;
    const char *action;
    struct link_row link;
};

/* Which link the person waits for; registration looks once more. */
static const struct db_stmt select_awaited = {
    "gateway_desk_awaited",
    "SELECT CASE WHEN pending_email <> '' THEN 'email_confirm'"
    "  WHEN NOT email_confirmed OR email = '' THEN ''"
    "  WHEN step = '' THEN 'password_reset' ELSE 'first_login' END,"
    " CASE WHEN pending_email <> '' THEN pending_email ELSE email END,"
    " (SELECT count(*) FROM gateway.link l WHERE l.account_id = s.account_id"
    "  AND l.issued_at > $2 - interval '1 hour')"
    " FROM portal.sign_in s WHERE account_id = $1",
};

static void ask_awaited(struct call *call, const char *action, struct str reason)
{
    struct mail_again *again = arena_new_of(call->flow.arena, struct mail_again);

    again->reason = reason;
    again->action = action;
    call->state = again;
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &select_awaited);
    db_uuid(call->query, call_id(call, "account_id"));
    db_time(call->query, call->now_us);
    call_run(call, DESK_FOUND);
}

static void add_link_row(struct call *call, struct db_batch *batch)
{
    const struct mail_again *again = call->state;

    link_row_add(call, batch, &again->link.link, again->link.link_id);
}

static uint32_t good_s(const struct call *call, const char *purpose)
{
    const struct gateway_settings *settings = call->gateway->settings;

    if (strcmp(purpose, LINK_PASSWORD_RESET) == 0)
        return settings->reset_link_s;
    return strcmp(purpose, LINK_FIRST_LOGIN) == 0 ? settings->first_login_link_s
                                                  : settings->email_link_s;
}

static void mail_again(struct call *call)
{
    struct mail_again *again = call->state;
    struct event_account_desk event = desk_event(call, again->action, again->reason);
    struct command command;
    const char *purpose;

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    purpose = arena_str(call->flow.arena, db_get_text(call->query, 0, 0)).data;
    if (*purpose == '\0') {
        call_problem(call, CODE_STATE_CONFLICT);
        return;
    }
    if (db_get_i64(call->query, 0, 2) >= LINKS_PER_HOUR_MAX) {
        call_problem_later(call, CODE_TOO_MANY_REQUESTS, LINKS_RETRY_S);
        return;
    }
    link_row_init(call, &again->link, purpose, event.account_id,
                  arena_str(call->flow.arena, db_get_text(call->query, 0, 1)),
                  good_s(call, purpose));
    event.has_link_id = true;
    event.link_id = again->link.link_id;
    event.link_purpose = str_of(purpose);
    event.link_email = again->link.link.email;
    event.link_expires_at = again->link.expires_us;
    command = desk_command(call, &event);
    command.add = add_link_row;
    command_accept(call, &command);
}

void endpoint_resend_link(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_resend_link body;

    if (flow->step == DESK_FOUND)
        mail_again(call);
    else if (CALL_BODY(call, resend_link, &body))
        ask_awaited(call, "resend", body.reason);
}

void endpoint_share_email(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct body_share_email body;

    if (flow->step == DESK_FOUND)
        mail_again(call);
    else if (CALL_BODY(call, share_email, &body))
        ask_awaited(call, "share_email", body.reason);
}

/* ---- an account by its number ---- */

/* His own, or one of a doctor who was merged into him. */
#define HAS_NUMBER                                                                                 \
    "(a.mamis_no = $1 OR a.register_no = $2 OR a.doctor_id IN (SELECT f.doctor_id"                 \
    "  FROM portal.former_number f WHERE f.mamis_no = $1 OR f.register_no = $2))"

static const struct db_stmt select_account = {
    "gateway_find_accounts",
    "SELECT (SELECT coalesce(json_agg(json_build_object('account_id', a.account_id,"
    "  'register_no', a.register_no, 'mamis_no', a.mamis_no, 'name', a.name, 'my_page', a.my_page,"
    "  'state', a.state, 'step', a.step, 'email', a.email, 'email_confirmed', a.email_confirmed,"
    "  'pending_email', a.pending_email, 'pending_shared', a.pending_shared,"
    "  'postcard', (SELECT CASE WHEN t.dead_at IS NOT NULL THEN 'used'"
    "    WHEN t.expires_at <= $3 THEN 'expired' WHEN t.tries_left = 0 THEN 'locked' ELSE 'good' END"
    "   FROM gateway.temp_credential t WHERE t.account_id = a.account_id),"
    "  'wait_s', coalesce((SELECT max(ceil(extract(epoch FROM h.blocked_until - $3)))::int"
    "   FROM gateway.throttle h WHERE h.blocked_until > $3 AND h.subject IN"
    "    (SELECT 'account:' || encode(sha256(convert_to(n.name, 'UTF8')), 'hex') FROM"
    "     (" LOGIN_NAMES(
        "a.account_id") ") AS n)), 0))), '[]')"
                        "  FROM portal.desk_account a WHERE " HAS_NUMBER ")::text,"
                        " portal.note_read(ARRAY(SELECT a.doctor_id FROM portal.desk_account a"
                        "  WHERE " HAS_NUMBER "))",
};

void endpoint_find_accounts(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct str number = call_text(call, "number");
    int64_t mamis_no = mamis_no_parse(number), register_no = register_no_parse(number);
    char texts[2][MAMIS_NO_BYTES] = {"", ""};

    if (flow->step == DESK_FOUND) {
        call_json(call, 200,
                  str_of(arena_printf(flow->arena, "{\"items\":%.*s}",
                                      STR_ARG(db_get_text(call->query, 0, 0)))));
        return;
    }
    if (mamis_no != NUMBER_NONE)
        mamis_no_format(mamis_no, texts[0]);
    if (register_no != NUMBER_NONE)
        register_no_format(register_no, texts[1]);
    call->query = db_add(call_scoped(call), &select_account);
    db_text_c(call->query, texts[0]);
    db_text_c(call->query, texts[1]);
    db_time(call->query, call->now_us);
    call_run(call, DESK_FOUND);
}

/* ---- whose certification data is not linked yet ---- */

enum list_step { LIST_ASK, LIST_TOLD };

static const struct db_stmt select_link_pending = {
    "gateway_list_link_pending",
    "WITH page AS MATERIALIZED (SELECT * FROM portal.link_pending"
    "  WHERE ($1::date IS NULL OR (coalesce(due_on, '0001-01-01'), account_id) > ($1, $2::uuid))"
    "   AND (NOT $3 OR due_on < $4)"
    "  ORDER BY coalesce(due_on, '0001-01-01'), account_id LIMIT $5::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY coalesce(due_on, '0001-01-01'), account_id"
    "  LIMIT $5::bigint)"
    " SELECT (SELECT coalesce(json_agg(json_build_object('account_id', account_id,"
    "   'mamis_no', mamis_no, 'register_no', register_no, 'name', name, 'name_kana', name_kana,"
    "   'my_page_at', portal.rfc3339(my_page_at), 'due_on', due_on,"
    "   'late', coalesce(due_on < $4, false), 'has_data', has_data)"
    "   ORDER BY coalesce(due_on, '0001-01-01'), account_id), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $5::bigint THEN"
    "  (SELECT concat_ws('|', coalesce(due_on, '0001-01-01'), account_id) FROM shown"
    "   ORDER BY coalesce(due_on, '0001-01-01') DESC, account_id DESC LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT doctor_id FROM shown))",
};

void endpoint_list_link_pending(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct uuid after_id = {{0}};
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    if (cursor.count > 0 &&
        (day_parse(cursor.parts[0]) == DAY_NONE || !uuid_parse(cursor.parts[1], &after_id))) {
        call_cursor_bad(call);
        return;
    }
    call->query = query = db_add(call_scoped(call), &select_link_pending);
    db_day(query, cursor.count == 0 ? DAY_NONE : day_parse(cursor.parts[0]));
    db_uuid(query, after_id);
    db_bool(query, call_flag(call, "late"));
    db_day(query, day_of_us(call->now_us));
    db_i64(query, call_number(call, "limit"));
    call_run(call, LIST_TOLD);
}
