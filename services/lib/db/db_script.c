/* db_script: blocking libpq, for migrations. */
#include "db/db_script.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

struct db_script {
    PGconn *conn;
};

/* libpq's words without the line end, as much as fits. */
static enum err fail(struct db_script *script, const char *words, struct err_note *note)
{
    int len = (int)strlen(words);

    while (len > 0 && words[len - 1] == '\n')
        len--;
    if (PQstatus(script->conn) != CONNECTION_OK)
        return err_say(note, ERR_DB_DOWN, "%.*s", len, words);
    return err_say(note, ERR_DB_REFUSED, "%.*s", len, words);
}

/* NOTICEs of migrations say nothing new. */
static void drop_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

enum err db_script_open(const char *dsn, struct db_script **ret_script, struct err_note *note)
{
    struct db_script *script = heap_zero(sizeof(*script));
    enum err err;

    script->conn = PQconnectdb(dsn);
    if (PQstatus(script->conn) != CONNECTION_OK) {
        err = fail(script, PQerrorMessage(script->conn), note);
        db_script_close(script);
        return err;
    }
    (void)PQsetNoticeReceiver(script->conn, drop_notice, NULL);
    *ret_script = script;
    return ERR_OK;
}

void db_script_close(struct db_script *script)
{
    if (script == NULL)
        return;
    PQfinish(script->conn);
    free(script);
}

enum err db_script_exec(struct db_script *script, const char *sql, struct err_note *note)
{
    PGresult *result = PQexec(script->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    enum err err = ERR_OK;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        err = fail(script, PQresultErrorMessage(result), note);
    PQclear(result);
    return err;
}

enum err db_script_ask(struct db_script *script, struct arena *arena, const char *sql,
                       const char *const *params, size_t param_count, const char ***ret_values,
                       size_t *ret_count, struct err_note *note)
{
    PGresult *result =
        PQexecParams(script->conn, sql, (int)param_count, NULL, params, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    enum err err = ERR_OK;

    if (status == PGRES_TUPLES_OK) {
        size_t rows = (size_t)PQntuples(result);
        const char **values = arena_array(arena, const char *, rows + 1);

        for (size_t i = 0; i < rows; i++)
            values[i] = arena_strdup(arena, PQgetvalue(result, (int)i, 0));
        *ret_values = values;
        *ret_count = rows;
    } else if (status == PGRES_COMMAND_OK) {
        *ret_values = NULL;
        *ret_count = 0;
    } else {
        err = fail(script, PQresultErrorMessage(result), note);
    }
    PQclear(result);
    return err;
}
