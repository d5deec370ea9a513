/* training_remind: trainees hear in time that another category follows (M14). */
#include <stdio.h>

#include "domain/calendar.h"
#include "gen/events.h"
#include "registration/procedure.h"
#include "registration/training_rules.h"

enum { REMIND_MAX = 100 };

/* Nobody who has asked for a category already, and nobody who is not to be reminded. */
static const struct db_stmt find_trainees = {
    "registration_find_trainees",
    "SELECT doctor_id, category, registration.training_after(category), ends_on"
    " FROM (SELECT doctor_id, l3_category AS category,"
    "   registration.training_end(training_ends_on, licensed_on) AS ends_on"
    "  FROM registration.doctor WHERE l3_category IN ('A2C', 'C') AND my_page <> 'closed') AS d"
    " WHERE ends_on BETWEEN $1 AND $2"
    "  AND NOT EXISTS (SELECT FROM registration.training_notice n WHERE n.doctor_id = d.doctor_id"
    "   AND n.ends_on = d.ends_on AND n.notice >= $3)"
    "  AND NOT EXISTS (SELECT FROM registration.training_waiver w WHERE w.doctor_id = d.doctor_id"
    "   AND w.ends_on = d.ends_on)"
    "  AND NOT EXISTS (SELECT FROM registration.procedure p WHERE p.doctor_id = d.doctor_id"
    "   AND p.asked ? 'category_l3'"
    "   AND p.stage NOT IN ('effective', 'partial', 'rejected', 'cancelled'))"
    " ORDER BY doctor_id LIMIT $4",
};

static const struct db_stmt insert_notice = {
    "registration_insert_training_notice",
    "INSERT INTO registration.training_notice (doctor_id, ends_on, notice, at)"
    " VALUES ($1, $2, $3, $4)",
};

struct db_query *training_find(struct db_batch *batch, day_t today, bool open)
{
    struct db_query *query = db_add(batch, &find_trainees);
    int notice = training_notice(today);

    db_day(query, fiscal_year_first(fiscal_year(today)));
    db_day(query, fiscal_year_last(fiscal_year(today)));
    db_i16(query, (int16_t)notice);
    db_i64(query, open && notice > 0 ? REMIND_MAX : 0);
    return query;
}

static void remind(struct registration *registration, struct db_batch *batch,
                   const struct event_training_ends *event)
{
    struct db_query *query = db_add(batch, &insert_notice);
    char key[24];

    db_i64(query, event->doctor_id);
    db_day(query, event->ends_on);
    db_i16(query, (int16_t)event->notice);
    db_time(query, clock_now_us());
    (void)snprintf(key, sizeof(key), "%lld", (long long)event->doctor_id);
    const struct work_event told = {
        .type = EVENT_TRAINING_ENDS,
        .topic = TOPIC_PROCEDURE_EVENTS,
        .key = str_of(key),
        .data = event_training_ends_encode(event),
    };
    (void)work_emit(registration->work, batch, &told, NULL);
}

bool training_remind(struct registration *registration, struct db_batch *batch,
                     const struct db_query *found, day_t today)
{
    size_t rows = db_rows(found);

    for (size_t i = 0; i < rows; i++) {
        const struct event_training_ends event = {
            .doctor_id = db_get_i64(found, i, 0),
            .notice = training_notice(today),
            .ends_on = db_get_day(found, i, 3),
            .category = db_get_text(found, i, 1),
            .category_after = db_get_text(found, i, 2),
        };

        remind(registration, batch, &event);
    }
    return rows == REMIND_MAX;
}
