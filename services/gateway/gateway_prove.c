/*
 * gateway_prove: the second factor after signing in, and proving again who one is before a
 * sensitive change. Either way the session goes on under a new token.
 */
#include "gateway/gateway_factor.h"
#include "gateway/gateway_password.h"
#include "gateway/gateway_throttle.h"

void endpoint_give_second_factor(struct flow *flow);
void endpoint_reauthenticate(struct flow *flow);

enum prove_step {
    PROVE_BODY,
    PROVE_FREE,     /* whether it has to wait is known */
    PROVE_READ,     /* what is on file was read */
    PROVE_COMPARED, /* the password was compared */
    PROVE_COUNTED,  /* a wrong one was counted */
    PROVE_RENEWED,
    PROVE_LOST, /* the new session could not be written, or the code was used meanwhile */
};

struct prove {
    bool after_sign_in;
    struct str password, code_text; /* one of them; data NULL: the other */
    struct factor_code code;
    struct password_job job;
    struct throttle throttle;
    struct db_query *hash;
    struct session_new session;
};

static void free_or_wait(struct call *call, struct prove *prove)
{
    struct str subject = prove->password.data != NULL
                             ? call->who.login_id
                             : factor_subject(call->flow.arena, call->who.account_id);

    throttle_init(&prove->throttle, call, subject);
    flow_wait(&call->flow, PROVE_FREE);
    throttle_check(&prove->throttle, &call->flow);
}

static void begin_second(struct call *call)
{
    struct prove *prove = arena_new_of(call->flow.arena, struct prove);
    struct body_give_second_factor body;

    call->state = prove;
    prove->after_sign_in = true;
    if (!CALL_BODY(call, give_second_factor, &body))
        return;
    if (!call->who.factor_pending) {
        call_problem_with(call, CODE_STEP_ORDER, "next",
                          arena_str(call->flow.arena, call->who.step).data);
        return;
    }
    prove->code_text = body.code;
    free_or_wait(call, prove);
}

static void begin_again(struct call *call)
{
    struct prove *prove = arena_new_of(call->flow.arena, struct prove);
    struct body_reauthenticate body;

    call->state = prove;
    if (!CALL_BODY(call, reauthenticate, &body))
        return;
    if (body.password.data == NULL && body.code.data == NULL) {
        call_field_problem(call, "/password", CODE_FIELD_MISSING);
        return;
    }
    prove->password = body.password;
    prove->code_text = body.code;
    free_or_wait(call, prove);
}

static void read_row(struct call *call, struct prove *prove)
{
    if (prove->throttle.wait_s > 0) {
        call->gateway->figures.sign_ins_throttled++;
        call_problem_later(call, CODE_SIGN_IN_THROTTLED, prove->throttle.wait_s);
        return;
    }
    call->batch = db_batch_read(call->flow.arena);
    if (prove->password.data != NULL)
        prove->hash = credential_hash(call->batch, call->who.account_id);
    else
        factor_code_read(call, call->batch, prove->code_text, &prove->code);
    call_run(call, PROVE_READ);
}

static void renew(struct call *call, struct prove *prove)
{
    call->batch = db_batch_new(call->flow.arena);
    if (prove->password.data == NULL)
        factor_code_use(call, call->batch, &prove->code);
    session_renew(call, call->batch, &prove->session);
    throttle_forget(&prove->throttle, call->batch);
    flow_on_error(&call->flow, PROVE_LOST);
    call_run(call, PROVE_RENEWED);
}

static void count(struct call *call, struct prove *prove)
{
    call->gateway->figures.sign_ins_failed++;
    LOG_INFO("proof_failed", F_BOOL("password", prove->password.data != NULL),
             F_BOOL("after_sign_in", prove->after_sign_in));
    flow_wait(&call->flow, PROVE_COUNTED);
    throttle_count(&prove->throttle, &call->flow);
}

static void judge(struct call *call, struct prove *prove)
{
    if (prove->password.data != NULL) {
        prove->job.password = prove->password;
        prove->job.hash = db_rows(prove->hash) == 1
                              ? arena_str(call->flow.arena, db_get_text(prove->hash, 0, 0)).data
                              : password_hash_of_nobody();
        flow_wait(&call->flow, PROVE_COMPARED);
        password_job_run(call->gateway, &prove->job, &call->flow);
        return;
    }
    if (factor_code_good(call, &prove->code))
        renew(call, prove);
    else
        count(call, prove);
}

static void refuse(struct call *call, const struct prove *prove)
{
    if (prove->password.data != NULL)
        call_field_problem(call, "/password", CODE_PASSWORD_WRONG);
    else
        call_field_problem(call, "/code", CODE_CODE_WRONG);
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
            count(call, prove);
        return;
    case PROVE_COUNTED:
        refuse(call, prove);
        return;
    case PROVE_RENEWED:
        LOG_INFO("proved", F_BOOL("after_sign_in", prove->after_sign_in));
        session_renewed(call, &prove->session);
        call_object(call, 200, session_json(call, &prove->session, call->who.account_step));
        return;
    case PROVE_LOST: /* two of the same code at once: the second one is too late */
        if (flow->err != ERR_DB_CONFLICT) {
            flow_goto(flow, FLOW_END);
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
