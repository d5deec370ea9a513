/*
 * Procedures of membership against a real database: rows, memberships by date, events, answers,
 * what each office sees, days that come.
 */
#include <stdio.h>
#include <string.h>

#include "registration/procedure.h"
#include "registration_fixture.h"

#define OPERATION "0190a000-0000-7000-8000-0000000000ff"
#define ACCOUNT "0190a000-0000-7000-8000-000000000001"
#define CLERK "0190a000-0000-7000-8000-000000000002"
#define PROCEDURE "0190a000-0000-7000-8000-00000000000a"
#define SECOND "0190a000-0000-7000-8000-00000000000b"
#define THIRD "0190a000-0000-7000-8000-00000000000c"

/* Doctor 1 is nobody's member, doctor 2 a member of all layers, as an import leaves them. */
static int fill(void **state)
{
    (void)state;
    bench_clock("2026-11-29T09:00:00+09:00");
    bench_sql(
        &bench,
        "DELETE FROM gateway.procedure_draft;"
        "TRUNCATE registration.procedure_history, registration.procedure, registration.digest,"
        " registration.membership, registration.account_history, registration.name_history,"
        " registration.account, registration.doctor RESTART IDENTITY CASCADE;"
        "INSERT INTO registration.doctor (register_no, name, name_kana, birth_on, my_page,"
        " l1_code, l2_code, l3_category, changed_at) VALUES"
        " ('460190', '濱田　正樹', 'ハマダ　マサキ', '1975-12-18', 'active', '', '40', '',"
        "  '2026-04-01'),"
        " ('318239', '阿部　陽斗', 'アベ　ハルト', '1956-08-06', 'active', '13001', '13',"
        "  'A1', '2026-04-01');"
        "INSERT INTO registration.association (layer, code, l2_code, name) VALUES"
        " (1, '13001', '13', '見本医師会'), (1, '13002', '13', ''), (1, '40016', '40', '')"
        " ON CONFLICT DO NOTHING;"
        "INSERT INTO registration.account (account_id, role, doctor_id, name, state)"
        " VALUES ('" ACCOUNT "', 'doctor', 2, '阿部　陽斗', 'active')");
    return 0;
}

static void file(const char *procedure, const char *who, const char *rest)
{
    assert_int_equal(bench_handle(&bench, procedure_file_handle, &registration,
                                  EVENT_PROCEDURE_SUBMIT,
                                  "{\"operation_id\": \"" OPERATION "\", \"procedure_id\": \"%s\","
                                  " %s, %s}",
                                  procedure, who, rest),
                     ERR_OK);
    assert_true(bench.answered);
}

#define DOCTOR(id) "\"account_id\": \"" ACCOUNT "\", \"role\": \"doctor\", \"doctor_id\": " #id
#define L1(code)                                                                                   \
    "\"account_id\": \"" CLERK "\", \"role\": \"office_l1\", \"actor_l1\": \"" code "\""
#define L2(code)                                                                                   \
    "\"account_id\": \"" CLERK "\", \"role\": \"office_l2\", \"actor_l2\": \"" code "\""
#define L3 "\"account_id\": \"" CLERK "\", \"role\": \"office_l3\""
#define OTHER_L3 "\"account_id\": \"" ACCOUNT "\", \"role\": \"office_l3\""

static void act(const char *who, const char *action)
{
    assert_int_equal(bench_handle(&bench, procedure_act_handle, &registration, EVENT_PROCEDURE_ACT,
                                  "{\"operation_id\": \"" OPERATION
                                  "\", \"procedure_id\": \"" PROCEDURE "\","
                                  " %s, \"action\": %s}",
                                  who, action),
                     ERR_OK);
    assert_true(bench.answered);
}

static void done(const char *stage)
{
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_PROCEDURE_STATE), "stage"), stage);
}

#define ADMISSION                                                                                  \
    "\"kind\": \"admission\", \"depth\": 3, \"l1_code\": \"40016\", \"category_l3\": \"B\","       \
    " \"effective_on\": \"2026-11-29\""

#define DRAFT(id, doctor, kind)                                                                    \
    "INSERT INTO gateway.procedure_draft (draft_id, doctor_id, kind, form, saved_at) VALUES ('" id \
    "', " doctor ", '" kind "', '{}', now());"

