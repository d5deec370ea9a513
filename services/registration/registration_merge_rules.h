/*
 * registration_merge_rules: two doctors on record are merged into one, or a doctor gets another
 * register number, by two officers. Decides only: no I/O, no clock.
 */
#pragma once
#include "base/str.h"
#include "gen/codes.h"

enum { MERGE_OPEN_DAYS = 14 }; /* a proposal that nobody decides ends */

enum merge_decision {
    MERGE_CONFIRM,
    MERGE_DECLINE,
    MERGE_WITHDRAW,
    MERGE_DECISIONS,
};
/* False when there is no such decision. */
bool merge_decision_parse(struct str name, enum merge_decision *ret_decision);
/* "confirmed", ...: what the proposal is afterwards. */
const char *merge_decision_state(enum merge_decision decision);

struct merge_facts {
    bool actor_active; /* an officer whose account is open */
    bool both_known;   /* there are two doctors; of a number: the doctor is there */
    bool same;         /* they are one record; of a number: it is the one on record */
    bool taken;        /* somebody has the new number, or had it */
    bool closed;       /* one of them is closed */
    bool proposed;     /* another proposal names one of them; of a new one only */
    bool found, open;  /* the proposal; open: not decided, its days are not over */
    bool own;          /* the actor proposed it */
    int64_t conflicts; /* what both have and only one can */
};

enum code rules_propose_merge(const struct merge_facts *facts);
enum code rules_propose_number(const struct merge_facts *facts);
enum code rules_decide_merge(const struct merge_facts *facts, enum merge_decision decision);
