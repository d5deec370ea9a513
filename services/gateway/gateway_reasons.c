/* gateway_reasons: why rows of an upload did not post, counted over all of it, each with one cure.
 */
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"
#include "gateway/gateway_transcript.h"

void endpoint_list_upload_reasons(struct flow *flow);

/*
 * The cure is that of the first row with this reason: it has the seminar's own values in it. The
 * last columns: whether sessions offer different kinds, whether rows may be for different units,
 * and until when the first of those waits that wait.
 */
static const struct db_stmt select_reasons = {
    "gateway_list_upload_reasons",
    "WITH counted AS (SELECT upload_no, outcome, reason, sum(rows) AS rows,"
    "   min(first_row) AS first_row, (array_agg(last_row ORDER BY chunk_no))[1] AS last_row"
    "  FROM portal.upload_reason WHERE upload_id = $1 AND reason IS NOT NULL"
    "  GROUP BY upload_no, outcome, reason),"
    " offered AS (SELECT"
    "   count(DISTINCT regexp_replace(s.offers, ':[^;|]*', '', 'g')) > 1 AS kinds,"
    "   count(DISTINCT n.units) > 1 OR coalesce(bool_or(s.offers LIKE '%;%'), false) AS units"
    "  FROM portal.upload u JOIN portal.session s USING (seminar_no)"
    "  CROSS JOIN LATERAL regexp_matches(s.offers, ':([^;|]*)', 'g') AS n (units)"
    "  WHERE u.upload_id = $1)"
    " SELECT coalesce(json_agg(json_build_object('outcome', outcome, 'reason', reason,"
    "   'rows', rows, 'cure', e.one ->> 'cure', 'cure_en', e.one ->> 'cure_en')"
    "   ORDER BY rows DESC, outcome, reason), '[]')::text, NULL::text,"
    "  (SELECT count(*) FROM portal.upload WHERE upload_id = $1),"
    "  (SELECT kinds FROM offered), (SELECT units FROM offered),"
    "  (SELECT waits_until FROM portal.upload_waiting WHERE upload_id = $1)"
    " FROM counted c LEFT JOIN LATERAL ("
    "  SELECT p.one FROM portal.upload_row_other r"
    "  CROSS JOIN LATERAL jsonb_array_elements(r.problems) AS p (one)"
    "  WHERE r.upload_no = c.upload_no AND r.row_no BETWEEN c.first_row AND c.last_row"
    "   AND r.outcome = c.outcome AND r.reason = c.reason AND p.one ->> 'code' = c.reason"
    "  ORDER BY r.row_no LIMIT 1) AS e ON true",
};

enum { REASONS_KINDS_DIFFER = 3, REASONS_UNITS_DIFFER = 4, REASONS_UNTIL = 5 };

/* Reasons whose cure is a row's own, the column that says so, and what fits all rows then. */
static const struct {
    enum code code;
    enum code all;
    int column;
} own_cures[] = {
    {CODE_KIND_UNKNOWN, CODE_KIND_UNKNOWN_ALL, REASONS_KINDS_DIFFER},
    {CODE_KIND_NOT_OFFERED, CODE_KIND_NOT_OFFERED_ALL, REASONS_KINDS_DIFFER},
    {CODE_UNITS_DIFFER, CODE_UNITS_DIFFER_ALL, REASONS_UNITS_DIFFER},
};

/* Where a rule of the policy turns a reason into another outcome, the text is another too. */
static enum code code_of_item(const json_t *item)
{
    enum code code = code_of_name(str_of(json_string_value(json_object_get(item, "reason"))));

    if (code == CODE_NO_MY_PAGE &&
        str_eq_c(STR("rejected"), json_string_value(json_object_get(item, "outcome"))))
        code = CODE_NO_MY_PAGE_STRICT;
    return code == CODE_NONE ? CODE_INTERNAL : code;
}

/* The code whose cure fits all rows, CODE_NONE where that of the first row does. */
static enum code code_of_all(const struct call *call, enum code code)
{
    for (size_t i = 0; i < ARRAY_LEN(own_cures); i++) {
        if (own_cures[i].code == code && db_get_bool(call->query, 0, own_cures[i].column))
            return own_cures[i].all;
    }
    return CODE_NONE;
}

static void set(json_t *item, const char *name, const char *text)
{
    json_t *value = json_string(text);

    must(value != NULL && json_object_set_new(item, name, value) == 0);
}

/* `text` without the sentence that names the time, where nothing says until when the rows wait. */
static void set_cure(const struct call *call, json_t *item, const char *text)
{
    const bool waits = !db_is_null(call->query, 0, REASONS_UNTIL);
    const struct code_param until = {
        "until", waits ? transcript_time(call->flow.arena,
                                         db_get_time(call->query, 0, REASONS_UNTIL), call->english)
                       : STR("")};
    struct buf cure = {0};

    problem_text(&cure, text, &until, 1);
    buf_add_char(&cure, '\0');
    set(item, "cure", cure.data);
    buf_free(&cure);
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
        const enum code code = code_of_item(item);
        const enum code all = code_of_all(call, code);

        set(item, "title", code_text(code, call->english)->title);
        if (all != CODE_NONE || !json_is_string(json_object_get(item, "cure")))
            set_cure(call, item, code_text(all == CODE_NONE ? code : all, call->english)->cure);
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
