/* renewal_application: the state machine of an application. */
#include "renewal/renewal_application.h"

static const char *const status_names[] = {
    [APP_SUBMITTED] = "submitted",     [APP_L1_REVIEW] = "l1_review",
    [APP_L2_REVIEW] = "l2_review",     [APP_RETURNED] = "returned",
    [APP_L3_QUEUED] = "l3_queued",     [APP_L3_REVIEW] = "l3_review",
    [APP_APPROVED] = "approved",       [APP_REJECTED_L2] = "rejected_l2",
    [APP_REJECTED_L3] = "rejected_l3", [APP_WITHDRAWN] = "withdrawn",
    [APP_CLOSED] = "closed",
};
static const char *const handbook_names[] = {
    [HANDBOOK_NOT_NEEDED] = "not_needed",
    [HANDBOOK_AWAITED] = "awaited",
    [HANDBOOK_RECEIVED] = "received",
    [HANDBOOK_RETURNED] = "returned",
};
static const char *const fee_names[] = {
    [FEE_AWAITED] = "awaited",
    [FEE_PAID] = "paid",
    [FEE_WAIVED] = "waived",
};
static const char *const action_names[] = {
    [ACTION_VERIFY_HANDBOOK] = "verify_handbook",
    [ACTION_SET_FEE] = "set_fee",
    [ACTION_FORWARD] = "forward",
    [ACTION_RETURN] = "return",
    [ACTION_REJECT] = "reject",
    [ACTION_APPROVE] = "approve",
    [ACTION_RESUBMIT] = "resubmit",
    [ACTION_WITHDRAW] = "withdraw",
};

static bool find(const char *const *names, size_t count, struct str name, size_t *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(name, names[i])) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

const char *app_status_name(enum app_status status)
{
    return status_names[status];
}

bool app_status_parse(struct str name, enum app_status *ret_status)
{
    size_t index;

    if (!find(status_names, ARRAY_LEN(status_names), name, &index))
        return false;
    *ret_status = (enum app_status)index;
    return true;
}

const char *app_handbook_name(enum app_handbook handbook)
{
    return handbook_names[handbook];
}

bool app_handbook_parse(struct str name, enum app_handbook *ret_handbook)
{
    size_t index;

    if (!find(handbook_names, ARRAY_LEN(handbook_names), name, &index))
        return false;
    *ret_handbook = (enum app_handbook)index;
    return true;
}

const char *app_fee_name(enum app_fee fee)
{
    return fee_names[fee];
}

bool app_fee_parse(struct str name, enum app_fee *ret_fee)
{
    size_t index;

    if (!find(fee_names, ARRAY_LEN(fee_names), name, &index))
        return false;
    *ret_fee = (enum app_fee)index;
    return true;
}

const char *app_action_name(enum app_action action)
{
    return action_names[action];
}

bool app_action_parse(struct str name, enum app_action *ret_action)
{
    size_t index;

    if (!find(action_names, ARRAY_LEN(action_names), name, &index))
        return false;
    *ret_action = (enum app_action)index;
    return true;
}

enum { AT_DOCTOR = 1, AT_L2 = 2, AT_L3 = 4 };

/* Whose turn an action is. */
static unsigned who_may(enum app_action action)
{
    switch (action) {
    case ACTION_VERIFY_HANDBOOK:
    case ACTION_SET_FEE:
    case ACTION_FORWARD:
    case ACTION_RETURN:
        return AT_L2;
    case ACTION_REJECT:
        return AT_L2 | AT_L3;
    case ACTION_APPROVE:
        return AT_L3;
    case ACTION_RESUBMIT:
    case ACTION_WITHDRAW:
        return AT_DOCTOR;
    }
    must(false);
    return 0;
}

