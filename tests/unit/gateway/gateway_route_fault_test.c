/*
 * Routes that write, while the nth call of the database fails, for every n, in every way it can.
 * However it fails, whoever asks again until it is good has what was asked for, once; that is how
 * far the programs and pages go that use them. How far n came is printed; below
 * tests/data/gateway_faults.json it is a failure.
 */
#include <sodium.h>
#include <stdio.h>

#include "secret/factor.h"
#include "unit/gateway/gateway_bench.h"

#define DOCTOR "0190a000-0000-7000-8000-000000000001"
#define OFFICE "0190a000-0000-7000-8000-000000000002"
#define ORGANISER "0190a000-0000-7000-8000-000000000003"
#define THING "0190a000-0000-7000-8000-00000000000a"
#define OLD "kiku no hana 2025"
#define FRESH "momiji no yama 2026"

enum { TRIES_MAX = 4, SQL_BYTES = 2000, CODE_BYTES = 12 };

/* What a route does; $ in body and SQL is the code of the app, or its sealed secret. */
struct deed {
    const char *name; /* as in the file of figures */
    const char *who;  /* account id; NULL: nobody is signed in */
    const char *method, *path, *body;
    const char *before; /* SQL; NULL: none */
    unsigned status;    /* of a good answer */
    unsigned again;     /* of one to whoever asks again, because the first answer was lost; or 0 */
    const char *after;  /* SQL, true once it is as it should be */
};

#define ONE(table, condition) "SELECT (count(*) = 1)::int FROM gateway." table " WHERE " condition
#define TOLD(type) ONE("outbox", "type = '" type "'")
/* Accepted once, with one message, however often it was asked for. */
#define COMMANDED(type) TOLD(type) " AND (SELECT count(*) FROM gateway.command) = 1"
#define APP(confirmed)                                                                             \
    "INSERT INTO gateway.totp (account_id, sealed, begun_at, confirmed_at) VALUES"                 \
    " ('" DOCTOR "', '\\x$', now(), " confirmed ")"
#define ELSEWHERE                                                                                  \
    "INSERT INTO gateway.session (token_sha256, session_id, account_id, login_id, csrf, "          \
    "temporary,"                                                                                   \
    " created_at, seen_at, idle_expires_at, expires_at, proved_at) SELECT sha256('elsewhere'),"    \
    " '" THING "', account_id, login_id, csrf, false, created_at, seen_at, idle_expires_at,"       \
    " expires_at, proved_at FROM gateway.session WHERE account_id = '" DOCTOR "'"
#define ELSEWHERE_ENDED ONE("session", "session_id = '" THING "' AND ended_at IS NOT NULL")

