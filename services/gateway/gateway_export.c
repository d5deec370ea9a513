/* gateway_export: GET /me/export.json and .html; see gateway_export.h. */
#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_command.h"
#include "gateway/gateway_export.h"
#include "gateway/gateway_rate.h"

void endpoint_export_my_data_json(struct flow *flow);
void endpoint_export_my_data_html(struct flow *flow);

enum {
    RATE_WINDOW_S = 600,
    PAGE_MS = 10000,
    EXPORT_BYTES = 256 * 1024, /* in memory at most: a page, which http_stream_write() takes */
};

enum export_step {
    EXPORT_COUNT,
    EXPORT_BEGIN,
    EXPORT_ASK,
    EXPORT_TOLD,
    EXPORT_CUT,
};

/* What a section's statement wants as its third parameter. */
enum section_wants { WANTS_NOTHING, WANTS_TIME, WANTS_KINDS, WANTS_ACCOUNT };

/*
 * Rows (place, item as JSON text) after place $1, at most $2 of them. Places are texts without any
 * language's order.
 */
#define SECTION(place, item, from)                                                                 \
    "SELECT place, item::text FROM (SELECT " place " AS place, " item " AS item FROM " from        \
    ") AS s WHERE place COLLATE \"C\" > $1 ORDER BY place COLLATE \"C\" LIMIT $2::bigint"
#define MOMENT(time) "to_char(" time " AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')"
#define LIST_PLACE "lpad(e.n::text, 9, '0')"

