/* notification_reissue: M56, new temporary credentials are asked for, or that was answered. */
#include "gen/events.h"
#include "notification/notification.h"

void notification_reissue_handle(void *service, struct work_batch *batch)
{
    struct event_reissue_state event;
    struct notification_mail mail = {.kind = "M56"};
    struct notification_staff staff = {.role = "office_l2"};
    char id[UUID_TEXT_BYTES];
    enum err err;

    (void)service;
    TRY(event_reissue_state_decode(batch->arena, batch->messages[0].data, &event,
                                   &batch->flow->note));
    uuid_format(event.reissue_id, id);
    mail.occasion = id;
    mail.data = json_object();
    if (str_eq_c(event.state, "open")) {
        mail.kind = "M56-desk";
        staff.role = "call_centre";
    } else {
        staff.l2_code = event.l2_code;
    }
    notification_mail_add_to_staff(batch, &mail, &staff);
cleanup:
    flow_resume(batch->flow, err);
}
