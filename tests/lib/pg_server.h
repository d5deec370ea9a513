/*
 * pg_server: a PostgreSQL of one's own for a test, on a Unix socket in child_folder(), without
 * fsync. As root it runs as the user postgres. It dies with the test program.
 */
#pragma once
#include <stdint.h>
#include <sys/types.h>

struct pg_server {
    pid_t pid;
    char bin[256];  /* folder of initdb and postgres */
    char data[128]; /* folder of the data */
    char dsn[256];  /* connection string of the superuser, database postgres */
};

/* Start on an empty database, return when it answers. Aborts on failure, as all here. */
void pg_server_start(struct pg_server *server);
/* The same, with all of deploy/migrations and the rights of proto/access.yaml applied. */
void pg_server_start_migrated(struct pg_server *server);
/* Start again after a stop or crash. */
void pg_server_again(struct pg_server *server);
/* Start again without waiting until it answers. */
void pg_server_begin(struct pg_server *server);
void pg_server_wait(const struct pg_server *server);
/* SIGINT: sessions end with SQLSTATE 57P01. */
void pg_server_stop(const struct pg_server *server);
/* SIGQUIT: sessions are cut, nothing is flushed, the next start replays. */
void pg_server_crash(struct pg_server *server);
/* Run statements on a connection of the superuser's, or whomever `dsn` names. */
void pg_server_exec(const struct pg_server *server, const char *sql);
/* The one number that a statement gives; 0 for NULL. */
int64_t pg_server_i64(const struct pg_server *server, const char *sql);
/* Run a file of statements. */
void pg_server_file(const struct pg_server *server, const char *path);
/* The connection that those use is kept; a fork needs it gone before. */
void pg_server_disconnect(void);

/* ---- for pg_ready, which makes what tests start on ---- */

/* As pg_server_start(), by initdb. */
void pg_server_make(struct pg_server *server);
/* Copy a data folder whose server is stopped to `to`, which is not there. */
void pg_server_copy(const char *from, const char *to);
/* All of deploy/migrations, on an empty database. */
void pg_server_migrate(const struct pg_server *server);
