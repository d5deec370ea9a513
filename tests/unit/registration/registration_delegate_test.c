/* Commands about delegates against a real database: rows, events, answers, repeats, races. */
#include "registration/registration_delegate.h"
#include "registration_fixture.h"

#define DOCTOR "0190a000-0000-7000-8000-000000000001"
#define OTHER "0190a000-0000-7000-8000-000000000002"
#define PERSON "0190a000-0000-8000-8000-000000000003"
#define DELEGATION "0190a000-0000-7000-8000-000000000010"
#define AGAIN "0190a000-0000-7000-8000-000000000011"
#define OPERATION "0190a000-0000-7000-8000-0000000000ff"
#define ADDRESS "reception@example.jp"

static int fill(void **state)
{
    (void)state;
    bench_clock("2026-11-22T12:00:00+09:00");
    bench_sql(
        &bench,
        "TRUNCATE registration.delegation_history, registration.delegation,"
        " registration.account_history, registration.account, registration.doctor"
        " RESTART IDENTITY CASCADE;"
        "INSERT INTO registration.doctor (register_no, name, name_kana, my_page, l2_code) VALUES"
        " ('460190', '濱田　正樹', 'ハマダ　マサキ', 'active', '40'),"
        " ('460191', '試験　花子', 'シケン　ハナコ', 'active', '40');"
        "INSERT INTO registration.account"
        " (account_id, role, doctor_id, name, email, email_confirmed, state, step) VALUES"
        " ('" DOCTOR "', 'doctor', 1, '濱田　正樹', 'own@example.jp', true, 'active', ''),"
        " ('" OTHER "', 'doctor', 2, '試験　花子', 'other@example.jp', true, 'active', '')");
    return 0;
}