/* A refused one keeps it; what an office files is not what the doctor was writing. */
static void filing_removes_the_doctors_draft(void **state)
{
    static const char *const drafts = "SELECT count(*) FROM gateway.procedure_draft";

    (void)state;
    bench_sql(&bench, DRAFT(PROCEDURE, "1", "admission") DRAFT(SECOND, "1", "transfer")
                          DRAFT(THIRD, "2", "withdrawal_all"));
    file(PROCEDURE, DOCTOR(1),
         "\"kind\": \"admission\", \"depth\": 3, \"l1_code\": \"99999\","
         " \"category_l3\": \"B\", \"effective_on\": \"2026-11-29\"");
    assert_string_not_equal(bench.answer_code, "");
    assert_int_equal(count(drafts), 3);
    file(PROCEDURE, DOCTOR(1), ADMISSION);
    done("l1_review");
    assert_int_equal(count("SELECT count(*) FROM gateway.procedure_draft WHERE kind = 'admission'"),
                     0);
    file(SECOND, L1("13001"),
         "\"register_no\": \"318239\", \"birth_on\": \"1956-08-06\","
         " \"kind\": \"withdrawal_all\", \"effective_on\": \"2026-12-31\"");
    done("l1_review");
    assert_int_equal(count(drafts), 2);
}

static void an_admission_goes_through_three_desks(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(1), ADMISSION);
    done("l1_review");
    file(SECOND, DOCTOR(1), ADMISSION);
    assert_string_equal(bench.answer_code, "procedure_open");
    assert_string_equal(bench_text(bench.answer, "procedure_id"), PROCEDURE);
    act(L1("13001"), "\"approve\"");
    assert_string_equal(bench.answer_code, "procedure_elsewhere");
    act(L1("40016"), "\"need_board\"");
    done("l1_wait_board");
    act(L1("40016"), "\"approve\"");
    assert_string_equal(bench.answer_code, "procedure_stage");
    act(L1("40016"), "\"met\"");
    act(L1("40016"), "\"approve\"");
    done("l2_review");
    act(L2("40"), "\"return\", \"reason\": \"区分を確かめてください。\"");
    done("returned");
    act(DOCTOR(1), "\"resubmit\", \"category_l3\": \"A1\"");
    done("l2_review");
    act(L2("40"), "\"approve\"");
    act(L3, "\"approve\"");
    assert_int_equal(bench_emitted(&bench, EVENT_PROCEDURE_STATE), 2);
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "l3_category"), "A1");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 1"
                           " AND valid_from = '2026-11-29' AND valid_to IS NULL"
                           " AND (layer, code, category) IN ((1, '40016', ''), (2, '40', ''),"
                           "  (3, '', 'A1')) AND began_by = 'admission'"
                           " AND began_with = '" PROCEDURE "'"),
                     3);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 1"
                           " AND (l1_code, l2_code, l3_category) = ('40016', '40', 'A1')"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.procedure WHERE stage = 'effective'"
                           " AND applied_on = '2026-11-29' AND offices = '{l1:40016,l2:40,l3}'"),
                     1);
    assert_int_equal(count("SELECT max(version) FROM registration.procedure_history"), 9);
    file(SECOND, DOCTOR(1), ADMISSION);
    assert_string_equal(bench.answer_code, "membership_held");
}

/* ---- many at once ---- */

#define ITEM(id, version, seen, plain)                                                             \
    "{\"procedure_id\": \"" id "\", \"version\": " #version ", \"seen\": " #seen                   \
    ", \"plain\": " #plain "}"

static void bulk(const char *who, const char *items)
{
    assert_int_equal(
        bench_handle(&bench, procedure_bulk_handle, &registration, EVENT_PROCEDURE_APPROVE,
                     "{\"operation_id\": \"" OPERATION "\", %s, \"items\": [%s]}", who, items),
        ERR_OK);
}

/* The message that the last one left. */
static void bulk_goes_on(void)
{
    json_t *left = json_incref(bench_event(&bench, EVENT_PROCEDURE_APPROVE));

    assert_false(bench.answered);
    assert_int_equal(bench_handle_all(&bench, procedure_bulk_handle, &registration,
                                      EVENT_PROCEDURE_APPROVE, &left, 1),
                     ERR_OK);
    assert_true(bench.answered);
    json_decref(left);
}

/* "stage" of an item that was approved, else the code that says why not. */
static const char *became(size_t item)
{
    const json_t *object = json_array_get(json_object_get(bench.answer, "items"), item);
    const json_t *problem = json_object_get(object, "problem");

    return bench_text(json_is_object(problem) ? problem : object,
                      json_is_object(problem) ? "code" : "stage");
}

