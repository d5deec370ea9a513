/* notification_people: only a newer version changes what is known of somebody. */
#include "notification_fixture.h"

static void versions_never_go_back(void **state)
{
    (void)state;
    doctor(7, 3, "新", "new@example.jp");
    doctor(7, 2, "旧", "old@example.jp");
    doctor(7, 3, "同", "same@example.jp");
    assert_int_equal(count("SELECT count(*) FROM notification.doctor WHERE doctor_id = 7"
                           " AND version = 3 AND name = '新' AND email = 'new@example.jp'"),
                     1);
    doctor(7, 4, "次", "");
    assert_int_equal(count("SELECT count(*) FROM notification.doctor WHERE doctor_id = 7"
                           " AND version = 4 AND name = '次' AND email IS NULL"),
                     1);
}

static void accounts_follow_their_versions(void **state)
{
    (void)state;
    account(STAFF, 3, "office_l2", "closed", "", "13");
    account(STAFF, 2, "office_l2", "active", "old@example.jp", "14");
    assert_int_equal(count("SELECT count(*) FROM notification.account WHERE account_id = '" STAFF
                           "' AND version = 3 AND state = 'closed' AND email IS NULL"
                           " AND l2_code = '13' AND organiser_code IS NULL AND doctor_id IS NULL"),
                     1);
}

/* Versions of one doctor in one batch, the newest not the last. */
static void a_batch_may_hold_a_doctor_twice(void **state)
{
    static const int versions[] = {2, 4, 3};
    json_t *data[ARRAY_LEN(versions)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        data[i] = json_pack("{s:i,s:i,s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "doctor_id", 7,
                            "version", versions[i], "register_no", "1", "mamis_no", "", "name",
                            json_sprintf("版%d", versions[i]), "name_kana", "", "former_name", "",
                            "former_name_kana", "", "my_page", "active", "email", "", "l1_code", "",
                            "l2_code", "", "l3_category", "");
    assert_int_equal(bench_handle_all(&bench, notification_doctor_handle, &notification,
                                      EVENT_DOCTOR_STATE, data, ARRAY_LEN(data)),
                     ERR_OK);
    assert_string_equal(value("SELECT name FROM notification.doctor WHERE doctor_id = 7"), "版4");
    for (size_t i = 0; i < ARRAY_LEN(data); i++)
        json_decref(data[i]);
}

static void a_damaged_event_is_an_input_error(void **state)
{
    (void)state;
    assert_int_equal(bench_handle(&bench, notification_doctor_handle, &notification,
                                  EVENT_DOCTOR_STATE, "{\"doctor_id\": 0}"),
                     ERR_SCHEMA);
    assert_int_equal(bench_handle(&bench, notification_account_handle, &notification,
                                  EVENT_ACCOUNT_STATE, "{\"account_id\": \"x\"}"),
                     ERR_SCHEMA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(versions_never_go_back, fill),
        cmocka_unit_test_setup(accounts_follow_their_versions, fill),
        cmocka_unit_test_setup(a_batch_may_hold_a_doctor_twice, fill),
        cmocka_unit_test_setup(a_damaged_event_is_an_input_error, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
