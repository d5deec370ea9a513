/*
 * renewal_merge: two doctors on record were one person. Certificates, periods, declarations and
 * applications of the closed one are the kept one's from now on; where both hold a certificate of a
 * programme, the one that ends later goes on, and where both have applied, the kept one's
 * application does. The other is withdrawn, and its history says why.
 */
#include "gen/events.h"
#include "renewal/renewal_emit.h"
#include "renewal/renewal_store.h"

enum merge_step { MERGE_READ, MERGE_RECORD };

struct merge {
    struct flow flow;
    struct renewal *renewal;
    struct work_batch *batch;
    struct event_doctor_merged event;
    struct db_query *certificates;
};

/* The closed one's, and what the kept one has of the same programme; version 0: nothing. */
static const struct db_stmt select_certificates = {
    "renewal_select_merge_certificates",
    "SELECT c.programme, c.number, c.first_from, c.valid_from, c.valid_to,"
    "  coalesce(k.version, 0), k.first_from, k.valid_to"
    " FROM renewal.certificate c LEFT JOIN renewal.certificate k"
    "  ON k.doctor_id = $1 AND k.programme = c.programme WHERE c.doctor_id = $2"
    " ORDER BY c.programme",
};

static const struct db_stmt insert_merge = {
    "renewal_insert_merge",
    "WITH before AS (UPDATE renewal.merge SET kept_id = $1 WHERE kept_id = $2 RETURNING closed_id)"
    " INSERT INTO renewal.merge (kept_id, closed_id, merge_id, at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (closed_id) DO NOTHING",
};

/* The kept one's periods that the closed one's certificate takes the place of stay readable. */
static const struct db_stmt keep_periods = {
    "renewal_merge_keep_periods",
    "INSERT INTO renewal.certificate_period (doctor_id, programme, valid_from, valid_to, number)"
    " SELECT $1, programme, valid_from, valid_to, number FROM renewal.certificate_period"
    " WHERE doctor_id = $2 AND programme = $3 AND valid_from <= $5 AND valid_to >= $4"
    " ON CONFLICT DO NOTHING",
};

static const struct db_stmt move_periods = {
    "renewal_merge_move_periods",
    "UPDATE renewal.certificate_period p SET doctor_id = $1 WHERE p.doctor_id = $2"
    " AND NOT EXISTS (SELECT FROM renewal.certificate_period k WHERE k.doctor_id = $1"
    "  AND k.programme = p.programme AND k.valid_from <= p.valid_to AND k.valid_to >= "
    "p.valid_from)",
};

static const struct db_stmt delete_certificates = {
    "renewal_merge_delete_certificates",
    "DELETE FROM renewal.certificate WHERE doctor_id = $1",
};

static const struct db_stmt take_certificate = {
    "renewal_merge_take_certificate",
    "INSERT INTO renewal.certificate (doctor_id, programme, version, number, first_from,"
    "  valid_from, valid_to) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT (doctor_id, programme) DO UPDATE SET version = excluded.version,"
    "  number = excluded.number, first_from = excluded.first_from,"
    "  valid_from = excluded.valid_from, valid_to = excluded.valid_to,"
    "  changed_at = clock_timestamp()",
};

static const struct db_stmt move_handbook = {
    "renewal_merge_move_handbook",
    "UPDATE renewal.handbook h SET doctor_id = $1 WHERE h.doctor_id = $2"
    " AND NOT EXISTS (SELECT FROM renewal.handbook k WHERE k.doctor_id = $1"
    "  AND k.programme = h.programme AND k.kind = h.kind)",
};

#define OPEN "('submitted', 'l1_review', 'l2_review', 'returned', 'l3_queued', 'l3_review')"

/* Of those that are open the history tells; `action` is 'merge', or 'merge_double' with its end. */
static const struct db_stmt move_applications = {
    "renewal_merge_move_applications",
    "WITH open AS (SELECT a.application_id, EXISTS (SELECT FROM renewal.application k"
    "   WHERE k.doctor_id = $1 AND k.programme = a.programme AND k.status IN " OPEN ") AS double"
    "  FROM renewal.application a WHERE a.doctor_id = $2 AND a.status IN " OPEN "),"
    " moved AS (UPDATE renewal.application a SET doctor_id = $1,"
    "  account_id = coalesce($3, a.account_id), version = a.version + 1, changed_at = $4,"
    "  status = CASE WHEN o.double THEN 'withdrawn' ELSE a.status END"
    "  FROM open o WHERE o.application_id = a.application_id"
    "  RETURNING a.application_id, a.version, o.double),"
    " ended AS (UPDATE renewal.application a SET doctor_id = $1 WHERE a.doctor_id = $2"
    "  AND a.status NOT IN " OPEN ")"
    " INSERT INTO renewal.application_history (application_id, version, at, action, actor_role,"
    "  actor_id, reason) SELECT application_id, version, $4,"
    "  CASE WHEN double THEN 'merge_double' ELSE 'merge' END, $5, $6, $7 FROM moved",
};

