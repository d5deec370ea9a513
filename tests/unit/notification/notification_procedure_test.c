/* notification_procedure: which step of a procedure makes which mail, to whom, once (M08 to M14).
 */
#include <stdio.h>
#include <string.h>

#include "notification_fixture.h"

#define PROCEDURE "0195f2f0-0000-7000-8000-0000000000c1"
#define L1_STAFF "0195f2f0-0000-7000-8000-000000000031"
#define L3_STAFF "0195f2f0-0000-7000-8000-000000000032"

static int fill_offices(void **state)
{
    fill(state);
    assert_int_equal(
        bench_handle(&bench, notification_account_handle, &notification, EVENT_ACCOUNT_STATE,
                     "{\"account_id\": \"" L1_STAFF "\", \"version\": 1, \"role\": \"office_l1\","
                     " \"state\": \"active\", \"step\": \"\", \"name\": \"郡市\","
                     " \"email\": \"l1@example.jp\", \"email_confirmed\": true,"
                     " \"l1_code\": \"13001\"}"),
        ERR_OK);
    account(L3_STAFF, 1, "office_l3", "active", "l3@example.jp", "");
    return 0;
}

static void tell(int version, const char *kind, const char *stage, const char *action,
                 const char *rest)
{
    assert_int_equal(
        bench_handle(&bench, notification_procedure_handle, &notification, EVENT_PROCEDURE_STATE,
                     "{\"procedure_id\": \"" PROCEDURE "\", \"version\": %d, \"doctor_id\": 1,"
                     " \"kind\": \"%s\", \"stage\": \"%s\", \"action\": \"%s\", \"layer\": 1,"
                     " \"granted\": 1, \"depth\": 2, \"effective_on\": \"2026-12-01\", %s}",
                     version, kind, stage, action, rest),
        ERR_OK);
}

#define PLAIN "\"reason\": null, \"by_office\": false, \"notices\": []"
#define WHY "\"reason\": \"区分を確かめて\", \"by_office\": false, \"notices\": []"
#define LOSES ", \"loses_insurance\": true"
#define BY_OFFICE "\"reason\": null, \"by_office\": true, \"notices\": []"

static int64_t mails(const char *kind)
{
    char text[200];

    (void)snprintf(text, sizeof(text),
                   "SELECT count(*) FROM notification.mail WHERE kind = '%s' AND to_doctor = 1",
                   kind);
    return count(text);
}

static void each_step_has_its_mail(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    tell(1, "admission", "l1_review", "submit", PLAIN);
    tell(1, "admission", "l1_review", "submit", PLAIN);
    assert_int_equal(mails("M08"), 1);
    tell(2, "admission", "returned", "return", WHY);
    assert_int_equal(mails("M10"), 1);
    assert_non_null(strstr(rendered(arena, "M10").text, "区分を確かめて"));
    tell(2, "admission", "returned", "remind", WHY);
    assert_int_equal(mails("M10"), 2);
    tell(3, "admission", "l1_review", "resubmit", PLAIN);
    tell(4, "admission", "l1_wait_fee", "need_fee", PLAIN);
    tell(5, "admission", "l2_review", "approve", PLAIN);
    assert_int_equal(mails("M11"), 1);
    assert_non_null(strstr(rendered(arena, "M11").text, "郡市区等医師会で承認されました"));
    assert_int_equal(mails("M12"), 0);
    tell(6, "admission", "partial", "reject", WHY);
    assert_int_equal(mails("M12"), 1);
    assert_non_null(strstr(rendered(arena, "M12").text, "郡市区等医師会までの入会が承認され"));
    tell(7, "admission", "partial", "reach", PLAIN);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 5);
    arena_free(arena);
}

/* R-MEM-07: told when it is filed and when it is decided, but not of what comes to nothing. */
static void who_loses_the_insurance_is_told(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    tell(1, "withdrawal_l3", "l1_receive", "submit", PLAIN LOSES);
    assert_non_null(
        strstr(rendered(arena, "M08").text, "賠償責任保険とその特約は使えなくなります"));
    tell(2, "withdrawal_l3", "done", "approve", PLAIN LOSES);
    assert_non_null(strstr(rendered(arena, "M12").text, "ほかの保険を先にご用意ください"));
    assert_int_equal(fill_offices(state), 0);
    tell(1, "withdrawal_l3", "l1_receive", "submit", PLAIN);
    assert_null(strstr(rendered(arena, "M08").text, "保険"));
    tell(2, "withdrawal_l3", "rejected", "reject", PLAIN LOSES);
    assert_null(strstr(rendered(arena, "M12").text, "保険"));
    arena_free(arena);
}

