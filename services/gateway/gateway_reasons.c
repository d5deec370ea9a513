/* gateway_reasons: why rows of an upload did not post, counted over all of it, each with one cure.
 */
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"

void endpoint_list_upload_reasons(struct flow *flow);

/* The cure is that of the first row with this reason: it has the seminar's own values in it. */
static const struct db_stmt select_reasons = {
    "gateway_list_upload_reasons",
    "WITH counted AS (SELECT upload_no, outcome, reason, sum(rows) AS rows,"
    "   min(first_row) AS first_row, (array_agg(last_row ORDER BY chunk_no))[1] AS last_row"
    "  FROM portal.upload_reason WHERE upload_id = $1 AND reason IS NOT NULL"
    "  GROUP BY upload_no, outcome, reason)"
    " SELECT coalesce(json_agg(json_build_object('outcome', outcome, 'reason', reason,"
    "   'rows', rows, 'cure', e.one ->> 'cure', 'cure_en', e.one ->> 'cure_en')"
    "   ORDER BY rows DESC, outcome, reason), '[]')::text, NULL::text,"
    "  (SELECT count(*) FROM portal.upload WHERE upload_id = $1)"
    " FROM counted c LEFT JOIN LATERAL ("
    "  SELECT p.one FROM portal.upload_row_other r"
    "  CROSS JOIN LATERAL jsonb_array_elements(r.problems) AS p (one)"
    "  WHERE r.upload_no = c.upload_no AND r.row_no BETWEEN c.first_row AND c.last_row"
    "   AND r.outcome = c.outcome AND r.reason = c.reason AND p.one ->> 'code' = c.reason"
    "  ORDER BY r.row_no LIMIT 1) AS e ON true",
};

/* Where a rule of the policy turns a reason into another outcome, the text is another too. */
static const struct code_text *text_of(const json_t *item, bool english)
{
    enum code code = code_of_name(str_of(json_string_value(json_object_get(item, "reason"))));

    if (code == CODE_NO_MY_PAGE &&
        str_eq_c(STR("rejected"), json_string_value(json_object_get(item, "outcome"))))
        code = CODE_NO_MY_PAGE_STRICT;
    return code_text(code == CODE_NONE ? CODE_INTERNAL : code, english);
}

static void set(json_t *item, const char *name, const char *text)
{
    json_t *value = json_string(text);

    must(value != NULL && json_object_set_new(item, name, value) == 0);
}

static void answer(struct call *call)
{
    json_t *items = command_json(call->flow.arena, db_get_text(call->query, 0, 0));
    json_t *body = json_object();
    json_t *item;
    size_t i;

    problem_pick_language(items, call->english);
    json_array_foreach(items, i, item)
    {
        const struct code_text *text = text_of(item, call->english);

        set(item, "title", text->title);
        if (!json_is_string(json_object_get(item, "cure")))
            set(item, "cure", text->cure);
    }
    must(json_object_set(body, "items", items) == 0);
    call_object(call, 200, body);
}

enum reasons_step { REASONS_ASK, REASONS_TOLD };

void endpoint_list_upload_reasons(struct flow *flow)
{
    struct call *call = CALL_OF(flow);

    switch ((enum reasons_step)flow->step) {
    case REASONS_ASK:
        call->query = db_add(call_scoped(call), &select_reasons);
        db_uuid(call->query, call_id(call, "upload_id"));
        call_run(call, REASONS_TOLD);
        return;
    case REASONS_TOLD:
        if (db_get_i64(call->query, 0, 2) == 0)
            call_problem(call, CODE_NOT_FOUND);
        else
            answer(call);
        return;
    }
    must(false);
}
