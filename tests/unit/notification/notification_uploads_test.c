/* notification_uploads: chunks in any order, the end before or after the last, one mail each. */
#include <stdio.h>
#include <string.h>

#include "notification_fixture.h"

enum {
    DOCTORS = 9000, /* more than may wait at once */
    EACH = 500,
    WAITING_MAX = 4000 + 2000, /* of notification_expand: so many, and one lot */
};

static const char chunks[] = "SELECT count(*) FROM notification.upload_chunk";
static const char not_released[] = "SELECT count(*) FROM notification.upload WHERE NOT released";
static const char mails[] = "SELECT count(*) FROM notification.mail";
static const char mails_of_doctor[] = "SELECT count(*) FROM notification.mail WHERE kind = 'M23'"
                                      " AND to_doctor = 1";
static const char lines_of_doctor[] =
    "SELECT coalesce(sum(jsonb_array_length(data -> 'lines')), 0) FROM notification.mail"
    " WHERE kind = 'M23' AND to_doctor = 1";

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
                posted_at(5 + orders[i][n], orders[i][n], "OPL-J", 3, 0);
        }
        assert_int_equal(count("SELECT count(*) FROM notification.upload WHERE complete"), 1);
        assert_int_equal(count(mails), 0);
        assert_int_equal(count(chunks), 2);
        make_mails();
        assert_int_equal(count(chunks), 0);
        /* Doctor 2 has no address: counted, no row. */
        assert_int_equal(count(mails), 1);
        assert_int_equal(count(mails_of_doctor), 1);
        assert_int_equal(count(lines_of_doctor), 2);
        assert_string_equal(value("SELECT occasion FROM notification.mail"), "M23:" UPLOAD ":1");
        assert_int_equal(count("SELECT suppressed FROM notification.upload"), 1);
        assert_int_equal(notification.figures.suppressed, 1);
    }
}

static void lines_say_day_kind_and_units(void **state)
{
    struct arena *arena = arena_new();
    struct mail_message message;

    (void)state;
    posted_at(6, 0, "OPL-S", 2, 0);
    posted_at(5, 1, "OPL-J", 3, 0);
    upload_done(2, "null", 0);
    make_mails();
    message = rendered(arena, "M23");
    assert_string_equal(message.subject, "単位が登録されました（産業医生涯研修会）");
    assert_non_null(strstr(message.text, "・2026年11月15日　"));
    assert_non_null(strstr(message.text, "　1.5単位\n・2026年11月15日　"));
    assert_non_null(strstr(message.text, "　1単位\n"));
    assert_non_null(strstr(message.text, "産業医生涯研修会（S2026-0001）"));
    arena_free(arena);
}

/* ---- counter-entries ---- */

static void taken_back_before_the_mails_are_made(void **state)
{
    (void)state;
    doctor(2, 2, "見本　花子", "d2@example.jp");
    posted(0, "OPL-S", 4, 0);
    taken_back(5, "OPL-S", 1, "cancel", true);
    assert_int_equal(count("SELECT chunks_seen FROM notification.upload"), 1);
    upload_done(1, "null", 0);
    make_mails();
    assert_int_equal(count(mails_of_doctor), 0);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE to_doctor = 2"), 1);
    /* After the end, but the lot is still to come. */
    (void)fill(state);
    posted(0, "OPL-S", 4, 0);
    upload_done(1, "null", 0);
    taken_back(5, "OPL-S", 1, "cancel", true);
    make_mails();
    assert_int_equal(count(mails_of_doctor), 0);
    assert_int_equal(count(chunks), 0);
    /* And posted again; the correction is heard of first. */
    (void)fill(state);
    taken_back(5, "OPL-S", 1, "cancel", true);
    posted(0, "OPL-S", 4, 0);
    posted(1, "OPL-J", 6, 2);
    upload_done(2, "null", 0);
    make_mails();
    assert_int_equal(count(lines_of_doctor), 1);
    assert_string_equal(value("SELECT data -> 'lines' -> 0 ->> 1 FROM notification.mail"), "OPL-J");
}

