/* registration_correction_rules: see registration_correction_rules.h. */
#include "registration/registration_correction_rules.h"

static const char *const state_names[CORRECTION_STATES] = {
    [CORRECTION_NONE] = "",
    [CORRECTION_OPEN] = "open",
    [CORRECTION_DONE] = "done",
    [CORRECTION_REFUSED] = "refused",
};

const char *correction_state_name(enum correction_state state)
{
    return state_names[state];
}

enum correction_state correction_state_of(struct str name)
{
    for (int i = CORRECTION_OPEN; i < CORRECTION_STATES; i++) {
        if (str_eq_c(name, state_names[i]))
            return (enum correction_state)i;
    }
    return CORRECTION_NONE;
}

static enum code actor(const struct correction_facts *facts)
{
    if (!facts->actor_fits)
        return CODE_NOT_FOUND;
    return facts->actor_active ? CODE_NONE : CODE_ACCOUNT_SUSPENDED;
}

enum code rules_ask_correction(const struct correction_facts *facts)
{
    enum code code = actor(facts);

    if (code == CODE_NONE && facts->open >= CORRECTIONS_OPEN_MAX)
        code = CODE_CORRECTIONS_MANY;
    return code;
}

enum code rules_answer_correction(const struct correction_facts *facts,
                                  enum correction_state outcome)
{
    enum code code = actor(facts);

    if (code == CODE_NONE && facts->state == CORRECTION_NONE)
        code = CODE_NOT_FOUND;
    if (code != CODE_NONE)
        return code;
    if (outcome != CORRECTION_DONE && outcome != CORRECTION_REFUSED)
        return CODE_STATE_CONFLICT;
    return facts->state == CORRECTION_OPEN ? CODE_NONE : CODE_CORRECTION_ANSWERED;
}
