/*
 * signup_rules: who gets a place in a seminar (R-SEM-16), and what kinds can be chosen (R-SEM-09).
 * Decides only: no I/O, no clock.
 * First come, first served: whoever asks gets a place while there is one and nobody waits; others
 * wait in the order of asking, and whoever cancels makes room for the first who waits. Both end
 * when the first session begins. Kinds can be chosen until a credit of the session is posted.
 */
#pragma once
#include "domain/offers.h"
#include "gen/codes.h"

enum signup_state { SIGNUP_NONE, SIGNUP_APPLIED, SIGNUP_WAITLIST, SIGNUP_CANCELLED, SIGNUP_STATES };
/* "applied", "waitlist", "cancelled_by_doctor"; "" for SIGNUP_NONE. */
const char *signup_state_name(enum signup_state state);
/* SIGNUP_NONE for anything else. */
enum signup_state signup_state_of(struct str name);

/* To choose is to say on a sign-up that stands what kinds are wanted. */
enum signup_deed { SIGNUP_APPLY, SIGNUP_CANCEL, SIGNUP_CHOOSE, SIGNUP_DEEDS };

enum { SIGNUP_NO_LIMIT = -1 };

struct signup_facts {
    bool published;           /* the seminar is not cancelled */
    int64_t starts_us;        /* of its first session; INT64_MIN: it has none */
    int64_t capacity;         /* the smallest of its sessions', or SIGNUP_NO_LIMIT */
    int64_t applied, waiting; /* who have a place, and who wait for one */
    bool my_page;             /* the doctor's is complete */
    enum signup_state state;  /* of the doctor's sign-up */
};

struct signup_verdict {
    enum code refusal; /* CODE_NONE: not refused */
    enum signup_state next;
    int64_t promoted; /* how many of those who waited before get a place now, first come first */
};

void rules_signup(const struct signup_facts *facts, enum signup_deed deed, int64_t now_us,
                  struct signup_verdict *ret_verdict);
/* How many who wait can have a place. */
int64_t signup_promoted(const struct signup_facts *facts);

/* A session of the seminar, for one doctor. */
struct signup_session {
    struct str session_no;
    struct offers offers;
    bool posted;             /* a credit of it stands */
    struct str chosen;       /* until now: codes joined with "/"; "" for none */
    bool wanted[OFFERS_MAX]; /* which of the offers are chosen now; all false before */
};

struct signup_choice {
    struct str session_no;
    struct str kind; /* a code, as somebody wrote it */
};

struct choice_verdict {
    enum code refusal;                    /* CODE_NONE: not refused */
    struct str value;                     /* for its text; borrowed */
    const struct signup_session *session; /* that it is about; NULL: there is no such session */
};

/* Sets `wanted` of the sessions, whose order and that of the choices decide what is refused first.
 */
void rules_choices(struct arena *arena, struct signup_session *sessions, size_t session_count,
                   const struct signup_choice *choices, size_t choice_count,
                   struct choice_verdict *ret_verdict);
/* Codes of what is wanted, or of all that is offered, joined with `joint` in their order. */
struct str choice_codes(struct arena *arena, const struct signup_session *session, bool all,
                        const char *joint);
