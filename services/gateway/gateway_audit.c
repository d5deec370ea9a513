/*
 * gateway_audit: a member's profile, and who looked at whom. What a query shows of persons it notes
 * by portal.note_read(), of sign-ups by portal.note_signup_read(), in its own transaction.
 */
#include <string.h>

#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"

#define ENDPOINT(name) void endpoint_##name(struct flow *flow)

ENDPOINT(get_doctor);
ENDPOINT(list_my_reads);
ENDPOINT(list_reads);

enum audit_step { AUDIT_ASK, AUDIT_TOLD };

/* ---- a member's profile ---- */

/* Without a reason, one outside the reader's chain is neither shown nor noted. */
static const struct db_stmt select_doctor = {
    "gateway_get_doctor",
    "SELECT CASE WHEN $2 OR NOT outside THEN json::text END,"
    " CASE WHEN $2 OR NOT outside THEN portal.note_read(ARRAY[doctor_id]) END"
    " FROM portal.doctor_profile WHERE mamis_no = $1",
};

void endpoint_get_doctor(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct str json;

    if (flow->step == AUDIT_ASK) {
        call->query = db_add(call_scoped(call), &select_doctor);
        db_text(call->query, call_text(call, "mamis_no"));
        db_bool(call->query, call_reason(call).data != NULL);
        call_run(call, AUDIT_TOLD);
        return;
    }
    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_NOT_FOUND);
        return;
    }
    json = db_get_text(call->query, 0, 0);
    if (json.data == NULL)
        call_problem(call, CODE_REASON_REQUIRED);
    else
        call_json(call, 200, json);
}

/* ---- who looked at one's own ---- */

static const struct db_stmt select_my_reads = {
    "gateway_list_my_reads",
    "WITH page AS MATERIALIZED"
    "  (SELECT * FROM portal.my_reads(nullif($1::bigint, 0), $2::bigint + 1)),"
    " shown AS (SELECT * FROM page ORDER BY read_id DESC LIMIT $2::bigint)"
    " SELECT (SELECT coalesce(json_agg(json_build_object('at', portal.rfc3339(at),"
    "   'action', action, 'role', role, 'office_name', office_name) ORDER BY read_id DESC), '[]')"
    "  FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $2::bigint THEN"
    "  (SELECT min(read_id)::text FROM shown) END",
};

void endpoint_list_my_reads(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct cursor cursor;

    if (flow->step == AUDIT_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 1, &cursor))
        return;
    call->query = db_add(call_scoped(call), &select_my_reads);
    db_i64(call->query, cursor_number(&cursor, 0));
    db_i64(call->query, call_number(call, "limit"));
    call_run(call, AUDIT_TOLD);
}

/* ---- who looked at whom, for those who watch over it ---- */

/*
 * Days are Japan's. A number that nobody has finds nothing. The bounds stand so that the index on
 * the time serves them, whichever are given.
 */
static const struct db_stmt select_reads = {
    "gateway_list_reads",
    "WITH page AS MATERIALIZED (SELECT * FROM portal.read_log r"
    "  WHERE at >= coalesce(($1::date)::timestamp AT TIME ZONE 'Asia/Tokyo', '-infinity')"
    "   AND at < coalesce(($2::date + 1)::timestamp AT TIME ZONE 'Asia/Tokyo', 'infinity')"
    "   AND ($3::text IS NULL OR doctors @> ARRAY[coalesce(portal.doctor_of_number($3), 0)])"
    "   AND ($4::uuid IS NULL OR actor = $4)"
    "   AND (at, read_id) < (CASE WHEN $5::bigint = 0 THEN 'infinity' ELSE"
    "    'epoch'::timestamptz + $5::bigint * interval '1 microsecond' END, $6::bigint)"
    "  ORDER BY at DESC, read_id DESC LIMIT $7::bigint + 1),"
    " shown AS (SELECT * FROM page ORDER BY at DESC, read_id DESC LIMIT $7::bigint)"
    " SELECT (SELECT coalesce(json_agg(json_build_object('at', portal.rfc3339(at),"
    "   'account_id', actor, 'account_name', coalesce((SELECT s.name FROM portal.sign_in s"
    "    WHERE s.account_id = actor), ''), 'role', actor_role,"
    "   'office_name', portal.office_name(actor_role, actor_code), 'action', action,"
    "   'operation', operation, 'upload_id', upload_id, 'persons', persons,"
    "   'mamis_nos', portal.numbers_of(doctors, 20), 'reason', reason, 'request_id', request_id)"
    "   ORDER BY at DESC, read_id DESC), '[]') FROM shown)::text,"
    " CASE WHEN (SELECT count(*) FROM page) > $7::bigint THEN"
    "  (SELECT concat_ws('|', (extract(epoch FROM at) * 1000000)::bigint, read_id)"
    "   FROM shown ORDER BY at, read_id LIMIT 1) END,"
    " portal.note_read(ARRAY(SELECT DISTINCT unnest(doctors[1:20]) FROM shown))",
};

void endpoint_list_reads(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct str number, account;
    struct cursor cursor;
    struct db_query *query;
    struct uuid id;

    if (flow->step == AUDIT_TOLD) {
        reads_answer_list(call, NULL, false);
        return;
    }
    if (!cursor_read(call, 2, &cursor))
        return;
    number = call_text(call, "mamis_no");
    account = call_text(call, "account_id");
    call->query = query = db_add(call_scoped(call), &select_reads);
    db_day(query, call_day(call, "from"));
    db_day(query, call_day(call, "to"));
    if (number.data == NULL)
        db_null(query);
    else
        db_text(query, number);
    if (account.data == NULL || !uuid_parse(account, &id))
        db_null(query);
    else
        db_uuid(query, id);
    db_i64(query, cursor_number(&cursor, 0));
    db_i64(query, cursor_number(&cursor, 1));
    db_i64(query, call_number(call, "limit"));
    call_run(call, AUDIT_TOLD);
}
