/* notification_uploads: chunks in any order, the end before or after the last, one mail each. */
#include <stdio.h>
#include <string.h>

#include "notification_fixture.h"

enum { DOCTORS = 6000 }; /* more than one lot */

static const char mails_of_doctor[] = "SELECT count(*) FROM notification.mail WHERE kind = 'M23'"
                                      " AND to_doctor = 1";
static const char lines_of_doctor[] =
    "SELECT coalesce(sum(jsonb_array_length(data -> 'lines')), 0) FROM notification.mail"
    " WHERE kind = 'M23' AND to_doctor = 1";
static const char not_gathering[] = "SELECT count(*) FROM notification.mail"
                                    " WHERE kind = 'M23' AND state <> 'gathering'";

/* Upkeep of a queue that sends nothing: the smart host stays silent. */
static void upkeep(void)
{
    static const struct smtp_script silent = {{"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}};

    smtp_server_say(&smtp, &silent);
    queue_open();
    wait_for("SELECT count(*) FROM notification.upload WHERE complete AND NOT released", 0);
    queue_close();
}

static void every_order_gives_the_same(void **state)
{
    static const int orders[][4] = {/* -1: the end */
                                    {0, 1, 2, -1},
                                    {-1, 0, 1, 2},
                                    {2, -1, 0, 1},
                                    {1, 2, -1, 0}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        (void)fill(state);
        for (size_t n = 0; n < 4; n++) {
            assert_int_equal(count("SELECT count(*) FROM notification.upload WHERE complete"), 0);
            if (orders[i][n] < 0)
                upload_done(3, "\"" ORGANISER "\"", 0);
            else if (orders[i][n] == 1) /* a chunk in which nothing was posted */
                posted_for(1, "[]", 0);
            else
                posted(orders[i][n], orders[i][n] == 0 ? "OPL-S" : "OPL-J", 3, 0);
        }
        assert_int_equal(count("SELECT count(*) FROM notification.upload WHERE complete"), 1);
        assert_int_equal(count(mails_of_doctor), 1);
        assert_int_equal(count(lines_of_doctor), 2);
        assert_int_equal(count(not_gathering), 0);
        upkeep();
        assert_int_equal(count("SELECT count(*) FROM notification.mail"), 2); /* doctors */
        assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE state = 'gathering'"),
                         0);
        /* Doctor 2 has no address. */
        assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE to_doctor = 2"
                               " AND state = 'suppressed' AND finished_at IS NOT NULL"),
                         1);
        assert_int_equal(notification.figures.suppressed, 1);
    }
}

static void lines_say_day_kind_and_units(void **state)
{
    struct arena *arena = arena_new();
    struct mail_message message;

    (void)state;
    posted(0, "OPL-S", 3, 0);
    posted(1, "OPL-J", 2, 0);
    message = rendered(arena, "M23");
    assert_string_equal(message.subject, "単位が登録されました（産業医生涯研修会）");
    assert_non_null(strstr(message.text, "・2026年11月15日　"));
    assert_non_null(strstr(message.text, "　1.5単位\n・2026年11月15日　"));
    assert_non_null(strstr(message.text, "　1単位\n"));
    assert_non_null(strstr(message.text, "産業医生涯研修会（S2026-0001）"));
    arena_free(arena);
}

/* What is taken back is no news that credits were posted. */
static void counter_entries_make_no_line(void **state)
{
    (void)state;
    posted(0, "OPL-S", -4, 1);
    assert_int_equal(count(mails_of_doctor), 0);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE to_doctor = 2"), 1);
    posted(1, "OPL-S", 4, 2);
    assert_int_equal(count(lines_of_doctor), 1);
}

