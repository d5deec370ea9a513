/* mamisctl import organisers: those who hold seminars, the associations among them. */
#include "mamisctl/import.h"

enum { CODE, NAME, KIND, L1_CODE, L2_CODE, COLUMN_COUNT };

static const struct import_column columns[COLUMN_COUNT] = {
    [CODE] = {"organiser_code", true, 20}, [NAME] = {"name", true, 400},
    [KIND] = {"kind", true, 10},           [L1_CODE] = {"l1_code", true, 10},
    [L2_CODE] = {"l2_code", true, 10},
};

static const char *const kinds[] = {"l1", "l2", "l3", "other", NULL};

IMPORT_VALUE(code_of, CODE)
IMPORT_VALUE(name_of, NAME)
IMPORT_VALUE(kind_of, KIND)
IMPORT_VALUE(l1_code_of, L1_CODE)
IMPORT_VALUE(l2_code_of, L2_CODE)

static const struct db_stmt find = {
    "organisers_find",
    "SELECT w.ord, o.name, o.kind, coalesce(o.l1_code, ''), coalesce(o.l2_code, '')"
    " FROM unnest($1::text[]) WITH ORDINALITY AS w (organiser_code, ord)"
    " JOIN credit.organiser AS o USING (organiser_code)"};

static const struct db_stmt put = {
    "organisers_put",
    "INSERT INTO credit.organiser (organiser_code, name, kind, l1_code, l2_code)"
    " SELECT code, name, kind, nullif(l1_code, ''), nullif(l2_code, '')"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])"
    " AS given (code, name, kind, l1_code, l2_code)"
    " ON CONFLICT (organiser_code) DO UPDATE SET name = excluded.name, kind = excluded.kind,"
    " l1_code = excluded.l1_code, l2_code = excluded.l2_code"};

/* Who may be asked for membership: the associations among them. */
static const struct db_stmt put_associations = {
    "organisers_put_associations",
    "INSERT INTO registration.association (layer, code, l2_code, name)"
    " SELECT CASE kind WHEN 'l1' THEN 1 ELSE 2 END,"
    "  CASE kind WHEN 'l1' THEN l1_code ELSE l2_code END, l2_code, min(name)"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])"
    " AS given (name, kind, l1_code, l2_code) WHERE kind IN ('l1', 'l2') GROUP BY 1, 2, 3"
    " ON CONFLICT (layer, code) DO UPDATE SET l2_code = excluded.l2_code, name = excluded.name"};

static void check_row(struct import_file *file, struct import_row *row)
{
    if (import_need(file, row, CODE))
        (void)import_code(file, row, CODE);
    (void)import_need(file, row, NAME);
    (void)import_word(file, row, KIND, kinds);
    (void)import_code(file, row, L1_CODE);
    (void)import_l2_code(file, row, L2_CODE);
    if (str_eq_c(kind_of(row), "l1"))
        (void)import_need(file, row, L1_CODE);
    if (str_eq_c(kind_of(row), "l1") || str_eq_c(kind_of(row), "l2"))
        (void)import_need(file, row, L2_CODE);
}

static void check(struct import_file *file)
{
    for (size_t i = 0; i < file->row_count; i++)
        check_row(file, &file->rows[i]);
    import_unique(file, CODE, code_of, "keep one of the lines");
}

static bool is_same(const struct import_row *row, const struct db_query *query, size_t found)
{
    return str_eq(name_of(row), db_get_text(query, found, 1)) &&
           str_eq(kind_of(row), db_get_text(query, found, 2)) &&
           str_eq(l1_code_of(row), db_get_text(query, found, 3)) &&
           str_eq(l2_code_of(row), db_get_text(query, found, 4));
}

static enum err load(struct import_file *file, struct arena *arena, struct err_note *note)
{
    struct import_row *rows[IMPORT_SLICE_ROWS];
    size_t cursor = 0;
    size_t count;

    while ((count = import_slice_all(file, &cursor, rows)) > 0) {
        struct db_batch *batch = db_batch_read(arena);
        struct db_query *query = db_add(batch, &find);
        enum err err;

        import_texts(query, rows, count, code_of);
        err = tool_run(file->tool, batch, note);
        if (err != ERR_OK)
            return err;
        for (size_t i = 0; i < count; i++)
            rows[i]->change = IMPORT_NEW;
        for (size_t i = 0; i < db_rows(query); i++) {
            struct import_row *row = rows[db_get_i64(query, i, 0) - 1];

            row->change = is_same(row, query, i) ? IMPORT_SAME : IMPORT_CHANGED;
        }
    }
    return ERR_OK;
}

static enum err store(struct import_file *file, const struct import_options *options,
                      struct db_batch *batch, struct err_note *note)
{
    struct import_row *rows[IMPORT_SLICE_ROWS];
    size_t cursor = 0;
    size_t count;

    (void)options;
    (void)note;
    while ((count = import_slice(file, &cursor, IMPORT_CHANGED, rows)) > 0) {
        struct db_query *query = db_add(batch, &put);

        import_texts(query, rows, count, code_of);
        import_texts(query, rows, count, name_of);
        import_texts(query, rows, count, kind_of);
        import_texts(query, rows, count, l1_code_of);
        import_texts(query, rows, count, l2_code_of);
        query = db_add(batch, &put_associations);
        import_texts(query, rows, count, name_of);
        import_texts(query, rows, count, kind_of);
        import_texts(query, rows, count, l1_code_of);
        import_texts(query, rows, count, l2_code_of);
    }
    return ERR_OK;
}

const struct import_kind import_kind_organisers = {
    .name = "organisers",
    .columns = columns,
    .column_count = COLUMN_COUNT,
    .service = "credit",
    .check = check,
    .load = load,
    .write = store,
};
