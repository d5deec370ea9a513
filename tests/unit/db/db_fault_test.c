/*
 * What the network and the server do at the worst moment. Whatever happens: a batch that worked has
 * its effect, one that failed has none, and only ERR_DB_UNKNOWN leaves it open.
 */
#include "db_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/child.h"
#include "lib/proxy.h"

static struct proxy *proxy;
static char proxy_dsn[200];

/* Everything goes through a proxy. */
static int proxy_setup(void **state)
{
    int failed = thing_setup(state);
    struct fixture *fx = *state;
    char folder[120];
    char path[150];
    char target[150];

    if (failed != 0)
        return failed;
    snprintf(folder, sizeof(folder), "%s/proxy", child_folder());
    mkdir(folder, 0700);
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", folder);
    snprintf(target, sizeof(target), "%s/.s.PGSQL.5432", fx->server->data);
    proxy = proxy_start(path, target);
    snprintf(proxy_dsn, sizeof(proxy_dsn), "host=%s user=postgres dbname=postgres", folder);
    fixture_open(fx, proxy_dsn, 1, 64);
    return 0;
}

static int proxy_teardown(void **state)
{
    proxy_hold(proxy, PROXY_UP, false);
    proxy_hold(proxy, PROXY_DOWN, false);
    fixture_teardown(state);
    proxy_stop(proxy);
    return 0;
}

static struct db_batch *write_of(struct fixture *fx, int64_t id)
{
    struct db_batch *batch = db_batch_new(fx->arena);

    add_thing(batch, id, "effect");
    return batch;
}

static struct db_batch *read_of(struct fixture *fx)
{
    static const struct db_stmt stmt = {"read", "SELECT count(*) FROM thing"};
    struct db_batch *batch = db_batch_read(fx->arena);

    db_add(batch, &stmt);
    return batch;
}

static bool has_effect(struct fixture *fx, int64_t id)
{
    char sql[80];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM thing WHERE id = %lld", (long long)id);
    return pg_server_i64(fx->server, sql) == 1;
}

static void an_answer_lost_after_commit_is_unknown(void **state)
{
    struct fixture *fx = *state;
    struct job *job;

    assert_int_equal(run(fx, write_of(fx, 1)), ERR_OK);
    proxy_hold(proxy, PROXY_DOWN, true);
    job = job_start(fx, write_of(fx, 2), WAIT_MS);
    turn_until_i64(fx, "SELECT count(*) FROM thing", 2);
    assert_false(job->done);
    proxy_cut(proxy);
    assert_int_equal(job_end(job), ERR_DB_UNKNOWN);
    proxy_hold(proxy, PROXY_DOWN, false);
    assert_int_equal(job_end(job_start(fx, write_of(fx, 2), WAIT_MS)), ERR_DB_CONFLICT);
}

static void a_read_that_is_cut_is_down(void **state)
{
    struct fixture *fx = *state;
    int64_t sent;
    struct job *job;
    bool never = false;

    assert_int_equal(run(fx, read_of(fx)), ERR_OK);
    sent = proxy_bytes(proxy, PROXY_UP);
    proxy_hold(proxy, PROXY_DOWN, true);
    job = job_start(fx, read_of(fx), WAIT_MS);
    while (proxy_bytes(proxy, PROXY_UP) == sent)
        loop_run_until(fx->loop, &never, 1);
    proxy_cut(proxy);
    assert_int_equal(job_end(job), ERR_DB_DOWN);
    proxy_hold(proxy, PROXY_DOWN, false);
    assert_int_equal(run(fx, read_of(fx)), ERR_OK);
}

static void a_frozen_network_ends_at_the_deadline(void **state)
{
    const enum proxy_way ways[] = {PROXY_UP, PROXY_DOWN};
    struct fixture *fx = *state;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        turn_until_up(fx, true);
        assert_int_equal(run(fx, read_of(fx)), ERR_OK);
        proxy_hold(proxy, ways[i], true);
        assert_int_equal(job_end(job_start(fx, read_of(fx), 50)), ERR_TIMEOUT);
        proxy_hold(proxy, ways[i], false);
        assert_int_equal(run(fx, read_of(fx)), ERR_OK);
        proxy_hold(proxy, ways[i], true);
        assert_int_equal(job_end(job_start(fx, write_of(fx, (int64_t)i), 50)), ERR_DB_UNKNOWN);
        /* Now even connecting is frozen: batches wait for their deadline and no longer. */
        assert_int_equal(job_end(job_start(fx, write_of(fx, 9), 50)), ERR_TIMEOUT);
        proxy_hold(proxy, ways[i], false);
        proxy_cut(proxy);
    }
    turn_until_up(fx, true);
    assert_int_equal(run(fx, read_of(fx)), ERR_OK);
    assert_false(has_effect(fx, 9));
}

