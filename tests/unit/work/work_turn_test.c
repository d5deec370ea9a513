/* work: messages on their way in, against real servers. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/work/work_fixture.h"
#include "work/work_private.h"

#define EFFECTS "SELECT count(*) FROM credit.effect"
#define PLACE "SELECT coalesce(sum(next), 0) FROM credit.work_offset"
#define UNSENT "SELECT count(*) FROM gateway.outbox WHERE sent_at IS NULL"
#define LETTERS "SELECT count(*) FROM credit.dead_letter"

static bool handled_300(void *arg)
{
    struct work_stats stats;

    work_stats(arg, &stats);
    return stats.handled == 300;
}

static void each_message_has_its_effect_once(void **state)
{
    struct fixture *fx = *state;
    struct work_stats stats;

    worker_start(fx);
    for (int64_t n = 0; n < 300; n++)
        send_event(fx, "t.add.v1", n);
    until_i64(fx, EFFECTS, 300);
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), 300);
    assert_int_equal(number(PLACE), 300);
    assert_int_equal(number("SELECT count(*) FROM credit.inbox"), 300);
    assert_int_equal(number("SELECT count(*) FROM credit.effect AS a JOIN credit.effect AS b"
                            " ON a.effect_id < b.effect_id AND a.n > b.n"),
                     0);                                             /* in order */
    assert_true(wait_for(fx->loop, handled_300, fx->work, WAIT_MS)); /* the last commit's answer */
    work_stats(fx->work, &stats);
    assert_int_equal(stats.partitions, 1);
    assert_int_equal(fx->service.committed, 300);
    assert_int_equal(stats.lag, 0);
    assert_true(work_idle(fx->work));
}

static void a_backlog_comes_in_batches(void **state)
{
    struct fixture *fx = *state;

    for (int64_t n = 0; n < 500; n++)
        send_event(fx, "t.add.v1", n);
    worker_start(fx);
    until_i64(fx, EFFECTS, 500);
    assert_in_range(fx->service.largest, 10, 50);
    assert_true(fx->service.calls < 100);
}

/* Many more than one partition may hold in memory: fetching stops and goes on. */
static void a_long_backlog_does_not_fill_memory(void **state)
{
    struct fixture *fx = *state;
    size_t most = 0;
    uint64_t end_ms;

    send_event(fx, "t.add.v1", 0);
    exec("INSERT INTO gateway.outbox (event_id, type, topic, key, body, next_try_at)"
         " SELECT id, type, topic, key, replace(body, event_id::text, id::text),"
         " clock_timestamp() - interval '1 second' FROM gateway.outbox,"
         " (SELECT gen_random_uuid() AS id FROM generate_series(1, 6000)) AS g");
    until_i64(fx, UNSENT, 0);
    worker_start(fx);
    end_ms = clock_mono_ms() + WAIT_MS;
    while (number(EFFECTS) < 6001 && clock_mono_ms() < end_ms) {
        run_for(fx->loop, 5);
        if (fx->work->parts != NULL && fx->work->parts->count > most)
            most = fx->work->parts->count;
    }
    assert_int_equal(number(EFFECTS), 6001);
    assert_in_range(most, WORK_PART_MESSAGES_LOW, WORK_PART_MESSAGES_MAX);
}

static void a_restart_goes_on_where_it_was(void **state)
{
    struct fixture *fx = *state;

    worker_start(fx);
    for (int64_t n = 0; n < 20; n++)
        send_event(fx, "t.add.v1", n);
    until_i64(fx, EFFECTS, 20);
    worker_stop(fx);
    for (int64_t n = 20; n < 40; n++)
        send_event(fx, "t.add.v1", n);
    worker_start(fx);
    until_i64(fx, EFFECTS, 40);
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), 40);
}

static void a_republished_event_changes_nothing(void **state)
{
    struct fixture *fx = *state;

    worker_start(fx);
    send_event(fx, "t.add.v1", 7);
    until_i64(fx, PLACE, 1);
    until_i64(fx, UNSENT, 0); /* marked, which may come after the effect */
    for (int i = 0; i < 5; i++)
        send_again(fx);
    until_i64(fx, PLACE, 6);
    assert_int_equal(number(EFFECTS), 1);
    assert_int_equal(fx->service.calls, 1);
}

