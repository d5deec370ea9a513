/*
 * gateway_postcards: files of postcards that are issued here again. Until its credentials are in
 * force a file is called "postcard-ID.part", which the printer does not take; afterwards
 * "postcard-ID.csv". What a gateway that died left behind is told by the database: it has the
 * credentials, or it never had them.
 */
#pragma once
#include "gateway/gateway.h"
#include "postcard/postcard.h"

enum {
    POSTCARDS_SWEPT_MAX = 100, /* in one round */
    POSTCARD_NAME_BYTES = 64,
    /* Longer than any commit may take; by the clock that dates files. */
    POSTCARDS_LEFT_S = 600,
};

#define POSTCARD_PART ".part"
#define POSTCARD_DONE ".csv"

/* A file that is not the printer's yet. */
struct postcard_left {
    char name[POSTCARD_NAME_BYTES];
    char login_id[TEMP_TEXT_BYTES]; /* "": none can be read */
    bool old;                       /* its commit cannot come any more */
    bool in_force;
};

/* One round over the folder. Memory: the caller's, while its flow waits. */
struct postcard_sweep {
    const char *folder;
    struct postcard_left left[POSTCARDS_SWEPT_MAX];
    size_t count;
    struct db_query *query;
};

/*
 * The three steps of a round; each waits in `flow` and resumes at `next`. Find what is left, ask
 * the database, then give it to the printer or remove it.
 */
void postcards_find(struct gateway *gateway, struct postcard_sweep *sweep, struct flow *flow,
                    int next);
void postcards_ask(struct gateway *gateway, struct postcard_sweep *sweep, struct flow *flow,
                   int next);
void postcards_settle(struct gateway *gateway, struct postcard_sweep *sweep, struct flow *flow,
                      int next);
/* The file at `part` is the printer's from now on; false: it is not there, or cannot be renamed. */
bool postcard_release(const char *part);
