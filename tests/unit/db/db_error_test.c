/* What the server refuses: nothing stays of the batch, errors are told apart, sessions heal. */
#include "db_fixture.h"

#include <stdlib.h>
#include <string.h>

static const struct db_stmt stmt_count = {"count", "SELECT count(*) FROM thing"};
static const struct db_stmt stmt_divide = {"divide", "SELECT 1 / $1::int4"};
static const struct db_stmt stmt_bad = {"bad", "SELECT nothing FROM nowhere"};

struct failure {
    void (*add)(struct db_batch *batch);
    enum err err;
    const char *detail;
    const char *note; /* part of it */
};

static void add_twice(struct db_batch *batch)
{
    add_thing(batch, 10, "once");
    add_thing(batch, 10, "again");
}

static void add_null_name(struct db_batch *batch)
{
    add_thing(batch, 11, NULL);
}

static void add_large_id(struct db_batch *batch)
{
    add_thing(batch, 1000000, "large");
}

static void add_division(struct db_batch *batch)
{
    db_i32(db_add(batch, &stmt_divide), 0);
}

static void add_bad_text(struct db_batch *batch)
{
    static const struct db_stmt stmt = {"bad_text", "SELECT $1::text::int4"};

    db_text_c(db_add(batch, &stmt), "secret words");
}

static void add_bad_statement(struct db_batch *batch)
{
    db_add(batch, &stmt_bad);
}

static void add_wrong_type(struct db_batch *batch)
{
    struct db_query *query = db_add(batch, &stmt_insert_thing);

    db_text_c(query, "12");
    db_text_c(query, "a text is no number");
}

static void add_lost_parent(struct db_batch *batch)
{
    static const struct db_stmt stmt = {
        "orphan", "INSERT INTO thing (id, name, parent) VALUES (12, 'x', 13)"};

    db_add(batch, &stmt); /* deferred: only COMMIT finds it */
}

static void add_slow(struct db_batch *batch)
{
    static const struct db_stmt stmt = {"limit", "SET LOCAL statement_timeout = 10"};

    db_add(batch, &stmt);
    add_sleep(batch, 10000);
}

static void add_copy(struct db_batch *batch)
{
    static const struct db_stmt stmt = {"copy", "COPY thing TO STDOUT"};

    db_add(batch, &stmt);
}

static void add_raise(struct db_batch *batch, const char *sqlstate)
{
    static const struct db_stmt stmt = {"raise", "SELECT db_test_raise($1)"};

    db_text_c(db_add(batch, &stmt), sqlstate);
}

static const struct failure failures[] = {
    {add_twice, ERR_DB_CONFLICT, "thing_pkey", "insert: 23505"},
    {add_null_name, ERR_DB_REFUSED, "23502", "insert: 23502"},
    {add_large_id, ERR_DB_REFUSED, "thing_id_small", "thing_id_small"},
    {add_division, ERR_DB_REFUSED, "22012", "divide: 22012 bad value"},
    {add_bad_text, ERR_DB_REFUSED, "22P02", "bad_text: 22P02 bad value"},
    {add_bad_statement, ERR_DB_REFUSED, "42P01", "bad: 42P01"},
    {add_wrong_type, ERR_DB_REFUSED, "42804", "insert: 42804"},
    {add_lost_parent, ERR_DB_REFUSED, "thing_parent_fkey", "COMMIT: 23503"},
    {add_slow, ERR_TIMEOUT, "57014", "sleep: 57014"},
};

/* Whatever fails in the middle takes everything with it, and the connection goes on. */
static void an_error_takes_all_with_it(void **state)
{
    struct fixture *fx = *state;

    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        struct db_batch *batch = db_batch_new(fx->arena);
        struct db_batch *after = db_batch_new(fx->arena);
        struct job *job;

        add_thing(batch, 1, "before");
        failures[i].add(batch);
        add_thing(batch, 2, "after");
        job = job_start(fx, batch, WAIT_MS);
        assert_int_equal(job_end(job), failures[i].err);
        assert_string_equal(db_batch_error_detail(batch), failures[i].detail);
        assert_non_null(strstr(job->flow.note.text, failures[i].note));
        assert_null(strstr(job->flow.note.text, "secret"));
        assert_int_equal(things(fx), 0);
        add_sleep(after, 0);
        assert_int_equal(run(fx, after), ERR_OK);
    }
}