/* The same event several times in one batch. */
static void repeats_side_by_side_count_once(void **state)
{
    struct fixture *fx = *state;

    send_event(fx, "t.add.v1", 7);
    until_i64(fx, UNSENT, 0);
    for (int i = 0; i < 4; i++)
        send_again(fx);
    send_event(fx, "t.add.v1", 8);
    worker_start(fx);
    until_i64(fx, PLACE, 6);
    assert_int_equal(number(EFFECTS), 2);
}

static bool one_letter_waits(void *arg)
{
    struct work_stats stats;

    work_stats(arg, &stats);
    return stats.dead_waiting == 1;
}

static void refused_ones_are_buried_and_others_go_on(void **state)
{
    struct fixture *fx = *state;
    struct work_stats stats;

    for (int64_t n = 0; n < 10; n++)
        send_event(fx, "t.picky.v1", n == 4 ? -1 : n);
    worker_start(fx);
    until_i64(fx, PLACE, 10);
    assert_int_equal(number(LETTERS " WHERE reason = 'schema' AND detail = 'n is negative'"
                                    " AND \"offset\" = 4 AND type = 't.picky.v1'"
                                    " AND body_sha256 = sha256(body) AND key = 'k'"),
                     1);
    assert_int_equal(number(EFFECTS " WHERE n < 10"), 9);
    assert_int_equal(number(EFFECTS " WHERE n = 1000000"), 1); /* by the dead hook, once */
    assert_string_equal(fx->service.died_of, "schema");
    work_stats(fx->work, &stats);
    assert_int_equal(stats.dead, 1);
    assert_int_equal(number("SELECT count(*) FROM credit.inbox"), 9); /* it may be retried */
    assert_true(wait_for(fx->loop, one_letter_waits, fx->work, WAIT_MS));
}

static void a_broken_dead_hook_does_not_stop_the_burial(void **state)
{
    struct fixture *fx = *state;

    fx->service.die_hook_breaks = true;
    send_event(fx, "t.picky.v1", -1);
    send_event(fx, "t.picky.v1", 1);
    worker_start(fx);
    until_i64(fx, PLACE, 2);
    assert_int_equal(number(LETTERS), 1);
    assert_int_equal(number(EFFECTS), 1);
}

static void bad_shapes_are_buried(void **state)
{
    struct fixture *fx = *state;
    static const char *const bad[] = {"", "not json", "{\"specversion\":\"9\"}",
                                      "[[[[[[[[[[[[[[[[[["};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        send_raw(fx, fx->topic, bad[i]);
    send_event(fx, "t.add.v1", 1);
    assert_int_equal(
        bus_produce(fx->bus, fx->topic, (struct str){"\xff\0k", 3}, STR("x"), NULL, NULL), ERR_OK);
    worker_start(fx);
    until_i64(fx, PLACE, 6);
    assert_int_equal(number(LETTERS), 5);
    assert_int_equal(number(LETTERS " WHERE reason = 'json'"), 4);
    assert_int_equal(number(LETTERS " WHERE reason = 'version_unknown'"), 1);
    assert_int_equal(number(LETTERS " WHERE key = 'ff006b'"), 1);
    assert_int_equal(number(EFFECTS), 1);
}

static void what_is_not_possible_now_is_passed(void **state)
{
    struct fixture *fx = *state;

    send_event(fx, "t.state.v1", 1);
    send_event(fx, "t.state.v1", 2);
    send_event(fx, "t.nobody.v1", 3); /* no route: passed too */
    send_event(fx, "t.add.v1", 4);
    worker_start(fx);
    until_i64(fx, PLACE, 4);
    assert_int_equal(number(EFFECTS), 1); /* nothing of what the refusing handler had added */
    assert_int_equal(number(LETTERS), 0);
    assert_int_equal(number("SELECT count(*) FROM credit.inbox"), 4);
}

