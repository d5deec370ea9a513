/*
 * mamisctl republish: publishes the present state of every row of a kind again, each with a new
 * version, so that every projection takes it over whatever it holds. Rows that somebody changes in
 * the meantime speak for themselves.
 *
 * Entries of the ledger never change and have no version; they are told again, those of one session
 * together, and who copies them takes over what it lacks or has otherwise. One that is posted
 * meanwhile has its own event.
 */
#include <stdio.h>
#include <string.h>

#include "gen/events.h"
#include "mamisctl/mamisctl.h"

enum { SLICE_ROWS = 500 /* as many as a credits.state holds */ };

/*
 * One kind of row. `next` gives the rows after the cursor $1 (text, "" at first) in the order of
 * the cursor, which is its first column; `raise` gives the rows named by $1 (text[]) a new version
 * if they still have the old one, $2 (bigint[]). Rows without versions have neither `raise` nor
 * `encode` but `group`: it gives one event of the rows from `from` on that belong together, their
 * key in column 1, and ends before `*ret_to`.
 */
struct kind {
    const char *name;
    const char *service;
    const char *topic;
    const char *type;
    struct db_stmt next;
    struct db_stmt raise;
    json_t *(*encode)(const struct db_query *query, size_t row, int64_t version);
    json_t *(*group)(struct arena *arena, const struct db_query *query, size_t from,
                     size_t *ret_to);
};

static json_t *encode_doctor(const struct db_query *query, size_t row, int64_t version)
{
    const struct event_doctor_state data = {
        .doctor_id = db_get_i64(query, row, 2),
        .version = version,
        .register_no = db_get_text(query, row, 3),
        .mamis_no = db_get_text(query, row, 4),
        .name = db_get_text(query, row, 5),
        .name_kana = db_get_text(query, row, 6),
        .former_name = db_get_text(query, row, 7),
        .former_name_kana = db_get_text(query, row, 8),
        .my_page = db_get_text(query, row, 9),
        .email = db_get_text(query, row, 10),
        .l1_code = db_get_text(query, row, 11),
        .l2_code = db_get_text(query, row, 12),
        .l3_category = db_get_text(query, row, 13),
    };

    return event_doctor_state_encode(&data);
}

static json_t *encode_account(const struct db_query *query, size_t row, int64_t version)
{
    const struct event_account_state data = {
        .account_id = db_get_uuid(query, row, 2),
        .version = version,
        .role = db_get_text(query, row, 3),
        .state = db_get_text(query, row, 4),
        .step = db_get_text(query, row, 5),
        .name = db_get_text(query, row, 6),
        .email = db_get_text(query, row, 7),
        .email_confirmed = db_get_bool(query, row, 8),
        .doctor_id = db_get_i64(query, row, 9),
        .has_doctor_id = !db_is_null(query, row, 9),
        .organiser_code = db_get_text(query, row, 10),
        .l1_code = db_get_text(query, row, 11),
        .l2_code = db_get_text(query, row, 12),
    };

    return event_account_state_encode(&data);
}

static json_t *encode_certificate(const struct db_query *query, size_t row, int64_t version)
{
    const struct event_certificate_state data = {
        .doctor_id = db_get_i64(query, row, 2),
        .version = version,
        .programme = db_get_text(query, row, 3),
        .number = db_get_text(query, row, 4),
        .first_from = db_get_day(query, row, 5),
        .valid_from = db_get_day(query, row, 6),
        .valid_to = db_get_day(query, row, 7),
    };

    return event_certificate_state_encode(&data);
}

static json_t *encode_seminar(const struct db_query *query, size_t row, int64_t version)
{
    const struct event_seminar_state data = {
        .seminar_no = db_get_text(query, row, 0),
        .version = version,
        .title = db_get_text(query, row, 2),
        .organiser_code = db_get_text(query, row, 3),
        .status = db_get_text(query, row, 4),
    };

    return event_seminar_state_encode(&data);
}

