/*
 * db_error: SQLSTATE to enum err.
 */
#include <stdio.h>
#include <string.h>

#include "db/db_private.h"

struct rule {
    const char *sqlstate; /* five characters, or the two of a class */
    enum err err;
};

/* The first that fits. Whatever is the server's or the moment's fault may be tried again. */
static const struct rule rules[] = {
    {"MA001", ERR_FENCED},      /* raised by mamis.advance() */
    {"23505", ERR_DB_CONFLICT}, /* unique_violation */
    {"40", ERR_DB_CONFLICT},    /* transaction rollback: serialization, deadlock */
    {"57014", ERR_TIMEOUT},     /* query_canceled: statement_timeout */
    {"55P03", ERR_TIMEOUT},     /* lock_not_available: lock_timeout */
    {"57", ERR_DB_DOWN},        /* operator intervention: shutdown, starting up */
    {"08", ERR_DB_DOWN},        /* connection exceptions */
    {"53", ERR_DB_DOWN},        /* out of connections, memory, disk */
    {"58", ERR_DB_DOWN},        /* system error: I/O */
    {"25006", ERR_DB_DOWN},     /* read_only_sql_transaction: a standby, or the disk guard */
    {"25P03", ERR_DB_DOWN},     /* idle_in_transaction_session_timeout */
};

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text != NULL ? text : "";
}

static enum err err_of(const char *sqlstate)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strncmp(sqlstate, rules[i].sqlstate, strlen(rules[i].sqlstate)) == 0)
            return rules[i].err;
    }
    return ERR_DB_REFUSED;
}

/* After FATAL and PANIC the server ends the session. */
static bool ends_session(const PGresult *result)
{
    return strcmp(field(result, PG_DIAG_SEVERITY_NONLOCALIZED), "ERROR") != 0;
}

bool db_error_is_stale(const PGresult *result)
{
    const char *sqlstate = field(result, PG_DIAG_SQLSTATE);

    /* "cached plan must not change result type" has no code of its own. */
    if (strcmp(sqlstate, "0A000") == 0)
        return strcmp(field(result, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") == 0;
    return strcmp(sqlstate, "26000") == 0; /* somebody deallocated it */
}

enum err db_error_read(const struct db_conn *conn, const PGresult *result, const char *what,
                       struct err_note *note, char detail[DB_DETAIL_BYTES])
{
    const char *sqlstate = field(result, PG_DIAG_SQLSTATE);
    const char *constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
    const char *message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    enum err err = err_of(sqlstate);

    if (strncmp(sqlstate, "22", 2) == 0)
        message = "bad value"; /* the server's words repeat it, and it may be personal */
    snprintf(detail, DB_DETAIL_BYTES, "%s", constraint[0] != '\0' ? constraint : sqlstate);
    err_say(note, err, "%s: %s %s%s%s", what, sqlstate, message, constraint[0] != '\0' ? " " : "",
            constraint);
    if (db_error_is_stale(result))
        return ERR_DB_CONFLICT;
    if (ends_session(result)) {
        /* At COMMIT the work may be done already. */
        if (conn->phase == PHASE_COMMIT && conn->batch != NULL && conn->batch->transaction)
            return ERR_DB_UNKNOWN;
        if (err == ERR_DB_REFUSED)
            return ERR_DB_DOWN;
    }
    return err;
}
