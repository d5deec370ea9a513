/*
 * work_turn: one batch of messages from the queue to its commit. Each step is safe to repeat;
 * whatever goes wrong ends the turn with an outcome, and the next turn begins from the queue again.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "work/work_private.h"

enum turn_step {
    TURN_ATTEMPT,       /* count the attempt, ask which events are known */
    TURN_NOT_ATTEMPTED, /* ... failed */
    TURN_JUDGE,
    TURN_HANDLE,  /* the service reads, decides, fills the effect */
    TURN_REFUSED, /* ... or cannot */
    TURN_BURY,    /* the effect becomes a dead letter */
    TURN_COMMIT,
    TURN_NOT_COMMITTED,
    TURN_LOOK, /* was it committed all the same? */
    TURN_LOOK_AGAIN,
    TURN_LOOKED,
    TURN_COMMITTED,
};

enum { EXIT_SOFTWARE = 70 };

const struct work_route *work_route_of(const struct work *work, const char *type)
{
    for (size_t i = 0; i < work->route_count; i++)
        if (strcmp(work->routes[i].type, type) == 0)
            return &work->routes[i];
    return NULL;
}

void work_die(const char *event, const struct work_turn *turn)
{
    const struct work_message *message = &turn->records->message;

    LOG_ERROR(event, F_STR("type", message->type != NULL ? message->type : ""),
              F_STR("topic", turn->part->topic), F_I64("part", turn->part->part),
              F_I64("offset", turn->first), F_ERR(turn->flow.err),
              F_STR("note", turn->flow.note.text));
    _exit(EXIT_SOFTWARE);
}

void work_turn_watch(const struct work_turn *turn, uint64_t now_ms)
{
    if (turn->handler_from_ms == 0 || now_ms - turn->handler_from_ms < WORK_HANDLER_MS_MAX)
        return;
    LOG_ERROR("work_stuck", F_STR("type", turn->records->message.type),
              F_STR("topic", turn->part->topic), F_I64("part", turn->part->part),
              F_I64("offset", turn->first));
    abort(); /* where it hangs is worth a look */
}

/* The partition was lost or begun anew since the turn began. */
static bool is_void(const struct work_turn *turn)
{
    return turn->epoch != turn->part->epoch;
}

static void end(struct work_turn *turn, enum work_outcome outcome)
{
    turn->outcome = outcome;
    flow_end(&turn->flow, ERR_OK);
}

/* Not the only way to try it: by itself, or when its turn has come. */
static bool has_another_try(const struct work_turn *turn)
{
    return turn->picked > 1 || turn->overtakes;
}

/* An error was understood: go on as if there had been none. */
static void clear_error(struct flow *flow)
{
    flow->err = ERR_OK;
    flow->note.text[0] = '\0';
}

static void bury(struct work_turn *turn, enum err reason, const char *detail)
{
    turn->reason = reason;
    snprintf(turn->detail.text, sizeof(turn->detail.text), "%s", detail);
    clear_error(&turn->flow);
    flow_goto(&turn->flow, TURN_BURY);
}

static void judge(struct work_turn *turn)
{
    struct work_part *part = turn->part;

    if (turn->attempt != NULL && db_rows(turn->attempt) == 0) {
        end(turn, WORK_FENCED);
        return;
    }
    if (turn->attempt != NULL && is_void(turn))
        work_unattempt(part, turn->place, turn->first);
    if (is_void(turn)) {
        end(turn, WORK_DROPPED);
        return;
    }
    part->attempted = turn->first;
    part->attempts = turn->attempts;
    if (turn->attempts > 1 && turn->picked > 1) {
        end(turn, WORK_ALONE);
    } else if (turn->attempts > WORK_ATTEMPTS_MAX && !turn->overtakes) {
        bury(turn, ERR_DEAD, "the process ended at each attempt");
    } else {
        work_effect_sift(turn);
        work_effect_begin(turn);
        if (turn->batch.count == 0)
            turn->route = NULL;
        flow_goto(&turn->flow, turn->route != NULL ? TURN_HANDLE : TURN_COMMIT);
    }
}

