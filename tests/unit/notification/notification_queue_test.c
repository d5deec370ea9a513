/* notification_queue: mails go out once, wait when told to, and outlive an absent smart host. */
#include <stdio.h>
#include <string.h>

#include "notification_fixture.h"

#define OK SMTP_OK
#define GO SMTP_GO
#define HI STR("220 test\r\n")

static const char delivered[] = "SELECT count(*) FROM notification.mail WHERE state = 'delivered'";
static const char active[] = "SELECT count(*) FROM notification.mail WHERE state = 'active'";

static int fill_and_open(void **state)
{
    (void)fill(state);
    queue_open();
    return 0;
}

static int close_queue(void **state)
{
    (void)state;
    if (notification.queue != NULL)
        queue_close();
    return 0;
}

/* An hour later, for mails that wait. */
static void later(void)
{
    bench_clock("2026-11-22T11:00:00+09:00");
}

static void assert_sent_once(int mails)
{
    assert_int_equal(smtp_server_count(&smtp), mails);
    for (int i = 1; i <= mails; i++) {
        char id[64];

        (void)snprintf(id, sizeof(id), "M02.%d@mamis.example.jp", i);
        assert_int_equal(smtp_server_copies(&smtp, id), 1);
    }
}

static void due_mails_are_delivered_once(void **state)
{
    (void)state;
    fill_mails(60);
    wait_for(delivered, 60);
    assert_sent_once(60);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE attempts = 1"
                           " AND finished_at IS NOT NULL AND sender IS NULL AND last_code = 250"
                           " AND NOT ambiguous AND NOT handed_over"),
                     60);
    /* Connections are kept; there are no more than allowed. */
    assert_true(smtp_server_connections(&smtp) <= notification_settings.mail_connections);
    assert_int_equal(notification.figures.delivered, 60);
}

/* From the event to the letter: headers, recipient, body. */
static void an_event_becomes_a_letter(void **state)
{
    const struct smtp_kept *kept;

    (void)state;
    posted(0, "OPL-S", 4, 0);
    upload_done(1, "\"" ORGANISER "\"", 3);
    wait_for(delivered, 2); /* doctor 2 has no address */
    assert_int_equal(smtp_server_count(&smtp), 2);
    assert_int_equal(smtp_server_copies(&smtp, "kenshu@example.jp"), 1);
    assert_int_equal(smtp_server_copies(&smtp, DOCTOR_ADDRESS), 1);
    kept = smtp_server_kept(&smtp, 0);
    assert_non_null(strstr(kept->body, "\r\nSubject: =?"));
    assert_non_null(strstr(kept->body, "\r\nAuto-Submitted: auto-generated\r\n"));
    assert_non_null(strstr(kept->body, "Date: Sun, 22 Nov 2026 10:00:"));
}

static void a_deferred_mail_waits_and_goes_out(void **state)
{
    const struct smtp_script busy = {HI, OK, OK, STR("451 4.3.0 try later\r\n"), GO, OK};

    (void)state;
    smtp_server_say(&smtp, &busy);
    fill_mails(1);
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'deferred' AND attempts = 1"
             " AND last_code = 451 AND last_text = '451 4.3.0 try later'"
             " AND next_try_at BETWEEN '2026-11-22T10:01:00+09:00' AND '2026-11-22T10:01:20+09:00'",
             1);
    bench_clock("2026-11-22T10:02:00+09:00");
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'deferred' AND attempts = 2"
             " AND next_try_at BETWEEN '2026-11-22T10:04:00+09:00' AND '2026-11-22T10:04:20+09:00'",
             1);
    smtp_server_say(&smtp, &smtp_takes_all);
    later();
    wait_for(delivered, 1);
    assert_sent_once(1);
}

