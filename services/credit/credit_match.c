/* credit_match: doctors by their numbers, then the questions what stands for them. */
#include "credit/credit_match.h"

#include <stdlib.h>
#include <string.h>

/* One look into the ledger's key for each pair; OFFSET 0 leaves the planner no other way. */
static const struct db_stmt select_ledger = {
    "credit_select_ledger",
    "SELECT n.doctor_id, n.session_id, l.programme, l.revision, l.kind, l.upload_no, l.row_no"
    " FROM unnest($1::bigint[], $2::bigint[]) AS n (doctor_id, session_id)"
    " CROSS JOIN LATERAL (SELECT e.programme, e.revision, e.kind, e.upload_no, e.row_no"
    "  FROM credit.ledger e WHERE e.session_id = n.session_id AND e.doctor_id = n.doctor_id"
    "  OFFSET 0) AS l",
};

/*
 * Rows that wait to be posted, and those of this upload's own rows that later ones repeat: what
 * repeats them itself says nothing more.
 */
static const struct db_stmt select_rows = {
    "credit_select_rows",
    "SELECT doctor_id, session_id, outcome, upload_no, row_no"
    " FROM credit.upload_row WHERE doctor_id = ANY ($1::bigint[]) AND session_id BETWEEN $2 AND $3"
    "  AND CASE WHEN upload_no = $4 THEN row_no < $5 AND row_no <> $6"
    "            AND (outcome = 'waiting' OR reason = 'earlier_upload')"
    "           ELSE outcome = 'waiting' AND credits IS NOT NULL END",
};

static const struct db_stmt select_certificates = {
    "credit_select_certificates",
    "SELECT doctor_id, programme, first_from, valid_to FROM credit.certificate"
    " WHERE doctor_id = ANY ($1::bigint[])",
};

static const struct db_stmt select_choices = {
    "credit_select_choices",
    "SELECT g.doctor_id, n.session_id, k.kind FROM credit.signup g"
    " CROSS JOIN LATERAL jsonb_each_text(g.choices) AS c (session_no, kinds)"
    " JOIN credit.session n ON n.seminar_no = g.seminar_no AND n.session_no = c.session_no"
    " CROSS JOIN LATERAL string_to_table(c.kinds, '/') AS k (kind)"
    " WHERE g.seminar_no = $1 AND g.doctor_id = ANY ($2::bigint[])"
    "  AND g.choices IS NOT NULL AND g.state <> 'cancelled_by_doctor' ORDER BY g.doctor_id",
};

static const struct db_stmt select_trial = {
    "credit_select_trial",
    "SELECT p.doctor_id, p.session_id, k.kind, p.row_no FROM credit.upload_chunk c"
    " CROSS JOIN LATERAL unnest(c.posted_doctor, c.posted_session, c.posted_row, c.posted_kinds)"
    "  AS p (doctor_id, session_id, row_no, kinds)"
    " JOIN unnest($2::bigint[]) AS n (doctor_id) ON n.doctor_id = p.doctor_id"
    " CROSS JOIN LATERAL string_to_table(p.kinds, '/') AS k (kind) WHERE c.upload_no = $1",
};

/* ---- doctors ---- */

static int by_value(const void *left, const void *right)
{
    const int64_t one = *(const int64_t *)left;
    const int64_t other = *(const int64_t *)right;

    return (one > other) - (one < other);
}

/* Most numbers have one doctor: room for more is made when it is needed. */
static struct attendance_doctor *doctor_room(struct match *match, size_t *room, struct arena *arena)
{
    struct attendance_doctor *larger;

    if (match->doctor_count < *room)
        return &match->doctors[match->doctor_count];
    *room = *room * 2 + 16;
    larger = arena_array(arena, struct attendance_doctor, *room);
    if (match->doctor_count > 0)
        memcpy(larger, match->doctors, sizeof(*larger) * match->doctor_count);
    match->doctors = larger;
    return &match->doctors[match->doctor_count];
}

