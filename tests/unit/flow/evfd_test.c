/* Descriptors on the loop: reading, writing, errors, the same number used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/flow.h"

enum { WAIT_MS = 30000 };

struct end {
    struct loop *loop;
    struct evfd *evfd;
    int fd;
    int events; /* all that were told */
    int wanted; /* `done` when one of these came */
    unsigned calls;
    bool close_inside;
    bool done;
};

static int make_loop(void **state)
{
    *state = loop_new();
    return 0;
}

static int free_loop(void **state)
{
    loop_free(*state);
    return 0;
}

static void on_ready(void *arg, int events)
{
    struct end *end = arg;

    end->events |= events;
    end->calls++;
    if ((events & end->wanted) == 0)
        return;
    end->done = true;
    if (end->close_inside) {
        evfd_close(end->evfd);
        close(end->fd);
        end->evfd = NULL;
    }
}

static void readable_and_writable(void **state)
{
    struct end end = {.wanted = EVFD_WRITE};
    int fds[2];
    bool never = false;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    end.evfd = evfd_open(*state, fds[0], on_ready, &end);
    evfd_watch(end.evfd, EVFD_READ | EVFD_WRITE);
    assert_true(loop_run_until(*state, &end.done, WAIT_MS));
    assert_int_equal(end.events, EVFD_WRITE);

    end = (struct end){.evfd = end.evfd, .wanted = EVFD_READ};
    evfd_watch(end.evfd, EVFD_READ);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_true(loop_run_until(*state, &end.done, WAIT_MS));
    assert_int_equal(end.events, EVFD_READ);

    end = (struct end){.evfd = end.evfd, .wanted = EVFD_READ};
    evfd_watch(end.evfd, 0); /* the byte is still there, but nobody asks */
    assert_false(loop_run_until(*state, &never, 20));
    assert_int_equal(end.calls, 0);
    evfd_watch(end.evfd, EVFD_READ);
    assert_true(loop_run_until(*state, &end.done, WAIT_MS));
    evfd_close(end.evfd);
    evfd_close(NULL);
    close(fds[0]);
    close(fds[1]);
}

/* Closed inside its own callback, and the number given to another socket at once. */
static void a_number_is_used_again(void **state)
{
    struct end first = {.wanted = EVFD_READ, .close_inside = true};
    struct end second = {.wanted = EVFD_READ};
    int fds[2];
    int again[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    first.fd = fds[0];
    first.evfd = evfd_open(*state, fds[0], on_ready, &first);
    evfd_watch(first.evfd, EVFD_READ);
    close(fds[1]); /* end of stream is readable */
    assert_true(loop_run_until(*state, &first.done, WAIT_MS));
    assert_null(first.evfd);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, again), 0);
    assert_true(again[0] == fds[0] || again[1] == fds[0]);
    second.evfd = evfd_open(*state, again[0], on_ready, &second);
    evfd_watch(second.evfd, EVFD_READ);
    assert_int_equal(write(again[1], "x", 1), 1);
    assert_true(loop_run_until(*state, &second.done, WAIT_MS));
    assert_int_equal(first.calls, 1);
    evfd_close(second.evfd);
    close(again[0]);
    close(again[1]);
}

/* The writing end of a pipe without a reader: POLLERR, for which libuv stops the handle. */
static void an_error_is_told_once(void **state)
{
    struct end end = {.wanted = EVFD_ERROR};
    int fds[2];
    bool never = false;
    char full[4096] = {0};

    assert_int_equal(pipe(fds), 0);
    end.evfd = evfd_open(*state, fds[1], on_ready, &end); /* makes it non-blocking */
    while (write(fds[1], full, sizeof(full)) > 0) {
    }
    evfd_watch(end.evfd, EVFD_WRITE);
    assert_false(loop_run_until(*state, &never, 20));
    assert_int_equal(end.calls, 0);
    close(fds[0]);
    assert_true(loop_run_until(*state, &end.done, WAIT_MS));
    assert_int_equal(end.events, EVFD_ERROR | EVFD_WRITE);
    assert_false(loop_run_until(*state, &never, 20));
    assert_int_equal(end.calls, 1); /* it does not spin */
    end.done = false;
    evfd_watch(end.evfd, EVFD_WRITE); /* asked again, told again */
    assert_true(loop_run_until(*state, &end.done, WAIT_MS));
    evfd_close(end.evfd);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readable_and_writable, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(a_number_is_used_again, make_loop, free_loop),
        cmocka_unit_test_setup_teardown(an_error_is_told_once, make_loop, free_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
