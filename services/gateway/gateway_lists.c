/* gateway_lists: lists by pages, each one statement in the caller's scope. */
#include <string.h>

#include "gateway/gateway_reads.h"
#include "text/fold.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(list_my_credits);
ENDPOINT(list_delegated_credits);
ENDPOINT(list_applications);
ENDPOINT(list_seminars);
ENDPOINT(list_uploads);
ENDPOINT(list_upload_rows);

enum list_step { LIST_ASK, LIST_TOLD };

/* data NULL gives NULL. */
static void text_or_null(struct db_query *query, struct str text)
{
    if (text.data == NULL)
        db_null(query);
    else
        db_text(query, text);
}

/* ---- a doctor's credits: newest first ---- */

/* Found by the doctor's key whatever is asked; a plan for each set of values costs three times as
 * much as the look-up. */
static const struct db_stmt one_plan = {
    "gateway_list_one_plan",
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)",
};

static const struct db_stmt select_credits = {
    "gateway_list_my_credits",
    "WITH mine AS MATERIALIZED (SELECT * FROM portal.doctor_entry AS e"
    "  WHERE doctor_id = (SELECT portal.credit_doctor()) AND NOT $10"
    "   AND ($1::text IS NULL OR programme = $1)"
    "   AND ($2::date IS NULL OR held_on >= $2) AND ($3::date IS NULL OR held_on <= $3)"
    "   AND ($11::text IS NULL OR kind = $11) AND ($12::text IS NULL OR status = $12)"
    "   AND ($13::text IS NULL OR EXISTS (SELECT FROM portal.session_title AS t"
    "    WHERE t.session_id = e.session_id AND position(lower($13) IN lower(concat_ws(E'\\n',"
    "     t.seminar_title, t.session_title, t.seminar_no))) > 0))),"
    " page AS (SELECT * FROM mine WHERE $4::date IS NULL"
    "   OR (held_on, session_id, programme, revision) < ($4, $5::bigint, $6::text, $7::smallint)"
    "  ORDER BY held_on DESC, session_id DESC, programme DESC, revision DESC LIMIT $8::bigint + 1),"
    " shown AS (SELECT * FROM page"
    "  ORDER BY held_on DESC, session_id DESC, programme DESC, revision DESC LIMIT $8::bigint)"
    " SELECT (SELECT coalesce(json_agg(json_build_object('entry_id',"
    "   portal.entry_id(doctor_id, session_id, programme, revision),"
    "   'seminar_no', seminar_no, 'seminar_title', seminar_title, 'session_no', session_no,"
    "   'session_title', session_title, 'held_on', held_on, 'programme', programme, 'kind', kind,"
    "   'kind_name', $9::jsonb ->> kind, 'half_units', half_units, 'delivery', delivery,"
    "   'posted_at', portal.rfc3339(posted_at), 'status', status)"
    "   ORDER BY held_on DESC, session_id DESC, programme DESC, revision DESC), '[]')"
    "  FROM shown JOIN portal.session_title USING (session_id))::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $8::bigint THEN"
    "  (SELECT concat_ws('|', held_on, session_id, programme, revision) FROM shown"
    "   ORDER BY held_on, session_id, programme, revision LIMIT 1) END,"
    " (SELECT coalesce(json_agg(json_build_object('programme', programme, 'kind', kind,"
    "   'kind_name', $9::jsonb ->> kind, 'half_units', half_units) ORDER BY programme, kind), '[]')"
    "  FROM (SELECT programme, kind, sum(half_units) AS half_units FROM mine"
    "   WHERE status = 'posted' GROUP BY programme, kind) AS sums)::text,"
    " (SELECT coalesce(json_agg(json_build_object('fiscal_year', fiscal_year,"
    "   'programme', programme, 'half_units', half_units) ORDER BY fiscal_year DESC, programme), "
    "'[]')"
    "  FROM (SELECT portal.fiscal_year(held_on) AS fiscal_year, programme,"
    "    sum(half_units) AS half_units FROM mine"
    "   WHERE status = 'posted' GROUP BY 1, 2) AS sums)::text",
};

static const char *const credit_sums[] = {"totals", "totals_by_year", NULL};

/* False when the cursor is none of ours: then the problem is answered. */
static bool credits_cursor(struct call *call, struct cursor *ret_cursor)
{
    if (!cursor_read(call, 4, ret_cursor))
        return false;
    if (ret_cursor->count > 0 && day_parse(ret_cursor->parts[0]) == DAY_NONE) {
        call_cursor_bad(call);
        return false;
    }
    return true;
}

