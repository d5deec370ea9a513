/*
 * notification_corrected: credits that are taken back (M24), one mail for each doctor and
 * correction, with the reason. Only who was told of the posting, or may have been, is told: a line
 * that still waits in a mail not tried yet just leaves it, see notification_posted.
 */
#include <stdlib.h>

#include "domain/kinds.h"
#include "gen/events.h"
#include "notification/notification.h"

/* The longest that a slice waits for the correction's last one. */
enum { CORRECTED_SLICE_S = 3600 };

/* Mails of the upload are not made meanwhile: the next statement sees all that there are. */
static const struct db_stmt hold_upload = {
    "notification_hold_upload",
    "SELECT 1 FROM notification.upload WHERE upload_id = $1 FOR UPDATE",
};

/*
 * Lines as in other mails: [held_on, kind, half_units]. `held`: what is not tried yet, locked, so
 * that a sender does not take it before it has lost its lines.
 */
static const struct db_stmt tell_corrected = {
    "notification_tell_corrected",
    "WITH counter AS MATERIALIZED (SELECT c.* FROM unnest($2::bigint[], $3::bigint[], $4::text[],"
    "     $5::int[], $6::date[], $7::text[], $8::int[]) WITH ORDINALITY"
    "     AS c (doctor_id, session_id, programme, revision, held_on, kind, half_units, place),"
    "    notification.upload AS u WHERE u.upload_id = $1"
    "    AND (u.released OR c.doctor_id < u.next_doctor)),"
    " mail AS MATERIALIZED (SELECT to_doctor, data FROM notification.mail"
    "   WHERE upload_id = $1 AND state = 'ready' AND attempts = 0"
    "    AND to_doctor IN (SELECT doctor_id FROM counter) FOR UPDATE),"
    " held AS (SELECT to_doctor, line FROM mail,"
    "   LATERAL jsonb_array_elements(data -> 'lines') AS l (line)),"
    " news AS (SELECT doctor_id, jsonb_agg(jsonb_build_array(held_on, kind, -half_units)"
    "     ORDER BY held_on, place) AS lines FROM counter AS c"
    "   JOIN notification.doctor AS d USING (doctor_id) WHERE d.email IS NOT NULL"
    "    AND NOT EXISTS (SELECT FROM held AS h WHERE h.to_doctor = c.doctor_id"
    "     AND h.line -> 3 = to_jsonb(c.session_id) AND h.line ->> 4 = c.programme"
    "     AND (h.line ->> 5)::int < c.revision)"
    "   GROUP BY doctor_id)"
    " INSERT INTO notification.mail (mail_id, kind, occasion, message_id, upload_id, to_doctor,"
    "                                data, state, created_at, next_try_at)"
    " SELECT gen_random_uuid(), 'M24', occasion, " NOTIFICATION_MESSAGE_ID(
        "'M24'", "occasion",
        "$9") ","
              "  $10::uuid, doctor_id,"
              "  $11::jsonb || jsonb_build_object('lines', lines), 'ready', $12,"
              "  CASE WHEN EXISTS (SELECT FROM notification.correction WHERE correction_id = $10)"
              "   THEN $12 ELSE $13 END"
              " FROM (SELECT *, 'M24:' || $10::text || ':' || doctor_id AS occasion FROM news)"
              "  AS told"
              " ON CONFLICT (occasion) DO UPDATE SET data = jsonb_set(mail.data, '{lines}',"
              "   (mail.data -> 'lines') || (excluded.data -> 'lines'))"
              " WHERE mail.state = 'ready' AND mail.attempts = 0",
};

/* Slices of it that come late, swept by another process, need not wait. */
static const struct db_stmt end_correction = {
    "notification_end_correction",
    "INSERT INTO notification.correction (correction_id, ended_at) VALUES ($1, $2)"
    " ON CONFLICT DO NOTHING",
};

/* No slice follows: now they may go. Mails of a correction have its id in place of an upload's. */
static const struct db_stmt release_corrected = {
    "notification_release_corrected",
    "UPDATE notification.mail SET next_try_at = $2"
    " WHERE upload_id = $1 AND state = 'ready' AND next_try_at > $2",
};

static struct str data_of(struct arena *arena, const struct event_credits_posted *event)
{
    json_t *data = json_object();
    struct str text;
    char *dump;

    (void)json_object_set_new(data, "seminar_no", notification_text_json(event->seminar_no));
    (void)json_object_set_new(data, "seminar_title", notification_text_json(event->seminar_title));
    (void)json_object_set_new(data, "reason", notification_text_json(event->correction->reason));
    dump = json_dumps(data, JSON_COMPACT);
    must(dump != NULL);
    text = arena_str(arena, str_of(dump));
    free(dump);
    json_decref(data);
    return text;
}

/* Parallel arrays: one element for each doctor of each lot. */
static void add_entries(struct db_query *query, struct arena *arena,
                        const struct event_credits_posted *event)
{
    const size_t count = event->doctor_ids_count;
    int64_t *sessions = arena_array(arena, int64_t, count);
    int32_t *revisions = arena_array(arena, int32_t, count);
    int32_t *half_units = arena_array(arena, int32_t, count);
    day_t *days = arena_array(arena, day_t, count);
    struct str *programmes = arena_array(arena, struct str, count);
    struct str *kinds = arena_array(arena, struct str, count);
    size_t at = 0;

    for (size_t i = 0; i < event->lots_count; i++) {
        const struct event_credits_posted_lot *lot = &event->lots[i];
        const struct str programme =
            str_of(programme_code(kind_programme(kind_of_code(lot->kind))));

        for (int64_t n = 0; n < lot->doctors; n++, at++) {
            sessions[at] = event->sessions[lot->place].session_id;
            programmes[at] = programme;
            revisions[at] = (int32_t)lot->revision;
            days[at] = event->sessions[lot->place].held_on;
            kinds[at] = lot->kind;
            half_units[at] = (int32_t)lot->half_units;
        }
    }
    db_i64_array(query, event->doctor_ids, count);
    db_i64_array(query, sessions, count);
    db_text_array(query, programmes, count);
    db_i32_array(query, revisions, count);
    db_day_array(query, days, count);
    db_text_array(query, kinds, count);
    db_i32_array(query, half_units, count);
}

void notification_corrected_add(struct work_batch *batch, const struct event_credits_posted *event)
{
    const struct event_credits_posted_correction *correction = event->correction;
    const int64_t now_us = clock_now_us();
    struct db_query *query;

    db_uuid(db_add(batch->effect, &hold_upload), event->upload_id);
    query = db_add(batch->effect, &tell_corrected);
    db_uuid(query, event->upload_id);
    add_entries(query, batch->arena, event);
    db_text_c(query, notification_settings.mail_domain);
    db_uuid(query, correction->correction_id);
    db_json(query, data_of(batch->arena, event));
    db_time(query, now_us);
    db_time(query, now_us + CORRECTED_SLICE_S * CLOCK_SECOND_US);
    if (!correction->last)
        return;
    query = db_add(batch->effect, &end_correction);
    db_uuid(query, correction->correction_id);
    db_time(query, now_us);
    query = db_add(batch->effect, &release_corrected);
    db_uuid(query, correction->correction_id);
    db_time(query, now_us);
}
