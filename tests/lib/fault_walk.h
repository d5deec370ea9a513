/*
 * fault_walk: a service's handlers with lib/work as it is, a real PostgreSQL and a bus in memory,
 * while the nth call of each kind fails, for every n, in every way it can: error, time-out, lost
 * answer. However it fails, what is in the tables and on the topics in the end has to be what an
 * undisturbed run leaves there. How far n came is printed; below tests/data/SERVICE_faults.json it
 * is a failure, so that a way that is not walked any more is noticed.
 */
#pragma once
#include "lib/pg_server.h"
#include "work/work.h"

struct fault_message {
    const char *before; /* SQL in front of it; NULL: none */
    const char *type;   /* NULL: no message */
    const char *data;   /* the members of its data */
    const char *ended;  /* SQL, true once all that it sets off is done, and right */
};

struct fault_case {
    const char *name; /* as in the file of figures */
    /* `then` comes when `first` is through; when there is one, only its calls fail. */
    struct fault_message first, then;
};

struct fault_walk {
    const char *service; /* also its schema, and mamis_SERVICE its role */
    const char *now;     /* business time: "2025-04-20T09:00:00+09:00" */
    const char *topic;   /* of the messages; what the service sends itself there comes back */
    const char *key;     /* of the messages */
    const char *const *emitted; /* all topics on which its events lie */
    size_t emitted_count;
    const struct work_route *routes;
    size_t route_count;
    const struct fault_case *cases;
    size_t case_count;
    void (*fill)(struct pg_server *server); /* once, before all cases; NULL: nothing to do */
    const char *clean; /* SQL: the service's own tables as they are before each case */
    /* What counts in the end: the rows of these tables with what was sent and answered, and the
     * lines that this SQL gives (NULL: none). Times, UUIDs and chains' numbers in them do not, nor
     * what the regular expression `masked` finds (NULL: nothing). */
    const char *const *tables;
    size_t table_count;
    const char *lines;
    const char *masked;
    /* The service's state on this loop and database, and its end. */
    void *(*open)(struct loop *loop, struct db_pool *db);
    void (*use)(void *state, struct work *work);
    void (*close)(void *state);
};

/*
 * A test program's main(): walks all cases on a PostgreSQL server of its own; each process of the
 * walk works on a copy of its database. `walk` is for this service alone.
 */
int fault_walk_main(const struct fault_walk *walk);