static void refused(struct work_turn *turn)
{
    struct flow *flow = &turn->flow;

    turn->handler_from_ms = 0;
    if (is_void(turn)) {
        end(turn, WORK_DROPPED);
        return;
    }
    switch (err_class(flow->err)) {
    case ERR_CLASS_RETRY:
        end(turn, WORK_RETRY);
        return;
    case ERR_CLASS_STATE:
    case ERR_CLASS_INPUT:
    case ERR_CLASS_BUG:
    case ERR_CLASS_OK:
        break;
    }
    if (has_another_try(turn)) {
        end(turn, WORK_ALONE);
    } else if (err_class(flow->err) == ERR_CLASS_INPUT) {
        bury(turn, flow->err, flow->note.text);
    } else if (err_class(flow->err) == ERR_CLASS_STATE) {
        LOG_INFO("event_passed", F_STR("type", turn->records->message.type),
                 F_STR("topic", turn->part->topic), F_I64("part", turn->part->part),
                 F_I64("offset", turn->first), F_ERR(flow->err));
        turn->route = NULL;
        work_effect_begin(turn);
        clear_error(flow);
        flow_goto(flow, TURN_COMMIT);
    } else {
        work_die("work_bug", turn);
    }
}

/* The database refused what it was given, or something else was always quicker. */
static void not_accepted(struct work_turn *turn)
{
    if (turn->reason != ERR_OK && !turn->plain) {
        turn->plain = true; /* perhaps what the service wanted to add */
        clear_error(&turn->flow);
        flow_goto(&turn->flow, TURN_BURY);
    } else if (has_another_try(turn)) {
        end(turn, WORK_ALONE);
    } else if (turn->flow.err == ERR_DB_CONFLICT && turn->reason == ERR_OK) {
        bury(turn, turn->flow.err, turn->flow.note.text);
    } else {
        work_die("work_bug", turn);
    }
}

static void not_committed(struct work_turn *turn)
{
    enum err err = turn->flow.err;

    if (err == ERR_FENCED) {
        end(turn, WORK_FENCED);
    } else if (err == ERR_BUSY) {
        end(turn, WORK_RETRY); /* it was never sent */
    } else if (err == ERR_DB_CONFLICT && ++turn->part->conflicts <= WORK_CONFLICTS_MAX) {
        end(turn, WORK_RETRY); /* from the check of the inbox */
    } else if (err == ERR_DB_CONFLICT || err_class(err) != ERR_CLASS_RETRY) {
        not_accepted(turn);
    } else { /* perhaps it was: never do it twice, never say that it failed */
        clear_error(&turn->flow);
        flow_goto(&turn->flow, TURN_LOOK);
    }
}

static void looked(struct work_turn *turn)
{
    int64_t next = db_rows(turn->look) > 0 ? db_get_i64(turn->look, 0, 0) : -1;
    bool ours = turn->ours == NULL || db_get_bool(turn->ours, 0, 0);
    bool noted = turn->noted == NULL || db_rows(turn->noted) > 0;

    if (next == turn->next && ours && noted)
        flow_goto(&turn->flow, TURN_COMMITTED);
    else
        end(turn, next == turn->place ? WORK_RETRY : WORK_FENCED);
}

static void committed(struct work_turn *turn)
{
    struct work *work = turn->part->work;
    const struct work_record *record = turn->records;

    work_publish_emitted(work, turn->batch.effect);
    if (turn->reason != ERR_OK) {
        work->stats.dead++;
        work->dead_at_ms = 0;
        LOG_ERROR(
            "dead_letter", F_STR("type", record->message.type != NULL ? record->message.type : ""),
            F_STR("topic", turn->part->topic), F_I64("part", turn->part->part),
            F_I64("offset", turn->first), F_ERR(turn->reason), F_STR("note", turn->detail.text));
    } else {
        work->stats.handled += turn->due;
        if (turn->route != NULL && turn->route->committed != NULL)
            turn->route->committed(work->owner, &turn->batch);
    }
    end(turn, WORK_PASSED);
}

