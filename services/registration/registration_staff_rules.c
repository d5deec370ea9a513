/* registration_staff_rules: see registration_staff_rules.h. Both decisions are tables. */
#include "registration/registration_staff_rules.h"

static const char *const action_names[] = {
    [STAFF_INVITE] = "invite", [STAFF_SUSPEND] = "suspend", [STAFF_RESTORE] = "restore",
    [STAFF_END] = "end",       [STAFF_EXPIRE] = "expire",
};

bool staff_action_parse(struct str name, enum staff_action *ret_action)
{
    for (size_t i = 0; i < ARRAY_LEN(action_names); i++) {
        if (str_eq_c(name, action_names[i])) {
            *ret_action = (enum staff_action)i;
            return true;
        }
    }
    return false;
}

/* Bit of a role in a set of roles. */
#define BIT(role) (1u << (role))

bool rules_staff_may_make(enum role maker, enum role made)
{
    static const unsigned makes[ROLE_COUNT] = {
        [ROLE_ORGANISER] = BIT(ROLE_ORGANISER),
        [ROLE_OFFICE_L1] = BIT(ROLE_OFFICE_L1),
        [ROLE_OFFICE_L2] = BIT(ROLE_OFFICE_L2),
        [ROLE_OFFICE_L3] = BIT(ROLE_OFFICE_L3) | BIT(ROLE_CALL_CENTRE),
        [ROLE_ADMIN] = BIT(ROLE_ORGANISER) | BIT(ROLE_OFFICE_L1) | BIT(ROLE_OFFICE_L2) |
                       BIT(ROLE_OFFICE_L3) | BIT(ROLE_CALL_CENTRE) | BIT(ROLE_ADMIN) |
                       BIT(ROLE_AUDITOR),
    };

    return (makes[maker] & BIT(made)) != 0;
}

enum staff_step { KEEP, TO_ACTIVE, TO_SUSPENDED, TO_CLOSED, LINK, REFUSE };
enum staff_at { AT_INVITED, AT_ACTIVE, AT_SUSPENDED, AT_CLOSED, AT_COUNT };

static enum staff_at at_of(const struct staff_now *now)
{
    if (str_eq_c(now->state, "closed"))
        return AT_CLOSED;
    if (str_eq_c(now->state, "suspended"))
        return AT_SUSPENDED;
    return now->accepted ? AT_ACTIVE : AT_INVITED;
}

void rules_staff_change(const struct staff_now *now, enum staff_action action,
                        struct staff_verdict *ret_verdict)
{
    /* The clock may come late or twice: then nothing happens. */
    static const enum staff_step table[][AT_COUNT] = {
        [STAFF_INVITE] = {LINK, REFUSE, REFUSE, REFUSE},
        [STAFF_SUSPEND] = {TO_SUSPENDED, TO_SUSPENDED, REFUSE, REFUSE},
        [STAFF_RESTORE] = {REFUSE, REFUSE, TO_ACTIVE, REFUSE},
        [STAFF_END] = {TO_CLOSED, TO_CLOSED, TO_CLOSED, REFUSE},
        [STAFF_EXPIRE] = {TO_SUSPENDED, TO_SUSPENDED, KEEP, KEEP},
    };
    static const struct str states[] = {[TO_ACTIVE] = {"active", 6},
                                        [TO_SUSPENDED] = {"suspended", 9},
                                        [TO_CLOSED] = {"closed", 6}};
    enum staff_step step = table[action][at_of(now)];

    *ret_verdict = (struct staff_verdict){.refusal = CODE_NONE, .state = now->state};
    if (now->self && (step == TO_SUSPENDED || step == TO_CLOSED)) {
        ret_verdict->refusal = CODE_STAFF_SELF;
    } else if (step == REFUSE) {
        ret_verdict->refusal = CODE_STATE_CONFLICT;
    } else if (step == LINK) {
        ret_verdict->link = true;
    } else if (step != KEEP) {
        ret_verdict->changed = true;
        ret_verdict->state = states[step];
        ret_verdict->expired = action == STAFF_EXPIRE;
    }
}