/* What an office entered goes back to the office, not to the doctor. */
static void a_paper_comes_back_to_the_office(void **state)
{
    (void)state;
    tell(2, "change", "returned", "return", BY_OFFICE);
    tell(2, "change", "returned", "remind", BY_OFFICE);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 0);
}

static void offices_hear_whose_membership_ends(void **state)
{
    (void)state;
    tell(3, "withdrawal_all", "done", "approve",
         "\"reason\": null, \"by_office\": false, \"notices\": [{\"layer\": 2, \"code\": \"13\"},"
         " {\"layer\": 3, \"code\": \"\"}]");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M13'"
                           " AND to_account IN ('" STAFF "', '" L3_STAFF "')"),
                     2);
    tell(4, "withdrawal_all", "effective", "reach",
         "\"reason\": null, \"by_office\": false, \"notices\": [{\"layer\": 2, \"code\": \"13\"}]");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M13'"), 2);
}

static void nobody_writes_to_the_dead(void **state)
{
    (void)state;
    tell(1, "death", "l3_confirm", "submit", BY_OFFICE);
    tell(2, "death", "done", "approve", BY_OFFICE);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 0);
}

static void a_desk_hears_once_a_day(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(bench_handle(&bench, notification_digest_handle, &notification,
                                      EVENT_PROCEDURE_DIGEST,
                                      "{\"layer\": 1, \"code\": \"13001\", \"day\": \"2026-11-22\","
                                      " \"waiting\": 3, \"overdue\": 1, \"oldest_days\": 16}"),
                         ERR_OK);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M09'"
                           " AND to_account = '" L1_STAFF "'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    assert_non_null(strstr(rendered(arena, "M09").text, "期限を過ぎたもの: 1件"));
    arena_free(arena);
}

/* Nothing waits unseen where nobody has an account: told at once, and weekly. */
static void a_desk_without_staff_is_told_of(void **state)
{
    static const struct {
        int day, oldest_days;
        int64_t mails;
    } cases[] = {{22, 4, 1}, {23, 5, 1}, {25, 7, 2}, {26, 0, 3}};
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(bench_handle(&bench, notification_digest_handle, &notification,
                                      EVENT_PROCEDURE_DIGEST,
                                      "{\"layer\": 1, \"code\": \"40016\", \"day\": \"2026-11-%d\","
                                      " \"waiting\": 2, \"overdue\": 0, \"oldest_days\": %d}",
                                      cases[i].day, cases[i].oldest_days),
                         ERR_OK);
        assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M09-nobody'"
                               " AND to_account = '" L3_STAFF "'"),
                         cases[i].mails);
    }
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M09'"), 0);
    assert_non_null(strstr(rendered(arena, "M09-nobody").text, "郡市区等医師会 40016"));
    arena_free(arena);
}

static void a_trainee_hears_twice(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(bench_handle(&bench, notification_training_handle, &notification,
                                      EVENT_TRAINING_ENDS,
                                      "{\"doctor_id\": 1, \"notice\": %d,"
                                      " \"ends_on\": \"2027-03-31\", \"category\": \"A2C\","
                                      " \"category_after\": \"A2B\"}",
                                      1 + i / 2),
                         ERR_OK);
    assert_int_equal(mails("M14"), 2);
    assert_non_null(strstr(rendered(arena, "M14").text, "A2(C) から A2(B)"));
    arena_free(arena);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fill_offices)
    const struct CMUnitTest tests[] = {
        TEST(each_step_has_its_mail),           TEST(who_loses_the_insurance_is_told),
        TEST(a_paper_comes_back_to_the_office), TEST(offices_hear_whose_membership_ends),
        TEST(nobody_writes_to_the_dead),        TEST(a_desk_hears_once_a_day),
        TEST(a_desk_without_staff_is_told_of),  TEST(a_trainee_hears_twice),
    };
#undef TEST

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
