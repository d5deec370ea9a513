/* gateway_passkey_sign_in: a session by a passkey alone, without login id and password. */
#include "gateway/gateway_passkey.h"
#include "gateway/gateway_sign_in.h"

void endpoint_ask_sign_in_challenge(struct flow *flow);
void endpoint_sign_in_with_passkey(struct flow *flow);

enum pass_step {
    PASS_BODY,
    PASS_READ, /* passkey and account were read */
    PASS_RECORDED,
    PASS_LOST, /* not written, or the same proof came twice */
};

struct pass {
    struct passkey_proof proof;
    struct db_query *account;
    struct session_new session;
};

static const struct db_stmt find_account = {
    "gateway_passkey_account",
    "SELECT a.account_id, c.login_id, ''," ACCOUNT_COLUMNS
    " FROM gateway.passkey p JOIN portal.sign_in a USING (account_id)"
    " JOIN gateway.credential c USING (account_id) WHERE p.credential_id = $1",
};

/* ---- POST /session/passkey/challenge ---- */

void endpoint_ask_sign_in_challenge(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct str challenge = passkey_challenge_new(flow->arena, &call->gateway->factor_key,
                                                 PASSKEY_SIGN_IN, (struct uuid){{0}}, call->now_us);
    json_t *body = json_object();

    must(json_object_set_new(body, "challenge", json_stringn(challenge.data, challenge.len)) == 0);
    must(json_object_set_new(body, "rp_id", json_string(call->gateway->rp_id)) == 0);
    must(json_object_set_new(body, "credentials", json_array()) == 0);
    call_object(call, 200, body);
}

/* ---- POST /session/passkey ---- */

static void begin(struct call *call)
{
    struct pass *pass = arena_new_of(call->flow.arena, struct pass);
    struct body_sign_in_with_passkey body;

    call->state = pass;
    if (!CALL_BODY(call, sign_in_with_passkey, &body))
        return;
    call->batch = db_batch_read(call->flow.arena);
    passkey_proof_read(call, call->batch, PASSKEY_SIGN_IN, &PASSKEY_GIVEN(body), &pass->proof);
    pass->account = db_add(call->batch, &find_account);
    db_bytes(pass->account, pass->proof.credential_id);
    call_run(call, PASS_READ);
}

static void refuse(struct call *call, enum code code)
{
    call->gateway->figures.sign_ins_failed++;
    LOG_INFO("sign_in_failed", F_STR("code", code_name(code)), F_BOOL("passkey", true));
    call_problem(call, code);
}

/* Nothing is counted: a signature cannot be guessed. */
static void judge(struct call *call, struct pass *pass)
{
    struct str state;

    if (db_rows(pass->account) != 1 ||
        !passkey_proof_good(call, &pass->proof, (struct uuid){{0}})) {
        refuse(call, CODE_PASSKEY_FAILED);
        return;
    }
    state = db_get_text(pass->account, 0, COLUMN_STATE);
    if (!str_eq_c(state, "active")) {
        refuse(call, str_eq_c(state, "suspended") ? CODE_ACCOUNT_SUSPENDED : CODE_PASSKEY_FAILED);
        return;
    }
    sign_in_session(pass->account, &pass->session);
    call->batch = db_batch_new(call->flow.arena);
    passkey_proof_use(call, call->batch, &pass->proof);
    session_add(call, call->batch, &pass->session);
    flow_on_error(&call->flow, PASS_LOST);
    call_run(call, PASS_RECORDED);
}

void endpoint_sign_in_with_passkey(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct pass *pass = call->state;

    switch ((enum pass_step)flow->step) {
    case PASS_BODY:
        begin(call);
        return;
    case PASS_READ:
        judge(call, pass);
        return;
    case PASS_RECORDED:
        sign_in_answer(call, pass->account, &pass->session);
        return;
    case PASS_LOST:
        if (flow->err != ERR_DB_CONFLICT) {
            flow_end(flow, flow->err);
            return;
        }
        flow->err = ERR_OK;
        refuse(call, CODE_PASSKEY_FAILED);
        return;
    }
    must(false);
}
