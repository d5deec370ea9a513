/* gateway_password: hashing on the pool, and setting one's own password. */
#include <string.h>

#include "gateway/gateway_command.h"
#include "gateway/gateway_factor.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_password.h"
#include "gateway/gateway_throttle.h"
#include "gen/events.h"

void endpoint_set_password(struct flow *flow);

/* ---- the pool ---- */

static void work(void *arg)
{
    struct password_job *job = arg;

    if (job->hash != NULL) {
        job->good = password_check(job->pepper, job->password, job->hash);
        if (!job->good || !password_hash_outdated(job->hash, job->cost))
            return;
    }
    job->err = password_hash(job->pepper, job->cost, job->password, job->made);
    job->renewed = job->err == ERR_OK;
}

void password_job_run(struct gateway *gateway, struct password_job *job, struct flow *flow)
{
    job->pepper = &gateway->pepper;
    job->cost =
        (struct password_cost){gateway->settings->hash_passes, gateway->settings->hash_memory_kib};
    pool_run(gateway->hashes, work, job, flow);
}

/* ---- PUT /me/password ---- */

enum set_step {
    SET_BODY,
    SET_FREE,    /* whether it has to wait is known */
    SET_OLD,     /* the present hash was read */
    SET_CHECKED, /* the present password was compared */
    SET_COUNTED, /* a wrong one was counted */
    SET_HASH,
    SET_HASHED,
    SET_SAVED,
};

struct set_password {
    struct body_set_password body;
    struct password_job check, make;
    struct throttle throttle;
    struct db_query *ended;
};

static const struct db_stmt find_hash = {
    "gateway_find_hash",
    "SELECT password_hash FROM gateway.credential WHERE account_id = $1",
};
static const struct db_stmt insert_credential = {
    "gateway_insert_credential",
    "INSERT INTO gateway.credential (login_id, account_id, password_hash, changed_at)"
    " VALUES ($1, $2, $3, $4) ON CONFLICT (account_id) DO UPDATE"
    " SET password_hash = excluded.password_hash, changed_at = excluded.changed_at",
};
static const struct db_stmt update_credential = {
    "gateway_update_credential",
    "UPDATE gateway.credential SET password_hash = $2, changed_at = $3 WHERE account_id = $1",
};
static const struct db_stmt end_postcard = {
    "gateway_end_postcard",
    "UPDATE gateway.temp_credential SET dead_at = $2 WHERE account_id = $1 AND dead_at IS NULL",
};
static const struct db_stmt make_permanent = {
    "gateway_make_permanent",
    "UPDATE gateway.session SET temporary = false, login_id = $2 WHERE token_sha256 = $1",
};

struct db_query *credential_hash(struct db_batch *batch, struct uuid account_id)
{
    struct db_query *query = db_add(batch, &find_hash);

    db_uuid(query, account_id);
    return query;
}

void credential_change(struct db_batch *batch, struct uuid account_id, const char *hash,
                       int64_t now_us)
{
    struct db_query *query = db_add(batch, &update_credential);

    db_uuid(query, account_id);
    db_text_c(query, hash);
    db_time(query, now_us);
}

void credential_add(struct db_batch *batch, struct uuid account_id, struct str login_id,
                    const char *hash, int64_t now_us)
{
    struct db_query *query = db_add(batch, &insert_credential);

    db_text(query, login_id);
    db_uuid(query, account_id);
    db_text_c(query, hash);
    db_time(query, now_us);
}

void credential_tell(struct call *call, struct db_batch *batch, struct uuid account_id,
                     struct str email, const char *what)
{
    const struct event_credential_changed changed = {
        .account_id = account_id, .what = str_of(what), .email = email, .changed_at = call->now_us};
    char key[UUID_TEXT_BYTES];

    if (email.len == 0)
        return;
    uuid_format(account_id, key);
    const struct work_event event = {.type = EVENT_CREDENTIAL_CHANGED,
                                     .topic = TOPIC_ACCOUNT_EVENTS,
                                     .key = str_of(key),
                                     .subject = str_of(key),
                                     .data = event_credential_changed_encode(&changed)};
    (void)work_emit(call->gateway->work, batch, &event, call->flow.trace);
}

/* The last step of first login: the postcard is worth nothing from here on. */
static void add_first(struct call *call, struct db_batch *batch)
{
    struct set_password *set = call->state;
    struct db_query *query;

    credential_add(batch, call->who.account_id, call->who.mamis_no, set->make.made, call->now_us);
    query = db_add(batch, &end_postcard);
    db_uuid(query, call->who.account_id);
    db_time(query, call->now_us);
    first_link_end(batch, call->who.account_id, call->now_us);
    query = db_add(batch, &make_permanent);
    db_bytes(query, (struct str){(const char *)call->who.digest, SECRET_DIGEST_BYTES});
    db_text(query, call->who.mamis_no);
    /* Of a first login that was begun anew. */
    factor_forget(batch, call->who.account_id, call->now_us);
    set->ended = session_end_others(batch, call->who.account_id, call->who.digest, call->now_us);
}

