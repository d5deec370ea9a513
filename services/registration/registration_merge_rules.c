/* registration_merge_rules: see registration_merge_rules.h. */
#include "registration/registration_merge_rules.h"

static const struct {
    const char *name, *state;
    bool by_another; /* than the one who proposed it */
} decisions[MERGE_DECISIONS] = {
    [MERGE_CONFIRM] = {"confirm", "confirmed", true},
    [MERGE_DECLINE] = {"decline", "declined", true},
    [MERGE_WITHDRAW] = {"withdraw", "withdrawn", false},
};

bool merge_decision_parse(struct str name, enum merge_decision *ret_decision)
{
    for (int i = 0; i < MERGE_DECISIONS; i++) {
        if (str_eq_c(name, decisions[i].name)) {
            *ret_decision = (enum merge_decision)i;
            return true;
        }
    }
    return false;
}

const char *merge_decision_state(enum merge_decision decision)
{
    return decisions[decision].state;
}

/* The first refusal that holds. */
struct refusal {
    bool holds;
    enum code code;
};

static enum code first_of(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (refusals[i].holds)
            return refusals[i].code;
    }
    return CODE_NONE;
}

enum code rules_propose_merge(const struct merge_facts *facts)
{
    const struct refusal refusals[] = {
        {!facts->actor_active, CODE_ACCOUNT_SUSPENDED},
        {!facts->both_known, CODE_MERGE_UNKNOWN},
        {facts->same, CODE_MERGE_SAME},
        {facts->closed, CODE_MERGE_CLOSED},
        {facts->proposed, CODE_MERGE_PROPOSED},
    };

    return first_of(refusals, ARRAY_LEN(refusals));
}

enum code rules_propose_number(const struct merge_facts *facts)
{
    const struct refusal refusals[] = {
        {!facts->actor_active, CODE_ACCOUNT_SUSPENDED},
        {!facts->both_known, CODE_NOT_FOUND},
        {facts->closed, CODE_MERGE_CLOSED},
        {facts->same, CODE_RENUMBER_SAME},
        {facts->taken, CODE_RENUMBER_TAKEN},
        {facts->proposed, CODE_MERGE_PROPOSED},
    };

    return first_of(refusals, ARRAY_LEN(refusals));
}

enum code rules_decide_merge(const struct merge_facts *facts, enum merge_decision decision)
{
    const bool confirms = decision == MERGE_CONFIRM;
    const struct refusal refusals[] = {
        {!facts->actor_active, CODE_ACCOUNT_SUSPENDED},
        {!facts->found, CODE_NOT_FOUND},
        {!facts->open, CODE_MERGE_ENDED},
        {decisions[decision].by_another && facts->own, CODE_MERGE_SELF},
        {!decisions[decision].by_another && !facts->own, CODE_MERGE_WITHDRAW},
        {confirms && facts->closed, CODE_MERGE_CLOSED},
        {confirms && facts->taken, CODE_RENUMBER_TAKEN},
        {confirms && facts->conflicts > 0, CODE_MERGE_CONFLICT},
    };

    return first_of(refusals, ARRAY_LEN(refusals));
}
