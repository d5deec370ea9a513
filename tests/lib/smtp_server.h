/*
 * smtp_server: a smart host that says what a script tells it to. It runs in processes of its own,
 * one for each connection; what it took lies in memory shared with the test. Ends with the test
 * program, however that ends.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

enum { SMTP_KEPT_MAX = 256, SMTP_BODY_BYTES_MAX = 16 * 1024 };

/*
 * The answers. Data NULL: hang up instead. Length 0: say nothing until the script changes. They lie
 * in memory that is as it is now when the server starts (literals do).
 */
struct smtp_script {
    struct str greeting, hello, mail, rcpt, data, dot;
};

#define SMTP_OK STR("250 ok\r\n")
#define SMTP_SILENT ((struct str){"", 0})
#define SMTP_GO STR("354 go on\r\n")
/* Everything is taken. */
extern const struct smtp_script smtp_takes_all;

/* A message whose final dot has come. */
struct smtp_kept {
    char to[256];
    char message_id[160];
    char body[SMTP_BODY_BYTES_MAX]; /* headers too; cut when longer */
};

struct smtp_shared;

struct smtp_server {
    uint16_t port;
    pid_t pid; /* 0: stopped */
    struct smtp_shared *shared;
};

/* Begin to listen. `port` of a zeroed server: any free one; of a stopped one: the same again. */
void smtp_server_start(struct smtp_server *server);
/* It is gone, with all connections. What it took stays. */
void smtp_server_stop(struct smtp_server *server);
/* Stop, and forget what it took. */
void smtp_server_free(struct smtp_server *server);
/* From the next command on, and where nothing was said yet. */
void smtp_server_say(struct smtp_server *server, const struct smtp_script *script);
/* "smtp://127.0.0.1:port"; static storage. */
const char *smtp_server_url(const struct smtp_server *server);

/* Messages taken so far; forget them. */
size_t smtp_server_count(const struct smtp_server *server);
const struct smtp_kept *smtp_server_kept(const struct smtp_server *server, size_t i);
void smtp_server_forget(struct smtp_server *server);
/* How many of them were for an address, or had a Message-ID. */
size_t smtp_server_copies(const struct smtp_server *server, const char *to_or_id);
/* Connections that were accepted. */
size_t smtp_server_connections(const struct smtp_server *server);
/* Of them, those that stand where the script says nothing. */
size_t smtp_server_silent(const struct smtp_server *server);