static const struct section {
    const char *name;
    int64_t page_items; /* bounded, for an item may be long */
    enum section_wants wants;
    struct db_stmt stmt;
} sections[] = {
    {"profile",
     1,
     WANTS_NOTHING,
     {"gateway_export_profile", SECTION("'0'", "portal.my_profile()", "(VALUES (1)) AS one")}},
    {"account",
     1,
     WANTS_NOTHING,
     {"gateway_export_account",
      SECTION("'0'", "json", "portal.account WHERE doctor_id = portal.scope_id('doctor')")}},
    {"account_history",
     200,
     WANTS_NOTHING,
     {"gateway_export_history",
      SECTION("lpad(version::text, 12, '0')",
              "json_build_object('at', portal.rfc3339(at), 'action', action)",
              "portal.account_history")}},
    {"former_names",
     200,
     WANTS_NOTHING,
     {"gateway_export_names",
      SECTION("lpad(version::text, 12, '0')", "json", "portal.name_history")}},
    {"former_numbers",
     200,
     WANTS_NOTHING,
     {"gateway_export_numbers", SECTION(MOMENT("since") " || lpad(closed_id::text, 19, '0')",
                                        "json", "portal.my_former_number")}},
    {"certificates",
     20,
     WANTS_TIME,
     {"gateway_export_certificates",
      SECTION(LIST_PLACE, "e.item",
              "json_array_elements(portal.my_certificates($3) -> 'items')"
              " WITH ORDINALITY AS e (item, n)")}},
    {"credits",
     100,
     WANTS_KINDS,
     {"gateway_export_credits",
      SECTION("concat_ws(' ', c.held_on, lpad(c.session_id::text, 20, '0'), c.programme,"
              " lpad(c.revision::text, 6, '0'))",
              "portal.credit_with_history(c, $3::jsonb)",
              "portal.credit AS c WHERE c.doctor_id = portal.scope_id('doctor')")}},
    {"handbook",
     20,
     WANTS_NOTHING,
     {"gateway_export_handbook", SECTION(LIST_PLACE, "e.item",
                                         "json_array_elements(portal.my_handbook() -> 'items')"
                                         " WITH ORDINALITY AS e (item, n)")}},
    {"applications",
     5,
     WANTS_NOTHING,
     {"gateway_export_applications",
      SECTION(MOMENT("a.submitted_at") " || a.application_id",
              "portal.application_json(a.application_id)",
              "portal.application AS a WHERE a.doctor_id = portal.scope_id('doctor')")}},
    /* The list has the newest first. */
    {"memberships",
     50,
     WANTS_NOTHING,
     {"gateway_export_memberships",
      SECTION("lpad((1000000000 - e.n)::text, 9, '0')", "e.item",
              "json_array_elements(portal.my_memberships() -> 'items')"
              " WITH ORDINALITY AS e (item, n)")}},
    /* Without what only the desk of an office asks. */
    {"procedures",
     5,
     WANTS_TIME,
     {"gateway_export_procedures",
      SECTION(MOMENT("p.submitted_at") " || p.procedure_id",
              "portal.procedure_json(p.procedure_id, $3)::jsonb"
              " - ARRAY['mine', 'to_confirm', 'plain', 'doctor', 'version']",
              "portal.procedure AS p WHERE p.doctor_id = portal.scope_id('doctor')")}},
    {"delegates",
     5,
     WANTS_NOTHING,
     {"gateway_export_delegates",
      SECTION(MOMENT("d.invited_at") " || d.delegation_id", "portal.delegate_json(d)",
              "portal.delegation AS d WHERE d.doctor_id = portal.scope_id('doctor')")}},
    {"signups",
     50,
     WANTS_NOTHING,
     {"gateway_export_signups",
      SECTION(MOMENT("asked_at") " || seminar_no",
              "json_build_object('seminar_no', seminar_no, 'seminar_title', (SELECT title"
              "  FROM portal.seminar WHERE seminar_no = g.seminar_no), 'asked_at',"
              " portal.rfc3339(asked_at), 'state', state, 'by_delegate', by_delegate,"
              " 'choices', (SELECT coalesce(json_agg(json_build_object('session_no', c.key,"
              "  'kinds', c.value) ORDER BY c.key), '[]') FROM jsonb_each_text(choices) AS c))",
              "portal.seminar_signup AS g WHERE doctor_id = portal.scope_id('doctor')")}},
    {"corrections",
     50,
     WANTS_NOTHING,
     {"gateway_export_corrections",
      SECTION(MOMENT("asked_at") " || correction_id", "item",
              "portal.correction WHERE doctor_id = portal.scope_id('doctor')")}},
    {"reissues",
     50,
     WANTS_NOTHING,
     {"gateway_export_reissues",
      SECTION(MOMENT("asked_at") " || reissue_id", "item",
              "portal.reissue WHERE doctor_id = portal.scope_id('doctor')")}},
    {"drafts",
     6,
     WANTS_NOTHING,
     {"gateway_export_drafts",
      SECTION("d.kind",
              "json_build_object('kind', d.kind, 'saved_at', portal.rfc3339(d.saved_at),"
              " 'form', d.form)",
              "portal.procedure_draft AS d WHERE d.doctor_id = portal.scope_id('doctor')")}},
    /* Newest first; not more is read of the long list than a page. */
    {"reads",
     200,
     WANTS_NOTHING,
     {"gateway_export_reads",
      SECTION("lpad((9223372036854775807 - read_id)::text, 19, '0')",
              "json_build_object('at', portal.rfc3339(at), 'action', action, 'role', role,"
              " 'office_name', office_name)",
              "portal.my_reads(9223372036854775807 - nullif($1::text, '')::bigint, $2::bigint)")}},
    {"mails",
     200,
     WANTS_NOTHING,
     {"gateway_export_mails",
      SECTION(MOMENT("created_at") " || mail_id",
              "json_build_object('kind', kind, 'created_at', portal.rfc3339(created_at),"
              " 'state', state, 'finished_at', portal.rfc3339(finished_at))",
              "portal.mail")}},
    {"second_factors",
     50,
     WANTS_ACCOUNT,
     {"gateway_export_factors",
      SECTION(MOMENT("created_at") " || kind || label",
              "json_build_object('kind', kind, 'label', label, 'created_at',"
              " portal.rfc3339(created_at), 'used_at', portal.rfc3339(used_at))",
              "(SELECT 'passkey' AS kind, label, created_at, used_at FROM gateway.passkey"
              "  WHERE account_id = $3"
              " UNION ALL SELECT 'totp', '', confirmed_at, NULL FROM gateway.totp"
              "  WHERE account_id = $3 AND confirmed_at IS NOT NULL) AS factors")}},
    {"second_factor_history",
     200,
     WANTS_ACCOUNT,
     {"gateway_export_factor_history",
      SECTION("lpad(entry_no::text, 19, '0')",
              "json_build_object('at', portal.rfc3339(at), 'action', action, 'by_owner', by_owner)",
              "gateway.factor_history WHERE account_id = $3")}},
    {"sessions",
     200,
     WANTS_ACCOUNT,
     {"gateway_export_sessions",
      SECTION(MOMENT("created_at") " || encode(token_sha256, 'hex')",
              "json_build_object('created_at', portal.rfc3339(created_at),"
              " 'device', device, 'seen_at', portal.rfc3339(seen_at), 'ended_at', "
              "portal.rfc3339(ended_at))",
              "gateway.session WHERE account_id = $3")}},
};

