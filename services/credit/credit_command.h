/*
 * credit_command: commands of people to this service: how a handler of one begins and ends, who
 * sent it, what it is answered, what is kept of it. Each command has a file of its own.
 */
#pragma once
#include "credit/credit.h"
#include "gen/codes.h"

/* Who wants it; texts are borrowed from the event. */
struct command_actor {
    struct uuid id;  /* account, or token of an organiser's program */
    struct str role; /* "organiser", "office_l2", ... */
    struct str code; /* of the organiser or association; "" for the national one */
};

/* The part that every command's flow begins with; it lives in the batch's arena. */
struct command {
    struct flow flow;
    struct credit *credit;
    struct work_batch *batch; /* one message; effect is filled by the flow */
    struct uuid operation_id;
    struct command_actor actor;
    struct credit_tally tally;
};

#define COMMAND_OF(flow_pointer) CONTAINER_OF((flow_pointer), struct command, flow)

/* Start the flow at step 0. It ends well with an answer in the effect: command_answer(), .._refuse.
 */
void command_start(struct command *command, flow_fn run);
/* The message made no command: hand `err` back. */
void command_bad(struct work_batch *batch, enum err err);

/*
 * Done. The result names the object that changed, which the gateway then shows: see its
 * gateway_show.c. `value` is copied.
 */
void command_answer(struct command *command, const char *name, struct str value);
void command_answer_upload(struct command *command, struct uuid upload_id);
/* Not possible as things stand. `extra` (stolen, may be NULL) comes with the problem. */
void command_refuse(struct command *command, enum code code, json_t *extra);
/* {"params": {name: value}}, new reference. */
json_t *command_param(const char *name, const char *value);

/* Who did what; `detail` is a JSON object, "{}" for nothing. */
void command_audit(struct command *command, const char *action, const char *subject,
                   struct str detail);