static void a_retry_comes_again_for_ever(void **state)
{
    struct fixture *fx = *state;
    struct work_stats stats;

    fx->service.fail_times = 6; /* more than the deaths a message is allowed */
    send_event(fx, "t.retry.v1", 1);
    worker_start(fx);
    until_i64(fx, EFFECTS, 1);
    assert_int_equal(fx->service.calls, 7);
    work_stats(fx->work, &stats);
    assert_int_equal(stats.retried, 6);
    assert_int_equal(stats.dead, 0);
}

static void events_leave_with_the_effect(void **state)
{
    struct fixture *fx = *state;

    fx->service.out_topic = kafka_topic(2);
    for (int64_t n = 0; n < 30; n++)
        send_event(fx, "t.emit.v1", n);
    worker_start(fx);
    until_i64(fx, "SELECT count(*) FROM credit.outbox WHERE sent_at IS NOT NULL", 30);
    assert_int_equal(number(EFFECTS), 30);
    /* One trace from the command to the event. */
    assert_int_equal(number("SELECT count(*) FROM credit.outbox AS o JOIN gateway.outbox AS g ON"
                            " substr(o.body::json ->> 'traceparent', 4, 32) ="
                            " substr(g.body::json ->> 'traceparent', 4, 32)"),
                     30);
    assert_int_equal(number("SELECT count(*) FROM credit.outbox WHERE"
                            " body::json ->> 'source' = '/mamis/credit' AND"
                            " body::json ->> 'subject' = 's' AND body::json ->> 'type' = type"),
                     30);
}

/* ---- answers that get lost ---- */

struct fault {
    uint64_t from; /* batches from this one on */
    unsigned times;
    unsigned fired;
    enum err err;
    bool after_commit;
};

static enum err inject(void *arg, uint64_t batch_number, bool after_commit)
{
    struct fault *fault = arg;

    if (after_commit != fault->after_commit || batch_number < fault->from ||
        fault->fired >= fault->times)
        return ERR_OK;
    fault->fired++;
    return fault->err;
}

static uint64_t next_batch(const struct fixture *fx)
{
    struct db_stats stats;

    db_stats(fx->db, &stats);
    return stats.batches + 1;
}

/* Whatever answer of the database is lost, at whichever batch: one effect, one event. */
static void lost_answers_change_nothing(void **state)
{
    struct fixture *fx = *state;
    static const enum err errs[] = {ERR_DB_UNKNOWN, ERR_DB_DOWN, ERR_TIMEOUT, ERR_DB_CONFLICT};
    int64_t sent = 0;

    fx->service.out_topic = kafka_topic(1);
    worker_start(fx);
    send_event(fx, "t.emit.v1", sent++);
    until_i64(fx, EFFECTS, 1);
    for (size_t i = 0; i < ARRAY_LEN(errs); i++) {
        for (uint64_t skip = 0; skip < 4; skip++) {
            struct fault fault = {.times = 1, .err = errs[i]};

            for (int after = 0; after < 2; after++) {
                if (after == 1 && errs[i] == ERR_DB_CONFLICT)
                    continue; /* a server that answers so has not committed */
                fault.fired = 0;
                fault.after_commit = after == 1;
                fault.from = next_batch(fx) + skip;
                db_set_fault(fx->db, inject, &fault);
                send_event(fx, "t.emit.v1", sent++);
                until_i64(fx, EFFECTS, sent);
                db_set_fault(fx->db, NULL, NULL);
            }
        }
    }
    until_i64(fx, PLACE, sent);
    until_i64(fx, "SELECT count(*) FROM credit.outbox WHERE sent_at IS NOT NULL", sent);
    assert_int_equal(number("SELECT count(*) FROM credit.outbox"), sent);
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), sent);
    assert_int_equal(number(LETTERS), 0);
}

/* Something that always conflicts is no accident: it is buried, and nobody waits behind it. */
static void an_everlasting_conflict_is_buried(void **state)
{
    struct fixture *fx = *state;

    send_event(fx, "t.once.v1", 5);
    send_event(fx, "t.once.v1", 5);
    send_event(fx, "t.once.v1", 6);
    worker_start(fx);
    until_i64(fx, PLACE, 3);
    assert_int_equal(number("SELECT count(*) FROM credit.once"), 2);
    assert_int_equal(number(LETTERS " WHERE reason = 'db_conflict' AND \"offset\" = 1"), 1);
}

