/* gateway_queue: see gateway_queue.h. */
#include "gateway/gateway_queue.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_TICK_MS = 250, QUEUE_CALM_MS = 1000 };

#define QUEUE_PURPOSE "queue_place"

enum tick_step { TICK_GIVEN, TICK_CALL, TICK_CALLED, TICK_ALONE };

struct queue {
    struct gateway *gateway;
    struct queue_state state; /* the highest seen anywhere */
    struct queue_pace pace;
    struct timer timer;
    struct flow flow;
    bool running;
    uint64_t ticked_ms;
    int64_t step;
    struct cache_answer answer;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* ---- places ---- */

/* The number and the second it was given, as the id of a link. */
static struct uuid ticket_id(const struct queue_ticket *ticket)
{
    uint64_t parts[2] = {htobe64((uint64_t)ticket->number), htobe64((uint64_t)ticket->at_us)};
    struct uuid id;

    memcpy(id.bytes, parts, sizeof(id.bytes));
    return id;
}

static struct queue_ticket ticket_of(struct uuid id)
{
    uint64_t parts[2];

    memcpy(parts, id.bytes, sizeof(parts));
    return (struct queue_ticket){(int64_t)be64toh(parts[0]), (int64_t)be64toh(parts[1])};
}

static const char *cookie_name(const struct gateway *gateway)
{
    return gateway->secure ? "__Host-mamis_place" : "mamis_place";
}

static struct queue_ticket read_ticket(struct gateway *gateway, const struct http_request *request)
{
    struct str text = http_cookie(request, cookie_name(gateway));
    struct uuid id;

    if (text.len == 0 || !link_id(text, &id) ||
        !link_check(&gateway->link_key, QUEUE_PURPOSE, text))
        return (struct queue_ticket){0};
    return ticket_of(id);
}

static void set_cookie(const struct gateway *gateway, struct http_request *request,
                       const char *value, int age_s)
{
    http_set_header(request, "Set-Cookie",
                    arena_printf(http_request_arena(request),
                                 "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s",
                                 cookie_name(gateway), value, age_s,
                                 gateway->secure ? "; Secure" : ""));
}

static void give_ticket(struct gateway *gateway, struct http_request *request,
                        const struct queue_ticket *ticket)
{
    char text[LINK_TEXT_BYTES];

    link_text(&gateway->link_key, QUEUE_PURPOSE, ticket_id(ticket), text);
    set_cookie(gateway, request, text, QUEUE_TICKET_S);
}

/* ---- what is known ---- */

static struct queue_load load_of(const struct gateway *gateway)
{
    struct pool_stats stats;

    pool_stats(gateway->hashes, &stats);
    return (struct queue_load){.wait_us =
                                   stats.wait_us + gateway->entering * stats.job_us / stats.threads,
                               .job_us = stats.job_us,
                               .threads = stats.threads,
                               .waiting = stats.waiting + gateway->entering,
                               .waiting_max = gateway->settings->hash_waiting_max};
}

static void raise_to(int64_t *value, int64_t seen)
{
    if (seen > *value)
        *value = seen;
}

static void fill_times(struct gateway *gateway, struct queue_place *place)
{
    struct queue_load load = load_of(gateway);

    place->wait_s = queue_rules_wait_s(&gateway->queue->pace, &load, place->place);
    place->back_s = queue_rules_back_s(place->wait_s, place->ticket.number);
}

/* A number that was given by somebody who is not there any more counts too. */
static enum queue_verdict look(struct gateway *gateway, const struct http_request *request,
                               struct queue_place *place)
{
    struct queue_load load = load_of(gateway);
    enum queue_verdict verdict;