static void ask_credits(struct call *call, const struct cursor *cursor)
{
    struct db_query *query;

    db_add(call->batch, &one_plan);
    call->query = query = db_add(call->batch, &select_credits);
    text_or_null(query, call_text(call, "programme"));
    db_day(query, call_day(call, "from"));
    db_day(query, call_day(call, "to"));
    db_day(query, cursor->count == 0 ? DAY_NONE : day_parse(cursor->parts[0]));
    db_i64(query, cursor_number(cursor, 1));
    db_text(query, cursor->count == 0 ? STR("") : cursor->parts[2]);
    db_i16(query, (int16_t)cursor_number(cursor, 3));
    db_i64(query, call_number(call, "limit"));
    db_json(query, call->gateway->kind_names[call->english]);
    /* R-ACC-09: until certification data is linked there is no view of credits. */
    db_bool(query, str_eq_c(call->who.my_page, "link_pending"));
    text_or_null(query, call_text(call, "kind"));
    text_or_null(query, call_text(call, "status"));
    text_or_null(query, call_text(call, "q"));
    call_run(call, LIST_TOLD);
}

void endpoint_list_my_credits(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct cursor cursor;

    if (flow->step == LIST_TOLD) {
        reads_answer_list(call, credit_sums, false);
        return;
    }
    if (!credits_cursor(call, &cursor))
        return;
    (void)call_scoped(call);
    ask_credits(call, &cursor);
}

/* ---- the same for a delegate: whether the doctor still lets it is asked each time ---- */

static const struct db_stmt begin_delegated = {
    "gateway_delegate_begin",
    "SELECT * FROM portal.delegate_begin($1)",
};
static const struct db_stmt keep_look = {
    "gateway_keep_look",
    "INSERT INTO gateway.delegate_look (delegation_id, account_id, at, what)"
    " SELECT $1, $2, $3, 'credits' WHERE portal.scope_is('delegated')",
};

void endpoint_list_delegated_credits(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    const struct db_query *begun = call->state;
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        if (db_rows(begun) == 0)
            call_problem(call, CODE_NOT_FOUND);
        else
            reads_answer_list(call, credit_sums, false);
        return;
    }
    if (!credits_cursor(call, &cursor))
        return;
    call->state = query = db_add(call_scoped(call), &begin_delegated);
    db_uuid(query, call_id(call, "delegation_id"));
    query = db_add(call->batch, &keep_look);
    db_uuid(query, call_id(call, "delegation_id"));
    db_uuid(query, call->who.account_id);
    db_time(query, call->now_us);
    ask_credits(call, &cursor);
}

/* ---- applications of an association ---- */

static const struct db_stmt select_applications = {
    "gateway_list_applications",
    "WITH page AS MATERIALIZED"
    "  (SELECT * FROM portal.application_list($1, $2, $3, ($4::bigint + 1)::int)),"
    " shown AS (SELECT * FROM page ORDER BY submitted_at DESC, application_id DESC"
    "  LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(item ORDER BY submitted_at DESC, application_id DESC), '[]')"
    "  FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT concat_ws('|', (extract(epoch FROM submitted_at) * 1000000)::bigint, application_id)"
    "   FROM shown ORDER BY submitted_at, application_id LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT a.doctor_id FROM portal.application a"
    "  WHERE a.application_id IN (SELECT application_id FROM shown)))",
};

void endpoint_list_applications(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct uuid before_id = {{0}};
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    if (cursor.count > 0 && !uuid_parse(cursor.parts[1], &before_id)) {
        call_cursor_bad(call);
        return;
    }
    call->query = query = db_add(call_scoped(call), &select_applications);
    text_or_null(query, call_text(call, "status"));
    db_time(query, cursor.count == 0 ? INT64_MIN : cursor_number(&cursor, 0));
    if (cursor.count == 0)
        db_null(query);
    else
        db_uuid(query, before_id);
    db_i64(query, call_number(call, "limit"));
    call_run(call, LIST_TOLD);
}

/* ---- seminars one may post for: latest first ---- */

static const struct db_stmt select_seminars = {
    "gateway_list_seminars",
    "WITH visible AS MATERIALIZED (SELECT organiser_code"
    "  FROM (SELECT DISTINCT organiser_code FROM portal.seminar) AS o"
    "  WHERE portal.organiser_visible(organiser_code)),"
    " mine AS (SELECT s.*, n.held_from, n.held_to, n.sessions_total,"
    "   coalesce(n.held_to, '0001-01-01') AS place"
    "  FROM portal.seminar s JOIN visible USING (organiser_code)"
    "  LEFT JOIN LATERAL (SELECT min(held_on) AS held_from, max(held_on) AS held_to,"
    "   count(*) AS sessions_total FROM portal.session n WHERE n.seminar_no = s.seminar_no) AS n"
    "  ON true"
    "  WHERE $1::text IS NULL OR position(lower($1) IN lower(s.title)) > 0"
    "   OR position(lower($1) IN lower(s.seminar_no)) > 0),"
    " page AS MATERIALIZED (SELECT * FROM mine"
    "  WHERE $2::date IS NULL OR (place, seminar_no) < ($2, $3::text)"
    "  ORDER BY place DESC, seminar_no DESC LIMIT $4::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY place DESC, seminar_no DESC LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(json_build_object('seminar_no', seminar_no,"
    "   'title', title, 'organiser_code', organiser_code, 'organiser_name', organiser_name,"
    "   'status', status, 'held_from', held_from, 'held_to', held_to,"
    "   'sessions_total', sessions_total) ORDER BY place DESC, seminar_no DESC), '[]')"
    "  FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT concat_ws('|', place, seminar_no) FROM shown ORDER BY place, seminar_no LIMIT 1) "
    "END",
};

