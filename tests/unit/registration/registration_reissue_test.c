/* Requests for new temporary credentials: the rules, and the commands against a real database. */
#include "registration/registration_reissue.h"
#include "registration_fixture.h"

#define DOCTOR "0190a000-0000-7000-8000-000000000001"
#define OFFICE "0190a000-0000-7000-8000-000000000002"
#define CALLS "0190a000-0000-7000-8000-000000000003"
#define REQUEST "0190a000-0000-7000-8000-000000000010"
#define SECOND "0190a000-0000-7000-8000-000000000011"
#define OPERATION "0190a000-0000-7000-8000-0000000000ff"

static int fill(void **state)
{
    (void)state;
    bench_clock("2026-11-22T12:00:00+09:00");
    bench_sql(&bench,
              "TRUNCATE registration.reissue, registration.account_history, registration.account,"
              " registration.doctor RESTART IDENTITY CASCADE;"
              "INSERT INTO registration.doctor (register_no, name, name_kana, birth_on, my_page,"
              " l2_code) VALUES ('460190', '濱田　正樹', 'ハマダ　マサキ', '1975-12-18',"
              "  'temp_issued', '40');"
              "INSERT INTO registration.account"
              " (account_id, role, doctor_id, name, state, step, l2_code) VALUES"
              " ('" DOCTOR "', 'doctor', 1, '濱田　正樹', 'temp_issued', 'terms', ''),"
              " ('" OFFICE "', 'office_l2', NULL, '担当', 'active', '', '40'),"
              " ('" CALLS "', 'call_centre', NULL, '担当', 'active', '', '')");
    return 0;
}

static const char *ask(const char *request, const char *l2_code, const char *birth_on)
{
    assert_int_equal(bench_handle(&bench, registration_reissue_handle, &registration,
                                  EVENT_REISSUE_ASK,
                                  "{\"operation_id\": \"" OPERATION "\","
                                  " \"account_id\": \"" OFFICE "\", \"reissue_id\": \"%s\","
                                  " \"l2_code\": \"%s\", \"register_no\": \"460190\","
                                  " \"birth_on\": \"%s\", \"reason\": \"紛失した。\"}",
                                  request, l2_code, birth_on),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

static const char *refuse_as(const char *account, const char *role)
{
    assert_int_equal(bench_handle(&bench, registration_reissue_handle, &registration,
                                  EVENT_REISSUE_REFUSE,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"%s\","
                                  " \"role\": \"%s\", \"reissue_id\": \"" REQUEST "\","
                                  " \"reason\": \"連絡がとれない。\"}",
                                  account, role),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

static void told(const char *state, int64_t version)
{
    const json_t *event = bench_event(&bench, EVENT_REISSUE_STATE);

    assert_string_equal(bench_text(event, "state"), state);
    assert_string_equal(bench_text(event, "l2_code"), "40");
    assert_int_equal(bench_number(event, "version"), version);
}

static void the_rules_as_a_table(void **state)
{
    static const struct {
        struct reissue_facts facts;
        enum code ask, refuse;
    } cases[] = {
        {{true, true, true, false}, CODE_NONE, CODE_REISSUE_ANSWERED},
        {{true, true, true, true}, CODE_REISSUE_OPEN, CODE_NONE},
        {{true, true, false, false}, CODE_REISSUE_NOT_NEEDED, CODE_REISSUE_ANSWERED},
        {{false, true, true, false}, CODE_DOCTOR_NOT_FOUND, CODE_NOT_FOUND},
        {{true, false, true, true}, CODE_ACCOUNT_SUSPENDED, CODE_ACCOUNT_SUSPENDED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(rules_ask_reissue(&cases[i].facts), cases[i].ask);
        assert_int_equal(rules_refuse_reissue(&cases[i].facts), cases[i].refuse);
    }
}

static void asked_refused_asked_again(void **state)
{
    (void)state;
    assert_string_equal(ask(REQUEST, "40", "1975-12-18"), "");
    assert_string_equal(bench_text(bench.answer, "reissue_id"), REQUEST);
    told("open", 1);
    assert_string_equal(ask(SECOND, "40", "1975-12-18"), "reissue_open");
    assert_string_equal(refuse_as(OFFICE, "office_l3"), "account_suspended");
    assert_string_equal(refuse_as(CALLS, "call_centre"), "");
    told("refused", 2);
    assert_string_equal(refuse_as(CALLS, "call_centre"), "reissue_answered");
    assert_string_equal(ask(SECOND, "40", "1975-12-18"), "");
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.reissue"
                                       " WHERE reissue_id = '" REQUEST "' AND state = 'refused'"
                                       " AND asked_by = '" OFFICE "' AND answered_by = '" CALLS
                                       "' AND answered_role = 'call_centre'"),
                     1);
}

static void only_for_those_who_need_one(void **state)
{
    (void)state;
    assert_string_equal(ask(REQUEST, "13", "1975-12-18"), "doctor_not_found");
    assert_string_equal(ask(REQUEST, "40", "1975-12-19"), "doctor_not_found");
    bench_sql(&bench, "UPDATE registration.doctor SET my_page = 'active';"
                      "UPDATE registration.account SET state = 'active', step = ''");
    assert_string_equal(ask(REQUEST, "40", "1975-12-18"), "reissue_not_needed");
    assert_string_equal(refuse_as(CALLS, "call_centre"), "not_found");
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.reissue"), 0);
}

/* What the desk does for the account answers what was asked. */
static void a_new_postcard_answers_it(void **state)
{
    static const char desk[] =
        "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"" DOCTOR "\","
        " \"actor_id\": \"" CALLS "\", \"actor_role\": \"call_centre\","
        " \"action\": \"reissue\", \"reason\": \"本人と確かめた。\"}";

    (void)state;
    (void)ask(REQUEST, "40", "1975-12-18");
    assert_int_equal(bench_handle(&bench, registration_step_handle, &registration,
                                  EVENT_ACCOUNT_DESK, "%s", desk),
                     ERR_OK);
    assert_string_equal(bench.answer_code, "");
    told("done", 2);
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.reissue"
                                       " WHERE state = 'done' AND answer = '本人と確かめた。'"
                                       " AND answered_by = '" CALLS "'"),
                     1);
    /* Without a request nothing is told. */
    assert_int_equal(bench_handle(&bench, registration_step_handle, &registration,
                                  EVENT_ACCOUNT_DESK, "%s", desk),
                     ERR_OK);
    assert_int_equal(bench_emitted(&bench, EVENT_REISSUE_STATE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_as_a_table),
        cmocka_unit_test_setup(asked_refused_asked_again, fill),
        cmocka_unit_test_setup(only_for_those_who_need_one, fill),
        cmocka_unit_test_setup(a_new_postcard_answers_it, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
