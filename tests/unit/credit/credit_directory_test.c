/* credit_directory: what changed in the table, by whatever way, is what is found. */
#include "credit/credit_directory.h"
#include "unit/credit/credit_fixture.h"

enum { FIRST = 50000, MANY = 5000, REGISTER = 7000000, WAIT_MS = 60000 };

/* ---- asking ---- */

struct asking {
    struct flow flow;
    struct db_query *changes;
    size_t pages;
    bool done;
};

enum { ASK, TAKE };

static void asking_run(struct flow *flow)
{
    struct asking *asking = FLOW_OF(flow, struct asking, flow);
    bool complete;

    if (flow->step == ASK) {
        struct db_batch *batch = db_batch_read(flow->arena);

        asking->changes = directory_ask(credit.directory, batch);
        flow_wait(flow, TAKE);
        db_run(credit.db, batch, WAIT_MS, flow);
        return;
    }
    assert_int_equal(directory_take(credit.directory, asking->changes, &complete, &flow->note),
                     ERR_OK);
    asking->pages++;
    if (complete)
        flow_end(flow, ERR_OK);
    else
        flow_goto(flow, ASK);
}

static void asking_done(struct flow *flow)
{
    assert_int_equal(flow->err, ERR_OK);
    FLOW_OF(flow, struct asking, flow)->done = true;
}

/* Until there is no more; how many pages it took. */
static size_t follow(void)
{
    struct asking asking = {.pages = 0};

    flow_init(&asking.flow, credit.loop, asking_run, asking_done, NULL);
    flow_start(&asking.flow, ASK);
    assert_true(loop_run_until(credit.loop, &asking.done, WAIT_MS));
    flow_fini(&asking.flow);
    return asking.pages;
}

static size_t found(enum directory_key key, int64_t number, struct attendance_doctor *ret_doctor)
{
    size_t cursor = 0, count = 0;
    struct attendance_doctor doctor;

    while (directory_next(credit.directory, key, number, &cursor, &doctor)) {
        *ret_doctor = doctor;
        count++;
    }
    return count;
}

/* ---- tests ---- */

static int fresh(void **state)
{
    clean(state);
    sql("DELETE FROM credit.doctor WHERE doctor_id >= %d", FIRST);
    directory_free(credit.directory);
    credit.directory = directory_new();
    return 0;
}

static void insert(int first, int count)
{
    sql("INSERT INTO credit.doctor (doctor_id, version, register_no, mamis_no, name_kana,"
        " kana_folded, former_folded, my_page) SELECT n, 1, %d + n, 3000000000 + n, 'ア', 'ア' || "
        "n,"
        " '', 'active' FROM generate_series(%d, %d) AS n",
        REGISTER, first, first + count - 1);
}

static void every_doctor_is_found_by_each_number(void **state)
{
    struct attendance_doctor doctor;

    (void)state;
    insert(FIRST, MANY);
    assert_true(follow() > MANY / DIRECTORY_PAGE);
    for (int64_t id = FIRST; id < FIRST + MANY; id++) {
        assert_int_equal(found(DIRECTORY_BY_REGISTER, REGISTER + id, &doctor), 1);
        assert_int_equal(doctor.doctor_id, id);
        assert_int_equal(doctor.my_page, MY_PAGE_ACTIVE);
        assert_int_equal(doctor.former_kana.len, 0);
        assert_true(str_eq(doctor.kana, text("ア%lld", (long long)id)));
        assert_int_equal(found(DIRECTORY_BY_MAMIS, INT64_C(3000000000) + id, &doctor), 1);
        assert_int_equal(doctor.doctor_id, id);
    }
    assert_int_equal(found(DIRECTORY_BY_REGISTER, REGISTER + FIRST + MANY, &doctor), 0);
    assert_int_equal(found(DIRECTORY_BY_MAMIS, NUMBER_NONE, &doctor), 0);
}

