/*
 * import members: what the database has of these doctors, and what that makes of each line. An
 * address that its doctor has confirmed gives way to no list (R-ACC-18): a list is older than he
 * is, and he would lose his mail without a word. A postcard issued again forgets it.
 */
#include <string.h>

#include "mamisctl/import_members.h"

#define CONFIRMED_BY_DOCTOR                                                                        \
    "coalesce(a.email_confirmed AND a.email <> '' AND (SELECT h.action IN ('confirm_email',"       \
    " 'signup_accepted') FROM registration.account_history AS h WHERE h.account_id = a.account_id" \
    " AND h.action IN ('confirm_email', 'signup_accepted', 'reissue', 'postcard_reissued')"        \
    " ORDER BY h.version DESC LIMIT 1), false)"

static const struct db_stmt find_doctors = {
    "members_find",
    "SELECT w.ord, d.doctor_id, d.version, coalesce(d.mamis_no, ''), d.licensed_on, d.name,"
    " d.name_kana, d.former_name, d.former_name_kana, d.sex, d.birth_on, d.email, d.l1_code,"
    " d.l2_code, d.l3_category, d.my_page, a.account_id, a.version, a.state, a.step, a.name,"
    " a.email, a.email_confirmed,"
    " EXISTS (SELECT FROM gateway.temp_credential AS t"
    " WHERE t.account_id = a.account_id AND t.dead_at IS NULL), d.training_ends_on,"
    " (SELECT k.register_no FROM registration.doctor AS k WHERE k.doctor_id = d.merged_into),"
    " " CONFIRMED_BY_DOCTOR " FROM unnest($1::text[]) WITH ORDINALITY AS w (register_no, ord)"
    " JOIN registration.doctor AS d USING (register_no)"
    " LEFT JOIN registration.account AS a USING (doctor_id)"};
static const struct db_stmt find_certificates = {
    "members_certificates",
    "SELECT w.ord, c.programme, c.version, c.number, c.first_from, c.valid_from, c.valid_to"
    " FROM unnest($1::text[]) WITH ORDINALITY AS w (register_no, ord)"
    " JOIN registration.doctor AS d USING (register_no)"
    " JOIN renewal.certificate AS c USING (doctor_id)"};

static const struct db_stmt find_mamis_nos = {
    "members_mamis_nos",
    "SELECT w.ord, d.register_no FROM unnest($1::text[]) WITH ORDINALITY AS w (mamis_no, ord)"
    " JOIN registration.doctor AS d USING (mamis_no)"};

static const struct db_stmt find_numbers = {
    "members_numbers",
    "SELECT w.ord, d.register_no FROM unnest($1::text[]) WITH ORDINALITY AS w (number, ord)"
    " JOIN renewal.certificate AS c ON c.programme = $2 AND c.number = w.number"
    " JOIN registration.doctor AS d USING (doctor_id)"};

static const struct db_stmt new_ids = {
    "members_ids",
    "SELECT nextval('registration.doctor_doctor_id_seq') FROM generate_series(1, $1::bigint)"};

static const struct db_stmt new_mamis_nos = {
    "members_new_mamis_nos",
    "SELECT registration.new_mamis_no() FROM generate_series(1, $1::bigint)"};

/* Answers live in the arena of the attempt; what members keep is copied into the file's. */
static struct str keep(struct import_file *file, const struct db_query *query, size_t row,
                       int column)
{
    return arena_str(file->arena, db_get_text(query, row, column));
}

/* ---- doctors and accounts ---- */

/* The fields that are taken as they stand. */
static bool plain_fields_same(const struct import_row *row, const struct db_query *query, size_t at)
{
    static const struct {
        size_t column;
        int found;
    } pairs[] = {{NAME, FIND_NAME},
                 {NAME_KANA, FIND_NAME_KANA},
                 {FORMER_NAME, FIND_FORMER_NAME},
                 {FORMER_NAME_KANA, FIND_FORMER_NAME_KANA},
                 {SEX, FIND_SEX},
                 {L1_CODE, FIND_L1_CODE},
                 {L2_CODE, FIND_L2_CODE},
                 {L3_CATEGORY, FIND_L3_CATEGORY}};

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (!str_eq(IMPORT_FIELD(row, pairs[i].column), db_get_text(query, at, pairs[i].found)))
            return false;
    }
    return member_of(row)->licensed_on == db_get_day(query, at, FIND_LICENSED_ON) &&
           member_of(row)->birth_on == db_get_day(query, at, FIND_BIRTH_ON) &&
           (member_of(row)->training_ends_on == DAY_NONE ||
            member_of(row)->training_ends_on == db_get_day(query, at, FIND_TRAINING_ENDS_ON));
}