static void one_that_cannot_be_approved_holds_up_no_other(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(1), ADMISSION);
    file(SECOND, DOCTOR(2), "\"kind\": \"withdrawal_l3\", \"effective_on\": \"2026-12-31\"");
    bulk(L1("40016"), ITEM(THIRD, 1, true, true) "," ITEM(SECOND, 1, false,
                                                          true) "," ITEM(PROCEDURE, 1, true, true));
    assert_true(bench.answered);
    assert_string_equal(became(0), "not_found");
    assert_string_equal(became(1), "not_found");
    assert_string_equal(became(2), "l2_review");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_PROCEDURE_STATE), "stage"),
                        "l2_review");
    assert_int_equal(count("SELECT count(*) FROM registration.procedure_history WHERE"
                           " procedure_id = '" PROCEDURE "' AND action = 'approve'"
                           " AND actor_role = 'office_l1' AND actor_id = '" CLERK "'"),
                     1);
    bulk(L1("40016"), ITEM(PROCEDURE, 1, true, true));
    assert_string_equal(became(0), "procedure_elsewhere");
    bulk(L2("40"), ITEM(PROCEDURE, 1, true, true) "," ITEM(PROCEDURE, 2, true, false));
    assert_string_equal(became(0), "state_conflict");
    assert_string_equal(became(1), "procedure_not_plain");
    bulk(L2("40"), ITEM(PROCEDURE, 2, true, true) "," ITEM(PROCEDURE, 2, true, true));
    bulk_goes_on(); /* the second one is judged by what the first one wrote */
    assert_string_equal(became(0), "l3_review");
    assert_string_equal(became(1), "procedure_elsewhere");
}

/* Both write the doctor's row. */
static void two_of_one_doctor_follow_one_another(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(2),
         "\"kind\": \"change\", \"effective_on\": \"2026-11-29\","
         " \"workplace_name\": \"見本病院\"");
    file(SECOND, DOCTOR(2), "\"kind\": \"withdrawal_all\", \"effective_on\": \"2026-11-29\"");
    file(THIRD, DOCTOR(1),
         "\"kind\": \"admission\", \"depth\": 1, \"l1_code\": \"13001\","
         " \"effective_on\": \"2026-11-29\"");
    bulk(L1("13001"), ITEM(PROCEDURE, 1, true, true) "," ITEM(SECOND, 1, true,
                                                              true) "," ITEM(THIRD, 1, true, true));
    assert_int_equal(count("SELECT count(*) FROM registration.procedure WHERE stage = 'effective'"),
                     2);
    bulk_goes_on();
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(became(i), "effective");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE valid_to IS NULL"),
                     1);
}

static void a_part_that_was_given_stands(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(1), ADMISSION);
    act(L1("40016"), "\"approve\"");
    act(L2("40"), "\"reject\"");
    assert_string_equal(bench.answer_code, "field_missing");
    act(L2("40"), "\"reject\", \"reason\": \"要件を満たしていません。\"");
    done("partial");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 1"), 1);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 1"
                           " AND (l1_code, l2_code, l3_category) = ('40016', '40', '')"),
                     1);
}

/* R-PROC-04: L1 lets go, L2 and L3 end with it on the day, L2 confirms. */
static void a_withdrawal_from_l1_takes_the_others_along(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(2), "\"kind\": \"withdrawal_all\", \"effective_on\": \"2026-12-31\"");
    assert_true(json_is_true(
        json_object_get(bench_event(&bench, EVENT_PROCEDURE_STATE), "loses_insurance")));
    act(L1("13001"), "\"approve\"");
    done("done");
    assert_int_equal(
        json_array_size(json_object_get(bench_event(&bench, EVENT_PROCEDURE_STATE), "notices")), 2);
    assert_int_equal(
        count("SELECT count(*) FROM registration.procedure WHERE 'l3' = ANY (offices)"),
        1); /* who is told of it may look at it */
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE valid_to IS NULL"),
                     3);
    act(L2("13"), "\"confirm\"");
    done("done");
    act(L2("13"), "\"confirm\"");
    assert_string_equal(bench.answer_code, "state_conflict");
    act(L2("14"), "\"confirm\"");
    assert_string_equal(bench.answer_code, "procedure_elsewhere");
}

