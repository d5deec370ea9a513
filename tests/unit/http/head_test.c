/* What may stand in a request's head, and how everything else is refused. */
#include <stdio.h>

#include "fixture.h"

static void answer_ok(void *context, struct http_request *request)
{
    struct fixture *fx = context;

    fx->handled++;
    http_answer(request, 200, "text/plain", STR("fine"));
}

static void answer_seen(void *context, struct http_request *request)
{
    struct fixture *fx = context;
    struct str id = http_param(request, "id"), q = http_query(request, "q");
    struct str cookie = http_cookie(request, "b");

    fx->handled++;
    http_answer(
        request, 200, "text/plain",
        str_of(arena_printf(http_request_arena(request), "[%.*s][%.*s][%.*s][%s]", STR_ARG(id),
                            STR_ARG(q), STR_ARG(cookie), http_client(request))));
}

static const struct http_route routes[] = {
    {HTTP_GET, "/api/a", "getA", "public", 0, false, answer_ok},
    {HTTP_POST, "/api/a", "postA", "public", 64, false, answer_ok},
    {HTTP_GET, "/api/things/{id}/rows", "rows", "public", 0, false, answer_seen},
};

static const char *const hosts[] = {"here:80", "portal.example", NULL};
static const char *const proxies[] = {"127.0.0.1", "10.0.0.1", NULL};

static const struct http_options options = {
    .address = "127.0.0.1",
    .connections_max = 32,
    .hosts = hosts,
    .trusted_proxies = proxies,
    .idle_timeout_ms = 5000,
};

#define GET_A "GET /api/a HTTP/1.1\r\nHost: here:80\r\n"
#define POST_A "POST /api/a HTTP/1.1\r\nHost: here:80\r\nConnection: close\r\n"
#define END "Connection: close\r\n\r\n"

struct row {
    const char *send;
    unsigned status;
    unsigned other; /* also right; 0: none */
};

static void check_rows(struct fixture *fx, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned status = ask(fx, rows[i].send);

        if (status != rows[i].status && (rows[i].other == 0 || status != rows[i].other))
            fail_msg("row %zu: %u for %s", i, status, rows[i].send);
    }
}

