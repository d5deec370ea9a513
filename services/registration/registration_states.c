/* registration_states: see registration_states.h. */
#include "registration/registration_states.h"

#include "base/base.h"

static const char *const place_names[PLACE_COUNT] = {
    [PLACE_NONE] = "NONE",
    [PLACE_SIGNUP_REVIEW] = "SIGNUP_REVIEW",
    [PLACE_TEMP_ISSUED] = "TEMP_ISSUED",
    [PLACE_TEMP_LOCKED] = "TEMP_LOCKED",
    [PLACE_TERMS_PENDING] = "TERMS_PENDING",
    [PLACE_EMAIL_PENDING] = "EMAIL_PENDING",
    [PLACE_PROFILE_PENDING] = "PROFILE_PENDING",
    [PLACE_LINK_PENDING] = "ACTIVE_LINK_PENDING",
    [PLACE_ACTIVE] = "ACTIVE",
    [PLACE_SUSPENDED] = "SUSPENDED",
    [PLACE_CLOSED] = "CLOSED",
};

/* RESTORE leads to ACTIVE_LINK_PENDING where My Page was that: My Page is as it was.
 * Columns: NONE, SIGNUP_REVIEW, TEMP_ISSUED, TEMP_LOCKED, TERMS, EMAIL, PROFILE, LINK_PENDING,
 * ACTIVE, SUSPENDED, CLOSED. `XX`: refused. */
enum {
    XX = -1,
    NO = PLACE_NONE,
    SR = PLACE_SIGNUP_REVIEW,
    TI = PLACE_TEMP_ISSUED,
    TL = PLACE_TEMP_LOCKED,
    TP = PLACE_TERMS_PENDING,
    EP = PLACE_EMAIL_PENDING,
    PP = PLACE_PROFILE_PENDING,
    LP = PLACE_LINK_PENDING,
    AC = PLACE_ACTIVE,
    SU = PLACE_SUSPENDED,
    CL = PLACE_CLOSED,
};

static const signed char table[ACCOUNT_EVENT_COUNT][PLACE_COUNT] = {
    /*                           NO  SR  TI  TL  TP  EP  PP  LP  AC  SU  CL */
    [ACCOUNT_ISSUE] = {TI, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX},
    [ACCOUNT_SIGN_UP] = {SR, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX},
    [ACCOUNT_ACCEPT_SIGN_UP] = {XX, TI, XX, XX, XX, XX, XX, XX, XX, XX, XX},
    [ACCOUNT_REFUSE_SIGN_UP] = {XX, CL, XX, XX, XX, XX, XX, XX, XX, XX, XX},
    [ACCOUNT_SIGN_IN] = {XX, XX, TP, XX, TP, EP, PP, XX, XX, XX, XX},
    [ACCOUNT_LOCK] = {XX, XX, TL, TL, TL, TL, TL, XX, XX, XX, XX},
    [ACCOUNT_REISSUE] = {XX, XX, TI, TI, TI, TI, TI, XX, XX, XX, XX},
    [ACCOUNT_AGREE] = {XX, XX, XX, XX, EP, EP, PP, LP, AC, XX, XX},
    [ACCOUNT_DECLINE] = {XX, XX, TI, XX, TI, XX, XX, XX, XX, XX, XX},
    [ACCOUNT_SET_EMAIL] = {XX, XX, XX, XX, XX, EP, PP, LP, AC, XX, XX},
    [ACCOUNT_CONFIRM_EMAIL] = {XX, XX, XX, XX, XX, PP, PP, LP, AC, XX, XX},
    [ACCOUNT_TIME_OUT] = {XX, XX, XX, XX, TP, TP, XX, XX, XX, XX, XX},
    [ACCOUNT_SET_PROFILE] = {XX, XX, XX, XX, XX, XX, PP, LP, AC, XX, XX},
    [ACCOUNT_COMPLETE] = {XX, XX, XX, XX, XX, XX, AC, LP, AC, XX, XX},
    [ACCOUNT_COMPLETE_LATER] = {XX, XX, XX, XX, XX, XX, LP, LP, AC, XX, XX},
    [ACCOUNT_LINK] = {XX, XX, XX, XX, XX, XX, XX, AC, AC, XX, XX},
    [ACCOUNT_SUSPEND] = {XX, XX, TL, TL, TL, TL, TL, SU, SU, SU, XX},
    [ACCOUNT_RESTORE] = {XX, XX, XX, XX, XX, XX, XX, XX, XX, AC, XX},
    [ACCOUNT_CLOSE] = {XX, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL},
};

const char *account_place_name(enum account_place place)
{
    return place_names[place];
}

bool account_next(enum account_place place, enum account_event event, enum account_place *ret_place)
{
    if (table[event][place] == XX)
        return false;
    *ret_place = (enum account_place)table[event][place];
    return true;
}
