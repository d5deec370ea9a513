/* Merges: the rules as tables, and the commands against a real database. */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "registration/registration_merge.h"
#include "registration_fixture.h"

#define FIRST "0190a000-0000-7000-8000-000000000001"
#define SECOND "0190a000-0000-7000-8000-000000000002"
#define KEPT "0190a000-0000-7000-8000-000000000003"
#define CLOSED "0190a000-0000-7000-8000-000000000004"
#define OTHER "0190a000-0000-7000-8000-000000000005"
#define MERGE "0190a000-0000-7000-8000-000000000010"
#define LATER "0190a000-0000-7000-8000-000000000011"
#define OPERATION "0190a000-0000-7000-8000-0000000000ff"
#define NOW "2026-11-22T12:00:00+09:00"

/* Doctor 1 is kept, 2 is closed, 3 is somebody else without an account. */
static int fill(void **state)
{
    (void)state;
    bench_clock(NOW);
    bench_sql(
        &bench,
        "TRUNCATE registration.account_history, registration.account, registration.doctor"
        " RESTART IDENTITY CASCADE;"
        "INSERT INTO registration.doctor (register_no, mamis_no, name, name_kana, my_page, email)"
        " VALUES ('460190', '6423876638', '濱田　正樹', 'ハマダ　マサキ', 'active', "
        "'k@example.jp'),"
        " ('460191', '7197282790', '山田　正樹', 'ヤマダ　マサキ', 'active', 'c@example.jp'),"
        " ('460192', NULL, '別人', 'ベツジン', 'none', '');"
        "DELETE FROM registration.membership;"
        "INSERT INTO registration.account"
        " (account_id, role, doctor_id, name, email, email_confirmed, state, step) VALUES"
        " ('" FIRST "', 'office_l3', NULL, '甲', '', false, 'active', ''),"
        " ('" SECOND "', 'office_l3', NULL, '乙', '', false, 'active', ''),"
        " ('" OTHER "', 'office_l3', NULL, '丙', '', false, 'suspended', ''),"
        " ('" KEPT "', 'doctor', 1, '濱田　正樹', 'k@example.jp', true, 'active', ''),"
        " ('" CLOSED "', 'doctor', 2, '山田　正樹', 'c@example.jp', true, 'active', '')");
    return 0;
}