/* The process was stopped while the answer came: it is known, so it counts. */
static void an_answer_counts_when_the_loop_was_late(void **state)
{
    struct fixture *fx = *state;
    bool effect = false;
    bool never = false;
    struct job *job;

    assert_int_equal(run(fx, write_of(fx, 1)), ERR_OK);
    proxy_hold(proxy, PROXY_DOWN, true);
    job = job_start(fx, write_of(fx, 2), 200);
    assert_false(loop_run_until(fx->loop, &never, 20));
    assert_false(job->done);
    proxy_hold(proxy, PROXY_DOWN, false);
    for (uint64_t end_ms = clock_mono_ms() + 250; clock_mono_ms() < end_ms;)
        effect = has_effect(fx, 2); /* the loop stands still */
    assert_true(effect);
    assert_int_equal(job_end(job), ERR_OK);
}

/* More than the sockets hold, while nobody reads: the rest waits in libpq, the loop goes on. */
static void a_large_batch_meets_a_frozen_network(void **state)
{
    enum { BYTES = 4 * 1000 * 1000 };
    static const struct db_stmt stmt = {"large", "INSERT INTO thing (id, name) SELECT $1, 'large'"
                                                 " WHERE length($2::bytea) > 0"};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_query *query = db_add(batch, &stmt);
    bool never = false;
    struct job *job;

    db_i64(query, 1);
    db_bytes(query, (struct str){arena_alloc(fx->arena, BYTES), BYTES});
    turn_until_up(fx, true);
    proxy_hold(proxy, PROXY_UP, true);
    job = job_start(fx, batch, WAIT_MS);
    assert_false(loop_run_until(fx->loop, &never, 30));
    assert_false(job->done);
    proxy_hold(proxy, PROXY_UP, false);
    assert_int_equal(job_end(job), ERR_OK);
    assert_true(has_effect(fx, 1));
}

static void a_trickle_is_enough(void **state)
{
    struct fixture *fx = *state;

    proxy_piece(proxy, 1);
    for (int64_t id = 0; id < 5; id++) {
        assert_int_equal(run(fx, write_of(fx, id)), ERR_OK);
        assert_int_equal(job_end(job_start(fx, write_of(fx, id), WAIT_MS)), ERR_DB_CONFLICT);
        assert_int_equal(run(fx, read_of(fx)), ERR_OK);
    }
    assert_int_equal(things(fx), 5);
}

struct tally {
    unsigned worked, unknown_with_effect, unknown_without_effect, down;
};

static void check_end(struct fixture *fx, struct job *job, int64_t id, struct tally *tally)
{
    enum err err = job_end(job);
    bool effect = has_effect(fx, id);

    if (err == ERR_OK) {
        assert_true(effect);
        tally->worked++;
    } else if (err == ERR_DB_UNKNOWN) {
        if (effect)
            tally->unknown_with_effect++;
        else
            tally->unknown_without_effect++;
    } else {
        assert_int_equal(err_class(err), ERR_CLASS_RETRY);
        assert_false(effect);
        tally->down++;
    }
}

/* The one session that the server has of ours, once those before it have ended. */
static int only_session(struct fixture *fx)
{
    turn_until_i64(fx, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'db_test'",
                   1);
    return (int)pg_server_i64(
        fx->server, "SELECT max(pid) FROM pg_stat_activity WHERE application_name = 'db_test'");
}

/* The connection breaks after each byte of a batch, or of its answer. */
static void cut_everywhere(struct fixture *fx, enum proxy_way way, int64_t step,
                           struct tally *tally)
{
    int64_t from;
    int64_t whole;
    int64_t id = 1;

    assert_int_equal(run(fx, write_of(fx, id++)), ERR_OK); /* prepares the statements */
    from = proxy_bytes(proxy, way);
    assert_int_equal(run(fx, write_of(fx, id++)), ERR_OK);
    whole = proxy_bytes(proxy, way) - from;
    assert_in_range(whole, 50, 1000);
    for (int64_t bytes = 0; bytes <= whole; bytes += step) {
        struct job *job;
        const char *session_left;

        assert_int_equal(run(fx, write_of(fx, id++)), ERR_OK); /* connected and prepared again */
        session_left = arena_printf(
            fx->arena, "SELECT count(*) FROM pg_stat_activity WHERE pid = %d", only_session(fx));
        proxy_cut_after(proxy, way, bytes);
        job = job_start(fx, write_of(fx, id), WAIT_MS);
        assert_true(loop_run_until(fx->loop, &job->done, WAIT_MS));
        proxy_cut_after(proxy, way, -1);
        turn_until_i64(fx, session_left, 0); /* whatever reached the server is done by then */
        check_end(fx, job, id++, tally);
    }
}

