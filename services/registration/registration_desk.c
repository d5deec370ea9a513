/* registration_desk: rules for what the office and the call centre do on somebody's account. */
#include "registration/registration_rules.h"

static const char *const action_names[DESK_ACTION_COUNT] = {
    [DESK_UNLOCK] = "unlock", [DESK_RESTORE] = "restore",         [DESK_REISSUE] = "reissue",
    [DESK_RESEND] = "resend", [DESK_SHARE_EMAIL] = "share_email", [DESK_LINK] = "link",
};

const char *desk_action_name(enum desk_action action)
{
    return action_names[action];
}

bool desk_action_parse(struct str name, enum desk_action *ret_action)
{
    for (size_t i = 0; i < ARRAY_LEN(action_names); i++) {
        if (str_eq_c(name, action_names[i])) {
            *ret_action = (enum desk_action)i;
            return true;
        }
    }
    return false;
}

static void refuse(struct verdict *verdict)
{
    *verdict = (struct verdict){.refusal = CODE_STATE_CONFLICT};
}

static void unlock(const struct person *person, struct verdict *verdict)
{
    *verdict = (struct verdict){.account_changed = true};
    if (rules_place(person) == PLACE_CLOSED)
        refuse(verdict);
}

static void restore(struct person *person, struct verdict *verdict)
{
    if (!rules_begin(person, ACCOUNT_RESTORE, verdict)) {
        refuse(verdict);
        return;
    }
    person->state = STR("active");
    verdict->account_changed = true;
}

/* What somebody else may have entered with the old postcard is gone, an address above all. */
static void reissue(struct person *person, struct verdict *verdict)
{
    if (!rules_begin(person, ACCOUNT_REISSUE, verdict)) {
        refuse(verdict);
        return;
    }
    person->state = STR("temp_issued");
    person->step = STEP_TERMS;
    person->step_at_us = INT64_MIN;
    person->email = STR("");
    person->email_confirmed = false;
    person->pending_email = STR("");
    person->birth_tries = 0;
    verdict->account_changed = true;
}

/* Whether the person waits for such a link. */
static bool awaited(const struct person *person, struct str purpose, struct str email)
{
    enum account_place place = rules_place(person);
    bool confirmed = person->email_confirmed && email.len > 0 && str_eq(person->email, email);

    if (str_eq_c(purpose, "email_confirm"))
        return email.len > 0 && str_eq(person->pending_email, email) &&
               (place == PLACE_EMAIL_PENDING || place == PLACE_ACTIVE ||
                place == PLACE_LINK_PENDING);
    if (str_eq_c(purpose, "first_login"))
        return confirmed && (place == PLACE_TERMS_PENDING || place == PLACE_PROFILE_PENDING);
    if (str_eq_c(purpose, "password_reset"))
        return confirmed && (place == PLACE_ACTIVE || place == PLACE_LINK_PENDING);
    return false;
}

static void resend(struct person *person, struct str purpose, struct str email,
                   struct verdict *verdict)
{
    *verdict = (struct verdict){.account_changed = true, .mail_link = true};
    if (!awaited(person, purpose, email))
        refuse(verdict);
    else if (person->step == STEP_EMAIL_CONFIRM)
        person->step_at_us = person->now_us; /* the new link is waited for as long */
}

static void share_email(struct person *person, struct str email, struct verdict *verdict)
{
    resend(person, STR("email_confirm"), email, verdict);
    if (verdict->refusal == CODE_NONE)
        person->shared_email = email;
}

static void link_certification(struct person *person, struct verdict *verdict)
{
    if (!rules_begin(person, ACCOUNT_LINK, verdict)) {
        refuse(verdict);
        return;
    }
    if (!str_eq_c(person->my_page, "link_pending"))
        return;
    person->my_page = STR("active");
    verdict->doctor_changed = true;
    verdict->linked = true;
}

void rules_desk(struct person *person, enum desk_action action, struct str purpose,
                struct str email, struct verdict *ret_verdict)
{
    switch (action) {
    case DESK_UNLOCK:
        unlock(person, ret_verdict);
        return;
    case DESK_RESTORE:
        restore(person, ret_verdict);
        return;
    case DESK_REISSUE:
        reissue(person, ret_verdict);
        return;
    case DESK_RESEND:
        resend(person, purpose, email, ret_verdict);
        return;
    case DESK_SHARE_EMAIL:
        share_email(person, email, ret_verdict);
        return;
    case DESK_LINK:
        link_certification(person, ret_verdict);
        return;
    case DESK_ACTION_COUNT:
        break;
    }
    must(false);
}
