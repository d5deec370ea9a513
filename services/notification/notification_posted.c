/*
 * notification_posted: what a chunk posted is kept as one row; its doctors' mails (M23, one for
 * each doctor and upload) are made from all rows of the upload when it is complete: see
 * notification_expand. What comes after the end gathers ten minutes in a further mail.
 *
 * A correction is no news of this kind (see notification_corrected): its counter-entries take lines
 * out of mails that are not made yet or were not tried yet, and a mail goes with its last line.
 * What a merge of two records posts anew is told to nobody.
 */
#include <stdlib.h>

#include "domain/kinds.h"
#include "notification/notification.h"
#include "posted/posted.h"

enum { POSTED_LATE_S = 600 }; /* what comes after an upload's end gathers so long */

/* Entries in the form of notification.upload_chunk. */
struct entries {
    int64_t *doctor_ids; /* ascending */
    int16_t *line_index;
    size_t count;
    json_t *lines; /* each once: [held_on, kind, half_units, session_id, programme, revision] */
};

#define CHUNK_COLUMNS                                                                              \
    "notification.upload_chunk (upload_id, first_doctor, last_doctor, entries, doctor_ids,"        \
    " line_index, lines)"

/*
 * Before the end: one row, and one chunk more is seen. After it, for each doctor the mail of these
 * ten minutes, due when they have passed; one that was tried does not change any more.
 */
static const struct db_stmt keep_posted = {
    "notification_keep_posted",
    "WITH upload AS (INSERT INTO notification.upload AS u (upload_id, chunks_seen, seminar_no,"
    "                                                      seminar_title)"
    "   VALUES ($1, (NOT $13::boolean)::int, $2, $3) ON CONFLICT (upload_id) DO UPDATE SET"
    "   chunks_seen = u.chunks_seen + (NOT $13)::int, seminar_no = excluded.seminar_no,"
    "   seminar_title = excluded.seminar_title"
    "   RETURNING $13 OR coalesce(chunks_seen > chunks_total, false) AS late, released),"
    " kept AS (INSERT INTO " CHUNK_COLUMNS "   SELECT $1, $4, $5, $6, $7, $8, $9 FROM upload"
    "   WHERE NOT late AND NOT released AND $6 > 0),"
    " doctor AS (SELECT doctor_id,"
    "     'M23:' || $1::text || ':' || doctor_id || ':' || $12::bigint AS occasion,"
    "     jsonb_agg($9 -> line ORDER BY $9 -> line) AS lines"
    "   FROM upload, unnest($7::bigint[], $8::smallint[]) AS n (doctor_id, line)"
    "   WHERE late GROUP BY doctor_id)"
    " INSERT INTO notification.mail (mail_id, kind, occasion, message_id, upload_id, to_doctor,"
    "                                data, state, created_at, next_try_at)"
    " SELECT gen_random_uuid(), 'M23', occasion, " NOTIFICATION_MESSAGE_ID(
        "'M23'", "occasion",
        "$10") ","
               "        $1, doctor_id,"
               "        jsonb_build_object('seminar_no', $2, 'seminar_title', $3, 'lines', lines),"
               "        'ready', $11, to_timestamp(($12 + 1) * 600)"
               " FROM doctor"
               " ON CONFLICT (occasion) DO UPDATE SET data = jsonb_set(mail.data, '{lines}',"
               "   (mail.data -> 'lines') || (excluded.data -> 'lines'))"
               " WHERE mail.state = 'ready' AND mail.attempts = 0",
};

/* For mails that are not made yet; none are made meanwhile. */
static const struct db_stmt keep_counter = {
    "notification_keep_counter",
    "WITH upload AS (INSERT INTO notification.upload AS u (upload_id) VALUES ($1)"
    "   ON CONFLICT (upload_id) DO UPDATE SET seminar_no = u.seminar_no RETURNING released)"
    " INSERT INTO " CHUNK_COLUMNS " SELECT $1, $2, $3, $4, $5, $6, $7 FROM upload"
    " WHERE NOT released AND $4 > 0",
};

/* From mails that were not tried yet. */
static const struct db_stmt take_back = {
    "notification_take_back",
    "WITH counter AS (SELECT doctor_id, $4::jsonb -> line AS line"
    "   FROM unnest($2::bigint[], $3::smallint[]) AS n (doctor_id, line)),"
    " held AS (SELECT mail_id, coalesce((SELECT jsonb_agg(line ORDER BY place)"
    "     FROM jsonb_array_elements(data -> 'lines') WITH ORDINALITY AS l (line, place)"
    "     WHERE NOT EXISTS (SELECT FROM counter AS c WHERE c.doctor_id = m.to_doctor"
    "       AND c.line -> 3 = l.line -> 3 AND c.line -> 4 = l.line -> 4"
    "       AND (c.line -> 5)::int > (l.line -> 5)::int)), '[]') AS rest"
    "   FROM notification.mail AS m WHERE upload_id = $1 AND state = 'ready' AND attempts = 0"
    "     AND to_doctor IN (SELECT doctor_id FROM counter)),"
    " gone AS (DELETE FROM notification.mail AS m USING held WHERE m.mail_id = held.mail_id"
    "   AND rest = '[]' AND m.state = 'ready' AND m.attempts = 0)"
    " UPDATE notification.mail AS m SET data = jsonb_set(m.data, '{lines}', rest) FROM held"
    " WHERE m.mail_id = held.mail_id AND rest <> '[]' AND m.state = 'ready' AND m.attempts = 0",
};

