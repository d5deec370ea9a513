/*
 * gateway_transcript: GET /me/credits/transcript.csv and .pdf. What was issued is kept before it is
 * handed out, so a paper that somebody holds is always known.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/gateway_rate.h"
#include "gateway/gateway_transcript.h"

void endpoint_get_transcript_csv(struct flow *flow);
void endpoint_get_transcript_pdf(struct flow *flow);

enum { RATE_WINDOW_S = 600 };

enum paper_step { PAPER_COUNT, PAPER_READ, PAPER_DRAW, PAPER_KEEP, PAPER_SEND };

struct paper {
    struct transcript transcript;
    struct rate rate;
};

static const struct db_stmt select_entries = {
    "gateway_transcript_entries",
    "SELECT held_on, kind, half_units::int, seminar_no, seminar_title, session_no, session_title,"
    " delivery FROM portal.credit"
    " WHERE doctor_id = portal.scope_id('doctor') AND status = 'posted'"
    "  AND ($1::text IS NULL OR programme = $1)"
    "  AND ($2::date IS NULL OR held_on >= $2) AND ($3::date IS NULL OR held_on <= $3)"
    " ORDER BY held_on, session_id, programme LIMIT $4::bigint + 1",
};
static const struct db_stmt insert_transcript = {
    "gateway_insert_transcript",
    "INSERT INTO gateway.transcript (code_sha256, format, content_sha256, name_masked, programme,"
    " held_from, held_to, entries, totals, totals_by_year, as_of, issued_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
};

static void release(void *object)
{
    struct paper *paper = object;

    buf_free(&paper->transcript.out);
}

static void begin(struct call *call, enum transcript_format format)
{
    struct paper *paper = arena_new_of(call->flow.arena, struct paper);

    call->state = paper;
    arena_defer(call->flow.arena, release, paper);
    paper->transcript.format = format;
    if (str_eq_c(call->who.my_page, "link_pending")) {
        call_problem(call, CODE_TRANSCRIPT_NOT_YET); /* R-ACC-09 */
        return;
    }
    paper->rate = (struct rate){.what = "transcript",
                                .whose = who_owner(call->flow.arena, &call->who),
                                .most = call->gateway->settings->transcripts_max,
                                .window_s = RATE_WINDOW_S};
    rate_count(call, &paper->rate, PAPER_READ);
}

static void read_entries(struct call *call, struct paper *paper)
{
    struct transcript *transcript = &paper->transcript;
    struct str lang;

    if (rate_refused(call, &paper->rate))
        return;
    transcript->programme = call_text(call, "programme");
    transcript->from = call_day(call, "from");
    transcript->to = call_day(call, "to");
    lang = call_text(call, "lang");
    transcript->english = lang.data == NULL ? call->english : str_eq_c(lang, "en");
    call->query = db_add(call_scoped(call), &select_entries);
    db_text(call->query, transcript->programme);
    db_day(call->query, transcript->from);
    db_day(call->query, transcript->to);
    db_i64(call->query, TRANSCRIPT_ENTRIES_MAX);
    call_run(call, PAPER_DRAW);
}

static enum err take_entries(struct call *call, struct transcript *transcript)
{
    const struct db_query *query = call->query;
    struct transcript_entry *entries;

    transcript->count = db_rows(query);
    entries = arena_array(call->flow.arena, struct transcript_entry, transcript->count + 1);
    transcript->entries = entries;
    for (size_t i = 0; i < transcript->count; i++) {
        entries[i] = (struct transcript_entry){
            .held_on = db_get_day(query, i, 0),
            .kind = kind_of_code(db_get_text(query, i, 1)),
            .half_units = db_get_i32(query, i, 2),
            .seminar_no = db_get_text(query, i, 3),
            .seminar_title = db_get_text(query, i, 4),
            .session_no = db_get_text(query, i, 5),
            .session_title = db_get_text(query, i, 6),
            .delivery = db_get_text(query, i, 7),
        };
        if (entries[i].kind == KIND_NONE)
            return err_say(&call->flow.note, ERR_INTERNAL, "an entry has an unknown kind");
    }
    return transcript_sum(entries, transcript->count, &transcript->sums) ? ERR_OK : ERR_INTERNAL;
}