struct export
{
    bool html, english;
    struct rate rate;
    size_t section;
    bool first;          /* item of this section */
    struct arena *arena; /* of one page */
    struct db_query *page;
    struct buf last, out; /* place of the last item; what is not handed over yet */
};

static void release(void *object)
{
    struct export *export = object;

    arena_free(export->arena);
    buf_free(&export->last);
    buf_free(&export->out);
}

/* ---- what stands around the items ---- */

static void head(struct call *call, struct export *export)
{
    char at[CLOCK_TEXT_BYTES];
    struct buf *out = &export->out;

    time_format(call->now_us, at);
    if (!export->html) {
        buf_printf(out, "{\"made_at\":\"%s\",\"sections\":{", at);
        return;
    }
    buf_printf(out,
               "<!doctype html>\n<html lang=\"%s\">\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
               export->english ? "en" : "ja");
    export_html_text(out, str_of(export_word(STR("title"), export->english)));
    buf_add_c(out, "</title>\n<style>body{font-family:sans-serif;line-height:1.6;margin:2rem auto;"
                   "max-width:60rem;padding:0 1rem;overflow-wrap:anywhere}dt{font-weight:bold}"
                   "dd{margin:0 0 .5rem 1rem}ol{padding-left:1.5rem}li{margin-bottom:1rem}"
                   "</style>\n<main>\n<h1>");
    export_html_text(out, str_of(export_word(STR("title"), export->english)));
    buf_printf(out, "</h1>\n<p>%s</p>\n", at);
}

static void begin_section(struct export *export)
{
    const char *name = sections[export->section].name;
    struct buf *out = &export->out;

    export->first = true;
    buf_clear(&export->last);
    if (!export->html) {
        buf_printf(out, "%s\"%s\":[", export->section > 0 ? "," : "", name);
        return;
    }
    buf_add_c(out, "<h2>");
    export_html_text(out, str_of(export_word(str_of(name), export->english)));
    buf_add_c(out, "</h2>\n<ol>\n");
}

static void end_section(struct export *export)
{
    struct buf *out = &export->out;

    if (!export->html) {
        buf_add_c(out, "]");
        return;
    }
    if (export->first) {
        buf_add_c(out, "<li>");
        export_html_text(out, str_of(export_word(STR("nothing"), export->english)));
        buf_add_c(out, "</li>\n");
    }
    buf_add_c(out, "</ol>\n");
}

static void put_item(struct export *export, struct str item)
{
    json_t *json;

    if (!export->html) {
        if (!export->first)
            buf_add_char(&export->out, ',');
        buf_add_str(&export->out, item);
    } else {
        json = command_json(export->arena, item);
        buf_add_c(&export->out, "<li>");
        export_html(&export->out, json, export->english);
        buf_add_c(&export->out, "</li>\n");
    }
    export->first = false;
}

/* ---- steps ---- */

static void begin(struct call *call, bool html)
{
    struct export *export = arena_new_of(call->flow.arena, struct export);

    if (!call_hold(call, EXPORT_BYTES)) /* before it counts */
        return;
    call->state = export;
    arena_defer(call->flow.arena, release, export);
    export->html = html;
    export->rate = (struct rate){.what = "export",
                                 .whose = who_owner(call->flow.arena, &call->who),
                                 .most = call->gateway->settings->exports_max,
                                 .window_s = RATE_WINDOW_S};
    rate_count(call, &export->rate, EXPORT_BEGIN);
}