static const struct deed deeds[] = {
    {"sign_in", NULL, "POST", "/session", "{\"login_id\":\"d1\",\"password\":\"" OLD "\"}",
     "DELETE FROM gateway.session", 201, 0,
     "SELECT (count(*) > 0)::int FROM gateway.session WHERE account_id = '" DOCTOR "'"},
    {"sign_out", DOCTOR, "DELETE", "/session", NULL, NULL, 204, 401,
     ONE("session", "account_id = '" DOCTOR "' AND ended_at IS NOT NULL")},
    {"session_ended", DOCTOR, "DELETE", "/me/sessions/" THING, NULL, ELSEWHERE, 204, 404,
     ELSEWHERE_ENDED},
    {"sessions_ended", DOCTOR, "DELETE", "/me/sessions", NULL, ELSEWHERE, 204, 0, ELSEWHERE_ENDED},
    {"proved", DOCTOR, "POST", "/me/reauthentication", "{\"password\":\"" OLD "\"}", NULL, 200, 401,
     ONE("session", "account_id = '" DOCTOR "' AND ended_at IS NULL")},
    /* Once more with the old password is refused: it is the new one by then. */
    {"password", DOCTOR, "PUT", "/me/password",
     "{\"current_password\":\"" OLD "\",\"password\":\"" FRESH "\"}", ELSEWHERE, 200, 422,
     TOLD("credential.changed.v1") " AND (" ELSEWHERE_ENDED ") = 1"},
    {"email", DOCTOR, "POST", "/me/email", "{\"email\":\"new@example.jp\"}", NULL, 202, 0,
     COMMANDED("account.set_email.v1")},
    {"totp_begun", DOCTOR, "POST", "/me/second-factor/totp", NULL, NULL, 201, 0,
     ONE("totp", "confirmed_at IS NULL")},
    {"totp_confirmed", DOCTOR, "POST", "/me/second-factor/totp/confirmation", "{\"code\":\"$\"}",
     APP("NULL"), 200, 401,
     TOLD("credential.changed.v1") " AND (" ONE("totp", "confirmed_at IS NOT NULL") ") = 1"},
    {"totp_removed", DOCTOR, "DELETE", "/me/second-factor/totp", NULL, APP("now()"), 204, 404,
     TOLD("credential.changed.v1") " AND (SELECT count(*) FROM gateway.totp) = 0"},
    /* Codes whose answer was lost are worth nothing once there are others. */
    {"recovery_codes", DOCTOR, "POST", "/me/second-factor/recovery-codes", NULL, APP("now()"), 201,
     0, "SELECT (count(*) = 10)::int FROM gateway.recovery_code"},
    {"passkey_removed", DOCTOR, "DELETE", "/me/passkeys/" THING, NULL,
     "INSERT INTO gateway.passkey (passkey_id, account_id, credential_id, public_key, algorithm,"
     " sign_count, label, created_at) VALUES ('" THING "', '" DOCTOR "', sha256('x'), 'x', -7, 0,"
     " '', now())",
     204, 404, TOLD("credential.changed.v1") " AND (SELECT count(*) FROM gateway.passkey) = 0"},
    /* One whose answer was lost is in the list, and known to nobody. */
    {"token_made", ORGANISER, "POST", "/tokens", "{\"label\":\"x\",\"days\":30}", NULL, 201, 0,
     "SELECT (count(*) > 0)::int FROM gateway.token"},
    {"token_revoked", ORGANISER, "DELETE", "/tokens/" THING, NULL,
     "INSERT INTO gateway.token (token_id, token_sha256, organiser_code, scope, created_at) VALUES"
     " ('" THING "', sha256('x'), 'P13', '{attendance:write}', now())",
     204, 0, ONE("token", "revoked_at IS NOT NULL AND revoked_by = '" ORGANISER "'")},
    {"delegate_invited", DOCTOR, "POST", "/me/delegates",
     "{\"name\":\"受付　一郎\",\"email\":\"reception@example.jp\"}", NULL, 202, 0,
     COMMANDED("delegate.invite.v1")},
    {"correction_asked", DOCTOR, "POST", "/me/corrections",
     "{\"field\":\"licensed_on\",\"text\":\"1日違っています。\"}", NULL, 202, 0,
     COMMANDED("correction.ask.v1")},
    {"draft_saved", DOCTOR, "PUT", "/me/procedure-drafts",
     "{\"kind\":\"change\",\"form\":{\"phone\":\"092-000-0000\"}}", NULL, 200, 0,
     ONE("procedure_draft", "doctor_id = 1 AND version = 1")},
    {"draft_dropped", DOCTOR, "DELETE", "/me/procedure-drafts/" THING, NULL,
     "INSERT INTO gateway.procedure_draft (draft_id, doctor_id, kind, form, saved_at) VALUES"
     " ('" THING "', 1, 'change', '{}', now())",
     204, 404, "SELECT (count(*) = 0)::int FROM gateway.procedure_draft"},
    {"staff_created", OFFICE, "POST", "/staff",
     "{\"name\":\"見本　花子\",\"email\":\"hanako@example.jp\",\"role\":\"office_l3\","
     "\"administrator\":false,\"unused_days\":90}",
     NULL, 202, 0, COMMANDED("staff.create.v1")},
    {"maintenance_planned", OFFICE, "POST", "/maintenance",
     "{\"starts_at\":\"2099-03-30T00:00:00+09:00\",\"ends_at\":\"2099-03-30T06:00:00+09:00\","
     "\"note\":\"保守\"}",
     NULL, 202, 0, COMMANDED("maintenance.plan.v1")},
};

static char token[TOKEN_TEXT_BYTES];
static char hash[PASSWORD_HASH_BYTES];
static struct totp_secret secret;
static char sealed[2 * TOTP_SEALED_BYTES + 1];

/* ---- who there is ---- */

static void add_person(const char *account, const char *login, const char *role, const char *more)
{
    char sql[SQL_BYTES];

    snprintf(sql, sizeof(sql),
             "INSERT INTO registration.account (account_id, role, name, state, step, email,"
             " email_confirmed, doctor_id, organiser_code)"
             " VALUES ('%s', '%s', '見本', 'active', '', '%s@example.jp', true, %s);"
             "INSERT INTO gateway.credential (login_id, account_id, password_hash, changed_at)"
             " VALUES ('%s', '%s', '%s', now())",
             account, role, login, more, login, account, hash);
    pg_server_exec(&bench_server, sql);
}

