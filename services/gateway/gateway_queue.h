/*
 * gateway_queue: the queue in front of signing in. A place is a number with the time it was given,
 * under the link key, in a cookie: nobody is kept in memory. Numbers are counted in Redis for all
 * gateways; each also remembers the highest it has seen, so a Redis that was flushed is told, and
 * without one each gateway counts on by itself. A number given twice harms nobody.
 */
#pragma once
#include "gateway/gateway_call.h"
#include "gateway/gateway_queue_rules.h"

/* Of one who wants to sign in; embedded in the one who asks. */
struct queue_place {
    struct queue_ticket ticket;
    int64_t place; /* 0: it is one's turn */
    unsigned wait_s, back_s;
    struct cache_answer answer; /* the number, of queue_take() */
};

/* What the request's cookie says, and what that means now. */
enum queue_verdict queue_look(struct call *call, struct queue_place *place);
/* A number for whoever has none; goes on at `next`, whatever Redis does. */
void queue_take(struct call *call, struct queue_place *place, int next);
/* There, before anything else. */
void queue_taken(struct call *call, struct queue_place *place);
/* Counts the call among those who come to the hash threads soon, or not any more. */
void queue_enter(struct call *call, bool entering);
/* Answers that one has to wait, with one's place. */
void queue_answer_wait(struct call *call, const struct queue_place *place);
/* Signed in: the place is given up. */
void queue_leave(struct call *call);
/* For pages: the same as queue_look(), and who has no place gets one at once. */
enum queue_verdict queue_page_place(struct gateway *gateway, struct http_request *request,
                                    struct queue_place *place);
/* Where somebody without a place would come. */
void queue_last_place(struct gateway *gateway, struct queue_place *place);
/* Answers when the address is that of the queue's page. */
bool queue_page(struct gateway *gateway, struct http_request *request);