static const char *invite_as(const char *account, const char *delegation, const char *email)
{
    assert_int_equal(bench_handle(&bench, registration_delegate_handle, &registration,
                                  EVENT_DELEGATE_INVITE,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"%s\","
                                  " \"delegation_id\": \"%s\", \"delegate_id\": \"" PERSON "\","
                                  " \"name\": \"受付　一郎\", \"email\": \"%s\"}",
                                  account, delegation, email),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

static const char *send_deed(const char *type, const char *account)
{
    assert_int_equal(bench_handle(&bench, registration_delegate_handle, &registration, type,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"%s\","
                                  " \"delegation_id\": \"" DELEGATION "\"}",
                                  account),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

static void assert_count(const char *sql, int64_t wanted)
{
    assert_int_equal(bench_i64(&bench, sql), wanted);
}

static void named_accepted_ended(void **state)
{
    const json_t *told;

    (void)state;
    assert_string_equal(invite_as(DOCTOR, DELEGATION, ADDRESS), "");
    assert_string_equal(bench_text(bench.answer, "delegation_id"), DELEGATION);
    told = bench_event(&bench, EVENT_DELEGATION_STATE);
    assert_string_equal(bench_text(told, "state"), "invited");
    assert_int_equal(bench_number(told, "version"), 1);
    assert_string_equal(bench.events[0].key, DOCTOR);
    assert_count("SELECT count(*) FROM registration.account WHERE role = 'delegate'", 0);

    assert_string_equal(send_deed(EVENT_DELEGATE_ACCEPT, PERSON), "");
    assert_string_equal(bench_text(bench.answer, "next"), "");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_ACCOUNT_STATE), "role"), "delegate");
    told = bench_event(&bench, EVENT_DELEGATION_STATE);
    assert_string_equal(bench_text(told, "state"), "active");
    assert_string_equal(bench_text(told, "doctor_name"), "濱田　正樹");
    assert_count("SELECT count(*) FROM registration.account WHERE account_id = '" PERSON "'"
                 " AND role = 'delegate' AND state = 'active' AND step = '' AND email_confirmed"
                 " AND email = '" ADDRESS "'",
                 1);

    assert_string_equal(send_deed(EVENT_DELEGATE_REVOKE, DOCTOR), "");
    told = bench_event(&bench, EVENT_DELEGATION_STATE);
    assert_string_equal(bench_text(told, "state"), "revoked");
    assert_true(json_is_true(json_object_get(told, "accepted")));
    assert_count("SELECT count(*) FROM registration.delegation WHERE state = 'revoked'"
                 " AND version = 3 AND accepted_at <= ended_at",
                 1);
    assert_count("SELECT count(DISTINCT action) FROM registration.delegation_history", 3);
    /* Once ended it stays so; a new one begins from the start. */
    assert_string_equal(send_deed(EVENT_DELEGATE_ACCEPT, PERSON), "delegation_ended");
    assert_string_equal(invite_as(DOCTOR, AGAIN, ADDRESS), "");
}

static void a_delegate_gives_it_up(void **state)
{
    const json_t *told;

    (void)state;
    (void)invite_as(DOCTOR, DELEGATION, ADDRESS);
    assert_string_equal(send_deed(EVENT_DELEGATE_RESIGN, PERSON), "not_found");
    (void)send_deed(EVENT_DELEGATE_ACCEPT, PERSON);
    assert_string_equal(send_deed(EVENT_DELEGATE_RESIGN, DOCTOR), "not_found");
    assert_string_equal(send_deed(EVENT_DELEGATE_RESIGN, PERSON), "");
    told = bench_event(&bench, EVENT_DELEGATION_STATE);
    assert_string_equal(bench_text(told, "state"), "revoked");
    assert_true(json_is_true(json_object_get(told, "resigned")));
    assert_count("SELECT count(*) FROM registration.delegation_history WHERE action = 'resigned'"
                 " AND account_id = '" PERSON "' AND version = 3",
                 1);
    /* Again, and the doctor's own end, change nothing. */
    assert_string_equal(send_deed(EVENT_DELEGATE_RESIGN, PERSON), "");
    assert_string_equal(send_deed(EVENT_DELEGATE_REVOKE, DOCTOR), "");
    assert_count("SELECT count(*) FROM registration.delegation_history", 3);
}

static void repeated_deeds_change_nothing(void **state)
{
    (void)state;
    (void)invite_as(DOCTOR, DELEGATION, ADDRESS);
    (void)send_deed(EVENT_DELEGATE_ACCEPT, PERSON);
    assert_string_equal(send_deed(EVENT_DELEGATE_ACCEPT, PERSON), "");
    assert_int_equal(bench.event_count, 0);
    (void)send_deed(EVENT_DELEGATE_REVOKE, DOCTOR);
    assert_string_equal(send_deed(EVENT_DELEGATE_REVOKE, DOCTOR), "");
    assert_int_equal(bench.event_count, 0);
    assert_count("SELECT count(*) FROM registration.delegation_history", 3);
}

static void refusals(void **state)
{
    (void)state;
    assert_string_equal(invite_as(DOCTOR, DELEGATION, "Own@example.jp"), "delegate_address");
    assert_string_equal(invite_as(DOCTOR, DELEGATION, "other@example.jp"), "delegate_address");
    assert_string_equal(invite_as(PERSON, DELEGATION, ADDRESS), "not_found");
    assert_string_equal(invite_as(DOCTOR, DELEGATION, ADDRESS), "");
    assert_string_equal(invite_as(DOCTOR, AGAIN, ADDRESS), "delegate_named");
    assert_string_equal(send_deed(EVENT_DELEGATE_ACCEPT, OTHER), "not_found");
    assert_string_equal(send_deed(EVENT_DELEGATE_REVOKE, OTHER), "not_found");
    assert_string_equal(send_deed(EVENT_DELEGATE_REVOKE, PERSON), "not_found");
    bench_sql(&bench, "UPDATE registration.account SET state = 'suspended'");
    assert_string_equal(send_deed(EVENT_DELEGATE_REVOKE, DOCTOR), "account_suspended");
    assert_count("SELECT count(*) FROM registration.delegation WHERE state = 'invited'", 1);
    assert_count("SELECT count(*) FROM registration.delegation_history", 1);
}

/* One account an address: the second doctor's delegation leads to the same. */
static void two_doctors_one_delegate(void **state)
{
    (void)state;
    (void)invite_as(DOCTOR, DELEGATION, ADDRESS);
    (void)send_deed(EVENT_DELEGATE_ACCEPT, PERSON);
    assert_string_equal(invite_as(OTHER, AGAIN, ADDRESS), "");
    assert_int_equal(bench_handle(&bench, registration_delegate_handle, &registration,
                                  EVENT_DELEGATE_ACCEPT,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" PERSON
                                  "\", \"delegation_id\": \"" AGAIN "\"}"),
                     ERR_OK);
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(bench_emitted(&bench, EVENT_ACCOUNT_STATE), 0);
    assert_count("SELECT count(*) FROM registration.account WHERE role = 'delegate'", 1);
    assert_count("SELECT count(*) FROM registration.delegation WHERE state = 'active'", 2);
}

static void too_many(void **state)
{
    (void)state;
    bench_sql(&bench, "INSERT INTO registration.delegation (delegation_id, doctor_id, delegate_id,"
                      " name, email, state, invited_at) SELECT gen_random_uuid(), 1,"
                      " gen_random_uuid(), '名', 'x@example.jp', 'invited', now()"
                      " FROM generate_series(1, 5)");
    assert_string_equal(invite_as(DOCTOR, DELEGATION, ADDRESS), "delegates_many");
    assert_string_equal(bench_text(json_object_get(bench.answer, "params"), "limit"), "5");
    bench_sql(&bench, "UPDATE registration.delegation SET state = 'revoked'"
                      " WHERE delegation_id = (SELECT min(delegation_id::text)::uuid"
                      " FROM registration.delegation)");
    assert_string_equal(invite_as(DOCTOR, DELEGATION, ADDRESS), "");
}

/* The doctor ends it while the acceptance is being worked on: what was read counts no more. */
static void a_race_is_read_again(void **state)
{
    (void)state;
    (void)invite_as(DOCTOR, DELEGATION, ADDRESS);
    bench.meanwhile = "UPDATE registration.delegation SET state = 'revoked', version = version + 1";
    assert_int_equal(bench_handle(&bench, registration_delegate_handle, &registration,
                                  EVENT_DELEGATE_ACCEPT,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" PERSON
                                  "\", \"delegation_id\": \"" DELEGATION "\"}"),
                     ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    assert_count("SELECT count(*) FROM registration.account WHERE role = 'delegate'", 0);
    assert_string_equal(send_deed(EVENT_DELEGATE_ACCEPT, PERSON), "delegation_ended");
}

static void what_is_no_command(void **state)
{
    (void)state;
    assert_int_equal(bench_handle(&bench, registration_delegate_handle, &registration,
                                  EVENT_DELEGATE_REVOKE, "{\"operation_id\": \"" OPERATION "\"}"),
                     ERR_SCHEMA);
    assert_int_equal(bench_handle(&bench, registration_delegate_handle, &registration,
                                  EVENT_ACCOUNT_COMPLETE, "{}"),
                     ERR_VERSION_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(named_accepted_ended, fill),
        cmocka_unit_test_setup(a_delegate_gives_it_up, fill),
        cmocka_unit_test_setup(repeated_deeds_change_nothing, fill),
        cmocka_unit_test_setup(refusals, fill),
        cmocka_unit_test_setup(two_doctors_one_delegate, fill),
        cmocka_unit_test_setup(too_many, fill),
        cmocka_unit_test_setup(a_race_is_read_again, fill),
        cmocka_unit_test_setup(what_is_no_command, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
