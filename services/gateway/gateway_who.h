/*
 * gateway_who: who asks. Taken from a session (cookie) or a token of an organiser's program.
 * Redis remembers a session for at most SESSION_CACHE_MS; the row in PostgreSQL is the truth.
 */
#pragma once
#include "gateway/gateway.h"

struct call;

/* `next` while the second factor is still to be given. */
#define STEP_SECOND_FACTOR "second_factor"

enum { SESSION_CACHE_MS = 60000, SESSION_ENDED_MS = 120000, SESSION_SEEN_S = 30 };

struct who {
    enum role role; /* ROLE_NONE: nobody */
    bool token;     /* an organiser's program; then account_id is no account */
    struct uuid account_id;
    struct uuid token_id;
    uint8_t digest[SECRET_DIGEST_BYTES]; /* of the session's token */
    struct str login_id, name, email, step, csrf;
    struct str account_step; /* the step that registration wants, also while a factor is pending */
    struct str organiser_code, l1_code, l2_code;
    int64_t doctor_id; /* 0: no doctor */
    struct str mamis_no, register_no, name_kana, my_page;
    struct str me;            /* what GET /me answers, of who was cached; empty: to be made */
    bool temporary;           /* signed in with a postcard */
    bool factor_pending;      /* the second factor is still to be given: `step` says so */
    int64_t proved_us;        /* when they last proved who they are; only of who was not cached */
    bool administrator;       /* makes and ends accounts of the own association */
    bool email_undeliverable; /* the smart host refused the address */
    const struct str *scopes; /* of a token */
    size_t scope_count;
};

/*
 * First steps of every call: finds call->who, then goes on with call_known(). Ends the flow with
 * ERR_UNAUTHENTICATED, ERR_DB_DOWN and the like.
 */
void who_run(struct flow *flow);

/* The account, or the token of an organiser's program: who acts. */
struct uuid who_id(const struct who *who);
/* app.scope of this person, in the arena. */
const char *who_scope(struct arena *arena, const struct who *who);
/* "account:<uuid>" or "token:<uuid>": whose idempotency keys these are. */
const char *who_owner(struct arena *arena, const struct who *who);
/* The body of GET /me. New reference. */
json_t *who_me(const struct who *who);
/* The account object of it. New reference. */
json_t *who_account(const struct who *who);

/* ---- the row ---- */

struct session_new {
    struct uuid account_id;
    struct str login_id;
    bool doctor;
    bool temporary;
    bool factor_pending;
    char token[TOKEN_TEXT_BYTES];
    char csrf[TOKEN_TEXT_BYTES];
};
/* Makes token and csrf, adds the row; the device is the request's. */
void session_add(struct call *call, struct db_batch *batch, struct session_new *session);
/*
 * The caller's session goes on under a new token: a second factor was given, or they proved again
 * who they are. Adds the end of the old one and the new one; call session_renewed() after a good
 * run.
 */
void session_renew(struct call *call, struct db_batch *batch, struct session_new *session);
void session_renewed(struct call *call, struct session_new *session);
/* The body of a new session: account, csrf_token, next; call->who has the account. New reference.
 */
json_t *session_json(struct call *call, const struct session_new *session, struct str next);
/* Sets the cookie and wipes the token. */
void session_give(struct call *call, struct session_new *session);
/* End one session. */
void session_end(struct db_batch *batch, const uint8_t digest[SECRET_DIGEST_BYTES], int64_t now_us);
/* End all sessions of an account but `keep` (NULL: all); its rows are the digests. */
struct db_query *session_end_others(struct db_batch *batch, struct uuid account_id,
                                    const uint8_t *keep, int64_t now_us);
/* Set-Cookie of a session; `token` "" takes it away. */
void session_cookie(struct call *call, const char *token);
/*
 * Tell Redis that a session is over, without waiting; the sweep does it again until Redis answers,
 * and until then sessions are read from their rows.
 */
void session_mark_ended(struct gateway *gateway, struct arena *arena,
                        const uint8_t digest[SECRET_DIGEST_BYTES]);
/* After a good run of session_end_others(). */
void session_mark_all(struct gateway *gateway, struct arena *arena, const struct db_query *ended);
/* Its key in Redis; lives in the arena. */
struct str session_key(struct gateway *gateway, struct arena *arena,
                       const uint8_t digest[SECRET_DIGEST_BYTES]);

/* Whether it still holds, for streams that stay open: add to a batch, ask after a good run. */
struct db_query *who_check_add(struct db_batch *batch, const struct who *who, int64_t now_us);
bool who_check_good(const struct db_query *query);