/* Edge 62; who has a workplace stays with the prefecture that he leaves (edge 61). */
static void who_leaves_without_a_workplace_goes_where_he_lives(void **state)
{
    (void)state;
    bench_sql(&bench, "UPDATE registration.doctor SET residence_prefecture = '40',"
                      " residence_municipality = '福岡市' WHERE doctor_id = 2");
    file(PROCEDURE, DOCTOR(2), "\"kind\": \"withdrawal_all\", \"effective_on\": \"2026-11-29\"");
    act(L1("13001"), "\"approve\"");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "l2_code"), "40");
    assert_int_equal(count("SELECT count(*) FROM registration.doctor AS d WHERE l1_code = ''"
                           " AND l2_code = '40' AND registration.by_residence(d)"),
                     1);
}

static void a_transfer_ends_nothing_before_it_is_done(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(2),
         "\"kind\": \"transfer\", \"l1_code\": \"40016\", \"effective_on\": \"2026-11-29\","
         " \"workplace_name\": \"見本病院\"");
    done("old_l1_release");
    act(L1("13001"), "\"approve\"");
    act(L2("13"), "\"approve\"");
    done("new_l1_review");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE valid_to IS NULL"),
                     3);
    act(L1("40016"), "\"approve\"");
    act(L2("40"), "\"approve\"");
    act(L3, "\"approve\"");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND valid_to = '2026-11-28' AND ended_by = 'transfer_away'"),
                     2);
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND valid_to IS NULL AND (layer, code) IN ((1, '40016'), (2, '40'),"
                           " (3, ''))"),
                     3);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 2"
                           " AND (l1_code, l2_code, l3_category, workplace_name) ="
                           " ('40016', '40', 'A1', '見本病院')"),
                     1);
}

/* Edge 77. */
static void a_transfer_that_the_new_side_rejects_changes_nothing(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(2),
         "\"kind\": \"transfer\", \"l1_code\": \"13002\", \"effective_on\": \"2026-11-29\"");
    act(L1("13001"), "\"approve\"");
    act(L1("13002"), "\"reject\", \"reason\": \"勤務先が区域外です。\"");
    done("rejected");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE valid_to IS NULL"),
                     3);
}

static void a_change_of_name_keeps_the_old_one(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(2),
         "\"kind\": \"change\", \"effective_on\": \"2026-11-29\", \"name\": \"安部　陽斗\","
         " \"category_l3\": \"B\"");
    assert_int_equal(count("SELECT count(*) FROM registration.procedure WHERE loses_insurance"
                           " AND before ->> 'name' = '阿部　陽斗'"
                           " AND before ->> 'category_l3' = 'A1' AND asked ->> 'category_l3' = 'B'"
                           " AND route = '{l1_review,l2_review,l3_review,done}'"),
                     1);
    act(L1("13001"), "\"approve\"");
    act(L2("13"), "\"approve\"");
    act(L3, "\"approve\"");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "name"), "安部　陽斗");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_ACCOUNT_STATE), "name"), "安部　陽斗");
    assert_int_equal(count("SELECT count(*) FROM registration.name_history WHERE doctor_id = 2"
                           " AND name = '阿部　陽斗'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE layer = 3"
                           " AND category = 'B' AND valid_from = '2026-11-29'"),
                     1);
}

static void an_office_files_for_a_doctor_whom_both_numbers_name(void **state)
{
    (void)state;
    file(PROCEDURE, L1("13001"),
         "\"kind\": \"withdrawal_l3\", \"effective_on\": \"2026-11-29\","
         " \"register_no\": \"0318239\", \"birth_on\": \"1956-08-07\"");
    assert_string_equal(bench.answer_code, "doctor_not_found");
    file(PROCEDURE, L1("40016"),
         "\"kind\": \"withdrawal_l3\", \"effective_on\": \"2026-11-29\","
         " \"register_no\": \"318239\", \"birth_on\": \"1956-08-06\"");
    assert_string_equal(bench.answer_code, "doctor_not_found");
    /* Nor does naming itself make it the doctor's association. */
    file(PROCEDURE, L1("40016"),
         "\"kind\": \"change\", \"effective_on\": \"2026-11-29\", \"phone\": \"1\","
         " \"l1_code\": \"40016\", \"register_no\": \"318239\", \"birth_on\": \"1956-08-06\"");
    assert_string_equal(bench.answer_code, "doctor_not_found");
    file(PROCEDURE, L2("40"),
         "\"kind\": \"death\", \"effective_on\": \"2026-11-20\", \"reason\": \"届け\","
         " \"l1_code\": \"40016\", \"register_no\": \"318239\", \"birth_on\": \"1956-08-06\"");
    assert_string_equal(bench.answer_code, "doctor_not_found");
    file(PROCEDURE, L1("13001"),
         "\"kind\": \"withdrawal_l3\", \"effective_on\": \"2026-11-29\","
         " \"register_no\": \"0318239\", \"birth_on\": \"1956-08-06\"");
    done("l1_receive");
    assert_true(
        json_is_true(json_object_get(bench_event(&bench, EVENT_PROCEDURE_STATE), "by_office")));
    act(L1("13001"), "\"return\", \"reason\": \"日付\"");
    assert_int_equal(count("SELECT count(*) FROM registration.procedure WHERE desk = 'l1:13001'"),
                     1);
    act(L1("13001"), "\"resubmit\", \"effective_on\": \"2026-12-01\"");
    done("l1_receive");
}

