/* registration_reissue_rules: see registration_reissue_rules.h. */
#include "registration/registration_reissue_rules.h"

enum code rules_ask_reissue(const struct reissue_facts *facts)
{
    if (!facts->actor_active)
        return CODE_ACCOUNT_SUSPENDED;
    if (!facts->found)
        return CODE_DOCTOR_NOT_FOUND;
    if (!facts->needed)
        return CODE_REISSUE_NOT_NEEDED;
    return facts->open ? CODE_REISSUE_OPEN : CODE_NONE;
}

enum code rules_refuse_reissue(const struct reissue_facts *facts)
{
    if (!facts->actor_active)
        return CODE_ACCOUNT_SUSPENDED;
    if (!facts->found)
        return CODE_NOT_FOUND;
    return facts->open ? CODE_NONE : CODE_REISSUE_ANSWERED;
}
