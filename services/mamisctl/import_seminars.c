/* mamisctl import seminars: finds what is there, writes seminars, sessions and their events. */
#include "mamisctl/import_seminars.h"
#include "gen/events.h"

static const struct import_column columns[SEMINAR_COLUMNS] = {
    [SEMINAR_NO] = {"seminar_no", true, 40},
    [TITLE] = {"title", true, 600},
    [ORGANISER] = {"organiser_code", true, 20},
    [SESSION_NO] = {"session_no", true, 20},
    [SESSION_TITLE] = {"session_title", true, 600},
    [STARTS_AT] = {"starts_at", true, 16},
    [ENDS_AT] = {"ends_at", true, 16},
    [DELIVERY] = {"delivery", true, 10},
    [GRACE] = {"grace_minutes", true, 10},
    [CAPACITY] = {"capacity", true, 10},
    [OFFERS] = {"offers", true, 400},
    [LEADER] = {"leader_register_no", true, 20},
    [STATUS] = {"status", false, 10},
};

static const char *const topics[] = {TOPIC_SEMINAR_EVENTS};

IMPORT_VALUE(seminar_no_of, SEMINAR_NO)
IMPORT_VALUE(title_of, TITLE)
IMPORT_VALUE(organiser_of, ORGANISER)
IMPORT_VALUE(session_no_of, SESSION_NO)
IMPORT_VALUE(session_title_of, SESSION_TITLE)
IMPORT_VALUE(delivery_of, DELIVERY)
IMPORT_VALUE(offers_of, OFFERS)

/* Organiser unknown: column 1 is NULL. Seminar not there: column 2 is NULL. */
static const struct db_stmt find_seminars = {
    "seminars_find",
    "SELECT w.ord, o.organiser_code, s.version, s.title, s.organiser_code, s.status"
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (seminar_no, organiser, ord)"
    " LEFT JOIN credit.organiser AS o ON o.organiser_code = w.organiser"
    " LEFT JOIN credit.seminar AS s ON s.seminar_no = w.seminar_no"};

static const struct db_stmt find_sessions = {
    "sessions_find",
    "SELECT w.ord, s.title, s.starts_at, s.ends_at, s.delivery, s.grace_minutes, s.capacity,"
    " s.offers, s.leader_register_no"
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (seminar_no, session_no, ord)"
    " JOIN credit.session AS s USING (seminar_no, session_no)"};

static const struct db_stmt put_seminars = {
    "seminars_put",
    "WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],"
    " $5::bigint[]) AS g (seminar_no, title, organiser_code, status, version)),"
    " put AS (INSERT INTO credit.seminar AS s"
    " (seminar_no, title, organiser_code, status, version)"
    " SELECT seminar_no, title, organiser_code, status, version FROM given"
    " ON CONFLICT (seminar_no) DO UPDATE SET title = excluded.title,"
    " organiser_code = excluded.organiser_code, status = excluded.status,"
    " version = excluded.version WHERE s.version = excluded.version - 1 RETURNING 1)"
    " SELECT mamis.expect_rows((SELECT count(*) FROM given), (SELECT count(*) FROM put))"};

static const struct db_stmt put_sessions = {
    "sessions_put",
    "INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
    " delivery, grace_minutes, capacity, offers, leader_register_no)"
    " SELECT seminar_no, session_no, title, starts_at, ends_at,"
    " (starts_at AT TIME ZONE 'Asia/Tokyo')::date, delivery, grace_minutes, capacity, offers, "
    "leader"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[],"
    " $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::bigint[])"
    " AS given (seminar_no, session_no, title, starts_at, ends_at, delivery, grace_minutes,"
    " capacity, offers, leader)"
    " ON CONFLICT (seminar_no, session_no) DO UPDATE SET title = excluded.title,"
    " starts_at = excluded.starts_at, ends_at = excluded.ends_at, held_on = excluded.held_on,"
    " delivery = excluded.delivery, grace_minutes = excluded.grace_minutes,"
    " capacity = excluded.capacity, offers = excluded.offers,"
    " leader_register_no = excluded.leader_register_no"};

/* ---- what is there ---- */

static int64_t number_or_none(const struct db_query *query, size_t row, int column)
{
    return db_is_null(query, row, column) ? SESSION_NONE : db_get_i64(query, row, column);
}

static bool session_same(const struct import_row *row, const struct db_query *query, size_t found)
{
    const struct session *session = row->item;

    return str_eq(session_title_of(row), db_get_text(query, found, 1)) &&
           session->starts_us == db_get_time(query, found, 2) &&
           session->ends_us == db_get_time(query, found, 3) &&
           str_eq(delivery_of(row), db_get_text(query, found, 4)) &&
           session->grace_minutes == db_get_i64(query, found, 5) &&
           session->capacity == number_or_none(query, found, 6) &&
           str_eq(offers_of(row), db_get_text(query, found, 7)) &&
           session->leader == number_or_none(query, found, 8);
}

static void judge_seminar(struct import_file *file, struct import_row *row,
                          const struct db_query *query, size_t found)
{
    struct session *session = row->item;

    if (db_is_null(query, found, 1)) {
        import_problem(file, row, ORGANISER, "no such organiser",
                       "import it first: mamisctl import organisers FILE");
        return;
    }
    session->version = db_is_null(query, found, 2) ? 0 : db_get_i64(query, found, 2);
    session->seminar_differs = session->version == 0 ||
                               !str_eq(title_of(row), db_get_text(query, found, 3)) ||
                               !str_eq(organiser_of(row), db_get_text(query, found, 4)) ||
                               !str_eq(seminar_status_of(row), db_get_text(query, found, 5));
}

