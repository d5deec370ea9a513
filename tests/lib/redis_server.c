/*
 * redis_server: redis-server as a child, without persistence.
 */
#include "lib/redis_server.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/child.h"

static bool answers(const char *path)
{
    redisContext *context = redisConnectUnix(path);
    bool well = false;

    if (context != NULL && context->err == 0) {
        redisReply *reply = redisCommand(context, "PING");

        well = reply != NULL && reply->type == REDIS_REPLY_STATUS;
        if (reply != NULL)
            freeReplyObject(reply);
    }
    if (context != NULL)
        redisFree(context);
    return well;
}

void redis_server_start(struct redis_server *server)
{
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    char log[128];
    const char *argv[] = {"redis-server",
                          "--port",
                          "0",
                          "--save",
                          "",
                          "--appendonly",
                          "no",
                          "--unixsocket",
                          server->socket,
                          "--dir",
                          child_folder(),
                          "--user",
                          REDIS_SERVER_USER,
                          "on",
                          ">" REDIS_SERVER_PASSWORD,
                          "~*",
                          "&*",
                          "+@all",
                          NULL};

    snprintf(server->socket, sizeof(server->socket), "%s/redis.sock", child_folder());
    snprintf(log, sizeof(log), "%s/redis.log", child_folder());
    unlink(server->socket);
    server->pid = child_start(argv, log);
    for (int tries = 0; tries < 2000; tries++) {
        if (access(server->socket, F_OK) == 0 && answers(server->socket))
            return;
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "redis_server: does not answer\n");
    abort();
}

void redis_server_kill(struct redis_server *server)
{
    child_stop(server->pid, SIGKILL, 5000);
    server->pid = 0;
}
