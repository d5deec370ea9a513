/*
 * gateway_rate: how often somebody may ask for something dear, counted in Redis for all instances
 * in fixed windows. While Redis is away nothing is counted: a limit here saves work, it guards no
 * secret.
 */
#pragma once
#include "gateway/gateway_call.h"

struct rate {
    const char *what; /* part of the key */
    const char *whose;
    unsigned most; /* in a window */
    unsigned window_s;
    struct str key;
    struct cache_answer answer;
};

/* Count this one; the call's flow goes on at `next` in any case. `rate` lives as long as the call.
 */
void rate_count(struct call *call, struct rate *rate, int next);
/* First thing at `next`: true when there were too many; then that is answered and the flow ended.
 */
bool rate_refused(struct call *call, struct rate *rate);
