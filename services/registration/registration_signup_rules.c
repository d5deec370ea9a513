/* registration_signup_rules: see registration_signup_rules.h. */
#include "registration/registration_signup_rules.h"

#include "registration/registration_states.h"

static enum account_place place_of(const struct signup_facts *facts)
{
    if (str_eq_c(facts->status, "review"))
        return PLACE_SIGNUP_REVIEW;
    return str_eq_c(facts->status, "refused") ? PLACE_CLOSED : PLACE_TEMP_ISSUED;
}

enum code rules_decide_signup(const struct signup_facts *facts, bool accept, bool *ret_again)
{
    enum account_event event = accept ? ACCOUNT_ACCEPT_SIGN_UP : ACCOUNT_REFUSE_SIGN_UP;
    enum account_place next;

    *ret_again = str_eq_c(facts->status, accept ? "accepted" : "refused");
    if (*ret_again)
        return CODE_NONE;
    if (!account_next(place_of(facts), event, &next))
        return CODE_STATE_CONFLICT;
    if (accept && facts->known && (facts->has_account || facts->closed || facts->birth_on_differs))
        return CODE_REGISTER_NO_KNOWN;
    return CODE_NONE;
}