/* A doctor's number stays; an empty cell takes it over. */
static void judge_mamis_no(struct import_file *file, struct import_row *row,
                           const struct db_query *query, size_t at)
{
    struct member *member = row->item;
    struct str held = keep(file, query, at, FIND_MAMIS_NO);

    if (held.len == 0)
        return;
    if (IMPORT_FIELD(row, MAMIS_NO).len > 0 && !str_eq(member->mamis_no, held))
        import_problem(
            file, row, MAMIS_NO,
            arena_printf(file->arena, "this doctor has the MAMIS number %.*s", STR_ARG(held)),
            "write that one or leave it empty; MAMIS numbers never change");
    member->mamis_no = held;
}

static void judge_my_page(struct import_row *row, enum my_page held)
{
    struct member *member = row->item;
    enum my_page wanted = my_page_of(IMPORT_FIELD(row, MY_PAGE));

    member->my_page = held > wanted ? held : wanted;
}

/* Whose number leads to somebody else is nobody's any more. */
static void judge_merged(struct import_file *file, struct import_row *row,
                         const struct db_query *query, size_t at)
{
    if (!db_is_null(query, at, FIND_MERGED_INTO))
        import_problem(file, row, REGISTER_NO,
                       arena_printf(file->arena, "leads to the register number %.*s now",
                                    STR_ARG(db_get_text(query, at, FIND_MERGED_INTO))),
                       "write that number, and each doctor once");
}

static void judge_email(struct import_file *file, struct member *member,
                        const struct db_query *query, size_t at)
{
    if (member->email.len == 0) {
        member->email = keep(file, query, at, FIND_EMAIL);
    } else if (db_get_bool(query, at, FIND_CONFIRMED_BY_DOCTOR)) {
        struct str own = keep(file, query, at, FIND_ACCOUNT_EMAIL);

        member->email_left = !str_eq(member->email, own);
        member->email = own;
    }
}

static void judge_doctor(struct import_file *file, struct import_row *row,
                         const struct db_query *query, size_t at)
{
    struct member *member = row->item;
    enum my_page held = my_page_of(db_get_text(query, at, FIND_MY_PAGE));

    member->doctor_id = db_get_i64(query, at, FIND_DOCTOR_ID);
    member->version = db_get_i64(query, at, FIND_VERSION);
    judge_merged(file, row, query, at);
    judge_mamis_no(file, row, query, at);
    judge_my_page(row, held);
    judge_email(file, member, query, at);
    member->name_differs = false;
    for (int i = 0; i < 4; i++) {
        member->old_names[i] = keep(file, query, at, FIND_NAME + i);
        member->name_differs = member->name_differs ||
                               !str_eq(member->old_names[i], IMPORT_FIELD(row, NAME + (size_t)i));
    }
    member->doctor_differs = !plain_fields_same(row, query, at) || member->my_page != held ||
                             !str_eq(member->email, db_get_text(query, at, FIND_EMAIL)) ||
                             !str_eq(member->mamis_no, db_get_text(query, at, FIND_MAMIS_NO));
}

static void read_account(struct import_file *file, struct member *member,
                         const struct db_query *query, size_t at)
{
    if (db_is_null(query, at, FIND_ACCOUNT_ID))
        return;
    member->account_id = db_get_uuid(query, at, FIND_ACCOUNT_ID);
    member->account_version = db_get_i64(query, at, FIND_ACCOUNT_VERSION);
    member->account_state = keep(file, query, at, FIND_STATE);
    member->account_step = keep(file, query, at, FIND_STEP);
    member->account_name = keep(file, query, at, FIND_ACCOUNT_NAME);
    member->account_email = keep(file, query, at, FIND_ACCOUNT_EMAIL);
    member->account_email_confirmed = db_get_bool(query, at, FIND_EMAIL_CONFIRMED);
    member->has_postcard = db_get_bool(query, at, FIND_POSTCARD);
}

