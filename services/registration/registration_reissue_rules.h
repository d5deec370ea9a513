/*
 * registration_reissue_rules: a prefectural office asks for new temporary credentials, the desk
 * issues them or refuses. Decides only: no I/O, no clock. A request is answered once.
 */
#pragma once
#include "base/str.h"
#include "gen/codes.h"

struct reissue_facts {
    bool found;        /* a doctor of the prefecture by both numbers, or the request */
    bool actor_active; /* the account that acts, in the role it says */
    bool needed;       /* the doctor's first login is not over, with a postcard */
    bool open;         /* there is a request without an answer: another one, or this */
};

enum code rules_ask_reissue(const struct reissue_facts *facts);
enum code rules_refuse_reissue(const struct reissue_facts *facts);