static void death_ends_everything_and_closes_my_page(void **state)
{
    (void)state;
    file(SECOND, DOCTOR(2), "\"kind\": \"withdrawal_l3\", \"effective_on\": \"2026-12-31\"");
    file(PROCEDURE, L1("13001"),
         "\"kind\": \"death\", \"effective_on\": \"2026-11-20\", \"reason\": \"ご家族からの届け\","
         " \"register_no\": \"318239\", \"birth_on\": \"1956-08-06\"");
    done("l3_confirm");
    assert_int_equal(count("SELECT count(*) FROM registration.account WHERE state = 'active'"), 1);
    act(L3, "\"approve\"");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_DOCTOR_STATE), "my_page"), "closed");
    assert_string_equal(bench_text(bench_event(&bench, EVENT_ACCOUNT_STATE), "state"), "closed");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND valid_to = '2026-11-19'"),
                     3);
    assert_int_equal(count("SELECT count(*) FROM registration.account WHERE state = 'closed'"), 1);
    assert_int_equal(count("SELECT count(*) FROM registration.procedure p JOIN"
                           " registration.procedure_history h USING (procedure_id, version)"
                           " WHERE procedure_id = '" SECOND "' AND p.stage = 'cancelled'"
                           " AND desk = '' AND h.stage_from = 'l1_receive'"),
                     1);
    file(THIRD, L1("13001"),
         "\"kind\": \"revocation\", \"effective_on\": \"2026-11-20\", \"reason\": \"通知\","
         " \"register_no\": \"318239\", \"birth_on\": \"1956-08-06\"");
    assert_string_equal(bench.answer_code, "doctor_not_found"); /* nobody's member any more */
}

/* What was decided for a later day does not come to who has died or lost the licence by then. */
static void what_was_decided_ends_with_the_doctor(void **state)
{
    static const char *const later = "SELECT count(*) FROM registration.procedure WHERE"
                                     " procedure_id = '" PROCEDURE "' AND stage = 'cancelled'"
                                     " AND told_reason = '%s' AND applied_on IS NULL";
    char sql[300];

    (void)state;
    file(PROCEDURE, DOCTOR(1),
         "\"kind\": \"admission\", \"depth\": 3, \"l1_code\": \"40016\","
         " \"category_l3\": \"B\", \"effective_on\": \"2026-12-31\"");
    act(L1("40016"), "\"approve\"");
    act(L2("40"), "\"reject\", \"reason\": \"要件\"");
    done("partial");
    file(SECOND, L2("40"),
         "\"kind\": \"death\", \"effective_on\": \"2026-11-20\", \"reason\": \"届け\","
         " \"register_no\": \"460190\", \"birth_on\": \"1975-12-18\"");
    bulk(OTHER_L3, ITEM(SECOND, 1, true, true));
    assert_string_equal(became(0), "effective");
    (void)snprintf(sql, sizeof(sql), later, "死亡による退会");
    assert_int_equal(count(sql), 1);

    (void)fill(state);
    file(PROCEDURE, DOCTOR(2),
         "\"kind\": \"change\", \"workplace_name\": \"見本病院\","
         " \"effective_on\": \"2026-12-31\"");
    act(L1("13001"), "\"approve\"");
    done("done");
    file(SECOND, L2("13"),
         "\"kind\": \"revocation\", \"effective_on\": \"2026-11-20\", \"reason\": \"通知\","
         " \"register_no\": \"318239\", \"birth_on\": \"1956-08-06\"");
    bulk(OTHER_L3, ITEM(SECOND, 1, true, true));
    assert_string_equal(became(0), "effective");
    (void)snprintf(sql, sizeof(sql), later, "免許取消による退会");
    assert_int_equal(count(sql), 1);
    /* L1, whose member ends, is told and may see it; L2 entered it. */
    assert_int_equal(
        count("SELECT count(*) FROM registration.procedure WHERE procedure_id = '" SECOND
              "' AND offices @> '{l1:13001,l2:13,l3}' AND cardinality(offices) = 3"),
        1);
}