static const char *propose(const char *actor, const char *merge, const char *keep,
                           const char *close)
{
    assert_int_equal(bench_handle(&bench, registration_merge_handle, &registration,
                                  EVENT_MERGE_PROPOSE,
                                  "{\"operation_id\": \"" OPERATION "\", \"merge_id\": \"%s\","
                                  " \"actor_id\": \"%s\", \"actor_role\": \"office_l3\","
                                  " \"keep_register_no\": \"%s\", \"close_register_no\": \"%s\","
                                  " \"reason\": \"同じ人です\"}",
                                  merge, actor, keep, close),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

static const char *renumber(const char *actor, const char *merge, const char *mamis_no,
                            const char *register_no)
{
    assert_int_equal(bench_handle(&bench, registration_merge_handle, &registration,
                                  EVENT_DOCTOR_RENUMBER,
                                  "{\"operation_id\": \"" OPERATION "\", \"merge_id\": \"%s\","
                                  " \"actor_id\": \"%s\", \"actor_role\": \"office_l3\","
                                  " \"mamis_no\": \"%s\", \"register_no\": \"%s\","
                                  " \"licensed_on\": \"2026-11-02\", \"reason\": \"国籍の変更\"}",
                                  merge, actor, mamis_no, register_no),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

static const char *decide(const char *actor, const char *decision)
{
    assert_int_equal(bench_handle(&bench, registration_merge_handle, &registration,
                                  EVENT_MERGE_DECIDE,
                                  "{\"operation_id\": \"" OPERATION "\", \"merge_id\": \"" MERGE
                                  "\", \"actor_id\": \"%s\", \"actor_role\": \"office_l3\","
                                  " \"decision\": \"%s\", \"reason\": \"確かめました\"}",
                                  actor, decision),
                     ERR_OK);
    assert_true(bench.answered);
    return bench.answer_code;
}

/* ---- rules ---- */

static void every_refusal_of_a_proposal(void **state)
{
    static const struct {
        struct merge_facts facts;
        enum code code;
    } cases[] = {
        {{.actor_active = true, .both_known = true}, CODE_NONE},
        {{.both_known = true}, CODE_ACCOUNT_SUSPENDED},
        {{.actor_active = true}, CODE_MERGE_UNKNOWN},
        {{.actor_active = true, .both_known = true, .same = true}, CODE_MERGE_SAME},
        {{.actor_active = true, .both_known = true, .closed = true}, CODE_MERGE_CLOSED},
        {{.actor_active = true, .both_known = true, .proposed = true}, CODE_MERGE_PROPOSED},
        /* What both have is told, and may be settled before somebody confirms. */
        {{.actor_active = true, .both_known = true, .conflicts = 2}, CODE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(rules_propose_merge(&cases[i].facts), cases[i].code);
}

static void every_refusal_of_a_number(void **state)
{
    static const struct {
        struct merge_facts facts;
        enum code code;
    } cases[] = {
        {{.actor_active = true, .both_known = true}, CODE_NONE},
        {{.both_known = true}, CODE_ACCOUNT_SUSPENDED},
        {{.actor_active = true}, CODE_NOT_FOUND},
        {{.actor_active = true, .both_known = true, .closed = true}, CODE_MERGE_CLOSED},
        {{.actor_active = true, .both_known = true, .same = true, .taken = true},
         CODE_RENUMBER_SAME},
        {{.actor_active = true, .both_known = true, .taken = true}, CODE_RENUMBER_TAKEN},
        {{.actor_active = true, .both_known = true, .proposed = true}, CODE_MERGE_PROPOSED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(rules_propose_number(&cases[i].facts), cases[i].code);
}

static void every_refusal_of_a_decision(void **state)
{
    static const struct {
        struct merge_facts facts;
        enum code codes[MERGE_DECISIONS]; /* confirm, decline, withdraw */
    } cases[] = {
        {{.actor_active = true, .found = true, .open = true},
         {CODE_NONE, CODE_NONE, CODE_MERGE_WITHDRAW}},
        {{.actor_active = true, .found = true, .open = true, .own = true},
         {CODE_MERGE_SELF, CODE_MERGE_SELF, CODE_NONE}},
        {{.actor_active = true, .found = true},
         {CODE_MERGE_ENDED, CODE_MERGE_ENDED, CODE_MERGE_ENDED}},
        {{.actor_active = true}, {CODE_NOT_FOUND, CODE_NOT_FOUND, CODE_NOT_FOUND}},
        {{.found = true, .open = true},
         {CODE_ACCOUNT_SUSPENDED, CODE_ACCOUNT_SUSPENDED, CODE_ACCOUNT_SUSPENDED}},
        {{.actor_active = true, .found = true, .open = true, .closed = true},
         {CODE_MERGE_CLOSED, CODE_NONE, CODE_MERGE_WITHDRAW}},
        {{.actor_active = true, .found = true, .open = true, .conflicts = 1},
         {CODE_MERGE_CONFLICT, CODE_NONE, CODE_MERGE_WITHDRAW}},
        {{.actor_active = true, .found = true, .open = true, .taken = true},
         {CODE_RENUMBER_TAKEN, CODE_NONE, CODE_MERGE_WITHDRAW}},
    };
    enum merge_decision decision;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int d = 0; d < MERGE_DECISIONS; d++)
            assert_int_equal(rules_decide_merge(&cases[i].facts, (enum merge_decision)d),
                             cases[i].codes[d]);
    }
    assert_true(merge_decision_parse(STR("decline"), &decision));
    assert_string_equal(merge_decision_state(decision), "declined");
    assert_false(merge_decision_parse(STR("other"), &decision));
}

/* ---- proposals ---- */

static void nothing_changes_before_it_is_confirmed(void **state)
{
    (void)state;
    assert_string_equal(propose(FIRST, MERGE, "460190", "460191"), "");
    assert_string_equal(bench_text(bench.answer, "merge_id"), MERGE);
    assert_int_equal(bench.event_count, 0);
    assert_string_equal(propose(SECOND, LATER, "460191", "460192"), "merge_proposed");
    assert_string_equal(propose(SECOND, LATER, "460190", "460199"), "merge_unknown");
    assert_string_equal(propose(SECOND, LATER, "460192", "460192"), "merge_same");
    assert_string_equal(propose(OTHER, LATER, "460190", "460191"), "account_suspended");
    assert_string_equal(propose(KEPT, LATER, "460190", "460191"), "account_suspended");
    assert_string_equal(decide(FIRST, "confirm"), "merge_self");
    assert_string_equal(decide(FIRST, "decline"), "merge_self");
    assert_string_equal(decide(SECOND, "withdraw"), "merge_withdraw");
    assert_string_equal(decide(SECOND, "decline"), "");
    assert_string_equal(decide(SECOND, "confirm"), "merge_ended");
    assert_int_equal(count("SELECT count(*) FROM registration.merge WHERE state = 'declined'"
                           " AND decided_by = '" SECOND "' AND version = 2"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.merge_history"), 2);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE version <> 1"
                           " OR my_page = 'closed'"),
                     0);
    assert_string_equal(propose(FIRST, LATER, "460190", "460191"), "");
}

static void a_proposal_ends_after_its_days(void **state)
{
    (void)state;
    (void)propose(FIRST, MERGE, "460190", "460191");
    bench_clock("2026-12-06T12:00:01+09:00");
    assert_string_equal(decide(SECOND, "confirm"), "merge_ended");
    assert_string_equal(propose(FIRST, LATER, "460190", "460191"), "");
    assert_int_equal(count("SELECT count(*) FROM registration.merge WHERE state = 'expired'"), 1);
}

static void done(void *arg)
{
    *(bool *)arg = true;
}

static void the_clock_ends_it_too(void **state)
{
    struct upkeep *upkeep = upkeep_open(&registration);
    bool ran = false, closed = false;

    (void)state;
    (void)propose(FIRST, MERGE, "460190", "460191");
    bench_clock("2026-12-06T12:00:01+09:00");
    upkeep_run(upkeep, done, &ran);
    assert_true(loop_run_until(bench.loop, &ran, BENCH_WAIT_MS));
    assert_int_equal(count("SELECT count(*) FROM registration.merge WHERE state = 'expired'"), 1);
    upkeep_close(upkeep, done, &closed);
    assert_true(loop_run_until(bench.loop, &closed, BENCH_WAIT_MS));
}

/* ---- the merge ---- */

static void what_he_had_is_the_others(void **state)
{
    const json_t *told;

    (void)state;
    bench_sql(&bench, "UPDATE registration.doctor SET former_name_kana = 'キュウセイ'"
                      " WHERE doctor_id = 2;"
                      "INSERT INTO registration.correction (correction_id, doctor_id, l2_code,"
                      " field, text, state, asked_at) VALUES ('" LATER
                      "', 2, '', 'other', 'x', 'open', '" NOW "')");
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_string_equal(decide(SECOND, "confirm"), "");
    told = bench_event(&bench, EVENT_DOCTOR_MERGED);
    assert_int_equal(bench_number(told, "kept_id"), 1);
    assert_int_equal(bench_number(told, "closed_id"), 2);
    assert_string_equal(bench_text(told, "actor_id"), SECOND);
    assert_string_equal(bench_text(told, "reason"), "同じ人です");
    assert_string_equal(bench_text(told, "kept_email"), "k@example.jp");
    assert_string_equal(bench_text(told, "closed_email"), "c@example.jp");
    assert_int_equal(json_array_size(json_object_get(told, "names_kana")), 2);
    assert_string_equal(bench.events[0].type, EVENT_DOCTOR_MERGED);
    assert_string_equal(bench.events[0].key, "2");
    assert_string_equal(bench.events[1].type, EVENT_DOCTOR_STATE);
    assert_string_equal(bench_text(bench.events[1].data, "my_page"), "closed");
    assert_string_equal(bench_text(bench.events[2].data, "former_name_kana"), "ヤマダ　マサキ");
    told = bench_event(&bench, EVENT_ACCOUNT_STATE);
    assert_string_equal(bench_text(told, "account_id"), CLOSED);
    assert_string_equal(bench_text(told, "state"), "closed");
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 2"
                           " AND merged_into = 1 AND my_page = 'closed' AND version = 2"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.former_number WHERE doctor_id = 1"
                           " AND register_no = '460191' AND mamis_no = '7197282790'"),
                     1);
    assert_int_equal(count("SELECT doctor_id FROM registration.correction"), 1);
    assert_int_equal(count("SELECT count(*) FROM registration.account_history WHERE account_id ="
                           " '" CLOSED "' AND action = 'merge'"
                           " AND detail ->> 'actor' = '" SECOND "'"),
                     1);
    assert_string_equal(propose(FIRST, LATER, "460191", "460192"), "merge_closed");
}

static void numbers_of_numbers_lead_on(void **state)
{
    (void)state;
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_string_equal(decide(SECOND, "confirm"), "");
    bench_sql(&bench, "INSERT INTO registration.merge (merge_id, kept_id, closed_id, reason,"
                      " proposed_at, proposed_by, expires_at) VALUES ('" LATER "', 3, 1, 'x', '" NOW
                      "', '" FIRST "', '2026-11-30')");
    assert_int_equal(bench_handle(&bench, registration_merge_handle, &registration,
                                  EVENT_MERGE_DECIDE,
                                  "{\"operation_id\": \"" OPERATION "\", \"merge_id\": \"" LATER
                                  "\", \"actor_id\": \"" SECOND "\", \"actor_role\": \"office_l3\","
                                  " \"decision\": \"confirm\", \"reason\": \"x\"}"),
                     ERR_OK);
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE merged_into = 3"), 2);
    assert_int_equal(count("SELECT count(*) FROM registration.former_number WHERE doctor_id = 3"),
                     2);
    assert_true(json_array_size(
                    json_object_get(bench_event(&bench, EVENT_DOCTOR_MERGED), "names_kana")) >= 2);
}

/* ---- another register number ---- */

static void a_new_number_is_wanted_by_two(void **state)
{
    (void)state;
    assert_string_equal(renumber(FIRST, MERGE, "6423876638", "460190"), "renumber_same");
    assert_string_equal(renumber(FIRST, MERGE, "6423876638", "460192"), "renumber_taken");
    assert_string_equal(renumber(FIRST, MERGE, "6423876639", "512345"), "not_found");
    assert_string_equal(renumber(OTHER, MERGE, "6423876638", "512345"), "account_suspended");
    assert_string_equal(renumber(FIRST, MERGE, "6423876638", "512345"), "");
    assert_int_equal(bench.event_count, 0);
    assert_string_equal(renumber(SECOND, LATER, "6423876638", "512346"), "merge_proposed");
    assert_string_equal(propose(SECOND, LATER, "460190", "460191"), "merge_proposed");
    assert_string_equal(decide(FIRST, "confirm"), "merge_self");
    /* Somebody else has got it in the meantime. */
    bench_sql(&bench, "UPDATE registration.doctor SET register_no = '512345' WHERE doctor_id = 3");
    assert_string_equal(decide(SECOND, "confirm"), "renumber_taken");
    assert_string_equal(decide(SECOND, "decline"), "");
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE version <> 1"), 0);
    assert_int_equal(count("SELECT count(*) FROM registration.number_history"), 0);
}

static void the_former_number_leads_to_the_doctor(void **state)
{
    const json_t *told;

    (void)state;
    bench_sql(&bench, "UPDATE registration.doctor SET licensed_on = '2001-04-20',"
                      " birth_on = '1970-01-02' WHERE doctor_id = 1");
    (void)renumber(FIRST, MERGE, "6423876638", "512345");
    assert_string_equal(decide(SECOND, "confirm"), "");
    assert_int_equal(bench.event_count, 3);
    told = bench.events[0].data;
    assert_string_equal(bench.events[0].type, EVENT_DOCTOR_MERGED);
    assert_int_equal(bench_number(told, "kept_id"), 1);
    assert_int_equal(bench_number(told, "closed_id"), 4);
    assert_true(json_is_true(json_object_get(told, "renumbered")));
    assert_string_equal(bench_text(told, "kept_email"), "k@example.jp");
    assert_string_equal(bench_text(told, "closed_email"), "");
    assert_string_equal(bench_text(bench.events[1].data, "register_no"), "460190");
    assert_string_equal(bench_text(bench.events[1].data, "my_page"), "closed");
    assert_string_equal(bench_text(bench.events[1].data, "mamis_no"), "");
    assert_string_equal(bench_text(bench.events[2].data, "register_no"), "512345");
    assert_string_equal(bench_text(bench.events[2].data, "mamis_no"), "6423876638");
    assert_int_equal(bench_number(bench.events[2].data, "version"), 2);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 1"
                           " AND register_no = '512345' AND licensed_on = '2026-11-02'"
                           " AND my_page = 'active' AND version = 2"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE register_no = '460190'"
                           " AND merged_into = 1 AND my_page = 'closed' AND mamis_no IS NULL"
                           " AND licensed_on = '2001-04-20' AND birth_on = '1970-01-02'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.former_number WHERE doctor_id = 1"
                           " AND register_no = '460190'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.number_history WHERE doctor_id = 1"
                           " AND version = 1 AND register_no = '460190' AND merge_id = '" MERGE "'"
                           " AND licensed_on = '2001-04-20' AND until >= '" NOW "'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.account WHERE version <> 1"), 0);
    /* The former number is nobody else's, and no doctor of its own. */
    assert_string_equal(renumber(FIRST, LATER, "7197282790", "460190"), "renumber_taken");
    assert_string_equal(propose(FIRST, LATER, "460190", "460192"), "merge_closed");
    /* It goes along when the doctor is merged himself. */
    assert_string_equal(propose(FIRST, LATER, "460191", "512345"), "");
    assert_int_equal(bench_handle(&bench, registration_merge_handle, &registration,
                                  EVENT_MERGE_DECIDE,
                                  "{\"operation_id\": \"" OPERATION "\", \"merge_id\": \"" LATER
                                  "\", \"actor_id\": \"" SECOND "\", \"actor_role\": \"office_l3\","
                                  " \"decision\": \"confirm\", \"reason\": \"x\"}"),
                     ERR_OK);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE merged_into = 2"), 2);
}

/* ---- memberships and procedures ---- */

#define MEMBER(doctor, layer, code, begins, ends)                                                  \
    "INSERT INTO registration.membership (doctor_id, layer, code, valid_from, valid_to, began_by," \
    " ended_by) VALUES (" doctor ", " layer ", '" code "', " begins ", " ends ", 'import',"        \
    " CASE WHEN (" ends ")::date IS NOT NULL THEN 'import' END);"

#define PROCEDURE_OF(doctor)                                                                       \
    "INSERT INTO registration.procedure (procedure_id, doctor_id, kind, family, stage, route,"     \
    " depth, granted, member_mask, touch_mask, l1_code, l2_code, new_l1_code, new_l2_code,"        \
    " effective_on, asked, before, loses_insurance, filed_role, filed_layer, filed_code,"          \
    " filed_account, desk, offices, submitted_at, stage_at) VALUES (gen_random_uuid(), " doctor    \
    ", 'admission', 'admission', 'l1_review', '{}', 1, 0, 0, 0, '13001', '13', '', '',"            \
    " '2026-12-01', '{}', '{}', false, 'doctor', 0, '', '" KEPT "', 'l1:13001', '{}',"             \
    " '" NOW "', '" NOW "')"

static void memberships_move_where_the_other_has_none(void **state)
{
    (void)state;
    /* First the codes: what an import writes there brings memberships along. */
    bench_sql(&bench, "UPDATE registration.doctor SET l1_code = '13001', l2_code = '13'"
                      " WHERE doctor_id IN (1, 2); DELETE FROM registration.membership;");
    bench_sql(&bench, MEMBER("1", "1", "13001", "'2020-04-01'", "NULL"));
    bench_sql(&bench, MEMBER("2", "1", "13001", "'2010-04-01'", "NULL"));
    bench_sql(&bench, MEMBER("2", "2", "13", "'2012-04-01'", "NULL"));
    bench_sql(&bench, MEMBER("2", "3", "", "NULL", "'2015-03-31'"));
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_string_equal(decide(SECOND, "confirm"), "");
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 1"
                           " AND layer = 1 AND valid_from = '2010-04-01'"
                           " AND valid_to = '2020-03-31' AND ended_by = 'merge'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 2"
                           " AND layer = 1 AND valid_from = '2020-04-01'"
                           " AND valid_to = '2026-11-22' AND ended_by = 'merge'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 1"
                           " AND layer = 2 AND valid_from = '2012-04-01' AND valid_to IS NULL"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 1"
                           " AND layer = 3 AND valid_from IS NULL AND valid_to = '2015-03-31'"
                           " AND ended_by = 'import'"),
                     1);
    /* On no day is somebody a member twice, or not at all who was one. */
    assert_int_equal(count("SELECT count(*) FROM registration.membership"), 5);
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 2"
                           " AND l1_code = '' AND l2_code = ''"),
                     1);
}

