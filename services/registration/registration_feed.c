/* registration_feed: who has certification data, from the events of renewal and of imports. */
#include "gen/events.h"
#include "registration/registration.h"

static const struct db_stmt upsert_certification = {
    "registration_upsert_certification",
    "INSERT INTO registration.certification AS c (doctor_id, programme, version)"
    " VALUES ($1, $2, $3) ON CONFLICT (doctor_id, programme) DO UPDATE"
    " SET version = excluded.version WHERE c.version < excluded.version",
};

void registration_certificate_handle(void *service, struct work_batch *batch)
{
    enum err err = ERR_OK;

    (void)service;
    for (size_t i = 0; i < batch->count && err == ERR_OK; i++) {
        struct event_certificate_state event;
        struct db_query *query;

        err = event_certificate_state_decode(batch->arena, batch->messages[i].data, &event,
                                             &batch->flow->note);
        if (err != ERR_OK)
            break;
        query = db_add(batch->effect, &upsert_certification);
        db_i64(query, event.doctor_id);
        db_text(query, event.programme);
        db_i64(query, event.version);
    }
    flow_resume(batch->flow, err);
}
