/* What people read of uploads and credits, each in their scope; and pages of rows. */
#include <string.h>

#include "credit_check.h"

enum thing { UPLOAD, ROWS, ROWS_PAGE, OTHERS, POSTED_ROWS, CHUNKS, PARTS, CREDITS, THINGS };

/* Upload 7 by its id, in whatever scope. */
#define ID "0190a000-0000-7000-8000-000000000007"
#define PAGE "SELECT count(*) FROM portal.upload_rows('" ID "', NULL, 0, 500)"

static const char *const queries[THINGS] = {
    [UPLOAD] = "SELECT count(*) FROM portal.upload",
    [ROWS] = "SELECT count(*) FROM portal.upload_row",
    [ROWS_PAGE] = PAGE,
    [OTHERS] = "SELECT count(*) FROM portal.upload_row_other",
    [POSTED_ROWS] = "SELECT count(*) FROM portal.upload_row_posted",
    [CHUNKS] = "SELECT count(*) FROM portal.upload_chunk",
    [PARTS] = "SELECT count(*) FROM portal.upload_part",
    [CREDITS] = "SELECT count(*) FROM portal.credit",
};

static int64_t see(const char *scope, const char *query)
{
    return json_integer_value(ask_as(scope, "SELECT (%s)", query));
}

/* So that a query can name it. */
static void call_it_seven(const struct sent *upload)
{
    sql("UPDATE credit.upload_part SET upload_id = '" ID "' WHERE upload_id = '%s';"
        "UPDATE credit.upload SET upload_id = '" ID "' WHERE upload_id = '%s'",
        upload->id, upload->id);
}

/* Of the upload's 35 rows 11 posted, with 31 entries. */
static void every_scope_sees_its_own(void **state)
{
    const int64_t all[THINGS] = {1, 35, 35, 24, 11, 1, 1, 31};
    const int64_t none[THINGS] = {0};
    const struct {
        const char *scope;
        const int64_t *wanted;
    } cases[] = {
        {"organiser:P13", all},
        {"organiser:P14", none},
        {"organiser:", none},
        {"organiser", none},
        {"l2:13", all},
        {"l2:14", none},
        {"l2:1", none},
        {"l1:13", none},
        {"l3", all},
        {"auditor", all},
        {"call_centre", none},
        {"admin", none},
        {"l3:13", all},
        {"", none},
        {"x", none},
    };
    struct sent upload = post_file("S2026-0001", sample("11-many-errors.csv"));

    (void)state;
    assert_counts(&upload, (const int64_t[]){11, 0, 0, 4, 1, 19});
    call_it_seven(&upload);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int thing = 0; thing < THINGS; thing++) {
            int64_t got = see(cases[i].scope, queries[thing]);

            if (got != cases[i].wanted[thing])
                fail_msg("scope %s, thing %d: %ld", cases[i].scope, thing, (long)got);
        }
    }
}

static void a_municipal_office_sees_its_organisers(void **state)
{
    (void)state;
    (void)post_file("S2026-0001", sample("11-many-errors.csv"));
    sql("UPDATE credit.upload SET organiser_code = 'M35002'");
    assert_int_equal(see("l1:35002", queries[UPLOAD]), 1);
    assert_int_equal(see("l1:35001", queries[UPLOAD]), 0);
    assert_int_equal(see("organiser:P13", queries[ROWS]), 0);
    sql("UPDATE credit.upload SET organiser_code = 'nobody'");
    assert_int_equal(see("l1:35002", queries[UPLOAD]), 0);
    assert_int_equal(see("l3", queries[UPLOAD]), 1);
}