static void codes_go_with_the_membership(void **state)
{
    (void)state;
    bench_sql(&bench,
              "UPDATE registration.doctor SET l1_code = '27001', l2_code = '27', l3_category = 'B'"
              " WHERE doctor_id = 2; UPDATE registration.doctor SET l2_code = '13'"
              " WHERE doctor_id = 1");
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_string_equal(decide(SECOND, "confirm"), "");
    assert_int_equal(count("SELECT count(*) FROM registration.doctor WHERE doctor_id = 1"
                           " AND l1_code = '27001' AND l2_code = '27' AND l3_category = 'B'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM registration.membership WHERE doctor_id = 1"), 3);
}

static void what_both_have_refuses(void **state)
{
    (void)state;
    bench_sql(&bench, MEMBER("1", "1", "13001", "NULL", "NULL"));
    bench_sql(&bench, MEMBER("2", "1", "27001", "NULL", "NULL"));
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_string_equal(decide(SECOND, "confirm"), "merge_conflict");
    bench_sql(&bench, "DELETE FROM registration.membership");
    bench_sql(&bench, PROCEDURE_OF("1"));
    bench_sql(&bench, PROCEDURE_OF("2"));
    assert_string_equal(decide(SECOND, "confirm"), "merge_conflict");
    assert_int_equal(bench.event_count, 0);
    /* One of them has ended: the other goes along. */
    bench_sql(&bench, "UPDATE registration.procedure SET stage = 'cancelled' WHERE doctor_id = 1");
    assert_string_equal(decide(SECOND, "confirm"), "");
    assert_int_equal(count("SELECT count(*) FROM registration.procedure WHERE doctor_id = 1"), 2);
}