static void bad_heads_are_refused(void **state)
{
    static const struct row rows[] = {
        {POST_A "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, 0},
        {POST_A "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, 0},
        {POST_A "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, 0},
        {POST_A "Content-Length: +3\r\n\r\nabc", 400, 0},
        {POST_A "Content-Length: 0x3\r\n\r\nabc", 400, 0},
        {POST_A "Content-Length: \r\n\r\nabc", 400, 0},
        {POST_A "Content-Length: -1\r\n\r\nabc", 400, 0},
        {POST_A "Content-Length: 3, 3\r\n\r\nabc", 400, 0},
        {POST_A "Content-Length : 3\r\n\r\nabc", 400, 0},
        {POST_A "Content-Length: 99999999999999999999\r\n\r\nabc", 400, 413},
        {POST_A "Transfer-Encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 501, 0},
        {POST_A "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, 0},
        {POST_A "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, 0},
        {POST_A "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         0},
        {POST_A "Transfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", 400, 0},
        {POST_A "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400, 0},
        {POST_A "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", 400, 0},
        {POST_A "Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n", 400, 0},
        {"POST /api/a HTTP/1.0\r\nHost: here:80\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, 0},
        {GET_A "Host: here:80\r\n" END, 400, 0},
        {"GET /api/a HTTP/1.1\r\n" END, 400, 0},
        {"GET /api/a HTTP/1.1\r\nHost: elsewhere\r\n" END, 421, 0},
        {"GET http://elsewhere/api/a HTTP/1.1\r\nHost: here:80\r\n" END, 421, 0},
        {GET_A "X-A: a\x01"
               "b\r\n" END,
         400, 0},
        {GET_A "X-A: a\x7f\r\n" END, 400, 0},
        {GET_A "X\x01: a\r\n" END, 400, 0},
        {GET_A "X A: a\r\n" END, 400, 0},
        {GET_A "X-A: first\r\n folded\r\n" END, 400, 0},
        {GET_A "X-A: b\rare\r\n" END, 400, 0},
        {"get /api/a HTTP/1.1\r\nHost: here:80\r\n" END, 501, 0},
        {"GE T /api/a HTTP/1.1\r\nHost: here:80\r\n" END, 400, 501},
        {"G(T /api/a HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"BREW /api/a HTTP/1.1\r\nHost: here:80\r\n" END, 501, 0},
        {"OPTIONS /api/a HTTP/1.1\r\nHost: here:80\r\n" END, 405, 0},
        {"TRACE /api/a HTTP/1.1\r\nHost: here:80\r\n" END, 405, 0},
        {"GET /api/a\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/a HTTP/1.2\r\nHost: here:80\r\n" END, 505, 0},
        {"GET /api/a HTTP/9.9\r\nHost: here:80\r\n" END, 505, 0},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 0},
        {"GET  /api/a HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/%zz HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/%4 HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/a%00b HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/a%0ab HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/%ff HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/%ed%a0%80 HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/a?x=%zz HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET api/a HTTP/1.1\r\nHost: here:80\r\n" END, 400, 0},
        {"GET /api/a?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17 HTTP/1.1\r\nHost: here:80\r\n" END,
         400, 0},
        {"GET /api/none HTTP/1.1\r\nHost: here:80\r\n" END, 404, 0},
        {"DELETE /api/a HTTP/1.1\r\nHost: here:80\r\n" END, 405, 0},
        /* libmicrohttpd's own answer: it stumbles over a value that is one quote. */
        {GET_A "Cookie: a=\"\r\n" END, 431, 400},
        {POST_A "Expect: a-miracle\r\nContent-Length: 1\r\n\r\nx", 417, 0},
        {POST_A "Expect: 100-continue\r\nContent-Length: 10000000000\r\n\r\n", 413, 0},
        {"GET /api/a HTTP/1.1\r\nHost: here:80\r\nContent-Length: 3\r\n" END "abc", 413, 0},
    };
    struct fixture *fx = *state;

    check_rows(fx, rows, ARRAY_LEN(rows));
    assert_int_equal(fx->handled, 0);
}

static void nul_is_refused(void **state)
{
    static const char value[] = GET_A "X-A: a\0b\r\n" END;
    static const char name[] = GET_A "X\0A: b\r\n" END;
    static const char target[] = "GET /api/a\0b HTTP/1.1\r\nHost: here:80\r\n" END;
    static const char last[] = GET_A "X-A: a\0b\r\n\r\n";
    static const char at_end[] = GET_A "X-A: a\0\r\n\r\n";
    static const char in_front[] = GET_A "X-A: \0a\r\n\r\n";
    static const char alone[] = GET_A "X-A: \0\r\n" END;
    struct fixture *fx = *state;

    assert_int_equal(ask_bytes(fx, (struct str){last, sizeof(last) - 1}, NULL), 400);
    assert_int_equal(ask_bytes(fx, (struct str){at_end, sizeof(at_end) - 1}, NULL), 400);
    assert_int_equal(ask_bytes(fx, (struct str){in_front, sizeof(in_front) - 1}, NULL), 400);
    assert_int_equal(ask_bytes(fx, (struct str){alone, sizeof(alone) - 1}, NULL), 400);
    assert_int_equal(ask_bytes(fx, (struct str){value, sizeof(value) - 1}, NULL), 400);
    assert_int_equal(ask_bytes(fx, (struct str){name, sizeof(name) - 1}, NULL), 400);
    assert_int_equal(ask_bytes(fx, (struct str){target, sizeof(target) - 1}, NULL), 400);
    assert_int_equal(fx->handled, 0);
}

static void good_heads_are_taken(void **state)
{
    static const struct row rows[] = {
        {GET_A END, 200, 0},
        {"GET /api/a HTTP/1.0\r\nHost: here:80\r\n\r\n", 200, 0},
        {"GET http://portal.example/api/a HTTP/1.1\r\nHost: here:80\r\n" END, 200, 0},
        {"HEAD /api/a HTTP/1.1\r\nHost: PORTAL.example\r\n" END, 200, 0},
        {GET_A "X-A:\tvalue with \xe3\x81\x82\t \r\n" END, 200, 0},
        {GET_A "X-A:\r\nAccept: */*\r\n" END, 200, 0},
        {GET_A "Range: bytes=0-1,2-3,4-5\r\n" END, 200, 0},
        {POST_A "Content-Length: 0\r\n\r\n", 200, 0},
        {POST_A "Content-Length: 3\r\n\r\nabc", 200, 0},
        {POST_A "Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\n\r\n", 200, 0},
        {POST_A "Content-Length: 64\r\n\r\n"
                "0123456789012345678901234567890123456789012345678901234567890123",
         200, 0},
        {"\r\n" GET_A END, 200, 0},
        {GET_A "Connection: close \t\r\n\r\n", 200, 0},
        {"GET /api/a HTTP/1.1\nHost: here:80\nConnection: close\n\n", 200, 0},
        {GET_A "Connection: close\n\r\n", 200, 0},
    };
    struct fixture *fx = *state;

    check_rows(fx, rows, ARRAY_LEN(rows));
    assert_int_equal(fx->handled, ARRAY_LEN(rows));
}

static void address_is_decoded(void **state)
{
    struct fixture *fx = *state;
    struct buf answer = {0};

    assert_int_equal(ask_bytes(fx,
                               STR("GET /api/things/%E5%8C%BB/rows?p=1&q=a+b%26c HTTP/1.1\r\n"
                                   "Host: here:80\r\nCookie: a=1; b=two; c=3\r\n"
                                   "X-Forwarded-For: 8.8.8.8, 192.0.2.7, 10.0.0.1\r\n" END),
                               &answer),
                     200);
    assert_non_null(strstr(answer.data, "[医][a b&c][two][192.0.2.7]"));
    assert_non_null(strstr(answer.data, "X-Request-Id: "));
    buf_free(&answer);
}

/* A hundred headers, and a head of 32 KB. */
static void large_heads_are_refused(void **state)
{
    struct fixture *fx = *state;
    struct buf many = {0}, large = {0};

    buf_add_c(&many, GET_A);
    buf_add_c(&large, GET_A "X-Large: ");
    for (int i = 0; i < 100; i++)
        buf_printf(&many, "X-%d: y\r\n", i);
    for (int i = 0; i < 32 * 1024; i++)
        buf_add_char(&large, 'y');
    buf_add_c(&many, END);
    buf_add_c(&large, "\r\n" END);
    assert_int_equal(ask_bytes(fx, buf_str(&many), NULL), 431);
    assert_int_equal(ask_bytes(fx, buf_str(&large), NULL), 431);
    for (int i = 0; i < 256 * 1024; i++)
        buf_add_char(&large, 'y');
    assert_int_equal(ask_bytes(fx, buf_str(&large), NULL), 431);
    buf_clear(&many);
    buf_add_c(&many, "GET /");
    for (int i = 0; i < 5000; i++)
        buf_add_char(&many, 'y');
    buf_add_c(&many, " HTTP/1.1\r\nHost: here:80\r\n" END);
    assert_int_equal(ask_bytes(fx, buf_str(&many), NULL), 431);
    assert_int_equal(fx->handled, 0);
    buf_free(&many);
    buf_free(&large);
}

static void connection_serves_many_requests(void **state)
{
    struct fixture *fx = *state;
    struct buf answer = {0};
    const char *at;
    int count = 0;

    assert_int_equal(
        ask_bytes(fx,
                  STR(GET_A "\r\nGET /api/none HTTP/1.1\r\nHost: here:80\r\n\r\n"
                            "POST /api/a HTTP/1.1\r\nHost: here:80\r\nContent-Length: 1\r\n"
                            "\r\nx" GET_A END),
                  &answer),
        200);
    for (at = answer.data; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++)
        count++;
    assert_int_equal(count, 4);
    assert_int_equal(fx->handled, 3);
    buf_free(&answer);
}

static void method_not_allowed_names_methods(void **state)
{
    struct fixture *fx = *state;
    struct buf answer = {0};

    static const char *const methods[] = {"PUT", "TRACE", "OPTIONS", "QUERY"};
    char text[100];

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        snprintf(text, sizeof(text), "%s /api/a HTTP/1.1\r\nHost: here:80\r\n" END, methods[i]);
        buf_free(&answer);
        assert_int_equal(ask_bytes(fx, str_of(text), &answer), 405);
        assert_non_null(strstr(answer.data, "Allow: GET, POST\r\n"));
    }
    buf_free(&answer);
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
        cmocka_unit_test_setup_teardown(bad_heads_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nul_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(good_heads_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(address_is_decoded, setup, teardown),
        cmocka_unit_test_setup_teardown(large_heads_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(connection_serves_many_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(method_not_allowed_names_methods, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