/* The gateway's role has the views only. */
static void tables_are_closed(void **state)
{
    static const char *const tables[] = {"ledger",       "upload", "upload_part", "upload_row",
                                         "upload_chunk", "doctor", "seminar",     "outbox"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        assert_int_equal(count("SELECT has_table_privilege('mamis_gateway', 'credit.%s',"
                               " 'SELECT, UPDATE, DELETE')::int",
                               tables[i]),
                         0);
    assert_int_equal(count("SELECT has_table_privilege('mamis_credit', 'credit.ledger',"
                           " 'UPDATE, DELETE, TRUNCATE')::int"),
                     0);
}

/* ---- pages of rows ---- */

static struct str mixed(size_t rows)
{
    struct buf file = {0};

    buf_add_c(&file, "医籍登録番号,出欠\n");
    for (size_t i = 0; i < rows; i++) {
        /* Whole chunks without a posted row, and whole chunks of them. */
        size_t chunk = i / ATTENDANCE_CHUNK_ROWS_MAX;
        bool bad = chunk == 1 || (chunk != 2 && i % 3 == 0);

        buf_printf(&file, "%lld,%s\n",
                   bad ? 9000000 : (long long)samples->doctors[i % 2000].register_no,
                   i % 50 == 49 ? "欠席" : "");
    }
    return built(&file);
}

/* Walks all pages as the gateway does, and gives the row numbers it saw. */
static json_t *walk(const struct sent *upload, const char *outcome, int64_t most)
{
    json_t *seen = json_array();
    json_t *page;
    int64_t after = 0;

    do {
        page = ask_as("organiser:P13",
                      "SELECT coalesce(json_agg(row_no), '[]') FROM"
                      " portal.upload_rows('%s', %s, %ld, %ld)",
                      upload->id, outcome, (long)after, (long)most);
        assert_true((int64_t)json_array_size(page) <= most);
        if (json_array_size(page) > 0)
            after = json_integer_value(json_array_get(page, json_array_size(page) - 1));
        assert_int_equal(json_array_extend(seen, page), 0);
    } while (json_array_size(page) > 0);
    return seen;
}

static void pages_show_every_row_once(void **state)
{
    static const char *const outcomes[] = {"NULL",        "'posted'",  "'absent'",
                                           "'unmatched'", "'waiting'", "'already_posted'",
                                           "'rejected'"};
    struct sent upload = post_file("S2026-0001", mixed(9000));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        json_t *wanted = ask_as("organiser:P13",
                                "SELECT coalesce(json_agg(row_no ORDER BY row_no), '[]')"
                                " FROM portal.upload_row WHERE upload_id = '%s'"
                                " AND (%s IS NULL OR outcome = %s)",
                                upload.id, outcomes[i], outcomes[i]);
        json_t *seen = walk(&upload, outcomes[i], 501);

        assert_true(json_equal(seen, wanted));
        json_decref(seen);
        seen = walk(&upload, outcomes[i], 1999);
        assert_true(json_equal(seen, wanted));
        json_decref(seen);
    }
    assert_int_equal(count("SELECT count(*) FROM (SELECT * FROM portal.upload_rows('%s', NULL, 0,"
                           " 9000) EXCEPT SELECT * FROM portal.upload_row) AS a",
                           upload.id),
                     0);
}

/* While it is being posted the rows so far are there. */
static void rows_so_far(void **state)
{
    struct sent upload = send_file("S2026-0001", mixed(5000));

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(handle_at(0), ERR_OK);
    assert_string_equal(upload_text(&upload, "status"), "posting");
    assert_int_equal(
        json_integer_value(ask_as("organiser:P13",
                                  "SELECT count(*) FROM portal.upload_rows('%s', NULL, %d, 500)",
                                  upload.id, ATTENDANCE_CHUNK_ROWS_MAX - 100)),
        100);
}

/* ---- a doctor's credits ---- */

static void doctors_see_their_credits_and_totals(void **state)
{
    int64_t doctor;
    char scope[40];

    (void)state;
    (void)post_file("S2026-0001", sample("01-clean-utf8.csv"));
    (void)post_file("S2026-0014", sample("03-utf8-bom.csv"));
    doctor = count("SELECT doctor_id FROM credit.ledger GROUP BY doctor_id"
                   " HAVING count(DISTINCT session_id) = 2 ORDER BY doctor_id LIMIT 1");
    assert_true(doctor > 0);
    (void)snprintf(scope, sizeof(scope), "doctor:%ld", (long)doctor);
    assert_int_equal(see(scope, queries[CREDITS]), 5); /* OP, CME, CSL; CSL, CME */
    assert_int_equal(see("doctor:1", queries[CREDITS]), 0);
    assert_int_equal(see("doctor:", queries[CREDITS]), 0);
    assert_int_equal(see(scope, queries[UPLOAD]), 0);
    assert_true(json_equal(
        ask_as(scope, "SELECT json_object_agg(kind, units ORDER BY kind) FROM (SELECT kind,"
                      " sum(half_units) AS units FROM portal.credit WHERE status = 'posted'"
                      " GROUP BY kind) AS t"),
        ask("SELECT json_object_agg(kind, units ORDER BY kind) FROM (SELECT kind,"
            " sum(half_units) AS units FROM credit.ledger WHERE doctor_id = %ld GROUP BY kind)"
            " AS t",
            (long)doctor)));
    /* Cancelled ones stay to be seen and do not count; posted again, they count once. */
    for (int revision = 1; revision <= 2; revision++) {
        sql("INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no,"
            " held_on, half_units, revision, programme, kind) SELECT doctor_id, session_id,"
            " upload_no, posted_at, row_no, held_on, -half_units, %d, programme, kind"
            " FROM credit.ledger WHERE doctor_id = %ld AND programme = 'OP' AND revision = %d",
            revision, (long)doctor, revision - 1);
        assert_int_equal(see(scope, queries[CREDITS]), revision == 1 ? 5 : 6);
        assert_int_equal(see(scope, "SELECT count(*) FROM portal.credit WHERE status = 'cancelled'"
                                    " AND programme = 'OP' AND revision = 0 AND half_units = 4"),
                         1);
        assert_int_equal(see(scope, "SELECT coalesce(sum(half_units), 0) FROM portal.credit"
                                    " WHERE status = 'posted' AND programme = 'OP'"),
                         revision == 1 ? 0 : 4);
    }
    assert_int_equal(see(scope, "SELECT count(DISTINCT entry_id) FROM portal.credit"), 6);
    assert_int_equal(see(scope,
                         "SELECT count(*) FROM portal.credit WHERE entry_id ~ '^[A-Za-z0-9_-]+$'"
                         " AND seminar_title <> '' AND delivery = 'venue'"),
                     6);
}

