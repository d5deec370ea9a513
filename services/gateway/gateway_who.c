/*
 * gateway_who: finds out who asks. A session's token is looked up by its SHA-256: first in Redis,
 * which may be away, then in PostgreSQL, which knows.
 */
#include <string.h>

#include "base/uuid.h"
#include "gateway/gateway_call.h"

enum who_step { WHO_BEGIN, WHO_CACHED, WHO_NO_CACHE, WHO_SESSION, WHO_TOKEN };

static const struct db_stmt find_session = {
    "gateway_find_session",
    "WITH seen AS (UPDATE gateway.session"
    "  SET seen_at = $2, idle_expires_at = $2 + (idle_expires_at - seen_at)"
    "  WHERE token_sha256 = $1 AND ended_at IS NULL AND idle_expires_at > $2 AND expires_at > $2"
    "   AND seen_at < $2 - interval '30 seconds')"
    " SELECT s.account_id, s.login_id, s.csrf, s.temporary, a.role, a.name, a.email, a.step,"
    "  coalesce(a.organiser_code, ''), coalesce(a.l1_code, ''), coalesce(a.l2_code, ''),"
    "  coalesce(a.doctor_id, 0), coalesce(a.mamis_no, ''), coalesce(a.register_no, ''),"
    "  coalesce(a.name_kana, ''), coalesce(a.my_page, ''), s.expires_at,"
    "  EXISTS (SELECT FROM portal.undeliverable u WHERE u.address = a.email), s.factor_pending,"
    "  s.proved_at,"
    "  EXISTS (SELECT FROM portal.administrator m WHERE m.account_id = s.account_id)"
    " FROM gateway.session s JOIN portal.sign_in a USING (account_id)"
    " WHERE s.token_sha256 = $1 AND s.ended_at IS NULL AND s.idle_expires_at > $2"
    "  AND s.expires_at > $2 AND a.state IN ('temp_issued', 'active')",
};

static const struct db_stmt find_token = {
    "gateway_find_token",
    "SELECT token_id, organiser_code, array_to_string(scope, ' '), label FROM gateway.token"
    " WHERE token_sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
};

/* ---- what Redis keeps ---- */

/* Texts of `who` in the order in which they stand in the entry. */
#define WHO_TEXTS(X)                                                                               \
    X(login_id)                                                                                    \
    X(name)                                                                                        \
    X(email)                                                                                       \
    X(csrf)                                                                                        \
    X(organiser_code) X(l1_code) X(l2_code) X(mamis_no) X(register_no) X(name_kana) X(my_page)

/* Each text with its length before it: "4:text". */
static void put_text(struct buf *out, struct str text)
{
    buf_printf(out, "%zu:", text.len);
    if (text.len > 0)
        buf_add(out, text.data, text.len);
}

static void put_flag(struct buf *out, bool flag)
{
    put_text(out, flag ? STR("1") : STR(""));
}

/* What GET /me answers stands at the end, ready to be sent. */
static struct str who_pack(struct arena *arena, const struct who *who)
{
    char account[UUID_TEXT_BYTES];
    json_t *me = who_me(who);
    char *me_text = json_dumps(me, JSON_COMPACT);
    struct buf out = {0};
    struct str packed;

    must(me_text != NULL);
    uuid_format(who->account_id, account);
    put_text(&out, str_of(role_name(who->role)));
    put_text(&out, str_of(account));
    put_text(&out, str_of(arena_printf(arena, "%lld", (long long)who->doctor_id)));
    put_flag(&out, who->email_undeliverable);
    put_flag(&out, who->administrator);
#define X(field) put_text(&out, who->field);
    WHO_TEXTS(X)
#undef X
    put_text(&out, str_of(me_text));
    packed = arena_str(arena, buf_str(&out));
    buf_free(&out);
    free(me_text);
    json_decref(me);
    return packed;
}

