/* registration_merge: what the files about merges share. */
#pragma once
#include "registration/procedure.h"
#include "registration/registration_delegate.h"
#include "registration/registration_merge_rules.h"

enum { MERGE_NAMES_MAX = 100 };

/* A command as it came; texts live in the batch's arena. */
struct merge_command {
    bool proposes; /* else it decides */
    enum merge_decision decision;
    struct uuid operation_id, merge_id, actor_id;
    struct str actor_role, reason;
    struct str keep_no, close_no; /* register numbers, of a proposal */
    struct str mamis_no, new_no;  /* of a proposal of another register number; else empty */
    day_t licensed_on;            /* with `new_no`; DAY_NONE: as it was */
};

/* A proposal with what is known of both doctors; texts live in the arena that read it. */
struct merge {
    int64_t version; /* 0: it is not there yet */
    int64_t kept_id, closed_id;
    struct str new_no; /* register number for the kept one; empty: two records become one */
    day_t licensed_on; /* with `new_no`; DAY_NONE: as it was */
    struct str reason;
    struct str names; /* kana names of the closed one, one a line */
    struct merge_facts facts;
};

/* Handler of the commands about merges: see work_handler_fn. */
void registration_merge_handle(void *service, struct work_batch *batch);

/* ---- registration_merge_store.c ---- */

struct merge_read {
    struct db_query *merge;
    struct db_query *delegations; /* of the one who is to be closed */
};
void store_read_merge(struct registration *registration, struct arena *arena,
                      const struct merge_command *command, struct merge_read *read,
                      struct flow *flow);
/* After a good read. */
void store_merge(const struct merge_read *read, struct merge *ret_merge);
/* The proposal, new or decided, with its history. ERR_DB_CONFLICT when its version has moved. */
void store_save_merge(struct db_batch *batch, const struct merge *merge,
                      const struct merge_command *command, int64_t now_us);
/*
 * Everything of the closed doctor that is no part of his own record: numbers, memberships,
 * procedures, requests for correction. After both doctors' rows were written.
 */
void store_move(struct db_batch *batch, const struct merge *merge,
                const struct merge_command *command, int64_t now_us);
/*
 * The doctor, whose row has this version, gets the new number. The former one is that of a closed
 * record, `closed_id`, that is merged into him. ERR_DB_CONFLICT when the version has moved.
 */
void store_renumber(struct db_batch *batch, const struct merge *merge,
                    const struct merge_command *command, int64_t version, int64_t now_us);
/* Proposals whose days are over. */
void store_expire_merges(struct db_batch *batch, int64_t now_us);
