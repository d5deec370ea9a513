/*
 * credit_people: what the ledger's side knows of doctors and their certificates, kept from events.
 * State events carry the whole projection; only a newer version is applied.
 */
#include "credit/credit_release.h"
#include "credit/credit_upload.h"
#include "domain/numbers.h"
#include "gen/events.h"
#include "text/fold.h"

static const struct db_stmt upsert_doctors = {
    "credit_upsert_doctors",
    "INSERT INTO credit.doctor (doctor_id, version, register_no, mamis_no, name_kana, kana_folded,"
    "                           former_folded, my_page)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[],"
    "                      $6::text[], $7::text[], $8::text[])"
    " ON CONFLICT (doctor_id) DO UPDATE SET version = excluded.version,"
    "  register_no = excluded.register_no, mamis_no = excluded.mamis_no,"
    "  name_kana = excluded.name_kana, kana_folded = excluded.kana_folded,"
    "  former_folded = excluded.former_folded, my_page = excluded.my_page"
    " WHERE doctor.version < excluded.version",
};

static const struct db_stmt upsert_certificates = {
    "credit_upsert_certificates",
    "INSERT INTO credit.certificate (doctor_id, programme, version, first_from, valid_to)"
    " SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::date[], $5::date[])"
    "  AS n (doctor_id) WHERE NOT EXISTS (SELECT FROM credit.merge m"
    "  WHERE m.closed_id = n.doctor_id)"
    " ON CONFLICT (doctor_id, programme) DO UPDATE SET version = excluded.version,"
    "  first_from = excluded.first_from, valid_to = excluded.valid_to"
    " WHERE certificate.version < excluded.version",
};

struct doctor_columns {
    size_t count;
    int64_t *id, *version, *register_no, *mamis_no;
    struct str *name_kana, *kana, *former, *my_page;
};

static void columns_init(struct doctor_columns *columns, struct arena *arena, size_t most)
{
    columns->count = 0;
    columns->id = arena_array(arena, int64_t, most);
    columns->version = arena_array(arena, int64_t, most);
    columns->register_no = arena_array(arena, int64_t, most);
    columns->mamis_no = arena_array(arena, int64_t, most);
    columns->name_kana = arena_array(arena, struct str, most);
    columns->kana = arena_array(arena, struct str, most);
    columns->former = arena_array(arena, struct str, most);
    columns->my_page = arena_array(arena, struct str, most);
}

/* One row a doctor: the newest version in the batch wins, for a row may be updated only once. */
static size_t place_of(const struct doctor_columns *columns, int64_t doctor_id)
{
    size_t at = 0;

    while (at < columns->count && columns->id[at] != doctor_id)
        at++;
    return at;
}

static int64_t number_or_null(struct str text)
{
    int64_t number;

    return text.len > 0 && str_to_i64(text, &number) ? number : INT64_MIN;
}

static void columns_put(struct doctor_columns *columns, struct arena *arena,
                        const struct event_doctor_state *event)
{
    size_t at = place_of(columns, event->doctor_id);

    if (at < columns->count && columns->version[at] >= event->version)
        return;
    if (at == columns->count)
        columns->count++;
    columns->id[at] = event->doctor_id;
    columns->version[at] = event->version;
    columns->register_no[at] = number_or_null(event->register_no);
    columns->mamis_no[at] = number_or_null(event->mamis_no);
    columns->name_kana[at] = event->name_kana;
    columns->kana[at] = fold_kana(arena, event->name_kana);
    columns->former[at] = fold_kana(arena, event->former_name_kana);
    columns->my_page[at] = event->my_page;
}

/* ---- doctors: those whose My Page is complete now have their waiting rows released ---- */

enum doctors_step { DOCTORS_ASK, DOCTORS_RECORD };

struct doctors {
    struct flow flow;
    struct credit *credit;
    struct work_batch *batch;
    struct doctor_columns columns;
    struct db_query *waiting; /* rows */
};

static bool ends_waiting(struct str my_page)
{
    return str_eq_c(my_page, "active") || str_eq_c(my_page, "link_pending") ||
           str_eq_c(my_page, "closed");
}

static void ask_waiting(struct doctors *doctors)
{
    struct db_batch *batch = db_batch_read(doctors->flow.arena);
    const struct doctor_columns *columns = &doctors->columns;
    int64_t *ids = arena_array(doctors->flow.arena, int64_t, columns->count);
    size_t count = 0;

    for (size_t i = 0; i < columns->count; i++) {
        if (ends_waiting(columns->my_page[i]))
            ids[count++] = columns->id[i];
    }
    doctors->waiting = release_ask(batch, ids, count);
    db_run(doctors->credit->db, batch, UPLOAD_READ_DEADLINE_MS, &doctors->flow);
}

