/* registration_reissue: what the files about requests for new temporary credentials share. */
#pragma once
#include "registration/registration.h"
#include "registration/registration_reissue_rules.h"

/* A command as it came; texts live in the batch's arena. */
struct reissue_command {
    bool asks; /* else it refuses */
    struct uuid operation_id, account_id, reissue_id;
    struct str role, l2_code, register_no, reason;
    day_t birth_on;
};

/* Handler of reissue.ask and reissue.refuse: see work_handler_fn. */
void registration_reissue_handle(void *service, struct work_batch *batch);
/* reissue.state after the change; new reference. */
json_t *wire_reissue_state(struct uuid reissue_id, int64_t version, struct str l2_code,
                           const char *state);

/* ---- registration_reissue_store.c ---- */

struct reissue_read {
    struct db_batch *batch;
    struct db_query *query;
    struct reissue_facts facts;
    int64_t doctor_id, version;
    struct uuid account_id; /* the doctor's */
    struct str l2_code;
};
void store_read_reissue(struct registration *registration, struct arena *arena,
                        const struct reissue_command *command, struct reissue_read *read,
                        struct flow *flow);
/* After a good read: fills the rest. */
void store_reissue(struct reissue_read *read);
void store_ask_reissue(struct db_batch *batch, const struct reissue_command *command,
                       const struct reissue_read *read, int64_t now_us);
