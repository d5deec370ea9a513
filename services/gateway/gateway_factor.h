/*
 * gateway_factor: second factors: who must have one, whether a code is right, recovery codes.
 * Codes are judged from rows and used up in the transaction that they open, so each opens one.
 */
#pragma once
#include "gateway/gateway_call.h"
#include "secret/factor.h"

/* Doctors may have one, everybody else must where the setting says so. */
bool factor_required(const struct gateway *gateway, bool doctor);

/* A code that was typed: of the app, or a recovery code. */
struct factor_code {
    char folded[TEMP_TEXT_BYTES]; /* "" when it can be none */
    uint8_t hmac[SECRET_DIGEST_BYTES];
    struct db_query *totp, *recovery;
    int64_t step; /* of the app's code; -1: a recovery code */
};

/* Adds to `batch` what it takes to judge it. */
void factor_code_read(struct call *call, struct db_batch *batch, struct str text,
                      struct factor_code *code);
/* After a good run. */
bool factor_code_good(struct call *call, struct factor_code *code);
/* Use it up: ERR_DB_CONFLICT when somebody else did meanwhile. */
void factor_code_use(struct call *call, struct db_batch *batch, const struct factor_code *code);

/* What the throttle calls an account's codes: nothing that could be typed as a login id. */
struct str factor_subject(struct arena *arena, struct uuid account_id);

/* New recovery codes; the old ones go. A JSON list, the only place where they stand. */
json_t *factor_recovery_new(struct call *call, struct db_batch *batch);
/* ---- changes: what they decide on, what all of them do ---- */

struct factors {
    bool totp;        /* an app is registered */
    int64_t passkeys; /* how many */
    struct str begun; /* sealed secret of an app that is not confirmed; data NULL: none */
    bool recovery;    /* there are recovery codes, used ones too */
    struct db_query *ended;
    json_t *body; /* of the answer: what the transaction that is under way makes true */
    struct session_new session;
};

/* Makes call->state and reads them; factors_take() in the step `next`. */
void factors_read(struct call *call, int next);
struct factors *factors_take(struct call *call);
/*
 * Whoever has only given the password may add a first factor, and no other. False: the problem is
 * answered and the flow ended.
 */
bool factors_may_add(struct call *call, const struct factors *factors);
/* One is added in call->batch: others' sessions end, this one goes on under a new token. */
void factors_add(struct call *call, struct factors *factors, const char *what);
void factors_answer_added(struct call *call, struct factors *factors, const char *kind);
/* One is removed in call->batch; `last`: no other is left. */
void factors_remove(struct call *call, struct factors *factors, bool last, const char *what);
void factors_removed(struct call *call, const struct factors *factors, const char *kind);

/* In call->batch: a change of one's own second factors is kept in their history, and mailed. */
void factor_tell(struct call *call, const char *what);

/* All second factors of an account go: its owner proved who they are by a new postcard. */
void factor_forget(struct db_batch *batch, struct uuid account_id, int64_t now_us);
