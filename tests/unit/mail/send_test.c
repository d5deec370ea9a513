/* mail_send: what each way of ending an SMTP dialogue is judged to be. A scripted server answers.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/test.h"
#include "mail/mail.h"

enum { SERVER_SECONDS = 20, TEST_MS = 15000 };

/* What the server says at each command; NULL hangs up. */
struct script {
    const char *mail, *rcpt, *data, *dot;
};

static void answer(FILE *out, const char *text)
{
    if (text == NULL)
        _exit(0);
    fputs(text, out);
    fflush(out);
}

/* One connection by the script, in a child process that ends by itself. */
static void serve(int listener, const struct script *script)
{
    char line[2048];
    int fd;
    FILE *in;
    FILE *out;

    alarm(SERVER_SECONDS);
    fd = accept(listener, NULL, NULL);
    in = fdopen(fd, "r");
    out = fdopen(dup(fd), "w");
    answer(out, "220 test\r\n");
    while (fgets(line, sizeof(line), in) != NULL) {
        if (strncmp(line, "MAIL", 4) == 0)
            answer(out, script->mail);
        else if (strncmp(line, "RCPT", 4) == 0)
            answer(out, script->rcpt);
        else if (strncmp(line, "DATA", 4) == 0) {
            answer(out, script->data);
            while (fgets(line, sizeof(line), in) != NULL && strcmp(line, ".\r\n") != 0)
                ;
            answer(out, script->dot);
        } else
            answer(out, "250 ok\r\n");
    }
    _exit(0);
}

static int listen_on_free_port(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return listener;
}

struct sending {
    struct flow flow;
    struct mail_result result;
    bool ended;
};

static void no_steps(struct flow *flow)
{
    flow_end(flow, ERR_OK);
}

static void ended(struct flow *flow)
{
    FLOW_OF(flow, struct sending, flow)->ended = true;
}

static void closed(void *arg)
{
    *(bool *)arg = true;
}

/* Send one message to `port`; gives the verdict. */
static struct mail_result send_one(uint16_t port)
{
    char url[64];
    struct loop *loop = loop_new();
    const struct mail_options options = {
        .smart_host = url, .helo = "mamis.example.jp", .connections_max = 2, .timeout_ms = 10000};
    struct mail_sender *sender;
    struct sending sending = {.ended = false};
    bool gone = false;

    (void)snprintf(url, sizeof(url), "smtp://127.0.0.1:%u", port);
    sender = mail_open(loop, &options);
    flow_init(&sending.flow, loop, no_steps, ended, NULL);
    flow_wait(&sending.flow, FLOW_END);
    mail_send(sender, "a@example.jp", "b@example.jp", STR("Subject: x\r\n\r\n.dot\r\n"),
              &sending.result, &sending.flow);
    assert_true(loop_run_until(loop, &sending.ended, TEST_MS));
    assert_int_equal(sending.flow.err, ERR_OK);
    flow_fini(&sending.flow);
    mail_close(sender, closed, &gone);
    assert_true(loop_run_until(loop, &gone, TEST_MS));
    loop_free(loop);
    return sending.result;
}

static struct mail_result send_to(const struct script *script)
{
    uint16_t port;
    int listener = listen_on_free_port(&port);
    pid_t child = fork();
    struct mail_result result;

    assert_true(child >= 0);
    if (child == 0)
        serve(listener, script);
    close(listener);
    result = send_one(port);
    (void)waitpid(child, NULL, 0);
    return result;
}

#define OK "250 ok\r\n"
#define GO "354 go on\r\n"

static void verdicts_follow_the_answers(void **state)
{
    static const struct {
        struct script script;
        enum mail_verdict verdict;
        int code;
    } cases[] = {
        {{OK, OK, GO, OK}, MAIL_DELIVERED, 250},
        {{OK, "550 5.1.1 no such user\r\n", GO, OK}, MAIL_BOUNCED, 550},
        {{OK, "451 try later\r\n", GO, OK}, MAIL_DEFERRED, 451},
        {{"553 sender refused\r\n", OK, GO, OK}, MAIL_BOUNCED, 553},
        {{OK, OK, GO, "552-too\r\n552 large\r\n"}, MAIL_BOUNCED, 552},
        {{OK, OK, GO, "452 full\r\n"}, MAIL_DEFERRED, 452},
        {{OK, NULL, GO, OK}, MAIL_DEFERRED, -1},
        {{OK, OK, GO, NULL}, MAIL_AMBIGUOUS, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mail_result result = send_to(&cases[i].script);

        assert_int_equal(result.verdict, cases[i].verdict);
        if (cases[i].code > 0)
            assert_int_equal(result.code, cases[i].code);
        assert_true(strlen(result.text) > 0);
    }
}

static void nobody_there_is_deferred_without_a_code(void **state)
{
    uint16_t port;
    int listener = listen_on_free_port(&port);
    struct mail_result result;

    (void)state;
    close(listener);
    result = send_one(port);
    assert_int_equal(result.verdict, MAIL_DEFERRED);
    assert_int_equal(result.code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_follow_the_answers),
        cmocka_unit_test(nobody_there_is_deferred_without_a_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