static void taken_back_before_the_mail_is_tried(void **state)
{
    (void)state;
    posted(0, "OPL-S", 4, 0);
    posted_at(6, 1, "OPL-J", 4, 0);
    upload_done(2, "null", 0);
    make_mails();
    assert_int_equal(count(lines_of_doctor), 2);
    taken_back(5, "OPL-S", 1, "cancel", true);
    assert_int_equal(count(lines_of_doctor), 1);
    assert_string_equal(value("SELECT data -> 'lines' -> 0 ->> 1 FROM notification.mail"
                              " WHERE to_doctor = 1"),
                        "OPL-J");
    /* The mail goes with its last line. */
    taken_back(6, "OPL-J", 1, "undo", false);
    assert_int_equal(count(mails_of_doctor), 0);
    /* The same for what came late; a mail that was tried stays as it is. */
    posted(4, "OPL-S", 4, 2);
    assert_int_equal(count(lines_of_doctor), 1);
    taken_back(5, "OPL-S", 3, "undo", false);
    assert_int_equal(count(mails_of_doctor), 0);
    posted(6, "OPL-S", 4, 4);
    sql("UPDATE notification.mail SET attempts = 1");
    taken_back(5, "OPL-S", 5, "undo", true);
    assert_int_equal(count(lines_of_doctor), 1);
    assert_int_equal(count(chunks), 0);
}

/* Whatever of it comes afterwards. */
static void an_undone_upload_makes_no_mail(void **state)
{
    (void)state;
    posted(0, "OPL-S", 4, 0);
    taken_back(5, "OPL-S", 1, "undo", true);
    assert_int_equal(count(chunks), 0);
    posted_at(6, 1, "OPL-J", 4, 0);
    upload_done(2, "null", 0);
    make_mails();
    assert_int_equal(count(mails), 0);
    assert_int_equal(count(chunks), 0);
}

/* ---- late, large, old ---- */

static void what_comes_after_the_end_makes_one_further_mail(void **state)
{
    (void)state;
    posted(0, "OPL-S", 4, 0);
    upload_done(1, "null", 0);
    make_mails();
    sql("UPDATE notification.mail SET state = 'delivered', attempts = 1");
    bench_clock("2026-11-22T10:11:00+09:00");
    posted_at(6, 1, "OPL-J", 4, 0);
    bench_clock("2026-11-22T10:19:00+09:00");
    posted_at(7, 2, "OPL-R", 4, 0);
    assert_int_equal(count(mails_of_doctor), 2);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE to_doctor = 1"
                           " AND state = 'ready' AND jsonb_array_length(data -> 'lines') = 2"
                           " AND next_try_at = '2026-11-22T10:20:00+09:00'"),
                     1);
    bench_clock("2026-11-22T10:20:30+09:00");
    posted_at(8, 3, "OPL-R", 4, 0);
    assert_int_equal(count(mails_of_doctor), 3);
    /* Once taken by a sender a mail does not change. */
    sql("UPDATE notification.mail SET attempts = 1");
    posted_at(9, 4, "OPL-R", 4, 0);
    assert_int_equal(count(lines_of_doctor), 4);
    assert_int_equal(count(chunks), 0);
}

/* Its event may overtake that of a chunk, which is none of those that came too late. */
static void a_mended_row_is_none_of_the_chunks(void **state)
{
    (void)state;
    posted(0, "OPL-S", 4, 0);
    posted_after_end(1, "[1]");
    upload_done(2, "null", 0);
    assert_int_equal(count("SELECT chunks_seen FROM notification.upload"), 1);
    assert_int_equal(count(mails_of_doctor), 1); /* of what came after the end */
    posted_at(7, 1, "OPL-R", 4, 0);
    make_mails();
    assert_int_equal(count(mails_of_doctor), 2);
    assert_int_equal(count("SELECT max(jsonb_array_length(data -> 'lines'))"
                           " FROM notification.mail WHERE kind = 'M23' AND to_doctor = 1"),
                     2); /* both chunks in one */
    assert_int_equal(count(chunks), 0);
}

/* A chunk of doctors from..to, backwards. */
static void posted_range(int chunk_no, int from, int to)
{
    struct buf doctors = {0};

    for (int id = to; id >= from; id--)
        buf_printf(&doctors, "%s%d", id == to ? "[" : ",", id);
    buf_add_c(&doctors, "]");
    posted_for(chunk_no, doctors.data, to - from + 1);
    buf_free(&doctors);
}

