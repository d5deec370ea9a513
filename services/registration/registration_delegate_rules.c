/* registration_delegate_rules: see registration_delegate_rules.h. Repeating a deed changes nothing.
 */
#include "registration/registration_delegate_rules.h"

static const char *const state_names[DELEGATION_STATES] = {
    [DELEGATION_NONE] = "",
    [DELEGATION_INVITED] = "invited",
    [DELEGATION_ACTIVE] = "active",
    [DELEGATION_REVOKED] = "revoked",
};

static const char *const deed_names[DELEGATE_DEEDS] = {
    [DELEGATE_INVITE] = "invited",  [DELEGATE_ACCEPT] = "accepted", [DELEGATE_REVOKE] = "revoked",
    [DELEGATE_RESIGN] = "resigned", [DELEGATE_MERGE] = "merged",
};

/* Where a deed leads from each state, or why it does not. */
static const struct move {
    enum delegation_state next;
    enum code refusal;
} moves[DELEGATE_DEEDS][DELEGATION_STATES] = {
    [DELEGATE_INVITE] =
        {
            [DELEGATION_NONE] = {DELEGATION_INVITED, CODE_NONE},
            [DELEGATION_INVITED] = {DELEGATION_INVITED, CODE_DELEGATE_NAMED},
            [DELEGATION_ACTIVE] = {DELEGATION_ACTIVE, CODE_DELEGATE_NAMED},
            [DELEGATION_REVOKED] = {DELEGATION_INVITED, CODE_NONE},
        },
    [DELEGATE_ACCEPT] =
        {
            [DELEGATION_NONE] = {DELEGATION_NONE, CODE_NOT_FOUND},
            [DELEGATION_INVITED] = {DELEGATION_ACTIVE, CODE_NONE},
            [DELEGATION_ACTIVE] = {DELEGATION_ACTIVE, CODE_NONE},
            [DELEGATION_REVOKED] = {DELEGATION_REVOKED, CODE_DELEGATION_ENDED},
        },
    [DELEGATE_REVOKE] =
        {
            [DELEGATION_NONE] = {DELEGATION_NONE, CODE_NOT_FOUND},
            [DELEGATION_INVITED] = {DELEGATION_REVOKED, CODE_NONE},
            [DELEGATION_ACTIVE] = {DELEGATION_REVOKED, CODE_NONE},
            [DELEGATION_REVOKED] = {DELEGATION_REVOKED, CODE_NONE},
        },
    [DELEGATE_RESIGN] =
        {
            [DELEGATION_NONE] = {DELEGATION_NONE, CODE_NOT_FOUND},
            [DELEGATION_INVITED] = {DELEGATION_INVITED, CODE_NOT_FOUND},
            [DELEGATION_ACTIVE] = {DELEGATION_REVOKED, CODE_NONE},
            [DELEGATION_REVOKED] = {DELEGATION_REVOKED, CODE_NONE},
        },
    [DELEGATE_MERGE] =
        {
            [DELEGATION_NONE] = {DELEGATION_NONE, CODE_NOT_FOUND},
            [DELEGATION_INVITED] = {DELEGATION_REVOKED, CODE_NONE},
            [DELEGATION_ACTIVE] = {DELEGATION_REVOKED, CODE_NONE},
            [DELEGATION_REVOKED] = {DELEGATION_REVOKED, CODE_NONE},
        },
};

const char *delegation_state_name(enum delegation_state state)
{
    return state_names[state];
}

enum delegation_state delegation_state_of(struct str name)
{
    for (int i = DELEGATION_INVITED; i < DELEGATION_STATES; i++) {
        if (str_eq_c(name, state_names[i]))
            return (enum delegation_state)i;
    }
    return DELEGATION_NONE;
}

const char *delegate_deed_name(enum delegate_deed deed)
{
    return deed_names[deed];
}

static enum code refusal(const struct delegate_facts *facts, enum delegate_deed deed)
{
    const struct move *move = &moves[deed][facts->state];

    if (!facts->actor_fits)
        return CODE_NOT_FOUND;
    if (!facts->actor_active)
        return CODE_ACCOUNT_SUSPENDED;
    if (move->refusal != CODE_NONE || deed != DELEGATE_INVITE)
        return move->refusal;
    if (facts->address_taken)
        return CODE_DELEGATE_ADDRESS;
    return facts->standing < DELEGATES_MAX ? CODE_NONE : CODE_DELEGATES_MANY;
}

void rules_delegate(const struct delegate_facts *facts, enum delegate_deed deed,
                    struct delegate_verdict *ret_verdict)
{
    struct delegate_verdict verdict = {.refusal = refusal(facts, deed), .next = facts->state};

    if (verdict.refusal == CODE_NONE)
        verdict.next = moves[deed][facts->state].next;
    verdict.changed = verdict.next != facts->state;
    *ret_verdict = verdict;
}
