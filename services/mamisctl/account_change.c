/* account_change: see account_change.h. */
#include "mamisctl/account_change.h"

#include "domain/numbers.h"
#include "gen/events.h"

static const struct db_stmt find_login = {
    "account_change_login",
    ACCOUNT_COLUMNS_AND(
        "") " JOIN gateway.credential AS c USING (account_id) WHERE c.login_id = $1",
};
static const struct db_stmt find_doctor = {
    "account_change_doctor",
    ACCOUNT_COLUMNS_AND("") " WHERE d.register_no = $1",
};
static const struct db_stmt update = {
    "account_change_update",
    "WITH up AS (UPDATE registration.account SET version = version + 1, state = $3, step = $4,"
    "  email = $5, email_confirmed = $6, birth_tries = 0, changed_at = $7,"
    "  pending_email = CASE step WHEN $4 THEN pending_email ELSE '' END,"
    "  step_at = CASE step WHEN $4 THEN step_at END"
    "  WHERE account_id = $1 AND version = $2 RETURNING 1)"
    " SELECT mamis.expect_rows(1, (SELECT count(*) FROM up))",
};
static const struct db_stmt history = {
    "account_change_history",
    "SELECT registration.note_change($1, $2, $3, $4)",
};
static const struct db_stmt end_sessions = {
    "account_change_sessions",
    "UPDATE gateway.session SET ended_at = $2, uncache = true"
    " WHERE account_id = $1 AND ended_at IS NULL",
};

static struct str keep(struct tool *tool, const struct db_query *query, size_t row, int column)
{
    return arena_str(tool->arena, db_get_text(query, row, column));
}

void account_take(struct tool *tool, const struct db_query *query, size_t row,
                  struct account_row *ret_row)
{
    *ret_row = (struct account_row){
        .account_id = db_get_uuid(query, row, 0),
        .version = db_get_i64(query, row, 1),
        .role = keep(tool, query, row, 2),
        .state = keep(tool, query, row, 3),
        .step = keep(tool, query, row, 4),
        .name = keep(tool, query, row, 5),
        .email = keep(tool, query, row, 6),
        .email_confirmed = db_get_bool(query, row, 7),
        .doctor_id = db_get_i64(query, row, 8),
        .organiser_code = keep(tool, query, row, 9),
        .l1_code = keep(tool, query, row, 10),
        .l2_code = keep(tool, query, row, 11),
        .my_page = keep(tool, query, row, 12),
        .register_no = keep(tool, query, row, 13),
    };
}

enum err account_find(struct tool *tool, const char *login, const char *register_no,
                      struct account_row *ret_row, struct err_note *note)
{
    struct db_batch *batch = db_batch_read(tool->arena);
    struct db_query *query = db_add(batch, login != NULL ? &find_login : &find_doctor);
    char number[REGISTER_NO_BYTES];
    enum err err;

    if (login == NULL) {
        int64_t value = register_no_parse(str_of(register_no));

        if (value == NUMBER_NONE)
            return err_say(note, ERR_BAD_REQUEST, "%s is no register number", register_no);
        register_no_format(value, number);
    }
    db_text_c(query, login != NULL ? login : number);
    err = tool_run(tool, batch, note);
    if (err == ERR_OK && db_rows(query) == 0)
        err = err_say(note, ERR_NOT_FOUND, "there is no account of %s",
                      login != NULL ? login : register_no);
    if (err == ERR_OK)
        account_take(tool, query, 0, ret_row);
    return err;
}

static struct str or_none(struct str text)
{
    return text.len > 0 ? text : STR_NONE;
}

void account_tell(struct tool *tool, struct db_batch *batch, const struct account_row *row)
{
    const struct event_account_state data = {
        .account_id = row->account_id,
        .version = row->version + 1,
        .role = row->role,
        .state = row->state,
        .step = row->step,
        .name = row->name,
        .email = row->email,
        .email_confirmed = row->email_confirmed,
        .doctor_id = row->doctor_id,
        .has_doctor_id = row->doctor_id != 0,
        .organiser_code = or_none(row->organiser_code),
        .l1_code = or_none(row->l1_code),
        .l2_code = or_none(row->l2_code),
    };
    char key[UUID_TEXT_BYTES];

    uuid_format(row->account_id, key);
    const struct work_event event = {.type = EVENT_ACCOUNT_STATE,
                                     .topic = TOPIC_ACCOUNT_EVENTS,
                                     .key = str_of(key),
                                     .subject = str_of(key),
                                     .data = event_account_state_encode(&data)};
    (void)work_emit(tool->work, batch, &event, NULL);
}

void account_save(struct tool *tool, struct db_batch *batch, const struct account_row *row,
                  const char *action)
{
    int64_t now_us = clock_now_us();
    struct db_query *query = db_add(batch, &update);

    db_uuid(query, row->account_id);
    db_i64(query, row->version);
    db_text(query, row->state);
    db_text(query, row->step);
    db_text(query, row->email);
    db_bool(query, row->email_confirmed);
    db_time(query, now_us);
    query = db_add(batch, &history);
    db_uuid(query, row->account_id);
    db_i64(query, row->version + 1);
    db_time(query, now_us);
    db_text_c(query, action);
    query = db_add(batch, &end_sessions);
    db_uuid(query, row->account_id);
    db_time(query, now_us);
    account_tell(tool, batch, row);
}
