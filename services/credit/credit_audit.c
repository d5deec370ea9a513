/* credit_audit: see credit_audit.h. */
#include "credit/credit_audit.h"

#include "credit/credit_command.h"
#include "db/db.h"

static const struct db_stmt insert_audit = {
    "credit_insert_audit",
    "INSERT INTO credit.audit (at, action, actor, subject, detail)"
    " VALUES ($1, $2, $3, $4, $5::jsonb || jsonb_build_object('role', $6::text, 'code', $7::text))",
};

void audit_add(struct db_batch *effect, const struct command_actor *actor, const char *action,
               const char *subject, struct str detail)
{
    struct db_query *query = db_add(effect, &insert_audit);

    db_time(query, clock_now_us());
    db_text_c(query, action);
    if (actor == NULL)
        db_null(query);
    else
        db_uuid(query, actor->id);
    db_text_c(query, subject);
    db_json(query, detail);
    db_text(query, actor == NULL ? STR("system") : actor->role);
    db_text(query, actor == NULL ? STR("") : actor->code);
}
