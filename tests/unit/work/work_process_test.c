/*
 * work: whole processes that die. The program starts itself as a worker: --worker DSN BROKERS GROUP
 * TOPIC OUT_TOPIC.
 */
#include <signal.h>
#include <sys/wait.h>

#include "base/log.h"
#include "lib/child.h"
#include "unit/work/work_fixture.h"

enum { WORKER_ARGS = 7, EXIT_SOFTWARE = 70 };

#define EFFECTS "SELECT count(*) FROM credit.effect"
#define DIFFERENT "SELECT count(DISTINCT event_id) FROM credit.effect"
#define PLACE "SELECT coalesce(sum(next), 0) FROM credit.work_offset"
#define LETTERS "SELECT count(*) FROM credit.dead_letter"

static int worker_main(char **argv)
{
    struct loop *loop = loop_new();
    struct db_options db_options = {.dsn = argv[2],
                                    .application = "worker",
                                    .connections = 3,
                                    .waiting_max = 256,
                                    .statement_timeout_ms = 15000};
    struct bus_options bus_options = {.bootstrap = argv[3], .client_id = "worker"};
    struct work_options options = {
        .service = "credit", .source = "/mamis/credit", .group = argv[4]};
    const char *topic = argv[5];
    struct service service = {.out_topic = argv[6]};

    log_init("worker", LOG_LEVEL_INFO);
    service.work =
        work_open(loop, db_open(loop, &db_options), bus_open(loop, &bus_options), &options);
    work_subscribe(service.work, &topic, 1, service_routes, service_route_count, &service);
    loop_run(loop);
    return 0;
}

static const char *out_topic;

static pid_t worker_begin(struct fixture *fx)
{
    char dsn[320], log[128];
    const char *argv[WORKER_ARGS + 1] = {"/proc/self/exe", "--worker", dsn,      kafka_bootstrap(),
                                         fx->group,        fx->topic,  out_topic};

    snprintf(dsn, sizeof(dsn), "%s user=mamis_credit", pg.dsn);
    snprintf(log, sizeof(log), "%s/worker.log", child_folder());
    return child_start(argv, log);
}

/* One in a group of its own, which does not wait for the session of one that died before. */
static pid_t worker_begin_alone(struct fixture *fx)
{
    static unsigned groups;

    snprintf(fx->group, sizeof(fx->group), "g%u-%s", groups++, fx->topic);
    return worker_begin(fx);
}

static bool both_joined(void *arg)
{
    const struct fixture *fx = arg;

    return kafka_group_members(fx->group) == 2;
}

static void worker_kill(pid_t pid)
{
    (void)child_stop(pid, SIGKILL, 5000);
}

static int process_setup(void **state)
{
    struct fixture *fx;
    int result = fixture_setup(state);

    fx = *state;
    kafka_topic_delete(fx->topic);
    kafka_topic_make(fx->topic, 4);
    out_topic = kafka_topic(1);
    return result;
}

/* Keys spread over the partitions. */
static void send_spread(struct fixture *fx, const char *type, int64_t n)
{
    struct db_batch *batch = db_batch_new(fx->arena);
    char key[16];
    struct work_event event = {
        .type = type, .topic = fx->topic, .data = json_pack("{s:I}", "n", n)};

    snprintf(key, sizeof(key), "k%d", (int)(n % 16));
    event.key = str_of(key);
    (void)work_emit(fx->sender, batch, &event, NULL);
    assert_int_equal(run_work(fx, fx->sender, batch), ERR_OK);
}

static void a_killed_workers_peer_goes_on(void **state)
{
    struct fixture *fx = *state;
    pid_t one = worker_begin(fx), two = worker_begin(fx);
    uint64_t killed_ms;
    int64_t n = 0;

    while (n < 200)
        send_spread(fx, "t.emit.v1", n++);
    until_i64(fx, EFFECTS, n);
    assert_true(wait_for(fx->loop, both_joined, fx, WAIT_MS));
    while (n < 300)
        send_spread(fx, "t.emit.v1", n++);
    worker_kill(one);
    killed_ms = clock_mono_ms();
    while (n < 400)
        send_spread(fx, "t.emit.v1", n++);
    until_i64(fx, EFFECTS, n);
    assert_true(clock_mono_ms() - killed_ms < 10000);
    assert_int_equal(number(DIFFERENT), n);
    assert_int_equal(number(PLACE), n);
    until_i64(fx, "SELECT count(*) FROM credit.outbox WHERE sent_at IS NOT NULL", n);
    assert_int_equal(number(LETTERS), 0);
    worker_kill(two);
}

