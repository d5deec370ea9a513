/* What the portal's views show of an application, a doctor and a standing in each scope (I9). */
#include "renewal_fixture.h"

enum thing {
    OWN_PROFILE,
    OWN_STANDING,
    OWN_CERTIFICATES,
    OWN_HANDBOOK,
    OWN_LIST,
    ONE,
    ONE_DOCTOR,
    LIST,
    THINGS
};

static const char *const queries[THINGS] = {
    [OWN_PROFILE] =
        "SELECT count(*) FROM (SELECT portal.my_profile() AS j) AS s WHERE j IS NOT NULL",
    [OWN_STANDING] = "SELECT json_array_length(portal.my_standing("
                     "'2025-04-20T09:00:00+09:00') -> 'items')::bigint",
    [OWN_CERTIFICATES] = "SELECT json_array_length(portal.my_certificates("
                         "'2025-04-20T09:00:00+09:00') -> 'items')::bigint",
    [OWN_HANDBOOK] = "SELECT json_array_length(portal.my_handbook() -> 'items')::bigint",
    [OWN_LIST] = "SELECT json_array_length(portal.my_applications() -> 'items')::bigint",
    [ONE] = "SELECT count(*) FROM (SELECT portal.application_json('" APPLICATION "') AS j) AS s"
            " WHERE j IS NOT NULL",
    [ONE_DOCTOR] = "SELECT count(*) FROM (SELECT portal.application_json('" APPLICATION "') AS j)"
                   " AS s WHERE j -> 'doctor' ->> 'mamis_no' = '6423876638'",
    [LIST] = "SELECT count(*) FROM portal.application_list(NULL, NULL, NULL, 100)",
};

static int64_t ask(const char *scope, const char *sql)
{
    struct pg_server as_gateway = bench.server;
    const char *rest = strstr(bench.server.dsn, "user=postgres");

    assert_non_null(rest);
    (void)snprintf(as_gateway.dsn, sizeof(as_gateway.dsn),
                   "%.*suser=mamis_gateway%s options='-c app.scope=%s'",
                   (int)(rest - bench.server.dsn), bench.server.dsn, rest + strlen("user=postgres"),
                   scope);
    return pg_server_i64(&as_gateway, sql);
}

static int fill_portal(void **state)
{
    fill(state);
    bench_sql(&bench,
              "TRUNCATE registration.account, registration.doctor RESTART IDENTITY CASCADE;"
              "INSERT INTO registration.doctor (register_no, name, name_kana, birth_on, my_page)"
              " VALUES ('460191', 'A', 'ア', '1975-12-18', 'active'),"
              "        ('460192', 'B', 'イ', '1975-12-18', 'active');"
              "INSERT INTO registration.account (account_id, role, doctor_id, state, step)"
              " VALUES (gen_random_uuid(), 'doctor', 1, 'active', ''),"
              "        (gen_random_uuid(), 'doctor', 2, 'temp_issued', 'profile')");
    declare_fixture();
    submit();
    return 0;
}

static void every_scope_sees_its_own(void **state)
{
    static const struct {
        const char *scope;
        int64_t wanted[THINGS];
    } cases[] = {
        {"doctor:1", {1, 1, 1, 1, 1, 1, 0, 1}},
        {"doctor:2", {1, 0, 0, 0, 0, 0, 0, 0}},
        {"doctor:3", {0, 0, 0, 0, 0, 0, 0, 0}},
        {"l2:13", {0, 0, 0, 0, 0, 1, 1, 1}},
        {"l2:14", {0, 0, 0, 0, 0, 0, 0, 0}},
        {"l2:1", {0, 0, 0, 0, 0, 0, 0, 0}},
        {"l1:13", {0, 0, 0, 0, 0, 0, 0, 0}},
        {"l3", {0, 0, 0, 0, 0, 1, 1, 1}},
        {"auditor", {0, 0, 0, 0, 0, 1, 1, 1}},
        {"organiser:P13", {0, 0, 0, 0, 0, 0, 0, 0}},
        {"call_centre", {0, 0, 0, 0, 0, 0, 0, 0}},
        {"admin", {0, 0, 0, 0, 0, 0, 0, 0}},
        {"", {0, 0, 0, 0, 0, 0, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int thing = 0; thing < THINGS; thing++) {
            int64_t got = ask(cases[i].scope, queries[thing]);

            if (got != cases[i].wanted[thing])
                print_error("scope %s, thing %d\n", cases[i].scope, thing);
            assert_int_equal(got, cases[i].wanted[thing]);
        }
    }
}

static void birth_date_is_asked_not_shown_at_first_login(void **state)
{
    static const char shown[] = "SELECT count(*) FROM (SELECT portal.my_profile() AS j) AS s"
                                " WHERE j ->> 'birth_on' = '1975-12-18'";

    (void)state;
    assert_int_equal(ask("doctor:1", shown), 1);
    assert_int_equal(ask("doctor:2", shown), 0);
}

static void standing_says_why_one_cannot_apply(void **state)
{
    static const struct {
        const char *day, *why;
    } cases[] = {
        {"2025-04-20", "application_open"}, /* while one is open */
        {"2025-03-30", "window_not_open"},
        {"2025-03-31", ""},
        {"2028-04-01", "window_closed"},
    };
    char sql[320];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)snprintf(sql, sizeof(sql),
                       "SELECT count(*) FROM json_array_elements(portal.my_standing("
                       "'%sT12:00:00+09:00') -> 'items') AS item"
                       " WHERE coalesce(item ->> 'why_not', '') = '%s'"
                       " AND (item ->> 'can_apply')::boolean = ('%s' = '')",
                       cases[i].day, cases[i].why, cases[i].why);
        assert_int_equal(ask("doctor:1", sql), 1);
        if (i == 0)
            act("doctor", "", "withdraw", "");
    }
}

