/* renewal_emit: application.state and certificate.state. */
#include "renewal/renewal_emit.h"

#include <stdio.h>

#include "gen/events.h"

static void emit(struct renewal *renewal, struct work_batch *batch, const char *type,
                 int64_t doctor_id, json_t *data)
{
    char key[24];
    const struct work_event event = {
        .type = type,
        .topic = TOPIC_CERTIFICATE_EVENTS,
        .key = {key, (size_t)snprintf(key, sizeof(key), "%lld", (long long)doctor_id)},
        .data = data,
    };

    (void)work_emit(renewal->work, batch->effect, &event, batch->messages[0].trace);
}

void emit_application(struct renewal *renewal, struct work_batch *batch,
                      const struct application *application)
{
    emit_handed_over(renewal, batch, application, STR_NONE);
}

void emit_handed_over(struct renewal *renewal, struct work_batch *batch,
                      const struct application *application, struct str handed_from)
{
    bool approved = application->status == APP_APPROVED;
    const struct event_application_state event = {
        .application_id = application->id,
        .version = application->version,
        .doctor_id = application->doctor_id,
        .programme = application->programme,
        .status = str_of(app_status_name(application->status)),
        .l2_code = application->l2_code,
        .cycle = application->cycle,
        .declared = application->handbook == HANDBOOK_AWAITED,
        .number = application->number,
        .valid_from = approved ? application->next.from : application->period.from,
        .valid_to = approved ? application->next.to : application->period.to,
        .reason = application->told_reason,
        .return_until = application->return_until,
        .handed_from = handed_from,
    };

    emit(renewal, batch, EVENT_APPLICATION_STATE, application->doctor_id,
         event_application_state_encode(&event));
}

void emit_certificate(struct renewal *renewal, struct work_batch *batch, int64_t doctor_id,
                      struct str programme, const struct certificate *certificate)
{
    const struct event_certificate_state event = {
        .doctor_id = doctor_id,
        .version = certificate->version,
        .programme = programme,
        .number = certificate->number,
        .first_from = certificate->first_from,
        .valid_from = certificate->period.from,
        .valid_to = certificate->period.to,
    };

    emit(renewal, batch, EVENT_CERTIFICATE_STATE, doctor_id,
         event_certificate_state_encode(&event));
}
