/*
 * registration_delegate: what the files about delegates share. A delegation is a doctor's leave for
 * one account of the role `delegate` to see the credits.
 */
#pragma once
#include "registration/registration.h"
#include "registration/registration_delegate_rules.h"

/* A command as it came; texts live in the batch's arena. */
struct delegate_command {
    enum delegate_deed deed;
    struct uuid operation_id, account_id, delegation_id;
    struct uuid delegate_id; /* of an invitation, as name and email */
    struct str name, email;
};

/* One delegation with its doctor; texts live in the arena of the batch that read it. */
struct delegation {
    struct uuid delegation_id, delegate_id;
    struct uuid doctor_account; /* all zero: there is none */
    int64_t version;            /* 0: it is not there yet */
    int64_t doctor_id;
    struct str doctor_name, name, email;
    bool accepted;
    bool account_there; /* the delegate's */
    struct delegate_facts facts;
};

/* Whose delegations end by a merge, by which officer. */
struct merged {
    int64_t doctor_id;
    struct uuid actor_id;
};

/* Handler of the commands about delegates: see work_handler_fn. */
void registration_delegate_handle(void *service, struct work_batch *batch);

/* Errors: ERR_SCHEMA, with the place in `note`. */
CHECKED enum err wire_delegate_command(struct arena *arena, const struct work_message *message,
                                       struct delegate_command *ret_command, struct err_note *note);
/*
 * All that stand of a doctor, read by `query` of store_read_delegations(), end because he was
 * merged into somebody: history, events. After the doctor's row was written; ERR_DB_CONFLICT when
 * there is one that was not read.
 */
void end_delegations(struct registration *registration, struct work_batch *batch,
                     const struct db_query *query, const struct merged *merged);

/* ---- registration_delegate_store.c ---- */

struct delegate_read {
    struct db_batch *batch;
    struct db_query *query;
};
void store_read_delegation(struct registration *registration, struct arena *arena,
                           const struct delegate_command *command, struct delegate_read *read,
                           struct flow *flow);
/* After a good read. */
void store_delegation(const struct delegate_read *read, const struct delegate_command *command,
                      struct delegation *ret_delegation);
/* ERR_DB_CONFLICT when the version that was read has moved. */
void store_save_delegation(struct db_batch *batch, const struct delegation *delegation,
                           const struct delegate_command *command, enum delegation_state next,
                           int64_t now_us);
/* What stands of the doctor who is closed by a merge. */
struct db_query *store_read_delegations(struct db_batch *batch, struct uuid merge_id);
void store_standing(const struct db_query *query, size_t row, struct delegation *ret_delegation);
/* ERR_DB_CONFLICT when one of the doctor stands. */
void store_check_delegations(struct db_batch *batch, int64_t doctor_id);
/* The delegate's account, which was not there. */
void store_add_delegate(struct db_batch *batch, const struct record *account, int64_t now_us);
