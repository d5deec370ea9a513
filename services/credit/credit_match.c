/* credit_match: two rounds of questions for a chunk: by numbers, then by doctors. */
#include "credit/credit_match.h"

#define DOCTOR_COLUMNS                                                                             \
    "d.doctor_id, d.register_no, d.mamis_no, d.kana_folded, d.former_folded, d.my_page"

static const struct db_stmt by_register = {
    "credit_doctors_by_register",
    "SELECT " DOCTOR_COLUMNS " FROM unnest($1::bigint[]) AS n (register_no)"
    " JOIN credit.doctor d ON d.register_no = n.register_no::int",
};

static const struct db_stmt by_mamis = {
    "credit_doctors_by_mamis",
    "SELECT " DOCTOR_COLUMNS " FROM unnest($1::bigint[]) AS n (mamis_no)"
    " JOIN credit.doctor d ON d.mamis_no = n.mamis_no",
};

static const struct db_stmt select_ledger = {
    "credit_select_ledger",
    "SELECT l.doctor_id, l.session_id, l.programme, l.revision, l.kind, l.upload_no, l.row_no"
    " FROM unnest($1::bigint[]) AS n (doctor_id) JOIN credit.ledger l USING (doctor_id)"
    " WHERE l.session_id = ANY ($2)"
    " ORDER BY l.doctor_id, l.session_id, l.programme, l.revision",
};

static const struct db_stmt select_rows = {
    "credit_select_rows",
    "SELECT r.doctor_id, r.session_id, r.outcome, r.upload_no, r.row_no"
    " FROM unnest($1::bigint[]) AS n (doctor_id) JOIN credit.upload_row r USING (doctor_id)"
    " WHERE r.session_id = ANY ($2)"
    "   AND (r.outcome = 'waiting' OR (r.outcome = 'already_posted' AND r.upload_no = $3))",
};

static const struct db_stmt select_certificates = {
    "credit_select_certificates",
    "SELECT c.doctor_id, c.programme, c.first_from, c.valid_to"
    " FROM unnest($1::bigint[]) AS n (doctor_id) JOIN credit.certificate c USING (doctor_id)",
};

/* ---- doctors ---- */

void match_doctors_add(struct match_doctors *query, struct db_batch *batch,
                       const struct attendance_numbers *numbers)
{
    query->by_register = db_add(batch, &by_register);
    db_i64_array(query->by_register, numbers->register_nos, numbers->register_count);
    query->by_mamis = db_add(batch, &by_mamis);
    db_i64_array(query->by_mamis, numbers->mamis_nos, numbers->mamis_count);
}

static enum err doctors_take(const struct db_query *rows, struct match *match,
                             struct err_note *note)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct attendance_doctor *doctor = &match->doctors[match->doctor_count++];

        *doctor = (struct attendance_doctor){
            .doctor_id = db_get_i64(rows, i, 0),
            .register_no = db_is_null(rows, i, 1) ? NUMBER_NONE : db_get_i64(rows, i, 1),
            .mamis_no = db_is_null(rows, i, 2) ? NUMBER_NONE : db_get_i64(rows, i, 2),
            .kana = db_get_text(rows, i, 3),
            .former_kana = db_get_text(rows, i, 4),
            .op_from = DAY_NONE,
            .op_to = DAY_NONE,
            .sp_from = DAY_NONE,
            .sp_to = DAY_NONE,
        };
        if (!my_page_of_name(db_get_text(rows, i, 5), &doctor->my_page))
            return err_say(note, ERR_SCHEMA, "doctor %lld has an unknown state of My Page",
                           (long long)doctor->doctor_id);
    }
    return ERR_OK;
}

enum err match_doctors_take(const struct match_doctors *query, struct match *match,
                            struct arena *arena, struct err_note *note)
{
    size_t most = db_rows(query->by_register) + db_rows(query->by_mamis);
    enum err err;

    match->doctors = arena_array(arena, struct attendance_doctor, most);
    match->doctor_count = 0;
    match->facts = NULL;
    match->fact_count = 0;
    err = doctors_take(query->by_register, match, note);
    return err == ERR_OK ? doctors_take(query->by_mamis, match, note) : err;
}

/* ---- facts ---- */

static bool has_alternatives(const struct attendance_seminar *seminar)
{
    for (size_t s = 0; s < seminar->count; s++) {
        const struct offers *offers = &seminar->sessions[s].offers;

        for (size_t i = 1; i < offers->count; i++) {
            if (kind_programme(offers->list[i].kind) == kind_programme(offers->list[i - 1].kind))
                return true;
        }
    }
    return false;
}

/* Each doctor once: one who was given by both numbers must not be asked for twice. */
static size_t distinct_ids(const struct match *match, int64_t *ids, struct arena *arena)
{
    struct attendance_map seen;
    size_t count = 0;

    attendance_map_init(&seen, arena, match->doctor_count);
    for (size_t i = 0; i < match->doctor_count; i++) {
        struct attendance_map_slot *slot = attendance_map_at(&seen, match->doctors[i].doctor_id, 0);

        if (slot->value != 0)
            continue;
        slot->value = 1;
        ids[count++] = match->doctors[i].doctor_id;
    }
    return count;
}