static void add_pair(struct db_query *query, const struct merge *merge)
{
    db_i64(query, merge->event.kept_id);
    db_i64(query, merge->event.closed_id);
}

/* The row of select_certificates goes to the kept one. */
static void carry(struct merge *merge, size_t row)
{
    const struct db_query *found = merge->certificates;
    struct db_batch *effect = merge->batch->effect;
    const struct str programme = db_get_text(found, row, 0);
    const int64_t version = db_get_i64(found, row, 5);
    struct certificate certificate = {
        .found = true,
        .version = version + 1,
        .number = db_get_text(found, row, 1),
        .first_from = db_get_day(found, row, 2),
        .period = {.from = db_get_day(found, row, 3), .to = db_get_day(found, row, 4)},
    };
    struct db_query *query;

    if (version > 0) {
        if (db_get_day(found, row, 6) < certificate.first_from)
            certificate.first_from = db_get_day(found, row, 6);
        query = db_add(effect, &keep_periods);
        db_i64(query, merge->event.closed_id);
        db_i64(query, merge->event.kept_id);
        db_text(query, programme);
        db_day(query, certificate.period.from);
        db_day(query, certificate.period.to);
    }
    query = db_add(effect, &take_certificate);
    db_i64(query, merge->event.kept_id);
    db_text(query, programme);
    db_i64(query, certificate.version);
    db_text(query, certificate.number);
    db_day(query, certificate.first_from);
    db_day(query, certificate.period.from);
    db_day(query, certificate.period.to);
    emit_certificate(merge->renewal, merge->batch, merge->event.kept_id, programme, &certificate);
}

static void record(struct merge *merge)
{
    const struct event_doctor_merged *event = &merge->event;
    struct db_batch *effect = merge->batch->effect;
    const int64_t both[] = {event->kept_id, event->closed_id};
    const int64_t now_us = clock_now_us();
    struct db_query *query = db_add(effect, &insert_merge);

    add_pair(query, merge);
    db_uuid(query, event->merge_id);
    db_time(query, now_us);
    db_i64(db_add(effect, &delete_certificates), event->closed_id); /* first: numbers are unique */
    add_pair(db_add(effect, &move_periods), merge);
    for (size_t i = 0; i < db_rows(merge->certificates); i++) {
        if (db_get_i64(merge->certificates, i, 5) == 0 ||
            db_get_day(merge->certificates, i, 4) > db_get_day(merge->certificates, i, 7))
            carry(merge, i);
    }
    add_pair(db_add(effect, &move_handbook), merge);
    query = db_add(effect, &move_applications);
    add_pair(query, merge);
    if (event->has_kept_account_id)
        db_uuid(query, event->kept_account_id);
    else
        db_null(query);
    db_time(query, now_us);
    db_text(query, event->actor_role);
    db_uuid(query, event->actor_id);
    db_text(query, event->reason);
    store_mark(effect, both, ARRAY_LEN(both));
}

static void merge_run(struct flow *flow)
{
    struct merge *merge = FLOW_OF(flow, struct merge, flow);
    struct db_batch *batch;

    switch ((enum merge_step)flow->step) {
    case MERGE_READ:
        batch = db_batch_new(merge->batch->arena);
        merge->certificates = db_add(batch, &select_certificates);
        add_pair(merge->certificates, merge);
        flow_wait(flow, MERGE_RECORD);
        db_run(merge->renewal->db, batch, RENEWAL_READ_MS, flow);
        return;
    case MERGE_RECORD:
        record(merge);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void merge_done(struct flow *flow)
{
    flow_pass_on(flow, FLOW_OF(flow, struct merge, flow)->batch->flow);
}

void renewal_merge_handle(void *service, struct work_batch *batch)
{
    struct merge *merge = arena_new_of(batch->arena, struct merge);
    enum err err;

    err = event_doctor_merged_decode(batch->arena, batch->messages[0].data, &merge->event,
                                     &batch->flow->note);
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    merge->renewal = service;
    merge->batch = batch;
    flow_init(&merge->flow, batch->flow->loop, merge_run, merge_done, batch->messages[0].trace);
    flow_start(&merge->flow, MERGE_READ);
}