static void the_database_may_go_away(void **state)
{
    struct fixture *fx = *state;

    worker_start(fx);
    send_event(fx, "t.add.v1", 0);
    until_i64(fx, EFFECTS, 1);
    for (int64_t n = 1; n <= 50; n++)
        send_event(fx, "t.add.v1", n);
    pg_server_crash(&pg);
    run_for(fx->loop, 1000);
    pg_server_again(&pg);
    until_i64(fx, EFFECTS, 51);
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), 51);
}

/* ---- answers to commands ---- */

static void replies_are_rows_and_events(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct work_reply good = {.operation_id = uuid_new(), .result = json_pack("{s:i}", "n", 1)};
    struct work_reply bad = {.operation_id = uuid_new(),
                             .err = ERR_STATE_CONFLICT,
                             .problem_code = "terms_version",
                             .problem_extra = json_pack("{s:[s]}", "errors", "x")};
    struct work_reply plain = {.operation_id = uuid_new(), .err = ERR_NOT_FOUND};

    work_reply(fx->sender, batch, &good, NULL);
    work_reply(fx->sender, batch, &bad, NULL);
    work_reply(fx->sender, batch, &plain, NULL);
    assert_int_equal(run_work(fx, fx->sender, batch), ERR_OK);
    assert_int_equal(number("SELECT count(*) FROM gateway.operation WHERE status = 'done'"
                            " AND result = '{\"n\": 1}' AND problem IS NULL"),
                     1);
    assert_int_equal(number("SELECT count(*) FROM gateway.operation WHERE status = 'failed'"
                            " AND problem = '{\"code\": \"terms_version\", \"errors\": [\"x\"]}'"),
                     1);
    assert_int_equal(number("SELECT count(*) FROM gateway.operation WHERE"
                            " problem = '{\"code\": \"not_found\"}'"),
                     1);
    assert_int_equal(number("SELECT count(*) FROM gateway.outbox WHERE topic = 'mamis.replies'"
                            " AND body::json -> 'data' ->> 'operation_id' = key"
                            " AND type = 'reply.v1'"),
                     3);
    exec("DELETE FROM gateway.operation");
}

/* ---- a handler that never answers ---- */

static void a_stuck_handler_ends_the_process(void **state)
{
    struct fixture *fx = *state;
    struct work_turn *turn;
    uint64_t now_ms;
    int status;
    pid_t pid;

    worker_start(fx);
    send_event(fx, "t.slow.v1", 1);
    until_kept(fx, 1);
    turn = fx->work->parts->turn;
    now_ms = clock_mono_ms();
    work_turn_watch(turn, now_ms + WORK_HANDLER_MS_MAX / 2); /* may still come */
    pid = fork();
    if (pid == 0) {
        work_turn_watch(turn, now_ms + WORK_HANDLER_MS_MAX);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    answer_kept(&fx->service, ERR_OK);
    until_i64(fx, EFFECTS, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_message_has_its_effect_once),
        CASE(a_backlog_comes_in_batches),
        CASE(a_long_backlog_does_not_fill_memory),
        CASE(a_restart_goes_on_where_it_was),
        CASE(a_republished_event_changes_nothing),
        CASE(repeats_side_by_side_count_once),
        CASE(refused_ones_are_buried_and_others_go_on),
        CASE(a_broken_dead_hook_does_not_stop_the_burial),
        CASE(bad_shapes_are_buried),
        CASE(what_is_not_possible_now_is_passed),
        CASE(a_retry_comes_again_for_ever),
        CASE(events_leave_with_the_effect),
        CASE(lost_answers_change_nothing),
        CASE(an_everlasting_conflict_is_buried),
        CASE(the_database_may_go_away),
        CASE(replies_are_rows_and_events),
        CASE(a_stuck_handler_ends_the_process),
    };

    return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