static void large_uploads_become_mails_in_lots(void **state)
{
    static const char waiting[] = "SELECT count(*) FROM notification.mail WHERE state = 'ready'";
    uint64_t until_ms = clock_mono_ms() + 60000;
    bool never = false;

    (void)state;
    sql("INSERT INTO notification.doctor SELECT n, 1, 'x', 'd' || n || '@example.jp'"
        " FROM generate_series(10, 20000) AS n");
    for (int n = 0; n < DOCTORS / EACH; n++)
        posted_range(n, 10 + n * EACH, 9 + (n + 1) * EACH);
    /* The whole again at another session, in other chunks: still one mail each. */
    for (int n = 0; n < DOCTORS / EACH; n++)
        posted_range(n, 10 + n * EACH, 9 + (n + 1) * EACH);
    sql("UPDATE notification.upload_chunk SET lines = jsonb_set(lines, '{0,3}', '6')"
        " WHERE chunk_id > (SELECT min(chunk_id) + 17 FROM notification.upload_chunk)");
    upload_done(2 * DOCTORS / EACH, "null", 0);
    smtp_server_stop(&smtp);
    queue_open();
    wait_for("SELECT count(*) / 4000 FROM notification.mail", 1);
    for (int turns = 0; turns < 2; turns++) { /* two rounds of upkeep change nothing */
        (void)loop_run_until(notification.loop, &never, 1100);
        assert_in_range(count(waiting), 4000, WAITING_MAX);
    }
    while (count(not_released) > 0 && clock_mono_ms() < until_ms) {
        sql("UPDATE notification.mail SET state = 'delivered' WHERE state = 'ready'");
        (void)loop_run_until(notification.loop, &never, 20);
        assert_in_range(count(waiting), 0, WAITING_MAX);
    }
    queue_close();
    assert_int_equal(count(not_released), 0);
    assert_int_equal(count(chunks), 0);
    assert_int_equal(count(mails), DOCTORS);
    assert_int_equal(count("SELECT count(DISTINCT to_doctor) FROM notification.mail"
                           " WHERE jsonb_array_length(data -> 'lines') = 2"),
                     DOCTORS);
}

/* Ids far apart, ids close together, one alone: a lot is never more than it may be. */
static void lots_do_not_depend_on_how_ids_lie(void **state)
{
    (void)state;
    sql("INSERT INTO notification.doctor SELECT n, 1, 'x', 'd' || n || '@example.jp'"
        " FROM generate_series(10, 3000) AS n"
        " UNION ALL VALUES (9007199254740991, 1, 'x', 'last@example.jp')");
    posted_for(0, "[9007199254740991, 1]", 2);
    for (int n = 0; n < 6; n++)
        posted_range(1 + n, 10 + n * EACH, 9 + (n + 1) * EACH);
    upload_done(7, "null", 0);
    make_mails();
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M23'"),
                     2991 + 2); /* the others are not known */
    assert_int_equal(count("SELECT suppressed FROM notification.upload"), 9);
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

/* Nor is anybody told again when the event comes again and the sender has left since. */
static void a_sender_who_left_is_not_told(void **state)
{
    (void)state;
    account(STAFF, 2, "organiser", "active", "second@example.jp", "P13");
    upload_done(0, "\"" ORGANISER "\"", 5);
    account(ORGANISER, 2, "organiser", "suspended", "kenshu@example.jp", "P13");
    upload_done(0, "\"" ORGANISER "\"", 5);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    sql("TRUNCATE notification.mail");
    upload_done(0, "\"" ORGANISER "\"", 5);
    upload_done(0, "\"" ORGANISER "\"", 5);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M22'"
                           " AND to_account = '" STAFF "'"),
                     1);
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
        cmocka_unit_test_setup(taken_back_before_the_mails_are_made, fill),
        cmocka_unit_test_setup(taken_back_before_the_mail_is_tried, fill),
        cmocka_unit_test_setup(an_undone_upload_makes_no_mail, fill),
        cmocka_unit_test_setup(what_comes_after_the_end_makes_one_further_mail, fill),
        cmocka_unit_test_setup(a_mended_row_is_none_of_the_chunks, fill),
        cmocka_unit_test_setup(large_uploads_become_mails_in_lots, fill),
        cmocka_unit_test_setup(lots_do_not_depend_on_how_ids_lie, fill),
        cmocka_unit_test_setup(rows_to_correct_are_told_to_the_sender, fill),
        cmocka_unit_test_setup(a_sender_who_left_is_not_told, fill),
        cmocka_unit_test_setup(a_tokens_file_is_told_to_the_organisers_accounts, fill),
        cmocka_unit_test_setup(a_clean_file_makes_no_mail_to_the_organiser, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
