/*
 * Two doctors are merged: credits of the closed one stand for the other, once; rows that wait are
 * his; numbers and names lead to him.
 */
#include <string.h>

#include "credit_check.h"

#define MERGE "0190a000-0000-7000-8000-0000000000c1"
#define REASON "同じ人です"
#define STANDS                                                                                     \
    " FROM credit.ledger l WHERE l.revision %% 2 = 0 AND NOT EXISTS (SELECT FROM credit.ledger n"  \
    " WHERE n.doctor_id = l.doctor_id AND n.session_id = l.session_id"                             \
    "  AND n.programme = l.programme AND n.revision = l.revision + 1)"

static const char header[] = "医籍登録番号,セッション番号,単位種別,氏名カナ\n";

static long long id_of(long long register_no)
{
    return count("SELECT doctor_id FROM credit.doctor WHERE register_no = %lld", register_no);
}

static int64_t standing(long long register_no)
{
    return count("SELECT count(*)" STANDS " AND l.doctor_id = %lld", id_of(register_no));
}

static void merge(long long kept, long long closed, const char *name)
{
    bench_handle(&bench, credit_merge_handle, &credit, EVENT_DOCTOR_MERGED,
                 "{\"merge_id\": \"" MERGE "\", \"kept_id\": %lld, \"closed_id\": %lld,"
                 " \"actor_id\": \"" ACTOR "\", \"actor_role\": \"office_l3\","
                 " \"reason\": \"" REASON "\", \"name\": \"医師\", \"kept_email\": \"\","
                 " \"closed_email\": \"\", \"names_kana\": [\"%s\"]}",
                 id_of(kept), id_of(closed), name);
    take_events();
}

static void credits_stand_for_the_other_once(void **state)
{
    const long long kept = number_of("active", 0), closed = number_of("active", 1);
    struct sent first = post_file("S2026-0001", text("%s%lld,1,OPL-S/CME-007,\n", header, kept));
    struct sent both =
        post_file("S2026-0001", text("%s%lld,1,OPL-S/CME-007/CSL-A1,\n", header, closed));
    struct sent other = post_file("S2026-0002", text("%s%lld,1,,\n", header, closed));
    const int64_t units = count("SELECT sum(half_units) FROM credit.ledger");

    (void)state;
    assert_int_equal(standing(kept), 2);
    assert_int_equal(standing(closed), 4);
    merge(kept, closed, "イシ");
    assert_int_equal(waiting(), 2); /* one for each upload */
    repeat(0);
    drain();
    assert_int_equal(standing(closed), 0);
    assert_int_equal(standing(kept), 4); /* the same hour counts once a programme */
    assert_true(count("SELECT sum(half_units) FROM credit.ledger") < units);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE reason = '" REASON
                           "' AND actor = '" ACTOR "' AND actor_role = 'office_l3'"),
                     6);
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE action = 'credits_move'"), 2);
    assert_books(&first);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_chunk WHERE upload_no = %lld"
                           " AND posted_doctor = ARRAY[%lld]::bigint[]",
                           (long long)other.no, id_of(kept)),
                     1);
    assert_int_equal(count("SELECT count(*) FROM credit.upload_chunk WHERE upload_no = %lld"
                           " AND posted_doctor = ARRAY[%lld]::bigint[]",
                           (long long)both.no, id_of(kept)),
                     1);
    /* Others hear of both halves as one correction. */
    assert_string_equal(bench_text(json_object_get(heard_data(EVENT_CREDITS_POSTED,
                                                              heard(EVENT_CREDITS_POSTED) - 1),
                                                   "correction"),
                                   "cause"),
                        "merge");
    /* Everything once more changes nothing. */
    resend();
    drain();
    assert_int_equal(standing(kept), 4);
    assert_int_equal(count("SELECT max(revision) FROM credit.ledger"), 1);
}

static void what_was_cancelled_gets_the_next_revision(void **state)
{
    const long long kept = number_of("active", 0), closed = number_of("active", 1);
    struct sent first = post_file("S2026-0002", text("%s%lld,1,,\n", header, kept));

    (void)state;
    (void)first;
    sql("INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
        " half_units, revision, programme, kind, reason, actor, actor_role)"
        " SELECT doctor_id, session_id, upload_no, posted_at, row_no, held_on, -half_units, 1,"
        "  programme, kind, 'test', '" ACTOR "', 'organiser' FROM credit.ledger");
    (void)post_file("S2026-0002", text("%s%lld,1,,\n", header, closed));
    merge(kept, closed, "イシ");
    drain();
    assert_int_equal(count("SELECT revision FROM credit.ledger WHERE doctor_id = %lld"
                           " ORDER BY revision DESC LIMIT 1",
                           id_of(kept)),
                     2);
    assert_int_equal(standing(kept), 1);
    assert_int_equal(standing(closed), 0);
}