static void draw(struct call *call, struct transcript *transcript)
{
    const struct gateway_settings *settings = call->gateway->settings;
    const char *url = proc_settings(call->gateway->proc)->public_url;
    uint8_t random[PAPER_CODE_RANDOM_BYTES];
    size_t len = strlen(url);
    enum err err;

    if (db_rows(call->query) > TRANSCRIPT_ENTRIES_MAX) {
        call_problem_with(call, CODE_TRANSCRIPT_TOO_LARGE, "value",
                          arena_printf(call->flow.arena, "%d", (int)TRANSCRIPT_ENTRIES_MAX));
        return;
    }
    err = take_entries(call, transcript);
    if (err != ERR_OK) {
        flow_end(&call->flow, err);
        return;
    }
    while (len > 0 && url[len - 1] == '/')
        len--;
    random_bytes(random, sizeof(random));
    paper_code_make(random, transcript->code);
    transcript->as_of_us = call->now_us;
    transcript->site = str_of(settings->site_name);
    transcript->note = str_of(settings->site_disclaimer);
    transcript->check_url = str_of(arena_printf(call->flow.arena, "%.*s/verify", (int)len, url));
    transcript->name = call->who.name;
    transcript->name_kana = call->who.name_kana;
    transcript->mamis_no = call->who.mamis_no;
    transcript->register_no = call->who.register_no;
    flow_wait(&call->flow, PAPER_KEEP);
    pool_run(call->gateway->papers, transcript_make, transcript, &call->flow);
}

/* Steals `json`. */
static void add_json(struct call *call, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    must(text != NULL);
    db_json(call->query, str_of(text));
    free(text);
    json_decref(json);
}

static void keep(struct call *call, const struct transcript *transcript)
{
    uint8_t digest[SECRET_DIGEST_BYTES];

    if (transcript->err == ERR_BODY_TOO_LARGE) {
        call_problem_with(call, CODE_TRANSCRIPT_TOO_LARGE, "value",
                          arena_printf(call->flow.arena, "%d", (int)TRANSCRIPT_ENTRIES_MAX));
        return;
    }
    if (transcript->err != ERR_OK) {
        call->flow.note = transcript->err_note;
        flow_end(&call->flow, transcript->err);
        return;
    }
    if (!call_hold(call, transcript->out.len)) /* before it counts as handed out */
        return;
    token_digest(str_of(transcript->code), digest);
    call->batch = db_batch_new(call->flow.arena);
    call->query = db_add(call->batch, &insert_transcript);
    db_bytes(call->query, (struct str){(const char *)digest, sizeof(digest)});
    db_text_c(call->query, transcript->format == TRANSCRIPT_PDF ? "pdf" : "csv");
    db_bytes(call->query,
             (struct str){(const char *)transcript->sha256, sizeof(transcript->sha256)});
    db_text(call->query, transcript_mask(call->flow.arena, transcript->name));
    db_text(call->query, transcript->programme);
    db_day(call->query, transcript->from);
    db_day(call->query, transcript->to);
    db_i32(call->query, (int32_t)transcript->count);
    add_json(call, transcript_totals(&transcript->sums));
    add_json(call, transcript_years(&transcript->sums));
    db_time(call->query, transcript->as_of_us);
    db_time(call->query, clock_now_us());
    call_run(call, PAPER_SEND);
}

static void hand_out(struct call *call, const struct transcript *transcript)
{
    const bool pdf = transcript->format == TRANSCRIPT_PDF;

    call->gateway->figures.transcripts++;
    http_set_header(call->request, "Content-Disposition",
                    arena_printf(call->flow.arena, "attachment; filename=\"transcript-%s.%s\"",
                                 transcript->code, pdf ? "pdf" : "csv"));
    call_file(call, pdf ? "application/pdf" : "text/csv; charset=utf-8", buf_str(&transcript->out));
}

static void paper_run(struct flow *flow, enum transcript_format format)
{
    struct call *call = CALL_OF(flow);
    struct paper *paper = call->state;

    switch ((enum paper_step)flow->step) {
    case PAPER_COUNT:
        begin(call, format);
        return;
    case PAPER_READ:
        read_entries(call, paper);
        return;
    case PAPER_DRAW:
        draw(call, &paper->transcript);
        return;
    case PAPER_KEEP:
        keep(call, &paper->transcript);
        return;
    case PAPER_SEND:
        hand_out(call, &paper->transcript);
        return;
    }
    must(false);
}

void endpoint_get_transcript_csv(struct flow *flow)
{
    paper_run(flow, TRANSCRIPT_CSV);
}

void endpoint_get_transcript_pdf(struct flow *flow)
{
    paper_run(flow, TRANSCRIPT_PDF);
}
