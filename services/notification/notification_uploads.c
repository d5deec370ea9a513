/*
 * notification_uploads: one mail for each doctor and upload (M23), gathered from the chunks'
 * events; one for the organiser about rows to correct (M22).
 */
#include "gen/codes.h"
#include "gen/events.h"
#include "notification/notification.h"

enum { UPLOAD_LATE_S = 600 }; /* what comes after an upload's end gathers so long */

/*
 * Adds a chunk's lines to the mails of its doctors; the first chunk makes the mail. After the end
 * of the upload each window of ten minutes makes one more mail, due when the window has passed.
 * Counter-entries (odd revisions) are no news of this kind.
 */
static const struct db_stmt gather = {
    "notification_gather",
    "WITH late AS MATERIALIZED (SELECT EXISTS (SELECT FROM notification.upload"
    "   WHERE upload_id = $1::uuid AND complete) AS late),"
    " doctor AS (SELECT doctor_id, 'M23:' || $1 || ':' || doctor_id ||"
    "     CASE WHEN late THEN ':' || $6::bigint ELSE '' END AS occasion, late,"
    "     jsonb_agg(jsonb_build_array(held_on, kind, half_units) ORDER BY held_on, place) AS lines"
    "   FROM late, unnest($7::bigint[], $8::date[], $9::text[], $10::bigint[], $11::bigint[])"
    "     WITH ORDINALITY AS n (doctor_id, held_on, kind, half_units, revision, place)"
    "   WHERE revision % 2 = 0 GROUP BY doctor_id, late)"
    " INSERT INTO notification.mail (mail_id, kind, occasion, message_id, upload_id, to_doctor,"
    "                                data, state, created_at, next_try_at)"
    " SELECT gen_random_uuid(), 'M23', occasion, " NOTIFICATION_MESSAGE_ID(
        "'M23'", "occasion",
        "$2") ","
              "        $1::uuid, doctor_id,"
              "        jsonb_build_object('seminar_no', $3, 'seminar_title', $4, 'lines', lines),"
              "        CASE WHEN late THEN 'ready' ELSE 'gathering' END, $5,"
              "        CASE WHEN late THEN to_timestamp(($6 + 1) * 600) ELSE $5 END"
              " FROM doctor"
              " ON CONFLICT (occasion) DO UPDATE SET"
              "  data = jsonb_set(mail.data, '{lines}', (mail.data -> 'lines') || (excluded.data "
              "-> 'lines'))"
              " WHERE mail.state = 'gathering' OR (mail.state = 'ready' AND mail.attempts = 0)",
};

static const struct db_stmt count_chunk = {
    "notification_count_chunk",
    "INSERT INTO notification.upload (upload_id, chunks_seen) VALUES ($1, 1)"
    " ON CONFLICT (upload_id) DO UPDATE SET chunks_seen = upload.chunks_seen + 1",
};

static const struct db_stmt know_total = {
    "notification_know_total",
    "INSERT INTO notification.upload (upload_id, chunks_total) VALUES ($1, $2)"
    " ON CONFLICT (upload_id) DO UPDATE SET chunks_total = excluded.chunks_total",
};

/* ---- credits.posted ---- */

static void add_lines(struct work_batch *batch, const struct event_credits_posted *event)
{
    struct db_query *query = db_add(batch->effect, &gather);
    day_t *days = arena_array(batch->arena, day_t, event->doctor_ids_count);
    char upload_id[UUID_TEXT_BYTES];
    int64_t now_us = clock_now_us();

    for (size_t i = 0; i < event->doctor_ids_count; i++)
        days[i] = event->sessions[event->session_index[i]].held_on;
    uuid_format(event->upload_id, upload_id);
    db_text_c(query, upload_id);
    db_text_c(query, notification_settings.mail_domain);
    db_text(query, event->seminar_no);
    db_text(query, event->seminar_title);
    db_time(query, now_us);
    db_i64(query, now_us / CLOCK_SECOND_US / UPLOAD_LATE_S);
    db_i64_array(query, event->doctor_ids, event->doctor_ids_count);
    db_day_array(query, days, event->doctor_ids_count);
    db_text_array(query, event->kinds, event->doctor_ids_count);
    db_i64_array(query, event->half_units, event->doctor_ids_count);
    db_i64_array(query, event->revisions, event->doctor_ids_count);
}

void notification_posted_handle(void *service, struct work_batch *batch)
{
    struct event_credits_posted event;
    enum err err;

    (void)service;
    TRY(event_credits_posted_decode(batch->arena, batch->messages[0].data, &event,
                                    &batch->flow->note)); /* arrays of one length, places known */
    if (event.correction != NULL)
        goto cleanup; /* none of the upload's chunks */
    if (event.doctor_ids_count > 0)
        add_lines(batch, &event);
    db_uuid(db_add(batch->effect, &count_chunk), event.upload_id);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- upload.done ---- */

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

/* To the account that sent the file; where a token did, to the organiser's active accounts. */
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
    if (event->has_account_id)
        notification_mail_add(batch, &mail);
    else
        notification_mail_add_to_staff(batch, &mail, "organiser", event->organiser_code, STR_NONE);
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