static void a_change_by_any_way_is_seen(void **state)
{
    struct attendance_doctor doctor;
    struct str before;

    (void)state;
    insert(FIRST, 3);
    (void)follow();
    assert_int_equal(found(DIRECTORY_BY_ID, FIRST, &doctor), 1);
    before = doctor.kana;
    sql("UPDATE credit.doctor SET register_no = %d, kana_folded = 'イ', former_folded = 'ア',"
        " my_page = 'none' WHERE doctor_id = %d",
        REGISTER, FIRST);
    assert_int_equal(follow(), 1);
    assert_int_equal(found(DIRECTORY_BY_REGISTER, REGISTER + FIRST, &doctor), 0);
    assert_int_equal(found(DIRECTORY_BY_REGISTER, REGISTER, &doctor), 1);
    assert_int_equal(doctor.my_page, MY_PAGE_NONE);
    assert_true(str_eq_c(doctor.kana, "イ") && str_eq_c(doctor.former_kana, "ア"));
    assert_true(str_eq(before, text("ア%d", FIRST))); /* a match may hold it still */
}

static void a_number_that_comes_back_leads_to_its_doctor_once(void **state)
{
    struct attendance_doctor doctor;

    (void)state;
    insert(FIRST, 1);
    (void)follow();
    for (int turn = 0; turn < 4; turn++) {
        sql("UPDATE credit.doctor SET register_no = %d WHERE doctor_id = %d",
            REGISTER + (turn % 2 == 0 ? 0 : FIRST), FIRST);
        (void)follow();
        assert_int_equal(found(DIRECTORY_BY_REGISTER, REGISTER, &doctor), turn % 2 == 0);
        assert_int_equal(found(DIRECTORY_BY_REGISTER, REGISTER + FIRST, &doctor), turn % 2 != 0);
    }
    sql("UPDATE credit.doctor SET register_no = NULL, mamis_no = NULL WHERE doctor_id = %d", FIRST);
    (void)follow();
    assert_int_equal(found(DIRECTORY_BY_REGISTER, REGISTER + FIRST, &doctor), 0);
    assert_int_equal(found(DIRECTORY_BY_ID, FIRST, &doctor), 1);
    assert_int_equal(doctor.register_no, NUMBER_NONE);
}

static void two_doctors_of_one_number_are_both_found(void **state)
{
    struct attendance_doctor doctor;

    (void)state;
    insert(FIRST, 2);
    sql("UPDATE credit.doctor SET register_no = %d WHERE doctor_id >= %d", REGISTER, FIRST);
    (void)follow();
    assert_int_equal(found(DIRECTORY_BY_REGISTER, REGISTER, &doctor), 2);
}

/* One change of many doctors has one number: a page may end in the middle of it. */
static void a_change_larger_than_a_page_is_taken_whole(void **state)
{
    struct attendance_doctor doctor;

    (void)state;
    insert(FIRST, MANY);
    (void)follow();
    sql("UPDATE credit.doctor SET my_page = 'closed' WHERE doctor_id >= %d", FIRST);
    insert(FIRST + MANY, 1);
    assert_int_equal(follow(), MANY / DIRECTORY_PAGE + 1);
    for (int64_t id = FIRST; id < FIRST + MANY; id++) {
        assert_int_equal(found(DIRECTORY_BY_ID, id, &doctor), 1);
        assert_int_equal(doctor.my_page, MY_PAGE_CLOSED);
    }
    assert_int_equal(found(DIRECTORY_BY_ID, FIRST + MANY, &doctor), 1);
}

static void nothing_changed_is_one_empty_page(void **state)
{
    int64_t before = count("SELECT change_no FROM credit.doctor_change");

    (void)state;
    (void)follow();
    assert_int_equal(follow(), 1);
    insert(FIRST, 1);
    assert_true(count("SELECT change_no FROM credit.doctor_change") > before);
}

static bool filled;

static void note_filled(struct credit *which)
{
    assert_ptr_equal(which, &credit);
    filled = true;
}

static void note_closed(void *arg)
{
    assert_ptr_equal(arg, &credit);
    filled = true;
}