static void what_comes_after_the_end_makes_one_further_mail(void **state)
{
    (void)state;
    posted(0, "OPL-S", 4, 0);
    upload_done(1, "null", 0);
    upkeep();
    sql("UPDATE notification.mail SET state = 'delivered', attempts = 1");
    bench_clock("2026-11-22T10:11:00+09:00");
    posted(1, "OPL-J", 4, 0);
    bench_clock("2026-11-22T10:19:00+09:00");
    posted(2, "OPL-K", 4, 0);
    assert_int_equal(count(mails_of_doctor), 2);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE to_doctor = 1"
                           " AND state = 'ready' AND jsonb_array_length(data -> 'lines') = 2"
                           " AND next_try_at = '2026-11-22T10:20:00+09:00'"),
                     1);
    bench_clock("2026-11-22T10:20:30+09:00");
    posted(3, "OPL-K", 4, 0);
    assert_int_equal(count(mails_of_doctor), 3);
    /* Once taken by a sender a mail does not change. */
    sql("UPDATE notification.mail SET attempts = 1");
    posted(4, "OPL-K", 4, 0);
    assert_int_equal(count(lines_of_doctor), 4);
}

static void large_uploads_are_released_in_lots(void **state)
{
    char doctors[16384];
    size_t len;

    (void)state;
    for (int from = 10; from < 10 + DOCTORS; from += 500) {
        len = (size_t)snprintf(doctors, sizeof(doctors), "[%d", from);
        for (int id = from + 1; id < from + 500; id++)
            len += (size_t)snprintf(doctors + len, sizeof(doctors) - len, ",%d", id);
        (void)snprintf(doctors + len, sizeof(doctors) - len, "]");
        posted_for(from / 500, doctors, 500);
    }
    upload_done(DOCTORS / 500, "null", 0);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE state = 'gathering'"),
                     DOCTORS);
    upkeep();
    assert_int_equal(count(not_gathering), DOCTORS);
}

/* ---- M22 ---- */

static void rows_to_correct_are_told_to_the_sender(void **state)
{
    struct arena *arena = arena_new();
    const char *body;

    (void)state;
    upload_done(0, "\"" ORGANISER "\"", 5);
    upload_done(0, "\"" ORGANISER "\"", 5);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M22'"
                           " AND to_account = '" ORGANISER "' AND state = 'ready'"),
                     1);
    body = rendered(arena, "M22").text;
    assert_non_null(strstr(body, "　5行\n"));
    assert_null(strstr(body, "その他"));
    assert_null(strstr(body, "　1行"));
    assert_non_null(strstr(body, "https://mamis.example.jp/uploads/" UPLOAD "\n"));
    assert_non_null(strstr(body, "全 9行\n登録 2行"));
    arena_free(arena);
}

static void a_tokens_file_is_told_to_the_organisers_accounts(void **state)
{
    (void)state;
    account(STAFF, 2, "organiser", "active", "second@example.jp", "P13");
    account(DOCTOR_ACCOUNT, 2, "organiser", "closed", "gone@example.jp", "P13");
    account(APPLICATION, 1, "organiser", "active", "", "P13");
    account(LINK, 1, "organiser", "active", "other@example.jp", "P14");
    upload_done(0, "null", 5);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 2);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE to_account IN ('" STAFF
                           "', '" ORGANISER "')"),
                     2);
}

static void a_clean_file_makes_no_mail_to_the_organiser(void **state)
{
    (void)state;
    upload_done(0, "\"" ORGANISER "\"", 0);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_gives_the_same),
        cmocka_unit_test_setup(lines_say_day_kind_and_units, fill),
        cmocka_unit_test_setup(counter_entries_make_no_line, fill),
        cmocka_unit_test_setup(what_comes_after_the_end_makes_one_further_mail, fill),
        cmocka_unit_test_setup(large_uploads_are_released_in_lots, fill),
        cmocka_unit_test_setup(rows_to_correct_are_told_to_the_sender, fill),
        cmocka_unit_test_setup(a_tokens_file_is_told_to_the_organisers_accounts, fill),
        cmocka_unit_test_setup(a_clean_file_makes_no_mail_to_the_organiser, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
