/* notification_corrected: who was told of a credit is told that it was taken back, once and why. */
#include <string.h>

#include "notification_fixture.h"

static const char corrected[] = "SELECT count(*) FROM notification.mail WHERE kind = 'M24'";
static const char lines[] =
    "SELECT coalesce(sum(jsonb_array_length(data -> 'lines')), 0) FROM notification.mail"
    " WHERE kind = 'M24'";

/* Two credits of doctor 1, whose mail is out. */
static void told(void)
{
    posted_at(5, 0, "OPL-S", 4, 0);
    posted_at(6, 1, "OPL-J", 4, 0);
    upload_done(2, "null", 0);
    make_mails();
    sql("UPDATE notification.mail SET state = 'delivered', attempts = 1");
}

static void what_was_told_is_taken_back_with_its_reason(void **state)
{
    struct arena *arena = arena_new();
    struct mail_message message;

    (void)state;
    told();
    taken_back(5, "OPL-S", 1, "cancel", true);
    assert_int_equal(count(corrected), 1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M24'"
                           " AND to_doctor = 1 AND state = 'ready' AND next_try_at = created_at"
                           " AND occasion = 'M24:" LINK ":1'"),
                     1);
    message = rendered(arena, "M24");
    assert_string_equal(message.subject, "単位の登録が取り消されました（産業医生涯研修会）");
    assert_non_null(strstr(message.text, "　2単位\n"));
    assert_non_null(strstr(message.text, "理由:\n取り違え\n"));
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M23'"), 1);
    arena_free(arena);
}

/* Another record of the doctor has them now. */
static void what_a_merge_moves_is_told_to_nobody(void **state)
{
    (void)state;
    told();
    taken_back(5, "OPL-S", 1, "merge", true);
    taken_back(5, "OPL-S", 2, "merge", true);
    assert_int_equal(count(corrected), 0);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
}

static void who_was_not_told_yet_is_not_told(void **state)
{
    (void)state;
    posted(0, "OPL-S", 4, 0);
    posted_at(6, 1, "OPL-J", 4, 0);
    taken_back(5, "OPL-S", 1, "cancel", true); /* no mail is made yet */
    assert_int_equal(count(corrected), 0);
    upload_done(2, "null", 0);
    make_mails();
    taken_back(6, "OPL-J", 1, "undo", true); /* one waits, and goes */
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE to_doctor = 1"), 0);
}

/* A sender has taken it: whether it is out nobody knows, so the doctor hears of both. */
static void a_mail_that_was_tried_counts_as_told(void **state)
{
    (void)state;
    posted(0, "OPL-S", 4, 0);
    upload_done(1, "null", 0);
    make_mails();
    sql("UPDATE notification.mail SET attempts = 1, state = 'active'");
    taken_back(5, "OPL-S", 1, "cancel", true);
    assert_int_equal(count(corrected), 1);
}

static void slices_make_one_mail(void **state)
{
    (void)state;
    told();
    taken_back(5, "OPL-S", 1, "undo", false);
    assert_int_equal(count(corrected), 1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M24'"
                           " AND next_try_at > created_at + interval '10 minutes'"),
                     1);
    taken_back(6, "OPL-J", 1, "undo", true);
    assert_int_equal(count(corrected), 1);
    assert_int_equal(count(lines), 2);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M24'"
                           " AND next_try_at < created_at + interval '10 minutes'"),
                     1);
}

/* Swept by another process it comes behind the last one, which may have told nobody. */
static void a_late_slice_does_not_wait(void **state)
{
    (void)state;
    told();
    sql("UPDATE notification.doctor SET email = NULL");
    taken_back(6, "OPL-J", 1, "undo", true);
    assert_int_equal(count(corrected), 0);
    sql("UPDATE notification.doctor SET email = 'd' || doctor_id || '@example.jp'");
    taken_back(5, "OPL-S", 1, "undo", false);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M24'"
                           " AND next_try_at = created_at"),
                     1);
}

static void who_has_no_address_gets_no_row(void **state)
{
    (void)state;
    told();
    sql("UPDATE notification.doctor SET email = NULL");
    taken_back(5, "OPL-S", 1, "cancel", true);
    assert_int_equal(count(corrected), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_a_merge_moves_is_told_to_nobody, fill),
        cmocka_unit_test_setup(what_was_told_is_taken_back_with_its_reason, fill),
        cmocka_unit_test_setup(who_was_not_told_yet_is_not_told, fill),
        cmocka_unit_test_setup(a_mail_that_was_tried_counts_as_told, fill),
        cmocka_unit_test_setup(slices_make_one_mail, fill),
        cmocka_unit_test_setup(a_late_slice_does_not_wait, fill),
        cmocka_unit_test_setup(who_has_no_address_gets_no_row, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