/* What the account has to be, given where the My Page stands. */
static void judge_account(struct import_row *row)
{
    struct member *member = row->item;
    struct str state = member->account_state;
    struct str step = member->account_step;
    struct str email = member->account_email;
    bool confirmed = member->account_email_confirmed;

    member->wants_account = member->account_version > 0 ||
                            (member->my_page != MY_PAGE_NONE && member->my_page != MY_PAGE_CLOSED);
    if (!member->wants_account)
        return;
    if (member->my_page == MY_PAGE_CLOSED) {
        state = STR("closed");
    } else if (member->my_page == MY_PAGE_TEMP) {
        if (member->account_version == 0) {
            state = STR("temp_issued");
            step = STR("terms");
        }
    } else if (member->my_page != MY_PAGE_NONE) {
        if (!str_eq_c(state, "suspended"))
            state = STR("active");
        step = STR("");
        if (member->email.len > 0) {
            email = member->email;
            confirmed = true;
        }
    }
    member->account_differs =
        member->account_version == 0 || !str_eq(state, member->account_state) ||
        !str_eq(step, member->account_step) || !str_eq(email, member->account_email) ||
        confirmed != member->account_email_confirmed ||
        !str_eq(IMPORT_FIELD(row, NAME), member->account_name);
    member->account_state = state;
    member->account_step = step;
    member->account_email = email;
    member->account_email_confirmed = confirmed;
    member->account_name = IMPORT_FIELD(row, NAME);
    if (member->account_version == 0)
        member->account_id = uuid_new();
}

/* ---- certificates ---- */

/*
 * An older period never takes the place of a newer one: since the file was made somebody may have
 * been certified again.
 */
static void judge_certificate(struct import_row *row, const struct db_query *query, size_t at)
{
    size_t programme = str_eq_c(db_get_text(query, at, HELD_PROGRAMME), "OP") ? OP : SP;
    struct certificate *certificate = &member_of(row)->certificates[programme];
    day_t held_from = db_get_day(query, at, HELD_FROM);
    day_t held_to = db_get_day(query, at, HELD_TO);

    certificate->version = db_get_i64(query, at, HELD_VERSION);
    certificate->first_from = db_get_day(query, at, HELD_FIRST_FROM);
    if (certificate->number.len == 0 || certificate->from < held_from) {
        certificate->differs = false;
        return;
    }
    certificate->differs = !str_eq(certificate->number, db_get_text(query, at, HELD_NUMBER)) ||
                           certificate->from != held_from || certificate->to != held_to;
    /* The next period without a gap goes on; any other begins anew. */
    if (certificate->from != held_from && certificate->from != held_to + 1)
        certificate->first_from = certificate->from;
}

/* As if the database had nothing of this doctor; also undoes what an earlier attempt found. */
static void reset(struct import_row *row)
{
    struct member *member = row->item;

    if (IMPORT_FIELD(row, MAMIS_NO).len == 0)
        member->mamis_no = STR_NONE;
    member->email = IMPORT_FIELD(row, EMAIL);
    member->email_left = false;
    member->version = 0;
    member->account_version = 0;
    member->account_state = STR("");
    member->account_step = STR("");
    member->account_email = STR("");
    member->account_name = STR("");
    member->account_email_confirmed = false;
    member->has_postcard = false;
    member->doctor_differs = true;
    member->my_page = my_page_of(IMPORT_FIELD(row, MY_PAGE));
    for (size_t i = 0; i < PROGRAMMES; i++) {
        struct certificate *certificate = &member->certificates[i];

        certificate->version = 0;
        certificate->first_from = certificate->from;
        certificate->differs = certificate->number.len > 0;
    }
}

/* ---- numbers that others hold ---- */

static void judge_taken(struct import_file *file, struct import_row **rows,
                        const struct db_query *query, size_t column)
{
    for (size_t i = 0; i < db_rows(query); i++) {
        struct import_row *row = rows[db_get_i64(query, i, 0) - 1];
        struct str holder = db_get_text(query, i, 1);

        if (!str_eq(holder, member_register_no(row)))
            import_problem(file, row, column,
                           arena_printf(file->arena,
                                        "belongs to the doctor with register number %.*s",
                                        STR_ARG(holder)),
                           "mend the number; numbers are never used twice");
    }
}

static struct str op_number(const struct import_row *row)
{
    return member_of(row)->certificates[OP].number;
}

static struct str sp_number(const struct import_row *row)
{
    return member_of(row)->certificates[SP].number;
}

/* ---- a slice ---- */

