/*
 * registration_merge: two doctors on record were one person. An officer proposes it, which changes
 * nothing; another one confirms it, and then one transaction closes the one, hands what he had to
 * the other and tells everybody. A doctor's new register number goes the same way: what is closed
 * then is a record of the former number, which has nothing. Safe to repeat from any step: nothing
 * is written before the transaction that passes the command.
 */
#include "registration/registration_merge.h"

#include <stdio.h>
#include <string.h>

#include "gen/events.h"

enum step { STEP_FIND, STEP_DECIDE, STEP_CLOSED, STEP_RECORD };

struct job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    const struct work_message *message;
    struct merge_command command;
    struct merge_read read;
    struct merge merge;
    struct procedure_case kept, closed;
};

/* ---- contracts ---- */

static enum err read_propose(struct arena *arena, json_t *data, struct merge_command *out,
                             struct err_note *note)
{
    struct event_merge_propose event;
    enum err err;

    TRY(event_merge_propose_decode(arena, data, &event, note));
    *out = (struct merge_command){.proposes = true,
                                  .operation_id = event.operation_id,
                                  .merge_id = event.merge_id,
                                  .actor_id = event.actor_id,
                                  .actor_role = event.actor_role,
                                  .reason = event.reason,
                                  .keep_no = event.keep_register_no,
                                  .close_no = event.close_register_no};
cleanup:
    return err;
}

static enum err read_number(struct arena *arena, json_t *data, struct merge_command *out,
                            struct err_note *note)
{
    struct event_doctor_renumber event;
    enum err err;

    TRY(event_doctor_renumber_decode(arena, data, &event, note));
    *out = (struct merge_command){.proposes = true,
                                  .operation_id = event.operation_id,
                                  .merge_id = event.merge_id,
                                  .actor_id = event.actor_id,
                                  .actor_role = event.actor_role,
                                  .reason = event.reason,
                                  .mamis_no = event.mamis_no,
                                  .new_no = event.register_no,
                                  .licensed_on = event.licensed_on};
cleanup:
    return err;
}

static enum err read_decide(struct arena *arena, json_t *data, struct merge_command *out,
                            struct err_note *note)
{
    struct event_merge_decide event;
    enum err err;

    TRY(event_merge_decide_decode(arena, data, &event, note));
    *out = (struct merge_command){.operation_id = event.operation_id,
                                  .merge_id = event.merge_id,
                                  .actor_id = event.actor_id,
                                  .actor_role = event.actor_role,
                                  .reason = event.reason};
    must(merge_decision_parse(event.decision, &out->decision)); /* the contract knows no other */
cleanup:
    return err;
}

static enum err read_command(struct arena *arena, const struct work_message *message,
                             struct merge_command *out, struct err_note *note)
{
    static const struct {
        const char *type;
        enum err (*read)(struct arena *arena, json_t *data, struct merge_command *out,
                         struct err_note *note);
    } commands[] = {
        {EVENT_MERGE_PROPOSE, read_propose},
        {EVENT_DOCTOR_RENUMBER, read_number},
        {EVENT_MERGE_DECIDE, read_decide},
    };

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(message->type, commands[i].type) == 0)
            return commands[i].read(arena, message->data, out, note);
    }
    must(false); /* no other is routed here */
    return ERR_SCHEMA;
}

/* ---- answers ---- */

static void answer(struct job *job, enum code refusal)
{
    struct work_reply reply = {.operation_id = job->command.operation_id};
    char id[UUID_TEXT_BYTES];

    if (refusal == CODE_NONE) {
        uuid_format(job->command.merge_id, id);
        reply.result = json_object();
        must(json_object_set_new(reply.result, "merge_id", json_string(id)) == 0);
    } else {
        reply.err = refusal == CODE_NOT_FOUND ? ERR_NOT_FOUND : ERR_STATE_CONFLICT;
        reply.problem_code = code_name(refusal);
        job->registration->figures.refused++;
    }
    work_reply(job->registration->work, job->batch->effect, &reply, job->message->trace);
}

/* ---- the merge ---- */

static void fill(struct str *field, struct str from)
{
    if (field->len == 0)
        *field = from;
}