/* ---- delegates ---- */

#define DELEGATION(id, delegate, state, accepted)                                                  \
    "INSERT INTO registration.delegation (delegation_id, doctor_id, delegate_id, name, email,"     \
    " state, invited_at, accepted_at) VALUES ('" id "', 2, '" delegate "', '受付', "             \
    "'u@example.jp',"                                                                              \
    " '" state "', '" NOW "', " accepted ");"

static void his_delegates_are_none_any_more(void **state)
{
    const json_t *told;

    (void)state;
    bench_sql(&bench, DELEGATION(MERGE, OTHER, "active", "'" NOW "'"));
    bench_sql(&bench, DELEGATION(LATER, FIRST, "invited", "NULL"));
    bench_sql(&bench, DELEGATION(OPERATION, SECOND, "revoked", "'" NOW "'"));
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_string_equal(decide(SECOND, "confirm"), "");
    assert_int_equal(bench_emitted(&bench, EVENT_DELEGATION_STATE), 2);
    told = bench_event(&bench, EVENT_DELEGATION_STATE);
    assert_string_equal(bench_text(told, "delegation_id"), MERGE);
    assert_string_equal(bench_text(told, "account_id"), CLOSED);
    assert_string_equal(bench_text(told, "state"), "revoked");
    assert_int_equal(bench_number(told, "version"), 2);
    assert_true(json_is_true(json_object_get(told, "merged")));
    assert_true(json_is_true(json_object_get(told, "accepted")));
    assert_int_equal(count("SELECT count(*) FROM registration.delegation WHERE state = 'revoked'"
                           " AND version = 2 AND ended_at >= '" NOW "'"),
                     2);
    assert_int_equal(count("SELECT count(*) FROM registration.delegation_history"
                           " WHERE action = 'merged' AND account_id = '" SECOND "'"),
                     2);
}

