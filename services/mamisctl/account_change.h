/*
 * account_change: one account as it stands, and a change of it: row, history, event, sessions.
 */
#pragma once
#include "mamisctl/mamisctl.h"

struct account_row {
    struct uuid account_id;
    int64_t version;
    struct str role, state, step, name, email;
    bool email_confirmed;
    int64_t doctor_id; /* 0: no doctor */
    struct str organiser_code, l1_code, l2_code;
    struct str my_page, register_no; /* of a doctor */
};

/* Statements that read accounts as account_take() wants them, each with what `more` adds. */
#define ACCOUNT_COLUMNS_AND(more)                                                                  \
    "SELECT a.account_id, a.version, a.role, a.state, a.step, a.name, a.email, a.email_confirmed," \
    " coalesce(a.doctor_id, 0), a.organiser_code, a.l1_code, a.l2_code, coalesce(d.my_page, ''),"  \
    " coalesce(d.register_no, '')" more " FROM registration.account AS a"                          \
    " LEFT JOIN registration.doctor AS d USING (doctor_id)"
enum { ACCOUNT_COLUMN_COUNT = 14 };
void account_take(struct tool *tool, const struct db_query *query, size_t row,
                  struct account_row *ret_row);

/*
 * By login id, or by a doctor's register number as it was typed; the other one is NULL. Texts live
 * in the tool's arena. Errors: ERR_NOT_FOUND, ERR_BAD_REQUEST (no number), with words in `note`.
 */
CHECKED enum err account_find(struct tool *tool, const char *login, const char *register_no,
                              struct account_row *ret_row, struct err_note *note);
/*
 * Adds what makes the account look like `row`, which still has the version it was found with:
 * ERR_DB_CONFLICT when somebody else was quicker. All its sessions end.
 */
void account_save(struct tool *tool, struct db_batch *batch, const struct account_row *row,
                  const char *action);

/* Adds the event of the account as `row` has it, under the version after. */
void account_tell(struct tool *tool, struct db_batch *batch, const struct account_row *row);

/* mamisctl account link */
enum tool_exit account_link(struct tool *tool, struct tool_args *args);
/* mamisctl account suspend, restore */
enum tool_exit account_set_state(struct tool *tool, struct tool_args *args, bool suspended);