static json_t *encode_maintenance(const struct db_query *query, size_t row, int64_t version)
{
    const struct event_maintenance_state data = {
        .window_id = db_get_uuid(query, row, 2),
        .version = version,
        .starts_at = db_get_time(query, row, 3),
        .ends_at = db_get_time(query, row, 4),
        .note = db_get_text(query, row, 5),
        .called_off = db_get_bool(query, row, 6),
    };

    return event_maintenance_state_encode(&data);
}

/* Of one session. */
static json_t *group_credits(struct arena *arena, const struct db_query *query, size_t from,
                             size_t *ret_to)
{
    struct event_credits_state_credit *credits =
        arena_array(arena, struct event_credits_state_credit, db_rows(query) - from);
    struct event_credits_state data = {
        .seminar_no = db_get_text(query, from, 1),
        .seminar_title = db_get_text(query, from, 2),
        .session_id = db_get_i64(query, from, 3),
        .session_no = db_get_text(query, from, 4),
        .title = db_get_text(query, from, 5),
        .held_on = db_get_day(query, from, 6),
        .delivery = db_get_text(query, from, 7),
        .credits = credits,
    };
    size_t row = from;

    for (; row < db_rows(query) && db_get_i64(query, row, 3) == data.session_id; row++)
        credits[data.credits_count++] = (struct event_credits_state_credit){
            .doctor_id = db_get_i64(query, row, 8),
            .programme = db_get_text(query, row, 9),
            .revision = db_get_i16(query, row, 10),
            .kind = db_get_text(query, row, 11),
            .half_units = db_get_i16(query, row, 12),
        };
    *ret_to = row;
    return event_credits_state_encode(&data);
}