/* All of it was taken back: no mail will be made, whatever is still on its way. */
static const struct db_stmt forget_undone = {
    "notification_forget_undone",
    "WITH upload AS (UPDATE notification.upload SET released = true WHERE upload_id = $1)"
    " DELETE FROM notification.upload_chunk WHERE upload_id = $1",
};

/* ---- an event's lots become lines ---- */

struct entry {
    int64_t doctor_id;
    int16_t line;
};

static int by_doctor(const void *left, const void *right)
{
    const struct entry *one = left;
    const struct entry *other = right;

    if (one->doctor_id != other->doctor_id)
        return one->doctor_id < other->doctor_id ? -1 : 1;
    return (one->line > other->line) - (one->line < other->line);
}

static json_t *line_of(const struct event_credits_posted *event,
                       const struct event_credits_posted_lot *lot)
{
    const struct event_credits_posted_session *session = &event->sessions[lot->place];
    const enum programme programme = kind_programme(kind_of_code(lot->kind));
    json_t *line = json_array();
    char day[11];

    day_format(session->held_on, day);
    (void)json_array_append_new(line, json_string(day));
    (void)json_array_append_new(line, notification_text_json(lot->kind));
    (void)json_array_append_new(line, json_integer(lot->half_units));
    (void)json_array_append_new(line, json_integer(session->session_id));
    (void)json_array_append_new(line, json_string(programme_code(programme)));
    (void)json_array_append_new(line, json_integer(lot->revision));
    return line;
}

static bool is_news(const struct event_credits_posted *event,
                    const struct event_credits_posted_lot *lot)
{
    return event->correction == NULL || lot->revision % 2 == 1;
}

/* `lines` is a new reference. */
static struct entries entries_of(struct arena *arena, const struct event_credits_posted *event)
{
    struct entries entries = {.lines = json_array()};
    struct entry *list = arena_array(arena, struct entry, event->doctor_ids_count);
    size_t at = 0;

    for (size_t i = 0; i < event->lots_count; i++) {
        (void)json_array_append_new(entries.lines, line_of(event, &event->lots[i]));
        for (int64_t n = 0; n < event->lots[i].doctors; n++, at++) {
            if (is_news(event, &event->lots[i]))
                list[entries.count++] = (struct entry){event->doctor_ids[at], (int16_t)i};
        }
    }
    qsort(list, entries.count, sizeof(list[0]), by_doctor);
    entries.doctor_ids = arena_array(arena, int64_t, entries.count);
    entries.line_index = arena_array(arena, int16_t, entries.count);
    for (size_t i = 0; i < entries.count; i++) {
        entries.doctor_ids[i] = list[i].doctor_id;
        entries.line_index[i] = list[i].line;
    }
    return entries;
}

/* ---- statements ---- */

static void add_arrays(struct db_query *query, const struct entries *entries)
{
    char *lines = json_dumps(entries->lines, JSON_COMPACT);

    must(lines != NULL);
    db_i64_array(query, entries->doctor_ids, entries->count);
    db_i16_array(query, entries->line_index, entries->count);
    db_json(query, str_of(lines));
    free(lines);
}

/* Columns first_doctor to lines. */
static void add_chunk(struct db_query *query, const struct entries *entries)
{
    db_i64(query, entries->count > 0 ? entries->doctor_ids[0] : 0);
    db_i64(query, entries->count > 0 ? entries->doctor_ids[entries->count - 1] : 0);
    db_i32(query, (int32_t)entries->count);
    add_arrays(query, entries);
}

static void add_posted(struct db_batch *effect, const struct event_credits_posted *event,
                       const struct entries *entries)
{
    struct db_query *query = db_add(effect, &keep_posted);
    int64_t now_us = clock_now_us();

    db_uuid(query, event->upload_id);
    db_text(query, event->seminar_no);
    db_text(query, event->seminar_title);
    add_chunk(query, entries);
    db_text_c(query, notification_settings.mail_domain);
    db_time(query, now_us);
    db_i64(query, now_us / CLOCK_SECOND_US / POSTED_LATE_S);
    db_bool(query, event->after_end);
}

static void add_correction(struct db_batch *effect, const struct event_credits_posted *event,
                           const struct entries *entries)
{
    struct db_query *query = db_add(effect, &keep_counter);

    db_uuid(query, event->upload_id);
    add_chunk(query, entries);
    query = db_add(effect, &take_back);
    db_uuid(query, event->upload_id);
    add_arrays(query, entries);
    if (event->correction->last && str_eq_c(event->correction->cause, "undo"))
        db_uuid(db_add(effect, &forget_undone), event->upload_id);
}

void notification_posted_handle(void *service, struct work_batch *batch)
{
    struct event_credits_posted event;
    struct entries entries;
    enum err err;

    (void)service;
    TRY(event_credits_posted_decode(batch->arena, batch->messages[0].data, &event,
                                    &batch->flow->note));
    TRY(posted_check(&event, &batch->flow->note));
    entries = entries_of(batch->arena, &event);
    if (event.correction == NULL) {
        add_posted(batch->effect, &event, &entries);
    } else {
        if (!str_eq_c(event.correction->cause, "merge")) /* its doctor has them as before */
            notification_corrected_add(batch, &event);   /* first: it looks at mails as they are */
        add_correction(batch->effect, &event, &entries);
    }
    json_decref(entries.lines);
cleanup:
    flow_resume(batch->flow, err);
}