struct sqlstate {
    const char *code;
    enum err err;
};

static void sqlstates_have_a_meaning(void **state)
{
    static const struct sqlstate sqlstates[] = {
        {"MA001", ERR_FENCED},      {"40001", ERR_DB_CONFLICT}, {"40P01", ERR_DB_CONFLICT},
        {"23505", ERR_DB_CONFLICT}, {"23503", ERR_DB_REFUSED},  {"57014", ERR_TIMEOUT},
        {"55P03", ERR_TIMEOUT},     {"57P01", ERR_DB_DOWN},     {"57P02", ERR_DB_DOWN},
        {"57P03", ERR_DB_DOWN},     {"08006", ERR_DB_DOWN},     {"53100", ERR_DB_DOWN},
        {"53300", ERR_DB_DOWN},     {"58030", ERR_DB_DOWN},     {"25006", ERR_DB_DOWN},
        {"0A000", ERR_DB_REFUSED},  {"42501", ERR_DB_REFUSED},  {"P0001", ERR_DB_REFUSED},
        {"XX000", ERR_DB_REFUSED},  {"22023", ERR_DB_REFUSED},
    };
    struct fixture *fx = *state;
    struct db_stats stats;

    pg_server_exec(fx->server, "CREATE OR REPLACE FUNCTION db_test_raise(code text) RETURNS void"
                               " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'as asked'"
                               " USING ERRCODE = code; END $$");
    for (size_t i = 0; i < ARRAY_LEN(sqlstates); i++) {
        struct db_batch *batch = i % 2 == 0 ? db_batch_new(fx->arena) : db_batch_read(fx->arena);

        add_raise(batch, sqlstates[i].code);
        assert_int_equal(job_end(job_start(fx, batch, WAIT_MS)), sqlstates[i].err);
        assert_string_equal(db_batch_error_detail(batch), sqlstates[i].code);
    }
    db_stats(fx->pool, &stats);
    assert_int_equal(stats.errors, ARRAY_LEN(sqlstates));
    assert_int_equal(stats.deadlocks, 1);
}

/* A thing nobody should put into a batch does not wedge the pool. */
static void a_copy_is_survived(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *copy = db_batch_new(fx->arena);
    struct db_batch *after = db_batch_new(fx->arena);

    add_thing(copy, 1, "x");
    add_copy(copy);
    assert_int_not_equal(job_end(job_start(fx, copy, WAIT_MS)), ERR_OK);
    add_thing(after, 3, "x");
    assert_int_equal(run(fx, after), ERR_OK);
}

static void a_failed_batch_may_run_again(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_query *count;

    add_thing(batch, 5, "mine");
    count = db_add(batch, &stmt_count);
    pg_server_exec(fx->server, "INSERT INTO thing VALUES (5, 'theirs')");
    assert_int_equal(job_end(job_start(fx, batch, WAIT_MS)), ERR_DB_CONFLICT);
    pg_server_exec(fx->server, "DELETE FROM thing");
    assert_int_equal(run(fx, batch), ERR_OK);
    assert_string_equal(db_batch_error_detail(batch), "");
    assert_int_equal(db_get_i64(count, 0, 0), 1);
}

/* The statement failed to prepare once; when the table is there, it works on the same connection.
 */
static void a_statement_that_failed_is_prepared_later(void **state)
{
    static const struct db_stmt stmt = {"later", "SELECT count(*) FROM db_test_later"};
    struct fixture *fx = *state;

    fixture_open(fx, fx->server->dsn, 1, 16);
    for (int i = 0; i < 4; i++) {
        struct db_batch *batch = db_batch_new(fx->arena);

        db_add(batch, &stmt);
        add_thing(batch, i, "x"); /* first prepared in the same failed batch */
        if (i == 2)
            pg_server_exec(fx->server, "CREATE TABLE db_test_later ()");
        assert_int_equal(job_end(job_start(fx, batch, WAIT_MS)), i < 2 ? ERR_DB_REFUSED : ERR_OK);
    }
    assert_int_equal(things(fx), 2);
}

