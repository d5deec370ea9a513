/* credit_cancel: one posted credit is taken back. */
#include "credit/credit_command.h"
#include "credit/credit_counter.h"

enum cancel_step { CANCEL_READ, CANCEL_DECIDE };

struct cancel {
    struct command command;
    struct event_credit_cancel event;
    struct upload_query query;
    struct db_query *entries;
    struct upload upload;
};

/* The entry, and whether it is cancelled. */
static const struct db_stmt select_entry = {
    "credit_select_entry",
    "SELECT " COUNTER_COLUMNS ", EXISTS (SELECT FROM credit.ledger c"
    "  WHERE c.doctor_id = l.doctor_id AND c.session_id = l.session_id"
    "   AND c.programme = l.programme AND c.revision = l.revision + 1)"
    " FROM credit.ledger l JOIN credit.upload u USING (upload_no)"
    " WHERE l.doctor_id = $1 AND l.session_id = $2 AND l.programme = $3 AND l.revision = $4"
    "  AND u.upload_id = $5",
};

/* Those who look at the upload see that something changed. */
static const struct db_stmt touch_upload = {
    "credit_touch_upload",
    "UPDATE credit.upload SET version = version + 1 WHERE upload_id = $1",
};

static void read_entry(struct cancel *cancel)
{
    struct db_batch *batch = db_batch_read(cancel->command.flow.arena);
    const struct event_credit_cancel *event = &cancel->event;

    upload_query_add(&cancel->query, batch, event->upload_id);
    cancel->entries = db_add(batch, &select_entry);
    db_i64(cancel->entries, event->doctor_id);
    db_i64(cancel->entries, event->session_id);
    db_text(cancel->entries, event->programme);
    db_i16(cancel->entries, (int16_t)event->revision);
    db_uuid(cancel->entries, event->upload_id);
    db_run(cancel->command.credit->db, batch, UPLOAD_READ_DEADLINE_MS, &cancel->command.flow);
}

static enum err record(struct cancel *cancel)
{
    struct command *command = &cancel->command;
    const struct emit emit = {.credit = command->credit,
                              .effect = command->batch->effect,
                              .upload = &cancel->upload,
                              .trace = command->flow.trace};
    const struct emit_correction correction = {.id = command->operation_id,
                                               .cause = "cancel",
                                               .reason = cancel->event.reason,
                                               .last = true};
    struct counter counter;
    enum err err;

    TRY(counter_take(&counter, &cancel->upload, cancel->entries, command->flow.arena,
                     &command->flow.note));
    db_uuid(db_add(emit.effect, &touch_upload), cancel->upload.id);
    counter_add(&emit, &counter, &command->actor, &correction, command->flow.arena);
    command_audit(command, "credit_cancel",
                  arena_printf(command->flow.arena, "%.*s", STR_ARG(cancel->event.entry_id)),
                  STR("{}"));
    command_answer(command, "entry_id", cancel->event.entry_id);
    command->tally.entries = counter.count;
cleanup:
    return err;
}

static void cancel_run(struct flow *flow)
{
    struct cancel *cancel = CONTAINER_OF(COMMAND_OF(flow), struct cancel, command);
    enum err err = ERR_OK;

    switch ((enum cancel_step)flow->step) {
    case CANCEL_READ:
        flow_wait(flow, CANCEL_DECIDE);
        read_entry(cancel);
        return;
    case CANCEL_DECIDE:
        TRY(upload_take(&cancel->query, cancel->event.upload_id, flow->arena, &cancel->upload,
                        &flow->note));
        if (db_rows(cancel->entries) == 0 || cancel->event.revision % 2 != 0)
            command_refuse(&cancel->command, CODE_NOT_FOUND, NULL);
        else if (db_get_bool(cancel->entries, 0, 8))
            command_refuse(&cancel->command, CODE_CREDIT_CANCELLED, NULL);
        else
            err = record(cancel);
        break;
    }
cleanup:
    flow_end(flow, err);
}

void credit_cancel_handle(void *service, struct work_batch *batch)
{
    struct cancel *cancel = arena_new_of(batch->arena, struct cancel);
    struct event_credit_cancel *event = &cancel->event;
    enum err err;

    TRY(event_credit_cancel_decode(batch->arena, batch->messages[0].data, event,
                                   &batch->flow->note));
    cancel->command = (struct command){
        .credit = service,
        .batch = batch,
        .operation_id = event->operation_id,
        .actor = {.id = event->actor_id, .role = event->role, .code = event->office_code},
    };
    command_start(&cancel->command, cancel_run);
    return;
cleanup:
    command_bad(batch, err);
}
