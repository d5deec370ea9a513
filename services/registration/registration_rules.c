/* registration_rules: first login step by step; repeating a step changes nothing. */
#include "registration/registration_rules.h"

#include <string.h>

#include "text/names.h"

static const char *const step_names[] = {
    [STEP_TERMS] = "terms",
    [STEP_EMAIL] = "email",
    [STEP_EMAIL_CONFIRM] = "email_confirm",
    [STEP_PROFILE] = "profile",
    [STEP_PASSWORD] = "password",
    [STEP_DONE] = "",
};

const char *account_step_name(enum account_step step)
{
    return step_names[step];
}

bool account_step_parse(struct str name, enum account_step *ret_step)
{
    for (size_t i = 0; i < ARRAY_LEN(step_names); i++) {
        if (str_eq_c(name, step_names[i])) {
            *ret_step = (enum account_step)i;
            return true;
        }
    }
    return false;
}

static void refuse(struct verdict *verdict, enum code code)
{
    verdict->refusal = code;
}

static void refuse_field(struct verdict *verdict, enum code code, const char *pointer)
{
    verdict->refusal = code;
    verdict->pointer = pointer;
    verdict->field = pointer + 1;
}

enum account_place rules_place(const struct person *person)
{
    if (str_eq_c(person->state, "closed"))
        return PLACE_CLOSED;
    if (str_eq_c(person->state, "suspended"))
        return person->step == STEP_DONE ? PLACE_SUSPENDED : PLACE_TEMP_LOCKED;
    switch (person->step) {
    case STEP_TERMS:
        return PLACE_TERMS_PENDING;
    case STEP_EMAIL:
    case STEP_EMAIL_CONFIRM:
        return PLACE_EMAIL_PENDING;
    case STEP_PROFILE:
    case STEP_PASSWORD:
        return PLACE_PROFILE_PENDING;
    case STEP_DONE:
        return str_eq_c(person->my_page, "link_pending") ? PLACE_LINK_PENDING : PLACE_ACTIVE;
    }
    must(false);
    return PLACE_CLOSED;
}

static bool serves_nobody(enum account_place place)
{
    return place == PLACE_TEMP_LOCKED || place == PLACE_SUSPENDED || place == PLACE_CLOSED;
}

bool rules_begin(const struct person *person, enum account_event event, struct verdict *ret_verdict)
{
    enum account_place place = rules_place(person), next;

    *ret_verdict = (struct verdict){.refusal = CODE_NONE};
    if (account_next(place, event, &next))
        return true;
    refuse(ret_verdict, serves_nobody(place) ? CODE_ACCOUNT_SUSPENDED : CODE_STEP_ORDER);
    return false;
}

static void go_to(struct person *person, enum account_step step, struct verdict *verdict)
{
    bool waits = step == STEP_EMAIL || step == STEP_EMAIL_CONFIRM;

    person->step = step;
    person->step_at_us = waits ? person->now_us : INT64_MIN;
    verdict->account_changed = true;
}

/* Who came by a sign-up has confirmed the address already. */
static enum account_step after_terms(const struct person *person)
{
    return person->email_confirmed && person->email.len > 0 ? STEP_PROFILE : STEP_EMAIL;
}

void rules_agree_terms(struct person *person, struct str terms_version, struct verdict *ret_verdict)
{
    if (!rules_begin(person, ACCOUNT_AGREE, ret_verdict))
        return;
    if (!str_eq(terms_version, person->terms_in_force)) {
        refuse_field(ret_verdict, CODE_TERMS_VERSION, "/version");
        return;
    }
    if (!str_eq(person->terms_version, terms_version)) {
        person->terms_version = terms_version;
        ret_verdict->account_changed = true;
    }
    if (person->step == STEP_TERMS)
        go_to(person, after_terms(person), ret_verdict);
}

void rules_decline_terms(struct person *person, struct verdict *ret_verdict)
{
    if (rules_begin(person, ACCOUNT_DECLINE, ret_verdict))
        ret_verdict->account_changed = true; /* for its history; nothing else is kept */
}

/* A mail that was asked for again is waited for as long as the first one. */
static bool asked_again(const struct person *person)
{
    return person->step_at_us != INT64_MIN &&
           person->now_us - person->step_at_us > EMAIL_WAIT_US / 24;
}

