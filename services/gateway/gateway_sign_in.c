/*
 * gateway_sign_in: login id and password to a session, past the queue (gateway_queue.h). Every try
 * costs one Argon2id hash, whether the login id exists, is a postcard's, or is nobody's: time tells
 * nothing.
 */
#include <string.h>

#include "gateway/gateway_factor.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_maintenance.h"
#include "gateway/gateway_password.h"
#include "gateway/gateway_queue.h"
#include "gateway/gateway_sign_in.h"
#include "gateway/gateway_throttle.h"
#include "text/fold.h"

void endpoint_sign_in(struct flow *flow);

enum sign_in_step {
    SIGN_IN_BODY,
    SIGN_IN_QUEUED,   /* there is a number for whoever has to wait */
    SIGN_IN_FREE,     /* whether it has to wait is known */
    SIGN_IN_FOUND,    /* credentials were read; a try of the postcard is used up */
    SIGN_IN_CHECKED,  /* the password was compared */
    SIGN_IN_COUNTED,  /* the failure was counted */
    SIGN_IN_RECORDED, /* the session is there */
    SIGN_IN_WARN,     /* refused; whether a mail about it is due is known */
    SIGN_IN_WARNED,
};

struct sign_in {
    struct body_sign_in body;
    struct str login_id;              /* folded: NFKC, no blanks, lower case */
    char temp_login[TEMP_TEXT_BYTES]; /* as on postcards; "" when it cannot be one */
    char temp_password[TEMP_TEXT_BYTES];
    struct queue_place place;
    bool maintenance; /* only administrators come in, and nobody can find out who is one */
    struct throttle throttle;
    struct password_job job;
    struct db_query *credential, *postcard, *try;
    struct session_new session;
    const struct db_query *account; /* whose columns tell who it is */
    enum code refusal;
};

/*
 * By login id, or by a confirmed address that is nobody's login id (a delegate's is an address,
 * which a doctor may share) and leads to one account only.
 */
static const struct db_stmt find_credential = {
    "gateway_sign_in_credential",
    "SELECT a.account_id, c.login_id, c.password_hash," ACCOUNT_COLUMNS
    " FROM gateway.credential c JOIN portal.sign_in a USING (account_id) WHERE c.login_id = $1"
    " UNION ALL"
    " SELECT a.account_id, c.login_id, c.password_hash," ACCOUNT_COLUMNS
    " FROM portal.sign_in a JOIN gateway.credential c USING (account_id)"
    " WHERE position('@' IN $1) > 0 AND lower(a.email) = $1 AND a.email <> ''"
    "  AND a.email_confirmed"
    "  AND NOT EXISTS (SELECT FROM gateway.credential o WHERE o.login_id = $1) LIMIT 2",
};
static const struct db_stmt find_postcard = {
    "gateway_sign_in_postcard",
    "SELECT a.account_id, t.login_id, t.hmac," ACCOUNT_COLUMNS ", t.tries_left,"
    " t.dead_at IS NULL AND t.expires_at > $2, t.dead_at IS NULL AND t.expires_at <= $2"
    " FROM gateway.temp_credential t JOIN portal.sign_in a USING (account_id)"
    " WHERE t.login_id = $1",
};
/* Before the password is looked at, so that many guesses at once are not more than five. */
static const struct db_stmt use_try = {
    "gateway_use_try",
    "UPDATE gateway.temp_credential SET tries_left = tries_left - 1"
    " WHERE login_id = $1 AND tries_left > 0 AND dead_at IS NULL AND expires_at > $2"
    " RETURNING tries_left",
};
static const struct db_stmt give_tries_back = {
    "gateway_give_tries_back",
    "UPDATE gateway.temp_credential SET tries_left = 5 WHERE login_id = $1",
};

/* ---- finding ---- */

static void enter(struct call *call, struct sign_in *sign_in)
{
    enum queue_verdict verdict = queue_look(call, &sign_in->place);

    if (verdict != QUEUE_PASS && sign_in->maintenance) {
        maintenance_refuse(call);
        return;
    }
    switch (verdict) {
    case QUEUE_TAKE:
        queue_take(call, &sign_in->place, SIGN_IN_QUEUED);
        return;
    case QUEUE_WAIT:
        queue_answer_wait(call, &sign_in->place);
        return;
    case QUEUE_PASS:
        queue_enter(call, true);
        throttle_init(&sign_in->throttle, call, sign_in->login_id);
        flow_wait(&call->flow, SIGN_IN_FREE);
        throttle_check(&sign_in->throttle, &call->flow);
        return;
    }
    must(false);
}