/* Killed again and again in the middle of its work: one effect and one event for each message. */
static void restarts_repeat_nothing(void **state)
{
    struct fixture *fx = *state;
    char sql[96];
    int64_t n = 0;

    for (int round = 0; round < 4; round++) {
        pid_t pid = worker_begin_alone(fx);
        int64_t before = number(EFFECTS);

        for (int i = 0; i < 60; i++)
            send_spread(fx, "t.emit.v1", n++);
        snprintf(sql, sizeof(sql), "SELECT least(count(*), %ld) FROM credit.effect", before + 20);
        until_i64(fx, sql, before + 20); /* it is at work */
        worker_kill(pid);
    }
    worker_kill(worker_begin_alone(fx)); /* one that hardly began */
    pid_t last = worker_begin_alone(fx);

    until_i64(fx, EFFECTS, n);
    assert_int_equal(number(DIFFERENT), n);
    assert_int_equal(number(PLACE), n);
    until_i64(fx, "SELECT count(*) FROM credit.outbox WHERE sent_at IS NOT NULL", n);
    assert_int_equal(number("SELECT count(*) FROM credit.outbox"), n);
    assert_int_equal(number(LETTERS), 0);
    worker_kill(last);
}

struct death {
    pid_t pid;
    int status;
    bool seen;
};

static bool has_died(void *arg)
{
    struct death *death = arg;

    death->seen = death->seen || waitpid(death->pid, &death->status, WNOHANG) == death->pid;
    return death->seen;
}

/* Three processes die of one message; the fourth buries it and goes on. */
static void the_third_death_buries(void **state)
{
    struct fixture *fx = *state;
    struct death death = {0};

    send_event(fx, "t.add.v1", 1);
    send_event(fx, "t.bug.v1", 2);
    send_event(fx, "t.add.v1", 3);
    for (int deaths = 0; deaths < WORK_ATTEMPTS_MAX; deaths++) {
        death = (struct death){.pid = worker_begin_alone(fx)};
        assert_true(wait_for(fx->loop, has_died, &death, WAIT_MS));
        assert_true(WIFEXITED(death.status));
        assert_int_equal(WEXITSTATUS(death.status), EXIT_SOFTWARE);
        assert_int_equal(number("SELECT max(attempts) FROM credit.work_offset"), deaths + 1);
    }
    death.pid = worker_begin_alone(fx);
    until_i64(fx, EFFECTS " WHERE n IN (1, 3)", 2);
    assert_int_equal(number(LETTERS " WHERE reason = 'dead' AND type = 't.bug.v1'"), 1);
    assert_int_equal(number(EFFECTS " WHERE n = 1000000"), 1);
    assert_int_equal(number("SELECT max(attempts) FROM credit.work_offset"), 0);
    worker_kill(death.pid);
}

/* Frozen for longer than the group waits, then awake again: what it has in hand changes nothing. */
static void a_frozen_worker_is_fenced(void **state)
{
    struct fixture *fx = *state;
    pid_t one = worker_begin(fx), two;
    int64_t n = 0;

    while (n < 100)
        send_spread(fx, "t.add.v1", n++);
    until_i64(fx, EFFECTS, n);
    while (n < 200)
        send_spread(fx, "t.add.v1", n++);
    child_signal(one, SIGSTOP);
    while (n < 300)
        send_spread(fx, "t.add.v1", n++);
    two = worker_begin(fx);
    until_i64(fx, EFFECTS, n);
    child_signal(one, SIGCONT);
    while (n < 400)
        send_spread(fx, "t.add.v1", n++);
    until_i64(fx, EFFECTS, n);
    run_for(fx->loop, 1000);
    assert_int_equal(number(EFFECTS), n);
    assert_int_equal(number(DIFFERENT), n);
    assert_int_equal(number(PLACE), n);
    assert_int_equal(number(LETTERS), 0);
    worker_kill(one);
    worker_kill(two);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, process_setup, fixture_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(a_killed_workers_peer_goes_on),
        CASE(restarts_repeat_nothing),
        CASE(the_third_death_buries),
        CASE(a_frozen_worker_is_fenced),
    };

    if (argc == WORKER_ARGS && strcmp(argv[1], "--worker") == 0)
        return worker_main(argv);
    return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
