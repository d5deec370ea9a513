/* registration_correction: what the files about requests for correction share. */
#pragma once
#include "registration/registration.h"
#include "registration/registration_correction_rules.h"

/* A command as it came; texts live in the batch's arena. */
struct correction_command {
    bool answers;                    /* else it asks */
    struct correction_values values; /* of an answer */
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
    struct str field, birth_on, licensed_on; /* days as texts, "" for none; of an answer */
    struct str corrected, before;            /* JSON; data NULL: the answer changes nothing */
    bool changed;
    struct correction_facts facts;
};

/* Handlers of the commands about corrections: see work_handler_fn. */
void registration_correction_handle(void *service, struct work_batch *batch);
void registration_correction_answer_handle(void *service, struct work_batch *batch);

/* correction.state. */
void tell_correction(struct registration *registration, struct work_batch *batch,
                     const struct correction *correction, const struct correction_command *command);

/* ---- registration_correction_store.c ---- */

struct correction_read {
    struct db_batch *batch;
    struct db_query *query;
};
void store_read_asker(struct registration *registration, struct arena *arena,
                      const struct correction_command *command, struct correction_read *read,
                      struct flow *flow);
/* The request that is answered; the first column is its doctor, no row: there is none. */
struct db_query *store_find_correction(struct db_batch *batch,
                                       const struct correction_command *command);
/* After a good read of either. */
void store_correction(const struct db_query *query, struct correction *ret_correction);
/* Days that were wrong; DAY_NONE: as it is. With store_member(), which guards the doctor's row. */
void store_correct_days(struct db_batch *batch, int64_t doctor_id, day_t birth_on,
                        day_t licensed_on);
/* ERR_DB_CONFLICT when the version that was read has moved. */
void store_save_correction(struct db_batch *batch, const struct correction *correction,
                           const struct correction_command *command, int64_t now_us);
