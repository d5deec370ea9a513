/* What the ledger's side knows of doctors and certificates, kept from events. */
#include <string.h>

#include "credit_fixture.h"

enum { DOCTOR = 42 };

static json_t *doctor_event(int version, const char *register_no, const char *mamis_no,
                            const char *kana, const char *my_page)
{
    const struct event_doctor_state event = {
        .doctor_id = DOCTOR,
        .version = version,
        .register_no = str_of(register_no),
        .mamis_no = str_of(mamis_no),
        .name = STR("医師　太郎"),
        .name_kana = str_of(kana),
        .former_name = STR(""),
        .former_name_kana = version == 2 ? STR("ｷｭｳｾｲ ﾊﾅｺ") : STR(""),
        .my_page = str_of(my_page),
        .email = STR(""),
        .l1_code = STR(""),
        .l2_code = STR(""),
        .l3_category = STR(""),
    };

    return event_doctor_state_encode(&event);
}

static json_t *certificate_event(int64_t doctor_id, int version, const char *programme,
                                 const char *valid_to)
{
    const struct event_certificate_state event = {
        .doctor_id = doctor_id,
        .version = version,
        .programme = str_of(programme),
        .number = STR("0000001"),
        .first_from = day_parse(STR("2020-04-01")),
        .valid_from = day_parse(STR("2025-04-01")),
        .valid_to = day_parse(str_of(valid_to)),
    };

    return event_certificate_state_encode(&event);
}

static enum err handle(work_handler_fn handler, const char *type, json_t **list, size_t length)
{
    enum err err = bench_handle_all(&bench, handler, &credit, type, list, length);

    for (size_t i = 0; i < length; i++)
        json_decref(list[i]);
    return err;
}

static void tell_doctors(json_t **list, size_t length)
{
    assert_int_equal(handle(credit_doctor_handle, EVENT_DOCTOR_STATE, list, length), ERR_OK);
}

static void tell_certificates(json_t **list, size_t length)
{
    assert_int_equal(handle(credit_certificate_handle, EVENT_CERTIFICATE_STATE, list, length),
                     ERR_OK);
}

static int fresh(void **state)
{
    clean(state);
    sql("DELETE FROM credit.doctor WHERE doctor_id = %d;"
        "DELETE FROM credit.certificate WHERE doctor_id = %d",
        DOCTOR, DOCTOR);
    return 0;
}

static int64_t doctors_where(const char *where)
{
    return count("SELECT count(*) FROM credit.doctor WHERE doctor_id = %d AND (%s)", DOCTOR, where);
}

static void names_are_folded_numbers_are_numbers(void **state)
{
    (void)state;
    tell_doctors((json_t *[]){doctor_event(2, "0123456", "6423876638", "はま゛だ ﾏｻｷ", "active")},
                 1);
    assert_int_equal(doctors_where("version = 2 AND register_no = 123456 AND mamis_no = 6423876638"
                                   " AND name_kana = 'はま゛だ ﾏｻｷ' AND my_page = 'active'"),
                     1);
    assert_int_equal(doctors_where("former_folded = 'キュウセイハナコ'"
                                   " AND kana_folded LIKE 'ハ%%マサキ' AND position(' ' IN"
                                   " kana_folded) = 0"),
                     1);
    tell_doctors((json_t *[]){doctor_event(3, "", "", "ア", "none")}, 1);
    assert_int_equal(doctors_where("register_no IS NULL AND mamis_no IS NULL"
                                   " AND former_folded = ''"),
                     1);
}

static void only_newer_versions_count(void **state)
{
    (void)state;
    tell_doctors((json_t *[]){doctor_event(5, "1", "", "ア", "active")}, 1);
    tell_doctors((json_t *[]){doctor_event(4, "2", "", "イ", "none")}, 1);
    tell_doctors((json_t *[]){doctor_event(5, "3", "", "ウ", "none")}, 1);
    assert_int_equal(doctors_where("version = 5 AND register_no = 1"), 1);
    tell_doctors((json_t *[]){doctor_event(6, "2", "", "イ", "closed")}, 1);
    assert_int_equal(doctors_where("version = 6 AND register_no = 2 AND my_page = 'closed'"), 1);
}

