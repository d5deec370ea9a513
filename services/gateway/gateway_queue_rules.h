/*
 * gateway_queue_rules: who may sign in now when more people want to than hashing can serve. Numbers
 * are given in the order of arrival and called in the same order; a place is a number and when it
 * was given. Decides only: no I/O, no clock.
 */
#pragma once
#include "base/clock.h"

enum {
    QUEUE_OPEN_MS = 3000,    /* a longer wait for a thread opens the queue */
    QUEUE_TARGET_MS = 1200,  /* what calling aims at: enough that no thread idles */
    QUEUE_TICKET_S = 7200,   /* a place is good for so long */
    QUEUE_PASSED_MAX = 3000, /* and while not so many more were called */
    QUEUE_BACK_MAX_S = 90,   /* nobody is told to come back later than that */
};

/* What is known of all gateways together. `called` may run ahead of `given`. */
struct queue_state {
    int64_t given;  /* numbers 1 to this one */
    int64_t called; /* of them, those whose turn has come */
};

struct queue_ticket {
    int64_t number; /* 0: none */
    int64_t at_us;
};

enum queue_verdict {
    QUEUE_PASS, /* goes on to sign in */
    QUEUE_TAKE, /* gets a number and waits */
    QUEUE_WAIT, /* has one and waits */
};

/* `busy`: the pool has as much as it may have, by queue_rules_busy(). `*ret_place`: how many go
 * before, and the one who asks; written when it waits. */
enum queue_verdict queue_rules_verdict(const struct queue_state *state,
                                       const struct queue_ticket *ticket, bool busy, int64_t now_us,
                                       int64_t *ret_place);

/* What the pool has to do. */
struct queue_load {
    uint64_t wait_us; /* predicted for a job that comes now */
    uint64_t job_us;  /* one job; 0: not known yet */
    unsigned threads;
    unsigned waiting, waiting_max;
};
bool queue_rules_busy(const struct queue_load *load);

/* How calling goes on in one gateway. */
struct queue_pace {
    double owed;     /* a part of a person */
    double boost;    /* grows while the pool idles although people were called: they are gone */
    double a_second; /* called, of late, by all gateways */
    int64_t called;  /* when that was looked at last */
};
/* How many to call after `passed_ms`; never more than those who wait. */
int64_t queue_rules_step(struct queue_pace *pace, const struct queue_load *load,
                         const struct queue_state *state, uint64_t passed_ms);
/* Seconds until it is the turn of `place`. */
unsigned queue_rules_wait_s(const struct queue_pace *pace, const struct queue_load *load,
                            int64_t place);
/* After how many seconds to come back; spread by the number, so that people do not come together.
 */
unsigned queue_rules_back_s(unsigned wait_s, int64_t number);