void rules_set_email(struct person *person, struct str email, struct verdict *ret_verdict)
{
    if (!rules_begin(person, ACCOUNT_SET_EMAIL, ret_verdict))
        return;
    ret_verdict->shared_warning = person->email_shared;
    if (person->email_confirmed && str_eq(person->email, email) && person->pending_email.len == 0)
        return;
    if (!str_eq(person->pending_email, email)) {
        person->pending_email = email;
        ret_verdict->account_changed = true;
    }
    if (person->step == STEP_EMAIL || (person->step == STEP_EMAIL_CONFIRM &&
                                       (ret_verdict->account_changed || asked_again(person))))
        go_to(person, STEP_EMAIL_CONFIRM, ret_verdict);
}

void rules_confirm_email(struct person *person, struct str email, struct verdict *ret_verdict)
{
    if (!rules_begin(person, ACCOUNT_CONFIRM_EMAIL, ret_verdict)) {
        if (ret_verdict->refusal == CODE_STEP_ORDER) /* it was waited for long enough */
            refuse(ret_verdict, CODE_LINK_INVALID);
        return;
    }
    if (person->pending_email.len == 0 || !str_eq(person->pending_email, email)) {
        /* The link was used before, or another address was entered since. */
        if (!person->email_confirmed || !str_eq(person->email, email))
            refuse(ret_verdict, CODE_LINK_INVALID);
        return;
    }
    if (person->email_shared && !person->shared_allowed) {
        refuse(ret_verdict, CODE_EMAIL_IN_USE);
        return;
    }
    if (person->email_confirmed && person->step == STEP_DONE && !str_eq(person->email, email))
        ret_verdict->old_email = person->email;
    person->email = email;
    person->email_confirmed = true;
    person->pending_email = STR("");
    ret_verdict->account_changed = true;
    ret_verdict->email_taken = true;
    ret_verdict->shared_warning = person->email_shared;
    if (person->doctor_id != 0) {
        person->doctor_email = email;
        ret_verdict->doctor_changed = true;
    }
    if (person->step == STEP_EMAIL || person->step == STEP_EMAIL_CONFIRM)
        go_to(person, person->doctor_id != 0 ? STEP_PROFILE : STEP_PASSWORD, ret_verdict);
}

void rules_time_out(struct person *person, struct verdict *ret_verdict)
{
    if (!rules_begin(person, ACCOUNT_TIME_OUT, ret_verdict) || person->step == STEP_TERMS ||
        person->step_at_us == INT64_MIN || person->now_us - person->step_at_us < EMAIL_WAIT_US)
        return;
    person->pending_email = STR("");
    go_to(person, STEP_TERMS, ret_verdict);
}

static bool profile_is_well_formed(const struct person *person, const struct profile *entered,
                                   struct verdict *verdict)
{
    if (name_is_blank(entered->name))
        refuse_field(verdict, CODE_FIELD_TOO_SHORT, "/name");
    else if (name_is_blank(entered->name_kana))
        refuse_field(verdict, CODE_FIELD_TOO_SHORT, "/name_kana");
    else if (!name_is_kana(entered->name_kana))
        refuse_field(verdict, CODE_NAME_KANA_FORMAT, "/name_kana");
    else if (!name_is_kana(entered->former_name_kana))
        refuse_field(verdict, CODE_NAME_KANA_FORMAT, "/former_name_kana");
    else if (entered->birth_on == DAY_NONE || entered->birth_on > person->today)
        refuse_field(verdict, CODE_DATE_NOT_REAL, "/birth_on");
    else if (name_is_blank(entered->workplace_name) &&
             name_is_blank(entered->residence_prefecture) !=
                 name_is_blank(entered->residence_municipality))
        refuse_field(verdict, CODE_FIELD_TOO_SHORT,
                     name_is_blank(entered->residence_prefecture) ? "/residence_prefecture"
                                                                  : "/residence_municipality");
    return verdict->refusal == CODE_NONE;
}

struct str rules_residence_l2(const struct profile *profile)
{
    if (profile->residence_prefecture.len == 0 || !name_is_blank(profile->workplace_name))
        return STR_NONE;
    return profile->residence_prefecture;
}

