/* credit_fix: a person writes over cells of a row of the tray; it is judged again at once. */
#include "credit/credit_command.h"
#include "credit/credit_row.h"

enum fix_step { FIX_JUDGE, FIX_RECORD };

struct fix {
    struct command command;
    struct event_row_fix event;
    struct row row;
};

/* "<upload_id>/<row_no>", as the gateway shows it. */
static struct str row_name(const struct fix *fix)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(fix->event.upload_id, id);
    return str_of(
        arena_printf(fix->command.flow.arena, "%s/%lld", id, (long long)fix->event.row_no));
}

static void release_row(void *object)
{
    row_fini(object);
}

/* Columns of another build's contract are refused, for half a fix is none. */
static enum err take_cells(struct fix *fix)
{
    for (size_t i = 0; i < fix->event.columns_count; i++) {
        if (!attendance_fix_set(&fix->row.fix, fix->event.columns[i], fix->event.values[i]))
            return err_say(&fix->command.flow.note, ERR_SCHEMA, "there is no column %.*s",
                           STR_ARG(fix->event.columns[i]));
    }
    return ERR_OK;
}

static enum err begin(struct fix *fix)
{
    struct command *command = &fix->command;
    enum err err = take_cells(fix);

    if (err != ERR_OK)
        return err;
    fix->row.credit = command->credit;
    fix->row.upload_id = fix->event.upload_id;
    fix->row.row_no = (uint32_t)fix->event.row_no;
    fix->row.mended = true;
    arena_defer(command->flow.arena, release_row, &fix->row);
    flow_wait(&command->flow, FIX_RECORD);
    row_judge(&fix->row, command->flow.trace, &command->flow);
    return ERR_OK;
}

static enum code refusal(enum row_state state)
{
    switch (state) {
    case ROW_FINE:
        return CODE_NONE;
    case ROW_NONE:
        return CODE_NOT_FOUND;
    case ROW_STANDS:
        return CODE_ROW_STANDS;
    case ROW_NOT_YET:
        return CODE_UPLOAD_NOT_DONE;
    case ROW_ONLY_TRIED:
        return CODE_UPLOAD_DRY_RUN;
    case ROW_CANCELLED:
        return CODE_SEMINAR_CANCELLED;
    case ROW_UPLOAD_UNDONE:
        return CODE_UPLOAD_STATE;
    }
    must(false);
}

/* An upload whose undo is under way counts as undone. */
static json_t *state_param(const struct fix *fix, enum code code)
{
    if (code != CODE_UPLOAD_STATE)
        return NULL;
    return command_param("value",
                         str_eq_c(fix->row.upload.status, "refused") ? "refused" : "undone");
}

static void record(struct fix *fix)
{
    struct command *command = &fix->command;
    struct str name = row_name(fix);
    char *cells = json_dumps(fix->row.cells, JSON_COMPACT);

    must(cells != NULL);
    row_record(&fix->row, command->batch->effect, &command->tally);
    command_audit(command, "row_fix", name.data,
                  str_of(arena_printf(command->flow.arena, "{\"cells\":%s}", cells)));
    command_answer(command, "row", name);
    free(cells);
}

static void fix_run(struct flow *flow)
{
    struct fix *fix = CONTAINER_OF(COMMAND_OF(flow), struct fix, command);
    enum err err = ERR_OK;
    enum code code;

    switch ((enum fix_step)flow->step) {
    case FIX_JUDGE:
        TRY(begin(fix));
        return;
    case FIX_RECORD:
        code = refusal(fix->row.state);
        if (code != CODE_NONE)
            command_refuse(&fix->command, code, state_param(fix, code));
        else
            record(fix);
        break;
    }
cleanup:
    flow_end(flow, err);
}

void credit_fix_handle(void *service, struct work_batch *batch)
{
    struct fix *fix = arena_new_of(batch->arena, struct fix);
    struct event_row_fix *event = &fix->event;
    enum err err;

    TRY(event_row_fix_decode(batch->arena, batch->messages[0].data, event, &batch->flow->note));
    fix->command = (struct command){
        .credit = service,
        .batch = batch,
        .operation_id = event->operation_id,
        .actor = {.id = event->actor_id, .role = event->role, .code = event->office_code},
    };
    command_start(&fix->command, fix_run);
    return;
cleanup:
    command_bad(batch, err);
}
