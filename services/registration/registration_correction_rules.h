/*
 * registration_correction_rules: requests to correct what a doctor cannot change himself. Decides
 * only: no I/O, no clock. A request is answered once.
 */
#pragma once
#include "base/clock.h"
#include "base/str.h"
#include "gen/codes.h"

enum { CORRECTIONS_OPEN_MAX = 5 }; /* of a doctor */

enum correction_state {
    CORRECTION_NONE,
    CORRECTION_OPEN,
    CORRECTION_DONE,
    CORRECTION_REFUSED,
    CORRECTION_STATES,
};
/* "open", ...; "" for CORRECTION_NONE. */
const char *correction_state_name(enum correction_state state);
/* CORRECTION_NONE for anything else. */
enum correction_state correction_state_of(struct str name);

/* What an office says is right; data NULL, DAY_NONE: nothing. */
struct correction_values {
    struct str name, name_kana;
    day_t birth_on, licensed_on;
};

struct correction_facts {
    enum correction_state state;
    bool actor_fits;   /* a doctor's own account, or an office that the request belongs to */
    bool actor_active; /* that account is neither suspended nor closed, its first login is over */
    int64_t open;      /* the doctor's requests that wait for an answer */
};

enum code rules_ask_correction(const struct correction_facts *facts);
/* `outcome`: CORRECTION_DONE or CORRECTION_REFUSED. */
enum code rules_answer_correction(const struct correction_facts *facts,
                                  enum correction_state outcome);
/*
 * Whether the values fit the field that the request names. What an office may change by its answer
 * has to be said when it accepts; nothing else may be said, and nothing when it refuses.
 * `*ret_field` is the field that is wrong, of a refusal.
 */
enum code rules_correction_values(struct str field, enum correction_state outcome,
                                  const struct correction_values *values, day_t today,
                                  const char **ret_field);