/* Also when PostgreSQL fails in the middle. */
static void it_is_filled_at_the_start(void **state)
{
    struct attendance_doctor doctor;

    (void)state;
    insert(FIRST, MANY);
    filled = credit.directory_filled = false;
    directory_free(credit.directory); /* opening makes one */
    fail_at((struct fault){.at = 1});
    credit_directory_open(&credit, note_filled);
    assert_true(loop_run_until(credit.loop, &filled, WAIT_MS));
    assert_true(credit.directory_filled);
    assert_int_equal(found(DIRECTORY_BY_ID, FIRST + MANY - 1, &doctor), 1);
    filled = false;
    credit_directory_close(&credit, note_closed);
    assert_true(loop_run_until(credit.loop, &filled, WAIT_MS));
    credit.directory_closing = false;
}

/* ---- waiting ---- */

enum { WAITING = 3 };

struct waiting_flow {
    struct flow flow;
    enum err err;
    size_t *left;
    bool *all;
};

enum { WAIT, GO_ON };

static void waiting_run(struct flow *flow)
{
    if (flow->step == GO_ON) {
        flow_end(flow, ERR_OK);
        return;
    }
    flow_wait(flow, GO_ON);
    credit_directory_wait(&credit, flow);
}

static void waiting_done(struct flow *flow)
{
    struct waiting_flow *waiting = FLOW_OF(flow, struct waiting_flow, flow);

    waiting->err = flow->err;
    *waiting->all = --*waiting->left == 0;
}

/* However many wait, each page is asked for once; all hear how it ended. */
static void those_who_wait_are_served_together(void **state)
{
    struct waiting_flow list[WAITING];
    struct attendance_doctor doctor;

    (void)state;
    insert(FIRST, MANY);
    for (int turn = 0; turn < 2; turn++) {
        const bool fails = turn == 0;
        size_t left = WAITING;
        bool all = false;

        if (fails)
            fail_at((struct fault){.at = 2});
        for (size_t i = 0; i < WAITING; i++) {
            list[i] = (struct waiting_flow){.left = &left, .all = &all};
            flow_init(&list[i].flow, credit.loop, waiting_run, waiting_done, NULL);
            flow_start(&list[i].flow, WAIT);
        }
        assert_true(loop_run_until(credit.loop, &all, WAIT_MS));
        for (size_t i = 0; i < WAITING; i++) {
            assert_int_equal(list[i].err == ERR_OK, !fails);
            flow_fini(&list[i].flow);
        }
        assert_int_equal(found(DIRECTORY_BY_ID, FIRST + MANY - 1, &doctor), !fails);
    }
}

/* A chunk that is still under way when the worker stops does not hang. */
static void who_waits_after_the_end_is_told(void **state)
{
    struct waiting_flow waiting;
    size_t left = 1;
    bool all = false;

    (void)state;
    credit.directory_closing = true;
    waiting = (struct waiting_flow){.left = &left, .all = &all};
    flow_init(&waiting.flow, credit.loop, waiting_run, waiting_done, NULL);
    flow_start(&waiting.flow, WAIT);
    assert_true(loop_run_until(credit.loop, &all, WAIT_MS));
    assert_int_equal(waiting.err, ERR_STOPPING);
    flow_fini(&waiting.flow);
    credit.directory_closing = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_doctor_is_found_by_each_number, fresh),
        cmocka_unit_test_setup(a_change_by_any_way_is_seen, fresh),
        cmocka_unit_test_setup(a_number_that_comes_back_leads_to_its_doctor_once, fresh),
        cmocka_unit_test_setup(two_doctors_of_one_number_are_both_found, fresh),
        cmocka_unit_test_setup(a_change_larger_than_a_page_is_taken_whole, fresh),
        cmocka_unit_test_setup(nothing_changed_is_one_empty_page, fresh),
        cmocka_unit_test_setup(it_is_filled_at_the_start, fresh),
        cmocka_unit_test_setup(those_who_wait_are_served_together, fresh),
        cmocka_unit_test_setup(who_waits_after_the_end_is_told, fresh),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