/* Column 0 is the cursor, column 1 the version. */
static const struct kind kinds[] = {
    {"doctors",
     "registration",
     TOPIC_DOCTOR_EVENTS,
     EVENT_DOCTOR_STATE,
     {"republish_doctors",
      "SELECT lpad(doctor_id::text, 19, '0'), version, doctor_id, register_no,"
      " coalesce(mamis_no, ''), name, name_kana, former_name, former_name_kana, my_page, email,"
      " l1_code, l2_code, l3_category FROM registration.doctor"
      " WHERE doctor_id > CASE WHEN $1 = '' THEN 0 ELSE $1::bigint END ORDER BY doctor_id"
      " LIMIT $2::bigint"},
     {"raise_doctors", "WITH up AS (UPDATE registration.doctor AS d SET version = d.version + 1"
                       " FROM unnest($1::text[], $2::bigint[]) AS w (id, version)"
                       " WHERE d.doctor_id = w.id::bigint AND d.version = w.version RETURNING 1)"
                       " SELECT mamis.expect_rows(cardinality($1), (SELECT count(*) FROM up))"},
     encode_doctor,
     NULL},
    {"accounts",
     "registration",
     TOPIC_ACCOUNT_EVENTS,
     EVENT_ACCOUNT_STATE,
     {"republish_accounts",
      "SELECT account_id::text AS place, version, account_id, role, state, step, name, email,"
      " email_confirmed, doctor_id, nullif(organiser_code, ''), nullif(l1_code, ''),"
      " nullif(l2_code, '') FROM registration.account"
      " WHERE $1 = '' OR account_id > $1::uuid ORDER BY account_id LIMIT $2::bigint"},
     {"raise_accounts", "WITH up AS (UPDATE registration.account AS a SET version = a.version + 1"
                        " FROM unnest($1::text[], $2::bigint[]) AS w (id, version)"
                        " WHERE a.account_id = w.id::uuid AND a.version = w.version RETURNING 1)"
                        " SELECT mamis.expect_rows(cardinality($1), (SELECT count(*) FROM up))"},
     encode_account,
     NULL},
    {"certificates",
     "renewal",
     TOPIC_CERTIFICATE_EVENTS,
     EVENT_CERTIFICATE_STATE,
     {"republish_certificates",
      "SELECT lpad(doctor_id::text, 19, '0') || programme, version, doctor_id, programme, number,"
      " first_from, valid_from, valid_to FROM renewal.certificate"
      " WHERE $1 = '' OR (doctor_id, programme) > (left($1, 19)::bigint, substr($1, 20))"
      " ORDER BY doctor_id, programme LIMIT $2::bigint"},
     {"raise_certificates",
      "WITH up AS (UPDATE renewal.certificate AS c SET version = c.version + 1"
      " FROM unnest($1::text[], $2::bigint[]) AS w (id, version)"
      " WHERE c.doctor_id = left(w.id, 19)::bigint AND c.programme = substr(w.id, 20)"
      " AND c.version = w.version RETURNING 1)"
      " SELECT mamis.expect_rows(cardinality($1), (SELECT count(*) FROM up))"},
     encode_certificate,
     NULL},
    {"maintenance",
     "registration",
     TOPIC_MAINTENANCE_EVENTS,
     EVENT_MAINTENANCE_STATE,
     {"republish_maintenance",
      "SELECT window_id::text, version, window_id, starts_at, ends_at, note, called_off"
      " FROM registration.maintenance WHERE $1 = '' OR window_id > $1::uuid ORDER BY window_id"
      " LIMIT $2::bigint"},
     {"raise_maintenance",
      "WITH up AS (UPDATE registration.maintenance AS m SET version = m.version + 1"
      " FROM unnest($1::text[], $2::bigint[]) AS w (id, version)"
      " WHERE m.window_id = w.id::uuid AND m.version = w.version RETURNING 1)"
      " SELECT mamis.expect_rows(cardinality($1), (SELECT count(*) FROM up))"},
     encode_maintenance,
     NULL},
    {"seminars",
     "credit",
     TOPIC_SEMINAR_EVENTS,
     EVENT_SEMINAR_STATE,
     {"republish_seminars",
      "SELECT seminar_no, version, title, organiser_code, status FROM credit.seminar"
      " WHERE seminar_no > $1 ORDER BY seminar_no LIMIT $2::bigint"},
     {"raise_seminars", "WITH up AS (UPDATE credit.seminar AS s SET version = s.version + 1"
                        " FROM unnest($1::text[], $2::bigint[]) AS w (id, version)"
                        " WHERE s.seminar_no = w.id AND s.version = w.version RETURNING 1)"
                        " SELECT mamis.expect_rows(cardinality($1), (SELECT count(*) FROM up))"},
     encode_seminar,
     NULL},
    {.name = "credits",
     .service = "credit",
     .topic = TOPIC_CREDIT_EVENTS,
     .type = EVENT_CREDITS_STATE,
     .next = {"republish_credits",
              "SELECT concat_ws(' ', l.session_id, l.doctor_id, l.programme, l.revision),"
              " s.seminar_no, m.title, l.session_id, s.session_no, s.title, s.held_on, s.delivery,"
              " l.doctor_id, l.programme, l.revision, l.kind, l.half_units"
              " FROM (SELECT * FROM credit.ledger WHERE programme IN ('OP', 'SP')"
              "  AND ($1 = '' OR (session_id, doctor_id, programme, revision)"
              "   > (split_part($1, ' ', 1)::bigint, split_part($1, ' ', 2)::bigint,"
              "      split_part($1, ' ', 3), split_part($1, ' ', 4)::smallint))"
              "  ORDER BY session_id, doctor_id, programme, revision LIMIT $2::bigint) AS l"
              " JOIN credit.session AS s USING (session_id)"
              " JOIN credit.seminar AS m USING (seminar_no)"
              " ORDER BY l.session_id, l.doctor_id, l.programme, l.revision"},
     .group = group_credits},
};

/* The key of the event orders it: as the services choose it. */
static struct str key_of(const struct kind *kind, struct arena *arena, const struct db_query *query,
                         size_t row)
{
    if (strcmp(kind->service, "credit") == 0 || strcmp(kind->name, "accounts") == 0)
        return db_get_text(query, row, 0);
    return str_of(arena_printf(arena, "%lld", (long long)db_get_i64(query, row, 2)));
}