/* What L1 has let pass is not changed behind its back, however L3 returned it. */
static void nothing_goes_round_a_desk_that_approved(void **state)
{
    static const char *const added[] = {"\"category_l1\": \"B\"", "\"category_l2\": \"B\"",
                                        "\"phone\": \"092-000-0000\"",
                                        "\"name\": \"別名　太郎\", \"name_kana\": \"ベツメイ\""};
    char again[200];

    (void)state;
    file(PROCEDURE, DOCTOR(2),
         "\"kind\": \"change\", \"category_l3\": \"A2B\", \"effective_on\": \"2026-12-31\"");
    act(L1("13001"), "\"approve\"");
    done("l3_review");
    act(L3, "\"return\", \"reason\": \"区分\"");
    for (size_t i = 0; i < ARRAY_LEN(added); i++) {
        (void)snprintf(again, sizeof(again), "\"resubmit\", %s", added[i]);
        act(DOCTOR(2), again);
        assert_string_equal(bench.answer_code, "procedure_passed");
    }
    act(DOCTOR(2), "\"resubmit\", \"category_l3\": \"B\"");
    done("l3_review");
}

/* ---- days that come ---- */

static bool clock_closed;

static void closed(void *arg)
{
    (void)arg;
    clock_closed = true;
}

/* Runs the clock until the condition holds. */
static void run_clock_until(const char *sql)
{
    struct procedure_clock *clock = procedure_clock_open(&registration, bench.loop);
    bool never = false;

    for (int i = 0; i < 100 && count(sql) == 0; i++)
        (void)loop_run_until(bench.loop, &never, 100);
    clock_closed = false;
    procedure_clock_close(clock, closed, NULL);
    assert_true(loop_run_until(bench.loop, &clock_closed, BENCH_WAIT_MS));
    assert_int_equal(count(sql) > 0, 1);
}

static void a_day_that_comes_takes_effect(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(2), "\"kind\": \"withdrawal_l2_l3\", \"effective_on\": \"2026-12-01\"");
    act(L1("13001"), "\"approve\"");
    act(L2("13"), "\"approve\"");
    done("done");
    bench_clock("2026-12-01T06:00:00+09:00");
    run_clock_until("SELECT count(*) FROM registration.procedure WHERE stage = 'effective'");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND valid_to = '2026-11-30'"
                           " AND (layer, ended_by) IN ((2, 'withdrawal_l2_l3'), (3, 'cascade'))"),
                     2);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 2"
                           " AND (l1_code, l2_code, l3_category) = ('13001', '13', '')"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.digest"), 0); /* not before 7:00 */
}

/* Days that were missed come one after the other, whichever procedure was filed first. */
static void days_that_were_missed_come_in_their_order(void **state)
{
    static const char *const desks[] = {L1("13001"), L1("13002"), L2("13"), L3};
    static const char *const items[] = {ITEM(SECOND, 1, true, true), ITEM(SECOND, 2, true, true),
                                        ITEM(SECOND, 3, true, true), ITEM(SECOND, 4, true, true)};

    (void)state;
    file(PROCEDURE, DOCTOR(2), "\"kind\": \"withdrawal_l3\", \"effective_on\": \"2026-12-05\"");
    act(L1("13001"), "\"approve\"");
    act(L2("13"), "\"approve\"");
    act(L3, "\"approve\"");
    done("done");
    file(SECOND, DOCTOR(2),
         "\"kind\": \"transfer\", \"l1_code\": \"13002\", \"effective_on\": \"2026-12-01\"");
    for (size_t i = 0; i < ARRAY_LEN(desks); i++)
        bulk(desks[i], items[i]);
    assert_string_equal(became(0), "done");
    bench_clock("2026-12-06T06:00:00+09:00");
    run_clock_until("SELECT count(*) / 2 FROM registration.procedure WHERE stage = 'effective'");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND layer = 1 AND code = '13002' AND valid_from = '2026-12-01'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND layer = 3 AND valid_to = '2026-12-04'"),
                     1);
}

static void every_desk_hears_once_a_day_what_waits(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(1), ADMISSION);
    bench_clock("2026-11-30T07:30:00+09:00");
    run_clock_until("SELECT count(*) FROM registration.digest WHERE desk = 'l1:40016'"
                    " AND day = '2026-11-30'");
    run_clock_until("SELECT 1");
    assert_int_equal(count("SELECT count(*) FROM registration.digest"), 1);
}

