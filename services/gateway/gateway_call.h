/*
 * gateway_call: one request. Its flow looks who asks and what may be asked, then hands over to the
 * endpoint: a flow function whose steps begin at 0. An endpoint answers once and ends the flow;
 * when the flow ends with an error and without an answer, the error becomes a problem.
 */
#pragma once
#include "gateway/gateway.h"
#include "gateway/gateway_who.h"
#include "gen/bodies.h"

enum { CALL_PROBLEMS_MAX = 20 };

struct endpoint {
    const struct route_info *info;
    flow_fn run;
};

struct accept;

struct call {
    struct flow flow; /* its arena is the call's */
    struct gateway *gateway;
    struct http_request *request;
    const struct endpoint *endpoint;
    struct who who; /* ROLE_NONE for public operations */
    bool english;
    bool answered;
    bool retry_set;    /* Retry-After is there */
    bool entering;     /* counted in gateway->entering */
    int64_t now_us;    /* business time of arrival */
    uint64_t since_ms; /* monotonic, of arrival */
    json_t *body;
    struct body_problem problems[CALL_PROBLEMS_MAX];
    size_t problem_count;
    struct db_batch *batch;
    struct db_query *query;
    void *state;           /* of the endpoint, in the arena */
    struct accept *accept; /* of an accepted command */
};

#define CALL_OF(flow_pointer) CONTAINER_OF((flow_pointer), struct call, flow)

/* The routes for http_open(). */
const struct http_route *call_routes(void);
/* Every route's handler. */
void call_start(void *gateway, struct http_request *request);
/* Answers refusals of lib/http: see http_set_refusal(). */
void call_refuse(void *gateway, struct http_request *request, enum err err, const char *detail);

/* Whether a page of this origin (scheme, host, port) is one of ours. */
bool call_origin_ours(const struct gateway *gateway, struct str origin);

/* By who_run(): rights, CSRF, parameters, then the endpoint's steps. */
void call_known(struct call *call);

/* ---- gateway_params.c: what was asked; parameters are checked before the endpoint runs ---- */

/* False when a parameter was no good: then the problem is answered and the flow ended. */
bool call_params_check(struct call *call);

/* data NULL when it is not given. */
struct str call_text(const struct call *call, const char *name);
/* The contract's default when it is not given. */
int64_t call_number(const struct call *call, const char *name);
bool call_flag(const struct call *call, const char *name);
/* DAY_NONE when it is not given. */
day_t call_day(const struct call *call, const char *name);
/* Of a path parameter of that form. */
struct uuid call_id(const struct call *call, const char *name);

enum { REASON_BYTES_MAX = 1000 };

/* X-Reason: why a person's data is looked at; data NULL when none is given that could be kept. */
struct str call_reason(struct call *call);

/*
 * The JSON body as a struct of gen/bodies.h:  if (!CALL_BODY(call, sign_in, &body)) return;
 * When it is no good the problem is answered and the flow ended.
 */
#define CALL_BODY(call, name, out)                                                                 \
    (call_body_read(call) &&                                                                       \
     call_body_checked((call), body_##name##_decode((call)->flow.arena, (call)->body, (out),       \
                                                    (call)->problems, CALL_PROBLEMS_MAX,           \
                                                    &(call)->problem_count)))
bool call_body_read(struct call *call);
/* Content-Type without its parameters, case ignored. */
bool call_content_type(const struct call *call, const char *wanted);
/* Fills call->body; when it is no JSON the problem is answered and the flow ended. */
bool call_json_parse(struct call *call, struct str text);
bool call_body_checked(struct call *call, enum err err);

/* ---- PostgreSQL ---- */

/*
 * A transaction that begins with the caller's scope, and with what portal.note_read() keeps of a
 * person of staff who reads; call->batch.
 */
struct db_batch *call_scoped(struct call *call);
/* The first statement of a transaction that reads through the portal's views. */
void call_scope_add(struct db_batch *batch, const char *scope);
/*
 * Before a large body or answer: http_hold(). False when there is no room for it: then the call is
 * answered with 503 and Retry-After.
 */
bool call_hold(struct call *call, size_t bytes);
/* Run call->batch and go on at `next`. */
void call_run(struct call *call, int next);
/* The same for a batch with events in it. */
void call_run_work(struct call *call, int next);

/* gateway_password.c: another password of an account. */
/* The present hash: column 0, no row when the account has no password. */
struct db_query *credential_hash(struct db_batch *batch, struct uuid account_id);
/* The first one. */
void credential_add(struct db_batch *batch, struct uuid account_id, struct str login_id,
                    const char *hash, int64_t now_us);
void credential_change(struct db_batch *batch, struct uuid account_id, const char *hash,
                       int64_t now_us);
/*
 * Their owner is told what was changed, at `email` (empty: nobody is). `what`: see
 * credential.changed.v1. The batch has an event then: call_run_work().
 */
void credential_tell(struct call *call, struct db_batch *batch, struct uuid account_id,
                     struct str email, const char *what);

/* ---- answers: each also ends the flow well ---- */

void call_json(struct call *call, unsigned status, struct str body);
/* Steals `body`. */
void call_object(struct call *call, unsigned status, json_t *body);
/* What every answer of the interface says: nothing keeps, guesses, frames or runs it. */
void guard_headers(struct http_request *request);
/* 200 with a document; its Content-Disposition is set before, and before that call_hold(). */
void call_file(struct call *call, const char *type, struct str body);
void call_empty(struct call *call, unsigned status);
/* 202 with the place to ask. */
void call_accepted(struct call *call, struct uuid operation_id);
void call_problem(struct call *call, enum code code);
/* One field of a body that fits the contract is wrong by a rule: 422, with the field's code. */
void call_field_problem(struct call *call, const char *pointer, enum code code);
/* The same answer alone; the flow goes on. */
void call_field_answer(struct call *call, const char *pointer, enum code code);
/* With one parameter of its text. */
void call_problem_with(struct call *call, enum code code, const char *name, const char *value);
/* Sets Retry-After of whatever is answered. */
void call_retry_after(struct call *call, unsigned seconds);
/* With Retry-After. */
void call_problem_later(struct call *call, enum code code, unsigned seconds);
/* As a worker told it: {"code", "params", "errors"}; see problem_of_worker(). */
void call_problem_json(struct call *call, json_t *told);
/* The problem alone; the flow goes on. `told`: see problem_object(). */
void call_answer_problem(struct call *call, enum code code, json_t *told);
/* All of call->problems; `kind` says what their places are: "pointer" or "parameter". */
void call_answer_fields(struct call *call, enum code code, const char *kind);

/* "64 MiB" */
const char *call_size_text(struct arena *arena, uint32_t bytes);

/* ---- gateway_problem.c ---- */

bool accept_english(struct str accept_language);
/* The sentences of a text of errors.yaml that name nothing but what is given. */
void problem_text(struct buf *out, const char *text, const struct code_param *params, size_t count);
/* A problem object in one language; `told` (may be NULL): params, errors and members to keep. */
json_t *problem_object(struct arena *arena, enum code code, bool english, const char *request_id,
                       json_t *told);
/* The code in a worker's problem; CODE_INTERNAL when it has none that is known. */
enum code problem_code(json_t *told);
/* Where an object has text and text_en, keep the one wanted. Up to four levels deep. */
void problem_pick_language(json_t *json, bool english);