void match_doctors(struct match *match, const struct directory *directory,
                   const struct attendance_numbers *numbers, struct arena *arena)
{
    const struct {
        enum directory_key key;
        const int64_t *list;
        size_t count;
    } asked[] = {
        {DIRECTORY_BY_REGISTER, numbers->register_nos, numbers->register_count},
        {DIRECTORY_BY_MAMIS, numbers->mamis_nos, numbers->mamis_count},
    };
    size_t room = numbers->register_count + numbers->mamis_count + 1;

    *match = (struct match){.doctors = arena_array(arena, struct attendance_doctor, room)};
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        for (size_t n = 0; n < asked[i].count; n++) {
            size_t cursor = 0;

            while (directory_next(directory, asked[i].key, asked[i].list[n], &cursor,
                                  doctor_room(match, &room, arena)))
                match->doctor_count++;
        }
    }
}

const int64_t *match_leaders(const struct directory *directory,
                             const struct attendance_seminar *seminar, struct arena *arena)
{
    int64_t *leaders = arena_array(arena, int64_t, seminar->count);

    for (size_t i = 0; i < seminar->count; i++) {
        const int64_t number = seminar->sessions[i].leader_register_no;
        struct attendance_doctor doctor;
        size_t cursor = 0;

        if (number != NUMBER_NONE &&
            directory_next(directory, DIRECTORY_BY_REGISTER, number, &cursor, &doctor))
            leaders[i] = doctor.doctor_id;
    }
    return leaders;
}

/* ---- pairs ---- */

/* How many doctors the row's two numbers lead to; fills `ret_ids` where it is not NULL. */
static size_t row_doctors(const struct directory *directory,
                          const struct attendance_numbers *numbers, size_t row, int64_t *ret_ids)
{
    const struct {
        enum directory_key key;
        int64_t number;
    } asked[] = {
        {DIRECTORY_BY_REGISTER, numbers->register_no[row]},
        {DIRECTORY_BY_MAMIS, numbers->mamis_no[row]},
    };
    struct attendance_doctor doctor;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        size_t cursor = 0;

        while (asked[i].number >= 0 &&
               directory_next(directory, asked[i].key, asked[i].number, &cursor, &doctor)) {
            if (ret_ids != NULL)
                ret_ids[count] = doctor.doctor_id;
            count++;
        }
    }
    return count;
}

void match_pairs(struct match *match, const struct directory *directory,
                 const struct attendance_numbers *numbers, const int32_t *places, size_t rows,
                 const struct attendance_seminar *seminar, struct arena *arena)
{
    struct match_pairs *pairs = &match->pairs;
    struct attendance_map seen;
    size_t most = 0;
    int64_t *ids;

    for (size_t i = 0; i < rows; i++)
        most += places[i] < 0 ? 0 : row_doctors(directory, numbers, i, NULL);
    pairs->doctor_ids = arena_array(arena, int64_t, most);
    pairs->session_ids = arena_array(arena, int64_t, most);
    attendance_map_init(&seen, arena, most);
    ids = arena_array(arena, int64_t, most);
    for (size_t i = 0; i < rows; i++) {
        const size_t count = places[i] < 0 ? 0 : row_doctors(directory, numbers, i, ids);

        for (size_t d = 0; d < count; d++) {
            struct attendance_map_slot *slot =
                attendance_map_at(&seen, ids[d], (uint32_t)places[i]);

            if (slot->value != 0)
                continue;
            slot->value = 1;
            pairs->doctor_ids[pairs->count] = ids[d];
            pairs->session_ids[pairs->count++] = seminar->sessions[places[i]].session_id;
        }
    }
}

/* ---- facts: the questions ---- */

static bool has_alternatives(const struct attendance_seminar *seminar)
{
    for (size_t s = 0; s < seminar->count; s++) {
        const struct offers *offers = &seminar->sessions[s].offers;

        for (size_t i = 1; i < offers->count; i++) {
            if (kind_programme((enum kind)offers->list[i].kind) ==
                kind_programme((enum kind)offers->list[i - 1].kind))
                return true;
        }
    }
    return false;
}

bool match_key_tells(const struct attendance_header *header, const struct upload *upload)
{
    const bool kind_named = header->field_of[COLUMN_KIND] >= 0;

    if (!upload->only || upload->dry_run || upload->counts[OUTCOME_WAITING] > 0 ||
        upload->counts[OUTCOME_ALREADY_POSTED] > 0 || has_alternatives(&upload->seminar))
        return false;
    for (size_t s = 0; s < upload->seminar.count; s++) {
        const struct attendance_session *session = &upload->seminar.sessions[s];

        if (session->delivery == DELIVERY_VISIT || (kind_named && session->offers.count > 1))
            return false;
    }
    return true;
}

