/*
 * gateway_prove: the second factor after signing in, and proving again who one is before a
 * sensitive change. Either way the session goes on under a new token.
 */
#include "gateway/gateway_factor.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_passkey.h"
#include "gateway/gateway_password.h"
#include "gateway/gateway_throttle.h"

void endpoint_give_second_factor(struct flow *flow);
void endpoint_reauthenticate(struct flow *flow);
void endpoint_give_passkey(struct flow *flow);
void endpoint_reauthenticate_with_passkey(struct flow *flow);

enum prove_step {
    PROVE_BODY,
    PROVE_FREE,     /* whether it has to wait is known */
    PROVE_READ,     /* what is on file was read */
    PROVE_COMPARED, /* the password was compared */
    PROVE_COUNTED,  /* a wrong one was counted */
    PROVE_RENEWED,
    PROVE_WARN, /* refused; whether a mail about it is due is known */
    PROVE_WARNED,
    PROVE_LOST, /* the new session could not be written, or the code was used meanwhile */
};

enum prove_by { BY_PASSWORD, BY_CODE, BY_PASSKEY };

struct prove {
    bool after_sign_in;
    enum prove_by by;
    struct str password, code_text;
    struct factor_code code;
    struct passkey_proof passkey;
    struct password_job job;
    struct throttle throttle;
    struct db_query *hash;
    struct session_new session;
};

static void free_or_wait(struct call *call, struct prove *prove)
{
    struct str subject = prove->by == BY_PASSWORD
                             ? call->who.login_id
                             : factor_subject(call->flow.arena, call->who.account_id);

    throttle_init(&prove->throttle, call, subject);
    flow_wait(&call->flow, PROVE_FREE);
    throttle_check(&prove->throttle, &call->flow);
}

static struct prove *begin(struct call *call, enum prove_by by, bool after_sign_in)
{
    struct prove *prove = arena_new_of(call->flow.arena, struct prove);

    call->state = prove;
    prove->by = by;
    prove->after_sign_in = after_sign_in;
    return prove;
}

/* The second factor after signing in is given once. */
static bool its_turn(struct call *call)
{
    if (!call->who.factor_pending)
        call_problem_with(call, CODE_STEP_ORDER, "next",
                          arena_str(call->flow.arena, call->who.step).data);
    return call->who.factor_pending;
}

static void begin_second(struct call *call)
{
    struct prove *prove = begin(call, BY_CODE, true);
    struct body_give_second_factor body;

    if (!CALL_BODY(call, give_second_factor, &body) || !its_turn(call))
        return;
    prove->code_text = body.code;
    free_or_wait(call, prove);
}

static void begin_again(struct call *call)
{
    struct prove *prove = begin(call, BY_PASSWORD, false);
    struct body_reauthenticate body;

    if (!CALL_BODY(call, reauthenticate, &body))
        return;
    if (body.password.data == NULL && body.code.data == NULL) {
        call_field_problem(call, "/password", CODE_FIELD_MISSING);
        return;
    }
    if (body.password.data == NULL)
        prove->by = BY_CODE;
    prove->password = body.password;
    prove->code_text = body.code;
    free_or_wait(call, prove);
}

/* A signature cannot be guessed: nobody has to wait. */
static void read_passkey(struct call *call, struct prove *prove, const struct passkey_given *given)
{
    call->batch = db_batch_read(call->flow.arena);
    passkey_proof_read(call, call->batch, PASSKEY_PROVE, given, &prove->passkey);
    call_run(call, PROVE_READ);
}

static void begin_second_passkey(struct call *call)
{
    struct prove *prove = begin(call, BY_PASSKEY, true);
    struct body_give_passkey body;

    if (CALL_BODY(call, give_passkey, &body) && its_turn(call))
        read_passkey(call, prove, &PASSKEY_GIVEN(body));
}

static void begin_again_passkey(struct call *call)
{
    struct prove *prove = begin(call, BY_PASSKEY, false);
    struct body_reauthenticate_with_passkey body;

    if (CALL_BODY(call, reauthenticate_with_passkey, &body))
        read_passkey(call, prove, &PASSKEY_GIVEN(body));
}

static void read_row(struct call *call, struct prove *prove)
{
    if (prove->throttle.wait_s > 0) {
        call->gateway->figures.sign_ins_throttled++;
        call_problem_later(call, CODE_SIGN_IN_THROTTLED, prove->throttle.wait_s);
        return;
    }
    call->batch = db_batch_read(call->flow.arena);
    if (prove->by == BY_PASSWORD)
        prove->hash = credential_hash(call->batch, call->who.account_id);
    else
        factor_code_read(call, call->batch, prove->code_text, &prove->code);
    call_run(call, PROVE_READ);
}