static void a_changed_table_heals(void **state)
{
    static const struct db_stmt stmt = {"star", "SELECT * FROM thing"};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);

    fixture_open(fx, fx->server->dsn, 1, 16);
    db_add(batch, &stmt);
    assert_int_equal(run(fx, batch), ERR_OK);
    pg_server_exec(fx->server, "ALTER TABLE thing ADD COLUMN more int8");
    assert_int_equal(job_end(job_start(fx, batch, WAIT_MS)), ERR_DB_CONFLICT);
    assert_int_equal(run(fx, batch), ERR_OK);
}

static void a_deallocated_statement_heals(void **state)
{
    static const struct db_stmt stmt = {"deallocate", "DEALLOCATE ALL"};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_batch *all = db_batch_read(fx->arena);

    fixture_open(fx, fx->server->dsn, 1, 16);
    db_add(batch, &stmt_count);
    db_add(all, &stmt);
    assert_int_equal(run(fx, batch), ERR_OK);
    assert_int_equal(run(fx, all), ERR_OK);
    assert_int_equal(job_end(job_start(fx, batch, WAIT_MS)), ERR_DB_CONFLICT);
    assert_int_equal(run(fx, batch), ERR_OK);
}

/* Two batches take the same locks in opposite order: one of them is told to try again. */
static void a_deadlock_is_a_conflict(void **state)
{
    static const struct db_stmt lock = {"lock", "UPDATE thing SET name = 'l' WHERE id = $1"};
    struct fixture *fx = *state;
    struct job *jobs[2];
    enum err ends[2];

    pg_server_exec(fx->server, "INSERT INTO thing VALUES (1, 'a'), (2, 'b')");
    for (int i = 0; i < 2; i++) {
        struct db_batch *batch = db_batch_new(fx->arena);

        db_i64(db_add(batch, &lock), 1 + i);
        add_sleep(batch, 300);
        db_i64(db_add(batch, &lock), 2 - i);
        jobs[i] = job_start(fx, batch, WAIT_MS);
    }
    for (int i = 0; i < 2; i++)
        ends[i] = job_end(jobs[i]);
    assert_true((ends[0] == ERR_OK) != (ends[1] == ERR_OK));
    assert_true(ends[0] == ERR_DB_CONFLICT || ends[1] == ERR_DB_CONFLICT);
}

static void a_lost_partition_is_fenced(void **state)
{
    static const struct db_stmt advance = {"advance",
                                           "SELECT mamis.advance('credit', $1, $2, $3, $4)"};
    struct fixture *fx = *state;
    const int64_t expected[] = {0, 5, 0, 9};
    const enum err ends[] = {ERR_OK, ERR_OK, ERR_FENCED, ERR_OK};

    pg_server_exec(fx->server, "CREATE SCHEMA mamis");
    pg_server_file(fx->server, TEST_SOURCE_DIR "/deploy/migrations/0001_foundation.sql");
    pg_server_exec(fx->server, "INSERT INTO credit.work_offset (topic, part, next)"
                               " VALUES ('mamis.credit.work', 3, 0)");
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct db_batch *batch = db_batch_new(fx->arena);
        struct db_query *query = db_add(batch, &advance);

        db_text_c(query, "mamis.credit.work");
        db_i32(query, 3);
        db_i64(query, expected[i]);
        db_i64(query, i == 0 ? 5 : 9);
        add_thing(batch, (int64_t)i, "effect");
        assert_int_equal(job_end(job_start(fx, batch, WAIT_MS)), ends[i]);
    }
    assert_int_equal(pg_server_i64(fx->server, "SELECT count(*) FROM thing WHERE id = 2"), 0);
    assert_int_equal(things(fx), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_error_takes_all_with_it, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(sqlstates_have_a_meaning, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_copy_is_survived, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_failed_batch_may_run_again, thing_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_statement_that_failed_is_prepared_later, thing_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_changed_table_heals, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_deallocated_statement_heals, thing_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_deadlock_is_a_conflict, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_lost_partition_is_fenced, thing_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, server_setup, server_teardown);
}