/* In order, each once: who was given by both numbers must not be asked for twice. */
static size_t distinct_ids(const struct match *match, int64_t *ids)
{
    size_t count = 0;

    for (size_t i = 0; i < match->doctor_count; i++)
        ids[i] = match->doctors[i].doctor_id;
    qsort(ids, match->doctor_count, sizeof(*ids), by_value);
    for (size_t i = 0; i < match->doctor_count; i++) {
        if (count == 0 || ids[count - 1] != ids[i])
            ids[count++] = ids[i];
    }
    return count;
}

void match_facts_add(struct match_facts *query, struct db_batch *batch, const struct match *match,
                     const struct upload *upload, struct match_span span, struct arena *arena)
{
    const struct attendance_seminar *seminar = &upload->seminar;
    int64_t *doctors;
    size_t count;

    *query = (struct match_facts){.ledger = NULL};
    if (span.key_tells) {
        must(!has_alternatives(seminar) && !upload->dry_run);
        return;
    }
    doctors = arena_array(arena, int64_t, match->doctor_count);
    count = distinct_ids(match, doctors);
    if (count == 0)
        return;
    if (match->pairs.count > 0) {
        query->ledger = db_add(batch, &select_ledger);
        db_i64_array(query->ledger, match->pairs.doctor_ids, match->pairs.count);
        db_i64_array(query->ledger, match->pairs.session_ids, match->pairs.count);
    }
    /* The sessions stand in the order of their ids. */
    query->rows = db_add(batch, &select_rows);
    db_i64_array(query->rows, doctors, count);
    db_i64(query->rows, seminar->sessions[0].session_id);
    db_i64(query->rows, seminar->sessions[seminar->count - 1].session_id);
    db_i64(query->rows, upload->no);
    db_i64(query->rows, span.before);
    db_i64(query->rows, span.except);
    if (has_alternatives(seminar)) {
        query->certificates = db_add(batch, &select_certificates);
        db_i64_array(query->certificates, doctors, count);
        query->choices = db_add(batch, &select_choices);
        db_text(query->choices, upload->seminar_no);
        db_i64_array(query->choices, doctors, count);
    }
    if (upload->dry_run) {
        query->trial = db_add(batch, &select_trial);
        db_i64(query->trial, upload->no);
        db_i64_array(query->trial, doctors, count);
    }
}

/* ---- facts: the answers ---- */

static size_t rows_of(const struct db_query *query)
{
    return query == NULL ? 0 : db_rows(query);
}

static uint32_t key_part(size_t session, enum programme programme)
{
    return (uint32_t)(session * PROGRAMME_COUNT + programme);
}

static enum err note_kind(const struct db_query *rows, size_t row, int column,
                          struct attendance_fact *fact, struct err_note *note)
{
    enum kind kind = kind_of_code(db_get_text(rows, row, column));

    if (kind == KIND_NONE)
        return err_say(note, ERR_SCHEMA, "doctor %lld has an entry of an unknown kind",
                       (long long)fact->doctor_id);
    fact->kind = (uint8_t)kind;
    return ERR_OK;
}

/* The highest revision of each doctor, session and programme counts; an even one stands. */
static enum err ledger_take(const struct db_query *rows, struct match *match,
                            const struct upload *upload, struct err_note *note)
{
    for (size_t i = 0; i < rows_of(rows); i++) {
        struct attendance_map_slot *slot;
        enum programme programme;
        uint32_t session;

        if (!upload_session_place(&upload->seminar, db_get_i64(rows, i, 1), &session))
            continue;
        if (!programme_of_code(db_get_text(rows, i, 2), &programme))
            return err_say(note, ERR_SCHEMA, "the ledger holds an unknown programme");
        slot = attendance_map_at(&match->revisions, db_get_i64(rows, i, 0),
                                 key_part(session, programme));
        if (slot->value < (uint32_t)db_get_i16(rows, i, 3) + 1)
            slot->value = (uint32_t)db_get_i16(rows, i, 3) + 1;
    }
    for (size_t i = 0; i < rows_of(rows); i++) {
        struct attendance_fact *fact = &match->facts[match->fact_count];
        int16_t revision = db_get_i16(rows, i, 3);
        enum err err;

        *fact = (struct attendance_fact){.doctor_id = db_get_i64(rows, i, 0), .fact = FACT_POSTED};
        if (revision % 2 != 0 ||
            !upload_session_place(&upload->seminar, db_get_i64(rows, i, 1), &fact->session))
            continue;
        err = note_kind(rows, i, 4, fact, note);
        if (err != ERR_OK)
            return err;
        if (match_revision(match, fact->doctor_id, fact->session,
                           kind_programme((enum kind)fact->kind)) != revision + 1)
            continue; /* it was cancelled */
        fact->row_no = db_get_i64(rows, i, 5) == upload->no ? (uint32_t)db_get_i32(rows, i, 6) : 0;
        match->fact_count++;
    }
    return ERR_OK;
}

