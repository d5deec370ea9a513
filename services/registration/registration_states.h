/*
 * registration_states: where an account stands and where each event leads (domain 4.1), as one
 * table. Pure.
 *
 * An account is stored as state, step and My Page; `place` is what they mean together. Whether
 * somebody is signed in with a postcard (TERMS_PENDING) or not (TEMP_ISSUED) and the five tries of
 * a postcard are the gateway's to know; here both are one row each of the same table.
 */
#pragma once
#include "base/str.h"

enum account_place {
    PLACE_NONE,
    PLACE_SIGNUP_REVIEW,
    PLACE_TEMP_ISSUED,
    PLACE_TEMP_LOCKED,
    PLACE_TERMS_PENDING,
    PLACE_EMAIL_PENDING,
    PLACE_PROFILE_PENDING,
    PLACE_LINK_PENDING,
    PLACE_ACTIVE,
    PLACE_SUSPENDED,
    PLACE_CLOSED,
    PLACE_COUNT,
};

enum account_event {
    ACCOUNT_ISSUE,          /* a postcard, by an import */
    ACCOUNT_SIGN_UP,        /* somebody without a postcard */
    ACCOUNT_ACCEPT_SIGN_UP, /* the office or the call centre has seen the licence */
    ACCOUNT_REFUSE_SIGN_UP,
    ACCOUNT_SIGN_IN, /* with temporary credentials */
    ACCOUNT_LOCK,    /* five bad tries, the end date, five wrong birth dates */
    ACCOUNT_REISSUE,
    ACCOUNT_AGREE,
    ACCOUNT_DECLINE,
    ACCOUNT_SET_EMAIL,
    ACCOUNT_CONFIRM_EMAIL,
    ACCOUNT_TIME_OUT, /* nobody used the mailed link in time */
    ACCOUNT_SET_PROFILE,
    ACCOUNT_COMPLETE,       /* no certification data has to be linked */
    ACCOUNT_COMPLETE_LATER, /* it is linked later */
    ACCOUNT_LINK,
    ACCOUNT_SUSPEND,
    ACCOUNT_RESTORE,
    ACCOUNT_CLOSE,
    ACCOUNT_EVENT_COUNT,
};

/* "TEMP_ISSUED" and the like, as the domain rules call it. */
const char *account_place_name(enum account_place place);
/*
 * False: refused. An event that has happened already leads to where one is: whatever comes twice
 * does no harm.
 */
bool account_next(enum account_place place, enum account_event event,
                  enum account_place *ret_place);
