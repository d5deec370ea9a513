/*
 * notification_uploads: the end of an upload: how many chunks there are, and one mail for the
 * organiser about rows to correct (M22).
 */
#include "gen/codes.h"
#include "gen/events.h"
#include "notification/notification.h"

static const struct db_stmt know_total = {
    "notification_know_total",
    "INSERT INTO notification.upload (upload_id, chunks_total) VALUES ($1, $2)"
    " ON CONFLICT (upload_id) DO UPDATE SET chunks_total = excluded.chunks_total",
};

static bool is_to_correct(struct str outcome)
{
    return str_eq_c(outcome, "rejected") || str_eq_c(outcome, "unmatched") ||
           str_eq_c(outcome, "waiting");
}

static void add_reasons(struct buf *out, const struct event_upload_done *event)
{
    for (size_t i = 0; i < event->reasons_count; i++) {
        const struct event_upload_done_reason *reason = &event->reasons[i];
        enum code code = code_of_name(reason->reason);

        if (is_to_correct(reason->outcome))
            buf_printf(out, "・%s　%lld行\n",
                       code == CODE_NONE ? "その他" : code_text(code, false)->title,
                       (long long)reason->rows);
    }
}

static json_t *organiser_data(const struct event_upload_done *event)
{
    json_t *data = json_object();
    char upload_id[UUID_TEXT_BYTES];
    struct buf text = {0};

    uuid_format(event->upload_id, upload_id);
    (void)json_object_set_new(data, "upload_id", json_string(upload_id));
    (void)json_object_set_new(data, "seminar_no", notification_text_json(event->seminar_no));
    (void)json_object_set_new(data, "seminar_title", notification_text_json(event->seminar_title));
    (void)json_object_set_new(data, "file_name", notification_text_json(event->file_name));
    add_reasons(&text, event);
    (void)json_object_set_new(data, "reasons", notification_text_json(buf_str(&text)));
    buf_clear(&text);
    buf_printf(&text,
               "全 %lld行\n登録 %lld行、登録済み %lld行、待機 %lld行、照合できない行 %lld行、"
               "欠席 %lld行、要修正 %lld行",
               (long long)event->rows_total, (long long)event->counts.posted,
               (long long)event->counts.already_posted, (long long)event->counts.waiting,
               (long long)event->counts.unmatched, (long long)event->counts.absent,
               (long long)event->counts.rejected);
    (void)json_object_set_new(data, "counts", notification_text_json(buf_str(&text)));
    buf_free(&text);
    return data;
}

static void add_organiser_mail(struct work_batch *batch, const struct event_upload_done *event)
{
    char upload_id[UUID_TEXT_BYTES];
    struct notification_mail mail = {
        .kind = "M22",
        .occasion = upload_id,
        .has_account = event->has_account_id,
        .to_account = event->account_id,
        .data = organiser_data(event),
    };

    uuid_format(event->upload_id, upload_id);
    notification_mail_add_to_sender(batch, &mail, event->organiser_code);
}

void notification_upload_handle(void *service, struct work_batch *batch)
{
    struct event_upload_done event;
    struct db_query *query;
    enum err err;

    (void)service;
    TRY(event_upload_done_decode(batch->arena, batch->messages[0].data, &event,
                                 &batch->flow->note));
    query = db_add(batch->effect, &know_total);
    db_uuid(query, event.upload_id);
    db_i32(query, (int32_t)event.chunks_total);
    if (event.counts.rejected + event.counts.unmatched + event.counts.waiting > 0)
        add_organiser_mail(batch, &event);
cleanup:
    flow_resume(batch->flow, err);
}