static void commit(struct work_turn *turn)
{
    turn->handler_from_ms = 0;
    if (is_void(turn)) {
        end(turn, WORK_DROPPED);
        return;
    }
    flow_on_error(&turn->flow, TURN_NOT_COMMITTED);
    flow_wait(&turn->flow, TURN_COMMITTED);
    db_run(turn->part->work->db, turn->batch.effect, WORK_COMMIT_DEADLINE_MS, &turn->flow);
}

static void look_again(struct work_turn *turn)
{
    if (turn->part->work->closing) {
        end(turn, WORK_DROPPED);
        return;
    }
    clear_error(&turn->flow);
    flow_wait(&turn->flow, TURN_LOOK);
    flow_sleep(&turn->flow, WORK_LOOK_WAIT_MS);
}

static void turn_run(struct flow *flow)
{
    struct work_turn *turn = FLOW_OF(flow, struct work_turn, flow);
    struct work *work = turn->part->work;

    switch ((enum turn_step)flow->step) {
    case TURN_ATTEMPT:
        flow_on_error(flow, TURN_NOT_ATTEMPTED);
        flow_wait(flow, TURN_JUDGE);
        work_effect_attempt(turn);
        return;
    case TURN_NOT_ATTEMPTED:
        work_note_refused(flow, "attempt");
        end(turn, WORK_RETRY);
        return;
    case TURN_JUDGE:
        judge(turn);
        return;
    case TURN_HANDLE:
        turn->handler_from_ms = clock_mono_ms();
        turn->batch.conflicted = turn->part->conflicts > 0;
        flow_on_error(flow, TURN_REFUSED);
        flow_wait(flow, TURN_COMMIT);
        turn->route->handle(work->owner, &turn->batch);
        return;
    case TURN_REFUSED:
        refused(turn);
        return;
    case TURN_BURY:
        work_effect_bury(turn);
        flow_goto(flow, TURN_COMMIT);
        return;
    case TURN_COMMIT:
        commit(turn);
        return;
    case TURN_NOT_COMMITTED:
        not_committed(turn);
        return;
    case TURN_LOOK:
        flow_on_error(flow, TURN_LOOK_AGAIN);
        flow_wait(flow, TURN_LOOKED);
        work_effect_look(turn);
        return;
    case TURN_LOOK_AGAIN:
        look_again(turn);
        return;
    case TURN_LOOKED:
        looked(turn);
        return;
    case TURN_COMMITTED:
        committed(turn);
        return;
    }
    must(false);
}

static void note_retry(const struct work_turn *turn)
{
    unsigned failures = turn->part->failures;

    if ((failures & (failures + 1)) == 0) /* 0, 1, 3, 7, ..: not a line for each */
        LOG_WARN("work_retried", F_STR("topic", turn->part->topic), F_I64("part", turn->part->part),
                 F_I64("offset", turn->first), F_I64("failures", failures + 1));
}

static void give_back(struct work_turn *turn)
{
    if (turn->overtakes && turn->outcome == WORK_PASSED)
        turn->records->done = true;
    else if (turn->overtakes)
        turn->records->in_turn = true;
    work_queue_return(turn->part, turn->records);
    turn->records = NULL;
}

/* What the outcome means for the partition, which is still the one the turn began with. */
static void settle(struct work_turn *turn)
{
    struct work_part *part = turn->part;

    switch (turn->outcome) {
    case WORK_PASSED:
        if (turn->overtakes)
            give_back(turn);
        work_part_pass(part, turn->next);
        break;
    case WORK_RETRY:
        note_retry(turn);
        give_back(turn);
        work_part_back_off(part);
        break;
    case WORK_ALONE:
        give_back(turn);
        if (!turn->overtakes && part->single_until < turn->last)
            part->single_until = turn->last;
        break;
    case WORK_FENCED:
        part->attempted = -1; /* not ours to take back */
        work_part_reread(part, WORK_FENCED_WAIT_MS);
        break;
    case WORK_DROPPED:
        break;
    }
}

