/* credit_command: see credit_command.h. */
#include "credit/credit_command.h"

#include "credit/credit_audit.h"

/* The effect borrows nothing of the flow: its parameters were copied. */
static void done(struct flow *flow)
{
    struct command *command = COMMAND_OF(flow);
    struct flow *waiting = command->batch->flow;
    enum err err = flow->err;

    command->batch->state = &command->tally;
    waiting->note = flow->note;
    flow_fini(flow);
    flow_resume(waiting, err);
}

void command_start(struct command *command, flow_fn run)
{
    flow_init(&command->flow, command->credit->loop, run, done, command->batch->messages[0].trace);
    flow_start(&command->flow, 0);
}

void command_bad(struct work_batch *batch, enum err err)
{
    flow_resume(batch->flow, err);
}

/* ---- answers ---- */

static void reply(struct command *command, const struct work_reply *with)
{
    work_reply(command->credit->work, command->batch->effect, with,
               command->batch->messages[0].trace);
}

void command_answer(struct command *command, const char *name, struct str value)
{
    struct work_reply with = {.operation_id = command->operation_id, .result = json_object()};

    must(json_object_set_new(with.result, name, json_stringn(value.data, value.len)) == 0);
    reply(command, &with);
}

void command_answer_upload(struct command *command, struct uuid upload_id)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(upload_id, id);
    command_answer(command, "upload_id", str_of(id));
}

void command_refuse(struct command *command, enum code code, json_t *extra)
{
    const struct work_reply with = {
        .operation_id = command->operation_id,
        .err = ERR_STATE_CONFLICT,
        .problem_code = code_name(code),
        .problem_extra = extra,
    };

    command->credit->figures.refused++;
    reply(command, &with);
}

json_t *command_param(const char *name, const char *value)
{
    return json_pack("{s:{s:s}}", "params", name, value);
}

void credit_tally_committed(void *service, const struct work_batch *batch)
{
    struct credit *credit = service;
    const struct credit_tally *tally = batch->state;

    if (tally == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(tally->outcomes); i++)
        credit->figures.outcomes[i] += tally->outcomes[i];
    credit->figures.entries += tally->entries;
}

void credit_command_dead(void *service, struct work_batch *batch, const char *reason)
{
    const struct credit *credit = service;
    const struct work_message *message = &batch->messages[0];
    const char *id = json_string_value(json_object_get(message->data, "operation_id"));
    struct work_reply with = {.err = ERR_INTERNAL};

    (void)reason; /* stands in the dead letter; people are told that it is our fault */
    if (uuid_parse(str_of(id), &with.operation_id))
        work_reply(credit->work, batch->effect, &with, message->trace);
}

/* ---- what is kept ---- */

void command_audit(struct command *command, const char *action, const char *subject,
                   struct str detail)
{
    audit_add(command->batch->effect, &command->actor, action, subject, detail);
}
