/* Answers in pieces, slow readers, and the end of a server. */
#include "fixture.h"

enum { PIECE = 64 * 1024, PIECES = 160, HELD_MAX = 1024 * 1024 };

struct writer {
    struct flow flow;
    struct fixture *fx;
    struct http_request *request;
    unsigned left;
    char piece[PIECE];
};

enum write_step { WRITE_NEXT, WRITE_ENDED };

static void write_run(struct flow *flow)
{
    struct writer *writer = FLOW_OF(flow, struct writer, flow);

    switch ((enum write_step)flow->step) {
    case WRITE_NEXT:
        flow_on_error(flow, WRITE_ENDED);
        if (writer->left == 0) {
            flow_goto(flow, WRITE_ENDED);
            return;
        }
        writer->left--;
        flow_wait(flow, WRITE_NEXT);
        http_stream_write(writer->request, (struct str){writer->piece, PIECE}, flow);
        return;
    case WRITE_ENDED:
        writer->fx->stream_err = flow->err;
        http_stream_end(writer->request);
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void write_done(struct flow *flow)
{
    struct writer *writer = FLOW_OF(flow, struct writer, flow);

    writer->fx->ended = true;
    flow_fini(flow);
    free(writer);
}

static void write_pieces(void *context, struct http_request *request)
{
    struct fixture *fx = context;
    struct writer *writer = heap_zero(sizeof(*writer));

    fx->handled++;
    writer->fx = fx;
    writer->request = request;
    writer->left = PIECES;
    memset(writer->piece, 'p', PIECE);
    http_stream_begin(request, 200, "text/plain");
    flow_init(&writer->flow, fx->loop, write_run, write_done, NULL);
    flow_start(&writer->flow, WRITE_NEXT);
}

static void hold(void *context, struct http_request *request)
{
    struct fixture *fx = context;

    fx->handled++;
    fx->held = request;
}

static void begin_and_hold(void *context, struct http_request *request)
{
    hold(context, request);
    http_stream_begin(request, 200, "text/event-stream");
    http_stream_write(request, STR(": hello\n\n"), NULL);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/pieces", "pieces", "public", 0, false, write_pieces},
    {HTTP_GET, "/hold", "hold", "public", 0, false, hold},
    {HTTP_GET, "/events", "events", "public", 0, false, begin_and_hold},
};

static const struct http_options options = {.address = "127.0.0.1",
                                            .connections_max = 8,
                                            .idle_timeout_ms = 5000,
                                            .held_bytes_max = HELD_MAX};

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

static void pieces_arrive(void **state)
{
    struct fixture *fx = *state;
    struct buf answer = {0};
    size_t count = 0;

    assert_int_equal(ask_bytes(fx, STR(GET("/pieces")), &answer), 200);
    for (size_t i = 0; i < answer.len; i++)
        count += answer.data[i] == 'p';
    /* "Content-Type: text/plain" has two as well */
    assert_int_equal(count, (size_t)PIECE * PIECES + 2);
    assert_true(fx->ended);
    assert_int_equal(fx->stream_err, ERR_OK);
    buf_free(&answer);
    assert_int_equal(ask(fx, "HEAD /pieces HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200);
}

static void reader_goes_away(void **state)
{
    struct fixture *fx = *state;
    struct talk talk = {.send = STR(GET("/pieces")), .stop_after = 1000};

    talk_run(fx, &talk);
    buf_free(&talk.got);
    run_until(fx, &fx->ended);
    assert_int_equal(fx->stream_err, ERR_CLIENT_GONE);
}

/* Ten seconds without taking a byte, then the connection goes and the writer is told. */
static void reader_never_reads(void **state)
{
    struct fixture *fx = *state;
    struct talk talk = {.send = STR(GET("/pieces")), .no_read = &fx->ended};
    uint64_t from_ms = clock_mono_ms();

    talk_run(fx, &talk);
    assert_int_equal(fx->stream_err, ERR_TIMEOUT);
    assert_in_range(clock_mono_ms() - from_ms, 9000, 40000);
}

/* A head that comes byte by byte is never idle, and is cut all the same. */
static void head_never_ends(void **state)
{
    struct fixture *fx = *state;
    struct talk talk = {.dribble = true};
    struct buf head = {0};
    uint64_t from_ms = clock_mono_ms();

    buf_add_c(&head, "GET /hold HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    for (int i = 0; i < 1000; i++)
        buf_add_char(&head, 'x');
    talk.send = buf_str(&head);
    talk_run(fx, &talk);
    assert_int_equal(status_of(&talk.got), 0);
    assert_int_equal(fx->handled, 0);
    assert_in_range(clock_mono_ms() - from_ms, 14000, 40000);
    buf_free(&talk.got);
    buf_free(&head);
}

static void answer_in_time(struct fixture *fx)
{
    http_answer(fx->held, 200, "text/plain", STR("late"));
}

static void answer_comes_later(void **state)
{
    struct fixture *fx = *state;

    fx->fire = answer_in_time;
    timer_start(&fx->timer, 150, 0);
    assert_int_equal(ask(fx, GET("/hold")), 200);
}

static void wait_held(struct fixture *fx)
{
    bool never = false;

    for (int i = 0; i < TALK_MS / 10 && fx->held == NULL; i++)
        (void)loop_run_until(fx->loop, &never, 10);
    assert_non_null(fx->held);
}

static void wait_over(struct fixture *fx)
{
    struct http_stats stats;
    bool never = false;

    for (int i = 0; i < TALK_MS / 10; i++) {
        (void)loop_run_until(fx->loop, &never, 10);
        http_stats(fx->server, &stats);
        if (stats.open == 0 && stats.connections == 0)
            break;
    }
    assert_int_equal(stats.open, 0);
}

/* The client hung up while the handler worked: answering must do no harm. */
static void answer_to_nobody(void **state)
{
    struct fixture *fx = *state;
    struct talk talk = {.send = STR(GET("/hold")), .hang_up = true};

    talk_run(fx, &talk);
    wait_held(fx);
    http_answer(fx->held, 200, "text/plain", STR("anyone?"));
    wait_over(fx);
}

/* Memory is counted until the request is over; the last eighth is for what is short. */
static void memory_has_an_end(void **state)
{
    struct fixture *fx = *state;
    struct talk talk = {.send = STR(GET("/hold")), .hang_up = true};
    struct http_stats stats;

    talk_run(fx, &talk);
    wait_held(fx);
    assert_false(http_hold(fx->held, HELD_MAX));
    assert_true(http_hold(fx->held, HELD_MAX - HELD_MAX / 8));
    assert_false(http_hold(fx->held, HTTP_HOLD_SHORT_BYTES + 1));
    assert_true(http_hold(fx->held, HTTP_HOLD_SHORT_BYTES));
    assert_true(http_hold(fx->held, HTTP_HOLD_SHORT_BYTES));
    assert_false(http_hold(fx->held, 1));
    http_stats(fx->server, &stats);
    assert_int_equal(stats.held_bytes, HELD_MAX);
    assert_int_equal(stats.not_held, 3);
    http_answer(fx->held, 200, NULL, STR(""));
    wait_over(fx);
    http_stats(fx->server, &stats);
    assert_int_equal(stats.held_bytes, 0);
}

/* A writer that does not wait cannot fill the memory. */
static void overflow_cuts_off(void **state)
{
    struct fixture *fx = *state;
    struct talk talk = {.send = STR(GET("/events")), .stop_after = 20};
    static char piece[PIECE];
    bool never = false;

    memset(piece, 'e', sizeof(piece));
    talk_run(fx, &talk);
    buf_free(&talk.got);
    for (int i = 0; i < 400 && !http_gone(fx->held); i++) {
        http_stream_write(fx->held, (struct str){piece, PIECE}, NULL);
        if (i % 50 == 49)
            (void)loop_run_until(fx->loop, &never, 5);
    }
    assert_true(http_gone(fx->held));
    http_stream_end(fx->held);
}

static void on_closed(void *arg)
{
    *(bool *)arg = true;
}

/* The server closes while a handler works: it waits, then cuts, and lives until the answer. */
static void close_waits_and_cuts(void **state)
{
    struct fixture fx = {0};
    struct talk talk = {.send = STR(GET("/hold")), .hang_up = true};
    bool closed = false;

    (void)state;
    fixture_open(&fx, &options, routes, ARRAY_LEN(routes));
    talk_run(&fx, &talk);
    wait_held(&fx);
    http_close(fx.server, 100, on_closed, &closed);
    (void)loop_run_until(fx.loop, &closed, 250);
    assert_false(closed);
    http_answer(fx.held, 503, NULL, STR("")); /* after the end */
    run_until(&fx, &closed);
    timer_close(&fx.timer, NULL);
    loop_free(fx.loop);
}

static int setup(void **state)
{
    struct fixture *fx = heap_zero(sizeof(*fx));

    fixture_open(fx, &options, routes, ARRAY_LEN(routes));
    *state = fx;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(reader_goes_away, setup, teardown),
        cmocka_unit_test_setup_teardown(reader_never_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(head_never_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(answer_comes_later, setup, teardown),
        cmocka_unit_test_setup_teardown(answer_to_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(overflow_cuts_off, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_has_an_end, setup, teardown),
        cmocka_unit_test(close_waits_and_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
