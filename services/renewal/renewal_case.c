/* renewal_case: one doctor as every command needs him, read in one round trip. */
#include "renewal/renewal_store.h"

void case_read(struct renewal *renewal, struct arena *arena, int64_t doctor_id,
               const struct uuid *application, struct renewal_case *found, struct flow *flow)
{
    *found = (struct renewal_case){.batch = db_batch_new(arena)};
    found->doctor = store_find_doctor(found->batch, doctor_id);
    found->certificates = store_find_certificates(found->batch, &doctor_id, 1);
    found->credits = store_find_credits(found->batch, &doctor_id, 1);
    found->handbook = store_find_handbook(found->batch, &doctor_id, 1);
    found->open = store_find_open(found->batch, doctor_id);
    if (application != NULL) {
        found->application = store_find_application(found->batch, *application);
        found->snapshot = store_find_snapshot(found->batch, *application);
    }
    db_run(renewal->db, found->batch, RENEWAL_READ_MS, flow);
}

void case_take_application(struct renewal_case *found, struct arena *arena, int64_t doctor_id)
{
    size_t rows;

    if (found->application == NULL || db_rows(found->application) == 0)
        return;
    store_application_row(found->application, 0, &found->applied);
    found->application_found = found->applied.doctor_id == doctor_id;
    if (!found->application_found)
        return;
    rows = db_rows(found->snapshot);
    found->snapshot_credits = arena_array(arena, struct rules_credit, rows);
    for (size_t i = 0; i < rows; i++) {
        struct rules_credit *next = &found->snapshot_credits[found->snapshot_count];

        if (store_snapshot_row(found->snapshot, i, next))
            found->snapshot_count++;
    }
}

static void take_certificate(struct renewal *renewal, struct renewal_case *found,
                             struct str programme)
{
    const struct rule_book *book = renewal->book;

    for (size_t i = 0; i < db_rows(found->certificates); i++) {
        struct certificate_row row;

        store_certificate_row(found->certificates, i, &row);
        if (!str_eq(row.programme, programme))
            continue;
        found->certificate = row.certificate;
        found->rules =
            rules_for(book->sets, book->set_count, programme, row.certificate.period.from);
    }
}

static void take_credits(struct renewal_case *found, struct arena *arena, struct str programme)
{
    size_t rows = db_rows(found->credits);

    found->standing_credits = arena_array(arena, struct rules_credit, rows);
    for (size_t i = 0; i < rows && found->credit_count < RENEWAL_CREDITS_MAX; i++) {
        struct credit_row row;

        store_credit_row(found->credits, i, &row);
        if (str_eq(row.programme, programme))
            found->standing_credits[found->credit_count++] = row.credit;
    }
}

static void take_handbook(struct renewal_case *found, struct arena *arena, struct str programme)
{
    size_t rows = db_rows(found->handbook);

    found->lines = arena_array(arena, struct rules_handbook, rows);
    for (size_t i = 0; i < rows && found->line_count < RENEWAL_HANDBOOK_MAX; i++) {
        struct handbook_row row;

        store_handbook_row(found->handbook, i, &row);
        if (str_eq(row.programme, programme))
            found->lines[found->line_count++] = row.line;
    }
}

void case_take(struct renewal *renewal, struct renewal_case *found, struct arena *arena,
               struct str programme)
{
    if (db_rows(found->doctor) > 0) {
        found->doctor_found = true;
        found->my_page = db_get_text(found->doctor, 0, 0);
        found->l2_code = db_get_text(found->doctor, 0, 1);
    }
    take_certificate(renewal, found, programme);
    take_credits(found, arena, programme);
    take_handbook(found, arena, programme);
    for (size_t i = 0; i < db_rows(found->open); i++) {
        if (!str_eq(db_get_text(found->open, i, 1), programme))
            continue;
        found->is_open = true;
        found->open_id = db_get_uuid(found->open, i, 0);
        must(app_status_parse(db_get_text(found->open, i, 2), &found->open_status));
    }
}
