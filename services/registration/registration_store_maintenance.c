/* registration_store_maintenance: SQL of the calendar of maintenance. */
#include "registration/registration_maintenance.h"

#define WINDOW " window_id, version, starts_at, ends_at, note, note_en, called_off"

static const struct db_stmt select_window = {
    "registration_select_maintenance",
    "SELECT" WINDOW " FROM registration.maintenance WHERE window_id = $1",
};

static const struct db_stmt select_open = {
    "registration_select_open_maintenance",
    "SELECT" WINDOW " FROM registration.maintenance WHERE ends_at > $1 AND NOT called_off"
    " ORDER BY ends_at LIMIT $2",
};

static const struct db_stmt select_calendar = {
    "registration_select_calendar",
    "SELECT version FROM registration.maintenance_calendar",
};

static const struct db_stmt update_calendar = {
    "registration_update_calendar",
    "WITH changed AS (UPDATE registration.maintenance_calendar SET version = version + 1"
    " WHERE version = $1 RETURNING 1) SELECT mamis.changed(count(*)) FROM changed",
};

static const struct db_stmt put_window = {
    "registration_put_maintenance",
    "INSERT INTO registration.maintenance (window_id, version, starts_at, ends_at, note, note_en,"
    " called_off, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    " ON CONFLICT (window_id) DO UPDATE SET version = excluded.version,"
    "  starts_at = excluded.starts_at, ends_at = excluded.ends_at, note = excluded.note,"
    "  note_en = excluded.note_en, called_off = excluded.called_off,"
    "  changed_at = excluded.changed_at",
};

static const struct db_stmt insert_maintenance_history = {
    "registration_insert_maintenance_history",
    "INSERT INTO registration.maintenance_history (window_id, version, at, actor, action,"
    " starts_at, ends_at) VALUES ($1, $2, $3, nullif($4, '')::uuid, $5, $6, $7)",
};

void store_maintenance_read(struct registration *registration, struct arena *arena,
                            struct uuid window_id, int64_t now_us, struct store_maintenance *read,
                            struct flow *flow)
{
    read->batch = db_batch_new(arena);
    read->calendar = db_add(read->batch, &select_calendar);
    read->known = db_add(read->batch, &select_window);
    db_uuid(read->known, window_id);
    read->others = db_add(read->batch, &select_open);
    db_time(read->others, now_us);
    db_i64(read->others, MAINTENANCE_WINDOWS_MAX);
    db_run(registration->db, read->batch, REGISTRATION_READ_MS, flow);
}

static struct maintenance window_of(const struct db_query *query, size_t row)
{
    return (struct maintenance){
        .window_id = db_get_uuid(query, row, 0),
        .version = db_get_i64(query, row, 1),
        .starts_us = db_get_time(query, row, 2),
        .ends_us = db_get_time(query, row, 3),
        .note = db_get_text(query, row, 4),
        .note_en = db_get_text(query, row, 5),
        .called_off = db_get_bool(query, row, 6),
    };
}

struct maintenance store_maintenance_known(const struct store_maintenance *read,
                                           struct uuid window_id)
{
    if (db_rows(read->known) == 0)
        return (struct maintenance){.window_id = window_id, .note = STR(""), .note_en = STR("")};
    return window_of(read->known, 0);
}

size_t store_maintenance_others(const struct store_maintenance *read,
                                const struct maintenance **ret_others)
{
    size_t count = db_rows(read->others);
    struct maintenance *others =
        arena_array(db_batch_arena(read->batch), struct maintenance, count + 1);

    for (size_t i = 0; i < count; i++)
        others[i] = window_of(read->others, i);
    *ret_others = others;
    return count;
}

void store_maintenance_save(struct db_batch *batch, const struct store_maintenance *read,
                            const struct maintenance *window, const char *action, struct str actor,
                            int64_t now_us)
{
    struct db_query *query = db_add(batch, &update_calendar);

    db_i64(query, db_get_i64(read->calendar, 0, 0));
    query = db_add(batch, &put_window);
    db_uuid(query, window->window_id);
    db_i64(query, window->version);
    db_time(query, window->starts_us);
    db_time(query, window->ends_us);
    db_text(query, window->note);
    db_text(query, window->note_en);
    db_bool(query, window->called_off);
    db_time(query, now_us);
    query = db_add(batch, &insert_maintenance_history);
    db_uuid(query, window->window_id);
    db_i64(query, window->version);
    db_time(query, now_us);
    db_text(query, actor);
    db_text_c(query, action);
    db_time(query, window->starts_us);
    db_time(query, window->ends_us);
}
