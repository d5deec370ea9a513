/* signup_rules: see signup_rules.h. */
#include "credit/signup_rules.h"

static const char *const state_names[SIGNUP_STATES] = {
    [SIGNUP_NONE] = "",
    [SIGNUP_APPLIED] = "applied",
    [SIGNUP_WAITLIST] = "waitlist",
    [SIGNUP_CANCELLED] = "cancelled_by_doctor",
};

/* Why a deed is not possible from a state; CODE_NONE: it is. */
static const enum code refusals[SIGNUP_DEEDS][SIGNUP_STATES] = {
    [SIGNUP_APPLY] =
        {
            [SIGNUP_NONE] = CODE_NONE,
            [SIGNUP_APPLIED] = CODE_SIGNUP_TWICE,
            [SIGNUP_WAITLIST] = CODE_SIGNUP_TWICE,
            [SIGNUP_CANCELLED] = CODE_NONE,
        },
    [SIGNUP_CANCEL] =
        {
            [SIGNUP_NONE] = CODE_SIGNUP_NONE,
            [SIGNUP_APPLIED] = CODE_NONE,
            [SIGNUP_WAITLIST] = CODE_NONE,
            [SIGNUP_CANCELLED] = CODE_SIGNUP_NONE,
        },
};

const char *signup_state_name(enum signup_state state)
{
    return state_names[state];
}

enum signup_state signup_state_of(struct str name)
{
    for (int i = SIGNUP_APPLIED; i < SIGNUP_STATES; i++) {
        if (str_eq_c(name, state_names[i]))
            return (enum signup_state)i;
    }
    return SIGNUP_NONE;
}

int64_t signup_promoted(const struct signup_facts *facts)
{
    const int64_t left = facts->capacity - facts->applied;

    if (facts->capacity == SIGNUP_NO_LIMIT || left > facts->waiting)
        return facts->waiting;
    return left < 0 ? 0 : left;
}

static enum code refusal(const struct signup_facts *facts, enum signup_deed deed, int64_t now_us)
{
    if (deed == SIGNUP_APPLY && !facts->my_page)
        return CODE_SIGNUP_ACCOUNT;
    if (!facts->published || facts->starts_us <= now_us)
        return CODE_SIGNUP_CLOSED;
    return refusals[deed][facts->state];
}

void rules_signup(const struct signup_facts *facts, enum signup_deed deed, int64_t now_us,
                  struct signup_verdict *ret_verdict)
{
    struct signup_verdict verdict = {.refusal = refusal(facts, deed, now_us), .next = facts->state};
    struct signup_facts after = *facts;

    if (verdict.refusal == CODE_NONE) {
        const bool full = facts->capacity != SIGNUP_NO_LIMIT &&
                          facts->applied + facts->waiting >= facts->capacity;

        if (deed == SIGNUP_CANCEL) {
            verdict.next = SIGNUP_CANCELLED;
            after.applied -= facts->state == SIGNUP_APPLIED;
            after.waiting -= facts->state == SIGNUP_WAITLIST;
        } else {
            verdict.next = full ? SIGNUP_WAITLIST : SIGNUP_APPLIED;
            after.applied += !full;
        }
        verdict.promoted = signup_promoted(&after);
    }
    *ret_verdict = verdict;
}
