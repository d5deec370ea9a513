/* renewal_fixture: see the header. */
#include "renewal_fixture.h"

static struct rule_book book;

struct bench bench;
struct renewal renewal;

int open_bench(void **state)
{
    struct err_note note;

    (void)state;
    must(rule_book_load(&book, TEST_SOURCE_DIR "/deploy/rules", &note) == ERR_OK);
    bench_open(&bench, "mamis_renewal");
    return 0;
}

int close_bench(void **state)
{
    (void)state;
    bench_close(&bench);
    return 0;
}

int64_t count(const char *sql)
{
    return bench_i64(&bench, sql);
}

/* ---- events ---- */

void doctor(int id, int version, const char *my_page, const char *l2_code)
{
    assert_int_equal(
        bench_handle(&bench, renewal_doctor_handle, &renewal, EVENT_DOCTOR_STATE,
                     "{\"doctor_id\": %d, \"version\": %d, \"register_no\": \"46019%d\","
                     " \"mamis_no\": \"6423876638\", \"name\": \"濱田　正樹\","
                     " \"name_kana\": \"ハマダ　マサキ\", \"former_name\": \"\","
                     " \"former_name_kana\": \"\", \"my_page\": \"%s\", \"email\": \"\","
                     " \"l1_code\": \"\", \"l2_code\": \"%s\", \"l3_category\": \"\"}",
                     id, version, id, my_page, l2_code),
        ERR_OK);
}

void certificate_event(int id)
{
    assert_int_equal(bench_handle(&bench, renewal_certificate_handle, &renewal,
                                  EVENT_CERTIFICATE_STATE,
                                  "{\"doctor_id\": %d, \"version\": 1, \"programme\": \"OP\","
                                  " \"number\": \"0000001\", \"first_from\": \"2020-08-01\","
                                  " \"valid_from\": \"2020-08-01\", \"valid_to\": \"2025-07-31\"}",
                                  id),
                     ERR_OK);
}

/* One credit of one session, units in whole units; a negative one cancels. */
void credit(int doctor_id, int session_id, const char *kind, int units, const char *held_on,
            const char *delivery, int revision)
{
    assert_int_equal(
        bench_handle(&bench, renewal_credits_handle, &renewal, EVENT_CREDITS_POSTED,
                     "{\"upload_id\": \"" APPLICATION "\", \"upload_no\": 1, \"chunk_no\": 0,"
                     " \"seminar_no\": \"S2025-0%d\", \"seminar_title\": \"産業医研修会\","
                     " \"sessions\": [{\"session_id\": %d, \"session_no\": \"1\", \"title\": \"\","
                     " \"held_on\": \"%s\", \"delivery\": \"%s\"}],"
                     " \"lots\": [{\"place\": 0, \"kind\": \"%s\", \"half_units\": %d,"
                     " \"revision\": %d, \"doctors\": 1},"
                     " {\"place\": 0, \"kind\": \"CME-015\", \"half_units\": 2,"
                     " \"revision\": 0, \"doctors\": 1}], \"doctor_ids\": [%d, %d]}",
                     session_id, session_id, held_on, delivery, kind, 2 * units, revision,
                     doctor_id, doctor_id),
        ERR_OK);
}

/* Fixture 1 of domain.md: handbook 15 and MAMIS 5, valid to 2025-07-31. */
int fill(void **state)
{
    (void)state;
    bench_clock("2025-04-20T09:00:00+09:00");
    bench_sql(&bench, "TRUNCATE renewal.doctor, renewal.certificate, renewal.certificate_period,"
                      " renewal.session, renewal.credit, renewal.handbook, renewal.dirty,"
                      " renewal.standing, renewal.application, renewal.application_credit,"
                      " renewal.application_history CASCADE;"
                      "INSERT INTO renewal.certificate (doctor_id, programme, number, first_from,"
                      " valid_from, valid_to)"
                      " VALUES (1, 'OP', '0000001', '2020-08-01', '2020-08-01', '2025-07-31')");
    renewal =
        (struct renewal){.loop = bench.loop, .db = bench.db, .work = bench.work, .book = &book};
    doctor(1, 1, "active", "13");
    credit(1, 11, "OPL-S", 3, "2025-04-12", "venue", 0);
    credit(1, 12, "OPL-R", 2, "2025-04-19", "venue", 0);
    return 0;
}

/* ---- commands ---- */

void declare(const char *lines)
{
    assert_int_equal(bench_handle(&bench, renewal_handbook_handle, &renewal, EVENT_HANDBOOK_DECLARE,
                                  "{\"operation_id\": \"" OPERATION
                                  "\", \"account_id\": \"" DOCTOR_ACCOUNT
                                  "\", \"role\": \"doctor\", \"doctor_id\": 1,"
                                  " \"programme\": \"OP\", \"lines\": %s}",
                                  lines),
                     ERR_OK);
    assert_true(bench.answered);
}

void declare_fixture(void)
{
    declare("[{\"kind\": \"OPL-R\", \"half_units\": 4, \"last_on\": \"2024-10-01\"},"
            " {\"kind\": \"OPL-J\", \"half_units\": 2, \"last_on\": \"2023-06-03\"},"
            " {\"kind\": \"OPL-S\", \"half_units\": 24, \"last_on\": \"2025-03-31\"}]");
    assert_string_equal(bench.answer_code, "");
}

void submit_as(const char *application_id)
{
    assert_int_equal(bench_handle(&bench, renewal_submit_handle, &renewal, EVENT_APPLICATION_SUBMIT,
                                  "{\"operation_id\": \"" OPERATION
                                  "\", \"account_id\": \"" DOCTOR_ACCOUNT
                                  "\", \"role\": \"doctor\", \"doctor_id\": 1,"
                                  " \"application_id\": \"%s\", \"programme\": \"OP\"}",
                                  application_id),
                     ERR_OK);
    assert_true(bench.answered);
}

void submit(void)
{
    submit_as(APPLICATION);
}

/* `more` are further fields, beginning with a comma. */
void act(const char *role, const char *l2_code, const char *action, const char *more)
{
    assert_int_equal(bench_handle(&bench, renewal_review_handle, &renewal, EVENT_APPLICATION_REVIEW,
                                  "{\"operation_id\": \"" OPERATION
                                  "\", \"account_id\": \"" OFFICE_ACCOUNT
                                  "\", \"role\": \"%s\", \"doctor_id\": 1, \"l2_code\": \"%s\","
                                  " \"application_id\": \"" APPLICATION "\", \"action\": \"%s\"%s}",
                                  role, l2_code, action, more),
                     ERR_OK);
    assert_true(bench.answered);
}

void l2(const char *action, const char *more)
{
    act("office_l2", "13", action, more);
}

const char whole_handbook[] = ", \"lines\": [{\"kind\": \"OPL-R\", \"half_units\": 4},"
                              " {\"kind\": \"OPL-J\", \"half_units\": 2},"
                              " {\"kind\": \"OPL-S\", \"half_units\": 24}]";

void forwarded(void)
{
    declare_fixture();
    submit();
    l2("verify_handbook", whole_handbook);
    l2("set_fee", ", \"fee\": \"paid\"");
    l2("forward", "");
    assert_string_equal(bench.answer_code, "");
}

const char *status_event(void)
{
    return bench_text(bench_event(&bench, EVENT_APPLICATION_STATE), "status");
}
