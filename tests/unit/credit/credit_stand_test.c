/*
 * What stands decides: the same file again, credits cancelled and posted again, rows that wait,
 * places of a visit, dry runs; and what must not matter: how a file is split, in which order its
 * rows stand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credit_check.h"

#define POSTED(n) ((const int64_t[]){n, 0, 0, 0, 0, 0})

static const char header[] = "医籍登録番号,セッション番号,単位種別\n";

/* Revision + 1 of every entry that stands and fits, as an officer's cancelling writes it. */
static void cancel(const char *where)
{
    sql("INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
        " half_units, revision, programme, kind, reason)"
        " SELECT doctor_id, session_id, upload_no, posted_at, row_no, held_on, -half_units,"
        "  revision + 1, programme, kind, 'test' FROM credit.ledger l WHERE revision %% 2 = 0"
        "  AND NOT EXISTS (SELECT FROM credit.ledger m WHERE m.doctor_id = l.doctor_id"
        "   AND m.session_id = l.session_id AND m.programme = l.programme"
        "   AND m.revision = l.revision + 1) AND (%s)",
        where);
}

/* ---- posted before ---- */

static void the_same_file_again_changes_nothing(void **state)
{
    struct sent first = post_file("S2026-0001", sample("13-same-doctor-twice.csv"));
    int64_t entries = count("SELECT count(*) FROM credit.ledger");
    struct sent again = post_file("S2026-0001", sample("13-same-doctor-twice.csv"));

    (void)state;
    assert_counts(&first, (const int64_t[]){14, 5, 0, 1, 1, 1});
    assert_counts(&again, (const int64_t[]){0, 19, 0, 1, 1, 1});
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), entries);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE upload_no = %lld"
                           " AND reason = 'earlier_upload'",
                           (long long)again.no),
                     14);
    check_events(&again);
    assert_books(&again);
}

static void what_was_cancelled_posts_again(void **state)
{
    struct sent upload;

    (void)state;
    (void)post_file("S2026-0001", sample("01-clean-utf8.csv"));
    cancel("row_no <= 10");
    upload = post_file("S2026-0001", sample("01-clean-utf8.csv"));
    assert_counts(&upload, (const int64_t[]){10, 50, 0, 0, 0, 0});
    assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE upload_no = %lld"
                           " AND revision = 2 AND half_units > 0",
                           (long long)upload.no),
                     30);
    check_events(&upload);
    assert_books(&upload);
    cancel("revision = 2 AND row_no <= 4");
    upload = post_file("S2026-0001", sample("01-clean-utf8.csv"));
    assert_counts(&upload, (const int64_t[]){4, 56, 0, 0, 0, 0});
    assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE upload_no = %lld"
                           " AND revision = 4",
                           (long long)upload.no),
                     12);
    assert_books(&upload);
}

/* Only the programme that does not stand posts; with another kind it may. */
static void one_programme_of_three_was_cancelled(void **state)
{
    struct sent upload;

    (void)state;
    (void)post_file("S2026-0001", sample("01-clean-utf8.csv"));
    cancel("programme = 'CME'");
    upload = post_file("S2026-0001", sample("01-clean-utf8.csv"));
    assert_counts(&upload, POSTED(60));
    assert_int_equal(
        count("SELECT count(*) FROM credit.ledger WHERE upload_no = %lld", (long long)upload.no),
        60);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE upload_no = %lld"
                           " AND programme = 'CME' AND revision = 2",
                           (long long)upload.no),
                     60);
    assert_books(&upload);
}

static void another_kind_conflicts_until_it_is_cancelled(void **state)
{
    const long long doctor = (long long)samples->doctors[0].register_no;
    struct str lifelong = text("%s%lld,1,OPL-S\n", header, doctor);
    struct str basic = text("%s%lld,1,OPB-K\n", header, doctor);
    struct sent upload;

    (void)state;
    (void)post_file("S2026-0001", lifelong);
    upload = post_file("S2026-0001", basic);
    assert_counts(&upload, (const int64_t[]){0, 0, 0, 0, 0, 1});
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row"
                           " WHERE reason = 'conflicts_with_posted'"),
                     1);
    cancel("true");
    upload = post_file("S2026-0001", basic);
    assert_counts(&upload, POSTED(1));
    assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE revision = 2"
                           " AND kind = 'OPB-K'"),
                     1);
    assert_books(&upload);
}

/* ---- rows that wait ---- */

static void set_my_page(int64_t register_no, const char *my_page)
{
    sql("UPDATE credit.doctor SET my_page = '%s' WHERE register_no = %lld", my_page,
        (long long)register_no);
}

/* A doctor without My Page; gives the register number. */
static long long somebody_waiting(void)
{
    return (long long)count("SELECT register_no FROM credit.doctor WHERE my_page = 'none'"
                            " ORDER BY doctor_id LIMIT 1");
}