static void begin(struct call *call)
{
    struct sign_in *sign_in = arena_new_of(call->flow.arena, struct sign_in);

    call->state = sign_in;
    sign_in->maintenance = maintenance_until(call->gateway, call->now_us) > 0;
    if (!CALL_BODY(call, sign_in, &sign_in->body))
        return;
    sign_in->login_id = fold_header(call->flow.arena, sign_in->body.login_id);
    if (!temp_fold(sign_in->body.login_id, sign_in->temp_login))
        sign_in->temp_login[0] = '\0';
    if (!temp_fold(sign_in->body.password, sign_in->temp_password))
        sign_in->temp_password[0] = '\0';
    enter(call, sign_in);
}

static struct db_query *add_temp(struct call *call, const struct db_stmt *stmt)
{
    const struct sign_in *sign_in = call->state;
    struct db_query *query = db_add(call->batch, stmt);

    db_text_c(query, sign_in->temp_login);
    db_time(query, call->now_us);
    return query;
}

static void find(struct call *call, struct sign_in *sign_in)
{
    call->batch = db_batch_new(call->flow.arena);
    sign_in->credential = db_add(call->batch, &find_credential);
    db_text(sign_in->credential, sign_in->login_id);
    if (!sign_in->maintenance) { /* no postcard is an administrator's */
        sign_in->postcard = add_temp(call, &find_postcard);
        sign_in->try = add_temp(call, &use_try);
    }
    call_run(call, SIGN_IN_FOUND);
}

static void compare(struct call *call, struct sign_in *sign_in)
{
    bool known = db_rows(sign_in->credential) == 1;

    sign_in->job.password = sign_in->body.password;
    sign_in->job.hash =
        known ? arena_str(call->flow.arena, db_get_text(sign_in->credential, 0, COLUMN_SECRET)).data
              : password_hash_of_nobody();
    queue_enter(call, false); /* the pool counts it now */
    flow_wait(&call->flow, SIGN_IN_CHECKED);
    password_job_run(call->gateway, &sign_in->job, &call->flow);
}

/* ---- judging ---- */

/* A postcard is good once the person has not finished first login, for a few tries, for a time. */
static bool postcard_good(struct call *call, struct sign_in *sign_in)
{
    uint8_t hmac[SECRET_DIGEST_BYTES];
    bool fits;

    if (sign_in->postcard == NULL || db_rows(sign_in->postcard) == 0)
        return false;
    temp_hmac(&call->gateway->temp_key, sign_in->temp_password, hmac);
    fits = sign_in->temp_password[0] != '\0' &&
           str_eq_secret((struct str){(const char *)hmac, sizeof(hmac)},
                         db_get_bytes(sign_in->postcard, 0, COLUMN_SECRET));
    if (db_rows(sign_in->try) == 1 && fits)
        return true;
    /* Whoever holds the postcard has to know that only a new one helps. */
    if (db_rows(sign_in->try) == 0 && (db_get_bool(sign_in->postcard, 0, COLUMN_GOOD) ||
                                       (fits && db_get_bool(sign_in->postcard, 0, COLUMN_EXPIRED))))
        sign_in->refusal = CODE_TEMP_LOCKED;
    return false;
}

static bool judge(struct call *call, struct sign_in *sign_in)
{
    struct str state;

    sign_in->refusal = CODE_SIGN_IN_FAILED;
    if (db_rows(sign_in->credential) == 1 && sign_in->job.good) {
        sign_in->account = sign_in->credential;
    } else if (postcard_good(call, sign_in)) {
        sign_in->account = sign_in->postcard;
        sign_in->session.temporary = true;
    } else {
        return false;
    }
    state = db_get_text(sign_in->account, 0, COLUMN_STATE);
    if (str_eq_c(state, "suspended")) {
        sign_in->refusal = CODE_ACCOUNT_SUSPENDED;
        return false;
    }
    if (sign_in->session.temporary)
        return str_eq_c(state, "temp_issued");
    return str_eq_c(state, "active");
}

/* ---- answering ---- */

void sign_in_session(const struct db_query *account, struct session_new *session)
{
    session->account_id = db_get_uuid(account, 0, COLUMN_ACCOUNT_ID);
    session->login_id = db_get_text(account, 0, COLUMN_LOGIN_ID);
    session->doctor = db_get_i64(account, 0, COLUMN_DOCTOR_ID) != 0;
}

static void record(struct call *call, struct sign_in *sign_in)
{
    const struct db_query *account = sign_in->account;
    struct session_new *session = &sign_in->session;

    sign_in_session(account, session);
    session->factor_pending =
        !session->temporary &&
        (db_get_bool(account, 0, COLUMN_FACTOR) || factor_required(call->gateway, session->doctor));
    call->batch = db_batch_new(call->flow.arena);
    session_add(call, call->batch, session);
    throttle_forget(&sign_in->throttle, call->batch);
    if (session->temporary)
        db_text_c(db_add(call->batch, &give_tries_back), sign_in->temp_login);
    else if (sign_in->job.renewed)
        credential_change(call->batch, session->account_id, sign_in->job.made, call->now_us);
    call_run(call, SIGN_IN_RECORDED);
}

