/*
 * registration_delegate_rules: what becomes of a delegation. Decides only: no I/O, no clock.
 * A doctor invites a person, the person accepts by the mailed link, the doctor or the person ends
 * it; from its end it never comes back, a new invitation is a new delegation.
 */
#pragma once
#include "base/str.h"
#include "gen/codes.h"

enum { DELEGATES_MAX = 5 }; /* of a doctor, invited or active */

enum delegation_state {
    DELEGATION_NONE,
    DELEGATION_INVITED,
    DELEGATION_ACTIVE,
    DELEGATION_REVOKED,
    DELEGATION_STATES,
};
/* "invited", ...; "" for DELEGATION_NONE. */
const char *delegation_state_name(enum delegation_state state);
/* DELEGATION_NONE for anything else. */
enum delegation_state delegation_state_of(struct str name);

enum delegate_deed {
    DELEGATE_INVITE,
    DELEGATE_ACCEPT,
    DELEGATE_REVOKE,
    DELEGATE_RESIGN,
    DELEGATE_MERGE, /* the doctor's record was closed by a merge; no command */
    DELEGATE_DEEDS,
};
/* As the history calls it: "invited", "accepted", "revoked", "resigned", "merged". */
const char *delegate_deed_name(enum delegate_deed deed);

struct delegate_facts {
    /* Of the delegation; for an invitation, of one to the same person that was not ended. */
    enum delegation_state state;
    bool actor_fits;    /* it is the doctor's account; for accepting, resigning the person's */
    bool actor_active;  /* that account is neither suspended nor closed */
    bool address_taken; /* the address is that of an account which is no delegate's */
    int64_t standing;   /* the doctor's delegations that were not ended */
};

struct delegate_verdict {
    enum code refusal; /* CODE_NONE: not refused */
    enum delegation_state next;
    bool changed;
};

void rules_delegate(const struct delegate_facts *facts, enum delegate_deed deed,
                    struct delegate_verdict *ret_verdict);