static void the_newest_of_a_batch_wins(void **state)
{
    json_t *list[] = {
        doctor_event(3, "3", "", "ウ", "none"), doctor_event(1, "1", "", "ア", "none"),
        doctor_event(4, "4", "", "エ", "active"), doctor_event(2, "2", "", "イ", "none")};
    json_t *certificates[] = {
        certificate_event(DOCTOR, 2, "OP", "2030-03-31"),
        certificate_event(DOCTOR, 3, "SP", "2031-03-31"),
        certificate_event(DOCTOR, 1, "OP", "2029-03-31"),
        certificate_event(DOCTOR, 4, "OP", "2032-03-31"),
    };

    (void)state;
    tell_doctors(list, ARRAY_LEN(list));
    assert_int_equal(doctors_where("version = 4 AND register_no = 4"), 1);
    tell_certificates(certificates, ARRAY_LEN(certificates));
    assert_int_equal(count("SELECT count(*) FROM credit.certificate WHERE doctor_id = %d"
                           " AND ((programme = 'OP' AND version = 4 AND valid_to = '2032-03-31')"
                           "   OR (programme = 'SP' AND version = 3 AND valid_to = '2031-03-31'))"
                           " AND first_from = '2020-04-01'",
                           DOCTOR),
                     2);
    tell_certificates((json_t *[]){certificate_event(DOCTOR, 3, "OP", "2028-03-31")}, 1);
    assert_int_equal(count("SELECT version FROM credit.certificate WHERE doctor_id = %d"
                           " AND programme = 'OP'",
                           DOCTOR),
                     4);
}

/* A new number of the same doctor (R-ACC-13) is found by the next file, the old one no more. */
static void a_changed_number_is_found(void **state)
{
    struct str file = text("医籍登録番号,氏名カナ\n7654321,ア\n1234567,ア\n");
    struct sent upload;

    (void)state;
    tell_doctors((json_t *[]){doctor_event(1, "1234567", "", "ア", "active")}, 1);
    tell_doctors((json_t *[]){doctor_event(2, "7654321", "", "ア", "active")}, 1);
    upload = post_file("S2026-0001", file);
    assert_counts(&upload, (const int64_t[]){1, 0, 0, 1, 0, 0});
    assert_int_equal(
        count("SELECT count(*) FROM credit.ledger WHERE row_no = 1 AND doctor_id = %d", DOCTOR), 3);
}

/* The certificate decides between alternatives, on the day of the session (R-SEM-09). */
static void certificates_settle_alternatives(void **state)
{
    static const struct {
        const char *valid_to, *kind;
    } cases[] = {
        {"2026-10-17", "OPB-K"}, /* the day before the session */
        {"2026-10-18", "OPL-S"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fresh(state);
        tell_doctors((json_t *[]){doctor_event(1, "1234567", "", "ア", "active")}, 1);
        tell_certificates((json_t *[]){certificate_event(DOCTOR, 1, "OP", cases[i].valid_to)}, 1);
        (void)post_file("S2026-0001", text("医籍登録番号\n1234567\n"));
        assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE doctor_id = %d"
                               " AND programme = 'OP' AND kind = '%s'",
                               DOCTOR, cases[i].kind),
                         1);
    }
}

static void closed_doctors_get_nothing(void **state)
{
    struct sent upload;

    (void)state;
    tell_doctors((json_t *[]){doctor_event(1, "1234567", "", "ア", "closed")}, 1);
    upload = post_file("S2026-0001", text("医籍登録番号\n1234567\n"));
    assert_counts(&upload, (const int64_t[]){0, 0, 0, 1, 0, 0});
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE reason = 'doctor_closed'"
                           " AND problems -> 0 ->> 'value' = '1234567'"
                           " AND problems -> 0 ->> 'cure_en' <> ''"),
                     1);
}

static void bad_events_change_nothing(void **state)
{
    static const char *const changes[] = {"{\"my_page\": \"open\"}", "{\"version\": 0}",
                                          "{\"register_no\": \"12345678\"}",
                                          "{\"name_kana\": null}", "{\"doctor_id\": \"42\"}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        json_t *good = doctor_event(1, "1234567", "", "ア", "active");
        json_t *bad = json_copy(good);
        json_t *change = json_loads(changes[i], 0, NULL);

        assert_int_equal(json_object_update(bad, change), 0);
        json_decref(change);
        assert_int_equal(
            handle(credit_doctor_handle, EVENT_DOCTOR_STATE, (json_t *[]){good, bad}, 2),
            ERR_SCHEMA);
        assert_int_equal(doctors_where("true"), 0);
    }
    assert_int_equal(handle(credit_certificate_handle, EVENT_CERTIFICATE_STATE,
                            (json_t *[]){certificate_event(DOCTOR, 1, "CME", "2030-03-31")}, 1),
                     ERR_SCHEMA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names_are_folded_numbers_are_numbers, fresh),
        cmocka_unit_test_setup(only_newer_versions_count, fresh),
        cmocka_unit_test_setup(the_newest_of_a_batch_wins, fresh),
        cmocka_unit_test_setup(a_changed_number_is_found, fresh),
        cmocka_unit_test_setup(certificates_settle_alternatives, fresh),
        cmocka_unit_test_setup(closed_doctors_get_nothing, fresh),
        cmocka_unit_test_setup(bad_events_change_nothing, fresh),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
