/*
 * registration_rules: the steps of first login and what an account may change later (domain 4.1,
 * R-ACC). Decides only: no I/O, no clock. Commands change a copy of the person in place; what they
 * changed and why they were refused stands in the verdict.
 */
#pragma once
#include "base/clock.h"
#include "gen/codes.h"
#include "registration/registration_states.h"

enum { BIRTH_TRIES_MAX = 5 };

/* How long the link in a mail is waited for. */
#define EMAIL_WAIT_US (INT64_C(24) * 3600 * CLOCK_SECOND_US)

/* In the order in which they come; STEP_DONE is '' outside. */
enum account_step {
    STEP_TERMS,
    STEP_EMAIL,
    STEP_EMAIL_CONFIRM,
    STEP_PROFILE,
    STEP_PASSWORD,
    STEP_DONE,
};
/* "terms", ...; "" for STEP_DONE. */
const char *account_step_name(enum account_step step);
/* False when there is no such step. */
bool account_step_parse(struct str name, enum account_step *ret_step);

/* What the doctor enters; texts are borrowed. */
struct profile {
    struct str name, name_kana, former_name, former_name_kana, sex;
    day_t birth_on;
    struct str workplace_name, workplace_postcode, workplace_address, phone;
    /* Of who has no workplace, both or none; prefecture: "01" to "47". */
    struct str residence_prefecture, residence_municipality;
};
/*
 * The prefecture that looks after a doctor who is no member and has no workplace (domain 10, 62);
 * data NULL: it is not known where he lives, or he has a workplace.
 */
struct str rules_residence_l2(const struct profile *profile);

/* What the office and the call centre do for somebody. */
enum desk_action {
    DESK_UNLOCK,  /* a throttle is lifted: the gateway's, here it is written down only */
    DESK_RESTORE, /* a suspension is lifted */
    DESK_REISSUE, /* new temporary credentials: first login begins anew */
    DESK_RESEND,  /* a link is mailed again */
    DESK_SHARE_EMAIL,
    DESK_LINK, /* certification data is linked */
    DESK_ACTION_COUNT,
};
/* "unlock", ... */
const char *desk_action_name(enum desk_action action);
/* False when there is no such action. */
bool desk_action_parse(struct str name, enum desk_action *ret_action);

/* One account, with its doctor when it is a doctor's. Texts are borrowed. */
struct person {
    struct str role, state, account_name, email, pending_email, shared_email, terms_version;
    bool email_confirmed;
    enum account_step step;
    int64_t step_at_us; /* since when a mailed link is waited for; INT64_MIN: it is not */
    int32_t birth_tries;
    int64_t doctor_id; /* 0: the account is no doctor's */
    struct str my_page, mamis_no, doctor_email;
    bool member;            /* of some association */
    struct str handling_l2; /* whose prefecture looks after the doctor; empty: none */
    struct profile profile;
    /* Circumstances, read with the person. */
    struct str terms_in_force;
    bool email_shared;      /* another doctor has the address that is being set or confirmed */
    bool shared_allowed;    /* the call centre lets them share it */
    bool has_certification; /* there is data that has to be linked */
    int64_t now_us;
    day_t today;
};

struct verdict {
    enum code refusal;    /* CODE_NONE: not refused */
    const char *pointer;  /* the field that is wrong, as a JSON pointer; NULL: none */
    const char *field;    /* its name in words of the contract, for the text */
    bool account_changed; /* also possible with a refusal: a wrong birth date is counted */
    bool doctor_changed;
    bool email_taken; /* an address was confirmed; two must not do so at once */
    bool name_changed;
    bool my_page_created;
    bool linked;
    bool mail_link;       /* the link of the command is to be mailed */
    bool shared_warning;  /* R-ACC-18: a warning, not a refusal */
    struct str old_email; /* a confirmed address that was replaced: it is told; empty: none */
};

/* Where the account stands; TERMS_PENDING also when nobody is signed in. */
enum account_place rules_place(const struct person *person);
/* The table's answer; a refusal stands in the verdict, which is begun anew. */
bool rules_begin(const struct person *person, enum account_event event,
                 struct verdict *ret_verdict);

void rules_agree_terms(struct person *person, struct str terms_version,
                       struct verdict *ret_verdict);
/* No agreement: first login waits for another day. */
void rules_decline_terms(struct person *person, struct verdict *ret_verdict);
/* An address that replaces the present one once its link is used. */
void rules_set_email(struct person *person, struct str email, struct verdict *ret_verdict);
/* Two doctors share an address only where the call centre lets them (R-ACC-18). */
void rules_confirm_email(struct person *person, struct str email, struct verdict *ret_verdict);
/* Nobody used the link for EMAIL_WAIT_US: back to the terms. Harmless when it is not so. */
void rules_time_out(struct person *person, struct verdict *ret_verdict);
/*
 * Names, reading, workplace; where there is none, the residence. At first login the birth date has
 * to agree with the records when they have one (a postcard is half a secret); after BIRTH_TRIES_MAX
 * wrong ones the account is suspended. Whether a MAMIS number has to be issued is the caller's to
 * see: it is empty then.
 */
void rules_set_profile(struct person *person, const struct profile *entered,
                       struct verdict *ret_verdict);
/*
 * The own password was set: My Page is complete. Certification data is linked later for who comes
 * after the system was opened for certified doctors (R-ACC-08, 09).
 */
void rules_complete(struct person *person, struct verdict *ret_verdict);
/*
 * What somebody else does for the person. A link that is mailed has to be what the person waits
 * for: `purpose` and `email` are the gateway's, from what it saw a moment ago.
 */
void rules_desk(struct person *person, enum desk_action action, struct str purpose,
                struct str email, struct verdict *ret_verdict);
