/*
 * registration_staff_rules: which accounts of staff an administrator may make, and what may become
 * of one. Decides only: no I/O, no clock.
 */
#pragma once
#include "gen/access.h"
#include "gen/codes.h"

enum staff_action { STAFF_INVITE, STAFF_SUSPEND, STAFF_RESTORE, STAFF_END, STAFF_EXPIRE };
/* False when there is no such action. */
bool staff_action_parse(struct str name, enum staff_action *ret_action);

/* Whether an administrator of one role makes accounts of the other. */
bool rules_staff_may_make(enum role maker, enum role made);

/* An account as it is; texts are borrowed. */
struct staff_now {
    struct str state; /* of registration.account */
    bool accepted;    /* the invitation was used */
    bool expired;     /* suspended because nobody used it */
    bool self;        /* the actor's own */
};

struct staff_verdict {
    enum code refusal; /* CODE_NONE: not refused */
    bool changed;
    struct str state; /* as it becomes */
    bool expired;
    bool link; /* an invitation is to be mailed */
};

void rules_staff_change(const struct staff_now *now, enum staff_action action,
                        struct staff_verdict *ret_verdict);