/* A residence is kept of nobody but of who has no workplace. */
static struct profile kept_of(const struct profile *entered)
{
    struct profile kept = *entered;

    if (rules_residence_l2(entered).data == NULL)
        kept.residence_prefecture = kept.residence_municipality = STR("");
    return kept;
}

/* A member is looked after where he is a member. */
static void take_handling(struct person *person, struct verdict *verdict)
{
    struct str l2_code = rules_residence_l2(&person->profile);

    if (person->member || l2_code.data == NULL || str_eq(person->handling_l2, l2_code))
        return;
    person->handling_l2 = l2_code;
    verdict->doctor_changed = true;
}

static bool birth_date_agrees(struct person *person, const struct profile *entered,
                              struct verdict *verdict)
{
    if (person->profile.birth_on == DAY_NONE || person->profile.birth_on == entered->birth_on)
        return true;
    refuse_field(verdict, CODE_BIRTH_ON_MISMATCH, "/birth_on");
    if (person->step != STEP_DONE) {
        person->birth_tries++;
        verdict->account_changed = true;
        if (person->birth_tries >= BIRTH_TRIES_MAX)
            person->state = STR("suspended"); /* the call centre issues a new postcard */
    }
    return false;
}

static bool same_profile(const struct profile *left, const struct profile *right)
{
    return str_eq(left->name, right->name) && str_eq(left->name_kana, right->name_kana) &&
           str_eq(left->former_name, right->former_name) &&
           str_eq(left->former_name_kana, right->former_name_kana) &&
           str_eq(left->sex, right->sex) && left->birth_on == right->birth_on &&
           str_eq(left->workplace_name, right->workplace_name) &&
           str_eq(left->workplace_postcode, right->workplace_postcode) &&
           str_eq(left->workplace_address, right->workplace_address) &&
           str_eq(left->residence_prefecture, right->residence_prefecture) &&
           str_eq(left->residence_municipality, right->residence_municipality) &&
           str_eq(left->phone, right->phone);
}

static bool same_names(const struct profile *left, const struct profile *right)
{
    return str_eq(left->name, right->name) && str_eq(left->name_kana, right->name_kana) &&
           str_eq(left->former_name, right->former_name) &&
           str_eq(left->former_name_kana, right->former_name_kana);
}

void rules_set_profile(struct person *person, const struct profile *entered,
                       struct verdict *ret_verdict)
{
    const struct profile kept = kept_of(entered);

    if (!rules_begin(person, ACCOUNT_SET_PROFILE, ret_verdict))
        return;
    if (person->doctor_id == 0) {
        refuse(ret_verdict, CODE_FORBIDDEN);
        return;
    }
    if (!profile_is_well_formed(person, entered, ret_verdict) ||
        !birth_date_agrees(person, entered, ret_verdict))
        return;
    ret_verdict->name_changed = !same_names(&person->profile, entered);
    /* A number is issued with the first profile, so also when nothing else changes. */
    if (!same_profile(&person->profile, &kept) || person->mamis_no.len == 0)
        ret_verdict->doctor_changed = true;
    if (!str_eq(person->account_name, entered->name)) {
        person->account_name = entered->name;
        ret_verdict->account_changed = true;
    }
    person->profile = kept;
    take_handling(person, ret_verdict);
    if (person->step == STEP_PROFILE)
        go_to(person, STEP_PASSWORD, ret_verdict);
}

/* When the system was opened for certified doctors (R-ACC-07); who was complete before is linked.
 */
static bool linked_later(const struct person *person)
{
    return person->has_certification && person->today >= day_from_ymd(2025, 4, 7);
}

void rules_complete(struct person *person, struct verdict *ret_verdict)
{
    bool later = linked_later(person);

    if (!rules_begin(person, later ? ACCOUNT_COMPLETE_LATER : ACCOUNT_COMPLETE, ret_verdict) ||
        person->step == STEP_DONE)
        return;
    if (person->step != STEP_PASSWORD) {
        refuse(ret_verdict, CODE_STEP_ORDER);
        return;
    }
    go_to(person, STEP_DONE, ret_verdict);
    person->state = STR("active");
    if (person->doctor_id != 0) {
        person->my_page = later ? STR("link_pending") : STR("active");
        ret_verdict->doctor_changed = true;
        ret_verdict->my_page_created = true;
    }
}
