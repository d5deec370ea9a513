/*
 * credit_merge: two doctors on record were one person. The numbers and names of the closed one lead
 * to the one who is kept; what stands of him and what he signed up to is moved, and what waits is
 * judged again, by messages of the seminars. One that was posted at that very moment, by what was
 * known before, is found by the sweep.
 */
#include "credit/credit_merge.h"
#include "credit/credit_audit.h"
#include "credit/credit_release.h"
#include "credit/credit_signup.h"
#include "credit/credit_upload.h"
#include "gen/topics.h"
#include "text/fold.h"

enum {
    MERGE_UPLOADS_MAX = 500,
    MERGE_LOOK_S = 3 * 24 * 3600, /* the clock that wrote it may have been a day wrong */
};

#define STANDING                                                                                   \
    " JOIN credit.ledger l ON l.doctor_id = m.closed_id JOIN credit.upload u USING (upload_no)"    \
    " WHERE l.revision % 2 = 0 AND NOT EXISTS (SELECT FROM credit.ledger n"                        \
    "  WHERE n.doctor_id = l.doctor_id AND n.session_id = l.session_id"                            \
    "   AND n.programme = l.programme AND n.revision = l.revision + 1)"

static const struct db_stmt select_uploads = {
    "credit_select_merged_uploads",
    "SELECT DISTINCT m.closed_id, u.upload_id, u.seminar_no"
    " FROM (SELECT $1::bigint AS closed_id) AS m" STANDING " LIMIT $2",
};

static const struct db_stmt select_left = {
    "credit_select_merged_left",
    "SELECT DISTINCT m.closed_id, u.upload_id, u.seminar_no"
    " FROM (SELECT closed_id FROM credit.merge WHERE at > $1) AS m" STANDING " LIMIT $2",
};

/* Whoever was merged into the closed one before is merged into the kept one now. */
static const struct db_stmt insert_merge = {
    "credit_insert_merge",
    "WITH before AS (UPDATE credit.merge SET kept_id = $2 WHERE kept_id = $1 RETURNING closed_id)"
    " INSERT INTO credit.merge (closed_id, kept_id, merge_id, actor, actor_role, reason, names, at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (closed_id) DO NOTHING",
};

/* Their change numbers move, so that whoever matches rows looks at them again. */
static const struct db_stmt touch_doctors = {
    "credit_touch_merged",
    "UPDATE credit.doctor SET version = version WHERE doctor_id IN ($1, $2)"
    " OR doctor_id IN (SELECT closed_id FROM credit.merge WHERE kept_id = $2)",
};

/* renewal has them with the kept one now. */
static const struct db_stmt delete_certificates = {
    "credit_delete_merged_certificates",
    "DELETE FROM credit.certificate WHERE doctor_id = $1",
};

enum merge_step { MERGE_ASK, MERGE_RECORD };

struct merge {
    struct flow flow;
    struct credit *credit;
    struct work_batch *batch;
    struct event_doctor_merged event;
    struct db_query *uploads, *waiting, *signups;
};

static void ask(struct merge *merge)
{
    struct db_batch *batch = db_batch_read(merge->flow.arena);

    merge->uploads = db_add(batch, &select_uploads);
    db_i64(merge->uploads, merge->event.closed_id);
    db_i64(merge->uploads, MERGE_UPLOADS_MAX);
    merge->waiting = release_ask(batch, &merge->event.closed_id, 1);
    merge->signups = signup_ask_merged(batch, merge->event.closed_id);
    db_run(merge->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &merge->flow);
}

/* Folded, one a line. */
static struct str names_of(const struct merge *merge)
{
    struct arena *arena = merge->flow.arena;
    const char *names = "";

    for (size_t i = 0; i < merge->event.names_kana_count; i++) {
        const struct str folded = fold_kana(arena, merge->event.names_kana[i]);

        names = arena_printf(arena, "%s%s%.*s", names, i > 0 ? "\n" : "", STR_ARG(folded));
    }
    return str_of(names);
}

