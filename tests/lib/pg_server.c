/*
 * pg_server: postgres as a child of the test, on a copy of what pg_ready made once.
 */
#include "lib/pg_server.h"

#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/child.h"

enum { ARGS_MAX = 48, START_TRIES = 6000, TRY_NS = 5 * 1000 * 1000, STOP_MS = 60000 };

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "pg_server: %s: %s\n", what, why);
    abort();
}

/* Where the distribution puts them; the newest version wins. */
static void find_bin(struct pg_server *server)
{
    const char *const ask[] = {"pg_config", "--bindir", NULL};
    glob_t found;

    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0 && found.gl_pathc > 0) {
        snprintf(server->bin, sizeof(server->bin), "%s", found.gl_pathv[found.gl_pathc - 1]);
        globfree(&found);
        return;
    }
    if (!child_output(ask, server->bin, sizeof(server->bin)))
        fail("PostgreSQL", "not installed");
    server->bin[strcspn(server->bin, "\n")] = '\0';
}

/* The server refuses root. Gives the number of words put in front of the program. */
static size_t become_postgres(const char **argv)
{
    static const char *const words[] = {"setpriv", "--reuid=postgres", "--regid=postgres",
                                        "--clear-groups", "--pdeathsig=QUIT"};
    const size_t count = sizeof(words) / sizeof(words[0]);

    if (geteuid() != 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        argv[i] = words[i];
    return count;
}

static void name_folder(struct pg_server *server)
{
    memset(server, 0, sizeof(*server));
    find_bin(server);
    snprintf(server->data, sizeof(server->data), "%s/pg", child_folder());
    snprintf(server->dsn, sizeof(server->dsn), "host=%s user=postgres dbname=postgres",
             server->data);
    if (chmod(child_folder(), 0711) != 0)
        fail(child_folder(), "keeps postgres out");
}

static void make_folder(const struct pg_server *server)
{
    if (mkdir(server->data, 0700) != 0)
        fail(server->data, "cannot be made");
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam("postgres");

        if (user == NULL || chown(server->data, user->pw_uid, user->pw_gid) != 0)
            fail("user postgres", "missing");
    }
}

static void init_data(const struct pg_server *server)
{
    const char *argv[ARGS_MAX] = {NULL};
    char program[300];
    char said[8192];
    size_t count = become_postgres(argv);
    const char *const args[] = {program,           "-D",
                                server->data,      "-U",
                                "postgres",        "-A",
                                "trust",           "-N",
                                "--encoding=UTF8", "--locale=C.UTF-8"};

    snprintf(program, sizeof(program), "%s/initdb", server->bin);
    for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++)
        argv[count++] = args[i];
    if (!child_output(argv, said, sizeof(said)))
        fail("initdb", said);
}

void pg_server_begin(struct pg_server *server)
{
    const char *argv[ARGS_MAX] = {NULL};
    char program[300];
    char log[160];
    size_t count = become_postgres(argv);
    const char *const args[] = {program, "-F",
                                "-D",    server->data,
                                "-k",    server->data,
                                "-c",    "listen_addresses=",
                                "-c",    "max_connections=40",
                                "-c",    "shared_buffers=32MB",
                                "-c",    "max_wal_size=2GB"};

    snprintf(program, sizeof(program), "%s/postgres", server->bin);
    snprintf(log, sizeof(log), "%s/pg.log", child_folder());
    for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++)
        argv[count++] = args[i];
    server->pid = child_start(argv, log);
}

void pg_server_wait(const struct pg_server *server)
{
    const struct timespec pause = {.tv_nsec = TRY_NS};

    for (int tries = 0; tries < START_TRIES; tries++) {
        if (PQping(server->dsn) == PQPING_OK)
            return;
        nanosleep(&pause, NULL);
    }
    fail("postgres", "does not answer");
}

void pg_server_again(struct pg_server *server)
{
    pg_server_begin(server);
    pg_server_wait(server);
}

void pg_server_make(struct pg_server *server)
{
    name_folder(server);
    make_folder(server);
    init_data(server);
    pg_server_again(server);
}

void pg_server_copy(const char *from, const char *to)
{
    const char *const argv[] = {"cp", "-a", from, to, NULL};
    char said[256];

    if (!child_output(argv, said, sizeof(said)))
        fail(from, "cannot be copied");
}

static void start_on(struct pg_server *server, const char *ready)
{
    name_folder(server);
    pg_server_copy(ready, server->data);
    pg_server_again(server);
}

void pg_server_start(struct pg_server *server)
{
    start_on(server, TEST_PG_READY "/empty");
}

void pg_server_start_migrated(struct pg_server *server)
{
    start_on(server, TEST_PG_READY "/migrated");
}

void pg_server_stop(const struct pg_server *server)
{
    child_stop(server->pid, SIGINT, STOP_MS);
}

void pg_server_crash(struct pg_server *server)
{
    child_stop(server->pid, SIGQUIT, STOP_MS);
}

/* The connection is kept: tests ask again and again until something is so. */
static PGconn *kept;
static char kept_dsn[256];

static void drop_kept(void)
{
    PQfinish(kept);
    kept = NULL;
}

static PGresult *run_kept(const struct pg_server *server, const char *sql)
{
    if (kept != NULL && strcmp(kept_dsn, server->dsn) != 0)
        drop_kept();
    if (kept == NULL) {
        kept = PQconnectdb(server->dsn);
        snprintf(kept_dsn, sizeof(kept_dsn), "%s", server->dsn);
    }
    return PQexec(kept, sql);
}

/* The session had ended: the server says so (class 57), or nothing at all. */
static bool is_cut(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return PQresultStatus(result) == PGRES_FATAL_ERROR &&
           (state == NULL || strncmp(state, "57P", 3) == 0);
}

static PGresult *run(const struct pg_server *server, const char *sql)
{
    bool fresh = kept == NULL;
    PGresult *result = run_kept(server, sql);
    ExecStatusType status;

    if (!fresh && is_cut(result)) { /* the server was away meanwhile */
        PQclear(result);
        drop_kept();
        result = run_kept(server, sql);
    }
    status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail(sql, PQerrorMessage(kept));
    return result;
}

void pg_server_exec(const struct pg_server *server, const char *sql)
{
    PQclear(run(server, sql));
}

int64_t pg_server_i64(const struct pg_server *server, const char *sql)
{
    PGresult *result = run(server, sql);
    int64_t value;

    if (PQntuples(result) != 1 || PQnfields(result) != 1)
        fail(sql, "not one value");
    value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return value;
}

void pg_server_file(const struct pg_server *server, const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");

    if (file == NULL || getdelim(&text, &room, '\0', file) <= 0)
        fail(path, "cannot be read");
    fclose(file);
    pg_server_exec(server, text);
    free(text);
}

void pg_server_disconnect(void)
{
    drop_kept();
}

void pg_server_migrate(const struct pg_server *server)
{
    glob_t found;

    pg_server_exec(server, "CREATE SCHEMA mamis; CREATE TABLE mamis.migration (name text)");
    if (glob(TEST_SOURCE_DIR "/deploy/migrations/*.sql", 0, NULL, &found) != 0) /* sorted */
        fail("migrations", "none");
    for (size_t i = 0; i < found.gl_pathc; i++)
        pg_server_file(server, found.gl_pathv[i]);
    globfree(&found);
    pg_server_file(server, TEST_GEN_DIR "/access.sql");
}