static void a_row_waits_once(void **state)
{
    const long long doctor = somebody_waiting();
    struct str file = text("%s%lld,1,OPL-S\n%lld,1,OPL-S\n", header, doctor, doctor);
    struct sent first = post_file("S2026-0001", file);
    struct sent second = post_file("S2026-0001", file);

    (void)state;
    assert_counts(&first, (const int64_t[]){0, 1, 1, 0, 0, 0});
    assert_counts(&second, (const int64_t[]){0, 1, 1, 0, 0, 0});
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE outcome = 'waiting'"
                           " AND upload_no = %lld AND row_no = 1"
                           " AND credits = '[[\"OPL-S\", 4]]' AND reason = 'no_my_page'",
                           (long long)first.no),
                     1);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE outcome = 'waiting'"
                           " AND upload_no = %lld AND credits IS NULL",
                           (long long)second.no),
                     1);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE same_as_row = 1"), 2);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
    assert_books(&second);
    set_my_page(doctor, "link_pending");
    second = post_file("S2026-0001", file);
    assert_counts(&second, (const int64_t[]){1, 1, 0, 0, 0, 0});
    set_my_page(doctor, "none");
}

static void the_strict_policy_rejects(void **state)
{
    const long long doctor = somebody_waiting();
    struct sent upload;

    (void)state;
    credit_settings.no_my_page = "reject";
    upload = post_file("S2026-0001", text("%s%lld,1,\n", header, doctor));
    assert_counts(&upload, (const int64_t[]){0, 0, 0, 0, 0, 1});
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE reason = 'no_my_page'"
                           " AND doctor_id IS NULL AND credits IS NULL"),
                     1);
}

/* ---- places of a visit ---- */

/* `how_many` doctors from `from` on, who are no leader. */
static struct str visitors(size_t from, size_t how_many)
{
    struct buf file = {0};

    buf_add_c(&file, "医籍登録番号\n");
    for (size_t i = from; how_many > 0; i++) {
        const struct attendance_doctor *doctor = &samples->doctors[i];

        if (doctor->register_no == 318239 || doctor->my_page != MY_PAGE_ACTIVE)
            continue;
        buf_printf(&file, "%lld\n", (long long)doctor->register_no);
        how_many--;
    }
    return built(&file);
}

static void a_visit_has_ten_places_over_all_uploads(void **state)
{
    const long long waits = somebody_waiting();
    struct sent upload;

    (void)state;
    upload = post_file("S2026-0007", visitors(0, 6));
    assert_counts(&upload, POSTED(6));
    upload = post_file("S2026-0007", text("医籍登録番号\n%lld\n", waits)); /* holds the seventh */
    assert_counts(&upload, (const int64_t[]){0, 0, 1, 0, 0, 0});
    upload = post_file("S2026-0007", visitors(0, 10)); /* six stand, three fit, one does not */
    assert_counts(&upload, (const int64_t[]){3, 6, 0, 0, 0, 1});
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE reason = 'visit_full'"),
                     1);
    cancel("row_no <= 2 AND upload_no < (SELECT max(upload_no) FROM credit.upload)");
    upload = post_file("S2026-0007", visitors(100, 5)); /* two places are free again */
    assert_counts(&upload, (const int64_t[]){2, 0, 0, 0, 0, 3});
    assert_books(&upload);
}

/* ---- dry runs ---- */

static int64_t rows_hash(const struct sent *upload)
{
    return count("SELECT hashtextextended(string_agg(concat_ws('|', row_no, outcome, reason,"
                 " same_as_row, problems), ',' ORDER BY row_no), 0) FROM portal.upload_row"
                 " WHERE upload_id = '%s'",
                 upload->id);
}

/* A large file with repeats over chunks, one of them with another kind. */
static struct str repeats(void)
{
    struct buf file = {0};

    buf_add_c(&file, header);
    for (size_t i = 0; i < 5000; i++) {
        const char *kind = i == 4100 ? "OPB-K" : i == 100 || i == 2500 ? "OPL-S/CME-007" : "";

        buf_printf(&file, "%lld,1,%s\n", (long long)samples->doctors[i % 2000].register_no, kind);
    }
    return built(&file);
}

static void a_dry_run_judges_and_tells_nobody(void **state)
{
    struct str file = repeats();
    struct sent dry = send_dry_run("S2026-0001", file);
    struct sent real;

    (void)state;
    drain();
    assert_string_equal(upload_text(&dry, "status"), "done");
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 0);
    assert_int_equal(heard(EVENT_CREDITS_POSTED) + heard(EVENT_UPLOAD_DONE), 0);
    assert_int_equal(count("SELECT count(*) FROM credit.outbox WHERE topic <> 'mamis.credit.work'"),
                     0);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row WHERE credits IS NOT NULL"), 0);
    assert_books(&dry);
    real = post_file("S2026-0001", file);
    assert_int_equal(rows_hash(&real), rows_hash(&dry));
    assert_int_equal(count("SELECT count(*) FROM credit.upload_row"
                           " WHERE reason = 'conflicts_with_posted' AND row_no = 4101"),
                     2);
    check_events(&real);
    assert_books(&real);
    /* Nothing that stands is hidden from a later one. */
    dry = send_dry_run("S2026-0001", sample("01-clean-utf8.csv"));
    drain();
    assert_counts(&dry, (const int64_t[]){0, 60, 0, 0, 0, 0});
}

