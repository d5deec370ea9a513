/*
 * mail_send: what each way of ending an SMTP dialogue is judged to be, when the text leaves, and
 * that nothing of it holds up the loop. A scripted smart host answers.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/smtp_server.h"
#include "lib/test.h"
#include "mail/mail.h"

enum { TEST_MS = 60000, LOOP_LAG_MAX_MS = 2000, FLOOD_BYTES = 1024 * 1024 };

#define OK SMTP_OK
#define GO SMTP_GO

static struct smtp_server server;
static char flood[FLOOD_BYTES]; /* filled before the server starts */
static char flood_line[FLOOD_BYTES];

/* ---- one message, or as many as a test wants ---- */

struct sending {
    struct flow flow;
    struct mail_sender *sender;
    struct mail_job *job;
    struct mail_result result;
    struct str wire; /* data NULL: a short one */
    bool hold;       /* stop where the smart host waits for the text */
    bool held;
    bool drop;
    bool ended;
};

static const char short_text[] = "Message-Id: <x>\r\nSubject: x\r\n\r\n.dot\r\n";

enum sending_step { SENDING_BEGIN, SENDING_TEXT };

static void sending_run(struct flow *flow)
{
    struct sending *sending = FLOW_OF(flow, struct sending, flow);

    switch ((enum sending_step)flow->step) {
    case SENDING_BEGIN:
        flow_wait(flow, SENDING_TEXT);
        mail_begin(sending->sender, "a@example.jp", "b@example.jp",
                   sending->wire.data != NULL ? sending->wire : str_of(short_text),
                   &sending->result, &sending->job, flow);
        return;
    case SENDING_TEXT:
        if (sending->job == NULL) {
            flow_end(flow, ERR_OK);
        } else if (sending->drop) {
            mail_drop(sending->job);
            flow_end(flow, ERR_OK);
        } else {
            sending->held = true;
            flow_wait(flow, FLOW_END);
            if (!sending->hold)
                mail_text(sending->job, flow);
        }
        return;
    }
    must(false);
}

static void sending_done(struct flow *flow)
{
    FLOW_OF(flow, struct sending, flow)->ended = true;
}

static void sending_start(struct sending *sending, struct loop *loop, struct mail_sender *sender)
{
    *sending = (struct sending){
        .sender = sender, .wire = sending->wire, .hold = sending->hold, .drop = sending->drop};
    flow_init(&sending->flow, loop, sending_run, sending_done, NULL);
    flow_start(&sending->flow, SENDING_BEGIN);
}

static struct mail_sender *open_sender(struct loop *loop, uint32_t timeout_ms)
{
    const struct mail_options options = {.smart_host = smtp_server_url(&server),
                                         .helo = "mamis.example.jp",
                                         .connections_max = 2,
                                         .timeout_ms = timeout_ms};

    return mail_open(loop, &options);
}

static void closed(void *arg)
{
    *(bool *)arg = true;
}

static void close_sender(struct loop *loop, struct mail_sender *sender)
{
    uint64_t begun_ms = clock_mono_ms();
    bool gone = false;

    mail_close(sender, closed, &gone);
    assert_true(loop_run_until(loop, &gone, TEST_MS));
    assert_true(clock_mono_ms() - begun_ms < LOOP_LAG_MAX_MS);
    loop_free(loop);
}

static void wait_for(struct loop *loop, const bool *done)
{
    assert_true(loop_run_until(loop, done, TEST_MS));
    assert_true(loop_lag_max_us(loop) < LOOP_LAG_MAX_MS * 1000);
}

static struct mail_result send_to(const struct smtp_script *script, uint32_t timeout_ms)
{
    struct loop *loop = loop_new();
    struct mail_sender *sender = open_sender(loop, timeout_ms);
    struct sending sending = {.hold = false};

    smtp_server_say(&server, script);
    sending_start(&sending, loop, sender);
    wait_for(loop, &sending.ended);
    assert_int_equal(sending.flow.err, ERR_OK);
    flow_fini(&sending.flow);
    close_sender(loop, sender);
    return sending.result;
}

/* ---- verdicts ---- */

struct judged {
    struct smtp_script script;
    enum mail_verdict verdict;
    int code;
    bool address_refused;
};

static void check(const struct judged *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct smtp_script script = cases[i].script;
        struct mail_result result;

        result = send_to(&script, 2000);
        assert_int_equal(result.verdict, cases[i].verdict);
        assert_int_equal(result.code, cases[i].code);
        assert_int_equal(result.address_refused, cases[i].address_refused);
        assert_true(strlen(result.text) > 0);
    }
}

