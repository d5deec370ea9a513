/* Requests for correction: the rules as tables, and the commands against a real database. */
#include "registration/registration_correction.h"
#include "registration_fixture.h"

#define DOCTOR "0190a000-0000-7000-8000-000000000001"
#define OFFICE "0190a000-0000-7000-8000-000000000002"
#define NATION "0190a000-0000-7000-8000-000000000003"
#define REQUEST "0190a000-0000-7000-8000-000000000010"
#define OPERATION "0190a000-0000-7000-8000-0000000000ff"

static int fill(void **state)
{
    (void)state;
    bench_clock("2026-11-22T12:00:00+09:00");
    bench_sql(&bench,
              "TRUNCATE registration.correction, registration.account_history,"
              " registration.account, registration.doctor RESTART IDENTITY CASCADE;"
              "INSERT INTO registration.doctor (register_no, name, name_kana, my_page, l2_code)"
              " VALUES ('460190', '濱田　正樹', 'ハマダ　マサキ', 'active', '40');"
              "INSERT INTO registration.account"
              " (account_id, role, doctor_id, name, state, step, l2_code) VALUES"
              " ('" DOCTOR "', 'doctor', 1, '濱田　正樹', 'active', '', ''),"
              " ('" OFFICE "', 'office_l2', NULL, '担当', 'active', '', '40'),"
              " ('" NATION "', 'office_l3', NULL, '担当', 'active', '', '')");
    return 0;
}

#define RIGHT "done\", \"licensed_on\": \"2001-04-21"

