/*
 * gateway_throttle: failed sign-ins cost time. Counted for each login id, and for each address the
 * number of login ids that failed from it, so that hammering one account harms nobody else who
 * shares the address. Fine counters are in Redis; from the fifth failure on PostgreSQL keeps a
 * coarse one, which a flushed Redis does not forget, and all of them while Redis is away. Only
 * failures count, and only those that were not throttled already; nothing is ever locked for good.
 *
 * Of one login id (or one account's codes) a gateway compares one secret at a time: who guesses
 * many at once gets no more guesses than who does it one after another.
 */
#pragma once
#include "gateway/gateway_call.h"

enum {
    THROTTLE_FREE = 5,          /* failures of a login id before it waits */
    THROTTLE_ADDRESS_FREE = 30, /* login ids that may fail from one address */
    THROTTLE_WINDOW_S = 900,    /* after so long without a failure all is forgotten */
    THROTTLE_WAIT_MAX_S = 60,
    THROTTLE_NETWORK_BYTES = 8, /* of an address of IPv6 */
    THROTTLE_TURNS_MAX = 20,    /* of one login id that may wait for their turn */
};

struct throttle {
    struct flow flow; /* a job of its own inside the call */
    struct flow *parent;
    struct call *call;
    const char *account; /* subjects: the login id's SHA-256, the address */
    const char *address;
    struct cache_answer answer;
    int64_t failures;                        /* of the login id, as PostgreSQL knows them */
    int64_t counted;                         /* as Redis counts them, 0 when it is away */
    int64_t address_known, address_failures; /* of the address, the same */
    unsigned wait_s;                         /* 0: go on */
    bool reached;                            /* after counting: the login id waits from here on */
    struct db_query *query;
    struct throttle *next; /* in gateway->guesses */
};

/* Seconds to wait after so many failures. */
unsigned throttle_wait_s(int64_t failures, int64_t free);
/* "address:..." of a client. Of IPv6 the network: one host has as many addresses as it likes. */
const char *throttle_address(struct arena *arena, const char *address);
/* `login_id` is folded. `throttle` lives as long as the call. */
void throttle_init(struct throttle *throttle, struct call *call, struct str login_id);
/*
 * Whether it has to wait: resumes `flow` with ERR_OK and throttle->wait_s, when it is its turn
 * among those of the same login id; the next one's comes when this one is counted, or the call is
 * over.
 */
void throttle_check(struct throttle *throttle, struct flow *flow);
/* Count one failure; resumes `flow` with ERR_OK always: what cannot be counted is not lost on us.
 */
void throttle_count(struct throttle *throttle, struct flow *flow);
/* It worked: the login id is free again. Adds to `batch`; Redis is told without waiting. */
void throttle_forget(struct throttle *throttle, struct db_batch *batch);
/* The same for a login id known otherwise (a reset). */
void throttle_forget_login(struct call *call, struct str login_id, struct db_batch *batch);