void match_facts_add(struct match_facts *query, struct db_batch *batch, const struct match *match,
                     const struct upload *upload, struct arena *arena)
{
    const struct attendance_seminar *seminar = &upload->seminar;
    int64_t *doctors = arena_array(arena, int64_t, match->doctor_count);
    int64_t *sessions = arena_array(arena, int64_t, seminar->count);
    size_t doctor_count = distinct_ids(match, doctors, arena);

    *query = (struct match_facts){0};
    for (size_t i = 0; i < seminar->count; i++)
        sessions[i] = seminar->sessions[i].session_id;
    query->ledger = db_add(batch, &select_ledger);
    db_i64_array(query->ledger, doctors, doctor_count);
    db_i64_array(query->ledger, sessions, seminar->count);
    query->rows = db_add(batch, &select_rows);
    db_i64_array(query->rows, doctors, doctor_count);
    db_i64_array(query->rows, sessions, seminar->count);
    db_i64(query->rows, upload->no);
    if (has_alternatives(seminar)) {
        query->certificates = db_add(batch, &select_certificates);
        db_i64_array(query->certificates, doctors, doctor_count);
    }
}

/* Place of a session in the seminar; its sessions come in the order of their ids. */
static uint32_t session_place(const struct attendance_seminar *seminar, int64_t session_id)
{
    size_t low = 0;
    size_t high = seminar->count;

    while (low + 1 < high) {
        size_t middle = (low + high) / 2;

        if (seminar->sessions[middle].session_id <= session_id)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

uint32_t match_part(size_t session, enum programme programme)
{
    return (uint32_t)(session * PROGRAMME_COUNT + programme);
}

static bool same_entry(const struct db_query *rows, size_t left, size_t right)
{
    return db_get_i64(rows, left, 0) == db_get_i64(rows, right, 0) &&
           db_get_i64(rows, left, 1) == db_get_i64(rows, right, 1) &&
           str_eq(db_get_text(rows, left, 2), db_get_text(rows, right, 2));
}

/* The last row of each (doctor, session, programme) has the highest revision; an even one stands.
 */
static enum err ledger_take(const struct db_query *rows, struct match *match,
                            const struct upload *upload, struct err_note *note)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        uint32_t session = session_place(&upload->seminar, db_get_i64(rows, i, 1));
        int16_t revision = db_get_i16(rows, i, 3);
        enum kind kind = kind_of_code(db_get_text(rows, i, 4));
        bool ours = db_get_i64(rows, i, 5) == upload->no;

        if (i + 1 < db_rows(rows) && same_entry(rows, i, i + 1))
            continue;
        if (kind == KIND_NONE)
            return err_say(note, ERR_SCHEMA, "the ledger holds an unknown kind");
        attendance_map_at(&match->revisions, db_get_i64(rows, i, 0),
                          match_part(session, kind_programme(kind)))
            ->value = (uint32_t)revision + 1;
        if (revision % 2 != 0)
            continue;
        match->facts[match->fact_count++] = (struct attendance_fact){
            .doctor_id = db_get_i64(rows, i, 0),
            .session = session,
            .fact = FACT_POSTED,
            .kind = (uint8_t)kind,
            .row_no = ours ? (uint32_t)db_get_i32(rows, i, 6) : 0,
        };
    }
    return ERR_OK;
}

static void rows_take(const struct db_query *rows, struct match *match, const struct upload *upload)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        bool waits = str_eq_c(db_get_text(rows, i, 2), "waiting");
        bool ours = db_get_i64(rows, i, 3) == upload->no;

        match->facts[match->fact_count++] = (struct attendance_fact){
            .doctor_id = db_get_i64(rows, i, 0),
            .session = session_place(&upload->seminar, db_get_i64(rows, i, 1)),
            .fact = waits ? FACT_WAITING : FACT_ALREADY_POSTED,
            .row_no = ours ? (uint32_t)db_get_i32(rows, i, 4) : 0,
        };
    }
}

static void certificates_take(const struct db_query *rows, struct match *match, struct arena *arena)
{
    struct attendance_map places;

    attendance_map_init(&places, arena, db_rows(rows) + 1);
    for (size_t i = 0; i < db_rows(rows); i++)
        attendance_map_at(&places, db_get_i64(rows, i, 0),
                          str_eq_c(db_get_text(rows, i, 1), "OP") ? PROGRAMME_OP : PROGRAMME_SP)
            ->value = (uint32_t)i + 1;
    for (size_t i = 0; i < match->doctor_count; i++) {
        struct attendance_doctor *doctor = &match->doctors[i];
        uint32_t op = attendance_map_at(&places, doctor->doctor_id, PROGRAMME_OP)->value;
        uint32_t sp = attendance_map_at(&places, doctor->doctor_id, PROGRAMME_SP)->value;

        if (op > 0) {
            doctor->op_from = db_get_day(rows, op - 1, 2);
            doctor->op_to = db_get_day(rows, op - 1, 3);
        }
        if (sp > 0) {
            doctor->sp_from = db_get_day(rows, sp - 1, 2);
            doctor->sp_to = db_get_day(rows, sp - 1, 3);
        }
    }
}

enum err match_facts_take(const struct match_facts *query, struct match *match,
                          const struct upload *upload, struct arena *arena, struct err_note *note)
{
    size_t most = db_rows(query->ledger) + db_rows(query->rows);
    enum err err;

    match->facts = arena_array(arena, struct attendance_fact, most);
    attendance_map_init(&match->revisions, arena, db_rows(query->ledger) + 1);
    err = ledger_take(query->ledger, match, upload, note);
    if (err != ERR_OK)
        return err;
    rows_take(query->rows, match, upload);
    if (query->certificates != NULL)
        certificates_take(query->certificates, match, arena);
    return ERR_OK;
}

int16_t match_revision(const struct match *match, int64_t doctor_id, size_t session,
                       enum programme programme)
{
    struct attendance_map revisions = match->revisions;

    return (int16_t)attendance_map_at(&revisions, doctor_id, match_part(session, programme))->value;
}