/* ---- in the same instant ---- */

#define MERGED                                                                                     \
    "UPDATE registration.doctor SET merged_into = 1, my_page = 'closed' WHERE doctor_id = 2"

static enum err confirm_meanwhile(const char *sql)
{
    enum err err;

    bench.meanwhile = sql;
    err = bench_handle(&bench, registration_merge_handle, &registration, EVENT_MERGE_DECIDE,
                       "{\"operation_id\": \"" OPERATION "\", \"merge_id\": \"" MERGE
                       "\", \"actor_id\": \"" SECOND "\", \"actor_role\": \"office_l3\","
                       " \"decision\": \"confirm\", \"reason\": \"x\"}");
    bench.meanwhile = NULL;
    return err;
}

static enum err file_meanwhile(const char *sql)
{
    enum err err;

    bench.meanwhile = sql;
    err = bench_handle(&bench, procedure_file_handle, &registration, EVENT_PROCEDURE_SUBMIT,
                       "{\"operation_id\": \"" OPERATION "\", \"procedure_id\": \"" LATER
                       "\", \"account_id\": \"" CLOSED "\", \"role\": \"doctor\","
                       " \"doctor_id\": 2, \"kind\": \"admission\", \"depth\": 1,"
                       " \"l1_code\": \"13001\", \"effective_on\": \"2026-11-22\"}");
    bench.meanwhile = NULL;
    return err;
}