/* The next text, within `*left`. */
static bool take_text(struct str *left, struct str *ret_text)
{
    size_t len = 0, at = 0;

    while (at < left->len && at < 7 && left->data[at] >= '0' && left->data[at] <= '9')
        len = len * 10 + (size_t)(left->data[at++] - '0');
    if (at == 0 || at == left->len || left->data[at] != ':' || len > left->len - at - 1)
        return false;
    *ret_text = len > 0 ? (struct str){left->data + at + 1, len} : STR("");
    *left = (struct str){left->data + at + 1 + len, left->len - at - 1 - len};
    return true;
}

/* False for anything that we did not write: then the row tells. `who` borrows from `text`. */
static bool who_unpack(struct str text, struct who *who)
{
    struct str role, account, doctor, undeliverable, administrator;
    bool ok = take_text(&text, &role) && take_text(&text, &account) && take_text(&text, &doctor) &&
              take_text(&text, &undeliverable) && take_text(&text, &administrator) &&
              uuid_parse(account, &who->account_id) && str_to_i64(doctor, &who->doctor_id);

    if (ok) {
        who->role = role_of_name(role);
        who->email_undeliverable = undeliverable.len > 0;
        who->administrator = administrator.len > 0;
        ok = who->role != ROLE_NONE;
    }
#define X(field) ok = ok && take_text(&text, &who->field);
    WHO_TEXTS(X)
#undef X
    ok = ok && take_text(&text, &who->me) && text.len == 0;
    who->step = who->account_step = STR("");
    return ok;
}

/*
 * Only sessions without a pending step are remembered: those change at each request. NX: what ended
 * a moment ago left a mark that a late reader must not overwrite.
 */
static void remember(struct call *call, int64_t expires_us)
{
    struct gateway *gateway = call->gateway;
    struct arena *arena = call->flow.arena;
    int64_t left_ms = (expires_us - call->now_us) / 1000;

    if (call->who.step.len > 0 || call->who.temporary || left_ms <= 0)
        return;
    if (left_ms > SESSION_CACHE_MS)
        left_ms = SESSION_CACHE_MS;
    const struct str args[] = {STR("SET"),
                               session_key(gateway, arena, call->who.digest),
                               who_pack(arena, &call->who),
                               STR("PX"),
                               str_of(arena_printf(arena, "%lld", (long long)left_ms)),
                               STR("NX")};
    cache_send(gateway->cache, args, ARRAY_LEN(args));
}

/* ---- the rows ---- */

static void read_row(struct call *call, const struct db_stmt *stmt, int next)
{
    struct flow *flow = &call->flow;

    call->batch = db_batch_read(flow->arena);
    call->query = db_add(call->batch, stmt);
    db_bytes(call->query, (struct str){(const char *)call->who.digest, SECRET_DIGEST_BYTES});
    db_time(call->query, call->now_us);
    flow_wait(flow, next);
    db_run(call->gateway->db, call->batch, GATEWAY_READ_MS, flow);
}

static bool take_session(struct call *call)
{
    const struct db_query *query = call->query;
    struct who *who = &call->who;

    if (db_rows(query) != 1)
        return false;
    who->account_id = db_get_uuid(query, 0, 0);
    who->login_id = db_get_text(query, 0, 1);
    who->csrf = db_get_text(query, 0, 2);
    who->temporary = db_get_bool(query, 0, 3);
    who->role = role_of_name(db_get_text(query, 0, 4));
    who->name = db_get_text(query, 0, 5);
    who->email = db_get_text(query, 0, 6);
    who->step = db_get_text(query, 0, 7);
    who->organiser_code = db_get_text(query, 0, 8);
    who->l1_code = db_get_text(query, 0, 9);
    who->l2_code = db_get_text(query, 0, 10);
    who->doctor_id = db_get_i64(query, 0, 11);
    who->mamis_no = db_get_text(query, 0, 12);
    who->register_no = db_get_text(query, 0, 13);
    who->name_kana = db_get_text(query, 0, 14);
    who->my_page = db_get_text(query, 0, 15);
    who->email_undeliverable = db_get_bool(query, 0, 17);
    who->factor_pending = db_get_bool(query, 0, 18);
    who->proved_us = db_get_time(query, 0, 19);
    who->account_step = who->step;
    if (who->factor_pending)
        who->step = STR(STEP_SECOND_FACTOR);
    who->administrator = db_get_bool(query, 0, 20);
    remember(call, db_get_time(query, 0, 16));
    return who->role != ROLE_NONE;
}