static void record_doctors(struct doctors *doctors)
{
    const struct doctor_columns *columns = &doctors->columns;
    struct db_query *query = db_add(doctors->batch->effect, &upsert_doctors);

    db_i64_array(query, columns->id, columns->count);
    db_i64_array(query, columns->version, columns->count);
    db_i64_null_array(query, columns->register_no, columns->count);
    db_i64_null_array(query, columns->mamis_no, columns->count);
    db_text_array(query, columns->name_kana, columns->count);
    db_text_array(query, columns->kana, columns->count);
    db_text_array(query, columns->former, columns->count);
    db_text_array(query, columns->my_page, columns->count);
    release_emit(doctors->credit, doctors->batch->effect, doctors->waiting, doctors->flow.trace);
}

static void doctors_run(struct flow *flow)
{
    struct doctors *doctors = FLOW_OF(flow, struct doctors, flow);

    switch ((enum doctors_step)flow->step) {
    case DOCTORS_ASK:
        flow_wait(flow, DOCTORS_RECORD);
        ask_waiting(doctors);
        return;
    case DOCTORS_RECORD:
        record_doctors(doctors);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void doctors_done(struct flow *flow)
{
    struct flow *waiting = FLOW_OF(flow, struct doctors, flow)->batch->flow;
    enum err err = flow->err;

    waiting->note = flow->note;
    flow_fini(flow);
    flow_resume(waiting, err);
}

static enum err read_doctors(struct work_batch *batch, struct doctor_columns *columns)
{
    struct work_states states;
    struct event_doctor_state event;
    enum err err;

    TRY(work_states(batch, &states, &batch->flow->note));
    columns_init(columns, batch->arena, states.count);
    for (size_t i = 0; i < states.count; i++) {
        TRY(event_doctor_state_decode(batch->arena, states.list[i], &event, &batch->flow->note));
        columns_put(columns, batch->arena, &event);
    }
cleanup:
    return err;
}

void credit_doctor_handle(void *service, struct work_batch *batch)
{
    struct doctors *doctors = arena_new_of(batch->arena, struct doctors);
    enum err err = read_doctors(batch, &doctors->columns);

    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    doctors->credit = service;
    doctors->batch = batch;
    flow_init(&doctors->flow, doctors->credit->loop, doctors_run, doctors_done,
              batch->messages[0].trace);
    flow_start(&doctors->flow, DOCTORS_ASK);
}

struct certificate_columns {
    size_t count;
    int64_t *id, *version;
    struct str *programme;
    day_t *first_from, *valid_to;
};

static void certificate_put(struct certificate_columns *columns,
                            const struct event_certificate_state *event)
{
    size_t at = 0;

    while (at < columns->count && (columns->id[at] != event->doctor_id ||
                                   !str_eq(columns->programme[at], event->programme)))
        at++;
    if (at < columns->count && columns->version[at] >= event->version)
        return;
    if (at == columns->count)
        columns->count++;
    columns->id[at] = event->doctor_id;
    columns->version[at] = event->version;
    columns->programme[at] = event->programme;
    columns->first_from[at] = event->first_from;
    columns->valid_to[at] = event->valid_to;
}

static enum err read_certificates(struct work_batch *batch, struct certificate_columns *columns)
{
    struct work_states states;
    struct event_certificate_state event;
    enum err err;

    TRY(work_states(batch, &states, &batch->flow->note));
    *columns = (struct certificate_columns){
        .id = arena_array(batch->arena, int64_t, states.count),
        .version = arena_array(batch->arena, int64_t, states.count),
        .programme = arena_array(batch->arena, struct str, states.count),
        .first_from = arena_array(batch->arena, day_t, states.count),
        .valid_to = arena_array(batch->arena, day_t, states.count),
    };
    for (size_t i = 0; i < states.count; i++) {
        TRY(event_certificate_state_decode(batch->arena, states.list[i], &event,
                                           &batch->flow->note));
        certificate_put(columns, &event);
    }
cleanup:
    return err;
}

void credit_certificate_handle(void *service, struct work_batch *batch)
{
    struct certificate_columns columns;
    struct db_query *query;
    enum err err = read_certificates(batch, &columns);

    (void)service;
    if (err != ERR_OK) {
        flow_resume(batch->flow, err);
        return;
    }
    query = db_add(batch->effect, &upsert_certificates);
    db_i64_array(query, columns.id, columns.count);
    db_text_array(query, columns.programme, columns.count);
    db_i64_array(query, columns.version, columns.count);
    db_day_array(query, columns.first_from, columns.count);
    db_day_array(query, columns.valid_to, columns.count);
    flow_resume(batch->flow, ERR_OK);
}