static int open_all(void **state)
{
    const struct password_cost cost = {1, 8192};
    uint8_t box[TOTP_SEALED_BYTES];
    struct uuid account;

    (void)gateway_bench_open(state);
    must(password_hash(&bench_gateway.pepper, cost, STR(OLD), hash) == ERR_OK);
    must(uuid_parse(STR(DOCTOR), &account));
    totp_secret_new(&secret);
    totp_seal(&bench_gateway.factor_key, account, &secret, box);
    sodium_bin2hex(sealed, sizeof(sealed), box, sizeof(box));
    token_new(token);
    pg_server_exec(&bench_server,
                   "INSERT INTO registration.doctor (register_no, mamis_no, name, name_kana,"
                   " my_page, l2_code) VALUES ('460190', '6423876638', '見本', 'ミホン', 'active',"
                   " '40')");
    add_person(DOCTOR, "d1", "doctor", "1, ''");
    add_person(OFFICE, "l3", "office_l3", "NULL, ''");
    add_person(ORGANISER, "p13", "organiser", "NULL, 'P13'");
    pg_server_exec(&bench_server,
                   "INSERT INTO registration.staff (account_id, login_id, administrator,"
                   " unused_days, made_at) VALUES ('" OFFICE "', 'l3', true, 180, now())"
                   " ON CONFLICT (account_id) DO UPDATE SET administrator = true");
    return 0;
}

/* ---- one deed ---- */

/* The text with `with` in the place of each $. */
static const char *filled(const char *text, const char *with, char out[SQL_BYTES])
{
    size_t len = 0;

    for (; *text != '\0'; text++) {
        must(len + strlen(with) + 1 < SQL_BYTES);
        if (*text == '$')
            len += (size_t)snprintf(out + len, SQL_BYTES - len, "%s", with);
        else
            out[len++] = *text;
    }
    out[len] = '\0';
    return out;
}

/* As if nothing had happened yet, and `who` had just signed in. */
static void prepare(const struct deed *deed)
{
    uint8_t digest[SECRET_DIGEST_BYTES];
    char hex[2 * SECRET_DIGEST_BYTES + 1];
    char sql[SQL_BYTES];

    token_digest(str_of(token), digest);
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    snprintf(sql, sizeof(sql),
             "DELETE FROM gateway.session; DELETE FROM gateway.link; DELETE FROM gateway.totp;"
             "DELETE FROM gateway.recovery_code; DELETE FROM gateway.passkey;"
             "DELETE FROM gateway.token; DELETE FROM gateway.command;"
             "DELETE FROM gateway.idempotency; DELETE FROM gateway.outbox;"
             "DELETE FROM gateway.throttle; DELETE FROM gateway.procedure_draft; UPDATE "
             "gateway.credential SET password_hash = '%s';"
             "INSERT INTO gateway.session (token_sha256, account_id, login_id, csrf, temporary,"
             " created_at, seen_at, idle_expires_at, expires_at, proved_at) SELECT '\\x%s',"
             " account_id, login_id, 'csrf', false, now(), now(), now() + interval '10 minutes',"
             " now() + interval '1 hour', now() FROM gateway.credential WHERE account_id = '%s'",
             hash, hex, deed->who == NULL ? DOCTOR : deed->who);
    pg_server_exec(&bench_server, sql);
    if (deed->before != NULL)
        pg_server_exec(&bench_server, filled(deed->before, sealed, sql));
}

static unsigned ask_for(const struct deed *deed)
{
    char code[CODE_BYTES], body[SQL_BYTES] = "";
    struct buf head = {0};
    unsigned status;

    snprintf(code, sizeof(code), "%06u", totp_code(&secret, totp_step(clock_now_us())));
    if (deed->body != NULL)
        (void)filled(deed->body, code, body);
    buf_printf(&head,
               "%s /api/v1%s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
               "Idempotency-Key: key-1\r\nContent-Length: %zu\r\n",
               deed->method, deed->path, strlen(body));
    if (deed->body != NULL)
        buf_add_c(&head, "Content-Type: application/json\r\n");
    if (deed->who != NULL)
        buf_printf(&head, "Cookie: mamis_session=%s\r\nX-CSRF-Token: csrf\r\n", token);
    buf_printf(&head, "\r\n%s", body);
    status = gateway_bench_send(buf_str(&head), 0);
    buf_free(&head);
    return status;
}

/* Asked for until it is good; gives whether the nth call was there to fail. */
static bool run(const void *what, unsigned at, int way)
{
    const struct deed *deed = what;
    unsigned status = 0;

    prepare(deed);
    gateway_bench_fail(at, way);
    for (int tries = 0; status != deed->status && (tries < 2 || status != deed->again); tries++) {
        assert_in_range(tries, 0, TRIES_MAX - 1);
        status = ask_for(deed);
        if (status != deed->status && status != deed->again &&
            !(status == 503 && gateway_bench_failed()))
            fail_msg("%s, call %u, way %d: answer %u", deed->name, at, way, status);
    }
    if (pg_server_i64(&bench_server, deed->after) != 1)
        fail_msg("%s, call %u, way %d: it leaves something else", deed->name, at, way);
    return gateway_bench_reached();
}

static void any_call_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
        gateway_bench_walk(deeds[i].name, run, &deeds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_may_fail),
    };

    return cmocka_run_group_tests(tests, open_all, gateway_bench_close);
}