static void rows_take(const struct db_query *rows, struct match *match, const struct upload *upload)
{
    for (size_t i = 0; i < rows_of(rows); i++) {
        struct attendance_fact *fact = &match->facts[match->fact_count];

        *fact = (struct attendance_fact){
            .doctor_id = db_get_i64(rows, i, 0),
            .fact =
                str_eq_c(db_get_text(rows, i, 2), "waiting") ? FACT_WAITING : FACT_ALREADY_POSTED,
            .row_no = db_get_i64(rows, i, 3) == upload->no ? (uint32_t)db_get_i32(rows, i, 4) : 0,
        };
        if (upload_session_place(&upload->seminar, db_get_i64(rows, i, 1), &fact->session))
            match->fact_count++;
    }
}

static enum err trial_take(const struct db_query *rows, struct match *match,
                           const struct upload *upload, struct err_note *note)
{
    for (size_t i = 0; i < rows_of(rows); i++) {
        struct attendance_fact *fact = &match->facts[match->fact_count];
        enum err err;

        *fact = (struct attendance_fact){
            .doctor_id = db_get_i64(rows, i, 0),
            .fact = FACT_POSTED,
            .row_no = (uint32_t)db_get_i32(rows, i, 3),
        };
        if (!upload_session_place(&upload->seminar, db_get_i64(rows, i, 1), &fact->session))
            continue;
        err = note_kind(rows, i, 2, fact, note);
        if (err != ERR_OK)
            return err;
        match->fact_count++;
    }
    return ERR_OK;
}

static void certificates_take(const struct db_query *rows, struct match *match, struct arena *arena)
{
    struct attendance_map places; /* of a doctor's certificate among the rows, + 1 */

    attendance_map_init(&places, arena, db_rows(rows));
    for (size_t i = 0; i < db_rows(rows); i++) {
        enum programme programme;

        if (programme_of_code(db_get_text(rows, i, 1), &programme))
            attendance_map_at(&places, db_get_i64(rows, i, 0), programme)->value = (uint32_t)i + 1;
    }
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

/* A kind that nobody knows any more was not chosen. */
static void choices_take(const struct db_query *rows, struct match *match,
                         const struct upload *upload, struct arena *arena)
{
    match->choices = arena_array(arena, struct attendance_choice, db_rows(rows) + 1);
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct attendance_choice *choice = &match->choices[match->choice_count];
        const enum kind kind = kind_of_code(db_get_text(rows, i, 2));

        *choice =
            (struct attendance_choice){.doctor_id = db_get_i64(rows, i, 0), .kind = (uint8_t)kind};
        if (kind != KIND_NONE &&
            upload_session_place(&upload->seminar, db_get_i64(rows, i, 1), &choice->session))
            match->choice_count++;
    }
}

enum err match_facts_take(const struct match_facts *query, struct match *match,
                          const struct upload *upload, struct arena *arena, struct err_note *note)
{
    /* One more than there can be, for each is filled before it counts. */
    size_t most = rows_of(query->ledger) + rows_of(query->rows) + rows_of(query->trial) + 1;
    enum err err;

    match->facts = arena_array(arena, struct attendance_fact, most);
    attendance_map_init(&match->revisions, arena, rows_of(query->ledger));
    err = ledger_take(query->ledger, match, upload, note);
    if (err != ERR_OK)
        return err;
    rows_take(query->rows, match, upload);
    if (query->certificates != NULL)
        certificates_take(query->certificates, match, arena);
    if (query->choices != NULL)
        choices_take(query->choices, match, upload, arena);
    return trial_take(query->trial, match, upload, note);
}

int16_t match_revision(struct match *match, int64_t doctor_id, size_t session,
                       enum programme programme)
{
    return (int16_t)attendance_map_at(&match->revisions, doctor_id, key_part(session, programme))
        ->value;
}