    *place = (struct queue_place){.ticket = read_ticket(gateway, request)};
    verdict = queue_rules_verdict(&gateway->queue->state, &place->ticket, queue_rules_busy(&load),
                                  clock_now_us(), &place->place);
    if (verdict == QUEUE_WAIT) {
        raise_to(&gateway->queue->state.given, place->ticket.number);
        fill_times(gateway, place);
    }
    return verdict;
}

enum queue_verdict queue_look(struct call *call, struct queue_place *place)
{
    return look(call->gateway, call->request, place);
}

void queue_last_place(struct gateway *gateway, struct queue_place *place)
{
    place->place = queue_waiting(gateway->queue) + 1;
    fill_times(gateway, place);
}

/* ---- Redis ---- */

static struct str key(struct queue *queue, struct arena *arena, const char *name)
{
    return str_of(arena_printf(arena, "%squeue:%s", queue->gateway->settings->redis_prefix, name));
}

static struct str number(struct arena *arena, int64_t value)
{
    return str_of(arena_printf(arena, "%lld", (long long)value));
}

/* Redis lost what it had: it is told what we know. */
static void tell(struct queue *queue, struct arena *arena, const char *name, int64_t value)
{
    const struct str args[] = {STR("SET"), key(queue, arena, name), number(arena, value)};

    cache_send(queue->gateway->cache, args, ARRAY_LEN(args));
}

void queue_take(struct call *call, struct queue_place *place, int next)
{
    struct queue *queue = call->gateway->queue;
    const struct str args[] = {STR("INCR"), key(queue, call->flow.arena, "given")};

    place->answer = (struct cache_answer){0};
    flow_on_error(&call->flow, next);
    flow_wait(&call->flow, next);
    cache_run(call->gateway->cache, args, ARRAY_LEN(args), &place->answer, &call->flow);
}

/* `counted`: what Redis counted; 0: it is away. */
static int64_t next_number(struct queue *queue, struct arena *arena, int64_t counted)
{
    if (counted > queue->state.given) {
        queue->state.given = counted;
    } else {
        queue->state.given++;
        if (counted > 0)
            tell(queue, arena, "given", queue->state.given);
    }
    return queue->state.given;
}

static void take_place(struct gateway *gateway, struct http_request *request,
                       struct queue_place *place, int64_t counted)
{
    struct queue *queue = gateway->queue;

    place->ticket.number = next_number(queue, http_request_arena(request), counted);
    place->ticket.at_us = clock_now_us();
    place->place = place->ticket.number - queue->state.called;
    if (place->place < 1)
        place->place = 1;
    fill_times(gateway, place);
    give_ticket(gateway, request, &place->ticket);
}

void queue_taken(struct call *call, struct queue_place *place)
{
    call->flow.err = ERR_OK;
    flow_on_error(&call->flow, FLOW_END);
    take_place(call->gateway, call->request, place, place->answer.number);
    call->gateway->figures.queued++;
}

void queue_enter(struct call *call, bool entering)
{
    if (call->entering == entering)
        return;
    call->entering = entering;
    if (entering)
        call->gateway->entering++;
    else
        call->gateway->entering--;
}

void queue_leave(struct call *call)
{
    if (http_cookie(call->request, cookie_name(call->gateway)).len > 0)
        set_cookie(call->gateway, call->request, "", 0);
}

enum queue_verdict queue_page_place(struct gateway *gateway, struct http_request *request,
                                    struct queue_place *place)
{
    enum queue_verdict verdict = look(gateway, request, place);

