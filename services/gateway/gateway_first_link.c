/*
 * gateway_first_link: the link of an accepted sign-up takes the place of a postcard. It signs in
 * for first login, as often as it takes and until its end date; the birth date is asked all the
 * same.
 */
#include <string.h>

#include "gateway/gateway_link.h"

enum first_step { FIRST_LOOK, FIRST_KNOWN, FIRST_RECORDED };

struct first_link {
    struct uuid account_id;
    struct session_new session;
};

static const struct db_stmt find_account = {
    "gateway_first_link_account",
    "SELECT role, state, name, step, email FROM portal.sign_in WHERE account_id = $1",
};
static const struct db_stmt end_links = {
    "gateway_first_link_end",
    "UPDATE gateway.link SET used_at = $2 WHERE account_id = $1 AND purpose = 'first_login'"
    " AND used_at IS NULL",
};

static void look(struct call *call, const struct first_link *first)
{
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_account);
    db_uuid(call->query, first->account_id);
    call_run(call, FIRST_KNOWN);
}

static void record(struct call *call, struct first_link *first)
{
    struct session_new *session = &first->session;

    if (db_rows(call->query) == 0 || db_get_text(call->query, 0, 3).len == 0 ||
        !str_eq_c(db_get_text(call->query, 0, 1), "temp_issued")) {
        call_problem(call, CODE_LINK_USED);
        return;
    }
    session->account_id = first->account_id;
    session->login_id = db_get_text(call->query, 0, 4);
    session->doctor = true;
    session->temporary = true;
    call->batch = db_batch_new(call->flow.arena);
    session_add(call, call->batch, session);
    call_run(call, FIRST_RECORDED);
}

static void answer(struct call *call, struct first_link *first)
{
    const char *step = arena_str(call->flow.arena, db_get_text(call->query, 0, 3)).data;
    json_t *body = json_object();

    session_give(call, &first->session);
    call->gateway->figures.sign_ins++;
    LOG_INFO("signed_in", F_STR("role", "doctor"), F_BOOL("temporary", true));
    must(json_object_set_new(body, "purpose", json_string(LINK_FIRST_LOGIN)) == 0);
    must(json_object_set_new(body, "next", json_string(step)) == 0);
    call_object(call, 200, body);
}

static void first_run(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct first_link *first = call->state;

    switch ((enum first_step)flow->step) {
    case FIRST_LOOK:
        look(call, first);
        return;
    case FIRST_KNOWN:
        record(call, first);
        return;
    case FIRST_RECORDED:
        answer(call, first);
        return;
    }
    must(false);
}

void first_link_use(struct call *call, struct uuid account_id)
{
    struct first_link *first = arena_new_of(call->flow.arena, struct first_link);

    first->account_id = account_id;
    call->state = first;
    call->flow.run = first_run;
    flow_goto(&call->flow, FIRST_LOOK);
}

void first_link_end(struct db_batch *batch, struct uuid account_id, int64_t now_us)
{
    struct db_query *query = db_add(batch, &end_links);

    db_uuid(query, account_id);
    db_time(query, now_us);
}
