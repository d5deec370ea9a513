/*
 * scan: what each way of ending a talk with a scanner comes to; that a file counts as clean only
 * when the scanner had all of it and says so; and that every wait ends, by its deadline at the
 * latest.
 */
#include "scan/scan.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/child.h"
#include "lib/test.h"
#include "scan/scan_address.h"
#include "scan/scan_answer.h"
#include "unit/scan/scan_fake.h"

enum {
    TEST_MS = 20000,
    DEADLINE_MS = 10000, /* where nothing is late */
    SOON_MS = 100,
    SMALL_BYTES = 1000,
    LARGE_BYTES = 4 * 1024 * 1024, /* more than sockets hold */
    HEAD_BYTES = 14,
    STRANGERS = 8,
};

static struct scan_fake fake;
static char file[LARGE_BYTES];
static char address[128];

/* ---- answers ---- */

struct said {
    struct str bytes;
    enum scan_answer_state state;
    const char *words;
};

#define NUL_STR(text)                                                                              \
    {                                                                                              \
        (text), sizeof(text)                                                                       \
    } /* with its NUL */

static const struct said answers[] = {
    {NUL_STR("stream: OK"), SCAN_ANSWER_CLEAN, NULL},
    {NUL_STR("stream: Win.Test-1 FOUND"), SCAN_ANSWER_FOUND, "Win.Test-1"},
    {NUL_STR("stream: a b FOUND"), SCAN_ANSWER_FOUND, "a b"},
    {NUL_STR("stream: \x1b[1m\xe3\x81\n FOUND"), SCAN_ANSWER_FOUND, "?[1m???"},
    {NUL_STR("INSTREAM size limit exceeded. ERROR"), SCAN_ANSWER_FAILED,
     "INSTREAM size limit exceeded. ERROR"},
    {NUL_STR("stream: Can't allocate memory ERROR"), SCAN_ANSWER_FAILED,
     "stream: Can't allocate memory ERROR"},
    {NUL_STR("COMMAND READ TIMED OUT"), SCAN_ANSWER_BAD, NULL},
    {NUL_STR("stream:  FOUND"), SCAN_ANSWER_BAD, NULL},
    {NUL_STR("stream: FOUND"), SCAN_ANSWER_BAD, NULL},
    {NUL_STR("stream: OKAY"), SCAN_ANSWER_BAD, NULL},
    {NUL_STR("stream: ok"), SCAN_ANSWER_BAD, NULL},
    {NUL_STR("1: stream: OK"), SCAN_ANSWER_BAD, NULL},
    {NUL_STR("OK"), SCAN_ANSWER_BAD, NULL},
    {NUL_STR(""), SCAN_ANSWER_BAD, NULL},
    {{"stream: OK", 10}, SCAN_ANSWER_MORE, NULL},
    {{"stream: OK\n", 11}, SCAN_ANSWER_MORE, NULL},
};

static void take_cut(const struct said *said, size_t cut)
{
    struct scan_answer answer = {.len = 0};
    struct str words = STR_NONE;
    enum scan_answer_state state =
        scan_answer_take(&answer, (struct str){said->bytes.data, cut}, &words);

    if (cut < said->bytes.len) {
        assert_int_equal(state, SCAN_ANSWER_MORE);
        state = scan_answer_take(
            &answer, (struct str){said->bytes.data + cut, said->bytes.len - cut}, &words);
    }
    assert_int_equal(state, said->state);
    if (said->words != NULL)
        assert_true(str_eq_c(words, said->words));
}

static void answers_are_understood_in_any_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        for (size_t cut = 0; cut <= answers[i].bytes.len; cut++)
            take_cut(&answers[i], cut);
}