static enum err publish_groups(struct tool *tool, const struct kind *kind, struct arena *arena,
                               const struct db_query *found, struct err_note *note)
{
    struct db_batch *batch = db_batch_new(arena);
    size_t to;

    for (size_t from = 0; from < db_rows(found); from = to) {
        const struct str key = db_get_text(found, from, 1);
        const struct work_event event = {
            .type = kind->type,
            .topic = kind->topic,
            .key = key,
            .subject = key,
            .data = kind->group(arena, found, from, &to),
        };

        (void)work_emit(tool->work, batch, &event, NULL);
    }
    return tool_run_work(tool, batch, note);
}

static enum err publish_slice(struct tool *tool, const struct kind *kind, struct arena *arena,
                              const struct db_query *found, struct err_note *note)
{
    struct db_batch *batch = db_batch_new(arena);
    struct db_query *raise = db_add(batch, &kind->raise);
    struct str ids[SLICE_ROWS];
    int64_t versions[SLICE_ROWS];
    size_t count = db_rows(found);

    for (size_t i = 0; i < count; i++) {
        struct work_event event = {.type = kind->type, .topic = kind->topic};

        ids[i] = db_get_text(found, i, 0);
        versions[i] = db_get_i64(found, i, 1);
        event.key = key_of(kind, arena, found, i);
        event.subject = event.key;
        event.data = kind->encode(found, i, versions[i] + 1);
        (void)work_emit(tool->work, batch, &event, NULL);
    }
    db_text_array(raise, ids, count);
    db_i64_array(raise, versions, count);
    return tool_run_work(tool, batch, note);
}

/* A slice that somebody changed meanwhile is read again. */
static enum err one_slice(struct tool *tool, const struct kind *kind, struct buf *cursor,
                          size_t *ret_count, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *found = db_add(batch, &kind->next);
    enum err err;

    db_text(found, cursor->len > 0 ? buf_str(cursor) : STR(""));
    db_i64(found, SLICE_ROWS);
    TRY(tool_run(tool, batch, note));
    *ret_count = db_rows(found);
    if (*ret_count == 0)
        goto cleanup;
    err = kind->group != NULL ? publish_groups(tool, kind, arena, found, note)
                              : publish_slice(tool, kind, arena, found, note);
    if (err == ERR_OK) {
        buf_clear(cursor);
        buf_add_str(cursor, db_get_text(found, *ret_count - 1, 0));
    }
cleanup:
    arena_free(arena);
    return err;
}

static enum err republish(struct tool *tool, const struct kind *kind, size_t *ret_total,
                          struct err_note *note)
{
    struct buf cursor = {0};
    size_t count = 1;
    unsigned conflicts = 0;
    enum err err = ERR_OK;

    while (err == ERR_OK && count > 0) {
        err = one_slice(tool, kind, &cursor, &count, note);
        if (err == ERR_DB_CONFLICT && ++conflicts < 100) {
            err = ERR_OK;
            continue;
        }
        *ret_total += err == ERR_OK ? count : 0;
        if (err == ERR_OK && !tool_flush(tool, TOOL_SETTLE_MS))
            err = err_say(note, ERR_BUS_DOWN, "Kafka does not take the events");
    }
    buf_free(&cursor);
    return err;
}

enum tool_exit command_republish(struct tool *tool, struct tool_args *args)
{
    const char *word = args_word(args);
    struct err_note note = {0};
    size_t total = 0;

    if (word == NULL || !args_done(args))
        return TOOL_USAGE;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        enum err err;

        if (strcmp(kinds[i].name, word) != 0)
            continue;
        tool_work_open(tool, kinds[i].service);
        err = republish(tool, &kinds[i], &total, &note);
        if (err != ERR_OK)
            return tool_fail("republish", err, &note);
        (void)printf("%zu %s published again\n", total, kinds[i].name);
        return tool_settle(tool, &kinds[i].topic, 1) ? TOOL_OK : TOOL_UNSETTLED;
    }
    return TOOL_USAGE;
}
