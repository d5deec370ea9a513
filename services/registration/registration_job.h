/*
 * registration_job: the flow of a command that reads once, decides and records. Safe to repeat from
 * any step: nothing is written before the transaction that passes the command.
 */
#pragma once
#include "registration/registration.h"

/* Begins the struct of a handler; in the batch's arena. */
struct registration_job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    const struct work_message *message;
    const struct registration_job_kind *kind;
};
struct registration_job_kind {
    /* Reads the command. Errors: ERR_SCHEMA, ERR_VERSION_UNKNOWN, with the place in `note`. */
    enum err (*take)(struct registration_job *job, struct err_note *note);
    void (*read)(struct registration_job *job, struct flow *flow);
    void (*decide)(struct registration_job *job); /* after a good read; answers */
};
/* `job` is zeroed. */
void registration_job_start(void *service, struct work_batch *batch,
                            const struct registration_job_kind *kind, struct registration_job *job);

struct registration_answer {
    struct uuid operation_id;
    enum code refusal;
    const char *member, *value; /* of the result when it is done */
    int limit;                  /* that a refusal's text may name */
};
void registration_job_answer(struct registration_job *job,
                             const struct registration_answer *answer);