static enum err load_slice(struct import_file *file, struct import_row **rows, size_t count,
                           struct arena *arena, struct err_note *note)
{
    struct db_batch *batch = db_batch_new(arena);
    struct db_query *seminars = db_add(batch, &find_seminars);
    struct db_query *sessions = db_add(batch, &find_sessions);
    enum err err;

    import_texts(seminars, rows, count, seminar_no_of);
    import_texts(seminars, rows, count, organiser_of);
    import_texts(sessions, rows, count, seminar_no_of);
    import_texts(sessions, rows, count, session_no_of);
    err = tool_run(file->tool, batch, note);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < count; i++)
        rows[i]->change = IMPORT_NEW;
    for (size_t i = 0; i < db_rows(sessions); i++) {
        struct import_row *row = rows[db_get_i64(sessions, i, 0) - 1];

        row->change = session_same(row, sessions, i) ? IMPORT_SAME : IMPORT_CHANGED;
    }
    for (size_t i = 0; i < db_rows(seminars); i++) {
        struct import_row *row = rows[db_get_i64(seminars, i, 0) - 1];

        judge_seminar(file, row, seminars, i);
        if (((struct session *)row->item)->seminar_differs && row->change == IMPORT_SAME)
            row->change = IMPORT_CHANGED;
    }
    return ERR_OK;
}

static enum err load(struct import_file *file, struct arena *arena, struct err_note *note)
{
    struct import_row *rows[IMPORT_SLICE_ROWS];
    size_t cursor = 0;
    size_t count;
    enum err err = ERR_OK;

    while (err == ERR_OK && (count = import_slice_all(file, &cursor, rows)) > 0)
        err = load_slice(file, rows, count, arena, note);
    return err;
}

/* ---- writing ---- */

static void emit(struct import_file *file, struct import_row *row, struct db_batch *batch)
{
    const struct session *session = row->item;
    const struct event_seminar_state data = {
        .seminar_no = seminar_no_of(row),
        .version = session->version + 1,
        .title = title_of(row),
        .organiser_code = organiser_of(row),
        .status = seminar_status_of(row),
    };
    const struct work_event event = {
        .type = EVENT_SEMINAR_STATE,
        .topic = TOPIC_SEMINAR_EVENTS,
        .key = data.seminar_no,
        .subject = data.seminar_no,
        .data = event_seminar_state_encode(&data),
    };

    (void)work_emit(file->tool->work, batch, &event, NULL);
}

/* Seminars that are new or differ, by the first of their lines in this slice. */
static void write_seminars(struct import_file *file, struct import_row **rows, size_t count,
                           struct db_batch *batch)
{
    struct import_row *chosen[IMPORT_SLICE_ROWS];
    int64_t versions[IMPORT_SLICE_ROWS];
    struct db_query *query;
    size_t chosen_count = 0;

    for (size_t i = 0; i < count; i++) {
        const struct session *session = rows[i]->item;

        if (!session->seminar_differs || str_eq(seminar_no_of(rows[i]), file->seminar_written))
            continue;
        file->seminar_written = seminar_no_of(rows[i]);
        versions[chosen_count] = session->version + 1;
        chosen[chosen_count++] = rows[i];
    }
    if (chosen_count == 0)
        return;
    query = db_add(batch, &put_seminars);
    import_texts(query, chosen, chosen_count, seminar_no_of);
    import_texts(query, chosen, chosen_count, title_of);
    import_texts(query, chosen, chosen_count, organiser_of);
    import_texts(query, chosen, chosen_count, seminar_status_of);
    db_i64_array(query, versions, chosen_count);
    for (size_t i = 0; i < chosen_count; i++)
        emit(file, chosen[i], batch);
}

static void write_sessions(struct import_row **rows, size_t count, struct db_batch *batch)
{
    struct db_query *query = db_add(batch, &put_sessions);
    int64_t starts[IMPORT_SLICE_ROWS];
    int64_t ends[IMPORT_SLICE_ROWS];
    int64_t grace[IMPORT_SLICE_ROWS];
    int64_t capacity[IMPORT_SLICE_ROWS];
    int64_t leader[IMPORT_SLICE_ROWS];

    for (size_t i = 0; i < count; i++) {
        const struct session *session = rows[i]->item;

        starts[i] = session->starts_us;
        ends[i] = session->ends_us;
        grace[i] = session->grace_minutes;
        capacity[i] = session->capacity;
        leader[i] = session->leader;
    }
    import_texts(query, rows, count, seminar_no_of);
    import_texts(query, rows, count, session_no_of);
    import_texts(query, rows, count, session_title_of);
    db_time_array(query, starts, count);
    db_time_array(query, ends, count);
    import_texts(query, rows, count, delivery_of);
    db_i64_array(query, grace, count);
    db_i64_null_array(query, capacity, count);
    import_texts(query, rows, count, offers_of);
    db_i64_null_array(query, leader, count);
}

static enum err store(struct import_file *file, const struct import_options *options,
                      struct db_batch *batch, struct err_note *note)
{
    struct import_row *rows[IMPORT_SLICE_ROWS];
    size_t cursor = 0;
    size_t count;

    (void)options;
    (void)note;
    while ((count = import_slice(file, &cursor, IMPORT_CHANGED, rows)) > 0) {
        write_seminars(file, rows, count, batch);
        write_sessions(rows, count, batch);
    }
    return ERR_OK;
}

const struct import_kind import_kind_seminars = {
    .name = "seminars",
    .columns = columns,
    .column_count = SEMINAR_COLUMNS,
    .service = "credit",
    .topics = topics,
    .topic_count = ARRAY_LEN(topics),
    .check = seminars_check,
    .load = load,
    .write = store,
};