static void turn_done(struct flow *flow)
{
    struct work_turn *turn = FLOW_OF(flow, struct work_turn, flow);
    struct work_part *part = turn->part;
    struct work *work = part->work;

    must(flow->err == ERR_OK); /* every error has its step */
    if (turn->outcome == WORK_RETRY)
        work->stats.retried++;
    if (turn->outcome == WORK_FENCED) {
        work->stats.fenced++;
        LOG_WARN("partition_fenced", F_STR("topic", part->topic), F_I64("part", part->part),
                 F_I64("place", turn->place));
    }
    part->turn = NULL;
    work->long_turns -= turn->is_long;
    if (!is_void(turn))
        settle(turn);
    work_records_free(work, turn->records);
    work_queues_refill(work);
    work_parts_kick(part);
    flow_fini(flow);
    free(turn);
    work_part_unuse(part);
}

/* More of the kind that a batch began with? Those that are done join any batch. */
static bool fits(struct work_part *part, struct work_record *record, const struct work_turn *turn,
                 size_t bytes)
{
    const size_t most = turn->route != NULL ? turn->route->batch_max : WORK_BATCH_MESSAGES_MAX;

    if (record == NULL || turn->picked >= WORK_BATCH_MESSAGES_MAX)
        return false;
    if (record->done || turn->due == 0)
        return true;
    work_record_parse(part, record);
    return turn->due < most && bytes + record->bytes <= WORK_BATCH_BYTES_MAX &&
           record->err == ERR_OK && work_route_of(part->work, record->message.type) == turn->route;
}

/* How many records from the head make one batch: one handler, one type, limits. */
static void pick(struct work_turn *turn)
{
    struct work_part *part = turn->part;
    struct work_record *record = part->head;
    const bool single = record->offset <= part->single_until;
    size_t bytes = 0;

    turn->first = record->offset;
    do {
        work_record_parse(part, record);
        if (record->err != ERR_OK && turn->picked > 0)
            break; /* those that are done go first */
        if (!record->done && turn->due++ == 0) {
            turn->first = record->offset;
            if (record->err == ERR_OK)
                turn->route = work_route_of(part->work, record->message.type);
        }
        bytes += record->done ? 0 : record->bytes;
        turn->picked++;
        record = record->next;
    } while (!single && part->head->err == ERR_OK && fits(part, record, turn, bytes));
    turn->records = work_queue_take(part, turn->picked);
}

static void pick_one(struct work_turn *turn, struct work_record *record)
{
    turn->overtakes = true;
    turn->route = work_route_of(turn->part->work, record->message.type);
    turn->picked = turn->due = 1;
    turn->first = record->offset;
    turn->records = work_queue_take_one(turn->part, record);
}

void work_turn_start(struct work_part *part)
{
    struct work *work = part->work;
    struct work_record *urgent = work_overtaking(part);
    const bool is_long = urgent == NULL && work_is_long(part);
    struct work_turn *turn;
    struct work_record *last;

    if (is_long && work->long_turns >= db_patient_max(work->db))
        return; /* the end of another one begins it */
    turn = heap_zero(sizeof(*turn));
    turn->is_long = is_long;
    work->long_turns += is_long;
    turn->part = part;
    turn->epoch = part->epoch;
    if (urgent != NULL)
        pick_one(turn, urgent);
    else
        pick(turn);
    last = turn->records;
    while (last->next != NULL)
        last = last->next;
    turn->place = part->place;
    turn->last = last->offset;
    turn->next = turn->overtakes ? turn->place : last->offset + 1;
    part->overtakes = turn->overtakes ? part->overtakes + 1 : 0;
    part->turn = turn;
    part->users++;
    flow_init(&turn->flow, part->work->loop, turn_run, turn_done, turn->records->trace);
    turn->batch =
        (struct work_batch){.work = part->work, .arena = turn->flow.arena, .flow = &turn->flow};
    if (turn->records->err != ERR_OK) {
        turn->reason = turn->records->err;
        turn->detail = *turn->records->note;
        flow_start(&turn->flow, TURN_BURY);
    } else {
        flow_start(&turn->flow, TURN_ATTEMPT);
    }
}
