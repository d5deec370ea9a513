/*
 * breaker: a window of the last calls, one bit each.
 */
#include "cache/breaker.h"

void breaker_count(struct breaker *breaker, bool failed)
{
    breaker->failed = breaker->failed << 1 | (failed ? 1 : 0);
    if (breaker->calls < BREAKER_CALLS_KEPT)
        breaker->calls++;
    if (breaker->calls < BREAKER_CALLS_LEAST)
        return;
    if ((unsigned)__builtin_popcountll(breaker->failed) * 2 >= breaker->calls)
        breaker->open = true;
}

void breaker_open(struct breaker *breaker)
{
    breaker->open = true;
}

void breaker_close(struct breaker *breaker)
{
    *breaker = (struct breaker){0};
}
