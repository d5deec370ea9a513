/*
 * training_rules: the end of clinical training (R-MEM-08). Members of category A2(C) and C are
 * reminded twice that another category follows; when training was interrupted the category stays
 * and nobody reminds. Decides only: no I/O, no clock.
 */
#pragma once
#include "registration/membership_rules.h"

enum { TRAINING_END_YEARS_MAX = 10 }; /* so far ahead an end may be named */

/* Which reminder is due in the last year of training: 1 in February, 2 in March, else 0. */
int training_notice(day_t today);
/* A member of L3 in a trainee's category. */
bool training_goes_on(const struct standing *standing);

struct training_wish {
    const struct filing *filing; /* actor, standing, handling_l2, closed, today */
    bool own;                    /* the doctor's own */
    day_t new_end_on;            /* DAY_NONE: not known */
};
/* CODE_TRAINING_ENDS_ON: the day is none between today and the end of those years. */
enum code training_dismiss(const struct training_wish *wish);
