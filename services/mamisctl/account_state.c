/*
 * mamisctl account suspend, restore: an account that is misused serves nobody until it is restored.
 * Its sessions end at once. First login that was stopped goes on with a new postcard instead.
 */
#include <stdio.h>

#include "gen/topics.h"
#include "mamisctl/account_change.h"

/* The days that it may stay unused begin anew. */
static const struct db_stmt use_again = {
    "account_use_again",
    "WITH kept AS (UPDATE registration.staff SET expired = false WHERE account_id = $1 RETURNING 1)"
    " INSERT INTO gateway.staff_use (account_id, used_at) SELECT $1, $2 FROM kept"
    " ON CONFLICT (account_id) DO UPDATE SET used_at = excluded.used_at",
};

static enum err suspend(struct account_row *row, struct err_note *note)
{
    if (!str_eq_c(row->state, "active") && !str_eq_c(row->state, "temp_issued"))
        return err_say(note, ERR_STATE_CONFLICT, "the account is %.*s", STR_ARG(row->state));
    row->state = STR("suspended");
    return ERR_OK;
}

static enum err restore(struct account_row *row, struct err_note *note)
{
    if (!str_eq_c(row->state, "suspended"))
        return err_say(note, ERR_STATE_CONFLICT, "the account is %.*s", STR_ARG(row->state));
    if (row->step.len > 0)
        return err_say(note, ERR_STATE_CONFLICT,
                       "first login is not finished: mamisctl postcards reissue");
    row->state = STR("active");
    return ERR_OK;
}

enum tool_exit account_set_state(struct tool *tool, struct tool_args *args, bool suspended)
{
    static const char *const topics[] = {TOPIC_ACCOUNT_EVENTS};
    const char *login = args_option(args, "--login");
    const char *register_no = args_option(args, "--register-no");
    const char *action = suspended ? "suspended" : "restored";
    struct account_row row;
    struct db_batch *batch;
    struct err_note note = {0};
    enum err err;

    if (!args_done(args) || (login == NULL) == (register_no == NULL))
        return TOOL_USAGE;
    tool_work_open(tool, "registration");
    TRY(account_find(tool, login, register_no, &row, &note));
    TRY(suspended ? suspend(&row, &note) : restore(&row, &note));
    batch = db_batch_new(tool->arena);
    account_save(tool, batch, &row, action);
    if (!suspended) {
        struct db_query *query = db_add(batch, &use_again);

        db_uuid(query, row.account_id);
        db_time(query, clock_now_us());
    }
    TRY(tool_run_work(tool, batch, &note));
cleanup:
    if (err != ERR_OK)
        return tool_fail(suspended ? "account suspend" : "account restore", err, &note);
    (void)printf("%s %s; its sessions ended\n", action, login != NULL ? login : register_no);
    return tool_settle(tool, topics, ARRAY_LEN(topics)) ? TOOL_OK : TOOL_UNSETTLED;
}