static void a_refused_address_bounces_and_is_flagged(void **state)
{
    const struct smtp_script unknown = {HI, OK, OK, STR("550 5.1.1 no such user\r\n"), GO, OK};

    (void)state;
    smtp_server_say(&smtp, &unknown);
    fill_mails(1);
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'bounced' AND last_code = 550"
             " AND attempts = 1 AND finished_at IS NOT NULL",
             1);
    assert_int_equal(count("SELECT count(*) FROM notification.undeliverable"
                           " WHERE address = 'm1@example.jp' AND code = 550"
                           " AND said = '550 5.1.1 no such user'"),
                     1);
    /* The next one gets through: the address is well again. */
    smtp_server_say(&smtp, &smtp_takes_all);
    sql("UPDATE notification.mail SET state = 'ready', finished_at = NULL");
    wait_for(delivered, 1);
    assert_int_equal(count("SELECT count(*) FROM notification.undeliverable"), 0);
}

static void a_refused_text_bounces_without_a_flag(void **state)
{
    const struct smtp_script large = {HI, OK, OK, OK, GO, STR("552 too large\r\n")};

    (void)state;
    smtp_server_say(&smtp, &large);
    fill_mails(1);
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'bounced' AND last_code = 552",
             1);
    assert_int_equal(count("SELECT count(*) FROM notification.undeliverable"), 0);
}

static void what_cannot_be_sent_is_suppressed(void **state)
{
    (void)state;
    fill_mails(2);
    sql("UPDATE notification.mail SET to_address = CASE occasion WHEN 'M02:1' THEN NULL"
        " ELSE 'a@b.jp\r\nRCPT TO:<c@d.jp>' END");
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'suppressed'"
             " AND last_text = 'mail_address'",
             2);
    assert_int_equal(smtp_server_count(&smtp), 0);
}

static void mails_have_an_end(void **state)
{
    (void)state;
    fill_mails(3);
    wait_for(delivered, 3);
    /* It is 2026-11-22; kept for 400 days. */
    sql("UPDATE notification.mail SET finished_at = CASE occasion"
        "  WHEN 'M02:1' THEN timestamptz '2025-10-17T00:00:00+09:00'"
        "  WHEN 'M02:2' THEN timestamptz '2025-10-20T00:00:00+09:00' END");
    wait_for("SELECT count(*) FROM notification.mail", 2);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE occasion = 'M02:1'"), 0);
}

/* ---- the smart host is away ---- */

static void all_go_out_when_the_host_is_back(void **state)
{
    (void)state;
    smtp_server_stop(&smtp);
    fill_mails(40);
    wait_for("SELECT least(count(*), 10) FROM notification.mail WHERE last_code = 0"
             " AND state = 'ready' AND attempts = 0",
             10);
    assert_true(notification.figures.host_away);
    assert_true(notification.figures.deferred < 20); /* one a second tries, not all */
    smtp_server_start(&smtp);
    wait_for(delivered, 40);
    assert_sent_once(40);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE ambiguous"), 0);
}

/* It dies with connections open and mails on them, and comes back. */
static void a_host_that_dies_in_the_middle_costs_nothing(void **state)
{
    const struct smtp_script silent_at_rcpt = {HI, OK, OK, SMTP_SILENT, GO, OK};

    (void)state;
    smtp_server_say(&smtp, &silent_at_rcpt);
    fill_mails(30);
    wait_silent(notification_settings.mail_connections);
    smtp_server_stop(&smtp);
    wait_for(active, 0);
    smtp_server_say(&smtp, &smtp_takes_all);
    smtp_server_start(&smtp);
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'ready'", 0);
    later(); /* those that were on a connection wait a minute */
    wait_for(delivered, 30);
    assert_sent_once(30);
}

/* ---- lost after the dot ---- */