static void a_dry_run_holds_no_place(void **state)
{
    struct sent upload = send_dry_run("S2026-0007", visitors(0, 12));

    (void)state;
    drain();
    assert_counts(&upload, (const int64_t[]){10, 0, 0, 0, 0, 2});
    upload = post_file("S2026-0007", visitors(200, 12));
    assert_counts(&upload, (const int64_t[]){10, 0, 0, 0, 0, 2});
    upload = send_dry_run("S2026-0007", sample("24-unclosed-quote.csv"));
    drain();
    assert_string_equal(upload_text(&upload, "status"), "refused");
    assert_int_equal(heard(EVENT_UPLOAD_DONE), 1);
}

/* ---- what must not matter ---- */

struct line {
    char text[120];
};

/* Rows with everything that may go wrong but kinds in conflict. */
static struct line *random_lines(size_t lines)
{
    static const char *const times[] = {",",           ",",           ",",          "12:55,15:00",
                                        "13:20,15:00", "12:50,14:00", "12:5x,15:00"};
    struct line *list = arena_array(arena, struct line, lines);

    for (size_t i = 0; i < lines; i++) {
        const struct attendance_doctor *doctor = &samples->doctors[(size_t)random() % 400];
        long long number = random() % 25 == 0 ? random() % 100 : (long long)doctor->register_no;

        (void)snprintf(list[i].text, sizeof(list[i].text), "%lld,%s,%s,%s\n", number,
                       random() % 30 == 0 ? "7" : "1", times[(size_t)random() % ARRAY_LEN(times)],
                       random() % 20 == 0 ? "欠席" : "");
    }
    return list;
}

static struct str file_of(const struct line *list, size_t from, size_t to)
{
    struct buf file = {0};

    buf_add_c(&file, "医籍登録番号,セッション番号,入室時刻,退室時刻,出欠\n");
    for (size_t i = from; i < to; i++)
        buf_add_c(&file, list[i].text);
    return built(&file);
}

/* Every entry that stands, without where it came from. */
static int64_t ledger_hash(void)
{
    return count("SELECT coalesce(hashtextextended(string_agg(concat_ws('|', doctor_id,"
                 " session_id, programme, kind, half_units, held_on), ',' ORDER BY doctor_id,"
                 " session_id, programme, revision), 0), 0) FROM credit.ledger");
}

static void empty_ledger(void)
{
    sql("DELETE FROM credit.upload; DELETE FROM credit.upload_chunk;"
        "DELETE FROM credit.upload_row; DELETE FROM credit.ledger");
}

static void splitting_a_file_gives_the_same_credits(void **state)
{
    enum { LINES = 600, WAYS = 6 };

    (void)state;
    srandom(20261122);
    for (int way = 0; way < WAYS; way++) {
        struct line *list = random_lines(LINES);
        size_t from = 0;
        int64_t whole;

        (void)post_file("S2026-0001", file_of(list, 0, LINES));
        whole = ledger_hash();
        assert_true(count("SELECT count(*) FROM credit.ledger") > 300);
        empty_ledger();
        while (from < LINES) {
            size_t to = from + 1 + (size_t)random() % 200;
            struct sent upload;

            to = to < LINES ? to : LINES;
            upload = post_file("S2026-0001", file_of(list, from, to));
            assert_books(&upload);
            from = to;
        }
        assert_int_equal(ledger_hash(), whole);
        empty_ledger();
    }
}

static void the_order_of_rows_gives_the_same_credits(void **state)
{
    enum { LINES = 600, WAYS = 6 };
    struct line *list;
    int64_t first = 0;

    (void)state;
    srandom(20261123);
    list = random_lines(LINES);
    for (int way = 0; way < WAYS; way++) {
        (void)post_file("S2026-0001", file_of(list, 0, LINES));
        if (way == 0)
            first = ledger_hash();
        assert_int_equal(ledger_hash(), first);
        empty_ledger();
        for (size_t i = LINES - 1; i > 0; i--) {
            size_t other = (size_t)random() % (i + 1);
            struct line kept = list[i];

            list[i] = list[other];
            list[other] = kept;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_same_file_again_changes_nothing, clean),
        cmocka_unit_test_setup(what_was_cancelled_posts_again, clean),
        cmocka_unit_test_setup(one_programme_of_three_was_cancelled, clean),
        cmocka_unit_test_setup(another_kind_conflicts_until_it_is_cancelled, clean),
        cmocka_unit_test_setup(a_row_waits_once, clean),
        cmocka_unit_test_setup(the_strict_policy_rejects, clean),
        cmocka_unit_test_setup(a_visit_has_ten_places_over_all_uploads, clean),
        cmocka_unit_test_setup(a_dry_run_judges_and_tells_nobody, clean),
        cmocka_unit_test_setup(a_dry_run_holds_no_place, clean),
        cmocka_unit_test_setup(splitting_a_file_gives_the_same_credits, clean),
        cmocka_unit_test_setup(the_order_of_rows_gives_the_same_credits, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