static void answers_have_a_limit(void **state)
{
    struct scan_answer answer = {.len = 0};
    struct str words = STR_NONE;
    char much[SCAN_ANSWER_BYTES_MAX];

    (void)state;
    memset(much, 'x', sizeof(much));
    assert_int_equal(scan_answer_take(&answer, (struct str){much, sizeof(much)}, &words),
                     SCAN_ANSWER_MORE);
    assert_int_equal(scan_answer_take(&answer, STR("x"), &words), SCAN_ANSWER_BAD);
}

static void addresses(void **state)
{
    static const char *const good[] = {"unix:/run/clamav/clamd.ctl", "tcp:127.0.0.1:3310",
                                       "tcp:[::1]:3310", "tcp:::1:3310"};
    static const char *const bad[] = {
        "",           "/run/clamd",     "unix:",          "unix:clamd",     "tcp:",
        "tcp:3310",   "tcp::3310",      "tcp:127.0.0.1",  "tcp:127.0.0.1:", "tcp:127.0.0.1:0",
        "tcp:[]:1",   "tcp:clamd:3310", "tcp:1.2.3.4:1x", "udp:1.2.3.4:1",  "tcp:1.2.3.4:65536",
        "tcp:[::1]3", "tcp:1.2.3.4:-1",
    };
    struct scan_address read;
    struct err_note note;
    char long_path[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(scan_address_read(str_of(good[i]), &read, &note), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(scan_address_read(str_of(bad[i]), &read, &note), ERR_SETTINGS);
    (void)snprintf(long_path, sizeof(long_path), "unix:/%0120d", 0);
    assert_int_equal(scan_address_read(str_of(long_path), &read, &note), ERR_SETTINGS);
}

/* ---- one file ---- */

struct asking {
    struct flow flow;
    struct scan *scan;
    size_t bytes;
    struct scan_verdict verdict;
    bool ended;
};

static void asking_run(struct flow *flow)
{
    struct asking *asking = FLOW_OF(flow, struct asking, flow);

    flow_wait(flow, FLOW_END);
    scan_file(asking->scan, (struct str){file, asking->bytes}, &asking->verdict, flow);
}

static void asking_done(struct flow *flow)
{
    FLOW_OF(flow, struct asking, flow)->ended = true;
}

static void asking_start(struct asking *asking, struct loop *loop, struct scan *scan, size_t bytes)
{
    *asking = (struct asking){.scan = scan, .bytes = bytes};
    flow_init(&asking->flow, loop, asking_run, asking_done, NULL);
    flow_start(&asking->flow, 0);
}

static struct scan *open_scan(struct loop *loop, uint32_t files_max, uint32_t deadline_ms)
{
    const struct scan_options options = {
        .address = address, .files_max = files_max, .deadline_ms = deadline_ms};
    struct scan *scan = NULL;

    assert_int_equal(scan_open(loop, &options, &scan, NULL), ERR_OK);
    return scan;
}

static void on_closed(void *arg)
{
    *(bool *)arg = true;
}

static void close_scan(struct loop *loop, struct scan *scan)
{
    bool closed = false;

    scan_close(scan, on_closed, &closed);
    assert_true(loop_run_until(loop, &closed, TEST_MS));
}

static void name_socket(void)
{
    (void)snprintf(address, sizeof(address), "unix:%s/scanner", child_folder());
}

/* Its flow's arena is gone; the note and the verdict are not. */
static struct asking ask(struct loop *loop, size_t bytes, uint32_t deadline_ms)
{
    struct scan *scan = open_scan(loop, 1, deadline_ms);
    struct scan_stats stats;
    struct asking asking;

    asking_start(&asking, loop, scan, bytes);
    assert_true(loop_run_until(loop, &asking.ended, TEST_MS));
    flow_fini(&asking.flow);
    scan_stats(scan, &stats);
    assert_int_equal(stats.open, 0);
    assert_int_equal(stats.clean + stats.found + stats.failed, 1);
    assert_int_equal(stats.failed, asking.flow.err != ERR_OK);
    assert_int_equal(stats.took.count, asking.flow.err == ERR_OK);
    close_scan(loop, scan);
    return asking;
}

struct talk {
    size_t bytes;
    struct scan_script script;
    enum err err;
    const char *words; /* in the note; or the signature's name, empty for clean */
};

static void check(const struct talk *talk)
{
    struct loop *loop = loop_new();
    struct asking asking;

    fake.script = talk->script;
    scan_fake_open(&fake, loop, address, sizeof(address));
    asking = ask(loop, talk->bytes, talk->err == ERR_TIMEOUT ? SOON_MS : DEADLINE_MS);
    assert_int_equal(asking.flow.err, talk->err);
    if (talk->err == ERR_OK) {
        assert_string_equal(asking.verdict.name, talk->words);
        assert_int_equal(asking.verdict.found, *talk->words != '\0');
    } else {
        assert_non_null(strstr(asking.flow.note.text, talk->words));
    }
    scan_fake_close(&fake);
    loop_free(loop);
}

#define CLEAN NUL_STR("stream: OK")
#define FOUND NUL_STR("stream: Test.A FOUND")
#define NOTHING                                                                                    \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

static const struct talk talks[] = {
    {SMALL_BYTES, {SCAN_FAKE_ALL, CLEAN, false}, ERR_OK, ""},
    {LARGE_BYTES, {SCAN_FAKE_ALL, CLEAN, true}, ERR_OK, ""},
    {SMALL_BYTES, {SCAN_FAKE_ALL, FOUND, true}, ERR_OK, "Test.A"},
    {LARGE_BYTES, {HEAD_BYTES, FOUND, true}, ERR_OK, "Test.A"}, /* seen enough */
    {LARGE_BYTES, {HEAD_BYTES, CLEAN, false}, ERR_SCANNER_DOWN, "before it had the whole file"},
    {LARGE_BYTES,
     {HEAD_BYTES, NUL_STR("INSTREAM size limit exceeded. ERROR"), true},
     ERR_SCANNER_DOWN,
     "size limit exceeded"},
    {SMALL_BYTES, {SCAN_FAKE_ALL, NUL_STR("UNKNOWN COMMAND"), false}, ERR_SCANNER_DOWN, "none"},
    {SMALL_BYTES, {SCAN_FAKE_ALL, {file, SCAN_ANSWER_BYTES_MAX + 1}, false}, ERR_SCANNER_DOWN, ""},
    {SMALL_BYTES, {SCAN_FAKE_ALL, {"stream: OK", 10}, true}, ERR_SCANNER_DOWN, "hung up"},
    {SMALL_BYTES, {SCAN_FAKE_ALL, NOTHING, true}, ERR_SCANNER_DOWN, ""},
    {LARGE_BYTES, {0, NOTHING, true}, ERR_SCANNER_DOWN, ""},
    {LARGE_BYTES, {SMALL_BYTES, NOTHING, true}, ERR_SCANNER_DOWN, ""},
    {LARGE_BYTES, {SCAN_FAKE_NEVER, NOTHING, false}, ERR_TIMEOUT, "did not take"},
    {SMALL_BYTES, {SCAN_FAKE_ALL, NOTHING, false}, ERR_TIMEOUT, "no answer"},
    {SMALL_BYTES, {SCAN_FAKE_ALL, {"stream: O", 9}, false}, ERR_TIMEOUT, "no answer"},
};

static void each_talk_ends_well_or_not_at_all(void **state)
{
    (void)state;
    name_socket();
    for (size_t i = 0; i < ARRAY_LEN(talks); i++)
        check(&talks[i]);
}

static void the_whole_file_comes_by_tcp_too(void **state)
{
    uint32_t size = htonl(LARGE_BYTES);

    (void)state;
    (void)snprintf(address, sizeof(address), "tcp:127.0.0.1:1");
    check(&talks[1]);
    assert_int_equal(fake.len, HEAD_BYTES + LARGE_BYTES + sizeof(size));
    assert_memory_equal(fake.got, "zINSTREAM", 10);
    assert_memory_equal(fake.got + 10, &size, sizeof(size));
    assert_memory_equal(fake.got + HEAD_BYTES, file, LARGE_BYTES);
    size = 0;
    assert_memory_equal(fake.got + HEAD_BYTES + LARGE_BYTES, &size, sizeof(size));
}

/* ---- nobody to talk to ---- */

static void nobody_is_there(void **state)
{
    struct loop *loop = loop_new();
    struct asking asking;

    (void)state;
    (void)snprintf(address, sizeof(address), "unix:%s/nobody", child_folder());
    asking = ask(loop, SMALL_BYTES, DEADLINE_MS);
    assert_int_equal(asking.flow.err, ERR_SCANNER_DOWN);
    (void)snprintf(address, sizeof(address), "tcp:127.0.0.1:1");
    asking = ask(loop, SMALL_BYTES, DEADLINE_MS);
    assert_int_equal(asking.flow.err, ERR_SCANNER_DOWN);
    loop_free(loop);
}

/* Others fill the queue of a listener that takes nobody. */
static void nobody_is_let_in(enum err wanted)
{
    struct loop *loop = loop_new();
    int strangers[STRANGERS];
    struct scan_address name;
    struct asking asking;

    fake.script = (struct scan_script){.after = SCAN_FAKE_NEVER};
    scan_fake_open(&fake, loop, address, sizeof(address));
    evfd_watch(fake.listening, 0);
    assert_int_equal(scan_address_read(str_of(address), &name, NULL), ERR_OK);
    for (size_t i = 0; i < STRANGERS; i++) {
        strangers[i] = socket(name.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(strangers[i], (struct sockaddr *)&name.bytes, name.len);
    }
    asking = ask(loop, SMALL_BYTES, SOON_MS);
    assert_int_equal(asking.flow.err, wanted);
    for (size_t i = 0; i < STRANGERS; i++)
        close(strangers[i]);
    scan_fake_close(&fake);
    loop_free(loop);
}

static void nobody_opens(void **state)
{
    (void)state;
    name_socket();
    nobody_is_let_in(ERR_SCANNER_DOWN);
    (void)snprintf(address, sizeof(address), "tcp:127.0.0.1:1");
    nobody_is_let_in(ERR_TIMEOUT);
}

/* ---- limits and the end ---- */

static void more_than_may_be_under_way(void **state)
{
    struct loop *loop = loop_new();
    struct asking first, second;
    struct scan_stats stats;
    struct scan *scan;

    (void)state;
    name_socket();
    fake.script = (struct scan_script){.after = SCAN_FAKE_NEVER};
    scan_fake_open(&fake, loop, address, sizeof(address));
    scan = open_scan(loop, 1, DEADLINE_MS);
    asking_start(&first, loop, scan, LARGE_BYTES);
    asking_start(&second, loop, scan, SMALL_BYTES);
    assert_true(loop_run_until(loop, &second.ended, TEST_MS));
    assert_int_equal(second.flow.err, ERR_BUSY);
    scan_stats(scan, &stats);
    assert_int_equal(stats.open, 1);
    close_scan(loop, scan); /* in the middle of the first one */
    assert_true(loop_run_until(loop, &first.ended, TEST_MS));
    assert_int_equal(first.flow.err, ERR_STOPPING);
    flow_fini(&first.flow);
    flow_fini(&second.flow);
    scan_fake_close(&fake);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_understood_in_any_pieces),
        cmocka_unit_test(answers_have_a_limit),
        cmocka_unit_test(addresses),
        cmocka_unit_test(each_talk_ends_well_or_not_at_all),
        cmocka_unit_test(the_whole_file_comes_by_tcp_too),
        cmocka_unit_test(nobody_is_there),
        cmocka_unit_test(nobody_opens),
        cmocka_unit_test(more_than_may_be_under_way),
    };

    for (size_t i = 0; i < sizeof(file); i++)
        file[i] = (char)('A' + i % 61 % 26);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
