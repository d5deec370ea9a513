/*
 * What a posting says to its doctors: each message of an upload is handled while the nth call of
 * the database fails, for every n, and comes again until it works, as lib/work has it. What is
 * kept, and the mails made of it, are those of an undisturbed run. How far n came is printed; below
 * tests/data/notification_faults.json it is a failure.
 */
#include <stdio.h>
#include <string.h>

#include "notification_fixture.h"

#define FIGURES TEST_SOURCE_DIR "/tests/data/notification_faults.json"

enum { CALLS_MAX = 50, WAYS = 2 };

#define ABOUT                                                                                      \
    "\"upload_id\":\"" UPLOAD "\",\"seminar_no\":\"S2026-0001\",\"seminar_title\":\"研修会\","

#define POSTED(chunk, correction, revision, half_units)                                            \
    "{" ABOUT "\"upload_no\":1,\"chunk_no\":" chunk "," correction                                 \
    "\"sessions\":[{\"session_id\":5,\"session_no\":\"1\",\"title\":\"\","                         \
    "\"held_on\":\"2026-11-15\",\"delivery\":\"venue\"}],\"lots\":[{\"place\":0,"                  \
    "\"kind\":\"OPL-S\",\"half_units\":" half_units ",\"revision\":" revision ",\"doctors\":1}],"  \
    "\"doctor_ids\":[1]}"

/* In their order; the third takes the first chunk's credit back. */
static const struct {
    const char *name;
    work_handler_fn handle;
    const char *type;
    const char *data;
} messages[] = {
    {"posted", notification_posted_handle, EVENT_CREDITS_POSTED, POSTED("0", "", "0", "4")},
    {"done", notification_upload_handle, EVENT_UPLOAD_DONE,
     "{" ABOUT "\"organiser_code\":\"P13\",\"account_id\":\"" ORGANISER "\","
     "\"file_name\":\"a.csv\",\"status\":\"done\",\"rows_total\":1,\"chunks_total\":1,"
     "\"counts\":{\"posted\":1,\"already_posted\":0,\"waiting\":0,\"unmatched\":0,\"absent\":0,"
     "\"rejected\":0},\"reasons\":[{\"outcome\":\"posted\",\"reason\":null,\"rows\":1}]}"},
    {"taken_back", notification_posted_handle, EVENT_CREDITS_POSTED,
     POSTED("0",
            "\"correction\":{\"correction_id\":\"" LINK "\",\"cause\":\"cancel\","
            "\"reason\":\"why\",\"slice_no\":0,\"last\":true},",
            "1", "-4")},
};

enum { MESSAGES = sizeof(messages) / sizeof(messages[0]) };

struct fault {
    enum err err;
    uint64_t at; /* counted from the batches before; 0: none */
    bool fired;
};

static enum err fail_call(void *arg, uint64_t number, bool after_commit)
{
    struct fault *fault = arg;

    if (after_commit || number != fault->at)
        return ERR_OK;
    fault->fired = true;
    return fault->err;
}

/* Handled until it works; gives how many calls there were to fail. */
static unsigned handle(size_t message, enum err wanted)
{
    struct fault fault = {.err = wanted};
    unsigned n = 0;
    enum err err;

    db_set_fault(bench.db, fail_call, &fault);
    do {
        struct db_stats stats;

        db_stats(bench.db, &stats);
        n++;
        fault.at = wanted == ERR_OK ? 0 : stats.batches + n;
        fault.fired = false;
        err = bench_handle(&bench, messages[message].handle, &notification, messages[message].type,
                           "%s", messages[message].data);
        assert_int_equal(err, fault.fired ? wanted : ERR_OK);
        assert_in_range(n, 1, CALLS_MAX);
    } while (fault.fired);
    db_set_fault(bench.db, NULL, NULL);
    return n - 1;
}

/* All that is kept, without ids and times. */
static void digest(char text[4096])
{
    (void)snprintf(
        text, 4096, "%s",
        value("SELECT md5(string_agg(line, E'\\n' ORDER BY line)) || E'\\n'"
              " || string_agg(line, E'\\n' ORDER BY line) FROM ("
              "SELECT concat_ws('|', 'upload', complete, released, chunks_seen, chunks_total,"
              " suppressed) AS line FROM notification.upload"
              " UNION ALL SELECT concat_ws('|', 'chunk', doctor_ids, line_index, lines)"
              " FROM notification.upload_chunk"
              " UNION ALL SELECT concat_ws('|', 'mail', kind, occasion, to_doctor, state, data)"
              " FROM notification.mail) AS lines"));
}

static void run(void **state, enum err wanted, unsigned reached[MESSAGES], char left[4096])
{
    (void)fill(state);
    for (size_t i = 0; i < MESSAGES; i++)
        reached[i] = handle(i, wanted);
    digest(left);
}

static void any_call_may_fail(void **state)
{
    static const enum err ways[WAYS] = {ERR_DB_DOWN, ERR_TIMEOUT};
    json_t *figures = json_load_file(FIGURES, 0, NULL);
    unsigned reached[MESSAGES];
    char undisturbed[4096], left[4096];

    run(state, ERR_OK, reached, undisturbed);
    for (size_t way = 0; way < WAYS; way++) {
        run(state, ways[way], reached, left);
        assert_string_equal(left, undisturbed);
        for (size_t i = 0; i < MESSAGES; i++) {
            json_int_t before = json_integer_value(
                json_object_get(json_object_get(figures, messages[i].name), "database"));

            print_message("%s: the 1st to %uth database call failed, way %zu (before: %d)\n",
                          messages[i].name, reached[i], way, (int)before);
            assert_true(before > 0 && reached[i] >= before);
        }
    }
    json_decref(figures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(any_call_may_fail, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
