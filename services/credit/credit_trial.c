/*
 * credit_trial: a dry run is posted. The same upload becomes a real one: its bytes are read again
 * from the beginning, and judged by what stands now. It goes on under a new upload_no, so that
 * nothing of the dry run is left in the way; what it left under the old one is cleared away later.
 */
#include "credit/credit_command.h"
#include "credit/credit_emit.h"

enum trial_step { TRIAL_READ, TRIAL_DECIDE };

struct trial {
    struct command command;
    struct event_upload_post event;
    struct upload_query query;
    struct upload upload;
};

static const struct db_stmt keep_past = {
    "credit_keep_past",
    "INSERT INTO credit.upload_past (upload_no) VALUES ($1)",
};

static const struct db_stmt delete_chunks = {
    "credit_delete_trial_chunks",
    "DELETE FROM credit.upload_chunk WHERE upload_no = $1",
};

static const struct db_stmt update_upload = {
    "credit_post_trial",
    "WITH taken AS (UPDATE credit.upload SET upload_no = DEFAULT, version = version + 1,"
    "  dry_run = false, status = 'received', received_at = $2, scan_state = NULL, header = NULL,"
    "  encoding = NULL, delimiter = NULL, ignored_columns = '[]', problem = NULL,"
    "  rows_total = NULL, chunks_total = NULL, next_chunk = 0, early_chunk = NULL, posted = 0,"
    "  already_posted = 0, waiting = 0, unmatched = 0, absent = 0, rejected = 0, done_at = NULL"
    "  WHERE upload_id = $1 AND status = 'done' AND dry_run RETURNING upload_no)"
    " SELECT mamis.expect_rows(1, count(*)) FROM taken",
};

static void read_upload(struct trial *trial)
{
    struct db_batch *batch = db_batch_read(trial->command.flow.arena);

    upload_query_add(&trial->query, batch, trial->event.upload_id);
    db_run(trial->command.credit->db, batch, UPLOAD_READ_DEADLINE_MS, &trial->command.flow);
}

static enum code refusal(const struct upload *upload)
{
    if (!upload->dry_run)
        return CODE_UPLOAD_NOT_DRY_RUN;
    if (str_eq_c(upload->status, "done"))
        return CODE_NONE;
    return str_eq_c(upload->status, "refused") ? CODE_UPLOAD_STATE : CODE_UPLOAD_NOT_DONE;
}

static void record(struct trial *trial)
{
    struct command *command = &trial->command;
    struct db_batch *effect = command->batch->effect;
    const struct emit emit = {.credit = command->credit,
                              .effect = effect,
                              .upload = &trial->upload,
                              .trace = command->flow.trace};
    char id[UUID_TEXT_BYTES];
    struct db_query *query = db_add(effect, &update_upload);

    db_uuid(query, trial->upload.id);
    db_time(query, clock_now_us());
    db_i64(db_add(effect, &delete_chunks), trial->upload.no);
    db_i64(db_add(effect, &keep_past), trial->upload.no);
    emit_read(&emit, 0);
    uuid_format(trial->upload.id, id);
    command_audit(command, "upload_post", id, STR("{}"));
    command_answer_upload(command, trial->upload.id);
}

static void trial_run(struct flow *flow)
{
    struct trial *trial = CONTAINER_OF(COMMAND_OF(flow), struct trial, command);
    enum err err = ERR_OK;
    enum code code;

    switch ((enum trial_step)flow->step) {
    case TRIAL_READ:
        flow_wait(flow, TRIAL_DECIDE);
        read_upload(trial);
        return;
    case TRIAL_DECIDE:
        TRY(upload_take(&trial->query, trial->event.upload_id, flow->arena, &trial->upload,
                        &flow->note));
        code = refusal(&trial->upload);
        if (code != CODE_NONE)
            command_refuse(&trial->command, code,
                           code == CODE_UPLOAD_STATE ? command_param("value", "refused") : NULL);
        else
            record(trial);
        break;
    }
cleanup:
    flow_end(flow, err);
}

void credit_trial_handle(void *service, struct work_batch *batch)
{
    struct trial *trial = arena_new_of(batch->arena, struct trial);
    struct event_upload_post *event = &trial->event;
    enum err err;

    TRY(event_upload_post_decode(batch->arena, batch->messages[0].data, event, &batch->flow->note));
    trial->command = (struct command){
        .credit = service,
        .batch = batch,
        .operation_id = event->operation_id,
        .actor = {.id = event->actor_id, .role = event->role, .code = event->office_code},
    };
    command_start(&trial->command, trial_run);
    return;
cleanup:
    command_bad(batch, err);
}
