/* registration_feed: who has certification data, from the events of renewal and of imports. */
#include "gen/events.h"
#include "registration/registration.h"

static const struct db_stmt upsert_certifications = {
    "registration_upsert_certifications",
    "INSERT INTO registration.certification AS c (doctor_id, programme, version)"
    " SELECT doctor_id, programme, max(version)"
    " FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS n (doctor_id, programme, version)"
    " GROUP BY doctor_id, programme ON CONFLICT (doctor_id, programme) DO UPDATE"
    " SET version = excluded.version WHERE c.version < excluded.version",
};

void registration_certificate_handle(void *service, struct work_batch *batch)
{
    struct work_states states;
    struct event_certificate_state event;
    int64_t *doctors, *versions;
    struct str *programmes;
    struct db_query *query;
    enum err err;

    (void)service;
    TRY(work_states(batch, &states, &batch->flow->note));
    doctors = arena_array(batch->arena, int64_t, states.count);
    versions = arena_array(batch->arena, int64_t, states.count);
    programmes = arena_array(batch->arena, struct str, states.count);
    for (size_t i = 0; i < states.count; i++) {
        TRY(event_certificate_state_decode(batch->arena, states.list[i], &event,
                                           &batch->flow->note));
        doctors[i] = event.doctor_id;
        versions[i] = event.version;
        programmes[i] = event.programme;
    }
    query = db_add(batch->effect, &upsert_certifications);
    db_i64_array(query, doctors, states.count);
    db_text_array(query, programmes, states.count);
    db_i64_array(query, versions, states.count);
cleanup:
    flow_resume(batch->flow, err);
}