void endpoint_list_seminars(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    if (cursor.count > 0 && day_parse(cursor.parts[0]) == DAY_NONE) {
        call_cursor_bad(call);
        return;
    }
    call->query = query = db_add(call_scoped(call), &select_seminars);
    text_or_null(query, call_text(call, "q"));
    db_day(query, cursor.count == 0 ? DAY_NONE : day_parse(cursor.parts[0]));
    db_text(query, cursor.count == 0 ? STR("") : cursor.parts[1]);
    db_i64(query, call_number(call, "limit"));
    call_run(call, LIST_TOLD);
}

/* ---- uploads: newest first ---- */

static const struct db_stmt select_uploads = {
    "gateway_list_uploads",
    "WITH page AS MATERIALIZED (SELECT upload_no, json FROM portal.upload"
    "  WHERE ($1::text IS NULL OR seminar_no = $1) AND ($2::bigint = 0 OR upload_no < $2)"
    "  ORDER BY upload_no DESC LIMIT $3::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY upload_no DESC LIMIT $3::bigint)"
    " SELECT (SELECT coalesce(json_agg(json ORDER BY upload_no DESC), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $3::bigint THEN"
    "  (SELECT min(upload_no)::text FROM shown) END",
};

void endpoint_list_uploads(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        reads_answer_list(call, NULL, true);
        return;
    }
    if (!cursor_read(call, 1, &cursor))
        return;
    call->query = query = db_add(call_scoped(call), &select_uploads);
    text_or_null(query, call_text(call, "seminar_no"));
    db_i64(query, cursor_number(&cursor, 0));
    db_i64(query, call_number(call, "limit"));
    call_run(call, LIST_TOLD);
}

/* ---- rows of an upload: as in the file ---- */

static const struct db_stmt select_rows = {
    "gateway_list_upload_rows",
    "WITH page AS MATERIALIZED"
    "  (SELECT * FROM portal.upload_rows_found($1, $2, $5, $6, $7, $3, $4::bigint + 1)),"
    " shown AS (SELECT * FROM page ORDER BY row_no LIMIT $4::bigint)"
    " SELECT (SELECT coalesce(json_agg(" READS_ROW_JSON " ORDER BY row_no), '[]')"
    "  FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $4::bigint THEN"
    "  (SELECT max(row_no)::text FROM shown) END,"
    " (SELECT count(*) FROM portal.upload WHERE upload_id = $1),"
    " (SELECT portal.note_read('{}', upload_no) FROM portal.upload"
    "  WHERE upload_id = $1 AND EXISTS (SELECT FROM shown))",
};

/* What is searched for, as a word and as a kana name. Digits stand for a number, without the zeros
 * before it, and for no name. */
static void add_search(struct arena *arena, struct db_query *query, struct str text)
{
    struct str word = text.data == NULL ? text : text_trim(fold_width(arena, text));
    size_t digits = 0;

    while (digits < word.len && word.data[digits] >= '0' && word.data[digits] <= '9')
        digits++;
    if (text.data == NULL || digits < word.len) {
        text_or_null(query, word);
        text_or_null(query, text.data == NULL ? text : fold_kana(arena, text));
        return;
    }
    for (; word.len > 1 && word.data[0] == '0'; word.len--)
        word.data++;
    db_text(query, word);
    db_null(query);
}

void endpoint_list_upload_rows(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct cursor cursor;
    struct db_query *query;

    if (flow->step == LIST_TOLD) {
        if (db_get_i64(call->query, 0, 2) == 0)
            call_problem(call, CODE_NOT_FOUND);
        else
            reads_answer_list(call, NULL, true);
        return;
    }
    if (!cursor_read(call, 1, &cursor))
        return;
    call->query = query = db_add(call_scoped(call), &select_rows);
    db_uuid(query, call_id(call, "upload_id"));
    text_or_null(query, call_text(call, "outcome"));
    db_i64(query, cursor_number(&cursor, 0));
    db_i64(query, call_number(call, "limit"));
    text_or_null(query, call_text(call, "reason"));
    add_search(flow->arena, query, call_text(call, "q"));
    call_run(call, LIST_TOLD);
}