/* He is merged between the read of his filing and its commit: it is his who is kept. */
static void a_filing_that_comes_too_late_is_the_others(void **state)
{
    (void)state;
    bench_sql(&bench, "INSERT INTO registration.association (layer, code, l2_code)"
                      " VALUES (1, '13001', '13') ON CONFLICT DO NOTHING");
    assert_int_equal(file_meanwhile(MERGED), ERR_DB_CONFLICT);
    assert_int_equal(count("SELECT count(*) FROM registration.procedure"), 0);
    assert_int_equal(file_meanwhile(NULL), ERR_OK);
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(count("SELECT count(*) FROM registration.procedure WHERE doctor_id = 1"), 1);
}

/* He files, and names somebody, between the read of the merge and its commit. */
static void a_merge_takes_along_what_was_just_filed(void **state)
{
    (void)state;
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_int_equal(confirm_meanwhile(DELEGATION(LATER, OTHER, "invited", "NULL")),
                     ERR_DB_CONFLICT);
    assert_int_equal(count("SELECT count(*) FROM registration.merge WHERE state = 'open'"), 1);
    assert_int_equal(confirm_meanwhile(PROCEDURE_OF("2")), ERR_OK);
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(count("SELECT count(*) FROM registration.procedure WHERE doctor_id = 1"), 1);
    assert_int_equal(count("SELECT count(*) FROM registration.delegation WHERE state = 'revoked'"),
                     1);
}