static bool take_token(struct call *call)
{
    const struct db_query *query = call->query;
    struct who *who = &call->who;
    struct str left, scope;
    struct str *scopes = arena_array(call->flow.arena, struct str, GATEWAY_LIST_MAX);

    if (db_rows(query) != 1)
        return false;
    who->token = true;
    who->role = ROLE_ORGANISER;
    who->token_id = db_get_uuid(query, 0, 0);
    who->organiser_code = db_get_text(query, 0, 1);
    who->name = db_get_text(query, 0, 3);
    left = db_get_text(query, 0, 2);
    while (who->scope_count < GATEWAY_LIST_MAX && left.len > 0 && str_cut(&left, ' ', &scope))
        scopes[who->scope_count++] = scope;
    who->scopes = scopes;
    return true;
}

/* ---- steps ---- */

/* "Bearer x", the scheme in any case. */
static bool bearer(const struct http_request *request, struct str *ret_token)
{
    struct str header = http_header(request, "Authorization"), scheme;

    if (header.len == 0 || !str_cut(&header, ' ', &scheme) || !str_eq_nocase(scheme, STR("Bearer")))
        return false;
    *ret_token = str_trim(header);
    return true;
}

static void begin(struct call *call)
{
    struct str token = STR_NONE;

    if (call->endpoint->info->action == ACTION_PUBLIC) {
        call_known(call);
        return;
    }
    if (bearer(call->request, &token)) {
        token_digest(token, call->who.digest);
        read_row(call, &find_token, WHO_TOKEN);
        return;
    }
    token = http_cookie(call->request, call->gateway->cookie);
    if (token.len == 0 || token.len > 2 * TOKEN_TEXT_BYTES) {
        flow_end(&call->flow, ERR_UNAUTHENTICATED);
        return;
    }
    token_digest(token, call->who.digest);
    if (call->gateway->marks_owed || !cache_up(call->gateway->cache) ||
        access_reauthenticate(call->endpoint->info->action)) {
        flow_goto(&call->flow, WHO_NO_CACHE);
        return;
    }
    const struct str args[] = {STR("GET"),
                               session_key(call->gateway, call->flow.arena, call->who.digest)};
    struct cache_answer *answer = arena_new_of(call->flow.arena, struct cache_answer);
    call->state = answer;
    flow_on_error(&call->flow, WHO_NO_CACHE);
    flow_wait(&call->flow, WHO_CACHED);
    cache_run(call->gateway->cache, args, ARRAY_LEN(args), answer, &call->flow);
}

void who_run(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct cache_answer *answer = call->state;

    switch ((enum who_step)flow->step) {
    case WHO_BEGIN:
        begin(call);
        return;
    case WHO_CACHED:
        if (answer->present && who_unpack(answer->text, &call->who)) {
            call->gateway->figures.session_cached++;
            call_known(call);
            return;
        }
        flow_goto(flow, WHO_NO_CACHE);
        return;
    case WHO_NO_CACHE: /* also after an error of Redis, which is none of the call */
        flow_on_error(flow, FLOW_END);
        flow->err = ERR_OK;
        call->state = NULL;
        call->gateway->figures.session_read++;
        read_row(call, &find_session, WHO_SESSION);
        return;
    case WHO_SESSION:
        if (take_session(call))
            call_known(call);
        else
            flow_end(flow, ERR_UNAUTHENTICATED);
        return;
    case WHO_TOKEN:
        if (take_token(call))
            call_known(call);
        else
            call_problem(call, CODE_TOKEN_INVALID);
        return;
    }
    must(false);
}

