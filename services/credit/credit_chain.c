/* credit_chain: see credit_chain.h. */
#include "credit/credit_chain.h"

#include "chain/chain.h"
#include "credit/credit_command.h"
#include "db/db.h"

static const struct db_stmt put_rows = {
    "credit_chain_put",
    "SELECT credit.chain_put(NULL, '" CHAIN_LEDGER "', $1, $2, $3, $4)",
};

void credit_chain_add(struct db_batch *effect, const struct chain_columns *columns,
                      int64_t upload_no, int64_t posted_us, struct arena *arena)
{
    const struct command_actor *actor = columns->actor;
    struct chain_ledger ledger;
    struct chain_hash digest;
    struct db_query *query;

    if (columns->count == 0)
        return;
    chain_ledger_begin(&ledger, arena, columns->count, upload_no, posted_us);
    for (size_t i = 0; i < columns->count; i++)
        chain_ledger_add(&ledger, &(struct chain_entry){
                                      .session_id = columns->session_id[i],
                                      .doctor_id = columns->doctor[i],
                                      .programme = columns->programme[i],
                                      .revision = columns->revision[i],
                                      .row_no = columns->row_no[i],
                                      .held_on = columns->held_on[i],
                                      .half_units = columns->half_units[i],
                                      .kind = columns->kind[i],
                                      .reason = columns->reason,
                                      .actor = actor != NULL ? &actor->id : NULL,
                                      .actor_role = actor != NULL ? actor->role : STR_NONE,
                                      .actor_code = actor != NULL ? actor->code : STR_NONE,
                                  });
    digest = chain_ledger_end(&ledger);
    query = db_add(effect, &put_rows);
    db_i64(query, (int64_t)columns->count);
    db_bytes(query, (struct str){(const char *)digest.bytes, sizeof(digest.bytes)});
    db_i64(query, upload_no);
    db_time(query, posted_us);
}
