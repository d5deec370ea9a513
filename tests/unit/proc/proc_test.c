/* proc: a tiny service from outside: options, settings, health, signals. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/child.h"
#include "lib/test.h"

enum {
    WAIT_MS = 60000,
    LATE_MS = 6000, /* cut after 2.5 s, on a busy machine */
    TEXT_BYTES = 32 * 1024,
    EXIT_USAGE = 64,
    EXIT_FAULT = 70,
    EXIT_SETTINGS = 78
};

static const char good[] = "database = host=/nowhere\nkafka_bootstrap = 127.0.0.1:1\n";

static char log_path[256];

static int clean(void **state)
{
    (void)state;
    (void)snprintf(log_path, sizeof(log_path), "%s/tiny.log", child_folder());
    (void)unlink(log_path);
    return 0;
}

static const char *read_log(void)
{
    static char text[TEXT_BYTES];
    FILE *file = fopen(log_path, "r");
    size_t len = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);

    text[len] = '\0';
    if (file != NULL)
        (void)fclose(file);
    return text;
}

/* A settings file: what is needed, and `more`. */
static const char *settings_file(const char *more)
{
    static char path[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/tiny.conf", child_folder());
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "%s%s\n", good, more);
    (void)fclose(file);
    return path;
}

static pid_t start(const char *more)
{
    const char *const argv[] = {TINY, "--settings", settings_file(more), NULL};

    return child_start(argv, log_path);
}

/* Wait for the end; -1 when it is still there after `wait_ms`, else its wait status. */
static int wait_end(pid_t pid, uint64_t wait_ms)
{
    const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    uint64_t until_ms = clock_mono_ms() + wait_ms;
    int status;

    while (clock_mono_ms() < until_ms) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        nanosleep(&pause, NULL);
    }
    return -1;
}

