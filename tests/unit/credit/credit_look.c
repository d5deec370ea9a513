/* credit_look: connections of the tests' own, and what they ask of the books. */
#include "unit/credit/credit_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_BYTES = 8192, CONNECTIONS_MAX = 24 };

/* ---- connections of our own ---- */

/* Kept open until the end of the group; one for each role and scope. */
static struct connection {
    char key[64];
    PGconn *conn;
} connections[CONNECTIONS_MAX];

static PGconn *connect_new(const char *role, const char *scope)
{
    const char *rest = strstr(bench.server.dsn, "user=postgres");
    char dsn[512];
    PGconn *conn;

    must(rest != NULL);
    (void)snprintf(dsn, sizeof(dsn), "%.*suser=%s%s options='-c timezone=Asia/Tokyo%s%s'",
                   (int)(rest - bench.server.dsn), bench.server.dsn, role,
                   rest + strlen("user=postgres"),
                   scope == NULL ? "" : " -c app.scope=", scope == NULL ? "" : scope);
    conn = PQconnectdb(dsn);
    must(PQstatus(conn) == CONNECTION_OK);
    return conn;
}

PGconn *connect_as(const char *role, const char *scope)
{
    char key[64];

    (void)snprintf(key, sizeof(key), "%s %s", role, scope == NULL ? "" : scope);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *kept = &connections[i];

        if (kept->conn != NULL && strcmp(kept->key, key) == 0)
            return kept->conn;
        if (kept->conn == NULL) {
            (void)snprintf(kept->key, sizeof(kept->key), "%s", key);
            kept->conn = connect_new(role, scope);
            return kept->conn;
        }
    }
    must(false);
}

void disconnect_all(void)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        PQfinish(connections[i].conn);
        connections[i].conn = NULL;
    }
}

PGresult *succeed(PGconn *conn, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
        fail_msg("%s", PQerrorMessage(conn));
    return result;
}

void run(PGconn *conn, const char *statements)
{
    PQclear(succeed(conn, PQexec(conn, statements)));
}

/* ---- looking ---- */

static char *format_sql(const char *format, va_list list)
{
    char *made = arena_alloc(arena, SQL_BYTES);
    int length = vsnprintf(made, SQL_BYTES, format, list);

    must(length >= 0 && length < SQL_BYTES);
    return made;
}

int64_t count(const char *statement, ...)
{
    PGconn *conn = connect_as("postgres", "auditor");
    PGresult *result;
    va_list list;
    char *made;
    int64_t number;

    va_start(list, statement);
    made = format_sql(statement, list);
    va_end(list);
    result = succeed(conn, PQexec(conn, made));
    must(PQntuples(result) == 1 && PQnfields(result) == 1);
    number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

void sql(const char *statements, ...)
{
    va_list list;
    char *made;

    va_start(list, statements);
    made = format_sql(statements, list);
    va_end(list);
    run(connect_as("postgres", NULL), made);
}

static void release_json(void *object)
{
    json_decref(object);
}

static json_t *ask_conn(PGconn *conn, const char *statement)
{
    PGresult *result = succeed(conn, PQexec(conn, statement));
    json_t *json = NULL;

    must(PQntuples(result) == 1 && PQnfields(result) == 1);
    if (!PQgetisnull(result, 0, 0)) {
        json = json_loads(PQgetvalue(result, 0, 0), JSON_DECODE_ANY, NULL);
        must(json != NULL);
        arena_defer(arena, release_json, json);
    }
    PQclear(result);
    return json;
}

json_t *ask(const char *statement, ...)
{
    va_list list;
    char *made;

    va_start(list, statement);
    made = format_sql(statement, list);
    va_end(list);
    return ask_conn(connect_as("postgres", "auditor"), made);
}

json_t *ask_as(const char *scope, const char *statement, ...)
{
    va_list list;
    char *made;

    va_start(list, statement);
    made = format_sql(statement, list);
    va_end(list);
    return ask_conn(connect_as("mamis_gateway", scope), made);
}

static json_t *upload_json(const struct sent *upload)
{
    json_t *json = ask_as("organiser:P13", "SELECT json FROM portal.upload WHERE upload_id = '%s'",
                          upload->id);

    assert_non_null(json);
    return json;
}

const char *upload_text(const struct sent *upload, const char *name)
{
    return bench_text(upload_json(upload), name);
}

int64_t upload_number(const struct sent *upload, const char *name)
{
    return bench_number(upload_json(upload), name);
}

void assert_counts(const struct sent *upload, const int64_t wanted[OUTCOME_COUNT])
{
    const json_t *counts = json_object_get(upload_json(upload), "counts");

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        int64_t got = bench_number(counts, outcome_name(outcome));

        if (got != wanted[outcome])
            fail_msg("%s: got %ld, wanted %ld", outcome_name(outcome), (long)got,
                     (long)wanted[outcome]);
    }
}

void assert_books(const struct sent *upload)
{
    const long long no = (long long)upload->no;

    /* The rows of the view are 1 .. rows_total, each once, and as many of each outcome as counted.
     */
    assert_int_equal(
        count(
            "SELECT count(*) FROM credit.upload u WHERE upload_no = %lld AND status IN ('done', "
            "'undone')"
            " AND (SELECT array_agg(row_no ORDER BY row_no) FROM portal.upload_row r"
            "      WHERE r.upload_id = u.upload_id)"
            "  IS NOT DISTINCT FROM (SELECT array_agg(n) FROM generate_series(1, u.rows_total::int)"
            "      AS n)"
            " AND (posted, already_posted, waiting, unmatched, absent, rejected)"
            "  = (SELECT count(*) FILTER (WHERE outcome = 'posted'),"
            "            count(*) FILTER (WHERE outcome = 'already_posted'),"
            "            count(*) FILTER (WHERE outcome = 'waiting'),"
            "            count(*) FILTER (WHERE outcome = 'unmatched'),"
            "            count(*) FILTER (WHERE outcome = 'absent'),"
            "            count(*) FILTER (WHERE outcome = 'rejected')"
            "     FROM portal.upload_row r WHERE r.upload_id = u.upload_id)",
            no),
        1);
    /* Posted rows and entries lead to each other. */
    assert_int_equal(
        count("WITH posted AS (SELECT p.* FROM credit.upload u"
              "  JOIN credit.upload_chunk c USING (upload_no),"
              "  unnest(c.posted_row, c.posted_doctor, c.posted_session)"
              "   AS p (row_no, doctor_id, session_id)"
              "  WHERE upload_no = %lld AND NOT u.dry_run),"
              " entries AS (SELECT DISTINCT row_no, doctor_id, session_id FROM credit.ledger"
              "  WHERE upload_no = %lld AND revision %% 2 = 0)"
              " SELECT (SELECT count(*) FROM (TABLE posted EXCEPT TABLE entries) AS a)"
              "      + (SELECT count(*) FROM (TABLE entries EXCEPT TABLE posted) AS b)",
              no, no),
        0);
    /* Revisions 0, 1, 2, ... without a gap, posting and cancelling in turn. */
    assert_int_equal(count("SELECT count(*) FROM (SELECT revision, row_number() OVER"
                           " (PARTITION BY doctor_id, session_id, programme ORDER BY revision) - 1"
                           " AS place FROM credit.ledger) AS l WHERE revision <> place"),
                     0);
}
