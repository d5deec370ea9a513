/*
 * pg_ready FOLDER: makes the data folders that the tests' servers are copies of: FOLDER/empty as
 * initdb leaves it, FOLDER/migrated with all migrations. The build runs it; FOLDER is not there.
 */
#include <stdio.h>

#include "lib/pg_server.h"

static void keep(const struct pg_server *server, const char *folder, const char *name)
{
    char path[4096];

    pg_server_stop(server);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    pg_server_copy(server->data, path);
}

int main(int argc, char **argv)
{
    struct pg_server server;

    if (argc != 2)
        return 2;
    pg_server_make(&server);
    keep(&server, argv[1], "empty");
    pg_server_again(&server);
    pg_server_migrate(&server);
    pg_server_disconnect();
    keep(&server, argv[1], "migrated");
    return 0;
}
