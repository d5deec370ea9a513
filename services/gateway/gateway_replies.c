/*
 * gateway_replies: answers to commands. Every instance reads all of mamis.replies from its end and
 * keeps what it waits for; a missed answer costs time only, since the operation's row tells too.
 */
#include <stdlib.h>

#include "gateway/gateway.h"
#include "gen/events.h"

enum { REPLIES_TICK_MS = 50, REPLY_TOKENS_MAX = 50000 };

struct replies {
    struct gateway *gateway;
    struct timer timer;
    bool ticking;
    struct reply_wait *waits;
    unsigned count;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void resume(struct reply_wait *wait)
{
    struct flow *flow = wait->flow;

    wait->flow = NULL;
    if (flow != NULL)
        flow_resume(flow, ERR_OK);
}

/* The CloudEvents envelope's data, decoded in the arena of the one who waits. */
static bool take(struct reply_wait *wait, struct str value)
{
    struct event_reply reply;
    struct body_problem problem;
    json_t *json = NULL;

    if (shape_parse(wait->arena, value, REPLY_TOKENS_MAX, &json, &problem) != ERR_OK)
        return false;
    if (event_reply_decode(wait->arena, json_object_get(json, "data"), &reply, NULL) != ERR_OK)
        return false;
    wait->come = true;
    wait->done = str_eq_c(reply.status, "done");
    wait->result = reply.result;
    wait->problem = reply.problem;
    return true;
}

/* Several requests may wait for one operation: the same key came more than once. */
static void on_message(void *arg, const struct bus_message *message)
{
    struct replies *replies = arg;
    struct uuid operation_id;

    if (!uuid_parse(message->key, &operation_id))
        return;
    for (struct reply_wait *wait = replies->waits; wait != NULL; wait = wait->next) {
        if (wait->come || !uuid_eq(wait->operation_id, operation_id))
            continue;
        if (take(wait, message->value))
            resume(wait);
        else
            LOG_WARN("reply_unreadable", F_TEXT("operation_id", message->key));
    }
}

static void on_tick(void *arg)
{
    struct replies *replies = arg;
    uint64_t now_ms = clock_mono_ms();

    for (struct reply_wait *wait = replies->waits; wait != NULL; wait = wait->next)
        if (wait->flow != NULL && now_ms >= wait->until_ms)
            resume(wait);
    if (replies->waits == NULL) {
        replies->ticking = false;
        timer_stop(&replies->timer);
    }
}

struct replies *replies_open(struct gateway *gateway)
{
    struct replies *replies = heap_zero(sizeof(*replies));

    replies->gateway = gateway;
    timer_open(&replies->timer, gateway->loop, on_tick, replies);
    (void)bus_tail(gateway->bus, TOPIC_REPLIES, on_message, replies);
    return replies;
}

static void on_closed(void *arg)
{
    struct replies *replies = arg;

    replies->closed(replies->closed_arg);
    /* Not freed: the consumer may call until the bus is closed; the process ends right after. */
}

void replies_close(struct replies *replies, void (*closed)(void *arg), void *arg)
{
    replies->closed = closed;
    replies->closed_arg = arg;
    for (struct reply_wait *wait = replies->waits; wait != NULL; wait = wait->next)
        resume(wait);
    timer_close(&replies->timer, on_closed);
}

void reply_expect(struct replies *replies, struct reply_wait *wait)
{
    must(wait->arena != NULL);
    wait->next = replies->waits;
    replies->waits = wait;
    replies->count++;
}

void reply_await(struct replies *replies, struct reply_wait *wait, struct flow *flow)
{
    if (wait->come || clock_mono_ms() >= wait->until_ms) {
        flow_resume(flow, ERR_OK);
        return;
    }
    wait->flow = flow;
    if (!replies->ticking) {
        replies->ticking = true;
        timer_start(&replies->timer, REPLIES_TICK_MS, REPLIES_TICK_MS);
    }
}

void reply_forget(struct replies *replies, struct reply_wait *wait)
{
    struct reply_wait **at = &replies->waits;

    /* This very one: others may wait for the same operation. */
    while (*at != NULL && *at != wait)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = wait->next;
    wait->next = NULL;
    replies->count--;
}

unsigned replies_waiting(const struct replies *replies)
{
    return replies->count;
}
