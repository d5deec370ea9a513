/*
 * Sign-ups to seminars: the tables of rules, then the messages of one seminar in their order on a
 * real database: places, the line, who moves up, what a merge of two doctors makes of it, and the
 * kinds that doctors choose (R-SEM-09) until they post.
 */
#include <string.h>

#include "credit/signup_rules.h"
#include "credit_check.h"

#define DELEGATION "0190a000-0000-7000-8000-0000000000d1"
#define STARTS "2026-12-06T13:00:00+09:00"

/* ---- rules ---- */

enum { NOW_US = 1000, LATER_US = 2000 };

static struct signup_facts facts_of(enum signup_state state, int64_t capacity, int64_t applied,
                                    int64_t waiting)
{
    return (struct signup_facts){.published = true,
                                 .starts_us = LATER_US,
                                 .capacity = capacity,
                                 .applied = applied,
                                 .waiting = waiting,
                                 .my_page = true,
                                 .state = state};
}

static void every_deed_from_every_state(void **state)
{
    static const struct {
        enum signup_deed deed;
        enum signup_state from;
        int64_t capacity, applied, waiting;
        enum code refusal;
        enum signup_state next;
        int64_t promoted;
    } cases[] = {
        {SIGNUP_APPLY, SIGNUP_NONE, 2, 1, 0, CODE_NONE, SIGNUP_APPLIED, 0},
        {SIGNUP_APPLY, SIGNUP_NONE, 2, 2, 0, CODE_NONE, SIGNUP_WAITLIST, 0},
        {SIGNUP_APPLY, SIGNUP_NONE, 0, 0, 0, CODE_NONE, SIGNUP_WAITLIST, 0},
        {SIGNUP_APPLY, SIGNUP_NONE, SIGNUP_NO_LIMIT, 900, 0, CODE_NONE, SIGNUP_APPLIED, 0},
        /* Capacity was raised: who waits comes first. */
        {SIGNUP_APPLY, SIGNUP_NONE, 3, 2, 1, CODE_NONE, SIGNUP_WAITLIST, 1},
        {SIGNUP_APPLY, SIGNUP_NONE, 4, 2, 1, CODE_NONE, SIGNUP_APPLIED, 1},
        {SIGNUP_APPLY, SIGNUP_NONE, SIGNUP_NO_LIMIT, 2, 3, CODE_NONE, SIGNUP_APPLIED, 3},
        /* Lowered: nobody loses a place. */
        {SIGNUP_APPLY, SIGNUP_NONE, 1, 2, 1, CODE_NONE, SIGNUP_WAITLIST, 0},
        {SIGNUP_APPLY, SIGNUP_APPLIED, 9, 1, 0, CODE_SIGNUP_TWICE, SIGNUP_APPLIED, 0},
        {SIGNUP_APPLY, SIGNUP_WAITLIST, 1, 1, 1, CODE_SIGNUP_TWICE, SIGNUP_WAITLIST, 0},
        {SIGNUP_APPLY, SIGNUP_CANCELLED, 1, 1, 1, CODE_NONE, SIGNUP_WAITLIST, 0},
        {SIGNUP_APPLY, SIGNUP_CANCELLED, 1, 0, 0, CODE_NONE, SIGNUP_APPLIED, 0},
        {SIGNUP_CANCEL, SIGNUP_NONE, 1, 1, 1, CODE_SIGNUP_NONE, SIGNUP_NONE, 0},
        {SIGNUP_CANCEL, SIGNUP_APPLIED, 1, 1, 1, CODE_NONE, SIGNUP_CANCELLED, 1},
        {SIGNUP_CANCEL, SIGNUP_APPLIED, 1, 1, 0, CODE_NONE, SIGNUP_CANCELLED, 0},
        {SIGNUP_CANCEL, SIGNUP_APPLIED, 1, 2, 1, CODE_NONE, SIGNUP_CANCELLED, 0},
        {SIGNUP_CANCEL, SIGNUP_WAITLIST, 1, 1, 2, CODE_NONE, SIGNUP_CANCELLED, 0},
        {SIGNUP_CANCEL, SIGNUP_CANCELLED, 1, 1, 1, CODE_SIGNUP_NONE, SIGNUP_CANCELLED, 0},
        /* Nobody's place is another one, also where there is room now. */
        {SIGNUP_CHOOSE, SIGNUP_NONE, 9, 1, 0, CODE_SIGNUP_NONE, SIGNUP_NONE, 0},
        {SIGNUP_CHOOSE, SIGNUP_APPLIED, 9, 1, 2, CODE_NONE, SIGNUP_APPLIED, 0},
        {SIGNUP_CHOOSE, SIGNUP_WAITLIST, 9, 1, 2, CODE_NONE, SIGNUP_WAITLIST, 0},
        {SIGNUP_CHOOSE, SIGNUP_CANCELLED, 9, 1, 0, CODE_SIGNUP_NONE, SIGNUP_CANCELLED, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct signup_facts facts =
            facts_of(cases[i].from, cases[i].capacity, cases[i].applied, cases[i].waiting);
        struct signup_verdict verdict;

        rules_signup(&facts, cases[i].deed, NOW_US, &verdict);
        assert_int_equal(verdict.refusal, cases[i].refusal);
        assert_int_equal(verdict.next, cases[i].next);
        assert_int_equal(verdict.promoted, cases[i].promoted);
    }
}

static void it_ends_with_the_first_session(void **state)
{
    const int64_t starts[] = {NOW_US, NOW_US - 1, INT64_MIN};
    struct signup_verdict verdict;

    (void)state;
    for (int deed = 0; deed < SIGNUP_DEEDS; deed++) {
        struct signup_facts facts = facts_of(SIGNUP_APPLIED, 1, 1, 0);

        for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
            facts.starts_us = starts[i];
            rules_signup(&facts, (enum signup_deed)deed, NOW_US, &verdict);
            assert_int_equal(verdict.refusal,
                             deed == SIGNUP_CHOOSE ? CODE_NONE : CODE_SIGNUP_CLOSED);
        }
        facts = facts_of(SIGNUP_APPLIED, 1, 1, 0);
        facts.published = false;
        rules_signup(&facts, (enum signup_deed)deed, NOW_US, &verdict);
        assert_int_equal(verdict.refusal, CODE_SIGNUP_CLOSED);
    }
}