static void certificates_follow_the_day(void **state)
{
    static const struct {
        const char *day, *status;
    } cases[] = {
        {"2025-03-30", "renewal_in_progress"},
        {"2025-07-31", "renewal_in_progress"},
        {"2025-08-01", "pending_renewal"}, /* edge 66 */
        {"2025-03-30", "valid"},
        {"2025-03-31", "renewable"},
        {"2025-07-31", "renewable"},
        {"2025-08-01", "expired"},
    };
    char sql[320];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (i == 3)
            act("doctor", "", "withdraw", "");
        (void)snprintf(sql, sizeof(sql),
                       "SELECT count(*) FROM json_array_elements(portal.my_certificates("
                       "'%sT23:59:59+09:00') -> 'items') AS item"
                       " WHERE item ->> 'status' = '%s'",
                       cases[i].day, cases[i].status);
        assert_int_equal(ask("doctor:1", sql), 1);
    }
}

static void a_doctor_not_linked_yet_sees_none(void **state)
{
    (void)state;
    doctor(1, 2, "link_pending", "13"); /* R-ACC-09 */
    assert_int_equal(ask("doctor:1", queries[OWN_STANDING]), 0);
    assert_int_equal(ask("doctor:1", queries[OWN_CERTIFICATES]), 0);
}

static void the_list_pages_newest_first(void **state)
{
    (void)state;
    bench_sql(&bench,
              "INSERT INTO renewal.application SELECT"
              " ('0190a000-0000-7000-8000-00000000b' || to_char(n, 'FM000'))::uuid, 1, 100 + n,"
              " account_id, programme, status, l2_code, rule_set, cycle,"
              " submitted_at + n / 2 * interval '1 second', handbook, fee, fee_yen, number,"
              " valid_from, valid_to, needed_half_units, counted_half_units, eligible,"
              " depends_on_declared, lines, missing, NULL, NULL, NULL, NULL, changed_at"
              " FROM renewal.application, generate_series(1, 25) AS n");
    /* Walk in pages of 10 by the last row of each: every row once. */
    assert_int_equal(
        ask("l2:13", "WITH RECURSIVE page (times, ids) AS ("
                     " SELECT array_agg(submitted_at), array_agg(application_id)"
                     "  FROM portal.application_list(NULL, NULL, NULL, 10)"
                     " UNION ALL"
                     " SELECT n.times, n.ids FROM page, LATERAL ("
                     "  SELECT array_agg(submitted_at) AS times, array_agg(application_id) AS ids"
                     "  FROM portal.application_list(NULL, page.times[cardinality(page.times)],"
                     "                               page.ids[cardinality(page.ids)], 10)) AS n"
                     " WHERE n.ids IS NOT NULL)"
                     " SELECT count(DISTINCT id) * 100 + count(id) FROM page, unnest(ids) AS id"),
        2626);
    assert_int_equal(
        ask("l2:13", "SELECT count(*) FROM portal.application_list('approved', NULL, NULL, 100)"),
        0);
}

static void the_list_flags_what_lost_a_credit(void **state)
{
    static const char flagged[] = "SELECT (item ->> 'credits_cancelled')::bigint"
                                  " FROM portal.application_list(NULL, NULL, NULL, 10)";

    (void)state;
    assert_int_equal(ask("l2:13", flagged), 0);
    credit(1, 12, "OPL-R", -2, "2025-04-19", "venue", 1);
    assert_int_equal(ask("l2:13", flagged), 1);
    assert_int_equal(ask("l3", flagged), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_scope_sees_its_own, fill_portal),
        cmocka_unit_test_setup(birth_date_is_asked_not_shown_at_first_login, fill_portal),
        cmocka_unit_test_setup(standing_says_why_one_cannot_apply, fill_portal),
        cmocka_unit_test_setup(certificates_follow_the_day, fill_portal),
        cmocka_unit_test_setup(a_doctor_not_linked_yet_sees_none, fill_portal),
        cmocka_unit_test_setup(the_list_pages_newest_first, fill_portal),
        cmocka_unit_test_setup(the_list_flags_what_lost_a_credit, fill_portal),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
