/*
 * signup: what somebody without a postcard enters about himself or herself (R-ACC-14). The gateway
 * looks at it before it mails anything, registration again before it keeps it.
 */
#pragma once
#include "base/clock.h"
#include "gen/codes.h"

enum { SIGNUP_AGE_LEAST = 18 /* years, when the licence was given */ };

/* Texts are borrowed. */
struct signup {
    struct str name, name_kana, register_no;
    day_t birth_on, licensed_on;
};

/* CODE_NONE, or what is wrong with the field that `*ret_pointer` names ("/name"). */
enum code signup_check(const struct signup *signup, day_t today, const char **ret_pointer);
