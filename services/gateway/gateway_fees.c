/* gateway_fees: what a category costs a year, before it is filed and while an office decides. */
#include <stdlib.h>

#include "domain/calendar.h"
#include "gateway/gateway_call.h"

void endpoint_get_my_fees(struct flow *flow);
void endpoint_get_procedure_fee(struct flow *flow);

enum step { STEP_ASK, STEP_TOLD };

static json_t *amount(bool known, int64_t yen)
{
    return known ? json_integer(yen) : json_null();
}

static json_t *fee_json(const struct call *call, struct str category, day_t birth_on,
                        day_t licensed_on, day_t on)
{
    struct fee fee;

    fee_of(&call->gateway->fees, category, birth_on, licensed_on, on, &fee);
    return json_pack("{s:s%, s:o, s:o, s:b}", "category", category.data, category.len, "yen",
                     amount(fee.yen_known, fee.yen), "insurance_yen",
                     amount(fee.insurance_known, fee.insurance_yen), "waived", (int)fee.waived);
}

/* `items` is stolen. */
static void answer(struct call *call, day_t on, json_t *items)
{
    char day[11];
    char *text;
    json_t *json;

    day_format(on, day);
    json = json_pack("{s:s, s:i, s:o}", "on", day, "fiscal_year", fiscal_year(on), "items", items);
    text = json_dumps(json, JSON_COMPACT);
    must(text != NULL);
    call_json(call, 200, arena_str(call->flow.arena, str_of(text)));
    free(text);
    json_decref(json);
}

static const struct db_stmt select_own = {
    "gateway_fee_own",
    "SELECT birth_on, licensed_on FROM portal.fee_basis"
    " WHERE doctor_id = portal.scope_id('doctor')",
};

void endpoint_get_my_fees(struct flow *flow)
{
    static const char *const categories[] = {"A1", "A2B", "A2C", "B", "C"};
    struct call *call = CALL_OF(flow);
    day_t on = call_day(call, "on");
    json_t *items;

    if (flow->step == STEP_ASK) {
        call->query = db_add(call_scoped(call), &select_own);
        call_run(call, STEP_TOLD);
        return;
    }
    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    if (on == DAY_NONE)
        on = day_of_us(call->now_us);
    items = json_array();
    for (size_t i = 0; i < ARRAY_LEN(categories); i++)
        must(json_array_append_new(items, fee_json(call, str_of(categories[i]),
                                                   db_get_day(call->query, 0, 0),
                                                   db_get_day(call->query, 0, 1), on)) == 0);
    answer(call, on, items);
}

static const struct db_stmt select_asked = {
    "gateway_fee_asked",
    "SELECT category, birth_on, licensed_on, effective_on, portal.note_read(ARRAY[doctor_id])"
    " FROM portal.procedure_fee_basis WHERE procedure_id = $1",
};

void endpoint_get_procedure_fee(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct str category;
    json_t *items;
    day_t on;

    if (flow->step == STEP_ASK) {
        call->query = db_add(call_scoped(call), &select_asked);
        db_uuid(call->query, call_id(call, "procedure_id"));
        call_run(call, STEP_TOLD);
        return;
    }
    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    category = db_get_text(call->query, 0, 0);
    on = db_get_day(call->query, 0, 3);
    items = json_array();
    if (category.len > 0)
        must(json_array_append_new(items, fee_json(call, category, db_get_day(call->query, 0, 1),
                                                   db_get_day(call->query, 0, 2), on)) == 0);
    answer(call, on, items);
}