/* ---- the upload's object ---- */

static void the_object_has_all_that_formats_say(void **state)
{
    static const char *const names[] = {"upload_id", "seminar_no",  "file_name", "sha256",
                                        "bytes",     "encoding",    "delimiter", "dry_run",
                                        "status",    "rows_total",  "counts",    "ignored_columns",
                                        "problem",   "received_at", "done_at",   "undo"};
    struct sent upload = post_file("S2026-0014", sample("09-extra-columns.csv"));
    json_t *json = ask_as("l3", "SELECT json FROM portal.upload");

    (void)state;
    assert_int_equal(json_object_size(json), ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_non_null(json_object_get(json, names[i]));
    assert_string_equal(bench_text(json, "upload_id"), upload.id);
    assert_string_equal(bench_text(json, "sha256"), "00");
    assert_true(strstr(bench_text(json, "received_at"), "2026-11-22T12:00:0") != NULL &&
                strstr(bench_text(json, "received_at"), "+09:00") != NULL);
    assert_true(json_array_size(json_object_get(json, "ignored_columns")) > 0);
    assert_true(json_is_false(json_object_get(json, "dry_run")));
}

static void entry_ids_lead_back_to_the_key(void **state)
{
    (void)state;
    assert_int_equal(
        count("SELECT count(*) FROM (VALUES (1::bigint), (255), (9007199254740991)) AS d (doctor),"
              " (VALUES (1::bigint), (9007199254740991)) AS s (session),"
              " (VALUES ('OP'), ('CME'), ('KHR')) AS p (programme),"
              " (VALUES (0::smallint), (2), (254), (32766)) AS r (revision),"
              " portal.entry_key(portal.entry_id(doctor, session, programme, "
              "r.revision::smallint)) AS k"
              " WHERE (k.doctor_id, k.session_id, k.revision) = (doctor, session, r.revision)"),
        72);
    assert_int_equal(
        count("SELECT count(*) FROM (VALUES (''), ('x'), ('AAAAAAAAAAAAAAAAAAAAAAAAAA='),"
              " (repeat('A', 25)), (repeat('A', 29)), (repeat('_', 41)), ('%%')) AS v (bad)"
              " WHERE (SELECT k.doctor_id FROM portal.entry_key(bad) AS k) IS NOT NULL"),
        0);
    /* What is no programme is found by nobody. */
    (void)post_file("S2026-0001", sample("01-clean-utf8.csv"));
    assert_int_equal(
        json_integer_value(ask_as("organiser:P13", "SELECT count(*) FROM portal.credit AS c,"
                                                   " portal.credit_of(c.entry_id) AS k"
                                                   " WHERE k.entry_id = c.entry_id")),
        count("SELECT count(*) FROM credit.ledger"));
    assert_int_equal(
        json_integer_value(ask_as("organiser:P13", "SELECT count(*) FROM portal.credit AS c,"
                                                   " portal.credit_of(c.entry_id || 'A')")),
        0);
    assert_int_equal(json_integer_value(ask_as("organiser:P14", "SELECT count(*) FROM"
                                                                " portal.credit_revision")),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_scope_sees_its_own, clean),
        cmocka_unit_test_setup(a_municipal_office_sees_its_organisers, clean),
        cmocka_unit_test_setup(tables_are_closed, clean),
        cmocka_unit_test_setup(pages_show_every_row_once, clean),
        cmocka_unit_test_setup(rows_so_far, clean),
        cmocka_unit_test_setup(doctors_see_their_credits_and_totals, clean),
        cmocka_unit_test_setup(the_object_has_all_that_formats_say, clean),
        cmocka_unit_test_setup(entry_ids_lead_back_to_the_key, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