static int exit_code(const char *const *argv)
{
    int status = wait_end(child_start(argv, log_path), WAIT_MS);

    assert_true(status >= 0 && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int exit_code_with(const char *more)
{
    const char *const argv[] = {TINY, "--settings", settings_file(more), "--check", NULL};

    return exit_code(argv);
}

static uint16_t wait_port(void)
{
    const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    uint64_t until_ms = clock_mono_ms() + WAIT_MS;

    while (clock_mono_ms() < until_ms) {
        const char *line = strstr(read_log(), "\"admin_open\"");
        const char *port = line == NULL ? NULL : strstr(line, "\"port\":");

        if (port != NULL && strstr(port, "\"started\"") != NULL)
            return (uint16_t)strtol(port + 7, NULL, 10);
        nanosleep(&pause, NULL);
    }
    fail_msg("not started: %s", read_log());
    return 0;
}

/* The whole answer to a GET; static storage. */
static const char *get(uint16_t port, const char *path)
{
    static char answer[TEXT_BYTES];
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t len = 0;
    ssize_t got;

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_true(dprintf(fd, "GET %s HTTP/1.1\r\nHost: tiny\r\nConnection: close\r\n\r\n", path) >
                0);
    while ((got = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0)
        len += (size_t)got;
    answer[len] = '\0';
    close(fd);
    return answer;
}

static void assert_status(uint16_t port, const char *path, int status)
{
    assert_int_equal(strtol(get(port, path) + strlen("HTTP/1.1 "), NULL, 10), status);
}

/* ---- options and settings ---- */

static void help_lists_every_setting(void **state)
{
    static char said[TEXT_BYTES];
    const char *const argv[] = {TINY, "--help-settings", NULL};

    (void)state;
    assert_true(child_output(argv, said, sizeof(said)));
    assert_non_null(strstr(said, "\nkafka_bootstrap "));
    assert_non_null(strstr(said, "\nadmin_port "));
    assert_non_null(strstr(said, "\ntiny_number "));
    assert_null(strstr(said, "open sesame"));
}

static void unknown_options_are_refused(void **state)
{
    const char *const unknown[] = {TINY, "--fast", NULL};
    const char *const no_file[] = {TINY, "--settings", NULL};

    (void)state;
    assert_int_equal(exit_code(unknown), EXIT_USAGE);
    assert_int_equal(exit_code(no_file), EXIT_USAGE);
    assert_non_null(strstr(read_log(), "usage: "));
}

static void bad_settings_are_refused_by_name(void **state)
{
    static const struct {
        const char *line, *named;
    } bad[] = {
        {"tiny_nubmer = 3", "tiny_nubmer"},
        {"tiny_number = 10", "tiny_number"},
        {"tiny_number = x", "tiny_number"},
        {"admin_port = 70000", "admin_port"},
        {"database =", "database"},
        {"kafka_bootstrap =", "kafka_bootstrap"},
        {"env = prod", "env"},
        {"log_level = verbose", "log_level"},
        {"now_offset_us = soon", "now_offset_us"},
        {"env = production\nnow_offset_us = 5", "now_offset_us"},
        {"just words", "line 3"},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        (void)clean(state);
        assert_int_equal(exit_code_with(bad[i].line), EXIT_SETTINGS);
        assert_non_null(strstr(read_log(), "\"settings_refused\""));
        assert_non_null(strstr(read_log(), bad[i].named));
    }
    assert_int_equal(exit_code_with(""), 0);
    assert_int_equal(exit_code_with("env = production"), 0);
}

static void a_missing_file_is_named(void **state)
{
    const char *const argv[] = {TINY, "--settings", "/nowhere/tiny.conf", NULL};

    (void)state;
    assert_int_equal(exit_code(argv), EXIT_SETTINGS);
    assert_non_null(strstr(read_log(), "/nowhere/tiny.conf"));
}

static void the_environment_comes_last(void **state)
{
    pid_t pid;

    (void)state;
    assert_int_equal(setenv("MAMIS_TINY_NUMBER", "8", 1), 0);
    pid = start("tiny_number = 3");
    assert_non_null(strstr(get(wait_port(), "/metrics"), "\nmamis_tiny_things 8\n"));
    assert_int_equal(child_stop(pid, SIGTERM, WAIT_MS), 0);
    assert_int_equal(setenv("MAMIS_TINY_NUMBER", "80", 1), 0);
    assert_int_equal(exit_code_with("tiny_number = 3"), EXIT_SETTINGS);
    assert_int_equal(unsetenv("MAMIS_TINY_NUMBER"), 0);
    assert_non_null(strstr(read_log(), "MAMIS_TINY_NUMBER"));
}

static void a_start_that_fails_names_its_step(void **state)
{
    int status;

    (void)state;
    status = wait_end(start("way = refuses"), WAIT_MS);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAULT);
    assert_non_null(strstr(read_log(), "the tiny step failed"));
}

static void a_taken_port_is_named(void **state)
{
    pid_t pid = start("");
    char line[64];
    int status;

    (void)state;
    (void)snprintf(line, sizeof(line), "admin_port = %u", wait_port());
    status = wait_end(start(line), WAIT_MS);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAULT);
    assert_int_equal(child_stop(pid, SIGTERM, WAIT_MS), 0);
}

/* ---- the admin port ---- */

static void the_admin_port_answers(void **state)
{
    pid_t pid = start("");
    uint16_t port = wait_port();
    const char *metrics;

    (void)state;
    assert_status(port, "/livez", 200);
    assert_status(port, "/readyz", 200);
    assert_status(port, "/nowhere", 404);
    assert_non_null(strstr(get(port, "/routes"), "\r\n\r\n[]")); /* it serves none */
    metrics = get(port, "/metrics");
    assert_non_null(strstr(metrics, "text/plain; version=0.0.4"));
    assert_non_null(strstr(metrics, "\nmamis_loop_lag_us "));
    assert_non_null(strstr(metrics, "\nmamis_loop_lag_worst_us "));
    assert_non_null(strstr(metrics, "\nmamis_memory_peak_kib "));
    assert_non_null(strstr(metrics, "\nmamis_tiny_things 7\n"));
    assert_null(strstr(metrics, "mamis_db_")); /* it opened none */
    assert_int_equal(child_stop(pid, SIGTERM, WAIT_MS), 0);
}

static void who_is_not_ready_says_why(void **state)
{
    pid_t pid = start("way = unready");
    uint16_t port = wait_port();

    (void)state;
    assert_status(port, "/readyz", 503);
    assert_non_null(strstr(get(port, "/readyz"), "waits for the moon"));
    assert_status(port, "/livez", 200);
    assert_int_equal(child_stop(pid, SIGTERM, WAIT_MS), 0);
}

/* ---- signals ---- */

static void a_signal_ends_it(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};

    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        uint64_t begun_ms;
        pid_t pid;

        (void)clean(state);
        pid = start("");
        (void)wait_port();
        begun_ms = clock_mono_ms();
        child_signal(pid, signals[i]);
        assert_int_equal(wait_end(pid, WAIT_MS), 0);
        assert_true(clock_mono_ms() - begun_ms < 2000); /* not cut, which is after 2.5 s */
        assert_non_null(strstr(read_log(), "\"stopped\""));
    }
}

