/*
 * notification_uploads: one mail for each doctor and upload (M23), gathered from the chunks'
 * events; one for the organiser about rows to correct (M22).
 */
#include <string.h>

#include "domain/kinds.h"
#include "gen/codes.h"
#include "gen/events.h"
#include "notification/notification.h"

/* Adds a chunk's lines to the mails of its doctors; the first chunk makes the mail. */
static const struct db_stmt gather = {
    "notification_gather",
    "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, upload_id, to_doctor, "
    "data, state,"
    "                               created_at, next_try_at)"
    " SELECT gen_random_uuid(), 'M23', 'M23:' || $1 || ':' || n.doctor_id,"
    "        'M23.' || encode(sha256(convert_to('M23:' || $1 || ':' || n.doctor_id, 'UTF8')), "
    "'hex') || '@' || $2,"
    "        $1::uuid, n.doctor_id,"
    "        jsonb_build_object('seminar_no', $3, 'seminar_title', $4, 'lines', n.lines), "
    "'gathering', $5, $5"
    " FROM unnest($6::bigint[], $7::jsonb[]) AS n (doctor_id, lines)"
    " ON CONFLICT (occasion) DO UPDATE SET"
    "  data = jsonb_set(mail.data, '{lines}', (mail.data -> 'lines') || (excluded.data -> 'lines'))"
    " WHERE mail.state = 'gathering'",
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

/* To the account that sent the file; where a token did, to the organiser's active accounts. */
static const struct db_stmt insert_organiser_mails = {
    "notification_insert_organiser_mails",
    "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, to_account, data, state,"
    "                               created_at, next_try_at)"
    " SELECT gen_random_uuid(), 'M22', 'M22:' || $1 || ':' || account_id,"
    "        'M22.' || $1 || '.' || account_id || '@' || $2, account_id, $3, 'ready', $4, $4"
    " FROM notification.account"
    " WHERE account_id = $5"
    "    OR ($5::uuid IS NULL AND role = 'organiser' AND organiser_code = $6 AND state = 'active'"
    "        AND email IS NOT NULL)"
    " LIMIT 20 ON CONFLICT (occasion) DO NOTHING",
};

/* ---- credits.posted ---- */

/* Lines of one doctor within a chunk, as a JSON array under way. */
struct doctor_lines {
    int64_t doctor_id;
    struct buf json;
};

struct lines {
    struct doctor_lines *doctors;
    size_t count;
    uint32_t *slots; /* open hash of place + 1 */
    size_t slot_mask;
};

static void lines_init(struct lines *lines, struct arena *arena, size_t entries)
{
    size_t slots = 16;

    while (slots < entries * 2)
        slots *= 2;
    lines->doctors = arena_array(arena, struct doctor_lines, entries + 1);
    lines->count = 0;
    lines->slots = arena_array(arena, uint32_t, slots);
    lines->slot_mask = slots - 1;
}

static struct buf *lines_of(struct lines *lines, int64_t doctor_id)
{
    size_t slot =
        (size_t)((uint64_t)doctor_id * UINT64_C(0x9E3779B97F4A7C15) >> 32) & lines->slot_mask;

    while (lines->slots[slot] != 0 && lines->doctors[lines->slots[slot] - 1].doctor_id != doctor_id)
        slot = (slot + 1) & lines->slot_mask;
    if (lines->slots[slot] == 0) {
        lines->slots[slot] = (uint32_t)++lines->count;
        lines->doctors[lines->count - 1].doctor_id = doctor_id;
    }
    return &lines->doctors[lines->slots[slot] - 1].json;
}

static enum err lines_fill(struct lines *lines, const struct event_credits_posted *event)
{
    for (size_t i = 0; i < event->doctor_ids_count; i++) {
        struct buf *json = lines_of(lines, event->doctor_ids[i]);
        int64_t place = event->session_index[i];
        char day[11];

        if (place < 0 || (size_t)place >= event->sessions_count)
            return ERR_SCHEMA;
        day_format(event->sessions[place].held_on, day);
        buf_add_char(json, json->len == 0 ? '[' : ',');
        buf_printf(json, "[\"%s\",\"%.*s\",%lld]", day, STR_ARG(event->kinds[i]),
                   (long long)event->half_units[i]);
    }
    return ERR_OK;
}

static void lines_add(struct lines *lines, struct work_batch *batch,
                      const struct event_credits_posted *event, const char *upload_id)
{
    int64_t *ids = arena_array(batch->arena, int64_t, lines->count);
    struct str *json = arena_array(batch->arena, struct str, lines->count);
    struct db_query *query;

    for (size_t i = 0; i < lines->count; i++) {
        buf_add_char(&lines->doctors[i].json, ']');
        ids[i] = lines->doctors[i].doctor_id;
        json[i] = arena_str(batch->arena, buf_str(&lines->doctors[i].json));
    }
    query = db_add(batch->effect, &gather);
    db_text_c(query, upload_id);
    db_text_c(query, notification_settings.mail_domain);
    db_text(query, event->seminar_no);
    db_text(query, event->seminar_title);
    db_time(query, clock_now_us());
    db_i64_array(query, ids, lines->count);
    db_json_array(query, json, lines->count);
}

void notification_posted_handle(void *service, struct work_batch *batch)
{
    struct event_credits_posted event;
    struct lines lines = {0};
    char upload_id[UUID_TEXT_BYTES];
    enum err err;

    (void)service;
    TRY(event_credits_posted_decode(batch->arena, batch->messages[0].data, &event,
                                    &batch->flow->note));
    uuid_format(event.upload_id, upload_id);
    if (event.session_index_count != event.doctor_ids_count ||
        event.kinds_count != event.doctor_ids_count ||
        event.half_units_count != event.doctor_ids_count) {
        err = err_say(&batch->flow->note, ERR_SCHEMA, "the parallel arrays differ in length");
        goto cleanup;
    }
    lines_init(&lines, batch->arena, event.doctor_ids_count);
    TRY(lines_fill(&lines, &event));
    if (lines.count > 0)
        lines_add(&lines, batch, &event, upload_id);
    db_uuid(db_add(batch->effect, &count_chunk), event.upload_id);
cleanup:
    for (size_t i = 0; i < lines.count; i++)
        buf_free(&lines.doctors[i].json);
    flow_resume(batch->flow, err);
}

/* ---- upload.done ---- */

static json_t *organiser_data(struct arena *arena, const struct event_upload_done *event,
                              const char *upload_id)
{
    json_t *data = json_object();
    struct buf reasons = {0};

    for (size_t i = 0; i < event->reasons_count; i++) {
        enum code code = code_of_name(event->reasons[i].reason);
        const struct code_text *text = code == CODE_NONE ? NULL : code_text(code, false);

        buf_printf(&reasons, "・%s　%lld行\n", text == NULL ? "その他" : text->title,
                   (long long)event->reasons[i].rows);
    }
    (void)json_object_set_new(data, "upload_id", json_string(upload_id));
    (void)json_object_set_new(data, "seminar_no",
                              json_stringn(event->seminar_no.data, event->seminar_no.len));
    (void)json_object_set_new(data, "seminar_title",
                              json_stringn(event->seminar_title.data, event->seminar_title.len));
    (void)json_object_set_new(data, "file_name",
                              json_stringn(event->file_name.data, event->file_name.len));
    (void)json_object_set_new(data, "reasons", json_stringn(reasons.data, reasons.len));
    (void)json_object_set_new(
        data, "counts",
        json_string(
            arena_printf(arena,
                         "全 %lld行\n登録 %lld行、登録済み %lld行、待機 %lld行、照合できない行 "
                         "%lld行、欠席 %lld行、要修正 %lld行",
                         (long long)event->rows_total, (long long)event->counts.posted,
                         (long long)event->counts.already_posted, (long long)event->counts.waiting,
                         (long long)event->counts.unmatched, (long long)event->counts.absent,
                         (long long)event->counts.rejected)));
    buf_free(&reasons);
    return data;
}

static void add_organiser_mail(struct work_batch *batch, const struct event_upload_done *event,
                               const char *upload_id)
{
    json_t *json = organiser_data(batch->arena, event, upload_id);
    char *data = json_dumps(json, JSON_COMPACT);
    struct db_query *query = db_add(batch->effect, &insert_organiser_mails);

    must(data != NULL);
    db_text_c(query, upload_id);
    db_text_c(query, notification_settings.mail_domain);
    db_json(query, str_of(data));
    db_time(query, clock_now_us());
    if (event->has_account_id)
        db_uuid(query, event->account_id);
    else
        db_null(query);
    db_text(query, event->organiser_code);
    free(data);
    json_decref(json);
}

void notification_upload_handle(void *service, struct work_batch *batch)
{
    struct event_upload_done event;
    struct db_query *query;
    char upload_id[UUID_TEXT_BYTES];
    enum err err;

    (void)service;
    TRY(event_upload_done_decode(batch->arena, batch->messages[0].data, &event,
                                 &batch->flow->note));
    uuid_format(event.upload_id, upload_id);
    query = db_add(batch->effect, &know_total);
    db_uuid(query, event.upload_id);
    db_i32(query, (int32_t)event.chunks_total);
    if (event.counts.rejected + event.counts.unmatched + event.counts.waiting > 0)
        add_organiser_mail(batch, &event, upload_id);
cleanup:
    flow_resume(batch->flow, err);
}
