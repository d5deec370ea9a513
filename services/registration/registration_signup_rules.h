/* registration_signup_rules: what may be decided on a sign-up. Pure. */
#pragma once
#include "base/str.h"
#include "gen/codes.h"

struct signup_facts {
    struct str status;     /* review, accepted, refused */
    bool known;            /* a doctor is on record under the register number */
    bool has_account;      /* and has an account, or has been sent a postcard */
    bool closed;           /* the one on record died, left by a merge, or was an error */
    bool birth_on_differs; /* from the one on record */
};

/*
 * CODE_NONE, or why not. `*ret_again`: it was decided so before, nothing is to be done. A doctor on
 * record without an account gets one, when the birth date does not speak against it; a second
 * account for the same register number is never made, and nobody who is closed comes back.
 */
enum code rules_decide_signup(const struct signup_facts *facts, bool accept, bool *ret_again);
