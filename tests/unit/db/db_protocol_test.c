/* A server that answers too much, too little or nonsense: no batch hangs, none is believed wrongly.
 */
#include "db_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/child.h"
#include "lib/pg_fake.h"

/* Of scripts that end in silence. */
enum { SILENCE_MS = 300 };

static const struct db_stmt stmt_update = {"update", "UPDATE thing SET name = 'x'"};

static struct pg_fake *fake;
static char fake_dsn[200];

static int fake_setup(void **state)
{
    char path[150];

    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", child_folder());
    snprintf(fake_dsn, sizeof(fake_dsn), "host=%s user=nobody dbname=nothing", child_folder());
    fake = pg_fake_start(path);
    if (fixture_setup(state) != 0)
        return -1;
    fixture_open(*state, fake_dsn, 1, 16);
    return 0;
}

static int fake_teardown(void **state)
{
    fixture_teardown(state);
    pg_fake_stop(fake);
    return 0;
}

struct lie {
    const char *script;
    enum err transaction; /* how a batch ends with it */
};

/* Parse answers of begin, commit and the statement come first on a new connection. */
static const struct lie lies[] = {
    {"111 2nB 2nU 2nC Z", ERR_OK},
    {"111 w 2nB w 2nU w 2nC w Z w", ERR_OK},
    /* errors: what the server says is believed */
    {"e Z", ERR_DB_CONFLICT},
    {"11 e Z", ERR_DB_CONFLICT},
    {"111 2n e T", ERR_DB_CONFLICT},
    {"111 2nB 2n e T", ERR_DB_CONFLICT},
    {"111 2nB 2nU 2n e Z", ERR_DB_CONFLICT},
    {"111 2nB e .", ERR_DB_CONFLICT},
    {"111 2nB e", ERR_DB_CONFLICT},
    /* two errors in one pipeline */
    {"111 2nB e e T", ERR_DB_CONFLICT},
    {"111 2nB e f .", ERR_DB_CONFLICT},
    /* the session ends: before COMMIT nothing happened, at COMMIT nobody knows */
    {"f .", ERR_DB_DOWN},
    {"111 f .", ERR_DB_DOWN},
    {"111 2nB 2n f .", ERR_DB_DOWN},
    {"111 2nB 2n F .", ERR_DB_DOWN},
    {"111 2nB 2nU 2n F .", ERR_DB_UNKNOWN},
    {"111 2nB 2nU 2n f .", ERR_DB_UNKNOWN},
    {"111 2nB 2nU 2nC f .", ERR_OK},
    /* cut, or silent until the deadline */
    {".", ERR_DB_UNKNOWN},
    {"", ERR_DB_UNKNOWN},
    {"111 2nB .", ERR_DB_UNKNOWN},
    {"111 2nB", ERR_DB_UNKNOWN},
    {"111 2nB 2nU .", ERR_DB_UNKNOWN},
    {"111 2nB 2nU 2n", ERR_DB_UNKNOWN},
    {"111 2nB 2nU 2nC .", ERR_OK},
    {"111 2nB 2nU 2nC", ERR_OK},
    /* COMMIT that did not commit */
    {"111 2nB 2nU 2nR Z", ERR_DB_REFUSED},
    /* too much, too early, something else */
    {"111 2nB 2nUU 2nC Z", ERR_DB_UNKNOWN},
    {"111 2nB Z 2nU 2nC Z", ERR_DB_UNKNOWN},
    {"Z", ERR_DB_UNKNOWN},
    {"111 2nB 2g Z", ERR_DB_UNKNOWN},
    {"111 2nB x", ERR_DB_UNKNOWN},
    {"x .", ERR_DB_UNKNOWN},
};

static struct db_batch *update_of(struct fixture *fx)
{
    struct db_batch *batch = db_batch_new(fx->arena);

    db_add(batch, &stmt_update);
    return batch;
}

static uint64_t deadline_of(const char *script)
{
    size_t len = strlen(script);

    return len > 0 && strchr(".ZTw", script[len - 1]) != NULL ? WAIT_MS : SILENCE_MS;
}

static void lies_are_survived(void **state)
{
    struct fixture *fx = *state;

    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct job *job;

        fixture_open(fx, fake_dsn, 1, 16);
        turn_until_up(fx, true);
        pg_fake_script(fake, lies[i].script);
        job = job_start(fx, update_of(fx), deadline_of(lies[i].script));
        if (job_end(job) != lies[i].transaction)
            fail_msg("\"%s\" ends with %s: %s", lies[i].script, err_name(job->flow.err),
                     job->flow.note.text);
        /* On the same connection or another: it goes on. */
        assert_int_equal(run(fx, update_of(fx)), ERR_OK);
    }
}

static void lies_to_a_read_are_survived(void **state)
{
    static const struct lie reads[] = {
        {"1 2nU Z", ERR_OK},
        {"1 2n e Z", ERR_DB_CONFLICT},
        {"1 2n f .", ERR_DB_DOWN},
        {"1 2nU .", ERR_DB_DOWN},
        {"1 2nU", ERR_TIMEOUT},
        {"", ERR_TIMEOUT},
        {"1 2nUU 2nU Z", ERR_DB_DOWN},
        {"Z", ERR_DB_DOWN},
        {"x", ERR_DB_DOWN},
    };
    struct fixture *fx = *state;

    for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
        struct db_batch *batch = db_batch_read(fx->arena);
        struct job *job;

        db_add(batch, &stmt_update);
        fixture_open(fx, fake_dsn, 1, 16);
        turn_until_up(fx, true);
        pg_fake_script(fake, reads[i].script);
        job = job_start(fx, batch, deadline_of(reads[i].script));
        if (job_end(job) != reads[i].transaction)
            fail_msg("\"%s\" ends with %s: %s", reads[i].script, err_name(job->flow.err),
                     job->flow.note.text);
        assert_int_equal(run(fx, update_of(fx)), ERR_OK);
    }
}

/* ROLLBACK after a failed batch fails as well: the connection is given up, nobody notices. */
static void a_session_that_cannot_leave_is_replaced(void **state)
{
    const char *const scripts[] = {
        "111 2nB e T | 12nR T", "111 2nB e T | e T",
        "111 2nB e T | f .",    "111 2nB e T | 12nR 12nR Z",
        "111 2nB e T | .",      "111 2nB e T |" /* silence: given up after 5 s */};
    struct fixture *fx = *state;

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct job *failing;
        struct job *after;

        turn_until_up(fx, true);
        pg_fake_script(fake, scripts[i]);
        failing = job_start(fx, update_of(fx), WAIT_MS);
        after = job_start(fx, update_of(fx), WAIT_MS);
        assert_int_equal(job_end(failing), ERR_DB_CONFLICT);
        assert_int_equal(job_end(after), ERR_OK);
        fixture_open(fx, fake_dsn, 1, 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lies_are_survived, fake_setup, fake_teardown),
        cmocka_unit_test_setup_teardown(lies_to_a_read_are_survived, fake_setup, fake_teardown),
        cmocka_unit_test_setup_teardown(a_session_that_cannot_leave_is_replaced, fake_setup,
                                        fake_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
