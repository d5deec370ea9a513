/* registration_routes: which handler takes which message. */
#include "gen/events.h"
#include "registration/procedure.h"
#include "registration/registration.h"
#include "registration/registration_correction.h"
#include "registration/registration_delegate.h"
#include "registration/registration_maintenance.h"
#include "registration/registration_merge.h"
#include "registration/registration_reissue.h"

#define OTHER(name, handler)                                                                       \
    {                                                                                              \
        .type = (name), .handle = (handler), .batch_max = 1, .dead = registration_step_dead        \
    }
#define COMMAND(name) OTHER(name, registration_step_handle)

const struct work_route registration_routes[] = {
    COMMAND(EVENT_ACCOUNT_AGREE_TERMS),
    COMMAND(EVENT_ACCOUNT_SET_EMAIL),
    COMMAND(EVENT_ACCOUNT_CONFIRM_EMAIL),
    COMMAND(EVENT_ACCOUNT_SET_PROFILE),
    COMMAND(EVENT_ACCOUNT_COMPLETE),
    OTHER(EVENT_MAINTENANCE_PLAN, registration_maintenance_handle),
    OTHER(EVENT_MAINTENANCE_END, registration_maintenance_handle),
    COMMAND(EVENT_ACCOUNT_DECLINE_TERMS),
    COMMAND(EVENT_ACCOUNT_DESK),
    OTHER(EVENT_SIGNUP_SUBMIT, registration_signup_handle),
    OTHER(EVENT_SIGNUP_DECIDE, registration_signup_decide_handle),
    {.type = EVENT_ACCOUNT_TIME_OUT, .handle = registration_step_handle, .batch_max = 1},
    {.type = EVENT_CERTIFICATE_STATE,
     .handle = registration_certificate_handle,
     .batch_max = REGISTRATION_FEED_MAX},
    {.type = EVENT_CERTIFICATES_STATE,
     .handle = registration_certificate_handle,
     .batch_max = REGISTRATION_LISTS_MAX},
    OTHER(EVENT_PROCEDURE_SUBMIT, procedure_file_handle),
    OTHER(EVENT_PROCEDURE_ACT, procedure_act_handle),
    OTHER(EVENT_PROCEDURE_APPROVE, procedure_bulk_handle),
    OTHER(EVENT_TRAINING_DISMISS, training_dismiss_handle),
    OTHER(EVENT_STAFF_CREATE, registration_staff_create),
    OTHER(EVENT_STAFF_CHANGE, registration_staff_change),
    OTHER(EVENT_DELEGATE_INVITE, registration_delegate_handle),
    OTHER(EVENT_DELEGATE_ACCEPT, registration_delegate_handle),
    OTHER(EVENT_DELEGATE_REVOKE, registration_delegate_handle),
    OTHER(EVENT_DELEGATE_RESIGN, registration_delegate_handle),
    OTHER(EVENT_CORRECTION_ASK, registration_correction_handle),
    OTHER(EVENT_CORRECTION_ANSWER, registration_correction_answer_handle),
    OTHER(EVENT_MERGE_PROPOSE, registration_merge_handle),
    OTHER(EVENT_MERGE_DECIDE, registration_merge_handle),
    OTHER(EVENT_DOCTOR_RENUMBER, registration_merge_handle),
    OTHER(EVENT_REISSUE_ASK, registration_reissue_handle),
    OTHER(EVENT_REISSUE_REFUSE, registration_reissue_handle),
};

const size_t registration_route_count = ARRAY_LEN(registration_routes);
