/* Bodies in memory and in pieces; refusals that reach a client which is still sending. */
#include "fixture.h"

enum { STREAM_MAX = 8 * 1024 * 1024, PART = 256 * 1024, LATE_MS = 30 };

static void answer_length(void *context, struct http_request *request)
{
    struct fixture *fx = context;

    fx->handled++;
    http_answer(
        request, 200, "text/plain",
        str_of(arena_printf(http_request_arena(request), "len=%zu", http_body(request).len)));
}

/* Reads a body in parts, slowly enough that back-pressure is needed. */
struct reader {
    struct flow flow;
    struct fixture *fx;
    struct http_request *request;
    struct buf part;
    bool end;
    size_t stop_at; /* answer after so many bytes, 0: read all */
    bool late;      /* asks for the next part when everything has arrived */
};

enum read_step { READ_NEXT, READ_PART, READ_PAUSE, READ_FAILED };

static void read_run(struct flow *flow)
{
    struct reader *reader = FLOW_OF(flow, struct reader, flow);
    struct fixture *fx = reader->fx;

    switch ((enum read_step)flow->step) {
    case READ_NEXT:
        flow_on_error(flow, READ_FAILED);
        flow_wait(flow, READ_PART);
        http_body_next(reader->request, PART, &reader->part, &reader->end, flow);
        return;
    case READ_PART:
        fx->body_bytes += reader->part.len;
        buf_clear(&reader->part);
        if (reader->end || (reader->stop_at != 0 && fx->body_bytes >= reader->stop_at)) {
            http_answer(reader->request, reader->end ? 202 : 503, NULL, STR(""));
            flow_end(flow, ERR_OK);
        } else {
            flow_goto(flow, READ_PAUSE);
        }
        return;
    case READ_PAUSE:
        if (reader->late) {
            flow_wait(flow, READ_NEXT);
            fx->waiting = flow;
            timer_start(&fx->timer, LATE_MS, 0);
        } else {
            flow_goto(flow, READ_NEXT);
        }
        return;
    case READ_FAILED:
        fx->body_err = flow->err;
        http_answer(reader->request, err_status(flow->err), NULL, STR(""));
        flow_end(flow, ERR_OK);
        return;
    }
    must(false);
}

static void read_done(struct flow *flow)
{
    struct reader *reader = FLOW_OF(flow, struct reader, flow);

    reader->fx->ended = true;
    buf_free(&reader->part);
    flow_fini(flow);
    free(reader);
}

static struct reader *read_start(struct fixture *fx, struct http_request *request, size_t stop_at)
{
    struct reader *reader = heap_zero(sizeof(*reader));

    fx->handled++;
    reader->fx = fx;
    reader->request = request;
    reader->stop_at = stop_at;
    flow_init(&reader->flow, http_request_loop(request), read_run, read_done, NULL);
    flow_start(&reader->flow, READ_NEXT);
    return reader;
}

static void read_all(void *context, struct http_request *request)
{
    (void)read_start(context, request, 0);
}

static void go_on(struct fixture *fx)
{
    flow_resume(fx->waiting, ERR_OK);
}

static void read_late(void *context, struct http_request *request)
{
    struct fixture *fx = context;

    fx->fire = go_on;
    read_start(fx, request, 0)->late = true;
}

static void read_some(void *context, struct http_request *request)
{
    (void)read_start(context, request, 1000 * 1000);
}

static void refuse_at_once(void *context, struct http_request *request)
{
    struct fixture *fx = context;

    fx->handled++;
    http_answer(request, 401, "text/plain", STR("who are you"));
}

static const struct http_route routes[] = {
    {HTTP_POST, "/small", "small", "public", 1000, false, answer_length},
    {HTTP_POST, "/all", "all", "public", STREAM_MAX, true, read_all},
    {HTTP_POST, "/late", "late", "public", STREAM_MAX, true, read_late},
    {HTTP_POST, "/some", "some", "public", STREAM_MAX, true, read_some},
    {HTTP_POST, "/no", "no", "public", STREAM_MAX, true, refuse_at_once},
};

static const struct http_options options = {
    .address = "127.0.0.1", .connections_max = 32, .idle_timeout_ms = 5000};

#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