static void a_return_that_is_not_answered_is_asked_for_again(void **state)
{
    (void)state;
    file(PROCEDURE, DOCTOR(1), ADMISSION);
    act(L1("40016"), "\"return\", \"reason\": \"区分\"");
    bench_clock("2027-01-15T06:00:00+09:00");
    run_clock_until("SELECT count(*) FROM registration.procedure WHERE reminded_on = '2027-01-15'");
}

/* ---- what each office sees ---- */

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

static void every_scope_sees_its_own(void **state)
{
    enum { ONE, WAITING, ALL, MEMBERS, PAST, QUERIES };
    static const char *const queries[QUERIES] = {
        [ONE] = "SELECT count(*) FROM (SELECT portal.procedure_json('" PROCEDURE "',"
                " '2026-11-29T09:00:00+09:00') AS j) AS s WHERE j IS NOT NULL",
        [WAITING] = "SELECT count(*) FROM portal.procedure_list(true, NULL,"
                    " '2026-11-29T09:00:00+09:00', NULL, NULL, 100)",
        [ALL] = "SELECT count(*) FROM portal.procedure_list(false, NULL,"
                " '2026-11-29T09:00:00+09:00', NULL, NULL, 100)",
        [MEMBERS] = "SELECT count(*) FROM portal.member_list('2026-11-29', NULL, 0, 100)",
        [PAST] = "SELECT count(*) FROM portal.member_list('2026-11-27', NULL, 0, 100)",
    };
    static const struct {
        const char *scope;
        int64_t wanted[QUERIES];
    } cases[] = {
        {"doctor:2", {1, 0, 1, 3, 3}},
        {"doctor:1", {0, 0, 0, 0, 0}},
        {"l1:13001", {1, 0, 1, 0, 1}},
        {"l1:13002", {1, 0, 1, 1, 0}},
        {"l1:40016", {0, 0, 0, 0, 0}},
        {"l2:13", {1, 0, 1, 1, 1}},
        {"l2:40", {0, 0, 0, 0, 0}},
        {"l3", {1, 0, 1, 1, 1}},
        {"auditor", {1, 0, 1, 3, 3}},
        {"organiser:P13", {0, 0, 0, 0, 0}},
        {"call_centre", {0, 0, 0, 0, 0}},
        {"admin", {0, 0, 0, 0, 0}},
        {"", {0, 0, 0, 0, 0}},
    };

    (void)state;
    file(PROCEDURE, DOCTOR(2),
         "\"kind\": \"transfer\", \"l1_code\": \"13002\", \"effective_on\": \"2026-11-29\"");
    assert_int_equal(ask("l1:13001", queries[WAITING]), 1);
    assert_int_equal(ask("l1:13002", queries[ONE]), 0); /* not before it comes to its desk */
    act(L1("13001"), "\"approve\"");
    act(L1("13002"), "\"approve\"");
    act(L2("13"), "\"approve\"");
    act(L3, "\"approve\"");
    done("done");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int query = 0; query < QUERIES; query++) {
            int64_t got = ask(cases[i].scope, queries[query]);

            if (got != cases[i].wanted[query])
                fail_msg("scope '%s', query %d: %lld, wanted %lld", cases[i].scope, query,
                         (long long)got, (long long)cases[i].wanted[query]);
        }
    }
}

/* The imported list says who is a member, and since when it says so. */
static void an_imported_list_moves_memberships(void **state)
{
    (void)state;
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND valid_from IS NULL AND valid_to IS NULL AND began_by = 'import'"),
                     3);
    bench_sql(&bench, "UPDATE registration.doctor SET l1_code = '40016', l2_code = '40',"
                      " l3_category = 'B', changed_at = '2026-10-01T00:00:00+09:00'"
                      " WHERE doctor_id = 2");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND valid_to = '2026-09-30' AND ended_by = 'import'"),
                     3);
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND valid_from = '2026-10-01' AND valid_to IS NULL"),
                     3);
    bench_sql(&bench,
              "UPDATE registration.doctor SET name_kana = 'アベ', changed_at = '2026-11-01'");
    assert_int_equal(count("SELECT count(*) FROM registration.membership"), 6);
    bench_sql(&bench, "UPDATE registration.doctor SET l1_code = '', l3_category = '',"
                      " changed_at = '2026-11-01T00:00:00+09:00' WHERE doctor_id = 2");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE valid_to IS NULL"),
                     0);
}