static void a_batch_may_break_at_each_byte(void **state)
{
    struct tally tally = {0};

    cut_everywhere(*state, PROXY_UP, 3, &tally);
    assert_true(tally.unknown_without_effect > 0);
    assert_true(tally.unknown_with_effect > 0);
    assert_int_equal(tally.down, 0);
}

static void an_answer_may_break_at_each_byte(void **state)
{
    struct tally tally = {0};

    cut_everywhere(*state, PROXY_DOWN, 2, &tally);
    assert_true(tally.unknown_with_effect > 0);
    assert_true(tally.worked > 0); /* COMMIT was answered, only the end of the answer is lost */
    assert_int_equal(tally.unknown_without_effect, 0);
    assert_int_equal(tally.down, 0);
}

enum { STORM = 60 };

/* Many batches on two connections while something happens to the server. */
static void storm(struct fixture *fx, void (*strike)(struct fixture *fx), bool restart)
{
    struct job *jobs[STORM];
    struct tally tally = {0};

    fixture_open(fx, fx->server->dsn, 2, STORM);
    assert_int_equal(run(fx, read_of(fx)), ERR_OK);
    for (int64_t id = 0; id < STORM; id++) {
        struct db_batch *batch = write_of(fx, id);

        add_sleep(batch, 5);
        jobs[id] = job_start(fx, batch, WAIT_MS);
    }
    turn_until_i64(fx, "SELECT least(count(*), 5) FROM thing", 5);
    strike(fx);
    if (restart) {
        for (int64_t id = 0; id < STORM; id++)
            job_end(jobs[id]); /* with the server away, nobody waits for ever */
        pg_server_again(fx->server);
    }
    for (int64_t id = 0; id < STORM; id++)
        check_end(fx, jobs[id], id, &tally);
    assert_true(tally.worked >= 5);
    turn_until_up(fx, true);
    assert_int_equal(run(fx, write_of(fx, STORM)), ERR_OK);
}

static void strike_crash(struct fixture *fx)
{
    pg_server_crash(fx->server);
}

static void strike_stop(struct fixture *fx)
{
    pg_server_stop(fx->server);
}

static void strike_sessions(struct fixture *fx)
{
    pg_server_exec(fx->server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                               " WHERE application_name = 'db_test'");
}

/* One process of the server dies; the server throws all others out and recovers. */
static void strike_backend(struct fixture *fx)
{
    pid_t pid = (pid_t)pg_server_i64(fx->server, "SELECT min(pid) FROM pg_stat_activity"
                                                 " WHERE application_name = 'db_test'");

    kill(pid, SIGKILL);
    turn_until_up(fx, false);
    pg_server_wait(fx->server);
}

static void the_server_crashes(void **state)
{
    storm(*state, strike_crash, true);
}

static void the_server_stops(void **state)
{
    storm(*state, strike_stop, true);
}

static void sessions_are_terminated(void **state)
{
    storm(*state, strike_sessions, false);
}

static void a_backend_is_killed(void **state)
{
    storm(*state, strike_backend, false);
}

static void an_idle_connection_dies(void **state)
{
    struct fixture *fx = *state;

    for (int i = 0; i < 3; i++) {
        int pid;

        assert_int_equal(run(fx, read_of(fx)), ERR_OK);
        pid = only_session(fx);
        proxy_cut(proxy);
        turn_until_i64(
            fx,
            arena_printf(fx->arena, "SELECT count(*) FROM pg_stat_activity WHERE pid = %d", pid),
            0);
        (void)only_session(fx); /* replaced without anybody asking */
        turn_until_up(fx, true);
    }
}

/* Somebody listens but never says a word. */
static void a_silent_server_is_given_up(void **state)
{
    struct fixture *fx = *state;
    struct job *job;

    proxy_hold(proxy, PROXY_UP, true);
    fixture_open(fx, proxy_dsn, 1, 16);
    job = job_start(fx, read_of(fx), WAIT_MS);
    assert_int_equal(job_end(job), ERR_DB_DOWN); /* after 5 s */
    assert_non_null(strstr(job->flow.note.text, "no answer while connecting"));
    proxy_hold(proxy, PROXY_UP, false);
    turn_until_up(fx, true);
    assert_int_equal(run(fx, read_of(fx)), ERR_OK);
}

