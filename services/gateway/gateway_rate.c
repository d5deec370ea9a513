/* gateway_rate: see gateway_rate.h. */
#include "gateway/gateway_rate.h"

static int64_t window_of(const struct rate *rate, int64_t now_us)
{
    return now_us / ((int64_t)rate->window_s * CLOCK_SECOND_US);
}

void rate_count(struct call *call, struct rate *rate, int next)
{
    struct arena *arena = call->flow.arena;

    rate->key =
        str_of(arena_printf(arena, "%srate:%s:%s:%lld", call->gateway->settings->redis_prefix,
                            rate->what, rate->whose, (long long)window_of(rate, call->now_us)));
    const struct str args[] = {STR("INCR"), rate->key};

    flow_on_error(&call->flow, next);
    flow_wait(&call->flow, next);
    cache_run(call->gateway->cache, args, ARRAY_LEN(args), &rate->answer, &call->flow);
}

bool rate_refused(struct call *call, struct rate *rate)
{
    const int64_t window_us = (int64_t)rate->window_s * CLOCK_SECOND_US;
    const int64_t left_us = window_us - call->now_us % window_us;

    call->flow.err = ERR_OK;
    flow_on_error(&call->flow, FLOW_END);
    if (rate->answer.number == 1) {
        const struct str args[] = {STR("EXPIRE"), rate->key,
                                   str_of(arena_printf(call->flow.arena, "%u", rate->window_s))};

        cache_send(call->gateway->cache, args, ARRAY_LEN(args));
    }
    if (rate->answer.number <= (int64_t)rate->most)
        return false;
    call_problem_later(call, CODE_TOO_MANY_REQUESTS, (unsigned)(left_us / CLOCK_SECOND_US + 1));
    return true;
}