static void who_has_no_my_page_only_cancels(void **state)
{
    struct signup_facts facts = facts_of(SIGNUP_APPLIED, 1, 1, 0);
    struct signup_verdict verdict;

    (void)state;
    facts.my_page = false;
    rules_signup(&facts, SIGNUP_APPLY, NOW_US, &verdict);
    assert_int_equal(verdict.refusal, CODE_SIGNUP_ACCOUNT);
    rules_signup(&facts, SIGNUP_CANCEL, NOW_US, &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    for (int i = SIGNUP_APPLIED; i < SIGNUP_STATES; i++)
        assert_int_equal(signup_state_of(str_of(signup_state_name((enum signup_state)i))), i);
    assert_int_equal(signup_state_of(STR("")), SIGNUP_NONE);
}

/* Choices as "SESSION KIND,...", and what is wanted of the first session then. */
static void what_can_be_chosen(void **state)
{
    static const struct {
        const char *asked, *chosen;
        bool posted;
        enum code refusal;
        const char *value, *wanted;
    } cases[] = {
        {"", "", false, CODE_NONE, "", ""},
        {"1 OPL-S", "", false, CODE_NONE, "", "OPL-S"},
        {"1 SPR,1 OPB-K", "", false, CODE_NONE, "", "OPB-K/SPR"},
        {"1 CME-007", "OPL-S", false, CODE_NONE, "", "CME-007"}, /* there is no other one */
        {"2 OPB-K", "", false, CODE_CHOICE_NOT_OFFERED, "OPB-K", ""},
        {"1 OPL-R", "", false, CODE_CHOICE_NOT_OFFERED, "OPL-R", ""},
        {"1 x", "", false, CODE_CHOICE_NOT_OFFERED, "x", ""},
        {"9 OPL-S", "", false, CODE_CHOICE_NOT_OFFERED, "OPL-S", ""},
        {"1 OPL-S,1 OPB-K", "", false, CODE_CHOICE_TWICE, "OPB-K", "OPL-S"},
        {"1 OPL-S,1 OPL-S", "", false, CODE_CHOICE_TWICE, "OPL-S", "OPL-S"},
        {"1 OPL-S", "", true, CODE_CHOICE_POSTED, "1", "OPL-S"},
        {"", "OPL-S", true, CODE_CHOICE_POSTED, "1", ""},
        {"1 OPL-S,2 OPL-R", "OPL-S", true, CODE_NONE, "", "OPL-S"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *own = arena_new();
        struct signup_session sessions[] = {
            {.session_no = STR("1"), .posted = cases[i].posted, .chosen = str_of(cases[i].chosen)},
            {.session_no = STR("2"), .chosen = STR("")}};
        struct str list = str_of(cases[i].asked), one;
        struct signup_choice choices[4];
        struct choice_verdict verdict;
        size_t count = 0;

        assert_int_equal(offers_parse(STR("OPB-K:2|OPL-S:2;CME-007:1;SPZ-01:1|SPR:1"),
                                      DELIVERY_VENUE, &sessions[0].offers),
                         OFFERS_FINE);
        assert_int_equal(offers_parse(STR("OPL-S:2|OPL-R:2"), DELIVERY_VENUE, &sessions[1].offers),
                         OFFERS_FINE);
        while (list.len > 0 && str_cut(&list, ',', &one)) {
            (void)str_cut(&one, ' ', &choices[count].session_no);
            choices[count++].kind = one;
        }
        rules_choices(own, sessions, ARRAY_LEN(sessions), choices, count, &verdict);
        assert_int_equal(verdict.refusal, cases[i].refusal);
        assert_true(str_eq_c(verdict.value, cases[i].value));
        assert_true(str_eq_c(choice_codes(own, &sessions[0], false, "/"), cases[i].wanted));
        arena_free(own);
    }
}

/* ---- messages ---- */

static long long doctor(int place)
{
    return count("SELECT doctor_id FROM credit.doctor WHERE register_no = %lld",
                 number_of("active", place));
}

/* What became of it: the state, or the refusal's code. */
static const char *asked(const char *action, long long doctor_id, bool by_delegate)
{
    inject(EVENT_SEMINAR_SIGNUP,
           "{\"operation_id\":\"" OPERATION "\",\"actor_id\":\"" ACTOR "\",\"role\":\"%s\","
           "\"delegation_id\":%s,\"action\":\"%s\",\"seminar_no\":\"SIGN\",\"doctor_id\":%lld}",
           by_delegate ? "delegate" : "doctor", by_delegate ? "\"" DELEGATION "\"" : "null", action,
           doctor_id);
    assert_int_equal(handle_at(waiting() - 1), ERR_OK);
    return bench.answer_code[0] != '\0' ? bench.answer_code : bench_text(bench.answer, "state");
}

/* The same with kinds of the first session, as JSON strings. */
static const char *chose(long long doctor_id, const char *kinds)
{
    inject(EVENT_SEMINAR_SIGNUP,
           "{\"operation_id\":\"" OPERATION "\",\"actor_id\":\"" ACTOR "\",\"role\":\"doctor\","
           "\"delegation_id\":null,\"action\":\"apply\",\"seminar_no\":\"SIGN\","
           "\"doctor_id\":%lld,\"choose\":true,\"choices\":[%s]}",
           doctor_id, kinds);
    assert_int_equal(handle_at(waiting() - 1), ERR_OK);
    return bench.answer_code[0] != '\0' ? bench.answer_code : bench_text(bench.answer, "state");
}

static const char *state_of(long long doctor_id)
{
    return bench_text(
        ask("SELECT to_json(s) FROM credit.signup s WHERE doctor_id = %lld", doctor_id), "state");
}

static json_t *last_heard(void)
{
    return heard_data(EVENT_SEMINAR_SIGNUP_CHANGED, heard(EVENT_SEMINAR_SIGNUP_CHANGED) - 1);
}

static void places_then_the_line(void **state)
{
    (void)state;
    assert_string_equal(asked("apply", doctor(0), false), "applied");
    assert_true(json_is_null(json_object_get(bench.answer, "waiting_before")));
    assert_string_equal(asked("apply", doctor(1), true), "applied");
    assert_true(json_is_true(json_object_get(last_heard(), "by_delegate")));
    assert_string_equal(asked("apply", doctor(2), false), "waitlist");
    assert_int_equal(bench_number(bench.answer, "waiting_before"), 0);
    assert_string_equal(asked("apply", doctor(3), false), "waitlist");
    assert_int_equal(bench_number(bench.answer, "waiting_before"), 1);
    assert_int_equal(heard(EVENT_SEMINAR_SIGNUP_CHANGED), 4);
    assert_string_equal(bench_text(last_heard(), "state"), "waitlist");
    assert_string_equal(bench_text(last_heard(), "seminar_title"), "申し込み");
    assert_string_equal(bench_text(last_heard(), "starts_at"), STARTS);
    /* Twice: told so, and nothing is another than before. */
    assert_string_equal(asked("apply", doctor(0), false), "signup_twice");
    assert_string_equal(asked("apply", doctor(2), false), "signup_twice");
    assert_int_equal(heard(EVENT_SEMINAR_SIGNUP_CHANGED), 4);
    assert_int_equal(count("SELECT sum(version) FROM credit.signup"), 4);
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE action = 'signup_apply'"
                           " AND actor = '" ACTOR "' AND subject = 'SIGN'"),
                     4);
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE detail ->> 'role' = 'delegate'"
                           " AND detail ->> 'delegation_id' = '" DELEGATION "'"
                           " AND detail ->> 'doctor' = '%lld'",
                           doctor(1)),
                     1);
}