/* The list has one L1 of a doctor; what it does not speak of goes on (edge 79). */
static void a_second_l1_is_not_in_the_list(void **state)
{
    static const char *const beside = "SELECT count(*) FROM registration.membership WHERE"
                                      " code = '13002' AND valid_to IS NULL AND is_primary = %s";
    char second[200], primary[200];

    (void)state;
    (void)snprintf(second, sizeof(second), beside, "false");
    (void)snprintf(primary, sizeof(primary), beside, "true");
    bench_sql(&bench, "INSERT INTO registration.membership (doctor_id, layer, code, is_primary,"
                      " valid_from, began_by) VALUES (2, 1, '13002', false, '2026-01-01',"
                      " 'admission');"
                      "UPDATE registration.doctor SET l3_category = 'B',"
                      " changed_at = '2026-10-01T00:00:00+09:00' WHERE doctor_id = 2");
    assert_int_equal(count(second), 1);
    bench_sql(&bench, "UPDATE registration.doctor SET l1_code = '13002',"
                      " changed_at = '2026-11-01T00:00:00+09:00' WHERE doctor_id = 2");
    assert_int_equal(count(second), 0);
    assert_int_equal(count(primary), 1);
    bench_sql(&bench, "UPDATE registration.doctor SET l1_code = '', l3_category = '',"
                      " changed_at = '2026-11-02T00:00:00+09:00' WHERE doctor_id = 2");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE valid_to IS NULL"),
                     0);
}

/* R-TXT-05, edges 86 and 87: whatever the keyboard, the member is found. */
static void a_member_is_found_however_the_name_is_typed(void **state)
{
    static const struct {
        const char *typed;
        int64_t found;
    } cases[] = {
        {"髙橋　𠮷郎", 1},  {"高橋吉郎", 1},  {"吉", 1},      {"タカハシ", 1},
        {"たかはし よ", 1}, {"ﾀｶﾊｼ ﾖｼﾛｰ", 1}, {"0318239", 1}, {"３１８２３９", 1},
        {"31823", 0},       {"橋高", 0},      {"サトウ", 0},  {"髙.", 0},
        {"(", 0},
    };
    char sql[300];

    (void)state;
    bench_sql(&bench, "UPDATE registration.doctor SET licensed_on = '1982-05-01',"
                      " name = '髙橋　𠮷󠄀郎',"
                      " name_kana = 'タカハシ　ヨシロー' WHERE doctor_id = 2");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)snprintf(sql, sizeof(sql),
                       "SELECT count(*) FROM portal.member_list('2026-11-29', '%s', 0, 100)",
                       cases[i].typed);
        if (ask("l1:13001", sql) != cases[i].found)
            fail_msg("'%s' is not found as often as %lld", cases[i].typed,
                     (long long)cases[i].found);
    }
    /* Since before the records begin, but not before the licence. */
    assert_int_equal(
        ask("l1:13001", "SELECT count(*) FROM portal.member_list('1982-05-01', NULL, 0, 9)"), 1);
    assert_int_equal(
        ask("l1:13001", "SELECT count(*) FROM portal.member_list('1982-04-30', NULL, 0, 9)"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fill)
    const struct CMUnitTest tests[] = {
        TEST(filing_removes_the_doctors_draft),
        TEST(an_admission_goes_through_three_desks),
        TEST(one_that_cannot_be_approved_holds_up_no_other),
        TEST(two_of_one_doctor_follow_one_another),
        TEST(a_part_that_was_given_stands),
        TEST(a_withdrawal_from_l1_takes_the_others_along),
        TEST(who_leaves_without_a_workplace_goes_where_he_lives),
        TEST(a_transfer_ends_nothing_before_it_is_done),
        TEST(a_transfer_that_the_new_side_rejects_changes_nothing),
        TEST(a_change_of_name_keeps_the_old_one),
        TEST(an_office_files_for_a_doctor_whom_both_numbers_name),
        TEST(death_ends_everything_and_closes_my_page),
        TEST(what_was_decided_ends_with_the_doctor),
        TEST(nothing_goes_round_a_desk_that_approved),
        TEST(a_day_that_comes_takes_effect),
        TEST(days_that_were_missed_come_in_their_order),
        TEST(every_desk_hears_once_a_day_what_waits),
        TEST(a_return_that_is_not_answered_is_asked_for_again),
        TEST(every_scope_sees_its_own),
        TEST(an_imported_list_moves_memberships),
        TEST(a_second_l1_is_not_in_the_list),
        TEST(a_member_is_found_however_the_name_is_typed),
    };
#undef TEST

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