/* The closed one's name is a former name of the one who is kept, if that has room for it. */
static void take_name(struct db_batch *effect, struct record *kept, const struct record *closed,
                      int64_t now_us)
{
    struct profile *profile = &kept->person.profile;
    const struct profile *other = &closed->person.profile;

    if (profile->former_name_kana.len > 0 || profile->former_name.len > 0 ||
        str_eq(profile->name_kana, other->name_kana))
        return;
    store_keep_names(effect, kept, now_us);
    profile->former_name = other->name;
    profile->former_name_kana = other->name_kana;
}

/* Read only from now on, and nobody's member. */
static void close_one(struct job *job, int64_t now_us)
{
    struct db_batch *effect = job->batch->effect;
    struct record *closed = &job->closed.record;
    const struct desk desk = {.actor_id = job->command.actor_id,
                              .role = job->command.actor_role,
                              .reason = job->merge.reason};

    closed->person.my_page = STR("closed");
    closed->doctor_l1_code = closed->doctor_l2_code = closed->l3_category = STR("");
    store_member(effect, closed, now_us);
    closed->doctor_version++;
    if (closed->version == 0) /* he never had an account */
        return;
    closed->person.state = STR("closed");
    store_member_account(effect, closed, now_us);
    closed->version++;
    store_add_history(effect, closed->account_id, closed->version, "merge", &desk, now_us);
}

static void keep_one(struct job *job, int64_t now_us)
{
    struct db_batch *effect = job->batch->effect;
    struct record *kept = &job->kept.record;
    const struct record *closed = &job->closed.record;

    take_name(effect, kept, closed, now_us);
    if (kept->doctor_l1_code.len == 0 && closed->doctor_l1_code.len > 0)
        kept->doctor_l2_code = closed->doctor_l2_code; /* of the membership that he gets */
    fill(&kept->doctor_l1_code, closed->doctor_l1_code);
    fill(&kept->doctor_l2_code, closed->doctor_l2_code);
    fill(&kept->l3_category, closed->l3_category);
    store_member(effect, kept, now_us);
    kept->doctor_version++;
}

static size_t names_of(struct job *job, struct str *names)
{
    struct str left = job->merge.names, name;
    size_t count = 0;

    while (count < MERGE_NAMES_MAX && left.len > 0 && str_cut(&left, '\n', &name))
        names[count++] = name;
    return count;
}

static struct str address_of(const struct record *record)
{
    const struct person *person = &record->person;

    return record->version > 0 && person->email_confirmed ? person->email : person->doctor_email;
}

/* Before the states of both: who hears of the closed one knows already where he went. */
static void tell(struct job *job)
{
    struct db_batch *effect = job->batch->effect;
    const struct record *kept = &job->kept.record;
    struct str names[MERGE_NAMES_MAX];
    char key[24];
    const struct event_doctor_merged event = {
        .merge_id = job->command.merge_id,
        .kept_id = job->merge.kept_id,
        .closed_id = job->merge.closed_id,
        .kept_account_id = kept->account_id,
        .has_kept_account_id = kept->version > 0,
        .actor_id = job->command.actor_id,
        .actor_role = job->command.actor_role,
        .reason = job->merge.reason,
        .name = kept->person.profile.name,
        .kept_email = address_of(kept),
        .closed_email = address_of(&job->closed.record),
        .names_kana = names,
        .names_kana_count = names_of(job, names),
        .renumbered = job->merge.new_no.len > 0,
        .has_renumbered = job->merge.new_no.len > 0,
    };

    (void)snprintf(key, sizeof(key), "%lld", (long long)event.closed_id);
    const struct work_event sent = {.type = EVENT_DOCTOR_MERGED,
                                    .topic = TOPIC_DOCTOR_EVENTS,
                                    .key = str_of(key),
                                    .subject = str_of(key),
                                    .data = event_doctor_merged_encode(&event)};
    (void)work_emit(job->registration->work, effect, &sent, job->message->trace);
    tell_doctor(job->registration, effect, &job->closed.record, job->message->trace);
    tell_doctor(job->registration, effect, kept, job->message->trace);
    if (job->closed.record.version > 0)
        tell_account(job->registration, effect, &job->closed.record, job->message->trace);
}