static void no_server_is_said_at_once(void **state)
{
    const char *const dsns[] = {"host=/nonexistent user=nobody", "hostaddr=127.0.0.1 port=1",
                                "no connection string", "host=/tmp password="};
    struct fixture *fx = *state;

    for (size_t i = 0; i < ARRAY_LEN(dsns); i++) {
        fixture_open(fx, dsns[i], 2, 16);
        for (int tries = 0; tries < 3; tries++) {
            struct job *job = job_start(fx, read_of(fx), WAIT_MS);

            assert_int_equal(job_end(job), ERR_DB_DOWN);
            assert_non_null(strstr(job->flow.note.text, "cannot connect: "));
            assert_null(strchr(job->flow.note.text, '\n'));
        }
        assert_false(db_up(fx->pool));
    }
}

static void it_connects_when_the_server_comes(void **state)
{
    struct fixture *fx = *state;

    pg_server_stop(fx->server);
    fixture_open(fx, fx->server->dsn, 2, 16);
    assert_int_equal(job_end(job_start(fx, read_of(fx), WAIT_MS)), ERR_DB_DOWN);
    pg_server_begin(fx->server);
    turn_until_up(fx, true);
    assert_int_equal(run(fx, write_of(fx, 1)), ERR_OK);
    pg_server_wait(fx->server);
}

/* The hook that other tests use to fail the nth batch. */
struct fault {
    uint64_t number;
    bool after;
    unsigned asked;
};

static enum err on_fault(void *arg, uint64_t batch_number, bool after_commit)
{
    struct fault *fault = arg;

    fault->asked++;
    if (batch_number != fault->number || after_commit != fault->after)
        return ERR_OK;
    return after_commit ? ERR_DB_UNKNOWN : ERR_DB_DOWN;
}

static void the_nth_batch_fails_as_asked(void **state)
{
    struct fixture *fx = *state;

    for (int round = 0; round < 2; round++) {
        struct fault fault = {.number = 3, .after = round == 1};

        pg_server_exec(fx->server, "DELETE FROM thing");
        fixture_open(fx, fx->server->dsn, 1, 16);
        db_set_fault(fx->pool, on_fault, &fault);
        for (int64_t id = 1; id <= 5; id++) {
            enum err err = job_end(job_start(fx, write_of(fx, id), WAIT_MS));

            if (id == 3)
                assert_int_equal(err, fault.after ? ERR_DB_UNKNOWN : ERR_DB_DOWN);
            else
                assert_int_equal(err, ERR_OK);
            assert_int_equal(has_effect(fx, id), id != 3 || fault.after);
        }
        assert_int_equal(fault.asked, fault.after ? 10 : 9);
        db_set_fault(fx->pool, NULL, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_lost_after_commit_is_unknown, proxy_setup,
                                        proxy_teardown),
        cmocka_unit_test_setup_teardown(a_read_that_is_cut_is_down, proxy_setup, proxy_teardown),
        cmocka_unit_test_setup_teardown(a_frozen_network_ends_at_the_deadline, proxy_setup,
                                        proxy_teardown),
        cmocka_unit_test_setup_teardown(an_answer_counts_when_the_loop_was_late, proxy_setup,
                                        proxy_teardown),
        cmocka_unit_test_setup_teardown(a_large_batch_meets_a_frozen_network, proxy_setup,
                                        proxy_teardown),
        cmocka_unit_test_setup_teardown(a_trickle_is_enough, proxy_setup, proxy_teardown),
        cmocka_unit_test_setup_teardown(a_batch_may_break_at_each_byte, proxy_setup,
                                        proxy_teardown),
        cmocka_unit_test_setup_teardown(an_answer_may_break_at_each_byte, proxy_setup,
                                        proxy_teardown),
        cmocka_unit_test_setup_teardown(an_idle_connection_dies, proxy_setup, proxy_teardown),
        cmocka_unit_test_setup_teardown(a_silent_server_is_given_up, proxy_setup, proxy_teardown),
        cmocka_unit_test_setup_teardown(the_server_crashes, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_server_stops, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(sessions_are_terminated, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_backend_is_killed, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(no_server_is_said_at_once, thing_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(it_connects_when_the_server_comes, thing_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_nth_batch_fails_as_asked, thing_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, server_setup, server_teardown);
}