/* ---- what others ask of a person ---- */

const char *who_scope(struct arena *arena, const struct who *who)
{
    char id[UUID_TEXT_BYTES];

    switch (who->role) {
    case ROLE_DOCTOR:
        return arena_printf(arena, "doctor:%lld", (long long)who->doctor_id);
    case ROLE_ORGANISER:
        return arena_printf(arena, "organiser:%.*s", STR_ARG(who->organiser_code));
    case ROLE_OFFICE_L1:
        return arena_printf(arena, "l1:%.*s", STR_ARG(who->l1_code));
    case ROLE_OFFICE_L2:
        return arena_printf(arena, "l2:%.*s", STR_ARG(who->l2_code));
    case ROLE_OFFICE_L3:
        return "l3";
    case ROLE_CALL_CENTRE:
        return "call_centre";
    case ROLE_ADMIN:
        return "admin";
    case ROLE_AUDITOR:
        return "auditor";
    case ROLE_DELEGATE:
        uuid_format(who->account_id, id);
        return arena_printf(arena, "delegate:%s", id);
    case ROLE_NONE:
        return "";
    }
    must(false);
    return "";
}

struct uuid who_id(const struct who *who)
{
    return who->token ? who->token_id : who->account_id;
}

const char *who_owner(struct arena *arena, const struct who *who)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(who_id(who), id);
    return arena_printf(arena, "%s:%s", who->token ? "token" : "account", id);
}

static void set_text(json_t *object, const char *name, struct str text, bool or_null)
{
    json_t *value = or_null && text.len == 0 ? json_null() : json_stringn(text.data, text.len);

    must(value != NULL && json_object_set_new(object, name, value) == 0);
}

json_t *who_account(const struct who *who)
{
    json_t *account = json_object();
    char id[UUID_TEXT_BYTES];

    uuid_format(who->account_id, id);
    set_text(account, "id", str_of(id), false);
    set_text(account, "login_id", who->login_id, false);
    set_text(account, "role", str_of(role_name(who->role)), false);
    set_text(account, "name", who->name, false);
    set_text(account, "email", who->email, true);
    set_text(account, "organiser_code", who->organiser_code, true);
    set_text(account, "l1_code", who->l1_code, true);
    set_text(account, "l2_code", who->l2_code, true);
    must(json_object_set_new(account, "administrator", json_boolean(who->administrator)) == 0);
    return account;
}

json_t *who_me(const struct who *who)
{
    json_t *me = json_object();

    must(json_object_set_new(me, "account", who_account(who)) == 0);
    set_text(me, "csrf_token", who->csrf, false);
    set_text(me, "next", who->step, false);
    must(json_object_set_new(me, "email_undeliverable", json_boolean(who->email_undeliverable)) ==
         0);
    if (who->doctor_id != 0) {
        json_t *doctor = json_object();

        set_text(doctor, "mamis_no", who->mamis_no, true);
        set_text(doctor, "register_no", who->register_no, false);
        set_text(doctor, "name", who->name, false);
        set_text(doctor, "name_kana", who->name_kana, false);
        set_text(doctor, "status", who->my_page, false);
        must(json_object_set_new(me, "doctor", doctor) == 0);
    }
    return me;
}

/* ---- streams ---- */

struct db_query *who_check_add(struct db_batch *batch, const struct who *who, int64_t now_us)
{
    struct db_query *query = db_add(batch, who->token ? &find_token : &find_session);

    db_bytes(query, (struct str){(const char *)who->digest, SECRET_DIGEST_BYTES});
    db_time(query, now_us);
    return query;
}

bool who_check_good(const struct db_query *query)
{
    return db_rows(query) == 1;
}
