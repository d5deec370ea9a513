/* credit_chain: what a transaction appends to the ledger, hashed for its link (lib/chain). */
#pragma once
#include "base/clock.h"
#include "base/str.h"

struct arena;
struct command_actor;
struct db_batch;

/* Columns of entries as they are inserted; `reason` and `actor` of all of them. */
struct chain_columns {
    size_t count;
    const int64_t *doctor, *session_id;
    const int32_t *row_no;
    const day_t *held_on;
    const int16_t *half_units, *revision;
    const struct str *programme, *kind;
    struct str reason;                 /* STR_NONE: NULL */
    const struct command_actor *actor; /* NULL: NULL */
};

/*
 * In `effect`, beside the entries with this `upload_no` and `posted_us`, which no other transaction
 * has: the second one of two would end in a conflict and come again later.
 */
void credit_chain_add(struct db_batch *effect, const struct chain_columns *columns,
                      int64_t upload_no, int64_t posted_us, struct arena *arena);