static void a_cancellation_gives_the_place_to_the_first(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        (void)asked("apply", doctor(i), false);
    assert_string_equal(asked("cancel", doctor(3), false), "cancelled_by_doctor"); /* waits */
    assert_string_equal(asked("cancel", doctor(0), true), "cancelled_by_doctor");
    assert_string_equal(state_of(doctor(2)), "applied");
    assert_string_equal(state_of(doctor(4)), "waitlist");
    assert_true(json_is_true(json_object_get(last_heard(), "promoted")));
    assert_int_equal(bench_number(last_heard(), "doctor_id"), doctor(2));
    assert_int_equal(bench_number(last_heard(), "version"), 2);
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE action = 'signup_promote'"
                           " AND actor IS NULL AND detail ->> 'doctor' = '%lld'",
                           doctor(2)),
                     1);
    assert_string_equal(asked("cancel", doctor(0), false), "signup_none");
    assert_string_equal(asked("cancel", doctor(6), false), "signup_none");
    /* Again: at the end, behind who waits. */
    assert_string_equal(asked("apply", doctor(0), false), "waitlist");
    assert_int_equal(bench_number(bench.answer, "waiting_before"), 1);
    assert_string_equal(asked("cancel", doctor(1), false), "cancelled_by_doctor");
    assert_string_equal(state_of(doctor(4)), "applied");
    assert_string_equal(state_of(doctor(0)), "waitlist");
    assert_int_equal(count("SELECT count(*) FROM credit.signup WHERE state = 'applied'"), 2);
}