/* Foreign applications are not there for the actor; wrong roles are told so. */
static enum code check_actor(const struct application *application,
                             const struct app_request *request, unsigned *ret_side)
{
    const struct actor *actor = &request->actor;
    unsigned side = 0;
    bool own = true;

    if (str_eq_c(actor->role, "doctor")) {
        side = AT_DOCTOR;
        own = actor->doctor_id == application->doctor_id;
    } else if (str_eq_c(actor->role, "office_l2")) {
        side = AT_L2;
        own = actor->l2_code.len > 0 && str_eq(actor->l2_code, application->l2_code);
    } else if (str_eq_c(actor->role, "office_l3")) {
        side = AT_L3;
    }
    *ret_side = side;
    if (!own)
        return CODE_NOT_FOUND;
    return (side & who_may(request->action)) != 0 ? CODE_NONE : CODE_FORBIDDEN;
}

#define IN(status) (1u << (unsigned)(status))

enum {
    OPEN_AT_L2 = IN(APP_SUBMITTED) | IN(APP_L2_REVIEW),
    OPEN_AT_L3 = IN(APP_L3_QUEUED) | IN(APP_L3_REVIEW),
};

static unsigned when_may(enum app_action action, unsigned side)
{
    switch (action) {
    case ACTION_VERIFY_HANDBOOK:
    case ACTION_SET_FEE:
        return OPEN_AT_L2 | IN(APP_RETURNED);
    case ACTION_FORWARD:
    case ACTION_RETURN:
        return OPEN_AT_L2;
    case ACTION_REJECT:
        return side == AT_L3 ? OPEN_AT_L3 : OPEN_AT_L2 | IN(APP_RETURNED);
    case ACTION_APPROVE:
        return OPEN_AT_L3;
    case ACTION_RESUBMIT:
        return IN(APP_SUBMITTED) | IN(APP_RETURNED);
    case ACTION_WITHDRAW:
        return OPEN_AT_L2 | IN(APP_RETURNED);
    }
    must(false);
    return 0;
}

/* The same thing once more is a conflict; anything else out of its time names the state. */
static enum code check_state(const struct application *application,
                             const struct app_request *request, unsigned side)
{
    if ((when_may(request->action, side) & IN(application->status)) != 0)
        return CODE_NONE;
    if ((request->action == ACTION_APPROVE && application->status == APP_APPROVED) ||
        (request->action == ACTION_RETURN && application->status == APP_RETURNED) ||
        (request->action == ACTION_FORWARD && application->status == APP_L3_QUEUED) ||
        (request->action == ACTION_REJECT &&
         (application->status == APP_REJECTED_L2 || application->status == APP_REJECTED_L3)))
        return CODE_STATE_CONFLICT;
    return CODE_APPLICATION_STATE;
}

/* R-APP-12: the requirement cannot be waived; handbook and fee can, with a reason. */
static enum code check_forward(const struct application *application,
                               const struct app_request *request)
{
    bool override = request->reason.len > 0;

    if (!request->eligible)
        return CODE_REQUIREMENT_NOT_MET;
    if (!override && application->handbook == HANDBOOK_AWAITED)
        return CODE_HANDBOOK_MISSING;
    if (!override && application->fee == FEE_AWAITED)
        return CODE_FEE_MISSING;
    return CODE_NONE;
}

static enum code check_request(const struct application *application,
                               const struct app_request *request)
{
    switch (request->action) {
    case ACTION_FORWARD:
        return check_forward(application, request);
    case ACTION_APPROVE:
    case ACTION_RESUBMIT:
        return request->eligible ? CODE_NONE : CODE_REQUIREMENT_NOT_MET;
    case ACTION_RETURN:
        if (request->reason.len == 0 || request->until == DAY_NONE)
            return CODE_FIELD_MISSING;
        return request->until > request->today ? CODE_NONE : CODE_RETURN_UNTIL_PAST;
    case ACTION_REJECT:
        return request->reason.len > 0 ? CODE_NONE : CODE_FIELD_MISSING;
    case ACTION_VERIFY_HANDBOOK:
        return request->declared_any ? CODE_NONE : CODE_APPLICATION_STATE;
    case ACTION_SET_FEE:
    case ACTION_WITHDRAW:
        return CODE_NONE;
    }
    must(false);
    return CODE_INTERNAL;
}

