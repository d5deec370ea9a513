/*
 * redis_server: a Redis of one's own for a test, on a Unix socket, with the ACL user "app".
 */
#pragma once
#include <sys/types.h>

struct redis_server {
    pid_t pid;
    char socket[96];
};

#define REDIS_SERVER_USER "app"
#define REDIS_SERVER_PASSWORD "a secret"

/* Starts it and returns when it answers. */
void redis_server_start(struct redis_server *server);
/* SIGKILL, as a crash. */
void redis_server_kill(struct redis_server *server);
