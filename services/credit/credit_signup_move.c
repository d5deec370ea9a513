/*
 * credit_signup_move: signup.move, the message that a merged doctor's sign-up to a seminar goes to
 * the one who is kept, with its place in the line. Where that one has a sign-up himself the other
 * goes, and a place it held is given to the first who waits. Safe to repeat: then it is gone.
 */
#include "credit/credit_audit.h"
#include "credit/credit_signup.h"
#include "credit/credit_upload.h"
#include "gen/topics.h"

enum { MOVE_SIGNUPS_MAX = 500 };

enum move_step { MOVE_READ, MOVE_RECORD };

struct move {
    struct command command;
    struct event_signup_move event;
    struct signup_query query;
    struct db_query *closed;
};

static const struct db_stmt select_of_closed = {
    "credit_select_merged_signups",
    "SELECT doctor_id, seminar_no FROM credit.signup WHERE doctor_id = $1 LIMIT $2",
};

static const struct db_stmt select_left = {
    "credit_select_merged_signups_left",
    "SELECT g.doctor_id, g.seminar_no FROM credit.merge m"
    " JOIN credit.signup g ON g.doctor_id = m.closed_id WHERE m.at > $1 LIMIT $2",
};

static const struct db_stmt select_closed = {
    "credit_select_closed_signup",
    "SELECT g.state, m.kept_id, m.actor, m.actor_role FROM credit.signup g"
    " JOIN credit.merge m ON m.closed_id = g.doctor_id"
    " WHERE g.seminar_no = $1 AND g.doctor_id = $2",
};

/* What was taken back does not stand in the way of what was not. */
static const struct db_stmt delete_signup = {
    "credit_delete_signup",
    "DELETE FROM credit.signup WHERE seminar_no = $1 AND doctor_id = $2",
};

static const struct db_stmt move_signup = {
    "credit_move_signup",
    "UPDATE credit.signup SET doctor_id = $3, version = greatest(version, $4::bigint) + 1"
    " WHERE seminar_no = $1 AND doctor_id = $2",
};

struct db_query *signup_ask_merged(struct db_batch *batch, int64_t closed_id)
{
    struct db_query *query = db_add(batch, &select_of_closed);

    db_i64(query, closed_id);
    db_i64(query, MOVE_SIGNUPS_MAX);
    return query;
}

struct db_query *signup_ask_left(struct db_batch *batch, int64_t since_us)
{
    struct db_query *query = db_add(batch, &select_left);

    db_time(query, since_us);
    db_i64(query, MOVE_SIGNUPS_MAX);
    return query;
}

void signup_emit_moves(struct credit *credit, struct db_batch *effect,
                       const struct db_query *signups, const char *trace)
{
    for (size_t i = 0; i < db_rows(signups); i++) {
        const struct event_signup_move move = {.closed_id = db_get_i64(signups, i, 0),
                                               .seminar_no = db_get_text(signups, i, 1)};
        const struct work_event event = {.type = EVENT_SIGNUP_MOVE,
                                         .topic = TOPIC_CREDIT_WORK,
                                         .key = move.seminar_no,
                                         .data = event_signup_move_encode(&move)};

        (void)work_emit(credit->work, effect, &event, trace);
    }
}

static void read_all(struct move *move)
{
    struct db_batch *batch = db_batch_read(move->command.flow.arena);

    signup_query_add(&move->query, batch, move->event.seminar_no, move->event.closed_id);
    move->closed = db_add(batch, &select_closed);
    db_text(move->closed, move->event.seminar_no);
    db_i64(move->closed, move->event.closed_id);
    db_run(move->command.credit->db, batch, UPLOAD_READ_DEADLINE_MS, &move->command.flow);
}

static struct db_query *change(struct move *move, const struct db_stmt *stmt, int64_t doctor_id)
{
    struct db_query *query = db_add(move->command.batch->effect, stmt);

    db_text(query, move->event.seminar_no);
    db_i64(query, doctor_id);
    return query;
}

/* `signup` is that of the one who is kept. */
static void record(struct move *move, struct signup *signup)
{
    struct command *command = &move->command;
    const enum signup_state closed = signup_state_of(db_get_text(move->closed, 0, 0));
    const int64_t kept_id = db_get_i64(move->closed, 0, 1);
    const bool stays =
        signup->facts.state == SIGNUP_APPLIED || signup->facts.state == SIGNUP_WAITLIST;
    struct arena *arena = command->flow.arena;
    struct db_query *query;

    command->actor = (struct command_actor){.id = db_get_uuid(move->closed, 0, 2),
                                            .role = db_get_text(move->closed, 0, 3),
                                            .code = STR("")};
    if (stays) {
        (void)change(move, &delete_signup, move->event.closed_id);
        signup->facts.applied -= closed == SIGNUP_APPLIED;
        signup->facts.waiting -= closed == SIGNUP_WAITLIST;
        if (signup->facts.published && signup->facts.starts_us > clock_now_us())
            signup_promote(command, &move->query, signup, move->event.closed_id,
                           signup_promoted(&signup->facts));
    } else {
        (void)change(move, &delete_signup, kept_id);
        query = change(move, &move_signup, move->event.closed_id);
        db_i64(query, kept_id);
        db_i64(query, signup->version);
    }
    command_audit(command, "signup_move",
                  arena_printf(arena, "%.*s", STR_ARG(move->event.seminar_no)),
                  str_of(arena_printf(arena, "{\"closed\":%lld,\"kept\":%lld,\"moved\":%s}",
                                      (long long)move->event.closed_id, (long long)kept_id,
                                      stays ? "false" : "true")));
}

static void move_run(struct flow *flow)
{
    struct move *move = CONTAINER_OF(COMMAND_OF(flow), struct move, command);
    struct signup signup;

    switch ((enum move_step)flow->step) {
    case MOVE_READ:
        flow_wait(flow, MOVE_RECORD);
        read_all(move);
        return;
    case MOVE_RECORD:
        if (db_rows(move->closed) > 0 && signup_take(&move->query, move->event.seminar_no, &signup))
            record(move, &signup);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

void credit_signup_move_handle(void *service, struct work_batch *batch)
{
    struct move *move = arena_new_of(batch->arena, struct move);
    enum err err;

    TRY(event_signup_move_decode(batch->arena, batch->messages[0].data, &move->event,
                                 &batch->flow->note));
    move->command.credit = service;
    move->command.batch = batch;
    command_start(&move->command, move_run);
    return;
cleanup:
    command_bad(batch, err);
}