static void renew(struct call *call, struct prove *prove)
{
    call->batch = db_batch_new(call->flow.arena);
    if (prove->by == BY_CODE)
        factor_code_use(call, call->batch, &prove->code);
    else if (prove->by == BY_PASSKEY)
        passkey_proof_use(call, call->batch, &prove->passkey);
    session_renew(call, call->batch, &prove->session);
    if (prove->by != BY_PASSKEY)
        throttle_forget(&prove->throttle, call->batch);
    flow_on_error(&call->flow, PROVE_LOST);
    call_run(call, PROVE_RENEWED);
}

static void refuse(struct call *call, const struct prove *prove)
{
    switch (prove->by) {
    case BY_PASSWORD:
        call_field_problem(call, "/password", CODE_PASSWORD_WRONG);
        return;
    case BY_CODE:
        call_field_problem(call, "/code", CODE_CODE_WRONG);
        return;
    case BY_PASSKEY:
        call_problem(call, CODE_PASSKEY_FAILED);
        return;
    }
    must(false);
}

/*
 * Somebody who has the password guesses codes: the owner hears of it by the same mail as of guessed
 * passwords, whose link makes the password worthless.
 */
static void refuse_and_warn(struct call *call, const struct prove *prove)
{
    if (!prove->after_sign_in || !prove->throttle.reached) {
        refuse(call, prove);
        return;
    }
    call_field_answer(call, "/code", CODE_CODE_WRONG);
    link_get_in_find(call, call->who.account_id, PROVE_WARN);
}

static void failed(struct call *call, struct prove *prove)
{
    call->gateway->figures.sign_ins_failed++;
    LOG_INFO("proof_failed", F_I64("by", prove->by), F_BOOL("after_sign_in", prove->after_sign_in));
    if (prove->by == BY_PASSKEY) {
        refuse(call, prove);
        return;
    }
    flow_wait(&call->flow, PROVE_COUNTED);
    throttle_count(&prove->throttle, &call->flow);
}

static void compare(struct call *call, struct prove *prove)
{
    prove->job.password = prove->password;
    prove->job.hash = db_rows(prove->hash) == 1
                          ? arena_str(call->flow.arena, db_get_text(prove->hash, 0, 0)).data
                          : password_hash_of_nobody();
    flow_wait(&call->flow, PROVE_COMPARED);
    password_job_run(call->gateway, &prove->job, &call->flow);
}

static void judge(struct call *call, struct prove *prove)
{
    bool good;

    if (prove->by == BY_PASSWORD) {
        compare(call, prove);
        return;
    }
    good = prove->by == BY_CODE ? factor_code_good(call, &prove->code)
                                : passkey_proof_good(call, &prove->passkey, call->who.account_id);
    if (good)
        renew(call, prove);
    else
        failed(call, prove);
}

static void prove_run(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct prove *prove = call->state;

    switch ((enum prove_step)flow->step) {
    case PROVE_BODY: /* each endpoint has its own */
        break;
    case PROVE_FREE:
        read_row(call, prove);
        return;
    case PROVE_READ:
        judge(call, prove);
        return;
    case PROVE_COMPARED:
        if (prove->job.good)
            renew(call, prove);
        else
            failed(call, prove);
        return;
    case PROVE_COUNTED:
        refuse_and_warn(call, prove);
        return;
    case PROVE_WARN:
        if (!link_get_in_send(call, call->who.account_id, PROVE_WARNED))
            flow_end(flow, ERR_OK);
        return;
    case PROVE_WARNED:
        LOG_INFO("second_factor_warned");
        flow_end(flow, ERR_OK);
        return;
    case PROVE_RENEWED:
        LOG_INFO("proved", F_BOOL("after_sign_in", prove->after_sign_in));
        session_renewed(call, &prove->session);
        call_object(call, 200, session_json(call, &prove->session, call->who.account_step));
        return;
    case PROVE_LOST: /* two of the same proof at once: the second one is too late */
        if (flow->err != ERR_DB_CONFLICT) {
            flow_end(flow, flow->err);
            return;
        }
        flow->err = ERR_OK;
        refuse(call, prove);
        return;
    }
    must(false);
}

void endpoint_give_second_factor(struct flow *flow)
{
    if (flow->step == PROVE_BODY)
        begin_second(CALL_OF(flow));
    else
        prove_run(flow);
}

void endpoint_reauthenticate(struct flow *flow)
{
    if (flow->step == PROVE_BODY)
        begin_again(CALL_OF(flow));
    else
        prove_run(flow);
}

void endpoint_give_passkey(struct flow *flow)
{
    if (flow->step == PROVE_BODY)
        begin_second_passkey(CALL_OF(flow));
    else
        prove_run(flow);
}

void endpoint_reauthenticate_with_passkey(struct flow *flow)
{
    if (flow->step == PROVE_BODY)
        begin_again_passkey(CALL_OF(flow));
    else
        prove_run(flow);
}
