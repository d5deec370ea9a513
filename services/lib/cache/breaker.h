/*
 * breaker: when to stop asking somebody who does not answer well. Opens at 50 % failures over the
 * last 64 calls, once there were 20; whoever owns it probes and closes it. No I/O, no clock.
 */
#pragma once
#include "base/base.h"

enum { BREAKER_CALLS_LEAST = 20, BREAKER_CALLS_KEPT = 64 };

struct breaker {
    uint64_t failed; /* one bit a call, the newest lowest */
    unsigned calls;  /* of them known, at most BREAKER_CALLS_KEPT */
    bool open;
};

/* Note one call's end; opens the breaker when too many failed. */
void breaker_count(struct breaker *breaker, bool failed);
void breaker_open(struct breaker *breaker);
/* A probe was answered well: forget the past. */
void breaker_close(struct breaker *breaker);