void sign_in_answer(struct call *call, const struct db_query *account, struct session_new *session)
{
    struct who *who = &call->who;
    struct str step =
        session->factor_pending ? STR(STEP_SECOND_FACTOR) : db_get_text(account, 0, COLUMN_STEP);

    who->account_id = session->account_id;
    who->login_id = session->login_id;
    who->role = role_of_name(db_get_text(account, 0, COLUMN_ROLE));
    who->name = db_get_text(account, 0, COLUMN_NAME);
    who->email = db_get_text(account, 0, COLUMN_EMAIL);
    who->organiser_code = db_get_text(account, 0, COLUMN_ORGANISER);
    who->l1_code = db_get_text(account, 0, COLUMN_L1);
    who->l2_code = db_get_text(account, 0, COLUMN_L2);
    queue_leave(call);
    session_give(call, session);
    call->gateway->figures.sign_ins++;
    LOG_INFO("signed_in", F_STR("role", role_name(who->role)),
             F_BOOL("temporary", session->temporary));
    call_object(call, 201, session_json(call, session, step));
}

static void count_refusal(struct call *call, const struct sign_in *sign_in)
{
    call->gateway->figures.sign_ins_failed++;
    LOG_INFO("sign_in_failed", F_STR("code", code_name(sign_in->refusal)));
}

static void refuse(struct call *call, struct sign_in *sign_in)
{
    count_refusal(call, sign_in);
    call_problem(call, sign_in->refusal);
}

static struct uuid account_id(const struct sign_in *sign_in)
{
    return db_get_uuid(sign_in->credential, 0, COLUMN_ACCOUNT_ID);
}

/* The mail comes after the answer: how long that took tells nobody whether there is an account. */
static void refuse_and_warn(struct call *call, struct sign_in *sign_in)
{
    if (!sign_in->throttle.reached || db_rows(sign_in->credential) != 1) {
        refuse(call, sign_in);
        return;
    }
    count_refusal(call, sign_in);
    call_answer_problem(call, sign_in->refusal, NULL);
    link_get_in_find(call, account_id(sign_in), SIGN_IN_WARN);
}

static bool administrator(const struct sign_in *sign_in)
{
    return db_rows(sign_in->credential) == 1 &&
           access_allowed(role_of_name(db_get_text(sign_in->credential, 0, COLUMN_ROLE)),
                          ACTION_MAINTENANCE_USE);
}

/* Only guesses at an administrator's password count as failures then. */
static void refuse_in_maintenance(struct call *call, struct sign_in *sign_in)
{
    if (!administrator(sign_in) || sign_in->job.good) {
        maintenance_refuse(call);
        return;
    }
    flow_wait(&call->flow, SIGN_IN_COUNTED);
    throttle_count(&sign_in->throttle, &call->flow);
}

static void judged(struct call *call, struct sign_in *sign_in, bool good)
{
    if (sign_in->maintenance && !(good && administrator(sign_in))) {
        refuse_in_maintenance(call, sign_in);
    } else if (good) {
        record(call, sign_in);
    } else if (sign_in->refusal == CODE_ACCOUNT_SUSPENDED) {
        refuse(call, sign_in);
    } else {
        flow_wait(&call->flow, SIGN_IN_COUNTED);
        throttle_count(&sign_in->throttle, &call->flow);
    }
}

void endpoint_sign_in(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct sign_in *sign_in = call->state;

    switch ((enum sign_in_step)flow->step) {
    case SIGN_IN_BODY:
        begin(call);
        return;
    case SIGN_IN_QUEUED: /* also when Redis is away */
        queue_taken(call, &sign_in->place);
        queue_answer_wait(call, &sign_in->place);
        return;
    case SIGN_IN_FREE:
        if (sign_in->throttle.wait_s == 0) {
            find(call, sign_in);
            return;
        }
        call->gateway->figures.sign_ins_throttled++;
        if (sign_in->maintenance)
            maintenance_refuse(call);
        else
            call_problem_later(call, CODE_SIGN_IN_THROTTLED, sign_in->throttle.wait_s);
        return;
    case SIGN_IN_FOUND:
        compare(call, sign_in);
        return;
    case SIGN_IN_CHECKED:
        judged(call, sign_in, judge(call, sign_in));
        return;
    case SIGN_IN_COUNTED:
        if (sign_in->maintenance)
            maintenance_refuse(call);
        else
            refuse_and_warn(call, sign_in);
        return;
    case SIGN_IN_RECORDED:
        sign_in_answer(call, sign_in->account, &sign_in->session);
        return;
    case SIGN_IN_WARN:
        if (!link_get_in_send(call, account_id(sign_in), SIGN_IN_WARNED))
            flow_end(flow, ERR_OK);
        return;
    case SIGN_IN_WARNED:
        LOG_INFO("sign_in_warned");
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}