enum app_handbook application_handbook(bool declared_any, bool unverified_any)
{
    if (!declared_any)
        return HANDBOOK_NOT_NEEDED;
    return unverified_any ? HANDBOOK_AWAITED : HANDBOOK_RECEIVED;
}

/* The office has begun with it. */
static enum app_status taken_up(enum app_status status)
{
    return status == APP_SUBMITTED ? APP_L2_REVIEW : status;
}

static void apply(struct application *application, const struct app_request *request, unsigned side)
{
    switch (request->action) {
    case ACTION_VERIFY_HANDBOOK:
        application->status = taken_up(application->status);
        application->handbook = HANDBOOK_RECEIVED;
        return;
    case ACTION_SET_FEE:
        application->status = taken_up(application->status);
        application->fee = request->fee;
        return;
    case ACTION_FORWARD:
        application->status = APP_L3_QUEUED;
        return;
    case ACTION_RETURN:
        application->status = APP_RETURNED;
        application->return_reason = request->reason;
        application->return_until = request->until;
        return;
    case ACTION_REJECT:
        application->status = side == AT_L3 ? APP_REJECTED_L3 : APP_REJECTED_L2;
        return;
    case ACTION_APPROVE:
        application->status = APP_APPROVED;
        return;
    case ACTION_RESUBMIT:
        if (application->status == APP_RETURNED)
            application->status = APP_L2_REVIEW;
        application->handbook =
            application_handbook(request->declared_any, request->unverified_any);
        application->return_reason = STR_NONE;
        application->return_until = DAY_NONE;
        return;
    case ACTION_WITHDRAW:
        application->status = APP_WITHDRAWN;
        return;
    }
    must(false);
}

void application_act(struct application *application, const struct app_request *request,
                     struct app_verdict *ret_verdict)
{
    enum app_status before = application->status;
    unsigned side;

    *ret_verdict = (struct app_verdict){.refusal = check_actor(application, request, &side)};
    if (ret_verdict->refusal == CODE_NONE)
        ret_verdict->refusal = check_state(application, request, side);
    if (ret_verdict->refusal == CODE_NONE)
        ret_verdict->refusal = check_request(application, request);
    if (ret_verdict->refusal != CODE_NONE)
        return;
    apply(application, request, side);
    application->told_reason = request->reason;
    application->eligible = request->eligible;
    application->depends_on_declared = request->depends_on_declared;
    ret_verdict->status_changed = application->status != before;
}

bool application_hand_over(struct application *application, struct str l2_code)
{
    static const bool at_l2[] = {
        [APP_SUBMITTED] = true,
        [APP_L1_REVIEW] = true,
        [APP_L2_REVIEW] = true,
        [APP_RETURNED] = true,
    };

    if ((size_t)application->status >= ARRAY_LEN(at_l2) || !at_l2[application->status] ||
        l2_code.len == 0 || str_eq(l2_code, application->l2_code))
        return false;
    application->l2_code = l2_code;
    return true;
}

enum code application_submission_check(const struct submission *submission)
{
    if (!submission->my_page_active || !submission->certificate_found)
        return CODE_CERTIFICATE_MISSING;
    if (submission->open)
        return CODE_APPLICATION_OPEN;
    if (submission->l2_code.len == 0)
        return CODE_OFFICE_MISSING;
    if (submission->today < submission->window.from)
        return CODE_WINDOW_NOT_OPEN;
    if (submission->today > submission->window.to)
        return CODE_WINDOW_CLOSED;
    return submission->eligible ? CODE_NONE : CODE_REQUIREMENT_NOT_MET;
}