static void record(struct job *job)
{
    struct db_batch *effect = job->batch->effect;
    const int64_t now_us = clock_now_us();
    const struct merged merged = {.doctor_id = job->merge.closed_id,
                                  .actor_id = job->command.actor_id};

    case_take(&job->kept, (struct uuid){{0}});
    case_take(&job->closed, (struct uuid){{0}});
    store_save_merge(effect, &job->merge, &job->command, now_us);
    keep_one(job, now_us);
    close_one(job, now_us);
    store_move(effect, &job->merge, &job->command, now_us);
    tell(job);
    end_delegations(job->registration, job->batch, job->read.delegations, &merged);
    answer(job, CODE_NONE);
}

/* ---- another register number ---- */

/* The closed record that is left of the former number: no account, no address, nobody's member. */
static struct record former_of(const struct record *kept, int64_t closed_id)
{
    struct record former = {.register_no = kept->register_no,
                            .doctor_version = 1,
                            .doctor_l1_code = STR(""),
                            .doctor_l2_code = STR(""),
                            .l3_category = STR(""),
                            .person = kept->person};

    former.person.doctor_id = closed_id;
    former.person.my_page = STR("closed");
    former.person.mamis_no = former.person.email = former.person.doctor_email = STR("");
    return former;
}

static void record_number(struct job *job)
{
    struct db_batch *effect = job->batch->effect;
    struct record *kept = &job->kept.record;
    const int64_t now_us = clock_now_us();

    case_take(&job->kept, (struct uuid){{0}});
    job->closed.record = former_of(kept, job->merge.closed_id);
    job->merge.names = kept->person.profile.name_kana;
    store_save_merge(effect, &job->merge, &job->command, now_us);
    store_renumber(effect, &job->merge, &job->command, kept->doctor_version, now_us);
    kept->register_no = job->merge.new_no;
    kept->doctor_version++;
    tell(job);
    answer(job, CODE_NONE);
}

/* ---- the flow ---- */

/* True when there is something to be done, which needs the doctors. */
static bool decide(struct job *job)
{
    const struct merge_command *command = &job->command;
    enum code refusal;

    store_merge(&job->read, &job->merge);
    refusal = !command->proposes        ? rules_decide_merge(&job->merge.facts, command->decision)
              : command->new_no.len > 0 ? rules_propose_number(&job->merge.facts)
                                        : rules_propose_merge(&job->merge.facts);
    if (refusal == CODE_NONE && !command->proposes && command->decision == MERGE_CONFIRM)
        return true;
    if (refusal == CODE_NONE)
        store_save_merge(job->batch->effect, &job->merge, command, clock_now_us());
    answer(job, refusal);
    return false;
}

static void read_doctor(struct job *job, int64_t doctor_id, struct procedure_case *found, int next)
{
    flow_wait(&job->flow, next);
    case_read(job->registration, job->batch->arena, doctor_id, (struct uuid){{0}}, STR_NONE, found,
              &job->flow);
}

static void job_run(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    switch ((enum step)flow->step) {
    case STEP_FIND:
        flow_wait(flow, STEP_DECIDE);
        store_read_merge(job->registration, job->batch->arena, &job->command, &job->read, flow);
        return;
    case STEP_DECIDE:
        if (decide(job))
            read_doctor(job, job->merge.kept_id, &job->kept, STEP_CLOSED);
        else
            flow_end(flow, ERR_OK);
        return;
    case STEP_CLOSED:
        if (job->merge.new_no.len > 0) {
            record_number(job);
            flow_end(flow, ERR_OK);
            return;
        }
        read_doctor(job, job->merge.closed_id, &job->closed, STEP_RECORD);
        return;
    case STEP_RECORD:
        record(job);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void job_done(struct flow *flow)
{
    struct job *job = FLOW_OF(flow, struct job, flow);

    flow_pass_on(flow, job->batch->flow);
}

void registration_merge_handle(void *service, struct work_batch *batch)
{
    static const struct registration_flow steps = {job_run, job_done};
    struct job *job = arena_new_of(batch->arena, struct job);
    enum err taken;

    job->registration = service;
    job->batch = batch;
    job->message = &batch->messages[0];
    taken = read_command(batch->arena, job->message, &job->command, &batch->flow->note);
    registration_job_begin(job->registration, batch, taken, &steps, &job->flow);
}
