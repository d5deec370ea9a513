/* training_dismiss: a trainee stays in the category, and is reminded no more (edge 83). */
#include "domain/calendar.h"
#include "gen/events.h"
#include "registration/procedure.h"
#include "registration/training_rules.h"

struct job {
    struct procedure_job base;
    struct event_training_dismiss event;
};

/* The end that was expected is that of before this transaction. */
static const struct db_stmt insert_waiver = {
    "registration_insert_training_waiver",
    "INSERT INTO registration.training_waiver"
    " (doctor_id, ends_on, at, reason, new_end_on, actor_role, actor_id)"
    " SELECT doctor_id, coalesce(registration.training_end(training_ends_on, licensed_on), $6), $2,"
    "  $3, $4, $5, $7 FROM registration.doctor WHERE doctor_id = $1",
};

static const struct db_stmt update_end = {
    "registration_update_training_end",
    "UPDATE registration.doctor SET training_ends_on = $2 WHERE doctor_id = $1",
};

static void refuse(struct job *job, enum code code)
{
    struct procedure_job *base = &job->base;
    day_t today = day_of_us(clock_now_us());
    json_t *extra = NULL;
    char day[11];

    if (code == CODE_DOCTOR_NOT_FOUND) {
        extra = tell_pointer(extra, "/register_no", code);
    } else if (code == CODE_TRAINING_ENDS_ON) {
        extra = tell_pointer(extra, "/training_ends_on", code);
        day_format(today, day);
        extra = tell_param(extra, "from", day);
        day_format(day_add_years(today, TRAINING_END_YEARS_MAX), day);
        extra = tell_param(extra, "to", day);
    }
    tell_refused(base->registration, base->batch, base->operation_id, code, extra);
}

static void nobody(struct procedure_job *base)
{
    refuse((struct job *)base, base->actor.doctor_id > 0 ? CODE_NOT_FOUND : CODE_DOCTOR_NOT_FOUND);
}

static void record(struct job *job, int64_t doctor_id)
{
    struct db_batch *effect = job->base.batch->effect;
    struct db_query *query = db_add(effect, &insert_waiver);
    int64_t now_us = clock_now_us();

    db_i64(query, doctor_id);
    db_time(query, now_us);
    db_text(query, job->event.reason);
    db_day(query, job->event.training_ends_on);
    db_text(query, job->event.role);
    db_day(query, day_of_us(now_us));
    db_uuid(query, job->event.account_id);
    if (job->event.training_ends_on == DAY_NONE)
        return;
    query = db_add(effect, &update_end);
    db_i64(query, doctor_id);
    db_day(query, job->event.training_ends_on);
}

static void answer(struct job *job)
{
    struct procedure_job *base = &job->base;
    struct work_reply reply = {.operation_id = base->operation_id, .result = json_object()};

    /* A doctor is shown how it stands now; an office need not see it. */
    if (base->actor.doctor_id > 0)
        must(json_object_set_new(reply.result, "training", json_string("own")) == 0);
    work_reply(base->registration->work, base->batch->effect, &reply,
               base->batch->messages[0].trace);
}

static void decide(struct procedure_job *base)
{
    struct job *job = (struct job *)base;
    const struct filing filing = {
        .actor = base->actor,
        .standing = base->found.standing,
        .handling_l2 = base->found.record.doctor_l2_code,
        .closed = str_eq_c(base->found.record.person.my_page, "closed"),
        .today = day_of_us(clock_now_us()),
    };
    const struct training_wish wish = {
        .filing = &filing,
        .own = base->actor.doctor_id > 0,
        .new_end_on = job->event.training_ends_on,
    };
    enum code code = training_dismiss(&wish);

    if (code != CODE_NONE) {
        refuse(job, code);
        return;
    }
    record(job, base->found.record.person.doctor_id);
    answer(job);
}

static struct db_query *find(struct procedure_job *base, struct db_batch *batch)
{
    const struct event_training_dismiss *event = &((struct job *)base)->event;

    return case_find_doctor(batch, base->actor.doctor_id, event->register_no, event->birth_on);
}

static enum err take(struct procedure_job *base, struct err_note *note)
{
    struct event_training_dismiss *event = &((struct job *)base)->event;
    enum err err;

    TRY(event_training_dismiss_decode(base->batch->arena, base->batch->messages[0].data, event,
                                      note));
    base->operation_id = event->operation_id;
    base->actor = (struct actor)PROCEDURE_ACTOR(event);
cleanup:
    return err;
}

void training_dismiss_handle(void *service, struct work_batch *batch)
{
    static const struct procedure_job_kind kind = {take, find, nobody, decide};

    procedure_job_start(service, batch, &kind, &arena_new_of(batch->arena, struct job)->base);
}