    if (verdict == QUEUE_TAKE) {
        const struct str args[] = {STR("INCR"),
                                   key(gateway->queue, http_request_arena(request), "given")};

        cache_send(gateway->cache, args, ARRAY_LEN(args));
        take_place(gateway, request, place, 0);
    }
    return verdict;
}

/* ---- calling: four times a second while somebody waits ---- */

static void ask(struct queue *queue, const struct str *args, size_t count, int next)
{
    queue->answer = (struct cache_answer){0};
    flow_wait(&queue->flow, next);
    cache_run(queue->gateway->cache, args, count, &queue->answer, &queue->flow);
}

static int64_t answered(const struct queue *queue)
{
    int64_t value = 0;

    if (queue->answer.text.len > 0)
        return str_to_i64(queue->answer.text, &value) ? value : 0;
    return queue->answer.number;
}

static void learn(struct queue *queue, const char *name, int64_t *known, int64_t least)
{
    int64_t seen = answered(queue);

    if (seen < least)
        tell(queue, queue->flow.arena, name, least);
    *known = seen > least ? seen : least;
}

static void decide(struct queue *queue)
{
    struct queue_load load = load_of(queue->gateway);
    uint64_t now_ms = clock_mono_ms();

    queue->step = queue_rules_step(&queue->pace, &load, &queue->state, now_ms - queue->ticked_ms);
    queue->ticked_ms = now_ms;
}

static void call_next(struct queue *queue)
{
    struct arena *arena = queue->flow.arena;
    const struct str name = key(queue, arena, "called");
    const struct str add[] = {STR("INCRBY"), name, number(arena, queue->step)};
    const struct str get[] = {STR("GET"), name};

    if (queue->step > 0)
        ask(queue, add, ARRAY_LEN(add), TICK_CALLED);
    else
        ask(queue, get, ARRAY_LEN(get), TICK_CALLED);
}

static void tick_run(struct flow *flow)
{
    struct queue *queue = FLOW_OF(flow, struct queue, flow);
    const struct str get[] = {STR("GET"), key(queue, flow->arena, "given")};

    switch ((enum tick_step)flow->step) {
    case TICK_GIVEN:
        decide(queue);
        flow_on_error(flow, TICK_ALONE);
        ask(queue, get, ARRAY_LEN(get), TICK_CALL);
        return;
    case TICK_CALL:
        learn(queue, "given", &queue->state.given, queue->state.given);
        call_next(queue);
        return;
    case TICK_CALLED:
        learn(queue, "called", &queue->state.called, queue->state.called + queue->step);
        flow_end(flow, ERR_OK);
        return;
    case TICK_ALONE: /* Redis is away: this gateway calls its own */
        flow->err = ERR_OK;
        queue->state.called += queue->step;
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void closed(void *arg)
{
    struct queue *queue = arg;
    void (*done)(void *arg) = queue->closed;
    void *done_arg = queue->closed_arg;

    free(queue);
    done(done_arg);
}

static uint64_t until_next_ms(const struct queue *queue)
{
    struct queue_load load = load_of(queue->gateway);

    return queue->state.given > queue->state.called || load.waiting > 0 ? QUEUE_TICK_MS
                                                                        : QUEUE_CALM_MS;
}

static void tick_done(struct flow *flow)
{
    struct queue *queue = FLOW_OF(flow, struct queue, flow);

    flow_fini(flow);
    queue->running = false;
    if (queue->closed != NULL)
        timer_close(&queue->timer, closed);
    else
        timer_start(&queue->timer, until_next_ms(queue), 0);
}

static void start(void *arg)
{
    struct queue *queue = arg;

    queue->running = true;
    flow_init(&queue->flow, queue->gateway->loop, tick_run, tick_done, NULL);
    flow_start(&queue->flow, TICK_GIVEN);
}

struct queue *queue_open(struct gateway *gateway)
{
    struct queue *queue = heap_zero(sizeof(*queue));

    queue->gateway = gateway;
    queue->ticked_ms = clock_mono_ms();
    timer_open(&queue->timer, gateway->loop, start, queue);
    timer_start(&queue->timer, 0, 0);
    return queue;
}

void queue_close(struct queue *queue, void (*done)(void *arg), void *arg)
{
    queue->closed = done;
    queue->closed_arg = arg;
    if (!queue->running)
        timer_close(&queue->timer, closed);
}

int64_t queue_waiting(const struct queue *queue)
{
    int64_t waiting = queue->state.given - queue->state.called;

    return waiting > 0 ? waiting : 0;
}
