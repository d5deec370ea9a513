/*
 * gateway_draft: forms of membership that a doctor has not sent yet, one of a kind. Only the doctor
 * sees them. A save names the version that it goes on from, so that an old page overwrites nothing;
 * what is out of date is as good as gone (retention.json). Filing removes one: procedure_file.c.
 */
#include <stdlib.h>

#include "gateway/gateway_command.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_procedure_drafts);
ENDPOINT(save_procedure_draft);
ENDPOINT(drop_procedure_draft);

enum draft_step { DRAFT_ASK, DRAFT_TOLD };

#define DRAFT_JSON "portal.draft_json(d, $1)"

static const struct db_stmt select_drafts = {
    "gateway_list_procedure_drafts",
    "SELECT json_build_object('items', coalesce(json_agg(" DRAFT_JSON
    " ORDER BY d.saved_at DESC, d.kind), '[]'))::text"
    " FROM portal.procedure_draft AS d WHERE d.saved_at > $2",
};
static const struct db_stmt select_draft = {
    "gateway_get_procedure_draft",
    "SELECT " DRAFT_JSON "::text FROM portal.procedure_draft AS d WHERE d.kind = $2",
};
/* No row: another content stands there than the one it goes on from. */
static const struct db_stmt save_draft = {
    "gateway_save_procedure_draft",
    "WITH added AS (INSERT INTO gateway.procedure_draft (draft_id, doctor_id, kind, form, saved_at)"
    "  SELECT $1, $2, $3, $4, $5 WHERE $6::bigint = 0 ON CONFLICT (doctor_id, kind) DO NOTHING"
    "  RETURNING 1),"
    " kept AS (UPDATE gateway.procedure_draft SET version = version + (form <> $4)::int,"
    "   form = $4, saved_at = $5"
    "  WHERE doctor_id = $2 AND kind = $3 AND (version = $6 OR form = $4 OR saved_at <= $7)"
    "  RETURNING 1)"
    " SELECT 1 FROM added UNION ALL SELECT 1 FROM kept",
};
static const struct db_stmt drop_draft = {
    "gateway_drop_procedure_draft",
    "DELETE FROM gateway.procedure_draft WHERE draft_id = $1 AND doctor_id = $2 RETURNING 1",
};

static int64_t kept_days(const struct call *call)
{
    struct err_note note;
    uint32_t days = 0;

    must(retention_days(call->gateway->retention, "gateway.procedure_draft", &days, &note) ==
         ERR_OK);
    return days;
}

/* What was saved until then is out of date. */
static int64_t expired_us(const struct call *call)
{
    return call->now_us - kept_days(call) * CLOCK_DAY_S * CLOCK_SECOND_US;
}

void endpoint_list_procedure_drafts(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == DRAFT_TOLD) {
        call_json(call, 200, db_get_text(call->query, 0, 0));
        return;
    }
    call->query = db_add(call_scoped(call), &select_drafts);
    db_i64(call->query, kept_days(call));
    db_time(call->query, expired_us(call));
    call_run(call, DRAFT_TOLD);
}

/* ---- saving ---- */

struct saving {
    struct db_query *saved, *shown;
};

static void save(struct call *call, const struct body_save_procedure_draft *body)
{
    struct saving *saving = call->state = arena_new_of(call->flow.arena, struct saving);
    struct db_batch *batch = call_scoped(call);
    char *form = json_dumps(json_object_get(call->body, "form"), JSON_COMPACT);

    must(form != NULL);
    saving->saved = db_add(batch, &save_draft);
    db_uuid(saving->saved, uuid_new());
    db_i64(saving->saved, call->who.doctor_id);
    db_text(saving->saved, body->kind);
    db_json(saving->saved, arena_str(call->flow.arena, str_of(form)));
    db_time(saving->saved, call->now_us);
    db_i64(saving->saved, body->has_version ? body->version : 0);
    db_time(saving->saved, expired_us(call));
    free(form);
    saving->shown = db_add(batch, &select_draft);
    db_i64(saving->shown, kept_days(call));
    db_text(saving->shown, body->kind);
    call_run(call, DRAFT_TOLD);
}

void endpoint_save_procedure_draft(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct saving *saving = call->state;
    struct body_save_procedure_draft body;

    if (flow->step == DRAFT_ASK) {
        if (CALL_BODY(call, save_procedure_draft, &body))
            save(call, &body);
    } else if (db_rows(saving->saved) == 0) {
        call_problem(call, CODE_DRAFT_CHANGED);
    } else {
        call_json(call, 200, db_get_text(saving->shown, 0, 0));
    }
}

/* ---- throwing away ---- */

void endpoint_drop_procedure_draft(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    if (flow->step == DRAFT_TOLD) {
        if (db_rows(call->query) == 0)
            call_problem(call, CODE_NOT_FOUND);
        else
            call_empty(call, 204);
        return;
    }
    call->query = db_add(call_scoped(call), &drop_draft);
    db_uuid(call->query, call_id(call, "draft_id"));
    db_i64(call->query, call->who.doctor_id);
    call_run(call, DRAFT_TOLD);
}
