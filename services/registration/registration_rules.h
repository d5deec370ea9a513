/*
 * registration_rules: the steps of first login and what an account may change later (domain 4.1,
 * R-ACC). Decides only: no I/O, no clock. Commands change a copy of the person in place; what they
 * changed and why they were refused stands in the verdict.
 */
#pragma once
#include "base/clock.h"
#include "gen/codes.h"

enum { BIRTH_TRIES_MAX = 5 };

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
};

/* One account, with its doctor when it is a doctor's. Texts are borrowed. */
struct person {
    struct str role, state, account_name, email, pending_email, terms_version;
    bool email_confirmed;
    enum account_step step;
    int32_t birth_tries;
    int64_t doctor_id; /* 0: the account is no doctor's */
    struct str my_page, mamis_no, doctor_email;
    struct profile profile;
    /* Circumstances, read with the person. */
    struct str terms_in_force;
    bool email_shared; /* another account has the address that is being set or confirmed */
    day_t today;
};

struct verdict {
    enum code refusal;    /* CODE_NONE: not refused */
    const char *pointer;  /* the field that is wrong, as a JSON pointer; NULL: none */
    const char *field;    /* its name in words of the contract, for the text */
    bool account_changed; /* also possible with a refusal: a wrong birth date is counted */
    bool doctor_changed;
    bool name_changed;
    bool my_page_created;
    bool shared_warning; /* R-ACC-18: a warning, not a refusal */
};

void rules_agree_terms(struct person *person, struct str terms_version,
                       struct verdict *ret_verdict);
/* An address that replaces the present one once its link is used. */
void rules_set_email(struct person *person, struct str email, struct verdict *ret_verdict);
void rules_confirm_email(struct person *person, struct str email, struct verdict *ret_verdict);
/*
 * Names, reading, workplace. At first login the birth date has to agree with the records when they
 * have one (a postcard is half a secret); after BIRTH_TRIES_MAX wrong ones the account is
 * suspended. Whether a MAMIS number has to be issued is the caller's to see: it is empty then.
 */
void rules_set_profile(struct person *person, const struct profile *entered,
                       struct verdict *ret_verdict);
/* The own password was set: My Page is complete. */
void rules_complete(struct person *person, struct verdict *ret_verdict);