static void whole_body(void **state)
{
    struct fixture *fx = *state;
    struct buf answer = {0};

    assert_int_equal(ask_bytes(fx, STR(POST("/small") "Content-Length: 5\r\n\r\nabcde"), &answer),
                     200);
    assert_non_null(strstr(answer.data, "len=5"));
    buf_free(&answer);
    assert_int_equal(
        ask_bytes(
            fx,
            STR(POST(
                "/small") "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"),
            &answer),
        200);
    assert_non_null(strstr(answer.data, "len=5"));
    buf_free(&answer);
}

static unsigned send_large(struct fixture *fx, const char *head, size_t bytes, const char *tail)
{
    struct talk talk = {.send = str_of(head), .repeat_bytes = bytes, .tail = str_of(tail)};
    unsigned status;

    talk_run(fx, &talk);
    status = status_of(&talk.got);
    assert_true(talk.sent_all);
    buf_free(&talk.got);
    return status;
}

/* The client sends everything before it reads, and gets the answer all the same. */
static void too_large_is_told(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(
        send_large(fx, POST("/small") "Content-Length: 20000000\r\n\r\n", 20000000, ""), 413);
    assert_int_equal(send_large(fx, POST("/all") "Content-Length: 20000000\r\n\r\n", 20000000, ""),
                     413);
    assert_int_equal(fx->handled, 0);
    assert_int_equal(send_large(fx, POST("/small") "Transfer-Encoding: chunked\r\n\r\n1000\r\n",
                                0x1000, "\r\n0\r\n\r\n"),
                     413);
    assert_int_equal(fx->handled, 0);
    assert_int_equal(send_large(fx, POST("/all") "Transfer-Encoding: chunked\r\n\r\n1000000\r\n",
                                0x1000000, "\r\n0\r\n\r\n"),
                     413);
    assert_int_equal(fx->body_err, ERR_BODY_TOO_LARGE);
}

static void stream_is_read_to_the_end(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(send_large(fx, POST("/all") "Content-Length: 8000000\r\n\r\n", 8000000, ""),
                     202);
    assert_int_equal(fx->body_bytes, 8000000);
    assert_true(fx->ended);
    assert_int_equal(send_large(fx, POST("/all") "Content-Length: 0\r\n\r\n", 0, ""), 202);
    assert_int_equal(send_large(fx, POST("/all") "Transfer-Encoding: chunked\r\n\r\n100000\r\n",
                                0x100000, "\r\n0\r\n\r\n"),
                     202);
    assert_int_equal(fx->body_bytes, 8000000 + 0x100000);
}

/* All bytes are here, some with us and some with libmicrohttpd, when the next part is asked for. */
static void a_slow_reader_gets_the_rest(void **state)
{
    struct fixture *fx = *state;
    char head[128];

    for (size_t bytes = 66000; bytes < 200000; bytes += 4099) {
        uint64_t begun_ms = clock_mono_ms();

        fx->body_bytes = 0;
        (void)snprintf(head, sizeof(head), POST("/late") "Content-Length: %zu\r\n\r\n", bytes);
        assert_int_equal(send_large(fx, head, bytes, ""), 202);
        assert_int_equal(fx->body_bytes, bytes);
        assert_true(clock_mono_ms() - begun_ms < options.idle_timeout_ms - 500);
    }
}

static void answer_before_the_end(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(send_large(fx, POST("/no") "Content-Length: 8000000\r\n\r\n", 8000000, ""),
                     401);
    assert_int_equal(send_large(fx, POST("/some") "Content-Length: 8000000\r\n\r\n", 8000000, ""),
                     503);
    assert_true(fx->ended);
}

static void expect_is_answered(void **state)
{
    struct fixture *fx = *state;
    struct buf answer = {0};

    /* Without waiting for 100 the body follows at once; both answers come. */
    assert_int_equal(
        ask_bytes(fx, STR(POST("/all") "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"),
                  &answer),
        100);
    assert_non_null(strstr(answer.data, "HTTP/1.1 202"));
    buf_free(&answer);
    assert_int_equal(ask(fx, POST("/no") "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"), 401);
}

static void client_goes_away(void **state)
{
    struct fixture *fx = *state;
    struct talk talk = {.send = STR(POST("/all") "Content-Length: 8000000\r\n\r\nabc"),
                        .hang_up = true};

    talk_run(fx, &talk);
    run_until(fx, &fx->ended);
    assert_int_equal(fx->body_err, ERR_CLIENT_GONE);
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
        cmocka_unit_test_setup_teardown(whole_body, setup, teardown),
        cmocka_unit_test_setup_teardown(too_large_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(stream_is_read_to_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_gets_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(answer_before_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(expect_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(client_goes_away, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
