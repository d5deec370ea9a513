/*
 * db_script: one blocking connection that runs texts of several SQL statements. Only for
 * migrations: everything else goes through db.h, which has no way to send such texts.
 */
#pragma once
#include "base/arena.h"

struct db_script;

/* Errors: ERR_DB_DOWN with libpq's words in `note`. */
CHECKED enum err db_script_open(const char *dsn, struct db_script **ret_script,
                                struct err_note *note);
/* NULL is allowed. An open transaction ends without effect. */
void db_script_close(struct db_script *script);
/*
 * Run all statements of `sql`; an error stops there. Transactions are the caller's: BEGIN and
 * COMMIT. Errors: ERR_DB_REFUSED with the server's words, ERR_DB_DOWN.
 */
CHECKED enum err db_script_exec(struct db_script *script, const char *sql, struct err_note *note);
/*
 * Run one statement with text parameters ($1..) and give the first column of each row as text.
 * Memory: `*ret_values` lives in the arena; NULL values are "".
 */
CHECKED enum err db_script_ask(struct db_script *script, struct arena *arena, const char *sql,
                               const char *const *params, size_t param_count,
                               const char ***ret_values, size_t *ret_count, struct err_note *note);
