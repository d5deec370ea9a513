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
    "SELECT l.row_no, l.held_on, l.half_units, l.kind, EXISTS (SELECT FROM credit.ledger c"
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

static bool place_of(const struct upload *upload, int64_t session_id, uint32_t *ret_place)
{
    for (size_t i = 0; i < upload->seminar.count; i++) {
        if (upload->seminar.sessions[i].session_id == session_id) {
            *ret_place = (uint32_t)i;
            return true;
        }
    }
    return false;
}

static void take_entry(struct cancel *cancel, struct counter *counter)
{
    const struct event_credit_cancel *event = &cancel->event;

    counter_init(counter, cancel->command.flow.arena, 1);
    must(place_of(&cancel->upload, event->session_id, &counter->place[0]));
    counter->count = 1;
    counter->doctor[0] = event->doctor_id;
    counter->session_id[0] = event->session_id;
    counter->row_no[0] = db_get_i32(cancel->entries, 0, 0);
    counter->held_on[0] = db_get_day(cancel->entries, 0, 1);
    counter->half_units[0] = db_get_i16(cancel->entries, 0, 2);
    counter->revision[0] = (int16_t)event->revision;
    counter->programme[0] = event->programme;
    counter->kind[0] = db_get_text(cancel->entries, 0, 3);
}

static void record(struct cancel *cancel)
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

    take_entry(cancel, &counter);
    db_uuid(db_add(emit.effect, &touch_upload), cancel->upload.id);
    counter_add(&emit, &counter, &command->actor, &correction, command->flow.arena);
    command_audit(command, "credit_cancel",
                  arena_printf(command->flow.arena, "%.*s", STR_ARG(cancel->event.entry_id)),
                  STR("{}"));
    command_answer(command, "entry_id", cancel->event.entry_id);
    command->credit->figures.entries++;
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
        else if (db_get_bool(cancel->entries, 0, 4))
            command_refuse(&cancel->command, CODE_CREDIT_CANCELLED, NULL);
        else
            record(cancel);
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