/* Two of a family are in each other's way, however they came together. */
static void a_merge_sees_what_both_have_just_filed(void **state)
{
    (void)state;
    bench_sql(&bench, PROCEDURE_OF("1"));
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_int_equal(confirm_meanwhile(PROCEDURE_OF("2")), ERR_DB_CONFLICT);
    assert_string_equal(decide(SECOND, "confirm"), "merge_conflict");
}

static PGconn *connect_patient(int wait_ms)
{
    PGconn *conn = PQconnectdb(bench.server.dsn);
    char sql[64];

    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    (void)snprintf(sql, sizeof(sql), "SET lock_timeout = %d", wait_ms);
    PQclear(PQexec(conn, sql));
    return conn;
}

/* Its SQLSTATE; "" when it went well. */
static const char *run_sql(PGconn *conn, const char *sql)
{
    static char state[8];
    PGresult *result = PQexec(conn, sql);
    const char *found = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    (void)snprintf(state, sizeof(state), "%s", found == NULL ? "" : found);
    PQclear(result);
    return state;
}

/* Whichever is first, the other one waits for its commit. */
static void both_hold_the_same_row(void **state)
{
    PGconn *first = connect_patient(BENCH_WAIT_MS), *second = connect_patient(100);

    (void)state;
    assert_string_equal(run_sql(first, "BEGIN"), "");
    assert_string_equal(run_sql(first, PROCEDURE_OF("2")), "");
    assert_string_equal(run_sql(second, MERGED), "55P03"); /* lock_not_available */
    assert_string_equal(run_sql(first, "ROLLBACK"), "");
    assert_string_equal(run_sql(first, "BEGIN"), "");
    assert_string_equal(run_sql(first, MERGED), "");
    assert_string_equal(run_sql(second, PROCEDURE_OF("2")), "55P03");
    assert_string_equal(run_sql(second, PROCEDURE_OF("1")), "");
    assert_string_equal(run_sql(first, "COMMIT"), "");
    assert_string_equal(run_sql(second, PROCEDURE_OF("2")), "40001");
    assert_string_equal(run_sql(second, DELEGATION(LATER, OTHER, "invited", "NULL")), "40001");
    assert_string_equal(run_sql(second, "UPDATE registration.procedure SET doctor_id = 2"),
                        "40001");
    PQfinish(first);
    PQfinish(second);
}