static void judge_rows(struct import_file *file, struct import_row **rows, size_t count,
                       const struct db_query *doctors, const struct db_query *certificates)
{
    for (size_t i = 0; i < db_rows(doctors); i++) {
        struct import_row *row = rows[db_get_i64(doctors, i, 0) - 1];

        judge_doctor(file, row, doctors, i);
        read_account(file, row->item, doctors, i);
    }
    for (size_t i = 0; i < db_rows(certificates); i++)
        judge_certificate(rows[db_get_i64(certificates, i, 0) - 1], certificates, i);
    for (size_t i = 0; i < count; i++) {
        struct member *member = rows[i]->item;

        judge_account(rows[i]);
        if (member->version == 0)
            rows[i]->change = IMPORT_NEW;
        else if (member->doctor_differs || member->account_differs ||
                 member->certificates[OP].differs || member->certificates[SP].differs)
            rows[i]->change = IMPORT_CHANGED;
        else
            rows[i]->change = IMPORT_SAME;
    }
}

/* In a preview: old and new of everything that changes. */
static void note_changes(struct import_file *file, struct import_row **rows,
                         const struct db_query *doctors, const struct db_query *certificates)
{
    for (size_t i = 0; i < db_rows(doctors); i++)
        members_note_doctor(file, rows[db_get_i64(doctors, i, 0) - 1], doctors, i);
    for (size_t i = 0; i < db_rows(certificates); i++)
        members_note_certificate(file, rows[db_get_i64(certificates, i, 0) - 1], certificates, i);
}

/* Ids and MAMIS numbers for those who have none yet. */
static enum err give_numbers(struct import_file *file, struct import_row **rows, size_t count,
                             struct arena *arena, struct err_note *note)
{
    struct db_batch *batch = db_batch_new(arena);
    struct db_query *ids = db_add(batch, &new_ids);
    struct db_query *numbers = db_add(batch, &new_mamis_nos);
    size_t ids_needed = 0;
    size_t numbers_needed = 0;
    enum err err;

    for (size_t i = 0; i < count; i++) {
        ids_needed += member_of(rows[i])->version == 0;
        numbers_needed += member_of(rows[i])->mamis_no.len == 0;
    }
    if (ids_needed + numbers_needed == 0)
        return ERR_OK;
    db_i64(ids, (int64_t)ids_needed);
    db_i64(numbers, (int64_t)numbers_needed);
    err = tool_run(file->tool, batch, note);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        struct member *member = rows[i]->item;

        if (member->version == 0)
            member->doctor_id = db_get_i64(ids, --ids_needed, 0);
        if (member->mamis_no.len == 0) {
            member->mamis_no = keep(file, numbers, --numbers_needed, 0);
            member->doctor_differs = true;
            if (rows[i]->change == IMPORT_SAME)
                rows[i]->change = IMPORT_CHANGED;
        }
    }
    return ERR_OK;
}

static enum err load_slice(struct import_file *file, struct import_row **rows, size_t count,
                           struct arena *arena, struct err_note *note)
{
    struct db_batch *batch = db_batch_new(arena);
    struct db_query *doctors = db_add(batch, &find_doctors);
    struct db_query *certificates = db_add(batch, &find_certificates);
    struct db_query *mamis_nos = db_add(batch, &find_mamis_nos);
    struct db_query *op_numbers = db_add(batch, &find_numbers);
    struct db_query *sp_numbers = db_add(batch, &find_numbers);
    enum err err;

    for (size_t i = 0; i < count; i++)
        reset(rows[i]);
    import_texts(doctors, rows, count, member_register_no);
    import_texts(certificates, rows, count, member_register_no);
    import_texts(mamis_nos, rows, count, member_mamis_no);
    import_texts(op_numbers, rows, count, op_number);
    db_text_c(op_numbers, "OP");
    import_texts(sp_numbers, rows, count, sp_number);
    db_text_c(sp_numbers, "SP");
    err = tool_run(file->tool, batch, note);
    if (err != ERR_OK)
        return err;
    judge_rows(file, rows, count, doctors, certificates);
    judge_taken(file, rows, mamis_nos, MAMIS_NO);
    judge_taken(file, rows, op_numbers, OP_NO);
    judge_taken(file, rows, sp_numbers, SP_NO);
    if (file->preview) {
        note_changes(file, rows, doctors, certificates);
        return ERR_OK;
    }
    return give_numbers(file, rows, count, arena, note);
}

enum err members_load(struct import_file *file, struct arena *arena, struct err_note *note)
{
    struct import_row *rows[IMPORT_SLICE_ROWS];
    size_t cursor = 0;
    size_t count;
    enum err err = ERR_OK;

    while (err == ERR_OK && (count = import_slice_all(file, &cursor, rows)) > 0)
        err = load_slice(file, rows, count, arena, note);
    return err;
}
