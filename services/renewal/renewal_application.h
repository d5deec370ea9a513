/*
 * renewal_application: who may do what to an application in which state, and what comes of it
 * (domain 4.4). Decides only: no I/O, no clock. An action changes a copy in place.
 */
#pragma once
#include "base/uuid.h"
#include "gen/codes.h"
#include "renewal/renewal_calendar.h"
#include "renewal/renewal_rules.h"

enum app_status {
    APP_SUBMITTED,
    APP_L1_REVIEW,
    APP_L2_REVIEW,
    APP_RETURNED,
    APP_L3_QUEUED,
    APP_L3_REVIEW,
    APP_APPROVED,
    APP_REJECTED_L2,
    APP_REJECTED_L3,
    APP_WITHDRAWN,
    APP_CLOSED,
};
const char *app_status_name(enum app_status status);
bool app_status_parse(struct str name, enum app_status *ret_status);

enum app_handbook { HANDBOOK_NOT_NEEDED, HANDBOOK_AWAITED, HANDBOOK_RECEIVED, HANDBOOK_RETURNED };
const char *app_handbook_name(enum app_handbook handbook);
bool app_handbook_parse(struct str name, enum app_handbook *ret_handbook);

enum app_fee { FEE_AWAITED, FEE_PAID, FEE_WAIVED };
const char *app_fee_name(enum app_fee fee);
bool app_fee_parse(struct str name, enum app_fee *ret_fee);

enum app_action {
    ACTION_VERIFY_HANDBOOK,
    ACTION_SET_FEE,
    ACTION_FORWARD,
    ACTION_RETURN,
    ACTION_REJECT,
    ACTION_APPROVE,
    ACTION_RESUBMIT,
    ACTION_WITHDRAW,
};
const char *app_action_name(enum app_action action);
bool app_action_parse(struct str name, enum app_action *ret_action);

/* Texts are borrowed. */
struct application {
    struct uuid id;
    int64_t version;
    int64_t doctor_id;
    enum app_status status;
    struct str programme, l2_code, rule_set, cycle, number;
    enum app_handbook handbook;
    enum app_fee fee;
    int32_t fee_yen;
    struct period period; /* that ends */
    int32_t needed_half_units, counted_half_units;
    bool eligible, depends_on_declared;
    struct str return_reason; /* data NULL: none */
    day_t return_until;
    struct period next;     /* from DAY_NONE: not approved */
    struct str told_reason; /* of the last action, for those who are told of it; not stored */
};

struct actor {
    struct str role;
    struct uuid account_id;
    int64_t doctor_id;  /* of a doctor */
    struct str l2_code; /* of a prefectural office; data NULL: none */
};

/* What is asked, with the circumstances. */
struct app_request {
    enum app_action action;
    struct actor actor;
    enum app_fee fee;  /* set_fee */
    struct str reason; /* data NULL: none */
    day_t until;       /* return */
    day_t today;
    bool eligible; /* what the application relies on still suffices */
    bool depends_on_declared;
    bool declared_any;   /* there are handbook lines in the period */
    bool unverified_any; /* and some of them nobody has verified */
};

struct app_verdict {
    enum code refusal; /* CODE_NONE: done */
    bool status_changed;
};

/*
 * May the actor do it, and is its time? Leaves the cycle and the dates of the new period to the
 * caller, which knows calendar and rules.
 */
void application_act(struct application *application, const struct app_request *request,
                     struct app_verdict *ret_verdict);

/* Which of the checklist's handbook states follows from the lines. */
enum app_handbook application_handbook(bool declared_any, bool unverified_any);

/*
 * The doctor has moved to `l2_code` (R-APP-15). True: it has not been forwarded, so that prefecture
 * has it from now on; else it finishes where it was submitted.
 */
bool application_hand_over(struct application *application, struct str l2_code);

/* What stands in the way of a submission; `open` says that another application is open. */
struct submission {
    bool my_page_active;
    bool certificate_found;
    bool open;
    struct str l2_code;
    struct period window;
    day_t today;
    bool eligible;
};
enum code application_submission_check(const struct submission *submission);