static void an_unanswered_mail_goes_out_once_more(void **state)
{
    const struct smtp_script hangs_up = {HI, OK, OK, OK, GO, STR_NONE};
    char first[SMTP_BODY_BYTES_MAX];

    (void)state;
    smtp_server_say(&smtp, &hangs_up);
    fill_mails(1);
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'deferred' AND ambiguous", 1);
    assert_sent_once(1);
    memcpy(first, smtp_server_kept(&smtp, 0)->body, sizeof(first));
    later();
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'expired' AND ambiguous", 1);
    assert_int_equal(smtp_server_copies(&smtp, "M02.1@mamis.example.jp"), 2);
    assert_string_equal(smtp_server_kept(&smtp, 1)->body, first);
    /* And that was that. */
    smtp_server_say(&smtp, &smtp_takes_all);
    bench_clock("2026-11-29T11:00:00+09:00");
    sql("INSERT INTO notification.mail (mail_id, kind, occasion, message_id, to_address, data,"
        " state, created_at, next_try_at) SELECT gen_random_uuid(), 'M02', 'M02:x',"
        " 'M02.x@mamis.example.jp', 'x@example.jp', data, 'ready', created_at, created_at"
        " FROM notification.mail");
    wait_for(delivered, 1);
    assert_int_equal(smtp_server_count(&smtp), 3);
}

static void the_second_copy_may_be_delivered(void **state)
{
    const struct smtp_script hangs_up = {HI, OK, OK, OK, GO, STR_NONE};

    (void)state;
    smtp_server_say(&smtp, &hangs_up);
    fill_mails(1);
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'deferred' AND ambiguous", 1);
    smtp_server_say(&smtp, &smtp_takes_all);
    later();
    wait_for(delivered, 1);
    assert_int_equal(smtp_server_copies(&smtp, "M02.1@mamis.example.jp"), 2);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE ambiguous"), 1);
}

/* ---- closing ---- */

/* What waits for the host's leave is free again, and was not sent. */
static void closing_gives_back_what_was_not_sent(void **state)
{
    const struct smtp_script silent_at_data = {HI, OK, OK, OK, SMTP_SILENT, OK};
    uint64_t begun_ms;

    (void)state;
    smtp_server_say(&smtp, &silent_at_data);
    fill_mails(20);
    wait_silent(notification_settings.mail_connections);
    begun_ms = clock_mono_ms();
    queue_close();
    assert_true(clock_mono_ms() - begun_ms < 5000); /* the host would be waited for for 10 s */
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE state = 'ready'"
                           " AND attempts = 0 AND NOT ambiguous"),
                     20);
    assert_int_equal(smtp_server_count(&smtp), 0);
}

static void closing_waits_a_moment_for_answers(void **state)
{
    const struct smtp_script silent_at_dot = {HI, OK, OK, OK, GO, SMTP_SILENT};

    (void)state;
    fill_mails(30);
    queue_close(); /* in the middle of it */
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE state = 'delivered'"),
                     smtp_server_count(&smtp));
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE ambiguous"), 0);
    assert_int_equal(count(active), 0);
    sql("TRUNCATE notification.mail");
    smtp_server_say(&smtp, &silent_at_dot);
    fill_mails(1);
    queue_open();
    wait_silent(1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE handed_over"), 1);
    queue_close();
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE ambiguous"
                           " AND state = 'deferred'"),
                     1);
}

int main(void)
{
#define QUEUE_TEST(test) cmocka_unit_test_setup_teardown(test, fill_and_open, close_queue)
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(due_mails_are_delivered_once),
        QUEUE_TEST(an_event_becomes_a_letter),
        QUEUE_TEST(a_deferred_mail_waits_and_goes_out),
        QUEUE_TEST(a_refused_address_bounces_and_is_flagged),
        QUEUE_TEST(a_refused_text_bounces_without_a_flag),
        QUEUE_TEST(what_cannot_be_sent_is_suppressed),
        QUEUE_TEST(mails_have_an_end),
        QUEUE_TEST(all_go_out_when_the_host_is_back),
        QUEUE_TEST(a_host_that_dies_in_the_middle_costs_nothing),
        QUEUE_TEST(an_unanswered_mail_goes_out_once_more),
        QUEUE_TEST(the_second_copy_may_be_delivered),
        QUEUE_TEST(closing_gives_back_what_was_not_sent),
        QUEUE_TEST(closing_waits_a_moment_for_answers),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