static const char *ask_as(const char *account, const char *request)
{
    assert_int_equal(bench_handle(&bench, registration_correction_handle, &registration,
                                  EVENT_CORRECTION_ASK,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"%s\","
                                  " \"correction_id\": \"%s\", \"field\": \"licensed_on\","
                                  " \"text\": \"1日違っています。\"}",
                                  account, request),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

/* `outcome` with what follows it: "done", or "done\", \"name\": \"x". */
static const char *answer_as(const char *account, const char *role, const char *l2_code,
                             const char *outcome)
{
    assert_int_equal(bench_handle(&bench, registration_correction_answer_handle, &registration,
                                  EVENT_CORRECTION_ANSWER,
                                  "{\"operation_id\": \"" OPERATION "\", \"account_id\": \"%s\","
                                  " \"role\": \"%s\", \"l2_code\": %s,"
                                  " \"correction_id\": \"" REQUEST "\", \"outcome\": \"%s\","
                                  " \"answer\": \"確かめました。\"}",
                                  account, role, l2_code, outcome),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

static void every_answer_from_every_state(void **state)
{
    static const enum code wanted[CORRECTION_STATES][CORRECTION_STATES] = {
        [CORRECTION_NONE] = {CODE_NOT_FOUND, CODE_NOT_FOUND, CODE_NOT_FOUND, CODE_NOT_FOUND},
        [CORRECTION_OPEN] = {CODE_STATE_CONFLICT, CODE_STATE_CONFLICT, CODE_NONE, CODE_NONE},
        [CORRECTION_DONE] = {CODE_STATE_CONFLICT, CODE_STATE_CONFLICT, CODE_CORRECTION_ANSWERED,
                             CODE_CORRECTION_ANSWERED},
        [CORRECTION_REFUSED] = {CODE_STATE_CONFLICT, CODE_STATE_CONFLICT, CODE_CORRECTION_ANSWERED,
                                CODE_CORRECTION_ANSWERED},
    };

    (void)state;
    for (int from = 0; from < CORRECTION_STATES; from++) {
        for (int to = 0; to < CORRECTION_STATES; to++) {
            struct correction_facts facts = {
                .state = (enum correction_state)from, .actor_fits = true, .actor_active = true};

            assert_int_equal(rules_answer_correction(&facts, (enum correction_state)to),
                             wanted[from][to]);
            facts.actor_active = false;
            assert_int_equal(rules_answer_correction(&facts, (enum correction_state)to),
                             CODE_ACCOUNT_SUSPENDED);
            facts.actor_fits = false;
            assert_int_equal(rules_answer_correction(&facts, (enum correction_state)to),
                             CODE_NOT_FOUND);
        }
    }
    for (int i = CORRECTION_OPEN; i < CORRECTION_STATES; i++)
        assert_int_equal(
            correction_state_of(str_of(correction_state_name((enum correction_state)i))), i);
    assert_int_equal(correction_state_of(STR("other")), CORRECTION_NONE);
}

/* What is right is said of the field that is asked for, and of nothing else. */
static void values_fit_the_field(void **state)
{
    static const day_t today = 1000;
    static const struct {
        const char *field;
        enum correction_state outcome;
        struct correction_values values;
        enum code code;
        const char *wrong;
    } cases[] = {
#define DAYS(birth, licensed) .birth_on = (birth), .licensed_on = (licensed)
#define NONE DAYS(DAY_NONE, DAY_NONE)
        {"name", CORRECTION_DONE, {.name = STR("乙"), NONE}, CODE_NONE, NULL},
        {"name", CORRECTION_DONE, {.name_kana = STR("オツ"), NONE}, CODE_NONE, NULL},
        {"name", CORRECTION_DONE, {NONE}, CODE_FIELD_MISSING, "name"},
        {"name", CORRECTION_DONE, {.name = STR(" "), NONE}, CODE_FIELD_MISSING, "name"},
        {"name", CORRECTION_DONE, {.name_kana = STR(""), NONE}, CODE_FIELD_MISSING, "name_kana"},
        {"name",
         CORRECTION_DONE,
         {.name_kana = STR("乙"), NONE},
         CODE_NAME_KANA_FORMAT,
         "name_kana"},
        {"name", CORRECTION_REFUSED, {NONE}, CODE_NONE, NULL},
        {"name", CORRECTION_REFUSED, {.name = STR("乙"), NONE}, CODE_CORRECTION_VALUE, "name"},
        {"name",
         CORRECTION_DONE,
         {.name = STR("乙"), DAYS(today, DAY_NONE)},
         CODE_CORRECTION_VALUE,
         "birth_on"},
        {"birth_on", CORRECTION_DONE, {DAYS(today, DAY_NONE)}, CODE_NONE, NULL},
        {"birth_on", CORRECTION_DONE, {DAYS(today + 1, DAY_NONE)}, CODE_DATE_NOT_REAL, "birth_on"},
        {"birth_on", CORRECTION_DONE, {NONE}, CODE_FIELD_MISSING, "birth_on"},
        {"licensed_on", CORRECTION_DONE, {DAYS(DAY_NONE, today)}, CODE_NONE, NULL},
        {"licensed_on",
         CORRECTION_DONE,
         {DAYS(DAY_NONE, today + 1)},
         CODE_DATE_NOT_REAL,
         "licensed_on"},
        {"licensed_on",
         CORRECTION_DONE,
         {DAYS(today, DAY_NONE)},
         CODE_CORRECTION_VALUE,
         "birth_on"},
        /* Nothing that an answer may change. */
        {"register_no", CORRECTION_DONE, {NONE}, CODE_NONE, NULL},
        {"membership", CORRECTION_DONE, {NONE}, CODE_NONE, NULL},
        {"certificate", CORRECTION_REFUSED, {NONE}, CODE_NONE, NULL},
        {"other", CORRECTION_DONE, {.name = STR("乙"), NONE}, CODE_CORRECTION_VALUE, "name"},
#undef NONE
#undef DAYS
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *wrong = NULL;

        assert_int_equal(rules_correction_values(str_of(cases[i].field), cases[i].outcome,
                                                 &cases[i].values, today, &wrong),
                         cases[i].code);
        if (cases[i].wrong != NULL)
            assert_string_equal(wrong, cases[i].wrong);
    }
}

static void an_accepted_day_is_written_down(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.doctor SET licensed_on = '2001-04-20'");
    (void)ask_as(DOCTOR, REQUEST);
    assert_string_equal(answer_as(OFFICE, "office_l2", "\"40\"", "done"), "field_missing");
    assert_string_equal(answer_as(OFFICE, "office_l2", "\"40\"", "refused\", \"name\": \"乙"),
                        "correction_value");
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.correction"
                                       " WHERE state = 'open'"),
                     1);
    assert_string_equal(answer_as(OFFICE, "office_l2", "\"40\"", RIGHT), "");
    assert_string_equal(bench_text(bench.answer, "correction_id"), REQUEST);
    assert_true(
        json_is_true(json_object_get(bench_event(&bench, EVENT_CORRECTION_STATE), "changed")));
    assert_int_equal(bench_number(bench_event(&bench, EVENT_DOCTOR_STATE), "version"), 2);
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.doctor"
                                       " WHERE licensed_on = '2001-04-21' AND birth_on IS NULL"
                                       " AND l2_code = '40' AND version = 2"),
                     1);
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.correction WHERE"
                                       " corrected = '{\"licensed_on\": \"2001-04-21\"}'"
                                       " AND before = '{\"licensed_on\": \"2001-04-20\"}'"),
                     1);
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.account_history"
                                       " WHERE account_id = '" DOCTOR "' AND action = 'correction'"
                                       " AND detail ->> 'actor' = '" OFFICE "'"),
                     1);
}

static void an_accepted_name_goes_as_a_change_does(void **state)
{
    (void)state;
    (void)ask_as(DOCTOR, REQUEST);
    bench_sql(&bench, "UPDATE registration.correction SET field = 'name'");
    assert_string_equal(answer_as(NATION, "office_l3", "null",
                                  "done\", \"name\": \"浜田　正樹\","
                                  " \"name_kana\": \"ハマダ　マサキ"),
                        "");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "name"), "浜田　正樹");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_ACCOUNT_STATE), "name"), "浜田　正樹");
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.name_history"
                                       " WHERE name = '濱田　正樹'"),
                     1);
    /* The reading was right already. */
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.correction WHERE"
                                       " before = '{\"name\": \"濱田　正樹\"}'"),
                     1);
}