/* Hands over what has been written and goes on at `next`. */
static void write_out(struct call *call, struct export *export, int next)
{
    flow_wait(&call->flow, next);
    http_stream_write(call->request, buf_str(&export->out), &call->flow);
    buf_free(&export->out);
    arena_free(export->arena);
    export->arena = NULL;
}

static void start_stream(struct call *call, struct export *export)
{
    struct str lang = export->html ? call_text(call, "lang") : STR_NONE;

    if (rate_refused(call, &export->rate))
        return;
    export->english = lang.data == NULL ? call->english : str_eq_c(lang, "en");
    LOG_INFO("data_exported", F_BOOL("html", export->html));
    http_set_header(call->request, "Content-Disposition",
                    export->html ? "attachment; filename=\"mamis-export.html\""
                                 : "attachment; filename=\"mamis-export.json\"");
    http_set_header(call->request, "Cache-Control", "no-store");
    http_set_header(call->request, "X-Content-Type-Options", "nosniff");
    http_stream_begin(call->request, 200,
                      export->html ? "text/html; charset=utf-8" : "application/json");
    call->answered = true;
    head(call, export);
    begin_section(export);
    flow_on_error(&call->flow, EXPORT_CUT);
    write_out(call, export, EXPORT_ASK);
}

static void ask(struct call *call, struct export *export)
{
    const struct section *section = &sections[export->section];
    struct db_batch *batch;
    struct db_query *page;

    arena_free(export->arena);
    export->arena = arena_new();
    batch = db_batch_new(export->arena);
    call_scope_add(batch, who_scope(export->arena, &call->who));
    export->page = page = db_add(batch, &section->stmt);
    db_text(page, export->last.len == 0 ? STR("") : buf_str(&export->last));
    db_i64(page, section->page_items);
    switch (section->wants) {
    case WANTS_NOTHING:
        break;
    case WANTS_TIME:
        db_time(page, call->now_us);
        break;
    case WANTS_KINDS:
        db_json(page, call->gateway->kind_names[export->english]);
        break;
    case WANTS_ACCOUNT:
        db_uuid(page, call->who.account_id);
        break;
    }
    flow_wait(&call->flow, EXPORT_TOLD);
    db_run(call->gateway->db, batch, PAGE_MS, &call->flow);
}

static void finish(struct call *call, struct export *export)
{
    buf_add_c(&export->out, export->html ? "</main>\n</html>\n" : "}}\n");
    http_stream_write(call->request, buf_str(&export->out), NULL);
    http_stream_end(call->request);
    flow_end(&call->flow, ERR_OK);
}

static void told(struct call *call, struct export *export)
{
    const struct db_query *page = export->page;
    size_t rows = db_rows(page);

    for (size_t i = 0; i < rows; i++)
        put_item(export, db_get_text(page, i, 1));
    if ((int64_t)rows == sections[export->section].page_items) {
        buf_clear(&export->last);
        buf_add_str(&export->last, db_get_text(page, rows - 1, 0));
        write_out(call, export, EXPORT_ASK);
        return;
    }
    end_section(export);
    if (++export->section == ARRAY_LEN(sections)) {
        finish(call, export);
        return;
    }
    begin_section(export);
    write_out(call, export, EXPORT_ASK);
}

static void export_run(struct flow *flow, bool html)
{
    struct call *call = CALL_OF(flow);
    struct export *export = call->state;

    switch ((enum export_step)flow->step) {
    case EXPORT_COUNT:
        begin(call, html);
        return;
    case EXPORT_BEGIN:
        start_stream(call, export);
        return;
    case EXPORT_ASK:
        ask(call, export);
        return;
    case EXPORT_TOLD:
        told(call, export);
        return;
    case EXPORT_CUT: /* a short document must not look like a whole one */
        http_stream_abort(call->request);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

void endpoint_export_my_data_json(struct flow *flow)
{
    export_run(flow, false);
}

void endpoint_export_my_data_html(struct flow *flow)
{
    export_run(flow, true);
}