static void two_people_whatever_a_program_believes(void **state)
{
    (void)state;
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_int_equal(
        count("SELECT count(*) FROM pg_constraint WHERE conrelid = 'registration.merge'::regclass"
              " AND pg_get_constraintdef(oid) LIKE '%decided_by <> proposed_by%'"),
        1);
}

/* The doctor's profile was changed between the read and the commit: it is all read again. */
static void somebody_quicker_is_seen(void **state)
{
    (void)state;
    (void)propose(FIRST, MERGE, "460190", "460191");
    assert_int_equal(
        confirm_meanwhile(
            "UPDATE registration.doctor SET version = version + 1 WHERE doctor_id = 2"),
        ERR_DB_CONFLICT);
    assert_int_equal(count("SELECT count(*) FROM registration.merge WHERE state = 'open'"), 1);
    assert_string_equal(decide(SECOND, "confirm"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_of_a_proposal),
        cmocka_unit_test(every_refusal_of_a_number),
        cmocka_unit_test(every_refusal_of_a_decision),
        cmocka_unit_test_setup(nothing_changes_before_it_is_confirmed, fill),
        cmocka_unit_test_setup(a_proposal_ends_after_its_days, fill),
        cmocka_unit_test_setup(the_clock_ends_it_too, fill),
        cmocka_unit_test_setup(what_he_had_is_the_others, fill),
        cmocka_unit_test_setup(numbers_of_numbers_lead_on, fill),
        cmocka_unit_test_setup(a_new_number_is_wanted_by_two, fill),
        cmocka_unit_test_setup(the_former_number_leads_to_the_doctor, fill),
        cmocka_unit_test_setup(memberships_move_where_the_other_has_none, fill),
        cmocka_unit_test_setup(codes_go_with_the_membership, fill),
        cmocka_unit_test_setup(what_both_have_refuses, fill),
        cmocka_unit_test_setup(his_delegates_are_none_any_more, fill),
        cmocka_unit_test_setup(a_filing_that_comes_too_late_is_the_others, fill),
        cmocka_unit_test_setup(a_merge_takes_along_what_was_just_filed, fill),
        cmocka_unit_test_setup(a_merge_sees_what_both_have_just_filed, fill),
        cmocka_unit_test_setup(both_hold_the_same_row, fill),
        cmocka_unit_test_setup(two_people_whatever_a_program_believes, fill),
        cmocka_unit_test_setup(somebody_quicker_is_seen, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
