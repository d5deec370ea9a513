/* registration_correction: what the files about requests for correction share. */
#pragma once
#include "registration/registration.h"
#include "registration/registration_correction_rules.h"

/* A command as it came; texts live in the batch's arena. */
struct correction_command {
    bool answers; /* else it asks */
    struct uuid operation_id, account_id, correction_id;
    struct str field, text;        /* what is asked, or the answer */
    struct str role, l2_code;      /* of the office; l2_code is empty for the national one */
    enum correction_state outcome; /* of an answer */
};

/* One request with its doctor; texts live in the arena of the batch that read it. */
struct correction {
    struct uuid doctor_account;
    int64_t version; /* 0: it is not there yet */
    int64_t doctor_id;
    struct str doctor_name, l2_code;
    struct correction_facts facts;
};

/* Handler of the commands about corrections: see work_handler_fn. */
void registration_correction_handle(void *service, struct work_batch *batch);

/* ---- registration_correction_store.c ---- */

struct correction_read {
    struct db_batch *batch;
    struct db_query *query;
};
void store_read_correction(struct registration *registration, struct arena *arena,
                           const struct correction_command *command, struct correction_read *read,
                           struct flow *flow);
/* After a good read. */
void store_correction(const struct correction_read *read, struct correction *ret_correction);
/* ERR_DB_CONFLICT when the version that was read has moved. */
void store_save_correction(struct db_batch *batch, const struct correction *correction,
                           const struct correction_command *command, int64_t now_us);
