/* registration_rules: first login step by step; repeating a step changes nothing. */
#include "registration/registration_rules.h"

#include <string.h>

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

/* False: refused, since the account serves nobody now. */
static bool begin(const struct person *person, struct verdict *verdict)
{
    *verdict = (struct verdict){.refusal = CODE_NONE};
    if (str_eq_c(person->state, "suspended") || str_eq_c(person->state, "closed"))
        refuse(verdict, CODE_ACCOUNT_SUSPENDED);
    return verdict->refusal == CODE_NONE;
}

static void go_to(struct person *person, enum account_step step, struct verdict *verdict)
{
    person->step = step;
    verdict->account_changed = true;
}

void rules_agree_terms(struct person *person, struct str terms_version, struct verdict *ret_verdict)
{
    if (!begin(person, ret_verdict))
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
        go_to(person, STEP_EMAIL, ret_verdict);
}

void rules_set_email(struct person *person, struct str email, struct verdict *ret_verdict)
{
    if (!begin(person, ret_verdict))
        return;
    if (person->step == STEP_TERMS) {
        refuse(ret_verdict, CODE_STEP_ORDER);
        return;
    }
    ret_verdict->shared_warning = person->email_shared;
    if (person->email_confirmed && str_eq(person->email, email) && person->pending_email.len == 0)
        return;
    if (!str_eq(person->pending_email, email)) {
        person->pending_email = email;
        ret_verdict->account_changed = true;
    }
    if (person->step == STEP_EMAIL)
        go_to(person, STEP_EMAIL_CONFIRM, ret_verdict);
}

void rules_confirm_email(struct person *person, struct str email, struct verdict *ret_verdict)
{
    if (!begin(person, ret_verdict))
        return;
    if (person->pending_email.len == 0 || !str_eq(person->pending_email, email)) {
        /* The link was used before, or another address was entered since. */
        if (!person->email_confirmed || !str_eq(person->email, email))
            refuse(ret_verdict, CODE_LINK_INVALID);
        return;
    }
    person->email = email;
    person->email_confirmed = true;
    person->pending_email = STR("");
    ret_verdict->account_changed = true;
    ret_verdict->shared_warning = person->email_shared;
    if (person->doctor_id != 0) {
        person->doctor_email = email;
        ret_verdict->doctor_changed = true;
    }
    if (person->step == STEP_EMAIL || person->step == STEP_EMAIL_CONFIRM)
        go_to(person, person->doctor_id != 0 ? STEP_PROFILE : STEP_PASSWORD, ret_verdict);
}

/* The next character of well-formed UTF-8, 0 when it is none. */
static uint32_t next_char(struct str *text)
{
    const uint8_t *bytes = (const uint8_t *)text->data;
    size_t len = bytes[0] < 0x80 ? 1 : bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    uint32_t c = len == 1 ? bytes[0] : bytes[0] & (0xFFu >> (len + 1));

    if (len > text->len)
        return 0;
    for (size_t i = 1; i < len; i++)
        c = (c << 6) | (bytes[i] & 0x3Fu);
    text->data += len;
    text->len -= len;
    return c;
}

/* Full-width katakana with the long-vowel mark, the middle dot and spaces (R-TXT-01). */
static bool is_kana(struct str text)
{
    while (text.len > 0) {
        uint32_t c = next_char(&text);

        if (!(c >= 0x30A1 && c <= 0x30FE) && c != 0x3000 && c != ' ')
            return false;
    }
    return true;
}

static bool is_blank(struct str text)
{
    while (text.len > 0) {
        uint32_t c = next_char(&text);

        if (c != ' ' && c != 0x3000)
            return false;
    }
    return true;
}

static bool profile_is_well_formed(const struct person *person, const struct profile *entered,
                                   struct verdict *verdict)
{
    if (is_blank(entered->name))
        refuse_field(verdict, CODE_FIELD_TOO_SHORT, "/name");
    else if (is_blank(entered->name_kana))
        refuse_field(verdict, CODE_FIELD_TOO_SHORT, "/name_kana");
    else if (!is_kana(entered->name_kana))
        refuse_field(verdict, CODE_NAME_KANA_FORMAT, "/name_kana");
    else if (!is_kana(entered->former_name_kana))
        refuse_field(verdict, CODE_NAME_KANA_FORMAT, "/former_name_kana");
    else if (entered->birth_on == DAY_NONE || entered->birth_on > person->today)
        refuse_field(verdict, CODE_DATE_NOT_REAL, "/birth_on");
    return verdict->refusal == CODE_NONE;
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
    if (!begin(person, ret_verdict))
        return;
    if (person->doctor_id == 0) {
        refuse(ret_verdict, CODE_FORBIDDEN);
        return;
    }
    if (person->step < STEP_PROFILE) {
        refuse(ret_verdict, CODE_STEP_ORDER);
        return;
    }
    if (!profile_is_well_formed(person, entered, ret_verdict) ||
        !birth_date_agrees(person, entered, ret_verdict))
        return;
    ret_verdict->name_changed = !same_names(&person->profile, entered);
    /* A number is issued with the first profile, so also when nothing else changes. */
    if (!same_profile(&person->profile, entered) || person->mamis_no.len == 0)
        ret_verdict->doctor_changed = true;
    if (!str_eq(person->account_name, entered->name)) {
        person->account_name = entered->name;
        ret_verdict->account_changed = true;
    }
    person->profile = *entered;
    if (person->step == STEP_PROFILE)
        go_to(person, STEP_PASSWORD, ret_verdict);
}

void rules_complete(struct person *person, struct verdict *ret_verdict)
{
    if (!begin(person, ret_verdict))
        return;
    if (person->step == STEP_DONE)
        return;
    if (person->step != STEP_PASSWORD) {
        refuse(ret_verdict, CODE_STEP_ORDER);
        return;
    }
    go_to(person, STEP_DONE, ret_verdict);
    person->state = STR("active");
    if (person->doctor_id != 0) {
        person->my_page = STR("active");
        ret_verdict->doctor_changed = true;
        ret_verdict->my_page_created = true;
    }
}
