/*
 * notification_queue under faults: senders that are killed, one that is taken for dead, statements
 * that fail or whose answer is lost, at every place.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "notification_fixture.h"

#define OK SMTP_OK
#define GO SMTP_GO
#define HI STR("220 test\r\n")
#define ID "M02.1@mamis.example.jp"

enum { CALLS_MAX = 8 };

static const char delivered[] = "SELECT count(*) FROM notification.mail WHERE state = 'delivered'";
static const char ambiguous[] = "SELECT count(*) FROM notification.mail WHERE ambiguous";

static const struct smtp_script silent_at_data = {HI, OK, OK, OK, {"", 0}, OK};
static const struct smtp_script silent_at_dot = {HI, OK, OK, OK, GO, {"", 0}};

static int close_queue(void **state)
{
    (void)state;
    if (notification.queue != NULL)
        queue_close();
    return 0;
}

/* A sender takes the one mail, comes to where the host is silent, and dies there. */
static void die_at(const struct smtp_script *script)
{
    pid_t pid;

    smtp_server_say(&smtp, script);
    pid = queue_fork(NULL, NULL);
    wait_silent(1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE state = 'active'"), 1);
    senders_are_dead();
}

static void recover(void)
{
    smtp_server_say(&smtp, &smtp_takes_all);
    queue_open();
}

static void dead_before_the_text_it_is_sent_once(void **state)
{
    (void)state;
    fill_mails(1);
    for (int deaths = 0; deaths < 4; deaths++) /* however often */
        die_at(&silent_at_data);
    recover();
    wait_for(delivered, 1);
    assert_int_equal(smtp_server_copies(&smtp, ID), 1);
    assert_int_equal(count(ambiguous), 0);
}

static void dead_after_the_dot_it_is_sent_once_more(void **state)
{
    (void)state;
    fill_mails(1);
    die_at(&silent_at_dot);
    assert_int_equal(smtp_server_copies(&smtp, ID), 1);
    recover();
    wait_for(delivered, 1);
    assert_int_equal(smtp_server_copies(&smtp, ID), 2);
    assert_string_equal(smtp_server_kept(&smtp, 0)->body, smtp_server_kept(&smtp, 1)->body);
    assert_int_equal(count(ambiguous), 1);
}

static void never_a_third_time(void **state)
{
    (void)state;
    fill_mails(1);
    die_at(&silent_at_dot);
    die_at(&silent_at_dot);
    recover();
    wait_for("SELECT count(*) FROM notification.mail WHERE state = 'expired' AND ambiguous"
             " AND finished_at IS NOT NULL AND sender IS NULL",
             1);
    assert_int_equal(smtp_server_copies(&smtp, ID), 2);
}

static void a_live_senders_mails_are_its_own(void **state)
{
    pid_t pid;
    bool never = false;

    (void)state;
    fill_mails(1);
    smtp_server_say(&smtp, &silent_at_dot);
    pid = queue_fork(NULL, NULL);
    wait_silent(1);
    queue_open();
    (void)loop_run_until(notification.loop, &never, 2500); /* two rounds of upkeep */
    assert_int_equal(smtp_server_count(&smtp), 1);
    smtp_server_say(&smtp, &smtp_takes_all);
    wait_for(delivered, 1);
    assert_int_equal(smtp_server_count(&smtp), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* It stood still for so long that another one took its mail; then it goes on. */
static void taken_for_dead_it_does_not_send(void **state)
{
    bool never = false;

    (void)state;
    smtp_server_say(&smtp, &silent_at_data);
    fill_mails(1);
    queue_open();
    wait_silent(1);
    sql("UPDATE notification.mail SET sender = gen_random_uuid()");
    sql("INSERT INTO notification.sender SELECT sender, clock_timestamp() FROM notification.mail");
    smtp_server_say(&smtp, &smtp_takes_all);
    (void)loop_run_until(notification.loop, &never, 500);
    queue_close();
    assert_int_equal(smtp_server_count(&smtp), 0);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE state = 'active'"), 1);
}

/* ---- statement n fails, or its answer is lost, or the process dies there ---- */

struct fault {
    uint64_t call;
    bool after_commit;
    enum err err; /* ERR_OK: dies */
    bool fired;
};

static enum err fail_at(void *arg, uint64_t number, bool after_commit)
{
    struct fault *fault = arg;

    if (number != fault->call || after_commit != fault->after_commit)
        return ERR_OK;
    fault->fired = true;
    if (fault->err == ERR_OK)
        _exit(1);
    return fault->err;
}

static void every_statement_may_fail(void **state)
{
    static const struct {
        bool after_commit;
        enum err err;
    } ways[] = {{false, ERR_DB_DOWN}, {true, ERR_DB_UNKNOWN}};

    for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
        for (uint64_t call = 1; call <= CALLS_MAX; call++) {
            struct fault fault = {call, ways[way].after_commit, ways[way].err, false};
            pid_t pid;

            (void)fill(state);
            fill_mails(2);
            pid = queue_fork(fail_at, &fault);
            wait_for(delivered, 2);
            assert_int_equal(smtp_server_count(&smtp), 2);
            assert_int_equal(smtp_server_copies(&smtp, ID), 1);
            assert_int_equal(count(ambiguous), 0);
            assert_int_equal(kill(pid, SIGKILL), 0);
            assert_int_equal(waitpid(pid, NULL, 0), pid);
        }
    }
}

static void every_statement_may_be_the_last(void **state)
{
    for (int after = 0; after < 2; after++) {
        for (uint64_t call = 1; call <= CALLS_MAX; call++) {
            struct fault fault = {.call = call, .after_commit = after == 1, .err = ERR_OK};
            int status;
            pid_t pid;

            (void)fill(state);
            fill_mails(2);
            pid = queue_fork(fail_at, &fault);
            assert_int_equal(waitpid(pid, &status, 0), pid);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
            senders_are_dead();
            queue_open();
            wait_for(delivered, 2);
            queue_close();
            for (int mail = 1; mail <= 2; mail++) {
                char id[64];
                char ask[160];

                (void)snprintf(id, sizeof(id), "M02.%d@mamis.example.jp", mail);
                (void)snprintf(ask, sizeof(ask),
                               "SELECT count(*) FROM notification.mail WHERE message_id = '%s'"
                               " AND ambiguous",
                               id);
                assert_in_range(smtp_server_copies(&smtp, id), 1, 1 + (uint64_t)count(ask));
            }
        }
    }
}

/* ---- an upload of several lots, in which three doctors have an address ---- */

static void fill_upload(void)
{
    sql("INSERT INTO notification.doctor SELECT n, 1, 'x', 'd' || n || '@example.jp'"
        " FROM unnest(ARRAY[100, 2500, 4900]) AS n");
    sql("INSERT INTO notification.upload (upload_id, chunks_seen, chunks_total, seminar_no,"
        " seminar_title) VALUES ('" UPLOAD "', 5, 5, 'S1', 'x')");
    sql("INSERT INTO notification.upload_chunk (upload_id, first_doctor, last_doctor, entries,"
        " doctor_ids, line_index, lines) SELECT '" UPLOAD "', 100, 4900, 1000,"
        " ids, array_fill(0::smallint, ARRAY[1000]), format('[[\"2026-11-15\", \"OPL-S\", 4, %s,"
        " \"OP\", 0]]', part)::jsonb FROM generate_series(1, 5) AS part, LATERAL"
        " (SELECT array_agg(id ORDER BY id) AS ids FROM (SELECT unnest(ARRAY[100, 2500, 4900]) AS "
        "id"
        "  UNION ALL SELECT 100 + 4 * n + part % 4 FROM generate_series(1, 997) AS n) AS x) AS y");
}

static void an_upload_becomes_mails_once_whatever_dies(void **state)
{
    for (int after = 0; after < 2; after++) {
        for (uint64_t call = 1; call <= CALLS_MAX; call++) {
            struct fault fault = {.call = call, .after_commit = after == 1, .err = ERR_OK};
            int status;
            pid_t pid;

            (void)fill(state);
            fill_upload();
            pid = queue_fork(fail_at, &fault);
            assert_int_equal(waitpid(pid, &status, 0), pid);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
            senders_are_dead();
            queue_open();
            wait_for(delivered, 3);
            wait_for("SELECT count(*) FROM notification.upload WHERE released", 1);
            queue_close();
            assert_int_equal(count("SELECT count(*) FROM notification.mail"
                                   " WHERE jsonb_array_length(data -> 'lines') = 5"),
                             3);
            assert_int_equal(count("SELECT count(*) FROM notification.upload_chunk"), 0);
            assert_int_equal(count("SELECT suppressed FROM notification.upload"), 3987);
            assert_in_range(smtp_server_count(&smtp), 3, 3 + (uint64_t)count(ambiguous));
        }
    }
}

int main(void)
{
#define CRASH_TEST(test) cmocka_unit_test_setup_teardown(test, fill, close_queue)
    const struct CMUnitTest tests[] = {
        CRASH_TEST(dead_before_the_text_it_is_sent_once),
        CRASH_TEST(dead_after_the_dot_it_is_sent_once_more),
        CRASH_TEST(never_a_third_time),
        CRASH_TEST(a_live_senders_mails_are_its_own),
        CRASH_TEST(taken_for_dead_it_does_not_send),
        CRASH_TEST(every_statement_may_fail),
        CRASH_TEST(every_statement_may_be_the_last),
        CRASH_TEST(an_upload_becomes_mails_once_whatever_dies),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