static void the_smallest_capacity_counts_and_may_change(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        (void)asked("apply", doctor(i), false);
    sql("UPDATE credit.session SET capacity = NULL WHERE seminar_no = 'SIGN'");
    assert_string_equal(asked("apply", doctor(4), false), "applied");
    assert_string_equal(state_of(doctor(2)), "applied");
    assert_string_equal(state_of(doctor(3)), "applied");
}

static void it_is_closed_in_time(void **state)
{
    (void)state;
    (void)asked("apply", doctor(0), false);
    assert_string_equal(asked("apply", 987654321, false), "signup_account");
    sql("UPDATE credit.seminar SET status = 'cancelled' WHERE seminar_no = 'SIGN'");
    assert_string_equal(asked("cancel", doctor(0), false), "signup_closed");
    sql("UPDATE credit.seminar SET status = 'published' WHERE seminar_no = 'SIGN'");
    bench_clock(STARTS);
    assert_string_equal(asked("apply", doctor(1), false), "signup_closed");
    assert_string_equal(asked("cancel", doctor(0), false), "signup_closed");
    inject(EVENT_SEMINAR_SIGNUP,
           "{\"operation_id\":\"" OPERATION "\",\"actor_id\":\"" ACTOR "\",\"role\":\"doctor\","
           "\"delegation_id\":null,\"action\":\"apply\",\"seminar_no\":\"NONE\",\"doctor_id\":1}");
    drain();
    assert_string_equal(bench.answer_code, "not_found");
    assert_string_equal(state_of(doctor(0)), "applied");
}

/* ---- merges ---- */

static void merge(long long kept, long long closed)
{
    bench_handle(&bench, credit_merge_handle, &credit, EVENT_DOCTOR_MERGED,
                 "{\"merge_id\": \"" DELEGATION "\", \"kept_id\": %lld, \"closed_id\": %lld,"
                 " \"actor_id\": \"" ACTOR "\", \"actor_role\": \"office_l3\","
                 " \"reason\": \"same\", \"name\": \"医師\", \"kept_email\": \"\","
                 " \"closed_email\": \"\", \"names_kana\": [\"イシ\"]}",
                 kept, closed);
    take_events();
}

