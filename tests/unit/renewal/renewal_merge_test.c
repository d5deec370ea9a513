/* Two doctors are merged: certificates, declarations and applications of the one are the other's.
 */
#include "renewal_fixture.h"

static void merge(int kept, int closed)
{
    assert_int_equal(bench_handle(&bench, renewal_merge_handle, &renewal, EVENT_DOCTOR_MERGED,
                                  "{\"merge_id\": \"" SECOND "\", \"kept_id\": %d,"
                                  " \"closed_id\": %d, \"kept_account_id\": \"" OFFICE_ACCOUNT
                                  "\", \"actor_id\": \"" OFFICE_ACCOUNT
                                  "\", \"actor_role\": \"office_l3\", \"reason\": \"同じ人です\","
                                  " \"name\": \"A\", \"kept_email\": \"\","
                                  " \"closed_email\": \"\", \"names_kana\": []}",
                                  kept, closed),
                     ERR_OK);
}

static int clean(void **state)
{
    bench_sql(&bench, "TRUNCATE renewal.merge");
    return fill(state);
}

static void all_goes_along(void **state)
{
    const json_t *told;

    (void)state;
    doctor(7, 1, "active", "27");
    declare_fixture();
    submit();
    merge(7, 1);
    told = bench_event(&bench, EVENT_CERTIFICATE_STATE);
    assert_int_equal(bench_number(told, "doctor_id"), 7);
    assert_int_equal(bench_number(told, "version"), 1);
    assert_string_equal(bench_text(told, "number"), "0000001");
    assert_int_equal(count("SELECT count(*) FROM renewal.certificate WHERE doctor_id = 7"
                           " AND number = '0000001'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.certificate WHERE doctor_id = 1"), 0);
    assert_int_equal(count("SELECT count(*) FROM renewal.certificate_period WHERE doctor_id = 7"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.handbook WHERE doctor_id = 7"), 3);
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE doctor_id = 7"
                           " AND status = 'submitted' AND account_id = '" OFFICE_ACCOUNT "'"
                           " AND version = 2"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.application_history"
                           " WHERE action = 'merge' AND version = 2 AND reason = '同じ人です'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.dirty WHERE doctor_id IN (1, 7)"
                           " AND mark > done"),
                     2);
    merge(7, 1); /* once more changes nothing */
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE version = 2"), 1);
    assert_int_equal(count("SELECT version FROM renewal.certificate WHERE doctor_id = 7"), 1);
}

static void the_certificate_that_ends_later_goes_on(void **state)
{
    static const struct {
        const char *ends, *number;
        int64_t version;
    } cases[] = {
        {"2024-03-31", "0000001", 2}, /* the closed one's ends later */
        {"2027-03-31", "0000009", 1},
        {"2025-07-31", "0000009", 1}, /* the same day: his own */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char sql[400];

        assert_int_equal(clean(state), 0);
        snprintf(sql, sizeof(sql),
                 "INSERT INTO renewal.certificate (doctor_id, programme, number, first_from,"
                 " valid_from, valid_to) VALUES (7, 'OP', '0000009', '2019-04-01', '2019-04-01',"
                 " '%s')",
                 cases[i].ends);
        bench_sql(&bench, sql);
        merge(7, 1);
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM renewal.certificate WHERE doctor_id = 7 AND number = '%s'"
                 " AND version = %d AND first_from = '2019-04-01'",
                 cases[i].number, (int)cases[i].version);
        assert_int_equal(count(sql), 1);
        /* Both periods can still be read. */
        assert_int_equal(count("SELECT count(DISTINCT number) FROM renewal.certificate_period"
                               " WHERE doctor_id IN (1, 7)"),
                         2);
    }
}

static void a_second_application_is_withdrawn_and_says_so(void **state)
{
    (void)state;
    declare_fixture();
    submit();
    bench_sql(&bench, "INSERT INTO renewal.application SELECT (jsonb_populate_record(a, jsonb_build"
                      "_object('application_id', '" SECOND "', 'doctor_id', 7))).*"
                      " FROM renewal.application a");
    merge(7, 1);
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE doctor_id = 7"
                           " AND application_id = '" APPLICATION "' AND status = 'withdrawn'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.application WHERE doctor_id = 7"
                           " AND application_id = '" SECOND "' AND status = 'submitted'"
                           " AND version = 1"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM renewal.application_history"
                           " WHERE application_id = '" APPLICATION "' AND action = 'merge_double'"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_goes_along, clean),
        cmocka_unit_test_setup(the_certificate_that_ends_later_goes_on, clean),
        cmocka_unit_test_setup(a_second_application_is_withdrawn_and_says_so, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