#define HI STR("220 test\r\n")
#define GONE STR_NONE
#define SILENT SMTP_SILENT

static void verdicts_follow_the_answers(void **state)
{
    static const struct judged cases[] = {
        {{HI, OK, OK, OK, GO, OK}, MAIL_DELIVERED, 250, false},
        {{HI, OK, OK, STR("550 5.1.1 no such user\r\n"), GO, OK}, MAIL_BOUNCED, 550, true},
        {{HI, OK, OK, STR("551 not here\r\n"), GO, OK}, MAIL_BOUNCED, 551, true},
        {{HI, OK, OK, STR("553-not\r\n553 allowed\r\n"), GO, OK}, MAIL_BOUNCED, 553, true},
        {{HI, OK, OK, STR("554 no\r\n"), GO, OK}, MAIL_BOUNCED, 554, true},
        {{HI, OK, OK, STR("451 try later\r\n"), GO, OK}, MAIL_DEFERRED, 451, false},
        {{HI, OK, STR("553 sender refused\r\n"), OK, GO, OK}, MAIL_BOUNCED, 553, false},
        {{HI, OK, OK, OK, STR("554 no text\r\n"), OK}, MAIL_BOUNCED, 554, false},
        {{HI, OK, OK, OK, GO, STR("552-too\r\n552 large\r\n")}, MAIL_BOUNCED, 552, false},
        {{HI, OK, OK, OK, GO, STR("452 full\r\n")}, MAIL_DEFERRED, 452, false},
        /* The host as a whole is not well: that says nothing about the message. */
        {{STR("554 no service\r\n"), OK, OK, OK, GO, OK}, MAIL_DEFERRED, 554, false},
        {{STR("421 busy\r\n"), OK, OK, OK, GO, OK}, MAIL_DEFERRED, 421, false},
        {{HI, STR("550 who are you\r\n"), OK, OK, GO, OK}, MAIL_DEFERRED, 550, false},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void lost_connections_are_judged_by_the_dot(void **state)
{
    static const struct judged cases[] = {
        {{GONE, OK, OK, OK, GO, OK}, MAIL_DEFERRED, 0, false},
        {{HI, OK, GONE, OK, GO, OK}, MAIL_DEFERRED, 0, false},
        {{HI, OK, OK, GONE, GO, OK}, MAIL_DEFERRED, 0, false},
        {{HI, OK, OK, OK, GO, GONE}, MAIL_AMBIGUOUS, 0, false},
        {{HI, OK, OK, SILENT, GO, OK}, MAIL_DEFERRED, 0, false},
        {{HI, OK, OK, OK, GO, SILENT}, MAIL_AMBIGUOUS, 0, false},
        {{HI, OK, OK, OK, GO, STR("250-half an ans")}, MAIL_AMBIGUOUS, 0, false},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases));
}

/* Whatever comes is read as far as it can be, or the connection ends; nothing more. */
static void strange_answers_do_no_harm(void **state)
{
    const struct judged cases[] = {
        {{HI, OK, OK, STR("250-a\r\n250-b\r\n250 c\r\n"), GO, OK}, MAIL_DELIVERED, 250, false},
        {{HI, OK, OK, STR("550 no\0body\r\n"), GO, OK}, MAIL_BOUNCED, 550, true},
        {{HI, OK, OK, STR("25\0 ok\r\n"), GO, OK}, MAIL_DEFERRED, 0, false},
        {{HI, OK, OK, STR("250 ok\r\n354 too early\r\n"), GO, OK}, MAIL_DEFERRED, 0, false},
        {{HI, OK, OK, STR("354 not now\r\n"), GO, OK}, MAIL_DEFERRED, 0, false},
        {{HI, OK, OK, STR("what?\r\nhm\r\n"), GO, OK}, MAIL_DEFERRED, 0, false},
        {{HI, OK, OK, OK, GO, STR("\r\n\r\nwhat?\r\n")}, MAIL_AMBIGUOUS, 0, false},
    };
    const struct smtp_script long_line = {HI, OK, OK, {flood_line, FLOOD_BYTES}, GO, OK};
    const struct smtp_script endless = {HI, OK, OK, OK, GO, {flood, FLOOD_BYTES}};

    (void)state;
    check(cases, ARRAY_LEN(cases));
    assert_int_equal(send_to(&long_line, 2000).verdict, MAIL_DEFERRED);
    assert_int_equal(send_to(&endless, 2000).verdict, MAIL_AMBIGUOUS);
}

static void nobody_there_is_deferred_and_not_reached(void **state)
{
    struct mail_result result;

    (void)state;
    smtp_server_stop(&server);
    result = send_to(&smtp_takes_all, 2000);
    smtp_server_start(&server);
    assert_int_equal(result.verdict, MAIL_DEFERRED);
    assert_int_equal(result.code, 0);
    assert_false(result.reached);
    assert_true(send_to(&smtp_takes_all, 2000).reached);
}

/* ---- the text ---- */

static void the_text_waits_for_its_owner(void **state)
{
    struct loop *loop = loop_new();
    struct mail_sender *sender = open_sender(loop, 5000);
    struct sending sending = {.hold = true};

    (void)state;
    smtp_server_say(&server, &smtp_takes_all);
    smtp_server_forget(&server);
    sending_start(&sending, loop, sender);
    wait_for(loop, &sending.held);
    assert_int_equal(smtp_server_count(&server), 0);
    mail_text(sending.job, &sending.flow);
    wait_for(loop, &sending.ended);
    assert_int_equal(sending.result.verdict, MAIL_DELIVERED);
    assert_int_equal(smtp_server_count(&server), 1);
    assert_non_null(strstr(smtp_server_kept(&server, 0)->body, "\r\n..dot\r\n"));
    flow_fini(&sending.flow);
    close_sender(loop, sender);
}

static void a_dropped_message_was_never_sent(void **state)
{
    struct loop *loop = loop_new();
    struct mail_sender *sender = open_sender(loop, 5000);
    struct sending sending = {.drop = true};

    (void)state;
    smtp_server_say(&server, &smtp_takes_all);
    smtp_server_forget(&server);
    sending_start(&sending, loop, sender);
    wait_for(loop, &sending.ended);
    assert_int_equal(sending.result.verdict, MAIL_DEFERRED);
    flow_fini(&sending.flow);
    close_sender(loop, sender);
    assert_int_equal(smtp_server_count(&server), 0);
}

static void half_a_text_is_no_message(void **state)
{
    static char text[4 * 1024 * 1024]; /* more than the sockets hold */
    struct loop *loop = loop_new();
    struct mail_sender *sender = open_sender(loop, 60000);
    struct sending sending = {.hold = true};

    (void)state;
    memset(text, 'z', sizeof(text));
    for (size_t i = 72; i + 1 < sizeof(text); i += 74)
        memcpy(text + i, "\r\n", 2);
    smtp_server_say(&server, &smtp_takes_all);
    smtp_server_forget(&server);
    sending.wire = (struct str){text, sizeof(text)};
    sending_start(&sending, loop, sender);
    wait_for(loop, &sending.held);
    kill(-server.pid, SIGSTOP);
    mail_text(sending.job, &sending.flow);
    assert_false(loop_run_until(loop, &sending.ended, 100));
    mail_abort(sender);
    kill(-server.pid, SIGCONT);
    wait_for(loop, &sending.ended);
    assert_int_equal(sending.result.verdict, MAIL_DEFERRED);
    flow_fini(&sending.flow);
    close_sender(loop, sender);
    assert_int_equal(send_to(&smtp_takes_all, 2000).verdict, MAIL_DELIVERED);
    assert_int_equal(smtp_server_count(&server), 1); /* the last one */
}

static void connections_are_used_again_and_bounded(void **state)
{
    struct loop *loop = loop_new();
    struct mail_sender *sender = open_sender(loop, 5000);
    struct sending held[2] = {{.hold = true}, {.hold = true}};
    struct sending third = {.hold = false};

    (void)state;
    smtp_server_say(&server, &smtp_takes_all);
    smtp_server_forget(&server);
    for (size_t i = 0; i < ARRAY_LEN(held); i++) {
        sending_start(&held[i], loop, sender);
        wait_for(loop, &held[i].held);
    }
    sending_start(&third, loop, sender);
    wait_for(loop, &third.ended);
    assert_int_equal(third.flow.err, ERR_BUSY);
    flow_fini(&third.flow);
    for (size_t i = 0; i < ARRAY_LEN(held); i++) {
        mail_text(held[i].job, &held[i].flow);
        wait_for(loop, &held[i].ended);
        flow_fini(&held[i].flow);
    }
    for (int i = 0; i < 5; i++) {
        sending_start(&third, loop, sender);
        wait_for(loop, &third.ended);
        assert_int_equal(third.result.verdict, MAIL_DELIVERED);
        flow_fini(&third.flow);
    }
    assert_int_equal(smtp_server_count(&server), 7);
    assert_int_equal(smtp_server_connections(&server), 2);
    close_sender(loop, sender);
}

/* ---- aborting ---- */

static void aborting_tells_what_may_be_out(void **state)
{
    const struct smtp_script no_answer = {HI, OK, OK, OK, GO, SILENT};
    struct loop *loop = loop_new();
    struct mail_sender *sender = open_sender(loop, 60000);
    struct sending sent = {.hold = false};
    struct sending waiting = {.hold = true};
    struct sending late = {.hold = false};

    (void)state;
    smtp_server_say(&server, &no_answer);
    sending_start(&sent, loop, sender);
    sending_start(&waiting, loop, sender);
    wait_for(loop, &waiting.held);
    wait_for(loop, &sent.held);
    for (uint64_t until_ms = clock_mono_ms() + TEST_MS;
         smtp_server_silent(&server) == 0 && clock_mono_ms() < until_ms;)
        (void)loop_run_until(loop, &sent.ended, 10);
    assert_int_equal(smtp_server_silent(&server), 1);
    mail_abort(sender);
    wait_for(loop, &sent.ended);
    assert_int_equal(sent.result.verdict, MAIL_AMBIGUOUS);
    mail_text(waiting.job, &waiting.flow); /* ended meanwhile; its owner did not know */
    wait_for(loop, &waiting.ended);
    assert_int_equal(waiting.result.verdict, MAIL_DEFERRED);
    sending_start(&late, loop, sender);
    wait_for(loop, &late.ended);
    assert_int_equal(late.flow.err, ERR_STOPPING);
    flow_fini(&sent.flow);
    flow_fini(&waiting.flow);
    flow_fini(&late.flow);
    close_sender(loop, sender);
}

/* ---- the loop goes on; connections come and go ---- */

/* The smart host was started again while a connection to it lay idle: nobody notices. */
static void a_connection_that_died_idle_is_no_failure(void **state)
{
    struct loop *loop = loop_new();
    struct mail_sender *sender = open_sender(loop, 5000);
    struct sending sending = {.hold = false};

    (void)state;
    smtp_server_say(&server, &smtp_takes_all);
    for (int i = 0; i < 2; i++) {
        sending_start(&sending, loop, sender);
        wait_for(loop, &sending.ended);
        assert_int_equal(sending.result.verdict, MAIL_DELIVERED);
        flow_fini(&sending.flow);
        smtp_server_stop(&server);
        smtp_server_start(&server);
    }
    close_sender(loop, sender);
}

static void nobody_waits_for_the_answer_to_quit(void **state)
{
    struct loop *loop = loop_new();
    struct mail_sender *sender = open_sender(loop, 60000);
    struct sending sending = {.hold = false};

    (void)state;
    smtp_server_say(&server, &smtp_takes_all);
    sending_start(&sending, loop, sender);
    wait_for(loop, &sending.ended);
    flow_fini(&sending.flow);
    kill(-server.pid, SIGSTOP); /* with a connection that waits for more */
    close_sender(loop, sender);
    kill(-server.pid, SIGCONT);
}

static int start_server(void **state)
{
    static const char end[] = "\r\n550 no\r\n";

    (void)state;
    memset(flood, 'x', sizeof(flood));
    memset(flood_line, 'y', sizeof(flood_line));
    memcpy(flood_line + sizeof(flood_line) - (sizeof(end) - 1), end, sizeof(end) - 1);
    smtp_server_start(&server);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    smtp_server_free(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_follow_the_answers),
        cmocka_unit_test(lost_connections_are_judged_by_the_dot),
        cmocka_unit_test(strange_answers_do_no_harm),
        cmocka_unit_test(nobody_there_is_deferred_and_not_reached),
        cmocka_unit_test(the_text_waits_for_its_owner),
        cmocka_unit_test(a_dropped_message_was_never_sent),
        cmocka_unit_test(half_a_text_is_no_message),
        cmocka_unit_test(connections_are_used_again_and_bounded),
        cmocka_unit_test(aborting_tells_what_may_be_out),
        cmocka_unit_test(a_connection_that_died_idle_is_no_failure),
        cmocka_unit_test(nobody_waits_for_the_answer_to_quit),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
