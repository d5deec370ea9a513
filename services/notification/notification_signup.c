/*
 * notification_signup: a doctor has a place in a seminar (M16), waits for one (M17), or has one now
 * after waiting (M17-place). What the doctor took back needs no mail.
 */
#include <string.h>

#include "gen/events.h"
#include "notification/notification.h"

static const struct signup_mail {
    const char *state;
    bool promoted;
    const char *kind;
} signup_mails[] = {
    {"applied", false, "M16"},
    {"waitlist", false, "M17"},
    {"applied", true, "M17-place"},
};

static const char *kind_of(const struct event_seminar_signup_changed *event)
{
    for (size_t i = 0; i < ARRAY_LEN(signup_mails); i++) {
        if (str_eq_c(event->state, signup_mails[i].state) &&
            event->promoted == signup_mails[i].promoted)
            return signup_mails[i].kind;
    }
    return NULL;
}

static json_t *signup_data(const struct event_seminar_signup_changed *event)
{
    json_t *data = json_object();
    char starts[CLOCK_TEXT_BYTES];

    time_format(event->starts_at, starts); /* "2026-12-06T13:00:00+09:00" */
    starts[10] = ' ';
    starts[16] = '\0';
    (void)json_object_set_new(data, "seminar_no", notification_text_json(event->seminar_no));
    (void)json_object_set_new(data, "seminar_title", notification_text_json(event->seminar_title));
    (void)json_object_set_new(data, "starts_at", json_string(starts));
    (void)json_object_set_new(
        data, "by_delegate",
        json_string(event->by_delegate ? "この申し込みは、代理の方が行いました。\n" : ""));
    return data;
}

void notification_seminar_signup_handle(void *service, struct work_batch *batch)
{
    struct event_seminar_signup_changed event;
    struct notification_mail mail = {0};
    enum err err;

    (void)service;
    TRY(event_seminar_signup_changed_decode(batch->arena, batch->messages[0].data, &event,
                                            &batch->flow->note));
    mail.kind = kind_of(&event);
    if (mail.kind == NULL)
        goto cleanup;
    mail.occasion = arena_printf(batch->arena, "%.*s:%lld:%lld", STR_ARG(event.seminar_no),
                                 (long long)event.doctor_id, (long long)event.version);
    mail.to_doctor = event.doctor_id;
    mail.data = signup_data(&event);
    notification_mail_add(batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}
