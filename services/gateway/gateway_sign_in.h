/* gateway_sign_in: what both ways to sign in share: with a password, with a passkey. */
#pragma once
#include "gateway/gateway_call.h"

/* Columns of what is read: account_id, login_id, secret, then the account `a`. */
#define ACCOUNT_COLUMNS                                                                            \
    " a.role, a.state, a.name, a.step, a.email, a.organiser_code, a.l1_code, a.l2_code,"           \
    " coalesce(a.doctor_id, 0), gateway.has_factor(a.account_id)"
enum {
    COLUMN_ACCOUNT_ID,
    COLUMN_LOGIN_ID,
    COLUMN_SECRET,
    COLUMN_ROLE,
    COLUMN_STATE,
    COLUMN_NAME,
    COLUMN_STEP,
    COLUMN_EMAIL,
    COLUMN_ORGANISER,
    COLUMN_L1,
    COLUMN_L2,
    COLUMN_DOCTOR_ID,
    COLUMN_FACTOR, /* a second factor is registered */
    COLUMN_LEFT,   /* of a postcard: tries, before this one */
    COLUMN_GOOD,   /* of a postcard: not dead, not out of date */
    COLUMN_EXPIRED,
};

/* Whose session it is. */
void sign_in_session(const struct db_query *account, struct session_new *session);
/* 201 with account, token and the step that comes first; the session is written. */
void sign_in_answer(struct call *call, const struct db_query *account, struct session_new *session);