static void others_ended(struct call *call)
{
    struct set_password *set = call->state;

    session_mark_all(call->gateway, call->flow.arena, set->ended);
    LOG_INFO("password_set", F_BOOL("first", call->who.step.len > 0));
}

static void finish_first_login(struct call *call)
{
    char key[UUID_TEXT_BYTES];
    struct command command = {
        .type = EVENT_ACCOUNT_COMPLETE,
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .status = 200,
        .operation_id = uuid_new(),
        .add = add_first,
        .committed = others_ended,
    };
    const struct event_account_complete event = {.operation_id = command.operation_id,
                                                 .account_id = call->who.account_id};

    uuid_format(call->who.account_id, key);
    command.key = str_of(arena_strdup(call->flow.arena, key));
    command.data = event_account_complete_encode(&event);
    command_accept(call, &command);
}

static void save(struct call *call, struct set_password *set)
{
    call->batch = db_batch_new(call->flow.arena);
    credential_change(call->batch, call->who.account_id, set->make.made, call->now_us);
    set->ended =
        session_end_others(call->batch, call->who.account_id, call->who.digest, call->now_us);
    credential_tell(call, call->batch, call->who.account_id, call->who.email, "password");
    call_run_work(call, SET_SAVED);
}

static enum code rules(struct call *call, const struct set_password *set)
{
    const struct who *who = &call->who;
    const struct str own[] = {who->login_id, who->mamis_no, who->register_no, who->name,
                              who->email};

    return password_rules(set->body.password, buf_str(&call->gateway->passwords), own,
                          ARRAY_LEN(own));
}

static void begin(struct call *call)
{
    struct set_password *set = arena_new_of(call->flow.arena, struct set_password);
    bool first = call->who.step.len > 0;
    enum code code;

    call->state = set;
    if (!CALL_BODY(call, set_password, &set->body))
        return;
    if (first && !str_eq_c(call->who.step, "password")) {
        call_problem_with(call, CODE_STEP_ORDER, "next",
                          arena_str(call->flow.arena, call->who.step).data);
        return;
    }
    code = rules(call, set);
    if (code != CODE_NONE) {
        call_field_problem(call, "/password", code);
        return;
    }
    if (!first && set->body.current_password.data == NULL) {
        call_field_problem(call, "/current_password", CODE_FIELD_MISSING);
        return;
    }
    if (first) {
        flow_goto(&call->flow, SET_HASH);
        return;
    }
    /* A session left open must not become a way to guess. */
    throttle_init(&set->throttle, call, call->who.login_id);
    flow_wait(&call->flow, SET_FREE);
    throttle_check(&set->throttle, &call->flow);
}

static void read_old(struct call *call, const struct set_password *set)
{
    if (set->throttle.wait_s > 0) {
        call_problem_later(call, CODE_SIGN_IN_THROTTLED, set->throttle.wait_s);
        return;
    }
    call->batch = db_batch_read(call->flow.arena);
    call->query = credential_hash(call->batch, call->who.account_id);
    call_run(call, SET_OLD);
}

static void compare(struct call *call, struct set_password *set)
{
    set->check.password = set->body.current_password;
    set->check.hash = db_rows(call->query) == 1
                          ? arena_str(call->flow.arena, db_get_text(call->query, 0, 0)).data
                          : password_hash_of_nobody();
    flow_wait(&call->flow, SET_CHECKED);
    password_job_run(call->gateway, &set->check, &call->flow);
}

void endpoint_set_password(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct set_password *set = call->state;

    switch ((enum set_step)flow->step) {
    case SET_BODY:
        begin(call);
        return;
    case SET_FREE:
        read_old(call, set);
        return;
    case SET_OLD:
        compare(call, set);
        return;
    case SET_CHECKED:
        if (set->check.good) {
            flow_goto(flow, SET_HASH);
            return;
        }
        flow_wait(flow, SET_COUNTED);
        throttle_count(&set->throttle, flow);
        return;
    case SET_COUNTED:
        call_field_problem(call, "/current_password", CODE_PASSWORD_WRONG);
        return;
    case SET_HASH:
        set->make.password = set->body.password;
        flow_wait(flow, SET_HASHED);
        password_job_run(call->gateway, &set->make, flow);
        return;
    case SET_HASHED:
        if (!set->make.renewed)
            call_field_problem(call, "/password", CODE_PASSWORD_TOO_LONG);
        else if (call->who.step.len > 0)
            finish_first_login(call);
        else
            save(call, set);
        return;
    case SET_SAVED:
        others_ended(call);
        call_json(call, 200, STR("{\"next\":\"\"}"));
        return;
    }
    must(false);
}
