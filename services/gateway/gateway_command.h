/*
 * gateway_command: commands. Accepted by one commit (command, idempotency key, outbox row), then
 * waited for; whoever waits too long is told where to ask.
 */
#pragma once
#include "gateway/gateway_call.h"

struct command {
    const char *type; /* of the event */
    const char *topic;
    struct str key;
    json_t *data;    /* with operation_id; stolen by command_accept() */
    unsigned status; /* of a good answer: 200 or 201 */
    struct uuid operation_id;
    const char *location; /* header of a good answer, in the call's arena; NULL: none */
    /*
     * More statements and events for the same transaction; may be NULL. `call->state` is still the
     * endpoint's.
     */
    void (*add)(struct call *call, struct db_batch *batch);
    /* After the commit is certain; may be NULL. */
    void (*committed)(struct call *call);
    /* Instead of the usual answer to a good reply; may be NULL. Ends the flow. */
    void (*answer)(struct call *call, json_t *result);
};

/*
 * The rest of the call: accept, wait, answer. Call it in a step, instead of waiting. Takes over the
 * call's flow.
 */
void command_accept(struct call *call, const struct command *command);

/* Nobody knows whether the commit worked: the system may be finishing the work. */
bool command_in_doubt(const struct call *call);
/* When the call ends, however it does. */
void command_forget(struct call *call);
/* Of a command to registration, keyed by an account: data is still to come. */
struct command registration_command(struct call *call, const char *type, struct uuid account_id);
/* Of a command to credit: its type and seminar; data is still to come. */
struct command credit_command(struct call *call, const char *type, struct str seminar_no);
/* Code of the organiser or association that the caller acts for; "" for the national one. */
struct str command_office(const struct call *call);
/* A column of JSON as a document in the arena; NULL for NULL. */
json_t *command_json(struct arena *arena, struct str text);

/* ---- gateway_show.c: the object that a worker's result names ---- */

/* Put the read of it into call->batch and call->query; false: the result is all there is. */
bool show_add(struct call *call, const json_t *result);
/* After a good run, in the caller's language; owned by the arena. NULL: it is not to be seen. */
json_t *show_take(struct call *call);
/* A result that is all there is: the problem of each of its items gets the caller's texts. */
void show_texts(struct call *call, json_t *result);

/* ---- idempotency keys, also for uploads ---- */

struct idempotency {
    const char *route;
    struct str key;
    uint8_t body_sha256[SECRET_DIGEST_BYTES];
    struct uuid accepted_id;
};

/* data NULL when the request has none. */
struct str call_idempotency_key(const struct call *call);
/* Operation and path: what a key belongs to, beside its owner. */
const char *call_route(struct call *call);
void call_body_digest(const struct call *call, uint8_t out[SECRET_DIGEST_BYTES]);
/* Columns: body_sha256, accepted_id; no row when the key is new. */
struct db_query *idempotency_find(struct call *call, struct db_batch *batch, const char *route,
                                  struct str key);
/* ERR_DB_CONFLICT when somebody else was quicker. */
void idempotency_add(struct call *call, struct db_batch *batch, const struct idempotency *key);