static void a_late_stop_is_cut(void **state)
{
    pid_t pid = start("way = late");
    uint16_t port = wait_port();
    uint64_t begun_ms = clock_mono_ms();

    (void)state;
    child_signal(pid, SIGTERM);
    while (strstr(read_log(), "\"stopping\"") == NULL && clock_mono_ms() - begun_ms < WAIT_MS)
        ;
    assert_status(port, "/readyz", 503);
    assert_status(port, "/livez", 200);
    child_signal(pid, SIGTERM); /* again: changes nothing */
    assert_int_equal(wait_end(pid, WAIT_MS), 0);
    assert_in_range(clock_mono_ms() - begun_ms, 2400, LATE_MS);
    assert_non_null(strstr(read_log(), "\"stopped_late\""));
}

/* ---- a loop that does not turn ---- */

static void a_blocked_loop_ends_the_process(void **state)
{
    pid_t pid = start("way = blocked\nloop_stuck_ms = 500");
    int status = wait_end(pid, 10 * WAIT_MS);

    (void)state;
    assert_true(status > 0 && WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(read_log(), "\"loop_stuck\""));
    assert_non_null(strstr(read_log(), "\"flow\":\"blocked_run\""));
}

/* Frozen for longer than that, and idle for longer than that: both go on. */
static void a_frozen_process_goes_on(void **state)
{
    const struct timespec pause = {.tv_sec = 1};
    pid_t pid = start("loop_stuck_ms = 500");
    uint16_t port = wait_port();

    (void)state;
    nanosleep(&pause, NULL);
    child_signal(pid, SIGSTOP);
    nanosleep(&pause, NULL);
    child_signal(pid, SIGCONT);
    nanosleep(&pause, NULL);
    assert_status(port, "/livez", 200);
    assert_int_equal(child_stop(pid, SIGTERM, WAIT_MS), 0);
}

/* Not even the loop turns any more. */
static void a_stuck_stop_is_cut_too(void **state)
{
    pid_t pid = start("way = stuck");
    uint64_t begun_ms;
    int status;

    (void)state;
    (void)wait_port();
    begun_ms = clock_mono_ms();
    child_signal(pid, SIGTERM);
    status = wait_end(pid, WAIT_MS);
    assert_true(status > 0 && WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGALRM);
    assert_in_range(clock_mono_ms() - begun_ms, 2400, LATE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(help_lists_every_setting, clean),
        cmocka_unit_test_setup(unknown_options_are_refused, clean),
        cmocka_unit_test_setup(bad_settings_are_refused_by_name, clean),
        cmocka_unit_test_setup(a_missing_file_is_named, clean),
        cmocka_unit_test_setup(the_environment_comes_last, clean),
        cmocka_unit_test_setup(a_start_that_fails_names_its_step, clean),
        cmocka_unit_test_setup(a_taken_port_is_named, clean),
        cmocka_unit_test_setup(the_admin_port_answers, clean),
        cmocka_unit_test_setup(who_is_not_ready_says_why, clean),
        cmocka_unit_test_setup(a_signal_ends_it, clean),
        cmocka_unit_test_setup(a_late_stop_is_cut, clean),
        cmocka_unit_test_setup(a_blocked_loop_ends_the_process, clean),
        cmocka_unit_test_setup(a_frozen_process_goes_on, clean),
        cmocka_unit_test_setup(a_stuck_stop_is_cut_too, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