/* The list was mended meanwhile: there is nothing left to change. */
static void what_is_right_already_stays(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.doctor SET licensed_on = '2001-04-21'");
    (void)ask_as(DOCTOR, REQUEST);
    assert_string_equal(answer_as(NATION, "office_l3", "null", RIGHT), "");
    assert_int_equal(bench.event_count, 1);
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.correction"
                                       " WHERE corrected = '{}' AND state = 'done'"),
                     1);
    assert_int_equal(bench_i64(&bench, "SELECT version FROM registration.doctor"), 1);
}

static void asked_and_answered_once(void **state)
{
    const json_t *told;

    (void)state;
    assert_string_equal(ask_as(DOCTOR, REQUEST), "");
    assert_string_equal(bench_text(bench.answer, "correction_id"), REQUEST);
    told = bench_event(&bench, EVENT_CORRECTION_STATE);
    assert_string_equal(bench_text(told, "state"), "open");
    assert_string_equal(bench_text(told, "l2_code"), "40");
    assert_string_equal(answer_as(OFFICE, "office_l2", "\"40\"", "refused"), "");
    told = bench_event(&bench, EVENT_CORRECTION_STATE);
    assert_string_equal(bench_text(told, "state"), "refused");
    assert_int_equal(bench_number(told, "version"), 2);
    assert_string_equal(answer_as(NATION, "office_l3", "null", "done"), "correction_answered");
    assert_int_equal(bench_i64(&bench, "SELECT count(*) FROM registration.correction"
                                       " WHERE state = 'refused' AND answered_by = '" OFFICE
                                       "' AND answered_role = 'office_l2' AND version = 2"),
                     1);
}

static void who_may_answer(void **state)
{
    (void)state;
    assert_string_equal(answer_as(NATION, "office_l3", "null", "done"), "not_found");
    assert_string_equal(ask_as(OFFICE, REQUEST), "not_found");
    (void)ask_as(DOCTOR, REQUEST);
    assert_string_equal(answer_as(OFFICE, "office_l2", "\"13\"", "done"), "not_found");
    assert_string_equal(answer_as(OFFICE, "office_l2", "null", "done"), "not_found");
    /* The role is that of the account, whatever the command says. */
    assert_string_equal(answer_as(OFFICE, "office_l3", "null", "done"), "account_suspended");
    assert_string_equal(answer_as(NATION, "office_l3", "null", RIGHT), "");
}

static void a_few_may_wait(void **state)
{
    (void)state;
    bench_sql(&bench, "INSERT INTO registration.correction (correction_id, doctor_id, l2_code,"
                      " field, text, state, asked_at) SELECT gen_random_uuid(), 1, '40', 'other',"
                      " 'x', 'open', now() FROM generate_series(1, 5)");
    assert_string_equal(ask_as(DOCTOR, REQUEST), "corrections_many");
    bench_sql(&bench, "UPDATE registration.correction SET state = 'done', answer = 'x',"
                      " answered_at = now()");
    assert_string_equal(ask_as(DOCTOR, REQUEST), "");
}

static void two_offices_at_once(void **state)
{
    (void)state;
    (void)ask_as(DOCTOR, REQUEST);
    bench.meanwhile = "UPDATE registration.correction SET version = version + 1";
    assert_int_equal(bench_handle(&bench, registration_correction_answer_handle, &registration,
                                  EVENT_CORRECTION_ANSWER,
                                  "{\"operation_id\": \"" OPERATION "\","
                                  " \"account_id\": \"" NATION "\", \"role\": \"office_l3\","
                                  " \"correction_id\": \"" REQUEST "\", \"outcome\": \"" RIGHT
                                  "\", \"answer\": \"確かめました。\"}"),
                     ERR_DB_CONFLICT);
    bench.meanwhile = NULL;
    assert_int_equal(
        bench_i64(&bench, "SELECT count(*) FROM registration.correction WHERE state = 'open'"), 1);
}

static void what_is_no_command(void **state)
{
    (void)state;
    assert_int_equal(bench_handle(&bench, registration_correction_handle, &registration,
                                  EVENT_CORRECTION_ASK, "{\"operation_id\": \"" OPERATION "\"}"),
                     ERR_SCHEMA);
    assert_int_equal(bench_handle(&bench, registration_correction_answer_handle, &registration,
                                  EVENT_CORRECTION_ANSWER, "{\"operation_id\": \"" OPERATION "\"}"),
                     ERR_SCHEMA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_from_every_state),
        cmocka_unit_test(values_fit_the_field),
        cmocka_unit_test_setup(an_accepted_day_is_written_down, fill),
        cmocka_unit_test_setup(an_accepted_name_goes_as_a_change_does, fill),
        cmocka_unit_test_setup(what_is_right_already_stays, fill),
        cmocka_unit_test_setup(asked_and_answered_once, fill),
        cmocka_unit_test_setup(who_may_answer, fill),
        cmocka_unit_test_setup(a_few_may_wait, fill),
        cmocka_unit_test_setup(two_offices_at_once, fill),
        cmocka_unit_test_setup(what_is_no_command, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