static void a_merge_takes_the_sign_up_along(void **state)
{
    (void)state;
    (void)asked("apply", doctor(0), false);
    (void)asked("apply", doctor(5), false);
    (void)asked("cancel", doctor(5), false); /* what was taken back is in nobody's way */
    merge(doctor(5), doctor(0));
    assert_int_equal(waiting(), 1);
    repeat(0);
    drain();
    assert_string_equal(state_of(doctor(5)), "applied");
    assert_int_equal(count("SELECT count(*) FROM credit.signup"), 1);
    assert_int_equal(count("SELECT version FROM credit.signup"), 3);
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE action = 'signup_move'"), 1);
    /* A command of the closed one that was on its way counts for the other. */
    assert_string_equal(asked("apply", doctor(0), false), "signup_twice");
}

static void a_merge_gives_the_second_place_back(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        (void)asked("apply", doctor(i), false);
    merge(doctor(1), doctor(0));
    drain();
    assert_string_equal(state_of(doctor(1)), "applied");
    assert_string_equal(state_of(doctor(2)), "applied");
    assert_string_equal(state_of(doctor(3)), "waitlist");
    assert_int_equal(count("SELECT count(*) FROM credit.signup"), 3);
}

static void the_sweep_finds_what_came_late(void **state)
{
    (void)state;
    (void)asked("apply", doctor(0), false);
    sql("UPDATE credit.signup SET doctor_id = %lld", doctor(6));
    merge(doctor(1), doctor(0));
    sql("UPDATE credit.signup SET doctor_id = %lld", doctor(0));
    bench_forget(&bench);
    credit_release_sweep(&credit);
    while (credit.release_running)
        (void)loop_run_until(bench.loop, &(bool){false}, 10);
    take_events();
    drain();
    assert_string_equal(state_of(doctor(1)), "applied");
}

/* ---- kinds ---- */

#define BASIC "{\"session_no\":\"1\",\"kind\":\"OPB-K\"}"
#define LIFELONG "{\"session_no\":\"1\",\"kind\":\"OPL-S\"}"

/* The first session offers alternatives; doctors 0 to 2 are certified on its day, 3 is not. */
static void offer_alternatives(void)
{
    sql("UPDATE credit.session SET offers = 'OPB-K:2|OPL-S:2;CME-007:1' WHERE seminar_no = 'SIGN'"
        " AND session_no = '1'");
    for (int i = 0; i < 4; i++)
        sql("DELETE FROM credit.certificate WHERE doctor_id = %lld", doctor(i));
    for (int i = 0; i < 3; i++)
        sql("INSERT INTO credit.certificate (doctor_id, programme, version, first_from, valid_to)"
            " VALUES (%lld, 'OP', 1, '2025-12-07', '2030-12-06')",
            doctor(i));
}

static struct str attendance(void)
{
    return text("医籍登録番号,セッション番号\n%lld,1\n%lld,1\n%lld,1\n%lld,1\n",
                number_of("active", 0), number_of("active", 1), number_of("active", 2),
                number_of("active", 3));
}

static bool posted_as(int place, const char *kind)
{
    return count("SELECT count(*) FROM credit.ledger WHERE doctor_id = %lld AND kind = '%s'"
                 " AND programme = 'OP'",
                 doctor(place), kind) == 1;
}

