/* notification_expired: rows that waited in vain for a My Page; who it was, for the organiser
 * (M43).
 */
#include "gen/events.h"
#include "notification/notification.h"

/* "・3番目の行　サトウ ケンイチ　セッション 1": names, but no numbers, go by mail. */
static void add_row(struct buf *out, const struct event_rows_expired_row *row)
{
    buf_printf(out, "・%lld番目の行", (long long)row->row_no);
    if (row->name_kana.len > 0)
        buf_printf(out, "　%.*s", STR_ARG(row->name_kana));
    buf_printf(out, "　セッション %.*s\n", STR_ARG(row->session_no));
}

static json_t *expired_data(const struct event_rows_expired *event)
{
    json_t *data = json_object();
    char upload_id[UUID_TEXT_BYTES];
    struct buf rows = {0};

    uuid_format(event->upload_id, upload_id);
    for (size_t i = 0; i < event->rows_count; i++)
        add_row(&rows, &event->rows[i]);
    (void)json_object_set_new(data, "upload_id", json_string(upload_id));
    (void)json_object_set_new(data, "seminar_no", notification_text_json(event->seminar_no));
    (void)json_object_set_new(data, "seminar_title", notification_text_json(event->seminar_title));
    (void)json_object_set_new(data, "file_name", notification_text_json(event->file_name));
    (void)json_object_set_new(data, "rows", notification_text_json(buf_str(&rows)));
    buf_free(&rows);
    return data;
}

/* A row expires once, unless it was mended in between: then it is another occasion. */
void notification_expired_handle(void *service, struct work_batch *batch)
{
    struct event_rows_expired event;
    struct notification_mail mail = {.kind = "M43"};
    char id[UUID_TEXT_BYTES];
    enum err err;

    (void)service;
    TRY(event_rows_expired_decode(batch->arena, batch->messages[0].data, &event,
                                  &batch->flow->note));
    uuid_format(batch->messages[0].id, id);
    mail.occasion = id;
    mail.has_account = event.has_account_id;
    mail.to_account = event.account_id;
    mail.data = expired_data(&event);
    notification_mail_add_to_sender(batch, &mail, event.organiser_code);
cleanup:
    flow_resume(batch->flow, err);
}