static void rows_that_wait_are_his(void **state)
{
    const long long kept = number_of("active", 0), closed = number_of("none", 0);
    struct sent upload = post_file("S2026-0002", text("%s%lld,1,,\n", header, closed));

    (void)state;
    assert_counts(&upload, (const int64_t[]){0, 0, 1, 0, 0, 0});
    merge(kept, closed, "イシ");
    drain();
    assert_counts(&upload, (const int64_t[]){1, 0, 0, 0, 0, 0});
    assert_int_equal(standing(kept), 1);
    assert_books(&upload);
}

static void numbers_and_names_lead_to_him(void **state)
{
    const long long kept = number_of("active", 0), closed = number_of("active", 1),
                    last = number_of("active", 2);
    const long long mamis =
        count("SELECT mamis_no FROM credit.doctor WHERE register_no = %lld", kept);
    struct sent upload;

    (void)state;
    merge(kept, closed, "ムカシ　ノナ");
    drain();
    sql("UPDATE credit.doctor SET my_page = 'closed' WHERE register_no = %lld", closed);
    upload =
        post_file("S2026-0002",
                  text("医籍登録番号,MAMIS番号,氏名カナ\n%lld,%010lld,ムカシノナ\n%lld,,ベツノナ\n",
                       closed, mamis, closed));
    assert_row(&upload, 2, "unmatched", "kana_mismatch");
    assert_int_equal(standing(kept), 1);
    assert_int_equal(standing(closed), 0);
    /* He is merged himself: all numbers lead on. */
    merge(last, kept, "マタ　ベツ");
    drain();
    assert_int_equal(standing(last), 1);
    upload =
        post_file("S2026-0003", text("%s%lld,1,,ムカシノナ\n%lld,2,,\n", header, closed, kept));
    assert_counts(&upload, (const int64_t[]){2, 0, 0, 0, 0, 0});
    assert_true(count("SELECT count(*)" STANDS " AND l.doctor_id <> %lld", id_of(last)) == 0);
}

/* The session names one of his numbers, the row the other. */
static void a_leader_is_one_by_any_number(void **state)
{
    const long long leader =
        count("SELECT leader_register_no FROM credit.session WHERE seminar_no = 'S2026-0007'");
    long long closed;
    struct sent upload;

    (void)state;
    sql("UPDATE credit.doctor SET my_page = 'active' WHERE register_no = %lld", leader);
    closed = count("SELECT min(register_no) FROM credit.doctor WHERE my_page = 'active'"
                   " AND register_no <> %lld",
                   leader);
    merge(leader, closed, "イシ");
    drain();
    upload = post_file("S2026-0007", text("%s%lld,1,,\n", header, closed));
    assert_row(&upload, 1, "rejected", "leader_excluded");
}

/* Judged by what was known before, it posted after the question what stands. */
static void the_sweep_finds_what_came_late(void **state)
{
    const long long kept = number_of("active", 0), closed = number_of("active", 1);

    (void)state;
    (void)post_file("S2026-0002", text("%s%lld,1,,\n", header, closed));
    merge(kept, closed, "イシ");
    drain();
    sql("UPDATE credit.merge SET kept_id = %lld", id_of(kept));
    sql("INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
        " half_units, revision, programme, kind) SELECT doctor_id, session_id, upload_no,"
        " posted_at + interval '1 s', row_no, held_on, 2, 2, programme, kind FROM credit.ledger"
        " WHERE doctor_id = %lld AND revision = 1",
        id_of(closed));
    assert_int_equal(standing(closed), 1);
    bench_forget(&bench);
    credit_release_sweep(&credit);
    while (credit.release_running)
        (void)loop_run_until(bench.loop, &(bool){false}, 10);
    take_events();
    drain();
    assert_int_equal(standing(closed), 0);
    assert_int_equal(standing(kept), 1);
}

static void an_undo_takes_back_what_was_moved(void **state)
{
    const long long kept = number_of("active", 0), closed = number_of("active", 1);
    struct sent upload = post_file("S2026-0002", text("%s%lld,1,,\n", header, closed));

    (void)state;
    merge(kept, closed, "イシ");
    drain();
    inject(EVENT_UPLOAD_UNDO, "{" WHO ",\"reason\":\"x\",\"upload_id\":\"%s\"}", upload.id);
    drain();
    assert_int_equal(standing(kept), 0);
    assert_int_equal(standing(closed), 0);
    assert_string_equal(upload_text(&upload, "status"), "undone");
}

static int clean_merges(void **state)
{
    int failed = clean(state);

    sql("DELETE FROM credit.merge; UPDATE credit.doctor SET version = version");
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(credits_stand_for_the_other_once, clean_merges),
        cmocka_unit_test_setup(what_was_cancelled_gets_the_next_revision, clean_merges),
        cmocka_unit_test_setup(rows_that_wait_are_his, clean_merges),
        cmocka_unit_test_setup(numbers_and_names_lead_to_him, clean_merges),
        cmocka_unit_test_setup(a_leader_is_one_by_any_number, clean_merges),
        cmocka_unit_test_setup(the_sweep_finds_what_came_late, clean_merges),
        cmocka_unit_test_setup(an_undo_takes_back_what_was_moved, clean_merges),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