static void the_chosen_kind_posts(void **state)
{
    struct sent upload;

    (void)state;
    offer_alternatives();
    sql("UPDATE credit.session SET capacity = NULL WHERE seminar_no = 'SIGN'");
    assert_string_equal(chose(doctor(0), BASIC), "applied");
    assert_string_equal(asked("apply", doctor(1), false), "applied");
    assert_string_equal(asked("apply", doctor(2), false), "applied");
    assert_string_equal(chose(doctor(3), BASIC), "applied");
    /* On a sign-up that stands: chosen again, also after the seminar, and nobody is told. */
    bench_clock("2026-12-06T20:00:00+09:00");
    assert_string_equal(chose(doctor(3), LIFELONG), "applied");
    assert_string_equal(chose(doctor(2), BASIC), "applied");
    assert_string_equal(chose(doctor(2), ""), "applied");
    assert_int_equal(heard(EVENT_SEMINAR_SIGNUP_CHANGED), 4);
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE action = 'signup_choose'"
                           " AND detail -> 'choices' = '{\"1\": \"OPB-K\"}'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM credit.signup WHERE choices IS NULL"), 2);
    /* A dry run says what posting then does. */
    upload = send_dry_run("SIGN", attendance());
    drain();
    assert_int_equal(count("SELECT count(*) FROM credit.upload_chunk WHERE upload_no = %lld AND"
                           " posted_kinds = '{OPB-K/CME-007,OPL-S/CME-007,OPL-S/CME-007,"
                           "OPL-S/CME-007}'",
                           (long long)upload.no),
                     1);
    upload = post_file("SIGN", attendance());
    assert_counts(&upload, (const int64_t[]){4, 0, 0, 0, 0, 0});
    assert_true(posted_as(0, "OPB-K") && posted_as(1, "OPL-S"));
    assert_true(posted_as(2, "OPL-S") && posted_as(3, "OPL-S"));
    assert_string_equal(chose(doctor(0), LIFELONG), "choice_posted");
    assert_string_equal(chose(doctor(0), BASIC), "applied"); /* as it is */
}

static void what_is_chosen_is_checked(void **state)
{
    (void)state;
    offer_alternatives();
    assert_string_equal(chose(doctor(0), "{\"session_no\":\"1\",\"kind\":\"OPL-R\"}"),
                        "choice_not_offered");
    assert_string_equal(chose(doctor(0), "{\"session_no\":\"8\",\"kind\":\"OPL-S\"}"),
                        "choice_not_offered");
    assert_string_equal(chose(doctor(0), BASIC "," LIFELONG), "choice_twice");
    assert_int_equal(count("SELECT count(*) FROM credit.signup"), 0);
    /* Who waits is told the same place in the line; who begins anew chooses anew. */
    for (int i = 0; i < 4; i++)
        (void)asked("apply", doctor(i), false);
    assert_string_equal(chose(doctor(3), BASIC), "waitlist");
    assert_int_equal(bench_number(bench.answer, "waiting_before"), 1);
    assert_string_equal(asked("cancel", doctor(3), false), "cancelled_by_doctor");
    assert_string_equal(asked("apply", doctor(3), false), "waitlist");
    assert_int_equal(count("SELECT count(*) FROM credit.signup WHERE choices IS NOT NULL"), 0);
}

static int open_seminar(void **state)
{
    int failed = open_bench(state);

    sql("INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
        " VALUES ('SIGN', '申し込み', 'P13');"
        "INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
        " delivery, grace_minutes, offers) SELECT 'SIGN', n, 's', '" STARTS "'::timestamptz"
        "  + n * interval '2 h' - interval '2 h', '" STARTS "'::timestamptz + n * interval '2 h',"
        "  '2026-12-06', 'venue', 0, 'OPL-S:2' FROM generate_series(1, 3) AS n");
    return failed;
}

static int clean_signups(void **state)
{
    int failed = clean(state);

    sql("DELETE FROM credit.merge; UPDATE credit.doctor SET version = version;"
        "UPDATE credit.session SET capacity = nullif(session_no::int, 1), offers = 'OPL-S:2'"
        " WHERE seminar_no = 'SIGN'");
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_deed_from_every_state),
        cmocka_unit_test(it_ends_with_the_first_session),
        cmocka_unit_test(who_has_no_my_page_only_cancels),
        cmocka_unit_test(what_can_be_chosen),
        cmocka_unit_test_setup(places_then_the_line, clean_signups),
        cmocka_unit_test_setup(a_cancellation_gives_the_place_to_the_first, clean_signups),
        cmocka_unit_test_setup(the_smallest_capacity_counts_and_may_change, clean_signups),
        cmocka_unit_test_setup(it_is_closed_in_time, clean_signups),
        cmocka_unit_test_setup(a_merge_takes_the_sign_up_along, clean_signups),
        cmocka_unit_test_setup(a_merge_gives_the_second_place_back, clean_signups),
        cmocka_unit_test_setup(the_sweep_finds_what_came_late, clean_signups),
        cmocka_unit_test_setup(the_chosen_kind_posts, clean_signups),
        cmocka_unit_test_setup(what_is_chosen_is_checked, clean_signups),
    };

    return cmocka_run_group_tests(tests, open_seminar, close_bench);
}