void merge_emit_move(struct credit *credit, struct db_batch *effect,
                     const struct event_credits_move *move, struct str seminar_no,
                     const char *trace)
{
    const struct work_event event = {.type = EVENT_CREDITS_MOVE,
                                     .topic = TOPIC_CREDIT_WORK,
                                     .key = seminar_no,
                                     .data = event_credits_move_encode(move)};

    (void)work_emit(credit->work, effect, &event, trace);
}

static void emit_moves(struct credit *credit, struct db_batch *effect,
                       const struct db_query *uploads, const char *trace)
{
    for (size_t i = 0; i < db_rows(uploads); i++) {
        const struct event_credits_move move = {.closed_id = db_get_i64(uploads, i, 0),
                                                .upload_id = db_get_uuid(uploads, i, 1)};

        merge_emit_move(credit, effect, &move, db_get_text(uploads, i, 2), trace);
    }
}

void merge_left_add(struct merge_left *left, struct db_batch *batch)
{
    const int64_t since_us = clock_now_us() - MERGE_LOOK_S * CLOCK_SECOND_US;

    left->uploads = db_add(batch, &select_left);
    db_time(left->uploads, since_us);
    db_i64(left->uploads, MERGE_UPLOADS_MAX);
    left->signups = signup_ask_left(batch, since_us);
}

size_t merge_left_count(const struct merge_left *left)
{
    return db_rows(left->uploads) + db_rows(left->signups);
}

void merge_left_emit(struct credit *credit, struct db_batch *effect, const struct merge_left *left,
                     const char *trace)
{
    emit_moves(credit, effect, left->uploads, trace);
    signup_emit_moves(credit, effect, left->signups, trace);
}

static void record(struct merge *merge)
{
    const struct event_doctor_merged *event = &merge->event;
    struct db_batch *effect = merge->batch->effect;
    const struct command_actor actor = {
        .id = event->actor_id, .role = event->actor_role, .code = STR("")};
    struct arena *arena = merge->flow.arena;
    struct db_query *query = db_add(effect, &insert_merge);

    db_i64(query, event->closed_id);
    db_i64(query, event->kept_id);
    db_uuid(query, event->merge_id);
    db_uuid(query, event->actor_id);
    db_text(query, event->actor_role);
    db_text(query, event->reason);
    db_text(query, names_of(merge));
    db_time(query, clock_now_us());
    query = db_add(effect, &touch_doctors);
    db_i64(query, event->closed_id);
    db_i64(query, event->kept_id);
    db_i64(db_add(effect, &delete_certificates), event->closed_id);
    emit_moves(merge->credit, effect, merge->uploads, merge->flow.trace);
    release_emit(merge->credit, effect, merge->waiting, merge->flow.trace);
    signup_emit_moves(merge->credit, effect, merge->signups, merge->flow.trace);
    audit_add(effect, &actor, "doctor_merge",
              arena_printf(arena, "%lld", (long long)event->closed_id),
              str_of(arena_printf(arena, "{\"kept\":%lld}", (long long)event->kept_id)));
}

static void merge_run(struct flow *flow)
{
    struct merge *merge = FLOW_OF(flow, struct merge, flow);

    switch ((enum merge_step)flow->step) {
    case MERGE_ASK:
        flow_wait(flow, MERGE_RECORD);
        ask(merge);
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
    struct flow *waiting = FLOW_OF(flow, struct merge, flow)->batch->flow;
    enum err err = flow->err;

    waiting->note = flow->note;
    flow_fini(flow);
    flow_resume(waiting, err);
}

void credit_merge_handle(void *service, struct work_batch *batch)
{
    struct merge *merge = arena_new_of(batch->arena, struct merge);
    enum err err;

    TRY(event_doctor_merged_decode(batch->arena, batch->messages[0].data, &merge->event,
                                   &batch->flow->note));
    merge->credit = service;
    merge->batch = batch;
    flow_init(&merge->flow, merge->credit->loop, merge_run, merge_done, batch->messages[0].trace);
    flow_start(&merge->flow, MERGE_ASK);
    return;
cleanup:
    flow_resume(batch->flow, err);
}
